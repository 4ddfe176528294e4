/* SPDX-License-Identifier: MIT */
/*
 * List registers of one vCPU: what goes in, what comes back. All functions run with vgic->lock held
 * on the physical CPU that runs the vCPU, or while nobody runs it.
 *
 * The rules:
 *   - The best that is pending is in list registers. When more waits, NPIE asks for a maintenance
 *     interrupt once no list register is pending any more. (UIE would not do: it counts valid list
 *     registers, and a guest with EOImode 1 can keep all of them active for as long as it likes.)
 *     What the guest's group enables (ICH_VMCR_EL2) hold back comes after all that can be taken.
 *   - When every list register is active, the least urgent one is given away ("spilled"). LRENPIE
 *     and EOIcount, or the trapped ICC_DIR_EL1, tell when the guest ends such an interrupt.
 *   - A list register is never made pending and active. If an active interrupt is pending again, or
 *     its line is high, the EOI bit asks for a maintenance interrupt at its deactivation: then it
 * is looked at again. When the line falls earlier, as it mostly does, none is needed.
 *   - While an interrupt is active its list register keeps the priority and group it was taken
 *     with, else the guest's EOIR would not match it.
 */
#include <dev/gic/vgic_int.h>

#define NOBODY     (~0u)
#define NO_SLOT    GIC_LRS
#define CLOSED     0x100u /* added to the priority of what the guest's group enables hold back */
#define WORST_PRIO 0x200u /* less urgent than every priority */

/* ICH_VMCR_EL2 */
#define VMCR_VENG0      (1u << 0)
#define VMCR_VENG1      (1u << 1)
#define VMCR_VPMR_SHIFT 24u

/* ICH_HCR_EL2: maintenance when a group is enabled, disabled. */
#define HCR_VGRP0EIE (1u << 4)
#define HCR_VGRP0DIE (1u << 5)
#define HCR_VGRP1EIE (1u << 6)
#define HCR_VGRP1DIE (1u << 7)

/* What the guest's EOIR must match. */
#define LR_TAKEN_WITH ((uint64_t)0xff << GICV3_LR_PRIO_SHIFT | GICV3_LR_GROUP1)

static inline uint32_t lr_bit(uint64_t lr)
{
	return 1u << (lr & GICV3_LR_VINTID) % VGIC_BANK_BITS;
}

/* The bank of an interrupt that core itself chose, so it exists. */
static inline struct vgic_bank *own_bank(const struct gicv3_cpu *cpu, uint32_t intid)
{
	return intid < GIC_SPI_FIRST ? vgic_private(cpu)
				     : &cpu->vgic->spi[intid / VGIC_BANK_BITS - 1];
}

static inline struct vgic_bank *lr_bank(const struct gicv3_cpu *cpu, uint64_t lr)
{
	return own_bank(cpu, (uint32_t)(lr & GICV3_LR_VINTID));
}

static inline uint32_t lr_prio(uint64_t lr)
{
	return (uint32_t)(lr >> GICV3_LR_PRIO_SHIFT & 0xff);
}

static inline bool is_hw(const struct vgic_bank *bank, uint32_t bit)
{
	return (bank->hw & bit) != 0;
}

/* Writes the shadow only when the value changes: an untouched list register costs nothing. */
static void lr_write(struct gicv3_cpu *cpu, uint32_t n, uint64_t lr)
{
	if (cpu->lr[n] != lr) {
		cpu->lr[n] = lr;
		cpu->lr_dirty |= 1u << n;
	}
}

static void hcr_write(struct gicv3_cpu *cpu, uint32_t hcr)
{
	if (cpu->hcr != hcr) {
		cpu->hcr = hcr;
		cpu->lr_dirty |= GICV3_DIRTY_HCR;
	}
}

/* A pending event of the bank moves into a list register. */
static inline void event_take(const struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	uint32_t event = bank->pending & bit;

	if (event & bank->sourced) {
		vgic_source_take(cpu->vgic, bank, bit);
		return;
	}
	bank->lr_latch |= event;
	bank->pending &= ~bit;
}

/* An event that the guest has not taken goes back to the bank. */
static inline void event_return(const struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	uint32_t event = bank->lr_latch & bit;

	if (event & bank->sourced) {
		vgic_source_return(cpu->vgic, bank, bit);
	}
	bank->pending |= event;
	bank->lr_latch &= ~bit;
}

/* The list register for interrupt n of a bank without a state, from its present configuration. */
static uint64_t lr_config(const struct gicv3_cpu *cpu, const struct vgic_bank *bank, uint32_t n)
{
	uint64_t lr = (uint64_t)bank->prio[n] << GICV3_LR_PRIO_SHIFT | (bank->first + n);

	if (bank->group >> n & 1) {
		lr |= GICV3_LR_GROUP1;
	}
	if (is_hw(bank, 1u << n)) {
		lr |= GICV3_LR_HW | (uint64_t)cpu->ppi_hw[n - GIC_PPI_FIRST]
					    << GICV3_LR_PINTID_SHIFT;
	}
	if (bank->sourced >> n & 1) {
		lr |= (uint64_t)cpu->vgic->sources[bank->home].taken[n] << GICV3_LR_SOURCE_SHIFT;
	}
	return lr;
}

/*
 * Whether something is left to do once the interrupt is deactivated: then its list register asks
 * for maintenance. A mapped one fires again by itself if its line is still high.
 */
static bool wants_maintenance(const struct vgic_bank *bank, uint32_t bit)
{
	uint32_t behind = bank->pending & (bank->active | bank->sourced);

	return ((vgic_bank_asserted(bank) & ~bank->hw) | behind) & bit;
}

static uint64_t lr_with_eoi(const struct vgic_bank *bank, uint32_t bit, uint64_t lr)
{
	if (!wants_maintenance(bank, bit)) {
		return lr;
	}
	if (lr & GICV3_LR_HW) { /* excludes EOI; then we deactivate the physical one */
		lr &= ~(GICV3_LR_HW | HV_MASK(44, GICV3_LR_PINTID_SHIFT));
	}
	return lr | GICV3_LR_EOI;
}

/* Gives a list register up: what it held of an event goes back to the distributor. */
static void lr_release(struct gicv3_cpu *cpu, uint32_t n)
{
	struct vgic_bank *bank = lr_bank(cpu, cpu->lr[n]);
	uint32_t bit = lr_bit(cpu->lr[n]);

	event_return(cpu, bank, bit);
	bank->in_lr &= ~bit;
	bank->req_activate &= ~bit;
	bank->req_deactivate &= ~bit;
	bank->req_unpend &= ~bit;
	cpu->lr_used &= ~(1u << n);
	cpu->again = 0;
	if (cpu->lr[n] & (GICV3_LR_STATE | GICV3_LR_EOI)) {
		lr_write(cpu, n, 0); /* EOI without a state would keep on asking for maintenance */
	}
}

/* A released interrupt may be for somebody else now. */
static void hand_over(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	struct vgic *vgic = cpu->vgic;

	vgic_bank_update(vgic, bank);
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		if (i != cpu->index && bank->ready & bank->target[i] & bit) {
			vgic->cpu[i]->notify(vgic->cpu[i]->ctx);
		}
	}
}

/* The list register that holds this interrupt; there is one, so the last need not be compared. */
static uint32_t slot_of(const struct gicv3_cpu *cpu, uint32_t intid)
{
	uint32_t used = cpu->lr_used;

	while (used & (used - 1) && (cpu->lr[hv_lowest_bit(used)] & GICV3_LR_VINTID) != intid) {
		used &= used - 1;
	}
	return hv_lowest_bit(used);
}

void vgic_lr_forget(struct gicv3_cpu *cpu, uint32_t intid)
{
	struct vgic_bank *bank = vgic_private(cpu);
	uint32_t bit = 1u << intid, n = slot_of(cpu, intid);

	bank->active &= ~bit;
	bank->lr_latch &= ~bit;
	lr_release(cpu, n);
	cpu->lr[n] = 0;
	cpu->lr_dirty |= 1u << n;
}

/* The guest, or core for it, deactivated an interrupt; a mapped one's line is over with that. */
static void deactivated(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit, bool physical)
{
	bank->active &= ~bit;
	bank->spilled &= ~bit;
	if (bank->line & bank->hw & bit) {
		bank->line &= ~bit;
		if (!physical) {
			port_gicv3_hw_end(cpu->ppi_hw[hv_lowest_bit(bit) - GIC_PPI_FIRST]);
		}
	}
}

void vgic_lr_deactivated(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	deactivated(cpu, bank, bit, false);
}

/* A line that fell before the guest took its interrupt: there is none to take any more. */
static void drop_fallen(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	if (vgic_fallen(bank, bit & ~bank->active, cpu)) {
		deactivated(cpu, bank, bit, false);
	}
}

/* What the guest did to a list register, and what others asked for since, into the bank. */
static void lr_fold(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit, uint64_t lr)
{
	if (!(lr & GICV3_LR_PENDING)) {
		bank->lr_latch &= ~bit; /* acknowledged */
	}
	if (lr & GICV3_LR_ACTIVE) {
		bank->active |= bit;
	} else if (!(lr & GICV3_LR_PENDING)) {
		deactivated(cpu, bank, bit, (lr & GICV3_LR_HW) != 0);
	}
	if (bank->req_deactivate & bank->active & bit) {
		deactivated(cpu, bank, bit, false);
	}
	bank->active |= bank->req_activate & bit;
	bank->lr_latch &= ~(bank->req_unpend & bit);
	bank->req_activate &= ~bit;
	bank->req_deactivate &= ~bit;
	bank->req_unpend &= ~bit;
}

/*
 * Whether the list register is to be pending; moves a latched event to where it belongs. Never
 * while active: when that ends, more urgent ones may wait.
 */
static bool lr_offer(const struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	uint32_t open = vgic_bank_open(cpu->vgic, bank) & bank->target[cpu->index];

	if (!(open & ~bank->active & bit)) {
		event_return(cpu, bank, bit);
		return false;
	}
	event_take(cpu, bank, bit);
	return (bank->lr_latch | vgic_bank_asserted(bank)) & bit;
}

static void lr_revise(struct gicv3_cpu *cpu, uint32_t n)
{
	uint64_t lr = cpu->lr[n], next;
	struct vgic_bank *bank = lr_bank(cpu, lr);
	uint32_t bit = lr_bit(lr);
	bool offer;

	cpu->again = 0;
	lr_fold(cpu, bank, bit, lr);
	drop_fallen(cpu, bank, bit);
	offer = lr_offer(cpu, bank, bit);
	next = lr_config(cpu, bank, hv_lowest_bit(bit));
	if (offer) {
		next |= GICV3_LR_PENDING;
	} else if (bank->active & bit) {
		next = (next & ~LR_TAKEN_WITH) | (lr & LR_TAKEN_WITH) | GICV3_LR_ACTIVE;
	} else {
		lr_release(cpu, n);
		hand_over(cpu, bank, bit);
		return;
	}
	lr_write(cpu, n, lr_with_eoi(bank, bit, next));
}

/* Interrupts of a bank that the guest's group enables hold back, as far as we know them. */
static uint32_t bank_closed(const struct gicv3_cpu *cpu, const struct vgic_bank *bank)
{
	if (!cpu->lr_here) {
		return 0;
	}
	return (cpu->vmcr & VMCR_VENG1 ? 0 : bank->group) |
	       (cpu->vmcr & VMCR_VENG0 ? 0 : ~bank->group);
}

static uint32_t lr_urgency(const struct gicv3_cpu *cpu, uint64_t lr)
{
	bool open = cpu->vmcr & (lr & GICV3_LR_GROUP1 ? VMCR_VENG1 : VMCR_VENG0);

	return lr_prio(lr) + (open ? 0 : CLOSED);
}

/* The most urgent interrupt in `bits` of a bank, if it beats *prio. */
static void best_of(const struct vgic_bank *bank, uint32_t bits, uint32_t closed, uint32_t *intid,
	uint32_t *prio)
{
	for (; bits; bits &= bits - 1) {
		uint32_t n = hv_lowest_bit(bits);
		uint32_t its = bank->prio[n] + (closed >> n & 1 ? CLOSED : 0);

		if (its < *prio) {
			*prio = its;
			*intid = bank->first + n;
		}
	}
}

/* The most urgent interrupt that waits for this vCPU, or NOBODY; of equals the lowest INTID. */
static uint32_t best_ready(const struct gicv3_cpu *cpu, uint32_t *prio)
{
	const struct vgic *vgic = cpu->vgic;
	const struct vgic_bank *bank = vgic_private(cpu);
	uint32_t intid = NOBODY;

	*prio = WORST_PRIO;
	best_of(bank, bank->ready, bank_closed(cpu, bank), &intid, prio);
	for (uint32_t banks = vgic->ready_spis; banks; banks &= banks - 1) {
		bank = &vgic->spi[hv_lowest_bit(banks)];
		best_of(bank, bank->ready & bank->target[cpu->index], bank_closed(cpu, bank),
			&intid, prio);
	}
	return intid;
}

static void best_spilled_of(
	const struct gicv3_cpu *cpu, const struct vgic_bank *bank, uint32_t *intid, uint32_t *prio)
{
	for (uint32_t bits = bank->spilled; bits; bits &= bits - 1) {
		uint32_t n = hv_lowest_bit(bits);

		if (bank->owner[n] == cpu->index && bank->spill_prio[n] < *prio) {
			*prio = bank->spill_prio[n];
			*intid = bank->first + n;
		}
	}
}

/* This vCPU's most urgent spilled interrupt, or NOBODY: the one that the guest ends first. */
static uint32_t best_spilled(const struct gicv3_cpu *cpu)
{
	const struct vgic *vgic = cpu->vgic;
	uint32_t intid = NOBODY, prio = WORST_PRIO;

	best_spilled_of(cpu, vgic_private(cpu), &intid, &prio);
	for (uint32_t b = 0; b < vgic->spi_banks; b++) {
		best_spilled_of(cpu, &vgic->spi[b], &intid, &prio);
	}
	return intid;
}

static void end_spilled(struct gicv3_cpu *cpu, uint32_t intid)
{
	struct vgic_bank *bank = own_bank(cpu, intid);
	uint32_t bit = 1u << intid % VGIC_BANK_BITS;

	deactivated(cpu, bank, bit, false);
	hand_over(cpu, bank, bit);
}

/* The guest ended interrupts that are in no list register. With EOImode 1, ICC_DIR_EL1 trapped. */
static void take_eoi_count(struct gicv3_cpu *cpu)
{
	uint32_t count = cpu->hcr >> GICV3_HCR_EOICOUNT_SHIFT; /* hcr_update() clears it */

	for (; count && !(cpu->vmcr & GICV3_VMCR_VEOIM); count--) {
		uint32_t intid = best_spilled(cpu);

		if (intid == NOBODY) {
			return;
		}
		end_spilled(cpu, intid);
	}
}

static void lr_load(struct gicv3_cpu *cpu)
{
	if (cpu->iface != GIC_IFACE_V2_SOFT) { /* else nobody but core changes them */
		port_gicv3_lr_load(cpu);
	}
	cpu->lr_here = true;
	cpu->again = 0;
}

/* Reads back what is not here, then brings every used list register up to date. */
static void lr_refresh(struct gicv3_cpu *cpu)
{
	if (!cpu->lr_here) {
		lr_load(cpu);
		take_eoi_count(cpu);
	}
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		lr_revise(cpu, hv_lowest_bit(used));
	}
}

/* The least urgent list register in this state, or NO_SLOT. */
static uint32_t least_urgent(const struct gicv3_cpu *cpu, uint64_t state, uint32_t *prio)
{
	uint32_t slot = NO_SLOT;

	*prio = 0;
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		uint32_t n = hv_lowest_bit(used);
		uint32_t its = lr_urgency(cpu, cpu->lr[n]);

		if ((cpu->lr[n] & GICV3_LR_STATE) == state && its >= *prio) {
			slot = n;
			*prio = its;
		}
	}
	return slot;
}

static void lr_give_away(struct gicv3_cpu *cpu, uint32_t n)
{
	struct vgic_bank *bank = lr_bank(cpu, cpu->lr[n]);
	uint32_t bit = lr_bit(cpu->lr[n]);

	if (bank->active & bit) {
		bank->spilled |= bit;
		bank->spill_prio[hv_lowest_bit(bit)] = (uint8_t)lr_prio(cpu->lr[n]);
		hcr_write(cpu, cpu->hcr | GICV3_HCR_LRENPIE);
	}
	lr_release(cpu, n);
	vgic_bank_update(cpu->vgic, bank);
}

static uint32_t free_slots(const struct gicv3_cpu *cpu)
{
	return ~cpu->lr_used & ((1u << cpu->lr_count) - 1);
}

/* A list register for an interrupt of this priority, freed if need be; or NO_SLOT. */
static uint32_t lr_room(struct gicv3_cpu *cpu, uint32_t prio)
{
	uint32_t worst, slot;

	if (free_slots(cpu)) {
		return hv_lowest_bit(free_slots(cpu));
	}
	slot = least_urgent(cpu, GICV3_LR_PENDING, &worst);
	if (slot == NO_SLOT && prio < CLOSED) {
		slot = least_urgent(cpu, GICV3_LR_ACTIVE, &worst); /* they all are */
	} else if (slot == NO_SLOT || worst <= prio) {
		return NO_SLOT;
	}
	lr_give_away(cpu, slot);
	return slot;
}

static void lr_put(struct gicv3_cpu *cpu, uint32_t slot, uint32_t intid)
{
	struct vgic_bank *bank = own_bank(cpu, intid);
	uint32_t n = intid % VGIC_BANK_BITS, bit = 1u << n;

	bank->in_lr |= bit;
	bank->owner[n] = (uint8_t)cpu->index;
	event_take(cpu, bank, bit);
	cpu->lr_used |= 1u << slot;
	lr_write(cpu, slot, lr_with_eoi(bank, bit, lr_config(cpu, bank, n)) | GICV3_LR_PENDING);
	vgic_bank_update(cpu->vgic, bank);
}

/* Maintenance interrupts for what waits. Each is off now, and comes on when it is worth a look. */
static uint32_t hcr_waiting(const struct gicv3_cpu *cpu, uint32_t prio)
{
	uint32_t hcr = prio < CLOSED ? GICV3_HCR_NPIE : 0;

	hcr |= cpu->vmcr & VMCR_VENG0 ? HCR_VGRP0DIE : HCR_VGRP0EIE;
	return hcr | (cpu->vmcr & VMCR_VENG1 ? HCR_VGRP1DIE : HCR_VGRP1EIE);
}

/* `prio` is that of the best which found no list register, or WORST_PRIO. */
static void hcr_update(struct gicv3_cpu *cpu, uint32_t prio)
{
	uint32_t hcr = GICV3_HCR_EN;

	if (prio != WORST_PRIO) {
		hcr |= hcr_waiting(cpu, prio);
	}
	if (cpu->hcr & GICV3_HCR_LRENPIE && best_spilled(cpu) != NOBODY) {
		hcr |= GICV3_HCR_LRENPIE | GICV3_HCR_TDIR;
	}
	if (cpu->vgic->cpu_count > 1) {
		hcr |= GICV3_HCR_TDIR; /* the interrupt may be active on another vCPU */
	}
	hcr_write(cpu, hcr);
}

void vgic_lr_fill(struct gicv3_cpu *cpu)
{
	uint32_t prio, intid, slot = 0;

	if (cpu->hcr & GICV3_HCR_LRENPIE && !cpu->lr_here) {
		lr_refresh(cpu); /* EOIcount must not be overwritten */
	}
	while (intid = best_ready(cpu, &prio), intid != NOBODY) {
		if (!free_slots(cpu) && !cpu->lr_here) {
			lr_refresh(cpu);
			continue;
		}
		slot = lr_room(cpu, prio);
		if (slot == NO_SLOT) {
			break;
		}
		lr_put(cpu, slot, intid);
	}
	hcr_update(cpu, prio);
}

/* Nothing waits for room, nothing is spilled: one interrupt can be seen to without the others. */
static bool is_calm(const struct gicv3_cpu *cpu)
{
	return (cpu->hcr & ~GICV3_HCR_TDIR) == GICV3_HCR_EN;
}

bool vgic_lr_one(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	uint32_t intid = bank->first + hv_lowest_bit(bit);

	if (!is_calm(cpu)) {
		return false;
	}
	if (bank->in_lr & bit) {
		if (!cpu->lr_here) {
			lr_load(cpu);
		}
		lr_revise(cpu, slot_of(cpu, intid));
		return true;
	}
	if (!free_slots(cpu)) {
		return false;
	}
	lr_put(cpu, hv_lowest_bit(free_slots(cpu)), intid);
	return true;
}

/* Whether one of the vCPU's own interrupts can become pending with no regard to anything else. */
static bool is_plain(const struct gicv3_cpu *cpu, const struct vgic_bank *bank, uint32_t bit)
{
	uint32_t special = bank->pending | bank->req_activate | bank->req_deactivate |
			   bank->req_unpend | ~vgic_bank_open(cpu->vgic, bank);

	return is_calm(cpu) && !(special & bit);
}

/* Makes it pending in a list register, which need not be read: its state there is over. */
static void lr_pend(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit, uint32_t slot)
{
	uint64_t lr = lr_config(cpu, bank, hv_lowest_bit(bit)) | GICV3_LR_PENDING;

	bank->active &= ~bit;
	cpu->lr[slot] = lr_with_eoi(bank, bit, lr);
	cpu->lr_dirty |= 1u << slot;
}

bool vgic_lr_refire(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	if (!is_plain(cpu, bank, bit)) {
		return false;
	}
	bank->lr_latch &= ~bit;
	cpu->again_slot = (uint8_t)slot_of(cpu, hv_lowest_bit(bit));
	lr_pend(cpu, bank, bit, cpu->again_slot);
	cpu->again = (uint8_t)hv_lowest_bit(bit);
	return true;
}

bool vgic_lr_event(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	uint32_t slot;

	if (!is_plain(cpu, bank, bit) || !(bank->in_lr & bit)) {
		return false;
	}
	if (!cpu->lr_here) {
		lr_load(cpu);
	}
	slot = slot_of(cpu, hv_lowest_bit(bit));
	if (cpu->lr[slot] & GICV3_LR_ACTIVE) {
		return false;
	}
	bank->lr_latch |= bit;
	lr_pend(cpu, bank, bit, slot);
	return true;
}

void vgic_lr_sync(struct gicv3_cpu *cpu)
{
	lr_refresh(cpu);
	vgic_lr_fill(cpu);
}

void vgic_lr_reset(struct gicv3_cpu *cpu)
{
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		uint32_t n = hv_lowest_bit(used);
		struct vgic_bank *bank = lr_bank(cpu, cpu->lr[n]);
		uint32_t bit = lr_bit(cpu->lr[n]);

		bank->active &= ~bit;
		lr_release(cpu, n);
		hand_over(cpu, bank, bit);
	}
	for (uint32_t intid; intid = best_spilled(cpu), intid != NOBODY;) {
		end_spilled(cpu, intid);
	}
	for (uint32_t n = 0; n < GIC_LRS; n++) {
		cpu->lr[n] = 0;
	}
	cpu->lr_here = true;
	cpu->hcr = cpu->vmcr = cpu->apr = 0;
	hcr_update(cpu, WORST_PRIO);
	cpu->lr_dirty = ((1u << cpu->lr_count) - 1) | GICV3_DIRTY_HCR | GICV3_DIRTY_IFACE;
}

void vgic_sync(struct gicv3_cpu *cpu)
{
	port_lock(&cpu->vgic->lock);
	vgic_lr_sync(cpu);
	port_unlock(&cpu->vgic->lock);
}

bool vgic_is_pending(struct gicv3_cpu *cpu)
{
	bool pending = false;

	port_lock(&cpu->vgic->lock);
	vgic_lr_sync(cpu);
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		uint64_t lr = cpu->lr[hv_lowest_bit(used)];

		pending |= (lr & GICV3_LR_STATE) == GICV3_LR_PENDING &&
			   lr_urgency(cpu, lr) < cpu->vmcr >> VMCR_VPMR_SHIFT;
	}
	port_unlock(&cpu->vgic->lock);
	return pending;
}

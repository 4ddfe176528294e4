/* SPDX-License-Identifier: MIT */
/*
 * List registers of one vCPU: what goes in, what comes back. All functions run with vgic->lock held
 * on the physical CPU that runs the vCPU, or while nobody runs it.
 *
 * The rules:
 *   - The best that is pending is in list registers. When more waits, NPIE asks for a maintenance
 *     interrupt once no list register is pending any more. (UIE would not do: it counts valid list
 *     registers, and a guest with EOImode 1 can keep all of them active for as long as it likes.)
 *   - When every list register is active, the least urgent one is given away ("spilled"). LRENPIE
 *     and EOIcount, or the trapped ICC_DIR_EL1, tell when the guest ends such an interrupt.
 *   - A level-sensitive interrupt is pending in its list register only while it is not active. The
 *     EOI bit asks for a maintenance interrupt at its deactivation if its line is high: then the
 *     line is looked at again. When the line falls earlier, no maintenance interrupt is needed.
 */
#include <dev/gic/vgic_int.h>

#define NOBODY     (~0u)
#define NO_SLOT    GIC_LRS
#define WORST_PRIO 0x100u /* less urgent than every priority */

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

/* The list register for interrupt n of a bank in a state, from its present configuration. */
static uint64_t lr_make(
	const struct gicv3_cpu *cpu, const struct vgic_bank *bank, uint32_t n, uint64_t state)
{
	uint32_t bit = 1u << n;
	uint64_t lr = state | (uint64_t)bank->prio[n] << GICV3_LR_PRIO_SHIFT | (bank->first + n);

	if (bank->group & bit) {
		lr |= GICV3_LR_GROUP1;
	}
	if (is_hw(bank, bit)) {
		lr |= GICV3_LR_HW | (uint64_t)cpu->ppi_hw[n - GIC_PPI_FIRST]
					    << GICV3_LR_PINTID_SHIFT;
	} else if ((vgic_bank_asserted(bank) | (bank->pending & bank->active)) & bit) {
		lr |= GICV3_LR_EOI; /* there will be something to do once it is deactivated */
	}
	return lr;
}

/* Gives a list register up: what it held of an event goes back to the distributor. */
static void lr_release(struct gicv3_cpu *cpu, uint32_t n)
{
	struct vgic_bank *bank = lr_bank(cpu, cpu->lr[n]);
	uint32_t bit = lr_bit(cpu->lr[n]);

	bank->pending |= bank->lr_latch & bit;
	bank->lr_latch &= ~bit;
	bank->in_lr &= ~bit;
	bank->req_activate &= ~bit;
	bank->req_deactivate &= ~bit;
	bank->req_unpend &= ~bit;
	cpu->lr_used &= ~(1u << n);
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

void vgic_lr_forget(struct gicv3_cpu *cpu, uint32_t intid)
{
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		uint32_t n = hv_lowest_bit(used);

		if ((cpu->lr[n] & GICV3_LR_VINTID) == intid) {
			vgic_private(cpu)->active &= ~(1u << intid);
			lr_release(cpu, n);
			cpu->lr[n] = 0;
			cpu->lr_dirty |= 1u << n;
		}
	}
}

/* What the guest did to a list register, and what others asked for since, into the bank. */
static void lr_fold(struct vgic_bank *bank, uint32_t bit, uint64_t lr)
{
	bool active = (lr & GICV3_LR_ACTIVE) != 0;

	if (!(lr & GICV3_LR_PENDING)) {
		bank->lr_latch &= ~bit; /* acknowledged */
	}
	if (!(lr & GICV3_LR_STATE)) {
		bank->line &= ~(bit & bank->hw); /* deactivated, and the physical one with it */
	}
	if (bank->req_deactivate & bit && active) {
		active = false;
		if (is_hw(bank, bit)) {
			port_gicv3_hw_end((uint32_t)hv_bits(lr, 41, GICV3_LR_PINTID_SHIFT));
			bank->line &= ~bit;
		}
	}
	active = active || (bank->req_activate & bit) != 0;
	bank->active = active ? bank->active | bit : bank->active & ~bit;
	bank->lr_latch &= ~(bank->req_unpend & bit);
	bank->req_activate &= ~bit;
	bank->req_deactivate &= ~bit;
	bank->req_unpend &= ~bit;
}

/* Whether the interrupt is to be pending in its list register; moves the latch accordingly. */
static bool lr_wants_pending(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit)
{
	bool active = (bank->active & bit) != 0;
	bool open = (vgic_bank_open(cpu->vgic, bank) & bank->target[cpu->index] & bit) != 0;

	if (!open || (active && is_hw(bank, bit))) { /* HW cannot be pending and active (12.4.9) */
		bank->pending |= bank->lr_latch & bit;
		bank->lr_latch &= ~bit;
		return false;
	}
	bank->lr_latch |= bank->pending & bit;
	bank->pending &= ~bit;
	return (bank->lr_latch & bit) != 0 || (!active && (vgic_bank_asserted(bank) & bit) != 0);
}

static void lr_revise(struct gicv3_cpu *cpu, uint32_t n)
{
	uint64_t lr = cpu->lr[n], state;
	struct vgic_bank *bank = lr_bank(cpu, lr);
	uint32_t bit = lr_bit(lr);

	lr_fold(bank, bit, lr);
	state = lr_wants_pending(cpu, bank, bit) ? GICV3_LR_PENDING : 0;
	state |= bank->active & bit ? GICV3_LR_ACTIVE : 0;
	if (state) {
		lr_write(cpu, n, lr_make(cpu, bank, hv_lowest_bit(bit), state));
		return;
	}
	lr_release(cpu, n);
	hand_over(cpu, bank, bit);
}

/* The most urgent interrupt in `bits` of a bank, if it beats *prio. */
static void best_of(const struct vgic_bank *bank, uint32_t bits, uint32_t *intid, uint32_t *prio)
{
	for (; bits; bits &= bits - 1) {
		uint32_t n = hv_lowest_bit(bits);

		if (bank->prio[n] < *prio) {
			*prio = bank->prio[n];
			*intid = bank->first + n;
		}
	}
}

/* The most urgent interrupt that waits for this vCPU, or NOBODY; of equals the lowest INTID. */
static uint32_t best_ready(const struct gicv3_cpu *cpu, uint32_t *prio)
{
	const struct vgic *vgic = cpu->vgic;
	uint32_t intid = NOBODY;

	*prio = WORST_PRIO;
	best_of(vgic_private(cpu), vgic_private(cpu)->ready, &intid, prio);
	for (uint32_t banks = vgic->ready_spis; banks; banks &= banks - 1) {
		const struct vgic_bank *bank = &vgic->spi[hv_lowest_bit(banks)];

		best_of(bank, bank->ready & bank->target[cpu->index], &intid, prio);
	}
	return intid;
}

/* The most urgent spilled interrupt: the one that the guest ends first. */
static uint32_t best_spilled(const struct gicv3_cpu *cpu)
{
	const struct vgic *vgic = cpu->vgic;
	uint32_t intid = NOBODY, prio = WORST_PRIO;

	best_of(vgic_private(cpu), vgic_private(cpu)->spilled, &intid, &prio);
	for (uint32_t b = 0; b < vgic->spi_banks; b++) {
		for (uint32_t bits = vgic->spi[b].spilled; bits; bits &= bits - 1) {
			uint32_t n = hv_lowest_bit(bits);

			if (vgic->spi[b].owner[n] == cpu->index) {
				best_of(&vgic->spi[b], 1u << n, &intid, &prio);
			}
		}
	}
	return intid;
}

/* The guest ended interrupts that are in no list register. With EOImode 1, ICC_DIR_EL1 trapped. */
static void take_eoi_count(struct gicv3_cpu *cpu)
{
	uint32_t count = cpu->hcr >> GICV3_HCR_EOICOUNT_SHIFT;

	if (count == 0) {
		return;
	}
	hcr_write(cpu, cpu->hcr & ~GICV3_HCR_EOICOUNT);
	for (; count && !(cpu->vmcr & GICV3_VMCR_VEOIM); count--) {
		uint32_t intid = best_spilled(cpu), bit = 1u << intid % VGIC_BANK_BITS;
		struct vgic_bank *bank;

		if (intid == NOBODY) {
			return;
		}
		bank = own_bank(cpu, intid);
		bank->spilled &= ~bit;
		bank->active &= ~bit;
		hand_over(cpu, bank, bit);
	}
}

/* Reads back what is not here, then brings every used list register up to date. */
static void lr_refresh(struct gicv3_cpu *cpu)
{
	if (!cpu->lr_here && (cpu->lr_used & ~cpu->lr_dirty || cpu->hcr & GICV3_HCR_TDIR)) {
		port_gicv3_lr_load(cpu);
	}
	cpu->lr_here = true;
	take_eoi_count(cpu);
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		lr_revise(cpu, hv_lowest_bit(used));
	}
}

/*
 * The least urgent list register whose state, under `mask`, is `state`; or NO_SLOT. A mapped active
 * one stays: only a list register can deactivate the physical interrupt.
 */
static uint32_t least_urgent(
	const struct gicv3_cpu *cpu, uint64_t mask, uint64_t state, uint32_t *prio)
{
	uint32_t slot = NO_SLOT;

	*prio = 0;
	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		uint32_t n = hv_lowest_bit(used);
		uint64_t lr = cpu->lr[n];
		bool pinned = lr & GICV3_LR_HW && lr & GICV3_LR_ACTIVE;

		if ((lr & mask) == state && lr_prio(lr) >= *prio && !pinned) {
			slot = n;
			*prio = lr_prio(lr);
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
	slot = least_urgent(cpu, GICV3_LR_STATE, GICV3_LR_PENDING, &worst);
	if (slot == NO_SLOT) {
		slot = least_urgent(cpu, GICV3_LR_ACTIVE, GICV3_LR_ACTIVE, &worst);
	} else if (worst <= prio) {
		return NO_SLOT;
	}
	if (slot != NO_SLOT) {
		lr_give_away(cpu, slot);
	}
	return slot;
}

static void lr_put(struct gicv3_cpu *cpu, uint32_t slot, uint32_t intid)
{
	struct vgic_bank *bank = own_bank(cpu, intid);
	uint32_t n = intid % VGIC_BANK_BITS, bit = 1u << n;

	bank->in_lr |= bit;
	bank->owner[n] = (uint8_t)cpu->index;
	bank->lr_latch |= bank->pending & bit;
	bank->pending &= ~bit;
	cpu->lr_used |= 1u << slot;
	lr_write(cpu, slot, lr_make(cpu, bank, n, GICV3_LR_PENDING));
	vgic_bank_update(cpu->vgic, bank);
}

/* The traps and maintenance interrupts that the present state needs. */
static void hcr_update(struct gicv3_cpu *cpu, bool more)
{
	uint32_t hcr = GICV3_HCR_EN | (more ? GICV3_HCR_NPIE : 0);

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
	uint32_t prio, slot = 0, intid;

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
	hcr_update(cpu, intid != NOBODY);
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
		struct vgic_bank *bank = own_bank(cpu, intid);
		uint32_t bit = 1u << intid % VGIC_BANK_BITS;

		bank->spilled &= ~bit;
		bank->active &= ~bit;
		hand_over(cpu, bank, bit);
	}
	for (uint32_t n = 0; n < GIC_LRS; n++) {
		cpu->lr[n] = 0;
	}
	cpu->lr_here = true;
	cpu->hcr = GICV3_HCR_EN;
	cpu->vmcr = 0;
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
	uint32_t worst;
	bool pending;

	port_lock(&cpu->vgic->lock);
	vgic_lr_sync(cpu);
	pending = least_urgent(cpu, GICV3_LR_STATE, GICV3_LR_PENDING, &worst) != NO_SLOT;
	port_unlock(&cpu->vgic->lock);
	return pending;
}

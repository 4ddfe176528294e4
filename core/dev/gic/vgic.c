/* SPDX-License-Identifier: MIT */
/*
 * The state behind every GIC version: input lines, targets, SGIs, life cycle. It decides who has to
 * look; what then goes into list registers is vgic_lr.c's, what a guest reads and writes is in the
 * gicv*_ files.
 */
#include <dev/gic/vgic_int.h>

#define SGI_IRM       40u /* ICC_SGIxR_EL1 (IHI 0069H, 12.2.16) */
#define ROUTE_IRM     HV_BIT(31)
#define AFFINITY_MASK (HV_MASK(39, 32) | HV_MASK(23, 0))
#define ROUTE_MASK    (AFFINITY_MASK | ROUTE_IRM)

#define MAX_PINTID 1019u

void vgic_bank_update(struct vgic *vgic, struct vgic_bank *bank)
{
	bank->ready = (bank->pending | vgic_bank_asserted(bank)) & vgic_bank_open(vgic, bank) &
		      ~(bank->active | bank->in_lr);
	if (bank->first >= GIC_SPI_FIRST) {
		uint32_t word = 1u << (bank->first / VGIC_BANK_BITS - 1u);

		vgic->ready_spis = bank->ready ? vgic->ready_spis | word : vgic->ready_spis & ~word;
	}
}

/* The vCPUs that hold some of `bits` in a list register, and those that may now take one. */
static uint32_t concerned_spi(const struct vgic *vgic, const struct vgic_bank *bank, uint32_t bits)
{
	uint32_t held = bits & bank->in_lr, ready = bits & bank->ready, mask = 0;

	for (; held; held &= held - 1) {
		mask |= 1u << bank->owner[hv_lowest_bit(held)];
	}
	for (uint32_t i = 0; ready && i < vgic->cpu_count; i++) {
		mask |= ready & bank->target[i] ? 1u << i : 0;
	}
	return mask;
}

static uint32_t concerned(const struct vgic *vgic, const struct vgic_bank *bank, uint32_t bits)
{
	if (bank->first >= GIC_SPI_FIRST) {
		return concerned_spi(vgic, bank, bits);
	}
	return bits & (bank->in_lr | bank->ready) ? 1u << bank->home : 0;
}

void vgic_bank_changed(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t bits, struct gicv3_cpu *self)
{
	uint32_t mask, me = self ? 1u << self->index : 0;

	vgic_bank_update(vgic, bank);
	mask = concerned(vgic, bank, bits);
	for (uint32_t others = mask & ~me; others; others &= others - 1) {
		struct gicv3_cpu *cpu = vgic->cpu[hv_lowest_bit(others)];

		cpu->notify(cpu->ctx);
	}
	if (!(mask & me) || (!(bits & (bits - 1)) && vgic_lr_one(self, bank, bits))) {
		return;
	}
	if (bits & bank->in_lr) {
		vgic_lr_sync(self);
	} else {
		vgic_lr_fill(self);
	}
}

void vgic_line_set(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t bit, bool level, struct gicv3_cpu *self)
{
	uint32_t was = bank->line;

	bank->line = level ? was | bit : was & ~bit;
	if (bank->line == was) {
		return;
	}
	if (level) {
		bank->pending |= bit & bank->edge;
	}
	vgic_bank_changed(vgic, bank, bit, self);
}

void vgic_spi_set(void *ctl, uint32_t intid, bool level)
{
	struct vgic *vgic = ctl;
	struct vgic_bank *bank = vgic_spi_bank(vgic, intid / VGIC_BANK_BITS);

	if (!bank) {
		return;
	}
	port_lock(&vgic->lock);
	vgic_line_set(vgic, bank, 1u << intid % VGIC_BANK_BITS, level, NULL);
	port_unlock(&vgic->lock);
}

/*
 * A mapped interrupt whose line is high can only fire again after the guest deactivated it:
 * whatever a list register still says of it is over. That is known without reading it. With a low
 * line, software made it pending, and only the list register knows how far that is.
 */
static void mapped_raise(struct gicv3_cpu *cpu, uint32_t intid, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_private(cpu);
	uint32_t bit = 1u << intid;

	if (bank->in_lr & bank->line & bit) {
		if (self && vgic_lr_refire(cpu, bank, bit)) {
			return;
		}
		vgic_lr_forget(cpu, intid);
	} else if (bank->in_lr & bit) {
		vgic_lr_sync(cpu);
	}
	bank->line |= bit;
	vgic_bank_changed(cpu->vgic, bank, bit, self);
}

uint32_t vgic_fallen(const struct vgic_bank *bank, uint32_t bits, const struct gicv3_cpu *self)
{
	uint32_t fallen = 0;

	if (bank != vgic_private(self)) {
		return 0;
	}
	for (bits &= bank->line & bank->hw; bits; bits &= bits - 1) {
		if (!port_gicv3_hw_level(self->ppi_hw[hv_lowest_bit(bits) - GIC_PPI_FIRST])) {
			fallen |= bits & -bits;
		}
	}
	return fallen;
}

void vgic_lines_look(struct vgic *vgic, struct vgic_bank *bank, const struct gicv3_cpu *self)
{
	uint32_t fallen = vgic_fallen(bank, ~(bank->in_lr | bank->active), self);

	if (!fallen) {
		return;
	}
	bank->line &= ~fallen;
	vgic_bank_update(vgic, bank);
	for (; fallen; fallen &= fallen - 1) {
		port_gicv3_hw_end(self->ppi_hw[hv_lowest_bit(fallen) - GIC_PPI_FIRST]);
	}
}

static void ppi_set(struct gicv3_cpu *cpu, uint32_t intid, bool level, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_private(cpu);

	if (intid < GIC_PPI_FIRST || intid >= GIC_SPI_FIRST) {
		return;
	}
	port_lock(&cpu->vgic->lock);
	if (!(bank->hw >> intid & 1)) {
		vgic_line_set(cpu->vgic, bank, 1u << intid, level, self);
	} else if (level) {
		mapped_raise(cpu, intid, self);
	}
	port_unlock(&cpu->vgic->lock);
}

void vgic_ppi_set(struct gicv3_cpu *cpu, uint32_t intid, bool level)
{
	ppi_set(cpu, intid, level, NULL);
}

void vgic_ppi_set_here(struct gicv3_cpu *cpu, uint32_t intid, bool level)
{
	/* A timer that fires over and over: nothing was looked at since, so nothing has changed. */
	if (level && cpu->again != 0 && intid == cpu->again) {
		cpu->lr_dirty |= 1u << cpu->again_slot;
		return;
	}
	ppi_set(cpu, intid, level, cpu);
}

/* The affinity fields of ICC_SGI1R_EL1 that name a vCPU (IHI 0069H, 12.2.16), all but the list. */
#define SGI_NAME_MASK (HV_MASK(55, 44) | HV_MASK(39, 32) | HV_MASK(23, 16))

/*
 * The range selector is taken at its word: a range above 0 names vCPUs that have such an Aff0, even
 * though GICD_TYPER.RSS says that none is needed.
 */
static uint64_t sgi_name(uint64_t affinity)
{
	return hv_bits(affinity, 39, 32) << 48 | hv_bits(affinity, 7, 4) << 44 |
	       hv_bits(affinity, 23, 16) << 32 | hv_bits(affinity, 15, 8) << 16;
}

static bool sgi_is_for(const struct gicv3_cpu *cpu, const struct gicv3_cpu *from, uint64_t value)
{
	if (hv_bit(value, SGI_IRM)) {
		return cpu != from;
	}
	return (value & SGI_NAME_MASK) == cpu->sgi_name && hv_bit(value, cpu->affinity & 15);
}

static void sgi_to(struct gicv3_cpu *cpu, uint32_t bit, struct gicv3_cpu *from)
{
	struct vgic_bank *bank = vgic_private(cpu);

	if (cpu == from && vgic_lr_event(cpu, bank, bit)) {
		return;
	}
	bank->pending |= bit;
	bank->req_unpend &= ~bit;
	vgic_bank_changed(cpu->vgic, bank, bit, from);
}

/* With one security state: SGI1R makes group 1 interrupts, the others group 0. */
void vgic_sgi_write(struct gicv3_cpu *cpu, enum gic_sgi_reg reg, uint64_t value)
{
	struct vgic *vgic = cpu->vgic;
	uint32_t bit = 1u << hv_bits(value, 27, 24), group1 = reg == GIC_SGI1R ? bit : 0;

	port_lock(&vgic->lock);
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		if ((vgic->priv[i].group & bit) == group1 && sgi_is_for(vgic->cpu[i], cpu, value)) {
			sgi_to(vgic->cpu[i], bit, cpu);
		}
	}
	port_unlock(&vgic->lock);
}

void vgic_dir_write(struct gicv3_cpu *cpu, uint64_t value)
{
	struct vgic *vgic = cpu->vgic;
	uint32_t intid = (uint32_t)hv_bits(value, 23, 0), bit = 1u << intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = vgic_bank_of(cpu, intid);

	if (!bank) {
		return;
	}
	port_lock(&vgic->lock);
	vgic_lr_sync(cpu);
	if (cpu->vmcr & GICV3_VMCR_VEOIM) { /* else UNPREDICTABLE: ignored, as GIC-600 does */
		vgic_deactivate(vgic, bank, bit, cpu);
	}
	port_unlock(&vgic->lock);
}

void vgic_deactivate(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t bits, struct gicv3_cpu *self)
{
	uint32_t mapped = bank->active & bank->hw & ~bank->in_lr & bits;

	if (mapped && bank->home != self->index) {
		bits &= ~mapped; /* only its own CPU reaches the physical interrupt: not done */
		mapped = 0;
	}
	for (uint32_t left = mapped; left; left &= left - 1) {
		vgic_lr_deactivated(self, bank, left & -left);
	}
	bank->req_deactivate |= bits & bank->in_lr;
	bank->req_activate &= ~bits;
	bank->active &= ~(bits & ~bank->in_lr);
	bank->spilled &= ~bits;
	vgic_bank_changed(vgic, bank, bits, self);
}

void vgic_groups_set(struct vgic *vgic, uint32_t groups, struct gicv3_cpu *self)
{
	if (groups == vgic->groups) {
		return;
	}
	vgic->groups = groups;
	vgic_lines_look(vgic, vgic_private(self), self);
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		vgic_bank_changed(vgic, &vgic->priv[i], ~0u, self);
	}
	for (uint32_t i = 0; i < vgic->spi_banks; i++) {
		vgic_bank_changed(vgic, &vgic->spi[i], ~0u, self);
	}
}

/* Where 1-of-N interrupts go: the first vCPU that is awake, else the first. */
static uint32_t any_cpu(const struct vgic *vgic)
{
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		if (!vgic->cpu[i]->asleep) {
			return i;
		}
	}
	return 0;
}

/* The vCPU of an affinity, or GIC_CPUS: nobody, the interrupt stays pending (G10). */
static uint32_t cpu_by_affinity(const struct vgic *vgic, uint64_t affinity)
{
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		if (vgic->cpu[i]->affinity == affinity) {
			return i;
		}
	}
	return GIC_CPUS;
}

static void retarget(const struct vgic *vgic, struct vgic_bank *bank, uint32_t n)
{
	uint64_t route = vgic->route[bank->first - GIC_SPI_FIRST + n];
	uint32_t bit = 1u << n;
	uint32_t to =
		route & ROUTE_IRM ? any_cpu(vgic) : cpu_by_affinity(vgic, route & AFFINITY_MASK);

	for (uint32_t i = 0; i < GIC_CPUS; i++) {
		bank->target[i] = i == to ? bank->target[i] | bit : bank->target[i] & ~bit;
	}
}

/* As at reset, when every route is 0. */
static void targets_reset(const struct vgic *vgic)
{
	uint32_t to = cpu_by_affinity(vgic, 0);

	for (uint32_t b = 0; b < vgic->spi_banks; b++) {
		for (uint32_t i = 0; i < GIC_CPUS; i++) {
			vgic->spi[b].target[i] = i == to ? ~0u : 0;
		}
	}
}

void vgic_route_set(struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint64_t route,
	struct gicv3_cpu *self)
{
	uint32_t bit = 1u << n;

	vgic->route[bank->first - GIC_SPI_FIRST + n] = route & ROUTE_MASK;
	bank->any = route & ROUTE_IRM ? bank->any | bit : bank->any & ~bit;
	retarget(vgic, bank, n);
	vgic_bank_changed(vgic, bank, bit, self);
}

void vgic_sleep_set(struct gicv3_cpu *cpu, bool asleep, struct gicv3_cpu *self)
{
	struct vgic *vgic = cpu->vgic;
	uint32_t to;

	cpu->asleep = asleep;
	to = any_cpu(vgic);
	for (uint32_t b = 0; b < vgic->spi_banks; b++) {
		struct vgic_bank *bank = &vgic->spi[b];

		for (uint32_t i = 0; i < GIC_CPUS; i++) {
			bank->target[i] &= ~bank->any;
		}
		bank->target[to] |= bank->any;
		vgic_bank_changed(vgic, bank, bank->any, self);
	}
}

/* Power-on state of a bank; its inputs keep their level, but a mapped one is only ours. */
static void bank_reset(struct vgic *vgic, struct vgic_bank *bank)
{
	uint32_t first = bank->first, line = bank->line, hw = bank->hw;
	uint16_t home = bank->home;

	*bank = (struct vgic_bank){.first = first, .home = home, .line = line & ~hw, .hw = hw};
	if (first == 0) {
		bank->edge = (1u << GIC_SGIS) - 1;
		bank->target[home] = ~0u;
		bank->sourced = vgic->iface == GIC_IFACE_V3 ? 0 : bank->edge;
		bank->enabled = bank->sourced; /* a GICv2's SGIs always are */
		vgic->sources[home] = (struct vgic_sources){0};
	}
	vgic_bank_update(vgic, bank);
}

/* Private part. The guest will not deactivate a mapped interrupt any more, so we must (G13). */
static void cpu_reset(struct gicv3_cpu *cpu)
{
	struct vgic_bank *bank = vgic_private(cpu);

	vgic_lr_reset(cpu);
	for (uint32_t due = bank->line & bank->hw; due; due &= due - 1) {
		port_gicv3_hw_end(cpu->ppi_hw[hv_lowest_bit(due) - GIC_PPI_FIRST]);
	}
	bank_reset(cpu->vgic, bank);
}

void vgic_cpu_reset(struct gicv3_cpu *cpu)
{
	port_lock(&cpu->vgic->lock);
	vgic_lr_sync(cpu);
	cpu_reset(cpu);
	vgic_sleep_set(cpu, true, cpu);
	vgic_lr_fill(cpu);
	port_unlock(&cpu->vgic->lock);
}

void vgic_reset(struct vgic *vgic)
{
	port_lock(&vgic->lock);
	vgic->groups = 0;
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		cpu_reset(vgic->cpu[i]);
		vgic->cpu[i]->asleep = true;
	}
	for (uint32_t i = 0; i < vgic->spi_banks; i++) {
		bank_reset(vgic, &vgic->spi[i]);
	}
	for (uint32_t i = 0; i < vgic->spi_banks * VGIC_BANK_BITS; i++) {
		vgic->route[i] = 0;
	}
	targets_reset(vgic);
	port_unlock(&vgic->lock);
}

static bool spis_ok(const struct vgic_cfg *cfg)
{
	return cfg->spis != 0 && cfg->spis <= GIC_SPI_MAX && cfg->spis % VGIC_BANK_BITS == 0;
}

size_t vgic_arena_size(const struct vgic_cfg *cfg)
{
	size_t banks = cfg->spis / VGIC_BANK_BITS;
	size_t most_padding = 3 * _Alignof(max_align_t);

	return sizeof(struct vgic) + banks * sizeof(struct vgic_bank) +
	       cfg->spis * sizeof(uint64_t) + most_padding;
}

enum hv_status vgic_create(struct vgic **out, const struct vgic_cfg *cfg, struct hv_arena *arena)
{
	struct vgic *vgic;
	size_t banks = cfg->spis / VGIC_BANK_BITS;

	*out = NULL;
	if (!spis_ok(cfg)) {
		return HV_ERR_INVALID;
	}
	vgic = hv_arena_take(arena, sizeof(*vgic), _Alignof(struct vgic));
	if (!vgic) {
		return HV_ERR_NO_MEMORY;
	}
	vgic->spi = hv_arena_take(arena, banks * sizeof(*vgic->spi), _Alignof(struct vgic_bank));
	vgic->route = hv_arena_take(arena, cfg->spis * sizeof(*vgic->route), _Alignof(uint64_t));
	if (!vgic->spi || !vgic->route) {
		return HV_ERR_NO_MEMORY;
	}
	vgic->lock = HV_LOCK_INIT(HV_LOCK_IRQC);
	vgic->spi_banks = (uint16_t)banks;
	vgic->iface = cfg->iface;
	for (uint32_t i = 0; i < banks; i++) {
		vgic->spi[i].first = GIC_SPI_FIRST + i * VGIC_BANK_BITS;
		bank_reset(vgic, &vgic->spi[i]);
	}
	*out = vgic;
	return HV_OK;
}

enum hv_status vgic_add_cpu(
	struct vgic *vgic, struct gicv3_cpu *cpu, const struct vgic_cpu_cfg *cfg)
{
	if (vgic->cpu_count == GIC_CPUS) {
		return HV_ERR_FULL;
	}
	if (cfg->index != vgic->cpu_count || cfg->lr_count == 0 || cfg->lr_count > GIC_LRS ||
		!cfg->notify || (cfg->affinity & ~AFFINITY_MASK) != 0 ||
		cpu_by_affinity(vgic, cfg->affinity) != GIC_CPUS) {
		return HV_ERR_INVALID;
	}
	*cpu = (struct gicv3_cpu){.vgic = vgic,
		.index = cfg->index,
		.iface = (uint8_t)vgic->iface,
		.asleep = true,
		.lr_count = cfg->lr_count,
		.affinity = cfg->affinity,
		.sgi_name = sgi_name(cfg->affinity),
		.notify = cfg->notify,
		.ctx = cfg->ctx};
	vgic->cpu[vgic->cpu_count++] = cpu;
	vgic->priv[cpu->index].home = cpu->index;
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		cpu_reset(vgic->cpu[i]); /* the others too: what must trap depends on the count */
	}
	targets_reset(vgic);
	return HV_OK;
}

enum hv_status vgic_hw_map(struct gicv3_cpu *cpu, uint32_t intid, uint32_t pintid)
{
	if (intid < GIC_PPI_FIRST || intid >= GIC_SPI_FIRST || pintid < GIC_PPI_FIRST ||
		pintid > MAX_PINTID) {
		return HV_ERR_INVALID;
	}
	cpu->ppi_hw[intid - GIC_PPI_FIRST] = (uint16_t)pintid;
	vgic_private(cpu)->hw |= 1u << intid;
	return HV_OK;
}

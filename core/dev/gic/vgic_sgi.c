/* SPDX-License-Identifier: MIT */
/*
 * SGIs of a GICv2: pending once per sending CPU (IHI 0048B.b, 3.2.7), so that one may be pending
 * eight times. The bank's pending bit says that some of them are; one list register holds one at a
 * time, and asks for maintenance while others wait behind it.
 */
#include <dev/gic/vgic_int.h>

static struct vgic_sources *sources_of(struct vgic *vgic, const struct vgic_bank *bank)
{
	return &vgic->sources[bank->home];
}

/* A second event from the same CPU, as long as the guest has not taken the first, is the same. */
void vgic_source_take(struct vgic *vgic, struct vgic_bank *bank, uint32_t bit)
{
	struct vgic_sources *sources = sources_of(vgic, bank);
	uint32_t n = hv_lowest_bit(bit);

	if (!(bank->lr_latch & bit)) {
		sources->taken[n] = (uint8_t)hv_lowest_bit(sources->waiting[n]);
		bank->lr_latch |= bit;
	}
	sources->waiting[n] &= (uint8_t) ~(1u << sources->taken[n]);
	if (!sources->waiting[n]) {
		bank->pending &= ~bit;
	}
}

void vgic_source_return(struct vgic *vgic, struct vgic_bank *bank, uint32_t bit)
{
	struct vgic_sources *sources = sources_of(vgic, bank);
	uint32_t n = hv_lowest_bit(bit);

	sources->waiting[n] |= (uint8_t)(1u << sources->taken[n]);
}

uint32_t vgic_sources_read(struct gicv3_cpu *cpu, uint32_t n)
{
	struct vgic_bank *bank = vgic_private(cpu);
	const struct vgic_sources *sources = sources_of(cpu->vgic, bank);
	uint32_t bit = 1u << n;

	if (bank->in_lr & bit) {
		vgic_bank_changed(cpu->vgic, bank, bit, cpu);
	}
	return sources->waiting[n] | (bank->lr_latch & bit ? 1u << sources->taken[n] : 0);
}

void vgic_sources_set(struct gicv3_cpu *cpu, uint32_t n, uint32_t sources, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_private(cpu);
	uint32_t valid = sources & ((1u << cpu->vgic->cpu_count) - 1), bit = 1u << n;

	if (!valid) {
		return;
	}
	sources_of(cpu->vgic, bank)->waiting[n] |= (uint8_t)valid;
	bank->pending |= bit;
	vgic_bank_changed(cpu->vgic, bank, bit, self);
}

void vgic_sources_clear(struct gicv3_cpu *cpu, uint32_t n, uint32_t sources)
{
	struct vgic_bank *bank = vgic_private(cpu);
	struct vgic_sources *its = sources_of(cpu->vgic, bank);
	uint32_t bit = 1u << n;

	its->waiting[n] &= (uint8_t)~sources;
	if (!its->waiting[n]) {
		bank->pending &= ~bit;
	}
	if (sources >> its->taken[n] & 1) {
		bank->req_unpend |= bank->in_lr & bit;
	}
	vgic_bank_changed(cpu->vgic, bank, bit, cpu);
}

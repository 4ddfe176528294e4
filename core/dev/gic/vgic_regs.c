/* SPDX-License-Identifier: MIT */
/*
 * The register arrays that the distributor and a redistributor's SGI frame have alike: bits,
 * priorities, trigger configuration (IHI 0069H, 12.9 and 12.11). Callers hold vgic->lock and have
 * checked the bank.
 */
#include <dev/gic/vgic_int.h>

/* The arrays by offset / 0x80. */
enum { IGROUPR = 1, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER };

#define ID_FIRST  0x10u /* of the last 64 bytes */
#define PIDR2_ARM 0x0bu /* JEDEC; the architecture's revision is [7:4] */

/*
 * Before state is reported: what this vCPU holds is read back. Of what others hold we say what was
 * true at their last look, and ask them to look again, so that whoever polls sees it in the end.
 */
static void look(struct vgic *vgic, struct vgic_bank *bank, struct gicv3_cpu *self)
{
	vgic_lines_look(vgic, bank, self);
	if (bank->in_lr) {
		vgic_bank_changed(vgic, bank, bank->in_lr, self);
	}
}

static uint32_t pending_view(struct vgic *vgic, struct vgic_bank *bank, struct gicv3_cpu *self)
{
	uint32_t asserted;

	look(vgic, bank, self);
	asserted = vgic_bank_asserted(bank) & ~vgic_fallen(bank, ~0u, self);
	return bank->pending | (bank->lr_latch & ~bank->req_unpend) | asserted;
}

static uint32_t active_view(struct vgic *vgic, struct vgic_bank *bank, struct gicv3_cpu *self)
{
	look(vgic, bank, self);
	return (bank->active | bank->req_activate) & ~bank->req_deactivate;
}

uint32_t vgic_bits_read(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t off, struct gicv3_cpu *self)
{
	switch (off >> 7) {
	case IGROUPR: return bank->group;
	case ISENABLER:
	case ICENABLER: return bank->enabled;
	case ISPENDR:
	case ICPENDR: return pending_view(vgic, bank, self);
	default: return active_view(vgic, bank, self);
	}
}

static void activate(struct vgic_bank *bank, uint32_t bits)
{
	bank->req_activate |= bits & bank->in_lr;
	bank->req_deactivate &= ~bits;
	bank->active |= bits & ~bank->in_lr;
}

void vgic_bits_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t off, uint32_t value,
	struct gicv3_cpu *self)
{
	uint32_t changed = value;

	vgic_lines_look(vgic, bank, self);
	switch (off >> 7) {
	case IGROUPR:
		changed = bank->group ^ value;
		bank->group = value;
		break;
	case ISENABLER:
		changed = value & ~bank->enabled;
		bank->enabled |= value;
		break;
	case ICENABLER:
		changed = value & bank->enabled;
		bank->enabled &= ~value;
		break;
	case ISPENDR:
		bank->pending |= value;
		bank->req_unpend &= ~value;
		break;
	case ICPENDR:
		bank->pending &= ~value;
		bank->req_unpend |= value & bank->in_lr;
		break;
	case ISACTIVER: activate(bank, value); break;
	default: vgic_deactivate(vgic, bank, value, self); return;
	}
	vgic_bank_changed(vgic, bank, changed, self);
}

uint32_t vgic_prio_read(const struct vgic_bank *bank, uint32_t n, uint32_t size)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < size; i++) {
		value |= (uint32_t)bank->prio[n + i] << 8 * i;
	}
	return value;
}

void vgic_prio_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint32_t size,
	uint32_t value, struct gicv3_cpu *self)
{
	uint32_t changed = 0;

	for (uint32_t i = 0; i < size; i++) {
		uint8_t prio = (uint8_t)(value >> 8 * i & VGIC_PRIO_MASK);

		changed |= prio != bank->prio[n + i] ? 1u << (n + i) : 0;
		bank->prio[n + i] = prio;
	}
	vgic_bank_changed(vgic, bank, changed, self);
}

uint32_t vgic_cfg_read(const struct vgic_bank *bank, uint32_t n)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < 16; i++) {
		value |= (bank->edge >> (n + i) & 1) << (2 * i + 1);
	}
	return value;
}

void vgic_cfg_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint32_t value,
	struct gicv3_cpu *self)
{
	uint32_t edge = 0, mask = 0xffffu << n;

	for (uint32_t i = 0; i < 16; i++) {
		edge |= (value >> (2 * i + 1) & 1) << (n + i);
	}
	edge |= bank->edge & ~mask;
	mask = bank->edge ^ edge;
	bank->edge = edge;
	vgic_bank_changed(vgic, bank, mask, self);
}

uint32_t vgic_id_read(uint32_t off, uint8_t part, uint8_t revision)
{
	const uint8_t pidr2 = (uint8_t)(revision << 4 | PIDR2_ARM);
	/* PIDR4..7, PIDR0..3, CIDR0..3: an Arm design of this part number. */
	const uint8_t id[] = {0x44, 0, 0, 0, part, 0xb4, pidr2, 0, 0x0d, 0xf0, 0x05, 0xb1};

	return id[(off % 64 - ID_FIRST) / 4 % sizeof(id)];
}

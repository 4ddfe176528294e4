/* SPDX-License-Identifier: MIT */
/* The way of an interrupt: lines, SGIs, list registers, targets, reset. */
#include <unit.h>

#include <hv/bits.h>

#include "vgic_rig.h"

#define SGI1R_IRM HV_BIT(40)

static uint64_t sgi(unsigned id, uint64_t list)
{
	return (uint64_t)id << 24 | list;
}

/* An SPI in group 1 that is on, edge-triggered. */
static void edge_spi(uint32_t intid, uint8_t prio)
{
	irq_edge(0, intid);
	irq_open(0, intid, prio);
}

static void pulse(uint32_t intid)
{
	vgic_spi_set(rig.gic, intid, true);
	vgic_spi_set(rig.gic, intid, false);
}

/* ---- creation ---- */

static void create__out_of_memory_at_each_take__is_reported(void **state)
{
	const struct vgic_cfg cfg = {.spis = RIG_SPIS};
	size_t need = vgic_arena_size(&cfg);
	struct hv_arena arena;
	struct vgic *gic;

	(void)state;
	assert_true(need <= sizeof(rig.memory));
	for (size_t size = 0; size < need - 64; size++) {
		arena = (struct hv_arena){.base = rig.memory, .size = size};
		gic = (struct vgic *)&arena;
		assert_int_equal(vgic_create(&gic, &cfg, &arena), HV_ERR_NO_MEMORY);
		assert_null(gic);
	}
	for (size_t shift = 0; shift < 16; shift++) {
		arena = (struct hv_arena){.base = rig.memory + shift, .size = need};
		assert_int_equal(vgic_create(&gic, &cfg, &arena), HV_OK);
	}
}

static void create__bad_number_of_spis__is_refused(void **state)
{
	static const uint16_t bad[] = {0, 1, 31, 33, GIC_SPI_MAX + 1, GIC_SPI_MAX + 32};
	static uint8_t big[65536];
	struct hv_arena arena = {.base = big, .size = sizeof(big)};
	struct vgic *gic;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		const struct vgic_cfg cfg = {.spis = bad[i]};

		assert_int_equal(vgic_create(&gic, &cfg, &arena), HV_ERR_INVALID);
		assert_null(gic);
	}
	assert_int_equal(arena.used, 0);
	assert_int_equal(vgic_create(&gic, &(struct vgic_cfg){.spis = GIC_SPI_MAX}, &arena), HV_OK);
	assert_int_equal(vgic_create(&gic, &(struct vgic_cfg){.spis = 32}, &arena), HV_OK);
}

static void add_cpu__bad_or_too_many__is_refused(void **state)
{
	const struct vgic_cpu_cfg good = {
		.index = 1, .affinity = 1, .lr_count = 4, .notify = rig_notify};
	struct vgic_cpu_cfg cfg;
	struct gicv3_cpu cpu;

	(void)state;
	rig_start(1, 4);
	cfg = good;
	cfg.index = 0;
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_INVALID);
	cfg = good;
	cfg.lr_count = 0;
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_INVALID);
	cfg.lr_count = GIC_LRS + 1;
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_INVALID);
	cfg = good;
	cfg.notify = NULL;
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_INVALID);
	cfg = good;
	cfg.affinity = 0; /* vCPU 0's */
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_INVALID);
	cfg.affinity = 1ull << 31;
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_INVALID);
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &good), HV_OK);
	rig_start(GIC_CPUS, GIC_LRS);
	cfg = good;
	cfg.index = GIC_CPUS;
	cfg.affinity = GIC_CPUS;
	assert_int_equal(vgic_add_cpu(rig.gic, &cpu, &cfg), HV_ERR_FULL);
}

static void hw_map__not_a_ppi_or_not_an_interrupt__is_refused(void **state)
{
	(void)state;
	rig_start(1, 4);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 15, 27), HV_ERR_INVALID);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 32, 27), HV_ERR_INVALID);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 27, 15), HV_ERR_INVALID);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 27, 1020), HV_ERR_INVALID);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 16, 16), HV_OK);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 31, 1019), HV_OK);
}

/* ---- lines ---- */

static void edge_spi__pulse__arrives_once(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_false(guest_eoi(0, 40));
	vgic_sync(&rig.cpu[0]);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	vgic_spi_set(rig.gic, 40, true);
	assert_int_equal(guest_ack(0), 40);
	guest_eoi(0, 40);
	vgic_spi_set(rig.gic, 40, true); /* no new edge */
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void edge_spi__again_while_pending__is_one_interrupt(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	pulse(40);
	rig_enter(0);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	assert_false(guest_eoi(0, 40));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void edge_spi__again_while_active__comes_after_the_eoi(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	pulse(40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(irq_bit(0, PEND, 40), 1);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 1);
	rig_enter(0);
	assert_true(guest_eoi(0, 40));
	assert_int_equal(guest_ack(0), 40);
	assert_false(guest_eoi(0, 40));
	assert_int_equal(irq_bit(0, PEND, 40), 0);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
}

static void g8_level__deasserted_before_the_ack__is_withdrawn(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	rig_enter(0);
	assert_int_equal(hw_state(0, 33), 1);
	vgic_spi_set(rig.gic, 33, false);
	assert_int_equal(rig.notified[0], 1);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(hw_state(0, 33), 0);
}

static void g8_level__deasserted_while_active__is_over_without_maintenance(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	assert_int_equal(guest_ack(0), 33);
	vgic_spi_set(rig.gic, 33, false);
	rig_enter(0);
	assert_int_equal(hw_state(0, 33), 2);
	assert_false(guest_eoi(0, 33));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void g8_level__still_high_after_the_eoi__fires_again(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(guest_ack(0), 33);
		assert_int_equal(guest_ack(0), GIC_SPURIOUS);
		assert_true(guest_eoi(0, 33));
	}
	vgic_spi_set(rig.gic, 33, false);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void g8_level__low_and_high_again_while_active__fires_again(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	assert_int_equal(guest_ack(0), 33);
	vgic_spi_set(rig.gic, 33, false);
	rig_enter(0);
	vgic_spi_set(rig.gic, 33, true);
	rig_enter(0);
	assert_true(guest_eoi(0, 33));
	assert_int_equal(guest_ack(0), 33);
}

static void level__same_level_again__asks_nobody(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, false);
	assert_int_equal(rig.notified[0], 0);
	vgic_spi_set(rig.gic, 33, true);
	vgic_spi_set(rig.gic, 33, true);
	assert_int_equal(rig.notified[0], 1);
}

static void level__set_pending_by_software__lasts_until_acknowledged(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	irq_do(0, PEND, 33);
	assert_int_equal(irq_bit(0, UNPEND, 33), 1);
	assert_int_equal(guest_ack(0), 33);
	assert_int_equal(irq_bit(0, PEND, 33), 0);
	assert_false(guest_eoi(0, 33));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	irq_do(0, PEND, 33);
	rig_enter(0);
	irq_do(0, UNPEND, 33);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	vgic_spi_set(rig.gic, 33, true);
	irq_do(0, UNPEND, 33); /* the line is what it is */
	assert_int_equal(guest_ack(0), 33);
}

static void ppi__from_elsewhere_and_from_here__arrives(void **state)
{
	(void)state;
	rig_start(2, 4);
	irq_open(0, 30, 0x80);
	irq_open(1, 30, 0x80);
	vgic_ppi_set(&rig.cpu[1], 30, true);
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(guest_ack(1), 30);
	vgic_ppi_set_here(&rig.cpu[0], 30, true);
	assert_int_equal(rig.notified[0], 0);
	assert_int_equal(guest_ack(0), 30);
	vgic_ppi_set_here(&rig.cpu[0], 30, false);
	fake_gic_enter(&rig.cpu[0]);
	assert_false(guest_eoi(0, 30));
	assert_true(guest_eoi(1, 30));
}

/* ---- a mapped PPI ---- */

static void timer_on(void)
{
	irq_open(0, 27, 0x80);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 27, 30), HV_OK);
}

static void mapped__fires_and_ends__is_a_hw_list_register_and_needs_no_look(void **state)
{
	unsigned loads;

	(void)state;
	rig_start(1, 4);
	timer_on();
	rig_enter(0);
	loads = fake_gic.hw[0].loads;
	for (unsigned i = 0; i < 10; i++) {
		uint64_t lr;

		vgic_ppi_set_here(&rig.cpu[0], 27, true);
		rig_enter(0);
		lr = fake_gic.hw[0].lr[hw_find(0, 27)];
		assert_true(lr & GICV3_LR_HW);
		assert_int_equal(hv_bits(lr, 44, 32), 30);
		assert_int_equal(guest_ack(0), 27);
		vgic_ppi_set_here(&rig.cpu[0], 27, false); /* means nothing */
		assert_false(guest_eoi(0, 27));
	}
	assert_int_equal(fake_gic.hw[0].loads, loads);
	assert_int_equal(fake_gic.ends, 0);
	assert_int_equal(rig.notified[0], 0);
	vgic_sync(&rig.cpu[0]);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void mapped__fires_over_and_over_with_changes_between__follows_them(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	for (unsigned i = 0; i < 4; i++) {
		vgic_ppi_set_here(&rig.cpu[0], 27, true);
		assert_int_equal(guest_ack(0), 27);
		guest_eoi(0, 27);
	}
	assert_int_equal(rig.cpu[0].again, 27);
	irq_prio(0, 27, 0x40);
	rig_enter(0);
	vgic_ppi_set_here(&rig.cpu[0], 0, true); /* no PPI: nothing stands ready for it */
	assert_int_equal(rig.cpu[0].lr_dirty, 0);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	assert_int_equal(fake_gic.hw[0].lr[hw_find(0, 27)] >> 48 & 0xff, 0x40);
	guest_eoi(0, 27);
	for (unsigned i = 0; i < 3; i++) {
		vgic_ppi_set_here(&rig.cpu[0], 27, true);
		assert_int_equal(guest_ack(0), 27);
		guest_eoi(0, 27);
	}
	irq_do(0, DISABLE, 27);
	fake_gic_enter(&rig.cpu[0]);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	irq_do(0, ENABLE, 27);
	assert_int_equal(guest_ack(0), 27);
}

static void mapped__fires_again_while_the_vcpu_waits__is_told(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	guest_eoi(0, 27);
	vgic_ppi_set(&rig.cpu[0], 27, true);
	assert_int_equal(rig.notified[0], 1);
	assert_int_equal(guest_ack(0), 27);
}

/* The timer stands ready to be fired again without a look. */
static void timer_again(void)
{
	for (unsigned i = 0; i < 3; i++) {
		vgic_ppi_set_here(&rig.cpu[0], 27, true);
		assert_int_equal(guest_ack(0), 27);
		if (i < 2) {
			guest_eoi(0, 27);
		}
	}
	assert_int_equal(rig.cpu[0].again, 27);
}

static void mapped__looked_at_while_active__fires_as_pending(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	irq_open(0, 3, 0x80);
	timer_again();
	for (unsigned i = 0; i < 2; i++) { /* the second finds it in a list register */
		vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
		assert_int_equal(guest_ack(0), 3);
		guest_eoi(0, 3);
	}
	guest_eoi(0, 27);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
}

static void mapped__made_active_by_software__fires_as_pending(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	timer_again();
	guest_eoi(0, 27);
	vgic_sync(&rig.cpu[0]);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	irq_do(0, ACTIVATE, 27);
	rig_enter(0);
	assert_int_equal(hw_state(0, 27), 2);
	guest_eoi(0, 27);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
}

static void mapped__two_of_them__do_not_stand_in_for_each_other(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	irq_open(0, 30, 0x40);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 30, 26), HV_OK);
	for (unsigned i = 0; i < 6; i++) {
		vgic_ppi_set_here(&rig.cpu[0], 27, true);
		vgic_ppi_set_here(&rig.cpu[0], 30, true);
		assert_int_equal(guest_ack(0), 30);
		assert_int_equal(guest_ack(0), 27);
		guest_eoi(0, 27);
		guest_eoi(0, 30);
	}
}

static void mapped__guest_deactivates_by_register__physical_one_ends(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	irq_do(0, DEACTIVATE, 27);
	assert_int_equal(fake_gic.ends, 1);
	assert_int_equal(fake_gic.ended, 30);
	rig_enter(0);
	assert_int_equal(hw_state(0, 27), 0);
	vgic_ppi_set(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
}

static void mapped__pended_by_software_while_active__comes_after_the_eoi(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	irq_do(0, PEND, 27);
	rig_enter(0);
	assert_false(fake_gic.hw[0].lr[hw_find(0, 27)] & GICV3_LR_HW);
	assert_true(guest_eoi(0, 27));
	assert_int_equal(fake_gic.ends, 1); /* by us, instead of the list register */
	assert_int_equal(guest_ack(0), 27);
	guest_eoi(0, 27);
	vgic_sync(&rig.cpu[0]);
	assert_int_equal(fake_gic.ends, 1);
}

static void mapped__fires_while_software_made_it_active__comes_after_the_eoi(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	edge_spi(40, 0x10);
	pulse(40);
	irq_do(0, PEND, 27);
	assert_int_equal(guest_ack(0), 40);
	assert_int_equal(guest_ack(0), 27);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	rig_enter(0);
	assert_int_equal(hw_state(0, 27), 2);
	guest_eoi(0, 27); /* ends the physical one too, whose line is still high */
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	guest_eoi(0, 27);
	irq_do(0, PEND, 27); /* and when software's is over */
	assert_int_equal(guest_ack(0), 27);
	guest_eoi(0, 27);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	assert_int_equal(fake_gic.ends, 0);
}

static void mapped__disabled_when_it_fires_again__waits(void **state)
{
	(void)state;
	rig_start(1, 4);
	timer_on();
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	irq_do(0, DISABLE, 27);
	rig_enter(0);
	guest_eoi(0, 27);
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	irq_do(0, ENABLE, 27);
	assert_int_equal(guest_ack(0), 27);
}

static void g13_mapped__vcpu_reset_while_active__physical_one_ends_once(void **state)
{
	(void)state;
	rig_start(1, 1);
	timer_on();
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_equal(fake_gic.ends, 1);
	vgic_reset(rig.gic);
	assert_int_equal(fake_gic.ends, 1);
	timer_on();
	fake_gic_enter(&rig.cpu[0]);
	fake_gic.hw[0].vmcr = RIG_VMCR;
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	/* Spilled by something more urgent. */
	edge_spi(40, 0x10);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	vgic_reset(rig.gic);
	assert_int_equal(fake_gic.ends, 2);
}

static void mapped__spilled_and_ended_by_another_vcpu__is_left_alone(void **state)
{
	const uint64_t other = 0 * GICV3_GICR_SIZE + SGI_FRAME;

	(void)state;
	rig_start(2, 1);
	timer_on();
	vgic_ppi_set_here(&rig.cpu[0], 27, true);
	assert_int_equal(guest_ack(0), 27);
	edge_spi(40, 0x10);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	rig_access(&gicv3_redist_ops, 1, other + DEACTIVATE, 4, true, 1u << 27);
	assert_int_equal(fake_gic.ends, 0);
	assert_int_equal(irq_bit(0, ACTIVATE, 27), 1);
	rig_access(&gicv3_redist_ops, 0, other + DEACTIVATE, 4, true, 1u << 27);
	assert_int_equal(fake_gic.ends, 1);
	assert_int_equal(irq_bit(0, ACTIVATE, 27), 0);
}

/* ---- SGIs ---- */

static void sgi__to_self__needs_no_notify(void **state)
{
	(void)state;
	rig_start(2, 4);
	irq_open(0, 3, 0x80);
	irq_open(1, 3, 0x80);
	for (unsigned i = 0; i < 10; i++) {
		vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
		assert_int_equal(rig.notified[0], 0);
		assert_int_equal(guest_ack(0), 3);
		guest_eoi(0, 3);
	}
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 2));
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(guest_ack(1), 3);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void sgi__to_self_while_active_or_twice__is_not_lost_and_not_doubled(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 3, 0x80);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
	assert_int_equal(guest_ack(0), 3);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_true(guest_eoi(0, 3));
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1)); /* and while it is pending */
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
	assert_int_equal(guest_ack(0), 3);
	assert_false(guest_eoi(0, 3));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void sgi__group__must_fit_the_register(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 3, 0x80); /* group 1 */
	irq_do(0, ENABLE, 4); /* group 0 */
	vgic_sgi_write(&rig.cpu[0], GIC_SGI0R, sgi(3, 1));
	vgic_sgi_write(&rig.cpu[0], GIC_ASGI1R, sgi(3, 1));
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(4, 1));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI0R, sgi(4, 1));
	assert_int_equal(guest_ack(0), 4);
	assert_false(fake_gic.hw[0].lr[hw_find(0, 4)] & GICV3_LR_GROUP1);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 1));
	assert_int_equal(guest_ack(0), 3);
	assert_true(fake_gic.hw[0].lr[hw_find(0, 3)] & GICV3_LR_GROUP1);
}

/* Affinities that are not the index, so that every field is looked at. */
static void start_spread(void)
{
	static const uint64_t affinity[] = {
		0, 0x1, 0xf, 0x10, 0x100, 0x10000, 0x100000000, 0xff0203};
	struct hv_arena arena = {.base = rig.memory, .size = sizeof(rig.memory)};

	rig_start(0, 4);
	assert_int_equal(
		vgic_create(&rig.gic, &(struct vgic_cfg){.spis = RIG_SPIS}, &arena), HV_OK);
	for (unsigned i = 0; i < 8; i++) {
		const struct vgic_cpu_cfg cfg = {.index = (uint16_t)i,
			.affinity = affinity[i],
			.lr_count = 4,
			.notify = rig_notify,
			.ctx = &rig.notified[i]};

		assert_int_equal(vgic_add_cpu(rig.gic, &rig.cpu[i], &cfg), HV_OK);
	}
	for (unsigned i = 0; i < 8; i++) {
		fake_gic_enter(&rig.cpu[i]);
		irq_open(i, 1, 0x80);
	}
	rig.cpus = 8;
}

/* Which vCPUs have SGI 1 pending, as a mask; takes it away. */
static uint32_t sgi_seen(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < rig.cpus; i++) {
		mask |= irq_bit(i, PEND, 1) << i;
		irq_do(i, UNPEND, 1);
	}
	return mask;
}

static void g4_sgi1r__affinity_range_and_irm__reach_exactly_those_named(void **state)
{
	(void)state;
	start_spread();
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 0xffff));
	assert_int_equal(sgi_seen(), 0x07);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 1 << 15));
	assert_int_equal(sgi_seen(), 0x04);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 1) | 1ull << 44); /* RS */
	assert_int_equal(sgi_seen(), 0x08);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 1) | 1ull << 16); /* Aff1 */
	assert_int_equal(sgi_seen(), 0x10);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 1) | 1ull << 32); /* Aff2 */
	assert_int_equal(sgi_seen(), 0x20);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 1) | 1ull << 48); /* Aff3 */
	assert_int_equal(sgi_seen(), 0x40);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 8) | 0xffull << 32 | 2ull << 16);
	assert_int_equal(sgi_seen(), 0x80);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 0));
	assert_int_equal(sgi_seen(), 0);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 0) | SGI1R_IRM);
	assert_int_equal(sgi_seen(), 0xfd);
	vgic_sgi_write(&rig.cpu[1], GIC_SGI1R, sgi(1, 0xffff) | SGI1R_IRM | 0xffull << 48);
	assert_int_equal(sgi_seen(), 0xfd);
}

static void g4_sgi1r__random_values__name_whom_the_fields_name(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	start_spread();
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t want = 0;
		uint64_t value;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		/* Mostly small fields, so that somebody is there. */
		value = seed & (0x0001f00100010000ull | 0xffff) & ~(i % 8 ? SGI1R_IRM : 0);
		value = (value & ~HV_MASK(27, 24)) | 1 << 24;
		for (unsigned c = 0; c < 8; c++) {
			uint64_t aff = rig.cpu[c].affinity;
			bool named = (aff >> 32 & 0xff) == (value >> 48 & 0xff) &&
				     (aff >> 16 & 0xff) == (value >> 32 & 0xff) &&
				     (aff >> 8 & 0xff) == (value >> 16 & 0xff) &&
				     (aff & 0xff) / 16 == (value >> 44 & 15) &&
				     value >> (aff & 15) & 1;

			want |= (value & SGI1R_IRM ? c != 0 : named) << c;
		}
		vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, value);
		assert_int_equal(sgi_seen(), want);
	}
}

/* ---- masks and targets ---- */

static void g6_group_off_in_the_distributor__waits_and_then_comes(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	dist_write(0, CTLR, 1);
	pulse(40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	dist_write(0, CTLR, 1); /* no change */
	dist_write(0, CTLR, 2);
	assert_int_equal(guest_ack(0), 40);
}

static void g9_disabled_while_in_a_list_register__is_withdrawn_and_kept(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	pulse(40);
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 1);
	irq_do(0, DISABLE, 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(irq_bit(0, PEND, 40), 1);
	irq_do(0, ENABLE, 40);
	assert_int_equal(guest_ack(0), 40);
}

static void g9_groups_off_while_in_a_list_register__is_withdrawn_and_kept(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	irq_open(1, 2, 0x80);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(2, 2));
	rig_enter(0);
	rig_enter(1);
	dist_write(0, CTLR, 0);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(guest_ack(1), GIC_SPURIOUS);
	dist_write(0, CTLR, 3);
	assert_int_equal(guest_ack(0), 40);
	assert_int_equal(guest_ack(1), 2);
}

static void g9_priority_changed_while_in_a_list_register__is_changed_there(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	edge_spi(41, 0x40);
	pulse(40);
	pulse(41);
	rig_enter(0);
	irq_prio(0, 40, 0x10);
	assert_int_equal(guest_ack(0), 40);
	irq_prio(0, 40, 0xf0); /* active: it keeps what the guest's EOIR must match */
	rig_enter(0);
	assert_int_equal(fake_gic.hw[0].lr[hw_find(0, 40)] >> 48 & 0xff, 0x10);
	guest_eoi(0, 40);
	pulse(40);
	assert_int_equal(guest_ack(0), 41);
	assert_int_equal(guest_ack(0), 40);
}

static void g9_rerouted_while_pending_in_a_list_register__moves(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	rig_enter(0);
	irq_route(1, 40, 1);
	assert_int_equal(rig.notified[0], 1);
	assert_int_equal(rig.notified[1], 0);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS); /* it looks, and hands over */
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(guest_ack(1), 40);
}

static void g9_rerouted_while_active__next_one_goes_to_the_new_target(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	irq_route(1, 40, 1);
	pulse(40);
	assert_int_equal(guest_ack(1), GIC_SPURIOUS); /* still active on vCPU 0 */
	rig_enter(0);
	assert_true(guest_eoi(0, 40));
	assert_int_equal(guest_ack(1), 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void g9_pending_cleared_by_another_vcpu__is_withdrawn_at_its_next_look(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	rig_enter(0);
	irq_do(1, UNPEND, 40);
	assert_int_equal(irq_bit(1, PEND, 40), 0);
	assert_int_equal(hw_state(0, 40), 1);
	assert_true(rig.notified[0] > 0);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	pulse(40);
	rig_enter(0);
	irq_do(1, UNPEND, 40);
	irq_do(1, PEND, 40); /* the last word counts */
	assert_int_equal(guest_ack(0), 40);
}

static void g9_sgi_after_its_pending_state_was_cleared_elsewhere__arrives(void **state)
{
	(void)state;
	rig_start(2, 4);
	irq_open(1, 3, 0x80);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 2));
	rig_enter(1);
	rig_access(&gicv3_redist_ops, 0, GICV3_GICR_SIZE + SGI_FRAME + UNPEND, 4, true, 1u << 3);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(3, 2));
	assert_int_equal(guest_ack(1), 3);
}

static void g9_active_changed_by_another_vcpu__is_done_at_its_next_look(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	assert_int_equal(irq_bit(1, ACTIVATE, 40), 0); /* what is known so far */
	assert_true(rig.notified[0] > 0);              /* but now somebody looks */
	rig_enter(0);
	assert_int_equal(irq_bit(1, ACTIVATE, 40), 1);
	irq_do(1, DEACTIVATE, 40);
	assert_int_equal(irq_bit(1, ACTIVATE, 40), 0);
	assert_int_equal(hw_state(0, 40), 2);
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 0);
	pulse(40);
	rig_enter(0);
	irq_do(1, ACTIVATE, 40);
	assert_int_equal(irq_bit(1, ACTIVATE, 40), 1);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	irq_do(1, DEACTIVATE, 40);
	irq_do(1, ACTIVATE, 40);
	irq_do(1, DEACTIVATE, 40);
	assert_int_equal(guest_ack(0), 40);
}

static void g9_trigger_changed_with_the_line_high__level_pends_and_edge_does_not(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	vgic_spi_set(rig.gic, 40, true);
	assert_int_equal(guest_ack(0), 40);
	guest_eoi(0, 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	dist_write(0, 0xc08, 0); /* level */
	assert_int_equal(guest_ack(0), 40);
	assert_true(guest_eoi(0, 40));
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 1);
	dist_write(0, 0xc08, 2u << 16); /* edge */
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void g9_group_changed_while_pending__is_changed_in_the_list_register(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	pulse(40);
	rig_enter(0);
	dist_write(0, GROUP + 4, 0);
	rig_enter(0);
	assert_false(fake_gic.hw[0].lr[hw_find(0, 40)] & GICV3_LR_GROUP1);
}

static void g10_irouter__absent_affinity__stays_pending_until_it_has_a_target(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	irq_route(0, 40, 7);
	pulse(40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(guest_ack(1), GIC_SPURIOUS);
	assert_int_equal(irq_bit(0, PEND, 40), 1);
	irq_route(0, 40, 1);
	assert_int_equal(guest_ack(1), 40);
}

static void one_of_n__goes_to_the_first_vcpu_that_is_awake(void **state)
{
	(void)state;
	rig_start(3, 4);
	edge_spi(40, 0x80);
	irq_route(0, 40, HV_BIT(31) | 2); /* the affinity does not count */
	pulse(40);
	assert_int_equal(guest_ack(0), 40); /* nobody is awake: vCPU 0 */
	guest_eoi(0, 40);
	vgic_sync(&rig.cpu[0]);
	redist_write(2, 0x14, 0);
	pulse(40);
	assert_int_equal(guest_ack(2), 40);
	guest_eoi(2, 40);
	vgic_sync(&rig.cpu[2]);
	redist_write(1, 0x14, 0);
	pulse(40);
	assert_int_equal(guest_ack(1), 40);
	guest_eoi(1, 40);
	vgic_sync(&rig.cpu[1]);
	pulse(40);
	redist_write(1, 0x14, 2); /* falls asleep before it took it */
	assert_int_equal(guest_ack(1), GIC_SPURIOUS);
	assert_int_equal(guest_ack(2), 40);
}

/* ---- more pending than list registers ---- */

static void open_all(uint8_t prio_step)
{
	dist_write(0, CTLR, 3);
	for (uint32_t i = 32; i < 32 + RIG_SPIS; i++) {
		irq_edge(0, i);
		irq_open(0, i, (uint8_t)((i * 7 % 32) * prio_step));
	}
}

static void g7_storm__more_than_list_registers__all_arrive_in_order(void **state)
{
	(void)state;
	for (uint8_t lrs = 1; lrs <= GIC_LRS; lrs++) {
		uint32_t got = 0, last = 0;

		rig_start(1, lrs);
		open_all(8);
		for (uint32_t i = 32; i < 32 + RIG_SPIS; i++) {
			pulse(i);
		}
		for (;;) {
			uint32_t intid = guest_ack(0), prio = intid * 7 % 32;

			if (intid == GIC_SPURIOUS) {
				break;
			}
			assert_true(prio >= last);
			last = prio;
			got++;
			guest_eoi(0, intid);
		}
		assert_int_equal(got, RIG_SPIS);
		vgic_sync(&rig.cpu[0]);
		rig_enter(0);
		assert_false(fake_gic.hw[0].hcr & GICV3_HCR_NPIE);
	}
}

static void g7_more_urgent_one__takes_the_place_of_the_least_urgent(void **state)
{
	(void)state;
	rig_start(1, 2);
	edge_spi(40, 0x80);
	edge_spi(41, 0x90);
	edge_spi(42, 0x10);
	pulse(40);
	pulse(41);
	rig_enter(0);
	assert_false(fake_gic.hw[0].hcr & GICV3_HCR_NPIE);
	pulse(42);
	rig_enter(0);
	assert_int_equal(hw_state(0, 41), 0);
	assert_true(fake_gic.hw[0].hcr & GICV3_HCR_NPIE);
	assert_int_equal(guest_ack(0), 42);
	assert_int_equal(guest_ack(0), 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS); /* both are active: maintenance */
	assert_true(guest_eoi(0, 40));
	assert_int_equal(guest_ack(0), 41);
}

static void spill__all_active__the_least_urgent_gives_way_and_its_eoi_counts(void **state)
{
	(void)state;
	rig_start(1, 2);
	edge_spi(40, 0x80);
	edge_spi(41, 0x60);
	edge_spi(42, 0x40);
	edge_spi(43, 0x20);
	for (uint32_t i = 40; i <= 43; i++) {
		pulse(i);
		assert_int_equal(guest_ack(0), i);
	}
	assert_int_equal(hw_state(0, 40) | hw_state(0, 41), 0);
	assert_true(fake_gic.hw[0].hcr & GICV3_HCR_LRENPIE);
	assert_true(fake_gic.hw[0].hcr & GICV3_HCR_TDIR);
	irq_prio(0, 41, 0xf0); /* the order of the EOIs stays */
	irq_prio(0, 40, 0x10);
	fake_gic_enter(&rig.cpu[0]);
	for (uint32_t i = 40; i <= 43; i++) {
		assert_int_equal(irq_bit(0, ACTIVATE, i), 1);
	}
	fake_gic_enter(&rig.cpu[0]);
	guest_eoi(0, 43);
	guest_eoi(0, 42);
	assert_true(guest_eoi(0, 41));
	assert_int_equal(irq_bit(0, ACTIVATE, 41), 0);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 1);
	fake_gic_enter(&rig.cpu[0]);
	assert_true(guest_eoi(0, 40));
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
	rig_enter(0);
	assert_false(fake_gic.hw[0].hcr & (GICV3_HCR_LRENPIE | GICV3_HCR_EOICOUNT));
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
}

static void spill__on_two_vcpus__each_counts_its_own(void **state)
{
	(void)state;
	rig_start(2, 1);
	for (uint32_t i = 40; i < 46; i++) {
		edge_spi(i, (uint8_t)((45 - i) / 2 * 0x40));
		irq_route(0, i, i % 2);
	}
	for (uint32_t i = 40; i < 46; i++) {
		pulse(i);
		assert_int_equal(guest_ack(i % 2), i);
	}
	guest_eoi(1, 45);
	assert_true(guest_eoi(1, 43));
	assert_int_equal(irq_bit(1, ACTIVATE, 43), 0);
	for (uint32_t i = 40; i < 43; i++) {
		assert_int_equal(irq_bit(1, ACTIVATE, i), 1);
	}
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_equal(irq_bit(1, ACTIVATE, 40), 0);
	assert_int_equal(irq_bit(1, ACTIVATE, 42), 0);
	assert_int_equal(irq_bit(1, ACTIVATE, 41), 1);
}

static void spill__exit_before_the_maintenance_interrupt__count_is_not_lost(void **state)
{
	(void)state;
	rig_start(1, 1);
	edge_spi(40, 0x80);
	edge_spi(41, 0x60);
	irq_open(0, 1, 0xa0);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	pulse(41);
	assert_int_equal(guest_ack(0), 41);
	fake_gic.hw[0].lr[0] &= ~GICV3_LR_STATE;              /* EOI of 41 */
	fake_gic.hw[0].hcr += 1u << GICV3_HCR_EOICOUNT_SHIFT; /* and of 40 */
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(1, 1));
	fake_gic_enter(&rig.cpu[0]);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
	assert_int_equal(guest_ack(0), 1);
}

static void eoi_count__more_than_is_spilled__is_ignored(void **state)
{
	(void)state;
	rig_start(1, 1);
	edge_spi(40, 0x80);
	edge_spi(41, 0x60);
	pulse(40);
	guest_ack(0);
	pulse(41);
	guest_ack(0);
	fake_gic.hw[0].hcr |= GICV3_HCR_EOICOUNT;
	vgic_sync(&rig.cpu[0]);
	fake_gic_enter(&rig.cpu[0]);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
	assert_int_equal(irq_bit(0, ACTIVATE, 41), 1);
	assert_int_equal(fake_gic.hw[0].hcr & GICV3_HCR_EOICOUNT, 0);
}

static void closed_group__fills_the_list_registers__gives_way_to_an_open_one(void **state)
{
	(void)state;
	rig_start(1, 2);
	fake_gic.hw[0].vmcr = 0xff000002; /* group 1 only */
	dist_write(0, CTLR, 3);
	for (uint32_t i = 40; i < 43; i++) {
		irq_edge(0, i);
		irq_do(0, ENABLE, i); /* group 0, most urgent */
		pulse(i);
	}
	edge_spi(50, 0x80);
	pulse(50);
	assert_int_equal(rig.notified[0] > 0, 1);
	rig_enter(0);
	assert_int_equal(hw_state(0, 50), 1);
	assert_false(fake_gic.hw[0].hcr & GICV3_HCR_NPIE);
	assert_true(fake_gic.hw[0].hcr & 1u << 4); /* VGrp0EIE: tell when it opens */
	assert_true(fake_gic.hw[0].hcr & 1u << 7); /* VGrp1DIE: and when this one closes */
	fake_gic.hw[0].vmcr = 0xff000001;
	vgic_sync(&rig.cpu[0]);
	rig_enter(0);
	assert_int_equal(hw_state(0, 50), 0);
	assert_true(fake_gic.hw[0].hcr & 1u << 5);
	assert_true(fake_gic.hw[0].hcr & 1u << 6);
}

static void closed_group__active_list_registers__are_not_given_away_for_it(void **state)
{
	(void)state;
	rig_start(1, 1);
	fake_gic.hw[0].vmcr = 0xff000002;
	edge_spi(50, 0x80);
	pulse(50);
	assert_int_equal(guest_ack(0), 50);
	irq_edge(0, 40);
	irq_do(0, ENABLE, 40);
	pulse(40);
	rig_enter(0);
	assert_int_equal(hw_state(0, 50), 2);
	assert_false(fake_gic.hw[0].hcr & (GICV3_HCR_NPIE | GICV3_HCR_LRENPIE));
}

/* ---- EOImode 1 ---- */

#define VMCR_MODE_1 (RIG_VMCR | GICV3_VMCR_VEOIM)

static void dir__own_list_register__is_deactivated(void **state)
{
	(void)state;
	rig_start(2, 4);
	fake_gic.hw[0].vmcr = VMCR_MODE_1;
	edge_spi(40, 0x80);
	assert_true(fake_gic.hw[0].hcr & GICV3_HCR_TDIR);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	vgic_dir_write(&rig.cpu[0], 40);
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 0);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
}

static void dir__active_on_another_vcpu__is_done_there(void **state)
{
	(void)state;
	rig_start(2, 4);
	fake_gic.hw[1].vmcr = VMCR_MODE_1;
	edge_spi(40, 0x80);
	vgic_spi_set(rig.gic, 40, true);
	assert_int_equal(guest_ack(0), 40);
	vgic_dir_write(&rig.cpu[1], 40);
	assert_int_equal(rig.notified[0], 1);
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 0);
}

static void g5_dir__eoi_mode_0_or_nothing_active__is_ignored(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	vgic_dir_write(&rig.cpu[0], 40);
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 2);
	fake_gic.hw[0].vmcr = VMCR_MODE_1;
	vgic_dir_write(&rig.cpu[0], 41);
	vgic_dir_write(&rig.cpu[0], 1023);
	vgic_dir_write(&rig.cpu[0], 3);
	rig_enter(0);
	assert_int_equal(hw_state(0, 40), 2);
}

static void spill__eoi_mode_1__count_is_not_used_and_dir_ends_it(void **state)
{
	(void)state;
	rig_start(1, 1);
	fake_gic.hw[0].vmcr = VMCR_MODE_1;
	edge_spi(40, 0x80);
	edge_spi(41, 0x80);
	assert_false(fake_gic.hw[0].hcr & GICV3_HCR_TDIR);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	pulse(41);
	assert_int_equal(guest_ack(0), 41);
	assert_true(fake_gic.hw[0].hcr & GICV3_HCR_TDIR);
	assert_true(guest_eoi(0, 40)); /* counted by hardware that does so */
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 1);
	vgic_dir_write(&rig.cpu[0], 40);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
	rig_enter(0);
	assert_int_equal(fake_gic.hw[0].hcr, GICV3_HCR_EN);
	assert_int_equal(hw_state(0, 41), 2);
}

/* ---- WFI ---- */

static void is_pending__masks__are_the_guests(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	assert_false(vgic_is_pending(&rig.cpu[0]));
	pulse(40);
	assert_true(vgic_is_pending(&rig.cpu[0]));
	rig_enter(0);
	fake_gic.hw[0].vmcr = 0x80000003; /* equal is masked */
	assert_false(vgic_is_pending(&rig.cpu[0]));
	rig_enter(0);
	fake_gic.hw[0].vmcr = 0x88000003;
	assert_true(vgic_is_pending(&rig.cpu[0]));
	rig_enter(0);
	fake_gic.hw[0].vmcr = 0xf8000001; /* its group is off */
	assert_false(vgic_is_pending(&rig.cpu[0]));
	rig_enter(0);
	fake_gic.hw[0].vmcr = RIG_VMCR;
	assert_int_equal(guest_ack(0), 40);
	assert_false(vgic_is_pending(&rig.cpu[0]));
}

/* ---- reset ---- */

static void g12_distributor_off_while_active__ends_as_ever(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	assert_int_equal(guest_ack(0), 33);
	dist_write(0, CTLR, 0);
	rig_enter(0);
	assert_int_equal(hw_state(0, 33), 2);
	guest_eoi(0, 33);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	dist_write(0, CTLR, 3);
	assert_int_equal(guest_ack(0), 33);
}

static void g12_vcpu_reset__active_ones_are_gone_and_pending_spis_stay(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	edge_spi(41, 0x90);
	irq_open(0, 1, 0xa0);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	pulse(41);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(1, 1));
	rig_enter(0);
	vgic_cpu_reset(&rig.cpu[0]);
	rig_enter(0);
	assert_int_equal(fake_gic.hw[0].resets, 2); /* the first when it was added */
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
	assert_int_equal(irq_bit(0, PEND, 41), 1);
	assert_int_equal(irq_bit(0, PEND, 1), 0);
	assert_int_equal(irq_bit(0, ENABLE, 1), 0);
	assert_int_equal(redist_read(0, 0x14), 6);
	assert_int_equal(guest_ack(0), 41);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
}

static void g12_vcpu_reset__acknowledged_since_the_last_look__is_not_pending_again(void **state)
{
	(void)state;
	rig_start(1, 4);
	edge_spi(40, 0x80);
	pulse(40);
	assert_int_equal(guest_ack(0), 40);
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_equal(irq_bit(0, PEND, 40), 0);
	assert_int_equal(irq_bit(0, ACTIVATE, 40), 0);
}

static void g12_vcpu_reset__while_awake__sleeps_and_hands_1_of_n_on(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	irq_route(0, 40, HV_BIT(31));
	redist_write(0, 0x14, 0);
	redist_write(1, 0x14, 0);
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_equal(redist_read(0, 0x14), 6);
	pulse(40);
	assert_int_equal(guest_ack(1), 40);
}

static void g12_vcpu_reset__what_it_held_for_another__is_handed_over(void **state)
{
	(void)state;
	rig_start(2, 4);
	edge_spi(40, 0x80);
	pulse(40);
	rig_enter(0);
	irq_route(1, 40, 1);
	rig.notified[0] = 0; /* it did not come to look */
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(guest_ack(1), 40);
}

static void g12_reset__everything_pending_and_active__is_power_on_state(void **state)
{
	struct rig fresh;

	(void)state;
	rig_start(2, 2);
	vgic_reset(rig.gic);
	fresh = rig;
	open_all(8);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(1, 3));
	for (uint32_t i = 32; i < 32 + RIG_SPIS; i++) {
		irq_route(0, i, i % 3);
		pulse(i);
	}
	for (unsigned i = 0; i < 6; i++) {
		guest_ack(0);
		guest_ack(1);
	}
	redist_write(1, 0x14, 0);
	gicv3_dist_ops.reset(rig.gic);
	gicv3_redist_ops.reset(rig.gic);
	memset(rig.notified, 0, sizeof(rig.notified));
	memset(fresh.notified, 0, sizeof(fresh.notified));
	assert_memory_equal(&fresh, &rig, sizeof(rig));
	rig_enter(0);
	rig_enter(1);
	for (unsigned n = 0; n < GIC_LRS; n++) {
		assert_int_equal(fake_gic.hw[0].lr[n] | fake_gic.hw[1].lr[n], 0);
	}
	assert_int_equal(fake_gic.hw[0].vmcr, 0);
}

static void reset__line_high__fires_when_enabled_again(void **state)
{
	(void)state;
	rig_start(1, 4);
	vgic_spi_set(rig.gic, 33, true);
	vgic_reset(rig.gic);
	irq_open(0, 33, 0x80);
	assert_int_equal(guest_ack(0), 33);
}

/* ---- cost ---- */

static void sync__nothing_changed__writes_nothing(void **state)
{
	unsigned writes;

	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	irq_open(0, 34, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	vgic_spi_set(rig.gic, 34, true);
	assert_int_equal(guest_ack(0), 33);
	writes = fake_gic.hw[0].writes;
	for (unsigned i = 0; i < 4; i++) {
		vgic_sync(&rig.cpu[0]);
		assert_int_equal(rig.cpu[0].lr_dirty, 0);
		fake_gic_enter(&rig.cpu[0]);
	}
	assert_int_equal(fake_gic.hw[0].writes, writes);
	assert_int_equal(fake_gic.hw[0].reads, 4 * 2);
}

static void fill__free_list_register__reads_nothing_back(void **state)
{
	(void)state;
	rig_start(1, 4);
	for (uint32_t i = 1; i <= 4; i++) {
		irq_open(0, i, 0x80);
		vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(i, 1));
		fake_gic_enter(&rig.cpu[0]);
	}
	assert_int_equal(fake_gic.hw[0].loads, 0);
	irq_open(0, 5, 0x80);
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, sgi(5, 1));
	assert_int_equal(fake_gic.hw[0].loads, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(create__out_of_memory_at_each_take__is_reported),
		hv_unit_test(create__bad_number_of_spis__is_refused),
		hv_unit_test(add_cpu__bad_or_too_many__is_refused),
		hv_unit_test(hw_map__not_a_ppi_or_not_an_interrupt__is_refused),
		hv_unit_test(edge_spi__pulse__arrives_once),
		hv_unit_test(edge_spi__again_while_pending__is_one_interrupt),
		hv_unit_test(edge_spi__again_while_active__comes_after_the_eoi),
		hv_unit_test(g8_level__deasserted_before_the_ack__is_withdrawn),
		hv_unit_test(g8_level__deasserted_while_active__is_over_without_maintenance),
		hv_unit_test(g8_level__still_high_after_the_eoi__fires_again),
		hv_unit_test(g8_level__low_and_high_again_while_active__fires_again),
		hv_unit_test(level__same_level_again__asks_nobody),
		hv_unit_test(level__set_pending_by_software__lasts_until_acknowledged),
		hv_unit_test(ppi__from_elsewhere_and_from_here__arrives),
		hv_unit_test(mapped__fires_and_ends__is_a_hw_list_register_and_needs_no_look),
		hv_unit_test(mapped__fires_over_and_over_with_changes_between__follows_them),
		hv_unit_test(mapped__fires_again_while_the_vcpu_waits__is_told),
		hv_unit_test(mapped__looked_at_while_active__fires_as_pending),
		hv_unit_test(mapped__made_active_by_software__fires_as_pending),
		hv_unit_test(mapped__two_of_them__do_not_stand_in_for_each_other),
		hv_unit_test(mapped__guest_deactivates_by_register__physical_one_ends),
		hv_unit_test(mapped__pended_by_software_while_active__comes_after_the_eoi),
		hv_unit_test(mapped__fires_while_software_made_it_active__comes_after_the_eoi),
		hv_unit_test(mapped__disabled_when_it_fires_again__waits),
		hv_unit_test(g13_mapped__vcpu_reset_while_active__physical_one_ends_once),
		hv_unit_test(mapped__spilled_and_ended_by_another_vcpu__is_left_alone),
		hv_unit_test(sgi__to_self__needs_no_notify),
		hv_unit_test(sgi__to_self_while_active_or_twice__is_not_lost_and_not_doubled),
		hv_unit_test(sgi__group__must_fit_the_register),
		hv_unit_test(g4_sgi1r__affinity_range_and_irm__reach_exactly_those_named),
		hv_unit_test(g4_sgi1r__random_values__name_whom_the_fields_name),
		hv_unit_test(g6_group_off_in_the_distributor__waits_and_then_comes),
		hv_unit_test(g9_disabled_while_in_a_list_register__is_withdrawn_and_kept),
		hv_unit_test(g9_groups_off_while_in_a_list_register__is_withdrawn_and_kept),
		hv_unit_test(g9_priority_changed_while_in_a_list_register__is_changed_there),
		hv_unit_test(g9_rerouted_while_pending_in_a_list_register__moves),
		hv_unit_test(g9_rerouted_while_active__next_one_goes_to_the_new_target),
		hv_unit_test(g9_pending_cleared_by_another_vcpu__is_withdrawn_at_its_next_look),
		hv_unit_test(g9_sgi_after_its_pending_state_was_cleared_elsewhere__arrives),
		hv_unit_test(g9_active_changed_by_another_vcpu__is_done_at_its_next_look),
		hv_unit_test(g9_trigger_changed_with_the_line_high__level_pends_and_edge_does_not),
		hv_unit_test(g9_group_changed_while_pending__is_changed_in_the_list_register),
		hv_unit_test(g10_irouter__absent_affinity__stays_pending_until_it_has_a_target),
		hv_unit_test(one_of_n__goes_to_the_first_vcpu_that_is_awake),
		hv_unit_test(g7_storm__more_than_list_registers__all_arrive_in_order),
		hv_unit_test(g7_more_urgent_one__takes_the_place_of_the_least_urgent),
		hv_unit_test(spill__all_active__the_least_urgent_gives_way_and_its_eoi_counts),
		hv_unit_test(spill__on_two_vcpus__each_counts_its_own),
		hv_unit_test(spill__exit_before_the_maintenance_interrupt__count_is_not_lost),
		hv_unit_test(eoi_count__more_than_is_spilled__is_ignored),
		hv_unit_test(closed_group__fills_the_list_registers__gives_way_to_an_open_one),
		hv_unit_test(closed_group__active_list_registers__are_not_given_away_for_it),
		hv_unit_test(dir__own_list_register__is_deactivated),
		hv_unit_test(dir__active_on_another_vcpu__is_done_there),
		hv_unit_test(g5_dir__eoi_mode_0_or_nothing_active__is_ignored),
		hv_unit_test(spill__eoi_mode_1__count_is_not_used_and_dir_ends_it),
		hv_unit_test(is_pending__masks__are_the_guests),
		hv_unit_test(g12_distributor_off_while_active__ends_as_ever),
		hv_unit_test(g12_vcpu_reset__active_ones_are_gone_and_pending_spis_stay),
		hv_unit_test(
			g12_vcpu_reset__acknowledged_since_the_last_look__is_not_pending_again),
		hv_unit_test(g12_vcpu_reset__while_awake__sleeps_and_hands_1_of_n_on),
		hv_unit_test(g12_vcpu_reset__what_it_held_for_another__is_handed_over),
		hv_unit_test(g12_reset__everything_pending_and_active__is_power_on_state),
		hv_unit_test(reset__line_high__fires_when_enabled_again),
		hv_unit_test(sync__nothing_changed__writes_nothing),
		hv_unit_test(fill__free_list_register__reads_nothing_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

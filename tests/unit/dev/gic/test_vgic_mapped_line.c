/* SPDX-License-Identifier: MIT */
/*
 * A mapped interrupt's line is the hardware's: it rises with a physical interrupt, and nobody tells
 * when it falls. Whatever the guest can see of it is asked for anew.
 */
#include <unit.h>

#include "vgic_rig.h"

#define TIMER  27u
#define PINTID 30u

static void start(void)
{
	rig_start(2, 4);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], TIMER, PINTID), HV_OK);
	irq_open(0, TIMER, 0x80);
	rig_enter(0);
}

static void rise(void)
{
	fake_gic.line_low = false;
	vgic_ppi_set_here(&rig.cpu[0], TIMER, true);
	rig_enter(0);
}

static void fall(void)
{
	fake_gic.line_low = true;
}

/* The physical interrupt was given back once, and can come again. */
static void assert_given_back(void)
{
	assert_int_equal(fake_gic.ends, 1);
	assert_int_equal(fake_gic.ended, PINTID);
	rise();
	assert_int_equal(guest_ack(0), TIMER);
}

static void mapped_line__fell_while_pending__guest_that_reads_sees_it(void **state)
{
	(void)state;
	start();
	rise();
	assert_int_equal(irq_bit(0, PEND, TIMER), 1);
	rig_enter(0);
	fall();
	assert_int_equal(irq_bit(0, PEND, TIMER), 0);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_given_back();
}

static void mapped_line__fell_while_disabled__enabling_brings_nothing(void **state)
{
	(void)state;
	start();
	irq_do(0, DISABLE, TIMER);
	rise();
	assert_int_equal(irq_bit(0, UNPEND, TIMER), 1);
	fall();
	assert_int_equal(irq_bit(0, UNPEND, TIMER), 0);
	irq_do(0, ENABLE, TIMER);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_given_back();
}

static void mapped_line__fell_while_groups_are_off__turning_on_brings_nothing(void **state)
{
	(void)state;
	start();
	dist_write(0, CTLR, 0);
	rise();
	fall();
	dist_write(0, CTLR, 3);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_given_back();
}

static void mapped_line__high_all_along__stays_pending(void **state)
{
	(void)state;
	start();
	irq_do(0, DISABLE, TIMER);
	rise();
	irq_do(0, ENABLE, TIMER);
	assert_int_equal(irq_bit(0, PEND, TIMER), 1);
	assert_int_equal(guest_ack(0), TIMER);
	assert_int_equal(fake_gic.ends, 0);
}

static void mapped_line__fell_before_wfi__does_not_wake(void **state)
{
	(void)state;
	start();
	fake_gic.hw[0].vmcr = 0xf8u << 24 | 2;
	rise();
	assert_true(vgic_is_pending(&rig.cpu[0]));
	rig_enter(0);
	fall();
	assert_false(vgic_is_pending(&rig.cpu[0]));
	assert_given_back();
}

/* The guest's own deactivation reaches the physical interrupt then. */
static void mapped_line__fell_while_active__is_active_and_not_pending(void **state)
{
	(void)state;
	start();
	rise();
	assert_int_equal(guest_ack(0), TIMER);
	assert_int_equal(irq_bit(0, PEND, TIMER), 1);
	rig_enter(0);
	fall();
	assert_int_equal(irq_bit(0, PEND, TIMER), 0);
	assert_int_equal(irq_bit(0, ACTIVATE, TIMER), 1);
	rig_enter(0);
	assert_int_equal(hw_state(0, TIMER), 2);
	assert_int_equal(fake_gic.ends, 0);
	fake_gic.line_low = false;
	assert_int_equal(irq_bit(0, PEND, TIMER), 1);
}

/* Software's own event is latched, whatever the line does. */
static void mapped_line__fell_under_a_pended_one__stays_pending(void **state)
{
	(void)state;
	start();
	rise();
	irq_do(0, PEND, TIMER);
	rig_enter(0);
	fall();
	assert_int_equal(irq_bit(0, PEND, TIMER), 1);
	assert_int_equal(fake_gic.ends, 1);
	assert_int_equal(guest_ack(0), TIMER);
}

/* That the line could rise again says that the guest took and ended what software had pended. */
static void mapped_line__rose_again_after_a_pended_one__is_one_event(void **state)
{
	(void)state;
	start();
	rise();
	irq_do(0, PEND, TIMER);
	assert_int_equal(guest_ack(0), TIMER);
	guest_eoi(0, TIMER);
	rise();
	fall();
	assert_int_equal(irq_bit(0, PEND, TIMER), 0);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

/* Only its own CPU can see a line: another one is told what was last known. */
static void mapped_line__read_by_another_vcpu__is_not_asked(void **state)
{
	(void)state;
	start();
	irq_do(0, DISABLE, TIMER);
	rise();
	fall();
	assert_int_equal((uint32_t)rig_access(&gicv3_redist_ops, 1, SGI_FRAME + PEND, 4, false, 0),
		1u << TIMER);
	assert_int_equal(fake_gic.ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(mapped_line__fell_while_pending__guest_that_reads_sees_it),
		hv_unit_test(mapped_line__fell_while_disabled__enabling_brings_nothing),
		hv_unit_test(mapped_line__fell_while_groups_are_off__turning_on_brings_nothing),
		hv_unit_test(mapped_line__high_all_along__stays_pending),
		hv_unit_test(mapped_line__fell_before_wfi__does_not_wake),
		hv_unit_test(mapped_line__fell_while_active__is_active_and_not_pending),
		hv_unit_test(mapped_line__fell_under_a_pended_one__stays_pending),
		hv_unit_test(mapped_line__rose_again_after_a_pended_one__is_one_event),
		hv_unit_test(mapped_line__read_by_another_vcpu__is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

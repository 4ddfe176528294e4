/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include "vgic_rig.h"

static void vgic__edge_spi__arrives_once(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_edge(0, 40);
	irq_open(0, 40, 0x80);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	vgic_spi_set(rig.gic, 40, true);
	vgic_spi_set(rig.gic, 40, false);
	assert_int_equal(guest_ack(0), 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	guest_eoi(0, 40);
	vgic_sync(&rig.cpu[0]);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	vgic_spi_set(rig.gic, 40, true);
	assert_int_equal(guest_ack(0), 40);
}

static void vgic__level_spi_still_high_after_eoi__fires_again(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 33, 0x80);
	vgic_spi_set(rig.gic, 33, true);
	assert_int_equal(guest_ack(0), 33);
	assert_true(guest_eoi(0, 33));
	assert_int_equal(guest_ack(0), 33);
	vgic_spi_set(rig.gic, 33, false);
	rig_enter(0);
	assert_false(guest_eoi(0, 33));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void vgic__sgi_to_self__needs_no_notify(void **state)
{
	(void)state;
	rig_start(2, 4);
	irq_open(0, 3, 0x80);
	irq_open(1, 3, 0x80);
	for (unsigned i = 0; i < 10; i++) {
		vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, (uint64_t)3 << 24 | 1);
		assert_int_equal(rig.notified[0], 0);
		assert_int_equal(guest_ack(0), 3);
		guest_eoi(0, 3);
	}
	vgic_sgi_write(&rig.cpu[0], GIC_SGI1R, (uint64_t)3 << 24 | 2);
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(guest_ack(1), 3);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(vgic__edge_spi__arrives_once),
		hv_unit_test(vgic__level_spi_still_high_after_eoi__fires_again),
		hv_unit_test(vgic__sgi_to_self__needs_no_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

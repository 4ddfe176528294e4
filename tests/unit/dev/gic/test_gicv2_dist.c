/* SPDX-License-Identifier: MIT */
/* The GICv2 distributor's frame (IHI 0048B.b, 4.3): what is there, what is banked, whose SGI it is.
 */
#include <unit.h>

#include "vgic_rig.h"

#define BANKS        (RIG_SPIS / 32)
#define ITARGETSR    0x800u
#define ICFGR        0xc00u
#define SGIR         0xf00u
#define CPENDSGIR    0xf10u
#define SPENDSGIR    0xf20u
#define SGIR_OTHERS  (1u << 24)
#define SGIR_SELF    (2u << 24)
#define SGIR_TO(cpu) (1u << (16 + (cpu)))

static uint64_t dist(unsigned cpu, unsigned size, uint64_t off)
{
	return rig_access(&gicv2_dist_ops, cpu, off, size, false, 0);
}

static void dist_set(unsigned cpu, unsigned size, uint64_t off, uint64_t value)
{
	rig_access(&gicv2_dist_ops, cpu, off, size, true, value);
}

static void start(unsigned cpus)
{
	rig_start_as(GIC_IFACE_V2, cpus, 4);
	dist_set(0, 4, CTLR, 3);
}

/* Which CPU the SGI in this list register came from; -1: it is in none. */
static int source_in_lr(unsigned cpu, uint32_t intid)
{
	int n = hw_find(cpu, intid);

	return n < 0 ? -1
		     : (int)(fake_gic.hw[cpu].lr[n] >> GICV3_LR_SOURCE_SHIFT &
			       (GICV3_LR_SOURCE >> GICV3_LR_SOURCE_SHIFT));
}

static struct {
	uint8_t memory[sizeof(rig.memory)];
	struct gicv3_cpu cpu[GIC_CPUS];
} before;

static void state_keep(void)
{
	memcpy(before.memory, rig.memory, sizeof(rig.memory));
	memcpy(before.cpu, rig.cpu, sizeof(rig.cpu));
}

static bool state_same(void)
{
	return memcmp(before.memory, rig.memory, rig.memory_used) == 0 &&
	       memcmp(before.cpu, rig.cpu, sizeof(rig.cpu)) == 0;
}

/* ---- G1, G2 ---- */

enum { BYTE = 1, WORD = 4 };

static const struct range {
	uint32_t first, end;
	uint32_t reads, writes; /* sizes */
} ranges[] = {
	{0x000, 0x004, WORD, WORD},                   /* CTLR */
	{0x004, 0x00c, WORD, 0},                      /* TYPER, IIDR */
	{0x080, 0x080 + 4 * (BANKS + 1), WORD, WORD}, /* IGROUPR */
	{0x100, 0x100 + 4 * (BANKS + 1), WORD, WORD},
	{0x180, 0x180 + 4 * (BANKS + 1), WORD, WORD},
	{0x200, 0x200 + 4 * (BANKS + 1), WORD, WORD},
	{0x280, 0x280 + 4 * (BANKS + 1), WORD, WORD},
	{0x300, 0x300 + 4 * (BANKS + 1), WORD, WORD},
	{0x380, 0x380 + 4 * (BANKS + 1), WORD, WORD},
	{0x400, 0x420 + RIG_SPIS, BYTE | WORD, BYTE | WORD},
	{0x800, 0x820, BYTE | WORD, 0}, /* ITARGETSR0..7 say who asks */
	{0x820, 0x820 + RIG_SPIS, BYTE | WORD, BYTE | WORD},
	{0xc00, 0xc04, WORD, 0}, /* ICFGR0 */
	{0xc04, 0xc08 + RIG_SPIS / 4, WORD, WORD},
	{0xf00, 0xf04, 0, WORD}, /* SGIR */
	{0xf10, 0xf30, BYTE | WORD, BYTE | WORD},
	{0xfd0, 0x1000, WORD, 0},
};

static const struct range *range_of(uint64_t off)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (off >= ranges[i].first && off < ranges[i].end) {
			return &ranges[i];
		}
	}
	return NULL;
}

static void g1_gicd__every_offset_and_size__answers_or_is_raz_wi(void **state)
{
	unsigned answers = 0, changes = 0;

	(void)state;
	start(2);
	state_keep();
	for (uint64_t off = 0; off < GICV2_GICD_SIZE; off++) {
		const struct range *range = range_of(off);

		for (unsigned size = 1; size <= 8; size *= 2) {
			uint64_t value = dist(1, size, off);
			bool aligned = off % size == 0;

			if (!range || !aligned || !(range->reads & size)) {
				assert_int_equal(value, 0);
			}
			answers += value != 0;
			state_keep(); /* a read may bring list registers here */
			dist_set(1, size, off, 0x5a5a5a5a5a5a5a5aull >> (64 - 8 * size));
			if (!state_same()) {
				assert_true(range && aligned && range->writes & size);
				changes++;
			}
		}
	}
	assert_in_range(answers, 151, 2000);
	assert_in_range(changes, 151, 2000);
}

static void g2_gicd__beyond_the_last_interrupt__is_raz_wi(void **state)
{
	(void)state;
	start(2);
	state_keep();
	for (uint32_t intid = 32 + RIG_SPIS; intid < 1024; intid++) {
		for (unsigned reg = GROUP; reg <= DEACTIVATE; reg += 0x80) {
			dist_set(0, 4, reg + intid / 32 * 4, ~0u);
			assert_int_equal(dist(0, 4, reg + intid / 32 * 4), 0);
		}
		dist_set(0, 1, 0x400 + intid, 0xff);
		assert_int_equal(dist(0, 1, 0x400 + intid), 0);
		dist_set(0, 1, ITARGETSR + intid, 0xff);
		assert_int_equal(dist(0, 1, ITARGETSR + intid), 0);
		dist_set(0, 4, ICFGR + intid / 16 * 4, ~0u);
		assert_int_equal(dist(0, 4, ICFGR + intid / 16 * 4), 0);
	}
	assert_true(state_same());
}

/* ---- what it says of itself ---- */

static void gicd__identification__is_a_gicv2(void **state)
{
	(void)state;
	start(3);
	assert_int_equal(dist(0, 4, CTLR), 3);
	dist_set(0, 4, CTLR, ~1u);
	assert_int_equal(dist(0, 4, CTLR), 2);
	assert_int_equal(dist(0, 4, 4), BANKS | 2u << 5); /* no Security Extensions */
	assert_int_equal(dist(0, 4, 8) & 0xfff, 0x43b);
	assert_int_equal(dist(0, 4, 0xfe8), 0x2b); /* ICPIDR2 */
	assert_int_equal(dist(0, 4, 0xffc), 0xb1);
	gicv2_dist_ops.reset(rig.gic);
	assert_int_equal(dist(0, 4, CTLR), 0);
}

static void gicd_sgis__enable_pending_and_trigger__are_fixed(void **state)
{
	(void)state;
	start(2);
	assert_int_equal(dist(0, 4, ENABLE), 0xffff);
	dist_set(0, 4, DISABLE, ~0u);
	assert_int_equal(dist(0, 4, ENABLE), 0xffff);
	dist_set(0, 4, ENABLE, 1u << 27);
	assert_int_equal(dist(0, 4, DISABLE), 0x0800ffff);
	dist_set(0, 4, PEND, 0xffff);
	assert_int_equal(dist(0, 4, PEND), 0);
	assert_int_equal(dist(0, 4, ICFGR), 0xaaaaaaaa);
	dist_set(0, 4, ICFGR, 0);
	assert_int_equal(dist(0, 4, ICFGR), 0xaaaaaaaa);
	dist_set(0, 4, ICFGR + 4, ~0u);
	assert_int_equal(dist(0, 4, ICFGR + 4), 0xaaaaaaaa);
	dist_set(0, 4, SGIR, SGIR_SELF | 3);
	dist_set(0, 4, UNPEND, 0xffff);
	assert_int_equal(dist(0, 4, PEND), 8);
}

static void gicd_private__each_cpu__has_its_own(void **state)
{
	(void)state;
	start(2);
	dist_set(0, 4, GROUP, 0x30003);
	dist_set(1, 4, ENABLE, 1u << 30);
	dist_set(1, 1, 0x400 + 30, 0x60);
	assert_int_equal(dist(0, 4, GROUP), 0x30003);
	assert_int_equal(dist(1, 4, GROUP), 0);
	assert_int_equal(dist(0, 4, ENABLE), 0xffff);
	assert_int_equal(dist(1, 4, ENABLE), 0x4000ffff);
	assert_int_equal(dist(0, 1, 0x400 + 30), 0);
	assert_int_equal(dist(1, 4, 0x400 + 28), 0x00600000);
}

/* ---- targets ---- */

static void gicd_itargetsr__bytes_and_words__cpus_that_exist(void **state)
{
	(void)state;
	start(3);
	assert_int_equal(dist(0, 4, ITARGETSR), 0x01010101);
	assert_int_equal(dist(2, 4, ITARGETSR + 28), 0x04040404);
	assert_int_equal(dist(1, 1, ITARGETSR + 31), 2);
	dist_set(1, 4, ITARGETSR + 28, 0);
	assert_int_equal(dist(1, 4, ITARGETSR + 28), 0x02020202);
	dist_set(0, 4, ITARGETSR + 40, 0xff010200);
	assert_int_equal(dist(1, 4, ITARGETSR + 40), 0x07010200);
	dist_set(0, 1, ITARGETSR + 41, 4);
	assert_int_equal(dist(1, 4, ITARGETSR + 40), 0x07010400);
	assert_int_equal(dist(1, 1, ITARGETSR + 42), 1);
}

static void gicd_itargetsr__one_cpu__raz_wi(void **state)
{
	(void)state;
	start(1);
	dist_set(0, 4, ITARGETSR + 40, 0);
	assert_int_equal(dist(0, 4, ITARGETSR), 0);
	assert_int_equal(dist(0, 4, ITARGETSR + 40), 0);
	dist_set(0, 4, ENABLE + 4, 1u << 8);
	vgic_spi_set(rig.gic, 40, true);
	assert_int_equal(guest_ack(0), 40);
}

static void spi__several_targets__one_takes_it_none_keeps_it(void **state)
{
	(void)state;
	start(3);
	dist_set(0, 4, ENABLE + 4, 3u << 8);
	dist_set(0, 1, ITARGETSR + 40, 6);
	dist_set(0, 4, ICFGR + 8, ~0u);
	vgic_spi_set(rig.gic, 40, true);
	assert_int_equal(rig.notified[0], 0);
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(rig.notified[2], 1);
	assert_int_equal(guest_ack(2), 40);
	assert_int_equal(guest_ack(1), GIC_SPURIOUS);
	dist_set(0, 1, ITARGETSR + 41, 0xf8); /* G10: nobody */
	vgic_spi_set(rig.gic, 41, true);
	for (unsigned cpu = 0; cpu < 3; cpu++) {
		assert_int_equal(guest_ack(cpu), GIC_SPURIOUS);
	}
	assert_int_equal(dist(0, 4, PEND + 4), 3u << 8); /* of 40, the line is high */
	dist_set(1, 1, ITARGETSR + 41, 1);
	assert_int_equal(guest_ack(0), 41);
}

/* ---- SGIs ---- */

static void g3_sgir__every_filter_and_list__only_cpus_that_exist(void **state)
{
	static const struct {
		uint32_t value;
		unsigned cpus; /* that get it, from CPU 1 of three */
	} row[] = {
		{SGIR_TO(0), 1}, {SGIR_TO(1) | SGIR_TO(2), 6}, {0xffu << 16, 7}, {0xf8u << 16, 0},
		{0, 0}, {SGIR_OTHERS, 5}, {SGIR_OTHERS | 0xffu << 16, 5},
		{SGIR_SELF | 0xffu << 16, 2}, {3u << 24 | 0xffu << 16, 0},
		{0xfc00fff0 | SGIR_TO(0), 1}, /* reserved bits, NSATT */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		start(3);
		dist_set(1, 4, SGIR, row[i].value | 5);
		for (unsigned cpu = 0; cpu < 3; cpu++) {
			rig_enter(cpu);
			assert_int_equal(source_in_lr(cpu, 5), row[i].cpus >> cpu & 1 ? 1 : -1);
		}
	}
}

static void sgi__from_three_cpus__is_three_interrupts_in_turn(void **state)
{
	(void)state;
	start(3);
	for (unsigned from = 3; from-- > 0;) {
		dist_set(from, 4, SGIR, SGIR_TO(0) | 7);
		dist_set(from, 4, SGIR, SGIR_TO(0) | 7); /* the same again is the same */
	}
	for (unsigned from = 0; from < 3; from++) {
		assert_int_equal(guest_ack(0), 7);
		assert_int_equal(source_in_lr(0, 7), (int)from);
		assert_int_equal(guest_eoi(0, 7), from != 2);
	}
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void sgi__sent_again_while_active__comes_again(void **state)
{
	(void)state;
	start(2);
	dist_set(1, 4, SGIR, SGIR_TO(0) | 7);
	assert_int_equal(guest_ack(0), 7);
	dist_set(1, 4, SGIR, SGIR_TO(0) | 7);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(source_in_lr(0, 7), 1);
	assert_true(guest_eoi(0, 7));
	assert_int_equal(guest_ack(0), 7);
	assert_int_equal(source_in_lr(0, 7), 1);
	assert_false(guest_eoi(0, 7));
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void sgi__list_register_taken_away__keeps_its_source(void **state)
{
	(void)state;
	start(2);
	dist_set(1, 4, SGIR, SGIR_TO(0) | 7);
	rig_enter(0);
	dist_set(0, 4, CTLR, 0); /* back to the distributor */
	rig_enter(0);
	assert_int_equal(source_in_lr(0, 7), -1);
	assert_int_equal(dist(0, 4, SPENDSGIR + 4), 2u << 24);
	dist_set(0, 4, CTLR, 1);
	rig_enter(0);
	assert_int_equal(source_in_lr(0, 7), 1);
}

static void spendsgir_cpendsgir__sources__are_set_and_cleared(void **state)
{
	(void)state;
	start(3);
	dist_set(0, 4, CTLR, 0);
	dist_set(0, 4, SPENDSGIR, 0xff020000);
	assert_int_equal(dist(0, 4, SPENDSGIR), 0x07020000);
	assert_int_equal(dist(0, 4, CPENDSGIR), 0x07020000);
	assert_int_equal(dist(0, 1, SPENDSGIR + 3), 7);
	assert_int_equal(dist(1, 4, SPENDSGIR), 0);
	assert_int_equal(dist(0, 4, PEND), 0xc);
	dist_set(0, 1, CPENDSGIR + 3, 5);
	assert_int_equal(dist(0, 4, SPENDSGIR), 0x02020000);
	dist_set(0, 4, CPENDSGIR, 0xff0000);
	assert_int_equal(dist(0, 4, PEND), 0x8);
	dist_set(0, 1, SPENDSGIR + 2, 0xf8); /* CPUs that do not exist */
	assert_int_equal(dist(0, 4, PEND), 0x8);
}

static void cpendsgir__in_a_list_register__the_next_takes_its_place(void **state)
{
	(void)state;
	start(2);
	dist_set(0, 1, SPENDSGIR + 9, 3);
	rig_enter(0);
	assert_int_equal(source_in_lr(0, 9), 0);
	assert_int_equal(dist(0, 1, SPENDSGIR + 9), 3);
	dist_set(0, 1, CPENDSGIR + 9, 1);
	rig_enter(0);
	assert_int_equal(source_in_lr(0, 9), 1);
	assert_int_equal(dist(0, 1, SPENDSGIR + 9), 2);
	dist_set(0, 1, CPENDSGIR + 9, 1);
	assert_int_equal(dist(0, 1, SPENDSGIR + 9), 2);
	dist_set(0, 1, CPENDSGIR + 9, 2);
	rig_enter(0);
	assert_int_equal(source_in_lr(0, 9), -1);
	assert_int_equal(dist(0, 4, PEND), 0);
}

static void g12_sgi__cpu_reset__no_source_is_left(void **state)
{
	(void)state;
	start(2);
	dist_set(0, 4, CTLR, 0);
	dist_set(0, 1, SPENDSGIR + 9, 3);
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_equal(dist(0, 1, SPENDSGIR + 9), 0);
	dist_set(0, 4, CTLR, 3);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

/* Of GICC only DIR traps where GICV is mapped, and it works on what no list register holds. */
static void gicc__mapped__only_dir_is_ours(void **state)
{
	(void)state;
	start(2);
	fake_gic.hw[0].vmcr |= GICV3_VMCR_VEOIM;
	dist_set(0, 4, ACTIVATE + 4, 1u << 8);
	rig_access(&gicv2_cpuif_ops, 0, 0, 4, true, 3);
	assert_int_equal(rig_access(&gicv2_cpuif_ops, 0, 0, 4, false, 0), 0);
	assert_int_equal(rig_access(&gicv2_cpuif_ops, 0, 0x1000, 4, false, 0), 0);
	assert_int_equal(dist(0, 4, ACTIVATE + 4), 1u << 8);
	rig_access(&gicv2_cpuif_ops, 0, 0x1000, 1, true, 40);
	rig_access(&gicv2_cpuif_ops, 0, 0x1002, 4, true, 40);
	assert_int_equal(dist(0, 4, ACTIVATE + 4), 1u << 8);
	rig_access(&gicv2_cpuif_ops, 0, 0x1000, 4, true, 0xfffffc00 | 40);
	assert_int_equal(dist(0, 4, ACTIVATE + 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(g1_gicd__every_offset_and_size__answers_or_is_raz_wi),
		hv_unit_test(g2_gicd__beyond_the_last_interrupt__is_raz_wi),
		hv_unit_test(gicd__identification__is_a_gicv2),
		hv_unit_test(gicd_sgis__enable_pending_and_trigger__are_fixed),
		hv_unit_test(gicd_private__each_cpu__has_its_own),
		hv_unit_test(gicd_itargetsr__bytes_and_words__cpus_that_exist),
		hv_unit_test(gicd_itargetsr__one_cpu__raz_wi),
		hv_unit_test(spi__several_targets__one_takes_it_none_keeps_it),
		hv_unit_test(g3_sgir__every_filter_and_list__only_cpus_that_exist),
		hv_unit_test(sgi__from_three_cpus__is_three_interrupts_in_turn),
		hv_unit_test(sgi__sent_again_while_active__comes_again),
		hv_unit_test(sgi__list_register_taken_away__keeps_its_source),
		hv_unit_test(spendsgir_cpendsgir__sources__are_set_and_cleared),
		hv_unit_test(cpendsgir__in_a_list_register__the_next_takes_its_place),
		hv_unit_test(g12_sgi__cpu_reset__no_source_is_left),
		hv_unit_test(gicc__mapped__only_dir_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

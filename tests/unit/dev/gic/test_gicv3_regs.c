/* SPDX-License-Identifier: MIT */
/* Register frames of GICv3: distributor and redistributors (IHI 0069H, 12.9 to 12.11). */
#include <unit.h>

#include "vgic_rig.h"

#define BANKS (RIG_SPIS / 32)

static uint64_t dist(unsigned size, uint64_t off)
{
	return rig_access(&gicv3_dist_ops, 0, off, size, false, 0);
}

static void dist_set(unsigned size, uint64_t off, uint64_t value)
{
	rig_access(&gicv3_dist_ops, 0, off, size, true, value);
}

static uint64_t redist(unsigned size, uint64_t off)
{
	return rig_access(&gicv3_redist_ops, 0, off, size, false, 0);
}

static void redist_set(unsigned size, uint64_t off, uint64_t value)
{
	rig_access(&gicv3_redist_ops, 0, off, size, true, value);
}

/* All that a guest can change. */
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

/* ---- G1: every offset, every size, both directions ---- */

enum { BYTE = 1, HALF = 2, WORD = 4, LONG = 8 };

struct range {
	uint32_t first, end; /* offsets */
	uint32_t sizes;      /* that may read other than 0 */
	uint32_t writes;     /* sizes that may change something */
};

static const struct range dist_ranges[] = {
	{0x0000, 0x0004, WORD, WORD},             /* CTLR */
	{0x0004, 0x000c, WORD, 0},                /* TYPER, IIDR */
	{0x0040, 0x0044, 0, WORD | HALF},         /* SETSPI_NSR */
	{0x0048, 0x004c, 0, WORD | HALF},         /* CLRSPI_NSR */
	{0x0084, 0x0084 + 4 * BANKS, WORD, WORD}, /* IGROUPR */
	{0x0104, 0x0104 + 4 * BANKS, WORD, WORD},
	{0x0184, 0x0184 + 4 * BANKS, WORD, WORD},
	{0x0204, 0x0204 + 4 * BANKS, WORD, WORD},
	{0x0284, 0x0284 + 4 * BANKS, WORD, WORD},
	{0x0304, 0x0304 + 4 * BANKS, WORD, WORD},
	{0x0384, 0x0384 + 4 * BANKS, WORD, WORD},
	{0x0420, 0x0420 + RIG_SPIS, BYTE | WORD, BYTE | WORD},
	{0x0c08, 0x0c08 + RIG_SPIS / 4, WORD, WORD},
	{0x6100, 0x6100 + 8 * RIG_SPIS, WORD | LONG, WORD | LONG},
	{0xffd0, 0x10000, WORD, 0},
};

/* Of one redistributor, RD_base and SGI_base. */
static const struct range redist_ranges[] = {
	{0x00004, 0x00008, WORD, 0},        /* IIDR */
	{0x00008, 0x00010, WORD | LONG, 0}, /* TYPER */
	{0x00014, 0x00018, WORD, WORD},     /* WAKER */
	{0x0ffd0, 0x10000, WORD, 0},        /* identification */
	{0x10080, 0x10084, WORD, WORD}, {0x10100, 0x10104, WORD, WORD},
	{0x10180, 0x10184, WORD, WORD}, {0x10200, 0x10204, WORD, WORD},
	{0x10280, 0x10284, WORD, WORD}, {0x10300, 0x10304, WORD, WORD},
	{0x10380, 0x10384, WORD, WORD}, {0x10400, 0x10420, BYTE | WORD, BYTE | WORD},
	{0x10c00, 0x10c04, WORD, 0},    /* ICFGR0 */
	{0x10c04, 0x10c08, WORD, WORD}, /* ICFGR1 */
};

static const struct range *range_of(const struct range *ranges, size_t count, uint64_t off)
{
	for (size_t i = 0; i < count; i++) {
		if (off >= ranges[i].first && off < ranges[i].end) {
			return &ranges[i];
		}
	}
	return NULL;
}

/* How many offsets answered, so that the sweep cannot pass by finding nothing. */
struct tally {
	unsigned reads, writes;
};

static void sweep_one(const struct hv_dev_ops *ops, const struct range *range, uint64_t off,
	unsigned size, struct tally *tally)
{
	bool aligned = off % size == 0;
	uint64_t value = rig_access(ops, 1, off, size, false, 0);

	assert_true(state_same()); /* reads change nothing */
	if (!range || !aligned || !(range->sizes & size)) {
		assert_int_equal(value, 0);
	}
	assert_int_equal(value & ~(~(uint64_t)0 >> (64 - 8 * size)), 0);
	tally->reads += value != 0;
	rig_access(ops, 1, off, size, true, 0x5a5a5a5a5a5a5a5au >> (64 - 8 * size));
	if (!state_same()) {
		assert_true(range && aligned && range->writes & size);
		tally->writes++;
		state_keep();
	}
}

static struct tally sweep(
	const struct hv_dev_ops *ops, uint64_t window, const struct range *ranges, size_t count)
{
	struct tally tally = {0};

	rig_start(2, 4);
	state_keep();
	for (uint64_t off = 0; off < window; off++) {
		for (unsigned size = 1; size <= 8 && off + size <= window; size *= 2) {
			sweep_one(ops, range_of(ranges, count, off), off, size, &tally);
		}
	}
	return tally;
}

static void g1_gicd__every_offset_and_size__answers_or_is_raz_wi(void **state)
{
	struct tally tally = sweep(&gicv3_dist_ops, GICV3_GICD_SIZE, dist_ranges,
		sizeof(dist_ranges) / sizeof(dist_ranges[0]));

	(void)state;
	assert_true(tally.reads > 200);
	assert_true(tally.writes > 200);
}

static void g1_gicr__every_offset_and_size__answers_or_is_raz_wi(void **state)
{
	struct tally tally = sweep(&gicv3_redist_ops, GICV3_GICR_SIZE, redist_ranges,
		sizeof(redist_ranges) / sizeof(redist_ranges[0]));

	(void)state;
	assert_true(tally.reads > 20);
	assert_true(tally.writes > 10);
}

/* ---- distributor ---- */

static void gicd_ctlr__as_zephyr_and_linux_write_it__groups_and_no_rwp(void **state)
{
	(void)state;
	rig_start(1, 4);
	assert_int_equal(dist(4, 0), 0x50);
	dist_set(4, 0, 0);
	dist_set(4, 0, 0x22);
	assert_int_equal(dist(4, 0), 0x52);
	dist_set(4, 0, 0x13);
	assert_int_equal(dist(4, 0), 0x53);
	dist_set(4, 0, ~0u);
	assert_int_equal(dist(4, 0), 0x53);
	dist_set(4, 0, 0x1);
	assert_int_equal(dist(4, 0), 0x51);
}

static void gicd__identification__is_a_gicv3(void **state)
{
	(void)state;
	rig_start(1, 4);
	assert_int_equal(dist(4, 4) & 0x1f, BANKS);   /* ITLinesNumber */
	assert_int_equal(dist(4, 4) >> 19 & 0x1f, 9); /* IDbits */
	assert_int_equal(dist(4, 4) & 1u << 17, 0);   /* no LPIs */
	assert_int_equal(dist(4, 4) & 1u << 25, 0);   /* 1-of-N */
	assert_int_equal(dist(4, 8) & 0xfff, 0x43b);
	assert_int_equal(dist(4, 0xffe8), 0x3b);
	assert_int_equal(redist(4, 0xffe8), 0x3b);
	assert_int_equal(dist(4, 0xffd0), 0x44);
	assert_int_equal(dist(4, 0xffe0), 0x92);
	assert_int_equal(redist(4, 0xffe0), 0x93);
	assert_int_equal(dist(4, 0xfffc), 0xb1);
	assert_int_equal(redist(4, 4), dist(4, 8));
}

static void gicd_bits__set_and_clear__pair_up(void **state)
{
	(void)state;
	rig_start(1, 4);
	for (unsigned reg = ENABLE; reg <= ACTIVATE; reg += 0x100) {
		dist_set(4, reg + 4, 0xf0f0);
		dist_set(4, reg + 4, 0x0001);
		assert_int_equal(dist(4, reg + 4), 0xf0f1);
		assert_int_equal(dist(4, reg + 0x84), 0xf0f1);
		dist_set(4, reg + 0x84, 0x00f0);
		assert_int_equal(dist(4, reg + 4), 0xf001);
		assert_int_equal(dist(4, reg + 8), 0);
	}
	dist_set(4, GROUP + 8, 0x1234);
	dist_set(4, GROUP + 8, 0x4321);
	assert_int_equal(dist(4, GROUP + 8), 0x4321);
}

static void gicd_ipriorityr__bytes_and_words__keep_five_bits(void **state)
{
	(void)state;
	rig_start(1, 4);
	dist_set(4, 0x428, 0xffa15207);
	assert_int_equal(dist(4, 0x428), 0xf8a05000);
	dist_set(1, 0x429, 0x9f);
	assert_int_equal(dist(4, 0x428), 0xf8a09800);
	assert_int_equal(dist(1, 0x42b), 0xf8);
}

static void gicd_icfgr__edge_bits__are_kept_and_low_bits_are_0(void **state)
{
	(void)state;
	rig_start(1, 4);
	dist_set(4, 0xc08, ~0u);
	assert_int_equal(dist(4, 0xc08), 0xaaaaaaaa);
	assert_int_equal(dist(4, 0xc0c), 0);
	dist_set(4, 0xc0c, 0x80000002);
	assert_int_equal(dist(4, 0xc0c), 0x80000002);
	assert_int_equal(dist(4, 0xc08), 0xaaaaaaaa);
	dist_set(4, 0xc08, 8);
	assert_int_equal(dist(4, 0xc08), 8);
}

static void gicd_irouter__halves_and_whole__keep_affinity_and_irm(void **state)
{
	const uint64_t off = 0x6000 + 8 * 40;

	(void)state;
	rig_start(1, 4);
	assert_int_equal(dist(8, off), 0);
	dist_set(8, off, ~0ull);
	assert_int_equal(dist(8, off), 0xff80ffffff);
	assert_int_equal(dist(4, off), 0x80ffffff);
	assert_int_equal(dist(4, off + 4), 0xff);
	dist_set(4, off, 0x00010203);
	assert_int_equal(dist(8, off), 0xff00010203);
	dist_set(4, off + 4, 5);
	assert_int_equal(dist(8, off), 0x0500010203);
}

static void g2_gicd__beyond_the_last_interrupt__is_raz_wi(void **state)
{
	(void)state;
	rig_start(1, 4);
	state_keep();
	for (uint32_t intid = 32 + RIG_SPIS; intid < 1024; intid++) {
		for (unsigned reg = GROUP; reg <= DEACTIVATE; reg += 0x80) {
			dist_set(4, reg + intid / 32 * 4, ~0u);
			assert_int_equal(dist(4, reg + intid / 32 * 4), 0);
		}
		dist_set(1, 0x400 + intid, 0xff);
		assert_int_equal(dist(1, 0x400 + intid), 0);
		dist_set(4, 0xc00 + intid / 16 * 4, ~0u);
		assert_int_equal(dist(4, 0xc00 + intid / 16 * 4), 0);
		dist_set(8, 0x6000 + 8 * intid, 1);
		assert_int_equal(dist(8, 0x6000 + 8 * intid), 0);
		dist_set(4, 0x40, intid);
		dist_set(4, 0x48, intid);
		vgic_spi_set(rig.gic, intid, true);
		vgic_dir_write(&rig.cpu[0], intid);
	}
	vgic_spi_set(rig.gic, UINT32_MAX, true);
	vgic_spi_set(rig.gic, 31, true);
	vgic_ppi_set(&rig.cpu[0], 15, true);
	vgic_ppi_set(&rig.cpu[0], 32, true);
	vgic_dir_write(&rig.cpu[0], 0xffffff);
	assert_true(state_same());
}

static void g2_gicd__private_interrupts_and_legacy_registers__are_raz_wi(void **state)
{
	static const uint32_t offs[] = {GROUP, ENABLE, DISABLE, PEND, UNPEND, ACTIVATE, DEACTIVATE,
		0x400, 0x41c, 0x820, 0xc00, 0xc04, 0xd04, 0xe08, 0xf00, 0xf10, 0xf20, 0x50, 0x58,
		0x6000, 0x60f8};
	(void)state;
	rig_start(1, 4);
	state_keep();
	for (unsigned i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		dist_set(4, offs[i], ~0u);
		assert_int_equal(dist(4, offs[i]), 0);
	}
	assert_true(state_same());
}

static void g3_gicd_sgir__any_value__sends_nothing(void **state)
{
	(void)state;
	rig_start(2, 4);
	irq_open(0, 1, 0x80);
	irq_open(1, 1, 0x80);
	for (uint32_t filter = 0; filter < 4; filter++) {
		dist_set(4, 0xf00, filter << 24 | 0xff8001);
	}
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	assert_int_equal(guest_ack(1), GIC_SPURIOUS);
}

static void gicd_setspi__edge_and_level__as_a_line_would(void **state)
{
	(void)state;
	rig_start(1, 4);
	irq_open(0, 40, 0x80);
	irq_open(0, 41, 0x80);
	irq_edge(0, 41);
	dist_set(4, 0x40, 40);
	assert_int_equal(guest_ack(0), 40);
	guest_eoi(0, 40);
	assert_int_equal(guest_ack(0), 40); /* still asserted */
	dist_set(2, 0x48, 40);
	guest_eoi(0, 40);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	dist_set(2, 0x40, 41);
	dist_set(4, 0x48, 41);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
	dist_set(4, 0x40, 41);
	assert_int_equal(guest_ack(0), 41);
	guest_eoi(0, 41);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

/* ---- redistributors ---- */

static void g11_gicr_typer__each_frame__names_its_vcpu_and_the_last(void **state)
{
	(void)state;
	rig_start(3, 4);
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t typer = i << 32 | i << 8 | (i == 2 ? 0x10 : 0);

		assert_int_equal(redist(8, i * GICV3_GICR_SIZE + 8), typer);
		assert_int_equal(redist(4, i * GICV3_GICR_SIZE + 8), typer & 0xffffffff);
		assert_int_equal(redist(4, i * GICV3_GICR_SIZE + 12), typer >> 32);
		redist_set(8, i * GICV3_GICR_SIZE + 8, ~0ull);
		assert_int_equal(redist(8, i * GICV3_GICR_SIZE + 8), typer);
	}
}

static void g11_gicr__beyond_the_last__is_raz_wi(void **state)
{
	(void)state;
	rig_start(2, 4);
	state_keep();
	for (uint64_t off = 2 * GICV3_GICR_SIZE; off < 9 * GICV3_GICR_SIZE; off += 0x80) {
		redist_set(4, off, ~0u);
		assert_int_equal(redist(4, off), 0);
	}
	redist_set(4, ~(uint64_t)3, ~0u);
	assert_int_equal(redist(4, ~(uint64_t)3), 0);
	assert_true(state_same());
}

static void g11_gicr__of_another_vcpu__is_the_right_frame(void **state)
{
	const uint64_t other = GICV3_GICR_SIZE + SGI_FRAME;

	(void)state;
	rig_start(2, 4);
	redist_set(4, other + GROUP, ~0u);
	redist_set(4, other + ENABLE, 1u << 5);
	dist_set(4, 0, 3);
	assert_int_equal(redist(4, SGI_FRAME + ENABLE), 0);
	assert_int_equal(redist(4, other + ENABLE), 1u << 5);
	redist_set(4, other + PEND, 1u << 5); /* by vCPU 0 */
	assert_int_equal(rig.notified[1], 1);
	assert_int_equal(guest_ack(1), 5);
	assert_int_equal(guest_ack(0), GIC_SPURIOUS);
}

static void g11_gicr_waker__toggled__children_follow(void **state)
{
	(void)state;
	rig_start(1, 4);
	assert_int_equal(redist(4, 0x14), 6);
	redist_set(4, 0x14, ~2u);
	assert_int_equal(redist(4, 0x14), 0);
	redist_set(4, 0x14, 2);
	assert_int_equal(redist(4, 0x14), 6);
}

static void g11_gicr_ctlr__any_write__has_no_rwp_and_no_lpis(void **state)
{
	(void)state;
	rig_start(1, 4);
	redist_set(4, 0, ~0u);
	assert_int_equal(redist(4, 0), 0);
	redist_set(8, 0x70, ~0ull);
	assert_int_equal(redist(8, 0x70), 0);
}

static void gicr_icfgr__sgis_are_edges_and_ppis_are_the_guests(void **state)
{
	(void)state;
	rig_start(1, 4);
	redist_set(4, SGI_FRAME + 0xc00, 0);
	assert_int_equal(redist(4, SGI_FRAME + 0xc00), 0xaaaaaaaa);
	assert_int_equal(redist(4, SGI_FRAME + 0xc04), 0);
	redist_set(4, SGI_FRAME + 0xc04, 0x80000003);
	assert_int_equal(redist(4, SGI_FRAME + 0xc04), 0x80000002);
	assert_int_equal(redist(4, SGI_FRAME + 0xc00), 0xaaaaaaaa);
}

static void gicr_bits_and_priorities__as_in_the_distributor(void **state)
{
	(void)state;
	rig_start(1, 4);
	redist_set(4, SGI_FRAME + ENABLE, 0xff00ff00);
	redist_set(4, SGI_FRAME + DISABLE, 0x0000f000);
	assert_int_equal(redist(4, SGI_FRAME + ENABLE), 0xff000f00);
	redist_set(4, SGI_FRAME + ACTIVATE, 0x10);
	assert_int_equal(redist(4, SGI_FRAME + DEACTIVATE), 0x10);
	redist_set(4, SGI_FRAME + DEACTIVATE, 0x10);
	assert_int_equal(redist(4, SGI_FRAME + ACTIVATE), 0);
	redist_set(4, SGI_FRAME + 0x41c, 0x11223344);
	assert_int_equal(redist(4, SGI_FRAME + 0x41c), 0x10203040);
	redist_set(1, SGI_FRAME + 0x41d, 0xff);
	assert_int_equal(redist(1, SGI_FRAME + 0x41d), 0xf8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(g1_gicd__every_offset_and_size__answers_or_is_raz_wi),
		hv_unit_test(g1_gicr__every_offset_and_size__answers_or_is_raz_wi),
		hv_unit_test(gicd_ctlr__as_zephyr_and_linux_write_it__groups_and_no_rwp),
		hv_unit_test(gicd__identification__is_a_gicv3),
		hv_unit_test(gicd_bits__set_and_clear__pair_up),
		hv_unit_test(gicd_ipriorityr__bytes_and_words__keep_five_bits),
		hv_unit_test(gicd_icfgr__edge_bits__are_kept_and_low_bits_are_0),
		hv_unit_test(gicd_irouter__halves_and_whole__keep_affinity_and_irm),
		hv_unit_test(g2_gicd__beyond_the_last_interrupt__is_raz_wi),
		hv_unit_test(g2_gicd__private_interrupts_and_legacy_registers__are_raz_wi),
		hv_unit_test(g3_gicd_sgir__any_value__sends_nothing),
		hv_unit_test(gicd_setspi__edge_and_level__as_a_line_would),
		hv_unit_test(g11_gicr_typer__each_frame__names_its_vcpu_and_the_last),
		hv_unit_test(g11_gicr__beyond_the_last__is_raz_wi),
		hv_unit_test(g11_gicr__of_another_vcpu__is_the_right_frame),
		hv_unit_test(g11_gicr_waker__toggled__children_follow),
		hv_unit_test(g11_gicr_ctlr__any_write__has_no_rwp_and_no_lpis),
		hv_unit_test(gicr_icfgr__sgis_are_edges_and_ppis_are_the_guests),
		hv_unit_test(gicr_bits_and_priorities__as_in_the_distributor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

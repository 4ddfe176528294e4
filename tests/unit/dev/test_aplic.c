/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/aplic/aplic.h>
#include <fake_race.h>
#include <hv/bits.h>

#define SOURCES 96u
#define HARTS   3u
#define UART    10u /* some source */

struct bench {
	struct aplic *aplic;
	bool raised[APLIC_HARTS];
	unsigned notified[APLIC_HARTS];
	_Alignas(16) uint8_t memory[16384];
};

static struct bench bench;

static void on_notify(void *ctx, bool level)
{
	size_t hart = (size_t)((bool *)ctx - bench.raised);

	bench.raised[hart] = level;
	bench.notified[hart]++;
}

static void start(uint16_t sources, uint8_t harts)
{
	struct hv_arena arena = {.base = bench.memory, .size = sizeof(bench.memory)};
	const struct aplic_cfg cfg = {.sources = sources, .harts = harts};

	memset(&bench, 0, sizeof(bench));
	assert_int_equal(aplic_create(&bench.aplic, &cfg, &arena), HV_OK);
	for (uint16_t i = 0; i < harts; i++) {
		const struct aplic_hart_cfg hart = {on_notify, &bench.raised[i]};

		assert_int_equal(aplic_add_hart(bench.aplic, i, &hart), HV_OK);
	}
}

static int bench_setup(void **state)
{
	start(SOURCES, HARTS);
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {.off = off, .data = data, .size = size, .write = write};

	assert_true(aplic_ops.access(bench.aplic, &access));
	assert_int_equal(fake_port.locks_held, 0);
	return access.data;
}

static uint32_t rd(uint64_t off)
{
	return (uint32_t)access(off, 4, false, 0xdeadbeefdeadbeefu);
}

static void wr(uint64_t off, uint32_t value)
{
	access(off, 4, true, value);
}

/* ---- registers by what they are about ---- */

static uint64_t sourcecfg(uint32_t source)
{
	return APLIC_SOURCECFG + 4 * (uint64_t)source;
}

static uint64_t target(uint32_t source)
{
	return APLIC_TARGET + 4 * (uint64_t)source;
}

static uint64_t idc(unsigned hart, uint64_t reg)
{
	return APLIC_IDC + (uint64_t)hart * APLIC_IDC_STRIDE + reg;
}

static bool bit_of(uint64_t array, uint32_t source)
{
	return rd(array + source / 32 * 4) >> source % 32 & 1;
}

static bool is_pending(uint32_t source)
{
	return bit_of(APLIC_SETIP, source);
}

static uint32_t topi(uint32_t source, uint32_t prio)
{
	return source << APLIC_TOPI_SOURCE_SHIFT | prio;
}

static void turn_on(unsigned hart)
{
	wr(APLIC_DOMAINCFG, APLIC_DOMAINCFG_IE);
	wr(idc(hart, APLIC_IDELIVERY), 1);
}

static void open(unsigned hart, uint32_t source, uint32_t prio, enum aplic_mode mode)
{
	turn_on(hart);
	wr(sourcecfg(source), mode);
	wr(target(source), hart << APLIC_TARGET_HART_SHIFT | prio);
	wr(APLIC_SETIENUM, source);
}

static uint32_t claim(unsigned hart)
{
	return rd(idc(hart, APLIC_CLAIMI));
}

static void raise(uint32_t source)
{
	aplic_source_set(bench.aplic, source, true);
}

static void lower(uint32_t source)
{
	aplic_source_set(bench.aplic, source, false);
}

/* What notify last said and what the entry path would read are the same, always. */
static bool is_raised(uint16_t hart)
{
	assert_int_equal(aplic_is_raised(bench.aplic, hart), bench.raised[hart]);
	return bench.raised[hart];
}

/* ---- creation ---- */

static void create__bad_counts__are_refused(void **state)
{
	static const struct aplic_cfg bad[] = {
		{0, 1}, {APLIC_SOURCES_MAX + 1, 1}, {1, 0}, {1, APLIC_HARTS + 1}};
	struct hv_arena arena = {.base = bench.memory, .size = sizeof(bench.memory)};
	struct aplic *aplic;

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		aplic = bench.aplic;
		assert_int_equal(aplic_create(&aplic, &bad[i], &arena), HV_ERR_INVALID);
		assert_null(aplic);
		assert_int_equal(arena.used, 0);
	}
	start(1, 1);
	start(APLIC_SOURCES_MAX, APLIC_HARTS);
}

static void create__arena_too_small__is_no_memory(void **state)
{
	const struct aplic_cfg cfg = {.sources = SOURCES, .harts = HARTS};
	size_t need = aplic_arena_size(&cfg);
	struct hv_arena arena;
	struct aplic *aplic;

	(void)state;
	for (size_t size = 0; size < need - 64; size += 16) {
		arena = (struct hv_arena){.base = bench.memory, .size = size};
		aplic = bench.aplic;
		assert_int_equal(aplic_create(&aplic, &cfg, &arena), HV_ERR_NO_MEMORY);
		assert_null(aplic);
	}
	for (size_t shift = 0; shift < 16; shift++) {
		arena = (struct hv_arena){.base = bench.memory + shift, .size = need};
		assert_int_equal(aplic_create(&aplic, &cfg, &arena), HV_OK);
	}
}

static void add_hart__no_such_hart_or_nobody_to_tell__is_refused(void **state)
{
	const struct aplic_hart_cfg good = {on_notify, &bench.raised[0]}, bad = {NULL, NULL};

	(void)state;
	assert_int_equal(aplic_add_hart(bench.aplic, HARTS, &good), HV_ERR_INVALID);
	assert_int_equal(aplic_add_hart(bench.aplic, UINT16_MAX, &good), HV_ERR_INVALID);
	assert_int_equal(aplic_add_hart(bench.aplic, 0, &bad), HV_ERR_INVALID);
	assert_int_equal(aplic_add_hart(bench.aplic, 0, &good), HV_OK);
}

static void hart__nobody_added_it__raises_without_telling(void **state)
{
	const struct aplic_cfg cfg = {.sources = SOURCES, .harts = 1};
	struct hv_arena arena = {.base = bench.memory, .size = sizeof(bench.memory)};

	(void)state;
	assert_int_equal(aplic_create(&bench.aplic, &cfg, &arena), HV_OK);
	open(0, UART, 1, APLIC_LEVEL1);
	raise(UART);
	assert_true(aplic_is_raised(bench.aplic, 0));
	aplic_ops.reset(bench.aplic);
	assert_false(aplic_is_raised(bench.aplic, 0));
	assert_int_equal(bench.notified[0], 0);
}

/* ---- source modes ---- */

static void level_source__high_and_low__drives_its_hart(void **state)
{
	static const enum aplic_mode modes[] = {APLIC_LEVEL1, APLIC_LEVEL0};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(modes); i++) {
		bool inverted = modes[i] == APLIC_LEVEL0;

		start(SOURCES, HARTS);
		aplic_source_set(bench.aplic, UART, inverted);
		open(1, UART, 1, modes[i]);
		assert_false(is_raised(1));
		assert_false(bit_of(APLIC_IN_CLRIP, UART));
		aplic_source_set(bench.aplic, UART, !inverted);
		assert_true(is_raised(1));
		assert_false(is_raised(0));
		assert_true(is_pending(UART));
		assert_true(bit_of(APLIC_IN_CLRIP, UART));
		aplic_source_set(bench.aplic, UART, !inverted); /* no change */
		assert_int_equal(bench.notified[1], 1);
		aplic_source_set(bench.aplic, UART, inverted);
		assert_false(is_raised(1));
		assert_false(is_pending(UART));
		assert_int_equal(claim(1), 0);
	}
}

/* AIA 4.7: the pending bit is the input, whatever software does. */
static void level_source__claimed_cleared_set__stays_what_its_line_is(void **state)
{
	(void)state;
	open(0, UART, 1, APLIC_LEVEL1);
	raise(UART);
	assert_int_equal(claim(0), topi(UART, 1));
	assert_true(is_raised(0));
	assert_int_equal(claim(0), topi(UART, 1));
	wr(APLIC_CLRIPNUM, UART);
	wr(APLIC_IN_CLRIP, ~0u);
	assert_true(is_pending(UART));
	lower(UART);
	wr(APLIC_SETIPNUM, UART);
	wr(APLIC_SETIP, ~0u);
	assert_false(is_pending(UART));
	assert_false(is_raised(0));
}

static void edge_source__one_edge__is_one_interrupt(void **state)
{
	static const enum aplic_mode modes[] = {APLIC_EDGE1, APLIC_EDGE0};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(modes); i++) {
		bool before = modes[i] == APLIC_EDGE0;

		start(SOURCES, HARTS);
		aplic_source_set(bench.aplic, UART, before);
		open(0, UART, 2, modes[i]);
		assert_false(is_raised(0));
		aplic_source_set(bench.aplic, UART, !before);
		assert_true(is_raised(0));
		assert_int_equal(bit_of(APLIC_IN_CLRIP, UART), 1);
		assert_int_equal(claim(0), topi(UART, 2));
		assert_false(is_raised(0));
		assert_int_equal(claim(0), 0);
		aplic_source_set(bench.aplic, UART, !before); /* no new edge */
		assert_false(is_raised(0));
		aplic_source_set(bench.aplic, UART, before); /* the other one */
		assert_false(is_raised(0));
		aplic_source_set(bench.aplic, UART, !before);
		aplic_source_set(bench.aplic, UART, before); /* it stays */
		assert_true(is_raised(0));
		wr(APLIC_CLRIPNUM, UART);
		assert_false(is_raised(0));
	}
}

static void edge_source__high_when_it_is_turned_on__waits_for_an_edge(void **state)
{
	(void)state;
	raise(UART);
	open(0, UART, 1, APLIC_EDGE1);
	assert_false(is_raised(0));
	lower(UART);
	raise(UART);
	assert_true(is_raised(0));
}

static void detached_source__only_software__makes_it_pending(void **state)
{
	static const uint32_t ways[] = {APLIC_SETIPNUM, APLIC_SETIPNUM_LE};

	(void)state;
	open(0, UART, 3, APLIC_DETACHED);
	raise(UART);
	assert_false(is_pending(UART));
	assert_false(bit_of(APLIC_IN_CLRIP, UART));
	for (size_t i = 0; i < HV_ARRAY_COUNT(ways); i++) {
		wr(ways[i], UART);
		assert_true(is_raised(0));
		assert_int_equal(claim(0), topi(UART, 3));
		assert_false(is_raised(0));
	}
	wr(APLIC_SETIP, 1u << UART);
	assert_true(is_raised(0));
	wr(APLIC_IN_CLRIP, 1u << UART);
	assert_false(is_raised(0));
}

static void source__turned_inactive__forgets_everything(void **state)
{
	(void)state;
	open(1, UART, 5, APLIC_EDGE1);
	raise(UART);
	assert_true(is_raised(1));
	wr(sourcecfg(UART), APLIC_INACTIVE);
	assert_false(is_raised(1));
	assert_false(is_pending(UART));
	assert_false(bit_of(APLIC_SETIE, UART));
	assert_false(bit_of(APLIC_IN_CLRIP, UART));
	assert_int_equal(rd(target(UART)), 0);
	wr(target(UART), 7);
	wr(APLIC_SETIENUM, UART);
	wr(APLIC_SETIPNUM, UART);
	assert_int_equal(rd(target(UART)), 0);
	assert_false(bit_of(APLIC_SETIE, UART));
	assert_false(is_pending(UART));
	wr(sourcecfg(UART), APLIC_EDGE1);
	assert_int_equal(rd(target(UART)), 1); /* hart 0, and no priority 0 */
	assert_false(bit_of(APLIC_SETIE, UART));
}

static void source__changed_between_active_modes__keeps_what_is_set(void **state)
{
	(void)state;
	open(1, UART, 5, APLIC_EDGE1);
	raise(UART);
	wr(sourcecfg(UART), APLIC_DETACHED);
	assert_true(is_pending(UART));
	assert_int_equal(rd(target(UART)), 1u << APLIC_TARGET_HART_SHIFT | 5);
	assert_true(bit_of(APLIC_SETIE, UART));
	wr(sourcecfg(UART), APLIC_LEVEL0); /* the line is high */
	assert_false(is_pending(UART));
	wr(sourcecfg(UART), APLIC_LEVEL1);
	assert_true(is_raised(1));
}

static void sourcecfg__delegation_and_reserved_modes__make_it_inactive(void **state)
{
	(void)state;
	for (uint32_t value = 0; value < 16; value++) {
		uint32_t mode = value & 7;

		wr(sourcecfg(UART), APLIC_EDGE1);
		wr(sourcecfg(UART), value);
		assert_int_equal(rd(sourcecfg(UART)), mode == 2 || mode == 3 ? 0 : mode);
		wr(sourcecfg(UART), APLIC_EDGE1);
		wr(sourcecfg(UART), APLIC_SOURCECFG_D | value); /* no children: all of it is 0 */
		assert_int_equal(rd(sourcecfg(UART)), 0);
	}
}

/* ---- the domain and its harts ---- */

static void domaincfg__each_bit__is_ie_or_fixed(void **state)
{
	(void)state;
	assert_int_equal(rd(APLIC_DOMAINCFG), APLIC_DOMAINCFG_FIXED);
	wr(APLIC_DOMAINCFG, ~0u);
	assert_int_equal(rd(APLIC_DOMAINCFG), APLIC_DOMAINCFG_FIXED | APLIC_DOMAINCFG_IE);
	wr(APLIC_DOMAINCFG, ~APLIC_DOMAINCFG_IE);
	assert_int_equal(rd(APLIC_DOMAINCFG), APLIC_DOMAINCFG_FIXED);
}

static void delivery__ie_idelivery_enable__each_drives_the_hart_both_ways(void **state)
{
	(void)state;
	open(2, 40, 1, APLIC_LEVEL1);
	raise(40);
	assert_true(is_raised(2));
	wr(APLIC_DOMAINCFG, 0);
	assert_false(is_raised(2));
	assert_int_equal(rd(idc(2, APLIC_TOPI)), topi(40, 1)); /* all the same */
	wr(APLIC_DOMAINCFG, APLIC_DOMAINCFG_IE);
	assert_true(is_raised(2));
	wr(idc(2, APLIC_IDELIVERY), 0);
	assert_false(is_raised(2));
	wr(idc(2, APLIC_IDELIVERY), ~0u);
	assert_true(is_raised(2));
	assert_int_equal(rd(idc(2, APLIC_IDELIVERY)), 1);
	wr(APLIC_CLRIENUM, 40);
	assert_false(is_raised(2));
	wr(APLIC_SETIE + 4, 1u << 8);
	assert_true(is_raised(2));
	wr(APLIC_CLRIE + 4, 1u << 8);
	assert_false(is_raised(2));
	assert_int_equal(rd(idc(2, APLIC_TOPI)), 0);
}

static void target__moved_while_pending__moves_the_interrupt(void **state)
{
	(void)state;
	turn_on(1);
	open(0, UART, 1, APLIC_LEVEL1);
	raise(UART);
	assert_true(is_raised(0));
	wr(target(UART), 1u << APLIC_TARGET_HART_SHIFT | 1);
	assert_false(is_raised(0));
	assert_true(is_raised(1));
	assert_int_equal(claim(0), 0);
	assert_int_equal(claim(1), topi(UART, 1));
}

static void iforce__raises_a_hart__until_a_claim_finds_nothing(void **state)
{
	(void)state;
	turn_on(1);
	wr(idc(1, APLIC_IFORCE), ~0u);
	assert_int_equal(rd(idc(1, APLIC_IFORCE)), 1);
	assert_true(is_raised(1));
	assert_int_equal(rd(idc(1, APLIC_TOPI)), 0); /* looks only */
	assert_true(is_raised(1));
	open(1, UART, 1, APLIC_DETACHED);
	wr(APLIC_SETIPNUM, UART);
	assert_int_equal(claim(1), topi(UART, 1)); /* does not end it */
	assert_true(is_raised(1));
	assert_int_equal(claim(1), 0);
	assert_false(is_raised(1));
	assert_int_equal(rd(idc(1, APLIC_IFORCE)), 0);
	wr(idc(1, APLIC_IFORCE), 1);
	wr(idc(1, APLIC_IFORCE), 0);
	assert_false(is_raised(1));
}

static void readonly_and_write_only__each_array__reads_as_it_should(void **state)
{
	(void)state;
	open(0, UART, 1, APLIC_DETACHED);
	wr(APLIC_SETIPNUM, UART);
	assert_int_equal(rd(APLIC_SETIPNUM), 0);
	assert_int_equal(rd(APLIC_CLRIPNUM), 0);
	assert_int_equal(rd(APLIC_SETIENUM), 0);
	assert_int_equal(rd(APLIC_CLRIENUM), 0);
	assert_int_equal(rd(APLIC_SETIPNUM_LE), 0);
	assert_int_equal(rd(APLIC_CLRIE), 0);
	wr(idc(0, APLIC_TOPI), ~0u);
	wr(idc(0, APLIC_CLAIMI), ~0u);
	assert_int_equal(rd(idc(0, APLIC_TOPI)), topi(UART, 1));
}

/* ---- what guests do wrong ---- */

static void l1_source__0_or_beyond_the_last__does_not_exist(void **state)
{
	static const uint32_t none[] = {0, SOURCES + 1, 127, APLIC_SOURCES_MAX};
	static const uint32_t ways[] = {APLIC_SETIPNUM, APLIC_SETIPNUM_LE, APLIC_SETIENUM};

	(void)state;
	turn_on(0);
	for (size_t i = 0; i < HV_ARRAY_COUNT(none); i++) {
		if (none[i] != 0) {
			wr(sourcecfg(none[i]), APLIC_LEVEL1);
			assert_int_equal(rd(sourcecfg(none[i])), 0);
		}
		wr(target(none[i]), 1);
		assert_int_equal(rd(target(none[i])), 0);
		for (size_t way = 0; way < HV_ARRAY_COUNT(ways); way++) {
			wr(ways[way], none[i]);
		}
		raise(none[i]);
		assert_false(is_pending(none[i]));
		assert_false(bit_of(APLIC_SETIE, none[i]));
		assert_false(is_raised(0));
	}
	wr(APLIC_SETIPNUM, APLIC_SOURCES_MAX + 1);
	wr(APLIC_SETIENUM, 0x80000000u | UART);
	wr(APLIC_SETIPNUM, UINT32_MAX);
	raise(APLIC_SOURCES_MAX + 1);
	raise(UINT32_MAX);
	assert_int_equal(claim(0), 0);
}

static void l1_sources__each_count__has_exactly_its_bits(void **state)
{
	(void)state;
	for (uint16_t sources = 1; sources <= APLIC_SOURCES_MAX; sources += 7) {
		unsigned bits = 0;

		start(sources, 1);
		for (uint32_t source = 1; source <= APLIC_SOURCES_MAX; source++) {
			wr(sourcecfg(source), APLIC_DETACHED);
		}
		for (uint32_t word = 0; word < 32; word++) {
			wr(APLIC_SETIE + 4 * word, ~0u);
			wr(APLIC_SETIP + 4 * word, ~0u);
			bits += (unsigned)__builtin_popcount(rd(APLIC_SETIE + 4 * word));
			assert_int_equal(rd(APLIC_SETIE + 4 * word), rd(APLIC_SETIP + 4 * word));
		}
		assert_int_equal(bits, sources);
		assert_int_equal(rd(APLIC_SETIP) & 1, 0);
	}
}

static void l1_hart__beyond_the_last__is_raz_wi_and_gets_nothing(void **state)
{
	static const unsigned none[] = {HARTS, 7, 8, 511};
	static const uint8_t regs[] = {
		APLIC_IDELIVERY, APLIC_IFORCE, APLIC_ITHRESHOLD, APLIC_TOPI, APLIC_CLAIMI};

	(void)state;
	open(0, UART, 1, APLIC_LEVEL1);
	raise(UART);
	for (size_t i = 0; i < HV_ARRAY_COUNT(none); i++) {
		wr(target(UART), none[i] << APLIC_TARGET_HART_SHIFT | 1);
		assert_false(is_raised(0));
		for (size_t r = 0; r < HV_ARRAY_COUNT(regs); r++) {
			wr(idc(none[i], regs[r]), 1);
			assert_int_equal(rd(idc(none[i], regs[r])), 0);
		}
	}
	wr(target(UART), ~0u);
	assert_int_equal(rd(target(UART)), 0xfffc0007u);
	wr(target(UART), 1);
	assert_true(is_raised(0));
}

static void l1_offset__between_the_registers__is_raz_wi(void **state)
{
	static const struct {
		uint32_t first, end;
	} holes[] = {{0x1000, 0x1c00}, {0x1c80, 0x1cdc}, {0x1ce0, 0x1d00}, {0x1d80, 0x1ddc},
		{0x1de0, 0x1e00}, {0x1e80, 0x1edc}, {0x1ee0, 0x1f00}, {0x1f80, 0x1fdc},
		{0x1fe0, 0x2000}, {0x2004, 0x3004}, {0x400c, 0x4018}, {0x4060, 0x8000},
		{0x8000, 0x9000}};

	(void)state;
	open(0, UART, 1, APLIC_DETACHED);
	for (size_t i = 0; i < HV_ARRAY_COUNT(holes); i++) {
		for (uint32_t off = holes[i].first; off < holes[i].end; off += 4) {
			wr(off, ~0u);
			wr(off, UART);
			assert_int_equal(rd(off), 0);
		}
	}
	assert_false(is_pending(UART));
	assert_true(bit_of(APLIC_SETIE, UART));
	assert_int_equal(rd(sourcecfg(UART)), APLIC_DETACHED);
	assert_false(is_raised(0));
}

static void l1_access__not_an_aligned_word__is_raz_wi(void **state)
{
	static const uint8_t sizes[] = {1, 2, 8};

	(void)state;
	open(0, UART, 6, APLIC_DETACHED);
	wr(APLIC_SETIPNUM, UART);
	for (size_t i = 0; i < HV_ARRAY_COUNT(sizes); i++) {
		assert_int_equal(access(target(UART), sizes[i], false, ~0u), 0);
		assert_int_equal(access(idc(0, APLIC_CLAIMI), sizes[i], false, ~0u), 0);
		access(target(UART), sizes[i], true, 1);
	}
	for (unsigned shift = 1; shift < 4; shift++) {
		assert_int_equal(access(target(UART) + shift, 4, false, ~0u), 0);
		access(target(UART) + shift, 4, true, 1);
	}
	assert_int_equal(claim(0), topi(UART, 6));
}

static void l2_claim__none_pending_or_twice__is_0(void **state)
{
	(void)state;
	assert_int_equal(claim(0), 0);
	open(0, UART, 1, APLIC_DETACHED);
	wr(APLIC_SETIPNUM, UART);
	assert_int_equal(claim(0), topi(UART, 1));
	assert_int_equal(claim(0), 0);
}

static void l3_values__beyond_the_highest__keep_their_low_bits(void **state)
{
	(void)state;
	open(0, UART, 0, APLIC_LEVEL1);
	assert_int_equal(rd(target(UART)), 1); /* there is no priority 0 */
	wr(target(UART), 0x3fff8);
	assert_int_equal(rd(target(UART)), 1);
	wr(target(UART), 0x3fffe);
	assert_int_equal(rd(target(UART)), 6);
	wr(idc(0, APLIC_ITHRESHOLD), ~0u);
	assert_int_equal(rd(idc(0, APLIC_ITHRESHOLD)), APLIC_PRIORITY_MAX);
}

static void l4_claim__priorities__lowest_number_first_and_of_equals_the_lowest(void **state)
{
	static const struct {
		uint32_t source, priority;
	} in[] = {{96, 1}, {2, 7}, {33, 3}, {31, 3}, {64, 1}, {1, 7}, {32, 3}, {63, 6}};
	static const uint32_t out[] = {64, 96, 31, 32, 33, 63, 1, 2};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(in); i++) {
		open(0, in[i].source, in[i].priority, APLIC_DETACHED);
		wr(APLIC_SETIPNUM, in[i].source);
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(out); i++) {
		assert_int_equal(claim(0) >> APLIC_TOPI_SOURCE_SHIFT, out[i]);
	}
	assert_int_equal(claim(0), 0);
}

static void l4_threshold__each_pair__lets_only_lower_numbers_through(void **state)
{
	(void)state;
	open(0, UART, 1, APLIC_LEVEL1);
	raise(UART);
	for (uint32_t t = 0; t <= APLIC_PRIORITY_MAX; t++) {
		wr(idc(0, APLIC_ITHRESHOLD), t);
		for (uint32_t p = 1; p <= APLIC_PRIORITY_MAX; p++) {
			bool open = t == 0 || p < t;

			wr(target(UART), p);
			assert_int_equal(is_raised(0), open);
			assert_int_equal(rd(idc(0, APLIC_TOPI)), open ? topi(UART, p) : 0);
		}
	}
}

/* ---- reset ---- */

static void reset__in_the_middle_of_everything__is_power_on_and_lines_stay(void **state)
{
	(void)state;
	open(0, UART, 7, APLIC_LEVEL1);
	open(1, 40, 7, APLIC_DETACHED);
	wr(APLIC_SETIPNUM, 40);
	wr(idc(1, APLIC_ITHRESHOLD), 3);
	wr(idc(2, APLIC_IFORCE), 1);
	raise(UART);
	assert_true(is_raised(0));
	aplic_ops.reset(bench.aplic);
	for (uint16_t hart = 0; hart < HARTS; hart++) {
		assert_false(is_raised(hart));
		assert_true(bench.notified[hart] != 0);
		assert_int_equal(rd(idc(hart, APLIC_IDELIVERY)), 0);
		assert_int_equal(rd(idc(hart, APLIC_IFORCE)), 0);
		assert_int_equal(rd(idc(hart, APLIC_ITHRESHOLD)), 0);
	}
	assert_int_equal(rd(APLIC_DOMAINCFG), APLIC_DOMAINCFG_FIXED);
	assert_int_equal(rd(sourcecfg(UART)), APLIC_INACTIVE);
	assert_int_equal(rd(target(UART)), 0);
	assert_false(is_pending(40));
	open(0, UART, 1, APLIC_LEVEL1);
	assert_true(is_raised(0));
}

/* ---- races ---- */

static uint32_t got[2];

static void race_setup(void *ctx)
{
	(void)ctx;
	bench_setup(NULL);
	open(0, UART, 1, APLIC_DETACHED);
	wr(APLIC_SETIPNUM, UART);
	got[0] = got[1] = 99;
}

/* Two vCPUs read the same hart's claimi. */
static void claim_first(void *ctx)
{
	(void)ctx;
	got[0] = claim(0);
}

static void claim_second(void *ctx)
{
	(void)ctx;
	got[1] = claim(0);
}

static void check_one_got_it(void *ctx)
{
	(void)ctx;
	assert_int_equal(got[0] + got[1], topi(UART, 1));
	assert_true(got[0] == 0 || got[1] == 0);
	assert_false(is_raised(0));
}

static void l2_claim__two_at_once__never_get_the_same(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = race_setup,
			    .cpu = {claim_first, claim_second},
			    .check = check_one_got_it}) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(create__bad_counts__are_refused),
		bench_test(create__arena_too_small__is_no_memory),
		bench_test(add_hart__no_such_hart_or_nobody_to_tell__is_refused),
		bench_test(hart__nobody_added_it__raises_without_telling),
		bench_test(level_source__high_and_low__drives_its_hart),
		bench_test(level_source__claimed_cleared_set__stays_what_its_line_is),
		bench_test(edge_source__one_edge__is_one_interrupt),
		bench_test(edge_source__high_when_it_is_turned_on__waits_for_an_edge),
		bench_test(detached_source__only_software__makes_it_pending),
		bench_test(source__turned_inactive__forgets_everything),
		bench_test(source__changed_between_active_modes__keeps_what_is_set),
		bench_test(sourcecfg__delegation_and_reserved_modes__make_it_inactive),
		bench_test(domaincfg__each_bit__is_ie_or_fixed),
		bench_test(delivery__ie_idelivery_enable__each_drives_the_hart_both_ways),
		bench_test(target__moved_while_pending__moves_the_interrupt),
		bench_test(iforce__raises_a_hart__until_a_claim_finds_nothing),
		bench_test(readonly_and_write_only__each_array__reads_as_it_should),
		bench_test(l1_source__0_or_beyond_the_last__does_not_exist),
		bench_test(l1_sources__each_count__has_exactly_its_bits),
		bench_test(l1_hart__beyond_the_last__is_raz_wi_and_gets_nothing),
		bench_test(l1_offset__between_the_registers__is_raz_wi),
		bench_test(l1_access__not_an_aligned_word__is_raz_wi),
		bench_test(l2_claim__none_pending_or_twice__is_0),
		bench_test(l3_values__beyond_the_highest__keep_their_low_bits),
		bench_test(l4_claim__priorities__lowest_number_first_and_of_equals_the_lowest),
		bench_test(l4_threshold__each_pair__lets_only_lower_numbers_through),
		bench_test(reset__in_the_middle_of_everything__is_power_on_and_lines_stay),
		bench_test(l2_claim__two_at_once__never_get_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

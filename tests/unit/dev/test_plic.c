/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/plic/plic.h>
#include <fake_race.h>
#include <hv/bits.h>

#define SOURCES 96u
#define HARTS   3u
#define UART    10u /* some source */

struct bench {
	struct plic *plic;
	bool raised[PLIC_HARTS];
	unsigned notified[PLIC_HARTS];
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
	const struct plic_cfg cfg = {.sources = sources, .harts = harts};

	memset(&bench, 0, sizeof(bench));
	assert_int_equal(plic_create(&bench.plic, &cfg, &arena), HV_OK);
	for (uint16_t i = 0; i < harts; i++) {
		const struct plic_hart_cfg hart = {on_notify, &bench.raised[i]};

		assert_int_equal(plic_add_hart(bench.plic, i, &hart), HV_OK);
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

	assert_true(plic_ops.access(bench.plic, &access));
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

static uint64_t priority(uint32_t source)
{
	return PLIC_PRIORITY + 4 * (uint64_t)source;
}

static uint64_t context(unsigned ctx, uint64_t reg)
{
	return PLIC_CONTEXT + (uint64_t)ctx * PLIC_CONTEXT_STRIDE + reg;
}

static uint64_t threshold(unsigned hart)
{
	return context(2 * hart + 1, PLIC_THRESHOLD);
}

static uint64_t enable_word(unsigned ctx, unsigned word)
{
	return PLIC_ENABLE + (uint64_t)ctx * PLIC_ENABLE_STRIDE + 4 * word;
}

static void enable(unsigned hart, uint32_t source)
{
	uint64_t off = enable_word(2 * hart + 1, source / 32);

	wr(off, rd(off) | 1u << source % 32);
}

static void disable(unsigned hart, uint32_t source)
{
	uint64_t off = enable_word(2 * hart + 1, source / 32);

	wr(off, rd(off) & ~(1u << source % 32));
}

static void open(unsigned hart, uint32_t source, uint32_t prio)
{
	wr(priority(source), prio);
	enable(hart, source);
}

static bool is_pending(uint32_t source)
{
	return rd(PLIC_PENDING + source / 32 * 4) >> source % 32 & 1;
}

static uint32_t claim(unsigned hart)
{
	return rd(context(2 * hart + 1, PLIC_CLAIM));
}

static void complete(unsigned hart, uint32_t source)
{
	wr(context(2 * hart + 1, PLIC_CLAIM), source);
}

static void raise(uint32_t source)
{
	plic_source_set(bench.plic, source, true);
}

static void lower(uint32_t source)
{
	plic_source_set(bench.plic, source, false);
}

/* What notify last said and what the entry path would read are the same, always. */
static bool is_raised(uint16_t hart)
{
	assert_int_equal(plic_is_raised(bench.plic, hart), bench.raised[hart]);
	return bench.raised[hart];
}

/* ---- creation ---- */

static void create__bad_counts__are_refused(void **state)
{
	static const struct plic_cfg bad[] = {
		{0, 1}, {PLIC_SOURCES_MAX + 1, 1}, {1, 0}, {1, PLIC_HARTS + 1}};
	struct hv_arena arena = {.base = bench.memory, .size = sizeof(bench.memory)};
	struct plic *plic;

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		plic = bench.plic;
		assert_int_equal(plic_create(&plic, &bad[i], &arena), HV_ERR_INVALID);
		assert_null(plic);
		assert_int_equal(arena.used, 0);
	}
	start(1, 1);
	start(PLIC_SOURCES_MAX, PLIC_HARTS);
}

static void create__arena_too_small__is_no_memory(void **state)
{
	const struct plic_cfg cfg = {.sources = SOURCES, .harts = HARTS};
	size_t need = plic_arena_size(&cfg);
	struct hv_arena arena;
	struct plic *plic;

	(void)state;
	for (size_t size = 0; size < need - 64; size += 16) {
		arena = (struct hv_arena){.base = bench.memory, .size = size};
		plic = bench.plic;
		assert_int_equal(plic_create(&plic, &cfg, &arena), HV_ERR_NO_MEMORY);
		assert_null(plic);
	}
	for (size_t shift = 0; shift < 16; shift++) {
		arena = (struct hv_arena){.base = bench.memory + shift, .size = need};
		assert_int_equal(plic_create(&plic, &cfg, &arena), HV_OK);
	}
}

static void add_hart__no_such_hart_or_nobody_to_tell__is_refused(void **state)
{
	const struct plic_hart_cfg good = {on_notify, &bench.raised[0]}, bad = {NULL, NULL};

	(void)state;
	assert_int_equal(plic_add_hart(bench.plic, HARTS, &good), HV_ERR_INVALID);
	assert_int_equal(plic_add_hart(bench.plic, UINT16_MAX, &good), HV_ERR_INVALID);
	assert_int_equal(plic_add_hart(bench.plic, 0, &bad), HV_ERR_INVALID);
	assert_int_equal(plic_add_hart(bench.plic, 0, &good), HV_OK);
}

static void hart__nobody_added_it__raises_without_telling(void **state)
{
	const struct plic_cfg cfg = {.sources = SOURCES, .harts = 1};
	struct hv_arena arena = {.base = bench.memory, .size = sizeof(bench.memory)};

	(void)state;
	assert_int_equal(plic_create(&bench.plic, &cfg, &arena), HV_OK);
	open(0, UART, 1);
	raise(UART);
	assert_true(plic_is_raised(bench.plic, 0));
	plic_ops.reset(bench.plic);
	assert_false(plic_is_raised(bench.plic, 0));
	assert_int_equal(bench.notified[0], 0);
}

/* ---- the way of an interrupt ---- */

static void line__high_and_low__drives_the_hart_that_enabled_it(void **state)
{
	(void)state;
	open(1, UART, 1);
	assert_int_equal(bench.notified[1], 0);
	raise(UART);
	assert_true(is_raised(1));
	assert_false(is_raised(0));
	assert_true(is_pending(UART));
	raise(UART); /* no change */
	assert_int_equal(bench.notified[1], 1);
	lower(UART); /* before anybody claimed it: the request stays (PLIC 5) */
	assert_true(is_raised(1));
	assert_true(is_pending(UART));
	assert_int_equal(claim(1), UART);
	assert_false(is_raised(1));
	assert_false(is_pending(UART));
	complete(1, UART);
	assert_false(is_raised(1));
	assert_int_equal(claim(1), 0);
	assert_int_equal(bench.notified[1], 2);
	assert_int_equal(bench.notified[0], 0);
}

static void source__claimed_and_completed_with_the_line_high__is_pending_again(void **state)
{
	(void)state;
	open(0, UART, 1);
	raise(UART);
	assert_int_equal(claim(0), UART);
	assert_false(is_raised(0));
	assert_false(is_pending(UART));
	complete(0, UART);
	assert_true(is_raised(0));
	assert_int_equal(claim(0), UART);
	lower(UART);
	assert_false(is_raised(0));
	complete(0, UART);
	assert_false(is_raised(0));
	assert_int_equal(claim(0), 0);
}

static void source__line_toggles_while_claimed__waits_for_the_completion(void **state)
{
	(void)state;
	open(0, UART, 1);
	raise(UART);
	assert_int_equal(claim(0), UART);
	lower(UART);
	raise(UART);
	assert_false(is_raised(0));
	assert_int_equal(claim(0), 0);
	complete(0, UART);
	assert_true(is_raised(0));
	assert_int_equal(claim(0), UART);
}

static void claim__two_pending__the_hart_stays_raised_until_the_last(void **state)
{
	(void)state;
	open(0, 3, 1);
	open(0, 96, 2);
	raise(3);
	raise(96);
	assert_int_equal(claim(0), 96);
	assert_true(is_raised(0));
	assert_int_equal(claim(0), 3);
	assert_false(is_raised(0));
	assert_int_equal(bench.notified[0], 2);
}

static void claim__enabled_on_two_harts__one_gets_it_and_both_fall(void **state)
{
	(void)state;
	open(0, UART, 1);
	open(2, UART, 1);
	raise(UART);
	assert_true(is_raised(0));
	assert_true(is_raised(2));
	assert_int_equal(claim(2), UART);
	assert_false(is_raised(0));
	assert_false(is_raised(2));
	assert_int_equal(claim(0), 0);
}

static void enable__changes_while_pending__drive_the_hart_both_ways(void **state)
{
	(void)state;
	wr(priority(40), 5);
	raise(40);
	assert_false(is_raised(1));
	enable(1, 40);
	assert_true(is_raised(1));
	disable(1, 40);
	assert_false(is_raised(1));
	assert_true(is_pending(40));
}

static void priority__changes_while_pending__drive_the_hart_both_ways(void **state)
{
	(void)state;
	enable(1, 40);
	raise(40);
	assert_true(is_pending(40));
	assert_false(is_raised(1)); /* priority 0: never interrupts (PLIC 4) */
	assert_int_equal(claim(1), 0);
	wr(priority(40), 1);
	assert_true(is_raised(1));
	wr(priority(40), 0);
	assert_false(is_raised(1));
}

static void threshold__changes_while_pending__drive_the_hart_both_ways(void **state)
{
	(void)state;
	open(1, 40, 3);
	raise(40);
	assert_true(is_raised(1));
	wr(threshold(1), 3);
	assert_false(is_raised(1));
	assert_int_equal(claim(1), 0);
	wr(threshold(1), 2);
	assert_true(is_raised(1));
	assert_int_equal(rd(threshold(1)), 2);
	assert_int_equal(rd(threshold(0)), 0);
}

static void registers__each_priority_and_enable_bit__reads_as_written(void **state)
{
	(void)state;
	for (uint32_t source = 1; source <= SOURCES; source++) {
		wr(priority(source), source % 8);
	}
	for (uint32_t source = 0; source < PLIC_SOURCES_MAX + 1; source++) {
		assert_int_equal(rd(priority(source)), source <= SOURCES ? source % 8 : 0);
	}
	for (unsigned hart = 0; hart < HARTS; hart++) {
		wr(enable_word(2 * hart + 1, hart), 0x80000000u >> hart);
	}
	for (unsigned hart = 0; hart < HARTS; hart++) {
		for (unsigned word = 0; word < 32; word++) {
			assert_int_equal(rd(enable_word(2 * hart + 1, word)),
				word == hart ? 0x80000000u >> hart : 0);
		}
	}
}

static void registers__read__take_no_lock_but_for_claim(void **state)
{
	unsigned before = fake_port.lock_count;

	(void)state;
	(void)rd(priority(5));
	(void)rd(PLIC_PENDING);
	(void)rd(enable_word(1, 0));
	(void)rd(threshold(0));
	(void)plic_is_raised(bench.plic, 0);
	assert_int_equal(fake_port.lock_count, before);
	(void)claim(0);
	assert_int_equal(fake_port.lock_count, before + 1);
}

/* ---- what guests do wrong ---- */

static void l1_source__0_or_beyond_the_last__does_not_exist(void **state)
{
	static const uint32_t none[] = {0, SOURCES + 1, 127, PLIC_SOURCES_MAX};

	(void)state;
	for (unsigned word = 0; word < 32; word++) {
		wr(enable_word(1, word), ~0u);
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(none); i++) {
		wr(priority(none[i]), 7);
		assert_int_equal(rd(priority(none[i])), 0);
		raise(none[i]);
		assert_false(is_pending(none[i]));
		assert_false(is_raised(0));
	}
	raise(PLIC_SOURCES_MAX + 1);
	raise(UINT32_MAX);
	assert_int_equal(rd(enable_word(1, 0)), 0xfffffffeu);
	assert_int_equal(rd(enable_word(1, 1)), 0xffffffffu);
	assert_int_equal(rd(enable_word(1, 2)), 0xffffffffu);
	assert_int_equal(rd(enable_word(1, 3)), 1); /* source 96 */
	for (unsigned word = 4; word < 32; word++) {
		assert_int_equal(rd(enable_word(1, word)), 0);
	}
	assert_int_equal(claim(0), 0);
}

static void l1_sources__each_count__has_exactly_its_enable_bits(void **state)
{
	(void)state;
	for (uint16_t sources = 1; sources <= PLIC_SOURCES_MAX; sources++) {
		unsigned bits = 0;

		start(sources, 1);
		for (unsigned word = 0; word < 32; word++) {
			wr(enable_word(1, word), ~0u);
			bits += (unsigned)__builtin_popcount(rd(enable_word(1, word)));
		}
		assert_int_equal(bits, sources);
		open(0, sources, 1);
		raise(sources);
		assert_int_equal(claim(0), sources);
	}
}

static void l1_context__m_mode_or_beyond_the_last_hart__is_raz_wi(void **state)
{
	static const unsigned none[] = {0, 2, 4, 6, 7, 8, 15, 17, 1022, 1023};

	(void)state;
	wr(priority(UART), 7);
	raise(UART);
	for (size_t i = 0; i < HV_ARRAY_COUNT(none); i++) {
		if (none[i] < 0x1fe000 / PLIC_ENABLE_STRIDE) {
			wr(enable_word(none[i], 0), ~0u);
			assert_int_equal(rd(enable_word(none[i], 0)), 0);
		}
		wr(context(none[i], PLIC_THRESHOLD), 3);
		assert_int_equal(rd(context(none[i], PLIC_THRESHOLD)), 0);
		assert_int_equal(rd(context(none[i], PLIC_CLAIM)), 0);
		wr(context(none[i], PLIC_CLAIM), UART);
	}
	for (unsigned hart = 0; hart < HARTS; hart++) {
		assert_int_equal(rd(threshold(hart)), 0);
		assert_int_equal(rd(enable_word(2 * hart + 1, 0)), 0);
		assert_int_equal(bench.notified[hart], 0);
	}
}

static void l1_offset__between_the_registers__is_raz_wi(void **state)
{
	(void)state;
	open(0, UART, 1);
	raise(UART);
	for (uint64_t off = PLIC_PENDING + 0x80; off < PLIC_ENABLE; off += 4) {
		wr(off, ~0u);
		assert_int_equal(rd(off), 0);
	}
	for (uint64_t off = 8; off < PLIC_CONTEXT_STRIDE; off += 4) {
		wr(context(1, off), ~0u);
		assert_int_equal(rd(context(1, off)), 0);
	}
	wr(PLIC_PENDING, 0); /* read-only */
	assert_true(is_pending(UART));
	assert_int_equal(claim(0), UART);
}

static void l1_access__not_an_aligned_word__is_raz_wi(void **state)
{
	static const uint8_t sizes[] = {1, 2, 8};

	(void)state;
	open(0, UART, 6);
	raise(UART);
	for (size_t i = 0; i < HV_ARRAY_COUNT(sizes); i++) {
		assert_int_equal(access(priority(UART), sizes[i], false, ~0u), 0);
		assert_int_equal(access(context(1, PLIC_CLAIM), sizes[i], false, ~0u), 0);
		access(priority(UART), sizes[i], true, 1);
	}
	for (unsigned shift = 1; shift < 4; shift++) {
		assert_int_equal(access(priority(UART) + shift, 4, false, ~0u), 0);
		access(priority(UART) + shift, 4, true, 1);
	}
	assert_int_equal(rd(priority(UART)), 6);
	assert_int_equal(claim(0), UART);
}

static void l2_claim__none_pending_or_twice__is_0(void **state)
{
	(void)state;
	assert_int_equal(claim(0), 0);
	open(0, UART, 1);
	raise(UART);
	assert_int_equal(claim(0), UART);
	assert_int_equal(claim(0), 0);
}

static void l2_complete__without_a_claim__is_ignored(void **state)
{
	(void)state;
	open(0, UART, 1);
	complete(0, UART);
	assert_false(is_raised(0));
	raise(UART);
	complete(0, UART);
	assert_true(is_raised(0));
	assert_int_equal(bench.notified[0], 1);
	assert_int_equal(claim(0), UART);
}

static void l2_complete__no_such_source__is_ignored(void **state)
{
	static const uint32_t none[] = {0, SOURCES + 1, PLIC_SOURCES_MAX, 1024, UART + 1024,
		0x80000000u + UART, UINT32_MAX};

	(void)state;
	open(0, UART, 1);
	raise(UART);
	assert_int_equal(claim(0), UART);
	for (size_t i = 0; i < HV_ARRAY_COUNT(none); i++) {
		complete(0, none[i]);
		assert_false(is_raised(0));
	}
}

static void l2_complete__source_of_another_hart__counts_only_where_it_is_enabled(void **state)
{
	(void)state;
	open(0, UART, 1);
	raise(UART);
	assert_int_equal(claim(0), UART);
	complete(1, UART); /* not enabled there */
	assert_false(is_raised(0));
	enable(1, UART);
	complete(1, UART); /* PLIC 8: who claimed it is not looked at */
	assert_true(is_raised(0));
	assert_true(is_raised(1));
}

static void l2_complete__source_disabled_since_the_claim__is_ignored(void **state)
{
	(void)state;
	open(0, UART, 1);
	raise(UART);
	assert_int_equal(claim(0), UART);
	disable(0, UART);
	complete(0, UART);
	enable(0, UART);
	assert_false(is_raised(0));
	complete(0, UART);
	assert_true(is_raised(0));
}

static void l3_values__beyond_the_highest__keep_their_low_bits(void **state)
{
	(void)state;
	wr(priority(UART), 0xfffffffbu);
	assert_int_equal(rd(priority(UART)), 3);
	wr(threshold(0), ~0u);
	assert_int_equal(rd(threshold(0)), PLIC_PRIORITY_MAX);
	wr(enable_word(1, 0), 1);
	assert_int_equal(rd(enable_word(1, 0)), 0);
}

static void l3_threshold__highest__masks_every_source(void **state)
{
	(void)state;
	wr(threshold(0), PLIC_PRIORITY_MAX);
	for (uint32_t source = 1; source <= SOURCES; source++) {
		open(0, source, 7);
		raise(source);
	}
	assert_false(is_raised(0));
	assert_int_equal(claim(0), 0);
	wr(threshold(0), PLIC_PRIORITY_MAX - 1);
	assert_true(is_raised(0));
}

static void l4_claim__priorities__highest_first_and_of_equals_the_lowest(void **state)
{
	static const struct {
		uint32_t source, priority;
	} in[] = {{96, 7}, {2, 1}, {33, 5}, {31, 5}, {64, 7}, {1, 1}, {32, 5}, {63, 2}};
	static const uint32_t out[] = {64, 96, 31, 32, 33, 63, 1, 2};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(in); i++) {
		open(0, in[i].source, in[i].priority);
		raise(in[i].source);
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(out); i++) {
		assert_int_equal(claim(0), out[i]);
	}
	assert_int_equal(claim(0), 0);
}

static void l4_threshold__each_pair__lets_only_higher_priorities_through(void **state)
{
	(void)state;
	enable(0, UART);
	raise(UART);
	for (uint32_t t = 0; t <= PLIC_PRIORITY_MAX; t++) {
		wr(threshold(0), t);
		for (uint32_t p = 0; p <= PLIC_PRIORITY_MAX; p++) {
			wr(priority(UART), p);
			assert_int_equal(is_raised(0), p > t);
			assert_int_equal(claim(0), p > t ? UART : 0);
			complete(0, UART);
		}
	}
}

/* ---- reset ---- */

static void reset__in_the_middle_of_everything__is_power_on_and_lines_stay(void **state)
{
	(void)state;
	open(0, UART, 7);
	open(0, 40, 7);
	wr(threshold(1), 3);
	raise(UART);
	raise(40);
	assert_int_equal(claim(0), UART);
	assert_true(is_raised(0));
	plic_ops.reset(bench.plic);
	for (uint16_t hart = 0; hart < HARTS; hart++) {
		assert_false(is_raised(hart));
		assert_true(bench.notified[hart] != 0);
		assert_int_equal(rd(enable_word(2 * hart + 1, 0)), 0);
		assert_int_equal(rd(threshold(hart)), 0);
	}
	assert_int_equal(rd(priority(UART)), 0);
	assert_true(is_pending(UART)); /* the claim is forgotten, the line is not */
	assert_true(is_pending(40));
	open(0, UART, 1);
	assert_int_equal(claim(0), UART);
}

static void reset__each_source__has_priority_0_and_is_nobodys(void **state)
{
	(void)state;
	start(PLIC_SOURCES_MAX, PLIC_HARTS);
	for (uint32_t source = 1; source <= PLIC_SOURCES_MAX; source++) {
		open(source % PLIC_HARTS, source, 7);
	}
	plic_ops.reset(bench.plic);
	for (uint32_t source = 1; source <= PLIC_SOURCES_MAX; source++) {
		assert_int_equal(rd(priority(source)), 0);
		enable(source % PLIC_HARTS, source);
		raise(source);
		assert_false(is_raised(source % PLIC_HARTS));
	}
}

/* ---- races ---- */

static uint32_t got[2];

static void race_setup(void *ctx)
{
	bench_setup(NULL);
	got[0] = got[1] = 99;
	for (unsigned hart = 0; hart < 2; hart++) {
		enable(hart, 3);
		enable(hart, 70);
	}
	wr(priority(3), 1);
	wr(priority(70), 1);
	raise(3);
	if (ctx) {
		raise(70);
	}
}

static void claim_by_0(void *ctx)
{
	(void)ctx;
	got[0] = claim(0);
}

static void claim_by_1(void *ctx)
{
	(void)ctx;
	got[1] = claim(1);
}

static void check_one_got_it(void *ctx)
{
	(void)ctx;
	assert_int_equal(got[0] + got[1], 3);
	assert_true(got[0] == 0 || got[1] == 0);
	assert_false(is_raised(0));
	assert_false(is_raised(1));
}

static void check_each_got_one(void *ctx)
{
	(void)ctx;
	assert_int_equal(got[0] + got[1], 73);
	assert_true(got[0] == 3 || got[0] == 70);
}

static void l2_claim__two_harts_at_once__never_get_the_same(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = race_setup,
			    .cpu = {claim_by_0, claim_by_1},
			    .check = check_one_got_it}) > 1);
	assert_true(fake_race(&(struct fake_race){.setup = race_setup,
			    .cpu = {claim_by_0, claim_by_1},
			    .check = check_each_got_one,
			    .ctx = &bench}) > 1);
}

static void raise_3_anew(void *ctx)
{
	(void)ctx;
	lower(3);
	raise(3);
}

/* However they met: after the completion there is one request, that of the line. */
static void check_one_request(void *ctx)
{
	(void)ctx;
	assert_int_equal(got[0], 3);
	assert_false(is_raised(0));
	complete(0, 3);
	assert_true(is_raised(0));
	lower(3);
	assert_int_equal(claim(0), 3);
	complete(0, 3);
	assert_false(is_raised(0));
}

static void line__toggles_while_it_is_claimed__is_one_request(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = race_setup,
			    .cpu = {claim_by_0, raise_3_anew},
			    .check = check_one_request}) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(create__bad_counts__are_refused),
		bench_test(create__arena_too_small__is_no_memory),
		bench_test(add_hart__no_such_hart_or_nobody_to_tell__is_refused),
		bench_test(hart__nobody_added_it__raises_without_telling),
		bench_test(line__high_and_low__drives_the_hart_that_enabled_it),
		bench_test(source__claimed_and_completed_with_the_line_high__is_pending_again),
		bench_test(source__line_toggles_while_claimed__waits_for_the_completion),
		bench_test(claim__two_pending__the_hart_stays_raised_until_the_last),
		bench_test(claim__enabled_on_two_harts__one_gets_it_and_both_fall),
		bench_test(enable__changes_while_pending__drive_the_hart_both_ways),
		bench_test(priority__changes_while_pending__drive_the_hart_both_ways),
		bench_test(threshold__changes_while_pending__drive_the_hart_both_ways),
		bench_test(registers__each_priority_and_enable_bit__reads_as_written),
		bench_test(registers__read__take_no_lock_but_for_claim),
		bench_test(l1_source__0_or_beyond_the_last__does_not_exist),
		bench_test(l1_sources__each_count__has_exactly_its_enable_bits),
		bench_test(l1_context__m_mode_or_beyond_the_last_hart__is_raz_wi),
		bench_test(l1_offset__between_the_registers__is_raz_wi),
		bench_test(l1_access__not_an_aligned_word__is_raz_wi),
		bench_test(l2_claim__none_pending_or_twice__is_0),
		bench_test(l2_complete__without_a_claim__is_ignored),
		bench_test(l2_complete__no_such_source__is_ignored),
		bench_test(l2_complete__source_of_another_hart__counts_only_where_it_is_enabled),
		bench_test(l2_complete__source_disabled_since_the_claim__is_ignored),
		bench_test(l3_values__beyond_the_highest__keep_their_low_bits),
		bench_test(l3_threshold__highest__masks_every_source),
		bench_test(l4_claim__priorities__highest_first_and_of_equals_the_lowest),
		bench_test(l4_threshold__each_pair__lets_only_higher_priorities_through),
		bench_test(reset__in_the_middle_of_everything__is_power_on_and_lines_stay),
		bench_test(reset__each_source__has_priority_0_and_is_nobodys),
		bench_test(l2_claim__two_harts_at_once__never_get_the_same),
		bench_test(line__toggles_while_it_is_claimed__is_one_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

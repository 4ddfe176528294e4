/* SPDX-License-Identifier: MIT */
/* The guest's own translation in software. */
#include "trap_kit.h"

#define V   HV_BIT(0)
#define R   HV_BIT(1)
#define W   HV_BIT(2)
#define X   HV_BIT(3)
#define U   HV_BIT(4)
#define G   HV_BIT(5)
#define A   HV_BIT(6)
#define D   HV_BIT(7)
#define RSW HV_MASK(9, 8)
#define N   HV_BIT(63)

#define TABLES (KIT_RAM + 0x10000u)
#define VA     0x0000012345678abcu /* fits Sv48's lower half; cut down for Sv39 */

static struct rv64_vs vs;

static uint64_t table(unsigned level)
{
	return TABLES + level * 0x1000u;
}

static void put(uint64_t at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		kit_ram[at - KIT_RAM + i] = (uint8_t)(value >> 8 * i);
	}
}

static unsigned shift_of(unsigned level)
{
	return 12 + 9 * level;
}

static uint64_t slot(uint64_t va, unsigned level)
{
	return table(level) + (va >> shift_of(level) & 511) * 8;
}

static uint64_t pte(uint64_t pa, uint64_t bits)
{
	return pa >> 12 << 10 | bits;
}

/* Tables of so many levels that lead va to one descriptor at `level`, and nothing else. */
static void tables(unsigned levels, uint64_t va, unsigned level, uint64_t last)
{
	memset(kit_ram, 0, sizeof(kit_ram));
	vs.vsatp = (uint64_t)(levels + 5) << 60 | table(levels - 1) >> 12;
	for (unsigned n = levels - 1; n > level; n--) {
		put(slot(va, n), pte(table(n - 1), V));
	}
	put(slot(va, level), last);
}

static struct rv64_walk walk(uint64_t va, enum rv64_access access)
{
	return rv64_walk(&vs, &kit.vm->gmem, va, access);
}

static void finds(uint64_t va, enum rv64_access access, uint64_t gpa, unsigned shift)
{
	struct rv64_walk found = walk(va, access);

	assert_int_equal(found.cause, 0);
	assert_int_equal(found.gpa.v, gpa);
	assert_int_equal(found.shift, shift);
}

/* Every kind of access takes its own cause. */
static void page_faults(uint64_t va)
{
	assert_int_equal(walk(va, RV64_FETCH).cause, RV64_FETCH_PAGE);
	assert_int_equal(walk(va, RV64_LOAD).cause, RV64_LOAD_PAGE);
	assert_int_equal(walk(va, RV64_STORE).cause, RV64_STORE_PAGE);
}

static void access_faults(uint64_t va)
{
	assert_int_equal(walk(va, RV64_FETCH).cause, RV64_FETCH_FAULT);
	assert_int_equal(walk(va, RV64_LOAD).cause, RV64_LOAD_FAULT);
	assert_int_equal(walk(va, RV64_STORE).cause, RV64_STORE_FAULT);
}

static int setup(void **state)
{
	vs = (struct rv64_vs){0};
	return kit_setup(state);
}

static void walk__bare__is_the_address_itself(void **state)
{
	(void)state;
	vs.vsatp = 0x0fffffffffffffffu;
	finds(0, RV64_LOAD, 0, 64);
	finds(UINT64_MAX, RV64_STORE, UINT64_MAX, 64);
}

static void walk__every_mode_and_leaf_size__is_the_leaf_and_the_offset(void **state)
{
	(void)state;
	for (unsigned levels = 3; levels <= 5; levels++) {
		for (unsigned level = 0; level < levels; level++) {
			uint64_t va = hv_sign_extend(VA, 12 + 9 * levels);
			uint64_t pa = HV_BIT(shift_of(level)) * 5;
			uint64_t offset = HV_MASK(shift_of(level) - 1, 0);

			tables(levels, va, level, pte(pa, V | R | W | X));
			finds(va, RV64_LOAD, pa | (va & offset), shift_of(level));
			finds(va | offset, RV64_STORE, pa | offset, shift_of(level));
			finds(va & ~offset, RV64_FETCH, pa, shift_of(level));
			page_faults(va ^ (offset + 1)); /* its neighbour */
		}
	}
}

static void walk__address_beyond_the_mode__page_fault(void **state)
{
	(void)state;
	for (unsigned levels = 3; levels <= 5; levels++) {
		unsigned bits = 12 + 9 * levels;
		uint64_t low = HV_MASK(bits - 2, 0), high = ~low;

		tables(levels, low, 0, pte(KIT_RAM, V | R | W | X));
		finds(low, RV64_LOAD, KIT_RAM | 0xfff, 12);
		page_faults(low | HV_BIT(bits));
		page_faults(low | HV_BIT(63));
		tables(levels, high, 0, pte(KIT_RAM, V | R | W | X));
		finds(high, RV64_LOAD, KIT_RAM, 12);
		page_faults(high & ~HV_BIT(bits));
		page_faults(high & ~HV_BIT(63));
	}
}

static void walk__reserved_mode__page_fault(void **state)
{
	(void)state;
	for (uint64_t mode = 1; mode < 16; mode++) {
		if (mode < 8 || mode > 10) {
			vs.vsatp = mode << 60 | TABLES >> 12;
			page_faults(0);
		}
	}
}

/* ---- permissions ---- */

static bool allowed(uint64_t bits, enum rv64_access access)
{
	bool sum = vs.vsstatus & RV64_STATUS_SUM, mxr = vs.vsstatus & RV64_STATUS_MXR;
	bool mode = vs.user ? (bits & U) != 0 : !(bits & U) || (sum && access != RV64_FETCH);

	switch (access) {
	case RV64_FETCH: return mode && (bits & X);
	case RV64_LOAD: return mode && ((bits & R) || (mxr && (bits & X)));
	default: return mode && (bits & W);
	}
}

static void walk__every_permission_mode_and_access__as_the_hart_decides(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 16 * 8 * 3; n++) {
		uint64_t bits = V | (uint64_t)(n % 16) << 1;
		enum rv64_access access = n / 128;
		struct rv64_walk found;

		if ((bits & (R | W | X)) == 0 || (bits & (R | W)) == W) {
			continue; /* a table; reserved */
		}
		vs.user = n >> 4 & 1;
		vs.vsstatus =
			(n >> 5 & 1 ? RV64_STATUS_SUM : 0) | (n >> 6 & 1 ? RV64_STATUS_MXR : 0);
		tables(3, 0x1000, 0, pte(KIT_RAM, bits));
		found = walk(0x1000, access);
		assert_int_equal(found.cause, allowed(bits, access) ? 0 : rv64_page_fault(access));
	}
}

/* The hart sets them, or has taken a page fault before. */
static void p11_walk__accessed_and_dirty_clear__are_the_harts_business(void **state)
{
	(void)state;
	for (uint64_t bits = 0; bits <= (A | D); bits += A) {
		tables(3, 0x1000, 0, pte(KIT_RAM, V | R | W | bits));
		finds(0x1000, RV64_STORE, KIT_RAM, 12);
	}
}

/* ---- descriptors ---- */

static void walk__bits_that_mean_nothing_here__are_ignored(void **state)
{
	(void)state;
	tables(3, 0x1000, 0, pte(KIT_RAM, V | R | G | RSW));
	put(slot(0x1000, 1), pte(table(0), V | G | RSW));
	finds(0x1000, RV64_LOAD, KIT_RAM, 12);
}

static void p11_walk__invalid_or_reserved_leaf__page_fault(void **state)
{
	(void)state;
	for (unsigned level = 0; level < 3; level++) {
		tables(3, 0x1000, level, pte(0, R | W | X | A | D));
		page_faults(0x1000);
		tables(3, 0x1000, level, pte(0, V | W));
		page_faults(0x1000);
		tables(3, 0x1000, level, pte(0, V | W | X));
		page_faults(0x1000);
		for (unsigned bit = 54; bit <= 60; bit++) {
			tables(3, 0x1000, level, pte(0, V | R | W | X) | HV_BIT(bit));
			page_faults(0x1000);
		}
	}
}

static void p11_walk__misaligned_superpage__page_fault(void **state)
{
	(void)state;
	for (unsigned level = 1; level < 5; level++) {
		for (unsigned bit = 12; bit < shift_of(level); bit++) {
			tables(5, 0x1000, level, pte(HV_BIT(bit), V | R | W | X));
			page_faults(0x1000);
		}
	}
}

static void walk__memory_type__is_the_harts_business(void **state)
{
	(void)state;
	for (uint64_t pbmt = 0; pbmt < 4; pbmt++) {
		tables(3, 0x1000, 0, pte(KIT_RAM, V | R | W | X) | pbmt << 61);
		if (pbmt == 3) {
			page_faults(0x1000);
		} else {
			finds(0x1000, RV64_LOAD, KIT_RAM, 12);
		}
	}
}

static void walk__napot__spans_64_kib(void **state)
{
	(void)state;
	tables(3, 0x5000, 0, pte(KIT_RAM | 0x8000, V | R) | N);
	finds(0x5123, RV64_LOAD, KIT_RAM | 0x5123, 16);
	for (uint64_t low = 0; low < 16; low++) {
		tables(3, 0x5000, 0, pte(KIT_RAM | low << 12, V | R) | N);
		if (low == 8) {
			finds(0x5000, RV64_LOAD, KIT_RAM | 0x5000, 16);
		} else {
			page_faults(0x5000);
		}
	}
	tables(3, 0x5000, 1, pte(KIT_RAM, V | R) | N);
	page_faults(0x5000);
}

static void p11_walk__reserved_bits_of_a_table__page_fault(void **state)
{
	const uint64_t bits[] = {U, A, D, N, HV_BIT(61), HV_BIT(62), HV_BIT(54), HV_BIT(60)};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(bits); n++) {
		tables(3, 0x1000, 0, pte(KIT_RAM, V | R | W | X));
		put(slot(0x1000, 1), pte(table(0), V) | bits[n]);
		page_faults(0x1000);
	}
}

static void p13_walk__table_at_the_last_level__page_fault(void **state)
{
	(void)state;
	tables(3, 0x1000, 0, pte(TABLES, V));
	page_faults(0x1000);
}

static void p13_walk__table_that_leads_to_itself__ends(void **state)
{
	(void)state;
	for (unsigned levels = 3; levels <= 5; levels++) {
		memset(kit_ram, 0, sizeof(kit_ram));
		vs.vsatp = (uint64_t)(levels + 5) << 60 | TABLES >> 12;
		put(TABLES, pte(TABLES, V));
		page_faults(0);
	}
}

static void p13_walk__table_that_is_no_memory__access_fault_and_no_device_access(void **state)
{
	static const uint64_t where[] = {KIT_DEV, KIT_NOTHING, KIT_RAM + KIT_RAM_SIZE, HV_BIT(55)};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(where); n++) {
		vs.vsatp = (uint64_t)8 << 60 | where[n] >> 12;
		access_faults(0);
		tables(3, 0x1000, 1, pte(where[n], V));
		access_faults(0x1000);
	}
	assert_int_equal(kit.dev.accesses, 0);
}

/* ---- instructions ---- */

#define CODE (KIT_RAM + 0x20000u)

static bool peek(uint64_t va, uint32_t *insn)
{
	return rv64_insn_peek(&vs, &kit.vm->gmem, va, insn);
}

/* Two pages of code at va 0x1000 and 0x2000, whose memory is apart. */
static void code(uint64_t first, uint64_t second)
{
	tables(3, 0x1000, 0, first);
	put(slot(0x2000, 0), second);
}

static void peek__both_lengths__are_read_as_far_as_they_go(void **state)
{
	uint32_t insn = 0;

	(void)state;
	code(pte(CODE, V | X), 0);
	put(CODE, 0xffffaab900000513u);
	assert_true(peek(0x1000, &insn));
	assert_int_equal(insn, 0x00000513);
	assert_true(peek(0x1004, &insn));
	assert_int_equal(insn, 0xaab9);
}

static void d11_peek__16_bits_at_the_end_of_memory__needs_no_more(void **state)
{
	uint32_t insn = 0;

	(void)state;
	code(pte(CODE, V | X), 0);
	put(CODE + 0xff8, (uint64_t)0x4501 << 48);
	assert_true(peek(0x1ffe, &insn));
	assert_int_equal(insn, 0x4501);
	put(CODE + 0xff8, (uint64_t)0x0513 << 48);
	assert_false(peek(0x1ffe, &insn));
}

static void d9_peek__across_pages__follows_the_guests_tables(void **state)
{
	uint32_t insn = 0;

	(void)state;
	code(pte(CODE, V | X), pte(CODE + 0x5000, V | X));
	put(CODE + 0xff8, (uint64_t)0x0513 << 48);
	put(CODE + 0x1000, 0xffff);
	put(CODE + 0x5000, 0x1234);
	assert_true(peek(0x1ffe, &insn));
	assert_int_equal(insn, 0x12340513);
}

static void peek__nothing_to_execute__fails(void **state)
{
	uint32_t insn = 0x77;

	(void)state;
	code(pte(CODE, V | R | W), pte(KIT_DEV, V | X));
	assert_false(peek(0x1000, &insn));
	assert_false(peek(0x2000, &insn));
	assert_int_equal(insn, 0x77);
	assert_int_equal(kit.dev.accesses, 0);
}

#define walk_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		walk_test(walk__bare__is_the_address_itself),
		walk_test(walk__every_mode_and_leaf_size__is_the_leaf_and_the_offset),
		walk_test(walk__address_beyond_the_mode__page_fault),
		walk_test(walk__reserved_mode__page_fault),
		walk_test(walk__every_permission_mode_and_access__as_the_hart_decides),
		walk_test(p11_walk__accessed_and_dirty_clear__are_the_harts_business),
		walk_test(walk__bits_that_mean_nothing_here__are_ignored),
		walk_test(p11_walk__invalid_or_reserved_leaf__page_fault),
		walk_test(p11_walk__misaligned_superpage__page_fault),
		walk_test(walk__memory_type__is_the_harts_business),
		walk_test(walk__napot__spans_64_kib),
		walk_test(p11_walk__reserved_bits_of_a_table__page_fault),
		walk_test(p13_walk__table_at_the_last_level__page_fault),
		walk_test(p13_walk__table_that_leads_to_itself__ends),
		walk_test(p13_walk__table_that_is_no_memory__access_fault_and_no_device_access),
		walk_test(peek__both_lengths__are_read_as_far_as_they_go),
		walk_test(d11_peek__16_bits_at_the_end_of_memory__needs_no_more),
		walk_test(d9_peek__across_pages__follows_the_guests_tables),
		walk_test(peek__nothing_to_execute__fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The software walk of the guest's own tables (P13, P14), against geometry as the Arm ARM tables
 * it. */
#include "a64_kit.h"

#include <arch/aarch64/walk.h>

/* By granule: TG0 and TG1 encodings, and the lowest address bit of each level's index. */
struct granule {
	unsigned tg0, tg1, page_shift;
	unsigned shift[4];
	unsigned last_l0, last_l1, last_l2; /* largest T<n>SZ that starts at level 0, 1, 2 */
	unsigned first_block;               /* lowest-numbered level that may hold a block */
};

static const struct granule granules[] = {
	{0, 2, 12, {39, 30, 21, 12}, 24, 33, 39, 1},
	{2, 1, 14, {47, 36, 25, 14}, 16, 27, 38, 2},
	{1, 3, 16, {64, 42, 29, 16}, 0, 21, 34, 2},
};

#define FSC_SIZE       0x00u
#define FSC_TRANSLATE  0x04u
#define FSC_ACCESS     0x08u
#define FSC_PERMISSION 0x0cu
#define FSC_WALK       0x14u

#define AF    HV_BIT(10)
#define OUT   0x1234560000u /* where leaves point, cut to their size */
#define VALID 1u

static struct {
	struct a64_el1 el1;
	struct a64_walk walk;
	uint64_t next; /* table memory handed out so far */
} test;

static int setup(void **state)
{
	kit_setup(state);
	memset(&test, 0, sizeof(test));
	test.el1.sctlr = 1;
	test.walk = (struct a64_walk){
		.el1 = &test.el1, .gmem = &kit.vm->gmem, .pa_bits = 40, .access = A64_WALK_READ};
	return 0;
}

#define walk_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

static uint64_t new_table(const struct granule *g)
{
	uint64_t size = HV_BIT(g->page_shift), at = KIT_RAM + test.next;

	test.next += size;
	assert_true(test.next <= KIT_RAM_SIZE);
	return at;
}

static void put(uint64_t at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		kit_ram[at - KIT_RAM + i] = (uint8_t)(value >> 8 * i);
	}
}

static unsigned start_of(const struct granule *g, unsigned tsz)
{
	return tsz <= g->last_l0 ? 0 : tsz <= g->last_l1 ? 1 : tsz <= g->last_l2 ? 2 : 3;
}

static void set_tcr(const struct granule *g, bool upper, unsigned tsz)
{
	/* The other half is switched off; 48 bits of output, if the CPU had them. */
	test.el1.tcr = (uint64_t)5 << 32;
	test.el1.tcr |= upper ? (uint64_t)tsz << 16 | (uint64_t)g->tg1 << 30 | HV_BIT(7)
			      : (uint64_t)tsz | g->tg0 << 14 | HV_BIT(23);
}

/* Maps va by a leaf at `level` with these bits; returns where the leaf's descriptor is. */
static uint64_t map(const struct granule *g, bool upper, unsigned tsz, uint64_t va, unsigned level,
	uint64_t leaf)
{
	unsigned from = start_of(g, tsz);
	uint64_t table = new_table(g), at = 0;

	set_tcr(g, upper, tsz);
	*(upper ? &test.el1.ttbr1 : &test.el1.ttbr0) = table | (uint64_t)0xabcd << 48 | 1;
	va &= HV_MASK(63 - tsz, 0);
	for (unsigned l = from;; l++) {
		uint64_t in_table = l == from ? va : va & (HV_BIT(g->shift[l - 1]) - 1);

		at = table + (in_table >> g->shift[l]) * 8;
		if (l == level) {
			put(at, leaf);
			return at;
		}
		table = new_table(g);
		put(at, table | 3);
	}
}

static uint64_t leaf_at(const struct granule *g, unsigned level, uint64_t bits)
{
	return (OUT & ~(HV_BIT(g->shift[level]) - 1)) | bits | (level == 3 ? 3 : 1);
}

static void expect_gpa(uint64_t va, uint64_t gpa)
{
	assert_true(a64_walk(&test.walk, va));
	assert_int_equal(test.walk.gpa, gpa);
}

static void expect_fault(uint64_t va, unsigned fsc)
{
	assert_false(a64_walk(&test.walk, va));
	assert_int_equal(test.walk.fsc, fsc);
}

/* An address of that size and half with something in every index. */
static uint64_t some_va(bool upper, unsigned tsz)
{
	uint64_t low = 0x0000b5a3965ac735u & HV_MASK(63 - tsz, 0);

	return upper ? low | ~HV_MASK(63 - tsz, 0) : low;
}

static void p13_walk__every_granule_size_half_and_level__finds_the_leaf(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 3 * 2 * 24; n++) {
		const struct granule *g = &granules[n / 48];
		bool upper = n & 1;
		unsigned tsz = 16 + n % 48 / 2;
		uint64_t va = some_va(upper, tsz);

		for (unsigned level = start_of(g, tsz); level < 4; level++) {
			uint64_t span;

			if (level < g->first_block) {
				continue;
			}
			test.next = 0;
			memset(kit_ram, 0, sizeof(kit_ram));
			span = HV_BIT(g->shift[level]);
			map(g, upper, tsz, va, level, leaf_at(g, level, AF));
			expect_gpa(va, (OUT & ~(span - 1)) | (va & (span - 1)));
			/* The first address that is not this half's. */
			expect_fault(upper ? ~HV_MASK(63 - tsz, 0) - 1 : HV_BIT(64 - tsz),
				FSC_TRANSLATE);
		}
	}
}

static void p13_walk__invalid_at_each_level__translation_fault_of_that_level(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		const struct granule *g = &granules[n];
		unsigned from = start_of(g, 16);
		uint64_t va = some_va(false, 16);

		for (unsigned level = from; level < 4; level++) {
			test.next = 0;
			memset(kit_ram, 0, sizeof(kit_ram));
			map(g, false, 16, va, level, 0);
			expect_fault(va, FSC_TRANSLATE | level);
			put(KIT_RAM, 0);
		}
	}
}

static void p13_walk__block_where_there_is_none__translation_fault(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		const struct granule *g = &granules[n];
		uint64_t va = some_va(false, 16);

		for (unsigned level = start_of(g, 16); level < g->first_block; level++) {
			test.next = 0;
			map(g, false, 16, va, level, AF | VALID);
			expect_fault(va, FSC_TRANSLATE | level);
		}
		test.next = 0;
		map(g, false, 16, va, 3, AF | VALID); /* and a page that says it is a block */
		expect_fault(va, FSC_TRANSLATE | 3);
	}
}

static const struct granule *const g4k = &granules[0];

static void p13_walk__access_flag_clear__access_flag_fault(void **state)
{
	(void)state;
	for (unsigned level = 1; level < 4; level++) {
		test.next = 0;
		map(g4k, false, 16, 0x7000, level, leaf_at(g4k, level, 0));
		expect_fault(0x7000, FSC_ACCESS | level);
	}
}

static void p13_walk__table_outside_memory__external_abort_with_its_level(void **state)
{
	static const uint64_t where[] = {KIT_NOTHING, KIT_DEV, 0xfffffff000, 0};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(where); i++) {
		for (unsigned level = 0; level < 3; level++) {
			setup(NULL);
			map(g4k, false, 16, 0x1000, level, where[i] | 3);
			expect_fault(0x1000, FSC_WALK | (level + 1));
			assert_int_equal(kit.dev.accesses, 0);
		}
	}
	test.el1.ttbr0 = KIT_DEV;
	expect_fault(0x1000, FSC_WALK | 0);
}

static void p13_walk__table_of_itself__ends_at_the_last_level(void **state)
{
	uint64_t table = KIT_RAM;

	(void)state;
	set_tcr(g4k, false, 16);
	test.el1.ttbr0 = table;
	put(table, table | 3 | AF); /* entry 0 is this table, at every level; then a page */
	expect_gpa(0x123, KIT_RAM | 0x123);
	put(table, table | 3);
	expect_fault(0x123, FSC_ACCESS | 3);
}

static void p12_walk__address_beyond_the_output_size__address_size_fault(void **state)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 48, 48};

	(void)state;
	for (unsigned ips = 0; ips < 8; ips++) {
		unsigned most = bits[ips] < 40 ? bits[ips] : 40;

		for (unsigned level = 0; level < 3; level++) {
			setup(NULL);
			map(g4k, false, 16, 0x1000, level, HV_BIT(most) | 3);
			test.el1.tcr = (test.el1.tcr & ~HV_MASK(34, 32)) | (uint64_t)ips << 32;
			expect_fault(0x1000, FSC_SIZE | level);
		}
		setup(NULL);
		map(g4k, false, 16, 0x1000, 3, HV_BIT(most) | AF | 3);
		test.el1.tcr = (test.el1.tcr & ~HV_MASK(34, 32)) | (uint64_t)ips << 32;
		expect_fault(0x1000, FSC_SIZE | 3);
		setup(NULL);
		map(g4k, false, 16, 0x1000, 3, HV_BIT(most - 1) | AF | 3);
		test.el1.tcr = (test.el1.tcr & ~HV_MASK(34, 32)) | (uint64_t)ips << 32;
		expect_gpa(0x1000, HV_BIT(most - 1));
		test.el1.ttbr0 |= HV_BIT(most);
		expect_fault(0x1000, FSC_SIZE | 0);
	}
}

static void p12_walk__sizes_outside_16_to_39_and_disabled_halves__translation_fault(void **state)
{
	(void)state;
	for (unsigned tsz = 0; tsz < 64; tsz++) {
		if (tsz >= 16 && tsz <= 39) {
			continue;
		}
		set_tcr(g4k, false, tsz);
		expect_fault(0, FSC_TRANSLATE);
		set_tcr(g4k, true, tsz);
		expect_fault(~(uint64_t)0, FSC_TRANSLATE);
	}
	setup(NULL);
	map(g4k, false, 16, 0, 3, leaf_at(g4k, 3, AF));
	test.el1.tcr |= HV_BIT(7); /* EPD0 */
	expect_fault(0, FSC_TRANSLATE);
	setup(NULL);
	map(g4k, true, 16, ~(uint64_t)0, 3, leaf_at(g4k, 3, AF));
	test.el1.tcr |= HV_BIT(23); /* EPD1 */
	expect_fault(~(uint64_t)0, FSC_TRANSLATE);
}

static void p12_walk__reserved_granules__translation_fault(void **state)
{
	(void)state;
	map(g4k, false, 16, 0, 3, leaf_at(g4k, 3, AF));
	test.el1.tcr |= 3u << 14;
	expect_fault(0, FSC_TRANSLATE);
	setup(NULL);
	map(g4k, true, 16, ~(uint64_t)0, 3, leaf_at(g4k, 3, AF));
	test.el1.tcr &= ~HV_MASK(31, 30);
	expect_fault(~(uint64_t)0, FSC_TRANSLATE);
}

static void walk__top_byte__counts_unless_tbi(void **state)
{
	const uint64_t low = 0x5000, high = ~(uint64_t)0xfff;

	(void)state;
	map(g4k, false, 16, low, 3, leaf_at(g4k, 3, AF));
	expect_fault(low | (uint64_t)0x5a << 56, FSC_TRANSLATE);
	test.el1.tcr |= HV_BIT(37);
	expect_gpa(low | (uint64_t)0x5a << 56, OUT);
	expect_fault(low | HV_BIT(54), FSC_TRANSLATE); /* not a bit of the tag */
	setup(NULL);
	map(g4k, true, 16, high, 3, leaf_at(g4k, 3, AF));
	expect_fault(high & ~((uint64_t)0x5a << 56), FSC_TRANSLATE);
	test.el1.tcr |= HV_BIT(38);
	expect_gpa(high & ~((uint64_t)0x5a << 56), OUT);
}

static void d13_walk__big_endian_tables(void **state)
{
	uint64_t at;

	(void)state;
	at = map(g4k, false, 33, 0x3000, 1, leaf_at(g4k, 1, AF));
	put(at, __builtin_bswap64(leaf_at(g4k, 1, AF)));
	expect_fault(0x3000, FSC_TRANSLATE | 1);
	test.el1.sctlr |= HV_BIT(25);
	expect_gpa(0x3000, (OUT & ~(HV_GIB(1) - 1)) | 0x3000);
}

static void walk__small_root__base_is_masked_to_its_size(void **state)
{
	(void)state;
	/* T0SZ 33: 31 bits from level 1 at 2^30: two entries, 16 bytes; 64 is the least. */
	map(g4k, false, 33, 0, 1, leaf_at(g4k, 1, AF));
	test.el1.ttbr0 |= 0x3e;
	expect_gpa(0x3000, (OUT & ~(HV_GIB(1) - 1)) | 0x3000);
}

/* ---- permissions ---- */

struct rights {
	bool el0, writable, uxn, pxn, wxn;
};

/* DDI 0487, D8.4: what the EL1&0 regime allows. */
static bool allowed(const struct rights *r, bool el0, enum a64_walk_access access)
{
	bool write = r->writable && (r->el0 || !el0);

	switch (access) {
	case A64_WALK_READ: return !el0 || r->el0;
	case A64_WALK_WRITE: return write;
	default: break;
	}
	if (r->wxn && write) {
		return false;
	}
	return el0 ? !r->uxn : !r->pxn && !(r->el0 && r->writable);
}

static void p13_walk__every_permission_mix_in_leaf_or_table(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 32 * 2; n++) {
		const struct rights r = {n & 1, n & 2, n & 4, n & 8, n & 16};
		bool by_table = n & 32;
		uint64_t leaf = AF, table = 3;

		setup(NULL);
		if (by_table) {
			leaf |= HV_BIT(6);
			table |= r.el0 ? 0 : HV_BIT(61);
			table |= r.writable ? 0 : HV_BIT(62);
			table |= r.uxn ? HV_BIT(60) : 0;
			table |= r.pxn ? HV_BIT(59) : 0;
		} else {
			leaf |= r.el0 ? HV_BIT(6) : 0;
			leaf |= r.writable ? 0 : HV_BIT(7);
			leaf |= r.uxn ? HV_BIT(54) : 0;
			leaf |= r.pxn ? HV_BIT(53) : 0;
		}
		test.el1.sctlr |= r.wxn ? HV_BIT(19) : 0;
		map(g4k, false, 25, 0x2000, 3, leaf_at(g4k, 3, leaf));
		put(KIT_RAM, (KIT_RAM + 0x1000) | table);
		for (unsigned el0 = 0; el0 < 2; el0++) {
			for (unsigned access = 0; access < 3; access++) {
				test.walk.el0 = el0;
				test.walk.access = access;
				if (allowed(&r, el0, access)) {
					expect_gpa(0x2abc, OUT | 0xabc);
				} else {
					expect_fault(0x2abc, FSC_PERMISSION | 3);
				}
			}
		}
	}
}

/* ---- MMU off ---- */

static void walk__mmu_off__the_address_itself(void **state)
{
	(void)state;
	test.el1.sctlr = 0;
	test.walk.access = A64_WALK_FETCH;
	test.walk.el0 = true;
	expect_gpa(0, 0);
	expect_gpa(0xffffffffff, 0xffffffffff);
	expect_fault(HV_BIT(40), FSC_SIZE);
	expect_fault(~(uint64_t)0, FSC_SIZE);
	expect_fault(0x1000 | (uint64_t)0x5a << 56, FSC_SIZE);
	test.el1.tcr = HV_BIT(37);
	expect_gpa(0x1000 | (uint64_t)0x5a << 56, 0x1000);
	expect_fault(0x1000 | HV_BIT(55) | (uint64_t)0x5a << 56, FSC_SIZE);
	test.el1.tcr = HV_BIT(38);
	expect_fault(0x1000 | HV_BIT(55) | (uint64_t)0x5a << 56, FSC_SIZE); /* bit 55 stays */
}

/* ---- random tables ---- */

static void p13_walk__random_tables_and_registers__ends_and_stays_in_memory(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		for (unsigned i = 0; i < 8; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			/* Mostly valid tables that point back into the memory. */
			put(KIT_RAM + (seed >> 40) % (KIT_RAM_SIZE / 8) * 8,
				(seed & ~HV_MASK(47, 18)) | KIT_RAM | (seed >> 20 & 3));
		}
		test.el1.tcr = seed ^ seed >> 11;
		test.el1.ttbr0 = KIT_RAM | (seed >> 5 & 0x3ffff);
		test.el1.ttbr1 = KIT_RAM | (seed >> 9 & 0x3ffff);
		test.walk.access = n % 3;
		if (!a64_walk(&test.walk, seed >> (seed & 31))) {
			assert_true(test.walk.fsc < 0x18 && (test.walk.fsc & ~3u) != 0x10);
		}
	}
}

/* ---- the virtual CPU's size ---- */

static void pa_bits__follow_the_vms_address_space(void **state)
{
	static const struct {
		uint8_t ia_bits, pa_bits, range;
	} row[] = {{31, 32, 0}, {32, 32, 0}, {35, 32, 0}, {36, 36, 1}, {39, 36, 1}, {40, 40, 2},
		{42, 42, 3}, {44, 44, 4}, {47, 44, 4}, {48, 48, 5}, {52, 48, 5}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		kit.vm->pt.ia_bits = row[i].ia_bits;
		assert_int_equal(a64_pa_bits(kit.vcpu), row[i].pa_bits);
		assert_int_equal(a64_pa_range(kit.vcpu), row[i].range);
	}
	kit.vm->pt.ia_bits = 40;
}

static unsigned span_of(uint64_t va)
{
	return a64_walk_span(&test.el1, &kit.vm->gmem, va);
}

static void walk_span__leaf_or_hole_at_each_level_of_each_granule__its_size(void **state)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(granules); i++) {
		const struct granule *g = &granules[i];

		for (unsigned level = g->first_block; level <= 3; level++) {
			uint64_t va = some_va(true, 25), at;

			setup(state);
			at = map(g, true, 25, va, level, leaf_at(g, level, AF));
			assert_int_equal(span_of(va), g->shift[level]);
			put(at, 0);
			assert_int_equal(span_of(va), g->shift[level]);
		}
	}
}

static void walk_span__no_walk__all_of_the_address_space(void **state)
{
	(void)state;
	map(g4k, false, 25, 0x1000, 3, leaf_at(g4k, 3, AF));
	assert_int_equal(span_of(0x1000), 12);
	assert_int_equal(span_of(HV_BIT(50)), 64); /* beyond T0SZ */
	test.el1.sctlr = 0;
	assert_int_equal(span_of(0x1000), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		walk_test(p13_walk__every_granule_size_half_and_level__finds_the_leaf),
		walk_test(p13_walk__invalid_at_each_level__translation_fault_of_that_level),
		walk_test(p13_walk__block_where_there_is_none__translation_fault),
		walk_test(p13_walk__access_flag_clear__access_flag_fault),
		walk_test(p13_walk__table_outside_memory__external_abort_with_its_level),
		walk_test(p13_walk__table_of_itself__ends_at_the_last_level),
		walk_test(p12_walk__address_beyond_the_output_size__address_size_fault),
		walk_test(p12_walk__sizes_outside_16_to_39_and_disabled_halves__translation_fault),
		walk_test(p12_walk__reserved_granules__translation_fault),
		walk_test(walk__top_byte__counts_unless_tbi),
		walk_test(d13_walk__big_endian_tables),
		walk_test(walk__small_root__base_is_masked_to_its_size),
		walk_test(p13_walk__every_permission_mix_in_leaf_or_table),
		walk_test(walk__mmu_off__the_address_itself),
		walk_test(p13_walk__random_tables_and_registers__ends_and_stays_in_memory),
		walk_test(pa_bits__follow_the_vms_address_space),
		walk_test(walk_span__leaf_or_hole_at_each_level_of_each_granule__its_size),
		walk_test(walk_span__no_walk__all_of_the_address_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

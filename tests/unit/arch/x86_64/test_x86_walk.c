/* SPDX-License-Identifier: MIT */
/* The guest's own tables, of each format: where they lead, what they grant, what they are refused
 * for. */
#include "x86_kit.h"

#include <arch/x86_64/walk.h>

#define PAGE  0x40000u  /* a linear address below 2 MiB, and its frame */
#define LARGE 0x800000u /* in a 2 MiB page */

#define PF_P    X86_PF_PRESENT
#define PF_W    X86_PF_WRITE
#define PF_U    X86_PF_USER
#define PF_RSVD X86_PF_RSVD
#define PF_I    X86_PF_FETCH

static void found(uint64_t linear, enum x86_use use, uint64_t gpa)
{
	struct x86_walk walk = x86_walk(kit.vcpu, linear, use);

	assert_true(walk.ok);
	assert_int_equal(walk.gpa.v, gpa);
}

static void refused(uint64_t linear, enum x86_use use, uint32_t error)
{
	struct x86_walk walk = x86_walk(kit.vcpu, linear, use);

	assert_false(walk.ok);
	assert_int_equal(walk.error, error);
}

/* ---- long mode ---- */

static void long_mode__pages_of_each_size__lead_to_their_frames(void **state)
{
	(void)state;
	found(PAGE + 0x123, X86_READ, PAGE + 0x123);
	kit_set64(kit_pte(PAGE), 0x77000 | PTE_P);
	found(PAGE + 0xfff, X86_READ, 0x77fff);
	found(LARGE + 0x1234, X86_READ, LARGE + 0x1234);
	kit_set64(KIT_TABLES + 0x1000 + 8, 0x40000000 | PTE_P | PTE_PS); /* 1 GiB */
	found(0x40123456, X86_READ, 0x40123456);
}

static void p13_long_mode__hole_at_each_level__is_not_present(void **state)
{
	(void)state;
	refused(0x8000000000, X86_READ, 0);
	refused(0x40000000, X86_WRITE, PF_W);
	refused(0x3000000, X86_READ, 0);
	kit_set64(kit_pte(PAGE), 0);
	refused(PAGE, X86_READ, 0);
	kit.sys->cpl = 3;
	refused(PAGE, X86_READ, PF_U);
}

/* Five levels: the root's first descriptor leads to the four that were there. */
static void long_mode__five_levels__one_more_is_read(void **state)
{
	(void)state;
	kit_set64(0x8000, KIT_TABLES | PTE_P | PTE_W | PTE_U);
	kit.sys->cr3 = 0x8000;
	kit.sys->cr4 |= X86_CR4_LA57;
	found(PAGE, X86_READ, PAGE);
	refused((uint64_t)1 << 48, X86_READ, 0);
	assert_true(kit_get64(0x8000) & PTE_A);
}

static void p13_long_mode__reserved_bits__are_refused_as_such(void **state)
{
	const uint64_t rights = PTE_P | PTE_W;

	(void)state;
	kit_set64(kit_pte(PAGE), PAGE | rights | HV_BIT(40)); /* beyond 40 address bits */
	refused(PAGE, X86_READ, PF_P | PF_RSVD);
	kit_set64(kit_pte(PAGE), PAGE | rights | HV_BIT(39)); /* the last of them */
	found(PAGE, X86_READ, PAGE | HV_BIT(39));
	kit_set64(kit_pte(PAGE), PAGE | rights | PTE_NX); /* without EFER.NXE */
	refused(PAGE, X86_READ, PF_P | PF_RSVD);
	kit_set64(kit_pte(PAGE), PAGE | rights | HV_BIT(52) | HV_BIT(62)); /* the OS' own */
	found(PAGE, X86_READ, PAGE);
	kit_set64(KIT_TABLES + 0x2000 + 4 * 8, LARGE | rights | PTE_PS | HV_BIT(13));
	refused(LARGE, X86_READ, PF_P | PF_RSVD);
	kit_set64(KIT_TABLES + 0x2000 + 4 * 8, LARGE | rights | PTE_PS | HV_BIT(12)); /* PAT */
	found(LARGE, X86_READ, LARGE);
	kit_set64(KIT_TABLES, kit_get64(KIT_TABLES) | PTE_PS); /* 512 GiB */
	refused(PAGE, X86_READ, PF_P | PF_RSVD);
}

/* A table in what is no memory reads as all ones; no device sees it. */
static void p13_long_mode__table_in_no_memory__is_reserved_bits(void **state)
{
	(void)state;
	kit_set64(KIT_TABLES + 0x2000, KIT_DEV | PTE_P | PTE_W);
	refused(PAGE, X86_READ, PF_P | PF_RSVD);
	kit_set64(KIT_TABLES + 0x2000, KIT_NOTHING | PTE_P | PTE_W);
	refused(PAGE, X86_WRITE, PF_P | PF_W | PF_RSVD);
	assert_int_equal(kit.dev.accesses, 0);
	kit.sys->cr3 = 0xfffffff000;
	refused(PAGE, X86_READ, PF_P | PF_RSVD);
}

/* It ends after as many levels as there are. */
static void p13_long_mode__table_of_itself__is_followed_to_the_last_level(void **state)
{
	(void)state;
	kit_set64(KIT_TABLES + 511 * 8, KIT_TABLES | PTE_P | PTE_W | PTE_U);
	found(0xfffffffffffff123, X86_READ, KIT_TABLES + 0x123);
}

/* A table in ROM stays as it is. */
static void p13_long_mode__table_in_rom__is_read_and_not_written(void **state)
{
	const uint64_t pte = PAGE | PTE_P | PTE_W;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		kit_small[1][(PAGE >> 12) * 8 + i] = (uint8_t)(pte >> 8 * i);
	}
	kit_set64(KIT_TABLES + 0x2000, KIT_ROM | PTE_P | PTE_W);
	found(PAGE, X86_WRITE, PAGE);
	assert_int_equal(hv_le64(&kit_small[1][(PAGE >> 12) * 8]), pte);
}

/* ---- rights ---- */

/* Whether levels that agree on `grant`, but one that lacks `missing`, allow it. */
static bool allows(uint64_t missing, unsigned level, enum x86_use use)
{
	static const uint64_t at[] = {KIT_TABLES, KIT_TABLES + 0x1000, KIT_TABLES + 0x2000};
	uint64_t entry = level < 3 ? at[level] : kit_pte(PAGE), was = kit_get64(entry);
	bool ok;

	kit_set64(entry, was & ~missing);
	ok = x86_walk(kit.vcpu, PAGE, use).ok;
	kit_set64(entry, was);
	return ok;
}

static void rights__of_each_level__must_all_agree(void **state)
{
	(void)state;
	for (unsigned level = 0; level < 4; level++) {
		kit.sys->cpl = 3;
		kit.sys->cr0 &= ~X86_CR0_WP;
		assert_true(allows(0, level, X86_WRITE));
		assert_false(allows(PTE_W, level, X86_WRITE));
		assert_true(allows(PTE_W, level, X86_READ));
		assert_false(allows(PTE_U, level, X86_READ));
		assert_false(allows(PTE_U, level, X86_FETCH));
		kit.sys->cpl = 0;
		assert_true(allows(PTE_W, level, X86_WRITE));
		assert_true(allows(PTE_U, level, X86_READ));
		kit.sys->cr0 |= X86_CR0_WP;
		assert_false(allows(PTE_W, level, X86_WRITE));
		assert_true(allows(PTE_W, level, X86_FETCH));
	}
}

static void rights__refused__the_error_says_what_for(void **state)
{
	(void)state;
	kit_set64(kit_pte(PAGE), PAGE | PTE_P);
	kit.sys->cpl = 3;
	refused(PAGE, X86_READ, PF_P | PF_U);
	refused(PAGE, X86_WRITE, PF_P | PF_U | PF_W);
	refused(PAGE, X86_FETCH, PF_P | PF_U); /* neither NX nor SMEP: not told */
	kit.sys->cr4 |= X86_CR4_SMEP;
	refused(PAGE, X86_FETCH, PF_P | PF_U | PF_I);
	kit.sys->cr4 &= ~X86_CR4_SMEP;
	kit.sys->efer |= X86_EFER_NXE;
	refused(PAGE, X86_FETCH, PF_P | PF_U | PF_I);
}

static void rights__nx__is_for_fetches(void **state)
{
	(void)state;
	kit.sys->efer |= X86_EFER_NXE;
	kit_set64(kit_pte(PAGE), PAGE | PTE_P | PTE_W | PTE_NX);
	found(PAGE, X86_WRITE, PAGE);
	refused(PAGE, X86_FETCH, PF_P | PF_I);
	kit_set64(kit_pte(PAGE), PAGE | PTE_P);
	kit_set64(KIT_TABLES, kit_get64(KIT_TABLES) | PTE_NX);
	refused(PAGE, X86_FETCH, PF_P | PF_I);
}

static void rights__smep_and_smap__keep_the_kernel_out_of_user_pages(void **state)
{
	(void)state;
	kit.sys->cr4 |= X86_CR4_SMEP | X86_CR4_SMAP;
	refused(PAGE, X86_FETCH, PF_P | PF_I);
	refused(PAGE, X86_READ, PF_P);
	refused(PAGE, X86_WRITE, PF_P | PF_W);
	kit.sys->rflags |= X86_FLAG_AC; /* STAC */
	found(PAGE, X86_WRITE, PAGE);
	refused(PAGE, X86_FETCH, PF_P | PF_I);
	kit.sys->rflags &= ~X86_FLAG_AC;
	kit_set64(kit_pte(PAGE), PAGE | PTE_P | PTE_W); /* one of its own */
	found(PAGE, X86_READ, PAGE);
	found(PAGE, X86_FETCH, PAGE);
}

/* ---- A and D ---- */

static void marks__read_and_write__set_a_at_each_level_and_d_in_the_leaf(void **state)
{
	const uint64_t rights = PTE_P | PTE_W | PTE_U;

	(void)state;
	kit_set64(KIT_TABLES, (KIT_TABLES + 0x1000) | rights);
	kit_set64(kit_pte(PAGE), PAGE | rights);
	found(PAGE, X86_READ, PAGE);
	assert_int_equal(kit_get64(KIT_TABLES), (KIT_TABLES + 0x1000) | rights | PTE_A);
	assert_int_equal(kit_get64(kit_pte(PAGE)), PAGE | rights | PTE_A);
	found(PAGE, X86_WRITE, PAGE);
	assert_int_equal(kit_get64(KIT_TABLES), (KIT_TABLES + 0x1000) | rights | PTE_A);
	assert_int_equal(kit_get64(kit_pte(PAGE)), PAGE | rights | PTE_A | PTE_D);
}

static void marks__access_that_is_refused__sets_none(void **state)
{
	(void)state;
	kit_set64(kit_pte(PAGE), PAGE | PTE_P);
	kit.sys->cr0 |= X86_CR0_WP;
	refused(PAGE, X86_WRITE, PF_P | PF_W);
	assert_int_equal(kit_get64(kit_pte(PAGE)), PAGE | PTE_P);
}

static void code__walk__sets_none_and_tells_its_path(void **state)
{
	struct x86_path path;

	(void)state;
	kit_set64(kit_pte(PAGE), PAGE | PTE_P);
	assert_true(x86_walk_code(kit.vcpu, PAGE, &path).ok);
	assert_int_equal(kit_get64(kit_pte(PAGE)), PAGE | PTE_P);
	assert_int_equal(path.count, 4);
	assert_ptr_equal(path.entry[3].at, &kit_ram[kit_pte(PAGE)]);
}

/* ---- 32 bits, PAE, none ---- */

static void set32(uint64_t at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		kit_ram[at + i] = (uint8_t)(value >> 8 * i);
	}
}

static void no_paging__any_address__is_physical(void **state)
{
	(void)state;
	kit.sys->cr0 &= ~X86_CR0_PG;
	found(0x12345678, X86_WRITE, 0x12345678);
}

static void legacy__pages__of_4_kib_and_4_mib(void **state)
{
	(void)state;
	kit.sys->efer &= ~(X86_EFER_LMA | X86_EFER_LME);
	kit.sys->cr4 = 0;
	kit.sys->cr3 = 0x8000;
	set32(0x8000, 0x9000 | PTE_P | PTE_W);
	set32(0x8004, 0x9000 | PTE_P | PTE_PS); /* a table without CR4.PSE */
	set32(0x9004, 0x55000 | PTE_P | PTE_W);
	found(0x1234, X86_WRITE, 0x55234);
	assert_int_equal(hv_le32(&kit_ram[0x9004]), 0x55000 | PTE_P | PTE_W | PTE_A | PTE_D);
	assert_int_equal(hv_le32(&kit_ram[0x9000]), 0);
	assert_int_equal(hv_le32(&kit_ram[0x8004]), 0x9000 | PTE_P | PTE_PS);
	found(0x401234, X86_READ, 0x55234);
	refused(0x2000, X86_READ, 0);
	kit.sys->cr4 = X86_CR4_PSE;
	set32(0x8008, 0x00c00000 | 1 << 13 | PTE_P | PTE_PS); /* PSE-36: bit 32 */
	found(0x812345, X86_READ, 0x100c12345);
	set32(0x8008, 0x00c00000 | 1 << 21 | PTE_P | PTE_PS);
	refused(0x812345, X86_READ, PF_P | PF_RSVD);
	set32(0x8008, 0x9000 | PTE_P); /* a table with it */
	found(0x801234, X86_READ, 0x55234);
}

static void pae__pages__by_four_directories(void **state)
{
	(void)state;
	kit.sys->efer &= ~(X86_EFER_LMA | X86_EFER_LME);
	kit.sys->cr4 = X86_CR4_PAE;
	kit.sys->cr3 = 0x8020;
	kit_set64(0x8020 + 3 * 8, 0x9000 | PTE_P);
	kit_set64(0x9000, 0xa000 | PTE_P | PTE_W | PTE_U);
	kit_set64(0x9008, 0x200000 | PTE_P | PTE_W | PTE_U | PTE_PS);
	kit_set64(0xa008, 0x55000 | PTE_P | PTE_W | PTE_U);
	kit.sys->cpl = 3; /* the directory has no rights to be looked at */
	found(0xc0001234, X86_WRITE, 0x55234);
	assert_int_equal(kit_get64(0x8020 + 3 * 8), 0x9000 | PTE_P); /* and no A */
	assert_int_equal(kit_get64(0xa008), 0x55000 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D);
	found(0xc0212345, X86_READ, 0x212345);
	refused(0x1234, X86_READ, PF_U);
	kit_set64(0x8020 + 3 * 8, 0x9000 | PTE_P | PTE_W); /* reserved there */
	refused(0xc0001234, X86_READ, PF_P | PF_U | PF_RSVD);
	kit_set64(0x8020 + 3 * 8, 0x9000 | PTE_P);
	kit_set64(0xa008, 0x55000 | PTE_P | PTE_U | HV_BIT(52));
	refused(0xc0001234, X86_READ, PF_P | PF_U | PF_RSVD);
	kit.sys->efer |= X86_EFER_NXE;
	kit_set64(0xa008, 0x55000 | PTE_P | PTE_U | PTE_NX);
	refused(0xc0001234, X86_FETCH, PF_P | PF_U | PF_I);
}

/* ---- others change them ---- */

/* Whatever the guest's other CPUs write, the answer is that of a state that there was. */
static void p14_p15_walk__tables_random__ends_and_touches_no_device(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		uint64_t at;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		at = KIT_TABLES + (seed >> 40) % 0x4000 / 8 * 8;
		kit_set64(at, seed ^ seed >> 29);
		kit.sys->cr4 =
			X86_CR4_PAE | (n & 1 ? X86_CR4_SMEP : 0) | (n & 64 ? X86_CR4_LA57 : 0);
		kit.sys->cpl = n & 2 ? 3 : 0;
		(void)x86_walk(kit.vcpu, hv_sign_extend(seed >> 7, 48), n % 3);
		if (n % 16 == 0) {
			kit_page_tables();
		}
	}
	assert_int_equal(kit.dev.accesses, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(long_mode__pages_of_each_size__lead_to_their_frames),
		kit_test(p13_long_mode__hole_at_each_level__is_not_present),
		kit_test(long_mode__five_levels__one_more_is_read),
		kit_test(p13_long_mode__reserved_bits__are_refused_as_such),
		kit_test(p13_long_mode__table_in_no_memory__is_reserved_bits),
		kit_test(p13_long_mode__table_of_itself__is_followed_to_the_last_level),
		kit_test(p13_long_mode__table_in_rom__is_read_and_not_written),
		kit_test(rights__of_each_level__must_all_agree),
		kit_test(rights__refused__the_error_says_what_for),
		kit_test(rights__nx__is_for_fetches),
		kit_test(rights__smep_and_smap__keep_the_kernel_out_of_user_pages),
		kit_test(marks__read_and_write__set_a_at_each_level_and_d_in_the_leaf),
		kit_test(marks__access_that_is_refused__sets_none),
		kit_test(code__walk__sets_none_and_tells_its_path),
		kit_test(no_paging__any_address__is_physical),
		kit_test(legacy__pages__of_4_kib_and_4_mib),
		kit_test(pae__pages__by_four_directories),
		kit_test(p14_p15_walk__tables_random__ends_and_touches_no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

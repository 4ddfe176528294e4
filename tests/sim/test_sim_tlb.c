/* SPDX-License-Identifier: MIT */
/*
 * P16: over random maps, unmaps and changes of permission of core's, loads at EL1 go through
 * Unicorn's TLB, which stays warm; so the sim's port_tlb_flush() is judged together with the
 * tables. A plain array says what should be. (test_pt_oracle.c has the tables alone walked anew.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "uc_sim.h"

#define WINDOW       0x40000000ull /* the addresses that come and go */
#define WINDOW_PAGES 2048u
#define BACKING      0x400000000ull /* memory whose pages hold their own address */
#define BACKING_SIZE HV_MIB(8)
#define POOL_HPA     0x10000000ull
#define POOL_PAGES   64u
#define CODE         0x1000ull
#define BATCH        0x2000ull
#define QUERIES      256u
#define ROUNDS       400u

#define EC_DABT_LOWER 0x24u
#define PSTATE_EL1H   0x3c5u
#define FAULTED       1u /* no page's address */

/* At EL1. x0: addresses, x1: what was loaded, x2: how many; a fault makes x4 FAULTED. */
static const uint32_t loading_code[] = {
	0xf8408403, /* 1: ldr x3, [x0], #8 */
	0xf9400064, /* ldr x4, [x3] */
	0xf8008424, /* str x4, [x1], #8 */
	0xf1000442, /* subs x2, x2, #1 */
	0x54ffff81, /* b.ne 1b */
	0xd4000002, /* hvc #0 */
};

static struct oracle {
	struct sim sim;
	struct hv_pt pt;
	struct hv_pages pages;
	uint8_t *pool, *backing;
	uint64_t model[WINDOW_PAGES]; /* the address that each page should have; 0: none */
	uint64_t random;
	struct {
		uint64_t address[QUERIES], answer[QUERIES];
	} batch __attribute__((aligned(4096)));
	uint8_t code_page[4096] __attribute__((aligned(4096)));
} * oracle;

static uint64_t draw(uint64_t below)
{
	oracle->random = oracle->random * 6364136223846793005ull + 1442695040888963407ull;
	return (oracle->random >> 24) % below;
}

/* The end of a batch; or a load that Stage-2 refused, which is noted and stepped over. */
static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	struct sim_fault fault = sim_engine_fault(&oracle->sim.a64.cpu.engine);

	(void)number;
	(void)data;
	if (fault.esr >> 26 == EC_DABT_LOWER) {
		sim_reg_set(uc, UC_ARM64_REG_X4, FAULTED);
		sim_reg_set(uc, UC_ARM64_REG_PC, sim_reg_get(uc, UC_ARM64_REG_PC) + 4);
		return;
	}
	uc_emu_stop(uc);
}

static void show(uint64_t at, void *bytes, size_t size)
{
	assert_int_equal(
		uc_mem_map_ptr(oracle->sim.a64.cpu.engine.uc, at, size, UC_PROT_ALL, bytes),
		UC_ERR_OK);
}

static void fill_backing(void)
{
	oracle->backing = aligned_alloc(4096, BACKING_SIZE);
	assert_non_null(oracle->backing);
	for (uint64_t at = 0; at < BACKING_SIZE; at += HV_PAGE_SIZE) {
		uint64_t self = BACKING + at;

		memcpy(oracle->backing + at, &self, sizeof(self));
	}
	show(BACKING, oracle->backing, BACKING_SIZE);
}

static void map_flat(uint64_t at, uint64_t size, uint8_t prot)
{
	const struct hv_pt_map request = {
		.ia = GPA(at), .pa = HPA(at), .size = size, .prot = prot, .type = HV_MEM_NORMAL};

	assert_int_equal(hv_pt_map(&oracle->pt, &request), HV_OK);
}

static void load_tables(void)
{
	uc_engine *uc = oracle->sim.a64.cpu.engine.uc;

	oracle->pt.lock = HV_LOCK_INIT(HV_LOCK_PT);
	assert_int_equal(
		hv_pt_init(&oracle->pt, &a64_stage2_fmt, &oracle->pages, 40, 44, 9), HV_OK);
	map_flat(CODE, HV_PAGE_SIZE, HV_PROT_R | HV_PROT_X);
	map_flat(BATCH, HV_PAGE_SIZE, HV_PROT_R | HV_PROT_W);
	sim_sysreg_set(uc, UC_VTCR_EL2, a64_vtcr(&oracle->pt));
	sim_sysreg_set(uc, UC_VTTBR_EL2, a64_vttbr(&oracle->pt));
	sim_sysreg_set(uc, UC_HCR_EL2, a64_hcr());
	sim_reg_set(uc, UC_ARM64_REG_PSTATE, PSTATE_EL1H);
	sim_sysreg_set(uc, UC_SPSR_EL1, 0);
}

static int setup(void **state)
{
	uc_hook hook;
	uc_engine *uc;

	(void)state;
	oracle = aligned_alloc(4096, (sizeof(*oracle) + 4095) / 4096 * 4096);
	assert_non_null(oracle);
	memset(oracle, 0, sizeof(*oracle));
	oracle->pool = aligned_alloc(65536, POOL_PAGES * HV_PAGE_SIZE);
	assert_non_null(oracle->pool);
	sim_now = &oracle->sim;
	assert_null(sim_engine_open(&oracle->sim.a64.cpu.engine));
	uc = oracle->sim.a64.cpu.engine.uc;
	oracle->sim.arch = &sim_arch_a64;
	oracle->sim.uc = uc;
	memcpy(oracle->code_page, loading_code, sizeof(loading_code));
	show(CODE, oracle->code_page, 4096);
	show(BATCH, &oracle->batch, (sizeof(oracle->batch) + 4095) / 4096 * 4096);
	show(POOL_HPA, oracle->pool, POOL_PAGES * HV_PAGE_SIZE);
	assert_int_equal(uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, NULL, 1, 0), 0);
	hv_pages_init(&oracle->pages, oracle->pool, HPA(POOL_HPA), POOL_PAGES);
	fill_backing();
	load_tables();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_pt_destroy(&oracle->pt);
	assert_int_equal(oracle->pages.free_count, POOL_PAGES);
	sim_engine_close(&oracle->sim.a64.cpu.engine);
	free(oracle->backing);
	free(oracle->pool);
	free(oracle);
	return 0;
}

/* Loads from every address of the batch. */
static void load_batch(void)
{
	uc_engine *uc = oracle->sim.a64.cpu.engine.uc;

	sim_reg_set(uc, UC_ARM64_REG_X0, BATCH);
	sim_reg_set(uc, UC_ARM64_REG_X1, BATCH + sizeof(oracle->batch.address));
	sim_reg_set(uc, UC_ARM64_REG_X2, QUERIES);
	assert_int_equal(uc_emu_start(uc, CODE, 0, 0, 0), UC_ERR_OK);
	assert_int_equal(sim_reg_get(uc, UC_ARM64_REG_X2), 0);
}

static void check_random_loads(void)
{
	for (unsigned i = 0; i < QUERIES; i++) {
		oracle->batch.address[i] = WINDOW + draw(WINDOW_PAGES) * HV_PAGE_SIZE;
	}
	load_batch();
	for (unsigned i = 0; i < QUERIES; i++) {
		uint64_t page = (oracle->batch.address[i] - WINDOW) / HV_PAGE_SIZE;
		uint64_t want = oracle->model[page];

		assert_int_equal(oracle->batch.answer[i], want ? want : FAULTED);
	}
}

/* ---- random operations, and what the model makes of them ---- */

struct range {
	unsigned first, count; /* pages of the window */
};

/* Now and then aligned to a block, so that blocks are made and split. */
static struct range draw_range(void)
{
	struct range range = {(unsigned)draw(WINDOW_PAGES), 1 + (unsigned)draw(1200)};

	if (draw(3) == 0) {
		range.first &= ~511u;
		range.count = 512 * (1 + (unsigned)draw(4));
	}
	if (range.first + range.count > WINDOW_PAGES) {
		range.count = WINDOW_PAGES - range.first;
	}
	return range;
}

static uint8_t draw_prot(void)
{
	static const uint8_t prots[] = {HV_PROT_R, HV_PROT_R | HV_PROT_W, HV_PROT_R | HV_PROT_X,
		HV_PROT_R | HV_PROT_W | HV_PROT_X};

	return prots[draw(4)];
}

static bool is_free(struct range range)
{
	for (unsigned i = 0; i < range.count; i++) {
		if (oracle->model[range.first + i]) {
			return false;
		}
	}
	return true;
}

static bool is_full(struct range range)
{
	for (unsigned i = 0; i < range.count; i++) {
		if (!oracle->model[range.first + i]) {
			return false;
		}
	}
	return true;
}

static void map(struct range range)
{
	uint64_t block = HV_MIB(2), ia = WINDOW + range.first * HV_PAGE_SIZE;
	uint64_t size = range.count * HV_PAGE_SIZE;
	/* Half of the time congruent to the address, as blocks need. */
	uint64_t pa = BACKING + draw(BACKING_SIZE / block) * block + (draw(2) ? ia % block : 0);
	const struct hv_pt_map request = {.ia = GPA(ia),
		.pa = HPA(pa),
		.size = size,
		.prot = draw_prot(),
		.type = HV_MEM_NORMAL};
	enum hv_status status;

	if (pa + size > BACKING + BACKING_SIZE) {
		return;
	}
	status = hv_pt_map(&oracle->pt, &request);
	if (!is_free(range)) {
		assert_int_equal(status, HV_ERR_OVERLAP);
		return;
	}
	if (status == HV_ERR_NO_MEMORY) {
		return;
	}
	assert_int_equal(status, HV_OK);
	for (unsigned i = 0; i < range.count; i++) {
		oracle->model[range.first + i] = pa + i * HV_PAGE_SIZE;
	}
}

static void unmap(struct range range)
{
	enum hv_status status = hv_pt_unmap(
		&oracle->pt, GPA(WINDOW + range.first * HV_PAGE_SIZE), range.count * HV_PAGE_SIZE);

	if (status == HV_ERR_NO_MEMORY) {
		return;
	}
	assert_int_equal(status, HV_OK);
	memset(&oracle->model[range.first], 0, range.count * sizeof(oracle->model[0]));
}

static void protect(struct range range)
{
	uint8_t prot = draw_prot();
	enum hv_status status = hv_pt_protect(&oracle->pt, GPA(WINDOW + range.first * HV_PAGE_SIZE),
		range.count * HV_PAGE_SIZE, prot);

	if (!is_full(range)) {
		assert_int_equal(status, HV_ERR_NOT_FOUND);
		return;
	}
	if (status == HV_ERR_NO_MEMORY) {
		return;
	}
	assert_int_equal(status, HV_OK);
}

static void p16_stage2__random_changes__loads_agree_with_a_warm_tlb(void **state)
{
	(void)state;
	oracle->random = 4;
	check_random_loads(); /* nothing is mapped, and the TLB may think so from now on */
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct range range = draw_range();

		switch (draw(4)) {
		case 0:
		case 1: map(range); break;
		case 2: unmap(range); break;
		default: protect(range); break;
		}
		check_random_loads();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			p16_stage2__random_changes__loads_agree_with_a_warm_tlb, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Unicorn, opened and calibrated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdlib.h>
#include <cmocka.h>

#include <uc_engine.h>

static void engine__opened__works_with_pages_of_4_kib(void **state)
{
	struct sim_engine engine;
	size_t size = 0;

	(void)state;
	assert_null(sim_engine_open(&engine));
	assert_int_equal(uc_query(engine.uc, UC_QUERY_PAGE_SIZE, &size), UC_ERR_OK);
	assert_int_equal(size, SIM_PAGE_SIZE);
	sim_engine_close(&engine);
}

/* The heap is never the same twice; whether the page size took must not depend on it. */
static void engine__opened_where_the_heap_has_a_hole__works_with_pages_of_4_kib(void **state)
{
	struct sim_engine engine;
	void *hole, *behind;
	size_t size;

	assert_null(sim_engine_open(&engine));
	size = malloc_usable_size(engine.uc);
	sim_engine_close(&engine);
	for (size_t more = 0; more <= 64; more += 16) {
		hole = malloc(size + more);
		behind = malloc(1);
		free(hole);
		engine__opened__works_with_pages_of_4_kib(state);
		free(behind);
	}
}

static void engine__opened_twice__is_calibrated_the_same(void **state)
{
	struct sim_engine first, second;

	(void)state;
	assert_null(sim_engine_open(&first));
	assert_null(sim_engine_open(&second));
	assert_int_equal(first.at.esr, second.at.esr);
	assert_int_equal(first.at.far, second.at.far);
	assert_int_equal(first.at.target_el, second.at.target_el);
	assert_int_equal(first.at.exclusive, second.at.exclusive);
	assert_true(first.at.esr && first.at.far && first.at.target_el && first.at.exclusive);
	sim_engine_close(&second);
	sim_engine_close(&first);
}

static void stop(uc_engine *uc, uint32_t number, void *data)
{
	(void)number;
	(void)data;
	uc_emu_stop(uc);
}

/* Calibration runs code too, at the address where guests have their RAM. */
static void engine__opened__remembers_no_code_of_its_calibration(void **state)
{
	static _Alignas(4096)
		uint32_t page[1024] = {0xd2800540, 0xd4000002}; /* mov x0, #42; hvc #0 */
	struct sim_engine engine;
	uc_hook hook;

	(void)state;
	assert_null(sim_engine_open(&engine));
	assert_int_equal(
		uc_mem_map_ptr(engine.uc, 0x40000000, sizeof(page), UC_PROT_ALL, page), UC_ERR_OK);
	uc_hook_add(engine.uc, &hook, UC_HOOK_INTR, (void *)stop, NULL, 1, 0);
	sim_reg_set(engine.uc, UC_ARM64_REG_PSTATE, 0x3c5);
	sim_sysreg_set(engine.uc, UC_SPSR_EL1, 0);
	assert_int_equal(uc_emu_start(engine.uc, 0x40000000, 0, 0, 0), UC_ERR_OK);
	assert_int_equal(sim_reg_get(engine.uc, UC_ARM64_REG_X0), 42);
	sim_engine_close(&engine);
}

/* LDXR, then perhaps another turn in between, then STXR: its status, with memory as it was. */
static uint64_t store_exclusive(bool put_aside)
{
	static _Alignas(4096) uint32_t page[1024] = {
		0xc85f7c40, 0xd4000002, /* ldxr x0, [x2]; hvc #0 */
		0xc8037c40, 0xd4000002, /* stxr w3, x0, [x2]; hvc #0 */
	};
	struct sim_engine engine;
	uc_context *context;
	uint64_t status;
	uc_hook hook;

	assert_null(sim_engine_open(&engine));
	assert_int_equal(uc_context_alloc(engine.uc, &context), UC_ERR_OK);
	assert_int_equal(
		uc_mem_map_ptr(engine.uc, 0x40000000, sizeof(page), UC_PROT_ALL, page), UC_ERR_OK);
	uc_hook_add(engine.uc, &hook, UC_HOOK_INTR, (void *)stop, NULL, 1, 0);
	sim_reg_set(engine.uc, UC_ARM64_REG_PSTATE, 0x3c5);
	sim_sysreg_set(engine.uc, UC_SPSR_EL1, 0);
	sim_reg_set(engine.uc, UC_ARM64_REG_X2, 0x40000800);
	assert_int_equal(uc_emu_start(engine.uc, 0x40000000, 0, 0, 0), UC_ERR_OK);
	if (put_aside) {
		sim_engine_put_aside(&engine, context);
		assert_int_equal(uc_context_restore(engine.uc, context), UC_ERR_OK);
		assert_int_equal(sim_reg_get(engine.uc, UC_ARM64_REG_X2), 0x40000800);
	}
	assert_int_equal(uc_emu_start(engine.uc, 0x40000008, 0, 0, 0), UC_ERR_OK);
	status = sim_reg_get(engine.uc, UC_ARM64_REG_X3);
	assert_int_equal(uc_context_free(context), UC_ERR_OK);
	sim_engine_close(&engine);
	return status;
}

static void put_aside__between_ldxr_and_stxr__the_store_fails(void **state)
{
	(void)state;
	assert_int_equal(store_exclusive(false), 0);
	assert_int_equal(store_exclusive(true), 1);
}

static void sysreg__written__reads_back(void **state)
{
	struct sim_engine engine;

	(void)state;
	assert_null(sim_engine_open(&engine));
	sim_sysreg_set(engine.uc, UC_SPSR_EL1, 0x600003c5);
	assert_int_equal(sim_sysreg_get(engine.uc, UC_SPSR_EL1), 0x600003c5);
	assert_int_equal(sim_sysreg_get(engine.uc, UC_SYSREG(3, 7, 15, 15, 7)), 0); /* none such */
	sim_engine_close(&engine);
}

static void reg_x__every_number__is_its_own_register(void **state)
{
	struct sim_engine engine;

	(void)state;
	assert_null(sim_engine_open(&engine));
	for (unsigned n = 0; n < 31; n++) {
		sim_reg_set(engine.uc, sim_reg_x(n), 0x1111u * n);
	}
	for (unsigned n = 0; n < 31; n++) {
		assert_int_equal(sim_reg_get(engine.uc, sim_reg_x(n)), 0x1111u * n);
	}
	sim_engine_close(&engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine__opened__works_with_pages_of_4_kib),
		cmocka_unit_test(
			engine__opened_where_the_heap_has_a_hole__works_with_pages_of_4_kib),
		cmocka_unit_test(engine__opened_twice__is_calibrated_the_same),
		cmocka_unit_test(engine__opened__remembers_no_code_of_its_calibration),
		cmocka_unit_test(put_aside__between_ldxr_and_stxr__the_store_fails),
		cmocka_unit_test(sysreg__written__reads_back),
		cmocka_unit_test(reg_x__every_number__is_its_own_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

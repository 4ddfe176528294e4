/* SPDX-License-Identifier: MIT */
/*
 * Unicorn as a RISC-V hart: opened, calibrated, and what it is known to do. The last part shows why
 * guests do not run in its VS-mode (ADR 0014): when one of those tests fails, that may have
 * changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <hv/bits.h>
#include <uc_rv64_engine.h>

#define RAM      0x80000000ull
#define RAM_SIZE 0x40000u
#define CODE     RAM
#define DATA     (RAM + 0x2000)

#define MRET        0x30200073u
#define ECALL       0x00000073u
#define WFI         0x10500073u
#define HFENCE_GVMA 0x62000073u
#define LD_A0_A1    0x0005b503u
#define LD_A2_A1    0x0005b603u
#define SD_A0_A1    0x00a5b023u
#define SD_A0_8_A1  0x00a5b423u
#define LR_D_A0_A1  0x1005b52fu
#define SC_D_A2_A0  0x18a5b62fu /* sc.d a2, a0, (a1) */
#define CSRR_A0_SIP 0x14402573u
#define CSRW_SIP_A0 0x14451073u
#define JR_A1       0x00058067u

#define ILLEGAL     2u
#define FETCH_FAULT 1u
#define LOAD_FAULT  5u
#define STORE_FAULT 7u
#define ANY_ECALL   8u
#define STORE_PAGE  15u

#define MSTATUS_MPP HV_BIT(11) /* S */
#define MSTATUS_MPV HV_BIT(39)
#define MSTATUS_TW  HV_BIT(29) /* as this hart has it */
#define MISA_H      HV_BIT(7)

static struct sim_rv64_engine engine;
static _Alignas(4096) uint64_t ram[RAM_SIZE / sizeof(uint64_t)];
static uint32_t last;

static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	(void)data;
	last = number;
	(void)uc_emu_stop(uc);
}

static int setup(void **state)
{
	uc_hook hook;

	(void)state;
	memset(ram, 0, sizeof(ram));
	assert_null(sim_rv64_engine_open(&engine));
	assert_int_equal(
		uc_hook_add(engine.uc, &hook, UC_HOOK_INTR, (void *)on_exception, NULL, 1, 0), 0);
	assert_int_equal(uc_mem_map_ptr(engine.uc, RAM, RAM_SIZE, UC_PROT_ALL, ram), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_rv64_engine_close(&engine);
	return 0;
}

static uint64_t reg(int number)
{
	uint64_t value = 0;

	(void)uc_reg_read(engine.uc, number, &value);
	return value;
}

static void reg_set(int number, uint64_t value)
{
	assert_int_equal(uc_reg_write(engine.uc, number, &value), UC_ERR_OK);
}

/* Runs from CODE on until an exception; its number. */
static uint32_t run(const uint32_t *code, size_t size)
{
	memcpy(ram, code, size);
	(void)uc_ctl_remove_cache(engine.uc, CODE, CODE + size);
	last = ~0u;
	(void)uc_emu_start(engine.uc, CODE, 0, 0, 0);
	return last;
}

static void to_mode(uint64_t mode)
{
	sim_rv64_look(&engine);
	sim_rv64_set(&engine, engine.now, AT_PRIV, mode);
	sim_rv64_put(&engine);
}

/* ---- calibration ---- */

static void rv64_engine__opened_twice__is_calibrated_the_same(void **state)
{
	struct sim_rv64_engine second;

	(void)state;
	assert_null(sim_rv64_engine_open(&second));
	for (int at = 0; at < SIM_RV64_PLACES; at++) {
		assert_true(engine.at[at] > 0);
		assert_int_equal(engine.at[at], second.at[at]);
	}
	sim_rv64_engine_close(&second);
}

/* What calibration wrote is gone: the hart is as it was opened, in M-mode. */
static void rv64_engine__opened__has_forgotten_its_calibration(void **state)
{
	(void)state;
	sim_rv64_look(&engine);
	assert_int_equal(sim_rv64_get(&engine, engine.now, AT_PRIV), PRIV_M);
	assert_int_equal(sim_rv64_get(&engine, engine.now, AT_MIE), 0);
	assert_int_equal(sim_rv64_get(&engine, engine.now, AT_MIP), 0);
	assert_int_equal(sim_rv64_get(&engine, engine.now, AT_SATP), 0);
	for (unsigned n = 0; n < 31; n++) {
		assert_int_equal(reg(UC_RISCV_REG_X1 + (int)n), 0);
	}
}

static void rv64_engine__place_written__is_that_register(void **state)
{
	(void)state;
	for (int at = 0; at < SIM_RV64_PLACES; at++) {
		uint64_t value = 0x1230u + (uint64_t)at * 16;

		sim_rv64_look(&engine);
		sim_rv64_set(&engine, engine.now, (enum sim_rv64_at)at, value);
		for (int other = 0; other < SIM_RV64_PLACES; other++) {
			assert_true((other == at) == (sim_rv64_get(&engine, engine.now,
							      (enum sim_rv64_at)other) == value));
		}
	}
	sim_rv64_look(&engine);
	sim_rv64_set(&engine, engine.now, AT_X1, 0x1111);
	sim_rv64_set(&engine, engine.now, AT_SEPC, 0x2222);
	sim_rv64_put(&engine);
	assert_int_equal(reg(UC_RISCV_REG_X1), 0x1111);
	assert_int_equal(reg(UC_RISCV_REG_SEPC), 0x2222);
}

/* ---- what the sim builds on ---- */

static void rv64_engine__mode_written__is_where_code_runs(void **state)
{
	static const uint32_t code[] = {MRET, ECALL};

	(void)state;
	to_mode(PRIV_U);
	assert_int_equal(run(code, sizeof(code)), ILLEGAL);
	to_mode(PRIV_S);
	assert_int_equal(run(code, sizeof(code)), ILLEGAL);
	to_mode(PRIV_M);
	reg_set(UC_RISCV_REG_MEPC, CODE + 4);
	assert_int_equal(run(code, sizeof(code)), ANY_ECALL);
}

static void rv64_protect__outside_of_the_ranges__faults_with_the_address(void **state)
{
	static const struct sim_rv64_range range[SIM_RV64_RANGES] = {
		{RAM, 0x3000, true}, {RAM + 0x10000, 0x1000, false}};
	static const struct {
		uint32_t insn;
		uint64_t address;
		uint32_t exception;
	} cases[] = {
		{LD_A0_A1, DATA, ANY_ECALL},
		{SD_A0_A1, DATA, ANY_ECALL},
		{LD_A0_A1, RAM + 0x2ff8, ANY_ECALL},
		{LD_A0_A1, RAM + 0x3000, LOAD_FAULT},
		{SD_A0_A1, RAM + 0x3000, STORE_FAULT},
		{LD_A0_A1, RAM - 8, LOAD_FAULT},
		{LD_A0_A1, RAM + 0x10ff8, ANY_ECALL},
		{SD_A0_A1, RAM + 0x10000, STORE_FAULT},
		{LD_A0_A1, RAM + 0x11000, LOAD_FAULT},
		{JR_A1, RAM + 0x20000, FETCH_FAULT},
		{LD_A0_A1, 0, LOAD_FAULT},
		{SD_A0_A1, ~(uint64_t)7, STORE_FAULT},
	};

	(void)state;
	assert_true(sim_rv64_protect(&engine, range));
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		const uint32_t code[] = {cases[i].insn, ECALL};

		/* A page that was loaded from is not looked up again when it is stored to. */
		assert_int_equal(uc_ctl_flush_tlb(engine.uc), UC_ERR_OK);
		to_mode(PRIV_S);
		reg_set(UC_RISCV_REG_A1, cases[i].address);
		assert_int_equal(run(code, sizeof(code)), cases[i].exception);
		if (cases[i].exception != ANY_ECALL) {
			sim_rv64_look(&engine);
			assert_int_equal(
				sim_rv64_get(&engine, engine.now, AT_BADADDR), cases[i].address);
		}
	}
}

static void rv64_engine__wfi_with_tw__traps(void **state)
{
	static const uint32_t code[] = {WFI, ECALL};

	(void)state;
	sim_rv64_look(&engine);
	sim_rv64_set(&engine, engine.now, AT_MSTATUS, MSTATUS_TW);
	sim_rv64_set(&engine, engine.now, AT_PRIV, PRIV_S);
	sim_rv64_put(&engine);
	assert_int_equal(run(code, sizeof(code)), ILLEGAL);
	sim_rv64_look(&engine);
	assert_int_equal(sim_rv64_get(&engine, engine.now, AT_PC), CODE + 4); /* 4 ahead */
}

static uint64_t store_conditional(bool put_aside)
{
	static const uint32_t reserve[] = {LR_D_A0_A1, ECALL}, store[] = {SC_D_A2_A0, ECALL};

	reg_set(UC_RISCV_REG_A1, DATA);
	assert_int_equal(run(reserve, sizeof(reserve)), ANY_ECALL);
	if (put_aside) {
		sim_rv64_look(&engine);
		sim_rv64_set(&engine, engine.now, AT_RESERVED, ~(uint64_t)0);
		sim_rv64_put(&engine);
	}
	assert_int_equal(run(store, sizeof(store)), ANY_ECALL);
	return reg(UC_RISCV_REG_A2);
}

static void rv64_reservation__taken_back__the_store_fails(void **state)
{
	(void)state;
	assert_int_equal(store_conditional(false), 0);
	assert_int_equal(store_conditional(true), 1);
}

/* ---- stores to what may not be written ---- */

static unsigned asked;

static bool on_store(
	uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *data)
{
	(void)uc;
	(void)type;
	(void)size;
	(void)value;
	(void)data;
	assert_int_equal(address & ~(uint64_t)0xfff, RAM + RAM_SIZE);
	asked++;
	return true;
}

/* Loads, stores twice, and says what is there then. */
static uint64_t stored(bool protect_it)
{
	static _Alignas(4096) uint64_t page[512];
	static const struct sim_rv64_range range[SIM_RV64_RANGES] = {
		{RAM, RAM_SIZE + sizeof(page), true}};
	static const uint32_t code[] = {LD_A2_A1, SD_A0_A1, SD_A0_8_A1, ECALL};
	const uint32_t prot = UC_PROT_READ | UC_PROT_EXEC;
	uc_hook hook;

	memset(page, 0, sizeof(page));
	asked = 0;
	assert_true(sim_rv64_protect(&engine, range));
	assert_int_equal(
		uc_hook_add(engine.uc, &hook, UC_HOOK_MEM_WRITE_PROT, (void *)on_store, NULL, 1, 0),
		0);
	assert_int_equal(
		uc_mem_map_ptr(engine.uc, RAM + RAM_SIZE, sizeof(page), prot, page), UC_ERR_OK);
	if (protect_it) {
		assert_int_equal(uc_mem_protect(engine.uc, RAM + RAM_SIZE, sizeof(page), prot), 0);
	}
	to_mode(PRIV_S);
	reg_set(UC_RISCV_REG_A0, 5);
	reg_set(UC_RISCV_REG_A1, RAM + RAM_SIZE);
	assert_int_equal(run(code, sizeof(code)), ANY_ECALL);
	assert_int_equal(page[1], page[0]);
	return page[0];
}

static void rv64_store__mapped_without_the_right__a_hook_is_asked_once_and_it_is_done(void **state)
{
	(void)state;
	assert_int_equal(stored(false), 5);
	assert_int_equal(asked, 1);
}

static void rv64_store__right_was_taken_away__it_is_dropped(void **state)
{
	(void)state;
	assert_int_equal(stored(true), 0);
	assert_int_equal(asked, 2);
}

/* ---- why not VS-mode ---- */

/* H on, identity G-stage, VS-mode; the guest's tables: 1 GiB of CODE, and VA 0x1000 read-only. */
static void to_vs_mode(void)
{
	uint64_t *gstage = ram + 0x10000 / 8, *root = ram + 0x20000 / 8;
	uint64_t misa = reg(UC_RISCV_REG_MISA), with_h = misa | MISA_H;
	uint8_t *bytes = (uint8_t *)engine.now;
	static const uint32_t code[] = {MRET, ECALL};

	gstage[RAM >> 30] = RAM >> 2 | 0xdf;
	root[0] = (RAM + 0x21000) >> 2 | 1;
	root[RAM >> 30] = RAM >> 2 | 0xcf;
	root[0x1000 / 8] = (RAM + 0x22000) >> 2 | 1;
	root[0x2000 / 8 + 1] = DATA >> 2 | 0x43; /* A, R, V */
	sim_rv64_look(&engine);
	for (size_t at = 0; at + sizeof(misa) <= engine.context_size; at++) {
		if (memcmp(bytes + at, &misa, sizeof(misa)) == 0) {
			memcpy(bytes + at, &with_h, sizeof(with_h));
		}
	}
	sim_rv64_put(&engine);
	assert_int_equal(reg(UC_RISCV_REG_MISA), with_h);
	reg_set(UC_RISCV_REG_HGATP, 8ull << 60 | (RAM + 0x10000) >> 12);
	reg_set(UC_RISCV_REG_MSTATUS, MSTATUS_MPP | MSTATUS_MPV);
	reg_set(UC_RISCV_REG_MEPC, CODE + 4);
	assert_int_equal(run(code, sizeof(code)), ANY_ECALL);
	reg_set(UC_RISCV_REG_SATP, 8ull << 60 | (RAM + 0x20000) >> 12);
	assert_int_equal(uc_ctl_flush_tlb(engine.uc), UC_ERR_OK);
}

static void vs_mode__read_only_page_was_loaded_from__can_be_stored_to(void **state)
{
	static const uint32_t store[] = {SD_A0_A1, ECALL};
	static const uint32_t load_and_store[] = {LD_A0_A1, SD_A0_A1, ECALL};

	(void)state;
	to_vs_mode();
	reg_set(UC_RISCV_REG_A1, 0x1000);
	assert_int_equal(run(store, sizeof(store)), STORE_PAGE);
	assert_int_equal(run(load_and_store, sizeof(load_and_store)), ANY_ECALL);
}

static void s_mode__read_only_page_was_loaded_from__cannot_be_stored_to(void **state)
{
	static const struct sim_rv64_range range[SIM_RV64_RANGES] = {{RAM, RAM_SIZE, true}};
	static const uint32_t load_and_store[] = {LD_A0_A1, SD_A0_A1, ECALL};
	uint64_t *root = ram + 0x20000 / 8;

	(void)state;
	assert_true(sim_rv64_protect(&engine, range));
	root[0] = (RAM + 0x21000) >> 2 | 1;
	root[RAM >> 30] = RAM >> 2 | 0xcf;
	root[0x1000 / 8] = (RAM + 0x22000) >> 2 | 1;
	root[0x2000 / 8 + 1] = DATA >> 2 | 0x43;
	reg_set(UC_RISCV_REG_SATP, 8ull << 60 | (RAM + 0x20000) >> 12);
	to_mode(PRIV_S);
	reg_set(UC_RISCV_REG_A1, 0x1000);
	assert_int_equal(run(load_and_store, sizeof(load_and_store)), STORE_PAGE);
}

static void vs_mode__ssip_written__is_read_one_bit_too_high(void **state)
{
	static const uint32_t code[] = {CSRW_SIP_A0, CSRR_A0_SIP, ECALL};
	const uint64_t delegated = 0x222;

	(void)state;
	reg_set(UC_RISCV_REG_MIDELEG, delegated);
	to_vs_mode();
	reg_set(UC_RISCV_REG_MIDELEG, delegated); /* now with those of VS-mode, which H adds */
	reg_set(UC_RISCV_REG_A0, HV_BIT(1));
	assert_int_equal(run(code, sizeof(code)), ANY_ECALL);
	assert_false(reg(UC_RISCV_REG_A0) & HV_BIT(1));
}

static void vs_mode__hfence__does_not_trap(void **state)
{
	static const uint32_t code[] = {HFENCE_GVMA, ECALL};

	(void)state;
	to_vs_mode();
	assert_int_equal(run(code, sizeof(code)), ANY_ECALL);
}

#define engine_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(rv64_engine__opened_twice__is_calibrated_the_same),
		engine_test(rv64_engine__opened__has_forgotten_its_calibration),
		engine_test(rv64_engine__place_written__is_that_register),
		engine_test(rv64_engine__mode_written__is_where_code_runs),
		engine_test(rv64_protect__outside_of_the_ranges__faults_with_the_address),
		engine_test(rv64_engine__wfi_with_tw__traps),
		engine_test(rv64_reservation__taken_back__the_store_fails),
		engine_test(
			rv64_store__mapped_without_the_right__a_hook_is_asked_once_and_it_is_done),
		engine_test(rv64_store__right_was_taken_away__it_is_dropped),
		engine_test(vs_mode__read_only_page_was_loaded_from__can_be_stored_to),
		engine_test(s_mode__read_only_page_was_loaded_from__cannot_be_stored_to),
		engine_test(vs_mode__ssip_written__is_read_one_bit_too_high),
		engine_test(vs_mode__hfence__does_not_trap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

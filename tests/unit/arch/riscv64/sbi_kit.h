/* SPDX-License-Identifier: MIT */
/* SBI calls by vCPU 0 of the kit. */
#ifndef SBI_KIT_H
#define SBI_KIT_H

#include "rv64_kit.h"

#include <arch/riscv64/sbi.h>

#define SBI_PC (KIT_RAM + 0x100u) /* behind the ecall */

/* Of the last call. */
static enum hv_verdict sbi_verdict;
static int64_t sbi_error;
static uint64_t sbi_value;

/* An ecall with five arguments; everything but a0 and a1 stays (H10). */
static inline int64_t sbi_call5(uint64_t ext, uint64_t fn, const uint64_t arg[5])
{
	uint64_t *x = kit.vcpu->regs.x;

	for (unsigned n = 0; n < 5; n++) {
		x[10 + n] = arg[n];
	}
	x[16] = fn;
	x[17] = ext;
	kit.vcpu->regs.pc = SBI_PC;
	sbi_verdict = rv64_sbi_call(kit.vcpu);
	sbi_error = (int64_t)x[10];
	sbi_value = x[11];
	for (unsigned n = 2; n < 5; n++) {
		assert_int_equal(x[10 + n], arg[n]);
	}
	assert_int_equal(x[16], fn);
	assert_int_equal(x[17], ext);
	kit_registers_but(0x37c00);
	return sbi_error;
}

static inline int64_t sbi_call(uint64_t ext, uint64_t fn, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return sbi_call5(ext, fn, (const uint64_t[5]){a0, a1, a2, 0xa3a3, 0xa4a4});
}

/* A call that goes on behind the ecall, with a0 and a1. */
static inline void sbi_gives(uint64_t ext, uint64_t fn, uint64_t a0, int64_t error, uint64_t value)
{
	assert_int_equal(sbi_call(ext, fn, a0, 0xa1a1, 0xa2a2), error);
	assert_int_equal(sbi_value, value);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC);
}

/* A legacy call: a1 stays, too. */
static inline int64_t sbi_legacy(uint64_t ext, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t arg[5] = {a0, a1, a2, a3, 0xa4a4};

	(void)sbi_call5(ext, 0xfffffff, arg); /* a6 does not count */
	assert_int_equal(sbi_value, a1);
	return sbi_error;
}

static inline bool kit_has_line(unsigned vcpu, unsigned line)
{
	return hv_bit(atomic_load(&kit_vcpu(vcpu)->lines), line);
}

static inline uint32_t kit_todo(unsigned vcpu)
{
	return atomic_load(&kit.vm->vcpu[vcpu]->todo);
}

/* Turns a vCPU on and runs it on a physical CPU of its own. */
static inline void kit_run(unsigned n)
{
	assert_int_equal(hv_power_cpu_on(kit.vm, n, GPA(KIT_RAM), 0), HV_OK);
	assert_int_equal(hv_vcpu_enter(kit.vm->vcpu[n], (uint16_t)n), HV_OK);
	(void)rv64_entry_prepare(kit_vcpu(n));
	atomic_store(&kit.vm->vcpu[n]->todo, 0);
}

#endif

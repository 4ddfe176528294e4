/* SPDX-License-Identifier: MIT */
/*
 * Exits as no CPU makes them: random codes, infos, code, tables and state. Each ends in a verdict,
 * and whatever the guest is then, the next VMRUN is told nothing but what a guest may be.
 */
#include "../x86_kit.h"

static uint64_t seed;

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t pick(const uint64_t *of, size_t count)
{
	return of[random_u64() % count];
}
#define PICK(of) pick(of, HV_ARRAY_COUNT(of))

static const uint64_t places[] = {0, 0x40000, 0x40ffd, KIT_CODE, KIT_TABLES, KIT_LAZY, KIT_ROM,
	KIT_DEV, KIT_DEV + 0x14, KIT_DEV + 0xffd, KIT_NOTHING, LAPIC_BASE, LAPIC_BASE + 0x300,
	0xfffffffe, 0xffff800000000000, 0x8000000000000000, UINT64_MAX};
static const uint64_t codes[] = {SVM_EXIT(VMMCALL), SVM_EXIT(CPUID), SVM_EXIT(MSR), SVM_EXIT(IOIO),
	SVM_EXIT(HLT), SVM_EXIT_NPF, SVM_EXIT_NPF, SVM_EXIT_CR_WRITE, SVM_EXIT_CR_WRITE + 4,
	SVM_EXIT_CR_WRITE + 8, SVM_EXIT_CR_READ + 8, SVM_EXIT(CR0_SELECTIVE), SVM_EXIT(INTR),
	SVM_EXIT(VINTR), SVM_EXIT(IRET), SVM_EXIT(WBINVD), SVM_EXIT_EXCEPTION + X86_DB,
	SVM_EXIT_EXCEPTION + X86_AC, SVM_EXIT(VMRUN)};

/* Opcodes that exits are about, more often than chance has them. */
static void random_code(void)
{
	static const uint8_t starts[][4] = {{0x0f, 0x01, 0xd9}, {0x0f, 0xa2}, {0x0f, 0x30},
		{0x0f, 0x32}, {0xf4}, {0x0f, 0x22, 0xe0}, {0x0f, 0x22, 0xc0}, {0x0f, 0x01, 0xf0},
		{0x8b, 0x06}, {0x89, 0x06}, {0xf3, 0x6c}, {0xf3, 0xa4}, {0x6e},
		{0x44, 0x0f, 0x22, 0xc0}, {0x87, 0x06}, {0xc7, 0x06}};
	uint64_t at = kit.sys->rip % (KIT_RAM_SIZE - 32);

	for (unsigned i = 0; i < 16; i++) {
		kit_ram[at + i] = (uint8_t)random_u64();
	}
	if (random_u64() % 4) {
		memcpy(&kit_ram[at], starts[random_u64() % HV_ARRAY_COUNT(starts)], 4);
	}
}

static void random_registers(void)
{
	static const uint64_t msrs[] = {0x10, 0x1b, 0x3b, 0x277, 0x2ff, 0x6e0, 0x808, 0x830,
		0xc0000080, 0xc0000100, 0xc0000103, 0x12345};

	for (unsigned n = 0; n < X86_GPRS; n++) {
		kit.r[n] = random_u64() % 2 ? PICK(places) + random_u64() % 4 : random_u64();
	}
	kit.r[X86_RAX] = random_u64() % 2 ? random_u64() % 6 : random_u64();
	kit.r[X86_RCX] = random_u64() % 2 ? PICK(msrs) : random_u64() % 300;
	kit.r[X86_RDX] = random_u64() % 2 ? KIT_PORT + random_u64() % 9 : random_u64();
}

static void random_state(void)
{
	static const uint64_t rips[] = {
		KIT_CODE, KIT_CODE + 0xff5, KIT_CODE + 0xfff, 0, 0xfffffffe, 0xffff800000000000};

	kit.sys->rip = random_u64() % 4 ? KIT_CODE : PICK(rips);
	kit.sys->cpl = random_u64() % 4 ? 0 : 3;
	kit.sys->rflags = 2 | (random_u64() & (X86_FLAG_TF | X86_FLAG_IF | X86_FLAG_DF |
						      X86_FLAG_RF | X86_FLAG_AC));
	if (random_u64() % 8 == 0) {
		kit.sys->seg[X86_CS].attrib ^= X86_SEG_L;
	}
	if (random_u64() % 16 == 0) {
		kit_set64(KIT_TABLES + random_u64() % 0x4000 / 8 * 8, random_u64() & random_u64());
	}
	if (random_u64() % 16 == 0) {
		x86_signal_send(kit.vcpu, 1u << random_u64() % 3, (uint8_t)random_u64());
	}
	if (random_u64() % 4 == 0) {
		lapic_raise(kit.vcpu->lapic, (uint8_t)random_u64(), false);
	}
}

static void random_exit(void)
{
	struct svm_control *control = kit.control;

	control->exit_code = random_u64() % 16 ? PICK(codes) : random_u64() % 0x500;
	control->exit_info1 = random_u64() & (random_u64() % 2 ? 0x3ffffffff : UINT64_MAX);
	control->exit_info2 = random_u64() % 2 ? PICK(places) : random_u64();
	control->exit_int_info =
		random_u64() % 4 ? 0 : (random_u64() & 0xffffffff00000fff) | SVM_EVENT_VALID;
	control->shadow = random_u64() % 2;
	control->next_rip = random_u64() % 8 ? 0 : kit.sys->rip + 1 + random_u64() % 15;
}

/* What a VMRUN is told, and what must hold of every guest. */
static void entry_is_sane(void)
{
	uint64_t event = kit.control->event_inject, type = event >> SVM_EVENT_TYPE_SHIFT & 7;

	assert_true(kit.sys->efer & X86_EFER_SVME);
	assert_true(!(kit.sys->efer & X86_EFER_LMA) ==
		    !((kit.sys->cr0 & X86_CR0_PG) && (kit.sys->efer & X86_EFER_LME)));
	assert_int_not_equal(kit.sys->cr0 & (X86_CR0_NW | X86_CR0_CD), X86_CR0_NW);
	assert_int_equal(kit.sys->cr0 >> 32, 0);
	assert_int_equal(kit.control->asid, 1);
	assert_int_equal(kit.control->nested, SVM_NESTED_PAGING);
	assert_int_equal(kit.control->iopm, 0x1000);
	if (event & SVM_EVENT_VALID) {
		assert_int_equal(event & 0x7ffff000, 0);
		assert_true(type != X86_EVENT_SOFT);
	}
}

/* Until the VM ends, if it does. */
static void run(unsigned rounds)
{
	for (unsigned n = 0; n < rounds; n++) {
		enum hv_verdict verdict;

		random_registers();
		random_state();
		random_code();
		random_exit();
		verdict = svm_exit_handle(kit.vcpu);
		assert_int_equal(fake_port.locks_held, 0);
		assert_true(verdict == HV_RESUME || verdict == HV_BLOCK || verdict == HV_OFF ||
			    verdict == HV_CRASH);
		if (verdict == HV_OFF || verdict == HV_CRASH) {
			return;
		}
		verdict = svm_entry_prepare(kit.vcpu);
		assert_true(verdict == HV_RESUME || verdict == HV_BLOCK);
		entry_is_sane();
		kit.control->event_inject = 0;
	}
}

static void x12_exits__random_records_and_guests__end_in_a_verdict(void **state)
{
	(void)state;
	seed = 88172645463325252ull;
	for (unsigned n = 0; n < 2000; n++) {
		kit_setup(NULL);
		run(50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x12_exits__random_records_and_guests__end_in_a_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

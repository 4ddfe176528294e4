/* SPDX-License-Identifier: MIT */
/* Exits that are not hot: control registers, exceptions, what guests do not have, every code there
 * is. */
#include "../x86_kit.h"

/* ---- control registers ---- */

static void done(unsigned length)
{
	assert_int_equal(kit.sys->rip, KIT_CODE + length);
	assert_false(kit.vcpu->event.valid);
	assert_int_equal(kit.control->shadow, 0);
	assert_int_equal(exits(HV_EXIT_SYSREG), 1);
}

static void cr0__selective_write__is_done_and_flushes(void **state)
{
	(void)state;
	kit.control->shadow = SVM_SHADOW;
	kit_code(0x0f, 0x22, 0xc3); /* mov %rbx, %cr0 */
	kit.r[X86_RBX] = X86_CR0_PG | X86_CR0_PE | X86_CR0_WP;
	assert_int_equal(kit_exit(SVM_EXIT(CR0_SELECTIVE), 0, 0), HV_RESUME);
	done(3);
	assert_int_equal(kit.sys->cr0, X86_CR0_PG | X86_CR0_PE | X86_CR0_WP | X86_CR0_ET);
	assert_int_equal(kit.control->tlb_control, SVM_TLB_FLUSH_ALL);
}

static void cr4__write__is_done_or_general_protection(void **state)
{
	(void)state;
	kit_code(0x41, 0x0f, 0x22, 0xe0); /* mov %r8, %cr4 */
	kit.r[X86_R8] = X86_CR4_PAE | X86_CR4_PGE;
	assert_int_equal(kit_exit(SVM_EXIT_CR_WRITE + 4, 0, 0), HV_RESUME);
	done(4);
	assert_int_equal(kit.sys->cr4, X86_CR4_PAE | X86_CR4_PGE);
	assert_int_equal(kit.control->tlb_control, SVM_TLB_FLUSH_ALL);
	kit.sys->rip = KIT_CODE;
	kit.r[X86_R8] = HV_BIT(63);
	assert_int_equal(kit_exit(SVM_EXIT_CR_WRITE + 4, 0, 0), HV_RESUME);
	kit_raised_at_code(X86_GP, true, 0);
}

static void cr8__write_and_read__are_the_local_apics(void **state)
{
	(void)state;
	kit_code(0x44, 0x0f, 0x22, 0xc0); /* mov %rax, %cr8 */
	kit.r[X86_RAX] = 9;
	assert_int_equal(kit_exit(SVM_EXIT_CR_WRITE + 8, 0, 0), HV_RESUME);
	done(4);
	assert_int_equal(lapic_cr8(kit.vcpu->lapic), 9);
	kit_code(0x44, 0x0f, 0x20, 0xc2); /* mov %cr8, %rdx */
	assert_int_equal(kit_exit(SVM_EXIT_CR_READ + 8, 0, 0), HV_RESUME);
	assert_int_equal(kit.r[X86_RDX], 9);
	kit.sys->rip = KIT_CODE;
	kit_code(0x44, 0x0f, 0x22, 0xc0);
	kit.r[X86_RAX] = 16;
	assert_int_equal(kit_exit(SVM_EXIT_CR_WRITE + 8, 0, 0), HV_RESUME);
	kit_raised_at_code(X86_GP, true, 0);
}

static void lmsw__register__sets_the_low_bits(void **state)
{
	(void)state;
	kit_code(0x0f, 0x01, 0xf3); /* lmsw %bx */
	kit.r[X86_RBX] = 0xfff0 | X86_CR0_TS | X86_CR0_EM;
	kit.sys->cr0 |= X86_CR0_MP;
	assert_int_equal(kit_exit(SVM_EXIT(CR0_SELECTIVE), 0, 0), HV_RESUME);
	done(3);
	assert_int_equal(kit.sys->cr0,
		X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | X86_CR0_TS | X86_CR0_EM); /* PE stays */
}

static void lmsw__memory__stops_the_vm(void **state)
{
	(void)state;
	kit_code(0x0f, 0x01, 0x36);
	assert_int_equal(kit_exit(SVM_EXIT(CR0_SELECTIVE), 0, 0), HV_CRASH);
	assert_string_equal(kit.vm->crash.reason, "LMSW from memory");
}

static void d9_cr__another_instruction_by_now__is_tried_again(void **state)
{
	static const struct {
		uint64_t exit;
		uint8_t code[4];
	} rows[] = {
		{SVM_EXIT_CR_WRITE + 4, {0x0f, 0x22, 0xd8}},      /* to CR3 */
		{SVM_EXIT_CR_WRITE + 4, {0x0f, 0x20, 0xe0}},      /* from CR4 */
		{SVM_EXIT_CR_WRITE + 4, {0x0f, 0x01, 0xf3}},      /* lmsw */
		{SVM_EXIT_CR_READ + 8, {0x44, 0x0f, 0x22, 0xc0}}, /* to CR8 */
		{SVM_EXIT_CR_WRITE + 8, {0x0f, 0x22, 0xe0}},      /* to CR4 */
		{SVM_EXIT(CR0_SELECTIVE), {0x0f, 0x06}},          /* clts */
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		uint64_t cr4 = kit.sys->cr4, cr0 = kit.sys->cr0;

		memcpy(&kit_ram[KIT_CODE], rows[i].code, 4);
		assert_int_equal(kit_exit(rows[i].exit, 0, 0), HV_RESUME);
		assert_int_equal(kit.sys->rip, KIT_CODE);
		assert_int_equal(kit.sys->cr4, cr4);
		assert_int_equal(kit.sys->cr0, cr0);
		assert_false(kit.vcpu->event.valid);
		kit_registers_but(0);
	}
	kit_set64(kit_pte(KIT_CODE), 0);
	assert_int_equal(kit_exit(SVM_EXIT_CR_WRITE + 4, 0, 0), HV_RESUME);
	kit_raised_at_code(X86_PF, true, 0);
}

/* ---- instructions ---- */

static void caches__thrown_away__is_nothing(void **state)
{
	(void)state;
	kit_code(0x0f, 0x09);
	assert_int_equal(kit_exit(SVM_EXIT(WBINVD), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
	kit_code(0x0f, 0x08);
	assert_int_equal(kit_exit(SVM_EXIT(INVD), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 4);
	assert_int_equal(exits(HV_EXIT_SYSREG), 2);
	kit_code(0x90);
	assert_int_equal(kit_exit(SVM_EXIT(INVD), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 4);
}

static void instructions__that_the_cpu_has_not__are_undefined(void **state)
{
	static const uint64_t codes[] = {SVM_EXIT(VMRUN), SVM_EXIT(VMLOAD), SVM_EXIT(VMSAVE),
		SVM_EXIT(STGI), SVM_EXIT(CLGI), SVM_EXIT(SKINIT), SVM_EXIT(INVLPGA),
		SVM_EXIT(MONITOR), SVM_EXIT(MWAIT), SVM_EXIT(MWAIT_ARMED), SVM_EXIT(RDPRU),
		SVM_EXIT(INVLPGB), SVM_EXIT(INVLPGB_ILLEGAL), SVM_EXIT(INVPCID), SVM_EXIT(MCOMMIT),
		SVM_EXIT(TLBSYNC)};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(codes); i++) {
		kit.vcpu->event.valid = false;
		assert_int_equal(kit_exit(codes[i], 0, 0), HV_RESUME);
		kit_raised_at_code(X86_UD, false, 0);
		kit_registers_but(0);
	}
	kit.vcpu->event.valid = false;
	assert_int_equal(kit_exit(SVM_EXIT(RDPMC), 0, 0), HV_RESUME);
	kit_raised_at_code(X86_GP, true, 0);
}

/* ---- exceptions ---- */

static void x16_exceptions__that_may_never_end__go_back(void **state)
{
	(void)state;
	kit.sys->dr6 |= X86_DR6_BS;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	kit_raised_at_code(X86_DB, false, 0);
	assert_true(kit.sys->dr6 & X86_DR6_BS);
	kit.vcpu->event.valid = false;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_AC, 0x12345, 0), HV_RESUME);
	kit_raised_at_code(X86_AC, true, 0x12345);
}

static void x15_exception__while_another_is_delivered__goes_by_the_table(void **state)
{
	(void)state;
	kit.control->exit_int_info = SVM_EVENT_VALID | 3 << 8 | X86_DF;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_AC, 0, 0), HV_RESUME);
	kit_raised_at_code(X86_AC, true, 0); /* benign */
	kit.vcpu->event.valid = false;
	kit.control->exit_int_info = SVM_EVENT_VALID | 0x41;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_AC, 0, 0), HV_RESUME);
	kit_raised_at_code(X86_AC, true, 0);
	assert_true(kit.vcpu->held.valid);
	assert_int_equal(kit.vcpu->held.vector, 0x41);
}

/* Of EXITINTINFO only the valid bit says that there is something. */
static void x15_delivery__interrupted__comes_again_as_it_was(void **state)
{
	static const struct {
		uint64_t raw;
		bool again;
	} rows[] = {
		{0x41, true},
		{2 << 8 | 2, true},
		{3 << 8 | X86_GP | SVM_EVENT_HAS_ERROR | 0x1234ull << 32, true},
		{3 << 8 | X86_DB, true},
		{3 << 8 | X86_BP, false}, /* INT3, INTO, INT n: RIP is on them */
		{3 << 8 | X86_OF, false},
		{4 << 8 | 0x80, false},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		kit_setup(NULL);
		kit.control->exit_int_info = rows[i].raw;
		assert_int_equal(kit_exit(SVM_EXIT(INTR), 0, 0), HV_RESUME);
		assert_false(kit.vcpu->event.valid || kit_looks());
		kit.control->exit_int_info = rows[i].raw | SVM_EVENT_VALID;
		assert_int_equal(kit_exit(SVM_EXIT(INTR), 0, 0), HV_RESUME);
		assert_int_equal(kit_looks(), rows[i].again);
		assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
		assert_int_equal(kit.control->event_inject,
			rows[i].again ? rows[i].raw | SVM_EVENT_VALID : 0);
	}
}

/* ---- the rest ---- */

static void host__its_own_reasons__are_counted_only(void **state)
{
	static const uint64_t codes[] = {
		SVM_EXIT(INTR), SVM_EXIT(NMI), SVM_EXIT(SMI), SVM_EXIT(INIT)};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(codes); i++) {
		assert_int_equal(kit_exit(codes[i], 0, 0), HV_RESUME);
	}
	assert_int_equal(exits(HV_EXIT_HOST_IRQ), 4);
	assert_false(kit_looks());
	kit_registers_but(0);
}

static void stops(uint64_t code, const char *why)
{
	kit_setup(NULL);
	assert_int_equal(kit_exit(code, 0x77, 0), HV_CRASH);
	assert_string_equal(kit.vm->crash.reason, why);
	assert_int_equal(kit.vm->crash.info[0], code);
	assert_int_equal(kit.vm->crash.info[1], 0x77);
	assert_int_equal(exits(HV_EXIT_BAD), 1);
}

static void x12_codes__invalid_and_unknown__stop_the_vm(void **state)
{
	(void)state;
	stops(SVM_EXIT_INVALID, "VMRUN refused its state");
	stops(SVM_EXIT_INVALID32, "VMRUN refused its state");
	stops(UINT64_MAX - 1, "an exit that was not asked for");
	stops(0x7ff, "an exit that was not asked for");
	stops(0x401, "an exit that was not asked for");
	stops(SVM_EXIT(SHUTDOWN), "triple fault");
	stops(SVM_EXIT_EXCEPTION + X86_MC, "a machine check");
	stops(SVM_EXIT_EXCEPTION + X86_GP, "an exception that was not asked for");
	stops(SVM_EXIT(XSETBV), "an exit that was not asked for");
}

static void x12_codes__all__end_in_a_verdict(void **state)
{
	(void)state;
	for (uint64_t code = 0; code < 0x500; code++) {
		kit_setup(NULL);
		assert_int_not_equal(kit_exit(code, 0, 0), HV_FAULT);
		assert_int_equal(fake_port.locks_held, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(cr0__selective_write__is_done_and_flushes),
		kit_test(cr4__write__is_done_or_general_protection),
		kit_test(cr8__write_and_read__are_the_local_apics),
		kit_test(lmsw__register__sets_the_low_bits),
		kit_test(lmsw__memory__stops_the_vm),
		kit_test(d9_cr__another_instruction_by_now__is_tried_again),
		kit_test(caches__thrown_away__is_nothing),
		kit_test(instructions__that_the_cpu_has_not__are_undefined),
		kit_test(x16_exceptions__that_may_never_end__go_back),
		kit_test(x15_exception__while_another_is_delivered__goes_by_the_table),
		kit_test(x15_delivery__interrupted__comes_again_as_it_was),
		kit_test(host__its_own_reasons__are_counted_only),
		kit_test(x12_codes__invalid_and_unknown__stop_the_vm),
		kit_test(x12_codes__all__end_in_a_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

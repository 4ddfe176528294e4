/* SPDX-License-Identifier: MIT */
/* What the next VMRUN delivers, and how the guest comes back for the rest: interrupts, NMIs,
 * shadows. */
#include "../x86_kit.h"

#define VINTR (1u << SVM_INTERCEPT_VINTR)
#define IRET  (1u << SVM_INTERCEPT_IRET)

static int setup(void **state)
{
	struct hv_access svr = {.off = LAPIC_SVR, .size = 4, .write = true, .data = 0x1ff};

	kit_setup(state);
	assert_true(lapics_ops.access(&kit.lapics, &svr));
	kit.sys->rflags |= X86_FLAG_IF;
	return 0;
}
#define entry_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

static void prepare(void)
{
	kit.control->event_inject = 0; /* as VMRUN left it */
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_false(kit_looks());
}

static void injects(uint64_t raw)
{
	assert_int_equal(kit.control->event_inject, raw ? raw | SVM_EVENT_VALID : 0);
}

static bool has_window(void)
{
	bool open = (kit.control->intercept[0] & VINTR) != 0;

	assert_int_equal((kit.control->vintr & SVM_VINTR_IRQ) != 0, open);
	assert_true(kit.control->vintr & SVM_VINTR_IGNORE_TPR);
	return open;
}

static bool stops_at_iret(void)
{
	return (kit.control->intercept[0] & IRET) != 0;
}

static void irq(uint8_t vector)
{
	lapic_raise(kit.vcpu->lapic, vector, false);
	assert_true(kit_looks());
}

static void nmi(void)
{
	x86_signal_send(kit.vcpu, X86_SIGNAL_NMI, 0);
	assert_true(kit_looks());
}

/* ---- interrupts ---- */

static void interrupt__pending__is_delivered_once(void **state)
{
	(void)state;
	irq(0x41);
	prepare();
	injects(0x41);
	assert_false(has_window());
	prepare();
	injects(0);
}

static void a7_interrupt__if_0__waits_in_a_window(void **state)
{
	(void)state;
	kit.sys->rflags &= ~X86_FLAG_IF;
	irq(0x41);
	prepare();
	injects(0);
	assert_true(has_window());
	kit.sys->rflags |= X86_FLAG_IF;
	assert_int_equal(kit_exit(SVM_EXIT(VINTR), 0, 0), HV_RESUME);
	assert_true(kit_looks());
	prepare();
	injects(0x41);
	assert_false(has_window());
}

static void a7_interrupt__behind_sti__waits_in_a_window(void **state)
{
	(void)state;
	kit.control->shadow = SVM_SHADOW;
	irq(0x41);
	prepare();
	injects(0);
	assert_true(has_window());
	kit.control->shadow = 0;
	prepare();
	injects(0x41);
}

/* No second exit for it; and some CPUs only look at the window when IF changes. */
static void a7_interrupt__behind_an_instruction_behind_sti__is_delivered_with_it(void **state)
{
	const struct {
		uint64_t exit, info1, info2;
		uint8_t code[2];
	} rows[] = {
		{SVM_EXIT(CPUID), 0, 0, {0x0f, 0xa2}},
		{SVM_EXIT(IOIO), 1 << SVM_IO_SIZE_SHIFT | SVM_IO_IN, KIT_CODE + 1, {0xec}},
		{SVM_EXIT(IOIO), 1 << SVM_IO_SIZE_SHIFT | SVM_IO_IN | SVM_IO_STRING, 0, {0x6c}},
		{SVM_EXIT_NPF, SVM_NPF_FINAL, KIT_DEV, {0x8a, 0x00}},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		kit_teardown(state);
		setup(state);
		memcpy(&kit_ram[KIT_CODE], rows[i].code, sizeof(rows[i].code));
		kit.r[X86_RAX] = KIT_DEV;
		kit.r[X86_RDI] = 0x30000;
		kit.sys->rflags &= ~X86_FLAG_IF;
		irq(0x41);
		prepare();
		assert_true(has_window());
		kit.sys->rflags |= X86_FLAG_IF; /* STI, and then the exit */
		kit.control->shadow = SVM_SHADOW;
		assert_int_equal(kit_exit(rows[i].exit, rows[i].info1, rows[i].info2), HV_RESUME);
		assert_true(kit_looks());
		prepare();
		injects(0x41);
		assert_false(has_window());
	}
}

static void a7_interrupt__in_a_window__is_delivered_with_the_next_entry_that_can(void **state)
{
	(void)state;
	kit.sys->rflags &= ~X86_FLAG_IF;
	irq(0x41);
	prepare();
	assert_true(has_window());
	assert_int_equal(kit_exit(SVM_EXIT(INTR), 0, 0), HV_RESUME); /* still off */
	assert_true(kit_looks());
	prepare();
	injects(0);
	assert_true(has_window());
	kit.sys->rflags |= X86_FLAG_IF;
	assert_int_equal(kit_exit(SVM_EXIT(INTR), 0, 0), HV_RESUME);
	assert_true(kit_looks());
	prepare();
	injects(0x41);
	assert_int_equal(kit_exit(SVM_EXIT(INTR), 0, 0), HV_RESUME);
	assert_false(kit_looks());
}

/* A CPU that forgets the shadow would take it before the HLT, and sleep behind it. */
static void s4_interrupt__between_sti_and_hlt__ends_the_hlt(void **state)
{
	(void)state;
	kit_ram[KIT_CODE] = 0xf4;
	kit.control->shadow = SVM_SHADOW;
	irq(0x41);
	prepare();
	injects(0x41);
	assert_int_equal(kit.sys->rip, KIT_CODE + 1);
	assert_int_equal(kit.control->shadow, 0);
	assert_false(has_window());
}

/* Not where HLT is an exception, or a step that somebody waits for, or nothing is to be waited for.
 */
static void s4_interrupt__before_a_hlt_that_does_not_wait__waits_in_a_window(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		kit_teardown(state);
		setup(state);
		kit_ram[KIT_CODE] = i == 3 ? 0x90 : 0xf4;
		kit.sys->cpl = i == 0 ? 3 : 0;
		kit.sys->rflags |= i == 1 ? X86_FLAG_TF : 0;
		kit.sys->rflags &= i == 2 ? ~X86_FLAG_IF : ~0ull;
		kit.control->shadow = SVM_SHADOW;
		irq(0x41);
		prepare();
		injects(0);
		assert_int_equal(kit.sys->rip, KIT_CODE);
		assert_true(has_window());
	}
}

static void a7_interrupt__behind_an_exception__waits_in_a_window(void **state)
{
	(void)state;
	irq(0x41);
	kit.vcpu->event = (struct x86_event){.valid = true,
		.type = X86_EVENT_EXCEPTION,
		.vector = X86_PF,
		.has_error = true,
		.error = 0x12345678};
	prepare();
	injects(0x12345678ull << 32 | SVM_EVENT_HAS_ERROR | 3 << 8 | X86_PF);
	assert_false(kit.vcpu->event.valid);
	assert_true(has_window());
	prepare();
	injects(0x41);
}

static void a7_interrupt__below_tpr__waits_until_cr8_is_lower(void **state)
{
	(void)state;
	lapic_cr8_set(kit.vcpu->lapic, 4);
	irq(0x41);
	prepare();
	injects(0);
	assert_false(has_window()); /* no window opens for it */
	lapic_cr8_set(kit.vcpu->lapic, 3);
	assert_true(kit_looks());
	prepare();
	injects(0x41);
}

static void interrupt__two__the_higher_first_and_the_other_in_a_window(void **state)
{
	(void)state;
	irq(0x41);
	irq(0x61);
	prepare();
	injects(0x61);
	assert_false(has_window()); /* the lower one is masked while the higher is in service */
	irq(0x71);
	kit.sys->rflags &= ~X86_FLAG_IF;
	prepare();
	assert_true(has_window());
}

/* An entry was prepared, and another thing came before it: what is there already goes first. */
static void interrupt__entry_prepared_twice__keeps_what_is_there(void **state)
{
	(void)state;
	irq(0x41);
	prepare();
	injects(0x41);
	irq(0x61);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	injects(0x41);
	assert_true(has_window());
}

static void interrupt__external__comes_from_the_8259(void **state)
{
	(void)state;
	lapic_pin_set(kit.vcpu->lapic, 0, true); /* LINT0, virtual wire */
	prepare();
	injects(0x28);
	assert_int_equal(kit.intacks, 1);
}

/* ---- halted ---- */

static void hlt__interrupt_comes__goes_on_with_it(void **state)
{
	(void)state;
	kit.vcpu->halted = true;
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_BLOCK);
	irq(0x41);
	prepare();
	injects(0x41);
	assert_false(kit.vcpu->halted);
}

static void x17_hlt__interrupts_off__is_parked_until_an_nmi(void **state)
{
	(void)state;
	kit.sys->rflags &= ~X86_FLAG_IF;
	kit.vcpu->halted = true;
	irq(0x41);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_BLOCK);
	assert_false(kit_looks());
	nmi();
	prepare();
	injects(2 << 8 | X86_NMI);
	assert_false(kit.vcpu->halted);
}

/* ---- NMIs ---- */

static void nmi__before_an_interrupt__goes_first(void **state)
{
	(void)state;
	irq(0x41);
	nmi();
	prepare();
	injects(2 << 8 | X86_NMI);
	assert_true(has_window());
	assert_true(stops_at_iret());
}

/* The handler's IRET is stepped over; then the next one comes. */
static void a8_nmi__while_one_is_handled__comes_behind_its_iret(void **state)
{
	(void)state;
	nmi();
	prepare();
	injects(2 << 8 | X86_NMI);
	kit.sys->rflags &= ~X86_FLAG_IF;
	nmi();
	prepare();
	injects(0);
	assert_true(stops_at_iret());
	assert_false(has_window());
	assert_int_equal(kit_exit(SVM_EXIT(IRET), 0, 0), HV_RESUME);
	assert_true(kit.sys->rflags & X86_FLAG_TF);
	assert_false(stops_at_iret());
	assert_int_equal(kit.sys->rip, KIT_CODE);
	prepare(); /* something else comes before it is done */
	injects(0);
	assert_false(stops_at_iret());
	/* It is done: flags came from the stack. */
	kit.sys->dr6 |= X86_DR6_BS;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	assert_false(kit.sys->rflags & X86_FLAG_TF);
	assert_int_equal(kit.sys->dr6, X86_DR6_INIT);
	assert_false(kit.vcpu->event.valid);
	assert_true(kit_looks());
	prepare();
	injects(2 << 8 | X86_NMI);
	assert_false(kit.vcpu->nmi_pending);
}

static void iret_done(void)
{
	assert_int_equal(kit_exit(SVM_EXIT(IRET), 0, 0), HV_RESUME);
	prepare();
	injects(0);
	kit.sys->dr6 |= X86_DR6_BS;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	assert_true(kit_looks());
}

/* As if the first had been taken before the second came. */
static void a8_nmi__several_before_a_look__two_come(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		nmi();
	}
	prepare();
	injects(2 << 8 | X86_NMI);
	iret_done();
	prepare();
	injects(2 << 8 | X86_NMI);
	iret_done();
	prepare();
	injects(0);
	assert_false(stops_at_iret());
}

static void a8_nmi__several_while_one_is_handled__one_comes(void **state)
{
	(void)state;
	nmi();
	prepare();
	injects(2 << 8 | X86_NMI);
	nmi();
	nmi();
	iret_done();
	prepare();
	injects(2 << 8 | X86_NMI);
	iret_done();
	prepare();
	injects(0);
}

static void a8_nmi__handler_ends__nothing_is_left_of_it(void **state)
{
	(void)state;
	nmi();
	prepare();
	assert_int_equal(kit_exit(SVM_EXIT(IRET), 0, 0), HV_RESUME);
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	prepare();
	injects(0);
	assert_false(stops_at_iret());
	assert_false(kit.vcpu->nmi_blocked || kit.vcpu->nmi_step);
}

/* The guest steps by itself, too: it gets its trap, and the NMI behind it. */
static void a8_nmi__guest_single_steps_over_the_iret__has_its_trap(void **state)
{
	(void)state;
	nmi();
	prepare();
	nmi();
	kit.sys->rflags |= X86_FLAG_TF;
	assert_int_equal(kit_exit(SVM_EXIT(IRET), 0, 0), HV_RESUME);
	kit.sys->dr6 |= X86_DR6_BS;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	assert_true(kit.sys->rflags & X86_FLAG_TF);
	assert_true(kit.sys->dr6 & X86_DR6_BS);
	kit_raised_at_code(X86_DB, false, 0);
	prepare();
	injects(3 << 8 | X86_DB);
	assert_true(has_window());
	assert_true(stops_at_iret());
	prepare();
	injects(2 << 8 | X86_NMI);
}

static void a8_nmi__behind_mov_ss__is_stepped_to(void **state)
{
	(void)state;
	kit.control->shadow = SVM_SHADOW;
	nmi();
	prepare();
	injects(0);
	assert_true(kit.sys->rflags & X86_FLAG_TF);
	prepare();
	injects(0);
	assert_false(has_window()); /* QEMU, which forgets shadows, would do nothing else */
	kit.control->shadow = 0;
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	assert_false(kit.sys->rflags & X86_FLAG_TF);
	prepare();
	injects(2 << 8 | X86_NMI);
}

static void step_to_nmi(void)
{
	kit.control->shadow = SVM_SHADOW;
	nmi();
	prepare();
	assert_true(kit.sys->rflags & X86_FLAG_TF);
}

static void a8_interrupt__while_a_step_goes_on__comes_behind_it(void **state)
{
	(void)state;
	step_to_nmi();
	kit.control->shadow = 0; /* as QEMU says when something else comes first */
	irq(0x41);
	prepare();
	injects(0);
	assert_false(has_window());
	assert_int_equal(kit_exit(SVM_EXIT_EXCEPTION + X86_DB, 0, 0), HV_RESUME);
	prepare();
	injects(2 << 8 | X86_NMI);
	assert_true(has_window());
}

/* The instruction faults, and its handler may wait for interrupts. The NMI comes behind. */
static void a8_interrupt__in_the_handler_of_a_steps_fault__comes(void **state)
{
	(void)state;
	step_to_nmi();
	kit.control->shadow = 0;
	kit.sys->rflags &= ~X86_FLAG_TF; /* the CPU, as it enters the handler */
	irq(0x41);
	prepare();
	injects(0x41);
	assert_false(has_window());
	irq(0x61);
	kit.sys->rflags &= ~X86_FLAG_IF;
	prepare();
	assert_true(has_window());
}

/* The instruction exits: that it is stepped over is the end of the step, and nobody's trap. */
static void a8_nmi__behind_sti_and_an_exit__comes_behind_it(void **state)
{
	(void)state;
	kit_code(0x0f, 0xa2); /* CPUID */
	step_to_nmi();
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_false(kit.sys->rflags & X86_FLAG_TF);
	assert_int_equal(kit.sys->dr6, X86_DR6_INIT);
	assert_false(kit.vcpu->event.valid);
	assert_true(kit_looks());
	prepare();
	injects(2 << 8 | X86_NMI);
}

/* ---- delivered again ---- */

static void x15_interrupt__held_behind_a_fault__comes_when_it_can(void **state)
{
	(void)state;
	kit.vcpu->held = (struct x86_event){.valid = true, .type = X86_EVENT_INTR, .vector = 0x41};
	kit.sys->rflags &= ~X86_FLAG_IF;
	prepare();
	injects(0);
	assert_true(has_window());
	kit.sys->rflags |= X86_FLAG_IF;
	prepare();
	injects(0x41);
	assert_false(kit.vcpu->held.valid);
	assert_false(has_window());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		entry_test(interrupt__pending__is_delivered_once),
		entry_test(a7_interrupt__if_0__waits_in_a_window),
		entry_test(a7_interrupt__behind_sti__waits_in_a_window),
		entry_test(a7_interrupt__in_a_window__is_delivered_with_the_next_entry_that_can),
		entry_test(a7_interrupt__behind_an_instruction_behind_sti__is_delivered_with_it),
		entry_test(s4_interrupt__between_sti_and_hlt__ends_the_hlt),
		entry_test(s4_interrupt__before_a_hlt_that_does_not_wait__waits_in_a_window),
		entry_test(a7_interrupt__behind_an_exception__waits_in_a_window),
		entry_test(a7_interrupt__below_tpr__waits_until_cr8_is_lower),
		entry_test(interrupt__two__the_higher_first_and_the_other_in_a_window),
		entry_test(interrupt__entry_prepared_twice__keeps_what_is_there),
		entry_test(interrupt__external__comes_from_the_8259),
		entry_test(hlt__interrupt_comes__goes_on_with_it),
		entry_test(x17_hlt__interrupts_off__is_parked_until_an_nmi),
		entry_test(nmi__before_an_interrupt__goes_first),
		entry_test(a8_nmi__while_one_is_handled__comes_behind_its_iret),
		entry_test(a8_nmi__several_before_a_look__two_come),
		entry_test(a8_nmi__several_while_one_is_handled__one_comes),
		entry_test(a8_nmi__handler_ends__nothing_is_left_of_it),
		entry_test(a8_nmi__guest_single_steps_over_the_iret__has_its_trap),
		entry_test(a8_nmi__behind_mov_ss__is_stepped_to),
		entry_test(a8_interrupt__while_a_step_goes_on__comes_behind_it),
		entry_test(a8_interrupt__in_the_handler_of_a_steps_fault__comes),
		entry_test(a8_nmi__behind_sti_and_an_exit__comes_behind_it),
		entry_test(x15_interrupt__held_behind_a_fault__comes_when_it_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

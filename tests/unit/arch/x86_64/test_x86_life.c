/* SPDX-License-Identifier: MIT */
/* How vCPUs begin: by a loader's wish, by INIT and SIPI, off and running; what signals do. */
#include "x86_kit.h"

#include <arch/x86_64/life.h>

static void segment(unsigned id, uint16_t selector, uint16_t attrib, uint32_t limit, uint64_t base)
{
	const struct x86_seg *seg = &kit.vcpu->sys->seg[id];

	assert_int_equal(seg->selector, selector);
	assert_int_equal(seg->attrib, attrib);
	assert_int_equal(seg->limit, limit);
	assert_int_equal(seg->base, base);
}

static void tables_of_reset(void)
{
	segment(X86_IDTR, 0, 0, 0xffff, 0);
	segment(X86_LDTR, 0, 0x82, 0xffff, 0);
	segment(X86_TR, 0, 0x8b, 0xffff, 0);
}

static void begin(const struct x86_boot *boot)
{
	x86_boot_set(kit.vcpu, boot);
	memset(kit.sys, 0x5a, sizeof(*kit.sys));
	kit.sys->efer = X86_EFER_SVME;
	x86_arch.reset(&kit.vcpu->hv, GPA(0), 0);
}

/* Registers but those of `mask` are 0. */
static void zero_but(uint32_t mask)
{
	for (unsigned n = 0; n < X86_GPRS; n++) {
		if (!(mask >> n & 1)) {
			assert_int_equal(kit.r[n], 0);
		}
	}
}

static void boot__long_mode__has_paging_and_a_64_bit_segment(void **state)
{
	const struct x86_boot boot = {.start = X86_START_LONG,
		.rip = 0x200000,
		.cr3 = 0x9000,
		.gdt = 0x8000,
		.gdt_limit = 31,
		.rsi = 0x7000};

	(void)state;
	begin(&boot);
	assert_int_equal(kit.sys->rip, 0x200000);
	assert_int_equal(kit.sys->cr0, X86_CR0_PE | X86_CR0_PG | X86_CR0_ET);
	assert_int_equal(kit.sys->cr3, 0x9000);
	assert_int_equal(kit.sys->cr4, X86_CR4_PAE);
	assert_int_equal(kit.sys->efer, X86_EFER_LME | X86_EFER_LMA | X86_EFER_SVME);
	assert_int_equal(kit.sys->rflags, 2);
	assert_int_equal(kit.sys->dr6, 0xffff0ff0);
	assert_int_equal(kit.sys->dr7, 0x400);
	segment(X86_CS, 0x10, 0xa9b, UINT32_MAX, 0);
	segment(X86_SS, 0x18, 0xc93, UINT32_MAX, 0);
	segment(X86_GS, 0x18, 0xc93, UINT32_MAX, 0);
	segment(X86_GDTR, 0, 0, 31, 0x8000);
	tables_of_reset();
	assert_int_equal(kit.r[X86_RSI], 0x7000);
	zero_but(1 << X86_RSI);
}

static void boot__protected_mode__is_flat_without_paging(void **state)
{
	const struct x86_boot boot = {.start = X86_START_PROT,
		.rip = 0x100000,
		.gdt = 0x8000,
		.gdt_limit = 31,
		.rax = 0x2badb002,
		.rbx = 0x7000};

	(void)state;
	begin(&boot);
	assert_int_equal(kit.sys->cr0, X86_CR0_PE | X86_CR0_ET);
	assert_int_equal(kit.sys->efer, X86_EFER_SVME);
	segment(X86_CS, 0x10, 0xc9b, UINT32_MAX, 0);
	segment(X86_DS, 0x18, 0xc93, UINT32_MAX, 0);
	assert_int_equal(kit.r[X86_RAX], 0x2badb002);
	assert_int_equal(kit.r[X86_RBX], 0x7000);
	zero_but(1 << X86_RAX | 1 << X86_RBX);
}

static void boot__real_mode__at_a_vector_and_at_the_reset_vector(void **state)
{
	struct x86_boot boot = {.start = X86_START_REAL, .rip = 0x7c00};

	(void)state;
	begin(&boot);
	assert_int_equal(kit.sys->cr0, X86_CR0_ET);
	segment(X86_CS, 0x7c0, 0x9b, 0xffff, 0x7c00);
	segment(X86_DS, 0, 0x93, 0xffff, 0);
	assert_int_equal(kit.sys->rip, 0);
	boot.rip = 0xfffffff0;
	begin(&boot);
	segment(X86_CS, 0xf000, 0x9b, 0xffff, 0xffff0000);
	assert_int_equal(kit.sys->rip, 0xfff0);
	boot.rip = 0xffff8;
	begin(&boot);
	segment(X86_CS, 0xffff, 0x9b, 0xffff, 0xffff0);
	assert_int_equal(kit.sys->rip, 8);
}

static void reset__of_all__forgets_what_was_under_way(void **state)
{
	const struct x86_boot boot = {.start = X86_START_REAL};

	(void)state;
	kit.vcpu->event.valid = kit.vcpu->held.valid = true;
	kit.vcpu->nmi_pending = kit.vcpu->nmi_blocked = kit.vcpu->nmi_step = true;
	kit.vcpu->halted = kit.vcpu->wait_sipi = true;
	kit.vcpu->signals = 7;
	kit.vcpu->regs.host = 0x1234;
	kit.control->event_inject = SVM_EVENT_VALID;
	kit.control->shadow = 1;
	begin(&boot);
	assert_true(kit_looks());
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.control->event_inject, 0);
	assert_int_equal(kit.control->shadow, 0);
	assert_int_equal(kit.control->tlb_control, SVM_TLB_FLUSH_ALL);
	assert_false(kit.vcpu->event.valid || kit.vcpu->held.valid || kit.vcpu->nmi_pending ||
		     kit.vcpu->nmi_blocked || kit.vcpu->nmi_step);
	assert_int_equal(kit.vcpu->regs.host, 0x1234);
}

/* ---- INIT and SIPI ---- */

/* As a PC's start-up code does. */
static void start(unsigned n, uint8_t vector)
{
	x86_signal_send(kit_vcpu(n), X86_SIGNAL_INIT, 0);
	x86_signal_send(kit_vcpu(n), X86_SIGNAL_SIPI, vector);
	x86_signal_send(kit_vcpu(n), X86_SIGNAL_SIPI, vector);
}

static void at_vector(uint8_t vector)
{
	segment(X86_CS, (uint16_t)(vector << 8), 0x9b, 0xffff, (uint64_t)vector << 12);
	assert_int_equal(kit.vcpu->sys->rip, 0);
	assert_int_equal(kit.vcpu->sys->cr0, X86_CR0_CD | X86_CR0_NW | X86_CR0_ET);
	assert_int_equal(kit.vcpu->regs.r[X86_RDX], 0x663); /* what CPU it is */
	assert_int_equal(kit.vcpu->regs.r[X86_RAX], 0);
	tables_of_reset();
}

static void sipi__to_one_that_is_off__turns_it_on_there(void **state)
{
	(void)state;
	start(1, 0x12);
	assert_int_equal(kit_vcpu(1)->hv.state, HV_VCPU_READY);
	assert_int_equal(hv_vcpu_enter(&kit_vcpu(1)->hv, 1), HV_OK);
	kit.vcpu = kit_vcpu(1);
	at_vector(0x12);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	at_vector(0x12);
	assert_int_equal(kit.vm->on_count, 2);
}

static void sipi__to_where_no_memory_is__starts_nothing(void **state)
{
	(void)state;
	kit.vm->gmem.region[0].size = 0x80000;
	x86_signal_send(kit_vcpu(1), X86_SIGNAL_SIPI, 0x80);
	assert_int_equal(kit_vcpu(1)->hv.state, HV_VCPU_OFF);
	x86_signal_send(kit_vcpu(1), X86_SIGNAL_SIPI, 0x7f);
	assert_int_equal(kit_vcpu(1)->hv.state, HV_VCPU_READY);
}

static void init__to_a_running_one__waits_for_its_sipi(void **state)
{
	(void)state;
	x86_signal_send(kit.vcpu, X86_SIGNAL_INIT, 0);
	assert_true(kit_looks());
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_BLOCK);
	hv_vcpu_leave(&kit.vcpu->hv, HV_BLOCK);
	assert_int_equal(kit.vcpu->hv.state, HV_VCPU_BLOCKED);
	/* Interrupts and NMIs do not wake it for good. */
	x86_signal_send(kit.vcpu, X86_SIGNAL_NMI, 0);
	assert_int_equal(hv_vcpu_enter(&kit.vcpu->hv, 0), HV_OK);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_BLOCK);
	assert_false(kit.vcpu->nmi_pending);
	hv_vcpu_leave(&kit.vcpu->hv, HV_BLOCK);
	x86_signal_send(kit.vcpu, X86_SIGNAL_SIPI, 0x34);
	assert_int_equal(kit.vcpu->hv.state, HV_VCPU_READY);
	assert_int_equal(hv_vcpu_enter(&kit.vcpu->hv, 0), HV_OK);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	at_vector(0x34);
	assert_int_equal(kit.sys->efer, X86_EFER_SVME);
}

static void sipi__before_the_init_was_seen__starts_in_one_go(void **state)
{
	(void)state;
	start(0, 0x56);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	at_vector(0x56);
}

static void sipi__without_init__means_nothing(void **state)
{
	(void)state;
	x86_signal_send(kit.vcpu, X86_SIGNAL_SIPI, 0x12);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE);
	kit_registers_but(0);
}

static void init__behind_a_sipi__makes_it_void(void **state)
{
	(void)state;
	start(0, 0x12);
	x86_signal_send(kit.vcpu, X86_SIGNAL_INIT, 0);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_BLOCK);
	x86_signal_send(kit.vcpu, X86_SIGNAL_SIPI, 0x13);
	x86_signal_send(kit.vcpu, X86_SIGNAL_SIPI, 0x14);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	at_vector(0x13);
}

static void init__of_the_local_apic__goes_with_it(void **state)
{
	struct hv_access access = {.off = LAPIC_SVR, .size = 4, .write = true, .data = 0x1ff};

	(void)state;
	assert_true(lapics_ops.access(&kit.lapics, &access));
	x86_signal_send(kit.vcpu, X86_SIGNAL_INIT, 0);
	(void)!svm_entry_prepare(kit.vcpu);
	access = (struct hv_access){.off = LAPIC_SVR, .size = 4};
	assert_true(lapics_ops.access(&kit.lapics, &access));
	assert_int_equal(access.data, 0xff);
}

/* ---- the local APIC's door ---- */

static void lapic__ops__tell_the_vcpu(void **state)
{
	(void)state;
	x86_lapic_ops.look(kit.vcpu);
	assert_true(kit_looks());
	assert_int_equal(fake_port.kicks, 0);
	x86_lapic_ops.rearm(kit.vcpu);
	assert_true(atomic_load(&kit.vcpu->hv.todo) & HV_TODO_TIME);
	atomic_store(&kit.vcpu->hv.todo, 0);
	x86_lapic_ops.notify(kit.vcpu);
	assert_true(kit_looks());
	assert_int_equal(fake_port.kicks, 1);
	x86_lapic_ops.signal(kit.vcpu, LAPIC_SIGNAL_NMI, 0);
	assert_int_equal(kit.vcpu->signals, X86_SIGNAL_NMI);
	x86_lapic_ops.signal(kit.vcpu, LAPIC_SIGNAL_INIT, 0);
	assert_int_equal(kit.vcpu->signals, X86_SIGNAL_INIT);
	x86_lapic_ops.signal(kit.vcpu, LAPIC_SIGNAL_SIPI, 9);
	assert_int_equal(kit.vcpu->signals, X86_SIGNAL_INIT | X86_SIGNAL_SIPI | 9 << 8);
}

static void timer__due__is_the_local_apics(void **state)
{
	(void)state;
	assert_int_equal(x86_timer_update(kit.vcpu, 0), HV_NEVER_DUE);
}

static void arch__hw_id__is_the_index(void **state)
{
	(void)state;
	assert_int_equal(x86_arch.hw_id(kit.vm->vcpu[2]), 2);
	assert_string_equal(x86_arch.name, "x86_64");
}

static void caps__each_that_is_missing__is_named(void **state)
{
	struct x86_caps caps = kit.caps;

	(void)state;
	assert_null(x86_caps_missing(&caps));
	caps.asids = 1;
	assert_string_equal(x86_caps_missing(&caps), "an ASID for guests");
	caps.has_1g = false;
	assert_string_equal(x86_caps_missing(&caps), "1 GiB pages");
	caps.has_npt = false;
	assert_string_equal(x86_caps_missing(&caps), "nested paging");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(boot__long_mode__has_paging_and_a_64_bit_segment),
		kit_test(boot__protected_mode__is_flat_without_paging),
		kit_test(boot__real_mode__at_a_vector_and_at_the_reset_vector),
		kit_test(reset__of_all__forgets_what_was_under_way),
		kit_test(sipi__to_one_that_is_off__turns_it_on_there),
		kit_test(sipi__to_where_no_memory_is__starts_nothing),
		kit_test(init__to_a_running_one__waits_for_its_sipi),
		kit_test(sipi__before_the_init_was_seen__starts_in_one_go),
		kit_test(sipi__without_init__means_nothing),
		kit_test(init__behind_a_sipi__makes_it_void),
		kit_test(init__of_the_local_apic__goes_with_it),
		kit_test(lapic__ops__tell_the_vcpu),
		kit_test(timer__due__is_the_local_apics),
		kit_test(arch__hw_id__is_the_index),
		kit_test(caps__each_that_is_missing__is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

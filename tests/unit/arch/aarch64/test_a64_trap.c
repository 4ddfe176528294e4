/* SPDX-License-Identifier: MIT */
/* From trap record to verdict: exception classes, aborts with a valid syndrome, calls, waits. */
#include "a64_kit.h"

#define PC KIT_RAM

static struct a64_vcpu *vcpu(void)
{
	return kit.vcpu;
}

static uint64_t exits(enum hv_exit_kind kind)
{
	return kit.vcpu->hv.stats.exits[kind];
}

/* ---- X1: every exception class ---- */

enum fate { UNDEF, GUEST, STOP, OTHER };

static enum fate fate_of(unsigned ec)
{
	static const uint8_t undef[] = {0x00, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0c,
		0x14, 0x19, 0x1a, 0x1b, 0x1d, 0x27};
	static const uint8_t guest[] = {
		0x0d, 0x0e, 0x11, 0x15, 0x1c, 0x22, 0x26, 0x28, 0x2c, 0x30, 0x32, 0x34, 0x38, 0x3c};
	static const uint8_t other[] = {0x01, 0x16, 0x17, 0x18, 0x20, 0x24, 0x2f};

	if (memchr(undef, (int)ec, sizeof(undef))) {
		return UNDEF;
	}
	if (memchr(guest, (int)ec, sizeof(guest))) {
		return GUEST;
	}
	return memchr(other, (int)ec, sizeof(other)) ? OTHER : STOP;
}

static void x1_trap__every_class__is_handled_or_goes_back_or_stops_the_vm(void **state)
{
	(void)state;
	for (unsigned ec = 0; ec < 64; ec++) {
		enum hv_verdict verdict;
		uint64_t esr = kit_esr(ec, 0x1155aa0);

		if (fate_of(ec) == OTHER) {
			continue;
		}
		kit_setup(NULL);
		verdict = kit_trap(esr);
		switch (fate_of(ec)) {
		case UNDEF:
			assert_int_equal(verdict, HV_RESUME);
			kit_took_undef(PC);
			break;
		case GUEST:
			assert_int_equal(verdict, HV_RESUME);
			if (ec == 0x30 || ec == 0x32 || ec == 0x34) {
				esr += HV_BIT(26); /* "same level" */
			}
			kit_took(PC, 0x200, esr);
			break;
		default:
			assert_int_equal(verdict, HV_CRASH);
			assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
			assert_string_equal(kit.vm->crash.reason, a64_esr_name(esr));
			assert_int_equal(kit.vm->crash.info[0], esr);
			assert_int_equal(kit.vm->crash.info[1], PC);
			assert_int_equal(exits(HV_EXIT_BAD), 1);
			break;
		}
		kit_registers_but(0);
	}
}

static void x1_trap__every_class_random_syndrome__ends_in_a_verdict(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned n = 0; n < 64 * 64; n++) {
		struct a64_trap trap;

		if (n % 64 == 0) {
			kit_setup(NULL);
		}
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		trap.esr = (uint64_t)(n % 64) << 26 | (seed >> 32 & 0x3ffffff);
		trap.far = seed;
		trap.hpfar = seed >> 7;
		assert_int_not_equal(a64_trap_handle(kit.vcpu, &trap), HV_FAULT);
		assert_int_equal(fake_port.locks_held, 0);
	}
}

static void esr_name__every_class__is_a_text(void **state)
{
	(void)state;
	for (uint64_t ec = 0; ec < 64; ec++) {
		assert_true(strlen(a64_esr_name(ec << 26)) > 0);
	}
	assert_string_equal(a64_esr_name(0x16u << 26), "HVC");
	assert_string_equal(a64_esr_name((uint64_t)0x3f << 26), "unallocated exception class");
}

static void same_class__pc_alignment_and_watchpoint__set_far(void **state)
{
	(void)state;
	assert_int_equal(kit_trap(kit_esr(0x22, 0)), HV_RESUME);
	assert_int_equal(vcpu()->el1.far, 0xdead0001u);
	kit_setup(NULL);
	assert_int_equal(kit_trap(kit_esr(0x34, 0)), HV_RESUME);
	assert_int_equal(vcpu()->el1.far, 0xdead0001u);
	kit_setup(NULL);
	assert_int_equal(kit_trap(kit_esr(0x3c, 0)), HV_RESUME);
	assert_int_equal(vcpu()->el1.far, 0);
}

/* ---- data aborts with ISV=1 ---- */

static void x4_data_abort__every_size_sign_and_width__extends_as_the_cpu_does(void **state)
{
	static const uint64_t answer[] = {0x85, 0x8765, 0x87654321, 0x8765432112345678};

	(void)state;
	for (unsigned n = 0; n < 32; n++) {
		unsigned log2 = n & 3, bits = 8u << log2;
		/* Eight bytes go to a 64-bit register: no instruction has it otherwise. */
		bool sext = n & 4, wide = (n & 8) || log2 == 3;
		uint64_t positive = n & 16 ? answer[log2] >> 1 : answer[log2], want = positive;

		kit_setup(NULL);
		kit.dev.answer = positive;
		if (sext && positive >> (bits - 1)) {
			want = positive | (bits < 64 ? ~(uint64_t)0 << bits : 0);
		}
		want = wide ? want : (uint32_t)want;
		assert_int_equal(
			kit_abort(0x24, kit_iss(log2, sext, 5, wide, false), KIT_DEV + 0x18),
			HV_RESUME);
		assert_int_equal(vcpu()->regs.x[5], want);
		assert_int_equal(vcpu()->regs.pc, PC + 4);
		assert_int_equal(kit.dev.last.off, 0x18);
		assert_int_equal(kit.dev.last.size, 1u << log2);
		assert_false(kit.dev.last.write);
		kit_registers_but(1u << 5);
		assert_int_equal(exits(HV_EXIT_MMIO), 1);
	}
}

static void data_abort__write_of_every_size__device_gets_the_low_bytes(void **state)
{
	(void)state;
	for (unsigned log2 = 0; log2 < 4; log2++) {
		kit_setup(NULL);
		vcpu()->regs.x[30] = 0xf1e2d3c4b5a69788;
		assert_int_equal(kit_abort(0x24, kit_iss(log2, false, 30, true, true), KIT_DEV + 8),
			HV_RESUME);
		assert_true(kit.dev.last.write);
		assert_int_equal(
			kit.dev.last.data, 0xf1e2d3c4b5a69788 & HV_MASK((8u << log2) - 1, 0));
		assert_int_equal(vcpu()->regs.pc, PC + 4);
	}
}

static void x3_data_abort__srt_31_read__writes_no_register(void **state)
{
	struct a64_regs before;

	(void)state;
	kit.dev.answer = 0x12345678;
	before = vcpu()->regs;
	assert_int_equal(kit_abort(0x24, kit_load(2, 31), KIT_DEV), HV_RESUME);
	before.pc += 4;
	assert_memory_equal(&vcpu()->regs, &before, sizeof(before));
	assert_int_equal(kit.dev.accesses, 1);
}

static void x3_data_abort__srt_31_write__stores_zero(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, kit_iss(3, false, 31, true, true), KIT_DEV), HV_RESUME);
	assert_int_equal(kit.dev.accesses, 1);
	assert_int_equal(kit.dev.last.data, 0);
}

static void data_abort__nobody_answers__external_abort_with_far(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, kit_load(2, 3), KIT_NOTHING + 0x24), HV_RESUME);
	kit_took(PC, 0x200, kit_esr(0x25, 0x10));
	assert_int_equal(vcpu()->el1.far, KIT_VA(KIT_NOTHING + 0x24));
	kit_registers_but(0);
	assert_int_equal(exits(HV_EXIT_GUEST), 1);
}

static void data_abort__nobody_answers_a_write_from_el0__is_from_the_lower_level(void **state)
{
	(void)state;
	vcpu()->regs.pstate = KIT_EL0;
	assert_int_equal(
		kit_abort(0x24, kit_iss(2, false, 3, false, true), KIT_NOTHING), HV_RESUME);
	kit_took(PC, 0x400, kit_esr(0x24, 0x50)); /* WnR */
	assert_int_equal(vcpu()->el1.spsr, KIT_EL0);
}

static void data_abort__device_refuses__external_abort(void **state)
{
	(void)state;
	kit.dev.refuse = true;
	assert_int_equal(kit_abort(0x24, kit_load(2, 3), KIT_DEV), HV_RESUME);
	kit_took(PC, 0x200, kit_esr(0x25, 0x10));
	assert_int_equal(kit.dev.accesses, 1);
	kit_registers_but(0);
}

static void d4_data_abort__unaligned__alignment_fault_and_no_access(void **state)
{
	(void)state;
	for (unsigned log2 = 1; log2 < 4; log2++) {
		kit_setup(NULL);
		assert_int_equal(kit_abort(0x24, kit_load(log2, 3), KIT_DEV + 0xffd), HV_RESUME);
		kit_took(PC, 0x200, kit_esr(0x25, 0x21));
		assert_int_equal(kit.dev.accesses + kit.dev2.accesses, 0);
	}
}

static void d4_data_abort__last_bytes_of_a_device__and_behind_it(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, kit_load(3, 0), KIT_DEV2 + 0x7f8), HV_RESUME);
	assert_int_equal(kit.dev2.accesses, 1);
	assert_int_equal(kit_abort(0x24, kit_load(3, 0), KIT_DEV2 + 0x800), HV_RESUME);
	assert_int_equal(kit.dev2.accesses, 1);
	kit_took(PC + 4, 0x200, kit_esr(0x25, 0x10));
}

static void d13_data_abort__big_endian_el1__swaps_both_ways(void **state)
{
	(void)state;
	fake_a64.el1.sctlr |= HV_BIT(25);
	kit.dev.answer = 0x11223344;
	assert_int_equal(kit_abort(0x24, kit_load(2, 1), KIT_DEV), HV_RESUME);
	assert_int_equal(vcpu()->regs.x[1], 0x44332211);
	vcpu()->regs.x[2] = 0xaabb;
	assert_int_equal(kit_abort(0x24, kit_iss(1, false, 2, false, true), KIT_DEV), HV_RESUME);
	assert_int_equal(kit.dev.last.data, 0xbbaa);
	kit.dev.answer = 0x0080; /* signed after the swap */
	assert_int_equal(kit_abort(0x24, kit_iss(1, true, 1, true, false), KIT_DEV), HV_RESUME);
	assert_int_equal(vcpu()->regs.x[1], 0xffffffffffff8000);
	assert_int_equal(fake_a64.el1_loads, 0); /* the byte order costs one register, not all */
	assert_int_equal(
		kit_abort(0x24, kit_iss(2, false, 2, false, true), KIT_NOTHING), HV_RESUME);
	kit_took(PC + 12, 0x200, kit_esr(0x25, 0x50)); /* and where nobody is */
}

static void d13_data_abort__byte__has_no_order(void **state)
{
	(void)state;
	fake_a64.el1.sctlr |= HV_BIT(25);
	kit.dev.answer = 0x5a;
	assert_int_equal(kit_abort(0x24, kit_load(0, 1), KIT_DEV), HV_RESUME);
	assert_int_equal(vcpu()->regs.x[1], 0x5a);
}

static void d13_data_abort__el0_and_aarch32__have_their_own_bits(void **state)
{
	static const struct {
		uint64_t sctlr, pstate;
		bool swaps;
	} row[] = {
		{HV_BIT(25), KIT_EL0, false},
		{HV_BIT(24), KIT_EL0, true},
		{HV_BIT(24), KIT_EL1H, false},
		{HV_BIT(25), KIT_EL1T, true},
		{HV_BIT(25) | HV_BIT(24), KIT_USR32, false},
		{0, KIT_USR32 | HV_BIT(9), true},
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		kit_setup(NULL);
		fake_a64.el1.sctlr = row[i].sctlr;
		vcpu()->regs.pstate = row[i].pstate;
		if (i & 1) { /* the loaded registers count when they are here */
			a64_el1_get(vcpu());
		}
		kit.dev.answer = 0x1234;
		assert_int_equal(kit_abort(0x24, kit_load(1, 1), KIT_DEV), HV_RESUME);
		assert_int_equal(vcpu()->regs.x[1], row[i].swaps ? 0x3412 : 0x1234);
	}
}

/* ---- memory ---- */

static uint8_t mapped_prot(uint64_t gpa)
{
	struct hv_pte pte;
	uint8_t level;

	return hv_pt_lookup(&kit.vm->pt, GPA(gpa), &pte, &level) == HV_OK ? pte.prot : 0;
}

static void data_abort__memory_not_mapped_yet__is_mapped_and_tried_again(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		kit_setup(NULL);
		assert_int_equal(mapped_prot(KIT_LAZY), 0);
		assert_int_equal(
			kit_abort(0x24, kit_iss(2, false, 1, false, n == 1), KIT_LAZY + 0x1004),
			HV_RESUME);
		assert_int_equal(mapped_prot(KIT_LAZY + 0x1000), 7);
		assert_int_equal(vcpu()->regs.pc, PC);
		kit_registers_but(0);
		assert_int_equal(exits(HV_EXIT_MEM), 1);
		assert_int_equal(exits(HV_EXIT_MMIO), 0);
	}
}

static void data_abort__memory_without_syndrome__is_mapped_too(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, 7, KIT_LAZY), HV_RESUME);
	assert_int_equal(mapped_prot(KIT_LAZY), 7);
	assert_int_equal(vcpu()->regs.pc, PC);
}

static void data_abort__no_page_left_for_tables__stops_the_vm(void **state)
{
	hpa_t page;

	(void)state;
	while (hv_pages_take(&kit.pool, 1, &page) == HV_OK) {
	}
	assert_int_equal(kit_abort(0x24, kit_load(2, 0), KIT_LAZY), HV_CRASH);
	assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
}

static void insn_abort__memory_not_mapped_yet__is_mapped(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x20, 7, KIT_ROM + 0x40), HV_RESUME);
	assert_int_equal(mapped_prot(KIT_ROM), HV_PROT_R | HV_PROT_X);
	assert_int_equal(vcpu()->regs.pc, PC);
}

static void insn_abort__device_or_nothing__external_abort_without_access(void **state)
{
	(void)state;
	vcpu()->regs.pc = KIT_VA(KIT_DEV);
	assert_int_equal(kit_abort(0x20, 7, KIT_DEV), HV_RESUME);
	kit_took(KIT_VA(KIT_DEV), 0x200, kit_esr(0x21, 0x10));
	assert_int_equal(vcpu()->el1.far, KIT_VA(KIT_DEV));
	assert_int_equal(kit.dev.accesses, 0);
	kit_setup(NULL);
	vcpu()->regs.pstate = KIT_EL0;
	assert_int_equal(kit_abort(0x20, 7, KIT_NOTHING), HV_RESUME);
	kit_took(PC, 0x400, kit_esr(0x20, 0x10));
}

static void x5_data_abort__cache_op_on_a_device__is_skipped(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, HV_BIT(8) | HV_BIT(6) | 7, KIT_DEV), HV_RESUME);
	assert_int_equal(kit.dev.accesses, 0);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
	kit_registers_but(0);
}

static void x5_data_abort__cache_op_on_memory__is_mapped_or_skipped(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, HV_BIT(8) | HV_BIT(6) | 7, KIT_ROM), HV_RESUME);
	assert_int_equal(mapped_prot(KIT_ROM), HV_PROT_R | HV_PROT_X);
	assert_int_equal(vcpu()->regs.pc, PC);
	/* An invalidate wants write permission: on ROM it must not fault for ever. */
	assert_int_equal(kit_abort(0x24, HV_BIT(8) | HV_BIT(6) | 0xf, KIT_ROM), HV_RESUME);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
}

static void x5_abort__page_walk_in_memory__is_mapped(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, kit_load(2, 0) | HV_BIT(7), KIT_LAZY), HV_RESUME);
	assert_int_equal(mapped_prot(KIT_LAZY), 7);
	assert_int_equal(kit_abort(0x20, 7 | HV_BIT(7), KIT_ROM), HV_RESUME);
	assert_int_equal(mapped_prot(KIT_ROM), HV_PROT_R | HV_PROT_X);
	assert_int_equal(vcpu()->regs.pc, PC);
}

static void x6_data_abort__far_not_valid__is_not_used(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x24, kit_load(2, 0) | HV_BIT(10), KIT_DEV), HV_RESUME);
	kit_took(PC, 0x200, kit_esr(0x25, HV_BIT(10) | 0x10));
	assert_int_equal(vcpu()->el1.far, 0);
	assert_int_equal(kit.dev.accesses, 0);
}

static void x6_insn_abort__far_not_valid__is_not_used(void **state)
{
	(void)state;
	assert_int_equal(kit_abort(0x20, HV_BIT(10) | 0x10, 0), HV_RESUME);
	kit_took(PC, 0x200, kit_esr(0x21, HV_BIT(10) | 0x10));
	assert_int_equal(vcpu()->el1.far, 0);
}

static void x6_data_abort__page_from_hpfar_offset_from_far__wide_address(void **state)
{
	const struct a64_trap trap = {.esr = kit_esr(0x24, kit_load(2, 0)),
		.far = 0x1234567890123024,
		.hpfar = KIT_DEV >> 12 << 4 | 0xf};

	(void)state;
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	assert_int_equal(kit.dev.last.off, 0x24);
}

static void data_abort__errors_of_the_memory_system__go_to_the_guest(void **state)
{
	static const uint8_t fsc[] = {0x10, 0x14, 0x15, 0x16, 0x17, 0x21, 0x35};

	(void)state;
	for (unsigned i = 0; i < sizeof(fsc); i++) {
		kit_setup(NULL);
		assert_int_equal(kit_abort(0x24, HV_BIT(6) | fsc[i], KIT_RAM), HV_RESUME);
		kit_took(PC, 0x200, kit_esr(0x25, HV_BIT(6) | fsc[i]));
	}
}

static void abort__status_that_no_guest_can_cause__stops_the_vm(void **state)
{
	static const uint8_t fsc[] = {0x11, 0x18, 0x20, 0x30, 0x31, 0x34, 0x3d, 0x3f};

	(void)state;
	for (unsigned i = 0; i < sizeof(fsc); i++) {
		kit_setup(NULL);
		assert_int_equal(kit_abort(0x24, fsc[i], KIT_RAM), HV_CRASH);
		kit_setup(NULL);
		assert_int_equal(kit_abort(0x20, fsc[i], KIT_RAM), HV_CRASH);
	}
	kit_setup(NULL);
	assert_int_equal(kit_abort(0x20, 0x21, KIT_RAM), HV_CRASH); /* data only */
}

static void x7_serror__of_the_guest__goes_to_that_guest(void **state)
{
	(void)state;
	assert_int_equal(kit_trap(kit_esr(0x2f, 0)), HV_RESUME);
	assert_int_equal(vcpu()->hcr, a64_hcr() | HV_BIT(8));
	assert_int_equal(vcpu()->regs.pc, PC);
	assert_int_equal(exits(HV_EXIT_GUEST), 1);
}

/* ---- steps ---- */

static void x8_step__aarch64__always_4_and_ends_single_step_and_btype(void **state)
{
	(void)state;
	vcpu()->regs.pstate = KIT_EL1H | HV_BIT(21) | 3u << 10 | HV_BIT(30);
	assert_int_equal(kit_abort(0x24, kit_load(2, 0), KIT_DEV), HV_RESUME);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
	assert_int_equal(vcpu()->regs.pstate, KIT_EL1H | HV_BIT(30));
}

#define IT(it) ((uint64_t)((it) >> 2) << 10 | (uint64_t)((it)&3) << 25)

static void x8_step__aarch32__by_il_and_it_advances(void **state)
{
	static const struct {
		uint64_t pstate;
		bool il;
		unsigned len;
		uint64_t after;
	} row[] = {
		{KIT_USR32, true, 4, KIT_USR32},
		{KIT_USR32 | HV_BIT(21), true, 4, KIT_USR32},
		{KIT_USR32 | HV_BIT(5), true, 4, KIT_USR32 | HV_BIT(5)},
		{KIT_USR32 | HV_BIT(5), false, 2, KIT_USR32 | HV_BIT(5)},
		/* IT EQ with four instructions: 0000 0001, then 0000 0010, … then none. */
		{KIT_USR32 | HV_BIT(5) | IT(0x01u), false, 2, KIT_USR32 | HV_BIT(5) | IT(0x02u)},
		{KIT_USR32 | HV_BIT(5) | IT(0xabu), true, 4, KIT_USR32 | HV_BIT(5) | IT(0xb6u)},
		{KIT_USR32 | HV_BIT(5) | IT(0x08u), false, 2, KIT_USR32 | HV_BIT(5)},
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		uint64_t esr = kit_esr(0x24, kit_load(2, 0));
		const struct a64_trap trap = {.esr = row[i].il ? esr : esr & ~KIT_IL,
			.far = KIT_DEV,
			.hpfar = KIT_DEV >> 12 << 4};

		kit_setup(NULL);
		vcpu()->regs.pstate = row[i].pstate;
		vcpu()->regs.pc = 0xfffffffc;
		assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
		assert_int_equal(vcpu()->regs.pc, (uint32_t)(0xfffffffc + row[i].len));
		assert_int_equal(vcpu()->regs.pstate, row[i].after);
	}
}

/* ---- waits ---- */

static void x17_wfi__nothing_pending__blocks_behind_it(void **state)
{
	(void)state;
	assert_int_equal(kit_trap(kit_esr(0x01, 0)), HV_BLOCK);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
	assert_int_equal(exits(HV_EXIT_WAIT), 1);
}

static void ppi_on(uint32_t intid)
{
	struct hv_access access = {.off = 0x10100, .data = HV_BIT(intid), .size = 4, .write = true};

	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	access = (struct hv_access){.off = 0, .data = 2, .size = 4, .write = true};
	assert_true(gicv3_dist_ops.access(kit.gic, &access));
	access = (struct hv_access){.off = 0x10080, .data = ~0u, .size = 4, .write = true};
	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	fake_gic_enter(&vcpu()->gic);
	fake_gic.hw[0].vmcr = 0xf8000002; /* the guest's own: group 1 on, nothing masked */
}

static void x17_wfi__interrupt_pending_but_masked__blocks(void **state)
{
	(void)state;
	ppi_on(27);
	vgic_ppi_set(&vcpu()->gic, 27, true);
	fake_gic.hw[0].vmcr = 2;
	assert_int_equal(kit_trap(kit_esr(0x01, 0)), HV_BLOCK);
}

static void x17_wfi__interrupt_pending__goes_on(void **state)
{
	(void)state;
	ppi_on(27);
	vgic_ppi_set(&vcpu()->gic, 27, true);
	assert_int_equal(kit_trap(kit_esr(0x01, 0)), HV_RESUME);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
	assert_int_equal(exits(HV_EXIT_WAIT), 1);
}

static void x17_wfi__serror_pending__goes_on(void **state)
{
	(void)state;
	a64_serror(vcpu());
	assert_int_equal(kit_trap(kit_esr(0x01, 0)), HV_RESUME);
}

static void x17_wfe_and_timed_waits__yield(void **state)
{
	(void)state;
	for (unsigned ti = 1; ti < 4; ti++) {
		kit_setup(NULL);
		assert_int_equal(kit_trap(kit_esr(0x01, ti)), HV_YIELD);
		assert_int_equal(vcpu()->regs.pc, PC + 4);
		assert_int_equal(exits(HV_EXIT_WAIT), 1);
	}
}

static void wfi__aarch32_condition_fails__is_skipped(void **state)
{
	(void)state;
	/* CV=1, COND=EQ; Z is clear. */
	vcpu()->regs.pstate = KIT_USR32;
	assert_int_equal(kit_trap(kit_esr(0x01, HV_BIT(24) | 0u << 20)), HV_RESUME);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
	vcpu()->regs.pstate = KIT_USR32 | HV_BIT(30);
	assert_int_equal(kit_trap(kit_esr(0x01, HV_BIT(24) | 0u << 20)), HV_BLOCK);
}

/* All conditions against all flags, by what the Arm ARM's table C1.2.4 says of each. */
static bool holds(unsigned cond, bool n, bool z, bool c, bool v)
{
	switch (cond) {
	case 0: return z;
	case 1: return !z;
	case 2: return c;
	case 3: return !c;
	case 4: return n;
	case 5: return !n;
	case 6: return v;
	case 7: return !v;
	case 8: return c && !z;
	case 9: return !(c && !z);
	case 10: return n == v;
	case 11: return n != v;
	case 12: return !z && n == v;
	case 13: return z || n != v;
	default: return true;
	}
}

static void wfi__aarch32_every_condition_and_flags__from_cond_or_it(void **state)
{
	(void)state;
	kit_setup(NULL);
	for (unsigned i = 0; i < 256; i++) {
		unsigned cond = i >> 4;
		uint64_t flags = (uint64_t)(i & 15) << 28;
		bool want = holds(cond, i & 8, i & 4, i & 2, i & 1);

		vcpu()->regs.pstate = KIT_USR32 | flags;
		assert_int_equal(kit_trap(kit_esr(0x01, HV_BIT(24) | cond << 20)),
			want ? HV_BLOCK : HV_RESUME);
		/* No CV: T32 takes it from the IT state, whose low bits say how many are left. */
		vcpu()->regs.pstate = KIT_USR32 | HV_BIT(5) | flags | IT(cond << 4 | 8);
		assert_int_equal(kit_trap(kit_esr(0x01, 0)), want ? HV_BLOCK : HV_RESUME);
	}
	vcpu()->regs.pstate = KIT_USR32 | HV_BIT(5); /* outside an IT block */
	assert_int_equal(kit_trap(kit_esr(0x01, 0)), HV_BLOCK);
	vcpu()->regs.pstate = KIT_USR32; /* A32, and the CPU did not say: it is executed */
	assert_int_equal(kit_trap(kit_esr(0x01, 0)), HV_BLOCK);
}

/* ---- HVC and SMC as such; the calls have a test of their own ---- */

static void hvc__pc_is_behind_it__stays(void **state)
{
	(void)state;
	vcpu()->regs.x[0] = 0x84000000;
	assert_int_equal(kit_trap(kit_esr(0x16, 0)), HV_RESUME);
	assert_int_equal(vcpu()->regs.x[0], 0x10001);
	assert_int_equal(vcpu()->regs.pc, PC);
	kit_registers_but(1);
	assert_int_equal(exits(HV_EXIT_CALL), 1);
}

static void smc__was_not_executed__is_stepped_over(void **state)
{
	(void)state;
	vcpu()->regs.x[0] = 0x84000000;
	assert_int_equal(kit_trap(kit_esr(0x17, 0)), HV_RESUME);
	assert_int_equal(vcpu()->regs.x[0], 0x10001);
	assert_int_equal(vcpu()->regs.pc, PC + 4);
	kit_registers_but(1);
}

static void h11_hvc_and_smc__immediate_not_0__undef_at_the_instruction(void **state)
{
	static const unsigned imm[] = {1, 0x4a48, 0x8000, 0xffff};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(imm); i++) {
		kit_setup(NULL);
		vcpu()->regs.pc = PC + 4;
		vcpu()->regs.x[0] = 0x84000008; /* SYSTEM_OFF must not happen */
		assert_int_equal(kit_trap(kit_esr(0x16, imm[i])), HV_RESUME);
		kit_took_undef(PC);
		kit_setup(NULL);
		vcpu()->regs.x[0] = 0x84000008;
		assert_int_equal(kit_trap(kit_esr(0x17, imm[i])), HV_RESUME);
		kit_took_undef(PC);
		assert_int_equal(kit.vm->stop, HV_STOP_NONE);
		assert_int_equal(vcpu()->regs.x[0], 0x84000008);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x1_trap__every_class__is_handled_or_goes_back_or_stops_the_vm),
		kit_test(x1_trap__every_class_random_syndrome__ends_in_a_verdict),
		kit_test(esr_name__every_class__is_a_text),
		kit_test(same_class__pc_alignment_and_watchpoint__set_far),
		kit_test(x4_data_abort__every_size_sign_and_width__extends_as_the_cpu_does),
		kit_test(data_abort__write_of_every_size__device_gets_the_low_bytes),
		kit_test(x3_data_abort__srt_31_read__writes_no_register),
		kit_test(x3_data_abort__srt_31_write__stores_zero),
		kit_test(data_abort__nobody_answers__external_abort_with_far),
		kit_test(data_abort__nobody_answers_a_write_from_el0__is_from_the_lower_level),
		kit_test(data_abort__device_refuses__external_abort),
		kit_test(d4_data_abort__unaligned__alignment_fault_and_no_access),
		kit_test(d4_data_abort__last_bytes_of_a_device__and_behind_it),
		kit_test(d13_data_abort__big_endian_el1__swaps_both_ways),
		kit_test(d13_data_abort__byte__has_no_order),
		kit_test(d13_data_abort__el0_and_aarch32__have_their_own_bits),
		kit_test(data_abort__memory_not_mapped_yet__is_mapped_and_tried_again),
		kit_test(data_abort__memory_without_syndrome__is_mapped_too),
		kit_test(data_abort__no_page_left_for_tables__stops_the_vm),
		kit_test(insn_abort__memory_not_mapped_yet__is_mapped),
		kit_test(insn_abort__device_or_nothing__external_abort_without_access),
		kit_test(x5_data_abort__cache_op_on_a_device__is_skipped),
		kit_test(x5_data_abort__cache_op_on_memory__is_mapped_or_skipped),
		kit_test(x5_abort__page_walk_in_memory__is_mapped),
		kit_test(x6_data_abort__far_not_valid__is_not_used),
		kit_test(x6_insn_abort__far_not_valid__is_not_used),
		kit_test(x6_data_abort__page_from_hpfar_offset_from_far__wide_address),
		kit_test(data_abort__errors_of_the_memory_system__go_to_the_guest),
		kit_test(abort__status_that_no_guest_can_cause__stops_the_vm),
		kit_test(x7_serror__of_the_guest__goes_to_that_guest),
		kit_test(x8_step__aarch64__always_4_and_ends_single_step_and_btype),
		kit_test(x8_step__aarch32__by_il_and_it_advances),
		kit_test(x17_wfi__nothing_pending__blocks_behind_it),
		kit_test(x17_wfi__interrupt_pending__goes_on),
		kit_test(x17_wfi__interrupt_pending_but_masked__blocks),
		kit_test(x17_wfi__serror_pending__goes_on),
		kit_test(x17_wfe_and_timed_waits__yield),
		kit_test(wfi__aarch32_condition_fails__is_skipped),
		kit_test(wfi__aarch32_every_condition_and_flags__from_cond_or_it),
		kit_test(hvc__pc_is_behind_it__stays),
		kit_test(smc__was_not_executed__is_stepped_over),
		kit_test(h11_hvc_and_smc__immediate_not_0__undef_at_the_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

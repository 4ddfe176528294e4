/* SPDX-License-Identifier: MIT */
/* Instructions that trap: CSRs of the virtual hart, WFI, and what it does not have. */
#include "trap_kit.h"

#define CSR_CYCLE   0xc00u
#define CSR_TIME    0xc01u
#define CSR_MHARTID 0xf14u

static const uint64_t causes[] = {RV64_ILLEGAL, RV64_VIRTUAL_INSN};
static const unsigned functs[] = {1, 2, 3, 5, 6, 7};

static bool is_known(unsigned csr)
{
	return csr == CSR_TIME || csr == CSR_MHARTID;
}

/* Again as after kit_setup(), but quicker. */
static void again(void)
{
	kit.vcpu->regs.pc = PC;
	kit.vcpu->vs_here = false;
	kit.vcpu->vs_dirty = false;
	memset(kit.vcpu->hv.stats.exits, 0, sizeof(kit.vcpu->hv.stats.exits));
	for (unsigned i = 0; i < 32; i++) {
		kit.vcpu->regs.x[i] = kit_poison(i);
	}
}

static void is_illegal(uint64_t cause, uint32_t insn)
{
	again();
	assert_int_equal(kit_trap(cause, insn), HV_RESUME);
	kit_refused(RV64_ILLEGAL, insn);
}

static void x20_csr__every_other_number_and_form__is_illegal(void **state)
{
	(void)state;
	for (unsigned csr = 0; csr < 4096; csr++) {
		for (unsigned n = 0; n < HV_ARRAY_COUNT(functs) * 8; n++) {
			unsigned rd = n & 1 ? 5 : 0, source = n & 2 ? 6 : 0;
			uint32_t insn = insn_csr(functs[n / 8], rd, csr, source);

			if (!is_known(csr)) {
				is_illegal(causes[n >> 2 & 1], insn);
			}
		}
	}
}

/* They are read-only: writing forms are illegal, with whatever operand. */
static void x20_csr__known_number__is_read_only(void **state)
{
	static const unsigned csrs[] = {CSR_TIME, CSR_MHARTID};

	(void)state;
	for (unsigned n = 0; n < 2 * 4; n++) {
		unsigned csr = csrs[n & 1], rd = n & 2 ? 5 : 0, source = n & 4 ? 6 : 0;

		is_illegal(RV64_ILLEGAL, insn_csr(1, rd, csr, source));
		is_illegal(RV64_ILLEGAL, insn_csr(5, rd, csr, source));
		is_illegal(RV64_VIRTUAL_INSN, insn_csr(2, rd, csr, 1 + source));
		is_illegal(RV64_VIRTUAL_INSN, insn_csr(3, rd, csr, 1 + source));
		is_illegal(RV64_ILLEGAL, insn_csr(6, rd, csr, 1 + source));
		is_illegal(RV64_ILLEGAL, insn_csr(7, rd, csr, 1 + source));
	}
}

static void reads(unsigned csr, uint64_t value)
{
	static const unsigned reading[] = {2, 3, 6, 7};

	for (unsigned n = 0; n < 8; n++) {
		again();
		assert_int_equal(
			kit_trap(causes[n & 1], insn_csr(reading[n / 2], 5, csr, 0)), HV_RESUME);
		assert_int_equal(kit.vcpu->regs.x[5], value);
		assert_int_equal(kit.vcpu->regs.pc, PC + 4);
		assert_int_equal(exits(HV_EXIT_SYSREG), 1);
		assert_int_equal(exits(HV_EXIT_GUEST), 0);
		assert_false(kit.vcpu->vs_dirty);
		kit_registers_but(1u << 5);
	}
}

static void hart_id__from_the_kernel__is_the_vcpus(void **state)
{
	(void)state;
	reads(CSR_MHARTID, 0);
	kit.vcpu->hart_id = 0x1234;
	reads(CSR_MHARTID, 0x1234);
}

static void time__traps__is_the_guests(void **state)
{
	(void)state;
	fake_rv64.time = 1000;
	reads(CSR_TIME, 1000);
	kit.vcpu->htimedelta = (uint64_t)-300;
	reads(CSR_TIME, 700);
}

static void csr_read__to_x0__writes_no_register(void **state)
{
	(void)state;
	assert_int_equal(kit_trap(RV64_ILLEGAL, insn_csr(2, 0, CSR_TIME, 0)), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	kit_registers_but(0);
}

static void d10_user_mode__csr__needs_the_kernels_leave(void **state)
{
	(void)state;
	fake_rv64.vs.user = true;
	fake_rv64.vs.scounteren = ~HV_BIT(1);
	fake_rv64.time = 5;
	is_illegal(RV64_ILLEGAL, insn_csr(2, 5, CSR_MHARTID, 0));
	is_illegal(RV64_VIRTUAL_INSN, insn_csr(2, 5, CSR_TIME, 0));
	fake_rv64.vs.scounteren = HV_BIT(1);
	reads(CSR_TIME, 5);
}

/* ---- WFI ---- */

static void x17_wfi__nothing_pending__waits(void **state)
{
	(void)state;
	assert_int_equal(kit_trap(RV64_VIRTUAL_INSN, INSN_WFI), HV_BLOCK);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(exits(HV_EXIT_WAIT), 1);
}

static void wfi__something_pending__goes_on(void **state)
{
	(void)state;
	fake_rv64.pending = HV_BIT(RV64_VSTI);
	assert_int_equal(kit_trap(RV64_VIRTUAL_INSN, INSN_WFI), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(exits(HV_EXIT_WAIT), 1);
}

static void d10_user_mode__wfi__is_illegal(void **state)
{
	(void)state;
	fake_rv64.vs.user = true;
	is_illegal(RV64_VIRTUAL_INSN, INSN_WFI);
}

/* ---- what else traps ---- */

static void instruction__not_of_this_hart__is_illegal(void **state)
{
	static const uint32_t insns[] = {
		0x62000073, /* hfence.gvma */
		0x22000073, /* hfence.vvma */
		0x6c05c573, /* hlv.d */
		0x10200073, /* sret, of a user */
		0x30200073, /* mret */
		0x12000073, /* sfence.vma, of a user */
		0x0005b507, /* fld fa0, (a1) with FS off */
		0x02050007, /* vle8.v with VS off */
		0x0045a00f, /* cbo.zero, of a user whom the kernel forbids it */
		0xffffffff,
	};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(insns); n++) {
		is_illegal(causes[n & 1], insns[n]);
	}
}

/* The hart may leave stval 0; then the instruction is fetched. */
static void stval_0__instruction__is_fetched(void **state)
{
	(void)state;
	fake_rv64.insn = insn_csr(2, 5, CSR_MHARTID, 0);
	kit.vcpu->hart_id = 2;
	assert_int_equal(kit_trap(RV64_ILLEGAL, 0), HV_RESUME);
	assert_int_equal(fake_rv64.fetched, PC);
	assert_int_equal(kit.vcpu->regs.x[5], 2);
	again();
	fake_rv64.insn = 0xffff0000; /* the 16-bit instruction that is always illegal */
	assert_int_equal(kit_trap(RV64_ILLEGAL, 0), HV_RESUME);
	kit_refused(RV64_ILLEGAL, 0);
}

static void x11_stval_0__fetch_fails__the_guest_tries_again(void **state)
{
	(void)state;
	fake_rv64.fetch_fails = true;
	kit.vcpu->regs.pc = KIT_NOTHING;
	assert_int_equal(kit_trap(RV64_VIRTUAL_INSN, 0), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, KIT_NOTHING);
	assert_false(kit.vcpu->vs_dirty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x20_csr__every_other_number_and_form__is_illegal),
		kit_test(x20_csr__known_number__is_read_only),
		kit_test(hart_id__from_the_kernel__is_the_vcpus),
		kit_test(time__traps__is_the_guests),
		kit_test(csr_read__to_x0__writes_no_register),
		kit_test(d10_user_mode__csr__needs_the_kernels_leave),
		kit_test(x17_wfi__nothing_pending__waits),
		kit_test(wfi__something_pending__goes_on),
		kit_test(d10_user_mode__wfi__is_illegal),
		kit_test(instruction__not_of_this_hart__is_illegal),
		kit_test(stval_0__instruction__is_fetched),
		kit_test(x11_stval_0__fetch_fails__the_guest_tries_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

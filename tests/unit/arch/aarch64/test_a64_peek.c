/* SPDX-License-Identifier: MIT */
/* a64_insn_peek(): what a backend may ask about the instruction that trapped. */
#include "a64_kit.h"

#define INSN 0xb9400020u /* ldr w0, [x1] */

static void insn_peek__mmu_off__reads_little_endian_at_pc(void **state)
{
	const uint8_t bytes[] = {0x20, 0x00, 0x40, 0xb9};
	uint32_t insn = 0;

	(void)state;
	memcpy(kit_ram + 0x104, bytes, sizeof(bytes));
	kit.vcpu->regs.pc = KIT_RAM + 0x104;
	assert_true(a64_insn_peek(kit.vcpu, &insn));
	assert_int_equal(insn, INSN);
}

static void insn_peek__pc_is_no_memory__says_so_and_injects_nothing(void **state)
{
	uint32_t insn = 7;

	(void)state;
	kit.vcpu->regs.pc = KIT_NOTHING;
	assert_false(a64_insn_peek(kit.vcpu, &insn));
	assert_int_equal(kit.vcpu->regs.pc, KIT_NOTHING);
	assert_int_equal(insn, 7);
}

static void insn_peek__translation_faults__says_so_and_injects_nothing(void **state)
{
	uint32_t insn = 7;

	(void)state;
	a64_el1_get(kit.vcpu)->sctlr |= 1; /* M, with tables that are all zero */
	kit.vcpu->el1.tcr = 25;
	kit.vcpu->el1.ttbr0 = KIT_RAM;
	kit.vcpu->regs.pc = KIT_RAM + 0x104;
	assert_false(a64_insn_peek(kit.vcpu, &insn));
	assert_int_equal(kit.vcpu->regs.pc, KIT_RAM + 0x104);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(insn_peek__mmu_off__reads_little_endian_at_pc),
		kit_test(insn_peek__pc_is_no_memory__says_so_and_injects_nothing),
		kit_test(insn_peek__translation_faults__says_so_and_injects_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void host_address__mmu_off__is_where_stage_2_points(void **state)
{
	hpa_t hpa = {0};

	(void)state;
	assert_true(a64_host_address(kit.vcpu, KIT_RAM + 0x1234, &hpa));
	assert_int_equal(hpa.v, KIT_RAM_HPA + KIT_RAM + 0x1234);
}

static void host_address__not_mapped_or_no_memory__there_is_none(void **state)
{
	hpa_t hpa = {7};

	(void)state;
	assert_false(a64_host_address(kit.vcpu, KIT_LAZY, &hpa));
	assert_false(a64_host_address(kit.vcpu, KIT_DEV, &hpa));
	a64_el1_get(kit.vcpu)->sctlr |= 1;
	kit.vcpu->el1.tcr = 25;
	kit.vcpu->el1.ttbr0 = KIT_RAM;
	assert_false(a64_host_address(kit.vcpu, KIT_RAM, &hpa));
	assert_int_equal(hpa.v, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(insn_peek__mmu_off__reads_little_endian_at_pc),
		kit_test(insn_peek__pc_is_no_memory__says_so_and_injects_nothing),
		kit_test(insn_peek__translation_faults__says_so_and_injects_nothing),
		kit_test(host_address__mmu_off__is_where_stage_2_points),
		kit_test(host_address__not_mapped_or_no_memory__there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

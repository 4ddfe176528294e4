/* SPDX-License-Identifier: MIT */
/* The instruction at RIP: across pages, at the end of a segment, found again, changed meanwhile. */
#include "x86_kit.h"

#include <arch/x86_64/code.h>

/* All that was decoded is right; nothing is raised. */
static void decodes(uint8_t op, unsigned length)
{
	struct x86_insn insn;
	enum hv_verdict verdict;

	assert_true(x86_code_decode(kit.vcpu, &insn, &verdict));
	assert_int_equal(insn.op, op);
	assert_int_equal(insn.length, length);
	assert_false(kit.vcpu->event.valid);
}

static void raises(uint8_t vector, bool has_error, uint32_t error)
{
	struct x86_insn insn;
	enum hv_verdict verdict = HV_OFF;
	uint64_t rip = kit.sys->rip;

	assert_false(x86_code_decode(kit.vcpu, &insn, &verdict));
	assert_int_equal(verdict, HV_RESUME);
	kit_raised(vector, has_error, error);
	assert_int_equal(kit.sys->rip, rip);
	kit.vcpu->event.valid = false;
}

static void decode__64_bit_code__is_found(void **state)
{
	(void)state;
	kit_code(0x0f, 0xa2);
	decodes(X86_OP_CPUID, 2);
	kit.sys->seg[X86_CS].base = 0x1000; /* means nothing here */
	decodes(X86_OP_CPUID, 2);
}

static void decode__32_bit_code__by_its_segment(void **state)
{
	(void)state;
	kit.sys->efer &= ~(X86_EFER_LMA | X86_EFER_LME);
	kit.sys->cr0 &= ~X86_CR0_PG;
	kit.sys->seg[X86_CS].attrib &= ~X86_SEG_L;
	kit.sys->seg[X86_CS].attrib |= X86_SEG_D;
	kit_code(0xb8, 1, 2, 3, 4);
	decodes(X86_OP_MOV, 5);
	kit.sys->seg[X86_CS].attrib &= ~X86_SEG_D;
	decodes(X86_OP_MOV, 3);
	kit.sys->seg[X86_CS].base = 0xffff0000;
	kit.sys->rip = 0x20000; /* wraps to KIT_CODE */
	decodes(X86_OP_MOV, 3);
}

static void code_is__one_byte__is_looked_at_only_where_it_can_be_fetched(void **state)
{
	uint64_t pte = kit_pte(KIT_CODE);

	(void)state;
	kit_code(0xf4);
	assert_true(x86_code_is(kit.vcpu, 0xf4));
	assert_false(x86_code_is(kit.vcpu, 0xf5));
	kit_set64(pte, 0);
	assert_false(x86_code_is(kit.vcpu, 0xf4));
	kit.sys->rip = (uint64_t)1 << 47; /* not canonical */
	assert_false(x86_code_is(kit.vcpu, 0xf4));
}

static void d9_decode__across_pages__each_is_translated(void **state)
{
	(void)state;
	kit.sys->rip = KIT_CODE + 0xffe;
	memcpy(&kit_ram[KIT_CODE + 0xffe], (uint8_t[]){0x66, 0x2e}, 2);
	memcpy(&kit_ram[0x55000], (uint8_t[]){0x0f, 0xa2}, 2);
	kit_set64(kit_pte(KIT_CODE + 0x1000), 0x55000 | PTE_P);
	decodes(X86_OP_CPUID, 4);
}

static void d9_decode__second_page_gone__faults_at_its_address(void **state)
{
	(void)state;
	kit_set64(kit_pte(KIT_CODE + 0x1000), 0);
	kit.sys->efer |= X86_EFER_NXE;
	kit.sys->rip = KIT_CODE + 0xffe;
	memcpy(&kit_ram[KIT_CODE + 0xffe], (uint8_t[]){0x0f, 0xa2}, 2);
	decodes(X86_OP_CPUID, 2); /* has no byte there */
	memcpy(&kit_ram[KIT_CODE + 0xffe], (uint8_t[]){0x66, 0x0f}, 2);
	raises(X86_PF, true, X86_PF_FETCH);
	assert_int_equal(kit.sys->cr2, KIT_CODE + 0x1000);
	kit_set64(kit_pte(KIT_CODE + 0x1000), KIT_CODE | PTE_P | PTE_NX);
	raises(X86_PF, true, X86_PF_PRESENT | X86_PF_FETCH);
	kit_set64(kit_pte(KIT_CODE + 0x1000), KIT_DEV | PTE_P); /* no code can be there */
	raises(X86_PF, true, 0);
	assert_int_equal(kit.dev.accesses, 0);
}

static void d6_decode__no_instruction_or_too_long__raises(void **state)
{
	(void)state;
	memset(&kit_ram[KIT_CODE], 0x66, 16);
	raises(X86_GP, true, 0);
	kit_code(0x0f, 0x04);
	raises(X86_UD, false, 0);
}

static void decode__segment_ends_inside__is_general_protection(void **state)
{
	(void)state;
	kit.sys->efer &= ~(X86_EFER_LMA | X86_EFER_LME);
	kit.sys->cr0 &= ~X86_CR0_PG;
	kit.sys->seg[X86_CS].attrib = 0x9b | X86_SEG_D;
	kit_code(0xb8, 1, 2, 3, 4);
	kit.sys->seg[X86_CS].limit = KIT_CODE + 4;
	decodes(X86_OP_MOV, 5);
	kit.sys->seg[X86_CS].limit = KIT_CODE + 3;
	raises(X86_GP, true, 0);
	kit.sys->seg[X86_CS].limit = KIT_CODE - 1;
	raises(X86_GP, true, 0);
	kit.sys->seg[X86_CS].limit = 0;
	raises(X86_GP, true, 0);
}

/* ---- code where code seldom is ---- */

/* The last page below the hole between the canonical halves is physical 0x1ff000. */
#define EDGE      0x0000800000000000u
#define EDGE_PAGE 0x1ff000u

static void map_edge(void)
{
	kit_set64(KIT_TABLES + 255 * 8, (KIT_TABLES + 0x1000) | PTE_P);
	kit_set64(KIT_TABLES + 0x1000 + 511 * 8, (KIT_TABLES + 0x2000) | PTE_P);
	kit_set64(KIT_TABLES + 0x2000 + 511 * 8, (KIT_TABLES + 0x3000) | PTE_P);
}

static void d12_decode__at_the_edge_of_canonical_addresses__ends_there(void **state)
{
	(void)state;
	map_edge();
	kit.sys->rip = EDGE - 2;
	memcpy(&kit_ram[EDGE_PAGE + 0xffe], (uint8_t[]){0x0f, 0xa2}, 2);
	decodes(X86_OP_CPUID, 2);
	memcpy(&kit_ram[EDGE_PAGE + 0xffe], (uint8_t[]){0x66, 0x0f}, 2);
	raises(X86_GP, true, 0);
	kit.sys->rip =
		EDGE; /* a return to there is the guest's own fault, but a race may bring us */
	raises(X86_GP, true, 0);
	kit.sys->rip = 0 - EDGE - 1;
	raises(X86_GP, true, 0);
	kit.sys->rip = 0 - EDGE; /* the other half: canonical, but nothing is mapped */
	raises(X86_PF, true, 0);
}

/* What is stepped over ends behind the edge: the CPU refuses to fetch there, not we. */
static void d12_cpuid__last_canonical_bytes__leaves_rip_behind_them(void **state)
{
	(void)state;
	map_edge();
	kit.sys->rip = EDGE - 2;
	memcpy(&kit_ram[EDGE_PAGE + 0xffe], (uint8_t[]){0x0f, 0xa2}, 2);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, EDGE);
	assert_false(kit.vcpu->event.valid);
}

static void real_mode(uint32_t limit)
{
	kit.sys->efer &= ~(X86_EFER_LMA | X86_EFER_LME);
	kit.sys->cr0 &= ~(X86_CR0_PG | X86_CR0_PE);
	kit.sys->seg[X86_CS] = (struct x86_seg){.attrib = 0x9b, .limit = limit};
}

static void d12_cpuid__at_the_end_of_a_real_mode_segment__does_not_wrap(void **state)
{
	(void)state;
	real_mode(0xffff);
	kit.sys->rip = 0xfffe;
	memcpy(&kit_ram[0xfffe], (uint8_t[]){0x0f, 0xa2}, 2);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, 0x10000);
	raises(X86_GP, true, 0);
}

static void d12_decode__unreal_mode__has_all_of_4_gib(void **state)
{
	(void)state;
	real_mode(UINT32_MAX);
	kit_code(0xb8, 1, 2, 3, 4);
	decodes(X86_OP_MOV, 3); /* 16 bits wide all the same */
	kit.sys->seg[X86_CS].base = 0x10000;
	kit.sys->rip = 0xfffffffe; /* at 0xfffe, and on in the next page */
	memcpy(&kit_ram[0xfffe], (uint8_t[]){0x0f, 0xa2}, 2);
	decodes(X86_OP_CPUID, 2);
	memcpy(&kit_ram[0xfffe], (uint8_t[]){0x66, 0x0f}, 2);
	raises(X86_GP, true, 0);
}

/* Task switches do not exit, as SVM leaves them to the CPU; one that did would be none of ours. */
static void d12_task_switch__exit__stops_the_vm(void **state)
{
	(void)state;
	assert_int_equal(kit_exit(SVM_EXIT(TASK_SWITCH), 0x28, 0), HV_CRASH);
	assert_string_equal(kit.vm->crash.reason, "an exit that was not asked for");
}

/* ---- where it was the last time ---- */

static const uint8_t *again(void)
{
	return x86_code_at(kit.vcpu);
}

static void remember(void)
{
	kit.sys->rip = KIT_CODE;
	kit_code(0x0f, 0xa2);
	decodes(X86_OP_CPUID, 2);
	assert_ptr_equal(again(), &kit_ram[KIT_CODE]);
}

static void again__same_page__up_to_where_an_instruction_may_cross(void **state)
{
	(void)state;
	assert_null(again());
	remember();
	kit.sys->rip = KIT_CODE + 0x1000 - X86_CODE_ROOM;
	assert_ptr_equal(again(), &kit_ram[kit.sys->rip]);
	kit.sys->rip++;
	assert_null(again());
	kit.sys->rip = KIT_CODE - 1;
	assert_null(again());
	kit.sys->rip = 0;
	assert_null(again());
}

static void again__large_page__is_remembered_by_fewer_levels(void **state)
{
	(void)state;
	kit_set64(KIT_TABLES + 0x2000 + 8, 0 | PTE_P | PTE_W | PTE_PS);
	kit.sys->rip = 0x200000 + KIT_CODE;
	memcpy(&kit_ram[KIT_CODE], (uint8_t[]){0x0f, 0xa2}, 2);
	decodes(X86_OP_CPUID, 2);
	assert_ptr_equal(again(), &kit_ram[KIT_CODE]);
	kit_set64(KIT_TABLES + 0x2000 + 8, 0);
	assert_null(again());
}

static void p14_again__any_descriptor_changed__is_asked_anew(void **state)
{
	const uint64_t entry[] = {
		KIT_TABLES, KIT_TABLES + 0x1000, KIT_TABLES + 0x2000, kit_pte(KIT_CODE)};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t was = kit_get64(entry[i]);

		remember();
		kit_set64(entry[i], was ^ HV_BIT(11));
		assert_null(again());
		kit_set64(entry[i], was);
		assert_non_null(again());
	}
}

static void again__another_mode_or_root__is_asked_anew(void **state)
{
	(void)state;
	remember();
	kit.sys->cr3 ^= 8;
	assert_null(again());
	kit.sys->cr3 ^= 8;
	kit.sys->seg[X86_CS].attrib ^= X86_SEG_L;
	assert_null(again());
	kit.sys->seg[X86_CS].attrib ^= X86_SEG_L;
	assert_non_null(again());
	x86_code_forget(kit.vcpu);
	assert_null(again());
}

/* What cannot be remembered is asked for each time. */
static void again__no_long_mode_or_five_levels__is_not_remembered(void **state)
{
	(void)state;
	kit_code(0x0f, 0xa2);
	kit_set64(0x8000, KIT_TABLES | PTE_P | PTE_W | PTE_U);
	kit.sys->cr3 = 0x8000;
	kit.sys->cr4 |= X86_CR4_LA57;
	decodes(X86_OP_CPUID, 2);
	assert_null(again());
	kit.sys->cr0 &= ~X86_CR0_PG;
	kit.sys->efer &= ~X86_EFER_LMA;
	decodes(X86_OP_CPUID, 2);
	assert_null(again());
}

static void x86_decode__the_second_time__reads_the_new_bytes(void **state)
{
	(void)state;
	remember();
	kit_code(0x0f, 0x32);
	decodes(X86_OP_RDMSR, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(decode__64_bit_code__is_found),
		kit_test(decode__32_bit_code__by_its_segment),
		kit_test(code_is__one_byte__is_looked_at_only_where_it_can_be_fetched),
		kit_test(d9_decode__across_pages__each_is_translated),
		kit_test(d9_decode__second_page_gone__faults_at_its_address),
		kit_test(d6_decode__no_instruction_or_too_long__raises),
		kit_test(decode__segment_ends_inside__is_general_protection),
		kit_test(d12_decode__at_the_edge_of_canonical_addresses__ends_there),
		kit_test(d12_cpuid__last_canonical_bytes__leaves_rip_behind_them),
		kit_test(d12_cpuid__at_the_end_of_a_real_mode_segment__does_not_wrap),
		kit_test(d12_decode__unreal_mode__has_all_of_4_gib),
		kit_test(d12_task_switch__exit__stops_the_vm),
		kit_test(again__same_page__up_to_where_an_instruction_may_cross),
		kit_test(again__large_page__is_remembered_by_fewer_levels),
		kit_test(p14_again__any_descriptor_changed__is_asked_anew),
		kit_test(again__another_mode_or_root__is_asked_anew),
		kit_test(again__no_long_mode_or_five_levels__is_not_remembered),
		kit_test(x86_decode__the_second_time__reads_the_new_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

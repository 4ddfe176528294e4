/* SPDX-License-Identifier: MIT */
/* Nested page faults: devices straight and by emulation, memory not mapped yet, nothing, tables. */
#include "../x86_kit.h"

#define READ  (SVM_NPF_FINAL | 4)
#define WRITE (SVM_NPF_FINAL | 4 | SVM_NPF_WRITE)
#define FETCH (SVM_NPF_FINAL | 4 | SVM_NPF_FETCH)

static enum hv_verdict npf(uint64_t info, uint64_t gpa)
{
	return kit_exit(SVM_EXIT_NPF, info, gpa);
}

/* RIP is found where it was the last time, as it nearly always is. */
static void warm(void)
{
	kit.sys->rip = KIT_CODE + 0x800;
	kit_code(0x0f, 0xa2);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	for (unsigned i = 0; i < X86_GPRS; i++) {
		kit.r[i] = kit_poison(i);
	}
	kit.sys->rip = KIT_CODE;
	kit.vcpu->hv.stats.exits[HV_EXIT_SYSREG] = 0;
}

static void stepped(unsigned length)
{
	assert_int_equal(kit.sys->rip, KIT_CODE + length);
	assert_int_equal(kit.control->shadow, 0);
	assert_false(kit.vcpu->event.valid);
	assert_int_equal(exits(HV_EXIT_MMIO), 1);
	assert_int_equal(kit.dev.accesses, 1);
	assert_int_equal(kit.dev.last.off, 0x14);
	assert_int_equal(kit.dev.last.size, 4);
}

/* Every way to say where: all of ModRM with a SIB byte, with REX and without. */
static void load_and_store(unsigned mod_rm, unsigned rex, bool store)
{
	static const uint8_t length[] = {2, 3, 6};
	unsigned mod = mod_rm >> 6, rm = mod_rm & 7, reg = (mod_rm >> 3 & 7) | (rex & 4) << 1;
	unsigned size = length[mod] + (rm == 4) + (mod == 0 && rm == 5 ? 4 : 0) + (rex != 0);
	uint8_t *code = &kit_ram[KIT_CODE];

	kit_setup(NULL);
	warm();
	kit.control->shadow = SVM_SHADOW;
	kit.dev.answer = 0x89abcdef;
	memset(code, 0, 16);
	if (rex) {
		*code++ = (uint8_t)rex;
	}
	*code++ = store ? 0x89 : 0x8b;
	*code++ = (uint8_t)mod_rm;
	assert_int_equal(npf(store ? WRITE : READ, KIT_DEV + 0x14), HV_RESUME);
	stepped(size);
	assert_int_equal(kit.dev.last.write, store);
	if (store) {
		assert_int_equal(kit.dev.last.data, (uint32_t)kit_poison(reg));
		kit_registers_but(0);
	} else {
		assert_int_equal(kit.r[reg], 0x89abcdef);
		kit_registers_but(1u << reg);
	}
}

static void device__mov_of_32_bits__any_place_any_register(void **state)
{
	(void)state;
	for (unsigned mod_rm = 0; mod_rm < 0xc0; mod_rm++) {
		load_and_store(mod_rm, 0, mod_rm % 2);
		load_and_store(mod_rm, 0x40 | (mod_rm * 5 & 7), mod_rm % 3 == 0);
	}
}

static void device__absolute_address__has_a_displacement_more(void **state)
{
	(void)state;
	warm();
	kit.dev.answer = 7;
	kit_code(0x44, 0x8b, 0x04, 0x25, 0x14, 0x00, 0x80, 0x00); /* mov 0x800014, %r8d */
	assert_int_equal(npf(READ, KIT_DEV + 0x14), HV_RESUME);
	stepped(8);
	assert_int_equal(kit.r[X86_R8], 7);
}

static void device__mov_of_an_immediate__is_stored(void **state)
{
	(void)state;
	warm();
	kit_code(0xc7, 0x04, 0x25, 0x14, 0x00, 0x80, 0x00, 0x78, 0x56, 0x34, 0x12);
	assert_int_equal(npf(WRITE, KIT_DEV + 0x14), HV_RESUME);
	stepped(11);
	assert_int_equal(kit.dev.last.data, 0x12345678);
	kit_registers_but(0);
}

/* What is not plain goes by the tables, and comes to the same. */
static void device__other_instructions__are_emulated(void **state)
{
	static const struct {
		uint8_t code[8];
		uint8_t length, size;
		bool write;
	} rows[] = {
		{{0x48, 0x8b, 0x06}, 3, 8, false},
		{{0x8a, 0x06}, 2, 1, false},
		{{0x66, 0x89, 0x06}, 3, 2, true},
		{{0xc7, 0x06, 1, 2, 3, 4}, 6, 4, true},
		{{0x87, 0x06}, 2, 4, true}, /* xchg: a read and a write */
		{{0x65, 0x8b, 0x06}, 3, 4, false},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		kit_setup(NULL);
		kit.r[X86_RSI] = KIT_DEV + 0x20;
		kit.sys->seg[X86_GS].base = 0;
		kit.control->shadow = SVM_SHADOW;
		memcpy(&kit_ram[KIT_CODE], rows[i].code, 8);
		assert_int_equal(npf(rows[i].write ? WRITE : READ, KIT_DEV + 0x20), HV_RESUME);
		assert_int_equal(kit.sys->rip, KIT_CODE + rows[i].length);
		assert_int_equal(kit.dev.last.off, 0x20);
		assert_int_equal(kit.dev.last.size, rows[i].size);
		assert_int_equal(kit.dev.last.write, rows[i].write);
		assert_int_equal(kit.control->shadow, 0);
	}
}

/* They begin like those that are done straight, where the code is known. */
static void device__looks_like_a_plain_mov__is_told_apart(void **state)
{
	static const struct {
		uint8_t code[8];
		uint8_t length, size;
		bool write;
	} rows[] = {
		{{0x48, 0x8b, 0x06}, 3, 8, false},
		{{0x48, 0x89, 0x06}, 3, 8, true},
		{{0x8a, 0x06}, 2, 1, false},
		{{0x88, 0x06}, 2, 1, true},
		{{0x48, 0xc7, 0x06, 1, 2, 3, 4}, 7, 8, true},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		kit_setup(NULL);
		warm();
		kit.r[X86_RSI] = KIT_DEV + 0x20;
		memcpy(&kit_ram[KIT_CODE], rows[i].code, 8);
		assert_int_equal(npf(rows[i].write ? WRITE : READ, KIT_DEV + 0x20), HV_RESUME);
		assert_int_equal(kit.sys->rip, KIT_CODE + rows[i].length);
		assert_int_equal(kit.dev.last.size, rows[i].size);
		assert_int_equal(kit.dev.accesses, 1);
	}
}

/* Code that is no access to memory at all by now. */
static void d9_device__code_changed__touches_no_device(void **state)
{
	static const uint8_t codes[][3] = {{0x8b, 0xc6}, {0x89, 0xc6}, {0xc7, 0x0e}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(codes); i++) {
		kit_setup(NULL);
		warm();
		kit.r[X86_RSI] = KIT_DEV + 0x20;
		memcpy(&kit_ram[KIT_CODE], codes[i], 3);
		assert_int_equal(npf(i ? WRITE : READ, KIT_DEV + 0x20), HV_RESUME);
		assert_int_equal(kit.dev.accesses, 0);
	}
}

static void device__refuses__is_all_ones(void **state)
{
	(void)state;
	warm();
	kit.dev.refuse = true;
	kit.r[X86_RSI] = KIT_DEV + 0x20;
	kit_code(0x8b, 0x06);
	assert_int_equal(npf(READ, KIT_DEV + 0x20), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], 0xffffffff);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
}

/* At the page's start the access may have begun before it: then its own address counts. */
static void d4_device__at_the_pages_start__is_where_the_instruction_says(void **state)
{
	(void)state;
	warm();
	kit_set64(kit_pte(0x40000), 0x55000 | PTE_P | PTE_W);
	kit_set64(kit_pte(0x41000), KIT_DEV | PTE_P | PTE_W);
	kit_set64(0x55ff8, 0x1122334455667788);
	kit.dev.answer = 0x9999;
	kit.r[X86_RSI] = 0x40ffe;
	kit_code(0x8b, 0x06);
	assert_int_equal(npf(READ, KIT_DEV), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], 0x99991122);
	assert_int_equal(kit.dev.last.size, 2);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
}

/* The direction is what the CPU has looked at rights for. */
static void d10_device__code_changed_its_direction__is_not_done_straight(void **state)
{
	(void)state;
	warm();
	kit.sys->cpl = 3;
	kit_set64(KIT_TABLES + 0x2000 + 4 * 8, KIT_DEV | PTE_P | PTE_U | PTE_PS);
	kit.r[X86_RSI] = KIT_DEV + 0x14;
	kit_code(0x89, 0x06); /* a store, where the CPU saw a load */
	assert_int_equal(npf(READ, KIT_DEV + 0x14), HV_RESUME);
	kit_raised_at_code(X86_PF, true, X86_PF_PRESENT | X86_PF_WRITE | X86_PF_USER);
	assert_int_equal(kit.dev.accesses, 0);
}

static void device__single_step__traps_behind_it(void **state)
{
	(void)state;
	warm();
	kit.sys->rflags |= X86_FLAG_TF | X86_FLAG_RF;
	kit_code(0x89, 0x06);
	assert_int_equal(npf(WRITE, KIT_DEV + 0x14), HV_RESUME);
	kit_raised(X86_DB, false, 0);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
	assert_false(kit.sys->rflags & X86_FLAG_RF);
}

static void nothing__read_and_write__all_ones_and_swallowed(void **state)
{
	(void)state;
	warm();
	kit.r[X86_RSI] = KIT_NOTHING + 0x14;
	kit_code(0x8b, 0x06);
	assert_int_equal(npf(READ, KIT_NOTHING + 0x14), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], 0xffffffff);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
	kit_code(0x89, 0x06);
	assert_int_equal(npf(WRITE, KIT_NOTHING + 0x14), HV_RESUME);
	kit_code(0xc7, 0x06, 1, 2, 3, 4);
	assert_int_equal(npf(WRITE, KIT_NOTHING + 0x14), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2 + 2 + 6);
	assert_false(kit.vcpu->event.valid);
}

static void nothing__fetch__is_no_instruction(void **state)
{
	(void)state;
	assert_int_equal(npf(FETCH, KIT_NOTHING), HV_RESUME);
	kit_raised_at_code(X86_UD, false, 0);
}

static void lazy__any_access__maps_it_and_tries_again(void **state)
{
	static const uint64_t infos[] = {READ, WRITE, FETCH, 6 | SVM_NPF_WALK};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(infos); i++) {
		kit_setup(NULL);
		warm();
		kit_code(0x8b, 0x06);
		assert_int_equal(npf(infos[i], KIT_LAZY + 0x14), HV_RESUME);
		assert_int_equal(kit.sys->rip, KIT_CODE);
		assert_false(kit.vcpu->event.valid);
		assert_int_equal(exits(HV_EXIT_MEM), 1);
		assert_int_equal(exits(HV_EXIT_MMIO), 0);
	}
}

static void rom__write__is_swallowed(void **state)
{
	(void)state;
	kit.r[X86_RSI] = KIT_ROM + 0x10;
	kit_code(0x89, 0x06);
	assert_int_equal(npf(WRITE, KIT_ROM + 0x10), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
	assert_int_equal(hv_le32(&kit_small[1][0x10]), 0);
}

static void x12_npf__reserved_bits__stops_the_vm(void **state)
{
	(void)state;
	assert_int_equal(npf(READ | 1 | SVM_NPF_RESERVED, KIT_DEV), HV_CRASH);
	assert_int_equal(kit.vm->crash.info[1], KIT_DEV);
	assert_int_equal(exits(HV_EXIT_BAD), 1);
}

/* All that the CPU can say ends in a verdict, and leaves no lock. */
static void x12_npf__every_bit_anywhere__ends_in_a_verdict(void **state)
{
	static const uint64_t places[] = {
		0, KIT_LAZY, KIT_ROM, KIT_DEV + 4, KIT_NOTHING, LAPIC_BASE + 0x20, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(places); i++) {
		for (uint64_t bits = 0; bits < 256; bits++) {
			kit_setup(NULL);
			kit.r[X86_RSI] = KIT_DEV + 4;
			kit_code(0x8b, 0x06);
			kit.control->exit_int_info = bits & 128 ? SVM_EVENT_VALID | 0x41 : 0;
			assert_int_not_equal(
				npf((bits & 31) | (bits & 96) << 27, places[i]), HV_FAULT);
			assert_int_equal(fake_port.locks_held, 0);
		}
	}
}

static void x15_npf__while_an_event_is_delivered__delivers_it_again(void **state)
{
	(void)state;
	kit.control->exit_int_info = SVM_EVENT_VALID | 0x41;
	assert_int_equal(npf(WRITE, KIT_LAZY), HV_RESUME);
	assert_true(kit_looks());
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.control->event_inject, SVM_EVENT_VALID | 0x41);
	kit.control->event_inject = kit.control->exit_int_info = 0;
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.control->event_inject, 0);
}

/* Its IDT or its stack are in a device: nothing can be pushed there. */
static void x15_npf__delivery_to_a_device__stops_the_vm(void **state)
{
	(void)state;
	warm();
	kit_code(0x8b, 0x06);
	kit.control->exit_int_info = SVM_EVENT_VALID | 0x41;
	assert_int_equal(npf(READ, KIT_DEV + 0x14), HV_CRASH);
	assert_int_equal(kit.dev.accesses, 0);
}

static void p13_npf__tables_in_a_device__are_a_page_fault(void **state)
{
	(void)state;
	kit_set64(KIT_TABLES + 0x1000 + 8, KIT_DEV | PTE_P | PTE_W | PTE_U);
	kit.r[X86_RSI] = 0x40001234;
	kit_code(0x8b, 0x06);
	assert_int_equal(npf(6 | SVM_NPF_WALK, KIT_DEV), HV_RESUME);
	kit_raised_at_code(X86_PF, true, X86_PF_PRESENT | X86_PF_RSVD);
	assert_int_equal(kit.dev.accesses, 0);
}

static void npf__no_page_left_for_tables__stops_the_vm(void **state)
{
	(void)state;
	hpa_t page;

	while (hv_pages_take(&kit.pool, 1, &page) == HV_OK) {
	}
	assert_int_equal(npf(READ, KIT_LAZY), HV_CRASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(device__mov_of_32_bits__any_place_any_register),
		kit_test(device__absolute_address__has_a_displacement_more),
		kit_test(device__mov_of_an_immediate__is_stored),
		kit_test(device__other_instructions__are_emulated),
		kit_test(device__looks_like_a_plain_mov__is_told_apart),
		kit_test(d9_device__code_changed__touches_no_device),
		kit_test(device__refuses__is_all_ones),
		kit_test(d4_device__at_the_pages_start__is_where_the_instruction_says),
		kit_test(d10_device__code_changed_its_direction__is_not_done_straight),
		kit_test(device__single_step__traps_behind_it),
		kit_test(nothing__read_and_write__all_ones_and_swallowed),
		kit_test(nothing__fetch__is_no_instruction),
		kit_test(lazy__any_access__maps_it_and_tries_again),
		kit_test(rom__write__is_swallowed),
		kit_test(x12_npf__reserved_bits__stops_the_vm),
		kit_test(x12_npf__every_bit_anywhere__ends_in_a_verdict),
		kit_test(x15_npf__while_an_event_is_delivered__delivers_it_again),
		kit_test(x15_npf__delivery_to_a_device__stops_the_vm),
		kit_test(p13_npf__tables_in_a_device__are_a_page_fault),
		kit_test(npf__no_page_left_for_tables__stops_the_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Emulated accesses: devices, memory, nothing, and what lies across them; strings; rights. */
#include "x86_kit.h"

#include <arch/x86_64/mem.h>

static uint64_t mem_read(uint64_t linear, uint8_t size)
{
	const struct x86_access access = {.linear = linear, .size = size, .read = true};
	struct x86_place place;
	enum hv_verdict verdict;

	assert_true(x86_mem_find(kit.vcpu, &access, &place, &verdict));
	return x86_mem_read(kit.vcpu, &place, size);
}

static void mem_write(uint64_t linear, uint8_t size, uint64_t value)
{
	const struct x86_access access = {.linear = linear, .size = size, .write = true};
	struct x86_place place;
	enum hv_verdict verdict;

	assert_true(x86_mem_find(kit.vcpu, &access, &place, &verdict));
	x86_mem_write(kit.vcpu, &place, size, value);
}

static void read__device_memory_and_nothing__each_answers(void **state)
{
	(void)state;
	kit.dev.answer = 0x55667788;
	assert_int_equal(mem_read(KIT_DEV + 0x10, 4), 0x55667788);
	assert_int_equal(kit.dev.last.off, 0x10);
	assert_int_equal(kit.dev.last.size, 4);
	kit_set64(0x30000, 0x1122334455667788);
	assert_int_equal(mem_read(0x30001, 8), 0x11223344556677);
	assert_int_equal(mem_read(0x30000, 2), 0x7788);
	kit_small[1][5] = 0xab;
	assert_int_equal(mem_read(KIT_ROM + 5, 1), 0xab);
	assert_int_equal(mem_read(KIT_NOTHING, 8), UINT64_MAX);
	assert_int_equal(mem_read(KIT_NOTHING, 1), 0xff);
}

static void write__device_memory_rom_and_nothing__each_takes_its_own(void **state)
{
	(void)state;
	mem_write(KIT_DEV + 4, 2, 0xffff1234);
	assert_true(kit.dev.last.write);
	assert_int_equal(kit.dev.last.data, 0x1234);
	mem_write(0x30001, 4, 0xaabbccdd);
	assert_int_equal(kit_get64(0x30000), 0xaabbccdd00);
	mem_write(KIT_ROM, 4, 0xaabbccdd); /* swallowed */
	assert_int_equal(hv_le32(kit_small[1]), 0);
	mem_write(KIT_NOTHING, 8, 1);
	assert_int_equal(kit.dev.accesses, 1);
}

static void a4_access__where_the_guest_moved_its_apic__is_that_one(void **state)
{
	(void)state;
	assert_true(lapic_base_write(kit.vcpu->lapic, KIT_NOTHING | LAPIC_BASE_ENABLE));
	mem_write(KIT_NOTHING + LAPIC_TPR, 4, 0x40);
	assert_int_equal(mem_read(KIT_NOTHING + LAPIC_TPR, 4), 0x40);
	assert_int_equal(lapic_cr8(kit.vcpu->lapic), 4);
	assert_true(lapic_base_write(kit.vcpu->lapic, 0x30000 | LAPIC_BASE_ENABLE));
	kit_set64(0x30000 + LAPIC_TPR, 0x77);
	assert_int_equal(mem_read(0x30000 + LAPIC_TPR, 4), 0x77); /* memory goes first */
}

/* Pages that are neighbours to the guest only. */
static void d4_access__across_pages__goes_to_both(void **state)
{
	(void)state;
	kit_set64(kit_pte(0x40000), 0x55000 | PTE_P | PTE_W);
	kit_set64(kit_pte(0x41000), KIT_DEV | PTE_P | PTE_W);
	kit.dev.answer = 0x99;
	kit_set64(0x55ff8, 0x1122334455667788);
	assert_int_equal(mem_read(0x40ffd, 4), 0x99112233);
	assert_int_equal(kit.dev.last.size, 1);
	mem_write(0x40ffe, 4, 0xaabbccdd);
	assert_int_equal(kit_get64(0x55ff8), 0xccdd334455667788);
	assert_int_equal(kit.dev.last.data, 0xaabb);
	assert_int_equal(kit.dev.last.size, 2);
	/* Three bytes of a device are three accesses. */
	kit.dev.accesses = 0;
	kit.dev.answer = 0x42;
	assert_int_equal(mem_read(0x40fff, 4), 0x424242cc);
	assert_int_equal(kit.dev.accesses, 3);
	mem_write(0x40fff, 4, 0x01020304);
	assert_int_equal(kit.dev.accesses, 6);
	assert_int_equal(kit.dev.last.data, 1);
	assert_int_equal(kit.dev.last.off, 2);
}

/* No byte beyond a window: what does not fit into one is bytes. */
static void d4_access__across_a_devices_end__is_bytes(void **state)
{
	(void)state;
	kit.vm->bus.region[0].size = 0xffe;
	kit.vm->bus.region[0].plain = 0xffe - 7;
	kit.dev.answer = 0x11;
	assert_int_equal(mem_read(KIT_DEV + 0xffc, 4), 0xffff1111);
	assert_int_equal(kit.dev.accesses, 2);
	mem_write(KIT_DEV + 0xffc, 4, 0x01020304);
	assert_int_equal(kit.dev.accesses, 4);
	assert_int_equal(kit.dev.last.off, 0xffd);
	assert_int_equal(kit.dev.last.data, 3);
}

static void find__page_refused__nothing_is_touched(void **state)
{
	const struct x86_access write = {.linear = 0x40ffe, .size = 4, .write = true};
	struct x86_place place;
	enum hv_verdict verdict;

	(void)state;
	kit.sys->cr0 |= X86_CR0_WP;
	kit_set64(kit_pte(0x41000), 0x41000 | PTE_P);
	assert_false(x86_mem_find(kit.vcpu, &write, &place, &verdict));
	assert_int_equal(verdict, HV_RESUME);
	kit_raised(X86_PF, true, X86_PF_PRESENT | X86_PF_WRITE);
	assert_int_equal(kit.sys->cr2, 0x41000);
}

/* Outside 64-bit code linear addresses wrap at 4 GiB. */
static void find__32_bit__wraps(void **state)
{
	const struct x86_access read = {.linear = 0xfffffffe, .size = 4, .read = true};
	struct x86_place place;
	enum hv_verdict verdict;

	(void)state;
	kit.sys->seg[X86_CS].attrib &= ~X86_SEG_L;
	kit.sys->cr0 &= ~X86_CR0_PG;
	assert_true(x86_mem_find(kit.vcpu, &read, &place, &verdict));
	assert_int_equal(place.at[0].v, 0xfffffffe);
	assert_int_equal(place.at[1].v, 0);
	assert_int_equal(place.first, 2);
}

/* ---- instructions ---- */

static void emulates(unsigned length)
{
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	assert_false(kit.vcpu->event.valid);
	assert_int_equal(kit.sys->rip, KIT_CODE + length);
}

static void insn__read_and_write__of_a_device(void **state)
{
	(void)state;
	kit.r[X86_RSI] = KIT_DEV + 8;
	kit.dev.answer = 0x80;
	kit_code(0x0f, 0xb6, 0x06); /* movzbl (%rsi), %eax */
	emulates(3);
	assert_int_equal(kit.r[X86_RAX], 0x80);
	kit.sys->rip = KIT_CODE;
	kit_code(0x83, 0x0e, 0x01); /* orl $1, (%rsi) */
	emulates(3);
	assert_int_equal(kit.dev.last.data, 0x81);
	assert_int_equal(kit.dev.accesses, 3);
	kit_registers_but(1 << X86_RAX | 1 << X86_RSI);
}

static void insn__string__does_a_batch_at_a_time(void **state)
{
	(void)state;
	kit.r[X86_RDI] = KIT_DEV;
	kit.r[X86_RCX] = X86_EMU_BATCH + 3;
	kit_code(0xf3, 0xaa); /* rep stosb */
	emulates(0);
	assert_int_equal(kit.dev.accesses, X86_EMU_BATCH);
	assert_int_equal(kit.r[X86_RCX], 3);
	emulates(2);
	assert_int_equal(kit.dev.accesses, X86_EMU_BATCH + 3);
	assert_int_equal(kit.r[X86_RCX], 0);
	assert_int_equal(kit.r[X86_RDI], KIT_DEV + X86_EMU_BATCH + 3);
}

/* From a device to memory: both are there before the device is asked. */
static void d8_movs__page_fault_of_the_other_side__asks_no_device(void **state)
{
	(void)state;
	kit.sys->cr0 |= X86_CR0_WP;
	kit.r[X86_RSI] = KIT_DEV;
	kit.r[X86_RDI] = 0x40000;
	kit_set64(kit_pte(0x40000), 0x40000 | PTE_P);
	kit_code(0xa4); /* movsb */
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	kit_raised_at_code(X86_PF, true, X86_PF_PRESENT | X86_PF_WRITE);
	assert_int_equal(kit.dev.accesses, 0);
	kit_registers_but(1 << X86_RSI | 1 << X86_RDI);
	kit.vcpu->event.valid = false;
	kit_set64(kit_pte(0x40000), 0x40000 | PTE_P | PTE_W);
	kit.dev.answer = 0x5a;
	emulates(1);
	assert_int_equal(kit_ram[0x40000], 0x5a);
}

static void d8_insn__that_is_not_emulated__stops_the_vm_and_says_why(void **state)
{
	(void)state;
	kit.r[X86_RSI] = KIT_DEV;
	kit_code(0xff, 0x36); /* push (%rsi) */
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_CRASH);
	assert_int_equal(kit.vm->crash.info[0], KIT_CODE);
	assert_int_equal(kit.dev.accesses, 0);
}

static void insn__fault_of_its_own__is_raised(void **state)
{
	(void)state;
	kit.r[X86_RSI] = 0x8000000000000000;
	kit_code(0x8b, 0x06);
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	kit_raised_at_code(X86_GP, true, 0);
}

static void d9_insn__code_gone__is_a_page_fault(void **state)
{
	(void)state;
	kit_set64(kit_pte(KIT_CODE), 0);
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	kit_raised_at_code(X86_PF, true, 0);
	kit.vcpu->event.valid = false;
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 1), HV_RESUME);
	kit_raised_at_code(X86_PF, true, 0);
}

static void insn__single_step__traps_behind_each_element(void **state)
{
	(void)state;
	kit.sys->rflags |= X86_FLAG_TF;
	kit.r[X86_RDI] = KIT_DEV;
	kit.r[X86_RCX] = 2;
	kit_code(0xf3, 0xaa);
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	kit_raised_at_code(X86_DB, false, 0);
	assert_int_equal(kit.r[X86_RCX], 1);
	kit.vcpu->event.valid = false;
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	kit_raised(X86_DB, false, 0);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
}

/* ---- INS and OUTS ---- */

static void x22_ins_and_outs__strings__move_between_port_and_memory(void **state)
{
	(void)state;
	kit.r[X86_RDX] = 0xffff0000 | KIT_PORT;
	kit.r[X86_RDI] = 0x30000;
	kit.r[X86_RCX] = 3;
	kit.port.answer = 0xbeef;
	kit_code(0xf3, 0x66, 0x6d); /* rep insw */
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 2), HV_RESUME);
	assert_int_equal(kit_get64(0x30000), 0xbeefbeefbeef);
	assert_int_equal(kit.sys->rip, KIT_CODE + 3);
	kit.sys->rip = KIT_CODE;
	kit_set64(0x30000, 0x04030201);
	kit.r[X86_RSI] = 0x30003;
	kit.r[X86_RCX] = 4;
	kit.sys->rflags |= X86_FLAG_DF;
	kit_code(0xf3, 0x6e); /* rep outsb, downwards */
	kit.port.accesses = 0;
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, false, 1), HV_RESUME);
	assert_int_equal(kit.port.accesses, 4);
	assert_int_equal(kit.port.last.data, 1);
	assert_int_equal(kit.r[X86_RSI], 0x2ffff);
}

static void x22_ins__count_of_everything__is_bounded_and_restartable(void **state)
{
	(void)state;
	kit.r[X86_RDX] = KIT_PORT;
	kit.r[X86_RDI] = 0x30000;
	kit.r[X86_RCX] = UINT64_MAX;
	kit_code(0xf3, 0x6c);
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 1), HV_RESUME);
	assert_int_equal(kit.port.accesses, X86_EMU_BATCH);
	assert_int_equal(kit.sys->rip, KIT_CODE);
	assert_int_equal(kit.r[X86_RCX], UINT64_MAX - X86_EMU_BATCH);
	kit.r[X86_RCX] = 0;
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 1), HV_RESUME);
	assert_int_equal(kit.port.accesses, X86_EMU_BATCH);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
}

static void x22_ins__page_fault__asks_no_port(void **state)
{
	(void)state;
	kit.r[X86_RDX] = KIT_PORT;
	kit.r[X86_RDI] = 0x3000000;
	kit_code(0x6c);
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 1), HV_RESUME);
	kit_raised_at_code(X86_PF, true, X86_PF_WRITE);
	assert_int_equal(kit.port.accesses, 0);
}

/* The CPU looked at rights for what was there; other code by now gets no port by it. */
static void d10_port__another_instruction_than_the_cpu_saw__is_tried_again(void **state)
{
	(void)state;
	kit.sys->cpl = 3;
	kit.r[X86_RDX] = KIT_PORT;
	kit.r[X86_RDI] = kit.r[X86_RSI] = 0x30000;
	kit_code(0x6e); /* outsb */
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 1), HV_RESUME);
	kit_code(0x6d); /* insl */
	assert_int_equal(x86_insn_emulate_port(kit.vcpu, true, 1), HV_RESUME);
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	kit_code(0x6e);
	assert_int_equal(x86_insn_emulate(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.port.accesses, 0);
	assert_int_equal(kit.sys->rip, KIT_CODE);
	assert_false(kit.vcpu->event.valid);
}

/* ---- tables in what is no RAM ---- */

static void p13_refuse__operand_by_tables_in_no_memory__faults_at_its_address(void **state)
{
	(void)state;
	kit_set64(KIT_TABLES + 0x1000 + 8, KIT_DEV | PTE_P | PTE_W | PTE_U);
	kit.r[X86_RSI] = 0x40001234;
	kit_code(0x8b, 0x06);
	assert_int_equal(x86_insn_refuse(kit.vcpu), HV_RESUME);
	kit_raised_at_code(X86_PF, true, X86_PF_PRESENT | X86_PF_RSVD);
	assert_int_equal(kit.sys->cr2, 0x40001234);
}

static void p13_refuse__code_by_tables_in_no_memory__faults_at_rip(void **state)
{
	(void)state;
	kit_set64(KIT_TABLES + 0x1000 + 8, KIT_DEV | PTE_P | PTE_W | PTE_U);
	kit.sys->rip = 0x40001234;
	assert_int_equal(x86_insn_refuse(kit.vcpu), HV_RESUME);
	kit_raised(X86_PF, true, X86_PF_PRESENT | X86_PF_RSVD);
	assert_int_equal(kit.sys->cr2, 0x40001234);
}

static void p13_refuse__no_address_can_be_found__stops_the_vm(void **state)
{
	(void)state;
	kit.r[X86_RSI] = 0x30000;
	kit_code(0x8b, 0x06); /* can be read by now */
	assert_int_equal(x86_insn_refuse(kit.vcpu), HV_CRASH);
	kit_setup(NULL);
	kit_code(0x50); /* push: not looked into */
	assert_int_equal(x86_insn_refuse(kit.vcpu), HV_CRASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(read__device_memory_and_nothing__each_answers),
		kit_test(write__device_memory_rom_and_nothing__each_takes_its_own),
		kit_test(a4_access__where_the_guest_moved_its_apic__is_that_one),
		kit_test(d4_access__across_pages__goes_to_both),
		kit_test(d4_access__across_a_devices_end__is_bytes),
		kit_test(find__page_refused__nothing_is_touched),
		kit_test(find__32_bit__wraps),
		kit_test(insn__read_and_write__of_a_device),
		kit_test(insn__string__does_a_batch_at_a_time),
		kit_test(d8_movs__page_fault_of_the_other_side__asks_no_device),
		kit_test(d8_insn__that_is_not_emulated__stops_the_vm_and_says_why),
		kit_test(insn__fault_of_its_own__is_raised),
		kit_test(d9_insn__code_gone__is_a_page_fault),
		kit_test(insn__single_step__traps_behind_each_element),
		kit_test(x22_ins_and_outs__strings__move_between_port_and_memory),
		kit_test(x22_ins__count_of_everything__is_bounded_and_restartable),
		kit_test(x22_ins__page_fault__asks_no_port),
		kit_test(d10_port__another_instruction_than_the_cpu_saw__is_tried_again),
		kit_test(p13_refuse__operand_by_tables_in_no_memory__faults_at_its_address),
		kit_test(p13_refuse__code_by_tables_in_no_memory__faults_at_rip),
		kit_test(p13_refuse__no_address_can_be_found__stops_the_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The CPU's answers. It has no instruction that only translates, so the access is made: our own by
 * look.S, which survives its fault; a guest's by a guest (guest.c).
 */
#include <parts/cpu.h>
#include <parts/selftest.h>

#include "look.h"

#include <bm.h>
#include <host.h>
#include <hv/bits.h>

#define PAGE_FAULT 14u
#define GATE       0x8eu

const struct selftest_part cpu_parts[] = {{0}};
const uint32_t cpu_ret = 0x000000c3u;

/* ---- our own translation ---- */

struct gate {
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, reserved;
};

struct __attribute__((packed)) table {
	uint16_t limit;
	uint64_t base;
};

bool cpu_may(uintptr_t at, bool write)
{
	static struct gate idt[PAGE_FAULT + 1];
	const struct table ours = {sizeof(idt) - 1, (uintptr_t)idt};
	uintptr_t entry = (uintptr_t)look_fault;
	struct table before;
	bool may;

	idt[PAGE_FAULT] = (struct gate){.low = (uint16_t)entry,
		.selector = SEL_CODE,
		.type = GATE,
		.middle = (uint16_t)(entry >> 16),
		.high = (uint32_t)(entry >> 32)};
	__asm__ volatile("sidt %0\n\tlidt %1" : "=m"(before) : "m"(ours) : "memory");
	may = write ? look_write(at) : look_read(at);
	__asm__ volatile("lidt %0" : : "m"(before) : "memory");
	return may;
}

/* No bit forbids it: the format has no such descriptor, and the faults are tried. */
bool cpu_forbids_writable_code(void)
{
	return !hv_bit(x86_stage1_fmt.prot_mask, HV_PROT_R | HV_PROT_W | HV_PROT_X);
}

uintptr_t cpu_root(void)
{
	return CR_READ(cr3);
}

bool cpu_is_guard(uintptr_t page)
{
	bool guard = false;

	for (unsigned i = 0; i < host_get()->tree.cpu_count; i++) {
		guard = guard || page == (uintptr_t)cpu_slots[i].guard ||
			page == (uintptr_t)cpu_slots[i].fault_guard;
	}
	return guard;
}

const uint8_t *cpu_stack(size_t *size)
{
	*size = BM_STACK_SIZE;
	return cpu_slots[0].stack;
}

/* Down the stack, word by word, until there is no more. */
void cpu_overflow_stack(void)
{
	__asm__ volatile("and $-16, %%rsp\n1: sub $16, %%rsp\n\tmovq $0, (%%rsp)\n\tjmp 1b"
			 :
			 :
			 : "memory");
}

void cpu_undefined(void)
{
	__asm__ volatile("ud2");
}

void cpu_breakpoint(void)
{
	__asm__ volatile("int3");
}

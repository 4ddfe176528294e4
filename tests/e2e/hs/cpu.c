/* SPDX-License-Identifier: MIT */
/*
 * HS-mode's answers. The CPU has no instruction that only translates, so the access is made: our
 * own by look.S, which survives its fault; a guest's by HLV and HSV, which vectors.S skips when
 * they fault.
 */
#include <parts/cpu.h>
#include <parts/selftest.h>

#include "look.h"
#include "simple_hv.h"

#include <caps.h>
#include <host.h>
#include <hs.h>
#include <hv/bits.h>

/* Of Sv39x4's 41: QEMU 7.2 takes the highest bit for a sign, and refuses what has only that. */
#define IA_BITS 40u

#define CAUSE_LOAD_FAULT  5u
#define CAUSE_STORE_FAULT 7u
#define CAUSE_NONE        UINT64_MAX

#define SATP_PPN HV_MASK(43, 0)

const struct selftest_part cpu_parts[] = {{"simple_hv", simple_hv_run}, {0}};
const uint32_t cpu_ret = 0x00008067u;

/* ---- our own translation ---- */

bool cpu_may(uintptr_t at, bool write)
{
	return write ? look_write(at) : look_read(at);
}

/* No bit forbids it: the format has no such descriptor, and the faults are tried. */
bool cpu_forbids_writable_code(void)
{
	return !hv_bit(rv64_stage1_fmt.prot_mask, HV_PROT_R | HV_PROT_W | HV_PROT_X);
}

uintptr_t cpu_root(void)
{
	return (CSR_READ(satp) & SATP_PPN) << HV_PAGE_SHIFT;
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
	*size = HS_STACK_SIZE;
	return cpu_slots[0].stack;
}

/* Down the stack, word by word, until there is no more. */
void cpu_overflow_stack(void)
{
	__asm__ volatile("1: addi sp, sp, -16\n\tsd zero, (sp)\n\tj 1b" : : : "memory");
}

void cpu_undefined(void)
{
	__asm__ volatile(".4byte 0");
}

void cpu_breakpoint(void)
{
	__asm__ volatile("ebreak");
}

/* ---- a guest's ---- */

struct cpu_guest cpu_guest(void)
{
	return (struct cpu_guest){
		.fmt = &rv64_gstage_fmt, .ia_bits = IA_BITS, .pa_bits = caps_get()->pa_bits};
}

void cpu_guest_use(struct hv_pt *pt)
{
	CSR_WRITE(vsatp, 0);
	CSR_WRITE(hgatp, rv64_hgatp(pt));
	CSR_WRITE(hstatus, (uint64_t)2 << 32 | HSTATUS_SPV | HSTATUS_SPVP);
	CSR_SET(sstatus, SSTATUS_SPP | SSTATUS_FS);
	__asm__ volatile(INSN_H("hfence.gvma") : : : "memory");
	__asm__ volatile(INSN_H("hfence.vvma") : : : "memory");
}

/* An access fault comes behind the translation, where the machine has nothing. */
static enum cpu_answer answer(uint64_t scause)
{
	switch (scause) {
	case CAUSE_NONE:
	case CAUSE_LOAD_FAULT:
	case CAUSE_STORE_FAULT: return CPU_FINE;
	case CAUSE_LOAD_GUEST:
	case CAUSE_STORE_GUEST: return CPU_REFUSED;
	default: return CPU_OTHER;
	}
}

struct cpu_look cpu_guest_look(uint64_t gpa, bool write, uint64_t pa)
{
	uint64_t got = UINT64_MAX;
	struct cpu_look look;

	CSR_WRITE(scause, CAUSE_NONE);
	if (write) {
		__asm__ volatile(INSN_H("hsv.d %0, (%1)") : : "r"(pa), "r"(gpa) : "memory");
	} else {
		__asm__ volatile(INSN_H("hlv.d %0, (%1)") : "+r"(got) : "r"(gpa) : "memory");
	}
	look = (struct cpu_look){.answer = answer(CSR_READ(scause)), .pa = got};
	CSR_SET(hstatus, HSTATUS_SPV);
	CSR_SET(sstatus, SSTATUS_SPP);
	return look;
}

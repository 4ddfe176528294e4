/* SPDX-License-Identifier: MIT */
/* EL2's answers: the CPU tells by AT S1E2R/W and AT S12E1R/W what PAR_EL1 then says. */
#include <parts/cpu.h>
#include <parts/selftest.h>

#include <caps.h>
#include <el2.h>
#include <hv/bits.h>

#define IA_BITS 40u

#define PAR_F             HV_BIT(0)
#define PAR_S             HV_BIT(9)
#define PAR_PA            HV_MASK(47, 12)
#define PAR_FST_KIND(par) hv_bits(par, 6, 3)
#define FST_TRANSLATION   1u
#define FST_PERMISSION    3u

#define HCR_VM    HV_BIT(0)
#define HCR_RW    HV_BIT(31)
#define SCTLR_OFF 0x30d00800u

#define AT(op, address) __asm__ volatile("at " #op ", %0" : : "r"((uint64_t)(address)) : "memory")

const struct selftest_part cpu_parts[] = {{0}};
const uint32_t cpu_ret = 0xd65f03c0u;

static uint64_t par(void)
{
	ISB();
	return SYSREG_READ(par_el1);
}

bool cpu_may(uintptr_t at, bool write)
{
	if (write) {
		AT(s1e2w, at);
	} else {
		AT(s1e2r, at);
	}
	return !(par() & PAR_F);
}

bool cpu_forbids_writable_code(void)
{
	return (SYSREG_READ(sctlr_el2) & SCTLR_WXN) != 0;
}

uintptr_t cpu_root(void)
{
	return SYSREG_READ(ttbr0_el2);
}

bool cpu_is_guard(uintptr_t page)
{
	bool guard = false;

	for (unsigned i = 0; i < EL2_CPUS; i++) {
		guard = guard || page == (uintptr_t)cpu_slots[i].guard ||
			page == (uintptr_t)cpu_slots[i].fault_guard;
	}
	return guard;
}

const uint8_t *cpu_stack(size_t *size)
{
	*size = EL2_STACK_SIZE;
	return cpu_slots[0].stack;
}

/* Down the stack, word by word, until there is no more. */
void cpu_overflow_stack(void)
{
	__asm__ volatile("1: str xzr, [sp, #-16]!\n\tb 1b" : : : "memory");
}

void cpu_undefined(void)
{
	__asm__ volatile(".inst 0");
}

void cpu_breakpoint(void)
{
	__asm__ volatile("brk #1");
}

struct cpu_guest cpu_guest(void)
{
	uint8_t pa_bits = caps_get()->pa_bits;

	return (struct cpu_guest){.fmt = &a64_stage2_fmt,
		.ia_bits = IA_BITS,
		.pa_bits = pa_bits < a64_stage2_fmt.max_pa_bits ? pa_bits
								: a64_stage2_fmt.max_pa_bits};
}

void cpu_guest_use(struct hv_pt *pt)
{
	SYSREG_WRITE(sctlr_el1, SCTLR_OFF);
	SYSREG_WRITE(vtcr_el2, a64_vtcr(pt));
	SYSREG_WRITE(vttbr_el2, a64_vttbr(pt));
	SYSREG_WRITE(hcr_el2, HCR_VM | HCR_RW);
	ISB();
	TLBI(vmalls12e1is);
	DSB(ish);
	ISB();
}

static enum cpu_answer answer(uint64_t said)
{
	if (!(said & PAR_F)) {
		return CPU_FINE;
	}
	if (!(said & PAR_S)) {
		return CPU_OTHER; /* not Stage-2's */
	}
	switch (PAR_FST_KIND(said)) {
	case FST_TRANSLATION: return CPU_ABSENT;
	case FST_PERMISSION: return CPU_DENIED;
	default: return CPU_OTHER;
	}
}

struct cpu_look cpu_guest_look(uint64_t gpa, bool write, uint64_t pa)
{
	uint64_t said;

	(void)pa;
	if (write) {
		AT(s12e1w, gpa);
	} else {
		AT(s12e1r, gpa);
	}
	said = par();
	return (struct cpu_look){
		.answer = answer(said), .pa = (said & PAR_PA) | (gpa & (HV_PAGE_SIZE - 1))};
}

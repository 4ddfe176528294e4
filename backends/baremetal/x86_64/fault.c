/* SPDX-License-Identifier: MIT */
/*
 * The end of the hypervisor by its own fault: a readable dump, then the machine goes off. Runs on
 * the CPU's fault stack, takes no lock, and trusts nothing but the record that vectors.S made.
 */
#include "bm.h"

#include <common/dump.h>
#include <common/report.h>

#define ERROR_PRESENT 1u /* of a page fault (APM2 8.4.2) */
#define ERROR_WRITE   2u
#define ERROR_FETCH   16u

static const char *page_fault_name(uint64_t error)
{
	if (error & ERROR_FETCH) {
		return error & ERROR_PRESENT ? "page fault: fetch denied" : "page fault: fetch";
	}
	if (error & ERROR_WRITE) {
		return error & ERROR_PRESENT ? "page fault: write denied" : "page fault: write";
	}
	return error & ERROR_PRESENT ? "page fault: read denied" : "page fault: read";
}

static const char *name_of(const struct bm_fault *fault)
{
	static const char *const name[] = {
		[X86_DE] = "divide error",
		[X86_DB] = "debug exception",
		[X86_NMI] = "NMI",
		[X86_BP] = "breakpoint",
		[X86_OF] = "overflow",
		[X86_BR] = "bound range",
		[X86_UD] = "invalid opcode",
		[X86_NM] = "device not available",
		[X86_DF] = "double fault",
		[X86_TS] = "invalid TSS",
		[X86_NP] = "segment not present",
		[X86_SS_FAULT] = "stack fault",
		[X86_GP] = "general protection",
		[X86_MF] = "x87 exception",
		[X86_AC] = "alignment check",
		[X86_MC] = "machine check",
		[X86_XF] = "SIMD exception",
	};

	if (fault->vector == X86_PF) {
		return page_fault_name(fault->error);
	}
	return fault->vector < HV_ARRAY_COUNT(name) && name[fault->vector] ? name[fault->vector]
									   : "exception";
}

static void dump_head(const struct bm_fault *fault)
{
	char line[160];
	struct hv_text text = HV_TEXT(line);

	hv_text_str(&text, "hypervisor fault: ");
	hv_text_str(&text, name_of(fault));
	report("dump", &text);
}

static void dump_gprs(const struct bm_fault *fault)
{
	static const char *const name[X86_GPRS] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi",
		"rdi", "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"};

	for (unsigned n = 0; n < X86_GPRS; n++) {
		dump_value(name[n], n == X86_RSP ? fault->rsp : fault->r[n]);
	}
}

/* By the stack that we are on: GS may be a guest's. */
static struct bm_cpu_slot *slot_of(const struct bm_fault *fault)
{
	uintptr_t offset = (uintptr_t)fault - (uintptr_t)cpu_slots;

	return &cpu_slots[offset / sizeof(cpu_slots[0]) % BM_CPUS];
}

_Noreturn void bm_fault(const struct bm_fault *fault)
{
	struct bm_cpu_slot *slot = slot_of(fault);
	const struct dump_stack stack[2] = {
		{slot->stack, BM_STACK_SIZE}, {slot->fault_stack, BM_FAULT_STACK_SIZE}};
	uint64_t depth = ++slot->cpu.fault_depth;

	report_emergency();
	if (depth > 2) {
		machine_off();
	}
	dump_head(fault);
	dump_value("pc ", fault->rip);
	dump_value("cr2", CR_READ(cr2));
	dump_value("error", fault->error);
	dump_value("rflags", fault->rflags);
	if (depth == 1) {
		dump_gprs(fault);
		dump_stack(stack, fault->rsp);
	}
	report_str("end", "crash hypervisor fault");
	machine_off();
}

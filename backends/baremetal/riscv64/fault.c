/* SPDX-License-Identifier: MIT */
/*
 * The end of the hypervisor by its own fault: a readable dump, then the machine goes off. Runs on
 * the CPU's fault stack, takes no lock, and trusts nothing but the record that vectors.S made.
 */
#include "hs.h"

#include <common/dump.h>
#include <common/report.h>
#include <hv/bits.h>

#define SP 2u

static void dump_head(const struct hs_fault *fault)
{
	char line[160];
	struct hv_text text = HV_TEXT(line);

	hv_text_str(&text, "hypervisor fault: ");
	hv_text_str(&text, rv64_cause_name(fault->scause));
	report("dump", &text);
}

static void dump_stacks(const struct hs_cpu *cpu, uint64_t sp)
{
	const struct hs_cpu_slot *slot = HV_CONTAINER_OF(cpu, const struct hs_cpu_slot, cpu);
	const struct dump_stack stack[2] = {
		{slot->stack, HS_STACK_SIZE}, {slot->fault_stack, HS_FAULT_STACK_SIZE}};

	dump_stack(stack, sp);
}

_Noreturn void hs_fault(struct hs_fault *fault)
{
	struct hs_cpu *cpu = HV_CONTAINER_OF(fault, struct hs_cpu, fault);
	uint64_t depth = ++cpu->fault_depth;

	report_emergency();
	if (depth > 2) {
		machine_off();
	}
	dump_head(fault);
	dump_value("pc ", fault->pc);
	dump_value("stval", fault->stval);
	dump_value("scause", fault->scause);
	dump_value("sp ", fault->x[SP]);
	dump_value("sstatus", fault->sstatus);
	if (depth == 1) {
		dump_regs(&fault->x[1], 1, 31);
		dump_stacks(cpu, fault->x[SP]);
	}
	report_str("end", "crash hypervisor fault");
	machine_off();
}

/* SPDX-License-Identifier: MIT */
/*
 * The end of the hypervisor by its own fault: a readable dump, then the machine goes off. Runs on
 * the CPU's fault stack, takes no lock, and trusts nothing but the record that the vectors made.
 */
#include "el2.h"

#include "power.h"
#include <hv/bits.h>
#include <common/dump.h>
#include <common/report.h>

#define EC_UNKNOWN    0x00u
#define EC_ILLEGAL    0x0eu
#define EC_SYSREG     0x18u
#define EC_INSN_ABORT 0x21u
#define EC_PC_ALIGN   0x22u
#define EC_DATA_ABORT 0x25u
#define EC_SP_ALIGN   0x26u
#define EC_SERROR     0x2fu
#define EC_BRK        0x3cu

static const char *kind_name(unsigned kind, uint64_t esr)
{
	static const struct {
		uint8_t ec;
		const char *name;
	} name[] = {
		{EC_UNKNOWN, "undefined instruction"},
		{EC_ILLEGAL, "illegal execution state"},
		{EC_SYSREG, "system register trap"},
		{EC_INSN_ABORT, "instruction abort"},
		{EC_PC_ALIGN, "PC alignment"},
		{EC_DATA_ABORT, "data abort"},
		{EC_SP_ALIGN, "SP alignment"},
		{EC_SERROR, "SError"},
		{EC_BRK, "BRK"},
	};

	switch (kind) {
	case FAULT_IRQ: return "unexpected IRQ";
	case FAULT_FIQ: return "unexpected FIQ";
	case FAULT_SERROR: return "SError";
	default: break;
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(name); i++) {
		if (name[i].ec == hv_bits(esr, 31, 26)) {
			return name[i].name;
		}
	}
	return "unknown exception";
}

/* DFSC/IFSC of an abort, DDI 0487 D19.2.37: the fault's type, without its level. */
static const char *abort_name(uint64_t esr)
{
	switch (hv_bits(esr, 5, 2)) {
	case 0: return "address size";
	case 1: return "translation";
	case 2: return "access flag";
	case 3: return "permission";
	default: break;
	}
	switch (hv_bits(esr, 5, 0)) {
	case 0x10: return "external";
	case 0x21: return "alignment";
	default: return "other";
	}
}

static void dump_head(const struct el2_fault *fault, unsigned kind)
{
	char line[160];
	struct hv_text text = HV_TEXT(line);
	uint64_t ec = hv_bits(fault->esr, 31, 26);

	hv_text_str(&text, "hypervisor fault: ");
	hv_text_str(&text, kind_name(kind, fault->esr));
	if (kind == FAULT_SYNC && (ec == EC_DATA_ABORT || ec == EC_INSN_ABORT)) {
		hv_text_str(&text, ", ");
		hv_text_str(&text, abort_name(fault->esr));
		hv_text_str(&text, hv_bit(fault->esr, 6) && ec == EC_DATA_ABORT ? ", write" : "");
	}
	report("dump", &text);
}

static void dump_stacks(const struct el2_cpu *cpu, uint64_t sp)
{
	const struct el2_cpu_slot *slot = HV_CONTAINER_OF(cpu, const struct el2_cpu_slot, cpu);
	const struct dump_stack stack[2] = {
		{slot->stack, EL2_STACK_SIZE}, {slot->fault_stack, EL2_FAULT_STACK_SIZE}};

	dump_stack(stack, sp);
}

_Noreturn void el2_fault(struct el2_fault *fault, unsigned kind)
{
	struct el2_cpu *cpu = HV_CONTAINER_OF(fault, struct el2_cpu, fault);
	uint64_t depth = ++cpu->fault_depth;

	report_emergency();
	if (depth > 2) {
		power_off();
	}
	dump_head(fault, kind);
	dump_value("pc ", fault->pc);
	dump_value("far", fault->far);
	dump_value("esr", fault->esr);
	dump_value("sp ", fault->sp);
	dump_value("pstate", fault->pstate);
	if (depth == 1) {
		dump_regs(fault->x, 0, 30);
		dump_stacks(cpu, fault->sp);
	}
	report_str("end", "crash hypervisor fault");
	power_off();
}

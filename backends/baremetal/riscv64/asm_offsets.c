/* SPDX-License-Identifier: MIT */
/* Compiled to assembly only; common/asm_offsets.cmake turns each marker into a #define. */
#include "hs.h"

#define OFFSET(name, value) __asm__ volatile("\n@@" #name " %0@@" : : "i"(value))

void asm_offsets(void);
void asm_offsets(void)
{
	OFFSET(REGS_PC, offsetof(struct rv64_regs, pc));
	OFFSET(REGS_HOST, offsetof(struct rv64_regs, host));
	OFFSET(CPU_SLOT_CPU, offsetof(struct hs_cpu_slot, cpu));
	OFFSET(CPU_SLOTS, HS_CPUS);
	OFFSET(CPU_SLOT_SIZE, sizeof(struct hs_cpu_slot));
	OFFSET(CPU_SLOT_STACK_END, offsetof(struct hs_cpu_slot, stack) + HS_STACK_SIZE);
	OFFSET(CPU_SLOT_FAULT_STACK_END,
		offsetof(struct hs_cpu_slot, fault_stack) + HS_FAULT_STACK_SIZE);
	OFFSET(CPU_HART, offsetof(struct hs_cpu, hart));
	OFFSET(CPU_FAULT, offsetof(struct hs_cpu, fault));
	OFFSET(CPU_FAULT_DEPTH, offsetof(struct hs_cpu, fault_depth));
	OFFSET(FAULT_PC, offsetof(struct hs_fault, pc));
	OFFSET(FAULT_SSTATUS, offsetof(struct hs_fault, sstatus));
	OFFSET(FAULT_SCAUSE, offsetof(struct hs_fault, scause));
	OFFSET(FAULT_STVAL, offsetof(struct hs_fault, stval));
}

/* vectors.S knows register n by 8 * n. */
_Static_assert(offsetof(struct rv64_regs, x) == 0, "x0 is first");
_Static_assert(offsetof(struct hs_fault, x) == 0, "x0 is first");

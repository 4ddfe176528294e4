/* SPDX-License-Identifier: MIT */
/* Compiled to assembly only; asm_offsets.cmake turns each marker into a #define. */
#include "el2.h"

#define OFFSET(name, value) __asm__ volatile("\n@@" #name " %0@@" : : "i"(value))

void asm_offsets(void);
void asm_offsets(void)
{
	OFFSET(REGS_PSTATE, offsetof(struct a64_regs, pstate));
	OFFSET(CPU_SLOT_CPU, offsetof(struct el2_cpu_slot, cpu));
	OFFSET(CPU_SLOT_STACK_END, offsetof(struct el2_cpu_slot, stack) + EL2_STACK_SIZE);
	OFFSET(CPU_SLOT_FAULT_STACK_END,
		offsetof(struct el2_cpu_slot, fault_stack) + EL2_FAULT_STACK_SIZE);
	OFFSET(CPU_FAULT, offsetof(struct el2_cpu, fault));
	OFFSET(CPU_FAULT_DEPTH, offsetof(struct el2_cpu, fault_depth));
	OFFSET(CPU_FAULT_STACK, offsetof(struct el2_cpu, fault_stack));
	OFFSET(FAULT_X, offsetof(struct el2_fault, x));
	OFFSET(FAULT_SP, offsetof(struct el2_fault, sp));
	OFFSET(FAULT_PC, offsetof(struct el2_fault, pc));
	OFFSET(FAULT_PSTATE, offsetof(struct el2_fault, pstate));
	OFFSET(FAULT_ESR, offsetof(struct el2_fault, esr));
	OFFSET(FAULT_FAR, offsetof(struct el2_fault, far));
}

/* vectors.S writes these two as one pair. */
_Static_assert(offsetof(struct a64_regs, x) == 0, "x0 is first");
_Static_assert(offsetof(struct a64_regs, pc) == 31 * 8, "the PC follows x30");

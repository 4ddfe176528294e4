/* SPDX-License-Identifier: MIT */
/* Compiled to assembly only; common/asm_offsets.cmake turns each marker into a #define. */
#include "bm.h"

#define OFFSET(name, value) __asm__ volatile("\n@@" #name " %c0@@" : : "i"(value))

void asm_offsets(void);
void asm_offsets(void)
{
	OFFSET(CPU_SLOT_CPU, offsetof(struct bm_cpu_slot, cpu));
	OFFSET(CPU_SLOT_STACK_END, offsetof(struct bm_cpu_slot, stack) + BM_STACK_SIZE);
	OFFSET(VCPU_TODO, offsetof(struct x86_vcpu, hv.todo));
	OFFSET(VCPU_REGS, offsetof(struct x86_vcpu, regs));
	OFFSET(VMCB_RAX, offsetof(struct svm_vmcb, save.rax));
	OFFSET(VMCB_RSP, offsetof(struct svm_vmcb, save.rsp));
}

_Static_assert(offsetof(struct x86_regs, r) == 0, "R_RAX is first");
_Static_assert(HV_RESUME == 0, "guest_run() looks at the verdict and todo at once");

/* SPDX-License-Identifier: MIT */
/*
 * What an emulated instruction reads and writes: memory, devices, or nothing (all ones, and writes
 * are swallowed), by parts where it crosses a page or a device's end (D4).
 */
#ifndef X86_MEM_H
#define X86_MEM_H

#include "emulate.h"

/* Where an access goes: `first` bytes of it to at[0], what is left to at[1]. */
struct x86_place {
	gpa_t at[2];
	uint8_t first;
};

/* By the guest's own tables. False: `verdict` is what to return, its page fault being on its way.
 */
HV_WARN_UNUSED bool x86_mem_find(struct x86_vcpu *vcpu, const struct x86_access *access,
	struct x86_place *place, enum hv_verdict *verdict);
uint64_t x86_mem_read(struct x86_vcpu *vcpu, const struct x86_place *place, uint8_t size);
void x86_mem_write(
	struct x86_vcpu *vcpu, const struct x86_place *place, uint8_t size, uint64_t value);

/*
 * Does the instruction at RIP, of which the CPU could not do a memory access: at most X86_EMU_BATCH
 * elements of a string. RIP is behind it, or where it was. Code may be other than what the CPU
 * left for: what it checked rights for is another instruction then, which is tried again (D10).
 */
HV_WARN_UNUSED enum hv_verdict x86_insn_emulate(struct x86_vcpu *vcpu);
/*
 * The page fault of the instruction at RIP: the CPU met tables of the guest's in what is no RAM,
 * and does not say for which address. A crash if it has none that can be found.
 */
HV_WARN_UNUSED enum hv_verdict x86_insn_refuse(struct x86_vcpu *vcpu);
/* x86_insn_emulate() of an INS (input) or OUTS of this size. */
HV_WARN_UNUSED enum hv_verdict x86_insn_emulate_port(
	struct x86_vcpu *vcpu, bool input, uint8_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The exceptions that core gives a guest for what it did, each with the syndrome the Arm ARM wants.
 * All leave regs.pc at the guest's vector; the instruction at the old regs.pc is the one blamed.
 */
#ifndef A64_INJECT_H
#define A64_INJECT_H

#include <arch/aarch64/a64.h>

/* EC 0: an instruction the virtual CPU does not have. */
void a64_inject_undef(struct a64_vcpu *vcpu);

/*
 * A synchronous data or instruction abort with this fault status code. `esr` is the trap's
 * syndrome, of which IL, and for data WnR and CM, are kept; FAR_EL1 is set, or FnV when the trap
 * had no valid FAR.
 */
void a64_inject_data_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap, unsigned fsc);
void a64_inject_insn_abort(struct a64_vcpu *vcpu, uint64_t far, bool far_valid, unsigned fsc);

/* An exception that the guest's EL1 should have got itself; ESR as for EL2. */
void a64_inject_same(struct a64_vcpu *vcpu, const struct a64_trap *trap);

#endif

/* SPDX-License-Identifier: MIT */
/* What vm.c, vcpu.c and power.c share; nobody else includes it. */
#ifndef VM_LIFE_H
#define VM_LIFE_H

#include <hv/vm.h>

/* hv_vm_stop() for a caller that holds vm->lock. False: it does not run, or somebody was first. */
bool hv_vm_halt(struct hv_vm *vm, enum hv_stop why);

/* OFF -> READY with power-on registers waiting; HV_ERR_STATE. The caller holds vm->lock. */
HV_WARN_UNUSED enum hv_status hv_vcpu_on(struct hv_vcpu *vcpu, gpa_t pc, uint64_t arg);
/* Takes HV_TODO_PAUSE back. */
void hv_vcpu_unpause(struct hv_vcpu *vcpu);
/* To OFF with nothing to do; it is not RUNNING, and its VM is stopped. */
void hv_vcpu_clear(struct hv_vcpu *vcpu);
bool hv_vcpu_is_running(struct hv_vcpu *vcpu);

#endif

/* SPDX-License-Identifier: MIT */
/* Runs one vCPU of a VM, the one that has this physical CPU's index, until the VM stops. */
#ifndef RUN_H
#define RUN_H

#include <board/virt_aarch64.h>

/*
 * The VM was started. `timed`: count the time in the guest, in the hypervisor and idle, in this
 * CPU's record. Returns when the VM has stopped; the vCPU's registers are in its record by then.
 */
void run_vcpu(struct virt_a64 *virt, bool timed);

#endif

/* SPDX-License-Identifier: MIT */
/* Runs a VM's vCPU on this physical CPU until the VM stops. */
#ifndef RUN_H
#define RUN_H

#include <board/virt_aarch64.h>

/*
 * The VM was started. `timed`: count the time in the guest, in the hypervisor and idle, in this
 * CPU's record. Returns when the VM has stopped.
 */
void run_vm(struct virt_a64 *board, bool timed);

#endif

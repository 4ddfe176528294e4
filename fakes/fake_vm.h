/* SPDX-License-Identifier: MIT */
/*
 * A VM with memory, in whichever state a test wants to start from: of the fake architecture, unless
 * the test sets another one in fake_vm.arch first.
 */
#ifndef FAKE_VM_H
#define FAKE_VM_H

#include "fake_arch.h"

#include <hv/vm.h>

#define FAKE_VM_RAM      0x40000000u /* guest-physical; R|W|X */
#define FAKE_VM_RAM_SIZE 0x400000u
#define FAKE_VM_RAM_HPA  0x80600000u /* 2 MiB aligned like the guest's, and not the same */
#define FAKE_VM_ROM      0x10000u    /* R|X, two pages, lazy */
#define FAKE_VM_ROM_SIZE 0x2000u
#define FAKE_VM_ROM_HPA  0x91000000u
#define FAKE_VM_PC       (FAKE_VM_RAM + 0x80000u)
#define FAKE_VM_PAGES    16u
#define FAKE_VM_POOL_HPA 0x100000000u

struct fake_vm {
	const struct hv_arch *arch; /* NULL: fake_arch */
	struct hv_vm *vm;
	struct hv_arena arena;
	struct hv_pages pool;
	uint8_t *ram, *rom;
};

/* The configuration of all VMs made here; arena and pool are set up, hv_vm_create() is not called.
 */
struct hv_vm_cfg fake_vm_prepare(struct fake_vm *fake, uint16_t vcpus);
/* CREATING, with RAM and ROM in its memory map. */
void fake_vm_create(struct fake_vm *fake, uint16_t vcpus);
/* RUNNING, with vCPU 0 READY at FAKE_VM_PC. */
void fake_vm_start(struct fake_vm *fake, uint16_t vcpus);
/* Brings a fresh vCPU of a RUNNING VM to a state along the edges of its diagram. */
void fake_vcpu_bring(struct hv_vcpu *vcpu, enum hv_vcpu_state to);
/* Frees the memory, whatever state the VM is in. */
void fake_vm_free(struct fake_vm *fake);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The `pc-x86_64` machine that guests see: wires one VM's vCPUs, memory, interrupt controllers and
 * devices as on a PC without PCI, and describes it by ACPI's tables. A backend makes one per VM,
 * loads the guest through hv_load_*(), and runs the vCPUs. What nobody answers reads as all ones.
 */
#ifndef PC_X86_64_H
#define PC_X86_64_H

#include <arch/x86_64/x86.h>
#include <board/board.h>
#include <hv/arena.h>
#include <hv/load.h>

#define PC_X86_RAM       0x00000000u
#define PC_X86_FLASH     0xffc00000u
#define PC_X86_FLASH_MAX 0x00400000u
#define PC_X86_IA_BITS   40u /* guest-physical address space */

/* Ports and ISA interrupts; those that are fixed on every PC are in the devices' own headers. */
#define PC_X86_UART      0x3f8u
#define PC_X86_UART_SIZE 8u
#define PC_X86_UART_IRQ  4u
#define PC_X86_CMOS      0x70u
#define PC_X86_CMOS_SIZE 2u
#define PC_X86_CMOS_IRQ  8u
#define PC_X86_PM        0x600u
#define PC_X86_SCI_IRQ   9u /* nobody raises it */
#define PC_X86_PIT_IRQ   0u
#define PC_X86_PIT_PIN   2u /* of the I/O APIC; every other interrupt has its own number there */

struct pc_x86_cfg {
	struct board_cfg board;      /* RAM is at 0 and, above HV_PC_RAM_MAX, at HV_PC_RAM_HIGH */
	const struct x86_caps *caps; /* of the CPUs it will run on; kept */
};

struct pc_x86 {
	struct board board;
	struct x86_vcpu *vcpu[HV_VCPUS]; /* the same as board.vm->vcpu, typed */
};

/*
 * The VM is STOPPED, and its ACPI tables are in its memory; hv_vm_destroy(pc->board.vm) ends it. On
 * failure *pc is NULL, and arena and page pool are as before. HV_ERR_INVALID; HV_ERR_OVERLAP: RAM
 * and flash share host memory; HV_ERR_RANGE: more RAM than the CPU can address, or too little for
 * the tables; HV_ERR_DENIED: RAM or flash touches the page pool; HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status pc_x86_create(
	struct pc_x86 **pc, const struct pc_x86_cfg *cfg, struct hv_arena *arena);
/*
 * Bytes of arena and pages of pool that pc_x86_create() takes at most for this configuration;
 * depends on the alignment of the host's addresses. 0 pages: the configuration is not valid.
 */
size_t pc_x86_arena_size(const struct pc_x86_cfg *cfg);
uint32_t pc_x86_page_count(const struct pc_x86_cfg *cfg);

/*
 * Before the VM starts, and after hv_load_commit(): vCPU 0 begins as what was loaded expects it. A
 * multiboot image also finds what firmware leaves.
 */
void pc_x86_boot(struct pc_x86 *pc, const struct hv_load_plan *plan);

#endif

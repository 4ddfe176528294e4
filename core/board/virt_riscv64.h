/* SPDX-License-Identifier: MIT */
/*
 * The `virt-riscv64` machine that guests see: wires one VM's vCPUs, memory, PLIC and devices. The
 * addresses are those of QEMU's `virt` machine, so that images built for it run unmodified. A
 * backend makes one per VM, loads the guest through hv_load_*(), and runs the vCPUs.
 */
#ifndef VIRT_RISCV64_H
#define VIRT_RISCV64_H

#include <arch/riscv64/rv64.h>
#include <board/board.h>
#include <hv/arena.h>

#define VIRT_RV64_RTC         0x00101000u
#define VIRT_RV64_RTC_SIZE    0x1000u
#define VIRT_RV64_RTC_IRQ     11u
#define VIRT_RV64_PLIC        0x0c000000u
#define VIRT_RV64_PLIC_SIZE   0x00600000u
#define VIRT_RV64_SOURCES     96u
#define VIRT_RV64_APLIC       0x0d000000u /* with cfg.aplic, and then there is no PLIC */
#define VIRT_RV64_APLIC_SIZE  0x8000u
#define VIRT_RV64_UART        0x10000000u
#define VIRT_RV64_UART_SIZE   0x100u
#define VIRT_RV64_UART_IRQ    10u
#define VIRT_RV64_UART_CLOCK  3686400u
#define VIRT_RV64_VIRTIO      0x10001000u /* empty virtio-mmio slots */
#define VIRT_RV64_VIRTIO_SIZE 0x1000u
#define VIRT_RV64_VIRTIO_IRQ  1u
#define VIRT_RV64_VIRTIOS     8u
#define VIRT_RV64_FLASH       0x22000000u
#define VIRT_RV64_FLASH_MAX   0x02000000u
#define VIRT_RV64_RAM         0x80000000u
#define VIRT_RV64_TIMEBASE    10000000u
#define VIRT_RV64_IA_BITS     41u /* Sv39x4, which every CPU with guests has */

struct virt_rv64_cfg {
	struct board_cfg board;       /* RAM is at VIRT_RV64_RAM, flash at VIRT_RV64_FLASH */
	const struct rv64_caps *caps; /* of the CPUs it will run on; not kept */
	bool aplic;                   /* in the PLIC's place */
};

struct virt_rv64 {
	struct board board;
	struct rv64_vcpu *vcpu[HV_VCPUS]; /* the same as board.vm->vcpu, typed */
};

/*
 * The VM is STOPPED; hv_vm_destroy(virt->board.vm) ends it. On failure *virt is NULL, and arena and
 * page pool are as before. HV_ERR_INVALID; HV_ERR_OVERLAP: RAM and flash share host memory;
 * HV_ERR_RANGE: more RAM than the CPU can address; HV_ERR_DENIED: RAM or flash touches the page
 * pool; HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status virt_rv64_create(
	struct virt_rv64 **virt, const struct virt_rv64_cfg *cfg, struct hv_arena *arena);
/*
 * Bytes of arena and pages of pool that virt_rv64_create() takes at most for this configuration;
 * depends on the alignment of the host's addresses. 0 pages: the configuration is not valid.
 */
size_t virt_rv64_arena_size(const struct virt_rv64_cfg *cfg);
uint32_t virt_rv64_page_count(const struct virt_rv64_cfg *cfg);

#endif

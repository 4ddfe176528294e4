/* SPDX-License-Identifier: MIT */
/*
 * The `virt-aarch64` machine that guests see: wires one VM's vCPUs, memory, GIC and devices. The
 * addresses are those of QEMU's `virt` machine, so that images built for it run unmodified. A
 * backend makes one per VM, loads the guest through hv_load_*(), and runs the vCPUs.
 */
#ifndef VIRT_AARCH64_H
#define VIRT_AARCH64_H

#include <arch/aarch64/a64.h>
#include <dev/gic/gic.h>
#include <board/board.h>
#include <hv/arena.h>

#define VIRT_A64_RAM         0x40000000u
#define VIRT_A64_FLASH       0x04000000u
#define VIRT_A64_FLASH_MAX   0x04000000u
#define VIRT_A64_GICD        0x08000000u
#define VIRT_A64_GICC        0x08010000u /* of a GICv2 */
#define VIRT_A64_GICR        0x080a0000u /* of a GICv3 */
#define VIRT_A64_UART        0x09000000u
#define VIRT_A64_UART_SIZE   0x1000u
#define VIRT_A64_UART_INTID  33u /* SPI 1 */
#define VIRT_A64_RTC         0x09010000u
#define VIRT_A64_RTC_SIZE    0x1000u
#define VIRT_A64_RTC_INTID   34u         /* SPI 2 */
#define VIRT_A64_VIRTIO      0x0a000000u /* empty virtio-mmio slots */
#define VIRT_A64_VIRTIO_SIZE 0x200u
#define VIRT_A64_VIRTIOS     32u
#define VIRT_A64_SPIS        256u
#define VIRT_A64_IA_BITS     40u /* guest-physical address space, or the CPU's where that is less */

struct virt_a64_cfg {
	struct board_cfg board; /* RAM is at VIRT_A64_RAM, flash at VIRT_A64_FLASH */
	uint8_t gic;            /* the guest's: version 2 or 3 */
	hpa_t gicv;             /* version 2: a page, the host's GICV; 0: none, GICC is emulated */
	uint8_t lr_count;       /* list registers of the CPUs it will run on, if the host has any */
	uint8_t pa_bits;        /* of the CPUs it will run on */
};

struct virt_a64 {
	struct board board;
	struct a64_vcpu *vcpu[HV_VCPUS]; /* the same as board.vm->vcpu, typed */
	struct vgic *gic;
};

/*
 * The VM is STOPPED; hv_vm_destroy(virt->board.vm) ends it. On failure *virt is NULL, and arena and
 * page pool are as before. HV_ERR_INVALID; HV_ERR_OVERLAP: RAM and flash share host memory;
 * HV_ERR_RANGE: more RAM than the CPU can address; HV_ERR_DENIED: RAM or flash touches the page
 * pool; HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status virt_a64_create(
	struct virt_a64 **virt, const struct virt_a64_cfg *cfg, struct hv_arena *arena);
/*
 * Bytes of arena and pages of pool that virt_a64_create() takes at most for this configuration;
 * depends on the alignment of the host's addresses. 0 pages: the configuration is not valid.
 */
size_t virt_a64_arena_size(const struct virt_a64_cfg *cfg);
uint32_t virt_a64_page_count(const struct virt_a64_cfg *cfg);

#endif

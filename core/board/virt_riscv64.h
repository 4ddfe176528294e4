/* SPDX-License-Identifier: MIT */
/*
 * The `virt-riscv64` machine that guests see: wires one VM's vCPUs, memory, PLIC and devices. The
 * addresses are those of QEMU's `virt` machine, so that images built for it run unmodified. A
 * backend makes one per VM, loads the guest through hv_load_*(), and runs the vCPUs.
 */
#ifndef VIRT_RISCV64_H
#define VIRT_RISCV64_H

#include <arch/riscv64/rv64.h>
#include <hv/arena.h>
#include <hv/ring.h>
#include <hv/vm.h>

#define VIRT_RV64_RTC         0x00101000u
#define VIRT_RV64_RTC_SIZE    0x1000u
#define VIRT_RV64_RTC_IRQ     11u
#define VIRT_RV64_PLIC        0x0c000000u
#define VIRT_RV64_PLIC_SIZE   0x00600000u
#define VIRT_RV64_SOURCES     96u
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
	uint16_t id;                  /* of the VM; also its VMID */
	uint16_t cpus;                /* 1..HV_VCPUS */
	const struct rv64_caps *caps; /* of the CPUs it will run on */
	uint64_t ram_size;            /* page multiple; RAM is at VIRT_RV64_RAM */
	hpa_t ram_hpa;                /* where that memory is for the CPU's page walker */
	uint8_t *ram_host;            /* and for core */
	bool unshared;       /* one vCPU, and no one else touches devices: they need no lock */
	bool lazy_ram;       /* mapped block by block, at each one's first access */
	uint64_t flash_size; /* page multiple; 0: no flash; guests can only read it */
	hpa_t flash_hpa;
	uint8_t *flash_host;
	uint64_t epoch; /* seconds since 1970 when port_now() is 0, for the RTC */
	struct hv_pages *pages;
};

struct virt_rv64 {
	struct hv_vm *vm;
	struct rv64_vcpu *vcpu[HV_VCPUS]; /* the same as vm->vcpu, typed */
	struct hv_chan console;           /* of the 16550; the backend owns the host end */
};

/*
 * The VM is STOPPED; hv_vm_destroy(board->vm) ends it. On failure *board is NULL, and arena and
 * page pool are as before. HV_ERR_INVALID; HV_ERR_OVERLAP: RAM and flash share host memory;
 * HV_ERR_RANGE: more RAM than the CPU can address; HV_ERR_DENIED: RAM or flash touches the page
 * pool; HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status virt_rv64_create(
	struct virt_rv64 **board, const struct virt_rv64_cfg *cfg, struct hv_arena *arena);
/*
 * Bytes of arena and pages of pool that virt_rv64_create() takes at most for this configuration;
 * depends on the alignment of the host's addresses. 0 pages: the configuration is not valid.
 */
size_t virt_rv64_arena_size(const struct virt_rv64_cfg *cfg);
uint32_t virt_rv64_page_count(const struct virt_rv64_cfg *cfg);

#endif

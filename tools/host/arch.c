/* SPDX-License-Identifier: MIT */
#include "arch.h"

#include <board/pc_x86_64.h>
#include <board/virt_aarch64.h>
#include <board/virt_riscv64.h>
#include <hv/load.h>
#include <string.h>

static const struct arch rows[] = {
	{
		.name = "aarch64",
		.machine = HV_MACHINE_AARCH64,
		.loader = &hv_load_aarch64,
		.ram = VIRT_A64_RAM,
		.flash_max = VIRT_A64_FLASH_MAX,
		.has_gic = true,
		.has_dtb = true,
		.append = "earlycon=pl011,0x9000000 console=ttyAMA0",
		.kernel_env = "DRYDOCK_AARCH64_KERNEL",
		.initrd_env = "DRYDOCK_AARCH64_INITRD",
		.image_env = "DRYDOCK_EL2_IMAGE",
		.qemu = "qemu-system-aarch64",
		.machine_args = "virt,virtualization=on",
		.cpu = "cortex-a57",
		.plain_machine_args = "virt",
		.plain_cpu = "cortex-a57",
	},
	{
		.name = "riscv64",
		.machine = HV_MACHINE_RISCV,
		.loader = &hv_load_riscv64,
		.ram = VIRT_RV64_RAM,
		.flash_max = VIRT_RV64_FLASH_MAX,
		.has_dtb = true,
		.append = "earlycon=uart8250,mmio,0x10000000 console=ttyS0",
		.kernel_env = "DRYDOCK_RISCV64_KERNEL",
		.initrd_env = "DRYDOCK_RISCV64_INITRD",
		.image_env = "DRYDOCK_HS_IMAGE",
		.qemu = "qemu-system-riscv64",
		.machine_args = "virt",
		.cpu = "rv64,h=true",
		.break_mib = 1024, /* the tree, in the last 2 MiB of RAM or below 3 GiB */
		.plain_machine_args = "virt",
		.plain_cpu = "rv64",
	},
	{
		.name = "x86_64",
		.machine = HV_MACHINE_X86_64,
		.loader = &hv_load_x86_64,
		.ram = PC_X86_RAM,
		.flash_max = PC_X86_FLASH_MAX,
		.append = "earlyprintk=serial,ttyS0,115200 console=ttyS0",
		.kernel_env = "DRYDOCK_X86_64_KERNEL",
		.initrd_env = "DRYDOCK_X86_64_INITRD",
		.image_env = "DRYDOCK_SVM_IMAGE",
		.flat_env = "DRYDOCK_SVM_FLAT_IMAGE",
		.qemu = "qemu-system-x86_64",
		.machine_args = "q35",
		.cpu = "max,+svm",
		.plain_machine_args = "q35",
		.plain_cpu = "max",
	},
};

const struct arch *arch_named(const char *name)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		if (strcmp(name, rows[i].name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

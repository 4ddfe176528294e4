/* SPDX-License-Identifier: MIT */
/*
 * Where guests' architectures differ for the loader, and nothing else. Flat binaries go where
 * QEMU's `virt` machine puts a raw `-kernel`, and where such images are therefore linked: on
 * riscv64 that is behind the 2 MiB that the firmware has there.
 */
#include <load/load.h>

static const struct load_machine load_machines[] = {
	{
		.number = HV_MACHINE_X86_64,
		.foreign_elf = "not for x86-64",
		.flat_offset = HV_MIB(2), /* a large page of its own, above what firmware uses */
		.insn_align = 1,
		.dtb_end = UINT64_MAX,
		.is_pc = true,
	},
	{
		.number = HV_MACHINE_AARCH64,
		.foreign_elf = "not for AArch64",
		.flat_offset = HV_KIB(512),
		.insn_align = 4,
		.has_low_dtb = true,
		.dtb_end = UINT64_MAX,
	},
	{
		.number = HV_MACHINE_RISCV,
		.foreign_elf = "not for RISC-V",
		.flat_offset = HV_MIB(2),
		.insn_align = 2,      /* the extension C */
		.dtb_end = HV_GIB(3), /* no guest for QEMU has seen it higher */
	},
};

const struct load_machine *load_machine_find(uint16_t number)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(load_machines); i++) {
		if (load_machines[i].number == number) {
			return &load_machines[i];
		}
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * Flat binaries go where QEMU's `virt` machine puts a raw `-kernel`: behind the 2 MiB that firmware
 * has there.
 */
#include <load/load.h>

static const struct load_format formats[] = {
	{HV_LOAD_LINUX_RV64, load_linux_rv64_is, load_linux_rv64_plan},
	{HV_LOAD_ELF64, load_elf_is, load_elf_plan},
};

const struct load_machine hv_load_riscv64 = {
	.number = HV_MACHINE_RISCV,
	.format = formats,
	.format_count = HV_ARRAY_COUNT(formats),
	.foreign_elf = "not for RISC-V",
	.flat_offset = HV_MIB(2),
	.insn_align = 2,      /* the extension C */
	.dtb_end = HV_GIB(3), /* no guest for QEMU has seen it higher */
	.place = load_tree_place,
};

/* SPDX-License-Identifier: MIT */
#include <load/pc.h>

static const struct load_format formats[] = {
	{HV_LOAD_BZIMAGE, load_bzimage_is, load_bzimage_plan},
	{HV_LOAD_MULTIBOOT, load_multiboot_is, load_multiboot_plan},
	{HV_LOAD_PVH, load_pvh_is, load_pvh_plan},
	{HV_LOAD_ELF64, load_elf_is, load_elf_plan},
};

const struct load_machine hv_load_x86_64 = {
	.number = HV_MACHINE_X86_64,
	.format = formats,
	.format_count = HV_ARRAY_COUNT(formats),
	.foreign_elf = "not for x86-64",
	.flat_offset = HV_MIB(2), /* a large page of its own, above what firmware uses */
	.insn_align = 1,
	.dtb_end = UINT64_MAX,
	.is_pc = true,
	.place = load_pc_place,
	.block_size = LOAD_PC_BLOCK_SIZE,
	.write = load_pc_write,
};

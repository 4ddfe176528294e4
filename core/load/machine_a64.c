/* SPDX-License-Identifier: MIT */
/* Flat binaries go where QEMU's `virt` machine puts a raw `-kernel`: that is where they are linked.
 */
#include <load/load.h>

static const struct load_format formats[] = {
	{HV_LOAD_LINUX_A64, load_linux_a64_is, load_linux_a64_plan},
	{HV_LOAD_ELF64, load_elf_is, load_elf_plan},
};

const struct load_machine hv_load_aarch64 = {
	.number = HV_MACHINE_AARCH64,
	.format = formats,
	.format_count = HV_ARRAY_COUNT(formats),
	.foreign_elf = "not for AArch64",
	.flat_offset = HV_KIB(512),
	.insn_align = 4,
	.has_low_dtb = true,
	.dtb_end = UINT64_MAX,
	.place = load_tree_place,
};

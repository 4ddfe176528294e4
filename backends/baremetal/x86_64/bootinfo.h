/* SPDX-License-Identifier: MIT */
/* What the boot loader says: memory, the bundle, and perhaps where ACPI's tables begin. */
#ifndef BOOTINFO_H
#define BOOTINFO_H

#include <common/ranges.h>
#include <hv/load.h>

/* All that a loader of 32-bit code hands over lies below; our boot tables map no more. */
#define BOOTINFO_TOP HV_GIB(4)

struct bootinfo {
	struct ranges ram;   /* as the memory map has it */
	struct range bundle; /* the first module; size 0: none */
	uint64_t rsdp;       /* 0: not said */
};

/* PVH's struct hvm_start_info at `at`, or multiboot's information. HV_ERR_INVALID with *error. */
HV_WARN_UNUSED enum hv_status bootinfo_pvh(
	struct bootinfo *info, uint64_t at, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status bootinfo_multiboot(
	struct bootinfo *info, uint64_t at, struct hv_load_error *error);

#endif

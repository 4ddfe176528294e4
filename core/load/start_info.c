/* SPDX-License-Identifier: MIT */
/*
 * hvm_start_info: what a kernel with a PVH entry is told, and so is one of a kind that has no
 * protocol of its own. Xen, xen/include/public/arch-x86/hvm/start_info.h, version 1.
 */
#include <load/pc.h>

#define SI_MAGIC   0x336ec578u
#define SI_VERSION 1u
/* In hvm_start_info. */
#define SI_MODULE_COUNT 12u
#define SI_MODULES      16u
#define SI_CMDLINE      24u
#define SI_RSDP         32u
#define SI_MAP          40u
#define SI_MAP_COUNT    48u
/* Behind it, in the same page. */
#define SI_MODULE_AT  0x40u
#define SI_MAP_AT     0x80u
#define SI_RANGE_SIZE 24u

static void si_put_map(const struct hv_gmem *gmem, uint64_t info, uint64_t ram_size)
{
	struct load_pc_range map[LOAD_PC_RANGES];
	unsigned count = load_pc_map(ram_size, map);

	load_put(gmem, info + SI_MAP, 8, info + SI_MAP_AT);
	load_put(gmem, info + SI_MAP_COUNT, 4, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t to = info + SI_MAP_AT + i * SI_RANGE_SIZE;

		load_put(gmem, to, 8, map[i].base);
		load_put(gmem, to + 8, 8, map[i].size);
		load_put(gmem, to + 16, 4, map[i].type);
	}
}

void load_start_info_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	uint64_t info = plan->info.v;

	load_put(gmem, info, 4, SI_MAGIC);
	load_put(gmem, info + 4, 4, SI_VERSION);
	load_put(gmem, info + SI_CMDLINE, 8, plan->cmdline.v);
	load_put(gmem, info + SI_RSDP, 8, HV_PC_ACPI);
	if (guest->initrd.size != 0) {
		load_put(gmem, info + SI_MODULE_COUNT, 4, 1);
		load_put(gmem, info + SI_MODULES, 8, info + SI_MODULE_AT);
		load_put(gmem, info + SI_MODULE_AT, 8, plan->initrd.v);
		load_put(gmem, info + SI_MODULE_AT + 8, 8, guest->initrd.size);
	}
	si_put_map(gmem, info, guest->ram_size);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a bzImage is told: its own setup header, with our answers in it, in a page that is zero
 * otherwise. Linux, Documentation/arch/x86/boot.rst (protocol 2.15) and zero-page.rst.
 */
#include <load/pc.h>

/* From BP_HEADER on, offsets in the file are the same. */
#define BP_ACPI_RSDP     0x070u
#define BP_E820_ENTRIES  0x1e8u
#define BP_HEADER        0x1f1u
#define BP_JUMP          0x201u
#define BP_LOADER        0x210u
#define BP_CODE32_START  0x214u
#define BP_RAMDISK_IMAGE 0x218u
#define BP_RAMDISK_SIZE  0x21cu
#define BP_CMD_LINE_PTR  0x228u
#define BP_SETUP_DATA    0x250u
#define BP_HEADER_END    0x290u /* where another field begins */
#define BP_E820_TABLE    0x2d0u
#define BP_E820_SIZE     20u
#define BP_LOADER_OTHER  0xffu

/* The header as the file has it: its length is the jump's over it. */
static void bp_put_header(const struct hv_gmem *gmem, uint64_t params, const uint8_t *file)
{
	uint64_t end = LOAD_BZIMAGE_MAGIC + file[BP_JUMP];

	end = end < BP_HEADER_END ? end : BP_HEADER_END;
	load_put_bytes(gmem, params + BP_HEADER, file + BP_HEADER, end - BP_HEADER);
}

static void bp_put_e820(const struct hv_gmem *gmem, uint64_t params, uint64_t ram_size)
{
	struct load_pc_range map[LOAD_PC_RANGES];
	unsigned count = load_pc_map(ram_size, map);

	load_put(gmem, params + BP_E820_ENTRIES, 1, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t to = params + BP_E820_TABLE + i * BP_E820_SIZE;

		load_put(gmem, to, 8, map[i].base);
		load_put(gmem, to + 8, 8, map[i].size);
		load_put(gmem, to + 16, 4, map[i].type);
	}
}

void load_boot_params_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	uint64_t params = plan->info.v;

	bp_put_header(gmem, params, guest->kernel.data);
	load_put(gmem, params + BP_ACPI_RSDP, 8, HV_PC_ACPI);
	load_put(gmem, params + BP_LOADER, 1, BP_LOADER_OTHER);
	load_put(gmem, params + BP_CODE32_START, 4, plan->kernel.v);
	load_put(gmem, params + BP_RAMDISK_IMAGE, 4, plan->initrd.v);
	load_put(gmem, params + BP_RAMDISK_SIZE, 4, guest->initrd.size);
	load_put(gmem, params + BP_CMD_LINE_PTR, 4, plan->cmdline.v);
	load_put(gmem, params + BP_SETUP_DATA, 8, 0); /* a list that nobody vouches for */
	bp_put_e820(gmem, params, guest->ram_size);
}

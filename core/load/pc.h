/* SPDX-License-Identifier: MIT */
/*
 * What a kernel for x86 finds when it starts: one block of low memory with its boot information,
 * command line and GDT, and page tables where it is entered in long mode.
 */
#ifndef LOAD_PC_H
#define LOAD_PC_H

#include <hv/gmem.h>
#include <load/load.h>

/* What boot information says of memory; types are those of e820, which all protocols share. */
#define LOAD_PC_RANGES   5u
#define LOAD_PC_RAM      1u
#define LOAD_PC_RESERVED 2u
struct load_pc_range {
	uint64_t base, size;
	uint32_t type;
};
/* Returns how many there are. */
unsigned load_pc_map(uint64_t ram_size, struct load_pc_range map[LOAD_PC_RANGES]);

/* Of the kernel's RAM: what the loader may use is below 4 GiB and in one piece. */
uint64_t load_pc_low_ram(uint64_t ram_size);

/* What a bzImage, known to be sound, wants of the rest. */
struct load_bzimage_wants {
	bool long_mode;
	uint64_t initrd_end, cmdline_max;
};
struct load_bzimage_wants load_bzimage_wants(struct hv_blob kernel);

/* The initrd, then the block where no segment is. */
HV_WARN_UNUSED enum hv_status load_pc_place(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
#define LOAD_PC_BLOCK_SIZE HV_KIB(32)

/* Fills the block, which is zeroed guest memory. */
void load_pc_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem);

/* Each writes its protocol's information to plan->info: at most a page. */
void load_boot_params_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem);
void load_start_info_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem);
void load_multiboot_info_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem);

/* Little-endian values and bytes into guest memory that is known to be there. */
void load_put(const struct hv_gmem *gmem, uint64_t to, unsigned size, uint64_t value);
void load_put_bytes(const struct hv_gmem *gmem, uint64_t to, const void *bytes, uint64_t size);

#endif

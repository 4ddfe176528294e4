/* SPDX-License-Identifier: MIT */
/*
 * Fills the block of low memory that a kernel for x86 is started with. Descriptors and page tables:
 * AMD64 Architecture Programmer's Manual, volume 2, 4.8 and 5.3.
 */
#include <hv/check.h>
#include <load/pc.h>

#define PC_PTE_TABLE 0x7u  /* present, writable, user */
#define PC_PTE_LEAF  0x87u /* the same, a large page */
#define PC_LEVEL_2   4u    /* tables, of 1 GiB each */
#define PC_ENTRIES   512u

#define PC_CODE32 0x00cf9b000000ffffu /* base 0, limit 4 GiB, accessed */
#define PC_CODE64 0x00af9b000000ffffu
#define PC_DATA   0x00cf93000000ffffu

void load_put_bytes(const struct hv_gmem *gmem, uint64_t to, const void *bytes, uint64_t size)
{
	enum hv_status status = hv_gmem_copy_out(gmem, GPA(to), bytes, size);

	HV_CHECK(status == HV_OK);
	(void)status;
}

void load_put(const struct hv_gmem *gmem, uint64_t to, unsigned size, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < size; i++) {
		bytes[i] = (uint8_t)(value >> 8 * i);
	}
	load_put_bytes(gmem, to, bytes, size);
}

/* `count` entries from `to` on; each points `step` beyond the one before. */
static void pc_put_entries(
	const struct hv_gmem *gmem, uint64_t to, unsigned count, uint64_t entry, uint64_t step)
{
	for (unsigned i = 0; i < count; i++) {
		load_put(gmem, to + i * 8u, 8, entry + i * step);
	}
}

static void pc_put_tables(const struct hv_gmem *gmem, uint64_t level_4)
{
	uint64_t level_3 = level_4 + HV_PAGE_SIZE, level_2 = level_3 + HV_PAGE_SIZE;

	pc_put_entries(gmem, level_4, 1, level_3 | PC_PTE_TABLE, 0);
	pc_put_entries(gmem, level_3, PC_LEVEL_2, level_2 | PC_PTE_TABLE, HV_PAGE_SIZE);
	pc_put_entries(gmem, level_2, PC_LEVEL_2 * PC_ENTRIES, PC_PTE_LEAF, HV_MIB(2));
}

static void pc_put_info(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	switch (plan->kind) {
	case HV_LOAD_BZIMAGE: load_boot_params_write(guest, plan, gmem); break;
	case HV_LOAD_MULTIBOOT: load_multiboot_info_write(guest, plan, gmem); break;
	default: load_start_info_write(guest, plan, gmem); break;
	}
}

void load_pc_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	bool is_long = plan->tables.v != 0;

	load_put(gmem, plan->gdt.v + 0x10, 8, is_long ? PC_CODE64 : PC_CODE32);
	load_put(gmem, plan->gdt.v + 0x18, 8, PC_DATA);
	if (is_long) {
		pc_put_tables(gmem, plan->tables.v);
	}
	load_put_bytes(gmem, plan->cmdline.v, guest->cmdline.data, guest->cmdline.size);
	pc_put_info(guest, plan, gmem);
}

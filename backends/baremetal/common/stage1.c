/* SPDX-License-Identifier: MIT */
#include "stage1.h"

#include "image.h"

#include <hv/bits.h>

#define STAGE1_PAGES 48u

static uint8_t pool_memory[STAGE1_PAGES * HV_PAGE_SIZE]
	__attribute__((aligned(HV_PAGE_SIZE), section(".noinit")));
static struct {
	struct hv_pages pool;
	struct hv_pt pt;
} stage1;

enum hv_status stage1_map(uint64_t base, uint64_t size, uint8_t prot, uint8_t type)
{
	uint64_t start = hv_align_down(base, HV_PAGE_SIZE);
	struct hv_pt_map map = {.ia = GPA(start),
		.pa = HPA(start),
		.size = hv_align_up(base + size, HV_PAGE_SIZE) - start,
		.prot = prot,
		.type = type};

	return hv_pt_map(&stage1.pt, &map);
}

/* [from, to) of the image; numbers, because a compiler may take two objects to be never adjacent.
 */
static enum hv_status map_part(uintptr_t from, uintptr_t to, uint8_t prot)
{
	return from == to ? HV_OK : stage1_map(from, to - from, prot, HV_MEM_NORMAL);
}

enum hv_status stage1_drop(const void *page)
{
	return hv_pt_unmap(&stage1.pt, GPA((uintptr_t)page), HV_PAGE_SIZE);
}

hpa_t stage1_root(void)
{
	return stage1.pt.root;
}

enum hv_status stage1_init(const struct hv_pt_fmt *fmt, uint8_t ia_bits)
{
	uintptr_t pool = (uintptr_t)pool_memory;
	enum hv_status status;

	hv_pages_init(&stage1.pool, pool_memory, HPA(pool), STAGE1_PAGES);
	status = hv_pt_init(&stage1.pt, fmt, &stage1.pool, ia_bits, ia_bits, 0);
	if (status == HV_OK) {
		status = map_part(
			(uintptr_t)image_start, (uintptr_t)text_end, HV_PROT_R | HV_PROT_X);
	}
	if (status == HV_OK) {
		status = map_part((uintptr_t)text_end, (uintptr_t)rodata_end, HV_PROT_R);
	}
	if (status == HV_OK) {
		status = map_part((uintptr_t)rodata_end, pool, HV_PROT_R | HV_PROT_W);
	}
	if (status == HV_OK) {
		status = map_part(
			pool + sizeof(pool_memory), (uintptr_t)image_end, HV_PROT_R | HV_PROT_W);
	}
	return status;
}

/* SPDX-License-Identifier: MIT */
/* Reading nested page tables: the one descent that everything else is made of, and its questions.
 */
#include "pt_place.h"

/* The one place where an address becomes an index; masked, so that none leaves its table. */
static uint64_t index_of(const struct hv_pt *pt, uint64_t ia, uint8_t level)
{
	unsigned bits = HV_PT_INDEX_BITS + (level == pt->levels - 1 ? pt->root_extra : 0u);

	return (ia / hv_pt_span(level)) & (HV_BIT(bits) - 1);
}

struct pt_place pt_find(const struct hv_pt *pt, uint64_t ia, uint8_t stop)
{
	_Atomic uint64_t *table = hv_pages_ptr(pt->pages, pt->root);
	struct pt_place at = {.level = pt->levels};

	do {
		at.level--;
		at.slot = &table[index_of(pt, ia, at.level)];
		at.pte = pt->fmt->decode(pt_slot_read(at.slot), at.level);
		if (at.pte.kind != HV_PTE_TABLE) {
			return at;
		}
		table = hv_pages_ptr(pt->pages, HPA(at.pte.pa));
		if (!table) {
			at.pte.kind = HV_PTE_BAD;
			return at;
		}
	} while (at.level > stop);
	return at;
}

enum hv_status hv_pt_lookup(const struct hv_pt *pt, gpa_t ia, struct hv_pte *pte, uint8_t *level)
{
	struct pt_place at;

	if (ia.v >= pt_limit(pt)) {
		return HV_ERR_NOT_FOUND;
	}
	at = pt_find(pt, ia.v, 0);
	if (at.pte.kind != HV_PTE_LEAF) {
		return HV_ERR_NOT_FOUND;
	}
	at.pte.pa += ia.v - pt_base(ia.v, at.level);
	*pte = at.pte;
	*level = at.level;
	return HV_OK;
}

int hv_pt_walk(const struct hv_pt *pt, gpa_t from, uint64_t size,
	int (*visit)(void *arg, uint64_t ia, uint8_t level, struct hv_pte pte), void *arg)
{
	struct pt_place at;
	uint64_t end;

	if (!hv_add_ok(from.v, size, &end) || end > pt_limit(pt)) {
		end = pt_limit(pt);
	}
	for (uint64_t ia = from.v; ia < end; ia = pt_next(ia, at.level)) {
		at = pt_find(pt, ia, 0);
		if (at.pte.kind == HV_PTE_LEAF) {
			int result = visit(arg, pt_base(ia, at.level), at.level, at.pte);

			if (result != 0) {
				return result;
			}
		}
	}
	return 0;
}

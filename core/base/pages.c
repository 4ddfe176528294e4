/* SPDX-License-Identifier: MIT */
/*
 * The page pool. A free page holds its own node of a doubly linked list, so the pool needs no
 * memory beside its pages, any page can leave the list in one step, and a page that is given twice
 * is noticed: it is free when its node is signed and its neighbour in the list points back at it.
 */
#include <hv/arena.h>
#include <hv/bits.h>
#include <hv/check.h>

struct node {
	uint64_t sign;
	uint32_t next, prev; /* page numbers; page_count = none */
};

/* Bit 0 is clear, so what is left in a freed table is no descriptor of any format. */
#define SIGN 0x5052454556494e44u

static struct node *node_at(const struct hv_pages *pool, uint32_t page)
{
	return (void *)(pool->base + page * HV_PAGE_SIZE);
}

static bool is_free(const struct hv_pages *pool, uint32_t page)
{
	const struct node *node = node_at(pool, page);

	if (node->sign != SIGN || node->prev > pool->page_count) {
		return false;
	}
	return node->prev == pool->page_count ? pool->free_head == page
					      : node_at(pool, node->prev)->next == page;
}

static void list_add(struct hv_pages *pool, uint32_t page)
{
	struct node *node = node_at(pool, page);

	*node = (struct node){.sign = SIGN, .next = pool->free_head, .prev = pool->page_count};
	if (node->next != pool->page_count) {
		node_at(pool, node->next)->prev = page;
	}
	pool->free_head = page;
	pool->free_count++;
}

static void list_remove(struct hv_pages *pool, uint32_t page)
{
	struct node *node = node_at(pool, page);

	if (node->prev != pool->page_count) {
		node_at(pool, node->prev)->next = node->next;
	} else {
		pool->free_head = node->next;
	}
	if (node->next != pool->page_count) {
		node_at(pool, node->next)->prev = node->prev;
	}
	pool->free_count--;
}

void hv_pages_init(struct hv_pages *pool, void *base, hpa_t hpa, uint32_t page_count)
{
	HV_CHECK(hv_is_aligned((uintptr_t)base | hpa.v, HV_PAGE_SIZE));
	*pool = (struct hv_pages){
		.lock = HV_LOCK_INIT(HV_LOCK_POOL),
		.base = base,
		.hpa = hpa,
		.page_count = page_count,
		.free_head = page_count,
	};
	for (uint32_t page = page_count; page > 0; page--) {
		list_add(pool, page - 1);
	}
}

static bool run_is_free(const struct hv_pages *pool, uint32_t first, uint32_t count)
{
	for (uint32_t page = first; page < first + count; page++) {
		if (!is_free(pool, page)) {
			return false;
		}
	}
	return true;
}

/* The first of `count` free pages whose address is aligned to their size; page_count: none. */
static uint32_t run_find(const struct hv_pages *pool, uint32_t count)
{
	uint64_t size = count * HV_PAGE_SIZE;
	uint64_t first = (hv_align_up(pool->hpa.v, size) - pool->hpa.v) >> HV_PAGE_SHIFT;

	for (; first + count <= pool->page_count; first += count) {
		if (run_is_free(pool, (uint32_t)first, count)) {
			return (uint32_t)first;
		}
	}
	return pool->page_count;
}

static uint32_t run_take(struct hv_pages *pool, uint32_t count)
{
	uint32_t first = count == 1 ? pool->free_head : run_find(pool, count);

	if (first == pool->page_count) {
		return first;
	}
	for (uint32_t page = first; page < first + count; page++) {
		list_remove(pool, page);
	}
	return first;
}

enum hv_status hv_pages_take(struct hv_pages *pool, uint32_t count, hpa_t *first)
{
	uint32_t page;

	HV_CHECK(count != 0 && (count & (count - 1)) == 0);
	port_lock(&pool->lock);
	page = run_take(pool, count);
	port_unlock(&pool->lock);
	if (page == pool->page_count) {
		return HV_ERR_NO_MEMORY;
	}
	__builtin_memset(node_at(pool, page), 0, count * HV_PAGE_SIZE);
	*first = HPA(pool->hpa.v + page * HV_PAGE_SIZE);
	return HV_OK;
}

void hv_pages_give(struct hv_pages *pool, uint32_t count, hpa_t first)
{
	uint32_t page = (uint32_t)((first.v - pool->hpa.v) >> HV_PAGE_SHIFT);

	HV_CHECK(hv_is_aligned(first.v, HV_PAGE_SIZE));
	HV_CHECK(hv_range_inside(
		first.v, count * HV_PAGE_SIZE, pool->hpa.v, pool->page_count * HV_PAGE_SIZE));
	port_lock(&pool->lock);
	/* From the last, so that the pool hands them out again in their order. */
	for (uint32_t last = page + count; last > page; last--) {
		HV_CHECK(!is_free(pool, last - 1));
		list_add(pool, last - 1);
	}
	port_unlock(&pool->lock);
}

void *hv_pages_ptr(const struct hv_pages *pool, hpa_t page)
{
	uint64_t offset = page.v - pool->hpa.v;

	if (page.v < pool->hpa.v || offset >= pool->page_count * HV_PAGE_SIZE ||
		!hv_is_aligned(page.v, HV_PAGE_SIZE)) {
		return NULL;
	}
	return pool->base + offset;
}

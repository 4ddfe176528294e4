/* SPDX-License-Identifier: MIT */
/*
 * Finds the device behind an address and talks to it under its lock. The array is complete before
 * the VM runs, so look-ups need no lock; `last` may be stale, which only costs a search.
 */
#include <hv/bits.h>
#include <hv/bus.h>

/* Index of the first region that ends above addr; count when there is none. */
static uint16_t first_above(const struct hv_bus *bus, uint64_t addr)
{
	uint16_t low = 0, high = bus->count;

	while (low < high) {
		uint16_t mid = (uint16_t)((low + high) / 2);
		const struct hv_region *region = &bus->region[mid];

		if (region->base.v + region->size <= addr) {
			low = (uint16_t)(mid + 1);
		} else {
			high = mid;
		}
	}
	return low;
}

static bool is_valid(const struct hv_region *region)
{
	uint64_t end;

	return region->size != 0 && hv_add_ok(region->base.v, region->size, &end) && region->ops &&
	       region->ops->access && region->ops->reset;
}

enum hv_status hv_bus_add(struct hv_bus *bus, const struct hv_region *region)
{
	uint16_t at;

	if (!is_valid(region)) {
		return HV_ERR_INVALID;
	}
	at = first_above(bus, region->base.v);
	if (at < bus->count && bus->region[at].base.v < region->base.v + region->size) {
		return HV_ERR_OVERLAP;
	}
	if (bus->count == HV_BUS_REGIONS) {
		return HV_ERR_FULL;
	}
	for (uint16_t i = bus->count; i > at; i--) {
		bus->region[i] = bus->region[i - 1];
	}
	bus->region[at] = *region;
	bus->region[at].plain = region->size < 8 ? 0 : region->size - 7;
	bus->region[at].due = HV_NEVER_DUE;
	bus->region[at].quick = region->lock || region->ops->expire ? NULL : region->ops->access;
	bus->count++;
	return HV_OK;
}

static bool holds(const struct hv_region *region, uint64_t addr, uint8_t size)
{
	uint64_t off = addr - region->base.v;

	return off < region->size && size <= region->size - off;
}

static HV_COLD struct hv_region *search(struct hv_bus *bus, uint64_t addr, uint8_t size)
{
	uint16_t at = first_above(bus, addr);

	if (at == bus->count || !holds(&bus->region[at], addr, size)) {
		return NULL;
	}
	atomic_store_explicit(&bus->last, &bus->region[at], memory_order_relaxed);
	return &bus->region[at];
}

struct hv_region *hv_bus_find(struct hv_bus *bus, uint64_t addr, uint8_t size)
{
	struct hv_region *last = atomic_load_explicit(&bus->last, memory_order_relaxed);

	return last && holds(last, addr, size) ? last : search(bus, addr, size);
}

static void lock(const struct hv_region *region)
{
	if (region->lock) {
		port_lock(region->lock);
	}
}

static void unlock(const struct hv_region *region)
{
	if (region->lock) {
		port_unlock(region->lock);
	}
}

/* Fires what is due in one device, and keeps its next deadline. Its lock is held. */
static void expire(struct hv_region *region, uint64_t now)
{
	uint64_t due = region->ops->expire(region->dev, now);

	atomic_store_explicit(&region->due, due, memory_order_relaxed);
}

/* A device with deadlines is told the time, and asked for its next one after a write. */
static enum hv_answer timed_access(struct hv_region *region, struct hv_access *access)
{
	bool done;

	lock(region);
	access->now = port_now();
	done = region->ops->access(region->dev, access);
	if (done && access->write) {
		expire(region, access->now);
	}
	unlock(region);
	return !done ? HV_ANSWER_NONE : access->write ? HV_ANSWER_TIMED : HV_ANSWER_DONE;
}

static HV_COLD enum hv_answer slow_access(struct hv_region *region, struct hv_access *access)
{
	bool done;

	if (region->ops->expire) {
		return timed_access(region, access);
	}
	lock(region);
	done = region->ops->access(region->dev, access);
	unlock(region);
	return done ? HV_ANSWER_DONE : HV_ANSWER_NONE;
}

static HV_COLD enum hv_answer search_and_access(
	struct hv_bus *bus, uint64_t addr, struct hv_access *access)
{
	struct hv_region *region = search(bus, addr, access->size);

	if (!region) {
		return HV_ANSWER_NONE;
	}
	access->off = addr - region->base.v;
	return slow_access(region, access);
}

static HV_HOT enum hv_answer quick_access(
	struct hv_region *region, uint64_t addr, struct hv_access *access)
{
	access->off = addr - region->base.v;
	if (!region->quick) {
		return slow_access(region, access);
	}
	return region->quick(region->dev, access) ? HV_ANSWER_DONE : HV_ANSWER_NONE;
}

inline enum hv_answer hv_bus_access(struct hv_bus *bus, uint64_t addr, struct hv_access *access)
{
	struct hv_region *region = atomic_load_explicit(&bus->last, memory_order_relaxed);

	/* One comparison, whatever the size: the last few bytes are left to the search. */
	if (!region || addr - region->base.v >= region->plain) {
		return search_and_access(bus, addr, access);
	}
	return quick_access(region, addr, access);
}

inline enum hv_answer hv_bus_port(struct hv_bus *bus, uint64_t port, struct hv_access *access)
{
	struct hv_region *region = atomic_load_explicit(&bus->last, memory_order_relaxed);

	if (!region || !holds(region, port, access->size)) {
		return search_and_access(bus, port, access);
	}
	return quick_access(region, port, access);
}

uint64_t hv_bus_due(const struct hv_bus *bus)
{
	uint64_t earliest = HV_NEVER_DUE;

	for (uint16_t i = 0; i < bus->count; i++) {
		uint64_t due = atomic_load_explicit(&bus->region[i].due, memory_order_relaxed);

		earliest = due < earliest ? due : earliest;
	}
	return earliest;
}

uint64_t hv_bus_expire(struct hv_bus *bus, uint64_t now)
{
	for (uint16_t i = 0; i < bus->count; i++) {
		struct hv_region *region = &bus->region[i];

		if (region->ops->expire &&
			atomic_load_explicit(&region->due, memory_order_relaxed) <= now) {
			lock(region);
			expire(region, now);
			unlock(region);
		}
	}
	return hv_bus_due(bus);
}

/* Calls one of the ops that take only the device, and asks for the deadline again. */
static void tell(struct hv_region *region, void (*op)(void *dev))
{
	lock(region);
	op(region->dev);
	if (region->ops->expire) {
		expire(region, port_now());
	}
	unlock(region);
}

void hv_bus_poll(struct hv_bus *bus)
{
	for (uint16_t i = 0; i < bus->count; i++) {
		if (bus->region[i].ops->poll) {
			tell(&bus->region[i], bus->region[i].ops->poll);
		}
	}
}

void hv_bus_reset(struct hv_bus *bus)
{
	for (uint16_t i = 0; i < bus->count; i++) {
		tell(&bus->region[i], bus->region[i].ops->reset);
	}
}

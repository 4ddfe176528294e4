/* SPDX-License-Identifier: MIT */
/*
 * Decodes an address to a device: a sorted array with a one-entry memory of the last hit. A region
 * is added before its VM runs and never removed while it does, so look-ups take no lock.
 */
#ifndef HV_BUS_H
#define HV_BUS_H

#include <hv/dev.h>
#include <hv/port.h>
#include <hv/status.h>
#include <stdatomic.h>

#define HV_BUS_REGIONS 64u

struct hv_region {
	gpa_t base;
	uint64_t size;
	const struct hv_dev_ops *ops;
	struct hv_lock *lock; /* taken around every ops call; NULL: the device locks for itself */
	void *dev;
	/* kept by the bus */
	uint64_t plain; /* from an offset below this 8 bytes are inside; 0: the region is smaller */
	bool (*quick)(void *dev, struct hv_access *access); /* no lock, no deadlines: call this */
	_Atomic uint64_t due;                               /* ns; the device's next deadline */
};

struct hv_bus {
	_Atomic(struct hv_region *) last; /* the last hit: a guess, checked before use */
	uint16_t count;
	struct hv_region region[HV_BUS_REGIONS]; /* sorted by base, disjoint */
};

/* HV_ERR_INVALID (empty, wrapping, no ops), HV_ERR_OVERLAP, HV_ERR_FULL: the bus is unchanged. */
HV_WARN_UNUSED enum hv_status hv_bus_add(struct hv_bus *bus, const struct hv_region *region);
/* The region that holds all of [addr, addr+size), size 1..8, or NULL (D4: no byte beyond a window).
 */
struct hv_region *hv_bus_find(struct hv_bus *bus, uint64_t addr, uint8_t size);
enum hv_answer {
	HV_ANSWER_NONE, /* nobody answered, nothing has changed */
	HV_ANSWER_DONE,
	HV_ANSWER_TIMED, /* done, and hv_bus_due() may have changed */
};
/*
 * Does the access at `addr`: fills in off, and now for a device with an `expire`, whose deadline it
 * asks for again after a write.
 */
HV_WARN_UNUSED enum hv_answer hv_bus_access(
	struct hv_bus *bus, uint64_t addr, struct hv_access *access);
/* The same where most regions are of less than 8 bytes: ports. */
HV_WARN_UNUSED enum hv_answer hv_bus_port(
	struct hv_bus *bus, uint64_t port, struct hv_access *access);
/* Fires every device whose deadline is due; returns the earliest deadline left. */
uint64_t hv_bus_expire(struct hv_bus *bus, uint64_t now);
/* The earliest deadline of all; HV_NEVER_DUE when there is none. */
uint64_t hv_bus_due(const struct hv_bus *bus);
/* The other end of some channel moved: lets every device that has a `poll` look. */
void hv_bus_poll(struct hv_bus *bus);
/* Every device to its power-on state. */
void hv_bus_reset(struct hv_bus *bus);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * An emulated device as the bus sees it. A device sees offsets, pins, channels and time; never a
 * vCPU pointer, a host call or another device.
 */
#ifndef HV_DEV_H
#define HV_DEV_H

#include <hv/types.h>

#define HV_NEVER_DUE UINT64_MAX

struct hv_access {
	uint64_t off;  /* inside the region */
	uint64_t data; /* write: the value, zero above `size`; read: the device sets it, likewise */
	uint64_t now;  /* ns; valid only for devices with an `expire` */
	uint8_t size;  /* 1, 2, 4 or 8 bytes; off + size never leaves the region */
	bool write;
	uint16_t cpu; /* index of the vCPU that does the access */
};

struct hv_dev_ops {
	const char *name;
	/*
	 * One entry for reads and writes of all sizes. A device that models no such register or
	 * width answers RAZ/WI by itself; false means that the bus answers with an error (Arm:
	 * external abort) and that nothing has changed.
	 */
	bool (*access)(void *dev, struct hv_access *access);
	/* Power-on state; drives every output line low. */
	void (*reset)(void *dev);
	/* Optional. Fires what is due at `now` (ns); returns the next deadline, or HV_NEVER_DUE. */
	uint64_t (*expire)(void *dev, uint64_t now);
	/* Optional. The other end of one of its channels moved: look at it. */
	void (*poll)(void *dev);
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A parallel flash in read-array mode, which it never leaves. The board maps the backing bytes into
 * the guest read-only, so that reads and fetches cost no exit; what comes here is the rest.
 */
#ifndef PFLASH_H
#define PFLASH_H

#include <hv/dev.h>

struct pflash {
	const uint8_t *byte; /* not owned, never written */
	uint64_t size;       /* beyond it the flash is erased: all ones */
};

extern const struct hv_dev_ops pflash_ops;

void pflash_init(struct pflash *flash, const uint8_t *byte, uint64_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A parallel flash in read-array mode, which it never leaves. The bytes are memory: the board adds
 * them to the guest's memory map read-only, so that reads and fetches cost no exit but the first.
 * What comes here is the rest.
 */
#ifndef PFLASH_H
#define PFLASH_H

#include <hv/dev.h>

struct pflash {
	uint64_t size; /* of the image, a page multiple; beyond it the flash is erased: all ones */
};

extern const struct hv_dev_ops pflash_ops;

void pflash_init(struct pflash *flash, uint64_t size);

#endif

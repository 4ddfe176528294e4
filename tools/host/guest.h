/* SPDX-License-Identifier: MIT */
/* From options to a guest that is ready to be loaded: files read, addresses decided, DTB made. */
#ifndef GUEST_H
#define GUEST_H

#include "opts.h"

#include <hv/load.h>

struct guest {
	struct hv_guest hv; /* what core is given; its blobs are owned by this record */
};

/* shell: the default guest gives a shell instead of powering off. False after a message. */
bool guest_open(struct guest *guest, const struct opts *opts, bool shell);
void guest_close(struct guest *guest);

/* Says what was wrong with an input, by file, field and offset. */
void guest_say_load_error(const struct opts *opts, const struct hv_load_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* What this physical CPU can do, read once from its ID registers. */
#ifndef CAPS_H
#define CAPS_H

#include <arch/aarch64/a64.h>

void caps_read(void);
const struct a64_caps *caps_get(void);

#endif

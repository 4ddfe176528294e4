/* SPDX-License-Identifier: MIT */
/* What this machine's CPUs can do. */
#ifndef CAPS_H
#define CAPS_H

#include <arch/x86_64/x86.h>

/* NULL; else why this CPU runs no guests. Reads what the others have, too. */
const char *caps_read(uint64_t tsc_hz);
const struct x86_caps *caps_get(void);

#endif

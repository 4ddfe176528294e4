/* SPDX-License-Identifier: MIT */
/* What this machine's harts can do: by their ISA string, and by what their registers take. */
#ifndef CAPS_H
#define CAPS_H

#include "host.h"

#include <arch/riscv64/rv64.h>

/* On a hart with the H extension whose guest registers nobody uses yet; else only the string. */
void caps_read(const struct host *host);
const struct rv64_caps *caps_get(void);

#endif

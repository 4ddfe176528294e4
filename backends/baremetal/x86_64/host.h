/* SPDX-License-Identifier: MIT */
/* The machine we stand on, by its boot loader's and its firmware's word. */
#ifndef HOST_H
#define HOST_H

#include "host_acpi.h"

struct host {
	struct tree
		tree; /* tree.cpu[n] is an APIC's ID; no device tree, and no ranges of devices */
	struct host_acpi acpi;
	uint64_t trampoline; /* a page below 1 MiB; 0: none is free */
};

/* What machine_learn() read. */
const struct host *host_get(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What the host's device tree says about the machine we stand on. */
#ifndef HOST_H
#define HOST_H

#include <common/tree.h>

#define HOST_GICR_REGIONS 4u

struct host {
	struct tree tree;     /* first */
	uint32_t gic_version; /* 2 or 3 */
	struct range gicd;
	struct range gicr[HOST_GICR_REGIONS]; /* GICv3 */
	uint32_t gicr_count;
	struct range gicc;       /* GICv2 */
	struct range gich, gicv; /* the same, if guests can have them; else their sizes are 0 */
	uint32_t uart_intid, vtimer_intid, hyp_timer_intid;
	uint32_t maintenance_intid; /* 0: no list registers, so none */
	const char *psci_method;    /* NULL: no PSCI */
};

/*
 * The whole tree is checked, then what we need is looked up. `image` is where we are. On failure
 * host->uart and psci_method are filled in if they could be found, so that there is somebody to
 * tell; *error says the rest.
 */
HV_WARN_UNUSED enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error);

/* start.c: the one that we stand on, once machine_learn() has read it. */
const struct host *host_get(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What the host's device tree says about the machine we stand on. */
#ifndef HOST_H
#define HOST_H

#include <hv/fdt.h>
#include <common/ranges.h>

#define HOST_GICR_REGIONS 4u
#define HOST_CPUS         8u /* as many as we use */

struct host {
	struct ranges ram; /* free: without firmware's, ours, the tree's and the initrd's */
	struct range dtb, initrd;
	struct range uart;
	struct range rtc;     /* PL031; size 0: none */
	uint32_t gic_version; /* 2 or 3 */
	struct range gicd;
	struct range gicr[HOST_GICR_REGIONS]; /* GICv3 */
	uint32_t gicr_count;
	struct range gicc;       /* GICv2 */
	struct range gich, gicv; /* the same, if guests can have them; else their sizes are 0 */
	uint32_t uart_intid, vtimer_intid, hyp_timer_intid;
	uint32_t maintenance_intid; /* 0: no list registers, so none */
	const char *psci_method;    /* NULL: no PSCI */
	uint64_t cpu[HOST_CPUS];    /* MPIDR affinities, in the tree's order */
	uint32_t cpu_count;         /* those that have room here */
};

/*
 * The whole tree is checked, then what we need is looked up. `image` is where we are. On failure
 * host->uart and psci_method are filled in if they could be found, so that there is somebody to
 * tell; *error says the rest.
 */
HV_WARN_UNUSED enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error);

#endif

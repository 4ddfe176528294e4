/* SPDX-License-Identifier: MIT */
/* What the host's device tree says about the machine we stand on. */
#ifndef HOST_H
#define HOST_H

#include <common/tree.h>

#define HOST_EXT_S 9u /* a hart's interrupt line for HS-mode, as its node numbers them */

struct host {
	struct tree tree; /* first; tree.cpu[n] is a hart's number */
	struct range plic;
	uint32_t uart_irq;
	uint32_t timebase;         /* Hz */
	uint64_t exts;             /* enum rv64_ext: what all of tree.cpu have */
	uint32_t intc[TREE_CPUS];  /* phandle of each one's interrupt controller */
	struct hv_blob plic_lines; /* the PLIC's "interrupts-extended" */
};

/*
 * The whole tree is checked, then what we need is looked up. `image` is where we are. On failure
 * host->tree.uart is filled in if it could be found, so that there is somebody to tell; *error says
 * the rest.
 */
HV_WARN_UNUSED enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error);
/* The PLIC's context of tree.cpu[index] in HS-mode. HV_ERR_NOT_FOUND. */
HV_WARN_UNUSED enum hv_status host_plic_context(
	const struct host *host, uint32_t index, uint32_t *context);
/* What machine_learn() read. */
const struct host *host_get(void);

#endif

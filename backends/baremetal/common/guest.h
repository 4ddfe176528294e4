/* SPDX-License-Identifier: MIT */
/* From the bundle to a VM that is ready to start, in two steps around the switch of stage1. */
#ifndef GUEST_H
#define GUEST_H

#include "tree.h"

#include <board/board.h>
#include <hv/bundle.h>

struct guest {
	struct hv_bundle bundle;
	struct hv_guest what;
	struct hv_load_plan plan;
	struct board_cfg cfg;
	struct board *board;
	struct hv_arena arena;
	struct hv_pages pages;
	struct range flash; /* the guest's copy */
};

/*
 * Reads and checks the bundle, and takes from tree->ram, and maps in stage1, all memory that the VM
 * will need. Writes none of it. HV_ERR_INVALID with *error, HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status guest_plan(
	struct guest *guest, struct tree *tree, struct hv_load_error *error);
/* Creates the VM and copies its images. error->input is NULL when it is no image's fault. */
HV_WARN_UNUSED enum hv_status guest_create(struct guest *guest, struct hv_load_error *error);

/* Exit counters and times, as "stat" records. */
void guest_stats(const struct guest *guest);

#endif

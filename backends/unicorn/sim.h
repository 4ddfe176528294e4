/* SPDX-License-Identifier: MIT */
/* The door of the sim: runs one VM on Unicorn's emulated CPU in its virtualization mode. */
#ifndef SIM_H
#define SIM_H

#include <hv/load.h>
#include <hv/vm.h>
#include <stdio.h>

#define SIM_IN_EOF (-1)
#define SIM_IN_END (-2)

struct sim_cfg {
	const struct hv_guest *guest;
	bool deterministic; /* time is the count of executed blocks; the same bytes twice */
	double timeout_s;   /* wall-clock seconds; 0: none */
	int in_fd;          /* polled for the guest's console input; -1: none */
	/*
	 * Called when in_fd is readable: puts up to `room` bytes for the guest into `bytes` and
	 * returns their number, which may be 0, or SIM_IN_EOF: poll no more, or SIM_IN_END: end the
	 * run.
	 */
	int (*in)(void *ctx, uint8_t *bytes, size_t room);
	/* Guest console output. False: enough seen, end the run (SIM_ENDED_BY_CALLER). */
	bool (*out)(void *ctx, const uint8_t *bytes, size_t count);
	void *ctx;
};

enum sim_end {
	SIM_OFF,
	SIM_REBOOT,
	SIM_CRASH,
	SIM_TIMEOUT,
	SIM_ENDED_BY_CALLER,
	SIM_NOT_STARTED, /* `error` says why: image, memory, Unicorn's version or calibration */
};

struct sim_report {
	enum sim_end end;
	struct hv_vcpu_stats stats; /* summed over the vCPUs */
	uint64_t blocks;            /* executed translation blocks, where counted; else 0 */
	double wall_s, guest_s, hypervisor_s, idle_s; /* of wall_s: in the guest, in us, waiting */
	struct hv_load_error
		load_error; /* with SIM_NOT_STARTED; input NULL when it was no image's fault */
	char error[256];    /* with SIM_NOT_STARTED and SIM_CRASH: why */
	char dump[4096];    /* with SIM_CRASH: registers, as text of several lines */
};

void sim_run(const struct sim_cfg *cfg, struct sim_report *report);

#endif

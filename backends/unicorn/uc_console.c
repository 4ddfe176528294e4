/* SPDX-License-Identifier: MIT */
/* Between the guest's serial channel and the caller of sim_run(). */
#include "uc_sim.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define CHUNK    256u
#define NS_PER_S 1000000000u

static void end_by_caller(struct sim *sim)
{
	sim->report->end = SIM_ENDED_BY_CALLER;
	sim->over = true;
}

void sim_console_drain(struct sim *sim)
{
	struct hv_ring *ring = &sim->board->console.to_host;
	uint8_t bytes[CHUNK];
	size_t count;

	if (hv_ring_count(ring) == 0) {
		return;
	}
	do {
		for (count = 0; count < CHUNK && hv_ring_get(ring, &bytes[count]); count++) {
		}
		if (count && !sim->over && !sim->cfg->out(sim->cfg->ctx, bytes, count)) {
			end_by_caller(sim);
		}
	} while (count == CHUNK);
	hv_vm_poll(sim->board->vm);
}

static size_t room(const struct sim *sim)
{
	return HV_RING_SIZE - hv_ring_count(&sim->board->console.to_guest);
}

static void take_input(struct sim *sim)
{
	uint8_t bytes[CHUNK];
	size_t most = room(sim) < CHUNK ? room(sim) : CHUNK;
	int count = sim->cfg->in(sim->cfg->ctx, bytes, most);

	if (count == SIM_IN_END) {
		end_by_caller(sim);
	} else if (count == SIM_IN_EOF) {
		sim->input_open = false;
	}
	for (int i = 0; i < count && hv_ring_put(&sim->board->console.to_guest, bytes[i]); i++) {
	}
	if (count > 0) {
		hv_vm_poll(sim->board->vm);
	}
}

/* Waits at most that long; a caller without input just sleeps. */
static void wait_input(struct sim *sim, const struct timespec *timeout)
{
	bool wanted = sim->input_open && room(sim) > 0;
	struct pollfd in = {.fd = wanted ? sim->cfg->in_fd : -1, .events = POLLIN};

	if (ppoll(&in, 1, timeout, NULL) > 0 && wanted) {
		take_input(sim);
	}
}

void sim_console_poll(struct sim *sim)
{
	if (sim->input_open) {
		wait_input(sim, &(struct timespec){0});
	}
}

void sim_console_wait(struct sim *sim, uint64_t ns)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

	wait_input(sim, ns == UINT64_MAX ? NULL : &timeout);
}

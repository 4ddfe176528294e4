/* SPDX-License-Identifier: MIT */
/* `tools/drydock run`: one guest, on the sim or under the bare-metal hypervisor in QEMU or
 * Bochs. */
#include "bochs.h"
#include "console.h"
#include "guest.h"
#include "host.h"
#include "opts.h"
#include "qemu.h"
#include "report.h"

#include <sim.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A signal that ends us must not leave the terminal raw. */
static struct console *volatile console_to_restore;

static void on_signal(int number)
{
	if (console_to_restore && console_to_restore->is_raw) {
		tcsetattr(STDIN_FILENO, TCSANOW, &console_to_restore->saved);
	}
	signal(number, SIG_DFL);
	raise(number);
}

static bool sim_out(void *ctx, const uint8_t *bytes, size_t count)
{
	return console_put(ctx, bytes, count);
}

static int sim_in(void *ctx, uint8_t *bytes, size_t room)
{
	int got = console_get(ctx, bytes, room);

	return got == CONSOLE_EOF ? SIM_IN_EOF : got == CONSOLE_QUIT ? SIM_IN_END : got;
}

static const enum report_end sim_ends[] = {
	[SIM_OFF] = REPORT_OFF,
	[SIM_REBOOT] = REPORT_REBOOT,
	[SIM_CRASH] = REPORT_CRASH,
	[SIM_TIMEOUT] = REPORT_TIMEOUT,
	[SIM_ENDED_BY_CALLER] = REPORT_SEEN,
	[SIM_NOT_STARTED] = REPORT_NONE,
};

static void take_sim_report(struct report *report, const struct sim_report *sim)
{
	char name[32];

	report->end = sim_ends[sim->end];
	snprintf(report->reason, sizeof(report->reason), "%s", sim->error);
	report_dump_line(report, sim->dump);
	for (int kind = 0; kind < HV_EXIT_KINDS; kind++) {
		snprintf(
			name, sizeof(name), "exits.%s", hv_exit_kind_name((enum hv_exit_kind)kind));
		report_stat(report, name, (double)sim->stats.exits[kind]);
	}
	report_stat(report, "irqs", (double)sim->stats.irqs);
	report_stat(report, "blocks", (double)sim->blocks);
	report_stat(report, "time.wall", sim->wall_s);
	report_stat(report, "time.guest", sim->guest_s);
	report_stat(report, "time.hypervisor", sim->hypervisor_s);
	report_stat(report, "time.idle", sim->idle_s);
}

static void run_on_sim(const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report)
{
	struct sim_cfg cfg = {
		.guest = &guest->hv,
		.deterministic = opts->deterministic,
		.timeout_s = opts->timeout_s,
		.in_fd = STDIN_FILENO,
		.in = sim_in,
		.out = sim_out,
		.ctx = console,
	};
	static struct sim_report sim; /* large, and there is one run a process */

	sim_run(&cfg, &sim);
	take_sim_report(report, &sim);
	if (sim.end == SIM_ENDED_BY_CALLER && !console->seen && !console->broken) {
		report->end = REPORT_QUIT;
	}
}

static int run_guest(const struct guest *guest, const struct opts *opts, struct console *console)
{
	static struct report report;
	int status;

	switch (opts->backend) {
	case OPTS_SIM: run_on_sim(guest, opts, console, &report); break;
	case OPTS_QEMU: qemu_run(guest, opts, console, &report); break;
	case OPTS_BOCHS: bochs_run(guest, opts, console, &report); break;
	}
	console_close(console);
	if (console->late && !console->seen) {
		report.end = REPORT_TIMEOUT;
	}
	if (console->broken && !console->seen && report.end != REPORT_CRASH) {
		report.end = REPORT_NONE;
		snprintf(report.reason, sizeof(report.reason), "stdout: %s",
			strerror(console->why_broken));
	}
	status = report_finish(&report, opts->until != NULL);
	if (opts->stats && !report_stats(&report, opts->stats_file) && status == HOST_OK) {
		status = HOST_FAILED;
	}
	return status;
}

int cmd_run(int argc, char **argv)
{
	static struct console console;
	struct opts opts;
	struct guest guest;
	int status = HOST_FAILED;

	if (!opts_parse(&opts, OPTS_RUN, argc, argv) ||
		!guest_open(&guest, &opts, isatty(STDIN_FILENO) == 1)) {
		return HOST_USAGE;
	}
	if (console_open(&console, opts.until)) {
		console.deadline = opts.timeout_s > 0 ? host_now() + opts.timeout_s : 0;
		console_to_restore = &console;
		signal(SIGINT, on_signal);
		signal(SIGTERM, on_signal);
		signal(SIGHUP, on_signal);
		status = run_guest(&guest, &opts, &console);
		console_to_restore = NULL;
	}
	guest_close(&guest);
	return status;
}

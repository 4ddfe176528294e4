/* SPDX-License-Identifier: MIT */
#include "qemu.h"

#include "guest.h"
#include "host.h"
#include "pack.h"

#include <hv/bits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What the machine needs beyond the guest's RAM and the bundle: QEMU puts the bundle up to 128 MiB
 * into RAM, and the guest's RAM must fit above it in one piece.
 */
#define HOST_MIB 192u

#define PENDING 4096u /* typed bytes that QEMU has not taken yet */

struct child {
	pid_t pid;
	int in, out; /* we write to in, read from out; -1: closed */
	uint8_t pending[PENDING];
	size_t pending_size;
	bool stdin_open;
};

void qemu_add(struct qemu_line *line, const char *word)
{
	if (line->count < QEMU_ARGS) {
		line->argv[line->count++] = (char *)word;
		line->argv[line->count] = NULL;
	}
}

bool qemu_add_split(struct qemu_line *line, const char *text)
{
	char *to, quote = 0;
	bool in_word = false;

	line->owned = to = malloc(strlen(text) + 1);
	if (!to) {
		return false;
	}
	for (; *text; text++) {
		if (!quote && (*text == ' ' || *text == '\t' || *text == '\n')) {
			if (in_word) {
				*to++ = '\0';
			}
			in_word = false;
			continue;
		}
		if (!in_word) {
			qemu_add(line, to);
			in_word = true;
		}
		if (quote ? *text == quote : *text == '\'' || *text == '"') {
			quote = quote ? 0 : *text;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return quote == 0 && line->count < QEMU_ARGS;
}

static void exec_child(char *const *argv, const int in[2], const int out[2], pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(127);
	}
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	setpgid(0, 0); /* a Ctrl-C on our terminal is ours to handle */
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "drydock: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static bool start(struct child *child, char *const *argv)
{
	pid_t parent = getpid();
	int in[2], out[2];

	*child = (struct child){.pid = -1, .in = -1, .out = -1, .stdin_open = true};
	if (pipe2(in, O_CLOEXEC) != 0) {
		return false;
	}
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	child->pid = fork();
	if (child->pid == 0) {
		exec_child(argv, in, out, parent);
	}
	close(in[0]);
	close(out[1]);
	child->in = in[1];
	child->out = out[0];
	fcntl(child->in, F_SETFL, O_NONBLOCK);
	return child->pid > 0;
}

/* True when it ended by itself with status 0. */
static bool stop(struct child *child)
{
	int status = 0;

	close(child->in);
	close(child->out);
	if (child->pid <= 0) {
		return false;
	}
	kill(child->pid, SIGKILL); /* under icount QEMU can ignore SIGTERM */
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* False: the run is over. */
static bool take_output(struct child *child, struct console *console)
{
	uint8_t bytes[4096];
	ssize_t got = read(child->out, bytes, sizeof(bytes));

	if (got < 0 && errno == EINTR) {
		return true;
	}
	return got > 0 && console_put(console, bytes, (size_t)got);
}

static bool take_input(struct child *child, struct console *console)
{
	int got = console_get(console, child->pending + child->pending_size,
		sizeof(child->pending) - child->pending_size);

	if (got == CONSOLE_QUIT) {
		return false;
	}
	if (got == CONSOLE_EOF) {
		child->stdin_open = false;
		return true;
	}
	child->pending_size += (size_t)got;
	return true;
}

static void give_input(struct child *child)
{
	ssize_t put = write(child->in, child->pending, child->pending_size);

	if (put > 0) {
		child->pending_size -= (size_t)put;
		memmove(child->pending, child->pending + put, child->pending_size);
	} else if (put < 0 && errno != EAGAIN && errno != EINTR) {
		child->pending_size = 0;
		child->stdin_open = false;
	}
}

static int wait_ms(double deadline)
{
	double left = deadline - host_now();

	return deadline == 0 ? -1 : left <= 0 ? 0 : left > 1000 ? 1000000 : (int)(left * 1000) + 1;
}

static enum report_end loop(struct child *child, struct console *console, double deadline)
{
	for (;;) {
		bool has_room = child->pending_size < sizeof(child->pending);
		/* Firmware's own console would take, or clear away, what is meant for the guest. */
		bool may_give = child->pending_size != 0 && !console->holding;
		struct pollfd fds[3] = {
			{.fd = child->out, .events = POLLIN},
			{.fd = child->stdin_open && has_room ? STDIN_FILENO : -1, .events = POLLIN},
			{.fd = may_give ? child->in : -1, .events = POLLOUT},
		};

		if (poll(fds, 3, wait_ms(deadline)) < 0 && errno != EINTR) {
			return REPORT_NONE;
		}
		if (deadline != 0 && host_now() >= deadline) {
			return REPORT_TIMEOUT;
		}
		if (fds[0].revents && !take_output(child, console)) {
			return console->seen || console->broken ? REPORT_SEEN : REPORT_NONE;
		}
		if (fds[1].revents && !take_input(child, console)) {
			return REPORT_QUIT;
		}
		if (fds[2].revents) {
			give_input(child);
		}
	}
}

void qemu_spawn(char *const *argv, struct console *console, double timeout_s, struct report *report)
{
	double deadline = timeout_s > 0 ? host_now() + timeout_s : 0;
	enum report_end end;
	struct child child;

	if (!start(&child, argv)) {
		snprintf(report->reason, sizeof(report->reason), "cannot start %s: %s", argv[0],
			strerror(errno));
		stop(&child);
		return;
	}
	end = loop(&child, console, deadline);
	stop(&child);
	if (end != REPORT_NONE) {
		report->end = end;
	}
}

/* One record of the hypervisor's (hv/bundle.h). */
static void on_record(void *ctx, const char *text)
{
	struct report *report = ctx;
	char name[32];
	double value;

	if (strncmp(text, "log ", 4) == 0) {
		host_say("%s", text + 4);
	} else if (strncmp(text, "dump ", 5) == 0) {
		report_dump_line(report, text + 5);
	} else if (sscanf(text, "stat %31s %lf", name, &value) == 2) {
		report_stat(report, name, value);
	} else if (strcmp(text, "end off") == 0) {
		report->end = REPORT_OFF;
	} else if (strcmp(text, "end reboot") == 0) {
		report->end = REPORT_REBOOT;
	} else if (strncmp(text, "end crash ", 10) == 0) {
		report->end = REPORT_CRASH;
		snprintf(report->reason, sizeof(report->reason), "%s", text + 10);
	}
}

static bool make_token(char token[HV_BUNDLE_TOKEN + 1])
{
	uint8_t raw[HV_BUNDLE_TOKEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(raw); i++) {
		snprintf(token + 2 * i, 3, "%02x", raw[i]);
	}
	return true;
}

/* The bundle as a file that QEMU can open; it lives as long as `fd`. */
static bool bundle_file(const struct hv_blob *bundle, int *fd, char path[64])
{
	*fd = memfd_create("drydock-bundle", 0);
	if (*fd < 0) {
		return false;
	}
	for (uint64_t done = 0; done < bundle->size;) {
		ssize_t put = write(*fd, (const uint8_t *)bundle->data + done, bundle->size - done);

		if (put <= 0) {
			close(*fd);
			return false;
		}
		done += (uint64_t)put;
	}
	snprintf(path, 64, "/proc/self/fd/%d", *fd);
	return true;
}

void qemu_add_machine(
	struct qemu_line *line, const struct opts *opts, const char *machine_args, const char *cpu)
{
	static const char *const words[] = {"-display", "none", "-monitor", "none", "-serial",
		"stdio", "-nic", "none", "-no-reboot"};

	if (opts->arch->has_gic) {
		snprintf(line->machine, sizeof(line->machine), "%s,gic-version=%u", machine_args,
			(unsigned)opts->gic);
		machine_args = line->machine;
	}
	qemu_add(line, opts->arch->qemu);
	qemu_add(line, "-M");
	qemu_add(line, machine_args);
	qemu_add(line, "-cpu");
	qemu_add(line, cpu);
	for (size_t i = 0; i < HV_ARRAY_COUNT(words); i++) {
		qemu_add(line, words[i]);
	}
}

static bool hypervisor_line(struct qemu_line *line, const struct opts *opts, const char *cpus,
	const char *mem, const char *bundle)
{
	qemu_add_machine(line, opts, opts->arch->machine_args, opts->arch->cpu);
	qemu_add(line, "-smp");
	qemu_add(line, cpus);
	qemu_add(line, "-m");
	qemu_add(line, mem);
	qemu_add(line, "-kernel");
	qemu_add(line, getenv(opts->arch->image_env));
	qemu_add(line, "-initrd");
	qemu_add(line, bundle);
	if (opts->deterministic) {
		qemu_add(line, "-icount");
		qemu_add(line, "shift=0,sleep=off");
		qemu_add(line, "-rtc"); /* lest the date get in; the sim starts at the same one */
		qemu_add(line, "base=2024-01-01T00:00:00,clock=vm");
	}
	return !opts->qemu_args || qemu_add_split(line, opts->qemu_args);
}

static uint64_t host_mib(const struct opts *opts, uint64_t guest_bytes)
{
	uint64_t mib = (guest_bytes >> 20) + HOST_MIB;

	return mib > opts->arch->break_mib ? mib + opts->arch->break_mib : mib;
}

static void run_bundle(const struct hv_blob *bundle, const struct guest *guest,
	const struct opts *opts, struct console *console, struct report *report)
{
	uint64_t mib = host_mib(opts, guest->hv.ram_size + bundle->size);
	struct qemu_line line = {0};
	char path[64], mem[32], cpus[8];
	int fd;

	if (!bundle_file(bundle, &fd, path)) {
		snprintf(report->reason, sizeof(report->reason), "no memory for the bundle");
		return;
	}
	snprintf(mem, sizeof(mem), "%lluM", (unsigned long long)mib);
	snprintf(cpus, sizeof(cpus), "%u", (unsigned)opts->cpus);
	if (!getenv(opts->arch->image_env)) {
		snprintf(report->reason, sizeof(report->reason),
			"the bare-metal image is not known; start by tools/drydock");
	} else if (!hypervisor_line(&line, opts, cpus, mem, path)) {
		snprintf(report->reason, sizeof(report->reason),
			"--qemu-args: cannot be split into words");
	} else {
		qemu_spawn(line.argv, console, opts->timeout_s, report);
	}
	free(line.owned);
	close(fd);
}

void qemu_run(const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report)
{
	struct hv_blob bundle;

	if (!make_token(console->token)) {
		snprintf(report->reason, sizeof(report->reason),
			"this machine gives no random bytes");
		return;
	}
	console->holding = true;
	console->on_record = on_record;
	console->ctx = report;
	if (!pack_bundle(&guest->hv, console->token, opts->stats, &bundle)) {
		snprintf(report->reason, sizeof(report->reason), "the guest could not be packed");
		return;
	}
	run_bundle(&bundle, guest, opts, console, report);
	free((void *)bundle.data);
}

/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PENDING 4096u /* typed bytes that the child has not taken yet */

struct child {
	pid_t pid;
	int to, from; /* the wire's */
	uint8_t pending[PENDING];
	size_t pending_size;
	bool stdin_open;
};

/* ---- wires ---- */

bool wire_pipes(struct wire *wire)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0) {
		return false;
	}
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	*wire = (struct wire){.to = in[1], .from = out[0], .in = in[0], .out = out[1]};
	return true;
}

void wire_close(const struct wire *wire)
{
	const int fds[] = {wire->to, wire->from, wire->in, wire->out};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
}

/* The terminal's end of it, raw. */
static int open_terminal(int master, char name[64])
{
	struct termios raw;
	int fd;

	if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, 64) != 0) {
		return -1;
	}
	fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		(void)tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

bool wire_terminal(struct wire *wire, const char *log, char name[64])
{
	*wire = (struct wire){.to = -1, .in = -1, .out = -1, .quiet = true};
	wire->from = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (wire->from >= 0) {
		wire->to = fcntl(wire->from, F_DUPFD_CLOEXEC, 0);
		wire->in = open_terminal(wire->from, name);
		wire->out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (wire->to < 0 || wire->in < 0 || wire->out < 0) {
		wire_close(wire);
		return false;
	}
	return true;
}

/* ---- the child ---- */

static void exec_child(char *const *argv, const struct wire *wire, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(127);
	}
	dup2(wire->in, STDIN_FILENO);
	dup2(wire->out, STDOUT_FILENO);
	if (wire->quiet) {
		dup2(wire->out, STDERR_FILENO);
	}
	setpgid(0, 0); /* a Ctrl-C on our terminal is ours to handle */
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "drydock: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static bool start(struct child *child, char *const *argv, struct wire *wire)
{
	pid_t parent = getpid();

	*child = (struct child){.to = wire->to, .from = wire->from, .stdin_open = true};
	child->pid = fork();
	if (child->pid == 0) {
		exec_child(argv, wire, parent);
	}
	close(wire->in);
	close(wire->out);
	fcntl(child->to, F_SETFL, O_NONBLOCK);
	return child->pid > 0;
}

static void stop(struct child *child)
{
	int status;

	close(child->to);
	close(child->from);
	if (child->pid <= 0) {
		return;
	}
	kill(child->pid, SIGKILL); /* under icount QEMU can ignore SIGTERM */
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
	}
}

/* False: the run is over. */
static bool take_output(struct child *child, struct console *console)
{
	uint8_t bytes[4096];
	ssize_t got = read(child->from, bytes, sizeof(bytes));

	if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
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
	ssize_t put = write(child->to, child->pending, child->pending_size);

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
			{.fd = child->from, .events = POLLIN},
			{.fd = child->stdin_open && has_room ? STDIN_FILENO : -1, .events = POLLIN},
			{.fd = may_give ? child->to : -1, .events = POLLOUT},
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

void child_run(char *const *argv, struct wire *wire, struct console *console, double timeout_s,
	struct report *report)
{
	double deadline = timeout_s > 0 ? host_now() + timeout_s : 0;
	enum report_end end;
	struct child child;

	if (!start(&child, argv, wire)) {
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

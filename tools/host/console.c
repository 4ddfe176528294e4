/* SPDX-License-Identifier: MIT */
#include "console.h"

#include "host.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOR_EVER 1e6  /* seconds that nobody waits */
#define ESCAPE   0x01 /* Ctrl-A */

/* Where the search goes on after a mismatch (Knuth, Morris and Pratt). */
static bool prepare_until(struct console *console)
{
	size_t k = 0;

	console->until_size = strlen(console->until);
	console->until_next = calloc(console->until_size + 1, sizeof(size_t));
	if (!console->until_next) {
		return false;
	}
	for (size_t i = 1; i < console->until_size; i++) {
		while (k > 0 && console->until[i] != console->until[k]) {
			k = console->until_next[k - 1];
		}
		k += console->until[i] == console->until[k];
		console->until_next[i] = k;
	}
	return true;
}

static void look_out(struct console *console, char byte)
{
	size_t k = console->until_seen;

	while (k > 0 && console->until[k] != byte) {
		k = console->until_next[k - 1];
	}
	k += console->until[k] == byte;
	if (k == console->until_size) {
		console->seen = true;
		k = 0;
	}
	console->until_seen = k;
}

static void make_raw(struct console *console)
{
	struct termios raw;

	console->is_terminal = isatty(STDIN_FILENO) == 1;
	if (!console->is_terminal || tcgetattr(STDIN_FILENO, &console->saved) != 0) {
		return;
	}
	raw = console->saved;
	raw.c_iflag &= (tcflag_t) ~(ICRNL | INLCR | IXON | ISTRIP);
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
	console->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

bool console_open(struct console *console, const char *until)
{
	*console = (struct console){.until = until};
	if (until && !prepare_until(console)) {
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	make_raw(console);
	return true;
}

/* False: whoever reads stdout has not made room in time. */
static bool wait_for_room(struct console *console)
{
	struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
	double left = console->deadline - host_now();
	bool for_ever = console->deadline == 0 || left > FOR_EVER;
	int ms = for_ever ? -1 : left <= 0 ? 0 : (int)(left * 1000) + 1;

	/* An error is for write() to say, and a signal is no reason to give up. */
	console->late = poll(&room, 1, ms) == 0;
	return !console->late;
}

/* As much as can be written without waiting once poll() has said that there is room. */
static size_t portion(size_t count)
{
	return count < PIPE_BUF ? count : PIPE_BUF;
}

static void put_out(struct console *console, const char *bytes, size_t count)
{
	while (count > 0 && !console->broken && !console->silent && wait_for_room(console)) {
		ssize_t put = write(STDOUT_FILENO, bytes, portion(count));

		if (put < 0 && (errno == EINTR || errno == EAGAIN)) {
			continue;
		}
		if (put <= 0) {
			console->broken = true;
			console->why_broken = errno;
			return;
		}
		bytes += put;
		count -= (size_t)put;
	}
}

/* Keeps the last of what comes. */
static void hold(struct console *console, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (console->held_size == sizeof(console->held)) {
			console->held_size /= 2;
			memmove(console->held, console->held + console->held_size,
				console->held_size);
		}
		console->held[console->held_size++] = bytes[i];
	}
}

/* A whole record: ours when it carries the token, else the guest's bytes after all. */
static bool is_our_record(const struct console *console)
{
	return console->record_size > HV_BUNDLE_TOKEN && console->record[HV_BUNDLE_TOKEN] == ' ' &&
	       memcmp(console->record, console->token, HV_BUNDLE_TOKEN) == 0;
}

static void put(struct console *console, const char *bytes, size_t count)
{
	(console->holding ? hold : put_out)(console, bytes, count);
}

void console_close(struct console *console)
{
	if (console->holding) {
		console->holding = false;
		fwrite(console->held, 1, console->held_size, stderr);
	}
	if (console->is_raw) {
		tcsetattr(STDIN_FILENO, TCSANOW, &console->saved);
		console->is_raw = false;
	}
	free(console->until_next);
	console->until_next = NULL;
}

static void end_record(struct console *console)
{
	console->in_record = false;
	if (is_our_record(console)) {
		console->holding = false;
		console->record[console->record_size] = '\0';
		console->on_record(console->ctx, console->record + HV_BUNDLE_TOKEN + 1);
		return;
	}
	put(console, "\x1e", 1);
	put(console, console->record, console->record_size);
	put(console, "\n", 1);
}

static void feed_record(struct console *console, char byte)
{
	if (byte == '\n') {
		end_record(console);
		return;
	}
	if (byte != '\r') {
		console->record[console->record_size++] = byte;
	}
	if (console->record_size == sizeof(console->record) - 1) {
		end_record(console);
	}
}

static void feed_guest(struct console *console, const uint8_t *bytes, size_t count)
{
	if (console->until && !console->seen && !console->holding) {
		for (size_t i = 0; i < count; i++) {
			look_out(console, (char)bytes[i]);
		}
	}
	put(console, (const char *)bytes, count);
}

bool console_put(struct console *console, const uint8_t *bytes, size_t count)
{
	size_t start = 0;

	for (size_t i = 0; i < count && console->token[0]; i++) {
		if (console->in_record) {
			feed_record(console, (char)bytes[i]);
			start = i + 1;
		} else if (bytes[i] == HV_BUNDLE_RECORD) {
			feed_guest(console, bytes + start, i - start);
			console->in_record = true;
			console->record_size = 0;
			start = i + 1;
		}
	}
	if (!console->in_record) {
		feed_guest(console, bytes + start, count - start);
	}
	return (!console->seen || console->linger) && !console->broken && !console->late;
}

/* Takes the escape key and what follows it out of what was typed. */
static int filter_typed(struct console *console, uint8_t *bytes, int count)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		if (console->escaped) {
			console->escaped = false;
			if (bytes[i] == 'x') {
				return CONSOLE_QUIT;
			}
			bytes[kept++] = bytes[i];
		} else if (bytes[i] == ESCAPE) {
			console->escaped = true;
		} else {
			bytes[kept++] = bytes[i];
		}
	}
	return kept;
}

int console_get(struct console *console, uint8_t *bytes, size_t room)
{
	ssize_t got = read(STDIN_FILENO, bytes, room);

	if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
		return 0;
	}
	if (got <= 0) {
		return CONSOLE_EOF;
	}
	return console->is_terminal ? filter_typed(console, bytes, (int)got) : (int)got;
}

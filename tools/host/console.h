/* SPDX-License-Identifier: MIT */
/*
 * The operator's end of a guest's console: stdout with a look-out for --until, stdin with an escape
 * key, the terminal's raw mode; and the hypervisor's own report records, which come on the same
 * wire as the guest's output when it runs on bare metal (hv/bundle.h) and are taken out of it here.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <hv/bundle.h>
#include <termios.h>

#define CONSOLE_RECORD_MAX 1024u
#define CONSOLE_HELD_MAX   8192u

struct console {
	const char *until;             /* NULL: none */
	size_t until_size, until_seen; /* bytes of it, and how many of them just went by */
	size_t *until_next;            /* the fallback table of the search */
	bool seen;                     /* until was printed */
	bool broken;                   /* stdout does not take bytes any more */
	int why_broken;                /* an errno */
	double deadline; /* host_now() until which stdout is waited for; 0: for ever */
	bool late;       /* it has passed */
	bool silent;     /* only look out, print nothing */
	bool linger;     /* seeing it does not end the run */

	/*
	 * Until the first record all is what firmware and boot loader print, and no guest's: it is
	 * held back, and goes to stderr when there never is a record.
	 */
	bool holding;
	size_t held_size;
	char held[CONSOLE_HELD_MAX]; /* the last of it */

	char token[HV_BUNDLE_TOKEN + 1]; /* empty: no records */
	bool in_record;
	size_t record_size;
	char record[CONSOLE_RECORD_MAX];
	void (*on_record)(void *ctx, const char *text);
	void *ctx;

	bool is_terminal, is_raw, escaped;
	struct termios saved;
};

/* until may be NULL. False when there is no memory. */
bool console_open(struct console *console, const char *until);
/* Puts out what is still held back, and the terminal back. */
void console_close(struct console *console);

/* Guest output. False: the run may end (until was seen, or nobody reads stdout). */
bool console_put(struct console *console, const uint8_t *bytes, size_t count);
/* Reads stdin: the number of bytes for the guest, or CONSOLE_EOF, or CONSOLE_QUIT (Ctrl-A x). */
int console_get(struct console *console, uint8_t *bytes, size_t room);

#define CONSOLE_EOF  (-1)
#define CONSOLE_QUIT (-2)

#endif

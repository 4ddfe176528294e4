/* SPDX-License-Identifier: MIT */
/* A program that carries a guest's console: QEMU, Bochs, with the hypervisor or without. */
#ifndef CHILD_H
#define CHILD_H

#include "console.h"
#include "report.h"

/* How the console gets through: our ends, and what the child has as its stdin and stdout. */
struct wire {
	int to, from;
	int in, out;
	bool quiet; /* its stderr goes where its stdout does */
};
/* The console is its stdin and stdout. False: this machine gives no more. */
bool wire_pipes(struct wire *wire);
/* The console is a terminal, its stdin, which it may open again by `name`; it talks into `log`. */
bool wire_terminal(struct wire *wire, const char *log, char name[64]);
/* Without a child. */
void wire_close(const struct wire *wire);

/*
 * Runs argv until it ends, the console has seen enough, or timeout_s (0: none) is over; then ends
 * it, and closes the wire. Sets report->end when the console or the clock ended it; otherwise
 * leaves report as the records made it.
 */
void child_run(char *const *argv, struct wire *wire, struct console *console, double timeout_s,
	struct report *report);

#endif

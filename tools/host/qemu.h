/* SPDX-License-Identifier: MIT */
/* Runs a program whose stdin and stdout are a guest's console: QEMU, with the hypervisor or
 * without. */
#ifndef QEMU_H
#define QEMU_H

#include "console.h"
#include "opts.h"
#include "report.h"

/*
 * Runs argv until it ends, the console has seen enough, or timeout_s (0: none) is over; then ends
 * it. Sets report->end when the console or the clock ended it; otherwise leaves report as the
 * records made it.
 */
void qemu_spawn(
	char *const *argv, struct console *console, double timeout_s, struct report *report);

/* Packs the guest, boots the bare-metal hypervisor with it, and fills the report. */
struct guest;
void qemu_run(const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report);

/* argv for plain QEMU (no hypervisor), for comparison; `line` holds its words. */
#define QEMU_ARGS 64u
struct qemu_line {
	char *argv[QEMU_ARGS + 1];
	unsigned count;
	char *owned; /* the words of --qemu-args, split */
	char machine[64];
};
/* Adds one word, or the words of a text split at blanks (with '…' and "…" kept together). */
void qemu_add(struct qemu_line *line, const char *word);
bool qemu_add_split(struct qemu_line *line, const char *text);
/* The program, its machine, its CPU, and a console on stdio. */
void qemu_add_machine(
	struct qemu_line *line, const struct opts *opts, const char *machine_args, const char *cpu);

#endif

/* SPDX-License-Identifier: MIT */
/* The hypervisor in Bochs: another opinion on what a CPU with SVM does than QEMU's. */
#ifndef BOCHS_H
#define BOCHS_H

#include "console.h"
#include "opts.h"
#include "report.h"

#define BOCHS_CONFIG 2048u

/*
 * Bochs's configuration: a PC that boots `cd`, has its first serial port at the terminal `serial`,
 * and logs into `log`. False: too long.
 */
struct bochs_cfg {
	uint64_t mib;
	unsigned cpus;
	bool deterministic; /* the date is always the same */
	const char *cd, *serial, *log;
};
bool bochs_config(const struct bochs_cfg *cfg, char text[BOCHS_CONFIG]);

/* Packs the guest into a CD, boots that, and fills the report. */
struct guest;
void bochs_run(const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report);

#endif

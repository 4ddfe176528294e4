/* SPDX-License-Identifier: MIT */
/* The records by which a hypervisor on bare metal says how a run goes and ends (hv/bundle.h). */
#ifndef RECORDS_H
#define RECORDS_H

#include "console.h"
#include "report.h"

/*
 * Gives the run a token of its own (console->token, for the bundle), and from then on takes the
 * records out of the console's output, into the report. False with report->reason.
 */
bool records_take(struct report *report, struct console *console);

#endif

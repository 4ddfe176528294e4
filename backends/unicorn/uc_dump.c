/* SPDX-License-Identifier: MIT */
/* A crashed guest's state goes into the report, as text. */
#include "uc_sim.h"

#include <stdio.h>
#include <string.h>

static void add_line(void *ctx, const char *text, size_t size)
{
	struct sim_report *report = ctx;
	size_t used = strlen(report->dump);

	snprintf(report->dump + used, sizeof(report->dump) - used, "%.*s\n", (int)size, text);
}

void sim_dump(struct sim *sim)
{
	struct sim_report *report = sim->report;

	snprintf(report->error, sizeof(report->error), "%s", sim->board->vm->crash.reason);
	report->dump[0] = '\0';
	sim->arch->dump(sim->board->vm, add_line, report);
}

/* SPDX-License-Identifier: MIT */
/* How a run ended and what it counted, the same for every backend, and how people see it. */
#ifndef REPORT_H
#define REPORT_H

#include <hv/types.h>

#define REPORT_STATS 64u

enum report_end {
	REPORT_NONE, /* nobody said: the backend failed */
	REPORT_OFF,
	REPORT_REBOOT,
	REPORT_CRASH,
	REPORT_TIMEOUT,
	REPORT_SEEN, /* --until was printed, or the operator ended the run */
	REPORT_QUIT,
};

struct report {
	enum report_end end;
	char reason[256]; /* with REPORT_CRASH and REPORT_NONE */
	char dump[8192];  /* with REPORT_CRASH: registers, one text of several lines */
	size_t dump_size;
	size_t stat_count;
	struct {
		char name[32];
		double value; /* times in seconds, the rest are counts */
	} stat[REPORT_STATS];
};

void report_stat(struct report *report, const char *name, double value);
void report_dump_line(struct report *report, const char *line);

/* Prints how it ended where that is not plain, and returns the exit status. until: was it asked
 * for. */
int report_finish(const struct report *report, bool until);

/* A table on stderr, or JSON into the file. False after a message. */
bool report_stats(const struct report *report, const char *json_file);

#endif

/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_stat(struct report *report, const char *name, double value)
{
	if (report->stat_count == REPORT_STATS) {
		return;
	}
	snprintf(report->stat[report->stat_count].name, sizeof(report->stat[0].name), "%s", name);
	report->stat[report->stat_count++].value = value;
}

void report_dump_line(struct report *report, const char *line)
{
	int put = snprintf(report->dump + report->dump_size,
		sizeof(report->dump) - report->dump_size, "%s\n", line);

	if (put > 0 && (size_t)put < sizeof(report->dump) - report->dump_size) {
		report->dump_size += (size_t)put;
	}
}

int report_finish(const struct report *report, bool until)
{
	switch (report->end) {
	case REPORT_SEEN: return HOST_OK;
	case REPORT_QUIT: host_say("ended by the operator"); return HOST_OK;
	case REPORT_TIMEOUT:
		host_say("--timeout ran out; the guest was still running");
		return HOST_TIMEOUT;
	case REPORT_CRASH:
		host_say("the guest crashed: %s", report->reason);
		fputs(report->dump, stderr);
		return HOST_CRASHED;
	case REPORT_OFF:
	case REPORT_REBOOT:
		if (report->end == REPORT_REBOOT) {
			host_say("the guest asked for a reset, which ends the run");
		}
		if (until) {
			host_say("the guest ended before it printed what --until waits for");
		}
		return until ? HOST_ENDED : HOST_OK;
	case REPORT_NONE: break;
	}
	host_say(
		"%s", report->reason[0] ? report->reason : "the hypervisor ended without a report");
	return HOST_FAILED;
}

/* Counts whole, times to the microsecond. */
static void put_value(FILE *file, double value)
{
	fprintf(file, "%.*f", value == (double)(uint64_t)value ? 0 : 6, value);
}

static void print_table(const struct report *report)
{
	fprintf(stderr, "\n");
	for (size_t i = 0; i < report->stat_count; i++) {
		fprintf(stderr, "%-28s ", report->stat[i].name);
		put_value(stderr, report->stat[i].value);
		fputc('\n', stderr);
	}
}

bool report_stats(const struct report *report, const char *json_file)
{
	char *text = NULL;
	size_t size = 0;
	FILE *json;
	bool ok;

	if (!json_file) {
		print_table(report);
		return true;
	}
	json = open_memstream(&text, &size);
	if (!json) {
		host_say("no memory for the statistics");
		return false;
	}
	fputs("{\n", json);
	for (size_t i = 0; i < report->stat_count; i++) {
		fprintf(json, "  \"%s\": ", report->stat[i].name);
		put_value(json, report->stat[i].value);
		fputs(i + 1 < report->stat_count ? ",\n" : "\n", json);
	}
	fputs("}\n", json);
	ok = fclose(json) == 0 && host_write_file(json_file, text, size);
	free(text);
	return ok;
}

/* SPDX-License-Identifier: MIT */
#include "records.h"

#include "host.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* One record of the hypervisor's (hv/bundle.h). */
static void on_record(void *ctx, const char *text)
{
	struct report *report = ctx;
	char name[32];
	double value;

	if (strncmp(text, "log ", 4) == 0) {
		host_say("%s", text + 4);
	} else if (strncmp(text, "dump ", 5) == 0) {
		report_dump_line(report, text + 5);
	} else if (sscanf(text, "stat %31s %lf", name, &value) == 2) {
		report_stat(report, name, value);
	} else if (strcmp(text, "end off") == 0) {
		report->end = REPORT_OFF;
	} else if (strcmp(text, "end reboot") == 0) {
		report->end = REPORT_REBOOT;
	} else if (strncmp(text, "end crash ", 10) == 0) {
		report->end = REPORT_CRASH;
		snprintf(report->reason, sizeof(report->reason), "%s", text + 10);
	}
}

static bool make_token(char token[HV_BUNDLE_TOKEN + 1])
{
	uint8_t raw[HV_BUNDLE_TOKEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(raw); i++) {
		snprintf(token + 2 * i, 3, "%02x", raw[i]);
	}
	return true;
}

bool records_take(struct report *report, struct console *console)
{
	if (!make_token(console->token)) {
		snprintf(report->reason, sizeof(report->reason),
			"this machine gives no random bytes");
		return false;
	}
	console->holding = true;
	console->on_record = on_record;
	console->ctx = report;
	return true;
}

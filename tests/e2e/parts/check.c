/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "cpu.h"

#include <common/report.h>

static unsigned checks, wrong;

void check(const char *what, bool right)
{
	char line[96];
	struct hv_text text = HV_TEXT(line);

	checks++;
	if (right) {
		return;
	}
	wrong++;
	hv_text_str(&text, "wrong: ");
	hv_text_str(&text, what);
	hv_text_str(&text, ", last exit ");
	hv_text_hex(&text, cpu_guest_exit(), 1);
	report("log", &text);
}

bool check_summary(void)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	hv_text_dec(&text, checks);
	hv_text_str(&text, " checks, ");
	hv_text_dec(&text, wrong);
	hv_text_str(&text, " wrong");
	report("log", &text);
	return wrong == 0;
}

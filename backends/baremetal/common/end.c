/* SPDX-License-Identifier: MIT */
#include "end.h"

#include "machine.h"
#include "report.h"

_Noreturn void end_run(const char *how)
{
	report_str("end", how);
	machine_off();
}

_Noreturn void end_refuse(const struct hv_load_error *error)
{
	char line[160];
	struct hv_text text = HV_TEXT(line);

	if (error->input) {
		hv_text_str(&text, error->input);
		hv_text_str(&text, ": ");
		hv_text_str(&text, error->field);
		hv_text_str(&text, " at offset ");
		hv_text_hex(&text, error->offset, 1);
		hv_text_str(&text, " (");
		hv_text_hex(&text, error->value, 1);
		hv_text_str(&text, "): ");
	}
	hv_text_str(&text, error->why);
	report("log", &text);
	end_run("crash not started");
}

void end_unless(bool fine, const char *why)
{
	struct hv_load_error error = {.input = NULL, .why = why};

	if (!fine) {
		end_refuse(&error);
	}
}

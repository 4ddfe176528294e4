/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <hv/bundle.h>

static struct {
	const char *token;
	bool emergency;
} state;

void report_emergency(void)
{
	state.emergency = true;
}

static void put_str(const char *str)
{
	char buffer[32];
	struct hv_text text = HV_TEXT(buffer);

	hv_text_str(&text, str);
	console_write(text.at, text.used);
}

static void put_head(const char *kind)
{
	if (state.token) {
		console_write((const char[]){HV_BUNDLE_RECORD}, 1);
		put_str(state.token);
		put_str(" ");
	} else {
		put_str("drydock: ");
	}
	put_str(kind);
}

void report_token(const char *token)
{
	state.token = token[0] ? token : NULL;
	if (state.token) {
		put_head("begin");
		console_write("\n", 1);
	}
}

void report(const char *kind, const struct hv_text *text)
{
	bool locked = !state.emergency;

	if (locked) {
		console_lock();
	}
	put_head(kind);
	put_str(" ");
	console_write(text->at, text->used);
	console_write("\n", 1);
	if (locked) {
		console_unlock();
	}
}

void report_str(const char *kind, const char *str)
{
	char buffer[128];
	struct hv_text text = HV_TEXT(buffer);

	hv_text_str(&text, str);
	report(kind, &text);
}

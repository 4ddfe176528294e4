/* SPDX-License-Identifier: MIT */
/* Called when something is wrong already: takes no lock, trusts nothing but its arguments. */
#include "dump.h"

#include "image.h"
#include "report.h"

#define STACK_WORDS 512u /* how far the backtrace looks */
#define STACK_LINES 16u  /* and how many return addresses it prints */
#define REGS_A_LINE 3u

void dump_value(const char *name, uint64_t value)
{
	char line[80];
	struct hv_text text = HV_TEXT(line);

	hv_text_str(&text, name);
	hv_text_char(&text, ' ');
	hv_text_hex(&text, value, 16);
	if (image_is_code(value)) {
		hv_text_str(&text, " image+");
		hv_text_hex(&text, value - (uintptr_t)image_start, 1);
	}
	report("dump", &text);
}

static void put_reg(struct hv_text *text, unsigned n, uint64_t value)
{
	hv_text_str(text, n < 10 ? " x" : "x");
	hv_text_dec(text, n);
	hv_text_char(text, ' ');
	hv_text_hex(text, value, 16);
	hv_text_char(text, ' ');
}

void dump_regs(const uint64_t *reg, unsigned first, unsigned last)
{
	for (unsigned n = first; n <= last; n += REGS_A_LINE) {
		char line[80];
		struct hv_text text = HV_TEXT(line);

		for (unsigned i = n; i < n + REGS_A_LINE && i <= last; i++) {
			put_reg(&text, i, reg[i - first]);
		}
		report("dump", &text);
	}
}

/* Where readable stack at sp ends; sp itself when it is on neither. */
static uint64_t stack_end(const struct dump_stack stack[2], uint64_t sp)
{
	for (unsigned i = 0; i < 2; i++) {
		if (sp - (uintptr_t)stack[i].base < stack[i].size) {
			return (uintptr_t)stack[i].base + stack[i].size;
		}
	}
	return sp;
}

void dump_stack(const struct dump_stack stack[2], uint64_t sp)
{
	uint64_t end = stack_end(stack, sp);
	unsigned lines = 0;

	if (end == sp) {
		report_str("dump", "the stack pointer is on no stack of this CPU");
		return;
	}
	sp &= ~(uint64_t)7;
	for (unsigned i = 0; i < STACK_WORDS && sp < end && lines < STACK_LINES; i++, sp += 8) {
		uint64_t word = *(const uint64_t *)(uintptr_t)sp;

		if (image_is_code(word)) {
			dump_value("stack", word);
			lines++;
		}
	}
}

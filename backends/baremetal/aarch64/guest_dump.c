/* SPDX-License-Identifier: MIT */
/* A crashed guest, for people: as the sim prints it, one record per line. */
#include "guest.h"

#include <common/report.h>

#define X_PER_LINE   4u
#define EL1_PER_LINE 3u

static void put_value(struct text *text, const char *name, size_t width, uint64_t value)
{
	size_t used = text->used;

	text_str(text, name);
	while (text->used < used + width + 1 && text->used < text->size) {
		text_char(text, ' ');
	}
	text_hex(text, value, 16);
	text_str(text, "  ");
}

static void dump_reason(const struct hv_crash *crash)
{
	char line[160];
	struct text text = TEXT(line);

	text_str(&text, "vCPU ");
	text_dec(&text, crash->vcpu);
	text_str(&text, ": ");
	text_str(&text, crash->reason);
	text_str(&text, " (");
	text_hex(&text, crash->info[0], 1);
	text_str(&text, ", ");
	text_hex(&text, crash->info[1], 1);
	text_str(&text, ")");
	report("dump", &text);
}

static void dump_regs(const struct a64_regs *regs)
{
	char line[128];
	struct text text = TEXT(line);

	for (unsigned n = 0; n < 31; n++) {
		char digits[4];
		struct text name = TEXT(digits);

		text_char(&name, 'x');
		text_dec(&name, n);
		text_char(&name, '\0');
		put_value(&text, digits, 3, regs->x[n]);
		if (n % X_PER_LINE == X_PER_LINE - 1 || n == 30) {
			report("dump", &text);
			text.used = 0;
		}
	}
	put_value(&text, "pc", 3, regs->pc);
	put_value(&text, "pstate", 6, regs->pstate);
	report("dump", &text);
}

static void dump_el1(const struct a64_el1 *el1)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"sp_el0", el1->sp_el0},
		{"sp_el1", el1->sp_el1},
		{"elr", el1->elr},
		{"spsr", el1->spsr},
		{"esr", el1->esr},
		{"far", el1->far},
		{"vbar", el1->vbar},
		{"sctlr", el1->sctlr},
		{"tcr", el1->tcr},
		{"ttbr0", el1->ttbr0},
		{"ttbr1", el1->ttbr1},
		{"mair", el1->mair},
	};
	char line[128];
	struct text text = TEXT(line);

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		put_value(&text, rows[i].name, 6, rows[i].value);
		if (i % EL1_PER_LINE == EL1_PER_LINE - 1) {
			report("dump", &text);
			text.used = 0;
		}
	}
}

void guest_dump(const struct guest *guest)
{
	const struct hv_crash *crash = &guest->board->vm->crash;
	struct a64_vcpu *vcpu = guest->board->vcpu[crash->vcpu];

	dump_reason(crash);
	dump_regs(&vcpu->regs);
	dump_el1(a64_el1_get(vcpu));
}

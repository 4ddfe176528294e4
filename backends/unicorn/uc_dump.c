/* SPDX-License-Identifier: MIT */
/* A crashed guest, for people. */
#include "uc_sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *at;
	size_t room; /* the closing zero included */
};

static __attribute__((format(printf, 2, 3))) void add(struct text *text, const char *format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vsnprintf(text->at, text->room, format, args);
	va_end(args);
	if (count > 0) {
		size_t used = (size_t)count < text->room ? (size_t)count : text->room - 1;

		text->at += used;
		text->room -= used;
	}
}

static void add_regs(struct text *text, const struct a64_regs *regs)
{
	for (unsigned n = 0; n < 31; n++) {
		add(text, "x%-2u %016" PRIx64 "%s", n, regs->x[n], n % 4 == 3 ? "\n" : "  ");
	}
	add(text, "\npc  %016" PRIx64 "  pstate %08" PRIx64 "\n", regs->pc, regs->pstate);
}

static void add_el1(struct text *text, const struct a64_el1 *el1)
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

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		add(text, "%-6s %016" PRIx64 "%s", rows[i].name, rows[i].value,
			i % 3 == 2 ? "\n" : "  ");
	}
}

void sim_dump(struct sim *sim)
{
	const struct hv_crash *crash = &sim->board->vm->crash;
	struct a64_vcpu *vcpu = sim->board->vcpu[crash->vcpu];
	struct text text = {sim->report->dump, sizeof(sim->report->dump)};

	snprintf(sim->report->error, sizeof(sim->report->error), "%s", crash->reason);
	add(&text, "vCPU %u: %s (0x%" PRIx64 ", 0x%" PRIx64 ")\n", crash->vcpu, crash->reason,
		crash->info[0], crash->info[1]);
	add_regs(&text, &vcpu->regs);
	add_el1(&text, a64_el1_get(vcpu));
}

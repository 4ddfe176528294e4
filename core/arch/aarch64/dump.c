/* SPDX-License-Identifier: MIT */
/* A vCPU in words, for whoever must find out why its VM crashed. */
#include <arch/aarch64/a64.h>
#include <hv/text.h>

#define X_PER_LINE   4u
#define EL1_PER_LINE 3u
#define DIGITS       16u

struct dump {
	void (*line)(void *ctx, const char *text, size_t size);
	void *ctx;
	struct hv_text text;
};

static void end_line(struct dump *dump)
{
	dump->line(dump->ctx, dump->text.at, dump->text.used);
	dump->text.used = 0;
}

/* A name in a column of `width`, and its value. */
static void put_value(struct dump *dump, const char *name, size_t width, uint64_t value)
{
	size_t start = dump->text.used;

	if (start) {
		hv_text_str(&dump->text, "  ");
		start = dump->text.used;
	}
	hv_text_str(&dump->text, name);
	while (dump->text.used < start + width + 1) {
		hv_text_char(&dump->text, ' ');
	}
	hv_text_hex(&dump->text, value, DIGITS);
}

static void put_reason(struct dump *dump, const struct hv_crash *crash)
{
	hv_text_str(&dump->text, "vCPU ");
	hv_text_dec(&dump->text, crash->vcpu);
	hv_text_str(&dump->text, ": ");
	hv_text_str(&dump->text, crash->reason);
	hv_text_str(&dump->text, " (");
	hv_text_hex(&dump->text, crash->info[0], 1);
	hv_text_str(&dump->text, ", ");
	hv_text_hex(&dump->text, crash->info[1], 1);
	hv_text_str(&dump->text, ")");
	end_line(dump);
}

static void put_regs(struct dump *dump, const struct a64_regs *regs)
{
	for (unsigned n = 0; n < HV_ARRAY_COUNT(regs->x); n++) {
		char digits[4];
		struct hv_text name = HV_TEXT(digits);

		hv_text_char(&name, 'x');
		hv_text_dec(&name, n);
		hv_text_char(&name, '\0');
		put_value(dump, digits, 3, regs->x[n]);
		if (n % X_PER_LINE == X_PER_LINE - 1) {
			end_line(dump);
		}
	}
	end_line(dump);
	put_value(dump, "pc", 3, regs->pc);
	put_value(dump, "pstate", 6, regs->pstate);
	end_line(dump);
}

static void put_el1(struct dump *dump, const struct a64_el1 *el1)
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
		put_value(dump, rows[i].name, 6, rows[i].value);
		if (i % EL1_PER_LINE == EL1_PER_LINE - 1) {
			end_line(dump);
		}
	}
}

void a64_dump_crash(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(vm->vcpu[vm->crash.vcpu], struct a64_vcpu, hv);
	char buffer[160];
	struct dump dump = {.line = line, .ctx = ctx, .text = HV_TEXT(buffer)};

	put_reason(&dump, &vm->crash);
	put_regs(&dump, &vcpu->regs);
	put_el1(&dump, a64_el1_get(vcpu));
}

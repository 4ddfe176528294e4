/* SPDX-License-Identifier: MIT */
/* A vCPU in words, for whoever must find out why its VM crashed. */
#include "priv.h"
#include "rv64.h"

#include <hv/text.h>

#define PER_LINE 4u
#define DIGITS   16u

struct dump {
	void (*line)(void *ctx, const char *text, size_t size);
	void *ctx;
	struct hv_text text;
	unsigned in_line;
};

static void end_line(struct dump *dump)
{
	if (dump->text.used) {
		dump->line(dump->ctx, dump->text.at, dump->text.used);
	}
	dump->text.used = 0;
	dump->in_line = 0;
}

/* A name in a column of `width`, and its value. */
static void put_value(struct dump *dump, const char *name, size_t width, uint64_t value)
{
	size_t start;

	hv_text_str(&dump->text, dump->in_line ? "  " : "");
	start = dump->text.used;
	hv_text_str(&dump->text, name);
	while (dump->text.used < start + width + 1) {
		hv_text_char(&dump->text, ' ');
	}
	hv_text_hex(&dump->text, value, DIGITS);
	if (++dump->in_line == PER_LINE) {
		end_line(dump);
	}
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

/* By the names of the calling convention, as every disassembler and kernel prints them. */
static void put_regs(struct dump *dump, const struct rv64_regs *regs)
{
	static const char *const names[] = {"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0",
		"s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6",
		"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

	for (unsigned n = 1; n < HV_ARRAY_COUNT(regs->x); n++) {
		put_value(dump, names[n], 3, regs->x[n]);
	}
	put_value(dump, "pc", 3, regs->pc);
	end_line(dump);
}

static void put_vs(struct dump *dump, const struct rv64_vs *vs)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"user", vs->user},
		{"status", vs->vsstatus},
		{"cause", vs->vscause},
		{"epc", vs->vsepc},
		{"tval", vs->vstval},
		{"tvec", vs->vstvec},
		{"ie", vs->vsie},
		{"atp", vs->vsatp},
		{"scratch", vs->vsscratch},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		put_value(dump, rows[i].name, 7, rows[i].value);
	}
	end_line(dump);
}

void rv64_dump_crash(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(vm->vcpu[vm->crash.vcpu], struct rv64_vcpu, hv);
	char buffer[160];
	struct dump dump = {.line = line, .ctx = ctx, .text = HV_TEXT(buffer)};

	put_reason(&dump, &vm->crash);
	put_regs(&dump, &vcpu->regs);
	put_vs(&dump, rv64_vs_get(vcpu));
}

/* Table 8.6. */
const char *rv64_cause_name(uint64_t scause)
{
	static const char *const names[] = {
		[RV64_FETCH_MISALIGNED] = "instruction address misaligned",
		[RV64_FETCH_FAULT] = "instruction access fault",
		[RV64_ILLEGAL] = "illegal instruction",
		[RV64_BREAKPOINT] = "breakpoint",
		[RV64_LOAD_MISALIGNED] = "load address misaligned",
		[RV64_LOAD_FAULT] = "load access fault",
		[RV64_STORE_MISALIGNED] = "store/AMO address misaligned",
		[RV64_STORE_FAULT] = "store/AMO access fault",
		[RV64_ECALL_VU] = "environment call from U-mode or VU-mode",
		[RV64_ECALL_HS] = "environment call from HS-mode",
		[RV64_ECALL_VS] = "environment call from VS-mode",
		[RV64_ECALL_M] = "environment call from M-mode",
		[RV64_FETCH_PAGE] = "instruction page fault",
		[RV64_LOAD_PAGE] = "load page fault",
		[RV64_STORE_PAGE] = "store/AMO page fault",
		[RV64_FETCH_GUEST] = "instruction guest-page fault",
		[RV64_LOAD_GUEST] = "load guest-page fault",
		[RV64_VIRTUAL_INSN] = "virtual instruction",
		[RV64_STORE_GUEST] = "store/AMO guest-page fault",
	};
	const char *name = scause < HV_ARRAY_COUNT(names) ? names[scause] : NULL;

	if (scause & RV64_INTERRUPT) {
		return "an interrupt";
	}
	return name ? name : "a reserved exception";
}

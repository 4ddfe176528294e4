/* SPDX-License-Identifier: MIT */
/* A vCPU in words, for whoever must find out why its VM crashed. */
#include "priv.h"

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
	dump->line(dump->ctx, dump->text.at, dump->text.used);
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

static void put_regs(struct dump *dump, const struct x86_regs *regs)
{
	static const char *const names[X86_GPRS] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi",
		"rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

	for (unsigned n = 0; n < X86_GPRS; n++) {
		put_value(dump, names[n], 3, regs->r[n]);
	}
}

static void put_sys(struct dump *dump, const struct x86_sys *sys)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"rip", sys->rip},
		{"rflags", sys->rflags},
		{"cpl", sys->cpl},
		{"efer", sys->efer},
		{"cr0", sys->cr0},
		{"cr2", sys->cr2},
		{"cr3", sys->cr3},
		{"cr4", sys->cr4},
		{"gdt", sys->seg[X86_GDTR].base},
		{"idt", sys->seg[X86_IDTR].base},
		{"dr6", sys->dr6},
		{"dr7", sys->dr7},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		put_value(dump, rows[i].name, 6, rows[i].value);
	}
}

/* Selector, attributes, limit and base of each. */
static void put_segments(struct dump *dump, const struct x86_sys *sys)
{
	static const struct {
		const char *name;
		uint8_t id;
	} rows[] = {{"cs", X86_CS}, {"ss", X86_SS}, {"ds", X86_DS}, {"es", X86_ES}, {"fs", X86_FS},
		{"gs", X86_GS}, {"tr", X86_TR}};

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		const struct x86_seg *seg = &sys->seg[rows[i].id];

		put_value(dump, rows[i].name, 2, seg->selector);
		put_value(dump, "attrib", 6, seg->attrib);
		put_value(dump, "limit", 5, seg->limit);
		put_value(dump, "base", 4, seg->base);
	}
}

void x86_dump_crash(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	const struct x86_vcpu *vcpu =
		HV_CONTAINER_OF(vm->vcpu[vm->crash.vcpu], struct x86_vcpu, hv);
	char buffer[160];
	struct dump dump = {.line = line, .ctx = ctx, .text = HV_TEXT(buffer)};

	put_reason(&dump, &vm->crash);
	put_regs(&dump, &vcpu->regs);
	put_sys(&dump, vcpu->sys);
	put_segments(&dump, vcpu->sys);
}

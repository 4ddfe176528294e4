/* SPDX-License-Identifier: MIT */
/* Our own faults on purpose, one per boot. Each must end in a dump that says what happened. */
#include "cpu.h"
#include "selftest.h"

#include <common/image.h>
#include <common/report.h>
#include <hv/check.h>

static uint32_t data_code;

static void poke(uintptr_t at)
{
	*(volatile uint32_t *)at = 0;
}

static void peek(uintptr_t at)
{
	(void)*(volatile uint32_t *)at;
}

static void jump(uintptr_t to)
{
	((void (*)(void))to)();
}

static void write_text(const struct selftest_ram *ram)
{
	(void)ram;
	poke((uintptr_t)image_start);
}

static void write_rodata(const struct selftest_ram *ram)
{
	(void)ram;
	poke((uintptr_t)text_end);
}

static void exec_data(const struct selftest_ram *ram)
{
	(void)ram;
	data_code = cpu_ret;
	jump((uintptr_t)&data_code);
}

static void exec_stack(const struct selftest_ram *ram)
{
	volatile uint32_t code = cpu_ret;

	(void)ram;
	jump((uintptr_t)&code);
}

static void exec_ram(const struct selftest_ram *ram)
{
	*(volatile uint32_t *)(uintptr_t)ram->base = cpu_ret;
	jump((uintptr_t)ram->base);
}

static void read_null(const struct selftest_ram *ram)
{
	(void)ram;
	peek(0);
}

static void read_tables(const struct selftest_ram *ram)
{
	(void)ram;
	peek(cpu_root());
}

static void stack_overflow(const struct selftest_ram *ram)
{
	(void)ram;
	cpu_overflow_stack();
}

static void undefined(const struct selftest_ram *ram)
{
	(void)ram;
	cpu_undefined();
}

static void breakpoint(const struct selftest_ram *ram)
{
	(void)ram;
	cpu_breakpoint();
}

static void failed_check(const struct selftest_ram *ram)
{
	HV_CHECK(ram == NULL);
}

static const struct {
	const char *name;
	void (*run)(const struct selftest_ram *ram);
} fault[] = {
	{"write-text", write_text},
	{"write-rodata", write_rodata},
	{"exec-data", exec_data},
	{"exec-stack", exec_stack},
	{"exec-ram", exec_ram},
	{"read-null", read_null},
	{"read-tables", read_tables},
	{"stack-overflow", stack_overflow},
	{"undefined", undefined},
	{"brk", breakpoint},
	{"check", failed_check},
};

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool fault_run(const char *name, const struct selftest_ram *ram)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(fault); i++) {
		if (is_same(fault[i].name, name)) {
			fault[i].run(ram);
			report_str("log", "survived");
			return false;
		}
	}
	report_str("log", "no such test");
	return false;
}

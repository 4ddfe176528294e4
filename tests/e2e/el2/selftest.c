/* SPDX-License-Identifier: MIT */
/* Boots like the hypervisor does, then runs the one test that its initrd names. */
#include "selftest.h"

#include <common/report.h>
#include <el2.h>
#include <stage1.h>
#include <start.h>

#define NAME_MOST 32u
#define RAM_SIZE  HV_MIB(4)

static struct host host;

static void name_read(char name[NAME_MOST])
{
	const char *text = (const char *)host.tree.initrd.base;
	size_t used = 0;

	while (used < host.tree.initrd.size && used < NAME_MOST - 1 && text[used] > ' ') {
		name[used] = text[used];
		used++;
	}
	name[used] = '\0';
}

static bool is_named(const char *name, const char *want)
{
	while (*name && *name == *want) {
		name++;
		want++;
	}
	return *name == *want;
}

static bool dispatch(const char *name, const struct selftest_ram *ram)
{
	static const struct {
		const char *name;
		bool (*run)(const struct selftest_ram *ram);
	} part[] = {
		{"stage2", oracle_run},
		{"stage1", probe_run},
		{"entry", entry_run},
		{"tlb", tlb_run},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(part); i++) {
		if (is_named(name, part[i].name)) {
			return part[i].run(ram);
		}
	}
	return fault_run(name, ram);
}

/* The parts are tested on one CPU. */
_Noreturn void el2_secondary(void)
{
	for (;;) {
		WFI();
	}
}

_Noreturn void el2_main(uintptr_t dtb)
{
	char name[NAME_MOST];
	uint64_t base;
	struct selftest_ram ram;

	start_learn(&host, dtb);
	start_map(&host);
	start_need(
		ranges_take(&host.tree.ram, RAM_SIZE, RAM_SIZE, &base) == HV_OK &&
			stage1_map(base, RAM_SIZE, HV_PROT_R | HV_PROT_W, HV_MEM_NORMAL) == HV_OK,
		"no RAM for the test");
	start_settle(&host);
	ram = (struct selftest_ram){.base = (uint8_t *)base, .size = RAM_SIZE};
	name_read(name);
	start_end(dispatch(name, &ram) ? "off" : "crash selftest");
}

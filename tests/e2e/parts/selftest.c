/* SPDX-License-Identifier: MIT */
/* Boots like the hypervisor does, then runs the one test that its initrd names. */
#include "selftest.h"

#include <common/end.h>
#include <common/machine.h>
#include <common/main.h>
#include <common/report.h>
#include <common/stage1.h>
#include <hv/bits.h>

#define NAME_MOST 32u
#define RAM_SIZE  HV_MIB(16)

static struct tree *tree;

static void name_read(char name[NAME_MOST])
{
	const char *text = (const char *)tree->initrd.base;
	size_t used = 0;

	while (used < tree->initrd.size && used < NAME_MOST - 1 && text[used] > ' ') {
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
	static const struct selftest_part part[] = {
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
	for (size_t i = 0; cpu_parts[i].name; i++) {
		if (is_named(name, cpu_parts[i].name)) {
			return cpu_parts[i].run(ram);
		}
	}
	return fault_run(name, ram);
}

/* The parts are tested on one CPU. */
void main_secondary(void)
{
}

_Noreturn void main_boot(uintptr_t dtb)
{
	char name[NAME_MOST];
	uint64_t base;
	struct selftest_ram ram;

	tree = machine_learn(dtb);
	machine_map();
	end_unless(
		ranges_take(&tree->ram, RAM_SIZE, RAM_SIZE, &base) == HV_OK &&
			stage1_map(base, RAM_SIZE, HV_PROT_R | HV_PROT_W, HV_MEM_NORMAL) == HV_OK,
		"no RAM for the test");
	machine_settle();
	ram = (struct selftest_ram){.base = (uint8_t *)base, .size = RAM_SIZE};
	name_read(name);
	end_run(dispatch(name, &ram) ? "off" : "crash selftest");
}

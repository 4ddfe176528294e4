/* SPDX-License-Identifier: MIT */
/* What PVH's and multiboot's records say; they lie below 4 GiB, as a loader leaves them. */
#include <unit.h>

#include <hv/bits.h>
#include <sys/mman.h>
#include <x86_64/bootinfo.h>

#define AREA_AT   0x20000000u
#define AREA_SIZE 0x10000u
#define MODULES   (AREA_AT + 0x1000)
#define MAP       (AREA_AT + 0x2000)
#define RSDP      0xf5a90u

#define PVH_MAGIC 0x336ec578u

static uint8_t *area;
static struct bootinfo info;
static struct hv_load_error error;

static void put_le64(uint8_t *to, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		to[i] = (uint8_t)(value >> 8 * i);
	}
}

static void put_le32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> 8 * i);
	}
}

static int set_up(void **state)
{
	(void)state;
	area = mmap((void *)(uintptr_t)AREA_AT, AREA_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return area == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(area, AREA_SIZE);
}

static void put32(uint32_t at, uint32_t value)
{
	put_le32(area + (at - AREA_AT), value);
}

static void put64(uint32_t at, uint64_t value)
{
	put_le64(area + (at - AREA_AT), value);
}

/* ---- memory maps: entries of e820, 24 bytes each, or with their size before them ---- */

struct entry {
	uint64_t base, size;
	uint32_t type;
};

static const struct entry pc[] = {
	{0, 0x9fc00, 1},
	{0x9fc00, 0x400, 2},
	{0x100000, 0x7fe00000, 1},
	{0x7fe00000, 0x200000, 2}, /* reserved, though the one before says RAM */
	{0x100000000, 0x40000000, 1},
};

static void put_map(const struct entry *entry, size_t count, bool multiboot)
{
	uint32_t at = MAP;

	for (size_t i = 0; i < count; i++) {
		if (multiboot) {
			put32(at, 20);
			at += 4;
		}
		put64(at, entry[i].base);
		put64(at + 8, entry[i].size);
		put32(at + 16, entry[i].type);
		at += multiboot ? 20 : 24;
	}
}

static void pvh(const struct entry *entry, uint32_t count, uint64_t bundle, uint64_t bundle_size)
{
	memset(area, 0, AREA_SIZE);
	put32(AREA_AT, PVH_MAGIC);
	put32(AREA_AT + 4, 1);
	put32(AREA_AT + 12, bundle_size != 0);
	put64(AREA_AT + 16, MODULES);
	put64(AREA_AT + 32, RSDP);
	put64(AREA_AT + 40, MAP);
	put32(AREA_AT + 48, count);
	put64(MODULES, bundle);
	put64(MODULES + 8, bundle_size);
	put_map(entry, count, false);
}

static void multiboot(uint32_t flags)
{
	memset(area, 0, AREA_SIZE);
	put32(AREA_AT, flags);
	put32(AREA_AT + 20, 1);
	put32(AREA_AT + 24, MODULES);
	put32(AREA_AT + 44, 24 * HV_ARRAY_COUNT(pc));
	put32(AREA_AT + 48, MAP);
	put32(MODULES, 0x3000000);
	put32(MODULES + 4, 0x3001234);
	put_map(pc, HV_ARRAY_COUNT(pc), true);
}

static uint64_t total(void)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < info.ram.count; i++) {
		size += info.ram.range[i].size;
	}
	return size;
}

static bool has(uint64_t at)
{
	for (uint32_t i = 0; i < info.ram.count; i++) {
		if (at - info.ram.range[i].base < info.ram.range[i].size) {
			return true;
		}
	}
	return false;
}

static void check_pc(void)
{
	assert_false(has(0)); /* a pointer to it would be none */
	assert_true(has(0x1000));
	assert_true(has(0x9efff));
	assert_false(has(0x9f000)); /* whole pages only */
	assert_false(has(0xfffff));
	assert_true(has(0x100000));
	assert_true(has(0x7fdfffff));
	assert_false(has(0x7fe00000));
	assert_true(has(0x13fffffff));
	assert_false(has(0x140000000));
	assert_int_equal(total(), 0x9e000u + 0x7fd00000u + 0x40000000u);
}

static void pvh__a_pc__memory_bundle_and_root(void **state)
{
	(void)state;
	pvh(pc, HV_ARRAY_COUNT(pc), 0x3000000, 0x1234);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_OK);
	check_pc();
	assert_int_equal(info.bundle.base, 0x3000000);
	assert_int_equal(info.bundle.size, 0x1234);
	assert_int_equal(info.rsdp, RSDP);
}

static void pvh__no_module__no_bundle(void **state)
{
	(void)state;
	pvh(pc, HV_ARRAY_COUNT(pc), 0, 0);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(info.bundle.size, 0);
}

static void pvh__what_is_wrong__is_named(void **state)
{
	(void)state;
	pvh(pc, HV_ARRAY_COUNT(pc), 0x3000000, 0x1234);
	put32(AREA_AT, PVH_MAGIC + 1);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "magic");
	pvh(pc, HV_ARRAY_COUNT(pc), 0x3000000, 0x1234);
	put32(AREA_AT + 4, 0);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "version");
	pvh(pc, HV_ARRAY_COUNT(pc), BOOTINFO_TOP - 0x1233, 0x1234);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "module 0");
	pvh(pc, HV_ARRAY_COUNT(pc), 0, UINT64_MAX);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_ERR_INVALID);
	pvh(pc, HV_ARRAY_COUNT(pc), 0x3000000, 0x1234);
	put64(AREA_AT + 40, BOOTINFO_TOP);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "memory map");
	pvh(pc, HV_ARRAY_COUNT(pc), 0x3000000, 0x1234);
	put32(AREA_AT + 48, RANGES_MOST + 1);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_ERR_INVALID);
}

static void pvh__bundle_up_to_4_gib__taken(void **state)
{
	(void)state;
	pvh(pc, HV_ARRAY_COUNT(pc), BOOTINFO_TOP - 0x1234, 0x1234);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_OK);
}

static void map__odd_entries__are_no_memory(void **state)
{
	static const struct entry odd[] = {
		{0x100000, 0x100000, 1},
		{0x180000, 0x100000, 1},         /* again */
		{UINT64_MAX - 0xfff, 0x2000, 1}, /* wraps */
		{0x400000, 0, 1},                /* nothing */
		{0x500800, 0x400, 1},            /* less than a page */
		{UINT64_MAX - 0xfff, 0x2000, 2}, /* wraps */
		{0x600000, 0, 2},
	};

	(void)state;
	pvh(odd, HV_ARRAY_COUNT(odd), 0, 0);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(total(), 0x180000);
}

static void multiboot__a_pc__memory_and_bundle(void **state)
{
	(void)state;
	multiboot(1u << 3 | 1u << 6);
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_OK);
	check_pc();
	assert_int_equal(info.bundle.base, 0x3000000);
	assert_int_equal(info.bundle.size, 0x1234);
	assert_int_equal(info.rsdp, 0);
}

static void multiboot__fields_that_are_not_valid__are_not_read(void **state)
{
	(void)state;
	multiboot(1u << 6);
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(info.bundle.size, 0);
	multiboot(1u << 3);
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "flags");
	multiboot(1u << 3 | 1u << 6);
	put32(MODULES + 4, 0x2ffffff); /* it ends before it starts */
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(info.bundle.size, 0);
}

static void multiboot__map_that_lies_about_its_sizes__ends(void **state)
{
	(void)state;
	multiboot(1u << 6);
	put32(MAP + 24, 19); /* too short for an entry */
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(total(), 0x9e000);
	put32(MAP + 24, UINT32_MAX);
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(total(), 0x9e000);
}

static void map__more_ranges_than_we_take__said(void **state)
{
	struct entry many[RANGES_MOST];

	(void)state;
	for (size_t i = 0; i < RANGES_MOST; i++) {
		many[i] = (struct entry){0x100000 + i * 0x10000, 0x8000, 1};
	}
	pvh(many, RANGES_MOST, 0, 0);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_OK);
	assert_int_equal(info.ram.count, RANGES_MOST);
	many[RANGES_MOST - 1] = (struct entry){0x104000, 0x1000, 2}; /* in the middle of one */
	pvh(many, RANGES_MOST, 0, 0);
	assert_int_equal(bootinfo_pvh(&info, AREA_AT, &error), HV_OK);
	memset(area, 0, AREA_SIZE);
	put32(AREA_AT, 1u << 6);
	put32(AREA_AT + 44, 24 * (RANGES_MOST + 1));
	put32(AREA_AT + 48, MAP);
	many[RANGES_MOST - 1] = (struct entry){0x100000 + 99 * 0x10000, 0x8000, 1};
	put_map(many, RANGES_MOST, true);
	put32(MAP + 24 * RANGES_MOST, 20);
	put64(MAP + 24 * RANGES_MOST + 4, 0x40000000);
	put64(MAP + 24 * RANGES_MOST + 12, 0x8000);
	put32(MAP + 24 * RANGES_MOST + 20, 1);
	assert_int_equal(bootinfo_multiboot(&info, AREA_AT, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "memory map");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(pvh__a_pc__memory_bundle_and_root),
		hv_unit_test(pvh__no_module__no_bundle),
		hv_unit_test(pvh__what_is_wrong__is_named),
		hv_unit_test(pvh__bundle_up_to_4_gib__taken),
		hv_unit_test(map__odd_entries__are_no_memory),
		hv_unit_test(multiboot__a_pc__memory_and_bundle),
		hv_unit_test(multiboot__fields_that_are_not_valid__are_not_read),
		hv_unit_test(multiboot__map_that_lies_about_its_sizes__ends),
		hv_unit_test(map__more_ranges_than_we_take__said),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: MIT */
/* The host's ACPI tables as the bare-metal backend reads them. */
#include <unit.h>

#include <hv/bits.h>
#include <x86_64/host_acpi.h>

#define TOP UINT64_MAX

static struct {
	_Alignas(16) uint8_t rsdp[36], xsdt[128], madt[512], fadt[276], dsdt[256];
} mem;
static uint32_t madt_used, dsdt_used;
static struct host_acpi acpi;

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

static uint64_t address(const void *at)
{
	return (uint64_t)(uintptr_t)at;
}

static void sum_up(uint8_t *at, uint32_t size, uint32_t where)
{
	uint8_t sum = 0;

	at[where] = 0;
	for (uint32_t i = 0; i < size; i++) {
		sum = (uint8_t)(sum + at[i]);
	}
	at[where] = (uint8_t)-sum;
}

static void head(uint8_t *table, const char *tag, uint32_t size)
{
	memcpy(table, tag, 4);
	put_le32(table + 4, size);
	sum_up(table, size, 9);
}

static void finish(void)
{
	put_le32(mem.fadt + 40, 0);
	head(mem.madt, "APIC", madt_used);
	head(mem.fadt, "FACP", sizeof(mem.fadt));
	head(mem.dsdt, "DSDT", dsdt_used);
}

static void add(const uint8_t *bytes, uint32_t size)
{
	memcpy(mem.madt + madt_used, bytes, size);
	madt_used += size;
}

static void add_cpu(uint8_t id, uint8_t flags)
{
	add((const uint8_t[]){0, 8, 0, id, flags, 0, 0, 0}, 8);
}

static void begin(void)
{
	memset(&mem, 0, sizeof(mem));
	memcpy(mem.rsdp, "RSD PTR ", 8);
	mem.rsdp[15] = 2;
	put_le64(mem.rsdp + 24, address(mem.xsdt));
	sum_up(mem.rsdp, 20, 8);
	sum_up(mem.rsdp, 36, 32);
	put_le64(mem.xsdt + 36, 0); /* no table */
	put_le64(mem.xsdt + 44, address(mem.fadt));
	put_le64(mem.xsdt + 52, address(mem.madt));
	head(mem.xsdt, "XSDT", 60);
	put_le32(mem.madt + 36, 0xfee00000);
	madt_used = 44;
	dsdt_used = 36;
}

static bool get(void)
{
	finish();
	return host_acpi_read(&acpi, address(mem.rsdp), TOP);
}

static void madt__cpus__those_that_are_enabled(void **state)
{
	(void)state;
	begin();
	add_cpu(0, 1);
	add_cpu(4, 0);
	add_cpu(2, 1);
	add((const uint8_t[]){9, 16, 0, 0, 0x34, 0x12, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}, 16);
	assert_true(get());
	assert_int_equal(acpi.cpu_count, 3);
	assert_int_equal(acpi.cpu[0], 0);
	assert_int_equal(acpi.cpu[1], 2);
	assert_int_equal(acpi.cpu[2], 0x1234);
	assert_int_equal(acpi.lapic, 0xfee00000);
}

static void madt__more_cpus_than_we_use__the_first(void **state)
{
	(void)state;
	begin();
	for (uint8_t i = 0; i < TREE_CPUS + 2; i++) {
		add_cpu(i, 1);
	}
	assert_true(get());
	assert_int_equal(acpi.cpu_count, TREE_CPUS);
}

static void madt__routes__the_controller_of_isa_and_its_exceptions(void **state)
{
	(void)state;
	begin();
	add((const uint8_t[]){1, 12, 1, 0, 0, 0, 0xc1, 0xfe, 24, 0, 0, 0}, 12); /* from 24 on */
	add((const uint8_t[]){1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0}, 12);
	add((const uint8_t[]){2, 10, 0, 0, 2, 0, 0, 0, 0, 0}, 10);
	add((const uint8_t[]){2, 10, 0, 4, 20, 0, 0, 0, 0xf, 0}, 10);
	add((const uint8_t[]){2, 10, 0, 16, 99, 0, 0, 0, 0, 0}, 10); /* no ISA interrupt */
	add((const uint8_t[]){5, 12, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0}, 12);
	assert_true(get());
	assert_int_equal(acpi.ioapic, 0xfec00000);
	assert_int_equal(acpi.gsi[0], 2);
	assert_int_equal(acpi.gsi[1], 1);
	assert_int_equal(acpi.gsi[4], 20);
	assert_int_equal(acpi.mode[4], 0xf);
	assert_int_equal(acpi.lapic, 0x180000000);
}

static void madt__entries_that_are_too_short__nothing(void **state)
{
	(void)state;
	begin();
	for (uint8_t type = 0; type < 12; type++) {
		add((const uint8_t[]){type, 4, 0, 1}, 4);
	}
	assert_true(get());
	assert_int_equal(acpi.cpu_count, 0);
	assert_int_equal(acpi.ioapic, 0);
	begin();
	add((const uint8_t[]){0, 0}, 2); /* no length: nothing can be behind it */
	add_cpu(1, 1);
	assert_true(get());
	assert_int_equal(acpi.cpu_count, 0);
	begin();
	add((const uint8_t[]){0, 9, 0, 1, 1, 0, 0, 0}, 8); /* longer than the table */
	assert_true(get());
	assert_int_equal(acpi.cpu_count, 0);
}

static void tables__missing_or_broken__said(void **state)
{
	(void)state;
	begin();
	finish();
	mem.madt[40]++;
	assert_false(host_acpi_read(&acpi, address(mem.rsdp), TOP)); /* it does not sum up */
	begin();
	finish();
	put_le32(mem.madt + 4, 35);
	assert_false(host_acpi_read(&acpi, address(mem.rsdp), TOP));
	begin();
	put_le64(mem.rsdp + 24, 0); /* no XSDT: then there is no RSDT either */
	sum_up(mem.rsdp, 36, 32);
	assert_false(get());
	begin();
	assert_false(host_acpi_read(&acpi, address(mem.rsdp), address(mem.rsdp) + 36));
}

/* FADT's address of the DSDT has 32 bits, so where this test's DSDT is, it cannot say. */
static void fadt__fixed_registers__ports(void **state)
{
	(void)state;
	begin();
	put_le32(mem.fadt + 64, 0x604);
	put_le32(mem.fadt + 68, 0x10000); /* no port */
	put_le32(mem.fadt + 76, 0x608);
	put_le32(mem.fadt + 112, 1u << 8);
	assert_true(get());
	assert_int_equal(acpi.pm1a, 0x604);
	assert_int_equal(acpi.pm1b, 0);
	assert_int_equal(acpi.pm_timer, 0x608);
	assert_true(acpi.pm_timer_32);
	assert_false(acpi.has_s5);
}

/* The table ends right behind it. */
static bool s5(const uint8_t *aml, uint32_t size)
{
	begin();
	memcpy(mem.dsdt + dsdt_used, aml, size);
	dsdt_used += size;
	finish();
	memset(&acpi, 0, sizeof(acpi));
	host_acpi_s5(&acpi, mem.dsdt);
	return acpi.has_s5;
}

static void s5__as_compilers_write_it__both_types(void **state)
{
	static const uint8_t bytes[] = {
		0x10, 0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 7};
	static const uint8_t ones[] = {8, '_', 'S', '5', '_', 0x12, 6, 4, 1, 0};
	static const uint8_t rooted[] = {8, '\\', '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 0x0a, 3, 1};

	(void)state;
	assert_true(s5(bytes, sizeof(bytes)));
	assert_int_equal(acpi.s5a, 5);
	assert_int_equal(acpi.s5b, 7);
	assert_true(s5(ones, sizeof(ones)));
	assert_int_equal(acpi.s5a, 1);
	assert_int_equal(acpi.s5b, 0);
	assert_true(s5(rooted, sizeof(rooted)));
	assert_int_equal(acpi.s5a, 3);
	assert_int_equal(acpi.s5b, 1);
}

/* Bochs's firmware has it last. */
static void s5__cut_off_anywhere__not_taken(void **state)
{
	static const uint8_t bytes[] = {8, '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 0x0a, 5, 0x0a, 7};

	(void)state;
	assert_true(s5(bytes, sizeof(bytes)));
	for (uint32_t size = 0; size < sizeof(bytes); size++) {
		assert_false(s5(bytes, size));
	}
}

/* It is looked for eight bytes at a time, by its 5. */
static void s5__at_any_distance__found(void **state)
{
	static const uint8_t bytes[] = {8, '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 0x0a, 5, 0x0a, 7};
	static const char before[] = "_______55_5_______S5____";
	uint8_t aml[sizeof(before) + sizeof(bytes)];

	(void)state;
	for (uint32_t n = 0; n < sizeof(before); n++) {
		memcpy(aml, before, n);
		memcpy(aml + n, bytes, sizeof(bytes));
		assert_true(s5(aml, n + sizeof(bytes)));
		assert_int_equal(acpi.s5a, 5);
		assert_false(s5(aml, n + sizeof(bytes) - 1));
	}
}

static void s5__other_uses_of_the_name__not_taken(void **state)
{
	static const uint8_t call[] = {0x70, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5};
	static const uint8_t method[] = {8, '_', 'S', '5', '_', 0x14, 6, 4, 0x0a, 5};

	(void)state;
	assert_false(s5(call, sizeof(call)));
	assert_false(s5(method, sizeof(method)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(madt__cpus__those_that_are_enabled),
		hv_unit_test(madt__more_cpus_than_we_use__the_first),
		hv_unit_test(madt__routes__the_controller_of_isa_and_its_exceptions),
		hv_unit_test(madt__entries_that_are_too_short__nothing),
		hv_unit_test(tables__missing_or_broken__said),
		hv_unit_test(fadt__fixed_registers__ports),
		hv_unit_test(s5__as_compilers_write_it__both_types),
		hv_unit_test(s5__cut_off_anywhere__not_taken),
		hv_unit_test(s5__at_any_distance__found),
		hv_unit_test(s5__other_uses_of_the_name__not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

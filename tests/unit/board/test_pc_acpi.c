/* SPDX-License-Identifier: MIT */
/* ACPI's tables as a guest finds and reads them: from the RSDP on, field by field (ACPI 6.4, 5.2).
 */
#include <unit.h>

#include <board/pc_acpi.h>
#include <board/pc_x86_64.h>
#include <dev/acpi_pm/acpi_pm.h>
#include <hv/bits.h>

#define RAM_SIZE HV_MIB(2)

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static struct hv_gmem gmem;

static void add_ram(uint64_t size)
{
	const struct hv_gmem_region region = {.gpa = GPA(0),
		.size = size,
		.hpa = HPA(HV_GIB(1)),
		.host = ram,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X};

	memset(ram, 0xa5, sizeof(ram));
	gmem = (struct hv_gmem){0};
	assert_int_equal(hv_gmem_add(&gmem, &region), HV_OK);
}

static int acpi_setup(void **state)
{
	add_ram(RAM_SIZE);
	return unit_setup(state);
}

#define acpi_test(name) cmocka_unit_test_setup_teardown(name, acpi_setup, unit_teardown)

static const uint8_t *at(uint64_t gpa)
{
	assert_true(gpa >= HV_PC_ACPI && gpa < HV_PC_ACPI + PC_ACPI_SIZE);
	return ram + gpa;
}

static uint8_t total(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	return sum;
}

/* The table there, with all that every header promises. */
static const uint8_t *table(uint64_t gpa, const char *signature)
{
	const uint8_t *found = at(gpa);

	assert_memory_equal(found, signature, 4);
	assert_int_equal(total(found, hv_le32(found + 4)), 0);
	assert_memory_equal(found + 10, "DRYDOC", 6);
	return found;
}

static const uint8_t *rsdp(void)
{
	for (uint64_t gpa = 0xe0000; gpa < 0x100000; gpa += 16) {
		if (memcmp(ram + gpa, "RSD PTR ", 8) == 0) {
			return ram + gpa;
		}
	}
	fail_msg("no RSDP");
	return ram;
}

/* As the XSDT names it. */
static const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt = table(hv_le64(rsdp() + 24), "XSDT");

	for (uint32_t off = 36; off < hv_le32(xsdt + 4); off += 8) {
		if (memcmp(at(hv_le64(xsdt + off)), signature, 4) == 0) {
			return table(hv_le64(xsdt + off), signature);
		}
	}
	fail_msg("no %s", signature);
	return ram;
}

static void acpi_rsdp__where_guests_look_for_it__has_both_sums(void **state)
{
	(void)state;
	assert_int_equal(pc_acpi_write(&gmem, 1), HV_OK);
	assert_int_equal(total(rsdp(), 20), 0);
	assert_int_equal(total(rsdp(), 36), 0);
	assert_int_equal(rsdp()[15], 2);
	assert_memory_equal(rsdp() + 9, "DRYDOC", 6);
}

static void acpi_fadt__registers__are_where_the_board_has_them(void **state)
{
	const uint8_t *fadt;

	(void)state;
	assert_int_equal(pc_acpi_write(&gmem, 1), HV_OK);
	fadt = find("FACP");
	assert_int_equal(hv_le32(fadt + 4), 244);
	assert_int_equal(hv_le16(fadt + 46), PC_X86_SCI_IRQ);
	assert_int_equal(hv_le32(fadt + 48), 0); /* no SMI_CMD: ACPI mode already */
	assert_int_equal(hv_le32(fadt + 56), PC_X86_PM);
	assert_int_equal(hv_le32(fadt + 64), PC_X86_PM + ACPI_PM_CNT);
	assert_int_equal(hv_le32(fadt + 76), PC_X86_PM + ACPI_PM_TMR);
	assert_int_equal(fadt[91], 4);
	assert_true(hv_le64(fadt + 120) == 0xcf9);
	assert_int_equal(fadt[128], 6);
	assert_true(hv_le64(fadt + 152) == PC_X86_PM);
	assert_int_equal(fadt[148], 1); /* ports */
	assert_true(hv_le64(fadt + 176) == PC_X86_PM + ACPI_PM_CNT);
	assert_true(hv_le64(fadt + 212) == PC_X86_PM + ACPI_PM_TMR);
}

static void acpi_facs__is_aligned_and_unlocked(void **state)
{
	uint32_t gpa;

	(void)state;
	assert_int_equal(pc_acpi_write(&gmem, 1), HV_OK);
	gpa = hv_le32(find("FACP") + 36);
	assert_int_equal(gpa % 64, 0);
	assert_memory_equal(at(gpa), "FACS", 4);
	assert_int_equal(hv_le32(at(gpa) + 4), 64);
	assert_int_equal(hv_le32(at(gpa) + 16), 0);
}

static unsigned count_entries(const uint8_t *madt, uint8_t type)
{
	unsigned count = 0;
	uint32_t off = 44;

	for (; off < hv_le32(madt + 4); off += madt[off + 1]) {
		assert_in_range(madt[off + 1], 6, 12);
		count += madt[off] == type;
	}
	assert_int_equal(off, hv_le32(madt + 4));
	return count;
}

static void acpi_madt__cpus__one_enabled_apic_each(void **state)
{
	(void)state;
	for (uint16_t cpus = 1; cpus <= HV_VCPUS; cpus++) {
		const uint8_t *madt;

		assert_int_equal(pc_acpi_write(&gmem, cpus), HV_OK);
		madt = find("APIC");
		assert_int_equal(hv_le32(madt + 36), 0xfee00000);
		assert_int_equal(hv_le32(madt + 40), 1);
		assert_int_equal(count_entries(madt, 0), cpus);
		for (uint16_t cpu = 0; cpu < cpus; cpu++) {
			assert_int_equal(madt[44 + 8 * cpu + 3], cpu);
			assert_int_equal(hv_le32(madt + 44 + 8 * cpu + 4), 1);
		}
	}
}

static void acpi_madt__interrupts__timer_on_pin_2_and_sci_by_level(void **state)
{
	static const uint8_t rest[] = {1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, /* I/O APIC */
		2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0,  /* overrides */
		4, 6, 0xff, 0, 0, 1};
	const uint8_t *madt;

	(void)state;
	assert_int_equal(pc_acpi_write(&gmem, 2), HV_OK);
	madt = find("APIC");
	assert_int_equal(hv_le32(madt + 4), 44 + 16 + sizeof(rest));
	assert_memory_equal(madt + 44 + 16, rest, sizeof(rest));
}

static const uint8_t *dsdt(void)
{
	const uint8_t *fadt = find("FACP");

	assert_true(hv_le64(fadt + 140) == hv_le32(fadt + 40));
	return table(hv_le32(fadt + 40), "DSDT");
}

/* The length of an AML package that begins at `bytes` (20.2.4). */
static uint32_t package_length(const uint8_t *bytes)
{
	return bytes[0] >> 6 ? (bytes[0] & 15u) | (uint32_t)bytes[1] << 4 : bytes[0];
}

static void acpi_dsdt__packages__end_where_their_contents_do(void **state)
{
	static const char *const devices[] = {"COM1", "RTC_"};
	const uint8_t *aml;
	uint32_t size, off;

	(void)state;
	assert_int_equal(pc_acpi_write(&gmem, 1), HV_OK);
	aml = dsdt() + 36;
	size = hv_le32(dsdt() + 4) - 36;
	assert_memory_equal(aml + 1, "_S5_", 4);
	assert_int_equal(aml[9], ACPI_PM_S5);
	off = 6 + package_length(aml + 6);
	assert_int_equal(aml[off], 0x10); /* Scope */
	assert_int_equal(off + 1 + package_length(aml + off + 1), size);
	off += 8;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(aml[off] << 8 | aml[off + 1], 0x5b82); /* Device */
		assert_memory_equal(aml + off + 3, devices[i], 4);
		off += 2 + package_length(aml + off + 2);
	}
	assert_int_equal(off, size);
}

static void acpi_write__all_of_it__stays_in_its_place(void **state)
{
	(void)state;
	assert_int_equal(pc_acpi_write(&gmem, HV_VCPUS), HV_OK);
	for (uint64_t i = 0; i < RAM_SIZE; i++) {
		if (i < HV_PC_ACPI || i >= HV_PC_ACPI + PC_ACPI_SIZE) {
			assert_int_equal(ram[i], 0xa5);
		}
	}
}

static void acpi_write__memory_ends_anywhere_before_them__is_refused(void **state)
{
	(void)state;
	add_ram(HV_PC_ACPI);
	assert_int_equal(pc_acpi_write(&gmem, 1), HV_ERR_RANGE);
	add_ram(HV_PC_ACPI + HV_PAGE_SIZE);
	assert_int_equal(pc_acpi_write(&gmem, 1), HV_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		acpi_test(acpi_rsdp__where_guests_look_for_it__has_both_sums),
		acpi_test(acpi_fadt__registers__are_where_the_board_has_them),
		acpi_test(acpi_facs__is_aligned_and_unlocked),
		acpi_test(acpi_madt__cpus__one_enabled_apic_each),
		acpi_test(acpi_madt__interrupts__timer_on_pin_2_and_sci_by_level),
		acpi_test(acpi_dsdt__packages__end_where_their_contents_do),
		acpi_test(acpi_write__all_of_it__stays_in_its_place),
		acpi_test(acpi_write__memory_ends_anywhere_before_them__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

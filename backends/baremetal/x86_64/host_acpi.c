/* SPDX-License-Identifier: MIT */
/*
 * ACPI Specification 6.4: 5.2 (tables), 5.2.9 (FADT), 5.2.12 (MADT), 20.2 (AML). Of AML only one
 * name is looked for, as its bytes: the package \_S5_, constant in every firmware there is.
 */
#include "host_acpi.h"

#include <hv/bits.h>

/* 5.2.5.1: the first KiB of the extended BIOS data area, and the BIOS's own ROM. */
#define EBDA_SEGMENT 0x40eu
#define EBDA_SIZE    0x400u
#define ROM_BASE     0xe0000u
#define ROM_SIZE     0x20000u
#define RSDP_ALIGN   16u

enum rsdp_at { RSDP_REVISION = 15, RSDP_RSDT = 16, RSDP_XSDT = 24, RSDP_SIZE = 36 };
#define RSDP_SIZE_1 20u

enum table_at { TABLE_LENGTH = 4, TABLE_BODY = 36 };

enum fadt_at { FADT_DSDT = 40, FADT_PM1A = 64, FADT_PM1B = 68, FADT_TIMER = 76, FADT_FLAGS = 112 };
#define FADT_LEAST    116u
#define FADT_TIMER_32 HV_BIT(8) /* TMR_VAL_EXT */

enum madt_at { MADT_LAPIC = 36, MADT_ENTRIES = 44 };
enum madt_type {
	MADT_CPU = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_64 = 5,
	MADT_X2APIC = 9,
};
#define CPU_ENABLED HV_BIT(0)

/* 20.2 */
#define AML_NAME    0x08u
#define AML_ROOT    '\\'
#define AML_PACKAGE 0x12u
#define AML_BYTE    0x0au
#define AML_ONE     0x01u
#define AML_S5      0x5f35535fu /* "_S5_" */
#define S5_NAME     4           /* bytes of it */

#define GAS_MAX_PORT 0xffffu

static const uint8_t *bytes_at(uint64_t address)
{
	return (const uint8_t *)(uintptr_t)address;
}

static bool is_tag(const uint8_t *at, const char *tag, unsigned size)
{
	return __builtin_memcmp(at, tag, size) == 0;
}

#define EVEN_BYTES 0x00ff00ff00ff00ffu
#define SUM_OF_ALL 0x0001000100010001u /* times four 16-bit numbers: their sum, on top */

/* Eight bytes at a time: tables are long, and each is looked at before a guest runs. */
static bool sums_up(const uint8_t *at, uint32_t size)
{
	const uint8_t *end = at + size;
	uint64_t sum = 0;

	for (; end - at >= 8; at += 8) {
		uint64_t bytes = hv_le64(at);

		sum += ((bytes & EVEN_BYTES) + (bytes >> 8 & EVEN_BYTES)) * SUM_OF_ALL >> 48;
	}
	while (at < end) {
		sum += *at++;
	}
	return (uint8_t)sum == 0;
}

/* ---- root pointer ---- */

static bool is_rsdp(const uint8_t *at)
{
	return is_tag(at, "RSD PTR ", 8) && sums_up(at, RSDP_SIZE_1);
}

static uint64_t rsdp_scan(uint64_t base, uint64_t size)
{
	for (uint64_t at = base; at < base + size; at += RSDP_ALIGN) {
		if (is_rsdp(bytes_at(at))) {
			return at;
		}
	}
	return 0;
}

/* The address is hidden from the compiler, which takes what is so low for no object at all. */
static uint64_t rsdp_find(void)
{
	uintptr_t segment_at = EBDA_SEGMENT;
	uint64_t rsdp;

	__asm__("" : "+r"(segment_at));
	rsdp = rsdp_scan((uint64_t)hv_le16(bytes_at(segment_at)) << 4, EBDA_SIZE);
	return rsdp ? rsdp : rsdp_scan(ROM_BASE, ROM_SIZE);
}

/* ---- tables ---- */

/* NULL: none that is whole. */
static const uint8_t *table_at(uint64_t address, uint64_t top)
{
	const uint8_t *table = bytes_at(address);
	uint32_t length;

	if (address == 0 || address > top - TABLE_BODY) {
		return NULL;
	}
	length = hv_le32(table + TABLE_LENGTH);
	if (length < TABLE_BODY || length > top - address || !sums_up(table, length)) {
		return NULL;
	}
	return table;
}

/* The root table, and how wide its entries are. */
struct root {
	const uint8_t *table;
	uint32_t width;
	uint64_t top;
};

static struct root root_find(uint64_t rsdp, uint64_t top)
{
	const uint8_t *at = bytes_at(rsdp);
	struct root root = {.width = 8, .top = top};

	if (at[RSDP_REVISION] >= 2 && sums_up(at, RSDP_SIZE)) {
		root.table = table_at(hv_le64(at + RSDP_XSDT), top);
	}
	if (!root.table) {
		root.width = 4;
		root.table = table_at(hv_le32(at + RSDP_RSDT), top);
	}
	return root;
}

static const uint8_t *root_table(const struct root *root, const char *tag)
{
	uint32_t length = hv_le32(root->table + TABLE_LENGTH);

	for (uint32_t at = TABLE_BODY; at + root->width <= length; at += root->width) {
		const uint8_t *entry = root->table + at;
		const uint8_t *table =
			table_at(root->width == 8 ? hv_le64(entry) : hv_le32(entry), root->top);

		if (table && is_tag(table, tag, 4)) {
			return table;
		}
	}
	return NULL;
}

/* ---- MADT ---- */

static void cpu_add(struct host_acpi *acpi, uint32_t id, uint32_t flags)
{
	if (flags & CPU_ENABLED && acpi->cpu_count < TREE_CPUS) {
		acpi->cpu[acpi->cpu_count++] = id;
	}
}

/* `size` bytes are there. */
static void read_entry(struct host_acpi *acpi, const uint8_t *entry, uint8_t size)
{
	switch (entry[0]) {
	case MADT_CPU:
		if (size >= 8) {
			cpu_add(acpi, entry[3], hv_le32(entry + 4));
		}
		break;
	case MADT_X2APIC:
		if (size >= 16) {
			cpu_add(acpi, hv_le32(entry + 4), hv_le32(entry + 8));
		}
		break;
	case MADT_IOAPIC:
		if (size >= 12 && hv_le32(entry + 8) == 0) {
			acpi->ioapic = hv_le32(entry + 4);
		}
		break;
	case MADT_OVERRIDE:
		if (size >= 10 && entry[3] < HOST_ACPI_ISA) {
			acpi->gsi[entry[3]] = hv_le32(entry + 4);
			acpi->mode[entry[3]] = hv_le16(entry + 8);
		}
		break;
	case MADT_LAPIC_64:
		if (size >= 12) {
			acpi->lapic = hv_le64(entry + 4);
		}
		break;
	default: break;
	}
}

static void read_madt(struct host_acpi *acpi, const uint8_t *madt)
{
	uint32_t length = hv_le32(madt + TABLE_LENGTH), at = MADT_ENTRIES;

	if (length < MADT_ENTRIES) {
		return;
	}
	acpi->lapic = hv_le32(madt + MADT_LAPIC);
	while (at + 2 <= length && madt[at + 1] >= 2 && madt[at + 1] <= length - at) {
		read_entry(acpi, madt + at, madt[at + 1]);
		at += madt[at + 1];
	}
}

/* ---- FADT, and \_S5_ ---- */

/* What is left of a table; it reads as zeros behind its end, and says so. */
struct aml {
	const uint8_t *at, *end;
	bool over;
};

static uint8_t next_byte(struct aml *aml)
{
	if (aml->at == aml->end) {
		aml->over = true;
		return 0;
	}
	return *aml->at++;
}

/* One element of the package, a number in one byte. */
static uint8_t read_number(struct aml *aml)
{
	uint8_t op = next_byte(aml);

	if (op == AML_BYTE) {
		return next_byte(aml);
	}
	return op == AML_ONE ? 1 : 0;
}

/* Behind the name. A package's length takes up to three more bytes, by its first one's top. */
static bool read_s5(struct host_acpi *acpi, struct aml aml)
{
	if (next_byte(&aml) != AML_PACKAGE) {
		return false;
	}
	for (unsigned more = next_byte(&aml) >> 6; more; more--) {
		(void)next_byte(&aml);
	}
	(void)next_byte(&aml); /* how many elements */
	acpi->s5a = read_number(&aml);
	acpi->s5b = read_number(&aml);
	return !aml.over;
}

/* Whether one of eight bytes is a 5 of ASCII: taken from all, it leaves a byte that is 0. */
static bool has_five(uint64_t bytes)
{
	uint64_t zero = bytes ^ 0x3535353535353535u;

	return ((zero - 0x0101010101010101u) & ~zero & 0x8080808080808080u) != 0;
}

/* The name from `at` on, or `end`: the largest table there is, and hardly a 5 in it. */
static const uint8_t *find_s5(const uint8_t *at, const uint8_t *end)
{
	while (at < end && hv_le32(at) != AML_S5) {
		at += end - at > 8 && !has_five(hv_le64(at + 2)) ? 8 : 1;
	}
	return at < end ? at : end;
}

void host_acpi_s5(struct host_acpi *acpi, const uint8_t *dsdt)
{
	const uint8_t *end = dsdt + hv_le32(dsdt + TABLE_LENGTH);
	const uint8_t *names_end = end - S5_NAME + 1;

	for (const uint8_t *at = find_s5(dsdt + TABLE_BODY + 1, names_end);
		at < names_end && !acpi->has_s5; at = find_s5(at + 1, names_end)) {
		if (at[-1] == AML_NAME || at[-1] == AML_ROOT) {
			acpi->has_s5 = read_s5(acpi, (struct aml){.at = at + S5_NAME, .end = end});
		}
	}
}

static uint16_t port_of(const uint8_t *field)
{
	uint32_t port = hv_le32(field);

	return port <= GAS_MAX_PORT ? (uint16_t)port : 0;
}

static void read_fadt(struct host_acpi *acpi, const uint8_t *fadt, uint64_t top)
{
	const uint8_t *dsdt;

	if (hv_le32(fadt + TABLE_LENGTH) < FADT_LEAST) {
		return;
	}
	acpi->pm1a = port_of(fadt + FADT_PM1A);
	acpi->pm1b = port_of(fadt + FADT_PM1B);
	acpi->pm_timer = port_of(fadt + FADT_TIMER);
	acpi->pm_timer_32 = (hv_le32(fadt + FADT_FLAGS) & FADT_TIMER_32) != 0;
	dsdt = table_at(hv_le32(fadt + FADT_DSDT), top);
	if (dsdt) {
		host_acpi_s5(acpi, dsdt);
	}
}

bool host_acpi_read(struct host_acpi *acpi, uint64_t rsdp, uint64_t top)
{
	struct root root;
	const uint8_t *madt, *fadt;

	*acpi = (struct host_acpi){0};
	for (uint32_t n = 0; n < HOST_ACPI_ISA; n++) {
		acpi->gsi[n] = n;
	}
	if (rsdp == 0 || rsdp > top - RSDP_SIZE || !is_rsdp(bytes_at(rsdp))) {
		rsdp = rsdp_find();
	}
	if (rsdp == 0) {
		return false;
	}
	root = root_find(rsdp, top);
	if (!root.table) {
		return false;
	}
	fadt = root_table(&root, "FACP");
	if (fadt) {
		read_fadt(acpi, fadt, top);
	}
	madt = root_table(&root, "APIC");
	if (madt) {
		read_madt(acpi, madt);
	}
	return madt != NULL;
}

/* SPDX-License-Identifier: MIT */
#include "pc_acpi.h"

#include <board/pc_x86_64.h>
#include <dev/acpi_pm/acpi_pm.h>
#include <dev/cmos/cmos.h>
#include <dev/ioapic/ioapic.h>
#include <dev/lapic/lapic.h>
#include <dev/pc_reset/pc_reset.h>
#include <hv/bits.h>
#include <hv/load.h>

#define TABLE_MAX 0x140u

/* A table while it is made; zero where nothing was put. */
struct table {
	uint8_t byte[TABLE_MAX];
	uint32_t size;
};

#define HEADER_SIZE     36u
#define HEADER_LENGTH   4u
#define HEADER_CHECKSUM 9u

static void put(struct table *table, uint32_t at, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++) {
		table->byte[at + i] = (uint8_t)(value >> (8 * i));
	}
}

static void text(struct table *table, uint32_t at, const char *words)
{
	for (; *words != '\0'; words++) {
		table->byte[at++] = (uint8_t)*words;
	}
}

/* The bytes of [0, size) sum to zero. */
static void sum(struct table *table, uint32_t at, uint32_t size)
{
	uint8_t total = 0;

	for (uint32_t i = 0; i < size; i++) {
		total = (uint8_t)(total + table->byte[i]);
	}
	table->byte[at] = (uint8_t)(table->byte[at] - total);
}

/* Every table but RSDP and FACS begins like this (5.2.6). */
static struct table begin(const char *signature, uint8_t revision)
{
	struct table table = {.size = HEADER_SIZE};

	text(&table, 0, signature);
	put(&table, 8, 1, revision);
	text(&table, 10, "DRYDOCPC-X86  ");
	put(&table, 24, 4, 1);
	text(&table, 28, "DRYD");
	put(&table, 32, 4, 1);
	return table;
}

static enum hv_status write(const struct hv_gmem *gmem, uint64_t place, const struct table *table)
{
	return hv_gmem_copy_out(gmem, GPA(HV_PC_ACPI + place), table->byte, table->size);
}

static enum hv_status finish(const struct hv_gmem *gmem, uint64_t place, struct table *table)
{
	put(table, HEADER_LENGTH, 4, table->size);
	sum(table, HEADER_CHECKSUM, table->size);
	return write(gmem, place, table);
}

/* 5.2.5.3; the first 20 bytes have a sum of their own. */
static enum hv_status write_rsdp(const struct hv_gmem *gmem)
{
	struct table table = {.size = 36};

	text(&table, 0, "RSD PTR ");
	text(&table, 9, "DRYDOC");
	put(&table, 15, 1, 2);
	put(&table, 20, 4, table.size);
	put(&table, 24, 8, HV_PC_ACPI + PC_ACPI_XSDT);
	sum(&table, 8, 20);
	sum(&table, 32, table.size);
	return write(gmem, PC_ACPI_RSDP, &table);
}

/* 5.2.8 */
static enum hv_status write_xsdt(const struct hv_gmem *gmem)
{
	struct table table = begin("XSDT", 1);

	put(&table, 36, 8, HV_PC_ACPI + PC_ACPI_FADT);
	put(&table, 44, 8, HV_PC_ACPI + PC_ACPI_MADT);
	table.size = 52;
	return finish(gmem, PC_ACPI_XSDT, &table);
}

/* A register in the space of ports (5.2.3.2). */
static void put_port(struct table *table, uint32_t at, uint8_t bits, uint64_t port)
{
	put(table, at, 1, 1);
	put(table, at + 1, 1, bits);
	put(table, at + 3, 1, bits == 8 ? 1 : (bits == 16 ? 2 : 3));
	put(table, at + 4, 8, port);
}

/* 5.2.9: legacy devices, no 8042 with a keyboard, no VGA, no MSIs; no buttons in the hardware. */
#define BOOT_ARCH 0x000du
#define FLAGS     0x00000535u /* WBINVD, C1, no buttons, PM_TMR of 32 bits, RESET_REG */

static enum hv_status write_fadt(const struct hv_gmem *gmem)
{
	struct table table = begin("FACP", 4);
	uint64_t pm = PC_X86_PM;

	put(&table, 36, 4, HV_PC_ACPI + PC_ACPI_FACS);
	put(&table, 40, 4, HV_PC_ACPI + PC_ACPI_DSDT);
	put(&table, 46, 2, PC_X86_SCI_IRQ);
	put(&table, 56, 4, pm + ACPI_PM_STS);
	put(&table, 64, 4, pm + ACPI_PM_CNT);
	put(&table, 76, 4, pm + ACPI_PM_TMR);
	put(&table, 88, 1, 4);
	put(&table, 89, 1, 2);
	put(&table, 91, 1, 4);
	put(&table, 96, 2, 0xffff); /* no C2, no C3 */
	put(&table, 98, 2, 0xffff);
	put(&table, 108, 1, CMOS_CENTURY);
	put(&table, 109, 2, BOOT_ARCH);
	put(&table, 112, 4, FLAGS);
	put_port(&table, 116, 8, PC_RESET_RST_CNT);
	put(&table, 128, 1, 0x06);
	put(&table, 140, 8, HV_PC_ACPI + PC_ACPI_DSDT);
	put_port(&table, 148, 32, pm + ACPI_PM_STS);
	put_port(&table, 172, 16, pm + ACPI_PM_CNT);
	put_port(&table, 208, 32, pm + ACPI_PM_TMR);
	table.size = 244;
	return finish(gmem, PC_ACPI_FADT, &table);
}

/* 5.2.10; it has no sum. */
static enum hv_status write_facs(const struct hv_gmem *gmem)
{
	struct table table = {.size = 64};

	text(&table, 0, "FACS");
	put(&table, 4, 4, table.size);
	put(&table, 32, 1, 1);
	return write(gmem, PC_ACPI_FACS, &table);
}

/* 5.2.12: its entries, each with its type and its length first. */
static uint32_t entry(struct table *table, uint8_t type, uint8_t size)
{
	uint32_t at = table->size;

	put(table, at, 1, type);
	put(table, at + 1, 1, size);
	table->size += size;
	return at + 2;
}

static void add_cpu(struct table *table, uint16_t cpu)
{
	uint32_t at = entry(table, 0, 8);

	put(table, at, 1, cpu);
	put(table, at + 1, 1, cpu);
	put(table, at + 2, 4, 1);
}

static void add_ioapic(struct table *table)
{
	uint32_t at = entry(table, 1, 12);

	put(table, at + 2, 4, IOAPIC_BASE);
}

#define LEVEL_HIGH 0x000du /* MPS INTI flags (5.2.12.5) */

/* An ISA interrupt whose pin, or whose nature, is not the usual. */
static void add_override(struct table *table, uint8_t irq, uint8_t pin, uint16_t flags)
{
	uint32_t at = entry(table, 2, 10);

	put(table, at + 1, 1, irq);
	put(table, at + 2, 4, pin);
	put(table, at + 6, 2, flags);
}

static void add_nmi(struct table *table)
{
	uint32_t at = entry(table, 4, 6);

	put(table, at, 1, 0xff); /* of all CPUs: LINT1 */
	put(table, at + 3, 1, 1);
}

static enum hv_status write_madt(const struct hv_gmem *gmem, uint16_t cpus)
{
	struct table table = begin("APIC", 3);

	put(&table, 36, 4, LAPIC_BASE);
	put(&table, 40, 4, 1); /* there is a pair of 8259 */
	table.size = 44;
	for (uint16_t cpu = 0; cpu < cpus; cpu++) {
		add_cpu(&table, cpu);
	}
	add_ioapic(&table);
	add_override(&table, PC_X86_PIT_IRQ, PC_X86_PIT_PIN, 0);
	add_override(&table, PC_X86_SCI_IRQ, PC_X86_SCI_IRQ, LEVEL_HIGH);
	add_nmi(&table);
	return finish(gmem, PC_ACPI_MADT, &table);
}

/* AML (chapter 20): the machine's only sleep state, and two devices that nobody can probe for. */
static const uint8_t aml[] = {
	/* Name (_S5, Package () {5, 5, 0, 0}) */
	0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0a, ACPI_PM_S5, 0x0a, ACPI_PM_S5, 0x00, 0x00,
	/* Scope (\_SB) */
	0x10, 0x4b, 0x05, '\\', '_', 'S', 'B', '_',
	/* Device (COM1) */
	0x5b, 0x82, 0x2b, 'C', 'O', 'M', '1',
	/* Name (_HID, EisaId ("PNP0501")) */
	0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01,
	/* Name (_UID, One) */
	0x08, '_', 'U', 'I', 'D', 0x01,
	/* Name (_CRS, ResourceTemplate () {IO (Decode16, 0x3f8, 0x3f8, 1, 8) IRQNoFlags () {4}}) */
	0x08, '_', 'C', 'R', 'S', 0x11, 0x10, 0x0a, 0x0d, 0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01,
	0x08, 0x22, 0x10, 0x00, 0x79, 0x00,
	/* Device (RTC) */
	0x5b, 0x82, 0x25, 'R', 'T', 'C', '_',
	/* Name (_HID, EisaId ("PNP0B00")) */
	0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0b, 0x00,
	/* Name (_CRS, ResourceTemplate () {IO (Decode16, 0x70, 0x70, 1, 2) IRQNoFlags () {8}}) */
	0x08, '_', 'C', 'R', 'S', 0x11, 0x10, 0x0a, 0x0d, 0x47, 0x01, 0x70, 0x00, 0x70, 0x00, 0x01,
	0x02, 0x22, 0x00, 0x01, 0x79, 0x00};

static enum hv_status write_dsdt(const struct hv_gmem *gmem)
{
	struct table table = begin("DSDT", 2);

	__builtin_memcpy(table.byte + table.size, aml, sizeof(aml));
	table.size += (uint32_t)sizeof(aml);
	return finish(gmem, PC_ACPI_DSDT, &table);
}

enum hv_status pc_acpi_write(const struct hv_gmem *gmem, uint16_t cpus)
{
	enum hv_status status = write_rsdp(gmem);

	status = status == HV_OK ? write_xsdt(gmem) : status;
	status = status == HV_OK ? write_fadt(gmem) : status;
	status = status == HV_OK ? write_facs(gmem) : status;
	status = status == HV_OK ? write_madt(gmem, cpus) : status;
	return status == HV_OK ? write_dsdt(gmem) : status;
}

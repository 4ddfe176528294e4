/* SPDX-License-Identifier: MIT */
/*
 * ACPI's tables of the pc-x86_64 machine. Source: ACPI specification 6.4, chapter 5; the tables are
 * of the revisions of ACPI 3.0, which every guest since then reads. For this folder only.
 */
#ifndef PC_ACPI_H
#define PC_ACPI_H

#include <hv/gmem.h>

/* Where each table is, counted from HV_PC_ACPI. */
enum pc_acpi_place {
	PC_ACPI_RSDP = 0x000,
	PC_ACPI_XSDT = 0x040,
	PC_ACPI_FADT = 0x080,
	PC_ACPI_FACS = 0x180, /* aligned to 64 bytes */
	PC_ACPI_MADT = 0x1c0,
	PC_ACPI_DSDT = 0x300,
	PC_ACPI_SIZE = 0x400,
};

/* HV_ERR_RANGE: there is no memory for them; nothing, or some of them, was written. */
HV_WARN_UNUSED enum hv_status pc_acpi_write(const struct hv_gmem *gmem, uint16_t cpus);

#endif

/* SPDX-License-Identifier: MIT */
/* What the host's ACPI tables say. ACPI Specification 6.4. */
#ifndef HOST_ACPI_H
#define HOST_ACPI_H

#include <common/tree.h>
#include <hv/status.h>

#define HOST_ACPI_ISA 16u /* as many as there are ISA interrupts */

struct host_acpi {
	uint32_t cpu[TREE_CPUS];      /* APIC IDs */
	uint32_t cpu_count;           /* those that have room here */
	uint64_t lapic;               /* where each CPU has its local APIC */
	uint32_t ioapic;              /* of the I/O APIC that takes the ISA interrupts; 0: none */
	uint32_t gsi[HOST_ACPI_ISA];  /* its input that takes ISA interrupt n */
	uint16_t mode[HOST_ACPI_ISA]; /* MPS INTI flags */
	uint16_t pm1a, pm1b;          /* control registers; 0: none */
	uint8_t s5a, s5b;             /* SLP_TYP of the state "off" */
	bool has_s5;
	uint16_t pm_timer; /* 0: none */
	bool pm_timer_32;
};

/*
 * `rsdp`: where the root pointer is; 0: where a PC's firmware leaves it. The tables must lie below
 * `top`. False: no root pointer, or no table of CPUs (MADT). The rest may be missing.
 */
bool host_acpi_read(struct host_acpi *acpi, uint64_t rsdp, uint64_t top);
/* Of it, what a whole DSDT says about the state "off". */
void host_acpi_s5(struct host_acpi *acpi, const uint8_t *dsdt);

#endif

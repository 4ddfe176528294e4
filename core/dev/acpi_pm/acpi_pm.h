/* SPDX-License-Identifier: MIT */
/*
 * ACPI's fixed hardware, as far as a machine without buttons, sleep and wake-up has it: always in
 * ACPI mode, a power management timer, and the way to S5. Source: ACPI 6.4, 4.8.3.
 */
#ifndef ACPI_PM_H
#define ACPI_PM_H

#include <hv/dev.h>
#include <hv/irq.h>
#include <stdatomic.h>

#define ACPI_PM_SIZE 0x10u

enum acpi_pm_reg {
	ACPI_PM_STS = 0x0, /* 16 bits, write 1 to clear; nothing ever happens here */
	ACPI_PM_EN = 0x2,  /* 16 bits */
	ACPI_PM_CNT = 0x4, /* 16 bits */
	ACPI_PM_TMR = 0x8, /* 32 bits, 3.579545 MHz */
};

#define ACPI_PM_CNT_SCI_EN  0x0001u
#define ACPI_PM_CNT_SLP_TYP 0x1c00u
#define ACPI_PM_CNT_SLP_EN  0x2000u
#define ACPI_PM_S5          5u /* SLP_TYP that turns the machine off; others do nothing */

#define ACPI_PM_TMR_HZ 3579545u

struct acpi_pm {
	struct hv_irq off; /* pulsed: the machine goes off. It may take any lock. */
	_Atomic uint16_t en, cnt;
};

/* Needs no lock of the bus's. */
extern const struct hv_dev_ops acpi_pm_ops;

void acpi_pm_init(struct acpi_pm *pm, struct hv_irq off);

#endif

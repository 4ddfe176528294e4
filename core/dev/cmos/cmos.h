/* SPDX-License-Identifier: MIT */
/*
 * MC146818 real time clock with its 128 bytes of CMOS memory, as PCs have it behind ports 0x70 and
 * 0x71. Source: Motorola MC146818A data sheet (1988); what PCs keep in the memory: README.md.
 */
#ifndef CMOS_H
#define CMOS_H

#include <hv/dev.h>
#include <hv/irq.h>

#define CMOS_REGS 128u

enum cmos_reg {
	CMOS_SECOND = 0x00,
	CMOS_SECOND_ALARM = 0x01,
	CMOS_MINUTE = 0x02,
	CMOS_MINUTE_ALARM = 0x03,
	CMOS_HOUR = 0x04,
	CMOS_HOUR_ALARM = 0x05,
	CMOS_WEEKDAY = 0x06, /* 1: Sunday */
	CMOS_DAY = 0x07,
	CMOS_MONTH = 0x08,
	CMOS_YEAR = 0x09,
	CMOS_A = 0x0a,
	CMOS_B = 0x0b,
	CMOS_C = 0x0c, /* a read clears it */
	CMOS_D = 0x0d,
	CMOS_BASE_KIB = 0x15,     /* 16 bits: memory below 1 MiB */
	CMOS_EXTENDED_KIB = 0x17, /* 16 bits: above 1 MiB, 63 MiB at most; again at 0x30 */
	CMOS_CENTURY = 0x32,
	CMOS_ABOVE_16M = 0x34, /* 16 bits: 64 KiB units above 16 MiB */
};

enum cmos_bit {
	CMOS_A_RATE = 0x0f,
	CMOS_A_DIVIDER = 0x70, /* 0x20: it runs */
	CMOS_A_UIP = 0x80,
	CMOS_B_24H = 0x02,
	CMOS_B_BINARY = 0x04,
	CMOS_B_UPDATE = 0x10, /* interrupts: as C has them */
	CMOS_B_ALARM = 0x20,
	CMOS_B_PERIODIC = 0x40,
	CMOS_B_IRQS = 0x70,
	CMOS_B_SET = 0x80, /* the clock stands, and can be set */
	CMOS_C_IRQ = 0x80,
	CMOS_D_VALID = 0x80,
};

struct cmos {
	struct hv_irq irq;
	uint64_t epoch; /* seconds since 1970 at now = 0, as the board said; what a reset goes to */
	uint64_t ram_size;
	uint64_t offset;        /* the time is offset + now, in ns */
	uint64_t seen;          /* `now` of the last look at it */
	uint8_t index;          /* bits 6-0 of port 0x70 */
	bool level;             /* what irq was last set to */
	uint8_t reg[CMOS_REGS]; /* times while they are set, alarms, A-D, memory */
};

/* Two ports: index (write-only, as on a PC) and data. */
extern const struct hv_dev_ops cmos_ops;

/* epoch: seconds. ram_size: bytes, from address 0 up. */
void cmos_init(struct cmos *cmos, uint64_t epoch, uint64_t ram_size, struct hv_irq irq);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Programmable interval timer 8254 with its three counters, and port 0x61, which has the gate and
 * the output of counter 2. Source: Intel 82C54 datasheet (231244-006); for port 0x61, Intel 82371AB
 * datasheet (290562-001) 8.5. What these leave open is in README.md.
 */
#ifndef PIT8254_H
#define PIT8254_H

#include <hv/dev.h>
#include <hv/irq.h>

#define PIT8254_PORT       0x40u
#define PIT8254_PORT_SIZE  4u
#define PIT8254_GATE_PORT  0x61u /* one port */
#define PIT8254_HZ         1193182u
#define PIT8254_COUNTERS   3u
#define PIT8254_PERIOD_MIN 100000u /* ns: counter 0 interrupts no more often */

/* A tick is one cycle of PIT8254_HZ; the first one was at now = 0. */
enum pit8254_state {
	PIT8254_IDLE,   /* no count yet, or waits for its gate to rise */
	PIT8254_COUNTS, /* since the tick `at` */
	PIT8254_HELD,   /* by its gate, after `at` ticks */
};

struct pit8254_counter {
	uint8_t control; /* access, mode and BCD, as in the control word */
	bool gate;
	enum pit8254_state state;
	uint64_t at;
	uint32_t count; /* 1..65536 */
	uint32_t next;  /* 0, or the count that takes over at the next reload */
	/* Accesses of two bytes: what was written first; that the second one is next. */
	uint8_t low;
	bool writes_high, reads_high;
	bool latched, status_latched;
	uint16_t latch;
	uint8_t status;
};

struct pit8254 {
	struct hv_irq irq; /* counter 0's output */
	bool level;        /* what irq was last set to */
	bool speaker;      /* port 0x61 bit 1: nobody hears it */
	uint64_t rose;     /* ns: when irq last rose by a count */
	uint64_t due;      /* ns: when it will next */
	struct pit8254_counter counter[PIT8254_COUNTERS];
};

void pit8254_init(struct pit8254 *pit, struct hv_irq irq);

/* The device of both regions is the struct pit8254, under one lock of HV_LOCK_DEV. */
extern const struct hv_dev_ops pit8254_ops, pit8254_gate_ops;

#endif

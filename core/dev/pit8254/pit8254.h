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

struct pit8254_counter {
	uint8_t control; /* access, mode and BCD, as in the control word */
	bool gate;
	bool loaded;      /* a count was written since the control word */
	bool low_written; /* of a count of two bytes, the first is in `low` */
	bool high_next;   /* of a count of two bytes, the second is read next */
	uint8_t low;
	uint8_t latched; /* bytes of `latch` that are still to be read: 0..2 */
	uint16_t latch;
	bool status_latched;
	uint8_t status;
	uint32_t count, next; /* 1..65536; next: taken over at the end of a period */
	uint64_t start;       /* tick at which the count began; UINT64_MAX: waits for its gate */
	uint32_t paused;      /* gate low: where the count stands */
};

struct pit8254 {
	struct hv_irq irq; /* counter 0's output */
	bool level;        /* what irq was last set to */
	bool speaker;      /* port 0x61 bit 1: nobody hears it */
	uint64_t due;      /* ns: counter 0's next rising edge */
	struct pit8254_counter counter[PIT8254_COUNTERS];
};

void pit8254_init(struct pit8254 *pit, struct hv_irq irq);

/* The device of both regions is the struct pit8254, under one lock of HV_LOCK_DEV. */
extern const struct hv_dev_ops pit8254_ops, pit8254_gate_ops;

#endif

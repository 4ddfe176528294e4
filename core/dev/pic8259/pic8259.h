/* SPDX-License-Identifier: MIT */
/*
 * The two interrupt controllers 8259A of a PC as one device, the second one behind pin 2 of the
 * first. Sources: Intel 8259A datasheet (231468-003); for the edge/level registers (ELCR), Intel
 * 82371AB datasheet (290562-001) 8.1. What these leave open is in README.md.
 *
 * It locks for itself (HV_LOCK_IRQC): the bus needs no lock for its regions.
 */
#ifndef PIC8259_H
#define PIC8259_H

#include <hv/dev.h>
#include <hv/irq.h>
#include <hv/port.h>

#define PIC8259_MASTER    0x20u  /* two ports */
#define PIC8259_SLAVE     0xa0u  /* two ports */
#define PIC8259_ELCR      0x4d0u /* one port per chip */
#define PIC8259_PORT_SIZE 2u
#define PIC8259_IRQS      16u

struct pic8259_chip {
	uint8_t lines, irr, isr, imr; /* one bit per pin */
	uint8_t elcr;                 /* pins that are level-triggered */
	uint8_t elcr_mask;            /* those that may be */
	uint8_t vector;               /* of pin 0 */
	uint8_t lowest;               /* the pin with the lowest priority; 7 unless rotated */
	uint8_t icw;                  /* which of ICW2..4 comes next; 0: none */
	bool wants_icw4, single;
	bool auto_eoi, rotate_on_auto_eoi, nested, special_mask;
	bool reads_isr, poll;
};

struct pic8259 {
	struct pic8259_chip chip[2]; /* master, slave */
	struct hv_irq out;           /* INT, to a local APIC's LINT0 */
	bool level;                  /* what out was last set to */
	struct hv_lock lock;
};

void pic8259_init(struct pic8259 *pic, struct hv_irq out);
/* IRQ 0..15 (2 is nobody's): the shape of hv_irq.set, ctl is the struct pic8259. Anyone. */
void pic8259_irq_set(void *ctl, uint32_t irq, bool level);
/* The CPU acknowledges (INTA): which vector; a spurious one if nothing is there any more. */
uint8_t pic8259_ack(void *ctl);

/* The device of all three regions is the struct pic8259. Each reset is the whole pair's; inputs
 * keep their level. */
extern const struct hv_dev_ops pic8259_master_ops, pic8259_slave_ops, pic8259_elcr_ops;

#endif

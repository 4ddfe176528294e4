/* SPDX-License-Identifier: MIT */
/* PrimeCell real time clock PL031: seconds, and an alarm. Source: ARM DDI 0224C, chapters 2, 3. */
#ifndef PL031_H
#define PL031_H

#include <hv/dev.h>
#include <hv/irq.h>

enum pl031_reg {
	PL031_DR = 0x00,
	PL031_MR = 0x04,
	PL031_LR = 0x08,
	PL031_CR = 0x0c,
	PL031_IMSC = 0x10,
	PL031_RIS = 0x14,
	PL031_MIS = 0x18,
	PL031_ICR = 0x1c,
	PL031_ID = 0xfe0, /* PeriphID0..3, PCellID0..3 */
};

struct pl031 {
	struct hv_irq irq; /* RTCINTR */
	uint64_t epoch;    /* seconds since 1970 at now = 0; what a reset goes back to */
	uint64_t seen;     /* now in whole seconds, up to which matches were looked for */
	uint32_t offset;   /* the counter is offset + now in seconds, modulo 2^32 */
	uint32_t match, load;
	bool raw, mask; /* bit 0 of RIS and of IMSC */
	bool level;     /* what irq was last set to */
};

extern const struct hv_dev_ops pl031_ops;

void pl031_init(struct pl031 *rtc, uint64_t epoch, struct hv_irq irq);

#endif

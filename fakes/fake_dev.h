/* SPDX-License-Identifier: MIT */
/* A device that a test scripts and inspects. */
#ifndef FAKE_DEV_H
#define FAKE_DEV_H

#include <hv/dev.h>
#include <hv/irq.h>

struct fake_dev {
	/* Script. */
	bool refuse;       /* access() answers false */
	uint64_t answer;   /* what a read gives */
	uint64_t due;      /* what expire() returns */
	struct hv_irq irq; /* raised by a write, lowered by reset */
	/* Record. */
	unsigned accesses, resets, polls, expires;
	struct hv_access last; /* as it came in */
	uint64_t expired_at;   /* `now` of the last expire() */
	unsigned locks_held;   /* during the last call of any kind */
};

/* With all four ops; and with only the two that every device has. */
extern const struct hv_dev_ops fake_timer_ops, fake_dev_ops;

#endif

/* SPDX-License-Identifier: MIT */
/* An interrupt pin: how a device reaches whatever its output is wired to. The board wires it. */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/types.h>

/* set == NULL: not connected. Callable with an HV_LOCK_DEV held; it takes HV_LOCK_IRQC and above.
 */
struct hv_irq {
	void (*set)(void *ctl, uint32_t line, bool level);
	void *ctl;
	uint32_t line;
};

static inline void hv_irq_set(const struct hv_irq *irq, bool level)
{
	if (irq->set) {
		irq->set(irq->ctl, irq->line, level);
	}
}

#endif

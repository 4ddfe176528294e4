/* SPDX-License-Identifier: MIT */
/*
 * A bounded byte ring with one producer and one consumer, which may run on two CPUs without a lock;
 * and a channel: the two rings between an emulated serial device and whoever owns its other end.
 */
#ifndef HV_RING_H
#define HV_RING_H

#include <hv/irq.h>
#include <hv/types.h>
#include <stdatomic.h>

#define HV_RING_SIZE 1024u /* a power of two */

struct hv_ring {
	_Atomic uint32_t head, tail; /* free-running: head - tail bytes are in the ring */
	uint8_t byte[HV_RING_SIZE];
};

static inline uint32_t hv_ring_count(const struct hv_ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire) -
	       atomic_load_explicit(&ring->tail, memory_order_acquire);
}

/* Producer only. False when the ring is full; nothing is overwritten. */
HV_WARN_UNUSED bool hv_ring_put(struct hv_ring *ring, uint8_t byte);
/* Consumer only. False when the ring is empty. */
HV_WARN_UNUSED bool hv_ring_get(struct hv_ring *ring, uint8_t *byte);

/*
 * to_host: the device produces, the owner consumes. to_guest: the other way round.
 * The device pulses `sent` (set(…, true)) after it put bytes into to_host, and `taken` after it
 * took some from to_guest; a pin with set == NULL is not connected. After the owner put bytes into
 * to_guest or made room in to_host it calls the device's hv_dev_ops.poll, through the bus.
 *
 * pass(): the owner's short way round the ring, or NULL: it takes a byte at once when none waits in
 * to_host. False: it did not, and the ring is the way; `sent` is not pulsed for what it took.
 */
struct hv_chan {
	struct hv_ring to_host, to_guest;
	struct hv_irq sent, taken;
	bool (*pass)(struct hv_chan *chan, uint8_t byte);
};

#endif

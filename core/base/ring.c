/* SPDX-License-Identifier: MIT */
/*
 * Each index has one writer. The release of an index publishes the bytes before it (head), or that
 * they have been read (tail); the other side's acquire pairs with it.
 */
#include <hv/ring.h>

#define MASK (HV_RING_SIZE - 1u)

_Static_assert((HV_RING_SIZE & MASK) == 0, "free-running indices need a power of two");

bool hv_ring_put(struct hv_ring *ring, uint8_t byte)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head - tail >= HV_RING_SIZE) {
		return false;
	}
	ring->byte[head & MASK] = byte;
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

bool hv_ring_get(struct hv_ring *ring, uint8_t *byte)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	if (head == tail) {
		return false;
	}
	*byte = ring->byte[tail & MASK];
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}

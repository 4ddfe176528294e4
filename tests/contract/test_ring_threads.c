/* SPDX-License-Identifier: MIT */
/* The ring's promise, with a real producer and a real consumer and no lock. */
#include <unit.h>

#include <hv/ring.h>
#include <pthread.h>
#include <sched.h>

#define BYTES 200000u

static struct hv_ring ring;

static uint8_t byte_number(unsigned i)
{
	return (uint8_t)(i * 31 + (i >> 8));
}

static void *produce(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < BYTES; i++) {
		while (!hv_ring_put(&ring, byte_number(i))) {
			sched_yield();
		}
	}
	return NULL;
}

static void ring__producer_and_consumer_on_two_threads__every_byte_in_order(void **state)
{
	pthread_t producer;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, produce, NULL), 0);
	for (unsigned i = 0; i < BYTES; i++) {
		uint8_t byte = 0;

		while (!hv_ring_get(&ring, &byte)) {
			sched_yield();
		}
		wrong += byte != byte_number(i);
	}
	pthread_join(producer, NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(hv_ring_count(&ring), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(ring__producer_and_consumer_on_two_threads__every_byte_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

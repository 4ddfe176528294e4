/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <hv/ring.h>

static void ring_get__empty__is_refused_and_writes_nothing(void **state)
{
	struct hv_ring ring = {0};
	uint8_t byte = 0xa5;

	(void)state;
	assert_false(hv_ring_get(&ring, &byte));
	assert_int_equal(byte, 0xa5);
	assert_int_equal(hv_ring_count(&ring), 0);
}

static void ring_put__full__is_refused_and_overwrites_nothing(void **state)
{
	struct hv_ring ring = {0};
	uint8_t byte;

	(void)state;
	for (unsigned i = 0; i < HV_RING_SIZE; i++) {
		assert_true(hv_ring_put(&ring, (uint8_t)(i * 7)));
		assert_int_equal(hv_ring_count(&ring), i + 1);
	}
	assert_false(hv_ring_put(&ring, 0xff));
	assert_int_equal(hv_ring_count(&ring), HV_RING_SIZE);
	for (unsigned i = 0; i < HV_RING_SIZE; i++) {
		assert_true(hv_ring_get(&ring, &byte));
		assert_int_equal(byte, (uint8_t)(i * 7));
	}
	assert_false(hv_ring_get(&ring, &byte));
}

static void ring_get__one_taken_from_a_full_ring__makes_room_for_one(void **state)
{
	struct hv_ring ring = {0};
	uint8_t byte;

	(void)state;
	while (hv_ring_put(&ring, 1)) {
	}
	assert_true(hv_ring_get(&ring, &byte));
	assert_true(hv_ring_put(&ring, 2));
	assert_false(hv_ring_put(&ring, 3));
}

static void ring_put__indices_wrap_at_2_to_32__keeps_order_and_bounds(void **state)
{
	struct hv_ring ring = {.head = UINT32_MAX - 2, .tail = UINT32_MAX - 2};
	uint8_t byte;

	(void)state;
	for (unsigned i = 0; i < HV_RING_SIZE; i++) {
		assert_true(hv_ring_put(&ring, (uint8_t)i));
	}
	assert_false(hv_ring_put(&ring, 0));
	for (unsigned i = 0; i < HV_RING_SIZE; i++) {
		assert_true(hv_ring_get(&ring, &byte));
		assert_int_equal(byte, (uint8_t)i);
	}
	assert_int_equal(hv_ring_count(&ring), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(ring_get__empty__is_refused_and_writes_nothing),
		hv_unit_test(ring_put__full__is_refused_and_overwrites_nothing),
		hv_unit_test(ring_get__one_taken_from_a_full_ring__makes_room_for_one),
		hv_unit_test(ring_put__indices_wrap_at_2_to_32__keeps_order_and_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

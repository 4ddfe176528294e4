/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/virtio/virtio.h>

static uint64_t rd(uint64_t off, uint8_t size)
{
	struct hv_access access = {.off = off, .data = 0xdeadbeefdeadbeef, .size = size};

	assert_true(virtio_empty_ops.access(NULL, &access));
	return access.data;
}

static void virtio_empty__each_slot__says_that_nothing_is_there(void **state)
{
	(void)state;
	for (uint64_t slot = 0; slot < 32; slot++) {
		uint64_t base = slot * VIRTIO_MMIO_SLOT_SIZE;

		assert_int_equal(rd(base, 4), 0x74726976);
		assert_int_equal(rd(base + 4, 4), 1);
		assert_int_equal(rd(base + 8, 4), 0); /* device ID */
		assert_int_equal(rd(base + 0xc, 4), 0x4b445244);
		for (uint64_t off = 0x10; off < VIRTIO_MMIO_SLOT_SIZE; off += 4) {
			assert_int_equal(rd(base + off, 4), 0);
		}
	}
}

static void virtio_empty__other_width__reads_as_zero(void **state)
{
	(void)state;
	assert_int_equal(rd(0, 1), 0);
	assert_int_equal(rd(0, 2), 0);
	assert_int_equal(rd(0, 8), 0);
	assert_int_equal(rd(1, 4), 0);
}

static void virtio_empty__written__stays_as_it_is(void **state)
{
	(void)state;
	for (uint64_t off = 0; off < VIRTIO_MMIO_SLOT_SIZE; off += 4) {
		struct hv_access access = {.off = off, .data = ~0u, .size = 4, .write = true};

		assert_true(virtio_empty_ops.access(NULL, &access));
	}
	virtio_empty_ops.reset(NULL);
	assert_int_equal(rd(0, 4), 0x74726976);
	assert_int_equal(rd(8, 4), 0);
	assert_int_equal(rd(0x70, 4), 0); /* status */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(virtio_empty__each_slot__says_that_nothing_is_there),
		hv_unit_test(virtio_empty__other_width__reads_as_zero),
		hv_unit_test(virtio_empty__written__stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

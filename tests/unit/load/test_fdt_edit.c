/* SPDX-License-Identifier: MIT */
/* A property's value replaced in place: libfdt reads what it would have written itself. */
#include <unit.h>

#include <hv/bits.h>

#include "fdt_kit.h"

static _Alignas(8) uint8_t buf[4096], before[4096];
static struct hv_fdt fdt;
static struct hv_fdt_node node;
static struct hv_load_error error;

static void open_at(const char *path)
{
	memset(buf, 0, sizeof(buf));
	(void)kit_fdt_machine(buf, sizeof(buf));
	assert_int_equal(
		hv_fdt_open(&fdt, (struct hv_blob){buf, fdt_totalsize(buf)}, &error), HV_OK);
	assert_int_equal(hv_fdt_find_path(&fdt, path, &node), HV_OK);
	memcpy(before, buf, sizeof(buf));
}

static enum hv_status set(const char *name, const void *value, size_t size)
{
	return hv_fdt_prop_set(
		buf, &fdt, &node, name, (struct hv_blob){.data = value, .size = size});
}

/* The same nodes with the same properties in both trees, but for one. */
static void assert_rest_is_same(const char *path, const char *name)
{
	int a = fdt_next_node(buf, -1, NULL), b = fdt_next_node(before, -1, NULL);
	int edited = fdt_path_offset(before, path);

	for (; b >= 0; a = fdt_next_node(buf, a, NULL), b = fdt_next_node(before, b, NULL)) {
		int p = fdt_first_property_offset(buf, a);
		int q = fdt_first_property_offset(before, b);

		assert_string_equal(fdt_get_name(buf, a, NULL), fdt_get_name(before, b, NULL));
		while (q >= 0) {
			const char *p_name, *q_name;
			int p_size, q_size;
			const void *p_value = fdt_getprop_by_offset(buf, p, &p_name, &p_size);
			const void *q_value = fdt_getprop_by_offset(before, q, &q_name, &q_size);

			assert_string_equal(p_name, q_name);
			if (b != edited || strcmp(q_name, name) != 0) {
				assert_int_equal(p_size, q_size);
				assert_memory_equal(p_value, q_value, (size_t)q_size);
			}
			p = fdt_next_property_offset(buf, p);
			q = fdt_next_property_offset(before, q);
		}
		assert_true(p < 0);
	}
	assert_true(a < 0);
}

static void prop_set__each_length_up_to_the_old_one__is_what_libfdt_reads(void **state)
{
	static const char value[] = "0123456789abcdefghij";
	static const char path[] = "/soc/uart";
	const void *found;
	int size;

	(void)state;
	for (size_t length = 0; length <= 20; length++) {
		open_at(path); /* compatible has 20 bytes */
		assert_int_equal(set("compatible", value, length), HV_OK);
		assert_int_equal(fdt_check_full(buf, fdt_totalsize(buf)), 0);
		found = fdt_getprop(
			buf, fdt_path_offset(buf, "/soc/uart@9000000"), "compatible", &size);
		assert_non_null(found);
		assert_int_equal(size, length);
		assert_memory_equal(found, value, length);
		assert_rest_is_same("/soc/uart@9000000", "compatible");
	}
}

static void prop_set__one_byte_too_many_or_no_such_property__changes_nothing(void **state)
{
	(void)state;
	open_at("/soc/uart");
	assert_int_equal(set("compatible", before, 21), HV_ERR_RANGE);
	assert_int_equal(set("missing", "", 0), HV_ERR_NOT_FOUND);
	assert_memory_equal(buf, before, sizeof(buf));
}

static void prop_set__again_and_again__never_grows_back(void **state)
{
	struct hv_blob value;

	(void)state;
	open_at("/soc/uart");
	for (size_t length = 20; length-- > 0;) {
		assert_int_equal(set("compatible", before, length), HV_OK);
		assert_int_equal(fdt_check_full(buf, fdt_totalsize(buf)), 0);
		assert_int_equal(set("compatible", before, length + 1), HV_ERR_RANGE);
	}
	assert_true(hv_fdt_prop(&fdt, &node, "compatible", &value));
	assert_int_equal(value.size, 0);
	assert_true(hv_fdt_prop(&fdt, &node, "status", &value)); /* behind all those NOPs */
	assert_rest_is_same("/soc/uart@9000000", "compatible");
}

static void prop_set__value_inside_the_old_one__may_overlap(void **state)
{
	struct hv_blob value;

	(void)state;
	open_at("/soc/uart");
	assert_true(hv_fdt_prop(&fdt, &node, "compatible", &value));
	assert_int_equal(set("compatible", (const char *)value.data + 5, 15), HV_OK);
	assert_true(hv_fdt_prop(&fdt, &node, "compatible", &value));
	assert_memory_equal(value.data, "uart\0arm,pl011", 15);
	/* The padding is 0 again. */
	assert_int_equal(((const uint8_t *)value.data)[15], 0);
}

static void prop_set__while_walking__later_nodes_are_still_met(void **state)
{
	struct hv_fdt_walk walk;
	unsigned nodes = 0;

	(void)state;
	open_at("/");
	hv_fdt_walk_init(&walk, &fdt);
	while (hv_fdt_walk_next(&walk, &node)) {
		const char *name;
		struct hv_blob value;

		while (hv_fdt_prop_at(&fdt, &node, 0, &name, &value) && value.size != 0) {
			assert_int_equal(set(name, NULL, 0), HV_OK);
		}
		nodes++;
	}
	assert_int_equal(nodes, 7);
	assert_int_equal(fdt_check_full(buf, fdt_totalsize(buf)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(prop_set__each_length_up_to_the_old_one__is_what_libfdt_reads),
		hv_unit_test(prop_set__one_byte_too_many_or_no_such_property__changes_nothing),
		hv_unit_test(prop_set__again_and_again__never_grows_back),
		hv_unit_test(prop_set__value_inside_the_old_one__may_overlap),
		hv_unit_test(prop_set__while_walking__later_nodes_are_still_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

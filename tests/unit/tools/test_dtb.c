/* SPDX-License-Identifier: MIT */
/* The device tree that guests get, read back with libfdt. */
#include <unit.h>

#include <board/virt_aarch64.h>
#include <dtb.h>
#include <libfdt.h>

static _Alignas(8) uint8_t buf[DTB_ROOM];
static struct hv_load_error error;

static struct hv_guest guest_of(uint16_t cpus, uint8_t gic)
{
	return (struct hv_guest){.cpus = cpus, .gic = gic, .ram_size = HV_MIB(256)};
}

static size_t make(const struct dtb_cfg *cfg)
{
	size_t used = 0;

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(dtb_make(cfg, buf, sizeof(buf), &used, &error), HV_OK);
	assert_int_equal(fdt_check_full(buf, used), 0);
	return used;
}

static const void *prop(const char *path, const char *name, int size)
{
	int node = fdt_path_offset(buf, path), found;
	const void *value = fdt_getprop(buf, node, name, &found);

	assert_non_null(value);
	assert_int_equal(found, size);
	return value;
}

static void dtb_make__one_cpu_gicv3__describes_the_board(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest};
	const fdt32_t *reg;

	(void)state;
	make(&cfg);
	reg = prop("/memory@40000000", "reg", 16);
	assert_int_equal(fdt64_ld((const fdt64_t *)reg), VIRT_A64_RAM);
	assert_int_equal(fdt64_ld((const fdt64_t *)(reg + 2)), HV_MIB(256));
	assert_string_equal(prop("/cpus/cpu@0", "enable-method", 5), "psci");
	assert_string_equal(prop("/psci", "method", 4), "hvc");
	assert_string_equal(prop("/intc@8000000", "compatible", 11), "arm,gic-v3");
	assert_true(fdt_path_offset(buf, "/flash@4000000") < 0);
	assert_true(fdt_path_offset(buf, "/cpus/cpu@1") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(dtb_make__one_cpu_gicv3__describes_the_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Where kernel, DTB and initrd go, and what is refused for want of room (F3, F7). */
#include <unit.h>

#include "load_kit.h"

#define RAM   0x40000000u
#define RAM_M 256u

static struct hv_load_plan plan;
static struct hv_load_error error;

static struct hv_guest guest_of(struct hv_blob kernel)
{
	return (struct hv_guest){.cpus = 1, .gic = 3, .ram_size = HV_MIB(RAM_M), .kernel = kernel};
}

static struct hv_blob image(uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	static uint8_t bytes[4096];

	return kit_image(bytes, sizeof(bytes), text_offset, image_size, flags);
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(&guest, GPA(RAM), &plan, &error);
}

static void plan_image__debian_6_1_numbers__kernel_at_ram_base(void **state)
{
	struct hv_guest guest = guest_of(image(0, 0x2010000, 0xa));

	(void)state;
	guest.dtb.size = 5000;
	guest.initrd.size = 3 * 4096 + 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_LINUX_A64);
	assert_int_equal(plan.entry.v, RAM);
	assert_int_equal(plan.kernel.v, RAM);
	assert_int_equal(plan.kernel_end.v, RAM + 0x2010000);
	assert_int_equal(plan.dtb.v, RAM + HV_MIB(RAM_M) - HV_KIB(64));
	assert_int_equal(plan.initrd.v, plan.dtb.v - 4 * 4096);
	assert_int_equal(plan.segment_count, 1);
	assert_int_equal(plan.segment[0].file_size, 4096);
	assert_int_equal(plan.segment[0].mem_size, 0x2010000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(plan_image__debian_6_1_numbers__kernel_at_ram_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

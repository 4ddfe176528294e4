/* SPDX-License-Identifier: MIT */
/* Any file as a bundle: refused, or VMs whose images lie in it and can be planned (F8). */
#include "fuzz.h"

#include "unit/load/load_kit.h"

#include <hv/bundle.h>

static void check_image(struct hv_blob image, const uint8_t *data, size_t size)
{
	if (image.size != 0) {
		FUZZ_CHECK(
			hv_range_inside((uintptr_t)image.data, image.size, (uintptr_t)data, size));
	}
}

static void check_vm(
	const struct hv_bundle *bundle, uint16_t index, const uint8_t *data, size_t size)
{
	struct hv_load_error error;
	struct hv_load_plan plan;
	struct hv_guest guest;

	FUZZ_CHECK(hv_bundle_vm(bundle, index, &guest, &error) == HV_OK);
	FUZZ_CHECK(guest.machine == bundle->machine);
	check_image(guest.kernel, data, size);
	check_image(guest.initrd, data, size);
	check_image(guest.dtb, data, size);
	check_image(guest.flash, data, size);
	if (hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(KIT_RAM), &plan, &error) ==
		HV_OK) {
		FUZZ_CHECK(kit_plan_is_sound(&plan, &guest));
	}
}

static bool is_for(uint16_t machine, const uint8_t *data, size_t size)
{
	struct hv_load_error error;
	struct hv_bundle bundle;

	if (hv_bundle_open(&bundle, machine, (struct hv_blob){data, size}, &error) != HV_OK) {
		FUZZ_CHECK(error.input != NULL && error.field != NULL && error.why != NULL);
		return false;
	}
	for (uint16_t i = 0; i < bundle.vm_count; i++) {
		check_vm(&bundle, i, data, size);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_arms = is_for(HV_MACHINE_AARCH64, data, size);
	bool is_riscvs = is_for(HV_MACHINE_RISCV, data, size);

	FUZZ_CHECK(!is_arms || !is_riscvs);
	return 0;
}

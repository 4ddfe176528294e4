/* SPDX-License-Identifier: MIT */
/*
 * Any file as a guest's kernel, with and without a load address: refused with an error that says
 * where, or loaded so that nothing but the guest's RAM changes (F1, F2, F3, F7).
 */
#include "fuzz.h"

#include "unit/load/load_kit.h"

#define RAM_SIZE 0x240000u /* so that an Image of RISC-V fits at 2 MiB */
#define GUARD    4096u

static _Alignas(4096) uint8_t memory[GUARD + RAM_SIZE + GUARD];

static bool is_guard_whole(const uint8_t *guard)
{
	for (size_t i = 0; i < GUARD; i++) {
		if (guard[i] != 0xa5) {
			return false;
		}
	}
	return true;
}

static struct hv_gmem make_ram(void)
{
	struct hv_gmem gmem = {.count = 1};

	gmem.region[0] = (struct hv_gmem_region){.gpa = {KIT_RAM},
		.size = RAM_SIZE,
		.hpa = {0x80000000},
		.host = memory + GUARD,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X};
	memset(memory, 0xa5, GUARD);
	memset(memory + GUARD + RAM_SIZE, 0xa5, GUARD);
	return gmem;
}

static void load(const struct hv_guest *guest, const struct hv_gmem *gmem)
{
	struct hv_load_error error;
	struct hv_load_plan plan;

	if (hv_load_plan(guest, GPA(KIT_RAM), &plan, &error) != HV_OK) {
		FUZZ_CHECK(error.input != NULL && error.field != NULL && error.why != NULL);
		FUZZ_CHECK(error.offset <= guest->kernel.size);
		return;
	}
	FUZZ_CHECK(kit_plan_is_sound(&plan, guest));
	FUZZ_CHECK(hv_load_commit(guest, &plan, gmem) == HV_OK);
	FUZZ_CHECK(is_guard_whole(memory) && is_guard_whole(memory + GUARD + RAM_SIZE));
}

static void load_for(uint16_t machine, const struct hv_gmem *gmem, struct hv_blob kernel)
{
	struct hv_guest guest = kit_guest(kernel);

	guest.machine = machine;
	guest.ram_size = RAM_SIZE;
	guest.dtb = guest.initrd = guest.kernel;
	load(&guest, gmem);
	guest.has_load_addr = true;
	guest.load_addr = GPA(KIT_RAM + 0x10000);
	load(&guest, gmem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_gmem gmem = make_ram();

	load_for(HV_MACHINE_AARCH64, &gmem, (struct hv_blob){data, size});
	load_for(HV_MACHINE_RISCV, &gmem, (struct hv_blob){data, size});
	return 0;
}

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

static struct hv_gmem make_ram(uint64_t base)
{
	struct hv_gmem gmem = {.count = 1};

	gmem.region[0] = (struct hv_gmem_region){.gpa = {base},
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

	if (hv_load_plan(hv_load_machine(guest->machine), guest, GPA(kit_ram(guest)), &plan,
		    &error) != HV_OK) {
		FUZZ_CHECK(error.input != NULL && error.field != NULL && error.why != NULL);
		FUZZ_CHECK(error.offset <= guest->kernel.size);
		return;
	}
	FUZZ_CHECK(kit_plan_is_sound(&plan, guest));
	FUZZ_CHECK(hv_load_commit(hv_load_machine(guest->machine), guest, &plan, gmem) == HV_OK);
	FUZZ_CHECK(is_guard_whole(memory) && is_guard_whole(memory + GUARD + RAM_SIZE));
}

static void load_for(uint16_t machine, struct hv_blob kernel)
{
	static const char words[] = "console=ttyS0";
	struct hv_guest guest = kit_guest(kernel);
	struct hv_gmem gmem;

	guest.machine = machine;
	guest.ram_size = RAM_SIZE;
	guest.initrd = kernel;
	if (machine == HV_MACHINE_X86_64) {
		guest.cmdline = (struct hv_blob){words, sizeof(words) - 1};
	} else {
		guest.dtb = kernel;
	}
	gmem = make_ram(kit_ram(&guest));
	load(&guest, &gmem);
	guest.has_load_addr = true;
	guest.load_addr = GPA(kit_ram(&guest) + 0x10000);
	load(&guest, &gmem);
	guest.load_addr = GPA(kit_ram(&guest) + 0x200000);
	load(&guest, &gmem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	load_for(HV_MACHINE_AARCH64, (struct hv_blob){data, size});
	load_for(HV_MACHINE_RISCV, (struct hv_blob){data, size});
	load_for(HV_MACHINE_X86_64, (struct hv_blob){data, size});
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* For those who load for every architecture. */
#include <load/load.h>

const struct load_machine *hv_load_machine(uint16_t number)
{
	switch (number) {
	case HV_MACHINE_AARCH64: return &hv_load_aarch64;
	case HV_MACHINE_RISCV: return &hv_load_riscv64;
	case HV_MACHINE_X86_64: return &hv_load_x86_64;
	default: return NULL;
	}
}

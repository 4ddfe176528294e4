/* SPDX-License-Identifier: MIT */
/* SBI 2.0, chapter 4: who answers, and what there is. And Drydock's own call. */
#include "sbi.h"

#include <hv/power.h>

#define IMPL_VERSION 1u /* 0.1 */

/* The version of the specification is answered before. The virtual hart's maker is nobody. */
enum hv_verdict rv64_sbi_base(struct rv64_vcpu *vcpu, uint32_t fn)
{
	switch (fn) {
	case SBI_BASE_IMPL_ID: return rv64_sbi_return(vcpu, SBI_SUCCESS, SBI_IMPL_ID);
	case SBI_BASE_IMPL_VERSION: return rv64_sbi_return(vcpu, SBI_SUCCESS, IMPL_VERSION);
	case SBI_BASE_PROBE:
		return rv64_sbi_return(
			vcpu, SBI_SUCCESS, rv64_sbi_has((uint32_t)rv64_sbi_arg(vcpu, 0)));
	case SBI_BASE_MVENDORID:
	case SBI_BASE_MARCHID:
	case SBI_BASE_MIMPID: return rv64_sbi_return(vcpu, SBI_SUCCESS, 0);
	default: return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
}

/* A guest that tests itself says how that ended: 0 is a power-off, all else a crash. */
enum hv_verdict rv64_sbi_drydock(struct rv64_vcpu *vcpu, uint32_t fn)
{
	uint32_t code = (uint32_t)rv64_sbi_arg(vcpu, 0);

	if (fn != SBI_DRYDOCK_EXIT) {
		return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
	if (code == 0) {
		return hv_power_system(vcpu->hv.vm, false);
	}
	return hv_vm_crash(&vcpu->hv, "it said that it failed", code, vcpu->regs.pc);
}

/* SPDX-License-Identifier: MIT */
/*
 * Firmware calls by ecall from VS-mode: RISC-V SBI 2.0. a7 says which extension, a6 which of its
 * functions; both have 32 bits, the rest of the registers is not looked at. Arguments are a0..a5.
 * Nothing but a0 and a1 changes, and in a legacy call nothing but a0.
 */
#ifndef RV64_SBI_H
#define RV64_SBI_H

#include "entry.h"

enum rv64_sbi_error {
	SBI_SUCCESS = 0,
	SBI_ERR_FAILED = -1,
	SBI_ERR_NOT_SUPPORTED = -2,
	SBI_ERR_INVALID_PARAM = -3,
	SBI_ERR_DENIED = -4,
	SBI_ERR_INVALID_ADDRESS = -5,
	SBI_ERR_ALREADY_AVAILABLE = -6,
};

/* Extensions: a7. */
#define SBI_LEGACY_LAST 0x08u
#define SBI_BASE        0x10u
#define SBI_TIME        0x54494d45u
#define SBI_IPI         0x00735049u
#define SBI_RFENCE      0x52464e43u
#define SBI_HSM         0x0048534du
#define SBI_SRST        0x53525354u
#define SBI_DBCN        0x4442434eu
#define SBI_SUSP        0x53555350u
/* Drydock's own, in the range for firmware, whose low bits are the implementation's id. */
#define SBI_IMPL_ID 0x647279u /* "dry" */
#define SBI_DRYDOCK (0x0a000000u | SBI_IMPL_ID)

/* Legacy extensions have no functions. */
enum rv64_sbi_legacy_id {
	SBI_LEGACY_SET_TIMER,
	SBI_LEGACY_PUTCHAR,
	SBI_LEGACY_GETCHAR,
	SBI_LEGACY_CLEAR_IPI,
	SBI_LEGACY_SEND_IPI,
	SBI_LEGACY_FENCE_I,
	SBI_LEGACY_SFENCE_VMA,
	SBI_LEGACY_SFENCE_VMA_ASID,
	SBI_LEGACY_SHUTDOWN,
};

/* Functions: a6. */
enum rv64_sbi_base_fn {
	SBI_BASE_SPEC_VERSION,
	SBI_BASE_IMPL_ID,
	SBI_BASE_IMPL_VERSION,
	SBI_BASE_PROBE,
	SBI_BASE_MVENDORID,
	SBI_BASE_MARCHID,
	SBI_BASE_MIMPID,
};
enum rv64_sbi_rfence_fn {
	SBI_RFENCE_FENCE_I,
	SBI_RFENCE_SFENCE_VMA,
	SBI_RFENCE_SFENCE_VMA_ASID, /* the functions behind it are for harts with H */
};
enum rv64_sbi_hsm_fn { SBI_HSM_START, SBI_HSM_STOP, SBI_HSM_STATUS, SBI_HSM_SUSPEND };
enum rv64_sbi_dbcn_fn { SBI_DBCN_WRITE, SBI_DBCN_READ, SBI_DBCN_WRITE_BYTE };
enum rv64_sbi_drydock_fn { SBI_DRYDOCK_EXIT };

/* Handles the call in the vCPU's registers, whose PC is behind the ecall already. */
HV_WARN_UNUSED enum hv_verdict rv64_sbi_call(struct rv64_vcpu *vcpu);

/* The handlers of one extension each, by its function. */
HV_WARN_UNUSED enum hv_verdict rv64_sbi_base(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_rfence(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_hsm(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_srst(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_susp(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_dbcn(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_drydock(struct rv64_vcpu *vcpu, uint32_t fn);
HV_WARN_UNUSED enum hv_verdict rv64_sbi_legacy(struct rv64_vcpu *vcpu, uint32_t ext);
/* Whether there is such an extension. */
bool rv64_sbi_has(uint32_t ext);

/* ---- what several of them share ---- */

static inline uint64_t rv64_sbi_arg(const struct rv64_vcpu *vcpu, unsigned n)
{
	return vcpu->regs.x[10 + n];
}

static inline enum hv_verdict rv64_sbi_return(
	struct rv64_vcpu *vcpu, enum rv64_sbi_error error, uint64_t value)
{
	vcpu->regs.x[10] = (uint64_t)(int64_t)error;
	vcpu->regs.x[11] = value;
	return HV_RESUME;
}

/* The call has to wait: the guest comes again with the same one. */
static inline HV_WARN_UNUSED enum hv_verdict rv64_sbi_retry(struct rv64_vcpu *vcpu)
{
	vcpu->regs.pc -= 4;
	return HV_YIELD;
}

/* vCPUs of the VM, by bits: of harts that do not exist, missing says one. */
struct rv64_sbi_harts {
	uint32_t vcpus;
	bool missing;
};
/* base UINT64_MAX: all, whatever the mask is. */
struct rv64_sbi_harts rv64_sbi_harts(const struct rv64_vcpu *vcpu, uint64_t mask, uint64_t base);
void rv64_sbi_ipi(struct rv64_vcpu *vcpu, uint32_t vcpus);
/* Of [start, start+size), which may be anything. */
enum rv64_sbi_error rv64_sbi_fence(struct rv64_vcpu *vcpu, enum rv64_fence_op op, uint32_t vcpus,
	uint64_t start, uint64_t size, uint64_t asid);

/* Whether a hart can start there. */
bool rv64_sbi_can_start(const struct rv64_vcpu *vcpu, uint64_t pc);
/* Waits for an interrupt as a suspended hart, unless there is one. */
HV_WARN_UNUSED enum hv_verdict rv64_sbi_suspend(struct rv64_vcpu *vcpu);
/* The same, and goes on at pc as a hart that starts does. */
HV_WARN_UNUSED enum hv_verdict rv64_sbi_suspend_to(
	struct rv64_vcpu *vcpu, uint64_t pc, uint64_t arg);

/* One byte; false: there is no room now. A guest without a console has room for anything. */
bool rv64_sbi_put(struct rv64_vcpu *vcpu, uint8_t byte);

#endif

/* SPDX-License-Identifier: MIT */
/* SBI 2.0, chapter 12: the console by calls, beside the serial device. */
#include "sbi.h"

/* How many bytes there was room for; without a console they are thrown away. */
static uint32_t put(struct hv_vm *vm, const uint8_t *bytes, uint32_t count)
{
	return vm->console.chan ? hv_vm_write(vm, bytes, count) : count;
}

bool rv64_sbi_put(struct rv64_vcpu *vcpu, uint8_t byte)
{
	return put(vcpu->hv.vm, &byte, 1) == 1;
}

/* a0 bytes at the physical address in a1 and a2, all of which the guest may access so. */
static bool has_memory(const struct rv64_vcpu *vcpu, uint8_t prot)
{
	return rv64_sbi_arg(vcpu, 2) == 0 &&
	       hv_gmem_has(
		       &vcpu->hv.vm->gmem, GPA(rv64_sbi_arg(vcpu, 1)), rv64_sbi_arg(vcpu, 0), prot);
}

/* What one call does of it; the guest asks for the rest again. */
static uint32_t part(const struct rv64_vcpu *vcpu)
{
	uint64_t count = rv64_sbi_arg(vcpu, 0);

	return count < HV_CALL_WRITE ? (uint32_t)count : HV_CALL_WRITE;
}

static HV_COLD enum hv_verdict write(struct rv64_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->hv.vm;
	uint8_t bytes[HV_CALL_WRITE];
	uint32_t count = part(vcpu);
	enum hv_status status = HV_ERR_RANGE;

	if (has_memory(vcpu, HV_PROT_R)) {
		status = hv_gmem_copy_in(&vm->gmem, bytes, GPA(rv64_sbi_arg(vcpu, 1)), count);
	}
	if (status != HV_OK) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	return rv64_sbi_return(vcpu, SBI_SUCCESS, put(vm, bytes, count));
}

/* First the memory is looked at, as bytes that were taken cannot be put back. */
static HV_COLD enum hv_verdict read(struct rv64_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->hv.vm;
	uint8_t bytes[HV_CALL_WRITE];
	enum hv_status status = HV_ERR_RANGE;
	uint32_t count = 0;

	if (has_memory(vcpu, HV_PROT_W)) {
		count = hv_vm_read(vm, bytes, part(vcpu));
		status = hv_gmem_copy_out(&vm->gmem, GPA(rv64_sbi_arg(vcpu, 1)), bytes, count);
	}
	if (status != HV_OK) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	return rv64_sbi_return(vcpu, SBI_SUCCESS, count);
}

static enum hv_verdict write_byte(struct rv64_vcpu *vcpu)
{
	if (!rv64_sbi_put(vcpu, (uint8_t)rv64_sbi_arg(vcpu, 0))) {
		return rv64_sbi_retry(vcpu);
	}
	return rv64_sbi_return(vcpu, SBI_SUCCESS, 0);
}

enum hv_verdict rv64_sbi_dbcn(struct rv64_vcpu *vcpu, uint32_t fn)
{
	switch (fn) {
	case SBI_DBCN_WRITE: return write(vcpu);
	case SBI_DBCN_READ: return read(vcpu);
	case SBI_DBCN_WRITE_BYTE: return write_byte(vcpu);
	default: return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * From a #VMEXIT to a verdict. What guests do all the time comes first, and straight; an
 * instruction is stepped over only after it took effect.
 */
#include "svm.h"
#include "fault.h"
#include "rare.h"
#include "step.h"

#include <arch/x86_64/call.h>
#include <arch/x86_64/cpuid.h>
#include <arch/x86_64/device.h>
#include <arch/x86_64/event.h>
#include <arch/x86_64/mem.h>
#include <arch/x86_64/msr.h>
#include <arch/x86_64/pio.h>
#include <dev/lapic/lapic.h>

static const struct svm_plain plain_vmmcall = {0xd9010f, 3, X86_OP_VMMCALL};
static const struct svm_plain plain_cpuid = {0xa20f, 2, X86_OP_CPUID};
static const struct svm_plain plain_rdmsr = {0x320f, 2, X86_OP_RDMSR};
static const struct svm_plain plain_wrmsr = {0x300f, 2, X86_OP_WRMSR};
static const struct svm_plain plain_hlt = {0xf4, 1, X86_OP_HLT};

static HV_HOT enum hv_verdict vmmcall(struct x86_vcpu *vcpu)
{
	enum hv_verdict verdict;
	uint64_t length;

	if (vcpu->sys->cpl != 0) {
		return x86_raise(vcpu, X86_UD); /* H11 */
	}
	length = svm_length(vcpu, plain_vmmcall, &verdict);
	if (length == 0) {
		return verdict;
	}
	vcpu->hv.stats.exits[HV_EXIT_CALL]++;
	svm_step(vcpu, length);
	return x86_call(vcpu);
}

static HV_HOT enum hv_verdict cpuid(struct x86_vcpu *vcpu)
{
	enum hv_verdict verdict;
	uint64_t length = svm_length(vcpu, plain_cpuid, &verdict);

	if (length == 0) {
		return verdict;
	}
	vcpu->hv.stats.exits[HV_EXIT_SYSREG]++;
	x86_cpuid(vcpu);
	svm_step(vcpu, length);
	return HV_RESUME;
}

static HV_HOT bool rdmsr(struct x86_vcpu *vcpu)
{
	uint64_t *r = vcpu->regs.r, value;

	if (!x86_msr_read(vcpu, (uint32_t)r[X86_RCX], &value)) {
		return false;
	}
	r[X86_RAX] = (uint32_t)value;
	r[X86_RDX] = value >> 32;
	return true;
}

static HV_HOT bool wrmsr(struct x86_vcpu *vcpu)
{
	const uint64_t *r = vcpu->regs.r;

	return x86_msr_write(vcpu, (uint32_t)r[X86_RCX], r[X86_RDX] << 32 | (uint32_t)r[X86_RAX]);
}

static HV_HOT enum hv_verdict msr(struct x86_vcpu *vcpu, bool write)
{
	enum hv_verdict verdict;
	uint64_t length = svm_length(vcpu, write ? plain_wrmsr : plain_rdmsr, &verdict);

	if (length == 0) {
		return verdict;
	}
	if (!(write ? wrmsr(vcpu) : rdmsr(vcpu))) {
		return x86_raise_error(vcpu, X86_GP, 0);
	}
	vcpu->hv.stats.exits[HV_EXIT_SYSREG]++;
	svm_step(vcpu, length);
	return HV_RESUME;
}

/* By the three bits, of which one is set; no CPU says any other. */
static const uint8_t io_size[8] = {4, 1, 2, 4, 4, 4, 4, 4};

/* The CPU has looked at IOPL and the TSS; it says where the next instruction is. */
static HV_HOT enum hv_verdict port(struct x86_vcpu *vcpu, struct svm_control *control)
{
	uint64_t info = control->exit_info1;
	uint16_t number = (uint16_t)(info >> SVM_IO_PORT_SHIFT);
	uint8_t size = io_size[info >> SVM_IO_SIZE_SHIFT & 7];

	if (info & SVM_IO_STRING) {
		svm_shadow_end(vcpu);
		return x86_insn_emulate_port(vcpu, info & SVM_IO_IN, size);
	}
	if (info & SVM_IO_IN) {
		x86_port_in(vcpu, number, size);
	} else {
		x86_port_out(vcpu, number, size);
	}
	svm_step(vcpu, control->exit_info2 - vcpu->sys->rip);
	return HV_RESUME;
}

/* With interrupts off nothing but an NMI or INIT ends it, as on a PC (X17). */
static HV_HOT enum hv_verdict hlt(struct x86_vcpu *vcpu)
{
	enum hv_verdict verdict;
	uint64_t length = svm_length(vcpu, plain_hlt, &verdict);

	if (length == 0) {
		return verdict;
	}
	vcpu->hv.stats.exits[HV_EXIT_WAIT]++;
	svm_step(vcpu, length);
	vcpu->halted = true;
	if (vcpu->event.valid || vcpu->nmi_pending || lapic_pending(vcpu->lapic) != LAPIC_NOTHING) {
		x86_look(vcpu);
		return HV_RESUME;
	}
	return HV_BLOCK;
}

/* No instruction ends while another event is being delivered: these may have come in between. */
static HV_COLD enum hv_verdict other(struct x86_vcpu *vcpu, uint64_t code)
{
	svm_event_take_back(vcpu);
	svm_window_look(vcpu);
	return code == SVM_EXIT_NPF ? svm_nested_fault(vcpu) : svm_rare_handle(vcpu);
}

/* First the plain access to a device; memory that is not mapped yet faults once per block. */
static HV_HOT enum hv_verdict nested_fault(struct x86_vcpu *vcpu, const struct svm_control *control)
{
	uint64_t info = control->exit_info1, length;

	if (!(info & (SVM_NPF_WALK | SVM_NPF_FETCH | SVM_NPF_RESERVED)) &&
		!(control->exit_int_info & SVM_EVENT_VALID)) {
		length = x86_device_mov(vcpu, control->exit_info2, info & SVM_NPF_WRITE);
		if (length != 0) {
			svm_step(vcpu, length);
			return HV_RESUME;
		}
	}
	return other(vcpu, SVM_EXIT_NPF);
}

enum hv_verdict svm_exit_handle(struct x86_vcpu *vcpu)
{
	struct svm_control *control = &svm_vmcb(vcpu)->control;
	uint64_t code = control->exit_code;

	control->tlb_control = SVM_TLB_KEEP;
	switch (code) {
	case SVM_EXIT(VMMCALL): return vmmcall(vcpu);
	case SVM_EXIT(CPUID): return cpuid(vcpu);
	case SVM_EXIT(MSR): return msr(vcpu, control->exit_info1 & 1);
	case SVM_EXIT(IOIO): return port(vcpu, control);
	case SVM_EXIT_NPF: return nested_fault(vcpu, control);
	case SVM_EXIT(HLT): return hlt(vcpu);
	default: return other(vcpu, code);
	}
}

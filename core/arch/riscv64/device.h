/* SPDX-License-Identifier: MIT */
/* Accesses to devices by a guest-page fault's address. */
#ifndef RV64_DEVICE_H
#define RV64_DEVICE_H

#include "decode.h"
#include "rv64.h"

/*
 * Does what `insn` says, whose access begins at `va`, to a device; the PC stays. False: it is no
 * plain load or store of the direction and at the place of the fault, or nobody answered; nothing
 * has changed.
 */
HV_WARN_UNUSED bool rv64_device_access(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	const struct rv64_insn *insn, uint64_t va);

/* ---- parts of their callers, as these are hot ---- */

/* htval lacks the two lowest bits, which no translation changes. */
static HV_HOT uint64_t rv64_fault_gpa(const struct rv64_trap *trap)
{
	return trap->htval << 2 | (trap->stval & 3);
}

static HV_HOT enum hv_verdict rv64_device_ask(
	struct rv64_vcpu *vcpu, uint64_t gpa, struct hv_access *access)
{
	enum hv_verdict verdict = hv_exit_mmio(&vcpu->hv, gpa, access);

	if (verdict == HV_FAULT) {
		vcpu->hv.stats.exits[HV_EXIT_MMIO]--; /* it was an exit of another kind */
	}
	return verdict;
}

/* False: nobody answered, and nothing has changed. The data is zero above its size. */
static HV_HOT bool rv64_device_read(
	struct rv64_vcpu *vcpu, uint64_t gpa, size_t size, uint64_t *data)
{
	struct hv_access access;
	enum hv_verdict verdict;

	access.size = (uint8_t)size;
	access.write = false;
	access.data = 0;
	verdict = rv64_device_ask(vcpu, gpa, &access);
	*data = access.data;
	return verdict != HV_FAULT;
}

static HV_HOT bool rv64_device_write(
	struct rv64_vcpu *vcpu, uint64_t gpa, size_t size, uint64_t value)
{
	struct hv_access access;

	access.size = (uint8_t)size;
	access.write = true;
	access.data = value & (~(uint64_t)0 >> (64 - 8 * size));
	return rv64_device_ask(vcpu, gpa, &access) != HV_FAULT;
}

#endif

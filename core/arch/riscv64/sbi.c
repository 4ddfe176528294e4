/* SPDX-License-Identifier: MIT */
/* Which extension a call is for. */
#include "sbi.h"

#include <hv/bits.h>

#define VERSION_2_0 0x02000000u

struct extension {
	uint32_t id;
	enum hv_verdict (*call)(struct rv64_vcpu *vcpu, uint32_t fn);
};

static enum hv_verdict set_timer(struct rv64_vcpu *vcpu)
{
	rv64_timer_set(vcpu, rv64_sbi_arg(vcpu, 0));
	return rv64_sbi_return(vcpu, SBI_SUCCESS, 0);
}

static enum hv_verdict send_ipi(struct rv64_vcpu *vcpu)
{
	struct rv64_sbi_harts harts =
		rv64_sbi_harts(vcpu, rv64_sbi_arg(vcpu, 0), rv64_sbi_arg(vcpu, 1));

	if (harts.missing) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	rv64_sbi_ipi(vcpu, harts.vcpus);
	return rv64_sbi_return(vcpu, SBI_SUCCESS, 0);
}

/* Their only functions are told apart before the table is looked at. */
static enum hv_verdict no_other(struct rv64_vcpu *vcpu, uint32_t fn)
{
	(void)fn;
	return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
}

static const struct extension extensions[] = {
	{SBI_BASE, rv64_sbi_base},
	{SBI_TIME, no_other},
	{SBI_IPI, no_other},
	{SBI_RFENCE, rv64_sbi_rfence},
	{SBI_HSM, rv64_sbi_hsm},
	{SBI_SRST, rv64_sbi_srst},
	{SBI_DBCN, rv64_sbi_dbcn},
	{SBI_SUSP, rv64_sbi_susp},
	{SBI_DRYDOCK, rv64_sbi_drydock},
};

static const struct extension *find(uint32_t id)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(extensions); i++) {
		if (extensions[i].id == id) {
			return &extensions[i];
		}
	}
	return NULL;
}

bool rv64_sbi_has(uint32_t ext)
{
	return ext <= SBI_LEGACY_LAST || find(ext);
}

static HV_COLD enum hv_verdict call(struct rv64_vcpu *vcpu, uint32_t ext, uint32_t fn)
{
	const struct extension *extension;

	if (ext <= SBI_LEGACY_LAST) {
		return rv64_sbi_legacy(vcpu, ext);
	}
	if (ext == SBI_IPI && fn == 0) {
		return send_ipi(vcpu);
	}
	extension = find(ext);
	return extension ? extension->call(vcpu, fn) : no_other(vcpu, fn);
}

/*
 * The timer comes first, as it is the most frequent; the version needs no stack frame, so that the
 * cost of a call as such can be measured by it.
 */
enum hv_verdict rv64_sbi_call(struct rv64_vcpu *vcpu)
{
	uint32_t ext = (uint32_t)vcpu->regs.x[17], fn = (uint32_t)vcpu->regs.x[16]; /* H2 */

	if (ext == SBI_TIME && fn == 0) {
		return set_timer(vcpu);
	}
	if (ext == SBI_BASE && fn == SBI_BASE_SPEC_VERSION) {
		return rv64_sbi_return(vcpu, SBI_SUCCESS, VERSION_2_0);
	}
	return call(vcpu, ext, fn);
}

/* SPDX-License-Identifier: MIT */
/* Exception codes and the fields of vsstatus: priv 4.1.1, 4.1.9, 8.6. */
#ifndef RV64_PRIV_H
#define RV64_PRIV_H

#include "rv64.h"

#include <hv/bits.h>

/* scause of an exception: the standard's; what is not here is reserved, custom or M-mode's. */
enum rv64_cause {
	RV64_FETCH_MISALIGNED = 0,
	RV64_FETCH_FAULT = 1,
	RV64_ILLEGAL = 2,
	RV64_BREAKPOINT = 3,
	RV64_LOAD_MISALIGNED = 4,
	RV64_LOAD_FAULT = 5,
	RV64_STORE_MISALIGNED = 6, /* AMOs, too; and so below */
	RV64_STORE_FAULT = 7,
	RV64_ECALL_VU = 8,
	RV64_ECALL_HS = 9,
	RV64_ECALL_VS = 10,
	RV64_ECALL_M = 11,
	RV64_FETCH_PAGE = 12,
	RV64_LOAD_PAGE = 13,
	RV64_STORE_PAGE = 15,
	RV64_FETCH_GUEST = 20,
	RV64_LOAD_GUEST = 21,
	RV64_VIRTUAL_INSN = 22,
	RV64_STORE_GUEST = 23,
};

#define RV64_INTERRUPT HV_BIT(63)

/* Of an access that the guest's tables refuse, and of one that ends where nothing is. */
static inline enum rv64_cause rv64_page_fault(enum rv64_access access)
{
	static const enum rv64_cause causes[] = {
		[RV64_FETCH] = RV64_FETCH_PAGE,
		[RV64_LOAD] = RV64_LOAD_PAGE,
		[RV64_STORE] = RV64_STORE_PAGE,
	};

	return causes[access];
}

static inline enum rv64_cause rv64_access_fault(enum rv64_access access)
{
	static const enum rv64_cause causes[] = {
		[RV64_FETCH] = RV64_FETCH_FAULT,
		[RV64_LOAD] = RV64_LOAD_FAULT,
		[RV64_STORE] = RV64_STORE_FAULT,
	};

	return causes[access];
}

#define RV64_STATUS_SIE  HV_BIT(1)
#define RV64_STATUS_SPIE HV_BIT(5)
#define RV64_STATUS_SPP  HV_BIT(8)
#define RV64_STATUS_SUM  HV_BIT(18)
#define RV64_STATUS_MXR  HV_BIT(19)

#endif

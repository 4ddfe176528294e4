/* SPDX-License-Identifier: MIT */
/*
 * HV_CHECK(x): our own bug when x is false; stops the host with a message. No guest input may ever
 * reach a false one. HV_NEVER(x): a branch that defends against what other code already excludes;
 * it folds away in the coverage build, because no test can reach it.
 */
#ifndef HV_CHECK_H
#define HV_CHECK_H

#include <hv/port.h>

#define HV_CHECK_STR2(x) #x
#define HV_CHECK_STR(x)  HV_CHECK_STR2(x)
#ifdef HV_COVERAGE
#define HV_CHECK(x) ((void)sizeof(x))
#define HV_NEVER(x) ((void)sizeof(x), 0)
#else
#define HV_CHECK(x)                                                                                \
	(__builtin_expect(!!(x), 1) ? (void)0                                                      \
				    : port_panic(__FILE__ ":" HV_CHECK_STR(__LINE__) ": " #x))
#define HV_NEVER(x) __builtin_expect(!!(x), 0)
#endif

#endif

/* SPDX-License-Identifier: MIT */
#include "debug.h"

#include "sysreg.h"

#include <hv/bits.h>

#define DFR0_BRPS(dfr0) ((unsigned)hv_bits(dfr0, 15, 12)) /* how many, less one */
#define DFR0_WRPS(dfr0) ((unsigned)hv_bits(dfr0, 23, 20))

/* A register's number is part of the instruction; one that the CPU lacks is UNDEFINED. */
#define CLEAR(n, control, value)                                                                   \
	case n:                                                                                    \
		SYSREG_WRITE(control##n##_el1, 0);                                                 \
		SYSREG_WRITE(value##n##_el1, 0);                                                   \
		__attribute__((fallthrough));

#define CLEAR_FROM(last, control, value)                                                           \
	switch (last) {                                                                            \
		CLEAR(15, control, value)                                                          \
		CLEAR(14, control, value)                                                          \
		CLEAR(13, control, value)                                                          \
		CLEAR(12, control, value)                                                          \
		CLEAR(11, control, value)                                                          \
		CLEAR(10, control, value)                                                          \
		CLEAR(9, control, value)                                                           \
		CLEAR(8, control, value)                                                           \
		CLEAR(7, control, value)                                                           \
		CLEAR(6, control, value)                                                           \
		CLEAR(5, control, value)                                                           \
		CLEAR(4, control, value)                                                           \
		CLEAR(3, control, value)                                                           \
		CLEAR(2, control, value)                                                           \
		CLEAR(1, control, value)                                                           \
		CLEAR(0, control, value)                                                           \
	default: break;                                                                            \
	}

void debug_reset(void)
{
	uint64_t dfr0 = SYSREG_READ(id_aa64dfr0_el1);

	CLEAR_FROM(DFR0_BRPS(dfr0), dbgbcr, dbgbvr)
	CLEAR_FROM(DFR0_WRPS(dfr0), dbgwcr, dbgwvr)
	SYSREG_WRITE(mdccint_el1, 0);
	SYSREG_WRITE(osdlr_el1, 0);
	SYSREG_WRITE(oslar_el1, 0);
}

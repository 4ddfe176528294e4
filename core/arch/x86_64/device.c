/* SPDX-License-Identifier: MIT */
#include "device.h"

/* APM3 tables; with mod 0, rm 5 is a displacement from RIP. */
const uint8_t x86_modrm_length[32] = {
	2, 2, 2, 2, 3, 6, 2, 2, /* mod 0 */
	3, 3, 3, 3, 4, 3, 3, 3, /* mod 1: 8 bits */
	6, 6, 6, 6, 7, 6, 6, 6, /* mod 2: 32 bits */
	0, 0, 0, 0, 0, 0, 0, 0, /* mod 3: a register */
};

/* SPDX-License-Identifier: MIT */
/*
 * The CPU's breakpoints and watchpoints. They are the guest's: at EL2 none can match, because
 * MDCR_EL2.TDE and HCR_EL2.TGE are 0, and debug exceptions then go to EL1, never from above it
 * (DDI 0487, D2.4.1).
 */
#ifndef DEBUG_H
#define DEBUG_H

/*
 * As at power-on, all off and zero; but the OS lock is open, and no guest can close it. MDSCR_EL1
 * is a64_el1's.
 */
void debug_reset(void);

#endif

/* SPDX-License-Identifier: MIT */
/* EL2's format of common/stage1.h, and the map that boot.S begins with. */
#ifndef EL2_STAGE1_H
#define EL2_STAGE1_H

#include <hv/pt.h>

extern const struct hv_pt_fmt el2_stage1_fmt;

/* Adds the GiBs of a range to the boot map, RW XN, but where something is already. */
void boot_map_add(uint64_t base, uint64_t size, uint8_t type);

/* stage1_init() without the guard pages. */
HV_WARN_UNUSED enum hv_status el2_stage1_init(void);
/* From the boot map to the one that stage1_map() made. */
void el2_stage1_use(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own translation: every address maps to itself, with the least that it needs.
 * Built by core's page-table walker in a format of ours (stage1_fmt.c), from a pool inside the
 * image.
 */
#ifndef STAGE1_H
#define STAGE1_H

#include <hv/pt.h>

extern const struct hv_pt_fmt el2_stage1_fmt;

/* Adds the GiBs of a range to the boot map, RW XN, but where something is already. */
void boot_map_add(uint64_t base, uint64_t size, uint8_t type);

/*
 * Maps image and stacks, W^X; the boot map stays in use. The tables themselves are not mapped: once
 * stage1_use() was called, nothing in the hypervisor can change them. HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status stage1_init(void);
/* One more range, widened to whole pages. HV_ERR_OVERLAP, HV_ERR_NO_MEMORY. */
HV_WARN_UNUSED enum hv_status stage1_map(uint64_t base, uint64_t size, uint8_t prot, uint8_t type);
/* From the boot map to the one that stage1_map() made. */
void stage1_use(void);

#endif

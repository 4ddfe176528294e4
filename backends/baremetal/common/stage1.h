/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own translation: every address maps to itself, with the least that it needs.
 * Built by core's page-table walker in a format of each backend's, from a pool inside the image.
 */
#ifndef STAGE1_H
#define STAGE1_H

#include <hv/pt.h>

/*
 * Maps the image, W^X, by the symbols of link.ld; the translation that we booted with stays in use.
 * The tables themselves are not mapped: once they are in use, nothing in the hypervisor can change
 * them. HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status stage1_init(const struct hv_pt_fmt *fmt, uint8_t ia_bits);
/* One more range, widened to whole pages. HV_ERR_OVERLAP, HV_ERR_NO_MEMORY. */
HV_WARN_UNUSED enum hv_status stage1_map(uint64_t base, uint64_t size, uint8_t prot, uint8_t type);
/* A page of nothing, e.g. below a stack. */
HV_WARN_UNUSED enum hv_status stage1_drop(const void *page);
/* For the register that the CPU finds it by. */
hpa_t stage1_root(void);

#endif

/* SPDX-License-Identifier: MIT */
/* The door of the riscv64 guest architecture; so far only its nested page-table format. */
#ifndef RV64_H
#define RV64_H

#include <hv/pt.h>

/* G-stage: Sv39x4 (41 address bits), Sv48x4 (50) or Sv57x4 (59); hv_pt.levels says which. */
extern const struct hv_pt_fmt rv64_gstage_fmt;

#endif

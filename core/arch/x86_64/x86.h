/* SPDX-License-Identifier: MIT */
/* The door of the x86_64 guest architecture; so far only its nested page-table formats. */
#ifndef X86_H
#define X86_H

#include <hv/pt.h>

extern const struct hv_pt_fmt x86_npt_fmt; /* AMD SVM: the long-mode format, 4 levels */
extern const struct hv_pt_fmt x86_ept_fmt; /* Intel VMX, page-walk length 4 */

#endif

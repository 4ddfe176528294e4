/* SPDX-License-Identifier: MIT */
/* Inside of the architecture: editing what device trees say of harts. */
#ifndef RV64_ISA_H
#define RV64_ISA_H

#include "rv64.h"

/* What one name of an extension stands for, a letter or more, all of `size`; 0: not known. */
uint64_t rv64_isa_ext(const char *name, size_t size);
/*
 * Takes out of an ISA string, in place, all that is not in `have`, be it unknown or absent, and
 * leaves the rest as it is written. Returns the new length, at most the old one, with no NUL; 0
 * when it is no string of RV64.
 */
size_t rv64_isa_narrow(char *isa, size_t size, uint64_t have);

#endif

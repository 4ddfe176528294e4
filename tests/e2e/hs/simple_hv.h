/* SPDX-License-Identifier: MIT */
#ifndef SIMPLE_HV_H
#define SIMPLE_HV_H

#include <parts/selftest.h>

bool simple_hv_run(const struct selftest_ram *ram);

#endif

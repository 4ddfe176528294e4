/* SPDX-License-Identifier: MIT */
/* Ends of the image that are said on the console first. */
#ifndef END_H
#define END_H

#include <hv/load.h>

/* "end" record, and off. */
_Noreturn void end_run(const char *how);
/* What is wrong with which input, and where; then the end. */
_Noreturn void end_refuse(const struct hv_load_error *error);
/* Goes on only when all is fine. */
void end_unless(bool fine, const char *why);

#endif

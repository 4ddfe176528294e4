/* SPDX-License-Identifier: MIT */
/* Counts what was right and says what was not. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

void check(const char *what, bool right);
/* Says how many; whether all were right. */
bool check_summary(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How a test guest judges itself, on every architecture: each check prints "PASS name" or
 * "FAIL name …", and finish() ends with "ALL PASS" or "SOME FAILED" and switches the machine off.
 */
#ifndef GUEST_SAY_H
#define GUEST_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void print(const char *text);
void print_hex(uint64_t value);
void print_dec(uint64_t value);
void check(const char *name, bool ok);
void check_eq(const char *name, uint64_t got, uint64_t want);
_Noreturn void finish(void);

/* Each architecture's runtime has these. */
void put_char(char byte);
_Noreturn void power_off(void);

#endif

/* SPDX-License-Identifier: MIT */
/* One access to our own address space, and whether it went. Changes nothing there. */
#ifndef LOOK_H
#define LOOK_H

#include <stdbool.h>
#include <stdint.h>

bool look_read(uintptr_t at);
bool look_write(uintptr_t at);
/* Where the access's page fault goes, while another table of exceptions is loaded. */
extern const uint8_t look_fault[];

#endif

/* SPDX-License-Identifier: MIT */
/* Builds one line of text in a buffer of the caller's. What does not fit is cut off. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;
	size_t size, used;
};

/* A text over a char array. */
#define TEXT(array) ((struct text){.at = (array), .size = sizeof(array), .used = 0})

void text_char(struct text *text, char c);
void text_bytes(struct text *text, const char *bytes, size_t size);
/* NULL is written as "?". */
void text_str(struct text *text, const char *str);
/* "0x" and at least `digits` (1..16) hexadecimal digits. */
void text_hex(struct text *text, uint64_t value, unsigned digits);
void text_dec(struct text *text, uint64_t value);

#endif

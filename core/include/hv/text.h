/* SPDX-License-Identifier: MIT */
/* Builds one line of text in a buffer of the caller's. What does not fit is cut off. */
#ifndef HV_TEXT_H
#define HV_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct hv_text {
	char *at;
	size_t size, used;
};

/* A text over a char array. */
#define HV_TEXT(array) ((struct hv_text){.at = (array), .size = sizeof(array), .used = 0})

void hv_text_char(struct hv_text *text, char c);
void hv_text_bytes(struct hv_text *text, const char *bytes, size_t size);
/* NULL is written as "?". */
void hv_text_str(struct hv_text *text, const char *str);
/* "0x" and at least `digits` (1..16) hexadecimal digits. */
void hv_text_hex(struct hv_text *text, uint64_t value, unsigned digits);
void hv_text_dec(struct hv_text *text, uint64_t value);

#endif

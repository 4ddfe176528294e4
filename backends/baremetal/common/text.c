/* SPDX-License-Identifier: MIT */
#include "text.h"

#define MOST_DIGITS 20u /* of a 64-bit number in base 10 */

void text_char(struct text *text, char c)
{
	if (text->used < text->size) {
		text->at[text->used++] = c;
	}
}

void text_bytes(struct text *text, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		text_char(text, bytes[i]);
	}
}

void text_str(struct text *text, const char *str)
{
	for (const char *c = str ? str : "?"; *c; c++) {
		text_char(text, *c);
	}
}

static void put_number(struct text *text, uint64_t value, unsigned base, unsigned digits)
{
	char buffer[MOST_DIGITS];
	unsigned at = MOST_DIGITS;

	do {
		buffer[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (at && (value || MOST_DIGITS - at < digits));
	text_bytes(text, buffer + at, MOST_DIGITS - at);
}

void text_hex(struct text *text, uint64_t value, unsigned digits)
{
	text_str(text, "0x");
	put_number(text, value, 16, digits);
}

void text_dec(struct text *text, uint64_t value)
{
	put_number(text, value, 10, 1);
}

/* SPDX-License-Identifier: MIT */
#include <hv/text.h>

#define MOST_DIGITS 20u /* of a 64-bit number in base 10 */

void hv_text_char(struct hv_text *text, char c)
{
	if (text->used < text->size) {
		text->at[text->used++] = c;
	}
}

void hv_text_bytes(struct hv_text *text, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		hv_text_char(text, bytes[i]);
	}
}

void hv_text_str(struct hv_text *text, const char *str)
{
	for (const char *c = str ? str : "?"; *c; c++) {
		hv_text_char(text, *c);
	}
}

static void put_number(struct hv_text *text, uint64_t value, unsigned base, unsigned digits)
{
	char buffer[MOST_DIGITS];
	unsigned at = MOST_DIGITS;

	do {
		buffer[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (at && (value || MOST_DIGITS - at < digits));
	hv_text_bytes(text, buffer + at, MOST_DIGITS - at);
}

void hv_text_hex(struct hv_text *text, uint64_t value, unsigned digits)
{
	hv_text_str(text, "0x");
	put_number(text, value, 16, digits);
}

void hv_text_dec(struct hv_text *text, uint64_t value)
{
	put_number(text, value, 10, 1);
}

/* SPDX-License-Identifier: MIT */
/* What say.h promises, and what the compiler asks for. */
#include "say.h"

static unsigned failed_count;

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *out = to;

	for (const uint8_t *in = from; size; size--) {
		*out++ = *in++;
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	for (uint8_t *out = to; size; size--) {
		*out++ = (uint8_t)byte;
	}
	return to;
}

void print(const char *text)
{
	for (; *text; text++) {
		put_char(*text);
	}
}

void print_hex(uint64_t value)
{
	print("0x");
	for (int shift = 60; shift >= 0; shift -= 4) {
		if (shift == 0 || value >> shift) {
			put_char("0123456789abcdef"[value >> shift & 15]);
		}
	}
}

void print_dec(uint64_t value)
{
	if (value >= 10) {
		print_dec(value / 10);
	}
	put_char((char)('0' + value % 10));
}

void check(const char *name, bool ok)
{
	print(ok ? "PASS " : "FAIL ");
	print(name);
	print("\n");
	failed_count += !ok;
}

void check_eq(const char *name, uint64_t got, uint64_t want)
{
	if (got == want) {
		check(name, true);
		return;
	}
	failed_count++;
	print("FAIL ");
	print(name);
	print(" got ");
	print_hex(got);
	print(" want ");
	print_hex(want);
	print("\n");
}

_Noreturn void finish(void)
{
	print(failed_count ? "SOME FAILED\n" : "ALL PASS\n");
	power_off();
}

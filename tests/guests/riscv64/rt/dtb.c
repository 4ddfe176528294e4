/* SPDX-License-Identifier: MIT */
/* As much of a device tree's reader as a guest needs to know its hart. */
#include "guest.h"

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_NOP };

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static size_t length(const char *text)
{
	size_t size = 0;

	while (text[size]) {
		size++;
	}
	return size;
}

const char *dtb_string(const char *name)
{
	const uint8_t *base = (const uint8_t *)boot_dtb, *at = base + be32(base + 8);
	const char *strings = (const char *)base + be32(base + 12);

	for (;;) {
		uint32_t token = be32(at);

		at += 4;
		if (token == FDT_BEGIN_NODE) {
			at += (length((const char *)at) + 4) & ~3ul;
		} else if (token == FDT_PROP) {
			if (same(strings + be32(at + 4), name)) {
				return (const char *)at + 8;
			}
			at += 8 + ((be32(at) + 3) & ~3u);
		} else if (token != FDT_END_NODE && token != FDT_NOP) {
			return NULL;
		}
	}
}

static bool starts_with(const char *text, const char *word)
{
	while (*word && *text == *word) {
		text++;
		word++;
	}
	return !*word && (!*text || *text == '_');
}

/* "rv64" and letters, then names, each behind a '_'. */
bool isa_has(const char *extension)
{
	const char *isa = dtb_string("riscv,isa");

	if (!isa) {
		return false;
	}
	for (isa += 4; *isa && *isa != '_'; isa++) {
		if (*isa == extension[0] && !extension[1]) {
			return true;
		}
	}
	for (; *isa; isa++) {
		if (*isa == '_' && starts_with(isa + 1, extension)) {
			return true;
		}
	}
	return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Unicorn's TLB works with pages of 1 KiB for aarch64, although no AArch64 guest has any: each page
 * of the guest takes four entries, is taken for a "large" one, and a guest that invalidates one
 * page empties the TLB, 17 000 times while Linux boots. With 4 KiB the same boot takes two thirds
 * of the time.
 *
 * From 2.1.2 on, uc_ctl_set_page_size() sets it. 2.1.1 refuses that for aarch64, while the same
 * engine record has the same member for 32-bit Arm, where it may be set: so the member is found by
 * setting it there and seeing what changes, and is written here. Whether it took is for the caller
 * to check; when it did not, Unicorn is as slow as it comes, and right.
 */
#include "uc_engine.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Two sizes and what the member holds for them in 2.1.1, where it is one more than the exponent. */
#define SIZE_A 1024u
#define BITS_A 11u
#define SIZE_B 2048u
#define BITS_B 12u

#define PAGE_BITS 12u

struct images {
	uint8_t *fresh, *a, *b; /* the engine's record before, and with either size */
	size_t size;
};

static uint32_t word_at(const uint8_t *bytes, size_t at)
{
	uint32_t word;

	memcpy(&word, bytes + at, sizeof(word));
	return word;
}

/* The only word that changed, if it changed as it should; 0: none such. */
static size_t changed_word(const struct images *images)
{
	size_t found = 0;

	for (size_t at = 0; at + sizeof(uint32_t) <= images->size; at += sizeof(uint32_t)) {
		uint32_t fresh = word_at(images->fresh, at);
		uint32_t a = word_at(images->a, at), b = word_at(images->b, at);

		if (fresh == a && a == b) {
			continue;
		}
		if (found || fresh != 0 || a != BITS_A || b != BITS_B) {
			return 0;
		}
		found = at;
	}
	return found;
}

static bool take_images(uc_engine *arm, struct images *images)
{
	memcpy(images->fresh, arm, images->size);
	if (uc_ctl_set_page_size(arm, SIZE_A) != UC_ERR_OK) {
		return false;
	}
	memcpy(images->a, arm, images->size);
	if (uc_ctl_set_page_size(arm, SIZE_B) != UC_ERR_OK) {
		return false;
	}
	memcpy(images->b, arm, images->size);
	return true;
}

/*
 * Bytes of an engine's record, at least: what malloc() gave may be a little more for one engine
 * than for another.
 */
static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The member's offset in an engine record of at most `size` bytes; 0: not found. */
static size_t find_member(size_t size)
{
	struct images images;
	uint8_t *bytes;
	uc_engine *arm;
	size_t at = 0;

	if (uc_open(UC_ARCH_ARM, UC_MODE_ARM, &arm) != UC_ERR_OK) {
		return 0;
	}
	images.size = smaller(size, malloc_usable_size(arm));
	bytes = malloc(3 * images.size);
	if (bytes) {
		images.fresh = bytes;
		images.a = bytes + images.size;
		images.b = bytes + 2 * images.size;
		at = take_images(arm, &images) ? changed_word(&images) : 0;
	}
	free(bytes);
	(void)uc_close(arm);
	return at;
}

void sim_engine_page_size(uc_engine *uc)
{
	const uint32_t bits = PAGE_BITS;
	size_t at;

	if (uc_ctl_set_page_size(uc, SIM_PAGE_SIZE) == UC_ERR_OK) {
		return;
	}
	at = find_member(malloc_usable_size(uc));
	if (at && word_at((const uint8_t *)uc, at) == 0) {
		memcpy((uint8_t *)uc + at, &bits, sizeof(bits));
	}
}

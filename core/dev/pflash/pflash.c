/* SPDX-License-Identifier: MIT */
/* Reads give the bytes, little-endian; writes (commands of a probe among them) change nothing. */
#include <dev/pflash/pflash.h>
#include <hv/bits.h>

static uint8_t byte_at(const struct pflash *flash, uint64_t off)
{
	return off < flash->size ? flash->byte[off] : 0xff;
}

static bool pflash_access(void *dev, struct hv_access *access)
{
	const struct pflash *flash = dev;

	if (access->write) {
		return true;
	}
	access->data = 0;
	for (unsigned i = 0; i < access->size; i++) {
		access->data |= (uint64_t)byte_at(flash, access->off + i) << (8 * i);
	}
	return true;
}

/* No state, no line. */
static void pflash_reset(void *dev)
{
	(void)dev;
}

void pflash_init(struct pflash *flash, const uint8_t *byte, uint64_t size)
{
	*flash = (struct pflash){.byte = byte, .size = size};
}

const struct hv_dev_ops pflash_ops = {
	.name = "pflash",
	.access = pflash_access,
	.reset = pflash_reset,
};

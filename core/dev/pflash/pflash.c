/* SPDX-License-Identifier: MIT */
/* Writes (commands of a probe among them) change nothing; what lies past the image reads as ones.
 */
#include <dev/pflash/pflash.h>
#include <hv/bits.h>

static bool pflash_access(void *dev, struct hv_access *access)
{
	const struct pflash *flash = dev;

	if (access->write) {
		return true;
	}
	if (access->off < flash->size) {
		return false; /* the memory map's to answer */
	}
	access->data = HV_MASK(access->size * 8 - 1, 0);
	return true;
}

/* No state, no line. */
static void pflash_reset(void *dev)
{
	(void)dev;
}

void pflash_init(struct pflash *flash, uint64_t size)
{
	*flash = (struct pflash){.size = size};
}

const struct hv_dev_ops pflash_ops = {
	.name = "pflash",
	.access = pflash_access,
	.reset = pflash_reset,
};

/* SPDX-License-Identifier: MIT */
/* Device ID 0: "a driver must ignore it" (4.2.3.1.1). Writes and all other registers are RAZ/WI. */
#include <dev/virtio/virtio.h>

#define MAGIC_VALUE 0x000u
#define VERSION     0x004u
#define VENDOR_ID   0x00cu

#define MAGIC  0x74726976u /* "virt" */
#define LEGACY 1u          /* what the slots of QEMU's `virt` say, and drivers of all ages know */
#define VENDOR 0x4b445244u /* "DRDK" */

static uint32_t reg_read(uint64_t off)
{
	switch (off) {
	case MAGIC_VALUE: return MAGIC;
	case VERSION: return LEGACY;
	case VENDOR_ID: return VENDOR;
	default: return 0;
	}
}

static bool empty_access(void *dev, struct hv_access *access)
{
	(void)dev;
	if (!access->write) {
		access->data =
			access->size == 4 ? reg_read(access->off % VIRTIO_MMIO_SLOT_SIZE) : 0;
	}
	return true;
}

static void empty_reset(void *dev)
{
	(void)dev;
}

const struct hv_dev_ops virtio_empty_ops = {
	.name = "virtio-empty",
	.access = empty_access,
	.reset = empty_reset,
};

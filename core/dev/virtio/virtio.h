/* SPDX-License-Identifier: MIT */
/*
 * The virtio-mmio transport (Virtual I/O Device 1.2, 4.2). For now only its empty slots, which a
 * guest that probes for devices finds at their fixed places. They have no state: dev is not used.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <hv/dev.h>

#define VIRTIO_MMIO_SLOT_SIZE 0x200u

/* Any number of slots, one after the other, with no device in them. */
extern const struct hv_dev_ops virtio_empty_ops;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * QEMU's firmware configuration by ports, as far as test programs and small kernels ask it: what
 * machine this is. No files, no DMA. Source: QEMU, docs/specs/fw_cfg (7.2).
 */
#ifndef FW_CFG_H
#define FW_CFG_H

#include <hv/dev.h>

#define FW_CFG_PORT      0x510u
#define FW_CFG_PORT_SIZE 2u

/* What is in the device's two ports, and which items there are. */
#define FW_CFG_SELECT 0u /* 16 bits, written: an item; reading it begins anew */
#define FW_CFG_DATA   1u /* 8 bits, read: the item's next byte, or 0 behind its end */
enum fw_cfg_item {
	FW_CFG_SIGNATURE = 0x00, /* "QEMU" */
	FW_CFG_ID = 0x01,        /* 32 bits; bit 0: there are these two ports */
	FW_CFG_RAM_SIZE = 0x03,  /* 64 bits */
	FW_CFG_CPUS = 0x05,      /* 16 bits: how many there are */
	FW_CFG_CPUS_MAX = 0x0f,  /* 16 bits: and how many there can be */
};

struct fw_cfg {
	uint64_t ram_size;
	uint16_t cpus;
	uint16_t item; /* that is read, */
	uint8_t next;  /* from this byte on; it stays at the end */
};

extern const struct hv_dev_ops fw_cfg_ops;

void fw_cfg_init(struct fw_cfg *cfg, uint64_t ram_size, uint16_t cpus);

#endif

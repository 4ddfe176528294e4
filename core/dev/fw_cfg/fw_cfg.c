/* SPDX-License-Identifier: MIT */
#include <dev/fw_cfg/fw_cfg.h>

#include <hv/bits.h>

#define SIGNATURE 0x554d4551u /* "QEMU", the first byte lowest */
#define ID_PORTS  0x01u
#define NO_ITEM   0xffffu /* until one is selected */

struct item {
	uint64_t value;
	uint8_t size; /* bytes */
};

static struct item selected(const struct fw_cfg *cfg)
{
	switch (cfg->item) {
	case FW_CFG_SIGNATURE: return (struct item){SIGNATURE, 4};
	case FW_CFG_ID: return (struct item){ID_PORTS, 4};
	case FW_CFG_RAM_SIZE: return (struct item){cfg->ram_size, 8};
	case FW_CFG_CPUS:
	case FW_CFG_CPUS_MAX: return (struct item){cfg->cpus, 2};
	default: return (struct item){0, 0};
	}
}

static uint8_t next_byte(struct fw_cfg *cfg)
{
	const struct item item = selected(cfg);

	if (cfg->next >= item.size) {
		return 0;
	}
	return (uint8_t)(item.value >> 8 * cfg->next++);
}

static bool fw_cfg_access(void *dev, struct hv_access *access)
{
	struct fw_cfg *cfg = dev;

	if (access->write) {
		if (access->off == FW_CFG_SELECT && access->size == 2) {
			cfg->item = (uint16_t)access->data;
			cfg->next = 0;
		}
		return true;
	}
	access->data = access->off == FW_CFG_DATA ? next_byte(cfg) : 0;
	return true;
}

static void fw_cfg_reset(void *dev)
{
	struct fw_cfg *cfg = dev;

	cfg->item = NO_ITEM;
	cfg->next = 0;
}

void fw_cfg_init(struct fw_cfg *cfg, uint64_t ram_size, uint16_t cpus)
{
	cfg->ram_size = ram_size;
	cfg->cpus = cpus;
	fw_cfg_reset(cfg);
}

const struct hv_dev_ops fw_cfg_ops = {
	.name = "fw-cfg",
	.access = fw_cfg_access,
	.reset = fw_cfg_reset,
};

/* SPDX-License-Identifier: MIT */
#include <dev/pc_reset/pc_reset.h>

#define COMMAND_OUTPUT 0xd1u /* the output port: bit 0 low resets */
#define COMMAND_PULSE  0xf0u /* bits 3-0: the output port's lines that are not pulsed */
#define OUTPUT_RUN     0x01u

#define PORT_A_FAST_RESET 0x01u
#define PORT_A_A20        0x02u /* always open */

#define PCI_REGISTER 4u /* bytes of each of the two */

#define RST_CNT_HARD 0x02u
#define RST_CNT_CPU  0x04u

static void reset_if(struct pc_reset *pc, bool wanted)
{
	if (wanted) {
		hv_irq_set(&pc->reset, true);
	}
}

static void command(struct pc_reset *pc, uint64_t value)
{
	atomic_store(&pc->writes_output, value == COMMAND_OUTPUT);
	reset_if(pc, (value & 0xf0) == COMMAND_PULSE && !(value & OUTPUT_RUN));
}

/* Read, it is the status: nothing to read, nothing to wait for. */
static bool command_access(void *dev, struct hv_access *access)
{
	if (access->write) {
		command(dev, access->data);
	} else {
		access->data = 0;
	}
	return true;
}

static bool data_access(void *dev, struct hv_access *access)
{
	struct pc_reset *pc = dev;

	if (!access->write) {
		access->data = 0;
	} else if (atomic_exchange(&pc->writes_output, false)) {
		reset_if(pc, !(access->data & OUTPUT_RUN));
	}
	return true;
}

static bool port_a_access(void *dev, struct hv_access *access)
{
	if (access->write) {
		reset_if(dev, (access->data & PORT_A_FAST_RESET) != 0);
	} else {
		access->data = PORT_A_A20;
	}
	return true;
}

static bool exit_access(void *dev, struct hv_access *access)
{
	struct pc_reset *pc = dev;

	if (access->write) {
		hv_irq_set(&pc->off, true);
	} else {
		access->data = 0;
	}
	return true;
}

/* A reset is the rise of the CPU's bit. */
static void rst_cnt_access(struct pc_reset *pc, struct hv_access *access)
{
	uint8_t old;

	if (!access->write) {
		access->data = atomic_load(&pc->rst_cnt);
		return;
	}
	old = atomic_exchange(&pc->rst_cnt, (uint8_t)(access->data & (RST_CNT_HARD | RST_CNT_CPU)));
	reset_if(pc, (access->data & ~(uint64_t)old & RST_CNT_CPU) != 0);
}

/*
 * PCI's address register knows accesses to all of it only, and there is no PCI: what it selects, by
 * any part of the data register, reads as all ones. To a byte of the address the reset control
 * register may answer. What is neither goes on as bytes.
 */
static bool pci_access(void *dev, struct hv_access *access)
{
	bool is_data = access->off >= PCI_REGISTER;

	if (!is_data && access->size != 1 && (access->size != PCI_REGISTER || access->off != 0)) {
		return false;
	}
	if (access->size == 1 && access->off == PC_RESET_RST_CNT - PC_RESET_PCI) {
		rst_cnt_access(dev, access);
	} else if (!access->write) {
		access->data = UINT32_MAX >> (32 - 8 * access->size);
	}
	return true;
}

static void pc_reset_reset(void *dev)
{
	struct pc_reset *pc = dev;

	atomic_store(&pc->writes_output, false);
	atomic_store(&pc->rst_cnt, 0);
	hv_irq_set(&pc->reset, false);
	hv_irq_set(&pc->off, false);
}

void pc_reset_init(struct pc_reset *pc, struct hv_irq reset, struct hv_irq off)
{
	pc->reset = reset;
	pc->off = off;
	pc_reset_reset(pc);
}

const struct hv_dev_ops pc_reset_data_ops = {
	.name = "8042-data",
	.access = data_access,
	.reset = pc_reset_reset,
};

const struct hv_dev_ops pc_reset_command_ops = {
	.name = "8042-command",
	.access = command_access,
	.reset = pc_reset_reset,
};

const struct hv_dev_ops pc_reset_port_a_ops = {
	.name = "port-a",
	.access = port_a_access,
	.reset = pc_reset_reset,
};

const struct hv_dev_ops pc_reset_exit_ops = {
	.name = "debug-exit",
	.access = exit_access,
	.reset = pc_reset_reset,
};

const struct hv_dev_ops pc_reset_pci_ops = {
	.name = "pci-address",
	.access = pci_access,
	.reset = pc_reset_reset,
};

/* SPDX-License-Identifier: MIT */
/*
 * The ports by which a PC is reset or ended, and no more of the devices that they belong to: the
 * keyboard controller's 0x60 and 0x64, the system control port A 0x92, the reset control register
 * 0xcf9 of Intel's chipsets (in the middle of PCI's address register, with its data behind), and
 * 0xf4, by which test programs end (QEMU's isa-debug-exit). Sources: IBM PC AT technical reference
 * (8042); Intel ICH9 data sheet, 13.7.
 */
#ifndef PC_RESET_H
#define PC_RESET_H

#include <hv/dev.h>
#include <hv/irq.h>
#include <stdatomic.h>

#define PC_RESET_8042_DATA    0x60u
#define PC_RESET_8042_COMMAND 0x64u
#define PC_RESET_PORT_A       0x92u
#define PC_RESET_EXIT         0xf4u /* four ports */
#define PC_RESET_EXIT_SIZE    4u
#define PC_RESET_PCI          0xcf8u /* eight ports; the others are one each */
#define PC_RESET_PCI_SIZE     8u
#define PC_RESET_RST_CNT      0xcf9u

struct pc_reset {
	struct hv_irq reset, off;   /* pulsed. They may take any lock. */
	_Atomic bool writes_output; /* the next byte at 0x60 is the 8042's output port */
	_Atomic uint8_t rst_cnt;
};

/* The device of all five is the struct; they need no lock of the bus's. */
extern const struct hv_dev_ops pc_reset_data_ops, pc_reset_command_ops, pc_reset_port_a_ops,
	pc_reset_exit_ops, pc_reset_pci_ops;

void pc_reset_init(struct pc_reset *pc, struct hv_irq reset, struct hv_irq off);

#endif

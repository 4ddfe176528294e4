/* SPDX-License-Identifier: MIT */
/*
 * What a PC's firmware leaves to a kernel whose protocol counts on it. Multiboot Specification,
 * version 0.6.96, 3.2: what it does not name is as the BIOS initialised it. For this folder only.
 */
#ifndef PC_FIRMWARE_H
#define PC_FIRMWARE_H

#include <hv/load.h>
#include <hv/vm.h>

/* Handlers, as real mode addresses them: in PC_FIRMWARE_SEGMENT, where PCs have them. */
#define PC_FIRMWARE_SEGMENT 0xf000u
enum pc_firmware_handler {
	PC_FIRMWARE_IRQ = 0xfea5,       /* of 0-7: the timer's place */
	PC_FIRMWARE_SLAVE_IRQ = 0xfeb0, /* of 8-15 */
	PC_FIRMWARE_IRET = 0xff53,      /* of everything else */
};

/*
 * Real-mode vectors whose handlers end interrupts and return, unless the plan has a segment there;
 * the 8259s at vectors 8 and 0x70 with only timer, keyboard and the slave let through; the timer at
 * 18.2 Hz. Before the VM starts, with RAM below 1 MiB.
 */
void pc_firmware_leave(struct hv_vm *vm, const struct hv_load_plan *plan);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * I/O APIC with 24 pins. Sources: Intel 82093AA datasheet (290566-001); for version 0x20 and its
 * EOI register, Intel ICH9 datasheet (316972-004) 13.5. What these leave open is in README.md.
 *
 * It locks for itself (HV_LOCK_IRQC): the bus needs no lock for it.
 */
#ifndef IOAPIC_H
#define IOAPIC_H

#include <hv/dev.h>
#include <hv/port.h>
#include <hv/types.h>

#define IOAPIC_PINS 24u
#define IOAPIC_BASE 0xfec00000u
#define IOAPIC_SIZE 0x1000u

enum ioapic_reg {
	IOAPIC_SELECT = 0x00,
	IOAPIC_WINDOW = 0x10,
	IOAPIC_EOI = 0x40, /* version 0x20 */
};
enum ioapic_index {
	IOAPIC_ID = 0x00,
	IOAPIC_VERSION = 0x01,
	IOAPIC_ARBITRATION = 0x02,
	IOAPIC_ENTRY = 0x10, /* + 2 * pin; + 1: its high half */
};

/* A redirection entry. The low half's vector, mode, LOGICAL and LEVEL are as an MSI has them. */
#define IOAPIC_VECTOR     0xffu
#define IOAPIC_MODE       (7u << 8)
#define IOAPIC_LOGICAL    (1u << 11)
#define IOAPIC_PENDING    (1u << 12) /* delivery status; here always 0 */
#define IOAPIC_LOW        (1u << 13) /* polarity: active low */
#define IOAPIC_REMOTE_IRR (1u << 14)
#define IOAPIC_LEVEL      (1u << 15)
#define IOAPIC_MASKED     (1u << 16)
#define IOAPIC_DEST_SHIFT 56u

struct ioapic_cfg {
	uint8_t version; /* 0x11, or 0x20 with an EOI register */
	/* To the local APICs, in the format of an MSI; false: nobody took it. HV_LOCK_IRQC is held.
	 */
	bool (*deliver)(void *lapics, uint32_t address, uint32_t data);
	void *lapics;
};

struct ioapic {
	struct ioapic_cfg cfg;
	struct hv_lock lock;
	uint32_t lines; /* one bit per pin: its input is active */
	uint8_t select;
	uint32_t id;
	uint64_t entry[IOAPIC_PINS];
};

void ioapic_init(struct ioapic *ioapic, const struct ioapic_cfg *cfg);
/*
 * Pin 0..23: the shape of hv_irq.set, ctl is the struct ioapic. level: active, whatever polarity
 * the guest sets: that says how a real board is wired, and here there is no wire. Anyone.
 */
void ioapic_pin_set(void *ctl, uint32_t pin, bool level);
/* A local APIC ended the level-triggered `vector`. Anyone. */
void ioapic_eoi(void *ctl, uint8_t vector);

/* Reset: every pin masked; inputs keep their level. */
extern const struct hv_dev_ops ioapic_ops;

#endif

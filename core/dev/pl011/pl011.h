/* SPDX-License-Identifier: MIT */
/*
 * PrimeCell UART PL011 with 16-byte FIFOs. Source: ARM DDI 0183 (r1p4, 3.3 "Register
 * descriptions", 2.8 "Interrupts"). The line takes no time: bytes move at the instants that
 * README.md lists. Work per access is bounded by the FIFO's depth.
 */
#ifndef PL011_H
#define PL011_H

#include <hv/dev.h>
#include <hv/irq.h>
#include <hv/ring.h>

#define PL011_DEPTH 16u /* of each FIFO; a power of two */

enum pl011_reg {
	PL011_DR = 0x000,
	PL011_RSR = 0x004, /* written: ECR */
	PL011_FR = 0x018,
	PL011_ILPR = 0x020,
	PL011_IBRD = 0x024,
	PL011_FBRD = 0x028,
	PL011_LCR_H = 0x02c,
	PL011_CR = 0x030,
	PL011_IFLS = 0x034,
	PL011_IMSC = 0x038,
	PL011_RIS = 0x03c,
	PL011_MIS = 0x040,
	PL011_ICR = 0x044,
	PL011_DMACR = 0x048,
	PL011_ID = 0xfe0, /* PeriphID0..3, PCellID0..3 */
};

#define PL011_REGS (PL011_DMACR / 4 + 1)

enum pl011_bit {
	PL011_DR_OE = 1 << 11,
	PL011_RSR_OE = 1 << 3,

	PL011_FR_RI = 1 << 8,
	PL011_FR_TXFE = 1 << 7,
	PL011_FR_RXFF = 1 << 6,
	PL011_FR_TXFF = 1 << 5,
	PL011_FR_RXFE = 1 << 4,
	PL011_FR_BUSY = 1 << 3,
	PL011_FR_DCD = 1 << 2,
	PL011_FR_DSR = 1 << 1,
	PL011_FR_CTS = 1 << 0,

	PL011_LCR_H_FEN = 1 << 4,

	PL011_CR_OUT2 = 1 << 13,
	PL011_CR_OUT1 = 1 << 12,
	PL011_CR_RTS = 1 << 11,
	PL011_CR_DTR = 1 << 10,
	PL011_CR_RXE = 1 << 9,
	PL011_CR_TXE = 1 << 8,
	PL011_CR_LBE = 1 << 7,
	PL011_CR_UARTEN = 1 << 0,

	/* IMSC, RIS, MIS and ICR share one layout. */
	PL011_INT_OE = 1 << 10,
	PL011_INT_RT = 1 << 6,
	PL011_INT_TX = 1 << 5,
	PL011_INT_RX = 1 << 4,
	PL011_INT_DSR = 1 << 3,
	PL011_INT_DCD = 1 << 2,
	PL011_INT_CTS = 1 << 1,
	PL011_INT_RI = 1 << 0,
};

struct pl011_fifo {
	uint16_t entry[PL011_DEPTH]; /* 8 data bits; received ones may carry PL011_DR_OE */
	uint8_t first, count;
};

struct pl011 {
	struct hv_chan *chan; /* both ends outlive the device; it owns none */
	struct hv_irq irq;    /* UARTINTR, the combined line */
	bool level;           /* what irq was last set to */
	bool overrun;         /* a byte was lost since the last one that was received */
	bool configured;      /* CR was written since the reset */
	bool looked;          /* the last access looked at flags that said: nothing to do */
	uint16_t rsr, ris, modem;
	uint16_t reg[PL011_REGS]; /* the plain read/write registers, by offset / 4 */
	struct pl011_fifo rx, tx;
};

extern const struct hv_dev_ops pl011_ops;

/* Power-on state. chan may hold bytes in either direction already. */
void pl011_init(struct pl011 *uart, struct hv_chan *chan, struct hv_irq irq);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * UART 16550A: eight byte-wide registers, two 16-byte FIFOs, one interrupt line. Source: National
 * Semiconductor PC16550D data sheet (June 1995), section 8 "Registers". The line takes no time:
 * bytes move at the instants that README.md lists. Work per access is bounded by the FIFO's depth.
 */
#ifndef NS16550_H
#define NS16550_H

#include <hv/dev.h>
#include <hv/irq.h>
#include <hv/ring.h>

#define NS16550_DEPTH 16u /* of each FIFO; a power of two */

enum ns16550_reg {
	NS16550_RBR = 0, /* written: THR; with DLAB: DLL */
	NS16550_IER = 1, /* with DLAB: DLM */
	NS16550_IIR = 2, /* written: FCR */
	NS16550_LCR = 3,
	NS16550_MCR = 4,
	NS16550_LSR = 5,
	NS16550_MSR = 6,
	NS16550_SCR = 7,
	NS16550_REGS,
	NS16550_THR = NS16550_RBR,
	NS16550_DLL = NS16550_RBR,
	NS16550_DLM = NS16550_IER,
	NS16550_FCR = NS16550_IIR,
};

enum ns16550_bit {
	NS16550_IER_RX = 1 << 0,
	NS16550_IER_TX = 1 << 1,
	NS16550_IER_LINE = 1 << 2,
	NS16550_IER_MODEM = 1 << 3,
	NS16550_IER_MASK = 0x0f,

	/* The reason of the interrupt, most urgent first. */
	NS16550_IIR_LINE = 0x06,
	NS16550_IIR_RX = 0x04,
	NS16550_IIR_TIMEOUT = 0x0c,
	NS16550_IIR_TX = 0x02,
	NS16550_IIR_MODEM = 0x00,
	NS16550_IIR_NONE = 0x01,
	NS16550_IIR_FIFOS = 0xc0, /* beside it: they are on */

	NS16550_FCR_ENABLE = 1 << 0,
	NS16550_FCR_CLEAR_RX = 1 << 1,
	NS16550_FCR_CLEAR_TX = 1 << 2,
	NS16550_FCR_TRIGGER = 3 << 6,

	NS16550_LCR_DLAB = 1 << 7,

	NS16550_MCR_DTR = 1 << 0,
	NS16550_MCR_RTS = 1 << 1,
	NS16550_MCR_OUT1 = 1 << 2,
	NS16550_MCR_OUT2 = 1 << 3,
	NS16550_MCR_LOOP = 1 << 4,
	NS16550_MCR_MASK = 0x1f,

	NS16550_LSR_DR = 1 << 0,
	NS16550_LSR_OE = 1 << 1,
	NS16550_LSR_THRE = 1 << 5,
	NS16550_LSR_TEMT = 1 << 6,

	/* Each input's change is four bits below it. */
	NS16550_MSR_CHANGES = 0x0f,
	NS16550_MSR_TERI = 1 << 2, /* RI's is its fall only */
	NS16550_MSR_CTS = 1 << 4,
	NS16550_MSR_DSR = 1 << 5,
	NS16550_MSR_RI = 1 << 6,
	NS16550_MSR_DCD = 1 << 7,
};

struct ns16550_fifo {
	uint8_t byte[NS16550_DEPTH];
	uint8_t first, count;
};

struct ns16550 {
	struct hv_chan *chan; /* both ends outlive the device; it owns none */
	struct hv_irq irq;
	bool level;     /* what irq was last set to */
	unsigned looks; /* how often LSR said: nothing to do, without much else in between */
	bool idle;      /* LSR is THRE | TEMT */
	bool direct;    /* a byte written to offset 0 goes straight out */
	bool thre;      /* the transmitter's interrupt is pending */
	bool overrun;   /* LSR.OE */
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	struct ns16550_fifo rx, tx;
};

extern const struct hv_dev_ops ns16550_ops;

/* Power-on state. chan may hold bytes in either direction already. */
void ns16550_init(struct ns16550 *uart, struct hv_chan *chan, struct hv_irq irq);

#endif

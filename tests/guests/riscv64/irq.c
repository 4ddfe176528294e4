/* SPDX-License-Identifier: MIT */
/* Interrupts: of the UART through the PLIC (L2 to L4), and of software, by sip and by SBI. */
#include "guest.h"

#define UART_IER (GUEST_UART + 1)
#define UART_IIR (GUEST_UART + 2)
#define UART_LSR (GUEST_UART + 5)
#define IER_THRI 2u
#define IIR_NONE 1u
#define IIR_THRI 2u
#define LSR_TEMT 0x40u
#define LONG     1000000u /* microseconds that never pass here */
#define SHORT    500u
#define MOST     7u /* the highest priority of QEMU's PLIC */

static volatile unsigned taken, claimed, last_irq, identity, in_service;

static void count(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	last_irq = irq;
	if (irq == IRQ_SOFT) {
		CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
	} else if (irq == IRQ_EXT) {
		claimed = plic_claim();
		in_service = irq_pending(IRQ_EXT);
		if (claimed == UART_IRQ) {
			identity = read8(UART_IIR) & 0xf;
			write8(UART_IER, 0);
		}
		plic_complete(claimed);
	}
	taken++;
}

static void drain(void)
{
	while (!(read8(UART_LSR) & LSR_TEMT)) {
	}
}

/* The transmitter is empty: so its line is high as soon as it may interrupt. */
static void line_up(void)
{
	drain();
	write8(UART_IER, 0);
	write8(UART_IER, IER_THRI);
}

static void line_down(void)
{
	write8(UART_IER, 0);
	(void)read8(UART_IIR);
}

/* What is printed goes through the UART whose line is looked at: so all of it is said later. */
static struct {
	const char *name;
	bool ok;
} notes[40];
static unsigned note_count;

static void note(const char *name, bool ok)
{
	notes[note_count].name = name;
	notes[note_count++].ok = ok;
}

static void say_notes(void)
{
	for (unsigned i = 0; i < note_count; i++) {
		check(notes[i].name, notes[i].ok);
	}
	note_count = 0;
}

/* ---- polled ---- */

static void polled(void)
{
	line_down();
	note("nothing to claim", plic_claim() == 0);
	plic_complete(0);
	plic_complete(UART_IRQ);
	plic_complete(~0u);
	plic_priority(UART_IRQ, 1);
	plic_enable(UART_IRQ, true);
	note("quiet", !irq_pending(IRQ_EXT) && !plic_pending(UART_IRQ));
	line_up();
	note("the line is high", plic_pending(UART_IRQ) && irq_pending(IRQ_EXT));
	plic_threshold(1);
	note("a priority as the threshold is masked", !irq_pending(IRQ_EXT));
	plic_priority(UART_IRQ, 2);
	note("a higher one is not", irq_pending(IRQ_EXT));
	plic_threshold(MOST);
	note("the highest threshold masks", !irq_pending(IRQ_EXT));
	plic_threshold(0);
	plic_priority(UART_IRQ, 0);
	note("priority 0 is never", !irq_pending(IRQ_EXT));
	note("and not to be claimed", plic_claim() == 0);
	plic_priority(UART_IRQ, MOST);
	plic_enable(UART_IRQ, false);
	plic_threshold(0); /* QEMU looks at what is enabled only when something else changes, too */
	note("disabled", !irq_pending(IRQ_EXT) && plic_pending(UART_IRQ));
	plic_enable(UART_IRQ, true);
	plic_threshold(0);
	note("enabled", irq_pending(IRQ_EXT));
	note("claimed", plic_claim() == UART_IRQ);
	note("in service it is not pending", !plic_pending(UART_IRQ) && !irq_pending(IRQ_EXT));
	note("nor claimed twice", plic_claim() == 0);
	line_up();
	plic_complete(UART_IRQ);
	note("completed while high, it is again", plic_pending(UART_IRQ) && irq_pending(IRQ_EXT));
	note("claimed again", plic_claim() == UART_IRQ);
	line_down();
	plic_complete(UART_IRQ);
	note("completed while low, it is quiet", !plic_pending(UART_IRQ) && !irq_pending(IRQ_EXT));
	note("priority is read back", read32(GUEST_PLIC + UART_IRQ * 4) == MOST);
	note("source 0 has none", (plic_priority(0, 5), read32(GUEST_PLIC)) == 0);
}

/* ---- taken ---- */

static void by_uart(void)
{
	on_irq = count;
	irq_enable(IRQ_EXT);
	irq_unmask();
	taken = 0;
	line_up();
	note("the UART interrupts", wait_for_flag(&taken, LONG));
	note("once, as interrupt 9", taken == 1 && last_irq == IRQ_EXT);
	note("it is its source", claimed == UART_IRQ);
	note("which is quiet while in service", in_service == 0);
	note("and says that it can send", identity == IIR_THRI);
	irq_mask();
	taken = 0;
	line_up();
	note("masked, it waits", !wait_for_flag(&taken, SHORT) && irq_pending(IRQ_EXT));
	wait_for_interrupt();
	note("WFI does not wait for it", taken == 0);
	irq_unmask();
	note("unmasked, it comes", wait_for_flag(&taken, LONG));
	line_down();
	note("the UART's word for none", (read8(UART_IIR) & 0xf) == IIR_NONE);
}

static void by_software(void)
{
	irq_mask();
	irq_enable(IRQ_SOFT);
	taken = 0;
	CSR_SET_BITS(sip, 1ull << IRQ_SOFT);
	check("SSIP is set", irq_pending(IRQ_SOFT) && taken == 0);
	irq_unmask();
	check("and taken", wait_for_flag(&taken, LONG) && last_irq == IRQ_SOFT && taken == 1);
	for (unsigned i = 1; i <= 200; i++) {
		taken = 0;
		SBI(SBI_IPI, 0, 1, boot_hart);
		if (!wait_for_flag(&taken, LONG) || last_irq != IRQ_SOFT) {
			break;
		}
	}
	check("IPIs to itself", taken == 1);
	irq_mask();
	taken = 0;
	check_eq("an IPI", SBI(SBI_IPI, 0, 1, boot_hart).error, 0);
	check("is pending", irq_pending(IRQ_SOFT));
	CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
	check("and taken back", !irq_pending(IRQ_SOFT));
	irq_unmask();
	check("it does not come then", !wait_for_flag(&taken, SHORT));
}

/* External before software before timer (priv 4.1.3). */
static volatile unsigned order[3], ordered;

static void note_order(struct guest_frame *frame, unsigned irq)
{
	if (ordered < 3) {
		order[ordered++] = irq;
	}
	irq_disable(irq);
	(void)frame;
}

static void priorities(void)
{
	irq_mask();
	on_irq = note_order;
	timer_set(0);
	SBI(SBI_IPI, 0, 1, boot_hart);
	line_up();
	while (!(irq_pending(IRQ_TIMER) && irq_pending(IRQ_SOFT) && irq_pending(IRQ_EXT))) {
	}
	irq_enable(IRQ_TIMER);
	irq_enable(IRQ_SOFT);
	irq_enable(IRQ_EXT);
	irq_unmask();
	irq_mask();
	/* QEMU takes the lowest number first, where the specification says 9, 1, 5. */
	check_eq("three at once, each once", order[0] | order[1] << 4 | order[2] << 8,
		order[0] == IRQ_EXT ? 0x519 : 0x951);
	check_eq("and no more", ordered, 3);
	timer_set(UINT64_MAX);
	line_down();
}

static void vectored(void)
{
	uint64_t stvec = CSR_GET(stvec), at;

	irq_mask();
	on_irq = NULL;
	CSR_SET_BITS(sip, 1ull << IRQ_SOFT);
	irq_enable(IRQ_SOFT);
	/* Slot 1 of four bytes each is where interrupt 1 goes. */
	__asm__ volatile("la t0, 1f\n\taddi t0, t0, 1\n\tcsrw stvec, t0\n\tli %0, 0\n\t"
			 "csrsi sstatus, 2\n\tj 3f\n\t"
			 ".balign 64\n\t.option push\n\t.option norvc\n"
			 "1:\tj 3f\n\tj 2f\n\tj 3f\n2:\tli %0, 1\n\tj 3f\n\t.option pop\n"
			 "3:\tcsrci sstatus, 2"
			 : "=&r"(at)
			 :
			 : "t0", "memory");
	CSR_SET(stvec, stvec);
	CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
	check_eq("stvec's table", at, 1);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	plic_init();
	polled();
	say_notes();
	by_uart();
	say_notes();
	by_software();
	priorities();
	vectored();
}

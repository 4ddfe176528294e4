/* SPDX-License-Identifier: MIT */
/*
 * G7, G8, G14 and L1 to L4: storms its interrupt controller. An IPI is sent again before it is
 * taken and from its own handler, every register of the PLIC is filled with whatever, a line comes
 * back as often as it is ended.
 */
#include "guest.h"

#define STORM    20000u
#define LONG     5000000u
#define UART_IER (GUEST_UART + 1)

static volatile unsigned softs, lines, others, own_left;

static void raise_line(void)
{
	write8(UART_IER, 0);
	write8(UART_IER, 2); /* it can send, and says so */
}

static void take_external(void)
{
	unsigned source = plic_claim();

	if (source == UART_IRQ) {
		if (++lines < STORM) {
			raise_line();
		} else {
			write8(UART_IER, 0);
		}
	} else {
		others++;
	}
	plic_complete(source);
	plic_complete(source); /* twice, and what nobody claimed */
	plic_complete(source + 1);
}

static void count(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	if (irq == IRQ_EXT) {
		take_external();
		return;
	}
	CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
	softs++;
	if (own_left) {
		own_left--;
		SBI(SBI_IPI, 0, 1, boot_hart); /* from its own handler */
	}
}

static bool wait_for_count(volatile unsigned *what, unsigned least)
{
	uint64_t until = counter() + counter_of_us(LONG);

	while (*what < least && (int64_t)(until - counter()) > 0) {
	}
	return *what >= least;
}

/* One that is not taken yet is one, however often it is sent. */
static void ipis(void)
{
	irq_enable(IRQ_SOFT);
	for (unsigned i = 0; i < STORM; i++) {
		SBI(SBI_IPI, 0, 1, boot_hart);
	}
	check("a storm of IPIs", wait_for_count(&softs, STORM / 2) && softs <= STORM);
	irq_mask();
	softs = 0;
	for (unsigned i = 0; i < STORM; i++) {
		SBI(SBI_IPI, 0, 1, boot_hart);
	}
	irq_unmask();
	check("a masked storm is one", wait_for_count(&softs, 1) && softs == 1);
	softs = 0;
	own_left = STORM;
	SBI(SBI_IPI, 0, 1, boot_hart);
	check("one that sends itself again", wait_for_count(&softs, STORM));
}

/* The words of its first contexts and of the holes between, and the claim registers. */
static void fill(uint32_t with)
{
	for (uint64_t at = 0; at < 0x3000; at += 4) {
		write32(GUEST_PLIC + at, with);
	}
	for (uint64_t at = 0x200000; at < 0x210000; at += at % 0x1000 >= 0x20 ? 0xfe0 : 4) {
		write32(GUEST_PLIC + at, with);
		(void)read32(GUEST_PLIC + at);
	}
}

static void everything(void)
{
	irq_mask();
	fill(~0u);
	fill(0xa5a5a5a5);
	fill(1);
	fill(0);
	plic_init();
	for (unsigned source = 0; source < 96; source++) {
		plic_priority(source, 0);
		plic_complete(source);
	}
	irq_enable(IRQ_EXT);
	irq_unmask();
	(void)wait_for_flag(&lines, 1000);
	check("every register, and then it is quiet", lines == 0 && others == 0);
}

static void level(void)
{
	while (!(read8(GUEST_UART + 5) & 0x40)) {
	}
	plic_priority(UART_IRQ, 7);
	plic_enable(UART_IRQ, true);
	raise_line();
	check("a line that comes back", wait_for_count(&lines, STORM));
	check_eq("comes as often as it is raised", lines, STORM);
	(void)wait_for_flag(&others, 1000);
	check("and no more, and nothing else", lines == STORM && others == 0);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_irq = count;
	plic_init();
	irq_unmask();
	ipis();
	everything();
	level();
}

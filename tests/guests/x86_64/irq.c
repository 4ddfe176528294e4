/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of a PC: through the 8259s and the I/O APIC, by edges and levels; priorities, TPR and
 * CR8, from one interrupt into another; to itself; when they are held back; and NMIs.
 */
#include "guest.h"

#define LONG       1000000u /* microseconds that never pass here */
#define SHORT      300u
#define UART_IER   (PORT_UART + 1)
#define UART_IIR   (PORT_UART + 2)
#define UART_MCR   (PORT_UART + 4)
#define UART_LSR   (PORT_UART + 5)
#define IER_THRI   2u
#define LSR_TEMT   0x40u
#define LOW        0x51u
#define HIGH       0x91u
#define UART_LINE  0x61u
#define ESR_VECTOR 0x20u /* an IPI of a vector that may not be, sent */

static volatile unsigned taken, last, seen[16];

static void note_vector(unsigned vector)
{
	last = vector;
	if (taken < 16) {
		seen[taken] = vector;
	}
	taken++;
}

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	note_vector(vector);
	lapic_eoi();
}

static bool comes(unsigned vector)
{
	bool came;

	taken = 0;
	irq_unmask();
	came = wait_for_flag(&taken, LONG);
	irq_mask();
	return came && taken == 1 && last == vector;
}

static bool is_quiet(void)
{
	taken = 0;
	irq_unmask();
	(void)wait_for_flag(&taken, SHORT);
	irq_mask();
	return taken == 0;
}

static void pause_us(unsigned us)
{
	static volatile unsigned never;

	(void)wait_for_flag(&never, us);
}

static void self_ipi(unsigned vector)
{
	lapic_send(ICR_SELF | vector, 0);
}

/* ---- the UART's line: high while it may say that it can send ---- */

static void drain(void)
{
	while (!(in8(UART_LSR) & LSR_TEMT)) {
	}
}

static void line_down(void)
{
	out8(UART_IER, 0);
	(void)in8(UART_IIR);
}

static void line_up(void)
{
	drain();
	out8(UART_IER, 0);
	out8(UART_IER, IER_THRI);
}

/* What is printed goes through the UART whose line is looked at: so all of it is said later. */
static struct {
	const char *name;
	bool ok;
} notes[64];
static unsigned note_count;

static void note(const char *name, bool ok)
{
	notes[note_count].name = name;
	notes[note_count++].ok = ok;
}

static void say_notes(void)
{
	line_down();
	for (unsigned i = 0; i < note_count; i++) {
		check(notes[i].name, notes[i].ok);
	}
	note_count = 0;
}

/* ---- the 8259s ---- */

#define READ_IRR 0x0au
#define READ_ISR 0x0bu
#define BIT(n)   (1u << (n))

static void take_pic(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	note_vector(vector);
	if (vector == VECTOR_IRQ + UART_IRQ) {
		line_down();
	}
}

static void pic(void)
{
	on_irq = take_pic;
	line_down();
	pic_init();
	lapic_write(LAPIC_LVT_LINT0, LVT_EXTINT);
	note("8259: nothing is asked for", !(pic_read(READ_IRR) & BIT(UART_IRQ)));
	line_up();
	note("a line is", pic_read(READ_IRR) & BIT(UART_IRQ));
	note("but masked", is_quiet());
	note("the mask is read back", in8(PIC_MASTER + 1) == 0xff);
	pic_mask((uint16_t)~BIT(UART_IRQ));
	note("unmasked it comes", comes(VECTOR_IRQ + UART_IRQ));
	note("and is in service", pic_read(READ_ISR) == BIT(UART_IRQ));
	line_up();
	note("no second one before EOI", is_quiet());
	pic_eoi(UART_IRQ);
	note("behind it", comes(VECTOR_IRQ + UART_IRQ));
	out8(PIC_MASTER, 0x60 | UART_IRQ); /* specific EOI */
	note("a specific EOI", pic_read(READ_ISR) == 0);
	note("quiet", is_quiet());
	line_up();
	line_down();
	pic_mask(0xffff);
	(void)is_quiet();
}

/* The 8254, irq 0, is before the UART, irq 4; irq 4 may be interrupted by irq 0 and not back. */
static void pic_priorities(void)
{
	pit_set(0x30, 1); /* mode 0: high, and stays so */
	line_up();
	while ((pic_read(READ_IRR) & (BIT(UART_IRQ) | 1)) != (BIT(UART_IRQ) | 1)) {
	}
	taken = 0;
	pic_mask((uint16_t) ~(BIT(UART_IRQ) | 1));
	irq_unmask();
	(void)wait_for_flag(&taken, LONG);
	note("the lower irq is first", seen[0] == VECTOR_IRQ);
	pause_us(SHORT);
	note("and keeps the other out", taken == 1);
	pic_eoi(0);
	while (taken < 2) {
	}
	note("until EOI", seen[1] == VECTOR_IRQ + UART_IRQ);
	pit_set(0x30, 1);
	while (taken < 3) {
	}
	note("which it interrupts", seen[2] == VECTOR_IRQ);
	irq_mask();
	note("both are in service", pic_read(READ_ISR) == (BIT(UART_IRQ) | 1));
	pic_eoi(0);
	note("EOI is of the more important", pic_read(READ_ISR) == BIT(UART_IRQ));
	pic_eoi(UART_IRQ);
	pic_mask(0xffff);
}

/* Of the slave: the clock of the day, irq 8. By update, once a second, is too slow; by its rate. */
static void pic_slave(void)
{
	uint8_t b;

	pic_mask((uint16_t) ~(BIT(2) | BIT(CMOS_IRQ)));
	cmos_write(0x0a, 0x26); /* 1024 Hz */
	b = cmos_read(0x0b);
	(void)cmos_read(0x0c);
	cmos_write(0x0b, b | 0x40);
	note("an interrupt through both", comes(VECTOR_IRQ + CMOS_IRQ));
	cmos_write(0x0b, b);
	note("in service in both", pic_read(READ_ISR) == (BIT(CMOS_IRQ) | BIT(2)));
	note("which says why", cmos_read(0x0c) & 0x40);
	pic_eoi(CMOS_IRQ);
	note("and out of both", pic_read(READ_ISR) == 0);
	pic_mask(0xffff);
	lapic_write(LAPIC_LVT_LINT0, LVT_EXTINT | LVT_MASKED);
}

/* ---- the I/O APIC ---- */

static uint32_t uart_rte(void)
{
	return ioapic_read(0x10 + 2 * UART_IRQ);
}

static void ioapic(void)
{
	on_irq = take;
	note("I/O APIC: 24 pins", (ioapic_read(1) >> 16 & 0xff) == 23);
	line_down();
	ioapic_route(UART_IRQ, UART_LINE, 0);
	line_up();
	note("an edge comes", comes(UART_LINE));
	note("once", is_quiet());
	line_up();
	note("and again", comes(UART_LINE));
	line_down();
	ioapic_route(UART_IRQ, RTE_MASKED | UART_LINE, 0);
	line_up();
	note("masked it does not", is_quiet());
	note("what was written is read back", uart_rte() == (RTE_MASKED | UART_LINE));
	line_down();
	ioapic_route(UART_IRQ, RTE_LEVEL | UART_LINE, 0);
	note("a low level is quiet", is_quiet());
}

/* A level: EOI while it is high is one more. */
static void take_level(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	note_vector(vector);
	if (taken == 1) {
		note("Remote IRR is set", uart_rte() & RTE_IRR);
		note("as is TMR", lapic_bit(LAPIC_TMR, UART_LINE));
	}
	if (taken == 5) {
		line_down();
	}
	lapic_eoi();
}

static void levels(void)
{
	on_irq = take_level;
	line_up();
	taken = 0;
	irq_unmask();
	while (taken < 5) {
	}
	pause_us(SHORT);
	irq_mask();
	note("as long as the level is high", taken == 5);
	note("Remote IRR is clear", !(uart_rte() & RTE_IRR));
	on_irq = take;
	ioapic_route(UART_IRQ, RTE_LEVEL | RTE_MASKED | UART_LINE, 0);
	line_up();
	note("a masked level is quiet", is_quiet());
	line_down();
	ioapic_route(UART_IRQ, RTE_MASKED, 0);
}

/* ---- the local APIC ---- */

static void by_itself(void)
{
	on_irq = take;
	for (unsigned i = 1; i <= 200 && (i == 1 || taken == 1); i++) {
		taken = 0;
		irq_unmask();
		self_ipi(LOW);
		(void)wait_for_flag(&taken, LONG);
		irq_mask();
	}
	check("IPIs to itself", taken == 1 && last == LOW);
	self_ipi(LOW);
	check("masked it is in IRR", lapic_bit(LAPIC_IRR, LOW) && !lapic_bit(LAPIC_ISR, LOW));
	self_ipi(LOW);
	check("two of a kind are one", comes(LOW) && is_quiet());
	check("IRR is clear", !lapic_bit(LAPIC_IRR, LOW));
	lapic_send(LOW, 0);
	check("by its id", comes(LOW));
	lapic_send(ICR_ALL | LOW, 0);
	check("as one of all", comes(LOW));
	lapic_send(ICR_OTHERS | LOW, 0);
	check("not as one of the others", is_quiet());
	lapic_write(LAPIC_DFR, ~0u);
	lapic_write(LAPIC_LDR, 4u << 24);
	lapic_send(ICR_LOGICAL | LOW, 6);
	check("as one of a set", comes(LOW));
	lapic_send(ICR_LOGICAL | LOW, 3);
	check("not as one that is not in it", is_quiet());
}

static void errors(void)
{
	lapic_write(LAPIC_ESR, 0);
	lapic_write(LAPIC_ESR, 0);
	check_eq("no error as yet", lapic_read(LAPIC_ESR), 0);
	if (!on_drydock()) {
		return; /* QEMU delivers vector 5 */
	}
	self_ipi(5);
	lapic_write(LAPIC_ESR, 0);
	check("a vector below 16 is one", lapic_read(LAPIC_ESR) & ESR_VECTOR);
	check("and does not come", is_quiet());
	lapic_write(LAPIC_ESR, 0);
	lapic_write(LAPIC_ESR, 0);
}

static void task_priority(void)
{
	lapic_write(LAPIC_TPR, 0x50);
	check_eq("CR8 is TPR's class", REG_GET(cr8), 5);
	self_ipi(LOW);
	check("TPR holds its own class back", is_quiet());
	self_ipi(HIGH);
	check("and not a higher one", comes(HIGH));
	REG_SET(cr8, 9);
	check_eq("TPR is CR8", lapic_read(LAPIC_TPR), 0x90);
	check_eq("and PPR, when nothing is in service", lapic_read(LAPIC_PPR), 0x90);
	self_ipi(HIGH);
	check("CR8 holds back, too", is_quiet());
	taken = 0;
	irq_unmask();
	REG_SET(cr8, 5);
	(void)wait_for_flag(&taken, LONG);
	check("down it comes", taken == 1 && last == HIGH);
	taken = 0;
	REG_SET(cr8, 0);
	(void)wait_for_flag(&taken, LONG);
	irq_mask();
	check("and the other one", taken == 1 && last == LOW);
}

/* ---- one interrupt into another ---- */

static volatile unsigned depth, most;
static volatile uint32_t ppr_in_high;
static volatile bool high_in_service;

static void nest(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	note_vector(vector);
	depth++;
	most = depth > most ? depth : most;
	if (taken >= 4) {
		/* enough of it */
	} else if (vector == LOW) {
		self_ipi(HIGH);
	} else {
		self_ipi(LOW);
		ppr_in_high = lapic_read(LAPIC_PPR);
		high_in_service = lapic_bit(LAPIC_ISR, HIGH);
	}
	if (taken < 3) {
		irq_unmask();
		pause_us(1);
		irq_mask();
	}
	depth--;
	lapic_eoi();
}

static void nested(void)
{
	on_irq = nest;
	taken = 0;
	self_ipi(LOW);
	irq_unmask();
	while (taken < 4) {
	}
	irq_mask();
	check("a higher one comes into a lower one", seen[0] == LOW && seen[1] == HIGH);
	check("a lower one waits until both are over", most == 2 && seen[2] == LOW);
	check_eq("PPR is what is in service", ppr_in_high & 0xf0, HIGH & 0xf0);
	check("as ISR says", high_in_service);
	on_irq = take;
	(void)is_quiet();
	check("nothing is left", is_quiet());
	self_ipi(LOW);
	self_ipi(HIGH);
	self_ipi(0x71);
	taken = 0;
	irq_unmask();
	pause_us(SHORT);
	irq_mask();
	check("of three the highest first",
		taken == 3 && seen[0] == HIGH && seen[1] == 0x71 && seen[2] == LOW);
}

/* ---- when it comes ---- */

static volatile uint64_t at_count;

static void take_count(struct guest_frame *frame, unsigned vector)
{
	note_vector(vector);
	at_count = frame->r[RBX];
	lapic_eoi();
}

/* With an interrupt pending: how many instructions ran before it was taken. */
#define COUNTED(code)                                                                              \
	({                                                                                         \
		self_ipi(LOW);                                                                     \
		at_count = 99;                                                                     \
		__asm__ volatile("xor %%ebx, %%ebx\n\t" code                                       \
				 "\n\tinc %%ebx\n\tinc %%ebx\n\tinc %%ebx\n\tcli" ::               \
					 : "rbx", "rax", "memory", "cc");                          \
		at_count;                                                                          \
	})

static void shadows(void)
{
	on_irq = take_count;
	check_eq("STI holds it back for one instruction", COUNTED("sti"), 1);
	check_eq("two STIs, not for two", COUNTED("sti\n\tsti"), 0);
	check_eq("POPF does not", COUNTED("pushfq\n\torl $0x200, (%%rsp)\n\tpopfq"), 0);
	/* QEMU holds it back for one more. */
	check("MOV to SS does, as well", COUNTED("mov %%ss, %%eax\n\tsti\n\tmov %%eax, %%ss") <= 1);
	check_eq("CLI behind STI lets nothing in", ({
		self_ipi(LOW);
		taken = 0;
		__asm__ volatile("sti\n\tcli" ::: "memory");
		for (volatile unsigned i = 0; i < 1000; i++) {
		}
		taken;
	}),
		0);
	check("and later it comes", comes(LOW));
}

static void disabled(void)
{
	on_irq = take;
	lapic_write(LAPIC_SVR, VECTOR_SPURIOUS);
	check("a local APIC that is off masks its LVTs", lapic_read(LAPIC_LVT_TIMER) & LVT_MASKED);
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	self_ipi(LOW);
	check("and on again it works", comes(LOW));
}

/* ---- NMI ---- */

static volatile unsigned nmis, nmi_depth, nmi_most;

static void take_nmi(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	if (vector != VECTOR_NMI) {
		take(frame, vector);
		return;
	}
	nmis++;
	nmi_depth++;
	nmi_most = nmi_depth > nmi_most ? nmi_depth : nmi_most;
	if (nmis == 1) {
		lapic_send(ICR_NMI, 0);
		for (volatile unsigned i = 0; i < 1000; i++) {
		}
	}
	nmi_depth--;
}

static void nmi(void)
{
	on_irq = take_nmi;
	irq_mask();
	lapic_send(ICR_NMI, 0);
	(void)wait_for_flag(&nmis, LONG);
	for (volatile unsigned i = 0; i < 1000; i++) {
	}
	check("an NMI comes, masked or not", nmis >= 1);
	check_eq("one that comes within it comes behind it", nmis, 2);
	check_eq("and not into it", nmi_most, 1);
	lapic_send(ICR_NMI, 0);
	for (volatile unsigned i = 0; i < 1000; i++) {
	}
	check_eq("and then one is one", nmis, 3);
}

/* ---- by MSRs ---- */

static void x2apic(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	on_irq = take;
	wrmsr(MSR_APIC_BASE, base | 0xc00);
	check_eq("x2APIC: its id", rdmsr(MSR_X2APIC + LAPIC_ID / 16), 0);
	check_eq("its version", rdmsr(MSR_X2APIC + LAPIC_VERSION / 16) & 0xf0, 0x10);
	wrmsr(MSR_X2APIC + 0x3f, LOW);
	taken = 0;
	irq_unmask();
	check("an IPI to itself", !rdmsr_try(MSR_X2APIC + 0x3f, &base));
	irq_mask();
	wrmsr(MSR_X2APIC + LAPIC_EOI / 16, 0);
	check("came", taken == 1 && last == LOW);
	check("no MSR where no register is", !rdmsr_try(MSR_X2APIC + 0x01, &base));
	check("nor of the upper half of ICR", !rdmsr_try(MSR_X2APIC + 0x31, &base));
	check("reserved bits are refused", !wrmsr_try(MSR_X2APIC + LAPIC_TPR / 16, 1u << 20));
	base = rdmsr(MSR_APIC_BASE);
	check("not back in one step", !wrmsr_try(MSR_APIC_BASE, base & ~0x400ull));
	wrmsr(MSR_APIC_BASE, base & ~0xc00ull);
	check("off, CPUID says so", !(cpuid(1, 0).edx >> 9 & 1));
	wrmsr(MSR_APIC_BASE, (base & ~0xc00ull) | 0x800);
	check("on, too", cpuid(1, 0).edx >> 9 & 1);
	check("no MSRs then", !rdmsr_try(MSR_X2APIC + LAPIC_ID / 16, &base));
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	self_ipi(LOW);
	check("and by memory again", comes(LOW));
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	(void)tsc_hz();
	out8(UART_MCR, 8); /* the interrupt's gate */
	pic();
	pic_priorities();
	pic_slave();
	say_notes();
	ioapic();
	levels();
	say_notes();
	by_itself();
	errors();
	task_priority();
	nested();
	shadows();
	disabled();
	nmi();
	if (cpuid(1, 0).ecx >> 21 & 1) {
		x2apic();
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * What exits cost, in nanoseconds, averaged over thousands of rounds. Under `-icount shift=0` one
 * instruction is one nanosecond. The loops are as lean as they can be, and the same guest on plain
 * QEMU says what they cost without a hypervisor.
 */
#include "guest.h"

#define ROUNDS 4000u

#define PLIC_PRIORITY (GUEST_PLIC + 4 * UART_IRQ)
#define UART_LSR      (GUEST_UART + 5)
#define FAR           (1ull << 62)

/* Read by start.S before anything else: on a machine that counts instructions, those so far. */
extern uint64_t entry_count;

static void say(const char *name, uint64_t ticks, unsigned rounds)
{
	print("COST ");
	print(name);
	print(" ");
	print_dec(ticks * (1000000000u / TIMEBASE) / rounds);
	print(" ns\n");
}

/* `what` once for good measure, then ROUNDS times. */
#define MEASURE(name, what)                                                                        \
	do {                                                                                       \
		uint64_t from_;                                                                    \
		what;                                                                              \
		from_ = counter();                                                                 \
		for (unsigned n_ = ROUNDS; n_; n_--) {                                             \
			what;                                                                      \
		}                                                                                  \
		say(name, counter() - from_, ROUNDS);                                              \
	} while (0)

static inline void empty(void)
{
	__asm__ volatile("");
}

/* SBI: all registers but a0 and a1 survive, of which we keep nothing. */
static inline void spec_version(void)
{
	register uint64_t a6 __asm__("a6") = 0;
	register uint64_t a7 __asm__("a7") = SBI_BASE;

	__asm__ volatile("ecall" : : "r"(a6), "r"(a7) : "a0", "a1", "memory");
}

static inline void set_timer(void)
{
	register uint64_t a0 __asm__("a0") = FAR;
	register uint64_t a6 __asm__("a6") = 0;
	register uint64_t a7 __asm__("a7") = SBI_TIME;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a6), "r"(a7) : "a1", "memory");
}

/* The least that a handler can do: t6 = 1. What waits for it below keeps the register for it. */
__asm__(".pushsection .text.lean, \"ax\"\n"
	".balign 4\n"
	"lean_vector:\n"
	"	csrci	sip, 2\n"
	"	li	t6, 1\n"
	"	sret\n"
	".popsection\n");
extern const uint8_t lean_vector[];

static inline void ipi_self(void)
{
	register uint64_t a0 __asm__("a0") = 1;
	register uint64_t a1 __asm__("a1") = boot_hart;
	register uint64_t a6 __asm__("a6") = 0;
	register uint64_t a7 __asm__("a7") = SBI_IPI;

	__asm__ volatile("li t6, 0\n\tecall\n1:\tbeqz t6, 1b"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a6), "r"(a7)
			 : "t6", "memory");
}

static void interrupts(void)
{
	uint64_t stvec = CSR_GET(stvec);

	CSR_SET(stvec, lean_vector);
	irq_enable(IRQ_SOFT);
	irq_unmask();
	MEASURE("IPI to itself", ipi_self());
	irq_mask();
	CSR_SET(stvec, stvec);
}

/* Within a page, lest one of the loops have an instruction on the border of two. */
__attribute__((aligned(4096))) void guest_main(uint64_t dtb)
{
	(void)dtb;
	say("entry", entry_count, 1);
	MEASURE("nothing", empty());
	MEASURE("SBI get_spec_version", spec_version());
	MEASURE("read PLIC", read32(PLIC_PRIORITY));
	MEASURE("read UART LSR", read8(UART_LSR));
	interrupts();
	MEASURE("SBI set_timer", set_timer());
}

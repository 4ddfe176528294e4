/* SPDX-License-Identifier: MIT */
/*
 * What exits cost, in nanoseconds, averaged over thousands of rounds. Under `-icount shift=0` one
 * instruction is one nanosecond. The loops are as lean as they can be, and the same guest on plain
 * QEMU says what they cost without a hypervisor.
 */
#include "guest.h"

#define ROUNDS 4000u

#define GICD_TYPER (GUEST_GICD + 0x004)
#define UART_FR    (GUEST_UART + 0x018)
#define SGI        5u
#define VTIMER     27u

/* Read by start.S before anything else: on a machine that counts instructions, those so far. */
extern uint64_t entry_count;

static void say(const char *name, uint64_t ticks, unsigned rounds)
{
	print("COST ");
	print(name);
	print(" ");
	print_dec(ticks * (1000000000u / SYSREG_GET(cntfrq_el0)) / rounds);
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

/* SMCCC 1.2: x1 to x17 may not survive, of which we keep nothing. */
static inline void hvc_version(void)
{
	register uint64_t x0 __asm__("x0") = PSCI_VERSION;

	__asm__ volatile("hvc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
}

/*
 * The least that a handler can do (GICv3): x12 = when it began, x11 = 1. What waits for it below
 * keeps both registers for it.
 */
__asm__(".pushsection .text.lean, \"ax\"\n"
	".balign 0x800\n"
	"lean_vectors:\n"
	".space 0x280\n"
	"	mrs	x12, cntvct_el0\n"
	"	mrs	x9, S3_0_C12_C12_0\n" /* ICC_IAR1_EL1 */
	"	msr	cntv_ctl_el0, xzr\n"
	"	msr	S3_0_C12_C12_1, x9\n" /* ICC_EOIR1_EL1 */
	"	mov	x11, #1\n"
	"	eret\n"
	".popsection\n");
extern const uint8_t lean_vectors[];

static inline void sgi_self(void)
{
	__asm__ volatile("mov x11, #0\n\tmsr S3_0_C12_C11_5, %0\n\tisb\n1:\tcbz x11, 1b" /* SGI1R */
			 :
			 : "r"((uint64_t)SGI << 24 | 1)
			 : "x9", "x11", "x12", "memory");
}

/* Ticks between a deadline and its handler. */
static inline uint64_t timer(uint64_t ticks)
{
	uint64_t deadline, seen;

	__asm__ volatile("mov x11, #0\n\tmrs %0, cntvct_el0\n\tadd %0, %0, %2\n\t"
			 "msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %3\n\tisb\n"
			 "1:\tcbz x11, 1b\n\tmov %1, x12"
			 : "=&r"(deadline), "=&r"(seen)
			 : "r"(ticks), "r"((uint64_t)1)
			 : "x9", "x11", "x12", "memory");
	return seen - deadline;
}

static void interrupts(void)
{
	uint64_t vectors = SYSREG_GET(vbar_el1), late = 0;

	gic_init();
	gic_enable(SGI, 0xa0);
	gic_enable(VTIMER, 0xa0);
	SYSREG_SET(vbar_el1, lean_vectors);
	irq_unmask();
	MEASURE("SGI to itself", sgi_self());
	(void)timer(100);
	for (unsigned n = 0; n < ROUNDS; n++) {
		late += timer(40 + n % 7); /* so that no rounding favours anybody */
	}
	irq_mask();
	SYSREG_SET(vbar_el1, vectors);
	say("virtual timer", late, ROUNDS);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	say("entry", entry_count, 1);
	MEASURE("nothing", empty());
	MEASURE("hvc PSCI_VERSION", hvc_version());
	MEASURE("read GICD_TYPER", read32(GICD_TYPER));
	MEASURE("read UARTFR", read32(UART_FR));
	interrupts();
}

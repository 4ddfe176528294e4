/* SPDX-License-Identifier: MIT */
/*
 * What exits cost, in nanoseconds, averaged over thousands of rounds. Under `-icount shift=0` one
 * instruction is one nanosecond, and one tick of the TSC. The loops are as lean as they can be, and
 * the same guest on plain QEMU says what they cost without a hypervisor.
 */
#include "guest.h"

#define ROUNDS 4000u
#define MHZ    1000000u

/* Read by start.S before anything else: on a machine that counts instructions, those so far. */
extern uint64_t entry_count;

static uint64_t mhz;

static void say(const char *name, uint64_t ticks, unsigned rounds)
{
	print("COST ");
	print(name);
	print(" ");
	print_dec(ticks * 1000 / mhz / rounds);
	print(" ns\n");
}

/* `what` once for good measure, then ROUNDS times. */
#define MEASURE(name, what)                                                                        \
	do {                                                                                       \
		uint64_t from_;                                                                    \
		what;                                                                              \
		from_ = rdtsc();                                                                   \
		for (unsigned n_ = ROUNDS; n_; n_--) {                                             \
			what;                                                                      \
		}                                                                                  \
		say(name, rdtsc() - from_, ROUNDS);                                                \
	} while (0)

static inline void empty(void)
{
	__asm__ volatile("");
}

static inline void call(void)
{
	uint64_t rax = CALL_FEATURES;

	__asm__ volatile("vmmcall" : "+a"(rax)::"memory");
}

static inline void leaf(void)
{
	uint32_t eax = 0, ecx = 0;

	__asm__ volatile("cpuid" : "+a"(eax), "+c"(ecx)::"rbx", "rdx");
}

/* The least that a handler can do: r8 = 1. r9 is where the local APIC is. */
__asm__(".pushsection .text.lean, \"ax\"\n"
	".balign 16\n"
	"lean_gate:\n"
	"	mov	$1, %r8d\n"
	"	movl	$0, 0xb0(%r9)\n"
	"	iretq\n"
	".popsection\n");
extern const uint8_t lean_gate[];

/* With interrupts on. The handler ends it, which is an exit of its own. */
static inline void ipi_self(void)
{
	register uint64_t lapic __asm__("r9") = GUEST_LAPIC;

	__asm__ volatile("xor %%r8d, %%r8d\n\tmovl %0, 0x300(%1)\n"
			 "1:\ttest %%r8d, %%r8d\n\tjz 1b" ::"r"(ICR_SELF | VECTOR_TIMER),
			 "r"(lapic)
			 : "r8", "memory", "cc");
}

static void interrupts(void)
{
	gate_set(VECTOR_TIMER, lean_gate);
	irq_unmask();
	MEASURE("self-IPI to handler", ipi_self());
	irq_mask();
	MEASURE("EOI of nothing", lapic_eoi());
}

/* Within a page, lest one of the loops have an instruction on the border of two. */
__attribute__((aligned(4096))) void guest_main(uint64_t start_info)
{
	bool has_calls = !TRY("vmmcall", ::"a"(CALL_FEATURES) : "memory");

	(void)start_info;
	mhz = (tsc_hz() + MHZ / 2) / MHZ;
	say("entry", entry_count, 1);
	MEASURE("nothing", empty());
	if (has_calls) {
		MEASURE("VMMCALL", call());
	}
	MEASURE("CPUID", leaf());
	MEASURE("RDMSR APIC_BASE", rdmsr(MSR_APIC_BASE));
	MEASURE("read port", in8(PORT_UART + 5));
	MEASURE("read LAPIC", lapic_read(LAPIC_TPR));
	interrupts();
}

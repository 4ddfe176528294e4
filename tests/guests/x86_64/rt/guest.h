/* SPDX-License-Identifier: MIT */
/*
 * What an x86_64 test guest is written with. It runs at CPL 0 in long mode with the first 4 GiB
 * mapped one to one, interrupts masked, the 8259s and the I/O APIC silent, the local APIC on, and
 * judges itself. The same guests run on every backend, and on QEMU itself (-M q35 -kernel).
 */
#ifndef GUEST_H
#define GUEST_H

#include "say.h"

#define GUEST_LAPIC  0xfee00000u
#define GUEST_IOAPIC 0xfec00000u
#define GUEST_FLASH  0xffc00000u
#define GUEST_HOLE   0xd0000000u /* no memory and no device is here */
#define GUEST_CPUS   8u          /* the most */

/* The guest's own code, with the address of struct hvm_start_info. Returning is finish(). */
void guest_main(uint64_t start_info);
extern uint64_t boot_info;

/* ---- exceptions and interrupts ---- */
enum { RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, FRAME_REGS };

struct guest_frame {
	uint64_t r[FRAME_REGS];
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

#define VECTOR_DE  0u
#define VECTOR_DB  1u
#define VECTOR_NMI 2u
#define VECTOR_BP  3u
#define VECTOR_OF  4u
#define VECTOR_UD  6u
#define VECTOR_NM  7u
#define VECTOR_DF  8u
#define VECTOR_TS  10u
#define VECTOR_NP  11u
#define VECTOR_SS  12u
#define VECTOR_GP  13u
#define VECTOR_PF  14u
#define VECTOR_MF  16u
#define VECTOR_AC  17u
#define VECTOR_XM  19u
#define VECTOR_IRQ 0x20u /* and 15 more, of the 8259s */

/*
 * Runs instructions, and gives whether one of them took an exception; the rest of them is then left
 * out, the stack pointer is what it was, and `trap` says what it was. Operands follow as in inline
 * assembly, a ':' at least. One CPU at a time.
 *     check("…", TRY("ud2", :) && trap.vector == VECTOR_UD);
 */
#define TRY(code, ...)                                                                             \
	({                                                                                         \
		trap_taken = false;                                                                \
		__asm__ volatile("movq %%rsp, trap_rsp\n\tmovq $99f, trap_resume\n\t" code         \
				 "\n99:\tmovq $0, trap_resume" __VA_ARGS__);                       \
		trap_taken;                                                                        \
	})
extern volatile struct guest_frame trap;
extern volatile uint64_t trap_cr2, trap_resume, trap_rsp;
extern volatile bool trap_taken;

/* Called at an interrupt, with its vector; NULL: interrupts are unexpected. */
extern void (*volatile on_irq)(struct guest_frame *frame, unsigned vector);
/* Called for each exception while set; it moves frame->rip itself. */
extern void (*volatile on_sync)(struct guest_frame *frame);

/* Runs code at CPL 3 until it does LEAVE_USER(), or a handler of exceptions does leave_user(). */
void run_at_user(void (*code)(void), uint64_t stack);
void leave_user(struct guest_frame *frame);
#define VECTOR_LEAVE 0x80
#define LEAVE_USER() __asm__ volatile("int $0x80" ::: "memory")

/*
 * All gates, from now on: on the stack that runs (0), or on this CPU's stack for traps (1). That of
 * NMIs is always another.
 */
void gates_stack(unsigned ist);
/* Where one of them leads to, instead of to on_irq() or on_sync(); NULL: it is not present. */
void gate_set(unsigned vector, const void *code);
#define CODE64 0x08u
#define DATA   0x10u
#define CODE32 0x28u
#define CODE16 0x30u
#define DATA16 0x38u
#define TASKS  0x40u
extern uint64_t gdt[], tables[512];

/* ---- the CPU ---- */
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define RFLAGS_DF (1ull << 10)

#define REG_GET(name)                                                                              \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value_)::"memory");                  \
		value_;                                                                            \
	})
#define REG_SET(name, value)                                                                       \
	__asm__ volatile("mov %0, %%" #name ::"r"((uint64_t)(value)) : "memory")

static inline uint64_t rflags(void)
{
	uint64_t value;

	__asm__ volatile("pushfq\n\tpop %0" : "=r"(value)::"memory");
	return value;
}

static inline void irq_unmask(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void irq_mask(void)
{
	__asm__ volatile("cli" ::: "memory");
}

/* Unmasks and sleeps, with nothing in between; masked again behind it. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

static inline void relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr)
			 : "memory");
}

/* False: an exception, which `trap` has. */
bool rdmsr_try(uint32_t msr, uint64_t *value);
bool wrmsr_try(uint32_t msr, uint64_t value);

#define MSR_APIC_BASE    0x1bu
#define MSR_TSC_ADJUST   0x3bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC       0x800u
#define MSR_EFER         0xc0000080u

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid id;

	__asm__ volatile("cpuid"
			 : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
			 : "a"(leaf), "c"(subleaf)
			 : "memory");
	return id;
}
/* The hypervisor's name is Drydock's. */
bool on_drydock(void);

#define PORT_ACCESS(bits, type, suffix, reg)                                                       \
	static inline type in##bits(uint16_t port)                                                 \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile("in" suffix " %w1, %" reg "0"                                     \
				 : "=a"(value)                                                     \
				 : "Nd"(port)                                                      \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
	static inline void out##bits(uint16_t port, type value)                                    \
	{                                                                                          \
		__asm__ volatile("out" suffix " %" reg "0, %w1" ::"a"(value), "Nd"(port)           \
				 : "memory");                                                      \
	}
PORT_ACCESS(8, uint8_t, "b", "b")
PORT_ACCESS(16, uint16_t, "w", "w")
PORT_ACCESS(32, uint32_t, "l", "k")

/* Exactly one plain load or store each. */
#define MMIO_ACCESS(bits, type, suffix)                                                            \
	static inline type read##bits(uint64_t at)                                                 \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile("mov" suffix " (%1), %0" : "=r"(value) : "r"(at) : "memory");     \
		return value;                                                                      \
	}                                                                                          \
	static inline void write##bits(uint64_t at, type value)                                    \
	{                                                                                          \
		__asm__ volatile("mov" suffix " %0, (%1)" ::"r"(value), "r"(at) : "memory");       \
	}
MMIO_ACCESS(8, uint8_t, "b")
MMIO_ACCESS(16, uint16_t, "w")
MMIO_ACCESS(32, uint32_t, "l")
MMIO_ACCESS(64, uint64_t, "q")

/* ---- CPUs ---- */

/* Which CPU this is, in the order in which they started; 0 is the first. */
static inline unsigned guest_cpu(void)
{
	uint16_t task;

	__asm__("str %0" : "=r"(task));
	return (task - TASKS) / 16u;
}

/* APIC ids by ACPI's MADT; how many there are. */
unsigned cpu_ids(uint8_t ids[GUEST_CPUS]);
/* Where started CPUs go. */
extern void (*volatile cpu_code)(void);
/* Puts the code where SIPI's vector points to, so that INIT and SIPI can start CPUs. */
uint8_t sipi_vector(void);
extern volatile unsigned cpus_started; /* a CPU that is started takes the next number */

/* ---- the local APIC ---- */
enum lapic_reg {
	LAPIC_ID = 0x20,
	LAPIC_VERSION = 0x30,
	LAPIC_TPR = 0x80,
	LAPIC_PPR = 0xa0,
	LAPIC_EOI = 0xb0,
	LAPIC_LDR = 0xd0,
	LAPIC_DFR = 0xe0,
	LAPIC_SVR = 0xf0,
	LAPIC_ISR = 0x100,
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INIT = 0x380,
	LAPIC_TIMER_COUNT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define VECTOR_SPURIOUS 0xffu
#define LVT_MASKED      0x10000u
#define LVT_EXTINT      0x700u
#define LVT_PERIODIC    0x20000u
#define LVT_DEADLINE    0x40000u
#define ICR_FIXED       0x0000u
#define ICR_NMI         0x0400u
#define ICR_INIT        0x0500u
#define ICR_SIPI        0x0600u
#define ICR_LOGICAL     0x0800u
#define ICR_PENDING     0x1000u
#define ICR_ASSERT      0x4000u
#define ICR_SELF        0x40000u
#define ICR_ALL         0x80000u
#define ICR_OTHERS      0xc0000u

static inline uint32_t lapic_read(unsigned reg)
{
	return read32(GUEST_LAPIC + reg);
}
static inline void lapic_write(unsigned reg, uint32_t value)
{
	write32(GUEST_LAPIC + reg, value);
}
static inline void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}
/* A bit of IRR, ISR or TMR. */
static inline bool lapic_bit(unsigned reg, unsigned vector)
{
	return lapic_read(reg + vector / 32 * 0x10) >> vector % 32 & 1;
}
void lapic_send(uint32_t command, uint8_t to);
/* Its timer counts nanoseconds, here as on QEMU, divided by 128 when they are many; 0 stops it. */
#define VECTOR_TIMER 0x40u
void lapic_timer(uint32_t lvt, uint64_t ns);

/* ---- the I/O APIC ---- */
#define RTE_MASKED 0x10000u
#define RTE_LEVEL  0x8000u
#define RTE_LOW    0x2000u
#define RTE_IRR    0x4000u
uint32_t ioapic_read(uint32_t index);
void ioapic_write(uint32_t index, uint32_t value);
void ioapic_route(unsigned pin, uint32_t low, uint8_t to);

/* ---- a PC's own ---- */
#define PIC_MASTER 0x20u
#define PIC_SLAVE  0xa0u
#define PIC_ELCR   0x4d0u
void pic_init(void); /* both, to VECTOR_IRQ, all masked */
void pic_mask(uint16_t masked);
void pic_eoi(unsigned irq);
uint16_t pic_read(uint8_t command); /* 0x0a: requested; 0x0b: in service; slave in the upper byte */

#define PIT_HZ   1193182u
#define PIT_IRQ  0u
#define PIT_PIN  2u /* of the I/O APIC */
#define UART_IRQ 4u
#define CMOS_IRQ 8u
void pit_set(uint8_t command, uint16_t count); /* of channel 0 */
uint8_t cmos_read(uint8_t index);
void cmos_write(uint8_t index, uint8_t value);

#define PORT_UART    0x3f8u
#define PORT_PM      0x600u
#define PORT_PM_CNT  0x604u
#define PORT_PM_TMR  0x608u
#define PM_TMR_HZ    3579545u
#define PM_TMR_TICKS 0x1000000u /* 24 bits of it always count */
static inline uint32_t pm_timer(void)
{
	return in32(PORT_PM_TMR) % PM_TMR_TICKS;
}

/* ---- time ---- */

/* Counts the TSC's frequency by the ACPI timer, once. */
uint64_t tsc_hz(void);
static inline uint64_t counter(void)
{
	return rdtsc();
}
static inline uint64_t counter_of_us(uint64_t us)
{
	return tsc_hz() * us / 1000000u;
}
/* Sleeps until *count is at least `least`; an interrupt handler counts it up. Leaves them masked.
 */
void sleep_until(volatile unsigned *count, unsigned least);
/* Waits until *flag is not 0, or `us` microseconds have passed; whether it is not 0. */
bool wait_for_flag(volatile unsigned *flag, uint64_t us);

/* ---- Drydock's calls, from CPL 0 ---- */
enum { CALL_FEATURES, CALL_PUTCHAR, CALL_WRITE, CALL_EXIT };
static inline uint64_t vmmcall(uint64_t call, uint64_t a, uint64_t b)
{
	__asm__ volatile("vmmcall" : "+a"(call) : "b"(a), "c"(b) : "memory");
	return call;
}

#endif

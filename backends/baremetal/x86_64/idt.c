/* SPDX-License-Identifier: MIT */
#include "idt.h"

/* Descriptors (APM2 4.7, 4.8). */
#define GDT_CODE 0x00af9b000000ffffu
#define GDT_DATA 0x00cf93000000ffffu
#define TYPE_TSS 0x89u
#define GATE     0x8eu /* present, interrupt gate */
#define IST      1u    /* exceptions' stack */

#define EXCEPTIONS       32u
#define EXCEPTION_STRIDE 16u
#define GATES            256u

struct gate {
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, reserved;
};

struct __attribute__((packed)) table {
	uint16_t limit;
	uint64_t base;
};

static struct gate idt[GATES];

/* vectors.S */
extern const uint8_t exception_stubs[];
void irq_uart_entry(void);
void irq_timer_entry(void);
void irq_kick_entry(void);
void irq_spurious_entry(void);

static void gate_set(unsigned vector, uintptr_t entry, uint8_t ist)
{
	idt[vector] = (struct gate){.low = (uint16_t)entry,
		.selector = SEL_CODE,
		.ist = ist,
		.type = GATE,
		.middle = (uint16_t)(entry >> 16),
		.high = (uint32_t)(entry >> 32)};
}

void idt_init(void)
{
	for (unsigned n = 0; n < EXCEPTIONS; n++) {
		gate_set(n, (uintptr_t)exception_stubs + n * EXCEPTION_STRIDE, IST);
	}
	gate_set(VECTOR_UART, (uintptr_t)irq_uart_entry, 0);
	gate_set(VECTOR_TIMER, (uintptr_t)irq_timer_entry, 0);
	gate_set(VECTOR_KICK, (uintptr_t)irq_kick_entry, 0);
	gate_set(VECTOR_SPURIOUS, (uintptr_t)irq_spurious_entry, 0);
}

static void gdt_fill(struct bm_cpu *cpu)
{
	uint64_t base = (uintptr_t)&cpu->tss, limit = sizeof(cpu->tss) - 1;

	cpu->gdt[SEL_CODE / 8] = GDT_CODE;
	cpu->gdt[SEL_DATA / 8] = GDT_DATA;
	cpu->gdt[SEL_TSS / 8] = limit | (base & 0xffffff) << 16 | (uint64_t)TYPE_TSS << 40 |
				(base >> 24 & 0xff) << 56;
	cpu->gdt[SEL_TSS / 8 + 1] = base >> 32;
}

void idt_load(struct bm_cpu *cpu)
{
	const struct bm_cpu_slot *slot = HV_CONTAINER_OF(cpu, const struct bm_cpu_slot, cpu);
	uint64_t fault_stack = (uintptr_t)slot->fault_stack + BM_FAULT_STACK_SIZE;
	const struct table gdtr = {sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt};
	const struct table idtr = {sizeof(idt) - 1, (uintptr_t)idt};

	cpu->tss = (struct tss){.iopb = sizeof(cpu->tss)};
	cpu->tss.ist[2 * (IST - 1)] = (uint32_t)fault_stack;
	cpu->tss.ist[2 * (IST - 1) + 1] = (uint32_t)(fault_stack >> 32);
	gdt_fill(cpu);
	__asm__ volatile("lgdt %0\n\tltr %w1\n\tlidt %2"
			 :
			 : "m"(gdtr), "r"(SEL_TSS), "m"(idtr)
			 : "memory");
}

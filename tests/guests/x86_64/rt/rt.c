/* SPDX-License-Identifier: MIT */
/* The CPU's part of what guest.h promises. */
#include "guest.h"

#define UART_LSR     (PORT_UART + 5)
#define LSR_THRE     0x20u
#define S5_DRYDOCK   0x3400u /* SLP_EN, and SLP_TYP 5 */
#define S5_QEMU      0x2000u
#define STACK_SHIFT  14
#define TRAP_SHIFT   13
#define GATE_TYPE    0x0e00u
#define GATE_PRESENT (0x8000u | GATE_TYPE)
#define GATE_USER    0x6000u
#define DRYDOCK_EBX  0x64797244u

struct gate {
	uint16_t offset_low, selector, attributes, offset_mid;
	uint32_t offset_high, reserved;
};

struct __attribute__((packed)) task {
	uint32_t reserved_0;
	uint64_t rsp[3], reserved_1, ist[7], reserved_2;
	uint16_t reserved_3, io_map;
};

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

volatile struct guest_frame trap;
volatile uint64_t trap_cr2, trap_resume, trap_rsp;
volatile bool trap_taken;
void (*volatile on_irq)(struct guest_frame *frame, unsigned vector);
void (*volatile on_sync)(struct guest_frame *frame);
void (*volatile cpu_code)(void);

static struct gate idt[256] __attribute__((aligned(16)));
static struct task tasks[GUEST_CPUS];

extern const uint8_t gates[256][16], sipi_start[], sipi_end[];
extern uint8_t stacks[], trap_stacks[];
void guest_exception(struct guest_frame *frame);
void user_returned(void);
void cpu_init(unsigned cpu);
void cpu_main(void);

void put_char(char byte)
{
	while (!(in8(UART_LSR) & LSR_THRE)) {
	}
	out8(PORT_UART, (uint8_t)byte);
}

_Noreturn void power_off(void)
{
	out16(PORT_PM_CNT, S5_DRYDOCK);
	out16(PORT_PM_CNT, S5_QEMU);
	for (;;) {
		__asm__ volatile("cli\n\thlt");
	}
}

bool on_drydock(void)
{
	return cpuid(1, 0).ecx >> 31 && cpuid(0x40000000, 0).ebx == DRYDOCK_EBX;
}

/* ---- exceptions ---- */

static _Noreturn void unexpected(const struct guest_frame *frame)
{
	static const char *const names[] = {
		"vector ", " error ", " rip ", " cs ", " rflags ", " rsp ", " cr2 "};
	const uint64_t values[] = {frame->vector, frame->error, frame->rip, frame->cs,
		frame->rflags, frame->rsp, REG_GET(cr2)};

	check("unexpected exception:", false);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		print(names[i]);
		print_hex(values[i]);
	}
	print("\n");
	finish();
}

void leave_user(struct guest_frame *frame)
{
	frame->rip = (uint64_t)user_returned;
	frame->cs = CODE64;
	frame->ss = DATA;
	frame->rflags = 2;
}

void guest_exception(struct guest_frame *frame)
{
	unsigned vector = (unsigned)frame->vector;

	if (vector == VECTOR_LEAVE) {
		leave_user(frame);
	} else if (vector >= VECTOR_IRQ || (vector == VECTOR_NMI && on_irq)) {
		if (!on_irq) {
			unexpected(frame);
		}
		on_irq(frame, vector);
	} else if (on_sync) {
		on_sync(frame);
	} else if (trap_resume) {
		trap = *frame;
		trap_cr2 = REG_GET(cr2);
		trap_taken = true;
		frame->rip = trap_resume;
		frame->rsp = trap_rsp;
		frame->rflags &= ~RFLAGS_TF;
		trap_resume = 0;
		if (frame->cs & 3) {
			leave_user(frame);
		}
	} else {
		unexpected(frame);
	}
}

bool rdmsr_try(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0;

	if (TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(msr) : "memory")) {
		return false;
	}
	*value = (uint64_t)high << 32 | low;
	return true;
}

bool wrmsr_try(uint32_t msr, uint64_t value)
{
	return !TRY("wrmsr", ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr)
		    : "memory");
}

/* ---- tables of the CPU ---- */

void gate_set(unsigned vector, const void *code)
{
	uint64_t at = (uint64_t)code;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)at,
		.selector = CODE64,
		.attributes = code ? GATE_PRESENT : GATE_TYPE,
		.offset_mid = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

void gates_stack(unsigned ist)
{
	for (unsigned i = 0; i < 256; i++) {
		gate_set(i, gates[i]);
		idt[i].attributes |= (uint16_t)ist;
	}
	idt[VECTOR_DF].attributes = GATE_PRESENT | 1;
	idt[VECTOR_NMI].attributes = GATE_PRESENT | 2;
	idt[VECTOR_BP].attributes |= GATE_USER;
	idt[VECTOR_OF].attributes |= GATE_USER;
	idt[VECTOR_LEAVE].attributes |= GATE_USER;
}

static void task_init(unsigned cpu)
{
	struct task *task = &tasks[cpu];
	uint64_t base = (uint64_t)task, limit = sizeof(*task) - 1;
	uint64_t *at = &gdt[TASKS / 8 + 2 * cpu];

	*task = (struct task){.io_map = sizeof(*task)};
	task->rsp[0] = (uint64_t)trap_stacks + ((uint64_t)(cpu + 1) << TRAP_SHIFT);
	task->ist[0] = task->rsp[0];
	task->ist[1] = task->rsp[0] - (1u << (TRAP_SHIFT - 1));
	at[0] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	at[1] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(TASKS + 16 * cpu));
}

/* Called by each CPU, on its stack, before it does anything else. */
void cpu_init(unsigned cpu)
{
	struct table_pointer pointer = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};

	if (cpu == 0) {
		gates_stack(0);
		pic_init();
	}
	__asm__ volatile("lidt %0" ::"m"(pointer));
	task_init(cpu);
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	lapic_write(LAPIC_TPR, 0);
}

void cpu_main(void)
{
	cpu_code();
}

/* ---- other CPUs ---- */

#define SIPI_PAGE 0x8000u

uint8_t sipi_vector(void)
{
	volatile uint8_t *to = (uint8_t *)(uintptr_t)SIPI_PAGE;

	for (const uint8_t *from = sipi_start; from < sipi_end; from++) {
		*to++ = *from;
	}
	return SIPI_PAGE >> 12;
}

/* ---- ACPI, as much as tells CPUs ---- */

#define START_INFO_RSDP 32u
#define RSDP_XSDT       24u
#define TABLE_LENGTH    4u
#define TABLE_HEADER    36u
#define MADT_ENTRIES    44u
#define MADT_LAPIC      0u

static uint32_t load32(uint64_t at)
{
	return read32(at);
}

static uint64_t load64(uint64_t at)
{
	return load32(at) | (uint64_t)load32(at + 4) << 32;
}

/* By the XSDT, else by the RSDT. */
static uint64_t madt(void)
{
	static const char signature[] = "APIC";
	uint64_t rsdp = load64(boot_info + START_INFO_RSDP), root;
	bool wide = read8(rsdp + 15) >= 2;

	root = wide ? load64(rsdp + RSDP_XSDT) : load32(rsdp + 16);
	for (uint64_t at = root + TABLE_HEADER; at < root + load32(root + TABLE_LENGTH);
		at += wide ? 8 : 4) {
		uint64_t table = wide ? load64(at) : load32(at);

		if (load32(table) == *(const uint32_t *)signature) {
			return table;
		}
	}
	return 0;
}

unsigned cpu_ids(uint8_t ids[GUEST_CPUS])
{
	uint64_t table = madt(), end = table ? table + load32(table + TABLE_LENGTH) : 0;
	unsigned count = 0;

	for (uint64_t at = table + MADT_ENTRIES; at < end && read8(at + 1); at += read8(at + 1)) {
		if (read8(at) == MADT_LAPIC && load32(at + 4) & 1 && count < GUEST_CPUS) {
			ids[count++] = read8(at + 3);
		}
	}
	return count;
}

/* ---- time ---- */

#define CALIBRATION (PM_TMR_HZ / 200) /* ticks: 5 ms */

uint64_t tsc_hz(void)
{
	static uint64_t hz;
	uint64_t from;
	uint32_t start, passed;

	if (hz) {
		return hz;
	}
	start = pm_timer();
	from = rdtsc();
	do {
		passed = (pm_timer() - start) % PM_TMR_TICKS;
	} while (passed < CALIBRATION);
	hz = (rdtsc() - from) * PM_TMR_HZ / passed;
	return hz;
}

bool wait_for_flag(volatile unsigned *flag, uint64_t us)
{
	uint64_t until = counter() + counter_of_us(us);

	while (!*flag && (int64_t)(until - counter()) > 0) {
	}
	return *flag != 0;
}

void sleep_until(volatile unsigned *count, unsigned least)
{
	irq_mask();
	while (*count < least) {
		wait_for_interrupt();
	}
}

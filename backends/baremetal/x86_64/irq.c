/* SPDX-License-Identifier: MIT */
#include "irq.h"

#include "host_apic.h"

#include <common/clock.h>
#include <common/console.h>
#include <hv/bits.h>

#define ISA_COM1 4u

/*
 * COM1's interrupt is an edge: there is no next one unless the line falls, so all of its causes
 * are met before we leave. There are two, and each comes again once a byte's time.
 */
#define UART_ROUNDS 64u

static struct clock lapic_clock; /* its ratios are the local APIC timer's, not the TSC's */

void irq_timer_hz(uint64_t hz)
{
	lapic_clock.ticks_per_ns = (hz << 32) / 1000000000u;
}

void irq_init(void)
{
	host_ioapic_enable(ISA_COM1, VECTOR_UART, bm_cpu(0)->apic_id);
}

/* IF is set all the time that GIF is not, so these open and close the door (APM2 15.17). */
void irq_take(void)
{
	__asm__ volatile("stgi\n\tnop\n\tclgi" : : : "memory");
}

/* STI's shadow covers HLT: what comes up before wakes it, too. */
void irq_wait(void)
{
	__asm__ volatile("cli\n\tstgi\n\tsti\n\thlt\n\tclgi" : : : "memory");
}

/* ---- deadlines ---- */

/* Later ones than the timer can hold come in several steps. */
static void timer_set(uint64_t deadline)
{
	uint64_t now = clock_count(), ticks = 0;

	if (deadline != HV_NEVER_DUE) {
		uint64_t ns = deadline > now ? clock_to_ns(deadline - now) : 0;

		ticks = clock_scale(ns, lapic_clock.ticks_per_ns) + 1;
	}
	host_apic_timer_set(ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}

static uint64_t timed_regions(const struct hv_bus *bus)
{
	uint64_t timed = 0;

	_Static_assert(HV_BUS_REGIONS <= 64, "a bit for each region");
	for (unsigned i = 0; i < bus->count; i++) {
		timed |= bus->region[i].ops->expire ? HV_BIT(i) : 0;
	}
	return timed;
}

/* A bus does not change while its VM runs, so the regions to ask are found once. */
void deadline_init(struct bm_cpu *cpu)
{
	const struct hv_vm *vm = cpu->vcpu->hv.vm;

	cpu->timed = timed_regions(&vm->bus);
	cpu->timed_pio = timed_regions(&vm->pio);
	cpu->deadline = HV_NEVER_DUE;
	timer_set(HV_NEVER_DUE);
}

static uint64_t earliest(const struct hv_bus *bus, uint64_t timed, uint64_t ns)
{
	for (uint64_t left = timed; left; left &= left - 1) {
		uint64_t due = atomic_load_explicit(
			&bus->region[hv_lowest_bit(left)].due, memory_order_relaxed);

		ns = due < ns ? due : ns;
	}
	return ns;
}

static uint64_t next_deadline(const struct bm_cpu *cpu)
{
	const struct hv_vm *vm = cpu->vcpu->hv.vm;
	uint64_t ns = x86_timer_update(cpu->vcpu, port_now());

	ns = earliest(&vm->bus, cpu->timed, ns);
	ns = earliest(&vm->pio, cpu->timed_pio, ns);
	return ns == HV_NEVER_DUE ? HV_NEVER_DUE : clock_to_ticks(ns);
}

void deadline_set(struct bm_cpu *cpu)
{
	struct x86_vcpu *vcpu = cpu->vcpu;
	uint64_t deadline;

	/* First the flag, then the look. */
	atomic_fetch_and(&vcpu->hv.todo, ~(uint32_t)HV_TODO_TIME);
	deadline = next_deadline(cpu);
	if (deadline != cpu->deadline) {
		cpu->deadline = deadline;
		timer_set(deadline);
	}
}

/* ---- interrupts ---- */

void irq_timer(void)
{
	struct bm_cpu *cpu = bm_this_cpu();
	struct x86_vcpu *vcpu = cpu->vcpu;

	host_apic_end();
	if (vcpu) {
		cpu->deadline = HV_NEVER_DUE;
		(void)hv_vm_expire(vcpu->hv.vm, port_now());
		deadline_set(cpu);
	}
}

void irq_uart(void)
{
	struct bm_cpu *cpu = bm_this_cpu();

	host_apic_end();
	for (unsigned n = 0; n < UART_ROUNDS && uart_irq_pending(); n++) {
		console_irq();
	}
	if (cpu->vcpu) {
		deadline_set(cpu);
	}
}

/* What else there is to do is in the vCPU's todo. */
void irq_kick(void)
{
	host_apic_end();
	flush_serve(bm_this_cpu());
}

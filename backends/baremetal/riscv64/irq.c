/* SPDX-License-Identifier: MIT */
#include "irq.h"

#include "caps.h"
#include "plic.h"
#include "sbi.h"

#include <common/clock.h>
#include <common/console.h>
#include <hv/bits.h>

static struct {
	uint32_t uart; /* source at the PLIC */
} irq;

void irq_cpu_init(void)
{
	CSR_WRITE(sie, SIP_SSI | SIP_STI | SIP_SEI);
}

void irq_init(const struct host *host)
{
	irq.uart = host->uart_irq;
	plic_enable(irq.uart);
	irq_cpu_init();
}

/* ---- deadlines ---- */

/* UINT64_MAX is never, which also takes a pending interrupt away. */
static void timer_set(uint64_t time)
{
	if (hv_bit(caps_get()->exts, RV64_EXT_SSTC)) {
		CSR_WRITE(stimecmp, time);
	} else {
		sbi_timer_set(time);
	}
}

/* A bus does not change while its VM runs, so the regions to ask are found once. */
void deadline_init(struct hs_cpu *cpu)
{
	const struct hv_bus *bus = &cpu->vcpu->hv.vm->bus;

	_Static_assert(HV_BUS_REGIONS <= 64, "a bit for each region");
	cpu->timed = 0;
	for (unsigned i = 0; i < bus->count; i++) {
		cpu->timed |= bus->region[i].ops->expire ? HV_BIT(i) : 0;
	}
	cpu->deadline = HV_NEVER_DUE;
	timer_set(UINT64_MAX);
}

static uint64_t next_deadline(const struct hs_cpu *cpu)
{
	const struct hv_bus *bus = &cpu->vcpu->hv.vm->bus;
	uint64_t ns = HV_NEVER_DUE, device, timer;

	for (uint64_t left = cpu->timed; left; left &= left - 1) {
		uint64_t due = atomic_load_explicit(
			&bus->region[hv_lowest_bit(left)].due, memory_order_relaxed);

		ns = due < ns ? due : ns;
	}
	device = ns == HV_NEVER_DUE ? HV_NEVER_DUE : clock_to_ticks(ns);
	timer = rv64_timer_update(cpu->vcpu, clock_count());
	return device < timer ? device : timer;
}

void deadline_set(struct hs_cpu *cpu)
{
	uint64_t deadline;

	/* First the flag, then the look. */
	atomic_fetch_and(&cpu->vcpu->hv.todo, ~(uint32_t)HV_TODO_TIME);
	deadline = next_deadline(cpu);
	if (deadline != cpu->deadline) {
		cpu->deadline = deadline;
		timer_set(deadline);
	}
}

/* The timer's own line is low again when it is set to what is next. */
static void deadline_irq(struct hs_cpu *cpu)
{
	cpu->deadline = HV_NEVER_DUE;
	timer_set(UINT64_MAX);
	hv_bus_expire(&cpu->vcpu->hv.vm->bus, port_now());
	deadline_set(cpu);
}

/* ---- interrupts ---- */

static void external_irq(struct hs_cpu *cpu)
{
	uint32_t source = plic_take();

	if (source == irq.uart) {
		console_irq();
		deadline_set(cpu);
	}
	if (source) {
		plic_end(source);
	}
}

void irq_handle(struct hs_cpu *cpu)
{
	uint64_t pending = CSR_READ(sip);

	if (pending & SIP_SSI) {
		CSR_CLEAR(sip, SIP_SSI);
		FENCE(); /* one that comes up from here on is a new one: only now look at todo */
	}
	if (pending & SIP_STI) {
		deadline_irq(cpu);
	}
	if (pending & SIP_SEI) {
		external_irq(cpu);
	}
}

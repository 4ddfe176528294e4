/* SPDX-License-Identifier: MIT */
#include "irq.h"

#include "host_gic.h"

#include <common/console.h>
#include <common/clock.h>
#include <hv/bits.h>

#define TIMER_ON  1u /* CNTHP_CTL_EL2: enabled, not masked */
#define TIMER_OFF 0u

static struct {
	uint32_t uart, vtimer, hyp_timer; /* INTIDs */
	uint32_t maintenance;             /* or 0, which is no INTID of ours */
} irq;

void irq_init(const struct host *host)
{
	irq.uart = host->uart_intid;
	irq.vtimer = host->vtimer_intid;
	irq.hyp_timer = host->hyp_timer_intid;
	irq.maintenance = host->maintenance_intid;
	host_gic_enable(irq.uart);
	irq_cpu_init();
}

void irq_cpu_init(void)
{
	host_gic_enable(IRQ_KICK);
	host_gic_enable(irq.vtimer);
	host_gic_enable(irq.hyp_timer);
	if (irq.maintenance) {
		host_gic_enable(irq.maintenance);
	}
}

/* ---- deadlines of what is emulated: devices on the bus, and the guest's physical timer ---- */

/* A bus does not change while its VM runs, so the regions to ask are found once. */
void deadline_init(struct el2_cpu *cpu)
{
	const struct hv_bus *bus = &cpu->vcpu->hv.vm->bus;

	_Static_assert(HV_BUS_REGIONS <= 64, "a bit for each region");
	cpu->timed = 0;
	for (unsigned i = 0; i < bus->count; i++) {
		cpu->timed |= bus->region[i].ops->expire ? HV_BIT(i) : 0;
	}
	cpu->deadline = HV_NEVER_DUE;
	SYSREG_WRITE(cnthp_ctl_el2, TIMER_OFF);
}

static uint64_t next_deadline(const struct el2_cpu *cpu)
{
	const struct hv_bus *bus = &cpu->vcpu->hv.vm->bus;
	const struct a64_timer *ptimer = &cpu->vcpu->ptimer;
	uint64_t ns = HV_NEVER_DUE, device, timer = HV_NEVER_DUE;

	for (uint64_t left = cpu->timed; left; left &= left - 1) {
		uint64_t due = atomic_load_explicit(
			&bus->region[hv_lowest_bit(left)].due, memory_order_relaxed);

		ns = due < ns ? due : ns;
	}
	device = ns == HV_NEVER_DUE ? HV_NEVER_DUE : clock_to_ticks(ns);
	if (ptimer->line != A64_LINE_HIGH) {
		timer = a64_timer_due(ptimer, 0);
	}
	return device < timer ? device : timer;
}

void deadline_set(struct el2_cpu *cpu)
{
	uint64_t deadline;

	/* First the flag, then the look. */
	atomic_fetch_and(&cpu->vcpu->hv.todo, ~(uint32_t)HV_TODO_TIME);
	deadline = next_deadline(cpu);
	if (deadline == cpu->deadline) {
		return;
	}
	cpu->deadline = deadline;
	if (deadline == HV_NEVER_DUE) {
		SYSREG_WRITE(cnthp_ctl_el2, TIMER_OFF);
	} else {
		SYSREG_WRITE(cnthp_cval_el2, deadline);
		SYSREG_WRITE(cnthp_ctl_el2, TIMER_ON);
	}
}

/* The timer's own line must be low before the interrupt ends, or it comes again at once. */
static void deadline_irq(struct el2_cpu *cpu)
{
	SYSREG_WRITE(cnthp_ctl_el2, TIMER_OFF);
	ISB();
	cpu->deadline = HV_NEVER_DUE;
	hv_bus_expire(&cpu->vcpu->hv.vm->bus, port_now());
	a64_timers_update(cpu->vcpu, clock_count());
	deadline_set(cpu);
}

/* ---- physical interrupts ---- */

/*
 * The list registers want attention. While the vCPU waits nobody may look at them, so the virtual
 * interface is silenced until it runs again.
 */
static void maintenance_irq(struct a64_vcpu *vcpu, bool here)
{
	if (here) {
		vgic_sync(&vcpu->gic);
		host_gic_lr_flush(&vcpu->gic);
	} else {
		host_gic_lr_silence(&vcpu->gic);
		hv_vcpu_wake(&vcpu->hv, HV_TODO_IRQ);
	}
	ISB();
}

void irq_handle(struct el2_cpu *cpu, bool here)
{
	struct gicv3_cpu *gic = &cpu->vcpu->gic;
	uint32_t intid = host_gic_take();

	if (intid == irq.vtimer) {
		/* Stays active until the guest's own deactivation reaches it through LR.HW. */
		if (here) {
			vgic_ppi_set_here(gic, A64_PPI_VTIMER, true);
		} else {
			vgic_ppi_set(gic, A64_PPI_VTIMER, true);
		}
		return;
	}
	if (intid >= GIC_SPURIOUS - 3) {
		return;
	}
	if (intid == irq.uart) {
		console_irq();
		deadline_set(cpu);
	} else if (intid == irq.hyp_timer) {
		deadline_irq(cpu);
	} else if (intid == IRQ_KICK) {
		DSB(sy); /* one that comes up from here on is a new one: only now look at todo */
	} else if (intid == irq.maintenance) {
		maintenance_irq(cpu->vcpu, here);
	}
	host_gic_end(intid);
}

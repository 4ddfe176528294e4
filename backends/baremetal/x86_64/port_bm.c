/* SPDX-License-Identifier: MIT */
/* What core asks of the CPU (hv/port.h, x86.h). */
#include "bm.h"
#include "host.h"
#include "host_apic.h"

#include <common/clock.h>
#include <common/report.h>
#include <hv/bits.h>
#include <hv/port.h>

void port_lock(struct hv_lock *lock)
{
	while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE) != 0) {
		while (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0) {
			flush_serve(bm_this_cpu());
			RELAX();
		}
	}
}

void port_unlock(struct hv_lock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

uint64_t port_now(void)
{
	return clock_to_ns(clock_count());
}

/* Ourselves need none (hv/port.h). It stays pending until the other CPU enters or waits. */
void port_kick(uint16_t pcpu)
{
	if (pcpu != bm_this_cpu()->index) {
		host_apic_send(bm_cpu(pcpu)->apic_id, VECTOR_KICK);
	}
}

/* ---- translations: a CPU forgets them at its next VMRUN; who is in its guest must come out ----
 */

static void flush_here(struct bm_cpu *cpu)
{
	struct x86_vcpu *vcpu = cpu->vcpu;

	if (vcpu) {
		cpu->flush_due = true;
		/* So that the way into the guest is the one that looks. */
		atomic_fetch_or(&vcpu->hv.todo, HV_TODO_TIME);
	}
}

void flush_serve(struct bm_cpu *cpu)
{
	if (atomic_load_explicit(&cpu->flush, memory_order_relaxed)) {
		flush_here(cpu);
		atomic_store_explicit(&cpu->flush, false, memory_order_release);
	}
}

static void flush_there(struct bm_cpu *cpu)
{
	atomic_store(&cpu->flush, true);
	port_kick(cpu->index);
}

/*
 * The walker holds its lock, so one at a time asks; whoever waits for that lock serves meanwhile. A
 * CPU that has no vCPU yet begins with a flush.
 */
void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	struct bm_cpu *self = bm_this_cpu();
	uint32_t count = host_get()->tree.cpu_count;

	(void)from, (void)len;
	if (pt->fmt != &x86_npt_fmt) {
		return; /* our own, which is complete before it is loaded */
	}
	flush_here(self);
	for (uint16_t i = 0; i < count; i++) {
		if (i != self->index && bm_cpu(i)->vcpu) {
			flush_there(bm_cpu(i));
		}
	}
	for (uint16_t i = 0; i < count; i++) {
		while (i != self->index && bm_cpu(i)->vcpu && atomic_load(&bm_cpu(i)->flush)) {
			RELAX();
		}
	}
}

/* x86's caches are coherent, and so are its fetches with what it wrote before. */
void port_guest_sync(const void *host, size_t size)
{
	(void)host, (void)size;
}

void port_log(const char *line, size_t size)
{
	char buffer[160];
	struct hv_text text = HV_TEXT(buffer);

	hv_text_bytes(&text, line, size);
	report("log", &text);
}

_Noreturn void port_panic(const char *why)
{
	report_emergency();
	report_str("dump", "hypervisor stopped itself");
	report_str("dump", why);
	report_str("end", "crash hypervisor check");
	machine_off();
}

/* ---- the guest's part of this CPU ---- */

uint64_t port_x86_tsc(void)
{
	return clock_count();
}

struct x86_cpuid port_x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
	return cpuid(leaf, subleaf);
}

void port_x86_tsc_aux_set(uint32_t value)
{
	msr_write(MSR_TSC_AUX, value);
}

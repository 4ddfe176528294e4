/* SPDX-License-Identifier: MIT */
/* What core asks of the CPU (hv/port.h, x86.h). */
#include "bm.h"
#include "host_apic.h"

#include <common/clock.h>
#include <common/report.h>
#include <hv/bits.h>
#include <hv/port.h>

void port_lock(struct hv_lock *lock)
{
	while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE) != 0) {
		while (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0) {
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

void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	(void)from, (void)len;
	if (pt->fmt != &x86_npt_fmt) {
		return; /* our own, which is complete before it is loaded */
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

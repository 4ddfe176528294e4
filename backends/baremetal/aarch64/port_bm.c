/* SPDX-License-Identifier: MIT */
/* What core asks of EL2 (hv/port.h, a64.h). Barriers are those of DDI 0487 D8.14 and B2.3. */
#include "el2.h"
#include "host_gic.h"
#include "irq.h"
#include "power.h"

#include <common/clock.h>
#include <arch/aarch64/a64.h>
#include <hv/bits.h>
#include <hv/port.h>
#include <common/report.h>

/* From so many pages on, a whole VMID goes at once. */
#define FLUSH_MOST_PAGES 64u

#define CTR_DMINLINE(ctr) hv_bits(ctr, 19, 16) /* log2 of the line in words */

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

uint64_t port_a64_count(void)
{
	return clock_count();
}

/* Ourselves need none (hv/port.h). The SGI stays pending until the other CPU enters or waits. */
void port_kick(uint16_t pcpu)
{
	if (pcpu != el2_this_cpu()->index) {
		host_gic_send(el2_cpu(pcpu), IRQ_KICK);
	}
}

static void flush_pages(gpa_t from, uint64_t len)
{
	for (uint64_t page = 0; page < len >> HV_PAGE_SHIFT; page++) {
		TLBI_ARG(ipas2e1is, (from.v >> HV_PAGE_SHIFT) + page);
	}
	/* What a CPU combined from both stages is only found by the VMID. */
	DSB(ish);
	TLBI(vmalle1is);
}

/* TLBI by IPA or VMID means the VMID in VTTBR_EL2: ours for a moment, if another table is loaded.
 */
void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	uint64_t loaded, wanted;

	if (pt->fmt != &a64_stage2_fmt) {
		return; /* our own, which is complete before it is loaded */
	}
	loaded = SYSREG_READ(vttbr_el2);
	wanted = a64_vttbr(pt);
	DSB(ishst);
	if (loaded != wanted) {
		SYSREG_WRITE(vttbr_el2, wanted);
		ISB();
	}
	if (len >> HV_PAGE_SHIFT <= FLUSH_MOST_PAGES) {
		flush_pages(from, len);
	} else {
		TLBI(vmalls12e1is);
	}
	DSB(ish);
	ISB();
	if (loaded != wanted) {
		SYSREG_WRITE(vttbr_el2, loaded);
		ISB();
	}
}

/* To the point of coherency, because the guest starts with its caches off. */
void port_guest_sync(const void *host, size_t size)
{
	uint64_t line = (uint64_t)4 << CTR_DMINLINE(SYSREG_READ(ctr_el0));
	uintptr_t at = (uintptr_t)host & ~(uintptr_t)(line - 1);

	for (; at < (uintptr_t)host + size; at += line) {
		DC(cvac, at);
	}
	DSB(ish);
	__asm__ volatile("ic ialluis" : : : "memory");
	DSB(ish);
	ISB();
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
	power_off();
}

/* Field of struct a64_el1, register. */
#define EL1_EACH(X)                                                                                \
	X(sp_el0, sp_el0)                                                                          \
	X(sp_el1, sp_el1)                                                                          \
	X(elr, elr_el1)                                                                            \
	X(spsr, spsr_el1)                                                                          \
	X(esr, esr_el1)                                                                            \
	X(far, far_el1)                                                                            \
	X(vbar, vbar_el1)                                                                          \
	X(sctlr, sctlr_el1)                                                                        \
	X(tcr, tcr_el1)                                                                            \
	X(ttbr0, ttbr0_el1)                                                                        \
	X(ttbr1, ttbr1_el1)                                                                        \
	X(mair, mair_el1)                                                                          \
	X(amair, amair_el1)                                                                        \
	X(contextidr, contextidr_el1)                                                              \
	X(cpacr, cpacr_el1)                                                                        \
	X(tpidr_el0, tpidr_el0)                                                                    \
	X(tpidrro_el0, tpidrro_el0)                                                                \
	X(tpidr_el1, tpidr_el1)                                                                    \
	X(afsr0, afsr0_el1)                                                                        \
	X(afsr1, afsr1_el1)                                                                        \
	X(par, par_el1)                                                                            \
	X(cntkctl, cntkctl_el1)                                                                    \
	X(csselr, csselr_el1)                                                                      \
	X(mdscr, mdscr_el1)                                                                        \
	X(actlr, actlr_el1)

#define EL1_LOAD(field, name)  el1->field = SYSREG_READ(name);
#define EL1_STORE(field, name) SYSREG_WRITE(name, el1->field);

void port_a64_el1_load(struct a64_el1 *el1)
{
	EL1_EACH(EL1_LOAD)
}

void el1_store(const struct a64_el1 *el1){EL1_EACH(EL1_STORE)}

uint64_t port_a64_sctlr(void)
{
	return SYSREG_READ(sctlr_el1);
}

void port_a64_vreg_get(unsigned n, uint64_t value[2])
{
	vreg_get(n & 31, value);
}

void port_a64_vreg_set(unsigned n, const uint64_t value[2])
{
	vreg_set(n & 31, value);
}

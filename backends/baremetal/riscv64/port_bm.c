/* SPDX-License-Identifier: MIT */
/* What core asks of HS-mode (hv/port.h, rv64.h). */
#include "hs.h"
#include "irq.h"
#include "sbi.h"

#include <common/clock.h>
#include <common/report.h>
#include <hv/bits.h>
#include <hv/port.h>

#define INSN_LONG 3 /* the lowest bits of an instruction of 32 bits */

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

uint64_t port_rv64_time(void)
{
	return clock_count();
}

/* Ourselves need none (hv/port.h). It stays pending until the other CPU enters or waits. */
void port_kick(uint16_t pcpu)
{
	if (pcpu != hs_this_cpu()->index) {
		sbi_ipi_send(hs_cpu(pcpu)->hart);
	}
}

/* ---- fences; a CPU that firmware has not started for us yet begins with all of them ---- */

/* One of firmware's on each CPU of the set but this one. */
static void fence_others(
	uint32_t cpus, enum sbi_fence fence, uint64_t start, uint64_t size, uint64_t id)
{
	for (cpus &= ~(1u << hs_this_cpu()->index); cpus; cpus &= cpus - 1) {
		sbi_fence(fence, hs_cpu((uint16_t)hv_lowest_bit(cpus))->hart, start, size, id);
	}
}

/*
 * By VMID and with rs1 = x0, whatever the range: with an address in rs1 it would order only leaf
 * descriptors (priv 8.3.2), and the walker links and unlinks tables.
 */
void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	(void)from, (void)len;
	if (pt->fmt != &rv64_gstage_fmt) {
		return; /* our own, which is complete before it is loaded */
	}
	__asm__ volatile(INSN_H("hfence.gvma zero, %0") : : "r"((uint64_t)pt->vmid) : "memory");
	fence_others(hs_started(), SBI_FENCE_GVMA_VMID, 0, UINT64_MAX, pt->vmid);
}

void port_guest_sync(const void *host, size_t size)
{
	(void)host, (void)size;
	FENCE_I();
	fence_others(hs_started(), SBI_FENCE_I, 0, 0, 0);
}

/* The VMID is hgatp's, which is the guest's. */
static void fence_here(const struct rv64_fence *fence)
{
	bool by_asid = fence->op == RV64_FENCE_VMA_ASID;

	if (fence->op == RV64_FENCE_I) {
		FENCE_I();
	} else if (fence->size == UINT64_MAX && by_asid) {
		__asm__ volatile(INSN_H("hfence.vvma zero, %0") : : "r"(fence->asid) : "memory");
	} else if (fence->size == UINT64_MAX) {
		__asm__ volatile(INSN_H("hfence.vvma") : : : "memory");
	}
	for (uint64_t at = 0; fence->size != UINT64_MAX && at < fence->size; at += HV_PAGE_SIZE) {
		if (by_asid) {
			__asm__ volatile(INSN_H("hfence.vvma %0, %1")
					 :
					 : "r"(fence->start + at), "r"(fence->asid)
					 : "memory");
		} else {
			__asm__ volatile(INSN_H("hfence.vvma %0")
					 :
					 : "r"(fence->start + at)
					 : "memory");
		}
	}
}

void port_rv64_fence(const struct hv_vm *vm, const struct rv64_fence *fence)
{
	static const enum sbi_fence as[] = {
		[RV64_FENCE_I] = SBI_FENCE_I,
		[RV64_FENCE_VMA] = SBI_FENCE_VVMA,
		[RV64_FENCE_VMA_ASID] = SBI_FENCE_VVMA_ASID,
	};

	(void)vm; /* vCPU n runs on CPU n */
	if (hv_bit(fence->vcpus, hs_this_cpu()->index)) {
		fence_here(fence);
	}
	fence_others(
		fence->vcpus & hs_started(), as[fence->op], fence->start, fence->size, fence->asid);
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

/* Fields of struct rv64_vs that are called as their CSRs are. */
#define VS_EACH(X)                                                                                 \
	X(vsstatus)                                                                                \
	X(vsie)                                                                                    \
	X(vstvec)                                                                                  \
	X(vsscratch)                                                                               \
	X(vsepc)                                                                                   \
	X(vscause)                                                                                 \
	X(vstval)                                                                                  \
	X(vsatp)                                                                                   \
	X(scounteren)

#define VS_LOAD(name)  vs->name = CSR_READ(name);
#define VS_STORE(name) CSR_WRITE(name, vs->name);

void port_rv64_vs_load(struct rv64_vs *vs)
{
	VS_EACH(VS_LOAD)
	vs->senvcfg = CSR_READ(CSR_SENVCFG);
	vs->user = !(CSR_READ(sstatus) & SSTATUS_SPP);
}

void vs_store(const struct rv64_vs *vs)
{
	VS_EACH(VS_STORE)
	CSR_WRITE(CSR_SENVCFG, vs->senvcfg);
	if (vs->user) {
		CSR_CLEAR(sstatus, SSTATUS_SPP);
	} else {
		CSR_SET(sstatus, SSTATUS_SPP);
	}
}

uint64_t port_rv64_pending(void)
{
	return CSR_READ(hip) & CSR_READ(hie) &
	       (HV_BIT(RV64_VSSI) | HV_BIT(RV64_VSTI) | HV_BIT(RV64_VSEI));
}

void port_rv64_timer_set(uint64_t when)
{
	CSR_WRITE(vstimecmp, when);
}

/* ---- the guest's instruction ---- */

/*
 * HLVX as the guest's own fetch. Negative when that faults, as vectors.S skips it then; else what
 * is there, without a sign. Addresses are aligned: firmware need not emulate the others.
 */
#define HLVX(insn, va)                                                                             \
	({                                                                                         \
		int64_t hlvx_value = -1;                                                           \
		__asm__ volatile(INSN_H(insn " %0, (%1)") : "+r"(hlvx_value) : "r"(va));           \
		hlvx_value;                                                                        \
	})

/* Its fault was an exception from HS-mode, which leaves the way back to the guest behind it. */
static inline bool fetch_failed(void)
{
	if (CSR_READ(hstatus) & HSTATUS_SPVP) {
		CSR_SET(sstatus, SSTATUS_SPP);
	}
	CSR_SET(hstatus, HSTATUS_SPV);
	return false;
}

static inline bool fetch_halves(uint64_t va, uint32_t *insn)
{
	int64_t low = HLVX("hlvx.hu", va), high = 0;

	if (low >= 0 && (low & INSN_LONG) == INSN_LONG) {
		high = HLVX("hlvx.hu", va + 2);
	}
	*insn = (uint32_t)(high << 16 | low);
	return (low | high) >= 0 || fetch_failed();
}

/* No calls: exit_device() does not want to save registers for them. */
bool port_rv64_insn_fetch(uint64_t va, uint32_t *insn)
{
	int64_t word;

	if (__builtin_expect(((va + 2) & (HV_PAGE_SIZE - 1)) == 0, 0)) {
		return fetch_halves(va, insn);
	}
	word = HLVX("hlvx.wu", va);
	*insn = (uint32_t)word;
	return __builtin_expect(word >= 0, 1) || fetch_failed();
}

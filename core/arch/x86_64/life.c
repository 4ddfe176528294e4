/* SPDX-License-Identifier: MIT */
/* How a vCPU begins: APM2 14.1.3 (INIT); as a loader asks for; and what other CPUs' signals do. */
#include "life.h"
#include "code.h"
#include "cpuid.h"
#include "msr.h"
#include "priv.h"

#include <dev/lapic/lapic.h>
#include <hv/power.h>

#define VECTOR_SHIFT 8u /* in signals */

/* ---- segments ---- */

#define DATA (0x3u | X86_SEG_S | X86_SEG_P) /* read, write, accessed */
#define CODE (0xbu | X86_SEG_S | X86_SEG_P) /* execute, read, accessed */
#define LDT  (0x2u | X86_SEG_P)
#define TSS  (0xbu | X86_SEG_P) /* busy, 32 or 64 bits */

#define SELECTOR_CODE 0x10u
#define SELECTOR_DATA 0x18u
#define REAL_LIMIT    0xffffu

static const struct x86_seg real_table = {.limit = REAL_LIMIT};

/* All data segments alike; then the code and the tables. */
static void segments(struct x86_sys *sys, struct x86_seg code, struct x86_seg data)
{
	for (unsigned n = X86_ES; n <= X86_GS; n++) {
		sys->seg[n] = data;
	}
	sys->seg[X86_CS] = code;
	sys->seg[X86_GDTR] = real_table;
	sys->seg[X86_IDTR] = real_table;
	sys->seg[X86_LDTR] = (struct x86_seg){.attrib = LDT, .limit = REAL_LIMIT};
	sys->seg[X86_TR] = (struct x86_seg){.attrib = TSS, .limit = REAL_LIMIT};
}

/* CS holds all of pc but what IP can; above 1 MiB its base is not what its selector says. */
static void real_segments(struct x86_sys *sys, uint64_t pc)
{
	uint64_t base = hv_align_down(pc, HV_BIT(16));
	uint16_t selector = 0xf000;

	if (pc < HV_MIB(1)) {
		base = hv_align_down(pc, 16);
		selector = (uint16_t)(base >> 4);
	}
	segments(sys,
		(struct x86_seg){
			.selector = selector, .attrib = CODE, .limit = REAL_LIMIT, .base = base},
		(struct x86_seg){.attrib = DATA, .limit = REAL_LIMIT});
	sys->rip = pc - base;
}

static void flat_segments(struct x86_sys *sys, const struct x86_boot *boot)
{
	uint16_t wide = boot->start == X86_START_LONG ? X86_SEG_L : X86_SEG_D;
	uint16_t code = (uint16_t)(CODE | X86_SEG_G | wide), data = DATA | X86_SEG_D | X86_SEG_G;

	segments(sys,
		(struct x86_seg){.selector = SELECTOR_CODE, .attrib = code, .limit = UINT32_MAX},
		(struct x86_seg){.selector = SELECTOR_DATA, .attrib = data, .limit = UINT32_MAX});
	sys->seg[X86_GDTR] = (struct x86_seg){.limit = boot->gdt_limit, .base = boot->gdt};
	sys->rip = boot->rip;
}

/* ---- registers ---- */

/* After INIT, but for CS and IP. EDX says what CPU it is. */
static void init_registers(struct x86_vcpu *vcpu)
{
	struct x86_sys *sys = vcpu->sys;
	uint64_t svme = sys->efer & X86_EFER_SVME, pat = sys->pat;

	vcpu->regs = (struct x86_regs){.host = vcpu->regs.host};
	__builtin_memset(sys, 0, sizeof(*sys));
	sys->efer = svme;
	sys->pat = pat;
	sys->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
	sys->rflags = X86_FLAG_1;
	sys->dr6 = X86_DR6_INIT;
	sys->dr7 = X86_DR7_INIT;
	vcpu->regs.r[X86_RDX] = x86_cpuid_get(vcpu, 1, 0).eax;
	vcpu->event = vcpu->held = (struct x86_event){.valid = false};
	vcpu->nmi_pending = 0;
	vcpu->nmi_blocked = false;
	vcpu->nmi_step = false;
	vcpu->halted = vcpu->wait_sipi = false;
	vcpu->fresh = true;
	x86_code_forget(vcpu);
}

/* What a loader asks for: caches on, as firmware leaves them. */
static void boot_registers(struct x86_vcpu *vcpu, const struct x86_boot *boot)
{
	struct x86_sys *sys = vcpu->sys;

	sys->cr0 = X86_CR0_ET;
	vcpu->regs.r[X86_RAX] = boot->rax;
	vcpu->regs.r[X86_RBX] = boot->rbx;
	vcpu->regs.r[X86_RSI] = boot->rsi;
	if (boot->start == X86_START_REAL) {
		real_segments(sys, boot->rip);
		return;
	}
	vcpu->regs.r[X86_RDX] = 0;
	sys->cr0 |= X86_CR0_PE;
	if (boot->start == X86_START_LONG) {
		sys->cr0 |= X86_CR0_PG;
		sys->cr3 = boot->cr3;
		sys->cr4 = X86_CR4_PAE;
		sys->efer |= X86_EFER_LME | X86_EFER_LMA;
	}
	flat_segments(sys, boot);
}

static struct x86_vcpu *of(struct hv_vcpu *hv)
{
	return HV_CONTAINER_OF(hv, struct x86_vcpu, hv);
}

static void reset(struct hv_vcpu *hv, gpa_t pc, uint64_t arg)
{
	struct x86_vcpu *vcpu = of(hv);

	(void)arg;
	atomic_store(&vcpu->signals, 0);
	init_registers(vcpu);
	x86_msr_reset(vcpu);
	if (hv->index == 0) {
		boot_registers(vcpu, &vcpu->boot);
	} else {
		lapic_init_reset(vcpu->lapic);
		real_segments(vcpu->sys, pc.v);
	}
	atomic_fetch_or(&hv->todo, HV_TODO_IRQ | HV_TODO_TIME);
}

static uint64_t hw_id(const struct hv_vcpu *hv)
{
	return hv->index;
}

const struct hv_arch x86_arch = {
	.name = "x86_64",
	.vcpu_size = sizeof(struct x86_vcpu),
	.pt_fmt = &x86_npt_fmt,
	.reset = reset,
	.hw_id = hw_id,
};

void x86_boot_set(struct x86_vcpu *vcpu, const struct x86_boot *boot)
{
	vcpu->boot = *boot;
}

/* ---- INIT, SIPI, NMI ---- */

/* An INIT makes what came before it void; of several SIPIs the first counts. */
static void add(struct x86_vcpu *vcpu, enum x86_signal signal, uint8_t vector)
{
	struct hv_vcpu_held held = hv_vcpu_hold(&vcpu->hv);
	uint32_t signals = atomic_load_explicit(&vcpu->signals, memory_order_relaxed);

	if (signal == X86_SIGNAL_INIT) {
		signals = X86_SIGNAL_INIT;
	} else if (signal == X86_SIGNAL_NMI && (signals & signal)) {
		signals |= X86_SIGNAL_NMI_AGAIN;
	} else if (!(signals & signal)) {
		signals |= signal | (uint32_t)vector << VECTOR_SHIFT;
	}
	atomic_store_explicit(&vcpu->signals, signals, memory_order_relaxed);
	hv_vcpu_drop(held);
}

void x86_signal_send(struct x86_vcpu *vcpu, enum x86_signal signal, uint8_t vector)
{
	/* One that is off has had its INIT, and waits for this. */
	if (signal == X86_SIGNAL_SIPI && hv_power_cpu_on(vcpu->hv.vm, hw_id(&vcpu->hv),
						 GPA((uint64_t)vector << 12), 0) != HV_ERR_STATE) {
		return;
	}
	add(vcpu, signal, vector);
	hv_vcpu_wake(&vcpu->hv, HV_TODO_IRQ);
}

static void init(struct x86_vcpu *vcpu)
{
	init_registers(vcpu);
	lapic_init_reset(vcpu->lapic);
	vcpu->wait_sipi = true;
	atomic_fetch_or(&vcpu->hv.todo, HV_TODO_TIME);
}

/* A CPU remembers one while it handles another (APM2 8.2.2): what comes beyond that is lost. */
static void nmis_add(struct x86_vcpu *vcpu, uint32_t signals)
{
	unsigned most = vcpu->nmi_blocked ? 1 : 2, sum = vcpu->nmi_pending;

	sum += (signals & X86_SIGNAL_NMI) != 0;
	sum += (signals & X86_SIGNAL_NMI_AGAIN) != 0;
	vcpu->nmi_pending = (uint8_t)(sum < most ? sum : most);
}

HV_COLD void x86_signals_take(struct x86_vcpu *vcpu)
{
	struct hv_vcpu_held held = hv_vcpu_hold(&vcpu->hv);
	uint32_t signals = atomic_exchange_explicit(&vcpu->signals, 0, memory_order_relaxed);

	hv_vcpu_drop(held);
	if (signals & X86_SIGNAL_INIT) {
		init(vcpu);
	}
	if ((signals & X86_SIGNAL_SIPI) && vcpu->wait_sipi) {
		vcpu->wait_sipi = false;
		real_segments(vcpu->sys, (uint64_t)(signals >> VECTOR_SHIFT & 0xff) << 12);
	}
	if (!vcpu->wait_sipi) {
		nmis_add(vcpu, signals);
	}
}

/* ---- the local APIC ---- */

static void lapic_notify(void *ctx)
{
	struct x86_vcpu *vcpu = ctx;

	hv_vcpu_wake(&vcpu->hv, HV_TODO_IRQ);
}

static void lapic_look(void *ctx)
{
	x86_look(ctx);
}

static void lapic_rearm(void *ctx)
{
	struct x86_vcpu *vcpu = ctx;

	atomic_fetch_or_explicit(&vcpu->hv.todo, HV_TODO_TIME, memory_order_relaxed);
}

static void lapic_signal(void *ctx, enum lapic_signal signal, uint8_t vector)
{
	static const uint8_t signals[] = {
		[LAPIC_SIGNAL_INIT] = X86_SIGNAL_INIT,
		[LAPIC_SIGNAL_SIPI] = X86_SIGNAL_SIPI,
		[LAPIC_SIGNAL_NMI] = X86_SIGNAL_NMI,
	};

	x86_signal_send(ctx, (enum x86_signal)signals[signal], vector);
}

const struct lapic_ops x86_lapic_ops = {
	.notify = lapic_notify,
	.look = lapic_look,
	.rearm = lapic_rearm,
	.signal = lapic_signal,
};

uint64_t x86_timer_update(struct x86_vcpu *vcpu, uint64_t now)
{
	return lapic_timer_expire(vcpu->lapic, now);
}

/* ---- the host's CPU ---- */

const char *x86_caps_missing(const struct x86_caps *caps)
{
	if (!caps->has_npt) {
		return "nested paging";
	}
	if (!caps->has_1g) {
		return "1 GiB pages";
	}
	if (caps->asids < 2) {
		return "an ASID for guests";
	}
	return NULL;
}

void x86_vcpu_caps_set(struct x86_vcpu *vcpu, const struct x86_caps *caps)
{
	vcpu->caps = caps;
}

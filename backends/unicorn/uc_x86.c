/* SPDX-License-Identifier: MIT */
/* Registers to and fro, what the CPU does between two runs of Unicorn's, and turns. */
#include "uc_x86.h"

#include "uc_x86_event.h"

#include <arch/x86_64/decode.h>
#include <hv/bits.h>
#include <stdlib.h>
#include <string.h>

#define CPL      3u /* of AT_MODE */
#define CR0_PE   HV_BIT(0)
#define CR0_TS   HV_BIT(3)
#define TSS_MAP  0x66u
#define EFER_SCE HV_BIT(0)
#define EFER_LMA HV_BIT(10)
#define FLAG_IF  HV_BIT(9)
#define FLAG_TF  HV_BIT(8)
#define FLAG_RF  HV_BIT(16)
#define FLAG_VM  HV_BIT(17)

static struct x86_vcpu *x86_of(const struct sim_x86_cpu *cpu)
{
	return cpu->vcpu->x86;
}

static struct svm_control *control_of(const struct sim_x86_cpu *cpu)
{
	return &cpu->vcpu->vmcb->control;
}

/* ---- the guest's state out of the emulated CPU ---- */

struct reg_row {
	uint8_t at;
	uint16_t offset; /* in struct x86_sys */
};

/* Those that the CPU takes as they are. */
static const struct reg_row plain_rows[] = {
	{AT_CR2, offsetof(struct x86_sys, cr2)},
	{AT_DR6, offsetof(struct x86_sys, dr6)},
	{AT_STAR, offsetof(struct x86_sys, star)},
	{AT_LSTAR, offsetof(struct x86_sys, lstar)},
	{AT_CSTAR, offsetof(struct x86_sys, cstar)},
	{AT_SFMASK, offsetof(struct x86_sys, sfmask)},
	{AT_KERNEL_GS, offsetof(struct x86_sys, kernel_gs_base)},
	{AT_SYSENTER_ESP, offsetof(struct x86_sys, sysenter_esp)},
	{AT_SYSENTER_EIP, offsetof(struct x86_sys, sysenter_eip)},
};
/* Those that it derives other things from. */
static const struct reg_row deep_rows[] = {
	{AT_CR0, offsetof(struct x86_sys, cr0)},
	{AT_CR3, offsetof(struct x86_sys, cr3)},
	{AT_CR4, offsetof(struct x86_sys, cr4)},
	{AT_EFER, offsetof(struct x86_sys, efer)},
};

static void rows_get(const struct sim_x86_cpu *cpu, const struct reg_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = sim_x86_get64(&cpu->engine, (enum sim_x86_at)rows[i].at);

		memcpy((uint8_t *)x86_of(cpu)->sys + rows[i].offset, &value, sizeof(value));
	}
}

void sim_x86_paging_get(struct sim_x86_cpu *cpu)
{
	sim_x86_look(&cpu->engine);
	rows_get(cpu, deep_rows, HV_ARRAY_COUNT(deep_rows));
	x86_of(cpu)->sys->cpl = sim_x86_get32(&cpu->engine, AT_MODE) & CPL;
}

static void save(struct sim_x86_cpu *cpu)
{
	struct sim_x86_engine *engine = &cpu->engine;
	struct x86_vcpu *vcpu = x86_of(cpu);
	struct x86_sys *sys = vcpu->sys;
	uint32_t mode;

	sim_x86_look(engine);
	mode = sim_x86_get32(engine, AT_MODE);
	memcpy(vcpu->regs.r, (const uint8_t *)engine->now + engine->at[AT_RAX],
		sizeof(vcpu->regs.r));
	for (unsigned n = 0; n < X86_SEGS; n++) {
		sim_x86_segment_get(engine, (enum x86_seg_id)n, &sys->seg[n]);
	}
	rows_get(cpu, plain_rows, HV_ARRAY_COUNT(plain_rows));
	rows_get(cpu, deep_rows, HV_ARRAY_COUNT(deep_rows));
	sys->sysenter_cs = sim_x86_get32(engine, AT_SYSENTER_CS);
	sys->cpl = mode & CPL;
	sys->rip = sim_x86_get64(engine, AT_RIP);
	sys->rflags = sim_x86_flags(engine);
	control_of(cpu)->shadow = mode & engine->shadow ? SVM_SHADOW : 0;
	cpu->vcpu->known = *sys;
	cpu->vcpu->is_known = true;
}

/* ---- and into it ---- */

static bool rows_equal(const struct x86_sys *a, const struct x86_sys *b)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(deep_rows); i++) {
		if (memcmp((const uint8_t *)a + deep_rows[i].offset,
			    (const uint8_t *)b + deep_rows[i].offset, sizeof(uint64_t)) != 0) {
			return false;
		}
	}
	return true;
}

/* VMRUN alone brings in what exits; of VINTR the CPU hears nothing. */
static bool exits_equal(const struct sim_x86_cpu *cpu)
{
	const uint32_t *asked = control_of(cpu)->intercept, *known = cpu->vcpu->intercept;

	return ((asked[0] ^ known[0]) & ~(1u << SVM_INTERCEPT_VINTR)) == 0 &&
	       asked[1] == known[1] && asked[2] == known[2];
}

/* Nothing that Unicorn derives anything from is another than it was. */
static bool is_plain(const struct sim_x86_cpu *cpu)
{
	const struct x86_sys *sys = x86_of(cpu)->sys, *known = &cpu->vcpu->known;

	return cpu->vcpu->is_known && exits_equal(cpu) && sys->cpl == known->cpl &&
	       !((sys->rflags ^ known->rflags) & FLAG_VM) && rows_equal(sys, known) &&
	       memcmp(sys->seg, known->seg, sizeof(sys->seg)) == 0;
}

/*
 * DR7 as the guest knows it never comes to Unicorn, which at an enabled breakpoint throws away all
 * code, that which is running too. DR5 is its other name.
 */
#define DR7      (1u << 7 | 1u << 5)
#define DR7_NONE 0x400u
#define DR7_ZERO 0xd800u

/* Besides what core wants to hear of: exceptions and INT, which Unicorn does not deliver; RDTSC. */
static void compose(struct sim_x86_cpu *cpu)
{
	struct svm_vmcb *to = &cpu->engine.pages->vmcb;
	const struct svm_vmcb *from = cpu->vcpu->vmcb;
	const struct x86_vcpu *vcpu = x86_of(cpu);

	*to = *from;
	to->control.intercept_exceptions = UINT32_MAX;
	to->control.intercept[0] |= 1u << SVM_INTERCEPT_INT | 1u << SVM_INTERCEPT_RDTSC;
	to->control.intercept[0] &= ~(1u << SVM_INTERCEPT_VINTR);
	to->control.intercept[1] |=
		1u << (SVM_INTERCEPT_RDTSCP - 32) | 1u << (SVM_INTERCEPT_ICEBP - 32);
	to->control.intercept_cr_write |= 1; /* Unicorn checks no value, and exits for no other */
	to->control.intercept_dr_read |= DR7;
	to->control.intercept_dr_write |= DR7;
	to->control.iopm = SIM_X86_PAGE(iopm);
	to->control.msrpm = SIM_X86_PAGE(msrpm);
	to->control.vintr = SVM_VINTR_MASKING;
	to->control.event_inject = 0;
	to->save.dr7 = DR7_NONE;
	to->save.rax = vcpu->regs.r[X86_RAX];
	to->save.rsp = vcpu->regs.r[X86_RSP];
}

static void store_plain(struct sim_x86_cpu *cpu)
{
	struct sim_x86_engine *engine = &cpu->engine;
	const struct x86_sys *sys = x86_of(cpu)->sys;
	uint32_t mode = sim_x86_get32(engine, AT_MODE) & ~engine->shadow;
	uint64_t value;

	memcpy((uint8_t *)engine->now + engine->at[AT_RAX], x86_of(cpu)->regs.r,
		sizeof(x86_of(cpu)->regs.r));
	for (size_t i = 0; i < HV_ARRAY_COUNT(plain_rows); i++) {
		memcpy(&value, (const uint8_t *)sys + plain_rows[i].offset, sizeof(value));
		sim_x86_set64(engine, (enum sim_x86_at)plain_rows[i].at, value);
	}
	sim_x86_set32(engine, AT_SYSENTER_CS, (uint32_t)sys->sysenter_cs);
	sim_x86_set64(engine, AT_RIP, sys->rip);
	sim_x86_set32(engine, AT_MODE,
		mode | (control_of(cpu)->shadow & SVM_SHADOW ? engine->shadow : 0));
	sim_x86_put(engine);
	sim_x86_flags_set(engine, sys->rflags);
}

/* Returns where the emulated CPU goes on. */
static uint64_t store(struct sim_x86_cpu *cpu)
{
	struct sim_x86_engine *engine = &cpu->engine;

	cpu->unwatched = 1;
	if (is_plain(cpu)) {
		store_plain(cpu);
		return x86_of(cpu)->sys->rip;
	}
	compose(cpu);
	memcpy(cpu->vcpu->intercept, control_of(cpu)->intercept, sizeof(cpu->vcpu->intercept));
	memcpy((uint8_t *)engine->now + engine->at[AT_RAX], x86_of(cpu)->regs.r,
		sizeof(x86_of(cpu)->regs.r));
	sim_x86_host(engine);
	sim_x86_put(engine);
	sim_clock_free(cpu->clock);
	return SIM_X86_ENTRY;
}

/* One run of Unicorn's. False: something is broken. */
static bool go(struct sim_x86_cpu *cpu)
{
	uint64_t start, rip = store(cpu);
	uc_err error;

	cpu->left_by = LEFT_BY_TIME;
	start = sim_host_now();
	error = uc_emu_start(cpu->engine.uc, rip, 0, 0, 0);
	cpu->clock->guest_ns += sim_host_now() - start;
	save(cpu);
	sim_x86_code_settle(cpu);
	if (error != UC_ERR_OK && !cpu->broken) {
		cpu->broken = uc_strerror(error);
	}
	return !cpu->broken;
}

/* ---- exits that core wants to hear of ---- */

static enum sim_x86_exit leave(struct sim_x86_cpu *cpu, uint64_t code, uint64_t info1,
	uint64_t info2, const struct x86_event *during)
{
	struct svm_control *control = control_of(cpu);
	uint64_t raw = 0;

	if (during && during->valid) {
		raw = SVM_EVENT_VALID | during->vector |
		      (uint64_t)during->type << SVM_EVENT_TYPE_SHIFT;
		raw |= during->has_error ? SVM_EVENT_HAS_ERROR : 0;
		raw |= (uint64_t)during->error << SVM_EVENT_ERROR_SHIFT;
	}
	control->exit_code = code;
	control->exit_info1 = info1;
	control->exit_info2 = info2;
	control->exit_int_info = raw;
	control->next_rip = 0;
	return SIM_X86_EXIT;
}

static bool is_asked_for(const struct sim_x86_cpu *cpu, uint8_t vector)
{
	return control_of(cpu)->intercept_exceptions >> vector & 1;
}

/* ---- events ---- */

enum went { WENT_ON, WENT_OUT, WENT_WRONG };

/*
 * Enters the event's handler, or that of what came of it. `cr2` is a page fault's address, and
 * becomes CR2 only when its handler is entered or core is not asked.
 */
static enum went deliver(struct sim_x86_cpu *cpu, struct x86_event event, uint64_t back)
{
	struct x86_vcpu *vcpu = x86_of(cpu);
	struct sim_x86_entry entry;

	for (;;) {
		switch (sim_x86_enter(vcpu, &event, back, &entry)) {
		case SIM_X86_ENTERED: control_of(cpu)->shadow = 0; return WENT_ON;
		case SIM_X86_NOWHERE:
			(void)leave(cpu, SVM_EXIT_NPF,
				SVM_NPF_FINAL | (entry.write ? SVM_NPF_WRITE : 0), entry.gpa,
				&event);
			return WENT_OUT;
		case SIM_X86_TASK:
			cpu->broken = "a task gate, which the sim does not do";
			return WENT_WRONG;
		default: break;
		}
		if (is_asked_for(cpu, entry.fault.vector)) {
			(void)leave(cpu, SVM_EXIT_EXCEPTION + entry.fault.vector, entry.fault.error,
				entry.linear, &event);
			return WENT_OUT;
		}
		if (entry.fault.vector == X86_PF) {
			vcpu->sys->cr2 = entry.linear;
		}
		if (!sim_x86_both(&event, &entry.fault)) {
			(void)leave(cpu, SVM_EXIT(SHUTDOWN), 0, 0, NULL);
			return WENT_OUT;
		}
		back = vcpu->sys->rip;
	}
}

static enum went inject(struct sim_x86_cpu *cpu)
{
	struct svm_control *control = control_of(cpu);
	uint64_t raw = control->event_inject;
	const struct x86_event event = {
		.valid = true,
		.vector = (uint8_t)raw,
		.type = raw >> SVM_EVENT_TYPE_SHIFT & 7,
		.has_error = (raw & SVM_EVENT_HAS_ERROR) != 0,
		.error = (uint32_t)(raw >> SVM_EVENT_ERROR_SHIFT),
	};

	control->event_inject = 0;
	return raw & SVM_EVENT_VALID ? deliver(cpu, event, x86_of(cpu)->sys->rip) : WENT_ON;
}

static bool has_error(unsigned vector)
{
	const uint32_t set = 1u << X86_DF | 0x1fu << X86_TS | 1u << X86_AC;

	return set >> vector & 1;
}

/* An exception of the guest's, from Unicorn. */
static enum went exception(struct sim_x86_cpu *cpu, uint8_t vector)
{
	uint32_t error = sim_x86_get32(&cpu->engine, AT_ERROR);
	uint64_t address = cpu->engine.pages->vmcb.control.exit_info2;
	const struct x86_event event = {
		.valid = true,
		.type = X86_EVENT_EXCEPTION,
		.vector = vector,
		.has_error = has_error(vector),
		.error = has_error(vector) ? error : 0,
	};

	if (is_asked_for(cpu, vector)) {
		(void)leave(cpu, SVM_EXIT_EXCEPTION + vector, event.error, address, NULL);
		return WENT_OUT;
	}
	if (vector == X86_PF) {
		x86_of(cpu)->sys->cr2 = address;
	}
	return deliver(cpu, event, x86_of(cpu)->sys->rip);
}

/* ---- instructions that are done here ---- */

static enum x86_mode mode_of(const struct x86_sys *sys)
{
	if ((sys->efer & EFER_LMA) && (sys->seg[X86_CS].attrib & X86_SEG_L)) {
		return X86_MODE_64;
	}
	return sys->seg[X86_CS].attrib & X86_SEG_D ? X86_MODE_32 : X86_MODE_16;
}

/* The one that Unicorn has just met, so that all of it can be read. */
static bool decode(struct sim_x86_cpu *cpu, struct x86_insn *insn)
{
	const struct x86_sys *sys = x86_of(cpu)->sys;
	enum x86_mode mode = mode_of(sys);
	uint64_t at = sys->rip + (mode == X86_MODE_64 ? 0 : sys->seg[X86_CS].base);
	uint8_t bytes[16];
	size_t left = HV_PAGE_SIZE - at % HV_PAGE_SIZE, count = 0, next;

	next = left < sizeof(bytes) ? left : sizeof(bytes);
	while (next && sim_x86_peek(x86_of(cpu), at + count, bytes + count, next)) {
		count += next;
		next = sizeof(bytes) - count;
	}
	return x86_decode(insn, bytes, count, mode) == X86_DECODED;
}

/* Behind it, out of a shadow; a single step's trap comes here, as Unicorn does not know of it. */
static enum went step(struct sim_x86_cpu *cpu, uint8_t length)
{
	struct x86_sys *sys = x86_of(cpu)->sys;

	sys->rip += length;
	control_of(cpu)->shadow = 0;
	if (sys->rflags & FLAG_TF) {
		sys->dr6 |= HV_BIT(14);
		return exception(cpu, X86_DB);
	}
	sys->rflags &= ~FLAG_RF;
	return WENT_ON;
}

static enum went rdtsc(struct sim_x86_cpu *cpu, bool with_aux)
{
	struct x86_vcpu *vcpu = x86_of(cpu);
	uint64_t tsc = sim_clock_now(cpu->clock) + control_of(cpu)->tsc_offset;
	struct x86_insn insn;

	if (!decode(cpu, &insn)) {
		return WENT_ON;
	}
	vcpu->regs.r[X86_RAX] = (uint32_t)tsc;
	vcpu->regs.r[X86_RDX] = tsc >> 32;
	if (with_aux) {
		vcpu->regs.r[X86_RCX] = vcpu->tsc_aux;
	}
	return step(cpu, insn.length);
}

/* INT n, INT3, INTO: traps, which come back behind themselves. */
static enum went software_interrupt(struct sim_x86_cpu *cpu)
{
	struct x86_event event = {.valid = true, .type = X86_EVENT_EXCEPTION};
	struct x86_insn insn;

	if (!decode(cpu, &insn)) {
		return WENT_ON;
	}
	switch (insn.op) {
	case X86_OP_INT3: event.vector = X86_BP; break;
	case X86_OP_INTO: event.vector = X86_OF; break;
	case X86_OP_INT:
		event.type = X86_EVENT_SOFT;
		event.vector = (uint8_t)insn.imm;
		break;
	default: return WENT_ON;
	}
	return deliver(cpu, event, x86_of(cpu)->sys->rip + insn.length);
}

static enum went dr7(struct sim_x86_cpu *cpu, bool write)
{
	static const struct x86_event refused = {
		.valid = true, .type = X86_EVENT_EXCEPTION, .vector = X86_GP, .has_error = true};
	struct x86_vcpu *vcpu = x86_of(cpu);
	struct x86_insn insn;

	if (!decode(cpu, &insn) || insn.op != X86_OP_MOV_DR) {
		return WENT_ON;
	}
	if (!write) {
		vcpu->regs.r[insn.dst.reg] = vcpu->sys->dr7;
	} else if (vcpu->regs.r[insn.src.reg] >> 32 && mode_of(vcpu->sys) == X86_MODE_64) {
		return deliver(cpu, refused, vcpu->sys->rip);
	} else {
		vcpu->sys->dr7 =
			((uint32_t)vcpu->regs.r[insn.src.reg] & ~(uint64_t)DR7_ZERO) | DR7_NONE;
	}
	return step(cpu, insn.length);
}

/* To core it is what it asked for: CR0, written with more than TS and MP. CLTS is ours. */
static enum went cr0_write(struct sim_x86_cpu *cpu)
{
	struct x86_insn insn;

	if (decode(cpu, &insn) && insn.op == X86_OP_CLTS) {
		x86_of(cpu)->sys->cr0 &= ~CR0_TS;
		return step(cpu, insn.length);
	}
	(void)leave(cpu, SVM_EXIT(CR0_SELECTIVE), 0, 0, NULL);
	return WENT_OUT;
}

static enum went icebp(struct sim_x86_cpu *cpu)
{
	x86_of(cpu)->sys->rip += 1;
	return exception(cpu, X86_DB);
}

/* APM3, SYSCALL. Unicorn is behind it already. */
static enum went system_call(struct sim_x86_cpu *cpu)
{
	struct x86_vcpu *vcpu = x86_of(cpu);
	struct x86_sys *sys = vcpu->sys;
	uint16_t selector = sys->star >> 32 & 0xfffc;
	bool is_long = sys->efer & EFER_LMA;

	if (!(sys->efer & EFER_SCE)) {
		sys->rip -= 2;
		return exception(cpu, X86_UD);
	}
	vcpu->regs.r[X86_RCX] = is_long ? sys->rip : (uint32_t)sys->rip;
	if (is_long) {
		vcpu->regs.r[X86_R11] = sys->rflags & ~FLAG_RF;
		sys->rip = mode_of(sys) == X86_MODE_64 ? sys->lstar : sys->cstar;
		sys->rflags &= ~(sys->sfmask | FLAG_RF);
	} else {
		sys->rip = (uint32_t)sys->star;
		sys->rflags &= ~(FLAG_IF | FLAG_RF | FLAG_VM);
	}
	sys->seg[X86_CS] = (struct x86_seg){
		.selector = selector, .attrib = is_long ? 0xa9b : 0xc9b, .limit = UINT32_MAX};
	sys->seg[X86_SS] = (struct x86_seg){
		.selector = (uint16_t)(selector + 8), .attrib = 0xc93, .limit = UINT32_MAX};
	sys->cpl = 0;
	return WENT_ON;
}

/*
 * Memory that is not there, to a string of ports: a CPU that intercepts ports leaves for these
 * first, while Unicorn asks its hook after the memory.
 */
static enum went nested_fault(struct sim_x86_cpu *cpu, uint64_t info1, uint64_t gpa)
{
	uint64_t rip = x86_of(cpu)->sys->rip;
	struct x86_insn insn;

	if (!(info1 & SVM_NPF_FETCH) && decode(cpu, &insn) &&
		(insn.op == X86_OP_INS || insn.op == X86_OP_OUTS)) {
		(void)leave(cpu, SVM_EXIT(IOIO),
			(x86_of(cpu)->regs.r[X86_RDX] & 0xffff) << SVM_IO_PORT_SHIFT |
				(uint64_t)insn.size << SVM_IO_SIZE_SHIFT | SVM_IO_STRING |
				(insn.op == X86_OP_INS ? SVM_IO_IN : 0),
			rip + insn.length, NULL);
	} else {
		(void)leave(cpu, SVM_EXIT_NPF, info1, gpa, NULL);
	}
	return WENT_OUT;
}

/* ---- one run ---- */

/* VINTR: core waits for the guest to be able to take an interrupt. */
static bool is_window_asked(const struct sim_x86_cpu *cpu)
{
	const struct svm_control *control = control_of(cpu);

	return (control->vintr & SVM_VINTR_IRQ) &&
	       (control->intercept[0] & 1u << SVM_INTERCEPT_VINTR);
}

static bool is_window_open(const struct sim_x86_cpu *cpu)
{
	return is_window_asked(cpu) && (x86_of(cpu)->sys->rflags & FLAG_IF) &&
	       !(control_of(cpu)->shadow & SVM_SHADOW);
}

static enum went exited(struct sim_x86_cpu *cpu, uint32_t code)
{
	uint32_t info1 = sim_x86_get32(&cpu->engine, AT_ERROR);
	uint64_t info2 = cpu->engine.pages->vmcb.control.exit_info2;

	switch (code) {
	case SVM_EXIT_NPF: return nested_fault(cpu, info1, info2);
	case LEFT_BY_SYSCALL: return system_call(cpu);
	case SVM_EXIT_CR_WRITE: return cr0_write(cpu);
	case SVM_EXIT_DR_READ + 5:
	case SVM_EXIT_DR_READ + 7: return dr7(cpu, false);
	case SVM_EXIT_DR_WRITE + 5:
	case SVM_EXIT_DR_WRITE + 7: return dr7(cpu, true);
	case SVM_EXIT(INT): return software_interrupt(cpu);
	case SVM_EXIT(ICEBP): return icebp(cpu);
	case SVM_EXIT(RDTSC): return rdtsc(cpu, false);
	case SVM_EXIT(RDTSCP): return rdtsc(cpu, true);
	default: break;
	}
	if (code - SVM_EXIT_EXCEPTION < 32) {
		return exception(cpu, (uint8_t)(code - SVM_EXIT_EXCEPTION));
	}
	(void)leave(cpu, code, info1, info2, NULL);
	return WENT_OUT;
}

static enum sim_x86_exit run(struct sim_x86_cpu *cpu)
{
	enum went went = inject(cpu);

	while (went == WENT_ON) {
		if (is_window_open(cpu)) {
			return leave(cpu, SVM_EXIT(VINTR), 0, 0, NULL);
		}
		if (!go(cpu)) {
			return SIM_X86_BROKEN;
		}
		if (cpu->left_by == LEFT_BY_TIME) {
			return is_window_open(cpu) ? leave(cpu, SVM_EXIT(VINTR), 0, 0, NULL)
						   : SIM_X86_TIME;
		}
		went = exited(cpu, cpu->left_by);
		if (went == WENT_ON && sim_clock_exception(cpu->clock)) {
			return SIM_X86_TIME;
		}
	}
	return went == WENT_OUT ? SIM_X86_EXIT : SIM_X86_BROKEN;
}

enum sim_x86_exit sim_x86_run(struct sim_x86_cpu *cpu, uint64_t deadline)
{
	cpu->broken = NULL;
	sim_clock_every_block(cpu->clock, NULL);
	sim_clock_arm(cpu->clock, deadline);
	sim_clock_every_block(cpu->clock, is_window_asked(cpu) ? cpu : NULL);
	if (control_of(cpu)->tlb_control != SVM_TLB_KEEP) {
		(void)uc_ctl_flush_tlb(cpu->engine.uc);
		control_of(cpu)->tlb_control = SVM_TLB_KEEP;
	}
	return run(cpu);
}

/* ---- ports ---- */

/* By IOPL, else by the TSS's map, which ends with a byte of ones (APM2 12.2.4, 8.4.3). */
static bool is_denied(struct sim_x86_cpu *cpu, uint16_t port, uint8_t size)
{
	struct x86_vcpu *vcpu = x86_of(cpu);
	uint64_t flags = sim_x86_flags(&cpu->engine);
	uint8_t raw[2];
	struct x86_seg tr;
	uint32_t at;

	sim_x86_paging_get(cpu);
	if (!(vcpu->sys->cr0 & CR0_PE) ||
		(!(flags & FLAG_VM) && vcpu->sys->cpl <= (flags >> 12 & 3))) {
		return false;
	}
	sim_x86_segment_get(&cpu->engine, X86_TR, &tr);
	if (!(tr.attrib & 8) || !sim_x86_peek(vcpu, tr.base + TSS_MAP, raw, sizeof(raw))) {
		return true;
	}
	at = hv_le16(raw) + port / 8u;
	if (at + 1 > tr.limit || !sim_x86_peek(vcpu, tr.base + at, raw, sizeof(raw))) {
		return true;
	}
	return hv_le16(raw) >> port % 8 & ((1u << size) - 1);
}

/*
 * Nothing of the guest's state is current inside the hook but what is asked for; so RIP and RFLAGS
 * are hidden from core, which would step over the instruction. After the VM's end nobody is there;
 * nor is for who may not access ports, as no exception can be raised from here.
 */
uint32_t sim_x86_port(struct sim_x86_cpu *cpu, bool in, uint16_t port, uint8_t size, uint32_t value)
{
	struct x86_vcpu *vcpu = x86_of(cpu);
	uint64_t rip = vcpu->sys->rip, rflags = vcpu->sys->rflags, rax = vcpu->regs.r[X86_RAX];
	uint32_t got;
	bool over;

	if (vcpu->hv.vm->state != HV_VM_RUNNING || is_denied(cpu, port, size)) {
		return UINT32_MAX;
	}
	vcpu->sys->rflags &= ~(FLAG_TF | FLAG_RF);
	vcpu->regs.r[X86_RAX] = value;
	(void)leave(cpu, SVM_EXIT(IOIO),
		(uint64_t)port << SVM_IO_PORT_SHIFT | (uint64_t)size << SVM_IO_SIZE_SHIFT |
			(in ? SVM_IO_IN : 0),
		rip, NULL);
	over = svm_exit_handle(vcpu) != HV_RESUME;
	got = (uint32_t)vcpu->regs.r[X86_RAX];
	vcpu->regs.r[X86_RAX] = rax;
	vcpu->sys->rip = rip;
	vcpu->sys->rflags = rflags;
	if (over || atomic_load(&vcpu->hv.todo) != 0) {
		sim_clock_expire(cpu->clock);
	}
	return got;
}

/* ---- vCPUs take turns ---- */

void sim_x86_load(struct sim_x86_cpu *cpu, struct sim_x86_vcpu *vcpu)
{
	if (cpu->vcpu == vcpu) {
		return;
	}
	if (cpu->vcpu) {
		(void)uc_context_save(cpu->engine.uc, cpu->vcpu->context);
	}
	(void)uc_context_restore(cpu->engine.uc, vcpu->context);
	(void)uc_ctl_flush_tlb(cpu->engine.uc);
	sim_x86_look(&cpu->engine);
	cpu->vcpu = vcpu;
}

bool sim_x86_add(struct sim_x86_cpu *cpu, struct sim_x86_vcpu *vcpu)
{
	const struct svm_cfg cfg = {
		.iopm = SIM_X86_PAGE(iopm), .msrpm = SIM_X86_PAGE(msrpm), .asid = 1};

	vcpu->vmcb = aligned_alloc(HV_PAGE_SIZE, sizeof(*vcpu->vmcb));
	if (!vcpu->vmcb) {
		return false;
	}
	svm_vmcb_init(vcpu->x86, vcpu->vmcb, &cfg);
	if (uc_context_alloc(cpu->engine.uc, &vcpu->context) != UC_ERR_OK) {
		vcpu->context = NULL;
		return false;
	}
	memcpy(vcpu->context, cpu->engine.fresh, cpu->engine.context_size);
	return true;
}

void sim_x86_drop(struct sim_x86_vcpu *vcpu)
{
	if (vcpu->context) {
		(void)uc_context_free(vcpu->context);
		vcpu->context = NULL;
	}
	free(vcpu->vmcb);
	vcpu->vmcb = NULL;
}

void sim_x86_clear(struct sim_x86_cpu *cpu)
{
	(void)uc_context_restore(cpu->engine.uc, cpu->engine.fresh);
	sim_x86_look(&cpu->engine);
	cpu->vcpu->is_known = false;
}

/* ---- open and close ---- */

/* As docs/sim.md tells. */
struct x86_caps sim_x86_caps(void)
{
	return (struct x86_caps){
		.pa_bits = 40,
		.has_1g = true,
		.has_npt = true,
		.asids = 16,
		.tsc_hz = SIM_X86_TSC_HZ,
	};
}

/* Beyond the table: as its last, which is nothing, or where subleaves do not matter the same. */
struct x86_cpuid sim_x86_cpuid(const struct sim_x86_cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	uint32_t range = leaf >> 31, number = leaf & (UINT32_MAX >> 1);

	if (number >= SIM_X86_LEAVES) {
		return (struct x86_cpuid){0};
	}
	if (subleaf >= SIM_X86_SUBLEAVES) {
		subleaf = SIM_X86_SUBLEAVES - 1;
	}
	return cpu->engine.cpuid[range][number][subleaf];
}

const char *sim_x86_open(struct sim_x86_cpu *cpu, struct sim_clock *clock)
{
	const char *wrong;

	*cpu = (struct sim_x86_cpu){.clock = clock};
	wrong = sim_x86_engine_open(&cpu->engine);
	if (wrong) {
		return wrong;
	}
	svm_maps_init(cpu->engine.pages->iopm, cpu->engine.pages->msrpm);
	if (!sim_x86_hook(cpu)) {
		sim_x86_engine_close(&cpu->engine);
		return "this Unicorn lacks a hook that the sim needs";
	}
	return NULL;
}

void sim_x86_close(struct sim_x86_cpu *cpu)
{
	sim_x86_code_close(cpu);
	sim_x86_engine_close(&cpu->engine);
}

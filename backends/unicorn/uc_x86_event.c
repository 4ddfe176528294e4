/* SPDX-License-Identifier: MIT */
#include "uc_x86_event.h"

#include <arch/x86_64/walk.h>
#include <hv/bits.h>
#include <hv/gmem.h>
#include <string.h>

#define CR0_PE HV_BIT(0)
#define LMA    HV_BIT(10) /* EFER */

#define FLAG_TF HV_BIT(8)
#define FLAG_IF HV_BIT(9)
#define FLAG_NT HV_BIT(14)
#define FLAG_RF HV_BIT(16)
#define FLAG_VM HV_BIT(17)
#define FLAG_AC HV_BIT(18)

/* Error codes that name a descriptor (APM2 8.4.1). */
#define ERROR_EXT 1u /* as something from outside the CPU was delivered */
#define ERROR_IDT 2u

#define TYPE_CODE       0x8u
#define TYPE_CONFORMING 0x4u
#define TYPE_WRITABLE   0x2u
#define TYPE_ACCESSED   0x1u

enum gate { GATE_TASK = 5, GATE_INT16, GATE_TRAP16, GATE_INT32 = 14, GATE_TRAP32 };

struct entering {
	struct x86_vcpu *vcpu;
	struct x86_sys *sys;
	const struct x86_event *event;
	struct sim_x86_entry *entry;
	enum sim_x86_entered failed;
	uint64_t back;
	bool is_long, is_soft;
};

/* ---- how it fails ---- */

static bool fault(struct entering *e, enum x86_vector vector, uint32_t error)
{
	e->entry->fault = (struct x86_event){.valid = true,
		.type = X86_EVENT_EXCEPTION,
		.vector = (uint8_t)vector,
		.has_error = true,
		.error = error};
	e->failed = SIM_X86_FAULTED;
	return false;
}

/* A fault that names a selector, or an entry of the IDT. */
static bool fault_at(struct entering *e, enum x86_vector vector, uint32_t what)
{
	bool outside = e->event->type == X86_EVENT_INTR || e->event->type == X86_EVENT_NMI;

	return fault(e, vector, what | (outside ? ERROR_EXT : 0));
}

/* ---- memory ---- */

struct access {
	uint64_t linear;
	uint8_t *bytes;
	size_t size;
	bool write;
	uint8_t cpl;
};

static bool touch(struct entering *e, const struct access *access, gpa_t gpa)
{
	const struct hv_gmem *gmem = &e->vcpu->hv.vm->gmem;
	enum hv_status status = access->write
					? hv_gmem_copy_out(gmem, gpa, access->bytes, access->size)
					: hv_gmem_copy_in(gmem, access->bytes, gpa, access->size);

	if (status != HV_OK) {
		e->entry->gpa = gpa.v;
		e->entry->write = access->write;
		e->failed = SIM_X86_NOWHERE;
	}
	return status == HV_OK;
}

/* Within one page. */
static bool access_page(struct entering *e, const struct access *access)
{
	uint8_t cpl = e->sys->cpl;
	struct x86_walk walk;

	e->sys->cpl = access->cpl;
	walk = x86_walk(e->vcpu, access->linear, access->write ? X86_WRITE : X86_READ);
	e->sys->cpl = cpl;
	if (!walk.ok) {
		e->entry->linear = access->linear;
		return fault(e, X86_PF, walk.error);
	}
	return touch(e, access, walk.gpa);
}

static bool access(struct entering *e, struct access access)
{
	size_t size = access.size, first = HV_PAGE_SIZE - access.linear % HV_PAGE_SIZE;

	access.size = size < first ? size : first;
	if (!access_page(e, &access)) {
		return false;
	}
	access.linear += access.size;
	access.bytes += access.size;
	access.size = size - access.size;
	if (!e->is_long) {
		access.linear = (uint32_t)access.linear;
	}
	return access.size == 0 || access_page(e, &access);
}

/* Of a table: by CPL 0's rights. */
static bool read(struct entering *e, uint64_t linear, void *to, size_t size)
{
	linear = e->is_long ? linear : (uint32_t)linear;
	return access(e, (struct access){.linear = linear, .bytes = to, .size = size});
}

static struct entering begin(
	struct x86_vcpu *vcpu, const struct x86_event *event, struct sim_x86_entry *entry)
{
	return (struct entering){
		.vcpu = vcpu,
		.sys = vcpu->sys,
		.event = event,
		.entry = entry,
		.is_long = (vcpu->sys->efer & LMA) != 0,
		.is_soft = event->type == X86_EVENT_SOFT ||
			   (event->type == X86_EVENT_EXCEPTION &&
				   (event->vector == X86_BP || event->vector == X86_OF)),
	};
}

bool sim_x86_peek(struct x86_vcpu *vcpu, uint64_t linear, void *to, size_t size)
{
	const struct x86_event none = {.valid = false};
	struct sim_x86_entry entry;
	struct entering e = begin(vcpu, &none, &entry);

	return read(&e, linear, to, size);
}

/* ---- descriptors ---- */

struct descriptor {
	struct x86_seg seg;
	uint8_t dpl;
};

static void descriptor_decode(uint64_t raw, uint16_t selector, struct descriptor *to)
{
	uint32_t limit = (uint32_t)((raw & 0xffff) | (raw >> 32 & 0xf0000));

	to->seg.selector = selector;
	to->seg.attrib = (uint16_t)((raw >> 40 & 0xff) | (raw >> 44 & 0xf00));
	to->seg.base = (raw >> 16 & 0xffffff) | (raw >> 56 << 24);
	to->seg.limit = to->seg.attrib & X86_SEG_G ? limit << 12 | 0xfff : limit;
	to->dpl = (uint8_t)(to->seg.attrib >> 5 & 3);
}

/* The segment of `selector`, which is not null; marked as accessed. */
static bool descriptor_load(
	struct entering *e, uint16_t selector, enum x86_vector vector, struct descriptor *to)
{
	const struct x86_seg *table = &e->sys->seg[selector & 4 ? X86_LDTR : X86_GDTR];
	uint64_t at = table->base + (selector & 0xfff8u), raw;
	uint8_t marked;

	if ((selector & 0xfff8u) + 7 > table->limit || (selector & ~3u) == 0) {
		return fault_at(e, vector, selector & 0xfffcu);
	}
	if (!read(e, at, &raw, sizeof(raw))) {
		return false;
	}
	raw = hv_le64((const uint8_t *)&raw);
	descriptor_decode(raw, selector, to);
	if (!(to->seg.attrib & X86_SEG_S) || to->seg.attrib & TYPE_ACCESSED) {
		return true;
	}
	to->seg.attrib |= TYPE_ACCESSED;
	marked = (uint8_t)(raw >> 40 | TYPE_ACCESSED);
	return access(e, (struct access){
				 .linear = e->is_long ? at + 5 : (uint32_t)(at + 5),
				 .bytes = &marked,
				 .size = 1,
				 .write = true,
			 });
}

/* ---- the gate ---- */

struct target {
	uint8_t type, ist, cpl; /* of the gate; of its handler */
	bool wide;              /* pushes of 4 bytes; in long mode all are of 8 */
	uint64_t rip;
	struct descriptor cs;
};

static bool gate_read(struct entering *e, struct target *target, uint16_t *selector)
{
	uint32_t size = e->is_long ? 16 : 8, at = e->event->vector * size;
	uint32_t what = e->event->vector * 8u | ERROR_IDT;
	uint8_t raw[16] = {0};
	uint64_t low;

	if (at + size - 1 > e->sys->seg[X86_IDTR].limit) {
		return fault_at(e, X86_GP, what);
	}
	if (!read(e, e->sys->seg[X86_IDTR].base + at, raw, size)) {
		return false;
	}
	low = hv_le64(raw);
	target->type = (uint8_t)(low >> 40 & 0x1f);
	target->ist = e->is_long ? (uint8_t)(low >> 32 & 7) : 0;
	target->wide = target->type >= GATE_INT32;
	target->rip = (low & 0xffff) | (target->wide ? low >> 48 << 16 : 0);
	target->rip |= e->is_long ? (uint64_t)hv_le32(raw + 8) << 32 : 0;
	*selector = (uint16_t)(low >> 16);
	switch (target->type) {
	case GATE_TASK:
	case GATE_INT16:
	case GATE_TRAP16:
		if (!e->is_long) {
			break;
		}
		return fault_at(e, X86_GP, what);
	case GATE_INT32:
	case GATE_TRAP32: break;
	default: return fault_at(e, X86_GP, what);
	}
	if (e->is_soft && (low >> 45 & 3) < e->sys->cpl) {
		return fault_at(e, X86_GP, what);
	}
	return low >> 47 & 1 ? true : fault_at(e, X86_NP, what);
}

static bool code_load(struct entering *e, uint16_t selector, struct target *target)
{
	const uint16_t want = TYPE_CODE | X86_SEG_S;
	struct descriptor *cs = &target->cs;

	if ((selector & ~3u) == 0) {
		return fault_at(e, X86_GP, 0);
	}
	if (!descriptor_load(e, selector, X86_GP, cs)) {
		return false;
	}
	if ((cs->seg.attrib & want) != want || cs->dpl > e->sys->cpl ||
		(e->is_long && (cs->seg.attrib & (X86_SEG_L | X86_SEG_D)) != X86_SEG_L)) {
		return fault_at(e, X86_GP, selector & 0xfffcu);
	}
	if (!(cs->seg.attrib & X86_SEG_P)) {
		return fault_at(e, X86_NP, selector & 0xfffcu);
	}
	target->cpl = cs->seg.attrib & TYPE_CONFORMING ? e->sys->cpl : cs->dpl;
	if ((e->sys->rflags & FLAG_VM) && target->cpl != 0) {
		return fault_at(e, X86_GP, selector & 0xfffcu);
	}
	cs->seg.selector = (uint16_t)((selector & 0xfffcu) | target->cpl);
	return true;
}

/* ---- the stack ---- */

struct stack {
	struct x86_seg ss;
	uint64_t rsp, mask; /* the mask says how wide the pointer is */
	uint8_t cpl, size;  /* of a push */
};

static bool push(struct entering *e, struct stack *stack, uint64_t value)
{
	uint64_t rsp = ((stack->rsp - stack->size) & stack->mask) | (stack->rsp & ~stack->mask);
	uint64_t linear = stack->ss.base + (rsp & stack->mask);
	struct access to = {.linear = e->is_long ? linear : (uint32_t)linear,
		.size = stack->size,
		.write = true,
		.cpl = stack->cpl};
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(value >> 8 * i);
	}
	to.bytes = bytes;
	if (!access(e, to)) {
		return false;
	}
	stack->rsp = rsp;
	return true;
}

static uint64_t mask_of(const struct x86_seg *ss)
{
	return ss->attrib & X86_SEG_D ? UINT32_MAX : UINT16_MAX;
}

/* In long mode: from the TSS by the gate's number or the new CPL, or where it is. */
static bool stack_long(struct entering *e, const struct target *target, struct stack *stack)
{
	const struct x86_seg *tr = &e->sys->seg[X86_TR];
	uint32_t at = target->ist ? 36u + 8u * (target->ist - 1u) : 4u + 8u * target->cpl;
	uint64_t rsp = e->vcpu->regs.r[X86_RSP];

	*stack = (struct stack){
		.ss = e->sys->seg[X86_SS], .mask = UINT64_MAX, .cpl = target->cpl, .size = 8};
	stack->ss.base = 0;
	if (target->ist || target->cpl != e->sys->cpl) {
		if (at + 7 > tr->limit) {
			return fault_at(e, X86_TS, tr->selector & 0xfffcu);
		}
		if (!read(e, tr->base + at, &rsp, sizeof(rsp))) {
			return false;
		}
		rsp = hv_le64((const uint8_t *)&rsp);
	}
	if (target->cpl != e->sys->cpl) {
		stack->ss = (struct x86_seg){.selector = target->cpl,
			.attrib = (uint16_t)(X86_SEG_P | X86_SEG_S | TYPE_WRITABLE | TYPE_ACCESSED |
					     target->cpl << 5)};
	}
	stack->rsp = hv_align_down(rsp, 16);
	return true;
}

static bool stack_segment(
	struct entering *e, uint16_t selector, uint8_t cpl, struct x86_seg *segment)
{
	const uint16_t want = X86_SEG_S | TYPE_WRITABLE;
	struct descriptor ss;

	if (!descriptor_load(e, selector, X86_TS, &ss)) {
		return false;
	}
	if ((selector & 3) != cpl || ss.dpl != cpl ||
		(ss.seg.attrib & (want | TYPE_CODE)) != want) {
		return fault_at(e, X86_TS, selector & 0xfffcu);
	}
	if (!(ss.seg.attrib & X86_SEG_P)) {
		return fault_at(e, X86_SS_FAULT, selector & 0xfffcu);
	}
	*segment = ss.seg;
	return true;
}

/* In protected mode: the TSS has one for each CPL, of 16 or 32 bits. */
static bool stack_inner(struct entering *e, uint8_t cpl, struct stack *stack)
{
	const struct x86_seg *tr = &e->sys->seg[X86_TR];
	bool wide = tr->attrib & 8;
	uint32_t size = wide ? 8 : 4, at = wide ? 4u + 8u * cpl : 2u + 4u * cpl;
	uint8_t raw[8];

	if (at + size - 1 > tr->limit) {
		return fault_at(e, X86_TS, tr->selector & 0xfffcu);
	}
	if (!read(e, tr->base + at, raw, size)) {
		return false;
	}
	stack->rsp = wide ? hv_le32(raw) : hv_le16(raw);
	return stack_segment(e, hv_le16(raw + size / 2), cpl, &stack->ss);
}

static bool stack_protected(struct entering *e, const struct target *target, struct stack *stack)
{
	*stack = (struct stack){.ss = e->sys->seg[X86_SS],
		.rsp = e->vcpu->regs.r[X86_RSP],
		.cpl = target->cpl,
		.size = target->wide ? 4 : 2};
	if (target->cpl != e->sys->cpl && !stack_inner(e, target->cpl, stack)) {
		return false;
	}
	stack->mask = mask_of(&stack->ss);
	return true;
}

/* ---- entering ---- */

/* What a fault's handler sees of RF: so that IRET does not meet the same breakpoint again. */
static uint64_t flags_of(const struct entering *e)
{
	bool trap = e->is_soft || e->event->vector == X86_DB || e->event->vector == X86_DF;

	if (e->event->type == X86_EVENT_EXCEPTION && !trap) {
		return e->sys->rflags | FLAG_RF;
	}
	return e->sys->rflags;
}

/* Virtual-8086 mode's data segments, which protected mode has no use for. */
static bool push_data(struct entering *e, struct stack *stack)
{
	static const uint8_t order[] = {X86_GS, X86_FS, X86_DS, X86_ES};

	for (unsigned i = 0; i < HV_ARRAY_COUNT(order); i++) {
		if (!push(e, stack, e->sys->seg[order[i]].selector)) {
			return false;
		}
	}
	return true;
}

static bool push_all(struct entering *e, const struct target *target, struct stack *stack)
{
	bool switches = e->is_long || target->cpl != e->sys->cpl;

	if ((e->sys->rflags & FLAG_VM) && !push_data(e, stack)) {
		return false;
	}
	if (switches && (!push(e, stack, e->sys->seg[X86_SS].selector) ||
				!push(e, stack, e->vcpu->regs.r[X86_RSP]))) {
		return false;
	}
	return push(e, stack, flags_of(e)) && push(e, stack, e->sys->seg[X86_CS].selector) &&
	       push(e, stack, e->back) && (!e->event->has_error || push(e, stack, e->event->error));
}

static void commit(struct entering *e, const struct target *target, const struct stack *stack)
{
	struct x86_sys *sys = e->sys;
	bool is_interrupt = target->type == GATE_INT16 || target->type == GATE_INT32;

	if (sys->rflags & FLAG_VM) {
		for (unsigned n = X86_ES; n <= X86_GS; n++) {
			if (n != X86_CS && n != X86_SS) {
				sys->seg[n] = (struct x86_seg){.selector = 0};
			}
		}
	}
	sys->rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (is_interrupt ? FLAG_IF : 0));
	if (target->cpl != sys->cpl || !e->is_long) {
		sys->seg[X86_SS] = stack->ss;
	}
	sys->seg[X86_CS] = target->cs.seg;
	sys->cpl = target->cpl;
	sys->rip = target->rip;
	e->vcpu->regs.r[X86_RSP] = stack->rsp;
}

static bool enter_protected(struct entering *e)
{
	struct target target = {0};
	struct stack stack;
	uint16_t selector = 0;

	if (!gate_read(e, &target, &selector)) {
		return false;
	}
	if (target.type == GATE_TASK) {
		e->failed = SIM_X86_TASK;
		return false;
	}
	if (!code_load(e, selector, &target) ||
		!(e->is_long ? stack_long(e, &target, &stack)
			     : stack_protected(e, &target, &stack)) ||
		!push_all(e, &target, &stack)) {
		return false;
	}
	commit(e, &target, &stack);
	return true;
}

/* Through the table of far pointers, which stands at 0 unless LIDT moved it. */
static bool enter_real(struct entering *e)
{
	struct stack stack = {.ss = e->sys->seg[X86_SS],
		.rsp = e->vcpu->regs.r[X86_RSP],
		.mask = UINT16_MAX,
		.size = 2};
	uint32_t at = e->event->vector * 4u;
	struct x86_sys *sys = e->sys;
	uint8_t raw[4];

	if (at + 3 > sys->seg[X86_IDTR].limit) {
		return fault(e, X86_GP, 0);
	}
	if (!read(e, sys->seg[X86_IDTR].base + at, raw, sizeof(raw)) ||
		!push(e, &stack, sys->rflags) || !push(e, &stack, sys->seg[X86_CS].selector) ||
		!push(e, &stack, e->back)) {
		return false;
	}
	sys->rflags &= ~(FLAG_TF | FLAG_IF | FLAG_RF | FLAG_AC);
	sys->rip = hv_le16(raw);
	sys->seg[X86_CS].selector = hv_le16(raw + 2);
	sys->seg[X86_CS].base = (uint64_t)hv_le16(raw + 2) << 4;
	e->vcpu->regs.r[X86_RSP] = stack.rsp;
	return true;
}

enum sim_x86_entered sim_x86_enter(struct x86_vcpu *vcpu, const struct x86_event *event,
	uint64_t back, struct sim_x86_entry *entry)
{
	struct entering e = begin(vcpu, event, entry);
	bool done;

	e.back = back;
	done = vcpu->sys->cr0 & CR0_PE ? enter_protected(&e) : enter_real(&e);
	return done ? SIM_X86_ENTERED : e.failed;
}

/* ---- two at once (APM2 table 8-4) ---- */

static bool is_contributory(const struct x86_event *event)
{
	const uint32_t set =
		1u << X86_DE | 1u << X86_TS | 1u << X86_NP | 1u << X86_SS_FAULT | 1u << X86_GP;

	return event->type == X86_EVENT_EXCEPTION && event->vector < 32 &&
	       (set >> event->vector & 1);
}

static bool is_page_fault(const struct x86_event *event)
{
	return event->type == X86_EVENT_EXCEPTION && event->vector == X86_PF;
}

bool sim_x86_both(struct x86_event *first, const struct x86_event *second)
{
	static const struct x86_event double_fault = {
		.valid = true, .type = X86_EVENT_EXCEPTION, .vector = X86_DF, .has_error = true};

	if (first->type == X86_EVENT_EXCEPTION && first->vector == X86_DF) {
		return false;
	}
	if ((is_contributory(first) && is_contributory(second)) ||
		(is_page_fault(first) && (is_page_fault(second) || is_contributory(second)))) {
		*first = double_fault;
	} else {
		*first = *second;
	}
	return true;
}

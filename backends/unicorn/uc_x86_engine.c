/* SPDX-License-Identifier: MIT */
/*
 * Opens Unicorn as an x86 CPU with SVM and finds its registers in the saved context. Guests are
 * entered whose VMCBs differ in what is looked for: the only place that held the one value and then
 * the other is its. Nothing of Unicorn's layout is known here but that descriptors are four fields
 * of a certain size, which is checked, so the next version is either understood or refused.
 */
#include "uc_x86_engine.h"

#include <hv/bits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define VERSION_MIN 0x02010100u /* 2.1.1, as uc_version() packs it */

/* Bytes of translated code: see uc_calibrate.c. */
#define CODE_BUFFER_SIZE (64u << 20)

#define MSR_EFER  0xc0000080u
#define MSR_HSAVE 0xc0010117u
#define EFER_SVME HV_BIT(12)
#define EFER_NXE  HV_BIT(11)
#define CR4_PAE   0x20u /* VMRUN takes the nested tables' format from the host's registers */

/* pages->code again, for the calibration's guests, which have 32-bit addresses. */
#define PROBE 0x10000000u

/* Within a descriptor of the saved context. */
#define SELECTOR 0u
#define BASE     8u
#define LIMIT    16u
#define FLAGS    20u

/* pages->code: how guests are entered; then programs of the calibration's. */
#define CODE_CPUID  0x10u
#define CODE_FAULT  0x20u
#define CODE_SHADOW 0x30u

static const uint8_t code_entry[] = {0x0f, 0x01, 0xda, 0x0f, 0x01, 0xd8}; /* vmload, vmrun */
static const uint8_t code_cpuid[] = {0x0f, 0xa2, 0xf4};                   /* cpuid, hlt */
static const uint8_t code_fault[] = {0x8e, 0xd8};                         /* mov %eax, %ds */
static const uint8_t code_shadow[] = {0xfb, 0x90, 0x90, 0xf4};            /* sti, nop, nop, hlt */

/* ---- the saved context ---- */

static uint8_t *byte_of(const struct sim_x86_engine *engine, enum sim_x86_at at)
{
	return (uint8_t *)engine->now + engine->at[at];
}

uint64_t sim_x86_get64(const struct sim_x86_engine *engine, enum sim_x86_at at)
{
	uint64_t value;

	memcpy(&value, byte_of(engine, at), sizeof(value));
	return value;
}

void sim_x86_set64(struct sim_x86_engine *engine, enum sim_x86_at at, uint64_t value)
{
	memcpy(byte_of(engine, at), &value, sizeof(value));
}

uint32_t sim_x86_get32(const struct sim_x86_engine *engine, enum sim_x86_at at)
{
	uint32_t value;

	memcpy(&value, byte_of(engine, at), sizeof(value));
	return value;
}

void sim_x86_set32(struct sim_x86_engine *engine, enum sim_x86_at at, uint32_t value)
{
	memcpy(byte_of(engine, at), &value, sizeof(value));
}

static void descriptor_get(const uint8_t *from, struct x86_seg *to)
{
	uint32_t selector, flags;

	memcpy(&selector, from + SELECTOR, sizeof(selector));
	memcpy(&to->base, from + BASE, sizeof(to->base));
	memcpy(&to->limit, from + LIMIT, sizeof(to->limit));
	memcpy(&flags, from + FLAGS, sizeof(flags));
	to->selector = (uint16_t)selector;
	to->attrib = (uint16_t)((flags >> 8 & 0xff) | (flags >> 12 & 0xf00));
}

void sim_x86_segment_get(
	const struct sim_x86_engine *engine, enum x86_seg_id segment, struct x86_seg *to)
{
	static const enum sim_x86_at tables[] = {
		[X86_GDTR] = AT_GDTR,
		[X86_LDTR] = AT_LDTR,
		[X86_IDTR] = AT_IDTR,
		[X86_TR] = AT_TR,
	};

	if (segment <= X86_GS) {
		descriptor_get(byte_of(engine, AT_SEGMENT) + segment * AT_SEGMENT_SIZE, to);
	} else {
		descriptor_get(byte_of(engine, tables[segment]), to);
	}
}

void sim_x86_look(struct sim_x86_engine *engine)
{
	(void)uc_context_save(engine->uc, engine->now);
}

void sim_x86_put(struct sim_x86_engine *engine)
{
	(void)uc_context_restore(engine->uc, engine->now);
}

uint64_t sim_x86_flags(const struct sim_x86_engine *engine)
{
	uint64_t flags = 0;

	(void)uc_reg_read(engine->uc, UC_X86_REG_EFLAGS, &flags);
	return flags;
}

void sim_x86_flags_set(struct sim_x86_engine *engine, uint64_t flags)
{
	(void)uc_reg_write(engine->uc, UC_X86_REG_EFLAGS, &flags);
}

/* What VMRUN brings lies from RAX to CR4, as the calibration has made sure; and EFER. */
void sim_x86_host(struct sim_x86_engine *engine)
{
	size_t from = engine->at[AT_RAX], to = engine->at[AT_CR4] + sizeof(uint64_t);
	const uint8_t *fresh = (const uint8_t *)engine->fresh;
	uint64_t general[X86_GPRS];

	memcpy(general, byte_of(engine, AT_RAX), sizeof(general));
	general[X86_RAX] = SIM_X86_PAGE(vmcb);
	memcpy((uint8_t *)engine->now + from, fresh + from, to - from);
	memcpy(byte_of(engine, AT_RAX), general, sizeof(general));
	memcpy(byte_of(engine, AT_EFER), fresh + engine->at[AT_EFER], sizeof(uint64_t));
}

/* ---- the host ---- */

static bool msr_set(uc_engine *uc, uint32_t number, uint64_t set)
{
	uc_x86_msr msr = {.rid = number};

	if (uc_reg_read(uc, UC_X86_REG_MSR, &msr) != UC_ERR_OK) {
		return false;
	}
	msr.value |= set;
	return uc_reg_write(uc, UC_X86_REG_MSR, &msr) == UC_ERR_OK;
}

static bool host_set_up(struct sim_x86_engine *engine)
{
	const uint64_t cr4 = CR4_PAE;

	return uc_reg_write(engine->uc, UC_X86_REG_CR4, &cr4) == UC_ERR_OK &&
	       msr_set(engine->uc, MSR_EFER, EFER_SVME | EFER_NXE) &&
	       msr_set(engine->uc, MSR_HSAVE, SIM_X86_PAGE(host_state)) &&
	       uc_context_save(engine->uc, engine->fresh) == UC_ERR_OK;
}

static bool cpuid(
	struct sim_x86_engine *engine, uint32_t leaf, uint32_t subleaf, struct x86_cpuid *to)
{
	uint64_t rax = leaf, rcx = subleaf, rbx = 0, rdx = 0;
	uc_engine *uc = engine->uc;

	if (uc_context_restore(uc, engine->fresh) != UC_ERR_OK ||
		uc_reg_write(uc, UC_X86_REG_RAX, &rax) != UC_ERR_OK ||
		uc_reg_write(uc, UC_X86_REG_RCX, &rcx) != UC_ERR_OK ||
		uc_emu_start(uc, SIM_X86_PAGE(code) + CODE_CPUID, 0, 0, 0) != UC_ERR_OK) {
		return false;
	}
	(void)uc_reg_read(uc, UC_X86_REG_RAX, &rax);
	(void)uc_reg_read(uc, UC_X86_REG_RBX, &rbx);
	(void)uc_reg_read(uc, UC_X86_REG_RCX, &rcx);
	(void)uc_reg_read(uc, UC_X86_REG_RDX, &rdx);
	*to = (struct x86_cpuid){(uint32_t)rax, (uint32_t)rbx, (uint32_t)rcx, (uint32_t)rdx};
	return true;
}

static bool cpuid_all(struct sim_x86_engine *engine)
{
	for (uint32_t n = 0; n < 2 * SIM_X86_LEAVES * SIM_X86_SUBLEAVES; n++) {
		uint32_t subleaf = n % SIM_X86_SUBLEAVES;
		uint32_t leaf = n / SIM_X86_SUBLEAVES % SIM_X86_LEAVES;
		uint32_t range = n / SIM_X86_SUBLEAVES / SIM_X86_LEAVES;

		if (!cpuid(engine, range << 31 | leaf, subleaf,
			    &engine->cpuid[range][leaf][subleaf])) {
			return false;
		}
	}
	return true;
}

/* ---- places ---- */

struct survey {
	struct sim_x86_engine *engine;
	uint8_t *sample[3];
};

static bool sample(struct survey *survey, unsigned n)
{
	struct sim_x86_engine *engine = survey->engine;

	if (uc_context_save(engine->uc, engine->now) != UC_ERR_OK) {
		return false;
	}
	memcpy(survey->sample[n], engine->now, engine->context_size);
	return true;
}

/*
 * Where samples 0 and 1 hold these values, of `size` bytes, of which each is another; 0: nowhere,
 * or not only there.
 */
static size_t place_of(const struct survey *survey, uint64_t a, uint64_t b, size_t size)
{
	size_t found = 0;

	for (size_t at = 0; at + size <= survey->engine->context_size; at += 4) {
		if (memcmp(survey->sample[0] + at, &a, size) == 0 &&
			memcmp(survey->sample[1] + at, &b, size) == 0) {
			if (found) {
				return 0;
			}
			found = at;
		}
	}
	return found;
}

/* What is looked for, where it is in the VMCB, and what it is in samples 0 and 1. */
#define SAVED(name) (offsetof(struct svm_vmcb, save) + offsetof(struct x86_sys, name))
#define BASE_OF(id) (SAVED(seg) + (id) * sizeof(struct x86_seg) + offsetof(struct x86_seg, base))
static const struct pattern {
	uint8_t at, size;
	uint16_t in_vmcb;
	uint64_t a, b;
} patterns[] = {
	{AT_SEGMENT, 8, BASE_OF(X86_ES), 0x11111000, 0x21111000},
	{AT_LDTR, 8, BASE_OF(X86_LDTR), 0x14111000, 0x24111000},
	{AT_TR, 8, BASE_OF(X86_TR), 0x15111000, 0x25111000},
	{AT_GDTR, 8, BASE_OF(X86_GDTR), 0x16111000, 0x26111000},
	{AT_IDTR, 8, BASE_OF(X86_IDTR), 0x17111000, 0x27111000},
	{AT_CR2, 8, SAVED(cr2), 0x18111888, 0x28111888},
	{AT_CR3, 8, SAVED(cr3), 0x19111000, 0x29111000},
	{AT_DR6, 8, SAVED(dr6), 0xffff0ff1, 0xffff0ff4},
	{AT_STAR, 8, SAVED(star), 0x1a11888800000000, 0x2a11888800000000},
	{AT_LSTAR, 8, SAVED(lstar), 0x1b111888, 0x2b111888},
	{AT_CSTAR, 8, SAVED(cstar), 0x1c111888, 0x2c111888},
	{AT_SFMASK, 8, SAVED(sfmask), 0x1d111888, 0x2d111888},
	{AT_KERNEL_GS, 8, SAVED(kernel_gs_base), 0x1e111888, 0x2e111888},
	{AT_SYSENTER_CS, 4, SAVED(sysenter_cs), 0x1f18, 0x2f18},
	{AT_SYSENTER_ESP, 8, SAVED(sysenter_esp), 0x1f111888, 0x2f111888},
	{AT_SYSENTER_EIP, 8, SAVED(sysenter_eip), 0x10111888, 0x20111888},
	{AT_RAX, 8, SAVED(rax), 0x1237, 0x5677}, /* what DS is loaded with: #GP */
};
#define FAULT_A 0x1234u /* its error code */
#define FAULT_B 0x5674u

static const struct x86_seg flat_code = {0x08, 0xc9b, UINT32_MAX, 0};
static const struct x86_seg flat_data = {0x10, 0xc93, UINT32_MAX, 0};

/* A guest in flat 32-bit code without paging, whose first instruction exits. */
static void guest_make(struct svm_vmcb *vmcb, bool b)
{
	struct x86_sys *save = &vmcb->save;

	*vmcb = (struct svm_vmcb){.control = {.intercept_exceptions = UINT32_MAX, .asid = 1}};
	vmcb->control.intercept[1] = 1u; /* VMRUN, or VMRUN refuses it */
	for (unsigned n = X86_ES; n <= X86_GS; n++) {
		save->seg[n] = n == X86_CS ? flat_code : flat_data;
	}
	save->efer = EFER_SVME;
	save->cr0 = 0x11;
	save->dr7 = 0x400;
	save->rflags = 2;
	save->rsp = 0x12345678;
	save->rip = PROBE + CODE_FAULT;
	for (size_t i = 0; i < HV_ARRAY_COUNT(patterns); i++) {
		memcpy((uint8_t *)vmcb + patterns[i].in_vmcb, b ? &patterns[i].b : &patterns[i].a,
			patterns[i].size);
	}
}

static void on_exit_seen(uc_engine *uc, uint32_t number, void *data)
{
	*(uint32_t *)data = number;
	(void)uc_emu_stop(uc);
}

/* Enters it; true: it left by that exit. */
static bool guest_run(struct sim_x86_engine *engine, uint32_t exit)
{
	const uint64_t vmcb = SIM_X86_PAGE(vmcb);
	uint32_t number = 0;
	uc_err error;
	uc_hook hook;

	if (uc_context_restore(engine->uc, engine->fresh) != UC_ERR_OK ||
		uc_reg_write(engine->uc, UC_X86_REG_RAX, &vmcb) != UC_ERR_OK ||
		uc_hook_add(engine->uc, &hook, UC_HOOK_INTR, (void *)on_exit_seen, &number, 1, 0) !=
			UC_ERR_OK) {
		return false;
	}
	error = uc_emu_start(engine->uc, SIM_X86_ENTRY, 0, 0, 0);
	return uc_hook_del(engine->uc, hook) == UC_ERR_OK && error == UC_ERR_OK &&
	       number == 0x100 + exit;
}

static bool find_patterns(struct survey *survey)
{
	struct sim_x86_engine *engine = survey->engine;

	for (unsigned b = 0; b < 2; b++) {
		guest_make(&engine->pages->vmcb, b);
		if (!guest_run(engine, SVM_EXIT_EXCEPTION + X86_GP) || !sample(survey, b)) {
			return false;
		}
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(patterns); i++) {
		engine->at[patterns[i].at] =
			place_of(survey, patterns[i].a, patterns[i].b, patterns[i].size);
		if (!engine->at[patterns[i].at]) {
			return false;
		}
	}
	engine->at[AT_SEGMENT] -= BASE;
	engine->at[AT_LDTR] -= BASE;
	engine->at[AT_TR] -= BASE;
	engine->at[AT_GDTR] -= BASE;
	engine->at[AT_IDTR] -= BASE;
	engine->at[AT_ERROR] = place_of(survey, FAULT_A, FAULT_B, sizeof(uint32_t));
	return engine->at[AT_ERROR] != 0;
}

/* Registers that follow others, as sample 1 (in engine->now, too) has to show. */
static bool find_neighbours(struct survey *survey)
{
	struct sim_x86_engine *engine = survey->engine;
	struct x86_seg seg;

	engine->at[AT_CR0] = engine->at[AT_CR3] - 3 * sizeof(uint64_t);
	engine->at[AT_CR4] = engine->at[AT_CR3] + sizeof(uint64_t);
	engine->at[AT_DR7] = engine->at[AT_DR6] + sizeof(uint64_t);
	engine->at[AT_RIP] = engine->at[AT_RAX] + X86_GPRS * sizeof(uint64_t);
	for (unsigned n = X86_ES; n <= X86_GS; n++) {
		const struct x86_seg *was = &engine->pages->vmcb.save.seg[n];

		sim_x86_segment_get(engine, (enum x86_seg_id)n, &seg);
		if (memcmp(&seg, was, sizeof(seg)) != 0) {
			return false;
		}
	}
	return sim_x86_get64(engine, AT_CR0) == 0x11 && sim_x86_get64(engine, AT_CR4) == 0 &&
	       sim_x86_get64(engine, AT_DR7) == 0x400 &&
	       engine->at[AT_CR2] + sizeof(uint64_t) == engine->at[AT_CR3] &&
	       sim_x86_get64(engine, AT_RIP) == PROBE + CODE_FAULT &&
	       sim_x86_get64(engine, AT_RAX) == 0x5677;
}

static void on_block_seen(uc_engine *uc, uint64_t address, uint32_t size, void *data)
{
	(void)size;
	if (address == *(const uint64_t *)data) {
		(void)uc_emu_stop(uc);
	}
}

/* Enters a guest at STI, and stops where it comes to `end`. */
static bool run_shadow(struct survey *survey, uint64_t end, unsigned n)
{
	struct sim_x86_engine *engine = survey->engine;
	const uint64_t vmcb = SIM_X86_PAGE(vmcb);
	uc_hook hook;
	bool done;

	guest_make(&engine->pages->vmcb, true);
	engine->pages->vmcb.save.rip = PROBE + CODE_SHADOW;
	if (uc_context_restore(engine->uc, engine->fresh) != UC_ERR_OK ||
		uc_reg_write(engine->uc, UC_X86_REG_RAX, &vmcb) != UC_ERR_OK ||
		uc_hook_add(engine->uc, &hook, UC_HOOK_BLOCK, (void *)on_block_seen, &end, 1, 0) !=
			UC_ERR_OK) {
		return false;
	}
	done = uc_emu_start(engine->uc, SIM_X86_ENTRY, 0, 0, 0) == UC_ERR_OK && sample(survey, n) &&
	       sim_x86_get64(engine, AT_RIP) == end;
	return uc_hook_del(engine->uc, hook) == UC_ERR_OK && done;
}

/* Besides RIP the one word that is another behind STI and one instruction later: and by one bit. */
static bool find_mode(struct survey *survey)
{
	struct sim_x86_engine *engine = survey->engine;
	uint64_t sti = PROBE + CODE_SHADOW;
	size_t end = engine->at[AT_CR4];
	uint32_t differs, before;

	if (!run_shadow(survey, sti + 1, 0) || !run_shadow(survey, sti + 2, 1)) {
		return false;
	}
	for (size_t at = engine->at[AT_RIP] + sizeof(uint64_t); at < end; at += sizeof(uint32_t)) {
		memcpy(&before, survey->sample[0] + at, sizeof(before));
		memcpy(&differs, survey->sample[1] + at, sizeof(differs));
		differs ^= before;
		if (differs && (engine->at[AT_MODE] || (differs & (differs - 1)))) {
			return false;
		}
		if (differs) {
			engine->at[AT_MODE] = at;
			engine->shadow = differs;
		}
	}
	return engine->at[AT_MODE] != 0;
}

static bool find_efer(struct survey *survey)
{
	struct sim_x86_engine *engine = survey->engine;
	uc_x86_msr msr = {.rid = MSR_EFER};

	if (uc_context_restore(engine->uc, engine->fresh) != UC_ERR_OK ||
		uc_reg_read(engine->uc, UC_X86_REG_MSR, &msr) != UC_ERR_OK || !sample(survey, 0) ||
		!msr_set(engine->uc, MSR_EFER, 1) || !sample(survey, 1)) {
		return false;
	}
	engine->at[AT_EFER] = place_of(survey, msr.value, msr.value | 1, sizeof(uint64_t));
	return engine->at[AT_EFER] != 0;
}

/* That SSE and x87 are not among what sim_x86_host() replaces, and everything else is. */
static bool check_order(struct survey *survey)
{
	struct sim_x86_engine *engine = survey->engine;
	const uint64_t xmm[2][2] = {{0x1234123412341234, 1}, {0x5678567856785678, 1}};
	const uint16_t fpcw[2] = {0x37f, 0x27f};
	size_t end = engine->at[AT_CR4], at;

	for (unsigned n = 0; n < 2; n++) {
		if (uc_reg_write(engine->uc, UC_X86_REG_XMM0, xmm[n]) != UC_ERR_OK ||
			uc_reg_write(engine->uc, UC_X86_REG_FPCW, &fpcw[n]) != UC_ERR_OK ||
			!sample(survey, n)) {
			return false;
		}
	}
	for (at = 0; at < end; at++) {
		if (survey->sample[0][at] != survey->sample[1][at]) {
			return false;
		}
	}
	for (at = AT_RIP; at <= AT_CR4; at++) {
		if (engine->at[at] < engine->at[AT_RAX] || engine->at[at] > end) {
			return false;
		}
	}
	return place_of(survey, xmm[0][0], xmm[1][0], sizeof(uint64_t)) > end;
}

static bool calibrate(struct sim_x86_engine *engine)
{
	struct survey survey = {.engine = engine};
	uint8_t *samples = calloc(3, engine->context_size);
	bool done;

	if (!samples) {
		return false;
	}
	for (unsigned n = 0; n < 3; n++) {
		survey.sample[n] = samples + n * engine->context_size;
	}
	done = uc_mem_map_ptr(engine->uc, PROBE, HV_PAGE_SIZE, UC_PROT_ALL, engine->pages->code) ==
		       UC_ERR_OK &&
	       find_efer(&survey) && find_patterns(&survey) && find_neighbours(&survey) &&
	       find_mode(&survey) && check_order(&survey);
	free(samples);
	return done && uc_context_restore(engine->uc, engine->fresh) == UC_ERR_OK &&
	       uc_mem_unmap(engine->uc, PROBE, HV_PAGE_SIZE) == UC_ERR_OK &&
	       uc_ctl_flush_tlb(engine->uc) == UC_ERR_OK;
}

/* ---- open and close ---- */

static bool pages_open(struct sim_x86_engine *engine)
{
	struct sim_x86_pages *pages = mmap(
		NULL, sizeof(*pages), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED) {
		return false;
	}
	engine->pages = pages;
	memcpy(pages->code, code_entry, sizeof(code_entry));
	memcpy(pages->code + CODE_CPUID, code_cpuid, sizeof(code_cpuid));
	memcpy(pages->code + CODE_FAULT, code_fault, sizeof(code_fault));
	memcpy(pages->code + CODE_SHADOW, code_shadow, sizeof(code_shadow));
	return uc_mem_map_ptr(engine->uc, SIM_X86_HPA, sizeof(*pages), UC_PROT_ALL, pages) ==
	       UC_ERR_OK;
}

static const char *open_cpu(struct sim_x86_engine *engine)
{
	uc_engine *uc = engine->uc;

	/* No address ends a run: without this, a guest that jumps to `until` would. */
	if (uc_ctl_set_cpu_model(uc, UC_CPU_X86_QEMU64) != UC_ERR_OK ||
		uc_ctl_set_tcg_buffer_size(uc, CODE_BUFFER_SIZE) != UC_ERR_OK ||
		uc_ctl_exits_enable(uc) != UC_ERR_OK ||
		uc_ctl_set_exits(uc, NULL, (size_t)0) != UC_ERR_OK ||
		uc_context_alloc(uc, &engine->now) != UC_ERR_OK ||
		uc_context_alloc(uc, &engine->fresh) != UC_ERR_OK) {
		return "this Unicorn lacks a control that the sim needs";
	}
	if (!pages_open(engine)) {
		return "no memory for the emulated CPU's own pages";
	}
	engine->context_size = uc_context_size(uc);
	if (!host_set_up(engine) || !cpuid_all(engine) || !calibrate(engine)) {
		return "calibration failed: this Unicorn's SVM or its saved context is not as the "
		       "sim knows it";
	}
	return NULL;
}

const char *sim_x86_engine_open(struct sim_x86_engine *engine)
{
	const char *wrong;

	*engine = (struct sim_x86_engine){0};
	if (uc_version(NULL, NULL) < VERSION_MIN) {
		return "Unicorn is older than 2.1.1, which cannot run a guest with an MMU; run "
		       "`tools/drydock setup`";
	}
	if (uc_open(UC_ARCH_X86, UC_MODE_64, &engine->uc) != UC_ERR_OK) {
		return "Unicorn cannot emulate x86_64";
	}
	wrong = open_cpu(engine);
	if (wrong) {
		sim_x86_engine_close(engine);
	}
	return wrong;
}

void sim_x86_engine_close(struct sim_x86_engine *engine)
{
	if (engine->now) {
		(void)uc_context_free(engine->now);
	}
	if (engine->fresh) {
		(void)uc_context_free(engine->fresh);
	}
	(void)uc_close(engine->uc);
	if (engine->pages) {
		(void)munmap(engine->pages, sizeof(*engine->pages));
	}
	*engine = (struct sim_x86_engine){0};
}

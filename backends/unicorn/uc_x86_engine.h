/* SPDX-License-Identifier: MIT */
/*
 * Unicorn as a CPU with SVM. Its VMRUN and VMLOAD bring a guest's state in; nothing brings it out
 * again, and its API does not tell a segment's base, so that is read in the saved context, at
 * places that are looked for when the engine is opened. When one is not found, the engine does not
 * open.
 */
#ifndef UC_X86_ENGINE_H
#define UC_X86_ENGINE_H

#include <arch/x86_64/svm/svm.h>
#include <unicorn/unicorn.h>

/* What is found in the saved context; 64 bits wide where nothing else is said. */
enum sim_x86_at {
	AT_RAX, /* the others follow, in the order of their numbers */
	AT_RIP,
	AT_MODE,    /* 32 bits: what Unicorn derives from all else; CPL in 1:0 */
	AT_SEGMENT, /* struct x86_sys's first six, of AT_SEGMENT_SIZE each */
	AT_LDTR,
	AT_TR,
	AT_GDTR,
	AT_IDTR,
	AT_CR0,
	AT_CR2,
	AT_CR3,
	AT_CR4,
	AT_EFER,
	AT_DR6,
	AT_DR7,
	AT_STAR,
	AT_LSTAR,
	AT_CSTAR,
	AT_SFMASK,
	AT_KERNEL_GS,
	AT_SYSENTER_CS, /* 32 bits */
	AT_SYSENTER_ESP,
	AT_SYSENTER_EIP,
	AT_ERROR, /* 32 bits: EXITINFO1 */
	SIM_X86_PLACES,
};
#define AT_SEGMENT_SIZE 24u

#define SIM_X86_LEAVES    32u /* of CPUID, of each of the two ranges */
#define SIM_X86_SUBLEAVES 8u

/*
 * Host-physical memory of the engine's own. Its code runs where a linear address is that; a guest
 * can have no such address, for it is not canonical. So the TLB, which does not know whose an entry
 * is, has none of the guest's there.
 */
#define SIM_X86_HPA   0x1000000000000ull
#define SIM_X86_ENTRY SIM_X86_HPA /* VMLOAD, VMRUN: how a guest is entered */

struct sim_x86_pages {
	uint8_t code[HV_PAGE_SIZE];
	uint8_t host_state[HV_PAGE_SIZE];
	struct svm_vmcb vmcb;
	uint8_t iopm[SVM_IOPM_SIZE], msrpm[SVM_MSRPM_SIZE];
};
#define SIM_X86_PAGE(name) (SIM_X86_HPA + offsetof(struct sim_x86_pages, name))

struct sim_x86_engine {
	uc_engine *uc;
	uc_context *now;   /* the CPU's registers, when a function says so */
	uc_context *fresh; /* a CPU that runs no guest, as after power-on */
	size_t context_size;
	size_t at[SIM_X86_PLACES];
	uint32_t shadow; /* the bit of AT_MODE: behind STI or MOV SS */
	struct sim_x86_pages *pages;
	struct x86_cpuid cpuid[2][SIM_X86_LEAVES][SIM_X86_SUBLEAVES];
};

/* NULL, or in words what is wrong; then there is nothing to close. */
const char *sim_x86_engine_open(struct sim_x86_engine *engine);
void sim_x86_engine_close(struct sim_x86_engine *engine);

/* The CPU's registers to engine->now, and back. */
void sim_x86_look(struct sim_x86_engine *engine);
void sim_x86_put(struct sim_x86_engine *engine);

uint64_t sim_x86_get64(const struct sim_x86_engine *engine, enum sim_x86_at at);
void sim_x86_set64(struct sim_x86_engine *engine, enum sim_x86_at at, uint64_t value);
uint32_t sim_x86_get32(const struct sim_x86_engine *engine, enum sim_x86_at at);
void sim_x86_set32(struct sim_x86_engine *engine, enum sim_x86_at at, uint32_t value);
/* The place of `segment` in engine->now. */
void sim_x86_segment_get(
	const struct sim_x86_engine *engine, enum x86_seg_id segment, struct x86_seg *to);

/*
 * Makes engine->now a CPU that is about to execute SIM_X86_ENTRY: VMRUN of pages->vmcb. What VMRUN
 * does not bring (x87, SSE, DR0 to DR3) stays as it is.
 */
void sim_x86_host(struct sim_x86_engine *engine);

uint64_t sim_x86_flags(const struct sim_x86_engine *engine);
void sim_x86_flags_set(struct sim_x86_engine *engine, uint64_t flags);

#endif

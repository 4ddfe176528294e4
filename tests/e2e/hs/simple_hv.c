/* SPDX-License-Identifier: MIT */
/*
 * The smallest hypervisor that core and HS-mode make, without a board
 * (tests/sim/test_sim_simple_hv.c is the same on the emulated hart): memory at 0, one hart with a
 * number of our choice, and a guest of four instructions, which reads that number and a word of
 * memory and switches its machine off.
 */
#include "simple_hv.h"

#include <parts/check.h>
#include <parts/cpu.h>

#include <caps.h>
#include <common/report.h>
#include <hs.h>
#include <hv/bits.h>

#define MEMORY     HV_MIB(2)
#define POOL_PAGES 16u
#define ARENA_SIZE 0x10000u
#define ENTRY      0x1000u
#define HART       0x1234u
#define WORD       0x6688u
#define WORD_AT    0x40u
#define A0         10
#define A1         11

static const uint32_t code[] = {
	0xf14025f3, /* csrr a1, mhartid */
	0x04003503, /* ld a0, 64(zero) */
	0x00800893, /* li a7, 8: the shutdown of SBI 0.1 */
	0x00000073, /* ecall */
};

static struct hv_pages pages;
static struct hv_vm *vm;
static struct rv64_vcpu *vcpu;

/* The guest's memory, then the pool, then the arena. */
static bool create(const struct selftest_ram *ram)
{
	uint8_t *pool = ram->base + MEMORY;
	struct hv_arena arena = {.base = pool + POOL_PAGES * HV_PAGE_SIZE, .size = ARENA_SIZE};
	const struct hv_vm_cfg cfg = {
		.id = 1,
		.vcpu_count = 1,
		.arch = &rv64_arch,
		.pages = &pages,
		.ia_bits = cpu_guest().ia_bits,
		.pa_bits = cpu_guest().pa_bits,
	};
	const struct hv_gmem_region memory = {
		.gpa = GPA(0),
		.size = MEMORY,
		.hpa = HPA((uintptr_t)ram->base),
		.host = ram->base,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X,
	};

	hv_pages_init(&pages, pool, HPA((uintptr_t)pool), POOL_PAGES);
	return hv_vm_create(&vm, &cfg, &arena) == HV_OK &&
	       hv_gmem_add(&vm->gmem, &memory) == HV_OK && hv_vm_seal(vm) == HV_OK;
}

static bool load(void)
{
	const uint64_t word = WORD;

	return hv_gmem_copy_out(&vm->gmem, GPA(ENTRY), code, sizeof(code)) == HV_OK &&
	       hv_gmem_copy_out(&vm->gmem, GPA(WORD_AT), &word, sizeof(word)) == HV_OK;
}

static void hart_use(void)
{
	struct rv64_hcsrs hcsrs;

	vcpu = HV_CONTAINER_OF(vm->vcpu[0], struct rv64_vcpu, hv);
	vcpu->hart_id = HART;
	rv64_vcpu_caps_set(vcpu, caps_get());
	hcsrs = rv64_hcsrs(vcpu);
	cpu_guest_use(&vm->pt);
	CSR_WRITE(hedeleg, hcsrs.hedeleg);
}

static enum hv_verdict trap_handle(void)
{
	const struct rv64_trap trap = {
		.scause = cpu_guest_exit(), .stval = CSR_READ(stval), .htval = CSR_READ(htval)};

	return rv64_trap_handle(vcpu, &trap);
}

/* The traps it took. */
static unsigned run(void)
{
	enum hv_verdict verdict = HV_RESUME;
	unsigned traps = 0;

	if (hv_vm_start(vm, GPA(ENTRY), 0) != HV_OK || hv_vcpu_enter(&vcpu->hv, 0) != HV_OK) {
		return 0;
	}
	while (verdict == HV_RESUME) {
		vcpu->vs_here = false;
		guest_run(&vcpu->regs);
		verdict = trap_handle();
		traps++;
	}
	hv_vcpu_leave(&vcpu->hv, verdict);
	return traps;
}

static void tell(void)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	hv_text_str(&text, "a0 = ");
	hv_text_hex(&text, vcpu->regs.x[A0], 1);
	hv_text_str(&text, ", a1 = ");
	hv_text_hex(&text, vcpu->regs.x[A1], 1);
	report("log", &text);
}

bool simple_hv_run(const struct selftest_ram *ram)
{
	if (!create(ram) || !load()) {
		return false;
	}
	hart_use();
	check("two traps", run() == 2);
	tell();
	check("off", vm->stop == HV_STOP_OFF);
	check("pc", vcpu->regs.pc == ENTRY + sizeof(code));
	return check_summary();
}

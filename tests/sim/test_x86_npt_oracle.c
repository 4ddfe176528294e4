/* SPDX-License-Identifier: MIT */
/*
 * P16: what the CPU itself says of the nested tables that core builds. Unicorn's MMU, which nobody
 * here wrote, runs a guest of three instructions under our nCR3, and is asked by its loads, stores
 * and fetches, over random maps, unmaps and protects of the lower half of the space; its own
 * tables, which are one to one there, and its code are in the upper half. The ghost says what is
 * right. There is no memory where the tables lead: Unicorn then names the address that it would
 * have gone to.
 */
#include <unit.h>

#include <arch/x86_64/svm/svm.h>
#include <fake_pt.h>
#include <hv/bits.h>
#include <unicorn/unicorn.h>

#define IA_BITS    40u
#define PA_BITS    40u
#define HOST_HPA   0x1000000000000u /* where the host's code is, and no guest can be */
#define POOL_HPA   0x7fff000000u
#define POOL_PAGES 128u
#define ASK_MOST   96u
#define ROUNDS     150u
#define STEPS      6u

#define REFUSED ~(uint64_t)0

static _Alignas(4096) struct host {
	uint8_t code[4096];
	uint8_t state[4096];
	struct svm_vmcb vmcb;
} host;

static _Alignas(4096) uint8_t pool_memory[POOL_PAGES * 4096];
static struct hv_pages pool;
static struct hv_pt pt;
static struct fake_pt ghost;
static uint64_t seed, answer;
static uc_engine *uc;
static uc_context *fresh;

#define HALF HV_BIT(IA_BITS - 1)

/* The guest, at HALF: its code, and tables that show it the lower half and itself, at HALF too. */
static _Alignas(4096) struct guest {
	uint8_t code[4096];
	uint64_t root[512], low[512], high[512], blocks[512][512], high_blocks[512];
} guest;
#define GUEST_HPA   0x7ffe000000u
#define GUEST(name) (HALF + offsetof(struct guest, name))
#define LOAD        0u
#define STORE       16u
#define FETCH       32u

#define HOST(name) (HOST_HPA + offsetof(struct host, name))

/* The tables refused it. */
static void on_exit_seen(uc_engine *engine, uint32_t number, void *data)
{
	(void)data;
	assert_int_equal(number, 0x100 + SVM_EXIT_NPF);
	(void)uc_emu_stop(engine);
}

/* They did not, and led there. */
static bool on_unmapped(
	uc_engine *engine, uc_mem_type type, uint64_t address, int size, int64_t value, void *data)
{
	(void)engine;
	(void)type;
	(void)size;
	(void)value;
	(void)data;
	answer = address;
	return false;
}

static void reg_set(int reg, uint64_t value)
{
	assert_int_equal(uc_reg_write(uc, reg, &value), UC_ERR_OK);
}

static void msr_set(uint32_t number, uint64_t set)
{
	uc_x86_msr msr = {.rid = number};

	assert_int_equal(uc_reg_read(uc, UC_X86_REG_MSR, &msr), UC_ERR_OK);
	msr.value |= set;
	assert_int_equal(uc_reg_write(uc, UC_X86_REG_MSR, &msr), UC_ERR_OK);
}

static void cpu_open(void)
{
	static const uint8_t code[] = {0x0f, 0x01, 0xd8}; /* vmrun */
	static const uint8_t load[] = {0x48, 0x8b, 0x03}; /* mov (%rbx), %rax */
	static const uint8_t store[] = {0x48, 0x89, 0x03};
	static const uint8_t fetch[] = {0xff, 0xe3}; /* jmp *%rbx */
	const int unmapped =
		UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED | UC_HOOK_MEM_FETCH_UNMAPPED;
	uc_hook hook;

	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_64, &uc), UC_ERR_OK);
	assert_int_equal(uc_ctl_set_cpu_model(uc, UC_CPU_X86_QEMU64), UC_ERR_OK);
	assert_int_equal(uc_context_alloc(uc, &fresh), UC_ERR_OK);
	memcpy(host.code, code, sizeof(code));
	memcpy(guest.code + LOAD, load, sizeof(load));
	memcpy(guest.code + STORE, store, sizeof(store));
	memcpy(guest.code + FETCH, fetch, sizeof(fetch));
	guest.root[0] = GUEST(low) | 7;
	guest.root[1] = GUEST(high) | 7;
	for (uint64_t n = 0; n < 512 * 512; n++) {
		guest.low[n / 512] = (GUEST(blocks) + n / 512 * 4096) | 7;
		guest.blocks[n / 512][n % 512] = n << 21 | 0x87;
	}
	guest.high[0] = GUEST(high_blocks) | 7;
	guest.high_blocks[0] = HALF | 0x87;
	assert_int_equal(
		uc_mem_map_ptr(uc, GUEST_HPA, sizeof(guest), UC_PROT_ALL, &guest), UC_ERR_OK);
	assert_int_equal(uc_mem_map_ptr(uc, HOST_HPA, sizeof(host), UC_PROT_ALL, &host), UC_ERR_OK);
	assert_int_equal(
		uc_mem_map_ptr(uc, POOL_HPA, sizeof(pool_memory), UC_PROT_ALL, pool_memory),
		UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exit_seen, NULL, 1, 0), UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(uc, &hook, unmapped, (void *)on_unmapped, NULL, 1, 0), UC_ERR_OK);
	reg_set(UC_X86_REG_CR4, 0x20);
	msr_set(0xc0000080, HV_BIT(12) | HV_BIT(11));
	msr_set(0xc0010117, HOST(state));
	assert_int_equal(uc_context_save(uc, fresh), UC_ERR_OK);
}

static void guest_make(uint64_t start)
{
	struct x86_sys *save = &host.vmcb.save;

	host.vmcb = (struct svm_vmcb){.control = {.intercept_exceptions = UINT32_MAX,
					      .asid = 1,
					      .nested = SVM_NESTED_PAGING,
					      .nested_cr3 = pt.root.v}};
	host.vmcb.control.intercept[1] = 1; /* VMRUN */
	for (unsigned n = X86_ES; n <= X86_GS; n++) {
		save->seg[n] =
			(struct x86_seg){.selector = 0x10, .attrib = 0xc93, .limit = UINT32_MAX};
	}
	save->seg[X86_CS] = (struct x86_seg){.selector = 8, .attrib = 0xa9b, .limit = UINT32_MAX};
	save->efer = HV_BIT(12) | HV_BIT(11) | HV_BIT(10) | HV_BIT(8);
	save->cr0 = HV_BIT(31) | 0x11;
	save->cr4 = 0x20;
	save->cr3 = GUEST(root);
	save->dr7 = 0x400;
	save->rflags = 2;
	save->rip = HALF + start;
	save->rax = 0;
}

static void table_open(void)
{
	const struct hv_pt_map map = {.ia = GPA(HALF),
		.pa = HPA(GUEST_HPA),
		.size = sizeof(guest),
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X};

	hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, &x86_npt_fmt, &pool, IA_BITS, PA_BITS, 1), HV_OK);
	assert_int_equal(hv_pt_map(&pt, &map), HV_OK);
	ghost = (struct fake_pt){0};
}

static void step(void)
{
	struct hv_pt_map m = fake_pt_random(&seed, &pt);
	enum hv_status status;

	if (m.ia.v >= HALF || m.size > HALF - m.ia.v) {
		return;
	}
	switch (fake_pt_random_below(&seed, 4)) {
	case 0:
		status = hv_pt_unmap(&pt, m.ia, m.size);
		if (status == HV_OK) {
			fake_pt_unmap(&ghost, m.ia, m.size);
		}
		break;
	case 1:
		status = hv_pt_protect(&pt, m.ia, m.size, m.prot);
		if (status == HV_OK) {
			assert_int_equal(fake_pt_protect(&ghost, m.ia, m.size, m.prot), HV_OK);
		}
		break;
	default:
		status = hv_pt_map(&pt, &m);
		if (status == HV_OK) {
			assert_int_equal(fake_pt_map(&ghost, &m), HV_OK);
		}
		break;
	}
}

static uint64_t ask(uint64_t start, uint64_t ia)
{
	assert_int_equal(uc_context_restore(uc, fresh), UC_ERR_OK);
	assert_int_equal(uc_ctl_flush_tlb(uc), UC_ERR_OK);
	guest_make(start);
	reg_set(UC_X86_REG_RAX, HOST(vmcb));
	reg_set(UC_X86_REG_RBX, ia);
	answer = REFUSED;
	(void)uc_emu_start(uc, HOST(code), 0, 0, 0);
	return answer;
}

static void compare(uint64_t ia, uint64_t start, uint8_t want)
{
	const struct hv_pt_map *e = fake_pt_find(&ghost, ia);
	uint64_t right = e && (e->prot & want) ? e->pa.v + (ia - e->ia.v) : REFUSED;
	uint64_t got = ask(start, ia);

	if (got != right) {
		fail_msg("ia %llx: prot %d, want %d: %llx, but the CPU says %llx",
			(unsigned long long)ia, e ? e->prot : -1, want, (unsigned long long)right,
			(unsigned long long)got);
	}
}

/* Around every edge of every extent, somewhere inside it, and anywhere. */
static unsigned questions(uint64_t asked[ASK_MOST])
{
	unsigned count = 0;

	for (unsigned i = 0; i < ghost.count && count + 5 <= ASK_MOST; i++) {
		const struct hv_pt_map *e = &ghost.extent[i];

		asked[count++] = e->ia.v - 8;
		asked[count++] = e->ia.v;
		asked[count++] = e->ia.v + fake_pt_random_below(&seed, e->size);
		asked[count++] = e->ia.v + e->size - 8;
		asked[count++] = e->ia.v + e->size;
	}
	while (count < ASK_MOST) {
		asked[count++] = fake_pt_random_below(&seed, HALF);
	}
	for (unsigned i = 0; i < count; i++) {
		asked[i] = hv_align_down(asked[i] & (HALF - 1), 8);
	}
	return count;
}

static void compare_all(void)
{
	uint64_t asked[ASK_MOST];
	unsigned count = questions(asked);

	for (unsigned i = 0; i < count; i++) {
		compare(asked[i], LOAD, HV_PROT_R);
		compare(asked[i], STORE, HV_PROT_W);
		/* Not at a page's start: of a block without instructions Unicorn asks before it. */
		compare(asked[i] | 8, FETCH, HV_PROT_X);
	}
}

static void p16_npt_random__maps_unmaps_protects__the_cpu_translates_as_the_ghost_says(void **state)
{
	(void)state;
	cpu_open();
	seed = 0x1234567u;
	table_open();
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned n = 0; n < STEPS; n++) {
			step();
		}
		compare_all();
	}
	hv_pt_destroy(&pt);
	(void)uc_context_free(fresh);
	(void)uc_close(uc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(
			p16_npt_random__maps_unmaps_protects__the_cpu_translates_as_the_ghost_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * P16: what the CPU itself says of the tables that core builds. Unicorn's MMU, which nobody here
 * wrote, is put at EL2 with our VTCR, VTTBR and tables, and asked by AT S12E1R and AT S12E1W, and
 * by fetching from EL1, over random maps, unmaps and protects. The ghost says what is right.
 */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <fake_pt.h>
#include <hv/bits.h>
#include <unicorn/unicorn.h>

#define CODE_HPA   0x10000u
#define ASK_HPA    0x20000u
#define POOL_HPA   0x100000000u
#define POOL_PAGES 128u
#define ASK_MOST   256u
#define ROUNDS     25u
#define STEPS      6u

#define PSTATE_EL1H   0x3c5u
#define PSTATE_EL2H   0x3c9u
#define SCR_NS_HCE_RW 0x501u
#define HCR_VM_RW     (HV_BIT(0) | HV_BIT(31))
#define INTR_HVC      11u /* Unicorn's numbers of exceptions */
#define INTR_PREFETCH 3u
#define PAR_F         HV_BIT(0)
#define HVC_7         0xd40000e2u

/* One question, as the loop below reads and answers it. */
struct ask {
	uint64_t ia, par_read, par_write;
};

/* x0: the first question, x1: how many */
static const uint32_t ask_loop[] = {
	0xf9400002, /* ldr x2, [x0] */
	0xd50c7882, /* at s12e1r, x2 */
	0xd5033fdf, /* isb */
	0xd5387403, /* mrs x3, par_el1 */
	0xf9000403, /* str x3, [x0, #8] */
	0xd50c78a2, /* at s12e1w, x2 */
	0xd5033fdf, /* isb */
	0xd5387403, /* mrs x3, par_el1 */
	0xf9000803, /* str x3, [x0, #16] */
	0x91006000, /* add x0, x0, #24 */
	0xf1000421, /* subs x1, x1, #1 */
	0x54fffea1, /* b.ne back to the first */
	0xd4000002, /* hvc #0 */
};

static _Alignas(4096 * 16) uint8_t pool_memory[POOL_PAGES * 4096];
static _Alignas(4096) uint8_t code_memory[4096];
static _Alignas(4096) uint32_t fetch_memory[1024];
static _Alignas(4096) union {
	struct ask ask[ASK_MOST];
	uint8_t page[2 * 4096];
} asked;
static struct hv_pages pool;
static struct hv_pt pt;
static struct fake_pt ghost;
static uint64_t seed;
static uc_engine *uc;
static uint32_t last_intr;

static void sysreg_set(uint32_t op1, uint32_t crn, uint32_t crm, uint32_t op2, uint64_t value)
{
	uc_arm64_cp_reg reg = {
		.op0 = 3, .op1 = op1, .crn = crn, .crm = crm, .op2 = op2, .val = value};

	assert_int_equal(uc_reg_write(uc, UC_ARM64_REG_CP_REG, &reg), UC_ERR_OK);
}

static void reg_set(int reg, uint64_t value)
{
	assert_int_equal(uc_reg_write(uc, reg, &value), UC_ERR_OK);
}

static void on_intr(uc_engine *engine, uint32_t number, void *data)
{
	(void)data;
	last_intr = number;
	(void)uc_emu_stop(engine);
}

static void run(uint64_t pc, uint64_t pstate)
{
	reg_set(UC_ARM64_REG_PSTATE, pstate);
	sysreg_set(0, 4, 0, 0, 0); /* any such write makes Unicorn look at PSTATE again */
	last_intr = 0;
	(void)uc_emu_start(uc, pc, 0, 0, 0);
}

static void show(uint64_t hpa, size_t size, void *memory)
{
	assert_int_equal(uc_mem_map_ptr(uc, hpa, size, UC_PROT_ALL, memory), UC_ERR_OK);
}

static void cpu_open(void)
{
	uc_hook hook;

	assert_int_equal(uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc), UC_ERR_OK);
	assert_int_equal(uc_ctl_set_cpu_model(uc, UC_CPU_ARM64_A72), UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_intr, NULL, 1, 0), UC_ERR_OK);
	memcpy(code_memory, ask_loop, sizeof(ask_loop));
	show(CODE_HPA, sizeof(code_memory), code_memory);
	show(ASK_HPA, sizeof(asked), &asked);
	show(POOL_HPA, sizeof(pool_memory), pool_memory);
	for (unsigned i = 0; i < HV_ARRAY_COUNT(fetch_memory); i++) {
		fetch_memory[i] = HVC_7;
	}
	sysreg_set(6, 1, 1, 0, SCR_NS_HCE_RW); /* SCR_EL3 */
	sysreg_set(4, 1, 1, 0, HCR_VM_RW);     /* HCR_EL2 */
}

static void table_open(uint8_t ia_bits)
{
	hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, &a64_stage2_fmt, &pool, ia_bits, 44, 1), HV_OK);
	ghost = (struct fake_pt){0};
	sysreg_set(4, 2, 1, 2, a64_vtcr(&pt));
	sysreg_set(4, 2, 1, 0, a64_vttbr(&pt));
}

static void step(void)
{
	struct hv_pt_map m = fake_pt_random(&seed, &pt);
	enum hv_status status;

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

/* Around every edge of every extent, somewhere inside it, and anywhere. */
static unsigned questions(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ghost.count && count + 5 <= ASK_MOST; i++) {
		const struct hv_pt_map *e = &ghost.extent[i];

		asked.ask[count++].ia = e->ia.v - 1;
		asked.ask[count++].ia = e->ia.v;
		asked.ask[count++].ia = e->ia.v + fake_pt_random_below(&seed, e->size);
		asked.ask[count++].ia = e->ia.v + e->size - 1;
		asked.ask[count++].ia = e->ia.v + e->size;
	}
	while (count < ASK_MOST) {
		/* one bit beyond the space now and then: it must fault, not wrap */
		asked.ask[count++].ia = fake_pt_random_below(&seed, HV_BIT(pt.ia_bits + 1u));
	}
	return count;
}

/* Whether PAR_EL1 says what `e` (NULL: nothing there) with the permission `want` calls for. */
static bool is_right(uint64_t par, uint64_t ia, const struct hv_pt_map *e, uint8_t want)
{
	if (!e || !(e->prot & want)) {
		return par & PAR_F;
	}
	return !(par & PAR_F) &&
	       hv_bits(par, 47, 12) == (e->pa.v + (ia - e->ia.v)) >> HV_PAGE_SHIFT;
}

static void compare(unsigned count)
{
	reg_set(UC_ARM64_REG_X0, ASK_HPA);
	reg_set(UC_ARM64_REG_X1, count);
	run(CODE_HPA, PSTATE_EL2H);
	assert_int_equal(last_intr, INTR_HVC);
	for (unsigned i = 0; i < count; i++) {
		const struct ask *a = &asked.ask[i];
		const struct hv_pt_map *e = fake_pt_find(&ghost, a->ia);

		if (!is_right(a->par_read, a->ia, e, HV_PROT_R) ||
			!is_right(a->par_write, a->ia, e, HV_PROT_W)) {
			fail_msg(
				"ia %llx: prot %d pa %llx, but PAR %llx for reads, %llx for writes",
				(unsigned long long)a->ia, e ? e->prot : -1,
				e ? (unsigned long long)(e->pa.v + (a->ia - e->ia.v)) : 0,
				(unsigned long long)a->par_read, (unsigned long long)a->par_write);
		}
	}
}

/*
 * EL1 jumps into ia's page; behind every translation lies a page of HVCs. Not to the page's first
 * byte: Unicorn takes a start at 0, which is also where it was told to stop, for an empty run.
 */
static void compare_fetch(uint64_t ia)
{
	const struct hv_pt_map *e = fake_pt_find(&ghost, ia);
	uint64_t page = e ? hv_align_down(e->pa.v + (ia - e->ia.v), HV_PAGE_SIZE) : 0;

	if (e) {
		show(page, sizeof(fetch_memory), fetch_memory);
	}
	(void)uc_ctl_flush_tlb(uc);
	run(hv_align_down(ia, HV_PAGE_SIZE) + 8, PSTATE_EL1H);
	if (e) {
		assert_int_equal(uc_mem_unmap(uc, page, sizeof(fetch_memory)), UC_ERR_OK);
	}
	if (last_intr != (e && (e->prot & HV_PROT_X) ? INTR_HVC : INTR_PREFETCH)) {
		fail_msg("ia %llx: prot %d, but the fetch ended in %u", (unsigned long long)ia,
			e ? e->prot : -1, last_intr);
	}
}

static void p16_random__each_input_size__the_cpu_translates_as_the_ghost_says(void **state)
{
	static const uint8_t ia_bits[] = {32, 36, 39, 40, 42, 43, 44};

	(void)state;
	cpu_open();
	for (unsigned i = 0; i < HV_ARRAY_COUNT(ia_bits); i++) {
		seed = 0x1234567u + ia_bits[i];
		table_open(ia_bits[i]);
		for (unsigned round = 0; round < ROUNDS; round++) {
			unsigned count;

			for (unsigned n = 0; n < STEPS; n++) {
				step();
			}
			count = questions();
			compare(count);
			for (unsigned n = 0; n < 20; n++) {
				compare_fetch(asked.ask[fake_pt_random_below(&seed, count)].ia &
					      (HV_BIT(pt.ia_bits) - 1));
			}
		}
		hv_pt_destroy(&pt);
	}
	(void)uc_close(uc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(p16_random__each_input_size__the_cpu_translates_as_the_ghost_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

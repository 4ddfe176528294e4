/* SPDX-License-Identifier: MIT */
/*
 * P16: what the CPU itself says of the G-stage tables that core builds. Unicorn's MMU, which nobody
 * here wrote, gets our hgatp and tables with the H extension switched on, and is asked by loads,
 * stores and fetches, over random maps, unmaps and protects. The ghost says what is right. There is
 * no memory where the tables lead: Unicorn then names the address that it would have gone to.
 *
 * Two flaws of its MMU are known and allowed for: it takes guest-physical addresses for signed, so
 * the upper half of the space is not asked; and of a leaf in the root it adds two bits too many.
 */
#include <unit.h>

#include <arch/riscv64/rv64.h>
#include <fake_pt.h>
#include <hv/bits.h>
#include <unicorn/unicorn.h>

#define CODE_HPA   0x60000000000000u /* beyond what is asked of Sv48x4: M-mode's TLB has both */
#define POOL_HPA   0x100000000u
#define POOL_PAGES 128u
#define ASK_MOST   96u
#define FETCHES    12u
#define ROUNDS     150u
#define STEPS      6u

#define LD_A0_A1 0x0005b503u
#define SD_A0_A1 0x00a5b023u
#define MRET     0x30200073u

#define LOAD  0u /* where each question is in the code; zeroes, which are no instruction, behind */
#define STORE 16u
#define FETCH 32u

#define MISA_H      HV_BIT(7)
#define MSTATUS_MPP HV_BIT(11) /* S */
#define MSTATUS_MPRV                                                                               \
	HV_BIT(17) /* loads and stores of M-mode are of the mode that MPP, MPV name                \
		    */
#define MSTATUS_MPV HV_BIT(39)

#define REFUSED ~(uint64_t)0

static _Alignas(4096 * 4) uint8_t pool_memory[POOL_PAGES * 4096];
static _Alignas(4096) uint32_t code[1024];
static struct hv_pages pool;
static struct hv_pt pt;
static struct fake_pt ghost;
static uint64_t seed, answer;
static uc_engine *uc;
static uc_context *machine; /* M-mode with H, and nothing else */

static void reg_set(int reg, uint64_t value)
{
	assert_int_equal(uc_reg_write(uc, reg, &value), UC_ERR_OK);
}

/* The tables refused it. */
static void on_exception(uc_engine *engine, uint32_t number, void *data)
{
	(void)number;
	(void)data;
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

/* misa has no other way than the saved context. */
static void h_on(void)
{
	uint8_t *bytes = (uint8_t *)machine;
	uint64_t misa, with_h;

	assert_int_equal(uc_reg_read(uc, UC_RISCV_REG_MISA, &misa), UC_ERR_OK);
	with_h = misa | MISA_H;
	assert_int_equal(uc_context_save(uc, machine), UC_ERR_OK);
	for (size_t at = 0; at + sizeof(misa) <= uc_context_size(uc); at++) {
		if (memcmp(bytes + at, &misa, sizeof(misa)) == 0) {
			memcpy(bytes + at, &with_h, sizeof(with_h));
		}
	}
	assert_int_equal(uc_context_restore(uc, machine), UC_ERR_OK);
	assert_int_equal(uc_reg_read(uc, UC_RISCV_REG_MISA, &misa), UC_ERR_OK);
	assert_int_equal(misa, with_h);
}

static void show(uint64_t hpa, size_t size, void *memory)
{
	assert_int_equal(uc_mem_map_ptr(uc, hpa, size, UC_PROT_ALL, memory), UC_ERR_OK);
}

static void cpu_open(void)
{
	const int unmapped =
		UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED | UC_HOOK_MEM_FETCH_UNMAPPED;
	uc_hook hook;

	assert_int_equal(uc_open(UC_ARCH_RISCV, UC_MODE_RISCV64, &uc), UC_ERR_OK);
	assert_int_equal(uc_context_alloc(uc, &machine), UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, NULL, 1, 0), UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(uc, &hook, unmapped, (void *)on_unmapped, NULL, 1, 0), UC_ERR_OK);
	code[LOAD / 4] = LD_A0_A1;
	code[STORE / 4] = SD_A0_A1;
	code[FETCH / 4] = MRET;
	show(CODE_HPA, sizeof(code), code);
	show(POOL_HPA, sizeof(pool_memory), pool_memory);
	h_on();
}

static void table_open(uint8_t ia_bits)
{
	hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, &rv64_gstage_fmt, &pool, ia_bits, 44, 1), HV_OK);
	ghost = (struct fake_pt){0};
	assert_int_equal(uc_context_restore(uc, machine), UC_ERR_OK);
	reg_set(UC_RISCV_REG_HGATP, rv64_hgatp(&pt));
	assert_int_equal(uc_context_save(uc, machine), UC_ERR_OK);
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

static uint64_t ask(uint64_t start, uint64_t ia, uint64_t mstatus)
{
	assert_int_equal(uc_context_restore(uc, machine), UC_ERR_OK);
	assert_int_equal(uc_ctl_flush_tlb(uc), UC_ERR_OK);
	reg_set(UC_RISCV_REG_A1, ia);
	reg_set(UC_RISCV_REG_MEPC, ia);
	reg_set(UC_RISCV_REG_MSTATUS, mstatus);
	answer = REFUSED;
	(void)uc_emu_start(uc, CODE_HPA + start, 0, 0, 0);
	return answer;
}

static uint64_t ask_load(uint64_t ia)
{
	return ask(LOAD, ia, MSTATUS_MPP | MSTATUS_MPV | MSTATUS_MPRV);
}

static uint64_t ask_store(uint64_t ia)
{
	return ask(STORE, ia, MSTATUS_MPP | MSTATUS_MPV | MSTATUS_MPRV);
}

static uint64_t ask_fetch(uint64_t ia)
{
	return ask(FETCH, ia, MSTATUS_MPP | MSTATUS_MPV);
}

/* What the flaw adds to a translation by a leaf in the root. */
static uint64_t too_many(uint64_t ia)
{
	unsigned shift = HV_PAGE_SHIFT + (pt.levels - 1u) * 9u;
	struct hv_pte pte;
	uint8_t level;

	if (hv_pt_lookup(&pt, GPA(ia), &pte, &level) != HV_OK || level != pt.levels - 1) {
		return 0;
	}
	return ia & HV_MASK(shift + 1, shift);
}

static void compare(uint64_t ia, uint64_t (*asked)(uint64_t ia), uint8_t want)
{
	const struct hv_pt_map *e = fake_pt_find(&ghost, ia);
	uint64_t right =
		e && (e->prot & want) ? (e->pa.v + (ia - e->ia.v)) | too_many(ia) : REFUSED;
	uint64_t got = asked(ia);

	if (got != right) {
		fail_msg("%u levels, ia %llx: prot %d, want %d: %llx, but the CPU says %llx",
			pt.levels, (unsigned long long)ia, e ? e->prot : -1, want,
			(unsigned long long)right, (unsigned long long)got);
	}
}

/* Around every edge of every extent, somewhere inside it, and anywhere. */
static unsigned questions(uint64_t asked[ASK_MOST])
{
	const uint64_t half = HV_BIT(pt.ia_bits - 1u);
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
		asked[count++] = fake_pt_random_below(&seed, half);
	}
	for (unsigned i = 0; i < count; i++) {
		asked[i] = hv_align_down(asked[i] & (half - 1), 8);
		if (hv_align_down(asked[i], HV_PAGE_SIZE) == CODE_HPA) {
			asked[i] = 0;
		}
	}
	return count;
}

static void compare_all(void)
{
	uint64_t asked[ASK_MOST];
	unsigned count = questions(asked);

	for (unsigned i = 0; i < count; i++) {
		compare(asked[i], ask_load, HV_PROT_R);
		compare(asked[i], ask_store, HV_PROT_W);
	}
	for (unsigned n = 0; n < FETCHES; n++) {
		compare(asked[fake_pt_random_below(&seed, count)], ask_fetch, HV_PROT_X);
	}
}

static void p16_rv64_random__each_number_of_levels__the_cpu_translates_as_the_ghost_says(
	void **state)
{
	static const uint8_t ia_bits[] = {41, 50, 59}; /* Sv39x4, Sv48x4, Sv57x4 */

	(void)state;
	cpu_open();
	for (unsigned i = 0; i < HV_ARRAY_COUNT(ia_bits); i++) {
		seed = 0x1234567u + ia_bits[i];
		table_open(ia_bits[i]);
		for (unsigned round = 0; round < ROUNDS; round++) {
			for (unsigned n = 0; n < STEPS; n++) {
				step();
			}
			compare_all();
		}
		hv_pt_destroy(&pt);
	}
	(void)uc_context_free(machine);
	(void)uc_close(uc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(
			p16_rv64_random__each_number_of_levels__the_cpu_translates_as_the_ghost_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

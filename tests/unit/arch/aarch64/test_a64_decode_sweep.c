/* SPDX-License-Identifier: MIT */
/*
 * D1: the load/store decoder against Capstone: a random sample of the class's 2^30 words, or all of
 * them where DRYDOCK_SWEEP is set (some minutes). What the two differ in is listed in explained(),
 * and nothing else may differ.
 */
#include <unit.h>

#include <capstone/capstone.h>
#include <stdio.h>

#include <arch/aarch64/decode.h>
#include <hv/bits.h>

#define CLASS_VALUE 0x08000000u /* op0 = x1x0: loads and stores */
#define DC_ZVA      0xd50b7420u

/* What an instruction's name says. size 0: that of its register. */
struct name {
	unsigned id;
	bool load, sext, unprivileged;
	uint8_t count, size;
};

static const struct name names[] = {
	{ARM64_INS_LDR, true, false, false, 1, 0},
	{ARM64_INS_LDRB, true, false, false, 1, 1},
	{ARM64_INS_LDRH, true, false, false, 1, 2},
	{ARM64_INS_LDRSB, true, true, false, 1, 1},
	{ARM64_INS_LDRSH, true, true, false, 1, 2},
	{ARM64_INS_LDRSW, true, true, false, 1, 4},
	{ARM64_INS_STR, false, false, false, 1, 0},
	{ARM64_INS_STRB, false, false, false, 1, 1},
	{ARM64_INS_STRH, false, false, false, 1, 2},
	{ARM64_INS_LDUR, true, false, false, 1, 0},
	{ARM64_INS_LDURB, true, false, false, 1, 1},
	{ARM64_INS_LDURH, true, false, false, 1, 2},
	{ARM64_INS_LDURSB, true, true, false, 1, 1},
	{ARM64_INS_LDURSH, true, true, false, 1, 2},
	{ARM64_INS_LDURSW, true, true, false, 1, 4},
	{ARM64_INS_STUR, false, false, false, 1, 0},
	{ARM64_INS_STURB, false, false, false, 1, 1},
	{ARM64_INS_STURH, false, false, false, 1, 2},
	{ARM64_INS_LDTR, true, false, true, 1, 0},
	{ARM64_INS_LDTRB, true, false, true, 1, 1},
	{ARM64_INS_LDTRH, true, false, true, 1, 2},
	{ARM64_INS_LDTRSB, true, true, true, 1, 1},
	{ARM64_INS_LDTRSH, true, true, true, 1, 2},
	{ARM64_INS_LDTRSW, true, true, true, 1, 4},
	{ARM64_INS_STTR, false, false, true, 1, 0},
	{ARM64_INS_STTRB, false, false, true, 1, 1},
	{ARM64_INS_STTRH, false, false, true, 1, 2},
	{ARM64_INS_LDAR, true, false, false, 1, 0},
	{ARM64_INS_LDARB, true, false, false, 1, 1},
	{ARM64_INS_LDARH, true, false, false, 1, 2},
	{ARM64_INS_STLR, false, false, false, 1, 0},
	{ARM64_INS_STLRB, false, false, false, 1, 1},
	{ARM64_INS_STLRH, false, false, false, 1, 2},
	{ARM64_INS_LDP, true, false, false, 2, 0},
	{ARM64_INS_LDNP, true, false, false, 2, 0},
	{ARM64_INS_LDPSW, true, true, false, 2, 4},
	{ARM64_INS_STP, false, false, false, 2, 0},
	{ARM64_INS_STNP, false, false, false, 2, 0},
};

static const struct name *name_of(unsigned id)
{
	for (unsigned i = 0; i < HV_ARRAY_COUNT(names); i++) {
		if (names[i].id == id) {
			return &names[i];
		}
	}
	return NULL;
}

/* Register number and size in bytes; general registers also say whether they are 64-bit. */
static void reg_of(unsigned reg, uint8_t *n, uint8_t *size, bool *vector)
{
	static const struct {
		unsigned first;
		uint8_t size;
	} files[] = {{ARM64_REG_B0, 1}, {ARM64_REG_H0, 2}, {ARM64_REG_S0, 4}, {ARM64_REG_D0, 8},
		{ARM64_REG_Q0, 16}};

	*vector = true;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(files); i++) {
		if (reg >= files[i].first && reg < files[i].first + 32) {
			*n = (uint8_t)(reg - files[i].first);
			*size = files[i].size;
			return;
		}
	}
	*vector = false;
	*size = 8;
	switch (reg) {
	case ARM64_REG_X29: *n = 29; return;
	case ARM64_REG_X30: *n = 30; return;
	case ARM64_REG_SP:
	case ARM64_REG_XZR: *n = 31; return;
	case ARM64_REG_WZR:
	case ARM64_REG_WSP:
		*n = 31;
		*size = 4;
		return;
	default: break;
	}
	if (reg >= ARM64_REG_X0 && reg < ARM64_REG_X0 + 29) {
		*n = (uint8_t)(reg - ARM64_REG_X0);
		return;
	}
	assert_true(reg >= ARM64_REG_W0 && reg < ARM64_REG_W0 + 31);
	*n = (uint8_t)(reg - ARM64_REG_W0);
	*size = 4;
}

static void oracle_memory(const cs_arm64 *detail, struct a64_ldst *op)
{
	const cs_arm64_op *at = &detail->operands[op->count];
	uint8_t size;
	bool vector;

	if (at->type == ARM64_OP_IMM) {
		op->mode = A64_LDST_PC;
		op->imm = at->imm;
		return;
	}
	assert_int_equal(at->type, ARM64_OP_MEM);
	reg_of(at->mem.base, &op->rn, &size, &vector);
	op->imm = at->mem.disp;
	if (at->mem.index != ARM64_REG_INVALID) {
		op->mode = A64_LDST_INDEX;
		reg_of(at->mem.index, &op->rm, &size, &vector);
		op->shift = at->shift.type == ARM64_SFT_LSL ? (uint8_t)at->shift.value : 0;
		op->extend = at->ext == ARM64_EXT_UXTW   ? A64_UXTW
			     : at->ext == ARM64_EXT_SXTW ? A64_SXTW
			     : at->ext == ARM64_EXT_SXTX ? A64_SXTX
							 : A64_LSL;
		return;
	}
	if (detail->writeback) {
		bool post = detail->op_count > op->count + 1;

		op->mode = post ? A64_LDST_POST : A64_LDST_PRE;
		op->imm = post ? detail->operands[op->count + 1].imm : op->imm;
	}
}

/* What Capstone says, in our words; kind NONE when it knows no plain load or store. */
static struct a64_ldst oracle(const cs_insn *insn)
{
	const cs_arm64 *detail = &insn->detail->arm64;
	const struct name *name = name_of(insn->id);
	struct a64_ldst op = {.kind = A64_LDST_NONE};
	uint8_t reg_size;

	if (!name) {
		return op;
	}
	op = (struct a64_ldst){.kind = A64_LDST_PLAIN,
		.load = name->load,
		.sext = name->sext,
		.unprivileged = name->unprivileged,
		.count = name->count};
	reg_of(detail->operands[0].reg, &op.rt, &reg_size, &op.vector);
	if (op.count == 2) {
		uint8_t size;
		bool vector;

		reg_of(detail->operands[1].reg, &op.rt2, &size, &vector);
		assert_int_equal(size, reg_size);
		assert_int_equal(vector, op.vector);
	}
	op.size = name->size ? name->size : reg_size;
	op.wide = op.load && !op.vector && reg_size == 8;
	oracle_memory(detail, &op);
	return op;
}

/* Fields that do not count: `wide` of a store, the base of a literal, the index of other modes. */
static struct a64_ldst normal(struct a64_ldst op)
{
	op.wide = op.load && op.wide;
	op.rn = op.mode == A64_LDST_PC ? 0 : op.rn;
	return op;
}

static bool same(struct a64_ldst a, struct a64_ldst b)
{
	return a.kind == b.kind && a.mode == b.mode && a.load == b.load && a.vector == b.vector &&
	       a.sext == b.sext && a.wide == b.wide && a.unprivileged == b.unprivileged &&
	       a.count == b.count && a.size == b.size && a.rt == b.rt && a.rt2 == b.rt2 &&
	       a.rn == b.rn && a.rm == b.rm && a.extend == b.extend && a.shift == b.shift &&
	       a.imm == b.imm;
}

static bool is_oracle_kind(unsigned id, enum a64_ldst_kind kind)
{
	switch (kind) {
	case A64_LDST_PREFETCH: return id == ARM64_INS_PRFM || id == ARM64_INS_PRFUM;
	case A64_LDST_EXCLUSIVE:
		return (id >= ARM64_INS_LDAXP && id <= ARM64_INS_LDAXR) ||
		       (id >= ARM64_INS_LDXP && id <= ARM64_INS_LDXR) ||
		       (id >= ARM64_INS_STLXP && id <= ARM64_INS_STLXR) ||
		       (id >= ARM64_INS_STXP && id <= ARM64_INS_STXR);
	case A64_LDST_STRUCTURE:
		return (id >= ARM64_INS_LD1 && id <= ARM64_INS_LD4R) ||
		       (id >= ARM64_INS_ST1 && id <= ARM64_INS_ST4);
	default: return false;
	}
}

/* Every way in which we and Capstone 4.0.2 may differ. */
static bool explained(uint32_t word, const struct a64_ldst *ours, const cs_insn *theirs)
{
	switch (ours->kind) {
	case A64_LDST_ATOMIC: /* ARMv8.1, unknown to it */
	case A64_LDST_AUTH:   /* ARMv8.3 */
	case A64_LDST_TAG: /* ARMv8.5 */ return !theirs;
	case A64_LDST_STRUCTURE: /* classified by region; unallocated ones among them */
		return !theirs;
	case A64_LDST_UNPREDICTABLE: /* D2; Capstone takes some of them, and refuses others */
		return !theirs || name_of(theirs->id);
	case A64_LDST_EXCLUSIVE: /* LDXP and STXP with registers that are UNPREDICTABLE */
		return !theirs;
	case A64_LDST_PLAIN: /* LDTR with one register for both: fine, as nothing is written back */
		if (ours->unprivileged && ours->load && ours->rt == ours->rn) {
			return !theirs;
		}
		return !theirs && ((word & 0x3fa08000u) == 0x08800000u ||        /* LDLAR, STLLR */
					  (word & 0x3ffffc00u) == 0x38bfc000u || /* LDAPR */
					  (word & 0x3f200c00u) == 0x19000000u);  /* LDAPUR, STLUR */
	default: return false;
	}
}

/* The class's word number n of 2^30: bits 27 and 25 are fixed. */
#define CLASS_WORDS HV_BIT(30)

static uint32_t word_at(uint64_t n)
{
	return (uint32_t)(n >> 26 << 28 | (n >> 25 & 1) << 26 | (n & 0x1ffffff)) | CLASS_VALUE;
}

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 32;
}

static void compare(csh handle, uint32_t word, cs_insn *insn)
{
	const uint8_t bytes[4] = {
		(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};
	const uint8_t *code = bytes;
	size_t size = sizeof(bytes);
	uint64_t at = 0;
	bool known = cs_disasm_iter(handle, &code, &size, &at, insn);
	struct a64_ldst ours = normal(a64_ldst_decode(word));
	bool ok;

	if (!known) {
		ok = ours.kind == A64_LDST_NONE;
	} else if (ours.kind == A64_LDST_PLAIN) {
		ok = same(ours, oracle(insn));
	} else {
		ok = is_oracle_kind(insn->id, ours.kind);
	}
	if (!ok && !explained(word, &ours, known ? insn : NULL)) {
		fail_msg("%08x: ours is kind %d; Capstone says %s %s", word, ours.kind,
			known ? insn->mnemonic : "nothing", known ? insn->op_str : "");
	}
}

static void d1_decode__loads_and_stores__equal_capstone(void **state)
{
	const char *sweep = getenv("DRYDOCK_SWEEP");
	uint64_t seed = 20, count = sweep ? CLASS_WORDS : 1000000;
	csh handle;
	cs_insn *insn;

	(void)state;
	assert_int_equal(cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle), CS_ERR_OK);
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(handle);
	for (uint64_t n = 0; n < count; n++) {
		compare(handle, word_at(sweep ? n : random_next(&seed) % CLASS_WORDS), insn);
	}
	cs_free(insn, 1);
	cs_close(&handle);
}

static void d1_decode__everything_outside_the_class__is_no_load_or_store(void **state)
{
	uint64_t seed = 21;

	(void)state;
	for (unsigned n = 0; n < 1000000; n++) {
		uint32_t word = word_at(random_next(&seed) % CLASS_WORDS) ^
				((n & 1) ? 0x02000000u : 0x08000000u);
		struct a64_ldst op = a64_ldst_decode(word);

		assert_true(op.kind == A64_LDST_NONE || (word & ~31u) == DC_ZVA);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(d1_decode__loads_and_stores__equal_capstone),
		hv_unit_test(d1_decode__everything_outside_the_class__is_no_load_or_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

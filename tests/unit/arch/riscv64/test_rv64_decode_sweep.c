/* SPDX-License-Identifier: MIT */
/*
 * D1: the decoder against binutils: all 2^16 halves, and a random sample of the 32-bit words whose
 * opcodes matter, or 2^24 of them where DRYDOCK_SWEEP is set (some minutes). What the two differ in
 * is listed in explained(), and nothing else may differ.
 */
#include <unit.h>

#include <stdio.h>
#include <unistd.h>

#include <arch/riscv64/decode.h>

#define AS      "riscv64-linux-gnu-as"
#define STRIP   "riscv64-linux-gnu-strip"
#define OBJDUMP "riscv64-linux-gnu-objdump"
#define ISA     "rv64gqcvh_zfh_zicbom_zicboz_zicbop"

#define BATCH 65536u

/* ---- what binutils says ---- */

struct oracle {
	char folder[64];
	FILE *lines;
};

static void run(const char *format, const char *folder)
{
	char command[512];

	snprintf(command, sizeof(command), format, folder, folder, folder);
	assert_int_equal(system(command), 0);
}

/* Bytes become the only section of an object file that says which extensions they may use. */
static void oracle_open(struct oracle *oracle, const void *bytes, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	char path[128], command[512];
	FILE *file;

	snprintf(oracle->folder, sizeof(oracle->folder), "%s/rv64-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(oracle->folder));
	snprintf(path, sizeof(path), "%s/bytes", oracle->folder);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	snprintf(path, sizeof(path), "%s/bytes.s", oracle->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, ".attribute arch, \"" ISA "\"\n.incbin \"%s/bytes\"\n", oracle->folder);
	assert_int_equal(fclose(file), 0);
	run(AS " -o %s/bytes.o %s/bytes.s && " STRIP " %s/bytes.o", oracle->folder);
	snprintf(command, sizeof(command),
		OBJDUMP " -D -z -j .text -M no-aliases,numeric %s/bytes.o", oracle->folder);
	oracle->lines = popen(command, "r");
	assert_non_null(oracle->lines);
}

static void oracle_close(struct oracle *oracle)
{
	assert_int_equal(pclose(oracle->lines), 0);
	run("rm -r %s", oracle->folder);
}

struct text {
	char name[32], operands[96];
};

/* The next instruction, which must be this one. */
static struct text oracle_next(struct oracle *oracle, uint32_t bits)
{
	char line[256];

	while (fgets(line, sizeof(line), oracle->lines)) {
		struct text text = {.name = ""};
		uint32_t found;

		if (sscanf(line, " %*[0-9a-f]:\t%x \t%31s %95[^\n]", &found, text.name,
			    text.operands) >= 2) {
			assert_int_equal(found, bits);
			return text;
		}
	}
	fail_msg("binutils stops before %08x", bits);
	return (struct text){.name = ""};
}

/* ---- what that is in our words ---- */

struct name {
	const char *name;
	uint8_t size;
	bool write, sext;
};

static const struct name ldst_names[] = {
	{"lb", 1, false, true},
	{"lh", 2, false, true},
	{"lw", 4, false, true},
	{"ld", 8, false, true},
	{"lbu", 1, false, false},
	{"lhu", 2, false, false},
	{"lwu", 4, false, false},
	{"sb", 1, true, false},
	{"sh", 2, true, false},
	{"sw", 4, true, false},
	{"sd", 8, true, false},
	{"c.lw", 4, false, true},
	{"c.ld", 8, false, true},
	{"c.sw", 4, true, false},
	{"c.sd", 8, true, false},
	{"c.lwsp", 4, false, true},
	{"c.ldsp", 8, false, true},
	{"c.swsp", 4, true, false},
	{"c.sdsp", 8, true, false},
};

static const char *const float_names[] = {"flh", "flw", "fld", "flq", "fsh", "fsw", "fsd", "fsq",
	"c.fld", "c.fsd", "c.fldsp", "c.fsdsp"};

static bool starts(const struct text *text, const char *with)
{
	return strncmp(text->name, with, strlen(with)) == 0;
}

static enum rv64_insn_kind kind_of(const struct text *text, uint32_t bits)
{
	bool float_opcode = (bits & 0x5f) == 0x07;

	for (unsigned i = 0; i < HV_ARRAY_COUNT(float_names); i++) {
		if (strcmp(text->name, float_names[i]) == 0) {
			return RV64_INSN_FLOAT;
		}
	}
	return float_opcode && starts(text, "v") ? RV64_INSN_VECTOR
	       : starts(text, "amo")             ? RV64_INSN_ATOMIC
	       : starts(text, "lr.")             ? RV64_INSN_ATOMIC
	       : starts(text, "sc.")             ? RV64_INSN_ATOMIC
	       : starts(text, "cbo.")            ? RV64_INSN_CACHE
	       : starts(text, "csrr")            ? RV64_INSN_CSR
	       : strcmp(text->name, "wfi") == 0  ? RV64_INSN_WFI
						 : RV64_INSN_OTHER;
}

static bool is_write(const struct rv64_insn *insn, const struct text *text)
{
	switch (insn->kind) {
	case RV64_INSN_FLOAT: return starts(text, "fs") || starts(text, "c.fs");
	case RV64_INSN_VECTOR: return starts(text, "vs");
	case RV64_INSN_ATOMIC: return !starts(text, "lr.");
	case RV64_INSN_CACHE: return true;
	default: return false;
	}
}

static struct rv64_insn oracle_ldst(const struct text *text, const struct name *name)
{
	struct rv64_insn insn = {.kind = RV64_INSN_LDST,
		.size = name->size,
		.write = name->write,
		.sext = name->sext};
	unsigned reg, base;
	int imm;

	assert_int_equal(sscanf(text->operands, "x%u,%d(x%u)", &reg, &imm, &base), 3);
	insn.reg = (uint8_t)reg;
	insn.base = (uint8_t)base;
	insn.imm = imm;
	return insn;
}

/* CSRs that it knows come by their names, which say nothing to us. */
static struct rv64_insn oracle_csr(const struct text *text, uint16_t csr)
{
	struct rv64_insn insn = {.kind = RV64_INSN_CSR, .csr = csr};
	unsigned reg, number, source;
	char which[32];

	insn.immediate = text->name[5] == 'i';
	insn.op = text->name[4] == 'w'   ? RV64_CSR_WRITE
		  : text->name[4] == 's' ? RV64_CSR_SET
					 : RV64_CSR_CLEAR;
	assert_int_equal(
		sscanf(text->operands, insn.immediate ? "x%u,%31[^,],%u" : "x%u,%31[^,],x%u", &reg,
			which, &source),
		3);
	if (sscanf(which, "0x%x", &number) == 1) {
		insn.csr = (uint16_t)number;
	}
	insn.reg = (uint8_t)reg;
	insn.source = (uint8_t)source;
	return insn;
}

static struct rv64_insn oracle_insn(const struct text *text, uint32_t bits, uint16_t csr)
{
	struct rv64_insn insn = {.kind = kind_of(text, bits)};

	insn.write = is_write(&insn, text);

	for (unsigned i = 0; i < HV_ARRAY_COUNT(ldst_names); i++) {
		if (strcmp(text->name, ldst_names[i].name) == 0) {
			insn = oracle_ldst(text, &ldst_names[i]);
		}
	}
	if (insn.kind == RV64_INSN_CSR) {
		insn = oracle_csr(text, csr);
	}
	insn.length = (bits & 3) == 3 ? 4 : 2;
	return insn;
}

static bool same(const struct rv64_insn *a, const struct rv64_insn *b)
{
	return a->kind == b->kind && a->length == b->length && a->size == b->size &&
	       a->write == b->write && a->sext == b->sext && a->reg == b->reg &&
	       a->base == b->base && a->imm == b->imm && a->csr == b->csr && a->op == b->op &&
	       a->immediate == b->immediate && a->source == b->source;
}

/* Every way in which we and binutils 2.40 may differ. */
static bool explained(const struct rv64_insn *ours, const struct text *theirs)
{
	bool unknown = theirs->name[0] == '.';

	switch (ours->kind) {
	/* Classified by opcode and width; unallocated ones among them. None is ever done. */
	case RV64_INSN_ATOMIC:
	case RV64_INSN_VECTOR: return unknown;
	default: return false;
	}
}

static void compare(struct oracle *oracle, uint32_t bits)
{
	struct text text = oracle_next(oracle, bits);
	struct rv64_insn ours = rv64_insn_decode(bits);
	struct rv64_insn theirs = oracle_insn(&text, bits, ours.csr);

	if (!same(&ours, &theirs) && !explained(&ours, &text)) {
		fail_msg("%08x: ours is kind %d, size %d, reg %d, base %d, imm %d; binutils says "
			 "%s %s",
			bits, ours.kind, ours.size, ours.reg, ours.base, ours.imm, text.name,
			text.operands);
	}
}

static bool there_is_no_oracle(void)
{
	return system("command -v " AS " " STRIP " " OBJDUMP " >/dev/null") != 0;
}

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 32;
}

/* One of the opcodes that matter; and of those with few words that mean something, such words. */
static uint32_t random_word(uint64_t *seed)
{
	static const uint8_t opcodes[] = {0x03, 0x07, 0x0f, 0x0f, 0x23, 0x27, 0x2f, 0x2f, 0x73};
	uint32_t opcode = opcodes[random_next(seed) % sizeof(opcodes)];
	uint32_t bits = (uint32_t)random_next(seed) << 7 | opcode;
	bool tame = random_next(seed) % 2;

	if (tame && opcode == 0x0f) {
		return (bits & 0x007f8000u) | 0x2000u | opcode;
	}
	if (tame && opcode == 0x2f) {
		return (bits & ~0x7000u) | (bits & 0x1000u ? 0x2000u : 0x3000u);
	}
	if (tame && opcode == 0x73 && (bits & 0x80000000u)) {
		return 0x10500073u ^ (1u << random_next(seed) % 26 << 7);
	}
	return bits;
}

static void d1_decode__all_halves__equal_binutils(void **state)
{
	static uint16_t halves[65536];
	struct oracle oracle;
	unsigned count = 0;

	(void)state;
	if (there_is_no_oracle()) {
		skip();
	}
	for (uint32_t half = 0; half < 65536; half++) {
		if ((half & 3) != 3) {
			halves[count++] = (uint16_t)half;
		}
	}
	oracle_open(&oracle, halves, count * sizeof(halves[0]));
	for (unsigned i = 0; i < count; i++) {
		compare(&oracle, halves[i]);
	}
	oracle_close(&oracle);
}

static void d1_decode__words_that_matter__equal_binutils(void **state)
{
	static uint32_t words[BATCH];
	unsigned batches = getenv("DRYDOCK_SWEEP") ? 256 : 1;
	uint64_t seed = 22;

	(void)state;
	if (there_is_no_oracle()) {
		skip();
	}
	for (unsigned n = 0; n < batches; n++) {
		struct oracle oracle;

		for (unsigned i = 0; i < BATCH; i++) {
			words[i] = random_word(&seed);
		}
		words[0] = 0x10500073u;
		oracle_open(&oracle, words, sizeof(words));
		for (unsigned i = 0; i < BATCH; i++) {
			compare(&oracle, words[i]);
		}
		oracle_close(&oracle);
	}
}

static void d1_decode__every_other_opcode__is_nothing_that_matters(void **state)
{
	uint64_t seed = 23;

	(void)state;
	for (unsigned n = 0; n < 1000000; n++) {
		uint32_t bits = (uint32_t)random_next(&seed) | 3;
		struct rv64_insn insn = rv64_insn_decode(bits);

		switch (bits & 0x7f) {
		case 0x03:
		case 0x07:
		case 0x0f:
		case 0x23:
		case 0x27:
		case 0x2f:
		case 0x73: break;
		default:
			assert_int_equal(insn.kind, RV64_INSN_OTHER);
			assert_int_equal(insn.length, 4);
		}
	}
}

/* D11: what follows a half may be no memory, and is not looked at. */
static void d11_decode__half__does_not_depend_on_what_follows(void **state)
{
	uint64_t seed = 24;

	(void)state;
	for (uint32_t half = 0; half < 65536; half++) {
		struct rv64_insn alone = rv64_insn_decode(half), with;

		if ((half & 3) == 3) {
			continue;
		}
		with = rv64_insn_decode((uint32_t)random_next(&seed) << 16 | half);
		assert_true(same(&alone, &with));
	}
}

/* The quick looks, which the way to a device takes, say what the whole record does. */
static void d1_quick_look__all_halves__equals_the_whole_record(void **state)
{
	(void)state;
	for (uint32_t half = 0; half < 65536; half++) {
		struct rv64_insn insn = rv64_insn_decode(half);
		bool is_word = (half & 3) == 0 && insn.kind == RV64_INSN_LDST && insn.size == 4;

		assert_int_equal(rv64_half_is_lw(half), is_word && !insn.write);
		assert_int_equal(rv64_half_is_sw(half), is_word && insn.write);
		if (is_word) {
			assert_true(rv64_is_half_0(half));
			assert_int_equal(rv64_half_reg(half), insn.reg);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(d1_decode__all_halves__equal_binutils),
		hv_unit_test(d1_decode__words_that_matter__equal_binutils),
		hv_unit_test(d1_decode__every_other_opcode__is_nothing_that_matters),
		hv_unit_test(d11_decode__half__does_not_depend_on_what_follows),
		hv_unit_test(d1_quick_look__all_halves__equals_the_whole_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

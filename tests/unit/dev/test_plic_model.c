/* SPDX-License-Identifier: MIT */
/*
 * L1..L4 at random: register programs of several harts against a second PLIC, written from the
 * specification on its own. It keeps one record per source and looks at all of them each time.
 */
#include <unit.h>

#include <dev/plic/plic.h>
#include <hv/bits.h>

#define PROGRAMS 4096u
#define STEPS    64u
#define SOURCES  70u /* ends within a word */
#define HARTS    3u

struct source {
	uint32_t priority;
	bool line, pending, claimed;
	bool enabled[HARTS];
};

static struct source source[SOURCES + 1];
static uint32_t threshold[HARTS];

static void model_line(uint32_t n, bool level)
{
	if (level && !source[n].line && !source[n].claimed) {
		source[n].pending = true;
	}
	source[n].line = level;
}

static void model_complete(uint32_t n, unsigned hart)
{
	if (source[n].claimed && source[n].enabled[hart]) {
		source[n].claimed = false;
		source[n].pending = source[n].line;
	}
}

static uint32_t model_best(unsigned hart)
{
	uint32_t best = 0;

	for (uint32_t n = SOURCES; n > 0; n--) {
		bool open = source[n].enabled[hart] && source[n].priority > threshold[hart];

		if (source[n].pending && open && source[n].priority >= source[best].priority) {
			best = n;
		}
	}
	return best;
}

static uint32_t model_claim(unsigned hart)
{
	uint32_t best = model_best(hart);

	if (best != 0) {
		source[best].claimed = true;
		source[best].pending = false;
	}
	return best;
}

/* Bit n of word w of some property of the sources. */
static uint32_t model_bits(uint32_t w, unsigned hart, bool of_enables)
{
	uint32_t bits = 0;

	for (uint32_t n = 32 * w; n < 32 * w + 32; n++) {
		if (n >= 1 && n <= SOURCES) {
			bits |= (uint32_t)(of_enables ? source[n].enabled[hart] : source[n].pending)
				<< n % 32;
		}
	}
	return bits;
}

static void model_enable(uint32_t w, unsigned hart, uint32_t value)
{
	for (uint32_t n = 32 * w; n < 32 * w + 32 && n <= SOURCES; n++) {
		source[n].enabled[hart] = n != 0 && value >> n % 32 & 1;
	}
}

static uint32_t model_read(uint64_t off)
{
	uint64_t n;

	if (off < 0x1000) {
		n = off / 4;
		return n >= 1 && n <= SOURCES ? source[n].priority : 0;
	}
	if (off < 0x2000) {
		n = (off - 0x1000) / 4;
		return n < 32 ? model_bits((uint32_t)n, 0, false) : 0;
	}
	if (off < 0x200000) {
		n = (off - 0x2000) / 0x80;
		return n % 2 == 1 && n < 2 * HARTS
			       ? model_bits((uint32_t)(off % 0x80 / 4), (unsigned)n / 2, true)
			       : 0;
	}
	n = (off - 0x200000) / 0x1000;
	if (n % 2 == 0 || n >= 2 * HARTS) {
		return 0;
	}
	switch (off % 0x1000) {
	case 0: return threshold[n / 2];
	case 4: return model_claim((unsigned)n / 2);
	default: return 0;
	}
}

static void model_write(uint64_t off, uint32_t value)
{
	uint64_t n;

	if (off < 0x1000) {
		n = off / 4;
		if (n >= 1 && n <= SOURCES) {
			source[n].priority = value & 7;
		}
	} else if (off >= 0x200000) {
		n = (off - 0x200000) / 0x1000;
		if (n % 2 == 0 || n >= 2 * HARTS) {
			return;
		}
		if (off % 0x1000 == 0) {
			threshold[n / 2] = value & 7;
		}
		if (off % 0x1000 == 4 && value >= 1 && value <= SOURCES) {
			model_complete(value, (unsigned)n / 2);
		}
	} else if (off >= 0x2000) {
		n = (off - 0x2000) / 0x80;
		if (n % 2 == 1 && n < 2 * HARTS) {
			model_enable((uint32_t)(off % 0x80 / 4), (unsigned)n / 2, value);
		}
	}
}

/* ---- the device beside it ---- */

static struct plic *plic;
static bool level[HARTS];
static uint64_t seed;

static void on_notify(void *ctx, bool is)
{
	bool *was = ctx;

	*was = is;
}

/* xorshift64*: the same programs on every machine. */
static uint32_t random_u32(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 32);
}

static uint32_t below(uint32_t limit)
{
	return random_u32() % limit;
}

static uint64_t random_offset(void)
{
	uint64_t context = below(16) ? 2 * below(HARTS) + 1 : below(1020);

	switch (below(8)) {
	case 0:
	case 1: return 4 * below(below(8) ? SOURCES + 2 : 1024);
	case 2: return 0x1000 + 4 * below(below(8) ? 4 : 1024);
	case 3:
	case 4: return 0x2000 + 0x80 * context + 4 * below(below(8) ? 3 : 32);
	case 5: return 0x200000 + 0x1000 * context;
	default: return 0x200000 + 0x1000 * context + (below(16) ? 4 : 4 * below(1024));
	}
}

static void step_access(void)
{
	bool write = below(2);
	uint64_t off = random_offset();
	uint32_t value = below(2) ? below(SOURCES + 2) : random_u32();
	struct hv_access access = {.off = off, .data = value, .size = 4, .write = write};
	uint32_t want = 0;

	if (below(32) == 0) {
		access.size = (uint8_t)(1u << below(4));
		access.off += below(4);
	}
	if (access.size == 4 && access.off % 4 == 0) {
		if (write) {
			model_write(off, value);
		} else {
			want = model_read(off);
		}
	}
	assert_true(plic_ops.access(plic, &access));
	if (!write && access.data != want) {
		print_error("read %#lx: %#lx, the model says %#x\n", (unsigned long)access.off,
			(unsigned long)access.data, want);
	}
	assert_true(write || access.data == want);
}

static void step_line(void)
{
	uint32_t n = below(SOURCES + 2);
	bool is = below(2);

	if (n >= 1 && n <= SOURCES) {
		model_line(n, is);
	}
	plic_source_set(plic, n, is);
}

static void step_reset(void)
{
	for (uint32_t n = 0; n <= SOURCES; n++) {
		source[n] = (struct source){.line = source[n].line, .pending = source[n].line};
	}
	memset(threshold, 0, sizeof(threshold));
	plic_ops.reset(plic);
}

static void step(void)
{
	uint32_t what = below(256);

	if (what == 0) {
		step_reset();
	} else if (what < 64) {
		step_line();
	} else {
		step_access();
	}
	for (uint16_t hart = 0; hart < HARTS; hart++) {
		assert_int_equal(level[hart], model_best(hart) != 0);
		assert_int_equal(plic_is_raised(plic, hart), level[hart]);
	}
}

static void program_begin(void)
{
	static _Alignas(16) uint8_t memory[16384];
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};
	const struct plic_cfg cfg = {.sources = SOURCES, .harts = HARTS};

	memset(source, 0, sizeof(source));
	memset(threshold, 0, sizeof(threshold));
	memset(level, 0, sizeof(level));
	assert_int_equal(plic_create(&plic, &cfg, &arena), HV_OK);
	for (uint16_t hart = 0; hart < HARTS; hart++) {
		const struct plic_hart_cfg hart_cfg = {on_notify, &level[hart]};

		assert_int_equal(plic_add_hart(plic, hart, &hart_cfg), HV_OK);
	}
	for (uint32_t n = 1; n <= SOURCES; n++) { /* so that more than registers happens */
		uint64_t off = 4 * (uint64_t)n;
		struct hv_access access = {.off = off, .data = n % 8, .size = 4, .write = true};

		model_write(off, n % 8);
		assert_true(plic_ops.access(plic, &access));
	}
}

static void l1_l4_plic__random_programs__equal_the_model(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15ull;
	for (unsigned program = 0; program < PROGRAMS; program++) {
		program_begin();
		for (unsigned i = 0; i < STEPS; i++) {
			step();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(l1_l4_plic__random_programs__equal_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * L1..L4 at random: register programs of several harts against a second APLIC, written from the
 * specification on its own. It keeps one record per source and looks at all of them each time.
 */
#include <unit.h>

#include <dev/aplic/aplic.h>
#include <hv/bits.h>

#define PROGRAMS 4096u
#define STEPS    64u
#define SOURCES  70u /* ends within a word */
#define HARTS    3u

struct source {
	uint32_t mode, target;
	bool line, pending, enabled;
};

struct hart {
	bool delivers, forced;
	uint32_t threshold;
};

static struct source source[SOURCES + 1];
static struct hart hart[HARTS];
static bool domain_on;

static bool is_level(const struct source *s)
{
	return s->mode == 6 || s->mode == 7;
}

static bool model_input(const struct source *s)
{
	switch (s->mode) {
	case 4:
	case 6: return s->line;
	case 5:
	case 7: return !s->line;
	default: return false;
	}
}

/* What is true of every source at all times. */
static void model_settle(void)
{
	for (uint32_t n = 1; n <= SOURCES; n++) {
		struct source *s = &source[n];

		if (s->mode == 0) {
			s->pending = s->enabled = false;
			s->target = 0;
		}
		if (is_level(s)) {
			s->pending = model_input(s);
		}
	}
}

static uint32_t model_top(unsigned h)
{
	uint32_t best = 0, lowest = 8;

	for (uint32_t n = 1; n <= SOURCES; n++) {
		const struct source *s = &source[n];
		uint32_t prio = s->target & 7;
		bool open = hart[h].threshold == 0 || prio < hart[h].threshold;

		if (s->pending && s->enabled && s->target >> 18 == h && open && prio < lowest) {
			best = n << 16 | prio;
			lowest = prio;
		}
	}
	return best;
}

static bool model_raised(unsigned h)
{
	return domain_on && hart[h].delivers && (hart[h].forced || model_top(h) != 0);
}

static uint32_t model_claim(unsigned h)
{
	uint32_t top = model_top(h);

	if (top == 0) {
		hart[h].forced = false;
	} else {
		source[top >> 16].pending = false;
		model_settle();
	}
	return top;
}

/* Bit n of word w of some property of the sources. */
static uint32_t model_bits(uint32_t w, char what)
{
	uint32_t bits = 0;

	for (uint32_t n = 32 * w; n < 32 * w + 32; n++) {
		if (n >= 1 && n <= SOURCES) {
			const struct source *s = &source[n];
			bool is = what == 'p'   ? s->pending
				  : what == 'i' ? model_input(s)
						: s->enabled;

			bits |= (uint32_t)is << n % 32;
		}
	}
	return bits;
}

static void model_bit(uint32_t n, uint64_t off)
{
	struct source *s;

	if (n < 1 || n > SOURCES || source[n].mode == 0) {
		return;
	}
	s = &source[n];
	switch (off >> 8) {
	case 0x1c: s->pending = true; break;
	case 0x1d: s->pending = false; break;
	case 0x1e: s->enabled = true; break;
	default: s->enabled = false; break;
	}
}

static uint32_t model_read(uint64_t off)
{
	uint64_t n = off % 0x1000 / 4;
	uint64_t h = (off - 0x4000) / 32;

	if (off == 0) {
		return 0x80000000u + (domain_on ? 0x100 : 0);
	}
	if (off < 0x1000) {
		return n <= SOURCES ? source[n].mode : 0;
	}
	if (off < 0x2000) {
		if (off % 0x100 >= 0x80) {
			return 0;
		}
		switch (off >> 8) {
		case 0x1c: return model_bits((uint32_t)(off % 0x80 / 4), 'p');
		case 0x1d: return model_bits((uint32_t)(off % 0x80 / 4), 'i');
		case 0x1e: return model_bits((uint32_t)(off % 0x80 / 4), 'e');
		default: return 0;
		}
	}
	if (off < 0x3000) {
		return 0;
	}
	if (off < 0x4000) {
		return n >= 1 && n <= SOURCES ? source[n].target : 0;
	}
	if (h >= HARTS) {
		return 0;
	}
	switch (off % 32) {
	case 0: return hart[h].delivers;
	case 4: return hart[h].forced;
	case 8: return hart[h].threshold;
	case 0x18: return model_top((unsigned)h);
	case 0x1c: return model_claim((unsigned)h);
	default: return 0;
	}
}

static void model_mode(uint32_t n, uint32_t value)
{
	struct source *s = &source[n];
	uint32_t mode = value & 0x400 ? 0 : value & 7;

	mode = mode == 2 || mode == 3 ? 0 : mode;
	if (s->mode == 0 && mode != 0) {
		s->target = 1;
	}
	s->mode = mode;
}

static void model_write_bits(uint64_t off, uint32_t value)
{
	uint64_t at = off % 0x100;

	if (at == 0xdc) {
		model_bit(value, off);
	}
	for (uint32_t i = 0; i < 32 && at < 0x80; i++) {
		if (value >> i & 1) {
			model_bit((uint32_t)at / 4 * 32 + i, off);
		}
	}
}

static void model_write(uint64_t off, uint32_t value)
{
	uint64_t n = off % 0x1000 / 4;
	uint64_t h = (off - 0x4000) / 32;

	if (off == 0) {
		domain_on = value & 0x100;
	} else if (off < 0x1000) {
		if (n <= SOURCES) {
			model_mode((uint32_t)n, value);
		}
	} else if (off < 0x2000) {
		if (off >= 0x1c00) {
			model_write_bits(off, value);
		}
	} else if (off == 0x2000) {
		model_bit(value, 0x1cdc);
	} else if (off >= 0x3000 && off < 0x4000) {
		if (n >= 1 && n <= SOURCES && source[n].mode != 0) {
			source[n].target = value & 0xfffc0007u;
			source[n].target += value & 7 ? 0 : 1;
		}
	} else if (off >= 0x4000 && h < HARTS) {
		switch (off % 32) {
		case 0: hart[h].delivers = value & 1; break;
		case 4: hart[h].forced = value & 1; break;
		case 8: hart[h].threshold = value & 7; break;
		default: break;
		}
	}
	model_settle();
}

static void model_line(uint32_t n, bool level)
{
	bool before = model_input(&source[n]);

	source[n].line = level;
	if (model_input(&source[n]) && !before) {
		source[n].pending = true;
	}
	model_settle();
}

/* ---- the device beside it ---- */

static struct aplic *aplic;
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
	static const uint16_t arrays[] = {0x1c00, 0x1d00, 0x1e00, 0x1e00, 0x1f00};
	uint64_t array = arrays[below(HV_ARRAY_COUNT(arrays))];

	switch (below(8)) {
	case 0: return 4 * below(below(8) ? SOURCES + 2 : 0xc00);
	case 1: return array + (below(8) ? 4 * below(3) : 4 * below(64));
	case 2: return array + 0xdc;
	case 3: return 0x2000 + (below(8) ? 0 : 4 * below(1024));
	case 4: return 0x3000 + 4 * below(below(8) ? SOURCES + 2 : 1024);
	default: return 0x4000 + 32 * below(below(16) ? HARTS : 512) + 4 * below(8);
	}
}

static uint32_t random_value(uint64_t off)
{
	if (off == 0) {
		return below(4) ? 0x100 : 0;
	}
	if (off < 0x1000) {
		return below(16) ? below(8) : random_u32();
	}
	if (off >= 0x3000 && off < 0x4000 && below(8)) {
		return below(HARTS + 1) << 18 | below(8);
	}
	if (off >= 0x4000 && below(2)) {
		return 1;
	}
	return below(2) ? below(SOURCES + 2) : random_u32();
}

static void step_access(void)
{
	bool write = below(3) != 0;
	uint64_t off = random_offset();
	uint32_t value = random_value(off), want = 0;
	struct hv_access access = {.off = off, .data = value, .size = 4, .write = write};

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
	assert_true(aplic_ops.access(aplic, &access));
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
	aplic_source_set(aplic, n, is);
}

static void step_reset(void)
{
	for (uint32_t n = 0; n <= SOURCES; n++) {
		source[n] = (struct source){.line = source[n].line};
	}
	memset(hart, 0, sizeof(hart));
	domain_on = false;
	aplic_ops.reset(aplic);
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
	for (uint16_t h = 0; h < HARTS; h++) {
		assert_int_equal(level[h], model_raised(h));
		assert_int_equal(aplic_is_raised(aplic, h), level[h]);
	}
}

static void begin_with(uint64_t off, uint32_t value)
{
	struct hv_access access = {.off = off, .data = value, .size = 4, .write = true};

	model_write(off, value);
	assert_true(aplic_ops.access(aplic, &access));
}

static void program_begin(void)
{
	static _Alignas(16) uint8_t memory[16384];
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};
	const struct aplic_cfg cfg = {.sources = SOURCES, .harts = HARTS};

	memset(source, 0, sizeof(source));
	memset(hart, 0, sizeof(hart));
	memset(level, 0, sizeof(level));
	domain_on = false;
	assert_int_equal(aplic_create(&aplic, &cfg, &arena), HV_OK);
	for (uint16_t h = 0; h < HARTS; h++) {
		const struct aplic_hart_cfg hart_cfg = {on_notify, &level[h]};

		assert_int_equal(aplic_add_hart(aplic, h, &hart_cfg), HV_OK);
		begin_with(0x4000 + 32 * (uint64_t)h, 1);
	}
	begin_with(0, 0x100);
	for (uint32_t n = 1; n <= SOURCES; n++) { /* so that more than registers happens */
		begin_with(4 * (uint64_t)n, below(8));
		begin_with(0x3000 + 4 * (uint64_t)n, below(HARTS) << 18 | below(8));
	}
}

static void l1_l4_aplic__random_programs__equal_the_model(void **state)
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
		hv_unit_test(l1_l4_aplic__random_programs__equal_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

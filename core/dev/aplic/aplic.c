/* SPDX-License-Identifier: MIT */
/*
 * One bit per source, in words of 32, so that a look at everything is a look at a few words. Every
 * source has a mode; which of the bit arrays it stands in follows from that.
 */
#include <dev/aplic/aplic.h>
#include <hv/bits.h>
#include <stdatomic.h>

#define WORD_BITS 32u
#define WORDS     ((APLIC_SOURCES_MAX + 1) / WORD_BITS)

/* Target registers: hart index [31:18], priority number [2:0]. */
#define TARGET_HARTS (~0u << APLIC_TARGET_HART_SHIFT)
#define TARGET_RESET 1u /* hart 0, most urgent: there is no priority 0 */

struct aplic_hart {
	bool delivers, forced; /* idelivery, iforce */
	uint8_t threshold;     /* 0: none */
	uint32_t targets[WORDS];
	void (*notify)(void *ctx, bool level);
	void *ctx;
};

/* Under the lock, all but raised. */
struct aplic {
	_Atomic bool raised[APLIC_HARTS]; /* each hart's output */
	struct hv_lock lock;              /* HV_LOCK_IRQC */
	uint16_t sources;
	uint8_t harts;
	bool enabled;         /* domaincfg.IE */
	uint32_t ready_words; /* bit n: of word n some are pending and enabled */
	uint32_t line[WORDS]; /* the incoming wires */
	/* By their modes: `wired` look at their line, `latched` keep what came (AIA 4.7). */
	uint32_t active[WORDS], wired[WORDS], latched[WORDS], inverted[WORDS];
	uint32_t pending[WORDS], enables[WORDS];
	uint8_t mode[APLIC_SOURCES_MAX + 1];
	uint32_t target[APLIC_SOURCES_MAX + 1];
	struct aplic_hart hart[APLIC_HARTS];
};

static uint32_t bit_of(uint32_t source)
{
	return 1u << source % WORD_BITS;
}

static uint32_t with_bits(uint32_t word, uint32_t bits, bool on)
{
	return on ? word | bits : word & ~bits;
}

static bool exists(const struct aplic *aplic, uint32_t source)
{
	return source != 0 && source <= aplic->sources;
}

/* The rectified input values of a word (AIA 4.5.2). */
static uint32_t inputs(const struct aplic *aplic, uint32_t word)
{
	return (aplic->line[word] ^ aplic->inverted[word]) & aplic->wired[word];
}

/* ---- who is interrupted ---- */

static bool is_masked(const struct aplic_hart *hart, uint32_t priority)
{
	return hart->threshold != 0 && priority >= hart->threshold;
}

/* What topi says: the lowest priority number, of several the lowest source (AIA 4.8.1.4). */
static uint32_t top(const struct aplic *aplic, const struct aplic_hart *hart)
{
	uint32_t best = 0, best_priority = APLIC_PRIORITY_MAX + 1;

	for (uint32_t words = aplic->ready_words; words; words &= words - 1) {
		uint32_t word = hv_lowest_bit(words);
		uint32_t left = aplic->pending[word] & aplic->enables[word] & hart->targets[word];

		for (; left; left &= left - 1) {
			uint32_t source = word * WORD_BITS + hv_lowest_bit(left);
			uint32_t priority = aplic->target[source] & APLIC_PRIORITY_MAX;

			if (priority < best_priority && !is_masked(hart, priority)) {
				best = source;
				best_priority = priority;
			}
		}
	}
	return best == 0 ? 0 : best << APLIC_TOPI_SOURCE_SHIFT | best_priority;
}

static void hart_update(struct aplic *aplic, uint32_t index)
{
	struct aplic_hart *hart = &aplic->hart[index];
	bool open = aplic->enabled && hart->delivers;
	bool level = open && (hart->forced || top(aplic, hart) != 0);

	if (level == atomic_load_explicit(&aplic->raised[index], memory_order_relaxed)) {
		return;
	}
	atomic_store_explicit(&aplic->raised[index], level, memory_order_relaxed);
	if (hart->notify) {
		hart->notify(hart->ctx, level);
	}
}

static void harts_update(struct aplic *aplic)
{
	for (uint32_t i = 0; i < aplic->harts; i++) {
		hart_update(aplic, i);
	}
}

/*
 * After a change of a word. `came`: whose inputs rose. A level-sensitive source's pending bit is
 * its input; a latched one's stays until it is cleared or claimed.
 */
static void word_update(struct aplic *aplic, uint32_t word, uint32_t came)
{
	uint32_t latched = aplic->latched[word];
	uint32_t levels = inputs(aplic, word) & ~latched;
	uint32_t pending = ((aplic->pending[word] | came) & latched) | levels;

	aplic->pending[word] = pending;
	aplic->ready_words =
		with_bits(aplic->ready_words, 1u << word, (pending & aplic->enables[word]) != 0);
	harts_update(aplic);
}

static void line_set(struct aplic *aplic, uint32_t source, bool level)
{
	uint32_t word = source / WORD_BITS, before = inputs(aplic, word);

	aplic->line[word] = with_bits(aplic->line[word], bit_of(source), level);
	word_update(aplic, word, inputs(aplic, word) & ~before);
}

void aplic_source_set(void *ctl, uint32_t source, bool level)
{
	struct aplic *aplic = ctl;

	if (!exists(aplic, source)) {
		return;
	}
	port_lock(&aplic->lock);
	line_set(aplic, source, level);
	port_unlock(&aplic->lock);
}

bool aplic_is_raised(const struct aplic *aplic, uint16_t index)
{
	return atomic_load_explicit(&aplic->raised[index], memory_order_relaxed);
}

/* ---- source modes and targets ---- */

static void target_set(struct aplic *aplic, uint32_t source, uint32_t target)
{
	uint32_t word = source / WORD_BITS, hart = target >> APLIC_TARGET_HART_SHIFT;

	aplic->target[source] = target;
	for (uint32_t i = 0; i < aplic->harts; i++) {
		uint32_t *targets = &aplic->hart[i].targets[word];

		*targets = with_bits(*targets, bit_of(source), target != 0 && i == hart);
	}
}

/* No children, so there is nobody to delegate to; reserved modes make it inactive. */
static uint8_t mode_of(uint32_t value)
{
	uint8_t mode = value & 7;

	if (value & APLIC_SOURCECFG_D) {
		return APLIC_INACTIVE;
	}
	return mode == APLIC_DETACHED || mode >= APLIC_EDGE1 ? mode : APLIC_INACTIVE;
}

static void mode_set(struct aplic *aplic, uint32_t source, uint8_t mode)
{
	uint32_t word = source / WORD_BITS, bit = bit_of(source);
	bool active = mode != APLIC_INACTIVE, wired = mode >= APLIC_EDGE1;
	bool level = mode >= APLIC_LEVEL1;

	if (!active) {
		aplic->enables[word] &= ~bit;
		target_set(aplic, source, 0);
	} else if (aplic->mode[source] == APLIC_INACTIVE) {
		target_set(aplic, source, TARGET_RESET);
	}
	aplic->mode[source] = mode;
	aplic->active[word] = with_bits(aplic->active[word], bit, active);
	aplic->wired[word] = with_bits(aplic->wired[word], bit, wired);
	aplic->latched[word] = with_bits(aplic->latched[word], bit, active && !level);
	aplic->inverted[word] = with_bits(aplic->inverted[word], bit, wired && mode & 1);
	word_update(aplic, word, 0);
}

static void sourcecfg_write(struct aplic *aplic, uint32_t source, uint32_t value)
{
	if (exists(aplic, source)) {
		mode_set(aplic, source, mode_of(value));
	}
}

static void target_write(struct aplic *aplic, uint32_t source, uint32_t value)
{
	uint32_t priority = value & APLIC_PRIORITY_MAX;

	if (aplic->mode[source] == APLIC_INACTIVE) {
		return;
	}
	target_set(aplic, source, (value & TARGET_HARTS) | (priority ? priority : 1));
	harts_update(aplic);
}

/* ---- pending and enable bits ---- */

static void pending_write(struct aplic *aplic, uint32_t word, uint32_t bits, bool on)
{
	if (on) {
		word_update(aplic, word, bits);
	} else {
		aplic->pending[word] &= ~bits;
		word_update(aplic, word, 0);
	}
}

static void enables_write(struct aplic *aplic, uint32_t word, uint32_t bits, bool on)
{
	aplic->enables[word] = with_bits(aplic->enables[word], bits & aplic->active[word], on);
	word_update(aplic, word, 0);
}

/* The four arrays, by off / 0x100 from setip on; in each, an array of bits and one number. */
static void bits_write(struct aplic *aplic, uint32_t off, uint32_t value)
{
	uint32_t array = off & ~0xffu, at = off & 0xffu, word = at / 4;
	uint32_t bits = value;
	bool on = array == APLIC_SETIP || array == APLIC_SETIE;

	if (at == (APLIC_SETIPNUM & 0xffu)) {
		if (!exists(aplic, value)) {
			return;
		}
		word = value / WORD_BITS;
		bits = bit_of(value);
	}
	if (word >= WORDS) {
		return;
	}
	if (array < APLIC_SETIE) {
		pending_write(aplic, word, bits, on);
	} else {
		enables_write(aplic, word, bits, on);
	}
}

static uint32_t bits_read(const struct aplic *aplic, uint32_t off)
{
	uint32_t word = (off & 0xffu) / 4;

	if (word >= WORDS) {
		return 0;
	}
	switch (off & ~0xffu) {
	case APLIC_SETIP: return aplic->pending[word];
	case APLIC_IN_CLRIP: return inputs(aplic, word);
	case APLIC_SETIE: return aplic->enables[word];
	default: return 0;
	}
}

/* ---- interrupt delivery control ---- */

static uint32_t claim(struct aplic *aplic, struct aplic_hart *hart)
{
	uint32_t topi = top(aplic, hart), source = topi >> APLIC_TOPI_SOURCE_SHIFT;

	if (topi == 0) {
		hart->forced = false;
		harts_update(aplic);
	} else {
		pending_write(aplic, source / WORD_BITS, bit_of(source), false);
	}
	return topi;
}

/* NULL: there is no such hart. */
static struct aplic_hart *hart_of(struct aplic *aplic, uint32_t off)
{
	uint32_t index = (off - APLIC_IDC) / APLIC_IDC_STRIDE;

	return index < aplic->harts ? &aplic->hart[index % APLIC_HARTS] : NULL;
}

static uint32_t idc_read(struct aplic *aplic, uint32_t off)
{
	struct aplic_hart *hart = hart_of(aplic, off);

	if (!hart) {
		return 0;
	}
	switch (off % APLIC_IDC_STRIDE) {
	case APLIC_IDELIVERY: return hart->delivers;
	case APLIC_IFORCE: return hart->forced;
	case APLIC_ITHRESHOLD: return hart->threshold;
	case APLIC_TOPI: return top(aplic, hart);
	case APLIC_CLAIMI: return claim(aplic, hart);
	default: return 0;
	}
}

static void idc_write(struct aplic *aplic, uint32_t off, uint32_t value)
{
	struct aplic_hart *hart = hart_of(aplic, off);

	if (!hart) {
		return;
	}
	switch (off % APLIC_IDC_STRIDE) {
	case APLIC_IDELIVERY: hart->delivers = value & 1; break;
	case APLIC_IFORCE: hart->forced = value & 1; break;
	case APLIC_ITHRESHOLD: hart->threshold = value & APLIC_PRIORITY_MAX; break;
	default: break;
	}
	harts_update(aplic);
}

/* ---- accesses ---- */

static uint32_t reg_read(struct aplic *aplic, uint32_t off)
{
	if (off >= APLIC_IDC) {
		return idc_read(aplic, off);
	}
	if (off >= APLIC_TARGET) {
		return aplic->target[(off - APLIC_TARGET) / 4];
	}
	if (off == APLIC_DOMAINCFG) {
		return APLIC_DOMAINCFG_FIXED | (aplic->enabled ? APLIC_DOMAINCFG_IE : 0);
	}
	return off < 0x1000 ? aplic->mode[(off - APLIC_SOURCECFG) / 4] : bits_read(aplic, off);
}

static void reg_write(struct aplic *aplic, uint32_t off, uint32_t value)
{
	if (off >= APLIC_IDC) {
		idc_write(aplic, off, value);
	} else if (off >= APLIC_TARGET) {
		target_write(aplic, (off - APLIC_TARGET) / 4, value);
	} else if (off == APLIC_SETIPNUM_LE) {
		bits_write(aplic, APLIC_SETIPNUM, value);
	} else if (off >= APLIC_SETIP && off < APLIC_SETIPNUM_LE) {
		bits_write(aplic, off, value);
	} else if (off == APLIC_DOMAINCFG) {
		aplic->enabled = value & APLIC_DOMAINCFG_IE;
		harts_update(aplic);
	} else if (off < 0x1000) {
		sourcecfg_write(aplic, (off - APLIC_SOURCECFG) / 4, value);
	}
}

/* Only aligned words are registers (AIA 4.5); the rest is RAZ/WI. */
static bool aplic_access(void *dev, struct hv_access *access)
{
	struct aplic *aplic = dev;
	bool valid = access->size == 4 && access->off % 4 == 0 && access->off < APLIC_SIZE;

	port_lock(&aplic->lock);
	if (!access->write) {
		access->data = valid ? reg_read(aplic, (uint32_t)access->off) : 0;
	} else if (valid) {
		reg_write(aplic, (uint32_t)access->off, (uint32_t)access->data);
	}
	port_unlock(&aplic->lock);
	return true;
}

/* ---- life ---- */

static void aplic_reset(void *dev)
{
	struct aplic *aplic = dev;

	port_lock(&aplic->lock);
	aplic->enabled = false;
	for (uint32_t i = 0; i < aplic->harts; i++) {
		struct aplic_hart *hart = &aplic->hart[i];

		hart->delivers = hart->forced = false;
		hart->threshold = 0;
		atomic_store_explicit(&aplic->raised[i], false, memory_order_relaxed);
		if (hart->notify) {
			hart->notify(hart->ctx, false);
		}
	}
	for (uint32_t source = 1; source <= aplic->sources; source++) {
		mode_set(aplic, source, APLIC_INACTIVE);
	}
	port_unlock(&aplic->lock);
}

size_t aplic_arena_size(const struct aplic_cfg *cfg)
{
	(void)cfg;
	return sizeof(struct aplic) + _Alignof(struct aplic);
}

enum hv_status aplic_create(struct aplic **out, const struct aplic_cfg *cfg, struct hv_arena *arena)
{
	struct aplic *aplic;

	*out = NULL;
	if (cfg->sources == 0 || cfg->sources > APLIC_SOURCES_MAX || cfg->harts == 0 ||
		cfg->harts > APLIC_HARTS) {
		return HV_ERR_INVALID;
	}
	aplic = hv_arena_take(arena, sizeof(*aplic), _Alignof(struct aplic));
	if (!aplic) {
		return HV_ERR_NO_MEMORY;
	}
	aplic->lock = HV_LOCK_INIT(HV_LOCK_IRQC);
	aplic->sources = cfg->sources;
	aplic->harts = cfg->harts;
	*out = aplic;
	return HV_OK;
}

enum hv_status aplic_add_hart(struct aplic *aplic, uint16_t index, const struct aplic_hart_cfg *cfg)
{
	if (index >= aplic->harts || !cfg->notify) {
		return HV_ERR_INVALID;
	}
	aplic->hart[index].notify = cfg->notify;
	aplic->hart[index].ctx = cfg->ctx;
	return HV_OK;
}

const struct hv_dev_ops aplic_ops = {
	.name = "aplic",
	.access = aplic_access,
	.reset = aplic_reset,
};

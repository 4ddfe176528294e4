/* SPDX-License-Identifier: MIT */
/*
 * One bit per source, in words of 32, so that a look at everything is a look at a few words. A
 * source's gateway is three bits: its line, pending (the request), claimed (no other request).
 */
#include <dev/plic/plic.h>
#include <hv/bits.h>
#include <stdatomic.h>

#define WORD_BITS 32u
#define WORDS     ((PLIC_SOURCES_MAX + 1) / WORD_BITS)

struct plic_hart {
	_Atomic uint32_t enabled[WORDS];
	_Atomic uint8_t threshold;
	void (*notify)(void *ctx, bool level);
	void *ctx;
};

/* Written under the lock; what is atomic is also read without it. */
struct plic {
	_Atomic bool raised[PLIC_HARTS]; /* each hart's output */
	struct hv_lock lock;             /* HV_LOCK_IRQC */
	uint16_t sources;
	uint8_t harts;
	uint32_t pending_words; /* bit n: pending[n] is not 0 */
	_Atomic uint8_t priority[PLIC_SOURCES_MAX + 1];
	_Atomic uint32_t pending[WORDS];
	uint32_t line[WORDS], claimed[WORDS];
	uint32_t above[PLIC_PRIORITY_MAX + 1][WORDS]; /* [t]: sources with a priority above t */
	struct plic_hart hart[PLIC_HARTS];
};

#define GET(object)        atomic_load_explicit(&(object), memory_order_relaxed)
#define SET(object, value) atomic_store_explicit(&(object), (value), memory_order_relaxed)

static uint32_t bit_of(uint32_t source)
{
	return 1u << source % WORD_BITS;
}

static uint32_t with_bits(uint32_t word, uint32_t bits, bool on)
{
	return on ? word | bits : word & ~bits;
}

static bool exists(const struct plic *plic, uint32_t source)
{
	return source != 0 && source <= plic->sources;
}

/* ---- who is interrupted ---- */

/* What a hart can claim, of one word (PLIC 6: equal to the threshold is masked). */
static uint32_t candidates(const struct plic *plic, const struct plic_hart *hart, uint32_t word)
{
	return GET(plic->pending[word]) & GET(hart->enabled[word]) &
	       plic->above[GET(hart->threshold)][word];
}

static bool has_candidates(const struct plic *plic, const struct plic_hart *hart)
{
	for (uint32_t words = plic->pending_words; words; words &= words - 1) {
		if (candidates(plic, hart, hv_lowest_bit(words))) {
			return true;
		}
	}
	return false;
}

/* The candidate of the highest priority, of several the lowest number (PLIC 3); 0: none. */
static uint32_t best_candidate(const struct plic *plic, const struct plic_hart *hart)
{
	uint32_t best = 0; /* source 0 has priority 0, which no candidate has */

	for (uint32_t words = plic->pending_words; words; words &= words - 1) {
		uint32_t word = hv_lowest_bit(words);

		for (uint32_t left = candidates(plic, hart, word); left; left &= left - 1) {
			uint32_t source = word * WORD_BITS + hv_lowest_bit(left);

			best = GET(plic->priority[source]) > GET(plic->priority[best]) ? source
										       : best;
		}
	}
	return best;
}

static void hart_update(struct plic *plic, uint32_t index)
{
	struct plic_hart *hart = &plic->hart[index];
	bool level = has_candidates(plic, hart);

	if (level == GET(plic->raised[index])) {
		return;
	}
	SET(plic->raised[index], level);
	if (hart->notify) {
		hart->notify(hart->ctx, level);
	}
}

/* Sources of a word changed: that concerns only the harts that have one of them enabled. */
static void harts_update(struct plic *plic, uint32_t word, uint32_t sources)
{
	for (uint32_t i = 0; i < plic->harts; i++) {
		if (GET(plic->hart[i].enabled[word]) & sources) {
			hart_update(plic, i);
		}
	}
}

static void pending_set(struct plic *plic, uint32_t word, uint32_t pending)
{
	uint32_t changed = GET(plic->pending[word]) ^ pending;

	SET(plic->pending[word], pending);
	plic->pending_words = with_bits(plic->pending_words, 1u << word, pending != 0);
	harts_update(plic, word, changed);
}

/* ---- gateways (PLIC 5): one request at a time, until it is completed ---- */

static void line_set(struct plic *plic, uint32_t source, bool level)
{
	uint32_t word = source / WORD_BITS, was = plic->line[word];

	plic->line[word] = with_bits(was, bit_of(source), level);
	if (plic->line[word] & ~was & ~plic->claimed[word]) {
		pending_set(plic, word, GET(plic->pending[word]) | bit_of(source));
	}
}

static void claimed_set(struct plic *plic, uint32_t source, bool claimed)
{
	uint32_t word = source / WORD_BITS, bit = bit_of(source);
	uint32_t again = claimed ? 0 : plic->line[word] & bit;

	plic->claimed[word] = with_bits(plic->claimed[word], bit, claimed);
	pending_set(plic, word, (GET(plic->pending[word]) & ~bit) | again);
}

void plic_source_set(void *ctl, uint32_t source, bool level)
{
	struct plic *plic = ctl;

	if (!exists(plic, source)) {
		return;
	}
	port_lock(&plic->lock);
	line_set(plic, source, level);
	port_unlock(&plic->lock);
}

bool plic_is_raised(const struct plic *plic, uint16_t index)
{
	return GET(plic->raised[index]);
}

/* ---- registers ---- */

static void priority_write(struct plic *plic, uint32_t source, uint32_t value)
{
	uint8_t priority = value & PLIC_PRIORITY_MAX;
	uint32_t word = source / WORD_BITS;

	if (!exists(plic, source)) {
		return;
	}
	SET(plic->priority[source], priority);
	for (uint32_t t = 0; t < PLIC_PRIORITY_MAX; t++) {
		uint32_t *above = &plic->above[t][word];

		*above = with_bits(*above, bit_of(source), priority > t);
	}
	harts_update(plic, word, bit_of(source));
}

/* The bits of a word that stand for sources. */
static uint32_t word_mask(const struct plic *plic, uint32_t word)
{
	uint32_t first = word * WORD_BITS, mask;

	if (plic->sources < first) {
		return 0;
	}
	mask = plic->sources - first >= WORD_BITS - 1 ? ~0u : (2u << (plic->sources - first)) - 1;
	return word == 0 ? mask & ~1u : mask;
}

static uint32_t claim(struct plic *plic, const struct plic_hart *hart)
{
	uint32_t source;

	port_lock(&plic->lock);
	source = best_candidate(plic, hart);
	if (source != 0) {
		claimed_set(plic, source, true);
	}
	port_unlock(&plic->lock);
	return source;
}

/* Of whoever claimed it, as long as the source is enabled here (PLIC 8); else it is ignored. */
static void complete(struct plic *plic, const struct plic_hart *hart, uint32_t source)
{
	uint32_t word = source / WORD_BITS;

	if (!exists(plic, source)) {
		return;
	}
	if (plic->claimed[word] & GET(hart->enabled[word]) & bit_of(source)) {
		claimed_set(plic, source, false);
	}
}

/* The hart whose S-mode this context is; NULL: nothing is there. */
static HV_HOT struct plic_hart *hart_of(struct plic *plic, uint64_t context)
{
	bool there = context % 2 == 1 && context / 2 < plic->harts;

	return there ? &plic->hart[context / 2 % PLIC_HARTS] : NULL;
}

static uint32_t enable_read(struct plic *plic, uint64_t off)
{
	const struct plic_hart *hart = hart_of(plic, off / PLIC_ENABLE_STRIDE);

	return hart ? GET(hart->enabled[off / 4 % WORDS]) : 0;
}

static void enable_write(struct plic *plic, uint64_t off, uint32_t value)
{
	struct plic_hart *hart = hart_of(plic, off / PLIC_ENABLE_STRIDE);
	uint32_t word = off / 4 % WORDS;

	if (hart) {
		SET(hart->enabled[word], value & word_mask(plic, word));
		hart_update(plic, (uint32_t)(hart - plic->hart));
	}
}

/* All but claim, which changes something. */
static HV_HOT uint32_t context_read(struct plic *plic, uint64_t off)
{
	const struct plic_hart *hart = hart_of(plic, off / PLIC_CONTEXT_STRIDE);

	return hart && off % PLIC_CONTEXT_STRIDE == PLIC_THRESHOLD ? GET(hart->threshold) : 0;
}

static void context_write(struct plic *plic, uint64_t off, uint32_t value)
{
	struct plic_hart *hart = hart_of(plic, off / PLIC_CONTEXT_STRIDE);

	if (!hart) {
		return;
	}
	switch (off % PLIC_CONTEXT_STRIDE) {
	case PLIC_THRESHOLD:
		SET(hart->threshold, value & PLIC_PRIORITY_MAX);
		hart_update(plic, (uint32_t)(hart - plic->hart));
		break;
	case PLIC_CLAIM: complete(plic, hart, value); break;
	default: break;
	}
}

static HV_HOT uint32_t reg_read(struct plic *plic, uint64_t off)
{
	if (off < PLIC_PENDING) {
		return GET(plic->priority[off / 4]);
	}
	if (off >= PLIC_CONTEXT) {
		return context_read(plic, off - PLIC_CONTEXT);
	}
	if (off >= PLIC_ENABLE) {
		return enable_read(plic, off - PLIC_ENABLE);
	}
	off -= PLIC_PENDING;
	return off / 4 < WORDS ? GET(plic->pending[off / 4 % WORDS]) : 0;
}

static void reg_write(struct plic *plic, uint64_t off, uint32_t value)
{
	port_lock(&plic->lock);
	if (off < PLIC_PENDING) {
		priority_write(plic, (uint32_t)off / 4, value);
	} else if (off >= PLIC_CONTEXT) {
		context_write(plic, off - PLIC_CONTEXT, value);
	} else if (off >= PLIC_ENABLE) {
		enable_write(plic, off - PLIC_ENABLE, value);
	}
	port_unlock(&plic->lock);
}

static HV_HOT bool is_word(const struct hv_access *access)
{
	return access->size == 4 && access->off % 4 == 0;
}

static HV_HOT bool is_claim(uint64_t off)
{
	return off >= PLIC_CONTEXT && off % PLIC_CONTEXT_STRIDE == PLIC_CLAIM;
}

static uint32_t claim_read(struct plic *plic, uint64_t off)
{
	const struct plic_hart *hart = hart_of(plic, (off - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE);

	return hart ? claim(plic, hart) : 0;
}

/* Only aligned words are registers (PLIC 3); the rest is RAZ/WI. */
static __attribute__((noinline)) bool any_access(struct plic *plic, struct hv_access *access)
{
	if (!access->write) {
		access->data = is_word(access) ? claim_read(plic, access->off) : 0;
	} else if (is_word(access)) {
		reg_write(plic, access->off, (uint32_t)access->data);
	}
	return true;
}

/* What only looks comes first; the call is the last thing done, so there is no frame. */
static bool plic_access(void *dev, struct hv_access *access)
{
	if (access->write || !is_word(access) || is_claim(access->off)) {
		return any_access(dev, access);
	}
	access->data = reg_read(dev, access->off);
	return true;
}

/* ---- life ---- */

static void hart_reset(struct plic *plic, uint32_t index)
{
	struct plic_hart *hart = &plic->hart[index];

	for (uint32_t i = 0; i < WORDS; i++) {
		SET(hart->enabled[i], 0);
	}
	SET(hart->threshold, 0);
	SET(plic->raised[index], false);
	if (hart->notify) {
		hart->notify(hart->ctx, false);
	}
}

static void plic_reset(void *dev)
{
	struct plic *plic = dev;

	port_lock(&plic->lock);
	for (uint32_t i = 0; i < plic->harts; i++) {
		hart_reset(plic, i);
	}
	for (uint32_t i = 0; i <= PLIC_SOURCES_MAX; i++) {
		SET(plic->priority[i], 0);
	}
	__builtin_memset(plic->above, 0, sizeof(plic->above));
	for (uint32_t i = 0; i < WORDS; i++) {
		plic->claimed[i] = 0;
		pending_set(plic, i, plic->line[i]);
	}
	port_unlock(&plic->lock);
}

size_t plic_arena_size(const struct plic_cfg *cfg)
{
	(void)cfg;
	return sizeof(struct plic) + _Alignof(struct plic);
}

enum hv_status plic_create(struct plic **out, const struct plic_cfg *cfg, struct hv_arena *arena)
{
	struct plic *plic;

	*out = NULL;
	if (cfg->sources == 0 || cfg->sources > PLIC_SOURCES_MAX || cfg->harts == 0 ||
		cfg->harts > PLIC_HARTS) {
		return HV_ERR_INVALID;
	}
	plic = hv_arena_take(arena, sizeof(*plic), _Alignof(struct plic));
	if (!plic) {
		return HV_ERR_NO_MEMORY;
	}
	plic->lock = HV_LOCK_INIT(HV_LOCK_IRQC);
	plic->sources = cfg->sources;
	plic->harts = cfg->harts;
	*out = plic;
	return HV_OK;
}

enum hv_status plic_add_hart(struct plic *plic, uint16_t index, const struct plic_hart_cfg *cfg)
{
	if (index >= plic->harts || !cfg->notify) {
		return HV_ERR_INVALID;
	}
	plic->hart[index].notify = cfg->notify;
	plic->hart[index].ctx = cfg->ctx;
	return HV_OK;
}

const struct hv_dev_ops plic_ops = {
	.name = "plic",
	.access = plic_access,
	.reset = plic_reset,
};

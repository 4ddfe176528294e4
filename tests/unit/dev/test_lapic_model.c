/* SPDX-License-Identifier: MIT */
/*
 * Random programs of several CPUs against second local APICs, written from the manual on their own:
 * one record per vector, and everything is looked for from the top each time.
 */
#include "lapic_kit.h"

#define PROGRAMS 800u
#define STEPS    100u

struct vector {
	bool requested, in_service, level;
};

struct model {
	struct vector vector[256];
	unsigned tpr, svr, ldr, dfr, errors, esr, error_entry;
	uint32_t dest;
};

static struct model model[KIT_CPUS];
static unsigned ended; /* level-triggered */
static uint64_t seed;

static unsigned below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1dull) >> 33) % limit;
}

/* ---- the model ---- */

static unsigned top_in_service(const struct model *m)
{
	unsigned top = 0;

	for (unsigned v = 0; v < 256; v++) {
		top = m->vector[v].in_service ? v : top;
	}
	return top;
}

static unsigned model_ppr(const struct model *m)
{
	unsigned isrv = top_in_service(m) & 0xf0;

	return (m->tpr & 0xf0) >= isrv ? m->tpr : isrv;
}

static int model_pending(const struct model *m)
{
	int best = LAPIC_NOTHING;

	for (int v = 0; v < 256; v++) {
		if (m->vector[v].requested && (unsigned)v / 16 > model_ppr(m) / 16) {
			best = v;
		}
	}
	/* Only the highest request counts: those below it are masked by it as well. */
	return best;
}

static void model_error(struct model *m, unsigned error)
{
	m->errors |= error;
	if (m->error_entry & LAPIC_MASKED) {
		return;
	}
	if ((m->error_entry & 0xff) < 16) {
		m->errors |= LAPIC_ERROR_RECEIVE_VECTOR;
	} else if (m->svr & LAPIC_SVR_ENABLE) {
		m->vector[m->error_entry & 0xff].requested = true;
		m->vector[m->error_entry & 0xff].level = false;
	}
}

static void model_raise(struct model *m, unsigned v, bool level)
{
	if (v < 16) {
		model_error(m, LAPIC_ERROR_RECEIVE_VECTOR);
	} else if (m->svr & LAPIC_SVR_ENABLE) {
		m->vector[v].requested = true;
		m->vector[v].level = level;
	}
}

static void model_eoi(struct model *m)
{
	unsigned v = top_in_service(m);

	if (v != 0) {
		m->vector[v].in_service = false;
		ended += m->vector[v].level;
	}
}

static bool model_matches(unsigned n, unsigned dest, bool logical)
{
	unsigned id = model[n].ldr >> 24;

	if (dest == 0xff) {
		return true;
	}
	if (!logical) {
		return dest == n;
	}
	if (model[n].dfr >> 28 == 0xf) {
		return dest & id;
	}
	return model[n].dfr >> 28 == 0 && (dest & 0xf0) == (id & 0xf0) && (dest & id & 0xf);
}

static unsigned model_targets(unsigned sender, uint32_t low)
{
	unsigned shorthand = low >> 18 & 3, targets = 0;

	for (unsigned n = 0; n < KIT_CPUS; n++) {
		bool is = shorthand == 0 ? model_matches(n, model[sender].dest, low & LAPIC_LOGICAL)
			  : shorthand == 1 ? n == sender
			  : shorthand == 2 ? true
					   : n != sender;

		targets |= (unsigned)is << n;
	}
	return targets;
}

static unsigned model_lowest(unsigned targets)
{
	unsigned best = KIT_CPUS;

	for (unsigned n = 0; n < KIT_CPUS; n++) {
		bool can = hv_bit(targets, n) && (model[n].svr & LAPIC_SVR_ENABLE);

		if (can && (best == KIT_CPUS ||
				   model_ppr(&model[n]) / 16 < model_ppr(&model[best]) / 16)) {
			best = n;
		}
	}
	return best == KIT_CPUS ? 0 : 1u << best;
}

static void model_icr(unsigned sender, uint32_t low)
{
	unsigned mode = low >> 8 & 7, v = low & 0xff, targets = model_targets(sender, low);

	if (v < 16) {
		model_error(&model[sender], LAPIC_ERROR_SEND_VECTOR);
		return;
	}
	if (targets == 0 && (low >> 18 & 3) == 0) {
		model_error(&model[sender], LAPIC_ERROR_SEND_ACCEPT);
	}
	if (mode == LAPIC_LOWEST) {
		targets = model_lowest(targets);
	}
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		if (hv_bit(targets, n)) {
			model_raise(&model[n], v, false);
		}
	}
}

static uint32_t model_bits(const struct model *m, uint32_t off)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 32; i++) {
		const struct vector *v = &m->vector[(off & 0x70) * 2 + i];
		bool bit = off < LAPIC_TMR   ? v->in_service
			   : off < LAPIC_IRR ? v->level
					     : v->requested;

		bits |= (uint32_t)bit << i;
	}
	return bits;
}

static uint32_t model_read(const struct model *m, uint32_t off)
{
	switch (off) {
	case LAPIC_TPR: return m->tpr;
	case LAPIC_PPR: return model_ppr(m);
	case LAPIC_SVR: return m->svr;
	case LAPIC_LDR: return m->ldr;
	case LAPIC_DFR: return m->dfr;
	case LAPIC_ESR: return m->esr;
	case LAPIC_LVT_ERROR: return m->error_entry;
	default: return model_bits(m, off);
	}
}

static void model_write(unsigned n, uint32_t off, uint32_t value)
{
	struct model *m = &model[n];

	switch (off) {
	case LAPIC_TPR: m->tpr = value & 0xff; break;
	case LAPIC_EOI: model_eoi(m); break;
	case LAPIC_SVR:
		m->svr = value & 0x3ff;
		m->error_entry |= m->svr & LAPIC_SVR_ENABLE ? 0 : LAPIC_MASKED;
		break;
	case LAPIC_LDR: m->ldr = value & 0xff000000; break;
	case LAPIC_DFR: m->dfr = value | 0x0fffffff; break;
	case LAPIC_ESR:
		m->esr = m->errors;
		m->errors = 0;
		break;
	case LAPIC_LVT_ERROR:
		m->error_entry = value & 0x100ff;
		m->error_entry |= m->svr & LAPIC_SVR_ENABLE ? 0 : LAPIC_MASKED;
		break;
	case LAPIC_ICR_HIGH: m->dest = value >> 24; break;
	default: model_icr(n, value); break;
	}
}

/* ---- random programs ---- */

static void step_write(unsigned n)
{
	static const uint32_t registers[] = {LAPIC_TPR, LAPIC_EOI, LAPIC_EOI, LAPIC_EOI, LAPIC_SVR,
		LAPIC_LDR, LAPIC_DFR, LAPIC_ESR, LAPIC_LVT_ERROR, LAPIC_ICR, LAPIC_ICR, LAPIC_ICR,
		LAPIC_ICR, LAPIC_ICR_HIGH, LAPIC_ICR_HIGH};
	uint32_t off = registers[below(HV_ARRAY_COUNT(registers))];
	uint32_t value = below(0x10000) << 16 | below(0x10000);

	switch (off) {
	case LAPIC_SVR: value |= below(4) ? LAPIC_SVR_ENABLE : 0; break;
	case LAPIC_DFR: value = below(2) ? 0xffffffff : below(4) ? 0 : value; break;
	case LAPIC_ICR: value = (value & 0xcf0ff) | (value & LAPIC_LOGICAL) | MODE(below(2)); break;
	case LAPIC_ICR_HIGH: value = below(2) ? below(4) << 24 : value; break;
	case LAPIC_TPR: value &= below(3) ? 0x7f : 0xff; break;
	default: break;
	}
	model_write(n, off, value);
	wr(n, off, value);
}

static void step_read(unsigned n)
{
	static const uint32_t registers[] = {
		LAPIC_TPR, LAPIC_PPR, LAPIC_SVR, LAPIC_LDR, LAPIC_DFR, LAPIC_ESR, LAPIC_LVT_ERROR};
	uint32_t off = below(2) ? registers[below(HV_ARRAY_COUNT(registers))]
				: LAPIC_ISR + 0x10 * below(24);

	assert_int_equal(rd(n, off), model_read(&model[n], off));
}

static void step(void)
{
	unsigned n = below(KIT_CPUS), v = below(8) ? 16 + below(240) : below(256);
	bool level = below(2);
	int pending = model_pending(&model[n]);

	switch (below(8)) {
	case 0:
		model_raise(&model[n], v, level);
		lapic_raise(cpu(n), (uint8_t)v, level);
		break;
	case 1:
	case 2:
	case 3:
		if (pending != LAPIC_NOTHING) {
			assert_int_equal(lapic_accept(cpu(n), pending), pending);
			model[n].vector[pending].requested = false;
			model[n].vector[pending].in_service = true;
		}
		break;
	case 4: step_read(n); break;
	default: step_write(n); break;
	}
}

/* Whoever has something to deliver that it had not before has been told. */
static void check(const int *before)
{
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		int pending = model_pending(&model[n]);

		assert_int_equal(lapic_pending(cpu(n)), pending);
		if (pending > before[n]) {
			assert_true(kit.cpu[n].notified + kit.cpu[n].looked != 0);
		}
	}
	assert_int_equal(kit.eois, ended);
}

static void program_begin(void)
{
	kit_start(KIT_CPUS);
	ended = 0;
	memset(model, 0, sizeof(model));
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		model[n].dfr = 0xffffffff;
		model[n].error_entry = LAPIC_MASKED;
		model_write(n, LAPIC_SVR, 0x1ff);
		wr(n, LAPIC_SVR, 0x1ff);
	}
}

static void a3_a5_lapic__random_programs__equal_the_model(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15ull;
	for (unsigned program = 0; program < PROGRAMS; program++) {
		program_begin();
		for (unsigned i = 0; i < STEPS; i++) {
			int before[KIT_CPUS];

			for (unsigned n = 0; n < KIT_CPUS; n++) {
				before[n] = model_pending(&model[n]);
			}
			memset(kit.cpu, 0, sizeof(kit.cpu));
			step();
			check(before);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(a3_a5_lapic__random_programs__equal_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

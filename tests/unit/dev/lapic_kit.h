/* SPDX-License-Identifier: MIT */
/* The local APICs of a small VM, and a record of all that they tell. */
#ifndef LAPIC_KIT_H
#define LAPIC_KIT_H

#include <unit.h>

#include <dev/lapic/lapic.h>
#include <hv/bits.h>

#define KIT_CPUS    3u
#define KIT_TSC_HZ  2500000000u
#define KIT_SIGNALS 64u
#define MODE(m)     ((uint32_t)(m) << LAPIC_MODE_SHIFT)
#define TO(s)       ((uint32_t)(s) << LAPIC_SHORTHAND_SHIFT)
#define X2          (LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)

struct kit_cpu {
	unsigned notified, looked, rearmed;
	unsigned inits, sipis, nmis;
	uint8_t sipi;
};

struct kit {
	struct lapics lapics;
	struct kit_cpu cpu[LAPIC_CPUS];
	unsigned eois, acks;
	uint8_t eoi, ack; /* the last vector ended; what the 8259 answers */
};

static struct kit kit;

static inline void kit_notify(void *ctx)
{
	((struct kit_cpu *)ctx)->notified++;
}

static inline void kit_look(void *ctx)
{
	((struct kit_cpu *)ctx)->looked++;
}

static inline void kit_rearm(void *ctx)
{
	((struct kit_cpu *)ctx)->rearmed++;
}

static inline void kit_signal(void *ctx, enum lapic_signal signal, uint8_t vector)
{
	struct kit_cpu *cpu = ctx;

	cpu->inits += signal == LAPIC_SIGNAL_INIT;
	cpu->nmis += signal == LAPIC_SIGNAL_NMI;
	if (signal == LAPIC_SIGNAL_SIPI) {
		cpu->sipis++;
		cpu->sipi = vector;
	}
}

static inline void kit_eoi(void *ctx, uint8_t vector)
{
	struct kit *k = ctx;

	k->eois++;
	k->eoi = vector;
}

static inline uint8_t kit_intack(void *ctx)
{
	struct kit *k = ctx;

	k->acks++;
	return k->ack;
}

static const struct lapic_ops kit_ops = {kit_notify, kit_look, kit_rearm, kit_signal};

static inline void kit_start(uint16_t cpus)
{
	struct lapics_cfg cfg = {
		.cpus = cpus,
		.pa_bits = 40,
		.tsc_hz = KIT_TSC_HZ,
		.ops = &kit_ops,
		.eoi = kit_eoi,
		.ioapic = &kit,
		.intack = kit_intack,
		.pic = &kit,
	};

	memset(&kit, 0, sizeof(kit));
	for (uint16_t i = 0; i < LAPIC_CPUS; i++) {
		cfg.ctx[i] = &kit.cpu[i];
	}
	lapics_init(&kit.lapics, &cfg);
}

static inline struct lapic *cpu(unsigned n)
{
	return &kit.lapics.cpu[n];
}

/* ---- registers ---- */

static inline bool kit_access(
	unsigned n, uint64_t off, uint8_t size, bool write, uint64_t data, uint64_t *answer)
{
	struct hv_access access = {
		.off = off, .data = data, .size = size, .write = write, .cpu = (uint16_t)n};
	bool done = lapics_ops.access(&kit.lapics, &access);

	*answer = access.data;
	return done;
}

static inline uint32_t rd(unsigned n, uint64_t off)
{
	uint64_t answer;

	assert_true(kit_access(n, off, 4, false, 0xdeadbeefdeadbeefu, &answer));
	assert_int_equal(answer >> 32, 0);
	return (uint32_t)answer;
}

static inline void wr(unsigned n, uint64_t off, uint32_t value)
{
	uint64_t answer;

	assert_true(kit_access(n, off, 4, true, value, &answer));
}

static inline bool is_there(unsigned n)
{
	uint64_t answer;

	return kit_access(n, LAPIC_ID, 4, false, 0, &answer);
}

static inline uint64_t rdmsr(unsigned n, uint32_t off)
{
	uint64_t value = 0xdeadbeefdeadbeefu;

	assert_true(lapic_msr_read(cpu(n), LAPIC_MSR + off / 16, &value));
	return value;
}

static inline bool wrmsr(unsigned n, uint32_t off, uint64_t value)
{
	return lapic_msr_write(cpu(n), LAPIC_MSR + off / 16, value);
}

static inline void base_mode(unsigned n, uint32_t mode)
{
	uint64_t base = lapic_base_read(cpu(n)) & ~(uint64_t)X2;

	assert_true(lapic_base_write(cpu(n), base | mode));
}

static inline void enable(unsigned n)
{
	wr(n, LAPIC_SVR, LAPIC_SVR_ENABLE | 0xff);
}

static inline void enable_all(void)
{
	for (unsigned i = 0; i < kit.lapics.cfg.cpus; i++) {
		enable(i);
	}
}

static inline void enter_x2apic(unsigned n)
{
	base_mode(n, X2);
}

static inline void forget_tells(void)
{
	memset(kit.cpu, 0, sizeof(kit.cpu));
	kit.eois = 0;
	kit.acks = 0;
}

/* ---- where a vector is ---- */

static inline bool is_in(unsigned n, uint32_t array, uint8_t vector)
{
	return hv_bit(rd(n, array + vector / 32 * 0x10), vector % 32);
}

static inline bool is_requested(unsigned n, uint8_t vector)
{
	return lapic_base_read(cpu(n)) & LAPIC_BASE_X2APIC
		       ? hv_bit(rdmsr(n, LAPIC_IRR + vector / 32 * 0x10), vector % 32)
		       : is_in(n, LAPIC_IRR, vector);
}

static inline int kit_setup(void **state)
{
	kit_start(KIT_CPUS);
	enable_all();
	forget_tells();
	return unit_setup(state);
}

#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, unit_teardown)

#endif

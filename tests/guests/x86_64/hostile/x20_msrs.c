/* SPDX-License-Identifier: MIT */
/*
 * X20: every MSR there is a number for, near the ranges that CPUs use: read, and written with what
 * was read, with zeros and with ones. What there is not is #GP, and what can be read is the same at
 * each look.
 */
#include "guest.h"

#define RANGE 0x2000u

/* Those that the guest itself lives from. */
static bool is_own(uint32_t msr)
{
	return msr == MSR_EFER || msr == MSR_APIC_BASE || (msr >= 0x800 && msr < 0x900);
}

/* What changes by itself. */
static bool is_moving(uint32_t msr)
{
	return msr == 0x10 || msr == 0xe7 || msr == 0xe8 || msr == MSR_TSC_DEADLINE ||
	       msr == MSR_TSC_ADJUST || msr == 0xc0000104;
}

static const uint32_t firsts[] = {0, 0x40000000, 0x4b564d00, 0xc0000000, 0xc0010000,
	0x80000000 - RANGE, 0x80000000, 0u - RANGE};

static uint64_t state = 88172645463325252u;

static uint32_t random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)state;
}

static uint64_t reads(unsigned *readable)
{
	uint64_t hash = 0xcbf29ce484222325u, value;

	*readable = 0;
	for (unsigned r = 0; r < sizeof(firsts) / sizeof(firsts[0]); r++) {
		for (uint32_t n = 0; n < RANGE; n++) {
			value = 0x5555;
			if (rdmsr_try(firsts[r] + n, &value)) {
				++*readable;
				hash ^= is_moving(firsts[r] + n) ? 0 : value;
			}
			hash = (hash ^ n) * 0x100000001b3u;
		}
	}
	return hash;
}

static void write(uint32_t msr, uint64_t with)
{
	uint64_t was;

	if (is_own(msr) || !rdmsr_try(msr, &was)) {
		return;
	}
	(void)wrmsr_try(msr, with);
	(void)wrmsr_try(msr, was);
}

static void writes(const char *name, uint64_t with)
{
	for (unsigned r = 0; r < sizeof(firsts) / sizeof(firsts[0]); r++) {
		for (uint32_t n = 0; n < RANGE; n++) {
			write(firsts[r] + n, with);
		}
	}
	check(name, true);
}

void guest_main(uint64_t start_info)
{
	unsigned first, second;
	uint64_t hash = reads(&first), value;

	(void)start_info;
	check("most there are not", !on_drydock() || (first > 20 && first < 200));
	check_eq("each is the same at each look", reads(&second), hash);
	check_eq("and as many", second, first);
	writes("zeros", 0);
	writes("ones", ~0ull);
	writes("one bit", 1);
	for (unsigned i = 0; i < 50000; i++) {
		uint32_t msr = random();

		if (msr >> 13 && (msr & 0xfffe0000) != 0xc0000000) {
			(void)rdmsr_try(msr, &value);
			(void)wrmsr_try(msr, (uint64_t)random() << 32 | random());
		}
	}
	check("random ones", true);
	check("the guest is well", rdmsr(MSR_EFER) >> 10 & 1);
}

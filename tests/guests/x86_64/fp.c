/* SPDX-License-Identifier: MIT */
/*
 * x87, SSE and AVX keep their state over every kind of exit, and XSETBV's register is the guest's
 * own. On two CPUs each has one of its own.
 */
#include "guest.h"

#define CR0_MP      (1ull << 1)
#define CR0_EM      (1ull << 2)
#define CR0_TS      (1ull << 3)
#define CR4_OSFXSR  (1ull << 9)
#define CR4_OSXSAVE (1ull << 18)
#define ROUNDS      300u

struct state {
	uint8_t ymm[16][32];
	uint64_t st;
	uint32_t mxcsr, fcw;
};

/* fp.S */
void fp_load(const struct state *state), fp_store(struct state *state);
void fp_load_sse(const struct state *state), fp_store_sse(struct state *state);

static struct state filled, found;
static bool avx;
static volatile unsigned fired;

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
	fired++;
}

static void fill(uint8_t seed)
{
	for (unsigned i = 0; i < sizeof(filled.ymm); i++) {
		filled.ymm[i / 32][i % 32] = (uint8_t)(seed + i * 7 + i / 32);
	}
	filled.st = 0x3ff0000000000000ull + seed; /* a double */
	filled.mxcsr = 0x1f80 | (seed & 3u) << 13;
	filled.fcw = 0x37f | (seed & 3u) << 10;
}

static void load(void)
{
	(avx ? fp_load : fp_load_sse)(&filled);
}

static bool is_kept(void)
{
	const uint8_t *a = (const uint8_t *)&filled, *b = (const uint8_t *)&found;

	found = filled;
	for (unsigned i = 0; i < sizeof(found.ymm); i++) {
		found.ymm[i / 32][i % 32] = avx || i % 32 < 16 ? 0 : filled.ymm[i / 32][i % 32];
	}
	(avx ? fp_store : fp_store_sse)(&found);
	for (unsigned i = 0; i < sizeof(filled); i++) {
		if (a[i] != b[i]) {
			return false;
		}
	}
	return true;
}

#define KEEPS(name, what)                                                                          \
	do {                                                                                       \
		bool kept_ = true;                                                                 \
                                                                                                   \
		for (unsigned i_ = 0; i_ < ROUNDS; i_++) {                                         \
			fill((uint8_t)(i_ * 3 + 1));                                               \
			load();                                                                    \
			what;                                                                      \
			kept_ = is_kept() && kept_;                                                \
		}                                                                                  \
		check(name, kept_);                                                                \
	} while (0)

static void halt(void)
{
	lapic_timer(VECTOR_TIMER, 10000);
	fired = 0;
	sleep_until(&fired, 1);
}

static void spin(void)
{
	lapic_timer(VECTOR_TIMER, 10000);
	fired = 0;
	irq_unmask();
	while (!fired) {
	}
	irq_mask();
}

static void everything(void)
{
	KEEPS("over CPUID", cpuid(0, 0));
	KEEPS("over RDMSR", rdmsr(MSR_APIC_BASE));
	KEEPS("over a port", in8(PORT_UART + 5));
	KEEPS("over a device", lapic_read(LAPIC_VERSION));
	KEEPS("over a page that is none", read32(GUEST_HOLE));
	KEEPS("over a string of ports", ({
		uint64_t di = (uint64_t)&found, count = 8;

		__asm__ volatile("rep insb" : "+D"(di), "+c"(count) : "d"(0x80) : "memory");
	}));
	KEEPS("over HLT", halt());
	KEEPS("over an interrupt", spin());
	KEEPS("over what is printed", ({
		if (i_ % 30 == 0) {
			put_char('.');
		}
	}));
	print("\n");
	if (on_drydock()) {
		KEEPS("over VMMCALL", vmmcall(CALL_FEATURES, 0, 0));
	}
}

static uint64_t xgetbv(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static bool xsetbv(uint64_t value)
{
	return !TRY("xsetbv", ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0)
		    : "memory");
}

static void extended(void)
{
	uint32_t small;

	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		return;
	}
	REG_SET(cr4, REG_GET(cr4) | CR4_OSXSAVE);
	check_eq("XCR0 begins with x87", xgetbv(), 1);
	small = cpuid(0xd, 0).ebx;
	check("SSE can be added", xsetbv(3) && xgetbv() == 3);
	check("nothing without x87", !xsetbv(2) && trap.vector == VECTOR_GP);
	check("AVX not without SSE", !xsetbv(5) && trap.vector == VECTOR_GP);
	check("nor what there is not", !xsetbv(1ull << 62 | 7) && trap.vector == VECTOR_GP);
	check_eq("it is as it was", xgetbv(), 3);
	if (cpuid(0xd, 0).eax >> 2 & 1) {
		check("AVX can be added", xsetbv(7) && xgetbv() == 7);
		check("CPUID knows that there is more to save", cpuid(0xd, 0).ebx > small);
		avx = cpuid(1, 0).ecx >> 28 & 1;
	}
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = take;
	REG_SET(cr0, (REG_GET(cr0) | CR0_MP) & ~(CR0_EM | CR0_TS));
	REG_SET(cr4, REG_GET(cr4) | CR4_OSFXSR);
	__asm__ volatile("fninit");
	everything();
	extended();
	if (avx) {
		print("with AVX:\n");
		everything();
	}
}

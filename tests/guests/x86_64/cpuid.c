/* SPDX-License-Identifier: MIT */
/*
 * The virtual CPU: CPUID says the same at each look, its leaves agree with each other and with what
 * the CPU does, and nothing of the host's own is to be seen (X21).
 */
#include "guest.h"

#define BIT(n)      (1u << (n))
#define CR4_OSXSAVE (1ull << 18)
#define EFER_NXE    (1ull << 11)

static bool same(struct cpuid a, struct cpuid b)
{
	return a.eax == b.eax && a.ebx == b.ebx && a.ecx == b.ecx && a.edx == b.edx;
}

static bool is_empty(struct cpuid id)
{
	return !(id.eax | id.ebx | id.ecx | id.edx);
}

static uint64_t hash_of_all(void)
{
	static const uint32_t bases[] = {0, 0x40000000, 0x80000000, 0x80860000, 0xc0000000};
	uint64_t hash = 0xcbf29ce484222325u;

	for (unsigned b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		for (uint32_t n = 0; n < 0x40 * 8; n++) {
			struct cpuid id = cpuid(bases[b] + n / 8, n % 8);

			hash = (hash ^ id.eax) * 0x100000001b3u;
			hash = (hash ^ id.ebx) * 0x100000001b3u;
			hash = (hash ^ id.ecx) * 0x100000001b3u;
			hash = (hash ^ id.edx) * 0x100000001b3u;
		}
	}
	return hash;
}

static void vendor(void)
{
	struct cpuid basic = cpuid(0, 0), extended = cpuid(0x80000000, 0);

	for (unsigned i = 0; i < 12; i++) {
		uint32_t part = i < 4 ? basic.ebx : i < 8 ? basic.edx : basic.ecx;

		put_char((char)(part >> 8 * (i % 4)));
	}
	print("\n");
	check("leaf 7 and 0xd are there", basic.eax >= 0xd && basic.eax < 0x100);
	check("and 0x80000008", extended.eax >= 0x80000008 && extended.eax < 0x80000100);
	check("family and model in both",
		cpuid(1, 0).eax == cpuid(0x80000001, 0).eax || cpuid(0x80000001, 0).eax == 0);
}

static void features(void)
{
	struct cpuid one = cpuid(1, 0), ext = cpuid(0x80000001, 0);
	uint64_t cr4 = REG_GET(cr4), efer = rdmsr(MSR_EFER);

	check("what long mode needs", (one.edx & (BIT(4) | BIT(5) | BIT(6) | BIT(9))) ==
						      (BIT(4) | BIT(5) | BIT(6) | BIT(9)) &&
					      ext.edx & BIT(29));
	check_eq("the local APIC's id", one.ebx >> 24, lapic_read(LAPIC_ID) >> 24);
	check("no OSXSAVE without it", !(one.ecx & BIT(27)));
	if (one.ecx & BIT(26)) {
		REG_SET(cr4, cr4 | CR4_OSXSAVE);
		check("with it", cpuid(1, 0).ecx & BIT(27));
		REG_SET(cr4, cr4);
	}
	if (ext.edx & BIT(20)) {
		wrmsr(MSR_EFER, efer | EFER_NXE);
		check("NX can be enabled", rdmsr(MSR_EFER) & EFER_NXE);
		wrmsr(MSR_EFER, efer);
	}
	check("addresses are wide enough", (cpuid(0x80000008, 0).eax & 0xff) >= 36);
	check("a leaf behind the last is empty, or the last",
		is_empty(cpuid(0x7fffffff, 0)) || !on_drydock());
}

static void extended_state(void)
{
	struct cpuid all = cpuid(0xd, 0);
	uint32_t end = 512 + 64;

	if (!(cpuid(1, 0).ecx & BIT(26))) {
		return;
	}
	check("x87 and SSE have a state", (all.eax & 3) == 3);
	for (unsigned n = 2; n < 32; n++) {
		if (all.eax >> n & 1) {
			struct cpuid part = cpuid(0xd, n);

			end = part.ebx + part.eax > end ? part.ebx + part.eax : end;
		}
	}
	check_eq("all of it fits in what is said", all.ecx, end);
	check("as does what is enabled", all.ebx <= all.ecx && all.ebx >= 512 + 64);
}

static void ours(void)
{
	struct cpuid one = cpuid(1, 0), ext = cpuid(0x80000001, 0), id = cpuid(0x40000000, 0);

	if (!on_drydock()) {
		return;
	}
	check("a hypervisor is there", one.ecx & BIT(31));
	check("which says who it is", id.eax >= 0x40000000 && id.ebx == 0x64797244);
	check("no VMX", !(one.ecx & BIT(5)));
	check("no SVM", !(ext.ecx & BIT(2)) && is_empty(cpuid(0x8000000a, 0)));
	check("x2APIC and TSC deadline", one.ecx & BIT(21) && one.ecx & BIT(24));
	check("no MONITOR, no SMX, no thermal sensor", !(one.ecx & (BIT(3) | BIT(6) | BIT(8))));
	check("no MPX, no SGX, no PCID",
		!(cpuid(7, 0).ebx & (BIT(2) | BIT(14))) && !(one.ecx & BIT(17)));
	check("no performance counters", is_empty(cpuid(0xa, 0)));
	check("topology has this CPU's id", cpuid(0xb, 0).edx == one.ebx >> 24);
	check("all of 0xffffffff is empty", is_empty(cpuid(~0u, ~0u)));
}

void guest_main(uint64_t start_info)
{
	uint64_t hash = hash_of_all();
	bool all = true;

	(void)start_info;
	vendor();
	features();
	extended_state();
	ours();
	for (unsigned i = 0; i < 1000; i++) {
		all = all && same(cpuid(1, i), cpuid(1, 0));
	}
	check("a leaf without subleaves has none", all);
	check_eq("all leaves are the same at the end", hash_of_all(), hash);
}

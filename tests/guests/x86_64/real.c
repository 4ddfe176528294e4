/* SPDX-License-Identifier: MIT */
/*
 * Modes other than 64-bit: compatibility mode, 32-bit and 16-bit protected mode without paging, and
 * real mode with interrupts; in each, something that exits to the hypervisor. Twenty times.
 */
#include "guest.h"

#define ROUNDS   20u
#define PIT_TICK 2000u /* of its clock: 1.7 ms */

struct results {
	uint32_t compatible, protected, protected_16, vendor, msr, big, stored;
	uint16_t port, string, si, screen, code, soft, undefined, ticks;
};

/* real.S */
void real_run(void);
extern const uint32_t real_results, real_bytes_end;

void guest_main(uint64_t start_info)
{
	const volatile struct results *got = (const struct results *)(uintptr_t)real_results;
	uint32_t version = lapic_read(LAPIC_VERSION), vendor = cpuid(0, 0).ebx;
	uint32_t base = (uint32_t)rdmsr(MSR_APIC_BASE);
	bool all = true;

	(void)start_info;
	lapic_write(LAPIC_LVT_LINT0, LVT_EXTINT);
	pic_mask((uint16_t) ~(1u << PIT_IRQ));
	pit_set(0x34, PIT_TICK);
	real_run();
	check_eq("compatibility mode: a device", got->compatible, version);
	check_eq("protected mode", got->protected, version);
	check_eq("in 16 bits", got->protected_16, version);
	check_eq("real mode: CPUID", got->vendor, vendor);
	check_eq("RDMSR", got->msr, base);
	check_eq("a device above 1 MiB", got->big, version);
	check_eq("a store to one", got->stored, 0x30);
	check_eq("a port", got->port, 0x5a);
	check_eq("a string of ports", got->string, 0x33);
	check_eq("moved on", got->si, real_bytes_end);
	check("where a screen would be, whatever is there", got->ticks != 0);
	check_eq("memory by CS", got->code, 0x11);
	check_eq("INT", got->soft, 2);
	check_eq("an exception", got->undefined, 1);
	check("ticks, by HLT and by none", got->ticks >= 6);
	for (unsigned i = 1; i < ROUNDS; i++) {
		real_run();
		all = all && got->compatible == version && got->big == version && got->soft == 2;
	}
	check("again and again", all);
	pic_mask(0xffff);
	lapic_write(LAPIC_LVT_LINT0, LVT_EXTINT | LVT_MASKED);
}

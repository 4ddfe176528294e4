/* SPDX-License-Identifier: MIT */
/* X18: exits without end in tight loops, of each kind: 300 000, as each takes QEMU 50 us. */
#include "guest.h"

#define ANSWERED 90000u
#define EMPTY    60000u
#define PORTS    60000u
#define LEAVES   30000u
#define MSRS     30000u
#define REFUSED  30000u

void guest_main(uint64_t start_info)
{
	uint64_t wrong = 0, base = rdmsr(MSR_APIC_BASE), value = 0;
	uint32_t vendor = cpuid(0, 0).ebx, none = read32(GUEST_HOLE);

	(void)start_info;
	lapic_write(LAPIC_TPR, 0x50);
	for (unsigned i = 0; i < ANSWERED; i++) {
		wrong |= lapic_read(LAPIC_TPR) ^ 0x50;
	}
	lapic_write(LAPIC_TPR, 0);
	check_eq("a register, over and over", wrong, 0);
	for (unsigned i = 0; i < EMPTY; i++) {
		wrong |= read32(GUEST_HOLE + 4 * (i % 256)) ^ none;
	}
	check_eq("nothing, over and over", wrong, 0);
	out8(PORT_UART + 7, 0x5a);
	for (unsigned i = 0; i < PORTS; i++) {
		wrong |= in8(PORT_UART + 7) ^ 0x5a;
	}
	check_eq("a port", wrong, 0);
	for (unsigned i = 0; i < LEAVES; i++) {
		wrong |= cpuid(0, i).ebx ^ vendor;
	}
	check_eq("CPUID", wrong, 0);
	for (unsigned i = 0; i < MSRS; i++) {
		wrong |= rdmsr(MSR_APIC_BASE) ^ base;
	}
	check_eq("an MSR", wrong, 0);
	for (unsigned i = 0; i < REFUSED && on_drydock(); i++) {
		wrong |= rdmsr_try(0x7fffffff, &value);
	}
	check_eq("an MSR that there is not", wrong, 0);
}

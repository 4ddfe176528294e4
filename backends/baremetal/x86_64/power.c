/* SPDX-License-Identifier: MIT */
/* The end of the machine (ACPI Specification 6.4, 4.8.3.2 and 7.4.2: the state S5). */
#include "insn.h"
#include "host.h"

#include <common/machine.h>

#define SLEEP_TYPE_AT 10u
#define SLEEP_ENABLE  (1u << 13)

static void sleep(uint16_t port, uint8_t type)
{
	if (port) {
		out16(port, (uint16_t)(SLEEP_ENABLE | (uint32_t)type << SLEEP_TYPE_AT));
	}
}

_Noreturn void machine_off(void)
{
	const struct host_acpi *acpi = &host_get()->acpi;

	if (acpi->has_s5) {
		sleep(acpi->pm1a, acpi->s5a);
		sleep(acpi->pm1b, acpi->s5b);
	}
	for (;;) {
		__asm__ volatile("cli\n\thlt" : : : "memory");
	}
}

/* SPDX-License-Identifier: MIT */
/* A small driver of the PLIC, as far as tests need one. */
#include "guest.h"

#define PENDING   0x001000u
#define ENABLE    0x002000u
#define THRESHOLD 0x200000u
#define CLAIM     0x200004u

/* On QEMU's virt, M-mode and S-mode of a hart are two contexts in a row. */
static unsigned context(void)
{
	return 2 * guest_hart() + 1;
}

static uint64_t enable_word(unsigned source)
{
	return GUEST_PLIC + ENABLE + context() * 0x80 + source / 32 * 4;
}

void plic_init(void)
{
	for (unsigned source = 0; source < 96; source += 32) {
		write32(enable_word(source), 0);
	}
	plic_threshold(0);
}

void plic_priority(unsigned source, uint32_t priority)
{
	write32(GUEST_PLIC + source * 4, priority);
}

void plic_enable(unsigned source, bool enabled)
{
	uint32_t bit = 1u << source % 32, word = read32(enable_word(source));

	write32(enable_word(source), enabled ? word | bit : word & ~bit);
}

void plic_threshold(uint32_t priority)
{
	write32(GUEST_PLIC + THRESHOLD + context() * 0x1000, priority);
}

unsigned plic_claim(void)
{
	return read32(GUEST_PLIC + CLAIM + context() * 0x1000);
}

void plic_complete(unsigned source)
{
	write32(GUEST_PLIC + CLAIM + context() * 0x1000, source);
}

bool plic_pending(unsigned source)
{
	return read32(GUEST_PLIC + PENDING + source / 32 * 4) >> source % 32 & 1;
}

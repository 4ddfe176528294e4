/* SPDX-License-Identifier: MIT */
#include "plic.h"

#define PLIC_PRIORITY(source)   (4 * (source))
#define PLIC_ENABLE(context)    (0x2000u + 0x80 * (context))
#define PLIC_THRESHOLD(context) (0x200000u + 0x1000 * (context))
#define PLIC_CLAIM(context)     (0x200004u + 0x1000 * (context))

#define ENABLE_WORDS 32u /* 1024 sources */

static struct {
	uintptr_t base;
	uint32_t context;
} plic;

static volatile uint32_t *reg(uint32_t offset)
{
	return (volatile uint32_t *)(plic.base + offset);
}

void plic_init(uintptr_t base, uint32_t context)
{
	plic.base = base;
	plic.context = context;
	for (uint32_t word = 0; word < ENABLE_WORDS; word++) {
		*reg(PLIC_ENABLE(context) + 4 * word) = 0;
	}
	*reg(PLIC_THRESHOLD(context)) = 0;
}

void plic_enable(uint32_t source)
{
	volatile uint32_t *enable = reg(PLIC_ENABLE(plic.context) + source / 32 * 4);

	*reg(PLIC_PRIORITY(source)) = 1;
	*enable |= 1u << source % 32;
}

uint32_t plic_take(void)
{
	return *reg(PLIC_CLAIM(plic.context));
}

void plic_end(uint32_t source)
{
	*reg(PLIC_CLAIM(plic.context)) = source;
}

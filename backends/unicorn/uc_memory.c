/* SPDX-License-Identifier: MIT */
/* The host's memory that a run uses. */
#include "uc_sim.h"

#include <hv/bits.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_SIZE HV_MIB(2) /* so that host and Stage-2 can both use large pages */

static uint64_t round_up(uint64_t size, uint64_t to)
{
	return (size + to - 1) & ~(to - 1);
}

/* `size` zeroed bytes, aligned to BLOCK_SIZE; NULL when the host has no such memory. */
static uint8_t *take(uint64_t size)
{
	uint64_t whole = size + BLOCK_SIZE, head;
	uint8_t *base;

	if (whole < size) {
		return NULL;
	}
	base = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED) {
		return NULL;
	}
	head = round_up((uintptr_t)base, BLOCK_SIZE) - (uintptr_t)base;
	if (head) {
		(void)munmap(base, head);
	}
	(void)munmap(base + head + size, BLOCK_SIZE - head);
	(void)madvise(base + head, size, MADV_HUGEPAGE);
	return base + head;
}

static void give(uint8_t *base, uint64_t size)
{
	if (base) {
		(void)munmap(base, size);
	}
}

/* An emulated CPU that walks the nested tables sees `base` at `hpa`. */
static bool show(struct sim *sim, uint64_t hpa, uint8_t *base, uint64_t size)
{
	uint32_t prot = UC_PROT_READ | UC_PROT_EXEC;

	if (!sim->arch->walks_nested) {
		return base != NULL;
	}
	prot |= sim->arch->hears_stores ? 0 : UC_PROT_WRITE;
	return base && uc_mem_map_ptr(sim->uc, hpa, size, prot, base) == UC_ERR_OK;
}

const char *sim_memory_open(struct sim *sim)
{
	const struct hv_guest *guest = sim->cfg->guest;
	struct sim_memory *memory = &sim->memory;

	memory->ram_size = guest->ram_size;
	memory->ram = take(memory->ram_size);
	if (!show(sim, sim->arch->ram_hpa, memory->ram, memory->ram_size)) {
		return "the host has not enough memory for the guest's";
	}
	if (guest->flash.size == 0) {
		return NULL;
	}
	memory->flash_size = round_up(guest->flash.size, HV_PAGE_SIZE);
	memory->flash = guest->flash.size <= sim->arch->flash_max ? take(memory->flash_size) : NULL;
	if (!show(sim, SIM_FLASH_HPA, memory->flash, memory->flash_size)) {
		return "the flash image is larger than the machine's flash, or than memory";
	}
	memcpy(memory->flash, guest->flash.data, guest->flash.size);
	return NULL;
}

const char *sim_memory_pool(struct sim *sim, uint64_t pool_size, uint64_t arena_size)
{
	struct sim_memory *memory = &sim->memory;

	memory->pool_size = round_up(pool_size, BLOCK_SIZE);
	memory->pool_hpa = sim->arch->ram_hpa + round_up(memory->ram_size, BLOCK_SIZE);
	memory->pool = take(memory->pool_size);
	memory->arena_size = round_up(arena_size, HV_PAGE_SIZE);
	memory->arena = take(memory->arena_size);
	if (!memory->arena || !show(sim, memory->pool_hpa, memory->pool, memory->pool_size)) {
		return "the host has not enough memory for page tables";
	}
	hv_pages_init(&memory->pages, memory->pool, HPA(memory->pool_hpa),
		(uint32_t)(memory->pool_size / HV_PAGE_SIZE));
	return NULL;
}

void sim_memory_close(struct sim *sim)
{
	struct sim_memory *memory = &sim->memory;

	give(memory->arena, memory->arena_size);
	give(memory->pool, memory->pool_size);
	give(memory->flash, memory->flash_size);
	give(memory->ram, memory->ram_size);
}

/* SPDX-License-Identifier: MIT */
/* One run of the sim: what its parts share. */
#ifndef UC_SIM_H
#define UC_SIM_H

#include "sim.h"
#include "uc_a64.h"
#include "uc_arch.h"
#include "uc_clock.h"
#include "uc_rv64.h"
#include "uc_x86.h"

#include <board/pc_x86_64.h>
#include <board/virt_aarch64.h>
#include <board/virt_riscv64.h>

/* The VM's memory as the host gave it, and where the emulated CPU finds it. */
struct sim_memory {
	uint8_t *ram, *flash, *pool, *arena;
	uint64_t ram_size, flash_size, pool_size, arena_size;
	uint64_t pool_hpa;
	struct hv_pages pages;
};

/* What an A64 guest needs besides. */
struct sim_a64 {
	struct sim_cpu cpu;
	struct virt_a64 *virt;
	struct sim_vcpu vcpu[HV_VCPUS];
	struct a64_caps caps;
};

/* What an RV64 guest needs besides. */
struct sim_rv64 {
	struct sim_rv64_cpu cpu;
	struct virt_rv64 *virt;
	struct sim_rv64_vcpu vcpu[HV_VCPUS];
	struct rv64_caps caps;
};

/* What an x86 guest needs besides. */
struct sim_x86 {
	struct sim_x86_cpu cpu;
	struct pc_x86 *pc;
	struct sim_x86_vcpu vcpu[HV_VCPUS];
	struct x86_caps caps;
};

struct sim {
	const struct sim_cfg *cfg;
	struct sim_report *report;
	struct sim_memory memory;
	struct sim_clock clock;
	const struct sim_arch *arch;
	uc_engine *uc;       /* the emulated CPU */
	struct board *board; /* NULL: none yet */
	struct sim_a64 a64;  /* one of these */
	struct sim_rv64 rv64;
	struct sim_x86 x86;
	uint16_t last;         /* the vCPU that ran last: they take turns */
	uint64_t next_service; /* ns of the guest's time */
	uint64_t idle_ns;      /* host time without a vCPU to run */
	bool input_open, over;
};

/* The whole run so far; port_*() works on this. One run at a time in a process. */
extern struct sim *sim_now;

/*
 * Host-physical addresses: flash; RAM is where the architecture says, and page tables lie right
 * behind it: the fewer and closer the regions, the faster they are found.
 */
#define SIM_FLASH_HPA 0x20000000ull

/* Takes the guest's memory from the host and shows it to the CPU. NULL, or what is wrong. */
const char *sim_memory_open(struct sim *sim);
/* Page tables and records of the VM, once the configuration that they depend on is known. */
const char *sim_memory_pool(struct sim *sim, uint64_t pool_size, uint64_t arena_size);
void sim_memory_close(struct sim *sim);

/* Bytes between the guest's console and the caller. */
void sim_console_drain(struct sim *sim);
void sim_console_poll(struct sim *sim);
/* Sleeps until there is input or `ns` have passed; UINT64_MAX: for ever. */
void sim_console_wait(struct sim *sim, uint64_t ns);

/*
 * Of the RV64 hart: what core's tables translate in this range, and nothing else, is Unicorn's
 * memory there. False: Unicorn refused, or has not enough memory.
 */
bool sim_rv64_gstage_changed(struct sim *sim, const struct hv_pt *pt, gpa_t from, uint64_t len);

/* Why the VM crashed, and its registers, as text. */
void sim_dump(struct sim *sim);

#endif

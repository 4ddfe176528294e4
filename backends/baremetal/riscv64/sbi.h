/* SPDX-License-Identifier: MIT */
/* What we ask of the host's firmware: RISC-V SBI 0.2 and later. */
#ifndef SBI_H
#define SBI_H

#include <stdbool.h>
#include <stdint.h>

/* One hart, by firmware's number, and where it enters with a0 = that. False: firmware refuses. */
bool sbi_hart_start(uint64_t hart, uintptr_t entry);
/* An interrupt of kind SSI. */
void sbi_ipi_send(uint64_t hart);
/* At this `time` an interrupt of kind STI comes; UINT64_MAX: none does, and none is pending. */
void sbi_timer_set(uint64_t time);

enum sbi_fence {
	SBI_FENCE_I = 0,
	SBI_FENCE_GVMA_VMID = 3,
	SBI_FENCE_VVMA_ASID = 5,
	SBI_FENCE_VVMA = 6,
};
/* On one hart; of the VMID in our own hgatp, or as `id` says. Complete when it returns. */
void sbi_fence(enum sbi_fence fence, uint64_t hart, uint64_t start, uint64_t size, uint64_t id);

#endif

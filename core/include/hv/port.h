/* SPDX-License-Identifier: MIT */
/*
 * What core asks of the place it stands in. Linked, not called through a table: each binary has
 * exactly one implementation (fakes/ in unit tests, backends/<b>/port_*.c elsewhere). What only one
 * guest architecture asks for is declared in that architecture's door (e.g. port_a64_*).
 */
#ifndef HV_PORT_H
#define HV_PORT_H

#include <hv/types.h>

struct hv_pt;

/*
 * Lock ranks: a lock may be taken only while every lock held has a lower rank. The fake port
 * asserts this at each port_lock, so a wrong order fails a unit test instead of deadlocking a
 * board.
 */
enum hv_lock_rank {
	HV_LOCK_VM = 1, /* a VM's life cycle and power state */
	HV_LOCK_DEV,    /* one emulated device, taken by the bus */
	HV_LOCK_IRQC,   /* an interrupt controller: any device's pin ends here */
	HV_LOCK_VCPU,   /* one vCPU's state: the token of hv_vcpu_hold() */
	HV_LOCK_PT,     /* one VM's nested page tables */
	HV_LOCK_POOL,   /* a page pool */
	HV_LOCK_PORT,   /* a backend's own, e.g. the host console */
};

struct hv_lock {
	uint32_t word; /* the port's; 0 = free */
	uint8_t rank;  /* enum hv_lock_rank */
};

#define HV_LOCK_INIT(r) ((struct hv_lock){.word = 0, .rank = (r)})

void port_lock(struct hv_lock *lock);
void port_unlock(struct hv_lock *lock);

/* Nanoseconds since a fixed point; never steps back. */
uint64_t port_now(void);

/*
 * Make physical CPU `pcpu` leave the guest, or its idle wait, soon. Any rank may be held. A kick of
 * the calling CPU may be dropped: it looks at what there is to do before it enters or waits.
 */
void port_kick(uint16_t pcpu);

/*
 * Remove every translation of [from, from+len) of this table from every CPU's TLB, and do not
 * return before that is complete (Arm: TLBI by VMID, DSB). Called between break and make.
 */
void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len);

/* Make bytes that core wrote visible to a guest that runs with its caches off, and to its fetches.
 */
void port_guest_sync(const void *host, size_t size);

/* One line for the operator, without a newline at its end. Callers limit their rate. */
void port_log(const char *line, size_t size);

_Noreturn void port_panic(const char *why);

#endif

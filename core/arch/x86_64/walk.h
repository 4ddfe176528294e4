/* SPDX-License-Identifier: MIT */
/* The guest's own translation: linear to guest-physical. */
#ifndef X86_WALK_H
#define X86_WALK_H

#include "x86.h"

enum x86_use { X86_READ, X86_WRITE, X86_FETCH };

/* The descriptors that a walk went by: where they are on the host, and what they were. */
#define X86_WALK_LEVELS 5u
struct x86_path {
	uint8_t count;
	struct {
		_Atomic uint64_t *at; /* the aligned 8 bytes that it is in */
		uint64_t was;         /* as in memory */
		uint8_t shift;        /* of its bits in these */
		bool writable;
	} entry[X86_WALK_LEVELS];
};

struct x86_walk {
	bool ok;
	gpa_t gpa;
	uint32_t error; /* not ok: the page fault's code */
};

/*
 * As the guest's tables are now, by the rights of its CPL; `linear` is canonical, or has 32 bits
 * outside long mode. Sets A and D as the CPU does when the access may be done. Protection keys are
 * not looked at.
 */
struct x86_walk x86_walk(const struct x86_vcpu *vcpu, uint64_t linear, enum x86_use use);
/* The same of an instruction that the CPU has fetched: A is set already, and the path is told. */
struct x86_walk x86_walk_code(const struct x86_vcpu *vcpu, uint64_t linear, struct x86_path *path);

#endif

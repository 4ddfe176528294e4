/* SPDX-License-Identifier: MIT */
/* What the tests of an image's parts ask of the CPU that they run on: each backend's answers. */
#ifndef CPU_H
#define CPU_H

#include <hv/pt.h>

/* ---- our own translation ---- */

extern const uint32_t cpu_ret; /* an instruction that only returns */

/* Whether this address can be read, or written. Changes nothing there. */
bool cpu_may(uintptr_t at, bool write);
/* Whether nothing writable can be executed, by more than the descriptors. */
bool cpu_forbids_writable_code(void);
/* The root of the tables in use. */
uintptr_t cpu_root(void);
bool cpu_is_guard(uintptr_t page);
const uint8_t *cpu_stack(size_t *size); /* of this CPU */

/* Faults of our own that C has no words for. */
void cpu_overflow_stack(void);
void cpu_undefined(void);
void cpu_breakpoint(void);

/* ---- a guest's ---- */

struct cpu_guest {
	const struct hv_pt_fmt *fmt;
	uint8_t ia_bits, pa_bits;
};
struct cpu_guest cpu_guest(void);
/*
 * From here on the CPU looks at guest addresses through this table; the guest's own is off, or does
 * not matter. What it needs itself is mapped at 16 GiB.
 */
void cpu_guest_use(struct hv_pt *pt);

enum cpu_answer {
	CPU_FINE,
	CPU_ABSENT,
	CPU_DENIED,
	CPU_REFUSED, /* one of these two */
	CPU_OTHER,
};
struct cpu_look {
	enum cpu_answer answer;
	uint64_t pa; /* UINT64_MAX: this CPU cannot tell */
};
/*
 * How a guest's access to eight aligned bytes at gpa would go. The CPU may have to make the access:
 * each word of memory contains its own physical address, and `pa` is what it should be.
 */
struct cpu_look cpu_guest_look(uint64_t gpa, bool write, uint64_t pa);

/* ---- a guest of a few instructions, one page of them, which run wherever that is ---- */

extern const uint8_t cpu_guest_code[];
enum cpu_code {
	CPU_LOAD,  /* eight bytes at `data` */
	CPU_STORE, /* `value` there */
	CPU_FETCH, /* jumps there, and comes back by cpu_ret */
	CPU_EXIT,  /* nothing but its end */
};
struct cpu_run {
	enum cpu_answer answer; /* CPU_FINE: it went to its end, which calls us */
	uint64_t value;         /* that was loaded */
};
struct cpu_run cpu_guest_run(uint64_t code, enum cpu_code what, uint64_t data, uint64_t value);
/* CPU_EXIT with registers drawn from *random: check() that all come back as they went. */
void cpu_guest_keeps(uint64_t code, uint64_t *random);
static inline uint64_t cpu_draw(uint64_t *random)
{
	*random = *random * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
	return *random;
}
/* Why the guest left last, as the CPU says it. */
uint64_t cpu_guest_exit(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Addresses and sizes. Each address space has its own wrapped type, so that mixing a guest-physical
 * with a host-physical address is a compile error; the wrappers cost nothing at run time.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t v;
} gpa_t; /* guest-physical (Arm: IPA) */
typedef struct {
	uint64_t v;
} hpa_t; /* host-physical (Arm: PA) */
typedef struct {
	uint64_t v;
} gva_t; /* guest-virtual */

#define GPA(x) ((gpa_t){(x)})
#define HPA(x) ((hpa_t){(x)})
#define GVA(x) ((gva_t){(x)})

#define HV_PAGE_SHIFT 12u
#define HV_PAGE_SIZE  ((uint64_t)1 << HV_PAGE_SHIFT)

#define HV_KIB(n) ((uint64_t)(n) << 10)
#define HV_MIB(n) ((uint64_t)(n) << 20)
#define HV_GIB(n) ((uint64_t)(n) << 30)

#define HV_ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HV_CONTAINER_OF(ptr, type, member)                                                         \
	((type *)(void *)((uint8_t *)(ptr)-offsetof(type, member)))
#define HV_WARN_UNUSED __attribute__((warn_unused_result))
/* Off the hot path: not inlined, so that its stack frame is not its caller's. */
#define HV_COLD __attribute__((cold, noinline))
/* On the hot path: a part of each of its callers. (Branches are counted per function, once.) */
#ifdef HV_COVERAGE
#define HV_HOT inline
#else
#define HV_HOT inline __attribute__((always_inline))
#endif

/* A byte string that somebody else owns; it must outlive whoever keeps the record. */
struct hv_blob {
	const void *data;
	uint64_t size;
};

#endif

/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for (APM3). */
#ifndef INSN_H
#define INSN_H

#include "asm.h"

#include <arch/x86_64/x86.h>

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

#define MSR_APIC_BASE   0x1bu
#define MSR_X2APIC      0x800u /* and register / 16 */
#define MSR_GS_BASE     0xc0000101u
#define MSR_TSC_AUX     0xc0000103u
#define MSR_VM_CR       0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u

#define EFER_SVME (1u << 12)

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return low | (uint64_t)high << 32;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline struct x86_cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct x86_cpuid id;

	__asm__ volatile("cpuid"
			 : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
			 : "a"(leaf), "c"(subleaf));
	return id;
}

/* The TSC: the host's clock. */
static inline uint64_t clock_count(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (uint64_t)high << 32;
}

#define CR_READ(name)                                                                              \
	({                                                                                         \
		uint64_t cr_value;                                                                 \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(cr_value));                          \
		cr_value;                                                                          \
	})
#define CR_WRITE(name, value)                                                                      \
	__asm__ volatile("mov %0, %%" #name : : "r"((uint64_t)(value)) : "memory")

/* Another CPU is waited for. */
#define RELAX() __asm__ volatile("pause" : : : "memory")

#endif

/* SPDX-License-Identifier: MIT */
/* The host's local APICs (APM2 chapter 16), each of this CPU, and its I/O APIC. */
#ifndef HOST_APIC_H
#define HOST_APIC_H

#include "host_acpi.h"

/* What is at `acpi` is mapped. The I/O APIC's inputs are masked, and so are the two PICs. */
void host_apic_init(const struct host_acpi *acpi);
/* Enables this CPU's, with its timer off. */
void host_apic_cpu_init(void);
/* This CPU's number, as others' interrupts name it. */
uint32_t host_apic_id(void);
void host_apic_end(void);
/* Ends what other CPUs do not know of: an interrupt with this vector. */
void host_apic_send(uint32_t id, uint8_t vector);
/* Resets a CPU; starts it in real mode at page `page`. */
void host_apic_send_init(uint32_t id);
void host_apic_send_start(uint32_t id, uint8_t page);
/* One interrupt with VECTOR_TIMER after so many of its ticks; 0: none. */
void host_apic_timer_set(uint32_t ticks);
uint32_t host_apic_timer_left(void);
/* ISA interrupt `isa` comes to the CPU `id` with this vector. */
void host_ioapic_enable(uint32_t isa, uint8_t vector, uint32_t id);

#endif

/* SPDX-License-Identifier: MIT */
/* Inside the local APICs' folder. What "here" means stands in lapic.h. */
#ifndef LAPIC_INT_H
#define LAPIC_INT_H

#include <dev/lapic/lapic.h>
#include <hv/bits.h>

#define LAPIC_GET(object)        atomic_load_explicit(&(object), memory_order_relaxed)
#define LAPIC_SET(object, value) atomic_store_explicit(&(object), (value), memory_order_relaxed)

#define LAPIC_VECTOR_MIN 16u /* those below are not for interrupts (SDM3 10.5.2) */

static inline bool lapic_is_enabled(const struct lapic *lapic)
{
	return (LAPIC_GET(lapic->base) & LAPIC_BASE_ENABLE) != 0;
}

static inline bool lapic_is_x2apic(const struct lapic *lapic)
{
	return (LAPIC_GET(lapic->base) & LAPIC_BASE_X2APIC) != 0;
}

/* Whether it takes interrupts: those that are in IRR already it delivers even if not. */
static inline bool lapic_takes_interrupts(const struct lapic *lapic)
{
	return lapic_is_enabled(lapic) && (LAPIC_GET(lapic->svr) & LAPIC_SVR_ENABLE);
}

/* The field of an LVT, of ICR, or of a message's data. */
static inline enum lapic_mode lapic_mode_of(uint64_t bits)
{
	return (enum lapic_mode)(bits >> LAPIC_MODE_SHIFT & 7);
}

/* Processor priority (SDM3 10.8.3.1). */
static inline uint32_t lapic_ppr(const struct lapic *lapic)
{
	uint32_t tpr = LAPIC_GET(lapic->tpr), in_service = LAPIC_GET(lapic->in_service);

	return tpr >> 4 >= in_service >> 4 ? tpr : in_service & 0xf0;
}

/* The logical id as the mode that the APIC is in has it (SDM3 10.12.10.2). */
static inline uint32_t lapic_ldr(const struct lapic *lapic)
{
	return lapic_is_x2apic(lapic)
		       ? (uint32_t)lapic->index >> 4 << 16 | 1u << (lapic->index & 15)
		       : LAPIC_GET(lapic->ldr);
}

/* lapic.c; `here`: by an access of this CPU's own. */
/* Its vCPU looks at lapic_pending(), if that says something, as soon as this access is over. */
void lapic_look(struct lapic *lapic);
/* lapic_raise(); who is here needs no waking. False: it is not taken. */
bool lapic_raise_by(struct lapic *lapic, uint8_t vector, bool level, bool here);
/* Notes errors in ESR, and tells of them by the LVT's interrupt. */
void lapic_error(struct lapic *lapic, uint32_t errors, bool here);

/* lapic_ipi.c */
/* Sends what is in ICR. Here. */
void lapic_icr_send(struct lapic *lapic);
void lapic_self_ipi(struct lapic *lapic, uint8_t vector);

/* lapic_timer.c; all of them here. */
uint32_t lapic_timer_current(const struct lapic *lapic);
void lapic_timer_initial_set(struct lapic *lapic, uint32_t initial);
void lapic_timer_divide_set(struct lapic *lapic, uint32_t divide);
/* The timer's LVT; `lvt` has only bits that exist. */
void lapic_timer_lvt_set(struct lapic *lapic, uint32_t lvt);
void lapic_timer_reset(struct lapic *lapic);

#endif

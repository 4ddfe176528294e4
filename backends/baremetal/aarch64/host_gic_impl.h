/* SPDX-License-Identifier: MIT */
/* What host_gic.h says, once per version of the GIC; and what core asks for (dev/gic/gic.h). */
#ifndef HOST_GIC_IMPL_H
#define HOST_GIC_IMPL_H

#include "host_gic.h"

#define GIC_IRQS_PER_WORD 32u
#define GIC_PRIORITY_ALL  0xa0a0a0a0u /* one for all: we never nest */
#define GIC_PMR_ALL       0xffu

static inline volatile uint32_t *gic_reg(uintptr_t base, uint32_t offset)
{
	return (volatile uint32_t *)(base + offset);
}

static inline volatile uint8_t *gic_byte(uintptr_t base, uint32_t offset)
{
	return (volatile uint8_t *)(base + offset);
}

enum hv_status gic_v2_find(const struct host *host);
bool gic_v2_frame(const struct host *host, unsigned index, struct range *frame);
void gic_v2_init(const struct host *host);
void gic_v2_cpu_init(struct el2_cpu *self);
void gic_v2_send(const struct el2_cpu *to, uint32_t intid);
void gic_v2_enable(uint32_t intid);
uint32_t gic_v2_take(void);
void gic_v2_end(uint32_t intid);
bool gic_v2_level(uint32_t intid);
uint8_t gic_v2_lr_count(void);
void gic_v2_lr_load(struct gicv3_cpu *cpu);
void gic_v2_lr_flush(struct gicv3_cpu *cpu);
void gic_v2_lr_silence(struct gicv3_cpu *cpu);

enum hv_status gic_v3_find(const struct host *host);
bool gic_v3_frame(const struct host *host, unsigned index, struct range *frame);
void gic_v3_init(const struct host *host);
void gic_v3_cpu_init(struct el2_cpu *self);
void gic_v3_send(const struct el2_cpu *to, uint32_t intid);
void gic_v3_enable(uint32_t intid);
uint32_t gic_v3_take(void);
void gic_v3_end(uint32_t intid);
bool gic_v3_level(uint32_t intid);
uint8_t gic_v3_lr_count(void);
void gic_v3_lr_load(struct gicv3_cpu *cpu);
void gic_v3_lr_flush(struct gicv3_cpu *cpu);
void gic_v3_lr_silence(struct gicv3_cpu *cpu);

#endif

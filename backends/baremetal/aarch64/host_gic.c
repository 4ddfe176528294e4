/* SPDX-License-Identifier: MIT */
/* One predicted branch each, and no indirect call: what the host has does not change. */
#include "host_gic_impl.h"

static bool is_v2;

#define BY_VERSION(op, ...) (is_v2 ? gic_v2_##op(__VA_ARGS__) : gic_v3_##op(__VA_ARGS__))

enum hv_status host_gic_find(const struct host *host)
{
	is_v2 = host->gic_version == 2;
	return BY_VERSION(find, host);
}

bool host_gic_frame(const struct host *host, unsigned index, struct range *frame)
{
	return BY_VERSION(frame, host, index, frame);
}

void host_gic_init(const struct host *host)
{
	BY_VERSION(init, host);
}

void host_gic_cpu_init(void)
{
	BY_VERSION(cpu_init, el2_this_cpu());
}

void host_gic_send(const struct el2_cpu *to, uint32_t intid)
{
	DSB(ish);
	BY_VERSION(send, to, intid);
}

void host_gic_enable(uint32_t intid)
{
	BY_VERSION(enable, intid);
}

uint32_t host_gic_take(void)
{
	return BY_VERSION(take, );
}

void host_gic_end(uint32_t intid)
{
	BY_VERSION(end, intid);
}

uint8_t host_gic_lr_count(void)
{
	return BY_VERSION(lr_count, );
}

void host_gic_lr_flush(struct gicv3_cpu *cpu)
{
	BY_VERSION(lr_flush, cpu);
}

void host_gic_lr_silence(struct gicv3_cpu *cpu)
{
	BY_VERSION(lr_silence, cpu);
}

void port_gicv3_lr_load(struct gicv3_cpu *cpu)
{
	BY_VERSION(lr_load, cpu);
}

void port_gicv3_hw_end(uint32_t pintid)
{
	BY_VERSION(end, pintid);
}

bool port_gicv3_hw_level(uint32_t pintid)
{
	return BY_VERSION(level, pintid);
}

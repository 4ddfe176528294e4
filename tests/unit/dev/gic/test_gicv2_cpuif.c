/* SPDX-License-Identifier: MIT */
/*
 * The GICv2 CPU interface in software (IHI 0048B.b, 4.4), and the line it asserts. At the end
 * random programs run against a model that knows no list registers.
 */
#include <unit.h>

#include "vgic_rig.h"

#define SGIR      0xf00u
#define ITARGETSR 0x800u
#define PRIO      0x400u

#define GICC_CTLR   0x00u
#define GICC_PMR    0x04u
#define GICC_BPR    0x08u
#define GICC_IAR    0x0cu
#define GICC_EOIR   0x10u
#define GICC_RPR    0x14u
#define GICC_HPPIR  0x18u
#define GICC_ABPR   0x1cu
#define GICC_AIAR   0x20u
#define GICC_AEOIR  0x24u
#define GICC_AHPPIR 0x28u
#define GICC_APR0   0xd0u
#define GICC_NSAPR0 0xe0u
#define GICC_IIDR   0xfcu
#define GICC_DIR    0x1000u

#define GRP0    1u
#define GRP1    2u
#define ACK_CTL 4u
#define FIQ_EN  8u
#define CBPR    0x10u
#define SPLIT   0x200u /* EOImode */

#define OTHER_GROUP 1022u

static uint32_t gicc(unsigned cpu, uint32_t off)
{
	return (uint32_t)rig_access(&gicv2_cpuif_ops, cpu, off, 4, false, 0);
}

static void gicc_set(unsigned cpu, uint32_t off, uint32_t value)
{
	rig_access(&gicv2_cpuif_ops, cpu, off, 4, true, value);
}

static uint32_t dist(unsigned cpu, uint32_t off)
{
	return (uint32_t)rig_access(&gicv2_dist_ops, cpu, off, 4, false, 0);
}

static void dist_set(unsigned cpu, uint32_t off, uint32_t value)
{
	rig_access(&gicv2_dist_ops, cpu, off, 4, true, value);
}

static void byte_set(unsigned cpu, uint32_t off, uint32_t value)
{
	rig_access(&gicv2_dist_ops, cpu, off, 1, true, value);
}

/* What a backend does before it enters; what its CPU then sees. */
static enum gic_line line(unsigned cpu)
{
	if (rig.notified[cpu]) {
		rig.notified[cpu] = 0;
		vgic_sync(&rig.cpu[cpu]);
	}
	rig.cpu[cpu].lr_dirty = 0;
	rig.cpu[cpu].lr_here = false;
	assert_int_equal(fake_gic.hw[cpu].loads, 0); /* there are none */
	return gicv2_line(&rig.cpu[cpu]);
}

static uint32_t ack(unsigned cpu)
{
	(void)line(cpu);
	return gicc(cpu, GICC_IAR);
}

static void start(unsigned cpus)
{
	rig_start_as(GIC_IFACE_V2_SOFT, cpus, GIC_LRS);
	dist_set(0, CTLR, 3);
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		gicc_set(cpu, GICC_PMR, 0xff);
		gicc_set(cpu, GICC_CTLR, GRP0);
	}
}

/* An edge-triggered SPI for CPU 0, enabled. */
static void open_spi(uint32_t intid, uint8_t prio)
{
	uint32_t cfg = 0xc00 + intid / 16 * 4;

	dist_set(0, cfg, dist(0, cfg) | 2u << intid % 16 * 2);
	byte_set(0, PRIO + intid, prio);
	byte_set(0, ITARGETSR + intid, 1);
	dist_set(0, ENABLE + intid / 32 * 4, 1u << intid % 32);
}

static void pend(uint32_t intid)
{
	dist_set(0, PEND + intid / 32 * 4, 1u << intid % 32);
}

static bool is_active(uint32_t intid)
{
	return dist(0, ACTIVATE + intid / 32 * 4) >> intid % 32 & 1;
}

/* ---- G1: registers ---- */

static void g1_gicc__every_offset_and_size__answers_or_is_raz_wi(void **state)
{
	static const uint32_t reads[] = {GICC_CTLR, GICC_PMR, GICC_BPR, GICC_IAR, GICC_RPR,
		GICC_HPPIR, GICC_ABPR, GICC_AIAR, GICC_AHPPIR, GICC_IIDR};
	unsigned answers = 0;

	(void)state;
	start(2);
	for (uint32_t off = 0; off < GICV2_GICC_SIZE; off++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
			known |= off == reads[i];
		}
		for (unsigned size = 1; size <= 8; size *= 2) {
			uint64_t value = rig_access(&gicv2_cpuif_ops, 1, off, size, false, 0);

			assert_int_equal(value != 0, known && size == 4);
			answers += value != 0;
			if (size != 4 || off % 4 != 0) {
				rig_access(&gicv2_cpuif_ops, 1, off, size, true,
					~0ull >> (64 - 8 * size));
			}
		}
	}
	assert_int_equal(answers, 10);
}

static void gicc__registers__keep_what_exists_of_them(void **state)
{
	(void)state;
	start(1);
	gicc_set(0, GICC_CTLR, ~0u);
	assert_int_equal(gicc(0, GICC_CTLR), 0x21f);
	gicc_set(0, GICC_CTLR, 0);
	assert_int_equal(gicc(0, GICC_CTLR), 0);
	assert_int_equal(gicc(0, GICC_PMR), 0xf8);
	gicc_set(0, GICC_PMR, 0x57);
	assert_int_equal(gicc(0, GICC_PMR), 0x50);
	assert_int_equal(gicc(0, GICC_BPR), 2);
	assert_int_equal(gicc(0, GICC_ABPR), 3);
	gicc_set(0, GICC_BPR, 0xfd);
	gicc_set(0, GICC_ABPR, 0xff);
	assert_int_equal(gicc(0, GICC_BPR), 5);
	assert_int_equal(gicc(0, GICC_ABPR), 7);
	assert_int_equal(gicc(0, GICC_IIDR) & 0xf0fff, 0x2043b & 0xf0fff);
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	gicc_set(0, GICC_APR0, 1u << 20 | 1u << 30);
	assert_int_equal(gicc(0, GICC_APR0), 1u << 20 | 1u << 30);
	assert_int_equal(gicc(0, GICC_RPR), 0xa0);
	gicc_set(0, GICC_NSAPR0, ~0u);
	assert_int_equal(gicc(0, GICC_NSAPR0), 0);
	gicc_set(0, GICC_RPR, 0);
	assert_int_equal(gicc(0, GICC_RPR), 0xa0);
	gicv2_cpuif_ops.reset(rig.gic);
	assert_int_equal(gicc(0, GICC_PMR) | gicc(0, GICC_CTLR) | gicc(0, GICC_APR0), 0);
}

/* ---- acknowledge and end ---- */

static void spi__pending__line_acknowledge_end(void **state)
{
	(void)state;
	start(1);
	open_spi(40, 0xa0);
	assert_int_equal(line(0), GIC_LINE_NONE);
	assert_false(vgic_is_pending(&rig.cpu[0]));
	pend(40);
	assert_int_equal(line(0), GIC_LINE_IRQ);
	assert_true(vgic_is_pending(&rig.cpu[0]));
	assert_int_equal(gicc(0, GICC_HPPIR), 40);
	assert_int_equal(gicc(0, GICC_IAR), 40);
	assert_int_not_equal(rig.cpu[0].lr_dirty, 0);
	assert_int_equal(line(0), GIC_LINE_NONE);
	assert_int_equal(gicc(0, GICC_RPR), 0xa0);
	assert_int_equal(gicc(0, GICC_APR0), 1u << 20);
	assert_true(is_active(40));
	gicc_set(0, GICC_EOIR, 40);
	assert_int_not_equal(rig.cpu[0].lr_dirty, 0);
	assert_false(is_active(40));
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	assert_int_equal(ack(0), GIC_SPURIOUS);
}

static void g6_iar__nothing_or_all_masked__1023_and_no_change(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(ack(0), GIC_SPURIOUS);
	assert_int_equal(gicc(0, GICC_HPPIR), GIC_SPURIOUS);
	open_spi(40, 0xa0);
	pend(40);
	gicc_set(0, GICC_PMR, 0xa0);
	assert_int_equal(line(0), GIC_LINE_NONE);
	assert_false(vgic_is_pending(&rig.cpu[0]));
	assert_int_equal(ack(0), GIC_SPURIOUS);
	gicc_set(0, GICC_PMR, 0xff);
	gicc_set(0, GICC_CTLR, 0);
	assert_int_equal(ack(0), GIC_SPURIOUS);
	gicc_set(0, GICC_CTLR, GRP1);
	assert_int_equal(ack(0), GIC_SPURIOUS);
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	gicc_set(0, GICC_CTLR, GRP0);
	gicc_set(0, GICC_PMR, 0xa8);
	assert_int_equal(ack(0), 40);
}

static void g5_eoir__wrong_in_every_way__nothing_breaks(void **state)
{
	(void)state;
	start(1);
	gicc_set(0, GICC_EOIR, 40); /* nothing is active */
	gicc_set(0, GICC_DIR, 40);
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	open_spi(40, 0xa0);
	pend(40);
	assert_int_equal(ack(0), 40);
	for (uint32_t intid = 1020; intid < 1024; intid++) {
		gicc_set(0, GICC_EOIR, intid);
		assert_int_equal(gicc(0, GICC_RPR), 0xa0);
	}
	gicc_set(0, GICC_DIR, 40); /* EOImode 0 */
	assert_true(is_active(40));
	gicc_set(0, GICC_EOIR, 900); /* this GIC has no such interrupt */
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	assert_true(is_active(40));
	gicc_set(0, GICC_EOIR, 40); /* twice */
	gicc_set(0, GICC_EOIR, 40);
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	dist_set(0, DEACTIVATE + 4, 1u << 8);
	assert_false(is_active(40));
}

static void eoimode_1__dir_ends_it(void **state)
{
	(void)state;
	start(1);
	gicc_set(0, GICC_CTLR, GRP0 | SPLIT);
	open_spi(40, 0xa0);
	pend(40);
	assert_int_equal(ack(0), 40);
	gicc_set(0, GICC_EOIR, 40);
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	assert_true(is_active(40));
	pend(40);
	assert_int_equal(ack(0), GIC_SPURIOUS);
	gicc_set(0, GICC_DIR, 1023);
	gicc_set(0, GICC_DIR, 40);
	assert_int_equal(ack(0), 40);
}

static void preemption__binary_point__decides(void **state)
{
	(void)state;
	start(1);
	open_spi(40, 0xa0);
	open_spi(41, 0x90);
	open_spi(42, 0x40);
	gicc_set(0, GICC_BPR, 4); /* groups of 0x20 */
	pend(40);
	assert_int_equal(ack(0), 40);
	pend(41);
	assert_int_equal(line(0), GIC_LINE_IRQ); /* 0x80 beats 0xa0 */
	assert_int_equal(ack(0), 41);
	assert_int_equal(gicc(0, GICC_RPR), 0x80);
	gicc_set(0, GICC_EOIR, 41);
	gicc_set(0, GICC_BPR, 5); /* 0x80 both */
	pend(41);
	assert_int_equal(line(0), GIC_LINE_NONE);
	pend(42);
	assert_int_equal(ack(0), 42);
	gicc_set(0, GICC_EOIR, 42);
	gicc_set(0, GICC_EOIR, 40);
	assert_int_equal(ack(0), 41);
	gicc_set(0, GICC_EOIR, 41);
	gicc_set(0, GICC_BPR, 7); /* no preemption at all */
	pend(40);
	assert_int_equal(ack(0), 40);
	pend(42);
	assert_int_equal(line(0), GIC_LINE_NONE);
}

static void equal_priorities__the_lowest_number_first(void **state)
{
	(void)state;
	start(1);
	open_spi(43, 0xa0);
	open_spi(41, 0xa0);
	pend(43);
	pend(41);
	assert_int_equal(ack(0), 41);
}

/* ---- groups ---- */

static void groups__which_register_and_which_line(void **state)
{
	(void)state;
	start(1);
	open_spi(40, 0xa0);
	dist_set(0, GROUP + 4, 1u << 8);
	gicc_set(0, GICC_CTLR, GRP0 | GRP1 | FIQ_EN);
	pend(40);
	assert_int_equal(line(0), GIC_LINE_IRQ);
	assert_int_equal(ack(0), OTHER_GROUP);
	assert_int_equal(gicc(0, GICC_HPPIR), OTHER_GROUP);
	assert_int_equal(gicc(0, GICC_AHPPIR), 40);
	assert_int_equal(gicc(0, GICC_AIAR), 40);
	gicc_set(0, GICC_AEOIR, 40);
	assert_false(is_active(40));
	gicc_set(0, GICC_CTLR, GRP0 | GRP1 | ACK_CTL);
	pend(40);
	assert_int_equal(ack(0), 40);
	gicc_set(0, GICC_EOIR, 40);
	open_spi(41, 0xa0);
	pend(41);
	assert_int_equal(line(0), GIC_LINE_IRQ);
	gicc_set(0, GICC_CTLR, GRP0 | GRP1 | FIQ_EN);
	assert_int_equal(line(0), GIC_LINE_FIQ);
	assert_int_equal(gicc(0, GICC_AHPPIR), GIC_SPURIOUS);
	assert_int_equal(gicc(0, GICC_AIAR), GIC_SPURIOUS);
	assert_int_equal(ack(0), 41);
}

static void cbpr__one_binary_point_for_both(void **state)
{
	(void)state;
	start(1);
	open_spi(40, 0xa0);
	open_spi(41, 0x90);
	dist_set(0, GROUP + 4, 3u << 8);
	gicc_set(0, GICC_CTLR, GRP1 | ACK_CTL);
	gicc_set(0, GICC_BPR, 7);
	pend(40);
	assert_int_equal(ack(0), 40);
	pend(41);
	assert_int_equal(line(0), GIC_LINE_IRQ);
	gicc_set(0, GICC_CTLR, GRP1 | ACK_CTL | CBPR);
	assert_int_equal(line(0), GIC_LINE_NONE);
}

/* ---- SGIs, PPIs, and more than there are list registers ---- */

static void sgi__two_sources__iar_names_each(void **state)
{
	(void)state;
	start(2);
	dist_set(1, SGIR, 1u << 16 | 6);
	dist_set(0, SGIR, 2u << 24 | 6);
	assert_int_equal(rig.notified[0], 1);
	assert_int_equal(line(0), GIC_LINE_IRQ);
	assert_int_equal(gicc(0, GICC_HPPIR) & 0x3ff, 6);
	assert_int_equal(ack(0), 6);
	gicc_set(0, GICC_EOIR, 6);
	assert_int_equal(ack(0), 1u << 10 | 6);
	gicc_set(0, GICC_EOIR, 1u << 10 | 6);
	assert_int_equal(ack(0), GIC_SPURIOUS);
}

static void g7_storm__more_than_list_registers__none_lost_most_urgent_first(void **state)
{
	(void)state;
	start(1);
	for (uint32_t i = 0; i < 31; i++) {
		open_spi(32 + i, (uint8_t)(8 * (30 - i)));
		pend(32 + i);
	}
	for (uint32_t i = 0; i < 31; i++) {
		assert_int_equal(ack(0), 62 - i);
		gicc_set(0, GICC_EOIR, 62 - i);
	}
	assert_int_equal(ack(0), GIC_SPURIOUS);
}

static void nested__deeper_than_list_registers__all_end(void **state)
{
	(void)state;
	start(1);
	for (uint32_t i = 0; i < 24; i++) {
		open_spi(32 + i, (uint8_t)(8 * (24 - i)));
		pend(32 + i);
		assert_int_equal(ack(0), 32 + i);
	}
	for (uint32_t i = 24; i-- > 0;) {
		assert_true(is_active(32 + i));
		gicc_set(0, GICC_EOIR, 32 + i);
		assert_false(is_active(32 + i));
	}
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	pend(32);
	assert_int_equal(ack(0), 32);
}

static void g8_level__high_at_its_end__comes_again(void **state)
{
	(void)state;
	start(1);
	byte_set(0, PRIO + 30, 0xa0);
	dist_set(0, ENABLE, 1u << 30);
	vgic_ppi_set(&rig.cpu[0], 30, true);
	assert_int_equal(ack(0), 30);
	assert_int_equal(line(0), GIC_LINE_NONE);
	gicc_set(0, GICC_EOIR, 30);
	assert_int_equal(line(0), GIC_LINE_IRQ);
	vgic_ppi_set_here(&rig.cpu[0], 30, false);
	assert_int_equal(line(0), GIC_LINE_NONE);
	assert_int_equal(ack(0), GIC_SPURIOUS);
}

static void mapped__its_end__ends_the_physical_one(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(vgic_hw_map(&rig.cpu[0], 27, 27), HV_OK);
	dist_set(0, ENABLE, 1u << 27);
	for (unsigned i = 1; i < 4; i++) {
		vgic_ppi_set_here(&rig.cpu[0], 27, true);
		assert_int_equal(line(0), GIC_LINE_IRQ);
		assert_int_equal(ack(0), 27);
		assert_int_equal(fake_gic.ends, i - 1);
		gicc_set(0, GICC_EOIR, 27);
		assert_int_equal(fake_gic.ends, i);
		assert_int_equal(fake_gic.ended, 27);
		assert_int_equal(line(0), GIC_LINE_NONE);
	}
}

static void g12_reset__while_active__nothing_is_left(void **state)
{
	(void)state;
	start(1);
	open_spi(40, 0xa0);
	pend(40);
	assert_int_equal(ack(0), 40);
	vgic_cpu_reset(&rig.cpu[0]);
	assert_int_not_equal(rig.cpu[0].lr_dirty, 0);
	assert_int_equal(gicc(0, GICC_CTLR), 0);
	assert_int_equal(gicc(0, GICC_RPR), 0xff);
	assert_false(is_active(40));
	assert_int_equal(line(0), GIC_LINE_NONE);
}

/* ---- random programs against a model ---- */

#define CPUS  3u
#define FIRST 8u /* interrupts 8..47: SGIs, PPIs, SPIs */
#define LAST  47u
#define STEPS 30000u

struct model_irq {
	bool enabled, pending, active;
	uint8_t prio, targets;
	uint8_t sources; /* of an SGI */
};

static struct {
	struct model_irq priv[CPUS][32], spi[16];
	uint32_t stack[CPUS][32][2]; /* name, priority */
	unsigned depth[CPUS];
	uint32_t pmr[CPUS];
} model;

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static struct model_irq *irq_of(unsigned cpu, uint32_t intid)
{
	return intid < 32 ? &model.priv[cpu][intid] : &model.spi[intid - 32];
}

static uint32_t model_running(unsigned cpu)
{
	return model.depth[cpu] ? model.stack[cpu][model.depth[cpu] - 1][1] : 0x100;
}

/* The interrupt that may be taken now, or 1023. */
static uint32_t model_best(unsigned cpu)
{
	uint32_t best = GIC_SPURIOUS, limit = model.pmr[cpu];

	limit = model_running(cpu) < limit ? model_running(cpu) : limit;
	for (uint32_t intid = FIRST; intid <= LAST; intid++) {
		const struct model_irq *irq = irq_of(cpu, intid);
		bool mine = intid < 32 || irq->targets >> cpu & 1;

		if (irq->enabled && (irq->pending || irq->sources) && !irq->active && mine &&
			irq->prio < limit) {
			limit = irq->prio;
			best = intid;
		}
	}
	return best;
}

/* Twice: who gives one back that is for somebody else now has him look again. */
static void settle(void)
{
	for (unsigned i = 0; i < 2 * CPUS; i++) {
		(void)line(i % CPUS);
	}
}

static void step_ack(unsigned cpu)
{
	uint32_t best = model_best(cpu), name = gicc(cpu, GICC_IAR);
	struct model_irq *irq;

	assert_int_equal(name & 0x3ff, best);
	if (best == GIC_SPURIOUS) {
		return;
	}
	irq = irq_of(cpu, best);
	if (best < 16) {
		assert_true(irq->sources >> (name >> 10) & 1);
		irq->sources &= (uint8_t) ~(1u << (name >> 10));
	}
	irq->pending = false;
	irq->active = true;
	model.stack[cpu][model.depth[cpu]][0] = name;
	model.stack[cpu][model.depth[cpu]++][1] = irq->prio;
}

static void step_end(unsigned cpu)
{
	if (model.depth[cpu]) {
		uint32_t name = model.stack[cpu][--model.depth[cpu]][0];

		irq_of(cpu, name & 0x3ff)->active = false;
		gicc_set(cpu, GICC_EOIR, name);
	}
}

static void step_config(unsigned cpu, uint32_t intid)
{
	struct model_irq *irq = irq_of(cpu, intid);
	uint32_t bit = 1u << intid % 32, word = intid / 32 * 4;

	switch (below(4)) {
	case 0:
		irq->enabled = true;
		dist_set(cpu, ENABLE + word, bit);
		break;
	case 1:
		irq->enabled = intid < 16;
		dist_set(cpu, DISABLE + word, bit);
		break;
	case 2:
		model.pmr[cpu] = below(32) * 8;
		gicc_set(cpu, GICC_PMR, model.pmr[cpu]);
		break;
	default:
		if (!irq->active) { /* else the model would have to remember the old one */
			irq->prio = (uint8_t)(below(31) * 8);
			byte_set(cpu, PRIO + intid, irq->prio);
		}
		break;
	}
}

static void step_event(unsigned cpu, uint32_t intid)
{
	struct model_irq *irq = irq_of(cpu, intid);
	uint32_t bit = 1u << intid % 32, word = intid / 32 * 4, to = below(1u << CPUS);

	if (intid < 16) {
		dist_set(cpu, SGIR, to << 16 | intid);
		for (unsigned i = 0; i < CPUS; i++) {
			model.priv[i][intid].sources |= (uint8_t)((to >> i & 1) << cpu);
		}
	} else if (below(3)) {
		irq->pending = true;
		dist_set(cpu, PEND + word, bit);
	} else if (below(2)) {
		irq->pending = false;
		dist_set(cpu, UNPEND + word, bit);
	} else if (intid >= 32) {
		/* One at most: of several the first to look takes it, which the model knows nothing
		 * of. */
		irq->targets = (uint8_t)(1u << below(CPUS + 1));
		byte_set(cpu, ITARGETSR + intid, irq->targets);
	}
}

static void model_start(void)
{
	memset(&model, 0, sizeof(model));
	start(CPUS);
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		model.pmr[cpu] = 0xf8;
		for (uint32_t n = 0; n < 16; n++) {
			model.priv[cpu][n].enabled = true;
		}
		dist_set(cpu, 0xc04, ~0u); /* PPIs by edge: no lines here */
	}
	dist_set(0, 0xc08, ~0u);
	for (uint32_t n = 0; n < 16; n++) {
		model.spi[n].targets = 1;
	}
}

static void g9_random__every_step__as_a_model_without_list_registers(void **state)
{
	unsigned taken = 0;

	(void)state;
	seed = 0x9e3779b97f4a7c15u;
	model_start();
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned cpu = below(CPUS);
		uint32_t intid = FIRST + below(LAST - FIRST + 1);

		switch (below(6)) {
		case 0: step_config(cpu, intid); break;
		case 1:
		case 2: step_event(cpu, intid); break;
		case 3: step_end(cpu); break;
		default:
			taken += model_best(cpu) != GIC_SPURIOUS;
			step_ack(cpu);
			break;
		}
		settle();
		for (unsigned c = 0; c < CPUS; c++) {
			assert_int_equal(gicv2_line(&rig.cpu[c]) != GIC_LINE_NONE,
				model_best(c) != GIC_SPURIOUS);
			assert_int_equal(
				rig.cpu[c].apr ? gicc(c, GICC_RPR) : 0x100, model_running(c));
		}
	}
	assert_true(taken > STEPS / 20);
}

/* G9: any register, any value, any size, any CPU. What is under test is that nothing breaks. */
static void g9_hostile__random_register_programs__nothing_beyond_is_touched(void **state)
{
	(void)state;
	seed = 88172645463325252u;
	for (unsigned run = 0; run < 20; run++) {
		start(1 + below(GIC_CPUS));
		memset(rig.memory + rig.memory_used, 0xc5, sizeof(rig.memory) - rig.memory_used);
		for (unsigned i = 0; i < 2000; i++) {
			const struct hv_dev_ops *ops =
				below(2) ? &gicv2_dist_ops : &gicv2_cpuif_ops;
			unsigned cpu = below(rig.cpus), size = 1u << below(4);
			uint64_t off = below(0x1010),
				 data = (uint64_t)below(~0u) << 32 | below(~0u);

			rig_access(ops, cpu, off & ~(uint64_t)(size - 1), size, below(2), data);
			vgic_spi_set(rig.gic, below(1024), below(2));
			vgic_ppi_set(&rig.cpu[below(rig.cpus)], below(40), below(2));
			(void)line(cpu);
		}
		for (size_t i = rig.memory_used; i < sizeof(rig.memory); i++) {
			assert_int_equal(rig.memory[i], 0xc5);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(g1_gicc__every_offset_and_size__answers_or_is_raz_wi),
		hv_unit_test(gicc__registers__keep_what_exists_of_them),
		hv_unit_test(spi__pending__line_acknowledge_end),
		hv_unit_test(g6_iar__nothing_or_all_masked__1023_and_no_change),
		hv_unit_test(g5_eoir__wrong_in_every_way__nothing_breaks),
		hv_unit_test(eoimode_1__dir_ends_it),
		hv_unit_test(preemption__binary_point__decides),
		hv_unit_test(equal_priorities__the_lowest_number_first),
		hv_unit_test(groups__which_register_and_which_line),
		hv_unit_test(cbpr__one_binary_point_for_both),
		hv_unit_test(sgi__two_sources__iar_names_each),
		hv_unit_test(g7_storm__more_than_list_registers__none_lost_most_urgent_first),
		hv_unit_test(nested__deeper_than_list_registers__all_end),
		hv_unit_test(g8_level__high_at_its_end__comes_again),
		hv_unit_test(mapped__its_end__ends_the_physical_one),
		hv_unit_test(g12_reset__while_active__nothing_is_left),
		hv_unit_test(g9_random__every_step__as_a_model_without_list_registers),
		hv_unit_test(g9_hostile__random_register_programs__nothing_beyond_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

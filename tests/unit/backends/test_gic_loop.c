/* SPDX-License-Identifier: MIT */
/*
 * The whole loop: core's GIC, its list registers, and the model of the virtual CPU interface as the
 * hardware, against an ideal GIC of a few lines. Random devices and guests; after each step every
 * vCPU that was asked to look has looked, so that the two must agree exactly: nothing lost, nothing
 * invented, the most urgent first.
 */
#include <unit.h>

#include <dev/gic/gic.h>
#include <hv/bits.h>
#include <uc_gicv.h>

#define CPUS_MAX 3u
#define SPIS     64u
#define IRQS     (GIC_SPI_FIRST + SPIS)
#define MAPPED   27u /* the PPI that stands for a physical interrupt */
#define PINTID   30u
#define NOBODY   0xffu
#define IDLE     0x100u

#define ICC(crn, crm, op2) UC_SYSREG(3u, 0u, crn, crm, op2)
#define PMR                ICC(4, 6, 0)
#define IAR(g)             ((g) ? ICC(12, 12, 0) : ICC(12, 8, 0))
#define HPPIR(g)           ((g) ? ICC(12, 12, 2) : ICC(12, 8, 2))
#define EOIR(g)            ((g) ? ICC(12, 12, 1) : ICC(12, 8, 1))
#define IGRPEN(g)          ((g) ? ICC(12, 12, 7) : ICC(12, 12, 6))
#define DIR                ICC(12, 11, 1)
#define CTLR               ICC(12, 12, 4)

/* ---- the ideal GIC ---- */

struct irq {
	bool enabled, group1, edge, line, latch, active;
	uint8_t prio;
	uint8_t target;
	uint8_t owner; /* vCPU it is active on, by acknowledge; NOBODY: not so */
	bool dropped;  /* EOImode 1: priority dropped, deactivation is due */
};

struct taken {
	uint32_t intid, prio;
	bool group1;
};

static struct ideal {
	struct irq priv[CPUS_MAX][GIC_SPI_FIRST], spi[SPIS];
	struct taken stack[CPUS_MAX][32];
	unsigned depth[CPUS_MAX];
	bool group_on[2];
	bool veng[CPUS_MAX][2];
	uint32_t pmr[CPUS_MAX];
	bool phys_line[CPUS_MAX], phys_active[CPUS_MAX];
} ideal;

/* ---- the real thing ---- */

static struct vgic *gic;
static struct gicv3_cpu cpu[CPUS_MAX];
static struct uc_gicv hw[CPUS_MAX];
static bool asked[CPUS_MAX];
static unsigned cpus, eoi_mode, span; /* span: how many SPIs take part */
static uint64_t seed;
static uint64_t acks, spills, maintenances, step_now;
static _Alignas(16) uint8_t memory[16384];

void port_gicv3_lr_load(struct gicv3_cpu *c)
{
	assert_false(c->lr_here);
	uc_gicv_load(&hw[c->index], c);
}

static struct irq *irq_of(unsigned c, uint32_t intid)
{
	return intid < GIC_SPI_FIRST ? &ideal.priv[c][intid] : &ideal.spi[intid - GIC_SPI_FIRST];
}

static void physical_end(unsigned c)
{
	ideal.phys_active[c] = false;
	ideal.priv[c][MAPPED].line = false;
}

static unsigned ending; /* vCPU that is here: core may end its physical interrupt */

void port_gicv3_hw_end(uint32_t pintid)
{
	assert_int_equal(pintid, PINTID);
	assert_true(ideal.phys_active[ending]);
	physical_end(ending);
}

bool port_gicv3_hw_level(uint32_t pintid)
{
	assert_int_equal(pintid, PINTID);
	return ideal.phys_line[ending];
}

static void on_deactivate(void *ctx, uint32_t pintid)
{
	assert_int_equal(pintid, PINTID);
	physical_end((unsigned)((struct uc_gicv *)ctx - hw));
}

static void on_notify(void *ctx)
{
	*(bool *)ctx = true;
}

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* An exit of vCPU c is over. */
static void enter(unsigned c)
{
	uc_gicv_enter(&hw[c], &cpu[c]);
}

/* Everybody who was asked, or has a maintenance interrupt, looks; until nobody has to. */
static void settle(void)
{
	bool again = true;

	for (unsigned round = 0; again; round++) {
		assert_true(round < 16); /* else: a storm */
		again = false;
		for (unsigned c = 0; c < cpus; c++) {
			bool maintenance = uc_gicv_maintenance(&hw[c]);

			ending = c;
			if (asked[c] || maintenance) {
				asked[c] = false;
				vgic_sync(&cpu[c]);
				enter(c);
				maintenances += maintenance;
				again = true;
			}
			if (ideal.phys_line[c] && !ideal.phys_active[c]) {
				ideal.phys_active[c] = true;
				ideal.priv[c][MAPPED].line = true;
				if (random_below(2)) {
					vgic_ppi_set_here(&cpu[c], MAPPED, true);
					enter(c);
				} else {
					vgic_ppi_set(&cpu[c], MAPPED, true);
				}
				again = true;
			}
		}
	}
}

static void mmio(unsigned c, bool dist, uint32_t off, unsigned size, uint64_t value)
{
	struct hv_access a = {.off = off,
		.data = value,
		.size = (uint8_t)size,
		.write = true,
		.cpu = (uint16_t)c};

	ending = c;
	if (!dist) {
		a.off += (uint64_t)c * GICV3_GICR_SIZE + 0x10000;
	}
	assert_true((dist ? gicv3_dist_ops : gicv3_redist_ops).access(gic, &a));
	enter(c);
}

static uint32_t mmio_read(unsigned c, bool dist, uint32_t off)
{
	struct hv_access a = {.off = off, .size = 4, .cpu = (uint16_t)c};

	ending = c;
	if (!dist) {
		a.off += (uint64_t)c * GICV3_GICR_SIZE + 0x10000;
	}
	assert_true((dist ? gicv3_dist_ops : gicv3_redist_ops).access(gic, &a));
	enter(c);
	return (uint32_t)a.data;
}

static void irq_write(unsigned c, uint32_t reg, uint32_t intid)
{
	bool dist = intid >= GIC_SPI_FIRST;

	mmio(c, dist, reg + (dist ? intid / 32 * 4 : 0), 4, HV_BIT(intid % 32));
}

static uint32_t irq_read(unsigned c, uint32_t reg, uint32_t intid)
{
	bool dist = intid >= GIC_SPI_FIRST;

	return mmio_read(c, dist, reg + (dist ? intid / 32 * 4 : 0));
}

/* ---- what the ideal GIC would signal ---- */

static bool is_pending(const struct irq *irq)
{
	return irq->latch || (irq->line && !irq->edge);
}

static uint32_t running(unsigned c)
{
	return ideal.depth[c] ? ideal.stack[c][ideal.depth[c] - 1].prio : IDLE;
}

/* The least number of all priorities that could be signalled now, in either group; IDLE: none. */
static uint32_t best_prio(unsigned c)
{
	uint32_t best = IDLE;

	for (uint32_t i = 0; i < IRQS; i++) {
		const struct irq *irq = irq_of(c, i);

		if (is_pending(irq) && irq->enabled && !irq->active && irq->target == c &&
			ideal.group_on[irq->group1] && ideal.veng[c][irq->group1] &&
			irq->prio < best) {
			best = irq->prio;
		}
	}
	return best < ideal.pmr[c] && best < running(c) ? best : IDLE;
}

static void check(unsigned c)
{
	uint32_t best = best_prio(c);
	uint32_t signalled = IDLE;
	uint64_t intid;

	if (uc_gicv_irq(&hw[c]) || uc_gicv_fiq(&hw[c])) {
		assert_true(uc_gicv_read(&hw[c], HPPIR(uc_gicv_irq(&hw[c])), &intid));
		signalled = irq_of(c, (uint32_t)intid)->prio;
	}
	if (signalled != best) {
		print_error("step %llu: vCPU %u best %#x signalled %#x\n",
			(unsigned long long)step_now, c, best, signalled);
		print_error("%u vCPUs, %u list registers, EOImode %u\n", cpus, hw[c].lr_count,
			eoi_mode);
		for (unsigned n = 0; n < hw[c].lr_count; n++) {
			print_error("lr%u %#llx\n", n, (unsigned long long)hw[c].lr[n]);
		}
		for (uint32_t i = 0; i < IRQS; i++) {
			const struct irq *irq = irq_of(c, i);

			if (is_pending(irq) || irq->active) {
				print_error("irq %u: enabled %d group %d edge %d line %d latch %d "
					    "active "
					    "%d prio %#x target %u\n",
					i, irq->enabled, irq->group1, irq->edge, irq->line,
					irq->latch, irq->active, irq->prio, irq->target);
			}
		}
		fail();
	}
}

/* ---- steps ---- */

static void step_ack(unsigned c)
{
	uint32_t best = best_prio(c);
	unsigned group = uc_gicv_irq(&hw[c]);
	uint64_t intid;
	struct irq *irq;

	assert_true(uc_gicv_read(&hw[c], IAR(group), &intid));
	if (best == IDLE) {
		assert_int_equal(intid, GIC_SPURIOUS);
		return;
	}
	assert_true(intid < IRQS);
	irq = irq_of(c, (uint32_t)intid);
	assert_true(is_pending(irq) && irq->enabled && !irq->active);
	assert_int_equal(irq->target, c);
	assert_int_equal(irq->group1, group);
	assert_int_equal(irq->prio, best);
	irq->latch = false;
	irq->active = true;
	irq->owner = (uint8_t)c;
	irq->dropped = false;
	ideal.stack[c][ideal.depth[c]++] = (struct taken){(uint32_t)intid, irq->prio, irq->group1};
	acks++;
}

static void step_eoi(unsigned c)
{
	struct taken top;

	if (!ideal.depth[c]) {
		return;
	}
	top = ideal.stack[c][--ideal.depth[c]];
	ending = c;
	if (eoi_mode == 0) {
		irq_of(c, top.intid)->active = false;
		irq_of(c, top.intid)->owner = NOBODY;
	} else {
		irq_of(c, top.intid)->dropped = true;
	}
	assert_true(uc_gicv_write(&hw[c], EOIR(top.group1), top.intid));
}

/* EOImode 1: any vCPU ends an SPI, its own one a private interrupt. */
static void step_dir(unsigned c, uint32_t intid)
{
	struct irq *irq = irq_of(c, intid);

	if (eoi_mode == 0 || !irq->active || !irq->dropped) {
		return;
	}
	irq->active = false;
	irq->owner = NOBODY;
	ending = c;
	if (random_below(4) == 0) {
		irq_write(c, 0x380, intid);
	} else if (!uc_gicv_write(&hw[c], DIR, intid)) {
		vgic_dir_write(&cpu[c], intid);
		enter(c);
	}
}

static void step_activate(unsigned c, uint32_t intid)
{
	struct irq *irq = irq_of(c, intid);

	if (eoi_mode == 0 || irq->active || intid == MAPPED) {
		return;
	}
	irq->active = true;
	irq->dropped = true;
	irq_write(c, 0x300, intid);
}

static void step_line(unsigned c, uint32_t intid)
{
	struct irq *irq = irq_of(c, intid);

	if (intid < GIC_PPI_FIRST) {
		return;
	}
	if (intid == MAPPED) {
		ideal.phys_line[c] = !ideal.phys_line[c];
		irq->line = ideal.phys_line[c] && ideal.phys_active[c];
		irq_read(c, 0x200, MAPPED); /* nobody tells that it fell: the guest looks */
		return;
	}
	irq->line = !irq->line;
	irq->latch |= irq->line && irq->edge;
	ending = c;
	if (intid >= GIC_SPI_FIRST) {
		vgic_spi_set(gic, intid, irq->line);
	} else if (random_below(2)) {
		vgic_ppi_set(&cpu[c], intid, irq->line);
	} else {
		vgic_ppi_set_here(&cpu[c], intid, irq->line);
		enter(c);
	}
}

static void step_sgi(unsigned c, uint32_t intid)
{
	uint32_t list = random_below(1u << cpus), irm = random_below(4) == 0;
	bool group1 = random_below(2);
	uint64_t value = (uint64_t)irm << 40 | (uint64_t)(intid % 16) << 24 | list;

	for (unsigned i = 0; i < cpus; i++) {
		struct irq *irq = &ideal.priv[i][intid % 16];

		if ((irm ? i != c : list >> i & 1) && irq->group1 == group1) {
			irq->latch = true;
		}
	}
	ending = c;
	vgic_sgi_write(&cpu[c], group1 ? GIC_SGI1R : GIC_SGI0R, value);
	enter(c);
}

static void step_enable(unsigned c, uint32_t intid)
{
	struct irq *irq = irq_of(c, intid);

	irq->enabled = !irq->enabled;
	irq_write(c, irq->enabled ? 0x100 : 0x180, intid);
}

/* An exit of its own comes before the maintenance interrupt that the EOI may have raised. */
static void step_eoi_and_exit(unsigned c, uint32_t intid)
{
	step_eoi(c);
	if (random_below(2)) {
		step_sgi(c, intid);
	} else {
		step_enable(c, intid);
	}
}

static void step_prio(unsigned c, uint32_t intid)
{
	uint8_t prio = (uint8_t)(random_below(6) * 0x20 + 8 * random_below(2));

	irq_of(c, intid)->prio = prio;
	mmio(c, intid >= GIC_SPI_FIRST, 0x400 + intid, 1, prio | random_below(8));
}

static void step_route(unsigned c, uint32_t intid)
{
	uint32_t to = random_below(cpus + 2);

	if (intid < GIC_SPI_FIRST) {
		return;
	}
	irq_of(c, intid)->target = to < cpus ? (uint8_t)to : to == cpus ? 0 : NOBODY;
	/* One past the last: 1-of-N, which goes to vCPU 0. One more: to nobody. */
	mmio(c, true, 0x6000 + 8 * intid, 8, to == cpus ? HV_BIT(31) : to);
}

static void step_pend(unsigned c, uint32_t intid, bool set)
{
	irq_of(c, intid)->latch = set;
	irq_write(c, set ? 0x200 : 0x280, intid);
}

static void step_group(unsigned c, uint32_t intid)
{
	struct irq *irq = irq_of(c, intid);
	bool dist = intid >= GIC_SPI_FIRST;
	uint32_t off = 0x80 + (dist ? intid / 32 * 4 : 0);
	uint32_t word = mmio_read(c, dist, off) ^ (uint32_t)HV_BIT(intid % 32);

	irq->group1 = !irq->group1;
	mmio(c, dist, off, 4, word);
}

static void step_trigger(unsigned c, uint32_t intid)
{
	bool dist = intid >= GIC_SPI_FIRST;
	uint32_t off = 0xc00 + (intid / 16 * 4);

	if (intid < GIC_PPI_FIRST || intid == MAPPED) {
		return;
	}
	irq_of(c, intid)->edge = !irq_of(c, intid)->edge;
	mmio(c, dist, off, 4, mmio_read(c, dist, off) ^ 2u << intid % 16 * 2);
}

static void step_groups(unsigned c)
{
	uint32_t value = random_below(4) ? 3 : random_below(4);

	ideal.group_on[0] = value & 1;
	ideal.group_on[1] = value >> 1;
	mmio(c, true, 0, 4, value);
}

static void step_interface(unsigned c)
{
	unsigned group = random_below(2);

	if (random_below(2)) {
		ideal.veng[c][group] = random_below(4) != 0;
		assert_true(uc_gicv_write(&hw[c], IGRPEN(group), ideal.veng[c][group]));
	} else {
		ideal.pmr[c] = random_below(3) ? 0xf8 : random_below(8) * 0x20;
		assert_true(uc_gicv_write(&hw[c], PMR, ideal.pmr[c]));
	}
}

/* Reads agree, at the latest when whoever holds something has looked. */
static void step_read(unsigned c, uint32_t intid)
{
	const struct irq *irq = irq_of(c, intid);
	uint32_t pending, active;

	irq_read(c, 0x200, intid);
	settle();
	pending = irq_read(c, 0x280, intid) >> intid % 32 & 1;
	active = irq_read(c, 0x380, intid) >> intid % 32 & 1;
	assert_int_equal(pending, is_pending(irq));
	assert_int_equal(active, irq->active);
	assert_int_equal(irq_read(c, 0x100, intid) >> intid % 32 & 1, irq->enabled);
}

static void step_wfi(unsigned c)
{
	uint32_t depth = ideal.depth[c];
	bool pending;

	ending = c;
	pending = vgic_is_pending(&cpu[c]);
	enter(c);
	ideal.depth[c] = 0; /* the running priority does not count */
	assert_int_equal(pending, best_prio(c) != IDLE);
	ideal.depth[c] = depth;
}

static void step(void)
{
	unsigned c = random_below(cpus);
	uint32_t intid = random_below(4) ? GIC_SPI_FIRST + random_below(span)
					 : MAPPED - random_below(span < MAPPED ? span : MAPPED);

	switch (random_below(40)) {
	case 0:
	case 1: step_enable(c, intid); break;
	case 2: step_prio(c, intid); break;
	case 3: step_route(c, intid); break;
	case 4: step_pend(c, intid, true); break;
	case 5: step_pend(c, intid, false); break;
	case 6: step_group(c, intid); break;
	case 7: step_trigger(c, intid); break;
	case 8: step_groups(c); break;
	case 9: step_interface(c); break;
	case 10: step_read(c, intid); break;
	case 11: step_wfi(c); break;
	case 12: step_activate(c, intid); break;
	case 13:
	case 14: step_sgi(c, intid); break;
	case 15:
	case 16:
	case 17: step_dir(c, intid); break;
	case 18: step_line(c, MAPPED); break;
	case 19:
	case 20:
	case 21:
	case 22:
	case 23:
	case 24:
	case 25:
	case 26: step_line(c, intid); break;
	case 27:
	case 28:
	case 29:
	case 30:
	case 31: step_eoi(c); break;
	case 32: step_eoi_and_exit(c, intid); break;
	default: step_ack(c); break;
	}
}

static void start(unsigned cpu_count, uint8_t lr_count, unsigned mode)
{
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};
	const struct vgic_cfg cfg = {.spis = SPIS};

	memset(&ideal, 0, sizeof(ideal));
	memset(memory, 0, sizeof(memory));
	memset(hw, 0, sizeof(hw));
	memset(asked, 0, sizeof(asked));
	cpus = cpu_count;
	eoi_mode = mode;
	assert_int_equal(vgic_create(&gic, &cfg, &arena), HV_OK);
	for (unsigned c = 0; c < cpus; c++) {
		const struct vgic_cpu_cfg cpu_cfg = {.index = (uint16_t)c,
			.affinity = c,
			.lr_count = lr_count,
			.notify = on_notify,
			.ctx = &asked[c]};

		assert_int_equal(vgic_add_cpu(gic, &cpu[c], &cpu_cfg), HV_OK);
		assert_int_equal(vgic_hw_map(&cpu[c], MAPPED, PINTID), HV_OK);
		hw[c].deactivate = on_deactivate;
		hw[c].ctx = &hw[c];
		uc_gicv_reset(&hw[c], lr_count);
	}
	for (unsigned c = 0; c < cpus; c++) {
		enter(c);
		assert_true(uc_gicv_write(&hw[c], CTLR, mode << 1));
		for (uint32_t i = 0; i < GIC_SPI_FIRST; i++) {
			ideal.priv[c][i] =
				(struct irq){.edge = i < 16, .target = (uint8_t)c, .owner = NOBODY};
		}
	}
	for (uint32_t i = 0; i < SPIS; i++) {
		ideal.spi[i].owner = NOBODY;
	}
}

/* Everything on: the states worth a look come quickly. */
static void open_all(void)
{
	for (unsigned c = 0; c < cpus; c++) {
		for (unsigned g = 0; g < 2; g++) {
			ideal.veng[c][g] = true;
			assert_true(uc_gicv_write(&hw[c], IGRPEN(g), 1));
		}
		ideal.pmr[c] = 0xf8;
		assert_true(uc_gicv_write(&hw[c], PMR, 0xff));
		for (uint32_t i = 0; i < IRQS; i++) {
			if (!irq_of(c, i)->enabled) {
				step_enable(c, i);
			}
			step_prio(c, i);
		}
	}
	ideal.group_on[0] = ideal.group_on[1] = true;
	mmio(0, true, 0, 4, 3);
}

static void run(unsigned cpu_count, uint8_t lr_count, unsigned mode, unsigned steps)
{
	start(cpu_count, lr_count, mode);
	open_all();
	settle();
	for (unsigned i = 0; i < steps; i++) {
		step_now = i;
		step();
		settle();
		for (unsigned c = 0; c < cpus; c++) {
			check(c);
			spills += (cpu[c].hcr & GICV3_HCR_LRENPIE) != 0;
		}
	}
	assert_int_equal(fake_port.locks_held, 0);
}

#define STEPS 12000u

static void loop__random__agrees_with_the_ideal(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15u;
	acks = spills = maintenances = 0;
	for (unsigned mode = 0; mode < 2; mode++) {
		for (unsigned n = 1; n <= CPUS_MAX; n++) {
			for (uint8_t lrs = 1; lrs <= 4; lrs++) {
				span = lrs == 3 ? SPIS : 4u * lrs;
				run(n, lrs, mode, STEPS / n);
			}
		}
	}
	/* The interesting paths were taken. */
	assert_true(acks > 1000);
	assert_true(spills > 1000);
	assert_true(maintenances > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(loop__random__agrees_with_the_ideal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

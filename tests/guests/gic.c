/* SPDX-License-Identifier: MIT */
/* The interrupt controller: SGIs to itself, SPIs by software, priorities, masks, many at once. */
#include "guest.h"

#define SPI(n)       (32u + (n))
#define FIRST        SPI(40)
#define MANY         24u /* more than any CPU has list registers */
#define TIME         200000u
#define SHORT        2000u
#define RUNNING_NONE 0xffu

static volatile unsigned taken_count;
static volatile unsigned taken[64];

static void note(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid == GIC_SPURIOUS) {
		return;
	}
	if (taken_count < 64) {
		taken[taken_count] = intid;
	}
	gic_eoi(intid);
	taken_count++;
}

static bool wait_for_count(unsigned count)
{
	uint64_t until = counter() + counter_of_us(TIME);

	while (taken_count < count && (int64_t)(until - counter()) > 0) {
	}
	return taken_count == count;
}

static void quiet(void)
{
	uint64_t until = counter() + counter_of_us(SHORT);

	while ((int64_t)(until - counter()) > 0) {
	}
}

static void sgis(void)
{
	gic_enable(3, 0xa0);
	gic_enable(9, 0xa0);
	taken_count = 0;
	gic_sgi_to_self(3);
	check("SGI to itself", wait_for_count(1) && taken[0] == 3);
	irq_mask();
	gic_sgi_to_self(9);
	gic_sgi_to_self(3);
	quiet();
	check_eq("masked at the CPU", taken_count, 1);
	irq_unmask();
	check("both after unmasking", wait_for_count(3));
	check("lower number first at equal priority", taken[1] == 3 && taken[2] == 9);
}

static void spis(void)
{
	gic_set_edge(FIRST, true);
	gic_enable(FIRST, 0xa0);
	taken_count = 0;
	gic_set_pending(FIRST);
	check("SPI by software", wait_for_count(1) && taken[0] == FIRST);
	gic_disable(FIRST);
	gic_set_pending(FIRST);
	quiet();
	check_eq("a disabled SPI stays silent", taken_count, 1);
	gic_enable(FIRST, 0xa0);
	check("and comes when enabled", wait_for_count(2));
}

static void priorities(void)
{
	gic_set_edge(FIRST + 1, true);
	gic_set_edge(FIRST + 2, true);
	irq_mask();
	gic_enable(FIRST + 1, 0xc0);
	gic_enable(FIRST + 2, 0x40);
	taken_count = 0;
	gic_set_pending(FIRST + 1);
	gic_set_pending(FIRST + 2);
	irq_unmask();
	check("higher priority first", wait_for_count(2) && taken[0] == FIRST + 2);
	gic_mask(0x80);
	gic_set_pending(FIRST + 1);
	quiet();
	check_eq("below the priority mask: silent", taken_count, 2);
	gic_mask(0xff);
	check("mask opened: taken", wait_for_count(3));
	check_eq("nothing runs", gic_running(), RUNNING_NONE);
}

static void many(void)
{
	bool each_once = true;

	irq_mask();
	taken_count = 0;
	for (unsigned i = 0; i < MANY; i++) {
		gic_set_edge(FIRST + i, true);
		gic_enable(FIRST + i, (uint8_t)(0x40 + (MANY - i) * 4));
		gic_set_pending(FIRST + i);
	}
	irq_unmask();
	check("more than there are list registers", wait_for_count(MANY));
	for (unsigned i = 0; i < MANY; i++) {
		unsigned seen = 0;

		for (unsigned k = 0; k < MANY; k++) {
			seen += taken[k] == FIRST + i;
		}
		each_once = each_once && seen == 1;
	}
	check("each of them once", each_once);
}

static volatile unsigned nested_intid;

static void preempted(struct guest_frame *frame)
{
	unsigned intid = gic_ack();
	uint64_t elr = SYSREG_GET(elr_el1), spsr = SYSREG_GET(spsr_el1);

	(void)frame;
	taken[taken_count++] = intid;
	if (intid == FIRST + 1) {
		gic_set_pending(FIRST + 2);
		irq_unmask();
		quiet();
		irq_mask();
		nested_intid = taken[taken_count - 1];
		SYSREG_SET(elr_el1, elr);
		SYSREG_SET(spsr_el1, spsr);
	}
	gic_eoi(intid);
}

static void preemption(void)
{
	gic_enable(FIRST + 1, 0xc0);
	gic_enable(FIRST + 2, 0x40);
	on_irq = preempted;
	taken_count = 0;
	gic_set_pending(FIRST + 1);
	check("both taken", wait_for_count(2));
	check_eq("the urgent one inside the other", nested_intid, FIRST + 2);
	on_irq = note;
}

static void split(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	taken[taken_count++] = intid;
	gic_eoi(intid);
	gic_deactivate(intid);
}

static void eoi_mode_1(void)
{
	gic_split_eoi(true);
	on_irq = split;
	taken_count = 0;
	gic_set_pending(FIRST);
	check("EOImode 1", wait_for_count(1) && taken[0] == FIRST);
	gic_set_pending(FIRST);
	check("again after deactivation", wait_for_count(2));
	gic_split_eoi(false);
	on_irq = note;
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	gic_init();
	on_irq = note;
	irq_unmask();
	check_eq("nothing is pending", gic_ack(), GIC_SPURIOUS);
	sgis();
	spis();
	priorities();
	many();
	preemption();
	eoi_mode_1();
}

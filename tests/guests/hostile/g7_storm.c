/* SPDX-License-Identifier: MIT */
/*
 * G7, G8, G9, G14: storms its interrupt controller. Everything is enabled and made pending at once,
 * priorities and enables change while that is taken, an SGI is sent again before it is taken and
 * from its own handler, a line that stays high comes back as often as it is ended.
 */
#include "guest.h"

#define SPI_FIRST 48u /* behind the SPIs that have a device */
#define SPI_LAST  280u
#define SGI       7u
#define VTIMER    27u
#define STORM     20000u
#define LONG      5000000u

#define GICD_ICENABLER (GUEST_GICD + 0x180)
#define GICD_ISENABLER (GUEST_GICD + 0x100)
#define GICD_IPRIORITY (GUEST_GICD + 0x400)

static volatile unsigned taken, spurious, level_count, own_count;
static volatile unsigned count_of[1024];
static volatile unsigned own_left;

static void count(struct guest_frame *frame)
{
	unsigned raw = gic_ack(), intid = raw & 0x3ff;

	(void)frame;
	if (intid == GIC_SPURIOUS) {
		spurious++;
		return;
	}
	if (intid == SGI && own_left) {
		own_left--;
		own_count++;
		gic_sgi_to_self(SGI); /* from its own handler: pending again while it is active */
	}
	if (intid == VTIMER && ++level_count == STORM) {
		SYSREG_SET(cntv_ctl_el0, 0);
	}
	count_of[intid]++;
	taken++;
	gic_eoi(raw);
}

static bool wait_for_count(volatile unsigned *what, unsigned least)
{
	uint64_t until = counter() + counter_of_us(LONG);

	while (*what < least && (int64_t)(until - counter()) > 0) {
	}
	return *what >= least;
}

/* One that is not taken yet is one, however often it is sent. */
static void sgis(void)
{
	gic_enable(SGI, 0xa0);
	for (unsigned i = 0; i < STORM; i++) {
		gic_sgi_to_self(SGI);
	}
	check("a storm of SGIs", wait_for_count(&taken, STORM / 2) && taken <= STORM);
	irq_mask();
	taken = 0;
	for (unsigned i = 0; i < STORM; i++) {
		gic_sgi_to_self(SGI);
	}
	irq_unmask();
	check("a masked storm is one", wait_for_count(&taken, 1) && taken <= 2);
	own_left = STORM;
	gic_sgi_to_self(SGI);
	check("one that sends itself again", wait_for_count(&own_count, STORM));
}

static void all_spis(const char *name, bool churn)
{
	bool each = true;

	for (unsigned n = 0; n < 1024; n++) {
		count_of[n] = 0;
	}
	irq_mask();
	for (unsigned n = SPI_FIRST; n <= SPI_LAST; n++) {
		gic_set_edge(n, true);
		gic_enable(n, (uint8_t)(n * 8));
		gic_set_pending(n);
	}
	irq_unmask();
	for (unsigned n = SPI_FIRST; churn && n <= SPI_LAST; n++) {
		write8(GICD_IPRIORITY + n, (uint8_t)(n * 24));
		write32(GICD_ICENABLER + n / 32 * 4, 1u << n % 32);
		write8(GICD_IPRIORITY + n, (uint8_t)(n * 40));
		write32(GICD_ISENABLER + n / 32 * 4, 1u << n % 32);
	}
	for (unsigned n = SPI_FIRST; n <= SPI_LAST; n++) {
		/* 0xf8 is below what the CPU interface lets through: changed here, none is lost. */
		write8(GICD_IPRIORITY + n, 0x80);
		each = each && wait_for_count(&count_of[n], 1) && count_of[n] == 1;
	}
	check(name, each);
}

/* Every bit of every register that enables, sets pending, active, or configures. */
static void everything(void)
{
	for (unsigned at = 0x080; at < 0x1000; at += 4) {
		if (at < 0x400 || at >= 0xc00) {
			write32(GUEST_GICD + at, ~0u);
		}
	}
	for (unsigned n = 0; n < 1024; n++) {
		write8(GICD_IPRIORITY + n, (uint8_t)n);
	}
	for (unsigned at = 0x080; at < 0x400; at += 4) {
		write32(GUEST_GICD + at, 0);
		write32(GUEST_GICD + at, 0xa5a5a5a5u);
	}
	check("every distributor register", true);
}

static void quiet(void)
{
	unsigned before;

	for (unsigned n = 0; n < 1024; n += 32) {
		write32(GICD_ICENABLER + n / 8, ~0u);     /* ICENABLER */
		write32(GUEST_GICD + 0x280 + n / 8, ~0u); /* ICPENDR */
		write32(GUEST_GICD + 0x380 + n / 8, ~0u); /* ICACTIVER */
	}
	irq_unmask();
	(void)wait_for_flag(&own_left, 1000);
	before = taken;
	(void)wait_for_flag(&own_left, 1000);
	check("all disabled, it is quiet", taken == before);
}

/* The timer is due for ever: ended, it is pending again at once (G8). */
static void level(void)
{
	gic_init();
	gic_enable(VTIMER, 0x80);
	SYSREG_SET(cntv_cval_el0, 0);
	SYSREG_SET(cntv_ctl_el0, 1);
	check("a line that stays high", wait_for_count(&level_count, STORM));
	irq_mask();
	check_eq("comes as often as it is ended", level_count, STORM);
	irq_unmask();
	(void)wait_for_flag(&own_left, 1000);
	check_eq("and no more when it is low", level_count, STORM);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_irq = count;
	on_fiq = count;
	gic_init();
	irq_unmask();
	sgis();
	all_spis("all SPIs at once", false);
	all_spis("all SPIs, while priorities and enables change", true);
	irq_mask();
	everything();
	quiet();
	level();
}

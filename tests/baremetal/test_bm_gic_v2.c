/* SPDX-License-Identifier: MIT */
/* The driver of the host's GICv2, on registers that are plain memory. */
#include <unit.h>

#include <host_gic_impl.h>
#include <hv/bits.h>

#define GICH_HCR  0x000u
#define GICH_VTR  0x004u
#define GICH_VMCR 0x008u
#define GICH_APR  0x0f0u
#define GICH_LR0  0x100u

#define GICC_IAR  0x00cu
#define GICC_EOIR 0x010u
#define GICC_DIR  0x1000u

#define UNTOUCHED 0x5555aaaau

#define PENDING_27 (GICV3_LR_PENDING | (uint64_t)0xa0 << GICV3_LR_PRIO_SHIFT | GICV3_LR_GROUP1 | 27)

static uint32_t gicd[0x1000 / 4], gicc[0x2000 / 4], gich[0x200 / 4];
static struct gicv3_cpu cpu;
static struct range frame[3];
static struct el2_cpu self;

static struct range range_of(const void *at, uint64_t size)
{
	return (struct range){.base = (uintptr_t)at, .size = size};
}

static uint32_t *lr_reg(unsigned n)
{
	return &gich[GICH_LR0 / 4 + n];
}

/* `list_registers` 0: a GIC that cannot virtualize. */
static void start(uint32_t list_registers)
{
	struct host host = {.gic_version = 2,
		.gicd = range_of(gicd, sizeof(gicd)),
		.gicc = range_of(gicc, sizeof(gicc))};

	memset(gicd, 0, sizeof(gicd));
	memset(gicc, 0, sizeof(gicc));
	memset(gich, 0, sizeof(gich));
	cpu = (struct gicv3_cpu){0};
	gicd[1] = 2; /* GICD_TYPER: 96 interrupts */
	if (list_registers) {
		host.gich = range_of(gich, sizeof(gich));
		gich[GICH_VTR / 4] = 0x90000000u | (list_registers - 1);
	}
	assert_int_equal(gic_v2_find(&host), HV_OK);
	for (unsigned i = 0; i < HV_ARRAY_COUNT(frame); i++) {
		assert_true(gic_v2_frame(&host, i, &frame[i]));
	}
	assert_false(gic_v2_frame(&host, HV_ARRAY_COUNT(frame), &frame[0]));
	gic_v2_init(&host);
	gic_v2_cpu_init(&self);
}

static void find__frames__distributor_interface_and_list_registers(void **state)
{
	(void)state;
	start(4);
	assert_int_equal(frame[0].base, (uintptr_t)gicd);
	assert_int_equal(frame[1].base, (uintptr_t)gicc);
	assert_int_equal(frame[2].base, (uintptr_t)gich);
	assert_int_equal(gic_v2_lr_count(), 4);
	start(64);
	assert_int_equal(gic_v2_lr_count(), GIC_LRS);
	start(0);
	assert_int_equal(frame[2].size, 0);
	assert_int_equal(gic_v2_lr_count(), 0);
}

static void init__all_off__and_this_cpu_ready(void **state)
{
	(void)state;
	start(4);
	for (unsigned word = 0; word < 3; word++) {
		assert_int_equal(gicd[0x180 / 4 + word], ~0u); /* GICD_ICENABLER */
		assert_int_equal(gicd[0x380 / 4 + word], ~0u); /* GICD_ICACTIVER */
	}
	assert_int_equal(gicd[0x180 / 4 + 3], 0); /* there are no more */
	assert_int_equal(gicd[0x400 / 4], GIC_PRIORITY_ALL);
	assert_int_equal(gicd[0x41c / 4], GIC_PRIORITY_ALL);
	assert_int_equal(gicd[0], 1);
	assert_int_equal(gicc[0], 0x201); /* on, EOImode 1 */
	assert_int_equal(gicc[1], 0xff);
}

static void enable__private_and_shared__the_shared_one_comes_here(void **state)
{
	(void)state;
	start(4);
	gicd[0x800 / 4] = 0x02020202; /* this is CPU interface 1 */
	gic_v2_enable(27);
	assert_int_equal(gicd[0x100 / 4], 1u << 27);
	assert_int_equal(gicd[0x818 / 4], 0);
	gic_v2_enable(33);
	assert_int_equal(gicd[0x104 / 4], 1u << 1);
	assert_int_equal(gicd[0x820 / 4], 0x0200);
	assert_int_equal(gicd[0x420 / 4], 0xa000);
}

static void send__sgi__goes_to_the_interface_that_the_cpu_found(void **state)
{
	struct el2_cpu other = {.gic_target = 0x04};

	(void)state;
	start(4);
	gicd[0x800 / 4] = 0x02020202;
	gic_v2_cpu_init(&self);
	assert_int_equal(self.gic_target, 0x02);
	gic_v2_send(&other, 0);
	assert_int_equal(gicd[0xf00 / 4], 0x04 << 16);
	gic_v2_send(&self, 3);
	assert_int_equal(gicd[0xf00 / 4], 0x02 << 16 | 3);
}

static void take(uint32_t iar, uint32_t intid, uint32_t eoir, uint32_t dir)
{
	start(4);
	gicc[GICC_IAR / 4] = iar;
	gicc[GICC_EOIR / 4] = gicc[GICC_DIR / 4] = UNTOUCHED;
	assert_int_equal(gic_v2_take(), intid);
	assert_int_equal(gicc[GICC_EOIR / 4], eoir);
	assert_int_equal(gicc[GICC_DIR / 4], dir);
}

static void take__each_kind__priority_dropped_and_an_sgi_is_over(void **state)
{
	(void)state;
	take(27, 27, 27, UNTOUCHED);
	take(1019, 1019, 1019, UNTOUCHED);
	take(1023, 1023, UNTOUCHED, UNTOUCHED);
	take(1020, 1020, UNTOUCHED, UNTOUCHED);
	take(3 << 10 | 15, 15, 3 << 10 | 15, 3 << 10 | 15); /* SGI 15 of CPU 3 */
	gic_v2_end(15);
	assert_int_equal(gicc[GICC_DIR / 4], 3 << 10 | 15);
	gic_v2_end(16);
	assert_int_equal(gicc[GICC_DIR / 4], 16);
}

static void level__pending_bit__of_the_interrupt(void **state)
{
	(void)state;
	start(4);
	assert_false(gic_v2_level(27));
	gicd[0x200 / 4] = 1u << 27;
	assert_true(gic_v2_level(27));
	assert_false(gic_v2_level(26));
}

static void lr_flush__each_field__where_gicv2_has_it(void **state)
{
	static const struct {
		uint64_t lr;
		uint32_t value;
	} row[] = {
		{0, 0},
		{GICV3_LR_PENDING | 1019, 1u << 28 | 1019},
		{GICV3_LR_ACTIVE | 5, 1u << 29 | 5},
		{(uint64_t)0xf8 << GICV3_LR_PRIO_SHIFT | 32, 31u << 23 | 32},
		{GICV3_LR_GROUP1 | 32, 1u << 30 | 32},
		{GICV3_LR_EOI | 32, 1u << 19 | 32},
		{GICV3_LR_PENDING | GICV3_LR_SOURCE | 15, 1u << 28 | 7u << 10 | 15},
		{PENDING_27, 1u << 28 | 20u << 23 | 1u << 30 | 27},
	};

	(void)state;
	start(4);
	for (size_t i = 0; i < HV_ARRAY_COUNT(row); i++) {
		cpu.lr[2] = row[i].lr;
		cpu.lr_dirty = 1u << 2;
		gic_v2_lr_flush(&cpu);
		assert_int_equal(*lr_reg(2), row[i].value);
		assert_true(cpu.lr[2] == row[i].lr);
		assert_int_equal(cpu.lr_dirty, 0);
	}
}

static void lr_flush__mapped__maintenance_in_place_of_hardware_deactivation(void **state)
{
	(void)state;
	start(4);
	cpu.lr[0] = PENDING_27 | GICV3_LR_HW | (uint64_t)27 << GICV3_LR_PINTID_SHIFT;
	cpu.lr_dirty = 1;
	gic_v2_lr_flush(&cpu);
	assert_int_equal(*lr_reg(0), 1u << 28 | 20u << 23 | 1u << 30 | 1u << 19 | 27);
	assert_true(cpu.lr[0] == (PENDING_27 | GICV3_LR_EOI)); /* core ends it, then */
}

static void lr_flush__what_is_not_dirty__is_not_written(void **state)
{
	(void)state;
	start(4);
	for (unsigned n = 0; n < 4; n++) {
		*lr_reg(n) = UNTOUCHED;
	}
	gich[GICH_HCR / 4] = gich[GICH_VMCR / 4] = gich[GICH_APR / 4] = UNTOUCHED;
	cpu.lr_dirty = 1u << 3;
	gic_v2_lr_flush(&cpu);
	assert_int_equal(*lr_reg(0), UNTOUCHED);
	assert_int_equal(*lr_reg(3), 0);
	assert_int_equal(gich[GICH_HCR / 4], UNTOUCHED);
	assert_int_equal(gich[GICH_VMCR / 4], UNTOUCHED);
	cpu.hcr = GICV3_HCR_EN | GICV3_HCR_NPIE | GICV3_HCR_TDIR; /* GICv2 has no TDIR */
	cpu.lr_dirty = GICV3_DIRTY_HCR | GICV3_DIRTY_IFACE;
	gic_v2_lr_flush(&cpu);
	assert_int_equal(gich[GICH_HCR / 4], GICV3_HCR_EN | GICV3_HCR_NPIE);
	assert_int_equal(gich[GICH_VMCR / 4], 0);
	assert_int_equal(gich[GICH_APR / 4], 0);
}

static void lr_load__what_is_used_and_not_dirty__takes_the_state_only(void **state)
{
	(void)state;
	start(4);
	cpu.lr[0] = cpu.lr[1] = cpu.lr[2] = PENDING_27;
	cpu.lr_used = 3;
	cpu.lr_dirty = 2;
	*lr_reg(0) = 1u << 29 | 5; /* active; the rest is not the guest's to change */
	gich[GICH_HCR / 4] = GICV3_HCR_EN | 2u << GICV3_HCR_EOICOUNT_SHIFT;
	gich[GICH_VMCR / 4] = 0xf04c0001u;
	cpu.hcr = GICV3_HCR_EN | GICV3_HCR_TDIR;
	gic_v2_lr_load(&cpu);
	assert_true(cpu.lr[0] == ((PENDING_27 & ~GICV3_LR_PENDING) | GICV3_LR_ACTIVE));
	assert_true(cpu.lr[1] == PENDING_27);
	assert_true(cpu.lr[2] == PENDING_27);
	assert_int_equal(cpu.vmcr, 0xf04c0001u);
	assert_int_equal(cpu.hcr, GICV3_HCR_EN | GICV3_HCR_TDIR | 2u << GICV3_HCR_EOICOUNT_SHIFT);
	cpu.lr_dirty = GICV3_DIRTY_HCR;
	cpu.hcr = GICV3_HCR_EN;
	gic_v2_lr_load(&cpu);
	assert_int_equal(cpu.hcr, GICV3_HCR_EN);
}

static void lr_silence__off_until_the_next_flush__and_the_count_is_kept(void **state)
{
	(void)state;
	start(4);
	cpu.hcr = GICV3_HCR_EN;
	gich[GICH_HCR / 4] = GICV3_HCR_EN | 1u << GICV3_HCR_EOICOUNT_SHIFT;
	gic_v2_lr_silence(&cpu);
	assert_int_equal(gich[GICH_HCR / 4], 0);
	assert_int_equal(cpu.hcr, GICV3_HCR_EN | 1u << GICV3_HCR_EOICOUNT_SHIFT);
	gic_v2_lr_silence(&cpu); /* what was read is not lost by reading again */
	assert_int_equal(cpu.hcr, GICV3_HCR_EN | 1u << GICV3_HCR_EOICOUNT_SHIFT);
	assert_int_equal(cpu.lr_dirty, GICV3_DIRTY_HCR);
}

static void lr_silence__no_list_registers__there_is_nothing_to_silence(void **state)
{
	(void)state;
	start(0);
	gic_v2_lr_silence(&cpu); /* GICH is nowhere: a write would fault */
	assert_int_equal(cpu.lr_dirty, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(find__frames__distributor_interface_and_list_registers),
		hv_unit_test(init__all_off__and_this_cpu_ready),
		hv_unit_test(enable__private_and_shared__the_shared_one_comes_here),
		hv_unit_test(send__sgi__goes_to_the_interface_that_the_cpu_found),
		hv_unit_test(take__each_kind__priority_dropped_and_an_sgi_is_over),
		hv_unit_test(level__pending_bit__of_the_interrupt),
		hv_unit_test(lr_flush__each_field__where_gicv2_has_it),
		hv_unit_test(lr_flush__mapped__maintenance_in_place_of_hardware_deactivation),
		hv_unit_test(lr_flush__what_is_not_dirty__is_not_written),
		hv_unit_test(lr_load__what_is_used_and_not_dirty__takes_the_state_only),
		hv_unit_test(lr_silence__off_until_the_next_flush__and_the_count_is_kept),
		hv_unit_test(lr_silence__no_list_registers__there_is_nothing_to_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

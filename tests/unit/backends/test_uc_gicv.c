/* SPDX-License-Identifier: MIT */
/* The virtual CPU interface against IHI 0069H, list register by list register. */
#include <unit.h>

#include <uc_gicv.h>

#define ICC(crn, crm, op2) UC_SYSREG(3u, 0u, crn, crm, op2)

#define PMR     ICC(4, 6, 0)
#define IAR0    ICC(12, 8, 0)
#define EOIR0   ICC(12, 8, 1)
#define HPPIR0  ICC(12, 8, 2)
#define BPR0    ICC(12, 8, 3)
#define AP0R0   ICC(12, 8, 4)
#define AP1R0   ICC(12, 9, 0)
#define DIR     ICC(12, 11, 1)
#define RPR     ICC(12, 11, 3)
#define SGI1R   ICC(12, 11, 5)
#define IAR1    ICC(12, 12, 0)
#define EOIR1   ICC(12, 12, 1)
#define HPPIR1  ICC(12, 12, 2)
#define BPR1    ICC(12, 12, 3)
#define CTLR    ICC(12, 12, 4)
#define SRE     ICC(12, 12, 5)
#define IGRPEN0 ICC(12, 12, 6)
#define IGRPEN1 ICC(12, 12, 7)

#define EN      (1u << 0)
#define UIE     (1u << 1)
#define LRENPIE (1u << 2)
#define NPIE    (1u << 3)
#define TC      (1u << 10)
#define TALL0   (1u << 11)
#define TALL1   (1u << 12)
#define TDIR    (1u << 14)

#define IDLE 0xffu

static struct uc_gicv v;

static uint64_t lr(unsigned group, unsigned prio, uint32_t intid)
{
	return GICV3_LR_PENDING | (uint64_t)prio << 48 | (group ? GICV3_LR_GROUP1 : 0) | intid;
}

static uint64_t get(uint32_t reg)
{
	uint64_t value = 0xdead;

	assert_true(uc_gicv_read(&v, reg, &value));
	return value;
}

static void set(uint32_t reg, uint64_t value)
{
	assert_true(uc_gicv_write(&v, reg, value));
}

static unsigned state(unsigned n)
{
	return (unsigned)(v.lr[n] >> 62);
}

static unsigned eoi_count(void)
{
	return v.hcr >> 27;
}

/* Both groups on, nothing masked. */
static int start(void **s)
{
	memset(&v, 0xa5, sizeof(v));
	v.deactivate = NULL;
	uc_gicv_reset(&v, 4);
	v.hcr = EN;
	set(PMR, 0xff);
	set(IGRPEN0, 1);
	set(IGRPEN1, 1);
	return unit_setup(s);
}

static void iar1__pending__is_acknowledged_and_runs(void **s)
{
	(void)s;
	v.lr[2] = lr(1, 0x80, 40);
	assert_true(uc_gicv_irq(&v));
	assert_false(uc_gicv_fiq(&v));
	assert_int_equal(get(HPPIR1), 40);
	assert_int_equal(get(HPPIR0), 1023);
	assert_int_equal(get(IAR1), 40);
	assert_int_equal(state(2), 2);
	assert_int_equal(get(RPR), 0x80);
	assert_int_equal(get(AP1R0), 1u << 16);
	assert_int_equal(get(AP0R0), 0);
	assert_false(uc_gicv_irq(&v));
	set(EOIR1, 40);
	assert_int_equal(state(2), 0);
	assert_int_equal(get(RPR), IDLE);
	assert_int_equal(eoi_count(), 0);
}

static void iar0__pending_in_group_0__is_a_fiq(void **s)
{
	(void)s;
	v.lr[0] = lr(0, 0x40, 8);
	assert_true(uc_gicv_fiq(&v));
	assert_false(uc_gicv_irq(&v));
	assert_int_equal(get(IAR1), 1023);
	assert_int_equal(get(IAR0), 8);
	assert_int_equal(get(AP0R0), 1u << 8);
	set(EOIR0, 8);
	assert_int_equal(state(0), 0);
}

static void iar1__several_pending__most_urgent_first(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0xa0, 50);
	v.lr[1] = lr(1, 0x20, 51);
	v.lr[2] = lr(0, 0x60, 52);
	assert_int_equal(get(IAR1), 51);
	set(EOIR1, 51);
	assert_int_equal(get(IAR1), 1023); /* the most urgent is group 0's */
	assert_int_equal(get(IAR0), 52);
	set(EOIR0, 52);
	assert_int_equal(get(IAR1), 50);
}

static void iar1__same_priority_runs__does_not_preempt(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0x80, 50);
	v.lr[1] = lr(1, 0x80, 51);
	assert_int_equal(get(IAR1), 50);
	assert_false(uc_gicv_irq(&v));
	assert_int_equal(get(IAR1), 1023);
	assert_int_equal(get(HPPIR1), 51);
	v.lr[1] = lr(1, 0x78, 51);
	assert_true(uc_gicv_irq(&v));
	assert_int_equal(get(IAR1), 51);
	assert_int_equal(get(RPR), 0x78);
	set(EOIR1, 51);
	assert_int_equal(get(RPR), 0x80);
}

static void binary_point__subpriority_only__does_not_preempt(void **s)
{
	(void)s;
	set(BPR1, 5); /* group priority is [7:5] */
	v.lr[0] = lr(1, 0x98, 50);
	v.lr[1] = lr(1, 0x80, 51);
	v.lr[2] = lr(1, 0x78, 52);
	v.lr[1] &= ~GICV3_LR_STATE;
	v.lr[2] &= ~GICV3_LR_STATE;
	assert_int_equal(get(IAR1), 50);
	assert_int_equal(get(RPR), 0x80);
	v.lr[1] |= GICV3_LR_PENDING;
	assert_false(uc_gicv_irq(&v));
	v.lr[2] |= GICV3_LR_PENDING;
	assert_int_equal(get(IAR1), 52);
	assert_int_equal(get(RPR), 0x60);
	set(EOIR1, 52);
	set(EOIR1, 50);
	assert_int_equal(state(0), 0); /* the priority fits under the same mask */
}

static void binary_point__below_the_least__reads_as_the_least(void **s)
{
	(void)s;
	assert_int_equal(get(BPR0), 2);
	assert_int_equal(get(BPR1), 3);
	for (unsigned i = 0; i < 8; i++) {
		set(BPR0, i);
		set(BPR1, i);
		assert_int_equal(get(BPR0), i < 2 ? 2 : i);
		assert_int_equal(get(BPR1), i < 3 ? 3 : i);
	}
}

static void binary_point__common__is_group_0s_plus_one_and_read_only(void **s)
{
	(void)s;
	set(BPR1, 6);
	set(BPR0, 4);
	set(CTLR, 1);
	assert_int_equal(get(BPR1), 5);
	set(BPR1, 3);
	assert_int_equal(get(BPR1), 5);
	set(BPR0, 7);
	assert_int_equal(get(BPR1), 7); /* saturates */
	v.lr[0] = lr(1, 0xf0, 50);
	v.lr[1] = lr(1, 0x00, 51);
	assert_int_equal(get(IAR1), 51);
	assert_int_equal(get(RPR), 0);
	set(EOIR1, 51);
	set(CTLR, 0);
	assert_int_equal(get(BPR1), 6);
}

static void binary_point__7_in_group_0__nothing_preempts(void **s)
{
	(void)s;
	set(BPR0, 7);
	v.lr[0] = lr(0, 0xf0, 50);
	assert_int_equal(get(IAR0), 50);
	v.lr[1] = lr(0, 0x00, 51);
	assert_false(uc_gicv_fiq(&v));
}

static void g6_iar__nothing_pending__is_1023_and_changes_nothing(void **s)
{
	struct uc_gicv before = v;

	(void)s;
	assert_int_equal(get(IAR1), 1023);
	assert_int_equal(get(IAR0), 1023);
	assert_int_equal(get(HPPIR0), 1023);
	assert_int_equal(get(HPPIR1), 1023);
	assert_memory_equal(&before, &v, sizeof(v));
}

static void g6_iar__masked_by_pmr__is_1023_until_the_mask_opens(void **s)
{
	struct uc_gicv before;

	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	set(PMR, 0);
	before = v;
	assert_false(uc_gicv_irq(&v));
	assert_int_equal(get(IAR1), 1023);
	assert_memory_equal(&before, &v, sizeof(v));
	set(PMR, 0x80); /* equal is masked */
	assert_int_equal(get(IAR1), 1023);
	assert_int_equal(get(HPPIR1), 40); /* whatever the mask */
	set(PMR, 0x88);
	assert_int_equal(get(IAR1), 40);
}

static void g6_iar__group_disabled__is_1023_and_others_go_on(void **s)
{
	(void)s;
	v.lr[0] = lr(0, 0x10, 40);
	v.lr[1] = lr(1, 0x80, 41);
	set(IGRPEN0, 0);
	assert_int_equal(get(IGRPEN0), 0);
	assert_int_equal(get(IGRPEN1), 1);
	assert_int_equal(get(IAR0), 1023);
	assert_int_equal(get(HPPIR0), 1023);
	assert_int_equal(get(IAR1), 41);
	set(EOIR1, 41);
	set(IGRPEN1, 0);
	set(IGRPEN0, 1);
	assert_int_equal(get(IAR0), 40);
}

static void g6_iar__interface_disabled__is_1023(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	v.hcr = 0;
	assert_false(uc_gicv_irq(&v));
	assert_int_equal(get(IAR1), 1023);
	assert_int_equal(get(HPPIR1), 1023);
}

static void g6_iar__active_or_both__is_not_pending(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0x80, 40) ^ GICV3_LR_STATE;
	v.lr[1] = lr(1, 0x80, 41) | GICV3_LR_ACTIVE;
	assert_false(uc_gicv_irq(&v));
	assert_int_equal(get(IAR1), 1023);
}

static void eoi__pending_and_active__becomes_pending_again(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(get(IAR1), 40);
	v.lr[0] |= GICV3_LR_PENDING;
	assert_false(uc_gicv_irq(&v));
	set(EOIR1, 40);
	assert_int_equal(state(0), 1);
	assert_int_equal(get(IAR1), 40);
}

static void eoi_mode_1__eoir_drops_and_dir_deactivates(void **s)
{
	(void)s;
	set(CTLR, 2);
	assert_int_equal(get(CTLR), 2 | 4 << 8 | 1 << 15);
	assert_true(v.vmcr & GICV3_VMCR_VEOIM);
	v.lr[0] = lr(1, 0x80, 40);
	v.lr[1] = lr(1, 0x80, 41);
	assert_int_equal(get(IAR1), 40);
	set(EOIR1, 40);
	assert_int_equal(state(0), 2);
	assert_int_equal(get(RPR), IDLE);
	assert_int_equal(get(IAR1), 41);
	set(DIR, 40);
	assert_int_equal(state(0), 0);
	assert_int_equal(state(1), 2);
	assert_int_equal(get(RPR), 0x80);
	set(DIR, 41);
	assert_int_equal(state(1), 0);
	assert_int_equal(eoi_count(), 0);
}

static void eoi_count__not_in_a_list_register__counts_where_it_would_deactivate(void **s)
{
	(void)s;
	v.apr[1] = 1u << 16;
	set(EOIR1, 40);
	assert_int_equal(eoi_count(), 1);
	assert_int_equal(get(RPR), IDLE);
	v.apr[0] = 1;
	set(EOIR0, 8192); /* an LPI is never counted */
	assert_int_equal(eoi_count(), 1);
	assert_int_equal(get(RPR), IDLE);
	set(CTLR, 2);
	v.apr[1] = 1u << 16;
	set(EOIR1, 40); /* EOImode 1: only drops */
	assert_int_equal(eoi_count(), 1);
	set(DIR, 40);
	assert_int_equal(eoi_count(), 2);
	set(DIR, 8192);
	assert_int_equal(eoi_count(), 2);
	v.hcr |= 31u << 27;
	set(DIR, 40);
	assert_int_equal(eoi_count(), 0); /* wraps */
	assert_int_equal(v.hcr, EN);
}

static void g5_eoir__nothing_active__changes_nothing(void **s)
{
	struct uc_gicv before;

	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	before = v;
	set(EOIR1, 40);
	set(EOIR0, 40);
	set(EOIR1, 99);
	set(EOIR1, 1023);
	set(EOIR1, 8192);
	set(EOIR1, ~0ull);
	assert_memory_equal(&before, &v, sizeof(v));
}

static void g5_eoir__twice__second_changes_nothing(void **s)
{
	struct uc_gicv before;

	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(get(IAR1), 40);
	set(EOIR1, 40);
	before = v;
	set(EOIR1, 40);
	assert_memory_equal(&before, &v, sizeof(v));
}

static void g5_eoir__special_intid__is_ignored(void **s)
{
	struct uc_gicv before;

	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(get(IAR1), 40);
	before = v;
	for (uint32_t intid = 1020; intid <= 1023; intid++) {
		set(EOIR1, intid);
	}
	assert_memory_equal(&before, &v, sizeof(v));
	set(EOIR1, 1019);
	assert_int_equal(eoi_count(), 1);
}

static void g5_eoir__wrong_order__drops_the_highest_and_deactivates_nothing(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(get(IAR1), 40);
	v.lr[1] = lr(1, 0x40, 41);
	assert_int_equal(get(IAR1), 41);
	set(EOIR1, 40);
	assert_int_equal(get(RPR), 0x80);
	assert_int_equal(state(0), 2);
	assert_int_equal(state(1), 2);
	set(EOIR1, 41);
	assert_int_equal(get(RPR), IDLE);
	assert_int_equal(state(1), 2);
	set(EOIR1, 41); /* no priority left: no underflow */
	assert_int_equal(get(AP1R0), 0);
}

static void g5_eoir__other_group__drops_but_does_not_deactivate(void **s)
{
	(void)s;
	v.lr[0] = lr(0, 0x80, 40);
	assert_int_equal(get(IAR0), 40);
	set(EOIR1, 40);
	assert_int_equal(get(RPR), IDLE);
	assert_int_equal(get(AP0R0), 0);
	assert_int_equal(state(0), 2);
}

static void g5_dir__eoi_mode_0_or_special_or_inactive__is_ignored(void **s)
{
	struct uc_gicv before;

	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(get(IAR1), 40);
	before = v;
	set(DIR, 40);
	assert_memory_equal(&before, &v, sizeof(v));
	set(CTLR, 2);
	before = v;
	set(DIR, 1023);
	assert_memory_equal(&before, &v, sizeof(v));
}

static uint32_t deactivated;

static void on_deactivate(void *ctx, uint32_t pintid)
{
	assert_ptr_equal(ctx, &deactivated);
	deactivated = pintid;
}

static void hw__deactivation__reaches_the_physical_interrupt(void **s)
{
	(void)s;
	v.deactivate = on_deactivate;
	v.ctx = &deactivated;
	deactivated = 0;
	v.lr[0] = lr(1, 0x80, 27) | GICV3_LR_HW | (uint64_t)30 << 32;
	assert_int_equal(get(IAR1), 27);
	assert_int_equal(deactivated, 0);
	set(EOIR1, 27);
	assert_int_equal(deactivated, 30);
	v.deactivate = NULL;
	v.lr[0] = lr(1, 0x80, 27) | GICV3_LR_HW | (uint64_t)30 << 32;
	assert_int_equal(get(IAR1), 27);
	set(EOIR1, 27);
	assert_int_equal(state(0), 0);
	assert_int_equal(uc_gicv_elrsr(&v), 0xf);
}

static void maintenance__eoi_bit__at_deactivation(void **s)
{
	(void)s;
	v.lr[1] = lr(1, 0x80, 40) | GICV3_LR_EOI;
	assert_int_equal(uc_gicv_eisr(&v), 0);
	assert_int_equal(uc_gicv_elrsr(&v), 0xd);
	assert_int_equal(get(IAR1), 40);
	assert_false(uc_gicv_maintenance(&v));
	set(EOIR1, 40);
	assert_int_equal(uc_gicv_eisr(&v), 2);
	assert_int_equal(uc_gicv_elrsr(&v), 0xd);
	assert_int_equal(uc_gicv_misr(&v), 1);
	assert_true(uc_gicv_maintenance(&v));
	v.hcr = 0;
	assert_false(uc_gicv_maintenance(&v));
	v.hcr = EN;
	v.lr[1] = 0;
	assert_false(uc_gicv_maintenance(&v));
	assert_int_equal(uc_gicv_elrsr(&v), 0xf);
}

static void maintenance__underflow__none_or_one_valid(void **s)
{
	(void)s;
	assert_int_equal(uc_gicv_misr(&v), 0);
	v.hcr |= UIE;
	assert_int_equal(uc_gicv_misr(&v), 2);
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(uc_gicv_misr(&v), 2);
	v.lr[3] = lr(1, 0x80, 41) ^ GICV3_LR_STATE;
	assert_int_equal(uc_gicv_misr(&v), 0);
}

static void maintenance__entry_not_present__while_the_count_is_not_0(void **s)
{
	(void)s;
	v.hcr |= 3u << 27;
	assert_int_equal(uc_gicv_misr(&v), 0);
	v.hcr |= LRENPIE;
	assert_int_equal(uc_gicv_misr(&v), 4);
	v.hcr &= ~(31u << 27);
	assert_int_equal(uc_gicv_misr(&v), 0);
}

static void maintenance__no_pending__counts_only_pending(void **s)
{
	(void)s;
	v.hcr |= NPIE;
	assert_int_equal(uc_gicv_misr(&v), 8);
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(uc_gicv_misr(&v), 0);
	v.lr[0] |= GICV3_LR_ACTIVE;
	assert_int_equal(uc_gicv_misr(&v), 8);
}

static void maintenance__group_enables__follow_vmcr(void **s)
{
	(void)s;
	v.hcr |= 0xf0;
	assert_int_equal(uc_gicv_misr(&v), 0x50);
	set(IGRPEN0, 0);
	assert_int_equal(uc_gicv_misr(&v), 0x60);
	set(IGRPEN1, 0);
	assert_int_equal(uc_gicv_misr(&v), 0xa0);
}

static void registers__wrong_direction_or_unknown__are_not_ours(void **s)
{
	static const uint32_t read_only[] = {IAR0, IAR1, HPPIR0, HPPIR1, RPR};
	static const uint32_t write_only[] = {EOIR0, EOIR1, DIR};
	static const uint32_t unknown[] = {SGI1R, ICC(12, 11, 6), ICC(12, 11, 7), ICC(12, 8, 5),
		ICC(12, 9, 1), ICC(12, 12, 0) ^ 1u << 11, 0};
	struct uc_gicv before = v;
	uint64_t value;

	(void)s;
	for (unsigned i = 0; i < 5; i++) {
		assert_false(uc_gicv_write(&v, read_only[i], ~0ull));
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_false(uc_gicv_read(&v, write_only[i], &value));
	}
	for (unsigned i = 0; i < 7; i++) {
		assert_false(uc_gicv_read(&v, unknown[i], &value));
		assert_false(uc_gicv_write(&v, unknown[i], ~0ull));
	}
	assert_memory_equal(&before, &v, sizeof(v));
}

static void registers__pmr__has_five_bits(void **s)
{
	(void)s;
	set(PMR, ~0ull);
	assert_int_equal(get(PMR), 0xf8);
	set(PMR, 0x87);
	assert_int_equal(get(PMR), 0x80);
}

static void registers__sre__is_fixed(void **s)
{
	(void)s;
	set(SRE, 0);
	assert_int_equal(get(SRE), 7);
}

static void registers__active_priorities__can_be_written(void **s)
{
	(void)s;
	set(AP0R0, 1u << 4);
	set(AP1R0, 1u << 8);
	assert_int_equal(get(AP0R0), 1u << 4);
	assert_int_equal(get(AP1R0), 1u << 8);
	assert_int_equal(get(RPR), 0x20);
}

static void traps__each_bit__takes_its_registers_away(void **s)
{
	static const struct {
		uint32_t bit, reg;
		bool write;
	} rows[] = {
		{TC, PMR, false},
		{TC, CTLR, false},
		{TC, RPR, false},
		{TC, DIR, true},
		{TDIR, DIR, true},
		{TALL0, IAR0, false},
		{TALL0, IGRPEN0, true},
		{TALL1, IAR1, false},
		{TALL1, BPR1, true},
	};
	uint64_t value;

	(void)s;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v.hcr = EN | rows[i].bit;
		if (rows[i].write) {
			assert_false(uc_gicv_write(&v, rows[i].reg, 0));
		} else {
			assert_false(uc_gicv_read(&v, rows[i].reg, &value));
		}
	}
	v.hcr = EN | TC | TALL0 | TDIR;
	assert_int_equal(get(IAR1), 1023);
}

static void reset__any_state__is_empty_and_disabled(void **s)
{
	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	assert_int_equal(get(IAR1), 40);
	uc_gicv_reset(&v, 16);
	assert_int_equal(uc_gicv_elrsr(&v), 0xffff);
	assert_int_equal(v.hcr, 0);
	assert_int_equal(v.vmcr, 0);
	assert_int_equal(get(RPR), IDLE);
	assert_int_equal(get(PMR), 0);
}

static void enter__dirty__writes_only_what_is_marked(void **s)
{
	struct gicv3_cpu cpu = {.lr_here = true, .lr_dirty = 2, .hcr = EN | NPIE};

	(void)s;
	cpu.lr[0] = 1;
	cpu.lr[1] = lr(1, 0x80, 41);
	uc_gicv_enter(&v, &cpu);
	assert_int_equal(v.lr[0], 0);
	assert_int_equal(v.lr[1], cpu.lr[1]);
	assert_int_equal(v.hcr, EN);
	assert_int_equal(cpu.lr_dirty, 0);
	assert_false(cpu.lr_here);
	v.apr[0] = v.apr[1] = 1;
	cpu.lr_dirty = GICV3_DIRTY_HCR;
	uc_gicv_enter(&v, &cpu);
	assert_int_equal(v.hcr, EN | NPIE);
	assert_int_equal(v.apr[0], 1);
	assert_int_not_equal(v.vmcr, 0);
	cpu.lr_dirty = GICV3_DIRTY_IFACE;
	uc_gicv_enter(&v, &cpu);
	assert_int_equal(v.apr[0] | v.apr[1] | v.vmcr, 0);
}

static void load__used_and_clean__is_read(void **s)
{
	struct gicv3_cpu cpu = {.lr_used = 3, .lr_dirty = 2, .hcr = EN};

	(void)s;
	v.lr[0] = lr(1, 0x80, 40);
	v.lr[1] = lr(1, 0x80, 41);
	v.lr[2] = lr(1, 0x80, 42);
	v.hcr = EN | 1u << 27;
	uc_gicv_load(&v, &cpu);
	assert_int_equal(cpu.lr[0], v.lr[0]);
	assert_int_equal(cpu.lr[1] | cpu.lr[2], 0);
	assert_int_equal(cpu.hcr, v.hcr);
	assert_int_equal(cpu.vmcr, v.vmcr);
	cpu.hcr = TDIR;
	cpu.lr_dirty = GICV3_DIRTY_HCR;
	uc_gicv_load(&v, &cpu);
	assert_int_equal(cpu.hcr, TDIR);
}

#define gicv_test(name) cmocka_unit_test_setup_teardown(name, start, unit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		gicv_test(iar1__pending__is_acknowledged_and_runs),
		gicv_test(iar0__pending_in_group_0__is_a_fiq),
		gicv_test(iar1__several_pending__most_urgent_first),
		gicv_test(iar1__same_priority_runs__does_not_preempt),
		gicv_test(binary_point__subpriority_only__does_not_preempt),
		gicv_test(binary_point__below_the_least__reads_as_the_least),
		gicv_test(binary_point__common__is_group_0s_plus_one_and_read_only),
		gicv_test(binary_point__7_in_group_0__nothing_preempts),
		gicv_test(g6_iar__nothing_pending__is_1023_and_changes_nothing),
		gicv_test(g6_iar__masked_by_pmr__is_1023_until_the_mask_opens),
		gicv_test(g6_iar__group_disabled__is_1023_and_others_go_on),
		gicv_test(g6_iar__interface_disabled__is_1023),
		gicv_test(g6_iar__active_or_both__is_not_pending),
		gicv_test(eoi__pending_and_active__becomes_pending_again),
		gicv_test(eoi_mode_1__eoir_drops_and_dir_deactivates),
		gicv_test(eoi_count__not_in_a_list_register__counts_where_it_would_deactivate),
		gicv_test(g5_eoir__nothing_active__changes_nothing),
		gicv_test(g5_eoir__twice__second_changes_nothing),
		gicv_test(g5_eoir__special_intid__is_ignored),
		gicv_test(g5_eoir__wrong_order__drops_the_highest_and_deactivates_nothing),
		gicv_test(g5_eoir__other_group__drops_but_does_not_deactivate),
		gicv_test(g5_dir__eoi_mode_0_or_special_or_inactive__is_ignored),
		gicv_test(hw__deactivation__reaches_the_physical_interrupt),
		gicv_test(maintenance__eoi_bit__at_deactivation),
		gicv_test(maintenance__underflow__none_or_one_valid),
		gicv_test(maintenance__entry_not_present__while_the_count_is_not_0),
		gicv_test(maintenance__no_pending__counts_only_pending),
		gicv_test(maintenance__group_enables__follow_vmcr),
		gicv_test(registers__wrong_direction_or_unknown__are_not_ours),
		gicv_test(registers__pmr__has_five_bits),
		gicv_test(registers__sre__is_fixed),
		gicv_test(registers__active_priorities__can_be_written),
		gicv_test(traps__each_bit__takes_its_registers_away),
		gicv_test(reset__any_state__is_empty_and_disabled),
		gicv_test(enter__dirty__writes_only_what_is_marked),
		gicv_test(load__used_and_clean__is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

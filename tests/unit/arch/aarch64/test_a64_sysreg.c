/* SPDX-License-Identifier: MIT */
/* Trapped system registers: the whole encoding space, and each register's behaviour. */
#include "a64_kit.h"

#include <arch/aarch64/sysreg.h>

#define PC   KIT_RAM
#define READ true

#define REG(op0, op1, crn, crm, op2) A64_SYSREG(op0, op1, crn, crm, op2)

static uint64_t sysreg_esr(unsigned reg, unsigned rt, bool read)
{
	uint64_t op0 = reg >> 14, op1 = reg >> 11 & 7, crn = reg >> 7 & 15, crm = reg >> 3 & 15,
		 op2 = reg & 7;

	return kit_esr(0x18, op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 |
				     (unsigned)read);
}

/* MRS or MSR with x3. */
static void access(unsigned reg, bool read)
{
	assert_int_equal(kit_trap(sysreg_esr(reg, 3, read)), HV_RESUME);
}

static void expect_read(unsigned reg, uint64_t value)
{
	kit.vcpu->regs.pc = PC;
	access(reg, true);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(kit.vcpu->regs.x[3], value);
}

static void expect_write(unsigned reg, uint64_t value)
{
	kit.vcpu->regs.pc = PC;
	kit.vcpu->regs.x[3] = value;
	access(reg, false);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(kit.vcpu->regs.x[3], value);
}

static void expect_undef(unsigned reg, bool read)
{
	kit_setup(NULL);
	access(reg, read);
	kit_took_undef(PC);
	kit_registers_but(0);
}

/* ---- X19 ---- */

struct answer {
	unsigned reg;
	uint64_t value;
};

/* Every register that reads as something else than zero, or is not in a range below. */
static const struct answer ids[] = {
	{REG(3, 0, 0, 0, 0), 0x410fd034},         /* MIDR_EL1 */
	{REG(3, 0, 0, 0, 5), 0x80000000},         /* MPIDR_EL1 */
	{REG(3, 0, 0, 1, 0), 0x00000131},         /* ID_PFR0_EL1 */
	{REG(3, 0, 0, 1, 1), 0x00010000},         /* ID_PFR1_EL1 */
	{REG(3, 0, 0, 1, 2), 0x00000006},         /* ID_DFR0_EL1 */
	{REG(3, 0, 0, 1, 4), 0x10201105},         /* ID_MMFR0_EL1 */
	{REG(3, 0, 0, 1, 5), 0x40000000},         /* ID_MMFR1_EL1 */
	{REG(3, 0, 0, 1, 6), 0x01260000},         /* ID_MMFR2_EL1 */
	{REG(3, 0, 0, 1, 7), 0x02102211},         /* ID_MMFR3_EL1 */
	{REG(3, 0, 0, 2, 0), 0x02101110},         /* ID_ISAR0_EL1 */
	{REG(3, 0, 0, 2, 1), 0x13112111},         /* ID_ISAR1_EL1 */
	{REG(3, 0, 0, 2, 2), 0x21232042},         /* ID_ISAR2_EL1 */
	{REG(3, 0, 0, 2, 3), 0x01112131},         /* ID_ISAR3_EL1 */
	{REG(3, 0, 0, 2, 4), 0x00011142},         /* ID_ISAR4_EL1 */
	{REG(3, 0, 0, 2, 5), 0x00011121},         /* ID_ISAR5_EL1 */
	{REG(3, 0, 0, 3, 0), 0x10110222},         /* MVFR0_EL1 */
	{REG(3, 0, 0, 3, 1), 0x12111111},         /* MVFR1_EL1 */
	{REG(3, 0, 0, 3, 2), 0x00000043},         /* MVFR2_EL1 */
	{REG(3, 0, 0, 4, 0), 0x0000000001000112}, /* ID_AA64PFR0_EL1 */
	{REG(3, 0, 0, 5, 0), 0x0000000000101006}, /* ID_AA64DFR0_EL1 */
	{REG(3, 0, 0, 6, 0), 0x0000000000011120}, /* ID_AA64ISAR0_EL1 */
	{REG(3, 0, 0, 7, 0), 0x0000000000000122}, /* ID_AA64MMFR0_EL1: 40 bits */
	{REG(3, 0, 12, 12, 5), 7},                /* ICC_SRE_EL1 */
	{REG(2, 0, 1, 1, 4), 10},                 /* OSLSR_EL1 */
	{REG(2, 0, 7, 8, 6), 0xff},               /* DBGCLAIMSET_EL1 */
	{REG(3, 3, 14, 0, 1), 1000},              /* CNTPCT_EL0 */
	{REG(3, 3, 14, 2, 0), 0xfffffc18},        /* CNTP_TVAL_EL0: 0 - 1000 */
};

/* What reads as zero: ranges, both ends included. */
static const struct {
	unsigned first, last;
} zeros[] = {
	{REG(2, 0, 0, 0, 0), REG(2, 0, 0, 15, 7)}, /* debug */
	{REG(2, 0, 1, 0, 0), REG(2, 0, 1, 0, 0)},
	{REG(2, 0, 1, 3, 4), REG(2, 0, 1, 3, 4)},
	{REG(2, 0, 1, 4, 4), REG(2, 0, 1, 4, 4)},
	{REG(2, 0, 7, 9, 6), REG(2, 0, 7, 9, 6)},
	{REG(2, 0, 7, 14, 6), REG(2, 0, 7, 14, 6)},
	{REG(2, 3, 0, 1, 0), REG(2, 3, 0, 1, 0)},
	{REG(2, 3, 0, 4, 0), REG(2, 3, 0, 5, 0)},
	{REG(3, 0, 0, 0, 6), REG(3, 0, 0, 0, 6)}, /* REVIDR_EL1 */
	{REG(3, 0, 0, 1, 0), REG(3, 0, 0, 7, 7)}, /* identification, what is not above */
	{REG(3, 0, 1, 0, 1), REG(3, 0, 1, 0, 1)}, /* ACTLR_EL1 */
	{REG(3, 0, 9, 14, 1), REG(3, 0, 9, 14, 2)},
	{REG(3, 1, 0, 0, 7), REG(3, 1, 0, 0, 7)}, /* AIDR_EL1 */
	{REG(3, 3, 9, 12, 0), REG(3, 3, 9, 14, 3)},
	{REG(3, 3, 14, 2, 1), REG(3, 3, 14, 2, 2)},
	{REG(3, 3, 14, 8, 0), REG(3, 3, 14, 15, 7)},
};

/* What may be written. */
static const struct {
	unsigned first, last;
} writable[] = {
	{REG(1, 0, 7, 6, 2), REG(1, 0, 7, 6, 2)},
	{REG(1, 0, 7, 10, 2), REG(1, 0, 7, 10, 2)},
	{REG(1, 0, 7, 14, 2), REG(1, 0, 7, 14, 2)},
	{REG(2, 0, 0, 0, 0), REG(2, 0, 0, 15, 7)},
	{REG(2, 0, 1, 0, 4), REG(2, 0, 1, 0, 4)},
	{REG(2, 0, 1, 3, 4), REG(2, 0, 1, 3, 4)},
	{REG(2, 0, 1, 4, 4), REG(2, 0, 1, 4, 4)},
	{REG(2, 0, 7, 8, 6), REG(2, 0, 7, 8, 6)},
	{REG(2, 0, 7, 9, 6), REG(2, 0, 7, 9, 6)},
	{REG(2, 3, 0, 4, 0), REG(2, 3, 0, 5, 0)},
	{REG(3, 0, 1, 0, 1), REG(3, 0, 1, 0, 1)},
	{REG(3, 0, 9, 14, 1), REG(3, 0, 9, 14, 2)},
	{REG(3, 0, 12, 11, 1), REG(3, 0, 12, 11, 1)},
	{REG(3, 0, 12, 11, 5), REG(3, 0, 12, 11, 7)},
	{REG(3, 0, 12, 12, 5), REG(3, 0, 12, 12, 5)},
	{REG(3, 3, 9, 12, 0), REG(3, 3, 9, 14, 3)},
	{REG(3, 3, 14, 2, 0), REG(3, 3, 14, 2, 2)},
	{REG(3, 3, 14, 8, 0), REG(3, 3, 14, 15, 7)},
};

#define TIMERS_FIRST REG(3, 3, 14, 0, 1)
#define TIMERS_LAST  REG(3, 3, 14, 2, 2)

/* False: UNDEF. */
static bool want_read(unsigned reg, uint64_t *value)
{
	for (unsigned i = 0; i < HV_ARRAY_COUNT(ids); i++) {
		if (ids[i].reg == reg) {
			*value = ids[i].value;
			return true;
		}
	}
	*value = 0;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(zeros); i++) {
		if (reg >= zeros[i].first && reg <= zeros[i].last) {
			return true;
		}
	}
	return false;
}

static bool want_write(unsigned reg)
{
	for (unsigned i = 0; i < HV_ARRAY_COUNT(writable); i++) {
		if (reg >= writable[i].first && reg <= writable[i].last) {
			return true;
		}
	}
	return false;
}

static void x19_sysreg__all_encodings_read__as_listed_or_undef(void **state)
{
	(void)state;
	fake_a64.count = 1000;
	for (unsigned reg = 0; reg < A64_SYSREG_COUNT; reg++) {
		uint64_t value = 0x5a5a, want;
		bool has = want_read(reg, &want);

		assert_int_equal(a64_sysreg_access(kit.vcpu, reg, false, &value), has);
		assert_int_equal(value, has ? want : 0x5a5a);
	}
}

static void x19_sysreg__all_encodings_written__as_listed_or_undef(void **state)
{
	(void)state;
	for (unsigned reg = 0; reg < A64_SYSREG_COUNT; reg++) {
		uint64_t value = 0;

		assert_int_equal(a64_sysreg_access(kit.vcpu, reg, true, &value), want_write(reg));
		assert_int_equal(value, 0);
	}
}

static void x19_sysreg__all_encodings_from_el0__only_the_timers(void **state)
{
	(void)state;
	kit.vcpu->regs.pstate = KIT_EL0;
	fake_a64.el1.cntkctl = ~(uint64_t)0;
	for (unsigned reg = 0; reg < A64_SYSREG_COUNT; reg++) {
		uint64_t value = 0;
		bool timer = reg >= TIMERS_FIRST && reg <= TIMERS_LAST;

		assert_int_equal(a64_sysreg_access(kit.vcpu, reg, false, &value),
			timer && want_read(reg, &value));
		value = 0;
		assert_int_equal(
			a64_sysreg_access(kit.vcpu, reg, true, &value), timer && want_write(reg));
	}
}

/* Through the trap: the syndrome's fields all the way, and Rt = 31. */
static void x19_sysreg_trap__all_encodings_rt_31__steps_or_undef(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2 * A64_SYSREG_COUNT; n++) {
		unsigned reg = n >> 1;
		bool read = n & 1;
		uint64_t value;
		bool has = read ? want_read(reg, &value) : want_write(reg);

		kit.vcpu->regs.pc = PC;
		kit.vcpu->regs.pstate = KIT_EL1H;
		assert_int_equal(kit_trap(sysreg_esr(reg, 31, read)), HV_RESUME);
		assert_int_equal(kit.vcpu->regs.pc, has ? PC + 4 : KIT_VBAR + 0x200);
	}
	kit_registers_but(0);
	assert_int_equal(kit.vcpu->hv.stats.exits[HV_EXIT_SYSREG], 2 * A64_SYSREG_COUNT);
}

static void x19_sysreg_trap__each_rt__gets_the_value(void **state)
{
	(void)state;
	for (unsigned rt = 0; rt < 31; rt++) {
		kit_setup(NULL);
		assert_int_equal(kit_trap(sysreg_esr(REG(3, 0, 0, 0, 0), rt, READ)), HV_RESUME);
		assert_int_equal(kit.vcpu->regs.x[rt], 0x410fd034);
		kit_registers_but(1u << rt);
		assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	}
}

static void x19_sysreg__wrong_direction__undef(void **state)
{
	(void)state;
	expect_undef(REG(3, 0, 12, 11, 5), true); /* ICC_SGI1R_EL1 */
	expect_undef(REG(3, 0, 0, 4, 0), false);  /* ID_AA64PFR0_EL1 */
	expect_undef(REG(3, 3, 14, 0, 1), false); /* CNTPCT_EL0 */
	expect_undef(REG(3, 3, 14, 0, 0), false); /* CNTFRQ_EL0 */
	expect_undef(REG(3, 0, 15, 2, 0), true);  /* implementation defined */
	expect_undef(REG(3, 4, 1, 1, 0), true);   /* HCR_EL2 */
}

static void mmfr0__pa_range__follows_the_vm(void **state)
{
	(void)state;
	kit.vm->pt.ia_bits = 36;
	expect_read(REG(3, 0, 0, 7, 0), 0x121);
	kit.vm->pt.ia_bits = 40;
}

/* 6 breakpoints, 4 watchpoints, 2 comparators; neither its PMU nor its version comes along. */
static void dfr0__breakpoints__are_those_of_the_cpu(void **state)
{
	struct a64_idregs id = {.dfr0 = 0x1f3f510f, .mmfr1 = 0x100000};
	struct a64_caps caps;

	(void)state;
	caps = a64_caps_decode(&id);
	a64_vcpu_caps_set(kit.vcpu, &caps);
	expect_read(REG(3, 0, 0, 5, 0), 0x10305006);
	assert_int_equal(kit.vcpu->pstate_bits, caps.pstate_bits);
	assert_int_not_equal(caps.pstate_bits, 0);
}

static void os_lock__closed_at_reset__reads_as_written(void **state)
{
	(void)state;
	expect_read(REG(2, 0, 1, 1, 4), 0xa);
	expect_write(REG(2, 0, 1, 0, 4), ~(uint64_t)1);
	expect_read(REG(2, 0, 1, 1, 4), 8);
	expect_write(REG(2, 0, 1, 0, 4), 1);
	expect_read(REG(2, 0, 1, 1, 4), 0xa);
}

static void mpidr__of_the_second_cpu(void **state)
{
	struct a64_vcpu *second = HV_CONTAINER_OF(kit.vm->vcpu[1], struct a64_vcpu, hv);

	(void)state;
	assert_int_equal(a64_vmpidr(kit.vcpu), 0x80000000);
	assert_int_equal(a64_vmpidr(second), 0x80000001);
	assert_int_equal(a64_vpidr(), 0x410fd034);
}

static void mdscr__single_step_bits__are_kept_in_the_cpu(void **state)
{
	(void)state;
	expect_write(REG(2, 0, 0, 2, 2), ~(uint64_t)0);
	assert_true(kit.vcpu->el1_dirty);
	assert_int_equal(kit.vcpu->el1.mdscr, 0xb001);
	expect_read(REG(2, 0, 0, 2, 2), 0xb001);
	expect_write(REG(2, 0, 0, 2, 2), 0);
	expect_read(REG(2, 0, 0, 2, 2), 0);
}

static void hidden_registers__writes_change_nothing(void **state)
{
	static const unsigned regs[] = {REG(2, 0, 0, 0, 4), REG(2, 0, 0, 0, 5), REG(2, 0, 1, 0, 4),
		REG(2, 0, 7, 8, 6), REG(3, 0, 1, 0, 1), REG(3, 3, 9, 12, 0), REG(3, 0, 12, 12, 5),
		REG(1, 0, 7, 14, 2)};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(regs); i++) {
		uint64_t before = 0, after = 0;
		bool has = want_read(regs[i], &before);

		expect_write(regs[i], ~(uint64_t)0);
		assert_false(kit.vcpu->el1_dirty);
		if (has) {
			assert_true(a64_sysreg_access(kit.vcpu, regs[i], false, &after));
			assert_int_equal(before, after);
		}
	}
}

/* ---- GIC ---- */

static void gic_on(void)
{
	struct hv_access access = {.off = 0, .data = 3, .size = 4, .write = true};

	assert_true(gicv3_dist_ops.access(kit.gic, &access));
	access = (struct hv_access){.off = 0x10080, .data = ~0u, .size = 4, .write = true};
	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	access = (struct hv_access){.off = 0x10100, .data = ~0u, .size = 4, .write = true};
	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	fake_gic_enter(&kit.vcpu->gic);
	fake_gic.hw[0].vmcr = 0xf8000003; /* the guest's own: both groups on, nothing masked */
}

static void sgi1r__to_self__becomes_pending(void **state)
{
	(void)state;
	gic_on();
	assert_false(vgic_is_pending(&kit.vcpu->gic));
	expect_write(REG(3, 0, 12, 11, 5), 1); /* SGI 0 to affinity 0.0.0.0 */
	assert_true(vgic_is_pending(&kit.vcpu->gic));
}

static void d10_sgi1r__from_el0__undef(void **state)
{
	(void)state;
	gic_on();
	kit.vcpu->regs.pstate = KIT_EL0;
	access(REG(3, 0, 12, 11, 5), false);
	kit_took(PC, 0x400, KIT_IL);
	assert_false(vgic_is_pending(&kit.vcpu->gic));
}

static void sgi0r_and_asgi1r__other_groups__are_not_ours(void **state)
{
	(void)state;
	gic_on();
	expect_write(REG(3, 0, 12, 11, 6), 1);
	expect_write(REG(3, 0, 12, 11, 7), 1);
	assert_int_equal(kit.vcpu->hv.stats.exits[HV_EXIT_SYSREG], 2);
}

static void icc__gicv2_guest__undef_and_not_in_pfr0(void **state)
{
	static const unsigned regs[] = {REG(3, 0, 12, 11, 1), REG(3, 0, 12, 11, 5),
		REG(3, 0, 12, 11, 6), REG(3, 0, 12, 11, 7), REG(3, 0, 12, 12, 5)};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(regs); i++) {
		kit_setup(NULL);
		kit.vcpu->gic.iface = GIC_IFACE_V2;
		access(regs[i], false);
		kit_took_undef(PC);
	}
	expect_read(REG(3, 0, 0, 4, 0), 0x112);
}

/* ---- the physical timer ---- */

#define CNTP_TVAL REG(3, 3, 14, 2, 0)
#define CNTP_CTL  REG(3, 3, 14, 2, 1)
#define CNTP_CVAL REG(3, 3, 14, 2, 2)

static bool ppi_level(unsigned intid)
{
	struct hv_access access = {.off = 0x10200, .size = 4};

	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	return hv_bit(access.data, intid);
}

static void ptimer__cval_and_ctl__fire_and_are_masked(void **state)
{
	(void)state;
	fake_a64.count = 100;
	expect_write(CNTP_CVAL, 100);
	expect_read(CNTP_CVAL, 100);
	assert_false(ppi_level(30));
	expect_write(CNTP_CTL, 1);
	assert_true(ppi_level(30));
	expect_read(CNTP_CTL, 5); /* ISTATUS */
	expect_write(CNTP_CTL, 3);
	assert_false(ppi_level(30));
	expect_read(CNTP_CTL, 7); /* masked, and met */
	expect_write(CNTP_CTL, 1);
	expect_write(CNTP_CVAL, 101);
	assert_false(ppi_level(30));
	expect_read(CNTP_CTL, 1);
	expect_write(CNTP_CTL, ~(uint64_t)0); /* ISTATUS is read only, the rest reserved */
	expect_read(CNTP_CTL, 3);
}

static void ptimer__status_is_read_before_its_deadline_came__line_is_not_late(void **state)
{
	(void)state;
	fake_a64.count = 100;
	expect_write(CNTP_CVAL, 200);
	expect_write(CNTP_CTL, 1);
	fake_a64.count = 199;
	expect_read(CNTP_CTL, 1);
	assert_false(ppi_level(30));
	fake_a64.count = 200;
	assert_false(ppi_level(30));
	expect_read(CNTP_CTL, 5);
	assert_true(ppi_level(30));
}

static void ptimer__tval__is_32_bits_signed_from_now(void **state)
{
	(void)state;
	fake_a64.count = 0x100000000;
	expect_write(CNTP_TVAL, 0xabcdef0000000010);
	expect_read(CNTP_CVAL, 0x100000010);
	expect_read(CNTP_TVAL, 0x10);
	expect_write(CNTP_TVAL, 0xffffffff);
	expect_read(CNTP_CVAL, 0xffffffff);
	fake_a64.count += 5;
	expect_read(CNTP_TVAL, 0xfffffffa);
}

static void d10_timer_from_el0__by_cntkctl(void **state)
{
	static const struct {
		unsigned reg;
		uint64_t bit;
	} row[] = {{REG(3, 3, 14, 0, 1), HV_BIT(0)}, {CNTP_TVAL, HV_BIT(9)}, {CNTP_CTL, HV_BIT(9)},
		{CNTP_CVAL, HV_BIT(9)}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		kit_setup(NULL);
		fake_a64.el1.cntkctl = ~row[i].bit;
		kit.vcpu->regs.pstate = KIT_EL0;
		access(row[i].reg, READ);
		kit_took(PC, 0x400, KIT_IL);
		kit_setup(NULL);
		fake_a64.el1.cntkctl = row[i].bit;
		kit.vcpu->regs.pstate = KIT_EL0;
		access(row[i].reg, READ);
		assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	}
}

/* ---- AArch32 at EL0 ---- */

static uint64_t mcr_esr(
	unsigned opc1, unsigned crn, unsigned crm, unsigned opc2, unsigned rt, bool read)
{
	return kit_esr(0x03, HV_BIT(24) | 14u << 20 | opc2 << 17 | opc1 << 14 | crn << 10 |
				     rt << 5 | crm << 1 | (unsigned)read);
}

static uint64_t mcrr_esr(unsigned opc1, unsigned crm, unsigned rt, unsigned rt2, bool read)
{
	return kit_esr(0x04, HV_BIT(24) | 14u << 20 | opc1 << 16 | rt2 << 10 | rt << 5 | crm << 1 |
				     (unsigned)read);
}

static void usr32(void)
{
	kit_setup(NULL);
	fake_a64.el1.cntkctl = HV_BIT(0) | HV_BIT(9);
	fake_a64.count = 0x123456789a;
	kit.vcpu->regs.pstate = KIT_USR32;
}

static void coproc__timer_registers__as_in_aarch64(void **state)
{
	(void)state;
	usr32();
	assert_int_equal(kit_trap(mcrr_esr(0, 14, 4, 6, READ)), HV_RESUME); /* CNTPCT */
	assert_int_equal(kit.vcpu->regs.x[4], 0x3456789a);
	assert_int_equal(kit.vcpu->regs.x[6], 0x12);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(kit_trap(mcrr_esr(2, 14, 4, 6, false)), HV_RESUME); /* CNTP_CVAL */
	assert_int_equal(kit.vcpu->ptimer.cval, 0x123456789a);
	kit.vcpu->regs.x[7] = 0xffffffff00000001;
	assert_int_equal(kit_trap(mcr_esr(0, 14, 2, 1, 7, false)), HV_RESUME); /* CNTP_CTL */
	assert_int_equal(kit.vcpu->ptimer.ctl, 1);
	assert_int_equal(kit_trap(mcr_esr(0, 14, 2, 1, 8, READ)), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.x[8], 5);
	kit.vcpu->regs.x[7] = 16;
	assert_int_equal(kit_trap(mcr_esr(0, 14, 2, 0, 7, false)), HV_RESUME); /* CNTP_TVAL */
	assert_int_equal(kit.vcpu->ptimer.cval, 0x12345678aa);
	kit_registers_but(1u << 4 | 1u << 6 | 1u << 7 | 1u << 8);
}

static void coproc__anything_else__undef(void **state)
{
	static const struct {
		unsigned opc1, crn, crm, opc2;
	} mcr[] = {{0, 14, 2, 2}, {1, 14, 2, 0}, {0, 13, 2, 0}, {0, 14, 3, 0}, {0, 0, 0, 0}};
	static const struct {
		unsigned opc1, crm;
	} mcrr[] = {{1, 14}, {3, 14}, {0, 13}, {15, 14}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(mcr); i++) {
		usr32();
		assert_int_equal(kit_trap(mcr_esr(mcr[i].opc1, mcr[i].crn, mcr[i].crm, mcr[i].opc2,
					 4, READ)),
			HV_RESUME);
		kit_took(PC, 0x600, KIT_IL);
	}
	for (unsigned i = 0; i < HV_ARRAY_COUNT(mcrr); i++) {
		usr32();
		assert_int_equal(
			kit_trap(mcrr_esr(mcrr[i].opc1, mcrr[i].crm, 4, 6, READ)), HV_RESUME);
		kit_took(PC, 0x600, KIT_IL);
	}
	usr32();
	fake_a64.el1.cntkctl = 0;
	assert_int_equal(kit_trap(mcrr_esr(0, 14, 4, 6, READ)), HV_RESUME);
	kit_took(PC, 0x600, KIT_IL);
}

static void x8_coproc__condition_fails__is_skipped_whole(void **state)
{
	(void)state;
	usr32();
	/* COND = EQ with Z clear, even for a register that does not exist. */
	assert_int_equal(
		kit_trap(mcr_esr(7, 7, 7, 7, 4, READ) & ~(uint64_t)(15u << 20)), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	kit_registers_but(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x19_sysreg__all_encodings_read__as_listed_or_undef),
		kit_test(x19_sysreg__all_encodings_written__as_listed_or_undef),
		kit_test(x19_sysreg__all_encodings_from_el0__only_the_timers),
		kit_test(x19_sysreg_trap__all_encodings_rt_31__steps_or_undef),
		kit_test(x19_sysreg_trap__each_rt__gets_the_value),
		kit_test(x19_sysreg__wrong_direction__undef),
		kit_test(mmfr0__pa_range__follows_the_vm),
		kit_test(dfr0__breakpoints__are_those_of_the_cpu),
		kit_test(os_lock__closed_at_reset__reads_as_written),
		kit_test(mpidr__of_the_second_cpu),
		kit_test(mdscr__single_step_bits__are_kept_in_the_cpu),
		kit_test(hidden_registers__writes_change_nothing),
		kit_test(sgi1r__to_self__becomes_pending),
		kit_test(d10_sgi1r__from_el0__undef),
		kit_test(sgi0r_and_asgi1r__other_groups__are_not_ours),
		kit_test(icc__gicv2_guest__undef_and_not_in_pfr0),
		kit_test(ptimer__cval_and_ctl__fire_and_are_masked),
		kit_test(ptimer__status_is_read_before_its_deadline_came__line_is_not_late),
		kit_test(ptimer__tval__is_32_bits_signed_from_now),
		kit_test(d10_timer_from_el0__by_cntkctl),
		kit_test(coproc__timer_registers__as_in_aarch64),
		kit_test(coproc__anything_else__undef),
		kit_test(x8_coproc__condition_fails__is_skipped_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

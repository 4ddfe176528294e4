/* SPDX-License-Identifier: MIT */
#include "sysreg.h"
#include "esr.h"
#include "inject.h"
#include "pstate.h"
#include "walk.h"

/*
 * Feature identification: S3_0_C0_C<crm>_<op2>, crm 1..7. An ARMv8.0-A CPU with AArch64 at EL1 and
 * both states at EL0. What is 0 here is absent; reserved encodings read as 0 as they must.
 */
static const uint32_t id_reg[7][8] = {
	/* ID_PFR0, ID_PFR1, ID_DFR0, ID_AFR0, ID_MMFR0..3 */
	{0x00000131, 0x00010000, 0x00000006, 0, 0x10201105, 0x40000000, 0x01260000, 0x02102211},
	/* ID_ISAR0..5, ID_MMFR4, ID_ISAR6 */
	{0x02101110, 0x13112111, 0x21232042, 0x01112131, 0x00011142, 0x00011121, 0, 0},
	/* MVFR0..2, and later additions */
	{0x10110222, 0x12111111, 0x00000043},
	/* ID_AA64PFR0: AArch64 and AArch32 at EL0, AArch64 at EL1 and EL2, FP, SIMD; GIC is the
	   VM's */
	{0x00000112},
	/* ID_AA64DFR0: v8.0 debug, no PMU; how many break- and watchpoints is the CPU's */
	{0x00000006},
	/* ID_AA64ISAR0: CRC32, SHA256, SHA1, AES and PMULL */
	{0x00011120},
	/* ID_AA64MMFR0: 4K and 64K granules, mixed endian, 16-bit ASIDs; PARange is per VM */
	{0x00000120},
};

#define ID_PFR0    A64_SYSREG(3, 0, 0, 4, 0)
#define PFR0_GIC   HV_BIT(24) /* system registers of a GICv3 */
#define ID_DFR0    A64_SYSREG(3, 0, 0, 5, 0)
#define DFR0_LEAST 0x00101000u /* 2 breakpoints, 2 watchpoints, 1 context comparator */
#define ID_FIRST   A64_SYSREG(3, 0, 0, 1, 0)
#define ID_LAST    A64_SYSREG(3, 0, 0, 7, 7)
#define ID_MMFR0   A64_SYSREG(3, 0, 0, 7, 0)
#define ID_PER_CRM 8u

static uint64_t id_value(const struct a64_vcpu *vcpu, uint32_t reg)
{
	uint32_t n = reg - ID_FIRST;
	uint64_t value = id_reg[n / ID_PER_CRM][n % ID_PER_CRM];

	switch (reg) {
	case ID_MMFR0: return value | a64_pa_range(vcpu);
	case ID_PFR0: return vcpu->gic.iface == GIC_IFACE_V3 ? value | PFR0_GIC : value;
	case ID_DFR0: return value | (vcpu->debug_fields ? vcpu->debug_fields : DFR0_LEAST);
	default: return value;
	}
}

enum action {
	ZERO, /* reads as zero, ignores writes */
	CONST,
	MPIDR,
	MDSCR,
	OS_LOCK,
	SGI,
	DIR,
	COUNT,
	PTIMER,
};

enum { R = 1, W = 2, EL0 = 4, V3 = 8 /* only where the guest's GIC is a GICv3 */ };

/* One row answers all registers from first to last. Sorted, disjoint. */
struct row {
	uint16_t first, last;
	uint8_t access; /* R, W, EL0, V3 */
	uint8_t action;
	uint32_t value; /* the action's own */
};

#define REG(op0, op1, crn, crm, op2, access, action, value)                                        \
	{                                                                                          \
		A64_SYSREG(op0, op1, crn, crm, op2), A64_SYSREG(op0, op1, crn, crm, op2), access,  \
			action, value                                                              \
	}
#define REGS(op0, op1, crn, crm_a, op2_a, crm_z, op2_z, access, action)                            \
	{                                                                                          \
		A64_SYSREG(op0, op1, crn, crm_a, op2_a), A64_SYSREG(op0, op1, crn, crm_z, op2_z),  \
			access, action, 0                                                          \
	}

/* clang-format off */
static const struct row table[] = {
	/* Set/way cache maintenance: nothing to do, see docs/virtual-cpu-aarch64.md. */
	REG(1, 0, 7, 6, 2, W, ZERO, 0),   /* DC ISW */
	REG(1, 0, 7, 10, 2, W, ZERO, 0),  /* DC CSW */
	REG(1, 0, 7, 14, 2, W, ZERO, 0),  /* DC CISW */
	/*
	 * Debug, where A64_MDCR_DEBUG traps it: self-hosted single step works, breakpoints and
	 * watchpoints never match.
	 */
	REGS(2, 0, 0, 0, 0, 2, 1, R | W, ZERO), /* up to MDCCINT_EL1, DBG{B,W}{V,C}R0..1 */
	REG(2, 0, 0, 2, 2, R | W, MDSCR, 0),    /* MDSCR_EL1 */
	REGS(2, 0, 0, 2, 3, 15, 7, R | W, ZERO),
	REG(2, 0, 1, 0, 0, R, ZERO, 0),         /* MDRAR_EL1 */
	REG(2, 0, 1, 0, 4, W, OS_LOCK, 0),      /* OSLAR_EL1 */
	REG(2, 0, 1, 1, 4, R, OS_LOCK, 0),      /* OSLSR_EL1 */
	REG(2, 0, 1, 3, 4, R | W, ZERO, 0),     /* OSDLR_EL1 */
	REG(2, 0, 1, 4, 4, R | W, ZERO, 0),     /* DBGPRCR_EL1 */
	REG(2, 0, 7, 8, 6, R | W, CONST, 0xff), /* DBGCLAIMSET_EL1: all claim tags exist */
	REG(2, 0, 7, 9, 6, R | W, ZERO, 0),     /* DBGCLAIMCLR_EL1 */
	REG(2, 0, 7, 14, 6, R, ZERO, 0),        /* DBGAUTHSTATUS_EL1 */
	REG(2, 3, 0, 1, 0, R, ZERO, 0),         /* MDCCSR_EL0 */
	REGS(2, 3, 0, 4, 0, 5, 0, R | W, ZERO), /* DBGDTR_EL0, DBGDTRRX_EL0, DBGDTRTX_EL0 */
	/* Identification. */
	REG(3, 0, 0, 0, 0, R, CONST, A64_MIDR), /* MIDR_EL1 */
	REG(3, 0, 0, 0, 5, R, MPIDR, 0),        /* MPIDR_EL1 */
	REG(3, 0, 0, 0, 6, R, ZERO, 0),         /* REVIDR_EL1 */
	REG(3, 0, 1, 0, 1, R | W, ZERO, 0),     /* ACTLR_EL1 */
	/* Performance monitors: absent, but a blind write of a kernel's start code does no harm. */
	REGS(3, 0, 9, 14, 1, 14, 2, R | W, ZERO), /* PMINTENSET_EL1, PMINTENCLR_EL1 */
	REG(3, 0, 12, 11, 1, W | V3, DIR, 0),          /* ICC_DIR_EL1, while the GIC asks for it */
	REG(3, 0, 12, 11, 5, W | V3, SGI, GIC_SGI1R),  /* ICC_SGI1R_EL1 */
	REG(3, 0, 12, 11, 6, W | V3, SGI, GIC_ASGI1R), /* ICC_ASGI1R_EL1 */
	REG(3, 0, 12, 11, 7, W | V3, SGI, GIC_SGI0R),  /* ICC_SGI0R_EL1 */
	REG(3, 0, 12, 12, 5, R | W | V3, CONST, 7),    /* ICC_SRE_EL1: system registers only */
	REG(3, 1, 0, 0, 7, R, ZERO, 0),           /* AIDR_EL1 */
	REGS(3, 3, 9, 12, 0, 14, 3, R | W, ZERO), /* PMCR_EL0 .. PMOVSSET_EL0 */
	REG(3, 3, 14, 0, 1, R | EL0, COUNT, 0),   /* CNTPCT_EL0 */
	REG(3, 3, 14, 2, 0, R | W | EL0, PTIMER, A64_TIMER_TVAL), /* CNTP_TVAL_EL0 */
	REG(3, 3, 14, 2, 1, R | W | EL0, PTIMER, A64_TIMER_CTL),  /* CNTP_CTL_EL0 */
	REG(3, 3, 14, 2, 2, R | W | EL0, PTIMER, A64_TIMER_CVAL), /* CNTP_CVAL_EL0 */
	REGS(3, 3, 14, 8, 0, 15, 7, R | W, ZERO), /* PMEVCNTR<n>_EL0 .. PMCCFILTR_EL0 */
};
/* clang-format on */

static const struct row *find(uint32_t reg)
{
	unsigned low = 0, high = HV_ARRAY_COUNT(table);

	while (low < high) { /* for the first row that does not end below reg */
		unsigned middle = (low + high) / 2;

		if (table[middle].last < reg) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < HV_ARRAY_COUNT(table) && table[low].first <= reg ? &table[low] : NULL;
}

/* CNTKCTL_EL1: whether EL0 may. The CPU checks it before it traps; a backend may not (D10). */
static bool timer_allowed(struct a64_vcpu *vcpu, const struct row *row)
{
	unsigned bit = row->action == COUNT ? 0 : 9; /* EL0PCTEN, EL0PTEN */

	return !a64_is_el0(vcpu) || hv_bit(a64_el1_get(vcpu)->cntkctl, bit);
}

/* Whoever reads that the condition is met finds the interrupt pending, too: the line is not late.
 */
static uint64_t ptimer_read(struct a64_vcpu *vcpu, enum a64_timer_reg reg)
{
	uint64_t count = port_a64_count();

	if (reg == A64_TIMER_CTL) {
		(void)a64_timers_update(vcpu, count);
	}
	return a64_timer_read(&vcpu->ptimer, reg, count);
}

#define OSLSR_THERE  8u
#define OSLSR_CLOSED 2u

static uint64_t read(struct a64_vcpu *vcpu, const struct row *row)
{
	switch (row->action) {
	case CONST: return row->value;
	case MPIDR: return a64_vmpidr(vcpu);
	case MDSCR: return a64_el1_get(vcpu)->mdscr;
	case OS_LOCK: return vcpu->os_lock ? OSLSR_THERE | OSLSR_CLOSED : OSLSR_THERE;
	case COUNT: return port_a64_count();
	case PTIMER: return ptimer_read(vcpu, (enum a64_timer_reg)row->value);
	default: return 0;
	}
}

#define OSLAR_CLOSE    1u
#define MDSCR_WRITABLE 0xb001u /* MDE, KDE, TDCC, SS */

static void ptimer_write(struct a64_vcpu *vcpu, enum a64_timer_reg reg, uint64_t value)
{
	uint64_t count = port_a64_count();

	a64_timer_write(&vcpu->ptimer, reg, value, count);
	(void)a64_timers_update(vcpu, count);
	atomic_fetch_or(&vcpu->hv.todo, HV_TODO_TIME);
}

static void write(struct a64_vcpu *vcpu, const struct row *row, uint64_t value)
{
	switch (row->action) {
	case SGI: vgic_sgi_write(&vcpu->gic, (enum gic_sgi_reg)row->value, value); break;
	case DIR: vgic_dir_write(&vcpu->gic, value); break;
	case MDSCR:
		a64_el1_get(vcpu)->mdscr = value & MDSCR_WRITABLE;
		vcpu->el1_dirty = true;
		break;
	case OS_LOCK: vcpu->os_lock = (value & OSLAR_CLOSE) != 0; break;
	case PTIMER: ptimer_write(vcpu, (enum a64_timer_reg)row->value, value); break;
	default: break;
	}
}

bool a64_sysreg_access(struct a64_vcpu *vcpu, uint32_t reg, bool is_write, uint64_t *value)
{
	const struct row *row;

	if (reg >= ID_FIRST && reg <= ID_LAST) {
		if (is_write || a64_is_el0(vcpu)) {
			return false;
		}
		*value = id_value(vcpu, reg);
		return true;
	}
	row = find(reg);
	if (!row || !(row->access & (is_write ? W : R))) {
		return false;
	}
	if (row->access & V3 && vcpu->gic.iface != GIC_IFACE_V3) {
		return false;
	}
	if ((row->access & EL0) ? !timer_allowed(vcpu, row) : a64_is_el0(vcpu)) {
		return false;
	}
	if (is_write) {
		write(vcpu, row, *value);
	} else {
		*value = read(vcpu, row);
	}
	return true;
}

/* ISS of class 0x18: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, read 0. */
#define ISS(op0, op1, crn, crm, op2)                                                               \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define ISS_RT   ((uint64_t)0x1f << 5)
#define ISS_READ HV_BIT(0)

static HV_COLD enum hv_verdict infrequent(struct a64_vcpu *vcpu, uint64_t esr)
{
	unsigned rt = (unsigned)hv_bits(esr, 9, 5);
	uint32_t reg = (uint32_t)A64_SYSREG(hv_bits(esr, 21, 20), hv_bits(esr, 16, 14),
		hv_bits(esr, 13, 10), hv_bits(esr, 4, 1), hv_bits(esr, 19, 17));
	bool is_write = !(esr & ISS_READ);
	uint64_t value = a64_x(vcpu, rt);

	if (!a64_sysreg_access(vcpu, reg, is_write, &value)) {
		a64_inject_undef(vcpu);
		return HV_RESUME;
	}
	if (!is_write) {
		a64_x_set(vcpu, rt, value);
	}
	a64_step(vcpu, esr);
	return HV_RESUME;
}

/* An interrupt from one CPU to another is the frequent one; it is not looked up. */
enum hv_verdict a64_sysreg_trap(struct a64_vcpu *vcpu, uint64_t esr)
{
	if ((esr & A64_ESR_ISS & ~ISS_RT) != ISS(3, 0, 12, 11, 5) || a64_is_el0(vcpu) ||
		vcpu->gic.iface != GIC_IFACE_V3) {
		return infrequent(vcpu, esr);
	}
	a64_step_aarch64(vcpu);
	vgic_sgi_write(&vcpu->gic, GIC_SGI1R, a64_x(vcpu, (unsigned)hv_bits(esr, 9, 5)));
	return HV_RESUME;
}

/* The AArch64 names of AArch32's physical timer registers; 0 for any other. */
static uint32_t coproc_reg(uint64_t esr)
{
	uint64_t crm = hv_bits(esr, 4, 1);

	if (a64_esr_ec(esr) == A64_EC_CP15_MCR && hv_bits(esr, 13, 10) == 14 && crm == 2 &&
		hv_bits(esr, 16, 14) == 0 && hv_bits(esr, 19, 17) <= 1) {
		return (uint32_t)A64_SYSREG(3, 3, 14, 2, hv_bits(esr, 19, 17));
	}
	if (a64_esr_ec(esr) == A64_EC_CP15_MCRR && crm == 14) {
		switch (hv_bits(esr, 19, 16)) {
		case 0: return A64_SYSREG(3, 3, 14, 0, 1); /* CNTPCT */
		case 2: return A64_SYSREG(3, 3, 14, 2, 2); /* CNTP_CVAL */
		default: break;
		}
	}
	return 0;
}

enum hv_verdict a64_coproc_trap(struct a64_vcpu *vcpu, uint64_t esr)
{
	uint32_t reg = coproc_reg(esr);
	bool is_write = !(esr & 1), pair = a64_esr_ec(esr) == A64_EC_CP15_MCRR;
	unsigned rt = (unsigned)hv_bits(esr, 9, 5), rt2 = (unsigned)hv_bits(esr, 14, 10);
	uint64_t value = (uint32_t)a64_x(vcpu, rt);

	if (!a64_cond_passes(vcpu, esr)) {
		a64_step(vcpu, esr);
		return HV_RESUME;
	}
	if (pair) {
		value |= a64_x(vcpu, rt2) << 32;
	}
	if (!reg || !a64_sysreg_access(vcpu, reg, is_write, &value)) {
		a64_inject_undef(vcpu);
		return HV_RESUME;
	}
	if (!is_write) {
		a64_x_set(vcpu, rt, (uint32_t)value);
		if (pair) {
			a64_x_set(vcpu, rt2, value >> 32);
		}
	}
	a64_step(vcpu, esr);
	return HV_RESUME;
}

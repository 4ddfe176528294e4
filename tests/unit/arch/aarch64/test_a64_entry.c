/* SPDX-License-Identifier: MIT */
/* Exception entry, reset, timers, what traps, and host capabilities. */
#include "a64_kit.h"

#include <arch/aarch64/inject.h>

#define PC KIT_RAM

#define PAN  HV_BIT(22)
#define UAO  HV_BIT(23)
#define DIT  HV_BIT(24)
#define TCO  HV_BIT(25)
#define SSBS HV_BIT(12)
#define ALL  (PAN | UAO | DIT | TCO | SSBS)

#define AFTER 0x3c5u /* EL1h, DAIF masked */

/* ---- exception entry ---- */

static void take__every_vector_from_every_state__right_offset(void **state)
{
	static const struct {
		uint64_t pstate;
		unsigned base;
	} from[] = {{KIT_EL1T, 0}, {KIT_EL1H, 0x200}, {KIT_EL0, 0x400}, {KIT_USR32, 0x600}};
	static const enum a64_vector vector[] = {
		A64_VECTOR_SYNC, A64_VECTOR_IRQ, A64_VECTOR_FIQ, A64_VECTOR_SERROR};

	(void)state;
	for (unsigned n = 0; n < 16; n++) {
		enum a64_vector v = vector[n % 4];
		bool has_esr = v == A64_VECTOR_SYNC || v == A64_VECTOR_SERROR;

		kit_setup(NULL);
		fake_a64.el1.esr = 0x77;
		fake_a64.el1.far = 0x88;
		kit.vcpu->regs.pstate = from[n / 4].pstate | HV_BIT(29);
		a64_exception_take(kit.vcpu, v, 0x1234);
		kit_took(PC, from[n / 4].base + v, has_esr ? 0x1234 : 0x77);
		assert_int_equal(kit.vcpu->el1.spsr, from[n / 4].pstate | HV_BIT(29));
		assert_int_equal(kit.vcpu->el1.far, 0x88);
		assert_int_equal(kit.vcpu->regs.pstate, AFTER | HV_BIT(29));
		assert_int_equal(fake_a64.el1_loads, 1);
		kit_registers_but(0);
	}
}

static void take__registers_are_here_already__are_not_read_again(void **state)
{
	(void)state;
	a64_inject_undef(kit.vcpu);
	a64_inject_undef(kit.vcpu);
	assert_int_equal(fake_a64.el1_loads, 1);
	kit_took_undef(KIT_VBAR + 0x200);
}

static void take__pstate__by_what_the_cpu_has(void **state)
{
	static const struct {
		uint64_t has, before, sctlr, after;
	} row[] = {
		/* ARMv8.0: nothing but the flags survives. */
		{0, ALL, 0, 0},
		{0, HV_MASK(31, 28) | HV_BIT(21) | HV_BIT(20), 0, HV_MASK(31, 28)},
		/* PAN: kept, and set unless SPAN says no. */
		{PAN, 0, HV_BIT(23), 0},
		{PAN, PAN, HV_BIT(23), PAN},
		{PAN, 0, 0, PAN},
		/* SSBS comes from SCTLR, UAO is cleared, TCO set, DIT kept. */
		{SSBS, SSBS, 0, 0},
		{SSBS, 0, HV_BIT(44), SSBS},
		{0, 0, HV_BIT(44), 0},
		{UAO, UAO, 0, 0},
		{TCO, 0, 0, TCO},
		{DIT, DIT, 0, DIT},
		{DIT, 0, 0, 0},
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		kit_setup(NULL);
		kit.vcpu->pstate_bits = row[i].has;
		fake_a64.el1.sctlr = row[i].sctlr;
		kit.vcpu->regs.pstate = KIT_EL1H | row[i].before;
		a64_inject_undef(kit.vcpu);
		assert_int_equal(kit.vcpu->regs.pstate, AFTER | row[i].after);
		assert_int_equal(kit.vcpu->el1.spsr, KIT_EL1H | row[i].before);
	}
}

static void inject_data_abort__keeps_wnr_and_cm_only(void **state)
{
	const struct a64_trap trap = {.esr = kit_esr(0x24, 0x1ffffff & ~HV_BIT(10)), .far = 0x1234};

	(void)state;
	a64_inject_data_abort(kit.vcpu, &trap, 0x10);
	kit_took(PC, 0x200, kit_esr(0x25, HV_BIT(8) | HV_BIT(6) | 0x10));
	assert_int_equal(kit.vcpu->el1.far, 0x1234);
}

/* ---- interrupt lines of a CPU interface in software ---- */

#define HCR_VF HV_BIT(6)
#define HCR_VI HV_BIT(7)

static void lines_update__software_interface__vi_and_vf_follow(void **state)
{
	struct gicv3_cpu *gic = &kit.vcpu->gic;
	const uint64_t others = a64_hcr() | HV_BIT(8); /* VSE */

	(void)state;
	gic->iface = GIC_IFACE_V2_SOFT;
	gic->lr[0] = GICV3_LR_PENDING | 40;
	gic->lr_used = 1;
	gic->lr_dirty = 1;
	kit.vcpu->hcr = others;
	a64_lines_update(kit.vcpu);
	assert_int_equal(kit.vcpu->hcr, others);
	assert_int_equal(gic->lr_dirty, 0);
	gic->vmcr = 0xf8000001; /* nothing masked, group 0 on */
	a64_lines_update(kit.vcpu);
	assert_int_equal(kit.vcpu->hcr, others | HCR_VI);
	gic->vmcr |= 8; /* FIQEn */
	a64_lines_update(kit.vcpu);
	assert_int_equal(kit.vcpu->hcr, others | HCR_VF);
	gic->lr[0] = 0;
	a64_lines_update(kit.vcpu);
	assert_int_equal(kit.vcpu->hcr, others);
}

/* ---- reset ---- */

static void reset__power_on_state(void **state)
{
	struct a64_vcpu *vcpu = kit.vcpu;

	(void)state;
	vcpu->cntvoff = 77;
	vcpu->pstate_bits = PAN;
	vcpu->vtimer = (struct a64_timer){1, 5, A64_LINE_HIGH};
	vcpu->ptimer = vcpu->vtimer;
	vcpu->hcr = ~(uint64_t)0;
	vcpu->el1.vbar = 1;
	a64_arch.reset(&vcpu->hv, GPA(0x40080000), 0x48000000);
	assert_int_equal(vcpu->regs.pc, 0x40080000);
	assert_int_equal(vcpu->regs.x[0], 0x48000000);
	for (unsigned i = 1; i < 31; i++) {
		assert_int_equal(vcpu->regs.x[i], 0);
	}
	assert_int_equal(vcpu->regs.pstate, AFTER);
	assert_int_equal(vcpu->el1.sctlr, 0x30d00800);
	assert_int_equal(vcpu->el1.vbar, 0);
	assert_true(vcpu->el1_here && vcpu->el1_dirty);
	assert_int_equal(vcpu->vtimer.ctl + vcpu->vtimer.cval + vcpu->ptimer.ctl, 0);
	assert_int_equal(vcpu->vtimer.line, A64_LINE_UNKNOWN);
	assert_int_equal(vcpu->hcr, a64_hcr());
	assert_int_equal(vcpu->cntvoff, 77);
	assert_int_equal(vcpu->pstate_bits, PAN);
}

static void hw_id__is_the_affinity(void **state)
{
	struct hv_vcpu vcpu = {.index = 0};

	(void)state;
	assert_int_equal(a64_arch.hw_id(&vcpu), 0);
	vcpu.index = 15;
	assert_int_equal(a64_arch.hw_id(&vcpu), 15);
	vcpu.index = 16;
	assert_int_equal(a64_arch.hw_id(&vcpu), 0x100);
	vcpu.index = 35;
	assert_int_equal(a64_arch.hw_id(&vcpu), 0x203);
	assert_string_equal(a64_arch.name, "aarch64");
}

/* ---- what traps ---- */

static void controls__trap_what_the_virtual_cpu_hides(void **state)
{
	uint64_t hcr = a64_hcr();

	(void)state;
	assert_int_equal(hcr, 0x807d263f);
	assert_false(hv_bit(hcr, 14)); /* WFE is native */
	assert_false(hv_bit(hcr, 27)); /* TGE */
	assert_int_equal(a64_mdcr(), 0xc60);
	assert_int_equal(a64_cptr(), 0x33ff);
	assert_false(hv_bit(a64_cptr(), 10)); /* FP is the guest's */
	assert_int_equal(a64_cnthctl(), 0);
}

static void entry_prepare__takes_the_note_and_fills_list_registers(void **state)
{
	struct hv_access access = {.off = 0x10100, .data = HV_BIT(27), .size = 4, .write = true};

	(void)state;
	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	access = (struct hv_access){.off = 0, .data = 2, .size = 4, .write = true};
	assert_true(gicv3_dist_ops.access(kit.gic, &access));
	access = (struct hv_access){.off = 0x10080, .data = ~0u, .size = 4, .write = true};
	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	vgic_ppi_set(&kit.vcpu->gic, 27, true);
	atomic_store(&kit.vcpu->hv.todo, HV_TODO_IRQ | HV_TODO_STOP);
	a64_entry_prepare(kit.vcpu);
	assert_int_equal(atomic_load(&kit.vcpu->hv.todo), HV_TODO_STOP);
	assert_int_not_equal(kit.vcpu->gic.lr_used, 0);
	atomic_store(&kit.vcpu->hv.todo, 0);
}

/* ---- timers ---- */

static void timer_level__enabled_unmasked_and_reached(void **state)
{
	struct a64_timer timer = {.ctl = 1, .cval = 100};

	(void)state;
	assert_false(a64_timer_level(&timer, 99));
	assert_true(a64_timer_level(&timer, 100));
	assert_true(a64_timer_level(&timer, ~(uint64_t)0));
	timer.ctl = 3;
	assert_false(a64_timer_level(&timer, 100));
	timer.ctl = 2;
	assert_false(a64_timer_level(&timer, 100));
	timer.ctl = 0;
	assert_false(a64_timer_level(&timer, 100));
	timer = (struct a64_timer){.ctl = 1, .cval = ~(uint64_t)0};
	assert_false(a64_timer_level(&timer, ~(uint64_t)0 - 1));
}

static void timer_due__adds_the_offset_or_is_never(void **state)
{
	struct a64_timer timer = {.ctl = 1, .cval = 100};

	(void)state;
	assert_int_equal(a64_timer_due(&timer, 0), 100);
	assert_int_equal(a64_timer_due(&timer, 50), 150);
	assert_int_equal(a64_timer_due(&timer, ~(uint64_t)0 - 100), ~(uint64_t)0 - 0);
	assert_int_equal(a64_timer_due(&timer, ~(uint64_t)0 - 99), HV_NEVER_DUE); /* wraps */
	for (unsigned ctl = 0; ctl < 4; ctl++) {
		timer.ctl = ctl;
		assert_int_equal(a64_timer_due(&timer, 0), ctl == 1 ? 100 : HV_NEVER_DUE);
	}
}

static bool line(unsigned intid)
{
	struct hv_access access = {.off = 0x10200, .size = 4};

	assert_true(gicv3_redist_ops.access(kit.gic, &access));
	return hv_bit(access.data, intid);
}

static void timers_update__lines_follow_and_the_next_deadline_is_told(void **state)
{
	struct a64_vcpu *vcpu = kit.vcpu;

	(void)state;
	assert_int_equal(a64_timers_update(vcpu, 0), HV_NEVER_DUE);
	vcpu->cntvoff = 1000;
	vcpu->vtimer.ctl = 1;
	vcpu->vtimer.cval = 500; /* physical 1500 */
	vcpu->ptimer.ctl = 1;
	vcpu->ptimer.cval = 1600;
	assert_int_equal(a64_timers_update(vcpu, 1499), 1500);
	assert_false(line(27) || line(30));
	assert_int_equal(a64_timers_update(vcpu, 1500), 1600);
	assert_true(line(27));
	assert_false(line(30));
	assert_int_equal(a64_timers_update(vcpu, 1600), HV_NEVER_DUE);
	assert_true(line(27) && line(30));
	vcpu->vtimer.ctl = 3;
	vcpu->ptimer.cval = 1700;
	assert_int_equal(a64_timers_update(vcpu, 1601), 1700);
	assert_false(line(27) || line(30));
}

static void timers_update__line_that_did_not_change__is_not_told_again(void **state)
{
	struct a64_vcpu *vcpu = kit.vcpu;
	unsigned locks;

	(void)state;
	vcpu->vtimer.ctl = 1;
	(void)a64_timers_update(vcpu, 0);
	locks = fake_port.lock_count;
	(void)a64_timers_update(vcpu, 1);
	assert_int_equal(fake_port.lock_count, locks);
	a64_arch.reset(&vcpu->hv, GPA(0), 0); /* now it is unknown what the GIC thinks */
	locks = fake_port.lock_count;
	(void)a64_timers_update(vcpu, 1);
	assert_true(fake_port.lock_count > locks);
	assert_false(line(27));
}

/* ---- capabilities ---- */

/* As QEMU's models report them. */
static const struct a64_idregs cortex_a57 = {.pfr0 = 0x01002222,
	.dfr0 = 0x10305106,
	.isar0 = 0x00011120,
	.mmfr0 = 0x00001124,
	.ich_vtr = 0x90080003};
static const struct a64_idregs qemu_max = {.pfr0 = 0x1201111123111222,
	.pfr1 = 0x0000000001000321,
	.isar0 = 0x1221111110212120,
	.mmfr0 = 0x1000032310201126,
	.mmfr1 = 0x0000111110312122,
	.mmfr2 = 0x1221011110101011,
	.ich_vtr = 0x98080003};

static void caps__cortex_a57(void **state)
{
	struct a64_caps caps = a64_caps_decode(&cortex_a57);

	(void)state;
	assert_int_equal(caps.pa_bits, 44);
	assert_int_equal(caps.vmid_bits, 8);
	assert_int_equal(caps.asid_bits, 16);
	assert_int_equal(caps.lr_count, 4);
	assert_true(caps.el2 && caps.gicv3 && caps.aarch32_el0 && caps.stage2_4k && caps.crypto);
	assert_false(caps.vhe);
	assert_int_equal(caps.pstate_bits, 0);
	assert_int_equal(caps.debug_fields, 0x10305000); /* 6, 4, 2; no PMU, no version */
	assert_null(a64_caps_missing(&caps));
}

static void caps__qemu_max(void **state)
{
	struct a64_caps caps = a64_caps_decode(&qemu_max);

	(void)state;
	assert_int_equal(caps.pa_bits, 52);
	assert_int_equal(caps.vmid_bits, 16);
	assert_true(caps.vhe && caps.stage2_4k);
	assert_int_equal(caps.pstate_bits, ALL);
	assert_null(a64_caps_missing(&caps));
}

static void caps__each_thing_missing__is_named(void **state)
{
	struct a64_caps caps;
	struct a64_idregs id = cortex_a57;

	(void)state;
	id.pfr0 &= ~(uint64_t)0xf00;
	caps = a64_caps_decode(&id);
	assert_string_equal(a64_caps_missing(&caps), "EL2");
	id = cortex_a57;
	id.mmfr0 |= 0xf0000000;
	caps = a64_caps_decode(&id);
	assert_string_equal(a64_caps_missing(&caps), "the 4 KiB granule at Stage-2");
	id = cortex_a57;
	id.mmfr0 |= 0xf;
	caps = a64_caps_decode(&id);
	assert_string_equal(a64_caps_missing(&caps), "a physical address size that is known");
	id = cortex_a57;
	id.pfr0 &= ~(uint64_t)0xf000000;
	caps = a64_caps_decode(&id);
	assert_int_equal(caps.lr_count, 0);
	assert_false(caps.gicv3);
	assert_null(a64_caps_missing(&caps)); /* it may have a GICv2 */
	id = cortex_a57;
	id.ich_vtr = 0;
	caps = a64_caps_decode(&id);
	assert_false(caps.gicv3);
}

static void caps__stage_2_granule__has_a_field_of_its_own(void **state)
{
	static const struct {
		uint64_t tgran4_2, tgran4;
		bool has;
	} row[] = {{0, 0, true}, {0, 0xf, false}, {1, 0, false}, {2, 0xf, true}, {3, 0, true}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		struct a64_idregs id = {.mmfr0 = row[i].tgran4_2 << 40 | row[i].tgran4 << 28};

		assert_int_equal(a64_caps_decode(&id).stage2_4k, row[i].has);
	}
}

static void caps__sizes_and_crypto__both_sides(void **state)
{
	static const uint8_t pa[16] = {32, 36, 40, 42, 44, 48, 52, 56};
	static const uint64_t less[] = {0x11110, 0x11020, 0x10120, 0x01120};
	struct a64_idregs id = {0};

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		id.mmfr0 = i;
		assert_int_equal(a64_caps_decode(&id).pa_bits, pa[i]);
	}
	assert_int_equal(a64_caps_decode(&id).asid_bits, 8);
	assert_false(a64_caps_decode(&id).aarch32_el0);
	for (unsigned i = 0; i < HV_ARRAY_COUNT(less); i++) {
		id.isar0 = less[i];
		assert_false(a64_caps_decode(&id).crypto);
	}
	id.isar0 = 0x11120;
	assert_true(a64_caps_decode(&id).crypto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(take__every_vector_from_every_state__right_offset),
		kit_test(take__registers_are_here_already__are_not_read_again),
		kit_test(take__pstate__by_what_the_cpu_has),
		kit_test(inject_data_abort__keeps_wnr_and_cm_only),
		kit_test(lines_update__software_interface__vi_and_vf_follow),
		kit_test(reset__power_on_state),
		kit_test(hw_id__is_the_affinity),
		kit_test(controls__trap_what_the_virtual_cpu_hides),
		kit_test(entry_prepare__takes_the_note_and_fills_list_registers),
		kit_test(timer_level__enabled_unmasked_and_reached),
		kit_test(timer_due__adds_the_offset_or_is_never),
		kit_test(timers_update__lines_follow_and_the_next_deadline_is_told),
		kit_test(timers_update__line_that_did_not_change__is_not_told_again),
		kit_test(caps__cortex_a57),
		kit_test(caps__qemu_max),
		kit_test(caps__each_thing_missing__is_named),
		kit_test(caps__stage_2_granule__has_a_field_of_its_own),
		kit_test(caps__sizes_and_crypto__both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Reset, what traps, interrupt lines, and the work before an entry. */
#include "sbi_kit.h"

#include <arch/riscv64/entry.h>

#define SSI HV_BIT(RV64_VSSI)
#define STI HV_BIT(RV64_VSTI)
#define SEI HV_BIT(RV64_VSEI)

static void gives(uint64_t set, uint64_t clear)
{
	struct rv64_hvip hvip = rv64_entry_prepare(kit.vcpu);

	assert_int_equal(hvip.set, set);
	assert_int_equal(hvip.clear, clear);
	assert_int_equal(kit_todo(0) & HV_TODO_IRQ, 0);
}

/* ---- reset ---- */

static void reset__power_on_state(void **state)
{
	struct rv64_vcpu *vcpu = kit.vcpu;
	const struct rv64_caps caps = vcpu->caps;

	(void)state;
	vcpu->hart_id = 5;
	vcpu->htimedelta = 77;
	vcpu->timer_due = 3;
	vcpu->vs.vstvec = 1;
	vcpu->vs.user = true;
	atomic_store(&vcpu->suspended, true);
	rv64_arch.reset(&vcpu->hv, GPA(0x80200000), 0x88000000);
	assert_int_equal(vcpu->regs.pc, 0x80200000);
	for (unsigned i = 0; i < 32; i++) {
		uint64_t want = i == 10 ? 5 : i == 11 ? 0x88000000 : 0;

		assert_int_equal(vcpu->regs.x[i], want);
	}
	/* sstatus as OpenSBI leaves it: FS dirty, interrupts off; 64 bits for U-mode. */
	assert_int_equal(vcpu->vs.vsstatus, 0x200006000);
	assert_int_equal(vcpu->vs.scounteren, 7);
	assert_int_equal(vcpu->vs.vsatp + vcpu->vs.vsie + vcpu->vs.vstvec + vcpu->vs.senvcfg, 0);
	assert_int_equal(vcpu->vs.vsepc + vcpu->vs.vscause + vcpu->vs.vstval, 0);
	assert_int_equal(vcpu->vs.vsscratch, 0);
	assert_false(vcpu->vs.user);
	assert_true(vcpu->vs_here && vcpu->vs_dirty);
	assert_int_equal(vcpu->timer_due, ~(uint64_t)0);
	assert_false(atomic_load(&vcpu->suspended));
	assert_int_equal(vcpu->htimedelta, 77);
	assert_memory_equal(&vcpu->caps, &caps, sizeof(caps));
}

static void reset__fp_and_vectors__as_the_cpu_has_them(void **state)
{
	static const struct {
		const char *isa;
		uint64_t vsstatus;
	} row[] = {{"rv64imac", 0x200000000}, {"rv64imafc", 0x200006000},
		{"rv64imafdcv", 0x200006600}, {"rv64imav", 0x200000600}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		kit.vcpu->caps.exts = rv64_isa_parse(row[i].isa, 16);
		rv64_arch.reset(&kit.vcpu->hv, GPA(0), 0);
		assert_int_equal(kit.vcpu->vs.vsstatus, row[i].vsstatus);
	}
}

/* The interrupt controller says changes only, so that its level must outlive the reset. */
static void reset__lines__external_one_stays_others_go(void **state)
{
	(void)state;
	rv64_line_set(kit.vcpu, RV64_VSEI, true);
	rv64_line_set(kit.vcpu, RV64_VSTI, true);
	rv64_ipi_send(kit.vcpu);
	atomic_store(&kit.vcpu->hv.todo, 0);
	rv64_arch.reset(&kit.vcpu->hv, GPA(0), 0);
	assert_int_equal(kit_todo(0), HV_TODO_IRQ | HV_TODO_TIME);
	gives(SEI, STI | SSI);
	rv64_line_set(kit.vcpu, RV64_VSEI, false);
	rv64_arch.reset(&kit.vcpu->hv, GPA(0), 0);
	gives(0, SEI | STI | SSI);
}

static void arch__names_and_ids(void **state)
{
	(void)state;
	assert_string_equal(rv64_arch.name, "riscv64");
	assert_ptr_equal(rv64_arch.pt_fmt, &rv64_gstage_fmt);
	assert_int_equal(rv64_arch.vcpu_size, sizeof(struct rv64_vcpu));
	assert_int_equal(rv64_arch.hw_id(kit.vm->vcpu[2]), 2);
	kit_vcpu(2)->hart_id = 0x123456789;
	assert_int_equal(rv64_arch.hw_id(kit.vm->vcpu[2]), 0x123456789);
}

static void vs_get__fetched_once_until_the_guest_ran(void **state)
{
	(void)state;
	fake_rv64.vs.vsscratch = 0x77;
	assert_ptr_equal(rv64_vs_get(kit.vcpu), &kit.vcpu->vs);
	assert_int_equal(rv64_vs_get(kit.vcpu)->vsscratch, 0x77);
	assert_int_equal(fake_rv64.vs_loads, 1);
	assert_false(kit.vcpu->vs_dirty);
	kit.vcpu->vs_here = false;
	(void)rv64_vs_get(kit.vcpu);
	assert_int_equal(fake_rv64.vs_loads, 2);
}

/* ---- what traps ---- */

static void hcsrs__delegate_what_is_the_guests(void **state)
{
	struct rv64_hcsrs h = rv64_hcsrs(kit.vcpu);

	(void)state;
	assert_int_equal(h.hstatus, 0x200200180); /* VSXL 2, VTW, SPVP, SPV */
	assert_int_equal(h.hedeleg, 0xb1fb);
	assert_false(hv_bit(h.hedeleg, 2));  /* illegal instructions are looked at */
	assert_false(hv_bit(h.hedeleg, 10)); /* calls are ours */
	assert_int_equal(h.hedeleg >> 16, 0);
	assert_int_equal(h.hideleg, 0x444);
	assert_int_equal(h.hcounteren, 7);
	assert_int_equal(h.henvcfg, 0);
	assert_int_equal(h.htimedelta, 0);
	kit.vcpu->vs.user = true;
	kit.vcpu->htimedelta = 99;
	kit.vcpu->caps.time = false;
	h = rv64_hcsrs(kit.vcpu);
	assert_int_equal(h.hstatus, 0x200200080);
	assert_int_equal(h.hcounteren, 5);
	assert_int_equal(h.htimedelta, 99);
}

static void hcsrs__henvcfg__by_what_the_cpu_has(void **state)
{
	static const struct {
		unsigned ext;
		uint64_t henvcfg;
	} row[] = {{RV64_EXT_SSTC, HV_BIT(63)}, {RV64_EXT_SVPBMT, HV_BIT(62)},
		{RV64_EXT_ZICBOZ, HV_BIT(7)}, {RV64_EXT_ZICBOM, HV_BIT(6) | HV_BIT(4)},
		{RV64_EXT_ZICBOP, 0}};
	struct rv64_caps caps = kit_caps();
	uint64_t all = 0;

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		caps.exts = HV_BIT(row[i].ext);
		rv64_vcpu_caps_set(kit.vcpu, &caps);
		assert_int_equal(rv64_hcsrs(kit.vcpu).henvcfg, row[i].henvcfg);
		all |= row[i].henvcfg;
	}
	caps.exts = ~(uint64_t)0;
	rv64_vcpu_caps_set(kit.vcpu, &caps);
	assert_int_equal(rv64_hcsrs(kit.vcpu).henvcfg, all);
}

static void hgatp__mode_by_levels__vmid_and_root(void **state)
{
	struct hv_pt pt = {.levels = 3, .vmid = 0x3fff, .root = HPA(0x87654000)};

	(void)state;
	assert_int_equal(rv64_hgatp(&pt), 0x83fff00000087654);
	pt.levels = 4;
	pt.vmid = 7;
	assert_int_equal(rv64_hgatp(&pt), 0x9000700000087654);
	pt.levels = 5;
	pt.root = HPA(HV_MASK(55, 14));
	assert_int_equal(rv64_hgatp(&pt), 0xa0007ffffffffffc);
}

/* ---- lines ---- */

static void entry_prepare__lines__set_and_clear(void **state)
{
	(void)state;
	gives(0, SEI | STI);
	rv64_line_set(kit.vcpu, RV64_VSEI, true);
	assert_int_equal(kit_todo(0), HV_TODO_IRQ);
	gives(SEI, STI);
	gives(SEI, STI); /* a level */
	rv64_line_set(kit.vcpu, RV64_VSTI, true);
	gives(SEI | STI, 0);
	rv64_line_set(kit.vcpu, RV64_VSEI, false);
	assert_int_equal(kit_todo(0), HV_TODO_IRQ);
	gives(STI, SEI);
	rv64_line_set(kit.vcpu, RV64_VSTI, false);
	gives(0, SEI | STI);
}

static void entry_prepare__ipi__set_once_and_never_cleared(void **state)
{
	(void)state;
	rv64_ipi_send(kit.vcpu);
	rv64_ipi_send(kit.vcpu);
	assert_int_equal(kit.vcpu->hv.stats.irqs, 1);
	gives(SSI, SEI | STI);
	gives(0, SEI | STI);
	rv64_ipi_send(kit.vcpu); /* again, also while the first one waits for the guest */
	assert_int_equal(kit_todo(0), HV_TODO_IRQ);
	gives(SSI, SEI | STI);
}

static void entry_prepare__keeps_other_notes_and_ends_suspension(void **state)
{
	(void)state;
	atomic_store(&kit.vcpu->hv.todo, HV_TODO_IRQ | HV_TODO_STOP | HV_TODO_TIME);
	atomic_store(&kit.vcpu->suspended, true);
	(void)rv64_entry_prepare(kit.vcpu);
	assert_int_equal(kit_todo(0), HV_TODO_STOP | HV_TODO_TIME);
	assert_false(atomic_load(&kit.vcpu->suspended));
	atomic_store(&kit.vcpu->hv.todo, 0);
}

static void line_set__same_level__nobody_is_told(void **state)
{
	(void)state;
	rv64_line_set(kit.vcpu, RV64_VSEI, false);
	assert_int_equal(kit_todo(0), 0);
	rv64_line_set(kit.vcpu, RV64_VSEI, true);
	atomic_store(&kit.vcpu->hv.todo, 0);
	rv64_line_set(kit.vcpu, RV64_VSEI, true);
	assert_int_equal(kit_todo(0), 0);
}

static void ipi_clear__takes_back_what_waits_and_what_is_set(void **state)
{
	(void)state;
	assert_false(rv64_ipi_clear(kit.vcpu));
	gives(0, SEI | STI | SSI);
	gives(0, SEI | STI);
	rv64_ipi_send(kit.vcpu);
	assert_true(rv64_ipi_clear(kit.vcpu));
	assert_int_equal(kit_todo(0) & HV_TODO_IRQ, HV_TODO_IRQ);
	gives(0, SEI | STI | SSI);
	fake_rv64.pending = SSI;
	assert_true(rv64_ipi_clear(kit.vcpu));
	fake_rv64.pending = STI | SEI;
	assert_false(rv64_ipi_clear(kit.vcpu));
	/* One that comes later counts. */
	rv64_ipi_send(kit.vcpu);
	gives(SSI, SEI | STI | SSI);
}

/*
 * S4 by hand: the sender is cut in two around each step of the entry. In each order the interrupt
 * is set exactly once, now or in the entry that the note asks for.
 */
static void s4_entry_prepare__ipi_in_between__is_never_lost(void **state)
{
	(void)state;
	/* Its line before our look, its note after: seen now; the second look finds nothing new. */
	atomic_fetch_or(&kit.vcpu->lines, SSI);
	gives(SSI, SEI | STI);
	hv_vcpu_wake(&kit.vcpu->hv, HV_TODO_IRQ);
	assert_int_equal(kit_todo(0), HV_TODO_IRQ);
	gives(0, SEI | STI);
	/* All of it after our look: the note stands. */
	gives(0, SEI | STI);
	rv64_ipi_send(kit.vcpu);
	assert_int_equal(kit_todo(0), HV_TODO_IRQ);
	hv_vcpu_leave(&kit.vcpu->hv, HV_BLOCK);
	assert_int_equal(kit.vcpu->hv.state, HV_VCPU_READY);
	gives(SSI, SEI | STI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(reset__power_on_state),
		kit_test(reset__fp_and_vectors__as_the_cpu_has_them),
		kit_test(reset__lines__external_one_stays_others_go),
		kit_test(arch__names_and_ids),
		kit_test(vs_get__fetched_once_until_the_guest_ran),
		kit_test(hcsrs__delegate_what_is_the_guests),
		kit_test(hcsrs__henvcfg__by_what_the_cpu_has),
		kit_test(hgatp__mode_by_levels__vmid_and_root),
		kit_test(entry_prepare__lines__set_and_clear),
		kit_test(entry_prepare__ipi__set_once_and_never_cleared),
		kit_test(entry_prepare__keeps_other_notes_and_ends_suspension),
		kit_test(line_set__same_level__nobody_is_told),
		kit_test(ipi_clear__takes_back_what_waits_and_what_is_set),
		kit_test(s4_entry_prepare__ipi_in_between__is_never_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

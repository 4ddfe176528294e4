/* SPDX-License-Identifier: MIT */
/* Registers, modes, priorities, pins and errors of a local APIC. */
#include "lapic_kit.h"

static const uint32_t lvts[] = {
	LAPIC_LVT_TIMER,
	LAPIC_LVT_THERMAL,
	LAPIC_LVT_PERF,
	LAPIC_LVT_LINT0,
	LAPIC_LVT_LINT1,
	LAPIC_LVT_ERROR,
};

/* ---- after power-on ---- */

static void reset__registers__are_as_specified(void **state)
{
	(void)state;
	kit_start(KIT_CPUS);
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		assert_int_equal(rd(n, LAPIC_ID), n << 24);
		assert_int_equal(rd(n, LAPIC_VERSION), 0x50014);
		assert_int_equal(rd(n, LAPIC_TPR), 0);
		assert_int_equal(rd(n, LAPIC_PPR), 0);
		assert_int_equal(rd(n, LAPIC_APR), 0);
		assert_int_equal(rd(n, LAPIC_LDR), 0);
		assert_int_equal(rd(n, LAPIC_DFR), 0xffffffff);
		assert_int_equal(rd(n, LAPIC_SVR), 0xff);
		assert_int_equal(rd(n, LAPIC_ESR), 0);
		assert_int_equal(rd(n, LAPIC_ICR), 0);
		assert_int_equal(rd(n, LAPIC_ICR_HIGH), 0);
		for (size_t i = 0; i < HV_ARRAY_COUNT(lvts); i++) {
			bool wired = n == 0 && lvts[i] == LAPIC_LVT_LINT0;

			assert_int_equal(rd(n, lvts[i]), wired ? 0x700 : LAPIC_MASKED);
		}
		assert_int_equal(rd(n, LAPIC_TIMER_INITIAL), 0);
		assert_int_equal(rd(n, LAPIC_TIMER_CURRENT), 0);
		assert_int_equal(rd(n, LAPIC_TIMER_DIVIDE), 0);
		assert_int_equal(lapic_pending(cpu(n)), LAPIC_NOTHING);
	}
	assert_int_equal(lapic_base_read(cpu(0)), 0xfee00900);
	assert_int_equal(lapic_base_read(cpu(1)), 0xfee00800);
}

static void reset__whatever_was_written__is_forgotten(void **state)
{
	(void)state;
	wr(0, LAPIC_TPR, 0x20);
	wr(0, LAPIC_LVT_TIMER, 0x55);
	wr(0, LAPIC_ICR_HIGH, 0x22000000);
	lapic_raise(cpu(0), 3, false);
	wr(0, LAPIC_ESR, 0);
	lapic_raise(cpu(0), 0x41, true);
	lapic_raise(cpu(0), 0x51, true);
	lapic_accept(cpu(0), 0x51);
	enter_x2apic(1);
	lapics_ops.reset(&kit.lapics);
	assert_int_equal(lapic_base_read(cpu(1)), 0xfee00800);
	assert_int_equal(rd(0, LAPIC_TPR), 0);
	assert_int_equal(rd(0, LAPIC_LVT_TIMER), LAPIC_MASKED);
	assert_int_equal(rd(0, LAPIC_ICR_HIGH), 0);
	assert_int_equal(rd(0, LAPIC_ESR), 0);
	assert_int_equal(rd(0, LAPIC_IRR + 0x20), 0);
	assert_int_equal(rd(0, LAPIC_ISR + 0x20), 0);
	assert_int_equal(rd(0, LAPIC_TMR + 0x20), 0);
	assert_int_equal(rd(0, LAPIC_PPR), 0);
}

static void init_reset__mode__stays_and_the_rest_is_as_after_power_on(void **state)
{
	(void)state;
	enter_x2apic(1);
	assert_true(wrmsr(1, LAPIC_TPR, 0x30));
	lapic_raise(cpu(1), 0x77, false);
	lapic_init_reset(cpu(1));
	assert_int_equal(lapic_base_read(cpu(1)), LAPIC_BASE | X2);
	assert_int_equal(rdmsr(1, LAPIC_TPR), 0);
	assert_int_equal(rdmsr(1, LAPIC_SVR), 0xff);
	assert_int_equal(rdmsr(1, LAPIC_LDR), 2);
	assert_false(is_requested(1, 0x77));
}

/* ---- what can be read and written ---- */

static void registers__every_writable_bit__is_kept_and_no_other(void **state)
{
	static const struct {
		uint32_t off, ones, zeros; /* what is read after writing all ones, all zeros */
	} rows[] = {
		{LAPIC_ID, 0x01000000, 0x01000000},
		{LAPIC_VERSION, 0x50014, 0x50014},
		{LAPIC_TPR, 0xff, 0},
		{LAPIC_APR, 0, 0},
		{LAPIC_LDR, 0xff000000, 0},
		{LAPIC_DFR, 0xffffffff, 0x0fffffff},
		{LAPIC_SVR, 0x3ff, 0},
		{LAPIC_ICR_HIGH, 0xff000000, 0},
		{LAPIC_LVT_THERMAL, 0x107ff, LAPIC_MASKED},
		{LAPIC_LVT_PERF, 0x107ff, LAPIC_MASKED},
		{LAPIC_LVT_LINT0, 0x1a7ff, LAPIC_MASKED},
		{LAPIC_LVT_LINT1, 0x1a7ff, LAPIC_MASKED},
		{LAPIC_LVT_ERROR, 0x100ff, LAPIC_MASKED},
		{LAPIC_LVT_TIMER, 0x700ff, LAPIC_MASKED},
		{LAPIC_TIMER_DIVIDE, 0xb, 0},
		{LAPIC_TIMER_CURRENT, 0, 0},
		{LAPIC_SELF_IPI, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		wr(1, rows[i].off, 0xffffffff);
		assert_int_equal(rd(1, rows[i].off), rows[i].ones);
		wr(1, rows[i].off, 0);
		assert_int_equal(rd(1, rows[i].off), rows[i].zeros);
	}
}

static void registers__each_cpu__has_its_own(void **state)
{
	(void)state;
	wr(0, LAPIC_TPR, 0x10);
	wr(2, LAPIC_TPR, 0x30);
	assert_int_equal(rd(0, LAPIC_TPR), 0x10);
	assert_int_equal(rd(1, LAPIC_TPR), 0);
	assert_int_equal(rd(2, LAPIC_TPR), 0x30);
}

static void registers__other_widths_and_offsets__are_raz_wi(void **state)
{
	static const struct {
		uint64_t off;
		uint8_t size;
	} rows[] = {{LAPIC_TPR, 1}, {LAPIC_TPR, 2}, {LAPIC_TPR, 8}, {LAPIC_TPR + 4, 4},
		{LAPIC_TPR + 8, 4}, {LAPIC_TPR + 1, 4}, {LAPIC_TPR + 12, 4}};
	uint64_t answer;

	(void)state;
	wr(0, LAPIC_TPR, 0x50);
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		assert_true(kit_access(0, rows[i].off, rows[i].size, true, 0x77, &answer));
		assert_true(kit_access(0, rows[i].off, rows[i].size, false, 0x77, &answer));
		assert_int_equal(answer, 0);
	}
	assert_int_equal(rd(0, LAPIC_TPR), 0x50);
	wr(0, LAPIC_ESR, 0);
	assert_int_equal(rd(0, LAPIC_ESR), 0);
}

static void svr__disabled__masks_every_lvt_and_keeps_it_masked(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(lvts); i++) {
		wr(0, lvts[i], 0x40);
		assert_int_equal(rd(0, lvts[i]), 0x40);
	}
	wr(0, LAPIC_SVR, 0xff);
	for (size_t i = 0; i < HV_ARRAY_COUNT(lvts); i++) {
		assert_int_equal(rd(0, lvts[i]), LAPIC_MASKED | 0x40);
		wr(0, lvts[i], 0x41);
		assert_int_equal(rd(0, lvts[i]), LAPIC_MASKED | 0x41);
	}
	wr(0, LAPIC_SVR, 0x1ff);
	for (size_t i = 0; i < HV_ARRAY_COUNT(lvts); i++) {
		assert_int_equal(rd(0, lvts[i]), LAPIC_MASKED | 0x41);
	}
}

static void svr__disabled__takes_no_more_interrupts_and_delivers_those_it_has(void **state)
{
	(void)state;
	lapic_raise(cpu(1), 0x60, false);
	wr(1, LAPIC_SVR, 0xff);
	lapic_raise(cpu(1), 0x70, false);
	assert_false(is_requested(1, 0x70));
	assert_int_equal(lapic_pending(cpu(1)), 0x60);
}

/* ---- IRR, ISR, TMR ---- */

static void raise__any_vector__is_requested_pending_and_told_once(void **state)
{
	(void)state;
	for (unsigned vector = 16; vector < 256; vector++) {
		forget_tells();
		lapic_raise(cpu(1), (uint8_t)vector, false);
		lapic_raise(cpu(1), (uint8_t)vector, false);
		assert_int_equal(kit.cpu[1].notified, 1);
		assert_int_equal(kit.cpu[0].notified + kit.cpu[2].notified, 0);
		assert_true(is_in(1, LAPIC_IRR, (uint8_t)vector));
		assert_false(is_in(1, LAPIC_ISR, (uint8_t)vector));
		assert_int_equal(lapic_pending(cpu(1)), (int)vector);
		assert_int_equal(lapic_accept(cpu(1), (int)vector), vector);
		assert_false(is_in(1, LAPIC_IRR, (uint8_t)vector));
		assert_true(is_in(1, LAPIC_ISR, (uint8_t)vector));
		assert_int_equal(rd(1, LAPIC_PPR), vector & 0xf0);
		assert_int_equal(lapic_pending(cpu(1)), LAPIC_NOTHING);
		wr(1, LAPIC_EOI, 0);
		assert_int_equal(rd(1, LAPIC_PPR), 0);
		for (uint32_t i = 0; i < 8; i++) {
			assert_int_equal(rd(1, LAPIC_ISR + i * 0x10), 0);
			assert_int_equal(rd(1, LAPIC_IRR + i * 0x10), 0);
		}
	}
}

static void raise__of_several__the_highest_comes_first(void **state)
{
	(void)state;
	lapic_raise(cpu(0), 0x31, false);
	lapic_raise(cpu(0), 0xfe, false);
	lapic_raise(cpu(0), 0x91, false);
	assert_int_equal(lapic_pending(cpu(0)), 0xfe);
	lapic_accept(cpu(0), 0xfe);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_NOTHING);
	wr(0, LAPIC_EOI, 0);
	assert_int_equal(lapic_pending(cpu(0)), 0x91);
}

static void raise__class_of_what_is_in_service__waits(void **state)
{
	(void)state;
	lapic_raise(cpu(0), 0x50, false);
	lapic_accept(cpu(0), 0x50);
	lapic_raise(cpu(0), 0x5f, false);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_NOTHING);
	lapic_raise(cpu(0), 0x60, false);
	assert_int_equal(lapic_pending(cpu(0)), 0x60);
	lapic_accept(cpu(0), 0x60);
	assert_int_equal(rd(0, LAPIC_PPR), 0x60);
	wr(0, LAPIC_EOI, 0);
	assert_int_equal(rd(0, LAPIC_PPR), 0x50);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_NOTHING);
	forget_tells();
	wr(0, LAPIC_EOI, 0);
	assert_int_equal(kit.cpu[0].looked, 1);
	assert_int_equal(kit.cpu[0].notified, 0);
	assert_int_equal(lapic_pending(cpu(0)), 0x5f);
}

static void tpr__masks_its_class_and_below__and_is_looked_at_when_lowered(void **state)
{
	(void)state;
	wr(0, LAPIC_TPR, 0x4f);
	lapic_raise(cpu(0), 0x4f, false);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_NOTHING);
	assert_int_equal(rd(0, LAPIC_PPR), 0x4f);
	wr(0, LAPIC_TPR, 0x40);
	assert_int_equal(kit.cpu[0].looked, 0);
	wr(0, LAPIC_TPR, 0x3f);
	assert_int_equal(kit.cpu[0].looked, 1);
	assert_int_equal(lapic_pending(cpu(0)), 0x4f);
}

static void tpr__same_class_as_in_service__is_ppr(void **state)
{
	(void)state;
	lapic_raise(cpu(0), 0x65, false);
	lapic_accept(cpu(0), 0x65);
	wr(0, LAPIC_TPR, 0x5f);
	assert_int_equal(rd(0, LAPIC_PPR), 0x60);
	wr(0, LAPIC_TPR, 0x63);
	assert_int_equal(rd(0, LAPIC_PPR), 0x63);
}

static void cr8__is_the_upper_half_of_tpr(void **state)
{
	(void)state;
	lapic_cr8_set(cpu(0), 0xa);
	assert_int_equal(rd(0, LAPIC_TPR), 0xa0);
	wr(0, LAPIC_TPR, 0x57);
	assert_int_equal(lapic_cr8(cpu(0)), 5);
	lapic_raise(cpu(0), 0x58, false);
	lapic_cr8_set(cpu(0), 4);
	assert_int_equal(kit.cpu[0].looked, 1);
	lapic_cr8_set(cpu(0), 0xf5); /* its upper bits are not TPR's */
	assert_int_equal(rd(0, LAPIC_TPR), 0x50);
}

static void tmr__follows_the_last_trigger_mode(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		lapic_raise(cpu(0), 0x45, true);
		assert_true(is_in(0, LAPIC_TMR, 0x45));
	}
	lapic_raise(cpu(0), 0x45, false);
	assert_false(is_in(0, LAPIC_TMR, 0x45));
}

static void eoi__level__is_told_to_the_io_apic__edge_is_not(void **state)
{
	(void)state;
	lapic_raise(cpu(0), 0x45, true);
	lapic_raise(cpu(0), 0x35, false);
	lapic_accept(cpu(0), lapic_pending(cpu(0)));
	wr(0, LAPIC_EOI, 0xffffffff); /* any value */
	assert_int_equal(kit.eois, 1);
	assert_int_equal(kit.eoi, 0x45);
	lapic_accept(cpu(0), lapic_pending(cpu(0)));
	wr(0, LAPIC_EOI, 0);
	assert_int_equal(kit.eois, 1);
}

static void a5_eoi__nothing_in_service__does_nothing(void **state)
{
	(void)state;
	lapic_raise(cpu(0), 0x45, true);
	wr(0, LAPIC_EOI, 0);
	assert_int_equal(kit.eois, 0);
	assert_true(is_requested(0, 0x45));
	assert_int_equal(kit.cpu[0].looked, 0);
}

/* ---- LINT0, LINT1 ---- */

static void lint0__as_firmware_leaves_it__is_external_whatever_ppr_is(void **state)
{
	(void)state;
	kit_start(KIT_CPUS);
	wr(0, LAPIC_TPR, 0xff);
	kit.ack = 0x08;
	lapic_pin_set(cpu(0), 0, true);
	assert_int_equal(kit.cpu[0].notified, 1);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_EXTERNAL);
	assert_int_equal(lapic_accept(cpu(0), LAPIC_EXTERNAL), 0x08);
	assert_int_equal(kit.acks, 1);
	assert_int_equal(rd(0, LAPIC_ISR), 0);
	lapic_pin_set(cpu(0), 0, false);
	assert_int_equal(kit.cpu[0].notified, 1);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_NOTHING);
	lapic_pin_set(cpu(1), 0, true); /* masked there */
	assert_int_equal(kit.cpu[1].notified, 0);
	assert_int_equal(lapic_pending(cpu(1)), LAPIC_NOTHING);
}

static void lint0__external_comes_before_what_is_requested(void **state)
{
	(void)state;
	lapic_raise(cpu(0), 0xf0, false);
	lapic_pin_set(cpu(0), 0, true);
	assert_int_equal(lapic_pending(cpu(0)), LAPIC_EXTERNAL);
	wr(0, LAPIC_LVT_LINT0, LAPIC_MASKED | MODE(LAPIC_EXTINT));
	assert_int_equal(lapic_pending(cpu(0)), 0xf0);
}

static void lint0__unmasked_while_high__is_looked_at(void **state)
{
	(void)state;
	lapic_pin_set(cpu(1), 0, true);
	assert_int_equal(kit.cpu[1].notified, 0);
	wr(1, LAPIC_LVT_LINT0, MODE(LAPIC_EXTINT));
	assert_int_equal(kit.cpu[1].looked, 1);
	assert_int_equal(lapic_pending(cpu(1)), LAPIC_EXTERNAL);
}

static void lint__fixed_edge__is_one_interrupt_per_rise(void **state)
{
	(void)state;
	for (unsigned pin = 0; pin < 2; pin++) {
		uint8_t vector = (uint8_t)(0x80 + pin);

		wr(0, LAPIC_LVT_LINT0 + 0x10 * pin, vector);
		lapic_pin_set(cpu(0), pin, true);
		assert_true(is_requested(0, vector));
		assert_false(is_in(0, LAPIC_TMR, vector));
		lapic_accept(cpu(0), vector);
		lapic_pin_set(cpu(0), pin, true);
		assert_false(is_requested(0, vector));
		wr(0, LAPIC_EOI, 0);
		lapic_pin_set(cpu(0), pin, false);
		lapic_pin_set(cpu(0), pin, true);
		assert_true(is_requested(0, vector));
		lapic_accept(cpu(0), vector);
		wr(0, LAPIC_EOI, 0);
	}
}

static void lint0__fixed_level__comes_again_until_it_is_low(void **state)
{
	uint32_t entry = LAPIC_LEVEL | 0x80;

	(void)state;
	wr(0, LAPIC_LVT_LINT0, entry);
	lapic_pin_set(cpu(0), 0, true);
	assert_int_equal(rd(0, LAPIC_LVT_LINT0), entry | 0x4000); /* Remote IRR */
	lapic_accept(cpu(0), 0x80);
	assert_int_equal(rd(0, LAPIC_LVT_LINT0), entry | 0x4000);
	wr(0, LAPIC_EOI, 0);
	assert_true(is_requested(0, 0x80));
	assert_int_equal(kit.cpu[0].notified, 1);
	lapic_accept(cpu(0), 0x80);
	lapic_pin_set(cpu(0), 0, false);
	wr(0, LAPIC_EOI, 0);
	assert_false(is_requested(0, 0x80));
	assert_int_equal(rd(0, LAPIC_LVT_LINT0), entry);
	wr(0, LAPIC_LVT_LINT0, LAPIC_MASKED | entry);
	lapic_pin_set(cpu(0), 0, true);
	assert_false(is_requested(0, 0x80));
	wr(0, LAPIC_LVT_LINT0, entry); /* unmasked while high */
	assert_true(is_requested(0, 0x80));
}

static void lint1__level_bit__changes_nothing(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_LINT1, LAPIC_LEVEL | 0x80);
	lapic_pin_set(cpu(0), 1, true);
	assert_false(is_in(0, LAPIC_TMR, 0x80));
	assert_int_equal(rd(0, LAPIC_LVT_LINT1), LAPIC_LEVEL | 0x80);
}

static void lint__nmi_init_and_others__are_told_or_dropped(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_LINT1, MODE(LAPIC_NMI));
	lapic_pin_set(cpu(0), 1, true);
	assert_int_equal(kit.cpu[0].nmis, 1);
	wr(1, LAPIC_LVT_LINT1, MODE(LAPIC_INIT));
	lapic_pin_set(cpu(1), 1, true);
	assert_int_equal(kit.cpu[1].inits, 1);
	wr(2, LAPIC_LVT_LINT1, MODE(LAPIC_SMI));
	lapic_pin_set(cpu(2), 1, true);
	wr(2, LAPIC_LVT_LINT0, LAPIC_MASKED | MODE(LAPIC_NMI));
	lapic_pin_set(cpu(2), 0, true);
	assert_int_equal(kit.cpu[2].nmis + kit.cpu[2].inits + kit.cpu[2].notified, 0);
}

static void lint__no_such_pin__is_ignored(void **state)
{
	(void)state;
	lapic_pin_set(cpu(0), LAPIC_PINS, true);
	assert_int_equal(kit.cpu[0].notified, 0);
}

static void lint__apic_disabled__is_intr_and_nmi(void **state)
{
	(void)state;
	base_mode(1, 0);
	lapic_pin_set(cpu(1), 0, true);
	assert_int_equal(kit.cpu[1].notified, 1);
	assert_int_equal(lapic_pending(cpu(1)), LAPIC_EXTERNAL);
	lapic_pin_set(cpu(1), 1, true);
	assert_int_equal(kit.cpu[1].nmis, 1);
}

/* ---- ESR ---- */

static void a3_raise__vector_below_16__is_an_error_and_no_interrupt(void **state)
{
	(void)state;
	for (uint8_t vector = 0; vector < 16; vector++) {
		lapic_raise(cpu(0), vector, false);
		assert_int_equal(rd(0, LAPIC_IRR), 0);
		assert_int_equal(lapic_pending(cpu(0)), LAPIC_NOTHING);
		assert_int_equal(rd(0, LAPIC_ESR), 0); /* until it is written */
		wr(0, LAPIC_ESR, 0);
		assert_int_equal(rd(0, LAPIC_ESR), LAPIC_ERROR_RECEIVE_VECTOR);
		wr(0, LAPIC_ESR, 0xffffffff);
		assert_int_equal(rd(0, LAPIC_ESR), 0);
	}
	lapic_raise(cpu(0), 16, false);
	assert_int_equal(lapic_pending(cpu(0)), 16);
}

static void a3_error_interrupt__good_vector__comes__bad_one_is_one_more_error(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_ERROR, 0xfe);
	wr(0, LAPIC_SELF_IPI, 0x40); /* reserved here */
	assert_true(is_requested(0, 0xfe));
	assert_int_equal(kit.cpu[0].looked, 1);
	assert_int_equal(kit.cpu[0].notified, 0);
	wr(0, LAPIC_ESR, 0);
	assert_int_equal(rd(0, LAPIC_ESR), LAPIC_ERROR_REGISTER);
	wr(0, LAPIC_LVT_ERROR, 15);
	wr(0, LAPIC_SELF_IPI, 0x40);
	wr(0, LAPIC_ESR, 0);
	assert_int_equal(rd(0, LAPIC_ESR), LAPIC_ERROR_REGISTER | LAPIC_ERROR_RECEIVE_VECTOR);
	wr(0, LAPIC_LVT_ERROR, 16);
	wr(0, LAPIC_SELF_IPI, 0x40);
	assert_true(is_requested(0, 16));
}

static void esr__reserved_registers__are_errors_when_written_only(void **state)
{
	(void)state;
	for (uint32_t off = 0; off < LAPIC_SIZE; off += 0x10) {
		bool reserved = off < 0x20 || (off > 0x30 && off < 0x80) || off == 0xc0 ||
				(off > 0x280 && off < 0x300) || (off > 0x390 && off < 0x3e0) ||
				off > 0x3e0;

		if (off == LAPIC_ICR || off == LAPIC_ESR || off == LAPIC_LVT_ERROR) {
			continue;
		}
		(void)rd(1, off);
		wr(1, LAPIC_ESR, 0);
		assert_int_equal(rd(1, LAPIC_ESR), 0);
		wr(1, off, 0);
		wr(1, LAPIC_ESR, 0);
		assert_int_equal(rd(1, LAPIC_ESR), reserved ? LAPIC_ERROR_REGISTER : 0);
	}
}

/* ---- modes ---- */

static void a4_base__edges_of_the_modes__are_those_of_the_manual(void **state)
{
	static const uint32_t modes[] = {0, LAPIC_BASE_ENABLE, X2, LAPIC_BASE_X2APIC};
	static const bool allowed[3][4] = {
		{true, true, false, false},
		{true, true, true, false},
		{true, false, true, false},
	};

	(void)state;
	for (unsigned from = 0; from < 3; from++) {
		for (unsigned to = 0; to < 4; to++) {
			base_mode(1, 0);
			base_mode(1, from == 2 ? LAPIC_BASE_ENABLE : modes[from]);
			base_mode(1, modes[from]);
			assert_int_equal(lapic_base_write(cpu(1), LAPIC_BASE | modes[to]),
				allowed[from][to]);
			assert_int_equal(lapic_base_read(cpu(1)),
				LAPIC_BASE | modes[allowed[from][to] ? to : from]);
		}
	}
}

static void a4_base__reserved_bits__are_refused(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = lapic_base_read(cpu(1)) | HV_BIT(bit);
		bool ok = (bit >= 10 && bit < 40) || bit == 8;

		assert_int_equal(lapic_base_write(cpu(1), value), ok);
		assert_int_equal(lapic_base_read(cpu(1)), ok ? value : LAPIC_BASE | 0x800);
		kit_start(KIT_CPUS);
	}
}

static void a4_mmio__disabled_x2apic_or_moved__nothing_is_there(void **state)
{
	uint64_t answer;

	(void)state;
	base_mode(1, 0);
	assert_false(is_there(1));
	assert_false(kit_access(1, LAPIC_TPR, 4, true, 0x55, &answer));
	assert_true(is_there(0));
	base_mode(1, LAPIC_BASE_ENABLE);
	assert_true(is_there(1));
	assert_int_equal(rd(1, LAPIC_TPR), 0);
	base_mode(1, X2);
	assert_false(is_there(1));
	base_mode(1, 0);
	base_mode(1, LAPIC_BASE_ENABLE);
	assert_true(lapic_base_write(cpu(1), 0x42000000 | LAPIC_BASE_ENABLE));
	assert_false(is_there(1));
	assert_true(lapic_base_write(cpu(1), LAPIC_BASE | LAPIC_BASE_ENABLE));
	assert_true(is_there(1));
	assert_true(lapic_base_write(cpu(1), LAPIC_BASE | LAPIC_BASE_ENABLE | LAPIC_BASE_BSP));
	assert_true(is_there(1));
}

static bool moved(uint16_t n, uint64_t gpa, uint8_t size, bool write, uint64_t *data)
{
	struct hv_access access = {.size = size, .write = write, .data = *data, .cpu = n};
	bool done = lapic_access_moved(cpu(n), gpa, &access);

	*data = access.data;
	return done;
}

static void a4_mmio__moved__is_at_its_new_place_and_nowhere_else(void **state)
{
	uint64_t data = 0x30;

	(void)state;
	assert_false(moved(1, LAPIC_BASE + LAPIC_TPR, 4, false, &data)); /* not by this way */
	assert_true(lapic_base_write(cpu(1), 0x42000000 | LAPIC_BASE_ENABLE));
	assert_true(moved(1, 0x42000000 + LAPIC_TPR, 4, true, &data));
	assert_true(moved(1, 0x42000000 + LAPIC_TPR, 4, false, &data));
	assert_int_equal(data, 0x30);
	assert_false(moved(0, 0x42000000 + LAPIC_TPR, 4, false, &data)); /* only its own */
	assert_false(moved(1, 0x41ffffff, 1, false, &data));
	assert_true(moved(1, 0x42000ffc, 4, false, &data));
	assert_false(moved(1, 0x42000ffd, 4, false, &data));
	assert_false(moved(1, 0x42001000, 1, false, &data));
	assert_true(lapic_base_write(cpu(1), 0x42000000 | X2));
	assert_false(moved(1, 0x42000000 + LAPIC_TPR, 4, false, &data));
	assert_true(lapic_base_write(cpu(1), 0x42000000));
	assert_false(moved(1, 0x42000000 + LAPIC_TPR, 4, false, &data));
}

static void a4_msr__not_in_x2apic_mode__is_refused(void **state)
{
	uint64_t value = 7;

	(void)state;
	for (uint32_t msr = LAPIC_MSR; msr < LAPIC_MSR_END; msr++) {
		assert_false(lapic_msr_read(cpu(1), msr, &value));
		assert_false(lapic_msr_write(cpu(1), msr, 0));
	}
	base_mode(1, 0);
	assert_false(lapic_msr_read(cpu(1), LAPIC_MSR + 2, &value));
	assert_int_equal(value, 7);
}

static void base__registers__survive_changes_of_mode_but_for_icrs_destination(void **state)
{
	(void)state;
	wr(1, LAPIC_TPR, 0x20);
	wr(1, LAPIC_LDR, 0x02000000);
	wr(1, LAPIC_ICR_HIGH, 0x02000000);
	enter_x2apic(1);
	assert_int_equal(rdmsr(1, LAPIC_TPR), 0x20);
	assert_int_equal(rdmsr(1, LAPIC_ICR), 0);
	assert_int_equal(rdmsr(1, LAPIC_ID), 1);
	assert_int_equal(rdmsr(1, LAPIC_LDR), 2);
	base_mode(1, 0);
	base_mode(1, LAPIC_BASE_ENABLE);
	assert_int_equal(rd(1, LAPIC_TPR), 0x20);
	assert_int_equal(rd(1, LAPIC_LDR), 0x02000000);
	assert_int_equal(rd(1, LAPIC_ID), 0x01000000);
}

static void base__disabled__delivers_nothing_and_takes_nothing_until_enabled(void **state)
{
	(void)state;
	lapic_raise(cpu(1), 0x50, false);
	base_mode(1, 0);
	assert_int_equal(lapic_pending(cpu(1)), LAPIC_NOTHING);
	lapic_raise(cpu(1), 0x60, false);
	forget_tells();
	base_mode(1, LAPIC_BASE_ENABLE);
	assert_int_equal(kit.cpu[1].looked, 1);
	assert_int_equal(lapic_pending(cpu(1)), 0x50);
}

/* ---- x2APIC's MSRs ---- */

struct msr_row {
	bool read, write;
	uint64_t bits; /* that may be set */
};

static struct msr_row msr_row(uint32_t n)
{
	switch (n) {
	case 0x02:
	case 0x03:
	case 0x0a:
	case 0x0d:
	case 0x39: return (struct msr_row){true, false, 0};
	case 0x08: return (struct msr_row){true, true, 0xff};
	case 0x0b: return (struct msr_row){false, true, 0};
	case 0x0f: return (struct msr_row){true, true, 0x3ff};
	case 0x28: return (struct msr_row){true, true, 0};
	case 0x30: return (struct msr_row){true, true, 0xffffffff000cdfff};
	case 0x32: return (struct msr_row){true, true, 0x710ff};
	case 0x33:
	case 0x34: return (struct msr_row){true, true, 0x117ff};
	case 0x35:
	case 0x36: return (struct msr_row){true, true, 0x1f7ff};
	case 0x37: return (struct msr_row){true, true, 0x110ff};
	case 0x38: return (struct msr_row){true, true, 0xffffffff};
	case 0x3e: return (struct msr_row){true, true, 0xb};
	case 0x3f: return (struct msr_row){false, true, 0xff};
	default: return (struct msr_row){n >= 0x10 && n < 0x28, false, 0};
	}
}

static void x2apic_msr__every_number__can_be_read_and_written_as_the_manual_says(void **state)
{
	uint64_t value;

	(void)state;
	enter_x2apic(1);
	for (uint32_t n = 0; n < 0x100; n++) {
		struct msr_row row = msr_row(n);

		assert_int_equal(lapic_msr_read(cpu(1), LAPIC_MSR + n, &value), row.read);
		assert_int_equal(lapic_msr_write(cpu(1), LAPIC_MSR + n, 0), row.write);
		for (unsigned bit = 0; bit < 64; bit++) {
			assert_int_equal(lapic_msr_write(cpu(1), LAPIC_MSR + n, HV_BIT(bit)),
				row.write && hv_bit(row.bits, bit));
		}
	}
}

static void x2apic_msr__registers__are_those_of_the_memory(void **state)
{
	(void)state;
	enter_x2apic(2);
	assert_true(wrmsr(2, LAPIC_TPR, 0x40));
	assert_int_equal(lapic_cr8(cpu(2)), 4);
	lapic_raise(cpu(2), 0x9c, true);
	assert_int_equal(rdmsr(2, LAPIC_IRR + 0x40), 1u << 0x1c);
	lapic_accept(cpu(2), 0x9c);
	assert_int_equal(rdmsr(2, LAPIC_ISR + 0x40), 1u << 0x1c);
	assert_int_equal(rdmsr(2, LAPIC_TMR + 0x40), 1u << 0x1c);
	assert_int_equal(rdmsr(2, LAPIC_PPR), 0x90);
	assert_true(wrmsr(2, LAPIC_EOI, 0));
	assert_int_equal(kit.eoi, 0x9c);
	assert_int_equal(rdmsr(2, LAPIC_LDR), 4);
	assert_int_equal(rdmsr(2, LAPIC_ID), 2);
	assert_true(wrmsr(2, LAPIC_LVT_ERROR, 0x1042));
	assert_int_equal(rdmsr(2, LAPIC_LVT_ERROR), 0x42);
	assert_true(wrmsr(2, LAPIC_ESR, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(reset__registers__are_as_specified),
		kit_test(reset__whatever_was_written__is_forgotten),
		kit_test(init_reset__mode__stays_and_the_rest_is_as_after_power_on),
		kit_test(registers__every_writable_bit__is_kept_and_no_other),
		kit_test(registers__each_cpu__has_its_own),
		kit_test(registers__other_widths_and_offsets__are_raz_wi),
		kit_test(svr__disabled__masks_every_lvt_and_keeps_it_masked),
		kit_test(svr__disabled__takes_no_more_interrupts_and_delivers_those_it_has),
		kit_test(raise__any_vector__is_requested_pending_and_told_once),
		kit_test(raise__of_several__the_highest_comes_first),
		kit_test(raise__class_of_what_is_in_service__waits),
		kit_test(tpr__masks_its_class_and_below__and_is_looked_at_when_lowered),
		kit_test(tpr__same_class_as_in_service__is_ppr),
		kit_test(cr8__is_the_upper_half_of_tpr),
		kit_test(tmr__follows_the_last_trigger_mode),
		kit_test(eoi__level__is_told_to_the_io_apic__edge_is_not),
		kit_test(a5_eoi__nothing_in_service__does_nothing),
		kit_test(lint0__as_firmware_leaves_it__is_external_whatever_ppr_is),
		kit_test(lint0__external_comes_before_what_is_requested),
		kit_test(lint0__unmasked_while_high__is_looked_at),
		kit_test(lint__fixed_edge__is_one_interrupt_per_rise),
		kit_test(lint0__fixed_level__comes_again_until_it_is_low),
		kit_test(lint1__level_bit__changes_nothing),
		kit_test(lint__nmi_init_and_others__are_told_or_dropped),
		kit_test(lint__no_such_pin__is_ignored),
		kit_test(lint__apic_disabled__is_intr_and_nmi),
		kit_test(a3_raise__vector_below_16__is_an_error_and_no_interrupt),
		kit_test(a3_error_interrupt__good_vector__comes__bad_one_is_one_more_error),
		kit_test(esr__reserved_registers__are_errors_when_written_only),
		kit_test(a4_base__edges_of_the_modes__are_those_of_the_manual),
		kit_test(a4_base__reserved_bits__are_refused),
		kit_test(a4_mmio__disabled_x2apic_or_moved__nothing_is_there),
		kit_test(a4_mmio__moved__is_at_its_new_place_and_nowhere_else),
		kit_test(a4_msr__not_in_x2apic_mode__is_refused),
		kit_test(base__registers__survive_changes_of_mode_but_for_icrs_destination),
		kit_test(base__disabled__delivers_nothing_and_takes_nothing_until_enabled),
		kit_test(x2apic_msr__every_number__can_be_read_and_written_as_the_manual_says),
		kit_test(x2apic_msr__registers__are_those_of_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Who gets what is sent: by ICR, by SELF IPI, from outside. */
#include "lapic_kit.h"

#define VECTOR 0x61u

/* Which CPUs have VECTOR requested, one bit each; they are taken back. */
static uint32_t got(void)
{
	uint32_t who = 0;

	for (unsigned n = 0; n < KIT_CPUS; n++) {
		if (is_requested(n, VECTOR)) {
			who |= 1u << n;
			atomic_store(&cpu(n)->irr[VECTOR / 64], 0);
		}
	}
	return who;
}

static uint32_t esr(unsigned n)
{
	wr(n, LAPIC_ESR, 0);
	return rd(n, LAPIC_ESR);
}

static void assert_told_by_a_look(unsigned n)
{
	assert_int_equal(kit.cpu[n].looked, 1);
	assert_int_equal(kit.cpu[n].notified, 0);
	forget_tells();
}

static void ipi(unsigned n, uint8_t dest, uint32_t low)
{
	wr(n, LAPIC_ICR_HIGH, (uint32_t)dest << 24);
	wr(n, LAPIC_ICR, low);
}

static uint32_t sent_to(uint8_t dest, uint32_t low)
{
	ipi(0, dest, low | VECTOR);
	return got();
}

/* ---- physical destinations and shorthands ---- */

static void icr__physical__is_the_one_with_that_id(void **state)
{
	(void)state;
	for (uint8_t n = 0; n < KIT_CPUS; n++) {
		assert_int_equal(sent_to(n, 0), 1u << n);
	}
	assert_int_equal(esr(0), 0);
	assert_int_equal(rd(0, LAPIC_ICR), VECTOR);
	assert_int_equal(rd(0, LAPIC_ICR_HIGH), 2u << 24);
}

static void icr__to_another__wakes_it__to_itself__is_looked_at(void **state)
{
	(void)state;
	ipi(0, 1, VECTOR);
	assert_int_equal(kit.cpu[1].notified, 1);
	assert_int_equal(kit.cpu[1].looked, 0);
	ipi(0, 0, VECTOR);
	assert_int_equal(kit.cpu[0].notified, 0);
	assert_int_equal(kit.cpu[0].looked, 1);
	wr(0, LAPIC_TPR, 0x70);
	ipi(0, 0, VECTOR + 1); /* masked: nothing to look at */
	assert_int_equal(kit.cpu[0].looked, 1);
}

static void a3_icr__absent_ids__are_an_error_and_nothing_else(void **state)
{
	(void)state;
	for (unsigned id = KIT_CPUS; id < 0xff; id++) {
		assert_int_equal(sent_to((uint8_t)id, 0), 0);
		assert_int_equal(esr(0), LAPIC_ERROR_SEND_ACCEPT);
	}
	for (unsigned id = KIT_CPUS; id < 0xff; id++) {
		ipi(0, (uint8_t)id, MODE(LAPIC_INIT) | LAPIC_ASSERT);
		ipi(0, (uint8_t)id, MODE(LAPIC_SIPI) | 0x9a);
	}
	for (unsigned n = 0; n < LAPIC_CPUS; n++) {
		assert_int_equal(kit.cpu[n].inits + kit.cpu[n].sipis, 0);
	}
}

static void a3_icr__broadcast__reaches_all(void **state)
{
	(void)state;
	assert_int_equal(sent_to(0xff, 0), 7);
	assert_int_equal(sent_to(0xff, LAPIC_LOGICAL), 7);
}

static void a3_icr__shorthands__reach_whom_they_name(void **state)
{
	(void)state;
	assert_int_equal(sent_to(0x55, TO(LAPIC_TO_SELF)), 1);
	assert_int_equal(sent_to(0x55, TO(LAPIC_TO_ALL)), 7);
	assert_int_equal(sent_to(0x55, TO(LAPIC_TO_OTHERS)), 6);
	assert_int_equal(esr(0), 0);
	kit_start(1);
	enable(0);
	ipi(0, 0, TO(LAPIC_TO_OTHERS) | VECTOR);
	assert_int_equal(esr(0), 0); /* there is nobody, and no error */
}

static void a3_icr__vector_below_16__is_the_senders_error(void **state)
{
	(void)state;
	for (uint32_t vector = 0; vector < 16; vector++) {
		ipi(0, 1, vector);
		assert_int_equal(esr(0), LAPIC_ERROR_SEND_VECTOR);
		ipi(0, 1, MODE(LAPIC_LOWEST) | vector);
		assert_int_equal(esr(0), LAPIC_ERROR_SEND_VECTOR);
	}
	assert_int_equal(esr(1), 0);
	assert_int_equal(rd(1, LAPIC_IRR), 0);
	wr(0, LAPIC_LVT_ERROR, 0x40);
	ipi(0, 1, 15);
	assert_told_by_a_look(0);
	atomic_store(&cpu(0)->irr[1], 0);
	ipi(0, 77, VECTOR);
	assert_told_by_a_look(0);
	atomic_store(&cpu(0)->irr[1], 0);
	enter_x2apic(0);
	assert_true(wrmsr(0, LAPIC_SELF_IPI, 15));
	assert_told_by_a_look(0);
	base_mode(0, 0);
	base_mode(0, LAPIC_BASE_ENABLE);
	wr(0, LAPIC_LVT_ERROR, LAPIC_MASKED);
	(void)esr(0);
	ipi(0, 1, MODE(LAPIC_NMI)); /* has no vector */
	assert_int_equal(esr(0), 0);
}

/* ---- logical destinations ---- */

static void a3_icr__flat__is_one_bit_each(void **state)
{
	(void)state;
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		wr(n, LAPIC_LDR, 1u << (24 + n));
	}
	for (unsigned dest = 0; dest < 0xff; dest++) {
		assert_int_equal(sent_to((uint8_t)dest, LAPIC_LOGICAL), dest & 7);
		assert_int_equal(esr(0), dest & 7 ? 0 : LAPIC_ERROR_SEND_ACCEPT);
	}
}

static void a3_icr__cluster__is_the_cluster_and_one_bit_each(void **state)
{
	(void)state;
	wr(0, LAPIC_LDR, 0x11000000);
	wr(1, LAPIC_LDR, 0x12000000);
	wr(2, LAPIC_LDR, 0xf4000000); /* a cluster like any other */
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		wr(n, LAPIC_DFR, 0x0fffffff);
	}
	for (unsigned dest = 0; dest < 0xff; dest++) {
		uint32_t want = dest >> 4 == 1 ? dest & 3 : dest >> 4 == 0xf ? dest & 4 : 0;

		assert_int_equal(sent_to((uint8_t)dest, LAPIC_LOGICAL), want);
	}
	assert_int_equal(sent_to(0xff, LAPIC_LOGICAL), 7);
}

static void a3_icr__reserved_model__matches_only_broadcast(void **state)
{
	(void)state;
	wr(1, LAPIC_LDR, 0x7f000000);
	wr(1, LAPIC_DFR, 0x30000000);
	assert_int_equal(sent_to(0x7f, LAPIC_LOGICAL), 0);
	assert_int_equal(sent_to(0xff, LAPIC_LOGICAL), 7);
}

/* ---- delivery modes ---- */

static void icr__lowest_priority__is_the_lowest_class_then_the_lowest_id(void **state)
{
	uint32_t mode = MODE(LAPIC_LOWEST);

	(void)state;
	assert_int_equal(sent_to(0xff, mode), 1);
	wr(0, LAPIC_TPR, 0x2f);
	wr(1, LAPIC_TPR, 0x1f);
	wr(2, LAPIC_TPR, 0x10);
	assert_int_equal(sent_to(0xff, mode), 2);
	lapic_raise(cpu(1), 0xa0, false);
	lapic_accept(cpu(1), 0xa0);
	assert_int_equal(sent_to(0xff, mode), 4);
	wr(2, LAPIC_SVR, 0xff); /* does not take any */
	assert_int_equal(sent_to(0xff, mode), 1);
	wr(0, LAPIC_SVR, 0xff);
	wr(1, LAPIC_SVR, 0xff);
	assert_int_equal(sent_to(0xff, mode), 0);
	enable_all();
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		wr(n, LAPIC_TPR, 0xf0);
	}
	assert_int_equal(sent_to(0xff, mode), 1);
}

static void icr__nmi_init_sipi__are_told(void **state)
{
	(void)state;
	ipi(0, 1, MODE(LAPIC_NMI) | LAPIC_ASSERT);
	assert_int_equal(kit.cpu[1].nmis, 1);
	ipi(0, 1, MODE(LAPIC_INIT) | LAPIC_ASSERT | LAPIC_LEVEL);
	assert_int_equal(kit.cpu[1].inits, 1);
	ipi(0, 1, MODE(LAPIC_INIT) | LAPIC_LEVEL); /* de-assert */
	assert_int_equal(kit.cpu[1].inits, 1);
	ipi(0, 1, MODE(LAPIC_INIT)); /* an edge has no other end */
	assert_int_equal(kit.cpu[1].inits, 2);
	ipi(0, 1, MODE(LAPIC_SIPI) | 0x9a);
	assert_int_equal(kit.cpu[1].sipis, 1);
	assert_int_equal(kit.cpu[1].sipi, 0x9a);
	ipi(0, 1, MODE(LAPIC_SIPI) | 0x05); /* a page, not a vector */
	assert_int_equal(kit.cpu[1].sipi, 0x05);
	assert_int_equal(esr(0), 0);
}

static void a3_icr__init_and_sipi__reach_the_sender_only_by_its_id(void **state)
{
	static const enum lapic_mode modes[] = {LAPIC_INIT, LAPIC_SIPI};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(modes); i++) {
		uint32_t low = MODE(modes[i]) | LAPIC_ASSERT;

		forget_tells();
		ipi(0, 0, low | TO(LAPIC_TO_SELF));
		ipi(0, 0, low | TO(LAPIC_TO_ALL));
		ipi(0, 0, low | TO(LAPIC_TO_OTHERS));
		assert_int_equal(kit.cpu[0].inits + kit.cpu[0].sipis, 0);
		assert_int_equal(kit.cpu[1].inits + kit.cpu[1].sipis, 2);
		ipi(0, 0, low);
		assert_int_equal(kit.cpu[0].inits + kit.cpu[0].sipis, 1);
	}
	ipi(0, 0, MODE(LAPIC_NMI) | TO(LAPIC_TO_ALL));
	assert_int_equal(kit.cpu[0].nmis, 1);
}

static void a3_icr__smi_reserved_and_extint__are_dropped(void **state)
{
	static const unsigned modes[] = {LAPIC_SMI, 3, LAPIC_EXTINT};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(modes); i++) {
		assert_int_equal(sent_to(0xff, MODE(modes[i])), 0);
		assert_int_equal(kit.cpu[1].inits + kit.cpu[1].nmis + kit.cpu[1].sipis, 0);
		assert_int_equal(lapic_pending(cpu(1)), LAPIC_NOTHING);
	}
}

static void icr__trigger_mode__ipis_are_edges(void **state)
{
	(void)state;
	ipi(0, 1, LAPIC_LEVEL | LAPIC_ASSERT | VECTOR);
	assert_false(is_in(1, LAPIC_TMR, VECTOR));
}

static void a3_icr__disabled_target__hears_nothing(void **state)
{
	(void)state;
	base_mode(1, 0);
	ipi(0, 1, MODE(LAPIC_INIT) | LAPIC_ASSERT);
	ipi(0, 1, MODE(LAPIC_NMI));
	ipi(0, 1, MODE(LAPIC_SIPI) | 8);
	ipi(0, 1, VECTOR);
	assert_int_equal(kit.cpu[1].inits + kit.cpu[1].nmis + kit.cpu[1].sipis, 0);
	assert_int_equal(kit.cpu[1].notified, 0);
}

/* ---- x2APIC ---- */

static uint32_t x2_sent_to(uint32_t dest, uint32_t low)
{
	assert_true(wrmsr(0, LAPIC_ICR, (uint64_t)dest << 32 | low | VECTOR));
	return got();
}

static void x2apic_icr__one_write__is_destination_and_command(void **state)
{
	(void)state;
	for (unsigned n = 0; n < KIT_CPUS; n++) {
		enter_x2apic(n);
	}
	assert_int_equal(x2_sent_to(2, 0), 4);
	assert_int_equal(rdmsr(0, LAPIC_ICR), 2ull << 32 | VECTOR);
	assert_int_equal(x2_sent_to(0xff, 0), 0); /* an id here */
	assert_int_equal(x2_sent_to(0xffffffff, 0), 7);
	assert_int_equal(x2_sent_to(0xffffffff, LAPIC_LOGICAL), 7);
	assert_int_equal(x2_sent_to(0x80000001, 0), 0);
	assert_int_equal(x2_sent_to(5, LAPIC_LOGICAL), 5);
	assert_int_equal(x2_sent_to(0x10005, LAPIC_LOGICAL), 0); /* another cluster */
	assert_int_equal(x2_sent_to(0x00000008, LAPIC_LOGICAL), 0);
	assert_int_equal(x2_sent_to(0, TO(LAPIC_TO_OTHERS)), 6);
}

static void x2apic_icr__targets_in_xapic_mode__have_ids_of_8_bits(void **state)
{
	(void)state;
	enter_x2apic(0);
	wr(1, LAPIC_LDR, 0x02000000);
	assert_int_equal(x2_sent_to(1, 0), 2);
	assert_int_equal(x2_sent_to(2, LAPIC_LOGICAL), 2);
	assert_int_equal(x2_sent_to(0x102, LAPIC_LOGICAL), 0);
	assert_int_equal(x2_sent_to(0xff, LAPIC_LOGICAL), 3); /* no broadcast */
	assert_int_equal(x2_sent_to(0xffffffff, 0), 7);
}

static void xapic_icr__targets_in_x2apic_mode__are_matched_by_their_own(void **state)
{
	(void)state;
	enter_x2apic(2);
	assert_int_equal(sent_to(2, 0), 4);
	assert_int_equal(sent_to(4, LAPIC_LOGICAL), 4);
	assert_int_equal(sent_to(0xff, 0), 7);
}

static void self_ipi__vector__is_requested_and_looked_at(void **state)
{
	(void)state;
	enter_x2apic(1);
	assert_true(wrmsr(1, LAPIC_SELF_IPI, VECTOR));
	assert_int_equal(rdmsr(1, LAPIC_TMR + VECTOR / 32 * 0x10), 0);
	assert_int_equal(got(), 2);
	assert_int_equal(kit.cpu[1].looked, 1);
	assert_int_equal(kit.cpu[1].notified, 0);
	assert_true(wrmsr(1, LAPIC_SELF_IPI, 15));
	assert_true(wrmsr(1, LAPIC_ESR, 0));
	assert_int_equal(rdmsr(1, LAPIC_ESR), LAPIC_ERROR_SEND_VECTOR);
	assert_true(wrmsr(1, LAPIC_SELF_IPI, 16));
	assert_int_equal(lapic_pending(cpu(1)), 16);
}

/* ---- messages from outside ---- */

#define ADDRESS(dest) (0xfee00000u | (uint32_t)(dest) << 12)
#define REDIRECT      8u
#define LOGICAL       4u

static void msi__destinations__are_those_of_an_8_bit_icr(void **state)
{
	(void)state;
	assert_true(lapics_msi(&kit.lapics, ADDRESS(1), VECTOR));
	assert_int_equal(got(), 2);
	assert_int_equal(kit.cpu[1].notified, 1);
	assert_true(lapics_msi(&kit.lapics, ADDRESS(0xff), VECTOR));
	assert_int_equal(got(), 7);
	wr(2, LAPIC_LDR, 0x40000000);
	assert_true(lapics_msi(&kit.lapics, ADDRESS(0x40) | LOGICAL, VECTOR));
	assert_int_equal(got(), 4);
	assert_false(lapics_msi(&kit.lapics, ADDRESS(0x20) | LOGICAL, VECTOR));
	assert_false(lapics_msi(&kit.lapics, ADDRESS(9), VECTOR));
	assert_int_equal(got(), 0);
}

static void msi__level__is_accepted_when_asserted(void **state)
{
	(void)state;
	assert_true(lapics_msi(&kit.lapics, ADDRESS(1), LAPIC_LEVEL | LAPIC_ASSERT | VECTOR));
	assert_true(is_in(1, LAPIC_TMR, VECTOR));
	assert_int_equal(got(), 2);
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), LAPIC_LEVEL | VECTOR));
	assert_int_equal(got(), 0);
}

static void msi__lowest_priority_or_redirection__is_one_of_them(void **state)
{
	(void)state;
	wr(0, LAPIC_TPR, 0x10);
	assert_true(lapics_msi(&kit.lapics, ADDRESS(0xff), MODE(LAPIC_LOWEST) | VECTOR));
	assert_int_equal(got(), 2);
	assert_true(lapics_msi(&kit.lapics, ADDRESS(0xff) | REDIRECT, VECTOR));
	assert_int_equal(got(), 2);
	assert_true(lapics_msi(&kit.lapics, ADDRESS(2) | REDIRECT, MODE(LAPIC_NMI)));
	assert_int_equal(kit.cpu[2].nmis, 1);
}

static void a3_msi__what_only_icr_can_send__is_refused(void **state)
{
	(void)state;
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), MODE(LAPIC_SIPI) | VECTOR));
	assert_int_equal(kit.cpu[1].sipis, 0);
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), MODE(LAPIC_EXTINT) | VECTOR));
	assert_true(lapics_msi(&kit.lapics, ADDRESS(1), MODE(LAPIC_INIT)));
	assert_int_equal(kit.cpu[1].inits, 1);
}

static void a3_msi__bad_vector_or_nobody_to_take_it__is_refused(void **state)
{
	(void)state;
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), 15));
	assert_int_equal(esr(1), LAPIC_ERROR_RECEIVE_VECTOR);
	wr(1, LAPIC_SVR, 0xff);
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), VECTOR));
	wr(2, LAPIC_SVR, 0xff);
	assert_true(lapics_msi(&kit.lapics, ADDRESS(0xff), VECTOR)); /* one of them does */
	base_mode(1, 0);
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), VECTOR));
	assert_false(lapics_msi(&kit.lapics, ADDRESS(1), MODE(LAPIC_NMI)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(icr__physical__is_the_one_with_that_id),
		kit_test(icr__to_another__wakes_it__to_itself__is_looked_at),
		kit_test(a3_icr__absent_ids__are_an_error_and_nothing_else),
		kit_test(a3_icr__broadcast__reaches_all),
		kit_test(a3_icr__shorthands__reach_whom_they_name),
		kit_test(a3_icr__vector_below_16__is_the_senders_error),
		kit_test(a3_icr__flat__is_one_bit_each),
		kit_test(a3_icr__cluster__is_the_cluster_and_one_bit_each),
		kit_test(a3_icr__reserved_model__matches_only_broadcast),
		kit_test(icr__lowest_priority__is_the_lowest_class_then_the_lowest_id),
		kit_test(icr__nmi_init_sipi__are_told),
		kit_test(a3_icr__init_and_sipi__reach_the_sender_only_by_its_id),
		kit_test(a3_icr__smi_reserved_and_extint__are_dropped),
		kit_test(icr__trigger_mode__ipis_are_edges),
		kit_test(a3_icr__disabled_target__hears_nothing),
		kit_test(x2apic_icr__one_write__is_destination_and_command),
		kit_test(x2apic_icr__targets_in_xapic_mode__have_ids_of_8_bits),
		kit_test(xapic_icr__targets_in_x2apic_mode__are_matched_by_their_own),
		kit_test(self_ipi__vector__is_requested_and_looked_at),
		kit_test(msi__destinations__are_those_of_an_8_bit_icr),
		kit_test(msi__level__is_accepted_when_asserted),
		kit_test(msi__lowest_priority_or_redirection__is_one_of_them),
		kit_test(a3_msi__what_only_icr_can_send__is_refused),
		kit_test(a3_msi__bad_vector_or_nobody_to_take_it__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

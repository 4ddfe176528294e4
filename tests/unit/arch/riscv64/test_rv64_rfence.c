/* SPDX-License-Identifier: MIT */
/* Lists of harts: interrupts and fences for others. */
#include "sbi_kit.h"

#define ALL ~(uint64_t)0

/* Which harts have an interrupt waiting; and forgets it. */
static unsigned took_ipi(void)
{
	unsigned mask = 0;

	for (unsigned n = 0; n < KIT_VCPUS; n++) {
		mask |= (unsigned)kit_has_line(n, RV64_VSSI) << n;
		atomic_store(&kit_vcpu(n)->lines, 0);
	}
	return mask;
}

/* ---- IPI ---- */

static void ipi__mask_and_base__those_harts(void **state)
{
	static const struct {
		uint64_t mask, base;
		unsigned want;
	} row[] = {
		{1, 0, 1}, {7, 0, 7}, {5, 0, 5}, {1, 2, 4}, {3, 1, 6}, {0, 0, 0}, {0, 99, 0},
		{0, ALL, 7}, {0x123, ALL, 7}, /* base -1: whatever the mask is */
		{HV_BIT(63), ALL - 62, 1},    /* base + 63 wraps to 0 */
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		assert_int_equal(sbi_call(SBI_IPI, 0, row[i].mask, row[i].base, 0), SBI_SUCCESS);
		assert_int_equal(sbi_value, 0);
		assert_int_equal(sbi_verdict, HV_RESUME);
		assert_int_equal(took_ipi(), row[i].want);
	}
}

static void l6_h6_ipi__harts_that_are_not__invalid_and_nobody_is_told(void **state)
{
	static const struct {
		uint64_t mask, base;
	} row[] = {{8, 0}, {0xf, 0}, {HV_BIT(63), 0}, {ALL, 0}, {1, 3}, {3, 2}, {1, HV_BIT(63)},
		{1, ALL - 1}, {1, 64}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		assert_int_equal(
			sbi_call(SBI_IPI, 0, row[i].mask, row[i].base, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(sbi_value, 0);
		assert_int_equal(took_ipi(), 0);
		assert_int_equal(sbi_call(SBI_RFENCE, 0, row[i].mask, row[i].base, 0),
			SBI_ERR_INVALID_PARAM);
	}
	assert_int_equal(fake_rv64.fences, 0);
}

static void ipi__sparse_hart_ids__by_id_not_by_index(void **state)
{
	(void)state;
	kit_vcpu(1)->hart_id = 68;
	kit_vcpu(2)->hart_id = HV_BIT(40);
	assert_int_equal(sbi_call(SBI_IPI, 0, HV_BIT(4), 64, 0), SBI_SUCCESS);
	assert_int_equal(took_ipi(), 2);
	assert_int_equal(sbi_call(SBI_IPI, 0, 1, HV_BIT(40), 0), SBI_SUCCESS);
	assert_int_equal(took_ipi(), 4);
	assert_int_equal(sbi_call(SBI_IPI, 0, 2, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(took_ipi(), 0);
}

static void ipi__waiting_hart__is_woken_and_kicked(void **state)
{
	(void)state;
	kit_run(1);
	hv_vcpu_leave(kit.vm->vcpu[1], HV_BLOCK);
	fake_port.kicks = 0;
	assert_int_equal(sbi_call(SBI_IPI, 0, 2, 0, 0), SBI_SUCCESS);
	assert_int_equal(kit.vm->vcpu[1]->state, HV_VCPU_READY);
	assert_int_equal(fake_port.kicks, 1);
	assert_int_equal(fake_port.kicked_pcpu, 1);
}

static void legacy_clear_ipi__says_whether_there_was_one(void **state)
{
	(void)state;
	assert_int_equal(sbi_legacy(SBI_LEGACY_CLEAR_IPI, 5, 6, 7, 8), 0);
	rv64_ipi_send(kit.vcpu);
	assert_int_equal(sbi_legacy(SBI_LEGACY_CLEAR_IPI, 5, 6, 7, 8), 1);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_false(kit_has_line(0, RV64_VSSI));
	assert_int_equal(rv64_entry_prepare(kit.vcpu).clear & HV_BIT(RV64_VSSI), 4);
}

/* ---- RFENCE ---- */

static int64_t fence(uint64_t fn, uint64_t start, uint64_t size)
{
	int64_t error;

	fake_rv64.fences = 0;
	error = sbi_call5(SBI_RFENCE, fn, (const uint64_t[5]){5, 0, start, size, 0xabcd0042});
	assert_int_equal(sbi_value, 0);
	assert_int_equal(sbi_verdict, HV_RESUME);
	return error;
}

static void fenced(enum rv64_fence_op op, uint32_t vcpus, uint64_t start, uint64_t size)
{
	assert_int_equal(fake_rv64.fences, 1);
	assert_ptr_equal(fake_rv64.fence_vm, kit.vm);
	assert_int_equal(fake_rv64.fence.op, op);
	assert_int_equal(fake_rv64.fence.vcpus, vcpus);
	assert_int_equal(fake_rv64.fence.start, start);
	assert_int_equal(fake_rv64.fence.size, size);
}

static void rfence__fence_i__everything(void **state)
{
	(void)state;
	/* Whatever lies in the registers of a range. */
	assert_int_equal(fence(SBI_RFENCE_FENCE_I, ALL, 5), SBI_SUCCESS);
	fenced(RV64_FENCE_I, 5, 0, ALL);
	fake_rv64.fences = 0;
	assert_int_equal(sbi_call(SBI_RFENCE, 0, 0, ALL, 0), SBI_SUCCESS);
	fenced(RV64_FENCE_I, 7, 0, ALL);
}

static void h6_rfence__range__pages_or_everything(void **state)
{
	static const struct {
		uint64_t start, size, want_start, want_size;
	} row[] = {
		{0, 0, 0, ALL},
		{0, ALL, 0, ALL},
		{0x5000, ALL, 0, ALL},
		{ALL, ALL, 0, ALL},
		{0x5000, 0x1000, 0x5000, 0x1000},
		{0x5fff, 1, 0x5000, 0x1000},
		{0x5fff, 2, 0x5000, 0x2000},
		{0, 1, 0, 0x1000},
		{0x5000, 0x40000, 0x5000, 0x40000}, /* 64 pages */
		{0x5000, 0x40001, 0, ALL},
		{0x5001, 0x40000, 0, ALL},
		{0, HV_BIT(63), 0, ALL},
		{0xffffffff80000000, 0x3000, 0xffffffff80000000, 0x3000},
		{0xfffffffffffff000, 0x1000, 0xfffffffffffff000, 0x1000}, /* up to 2^64 */
		{ALL, 1, 0xfffffffffffff000, 0x1000},
		{0x1000, ALL - 0xfff, 0, ALL},
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		assert_int_equal(
			fence(SBI_RFENCE_SFENCE_VMA, row[i].start, row[i].size), SBI_SUCCESS);
		fenced(RV64_FENCE_VMA, 5, row[i].want_start, row[i].want_size);
		assert_int_equal(
			fence(SBI_RFENCE_SFENCE_VMA_ASID, row[i].start, row[i].size), SBI_SUCCESS);
		fenced(RV64_FENCE_VMA_ASID, 5, row[i].want_start, row[i].want_size);
		assert_int_equal(fake_rv64.fence.asid, 0x42);
	}
}

static void h6_rfence__range_wraps__invalid_address(void **state)
{
	static const struct {
		uint64_t start, size;
	} row[] = {{0x1000, ALL - 0xffe}, {ALL, 2}, {0xfffffffffffff000, 0x1001}, {3, ALL - 1},
		{HV_BIT(63), HV_BIT(63) + 1}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		assert_int_equal(fence(SBI_RFENCE_SFENCE_VMA, row[i].start, row[i].size),
			SBI_ERR_INVALID_ADDRESS);
		assert_int_equal(fence(SBI_RFENCE_SFENCE_VMA_ASID, row[i].start, row[i].size),
			SBI_ERR_INVALID_ADDRESS);
	}
	assert_int_equal(fake_rv64.fences, 0);
}

static void rfence__nothing_to_do__nobody_is_asked(void **state)
{
	(void)state;
	assert_int_equal(fence(SBI_RFENCE_SFENCE_VMA, 0x5000, 0), SBI_SUCCESS);
	assert_int_equal(sbi_call(SBI_RFENCE, SBI_RFENCE_FENCE_I, 0, 0, 0), SBI_SUCCESS);
	assert_int_equal(fake_rv64.fences, 0);
}

/* ---- lists in the guest's memory ---- */

#define AT     (KIT_RAM + 0x2000)
#define RAM_AT (kit_ram + 0x2000)

static void mask_in_memory(uint64_t mask)
{
	for (unsigned i = 0; i < 8; i++) {
		RAM_AT[i] = (uint8_t)(mask >> 8 * i);
	}
}

static void legacy_lists__pointer_to_a_mask__those_harts(void **state)
{
	static const struct {
		uint64_t mask;
		unsigned want;
	} row[] = {
		{1, 1}, {6, 6}, {0, 0}, {ALL, 7}, {HV_BIT(63) | 2, 2}}; /* others never mattered */

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		mask_in_memory(row[i].mask);
		assert_int_equal(sbi_legacy(SBI_LEGACY_SEND_IPI, AT, 1, 2, 3), 0);
		assert_int_equal(sbi_verdict, HV_RESUME);
		assert_int_equal(took_ipi(), row[i].want);
	}
	assert_int_equal(sbi_legacy(SBI_LEGACY_SEND_IPI, 0, 1, 2, 3), 0); /* no list: all */
	assert_int_equal(took_ipi(), 7);
}

static void legacy_fences__as_the_new_ones(void **state)
{
	(void)state;
	mask_in_memory(6);
	assert_int_equal(sbi_legacy(SBI_LEGACY_FENCE_I, AT, 0x5000, 0x1000, 3), 0);
	fenced(RV64_FENCE_I, 6, 0, ALL);
	fake_rv64.fences = 0;
	assert_int_equal(sbi_legacy(SBI_LEGACY_SFENCE_VMA, AT, 0x5000, 0x1000, 3), 0);
	fenced(RV64_FENCE_VMA, 6, 0x5000, 0x1000);
	fake_rv64.fences = 0;
	assert_int_equal(sbi_legacy(SBI_LEGACY_SFENCE_VMA_ASID, 0, 0, 0, 3), 0);
	fenced(RV64_FENCE_VMA_ASID, 7, 0, ALL);
	assert_int_equal(fake_rv64.fence.asid, 3);
	fake_rv64.fences = 0;
	assert_int_equal(sbi_legacy(SBI_LEGACY_SFENCE_VMA, AT, ALL, 2, 3), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(fake_rv64.fences, 0);
}

/* Sv39: one leaf of 1 GiB for the RAM at VA 0, another that only user mode may read. */
static void page_tables(void)
{
	static const struct {
		unsigned index;
		uint64_t pte;
	} row[] = {{0, 0x80000000 >> 2 | 0xc7}, {1, 0x80000000 >> 2 | 0xd7},
		{2, 0x40000000 >> 2 | 0xc7}};

	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		for (unsigned n = 0; n < 8; n++) {
			kit_ram[8 * row[i].index + n] = (uint8_t)(row[i].pte >> 8 * n);
		}
	}
	fake_rv64.vs.vsatp = HV_BIT(63) | KIT_RAM >> 12;
}

static void legacy_lists__through_the_guests_translation(void **state)
{
	(void)state;
	page_tables();
	mask_in_memory(5);
	assert_int_equal(sbi_legacy(SBI_LEGACY_SEND_IPI, 0x2000, 1, 2, 3), 0);
	assert_int_equal(took_ipi(), 5);
}

/* What its own load would have got, at the ecall; a0 stays. */
static void h8_legacy_lists__bad_pointer__guest_takes_the_fault(void **state)
{
	static const struct {
		uint64_t va, cause;
		bool paged;
	} row[] = {
		{AT + 4, 4, false}, {AT + 1, 4, false}, {KIT_DEV, 5, false},
		{KIT_NOTHING, 5, false}, {KIT_RAM + KIT_RAM_SIZE, 5, false}, {ALL - 7, 5, false},
		{0xc0000000, 13, true},         /* not mapped */
		{0x40002000, 13, true},         /* user memory */
		{0x80000000, 5, true},          /* mapped, but nothing is there */
		{0x8000000000002000, 13, true}, /* no address of Sv39 */
	};
	static const unsigned calls[] = {
		SBI_LEGACY_SEND_IPI, SBI_LEGACY_FENCE_I, SBI_LEGACY_SFENCE_VMA_ASID};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row) * HV_ARRAY_COUNT(calls); i++) {
		uint64_t va = row[i / HV_ARRAY_COUNT(calls)].va;

		kit_setup(NULL);
		if (row[i / HV_ARRAY_COUNT(calls)].paged) {
			page_tables();
		}
		assert_int_equal(sbi_legacy(calls[i % HV_ARRAY_COUNT(calls)], va, 1, 2, 3), va);
		assert_int_equal(sbi_verdict, HV_RESUME);
		kit_took(SBI_PC - 4, row[i / HV_ARRAY_COUNT(calls)].cause, va);
		assert_int_equal(took_ipi(), 0);
		assert_int_equal(fake_rv64.fences, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(ipi__mask_and_base__those_harts),
		kit_test(l6_h6_ipi__harts_that_are_not__invalid_and_nobody_is_told),
		kit_test(ipi__sparse_hart_ids__by_id_not_by_index),
		kit_test(ipi__waiting_hart__is_woken_and_kicked),
		kit_test(legacy_clear_ipi__says_whether_there_was_one),
		kit_test(rfence__fence_i__everything),
		kit_test(h6_rfence__range__pages_or_everything),
		kit_test(h6_rfence__range_wraps__invalid_address),
		kit_test(rfence__nothing_to_do__nobody_is_asked),
		kit_test(legacy_lists__pointer_to_a_mask__those_harts),
		kit_test(legacy_fences__as_the_new_ones),
		kit_test(legacy_lists__through_the_guests_translation),
		kit_test(h8_legacy_lists__bad_pointer__guest_takes_the_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

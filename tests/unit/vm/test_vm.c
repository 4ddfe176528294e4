/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <fake_dev.h>
#include <fake_vm.h>
#include <hv/power.h>

static struct fake_vm fake;

static int setup(void **state)
{
	unit_setup(state);
	fake_vm_start(&fake, 2);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_free(&fake);
	return unit_teardown(state);
}

/* ---- create ---- */

static void vm_create__takes_its_parts__all_off_and_empty(void **state)
{
	struct hv_vm_cfg cfg = fake_vm_prepare(&fake, HV_VCPUS);
	struct hv_vm *vm;

	(void)state;
	assert_int_equal(hv_vm_create(&vm, &cfg, &fake.arena), HV_OK);
	assert_int_equal(vm->state, HV_VM_CREATING);
	assert_int_equal(vm->id, 7);
	assert_int_equal(vm->pt.vmid, 7);
	assert_int_equal(vm->vcpu_count, HV_VCPUS);
	assert_int_equal(vm->stop, HV_STOP_NONE);
	for (unsigned i = 0; i < HV_VCPUS; i++) {
		assert_ptr_equal(vm->vcpu[i]->vm, vm);
		assert_int_equal(vm->vcpu[i]->index, i);
		assert_int_equal(vm->vcpu[i]->state, HV_VCPU_OFF);
		assert_int_equal((uintptr_t)vm->vcpu[i] % 64, 0);
	}
	assert_int_equal(vm->gmem.count + vm->bus.count + vm->pio.count, 0);
	assert_int_equal(hv_vm_destroy(vm), HV_OK);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
	fake_vm_free(&fake);
}

static void vm_create__bad_configuration__is_invalid_and_takes_nothing(void **state)
{
	const struct hv_arch small = {.vcpu_size = sizeof(struct hv_vcpu) - 1};
	struct hv_vm_cfg good = fake_vm_prepare(&fake, 2), bad[6];
	struct hv_vm *vm;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		bad[i] = good;
	}
	bad[0].vcpu_count = 0;
	bad[1].vcpu_count = HV_VCPUS + 1;
	bad[2].arch = NULL;
	bad[3].arch = &small;
	bad[4].pages = NULL;
	bad[5].ia_bits = 64; /* what the nested format lacks */
	for (unsigned i = 0; i < 6; i++) {
		vm = (void *)1;
		assert_int_equal(hv_vm_create(&vm, &bad[i], &fake.arena), HV_ERR_INVALID);
		assert_null(vm);
		assert_int_equal(fake.arena.used, 0);
		assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
	}
	fake_vm_free(&fake);
}

static void vm_create__arena_of_every_size__fits_or_takes_nothing(void **state)
{
	struct hv_vm_cfg cfg = fake_vm_prepare(&fake, 3);
	size_t whole = fake.arena.size;
	bool fits = false;

	(void)state;
	for (fake.arena.size = 0; fake.arena.size <= whole && !fits; fake.arena.size += 8) {
		struct hv_vm *vm = (void *)1;
		enum hv_status status = hv_vm_create(&vm, &cfg, &fake.arena);

		fits = status == HV_OK;
		if (!fits) {
			assert_int_equal(status, HV_ERR_NO_MEMORY);
			assert_null(vm);
			assert_int_equal(fake.arena.used, 0);
			assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
		}
	}
	assert_true(fits); /* so hv_vm_arena_size() is enough */
	fake_vm_free(&fake);
}

static void vm_create__page_pool_of_every_size__fits_or_takes_nothing(void **state)
{
	struct hv_vm_cfg cfg = fake_vm_prepare(&fake, 1);
	bool fits = false;

	(void)state;
	for (uint32_t pages = 0; pages <= FAKE_VM_PAGES && !fits; pages++) {
		struct hv_vm *vm = (void *)1;
		enum hv_status status;

		hv_pages_init(&fake.pool, fake.pool.base, fake.pool.hpa, pages);
		status = hv_vm_create(&vm, &cfg, &fake.arena);
		fits = status == HV_OK;
		if (!fits) {
			assert_int_equal(status, HV_ERR_NO_MEMORY);
			assert_null(vm);
			assert_int_equal(fake.arena.used, 0);
			assert_int_equal(fake.pool.free_count, pages);
		}
	}
	assert_true(fits);
	fake_vm_free(&fake);
}

/* ---- seal ---- */

static void vm_seal__maps_what_is_not_lazy(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	fake_vm_create(&fake, 1);
	assert_int_equal(hv_vm_seal(fake.vm), HV_OK);
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(
		hv_pt_lookup(&fake.vm->pt, GPA(FAKE_VM_RAM + 0x1234), &pte, &level), HV_OK);
	assert_int_equal(pte.pa, FAKE_VM_RAM_HPA + 0x1234);
	assert_int_equal(level, 1);
	assert_int_equal(
		hv_pt_lookup(&fake.vm->pt, GPA(FAKE_VM_ROM), &pte, &level), HV_ERR_NOT_FOUND);
	fake_vm_free(&fake);
}

static void vm_seal__page_pool_of_every_size__fits_or_the_vm_can_only_be_destroyed(void **state)
{
	bool fits = false;

	(void)state;
	for (uint32_t left = 0; left <= FAKE_VM_PAGES && !fits; left++) {
		uint32_t before;
		enum hv_status status;

		fake_vm_create(&fake, 1);
		fake.vm->gmem.region[0].lazy = false; /* the ROM: pages, so one table more */
		before = fake.pool.free_count;
		while (fake.pool.free_count > left) {
			hpa_t page;

			assert_int_equal(hv_pages_take(&fake.pool, 1, &page), HV_OK);
		}
		status = hv_vm_seal(fake.vm);
		fits = status == HV_OK;
		if (!fits) {
			assert_int_equal(status, HV_ERR_NO_MEMORY);
			assert_int_equal(fake.vm->state, HV_VM_CREATING);
			assert_int_equal(hv_vm_start(fake.vm, GPA(FAKE_VM_PC), 0), HV_ERR_STATE);
		}
		assert_int_equal(hv_vm_destroy(fake.vm), HV_OK);
		assert_int_equal(fake.pool.free_count, left + FAKE_VM_PAGES - before);
		fake_vm_free(&fake);
	}
	assert_true(fits);
}

/* ---- every verb in every state ---- */

static enum hv_status do_seal(struct hv_vm *vm)
{
	return hv_vm_seal(vm);
}

static enum hv_status do_start(struct hv_vm *vm)
{
	return hv_vm_start(vm, GPA(FAKE_VM_PC), 0);
}

static enum hv_status do_stop(struct hv_vm *vm)
{
	hv_vm_stop(vm, HV_STOP_OFF);
	return HV_OK;
}

static enum hv_status do_crash(struct hv_vm *vm)
{
	return hv_vm_crash(vm->vcpu[0], "test", 1, 2) == HV_CRASH ? HV_OK : HV_ERR_INVALID;
}

/* A VM in any state, by the shortest way. */
static void bring(enum hv_vm_state to)
{
	fake_vm_create(&fake, 2);
	if (to == HV_VM_CREATING) {
		return;
	}
	assert_int_equal(hv_vm_seal(fake.vm), HV_OK);
	if (to == HV_VM_RUNNING || to == HV_VM_PAUSED) {
		assert_int_equal(do_start(fake.vm), HV_OK);
	}
	if (to == HV_VM_PAUSED) {
		assert_int_equal(hv_vm_pause(fake.vm), HV_OK);
	}
	if (to == HV_VM_DESTROYING) {
		assert_int_equal(hv_vm_destroy(fake.vm), HV_OK);
	}
	assert_int_equal(fake.vm->state, to);
}

static void vm_verbs__each_in_each_state__moves_or_is_refused_and_stays(void **state)
{
	static const struct {
		enum hv_status (*verb)(struct hv_vm *vm);
		/* What comes of it from CREATING, STOPPED, RUNNING, PAUSED, DESTROYING; ! refused.
		 */
		const char *after;
	} rows[] = {
		{do_seal, "S!!!!"},
		{do_start, "!R!R!"},
		{hv_vm_pause, "!!P!!"},
		{do_stop, "CSSSD"},
		{do_crash, "CSSSD"},
		{hv_vm_reset, "!S!!!"},
		{hv_vm_destroy, "DD!D!"},
	};
	static const char letters[] = "CSRPD";

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		for (unsigned from = 0; from < HV_VM_STATES; from++) {
			char after = rows[row].after[from];
			enum hv_status status;

			bring(from);
			status = rows[row].verb(fake.vm);
			assert_int_equal(status, after == '!' ? HV_ERR_STATE : HV_OK);
			assert_int_equal(
				letters[fake.vm->state], after == '!' ? letters[from] : after);
			assert_int_equal(fake_port.locks_held, 0);
			fake_vm_free(&fake);
		}
	}
}

/* ---- start, pause, stop ---- */

static void vm_start__fresh__only_vcpu_0_is_ready(void **state)
{
	(void)state;
	assert_int_equal(fake.vm->vcpu[0]->state, HV_VCPU_READY);
	assert_int_equal(fake.vm->vcpu[1]->state, HV_VCPU_OFF);
	assert_int_equal(hv_vcpu_enter(fake.vm->vcpu[0], 1), HV_OK);
	assert_int_equal(fake_vcpu(fake.vm->vcpu[0])->pc.v, FAKE_VM_PC);
}

static void vm_start__after_a_run_without_reset__is_refused(void **state)
{
	(void)state;
	hv_vm_stop(fake.vm, HV_STOP_REBOOT);
	assert_int_equal(do_start(fake.vm), HV_ERR_STATE);
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(hv_vm_reset(fake.vm), HV_OK);
	assert_int_equal(do_start(fake.vm), HV_OK);
}

static void vm_pause__running_vcpus_are_kicked_out_and_nobody_enters_until_start(void **state)
{
	struct hv_vcpu *vcpu = fake.vm->vcpu[0];

	(void)state;
	assert_int_equal(hv_vcpu_enter(vcpu, 3), HV_OK);
	fake_port.kicks = 0;
	assert_int_equal(hv_vm_pause(fake.vm), HV_OK);
	assert_int_equal(fake_port.kicks, 1);
	assert_int_equal(fake_port.kicked_pcpu, 3);
	assert_true(vcpu->todo & HV_TODO_LEAVE);
	hv_vcpu_leave(vcpu, HV_YIELD);
	assert_int_equal(hv_vcpu_enter(vcpu, 3), HV_ERR_STATE);
	/* Its last exit may still have turned the other one on. */
	assert_int_equal(hv_power_cpu_on(fake.vm, FAKE_HW_ID(1), GPA(FAKE_VM_PC), 0), HV_OK);
	assert_int_equal(hv_vcpu_enter(fake.vm->vcpu[1], 2), HV_ERR_STATE);
	fake_port.kicks = 0;
	assert_int_equal(do_start(fake.vm), HV_OK);
	assert_int_equal(fake_port.kicks, 2);
	assert_int_equal(hv_vcpu_enter(vcpu, 3), HV_OK);
	assert_int_equal(fake_vcpu(vcpu)->resets, 1); /* resumed, not started anew */
	assert_int_equal(hv_vcpu_enter(fake.vm->vcpu[1], 2), HV_OK);
}

static void vm_start__paused_while_a_vcpu_waits__it_goes_on_waiting(void **state)
{
	struct hv_vcpu *vcpu = fake.vm->vcpu[0];

	(void)state;
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_OK);
	hv_vcpu_leave(vcpu, HV_BLOCK);
	assert_int_equal(hv_vm_pause(fake.vm), HV_OK);
	assert_int_equal(vcpu->state, HV_VCPU_BLOCKED);
	fake_port.kicks = 0;
	assert_int_equal(do_start(fake.vm), HV_OK);
	assert_int_equal(vcpu->state, HV_VCPU_BLOCKED);
	assert_int_equal(fake_port.kicks, 0);
}

static void vm_stop__twice__the_first_reason_is_kept(void **state)
{
	(void)state;
	hv_vm_stop(fake.vm, HV_STOP_REBOOT);
	hv_vm_stop(fake.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_crash(fake.vm->vcpu[1], "late", 0, 0), HV_CRASH);
	assert_int_equal(fake.vm->stop, HV_STOP_REBOOT);
	assert_null(fake.vm->crash.reason);
}

static void vm_crash__records_who_and_why__first_one_wins(void **state)
{
	(void)state;
	fake_vcpu_bring(fake.vm->vcpu[1], HV_VCPU_RUNNING);
	assert_int_equal(hv_vm_crash(fake.vm->vcpu[1], "first", 0x11, 0x22), HV_CRASH);
	assert_int_equal(hv_vm_crash(fake.vm->vcpu[0], "second", 0x33, 0x44), HV_CRASH);
	assert_int_equal(fake.vm->stop, HV_STOP_CRASH);
	assert_string_equal(fake.vm->crash.reason, "first");
	assert_int_equal(fake.vm->crash.vcpu, 1);
	assert_int_equal(fake.vm->crash.info[0], 0x11);
	assert_int_equal(fake.vm->crash.info[1], 0x22);
	hv_vcpu_leave(fake.vm->vcpu[1], HV_CRASH);
	assert_int_equal(fake.vm->vcpu[1]->state, HV_VCPU_DEAD);
	assert_int_equal(fake.vm->vcpu[0]->state, HV_VCPU_OFF);
}

/* ---- reset, destroy ---- */

static void vm_reset__a_vcpu_has_not_left__is_refused_and_changes_nothing(void **state)
{
	(void)state;
	fake_vcpu_bring(fake.vm->vcpu[1], HV_VCPU_RUNNING);
	hv_vm_stop(fake.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_reset(fake.vm), HV_ERR_STATE);
	assert_int_equal(fake.vm->stop, HV_STOP_OFF);
	hv_vcpu_leave(fake.vm->vcpu[1], HV_OFF);
	assert_int_equal(hv_vm_reset(fake.vm), HV_OK);
	assert_int_equal(fake.vm->stop, HV_STOP_NONE);
}

static void wake_vcpu_1(void *ctl, uint32_t line, bool level)
{
	(void)line;
	(void)level;
	hv_vcpu_wake(((struct hv_vm *)ctl)->vcpu[1], HV_TODO_IRQ);
}

static void vm_reset__devices_on_both_buses__are_reset_before_the_vcpus(void **state)
{
	struct fake_dev mmio = {.irq = {.set = wake_vcpu_1, .ctl = fake.vm}}, pio = {0};
	struct hv_region region = {
		.base = GPA(0x9000000), .size = 0x1000, .ops = &fake_dev_ops, .dev = &mmio};

	(void)state;
	assert_int_equal(hv_bus_add(&fake.vm->bus, &region), HV_OK);
	region.dev = &pio;
	assert_int_equal(hv_bus_add(&fake.vm->pio, &region), HV_OK);
	assert_int_equal(hv_vm_crash(fake.vm->vcpu[0], "why", 1, 2), HV_CRASH);
	fake_vcpu_bring(fake.vm->vcpu[1], HV_VCPU_DEAD);
	assert_int_equal(hv_vm_reset(fake.vm), HV_OK);
	assert_int_equal(mmio.resets, 1);
	assert_int_equal(pio.resets, 1);
	assert_null(fake.vm->crash.reason);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fake.vm->vcpu[i]->state, HV_VCPU_OFF);
		assert_int_equal(fake.vm->vcpu[i]->todo, 0);
	}
}

static void write_to(struct hv_bus *bus)
{
	struct hv_access access = {.size = 4, .write = true};

	assert_int_equal(hv_bus_access(bus, 0x9000000, &access), HV_ANSWER_TIMED);
}

static void vm_expire__timers_on_both_buses__fires_both_and_says_the_earlier_deadline(void **state)
{
	struct fake_dev mmio = {.due = 300}, pio = {.due = 200};
	struct hv_region region = {
		.base = GPA(0x9000000), .size = 0x1000, .ops = &fake_timer_ops, .dev = &mmio};

	(void)state;
	assert_true(hv_vm_expire(fake.vm, 1) == HV_NEVER_DUE);
	assert_int_equal(hv_bus_add(&fake.vm->bus, &region), HV_OK);
	region.dev = &pio;
	assert_int_equal(hv_bus_add(&fake.vm->pio, &region), HV_OK);
	assert_true(hv_vm_expire(fake.vm, 1) == HV_NEVER_DUE); /* nobody set them yet */
	write_to(&fake.vm->bus);
	write_to(&fake.vm->pio);
	assert_true(hv_vm_expire(fake.vm, 100) == 200);
	mmio.expires = pio.expires = 0;
	pio.due = 400;
	assert_true(hv_vm_expire(fake.vm, 200) == 300);
	assert_int_equal(mmio.expires, 0);
	assert_int_equal(pio.expires, 1);
	mmio.due = 500;
	assert_true(hv_vm_expire(fake.vm, 300) == 400);
	assert_int_equal(mmio.expired_at, 300);
}

static void vm_poll__devices_on_both_buses__look(void **state)
{
	struct fake_dev mmio = {0}, pio = {0};
	struct hv_region region = {
		.base = GPA(0x9000000), .size = 0x1000, .ops = &fake_timer_ops, .dev = &mmio};

	(void)state;
	assert_int_equal(hv_bus_add(&fake.vm->bus, &region), HV_OK);
	region.dev = &pio;
	assert_int_equal(hv_bus_add(&fake.vm->pio, &region), HV_OK);
	hv_vm_poll(fake.vm);
	assert_int_equal(mmio.polls, 1);
	assert_int_equal(pio.polls, 1);
}

/* One life from start to stop: two vCPUs run, wait and are woken; then the guest reboots. */
static void live_once(unsigned n)
{
	struct hv_vcpu *a = fake.vm->vcpu[0], *b = fake.vm->vcpu[1];

	if (hv_vcpu_enter(a, 0) != HV_OK ||
		hv_power_cpu_on(fake.vm, FAKE_HW_ID(1), GPA(FAKE_VM_PC), n) != HV_OK ||
		hv_vcpu_enter(b, 1) != HV_OK) {
		fail();
	}
	hv_vcpu_leave(b, HV_BLOCK);
	if (n % 2) {
		hv_vcpu_wake(b, HV_TODO_IRQ);
	}
	hv_vcpu_leave(a, hv_power_system(fake.vm, n % 3 != 0));
	if (hv_vm_reset(fake.vm) != HV_OK || do_start(fake.vm) != HV_OK) {
		fail();
	}
}

static void h5_vm_reset__100000_times_with_vcpus_in_all_places__counters_are_equal(void **state)
{
	struct hv_pt pt;
	uint32_t free_count = fake.pool.free_count;
	size_t used = fake.arena.used;

	(void)state;
	memcpy(&pt, &fake.vm->pt, sizeof(pt));
	for (unsigned n = 0; n < 100000; n++) {
		live_once(n);
	}
	assert_int_equal(fake.pool.free_count, free_count);
	assert_int_equal(fake.arena.used, used);
	assert_memory_equal(&pt, &fake.vm->pt, sizeof(pt));
	assert_int_equal(fake.vm->on_count, 1);
	assert_int_equal(fake.vm->state, HV_VM_RUNNING);
	assert_int_equal(fake_vcpu(fake.vm->vcpu[0])->resets, 100000);
	assert_int_equal(fake_port.locks_held, 0);
}

static void p17_vm_destroy__with_mappings__gives_every_page_back(void **state)
{
	(void)state;
	assert_true(fake.pool.free_count < FAKE_VM_PAGES);
	assert_int_equal(
		hv_gmem_fault(&fake.vm->gmem, &fake.vm->pt, GPA(FAKE_VM_ROM), HV_PROT_R), HV_OK);
	hv_vm_stop(fake.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_destroy(fake.vm), HV_OK);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
	assert_int_equal(hv_vm_destroy(fake.vm), HV_ERR_STATE);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
}

static void p17_vm_destroy__vcpu_in_flight__is_refused_until_it_has_left(void **state)
{
	uint32_t free_count = fake.pool.free_count;

	(void)state;
	fake_vcpu_bring(fake.vm->vcpu[1], HV_VCPU_RUNNING);
	hv_vm_stop(fake.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_destroy(fake.vm), HV_ERR_STATE);
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(fake.pool.free_count, free_count);
	hv_vcpu_leave(fake.vm->vcpu[1], HV_YIELD);
	assert_int_equal(hv_vm_destroy(fake.vm), HV_OK);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
}

static void vm_destroy__paused_with_a_ready_vcpu__it_is_never_entered_again(void **state)
{
	(void)state;
	assert_int_equal(hv_vm_pause(fake.vm), HV_OK);
	assert_int_equal(hv_vm_destroy(fake.vm), HV_OK);
	assert_int_equal(fake.vm->vcpu[0]->state, HV_VCPU_OFF);
	assert_int_equal(hv_vcpu_enter(fake.vm->vcpu[0], 0), HV_ERR_STATE);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(vm_create__takes_its_parts__all_off_and_empty),
		hv_unit_test(vm_create__bad_configuration__is_invalid_and_takes_nothing),
		hv_unit_test(vm_create__arena_of_every_size__fits_or_takes_nothing),
		hv_unit_test(vm_create__page_pool_of_every_size__fits_or_takes_nothing),
		hv_unit_test(vm_seal__maps_what_is_not_lazy),
		hv_unit_test(
			vm_seal__page_pool_of_every_size__fits_or_the_vm_can_only_be_destroyed),
		hv_unit_test(vm_verbs__each_in_each_state__moves_or_is_refused_and_stays),
		test_on(vm_start__fresh__only_vcpu_0_is_ready),
		test_on(vm_start__after_a_run_without_reset__is_refused),
		test_on(vm_pause__running_vcpus_are_kicked_out_and_nobody_enters_until_start),
		test_on(vm_start__paused_while_a_vcpu_waits__it_goes_on_waiting),
		test_on(vm_stop__twice__the_first_reason_is_kept),
		test_on(vm_crash__records_who_and_why__first_one_wins),
		test_on(vm_reset__a_vcpu_has_not_left__is_refused_and_changes_nothing),
		test_on(vm_reset__devices_on_both_buses__are_reset_before_the_vcpus),
		test_on(vm_expire__timers_on_both_buses__fires_both_and_says_the_earlier_deadline),
		test_on(vm_poll__devices_on_both_buses__look),
		test_on(h5_vm_reset__100000_times_with_vcpus_in_all_places__counters_are_equal),
		test_on(p17_vm_destroy__with_mappings__gives_every_page_back),
		test_on(p17_vm_destroy__vcpu_in_flight__is_refused_until_it_has_left),
		test_on(vm_destroy__paused_with_a_ready_vcpu__it_is_never_entered_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

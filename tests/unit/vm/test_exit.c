/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <fake_dev.h>
#include <fake_vm.h>

#define DEV 0x9000000u

static struct fake_vm fake;
static struct hv_vcpu *vcpu;
static struct fake_dev dev, port_dev;

/* vCPU 1 runs; one device at DEV, another at the same number among the ports. */
static int setup(void **state)
{
	struct hv_region region = {
		.base = GPA(DEV), .size = 0x100, .ops = &fake_dev_ops, .dev = &dev};

	unit_setup(state);
	fake_vm_start(&fake, 2);
	vcpu = fake.vm->vcpu[1];
	fake_vcpu_bring(vcpu, HV_VCPU_RUNNING);
	fake_port.kicks = 0;
	memset(&dev, 0, sizeof(dev));
	memset(&port_dev, 0, sizeof(port_dev));
	if (hv_bus_add(&fake.vm->bus, &region) != HV_OK) {
		return -1;
	}
	region.dev = &port_dev;
	return hv_bus_add(&fake.vm->pio, &region);
}

static int teardown(void **state)
{
	fake_vm_free(&fake);
	return unit_teardown(state);
}

static struct hv_exit io(enum hv_exit_kind kind, uint64_t addr, bool write, uint64_t data)
{
	return (struct hv_exit){.kind = kind,
		.io = {.addr = addr, .access = {.data = data, .size = 4, .write = write}}};
}

static void exit_mmio__read__gives_the_devices_answer(void **state)
{
	struct hv_exit exit = io(HV_EXIT_MMIO, DEV + 0x10, false, 0);

	(void)state;
	dev.answer = 0x12345678;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_RESUME);
	assert_int_equal(exit.io.access.data, 0x12345678);
	assert_int_equal(dev.last.off, 0x10);
	assert_int_equal(dev.last.cpu, 1);
	assert_int_equal(port_dev.accesses, 0);
}

static void exit_mmio__write__reaches_the_device_and_keeps_the_record(void **state)
{
	struct hv_exit exit = io(HV_EXIT_MMIO, DEV, true, 0xcafe);

	(void)state;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_RESUME);
	assert_int_equal(dev.last.data, 0xcafe);
	assert_true(dev.last.write);
	assert_int_equal(exit.io.access.data, 0xcafe);
}

static void exit_pio__goes_to_the_ports_not_to_memory(void **state)
{
	struct hv_exit exit = io(HV_EXIT_PIO, DEV, false, 0);

	(void)state;
	port_dev.answer = 0x77;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_RESUME);
	assert_int_equal(exit.io.access.data, 0x77);
	assert_int_equal(dev.accesses, 0);
	assert_int_equal(vcpu->stats.exits[HV_EXIT_PIO], 1);
}

static void exit_mmio__nobody_there_or_refused__is_a_fault_and_keeps_the_record(void **state)
{
	struct hv_exit exit = io(HV_EXIT_MMIO, DEV + 0x100, false, 0xabcd);

	(void)state;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_FAULT);
	assert_int_equal(exit.io.access.data, 0xabcd);
	exit.io.addr = DEV;
	dev.refuse = true;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_FAULT);
	assert_int_equal(exit.io.access.data, 0xabcd);
	assert_int_equal(vcpu->stats.exits[HV_EXIT_MMIO], 2);
}

static void d4_exit_mmio__straddles_a_devices_end__is_a_fault_without_an_access(void **state)
{
	struct hv_exit exit = io(HV_EXIT_MMIO, DEV + 0xfd, true, 0);

	(void)state;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_FAULT);
	assert_int_equal(dev.accesses, 0);
}

static void wake_self(void *ctl, uint32_t line, bool level)
{
	(void)line;
	(void)level;
	hv_vcpu_wake(ctl, HV_TODO_IRQ);
}

static void s4_exit_mmio__the_device_interrupts_its_own_vcpu__then_wfi_does_not_block(void **state)
{
	struct hv_exit exit = io(HV_EXIT_MMIO, DEV, true, 0);
	struct hv_exit wait = {.kind = HV_EXIT_WAIT};

	(void)state;
	dev.irq = (struct hv_irq){.set = wake_self, .ctl = vcpu};
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_RESUME);
	hv_vcpu_leave(vcpu, hv_exit_handle(vcpu, &wait));
	assert_int_equal(vcpu->state, HV_VCPU_READY);
}

static struct hv_exit mem(uint64_t addr, uint8_t want)
{
	return (struct hv_exit){.kind = HV_EXIT_MEM, .mem = {.addr = GPA(addr), .want = want}};
}

static void exit_mem__lazy_memory__is_mapped_and_resumes(void **state)
{
	struct hv_exit exit = mem(FAKE_VM_ROM + 0x1ffc, HV_PROT_R);
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_RESUME);
	assert_int_equal(
		hv_pt_lookup(&fake.vm->pt, GPA(FAKE_VM_ROM + 0x1ffc), &pte, &level), HV_OK);
	assert_int_equal(pte.pa, FAKE_VM_ROM_HPA + 0x1ffc);
	assert_int_equal(vcpu->stats.exits[HV_EXIT_MEM], 1);
}

static void exit_mem__no_memory_there_or_not_for_this__is_a_fault(void **state)
{
	struct hv_exit hole = mem(0x20000000, HV_PROT_R), rom = mem(FAKE_VM_ROM, HV_PROT_W);

	(void)state;
	assert_int_equal(hv_exit_handle(vcpu, &hole), HV_FAULT);
	assert_int_equal(hv_exit_handle(vcpu, &rom), HV_FAULT);
	assert_int_equal(fake.vm->state, HV_VM_RUNNING);
}

static void exit_mem__page_pool_is_empty__crashes_this_vm(void **state)
{
	struct hv_exit exit = mem(FAKE_VM_ROM, HV_PROT_R);
	hpa_t page;

	(void)state;
	while (hv_pages_take(&fake.pool, 1, &page) == HV_OK) {
	}
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_CRASH);
	assert_int_equal(fake.vm->stop, HV_STOP_CRASH);
	assert_int_equal(fake.vm->crash.vcpu, 1);
	assert_int_equal(fake.vm->crash.info[0], FAKE_VM_ROM);
}

static void exit_wait__blocks(void **state)
{
	struct hv_exit exit = {.kind = HV_EXIT_WAIT};

	(void)state;
	assert_int_equal(hv_exit_handle(vcpu, &exit), HV_BLOCK);
	assert_int_equal(vcpu->stats.exits[HV_EXIT_WAIT], 1);
	hv_vcpu_leave(vcpu, HV_BLOCK);
	assert_int_equal(vcpu->state, HV_VCPU_BLOCKED);
}

static void x18_exit_mmio__a_storm_of_reads__nothing_grows(void **state)
{
	size_t used = fake.arena.used;
	uint32_t free_count = fake.pool.free_count;

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		struct hv_exit exit = io(HV_EXIT_MMIO, DEV, false, 0);

		if (hv_exit_handle(vcpu, &exit) != HV_RESUME) {
			fail();
		}
	}
	assert_int_equal(vcpu->stats.exits[HV_EXIT_MMIO], 1000000);
	assert_int_equal(fake.arena.used, used);
	assert_int_equal(fake.pool.free_count, free_count);
	assert_int_equal(fake_port.logs + fake_port.kicks, 0);
}

static void exit_others__nobody_handles_them__crash_with_the_kind(void **state)
{
	static const enum hv_exit_kind kinds[] = {
		HV_EXIT_CALL, HV_EXIT_SYSREG, HV_EXIT_HOST_IRQ, HV_EXIT_GUEST, HV_EXIT_BAD};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct hv_exit exit = {.kind = kinds[i]};

		teardown(NULL);
		setup(NULL);
		assert_int_equal(hv_exit_handle(vcpu, &exit), HV_CRASH);
		assert_int_equal(fake.vm->crash.info[0], kinds[i]);
		assert_int_equal(vcpu->stats.exits[kinds[i]], 1);
	}
}

static void exit_kind_name__every_kind_and_one_beyond(void **state)
{
	(void)state;
	assert_string_equal(hv_exit_kind_name(HV_EXIT_MMIO), "mmio");
	assert_string_equal(hv_exit_kind_name(HV_EXIT_BAD), "bad");
	assert_string_equal(hv_exit_kind_name(HV_EXIT_KINDS), "?");
	for (unsigned kind = 0; kind < HV_EXIT_KINDS; kind++) {
		assert_non_null(hv_exit_kind_name(kind));
	}
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(exit_mmio__read__gives_the_devices_answer),
		test_on(exit_mmio__write__reaches_the_device_and_keeps_the_record),
		test_on(exit_pio__goes_to_the_ports_not_to_memory),
		test_on(exit_mmio__nobody_there_or_refused__is_a_fault_and_keeps_the_record),
		test_on(d4_exit_mmio__straddles_a_devices_end__is_a_fault_without_an_access),
		test_on(s4_exit_mmio__the_device_interrupts_its_own_vcpu__then_wfi_does_not_block),
		test_on(exit_mem__lazy_memory__is_mapped_and_resumes),
		test_on(exit_mem__no_memory_there_or_not_for_this__is_a_fault),
		test_on(exit_mem__page_pool_is_empty__crashes_this_vm),
		test_on(exit_wait__blocks),
		test_on(x18_exit_mmio__a_storm_of_reads__nothing_grows),
		test_on(exit_others__nobody_handles_them__crash_with_the_kind),
		hv_unit_test(exit_kind_name__every_kind_and_one_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

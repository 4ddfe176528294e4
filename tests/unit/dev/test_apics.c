/* SPDX-License-Identifier: MIT */
/*
 * Local APICs, I/O APIC and the pair of 8259A wired as on a PC: what crosses from one to the other,
 * under the real lock ranks.
 */
#include <unit.h>

#include <dev/ioapic/ioapic.h>
#include <dev/lapic/lapic.h>
#include <dev/pic8259/pic8259.h>
#include <hv/bits.h>

#define CPUS 2u

struct pc {
	struct lapics lapics;
	struct ioapic ioapic;
	struct pic8259 pic;
	unsigned notified[LAPIC_CPUS], looked[LAPIC_CPUS];
};

static struct pc pc;

/* As hv_vcpu_wake() does: its lock is of a higher rank than the controllers'. */
static void on_notify(void *ctx)
{
	struct hv_lock lock = HV_LOCK_INIT(HV_LOCK_VCPU);

	port_lock(&lock);
	(*(unsigned *)ctx)++;
	port_unlock(&lock);
}

static void on_look(void *ctx)
{
	pc.looked[(unsigned *)ctx - pc.notified]++;
}

static void on_rearm(void *ctx)
{
	(void)ctx;
}

static void on_signal(void *ctx, enum lapic_signal signal, uint8_t vector)
{
	(void)signal;
	(void)vector;
	on_notify(ctx);
}

static const struct lapic_ops ops = {on_notify, on_look, on_rearm, on_signal};

static struct lapic *cpu(unsigned n)
{
	return &pc.lapics.cpu[n];
}

static uint64_t access(const struct hv_dev_ops *dev_ops, void *dev, uint64_t off, uint8_t size,
	bool write, uint64_t data)
{
	struct hv_access access = {.off = off, .data = data, .size = size, .write = write};

	assert_true(dev_ops->access(dev, &access));
	return access.data;
}

static void lapic_wr(uint64_t off, uint32_t value)
{
	access(&lapics_ops, &pc.lapics, off, 4, true, value);
}

static void entry_set(uint32_t pin, uint8_t dest, uint32_t low)
{
	access(&ioapic_ops, &pc.ioapic, IOAPIC_SELECT, 4, true, IOAPIC_ENTRY + 2 * pin + 1);
	access(&ioapic_ops, &pc.ioapic, IOAPIC_WINDOW, 4, true, (uint32_t)dest << 24);
	access(&ioapic_ops, &pc.ioapic, IOAPIC_SELECT, 4, true, IOAPIC_ENTRY + 2 * pin);
	access(&ioapic_ops, &pc.ioapic, IOAPIC_WINDOW, 4, true, low);
}

static uint32_t entry(uint32_t pin)
{
	access(&ioapic_ops, &pc.ioapic, IOAPIC_SELECT, 4, true, IOAPIC_ENTRY + 2 * pin);
	return (uint32_t)access(&ioapic_ops, &pc.ioapic, IOAPIC_WINDOW, 4, false, 0);
}

/* The CPU takes what it can; the vector, or -1. */
static int take(unsigned n)
{
	int pending = lapic_pending(cpu(n));

	return pending == LAPIC_NOTHING ? -1 : lapic_accept(cpu(n), pending);
}

static int pc_setup(void **state)
{
	int status = unit_setup(state);
	struct lapics_cfg cfg = {
		.cpus = CPUS,
		.pa_bits = 40,
		.tsc_hz = 1000000000,
		.ops = &ops,
		.eoi = ioapic_eoi,
		.ioapic = &pc.ioapic,
		.intack = pic8259_ack,
		.pic = &pc.pic,
	};
	const struct ioapic_cfg ioapic = {0x20, lapics_msi, &pc.lapics};

	memset(&pc, 0, sizeof(pc));
	for (unsigned i = 0; i < LAPIC_CPUS; i++) {
		cfg.ctx[i] = &pc.notified[i];
	}
	lapics_init(&pc.lapics, &cfg);
	ioapic_init(&pc.ioapic, &ioapic);
	pic8259_init(&pc.pic, (struct hv_irq){lapic_pin_set, cpu(0), 0});
	return status;
}

#define pc_test(name) cmocka_unit_test_setup_teardown(name, pc_setup, unit_teardown)

static void virtual_wire__before_the_guest_uses_its_apic__8259_interrupts(void **state)
{
	(void)state;
	access(&pic8259_master_ops, &pc.pic, 1, 1, true, 0);
	pic8259_irq_set(&pc.pic, 0, true);
	assert_int_equal(pc.notified[0], 1);
	assert_int_equal(take(0), 0x08);
	assert_int_equal(take(0), -1);
	pic8259_irq_set(&pc.pic, 1, true);
	assert_int_equal(take(0), -1); /* IRQ 0 is in service */
	access(&pic8259_master_ops, &pc.pic, 0, 1, true, 0x20);
	assert_int_equal(pc.notified[0], 2);
	assert_int_equal(take(0), 0x09);
}

static void level__from_pin_to_eoi__comes_again_while_it_is_active(void **state)
{
	(void)state;
	lapic_wr(LAPIC_SVR, 0x1ff);
	entry_set(9, 0, IOAPIC_LEVEL | 0x49);
	ioapic_pin_set(&pc.ioapic, 9, true);
	assert_int_equal(take(0), 0x49);
	assert_true(entry(9) & IOAPIC_REMOTE_IRR);
	lapic_wr(LAPIC_EOI, 0);
	assert_int_equal(pc.notified[0], 2);
	assert_int_equal(take(0), 0x49);
	ioapic_pin_set(&pc.ioapic, 9, false);
	lapic_wr(LAPIC_EOI, 0);
	assert_int_equal(take(0), -1);
	assert_false(entry(9) & IOAPIC_REMOTE_IRR);
}

/* The self-IRQ loop: each EOI makes one more interrupt, and no more than one. */
static void a5_level__never_lowered__is_one_interrupt_per_eoi_and_no_recursion(void **state)
{
	(void)state;
	lapic_wr(LAPIC_SVR, 0x1ff);
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		entry_set(pin, 0, IOAPIC_LEVEL | 0x80);
		ioapic_pin_set(&pc.ioapic, pin, true);
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(take(0), 0x80);
		assert_int_equal(take(0), -1);
		lapic_wr(LAPIC_EOI, 0);
	}
}

static void level__apic_off_when_it_came__comes_when_the_entry_is_written_again(void **state)
{
	(void)state;
	entry_set(9, 0, IOAPIC_LEVEL | 0x49);
	ioapic_pin_set(&pc.ioapic, 9, true);
	assert_false(entry(9) & IOAPIC_REMOTE_IRR);
	lapic_wr(LAPIC_SVR, 0x1ff);
	entry_set(9, 0, IOAPIC_LEVEL | 0x49);
	assert_int_equal(take(0), 0x49);
}

static void edge__to_the_other_cpu__wakes_it(void **state)
{
	struct hv_access enable = {
		.off = LAPIC_SVR, .data = 0x1ff, .size = 4, .write = true, .cpu = 1};

	(void)state;
	assert_true(lapics_ops.access(&pc.lapics, &enable));
	entry_set(4, 1, 0x34);
	ioapic_pin_set(&pc.ioapic, 4, true);
	assert_int_equal(pc.notified[1], 1);
	assert_int_equal(pc.notified[0], 0);
	assert_int_equal(take(1), 0x34);
	entry_set(4, 1, 4u << LAPIC_MODE_SHIFT); /* NMI */
	ioapic_pin_set(&pc.ioapic, 4, false);
	ioapic_pin_set(&pc.ioapic, 4, true);
	assert_int_equal(pc.notified[1], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pc_test(virtual_wire__before_the_guest_uses_its_apic__8259_interrupts),
		pc_test(level__from_pin_to_eoi__comes_again_while_it_is_active),
		pc_test(a5_level__never_lowered__is_one_interrupt_per_eoi_and_no_recursion),
		pc_test(level__apic_off_when_it_came__comes_when_the_entry_is_written_again),
		pc_test(edge__to_the_other_cpu__wakes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

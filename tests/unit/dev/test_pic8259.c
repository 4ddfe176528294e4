/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/pic8259/pic8259.h>
#include <hv/bits.h>

#define MASTER   0u
#define SLAVE    1u
#define EOI      0x20u /* OCW2 */
#define READ_IRR 0x0au
#define READ_ISR 0x0bu
#define POLL     0x0cu

static struct pic8259 pic;
static bool out;
static unsigned changes;

static void on_out(void *ctl, uint32_t line, bool level)
{
	assert_ptr_equal(ctl, &pic);
	assert_int_equal(line, 5);
	out = level;
	changes++;
}

static uint8_t in(unsigned chip, unsigned port)
{
	const struct hv_dev_ops *ops = chip == MASTER ? &pic8259_master_ops : &pic8259_slave_ops;
	struct hv_access access = {.off = port, .data = 0xdeadbeef, .size = 1};

	assert_true(ops->access(&pic, &access));
	return (uint8_t)access.data;
}

static void outb(unsigned chip, unsigned port, uint8_t value)
{
	const struct hv_dev_ops *ops = chip == MASTER ? &pic8259_master_ops : &pic8259_slave_ops;
	struct hv_access access = {.off = port, .data = value, .size = 1, .write = true};

	assert_true(ops->access(&pic, &access));
}

static uint8_t elcr_in(unsigned chip)
{
	struct hv_access access = {.off = chip, .size = 1};

	assert_true(pic8259_elcr_ops.access(&pic, &access));
	return (uint8_t)access.data;
}

static void elcr_out(unsigned chip, uint8_t value)
{
	struct hv_access access = {.off = chip, .data = value, .size = 1, .write = true};

	assert_true(pic8259_elcr_ops.access(&pic, &access));
}

static uint8_t irr(unsigned chip)
{
	outb(chip, 0, READ_IRR);
	return in(chip, 0);
}

static uint8_t isr(unsigned chip)
{
	outb(chip, 0, READ_ISR);
	return in(chip, 0);
}

/* As kernels do: vectors 0x20 and 0x28, all open. icw4: more of its bits. */
static void program(uint8_t icw4)
{
	static const uint8_t vector[] = {0x20, 0x28}, wiring[] = {0x04, 0x02};

	for (unsigned chip = 0; chip < 2; chip++) {
		outb(chip, 0, 0x11);
		outb(chip, 1, vector[chip]);
		outb(chip, 1, wiring[chip]);
		outb(chip, 1, 0x01 | icw4);
		outb(chip, 1, 0x00);
	}
}

static void raise(uint32_t irq)
{
	pic8259_irq_set(&pic, irq, true);
}

static void lower(uint32_t irq)
{
	pic8259_irq_set(&pic, irq, false);
}

static void pulse(uint32_t irq)
{
	raise(irq);
	lower(irq);
}

static void eoi(uint32_t irq)
{
	if (irq >= 8) {
		outb(SLAVE, 0, EOI);
	}
	outb(MASTER, 0, EOI);
}

static int pic_setup(void **state)
{
	int status = unit_setup(state);

	pic8259_init(&pic, (struct hv_irq){on_out, &pic, 5});
	program(0);
	changes = 0;
	return status;
}

#define pic_test(name) cmocka_unit_test_setup_teardown(name, pic_setup, unit_teardown)

/* ---- the line, and who is acknowledged ---- */

static void irq__each__drives_int_high_and_acknowledge_low(void **state)
{
	(void)state;
	for (uint32_t irq = 0; irq < PIC8259_IRQS; irq++) {
		if (irq == 2) {
			continue;
		}
		assert_false(out);
		raise(irq);
		assert_true(out);
		assert_int_equal(pic8259_ack(&pic), 0x20 + irq);
		assert_false(out);
		assert_int_equal(isr(irq / 8), 1u << irq % 8);
		assert_int_equal(isr(MASTER), irq < 8 ? 1u << irq : 4);
		lower(irq);
		eoi(irq);
		assert_int_equal(isr(MASTER), 0);
		assert_int_equal(isr(SLAVE), 0);
		assert_false(out);
	}
	assert_int_equal(changes, 2 * 15);
}

static void irq__no_such_pin_or_the_cascade__is_ignored(void **state)
{
	(void)state;
	raise(2);
	raise(16);
	raise(UINT32_MAX);
	assert_int_equal(irr(MASTER), 0);
	assert_false(out);
}

static void irq__several__lowest_pin_first_slave_in_the_place_of_pin_2(void **state)
{
	static const uint32_t order[] = {0, 1, 8, 15, 3, 7};

	(void)state;
	for (size_t i = HV_ARRAY_COUNT(order); i-- > 0;) {
		pulse(order[i]);
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(order); i++) {
		assert_true(out);
		assert_int_equal(pic8259_ack(&pic), 0x20 + order[i]);
		eoi(order[i]);
	}
	assert_false(out);
}

static void irq__higher_one_in_service__waits_for_its_end(void **state)
{
	(void)state;
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	pulse(5);
	assert_false(out);
	pulse(1);
	assert_true(out);
	assert_int_equal(pic8259_ack(&pic), 0x21);
	assert_int_equal(isr(MASTER), 0x0a);
	eoi(1);
	assert_int_equal(isr(MASTER), 0x08);
	assert_false(out);
	eoi(3);
	assert_int_equal(pic8259_ack(&pic), 0x25);
}

static void irq__masked__waits_in_irr(void **state)
{
	(void)state;
	outb(MASTER, 1, 0x10);
	assert_int_equal(in(MASTER, 1), 0x10);
	pulse(4);
	assert_false(out);
	assert_int_equal(irr(MASTER), 0x10);
	outb(MASTER, 1, 0);
	assert_true(out);
	outb(MASTER, 1, 0x10);
	assert_false(out);
}

static void edge__stays_until_acknowledged__level__is_the_line(void **state)
{
	(void)state;
	raise(5);
	raise(5);
	lower(5);
	assert_int_equal(pic8259_ack(&pic), 0x25);
	eoi(5);
	assert_false(out);
	elcr_out(MASTER, 0x20);
	raise(5);
	lower(5);
	assert_false(out);
	raise(5);
	assert_int_equal(pic8259_ack(&pic), 0x25);
	assert_int_equal(irr(MASTER), 0x20);
	eoi(5);
	assert_true(out); /* the line is still high */
	lower(5);
	assert_false(out);
}

static void edge__high_since_before__does_not_come_again(void **state)
{
	(void)state;
	raise(6);
	assert_int_equal(pic8259_ack(&pic), 0x26);
	eoi(6);
	assert_false(out);
	lower(6);
	raise(6);
	assert_true(out);
}

static void slave__next_one_while_the_first_is_in_service__comes_by_a_new_edge(void **state)
{
	(void)state;
	pulse(12);
	assert_int_equal(pic8259_ack(&pic), 0x2c);
	pulse(9);
	assert_false(out); /* the master holds its pin 2 off */
	outb(MASTER, 0, EOI);
	assert_true(out);
	assert_int_equal(pic8259_ack(&pic), 0x29);
	assert_int_equal(isr(SLAVE), 0x12);
}

static void nested__slave_in_service__lets_the_slaves_better_ones_through(void **state)
{
	(void)state;
	program(0x10);
	pulse(12);
	assert_int_equal(pic8259_ack(&pic), 0x2c);
	pulse(9);
	assert_true(out);
	assert_int_equal(pic8259_ack(&pic), 0x29);
	pulse(13);
	assert_false(out);
}

/* ---- ELCR ---- */

static void elcr__bits_that_may_be_set__are_kept(void **state)
{
	(void)state;
	elcr_out(MASTER, 0xff);
	elcr_out(SLAVE, 0xff);
	assert_int_equal(elcr_in(MASTER), 0xf8);
	assert_int_equal(elcr_in(SLAVE), 0xde);
	program(0);
	assert_int_equal(elcr_in(MASTER), 0xf8);
	pic8259_elcr_ops.reset(&pic);
	assert_int_equal(elcr_in(MASTER), 0);
	assert_int_equal(elcr_in(SLAVE), 0);
}

static void elcr__set_while_the_line_is_high__is_a_request(void **state)
{
	(void)state;
	raise(11);
	assert_int_equal(pic8259_ack(&pic), 0x2b);
	eoi(11);
	assert_false(out);
	elcr_out(SLAVE, 0x08);
	assert_true(out);
}

/* ---- spurious ---- */

static void a6_ack__nothing_there__is_7_and_nothing_in_service(void **state)
{
	(void)state;
	assert_int_equal(pic8259_ack(&pic), 0x27);
	assert_int_equal(isr(MASTER), 0);
	elcr_out(MASTER, 0x20);
	raise(5);
	assert_true(out);
	lower(5);
	assert_int_equal(pic8259_ack(&pic), 0x27);
	assert_int_equal(isr(MASTER), 0);
}

static void a6_ack__slaves_request_is_gone__is_15_with_the_cascade_in_service(void **state)
{
	(void)state;
	raise(9);
	outb(SLAVE, 1, 0xff);
	assert_true(out); /* the edge of pin 2 is latched */
	assert_int_equal(pic8259_ack(&pic), 0x2f);
	assert_int_equal(isr(MASTER), 4);
	assert_int_equal(isr(SLAVE), 0);
	outb(MASTER, 0, EOI);
	assert_false(out);
}

/* ---- ICWs ---- */

static void a6_reset__before_any_icw__all_is_masked(void **state)
{
	(void)state;
	for (uint32_t irq = 0; irq < PIC8259_IRQS; irq++) {
		raise(irq);
	}
	assert_true(out);
	pic8259_master_ops.reset(&pic);
	assert_false(out);
	assert_int_equal(in(MASTER, 1), 0xff);
	assert_int_equal(in(SLAVE, 1), 0xff);
	for (uint32_t irq = 0; irq < PIC8259_IRQS; irq++) {
		lower(irq);
		raise(irq);
	}
	assert_false(out);
	outb(MASTER, 1, 0);
	outb(SLAVE, 1, 0);
	assert_true(out);
	assert_int_equal(pic8259_ack(&pic), 0x08); /* as firmware leaves it */
	outb(MASTER, 1, 0x03);
	outb(MASTER, 0, EOI);
	assert_int_equal(pic8259_ack(&pic), 0x70);
}

static void a6_icw1__in_the_middle__begins_anew(void **state)
{
	(void)state;
	outb(MASTER, 0, 0x11);
	outb(MASTER, 1, 0x40);
	outb(MASTER, 0, 0x11);
	outb(MASTER, 1, 0x57); /* its low bits are the pin */
	outb(MASTER, 1, 0x04);
	outb(MASTER, 1, 0x01);
	outb(MASTER, 1, 0xfe);
	assert_int_equal(in(MASTER, 1), 0xfe);
	pulse(0);
	assert_int_equal(pic8259_ack(&pic), 0x50);
}

static void a6_icw1__without_icw4_or_alone__expects_fewer(void **state)
{
	static const struct {
		uint8_t icw1;
		unsigned more; /* words until the next is OCW1 */
	} rows[] = {{0x10, 2}, {0x11, 3}, {0x12, 1}, {0x13, 2}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		outb(MASTER, 0, rows[i].icw1);
		assert_int_equal(in(MASTER, 1), 0);
		for (unsigned word = 0; word < rows[i].more; word++) {
			outb(MASTER, 1, 0x08);
			assert_int_equal(in(MASTER, 1), 0);
		}
		outb(MASTER, 1, 0xa5);
		assert_int_equal(in(MASTER, 1), 0xa5);
	}
}

static void a6_icw1__forgets_edges_and_what_was_set(void **state)
{
	(void)state;
	elcr_out(MASTER, 0x40);
	raise(0);
	pulse(3);
	raise(6);
	assert_int_equal(pic8259_ack(&pic), 0x20);
	outb(MASTER, 0, 0x68); /* special mask mode */
	outb(MASTER, 0, 0xc3); /* lowest is 3 */
	program(0);
	assert_int_equal(isr(MASTER), 0);
	assert_int_equal(irr(MASTER), 0x40);
	lower(6);
	raise(0); /* has been high all the time */
	assert_false(out);
	lower(0);
	raise(0);
	pulse(4);
	assert_int_equal(pic8259_ack(&pic), 0x20);
}

static void a6_commands__between_icws__are_commands(void **state)
{
	(void)state;
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	outb(MASTER, 0, 0x11);
	outb(MASTER, 0, READ_ISR);
	assert_int_equal(in(MASTER, 0), 0);
	outb(MASTER, 1, 0x60); /* still ICW2 */
	outb(MASTER, 0, EOI);
	outb(MASTER, 1, 0x04);
	outb(MASTER, 1, 0x01);
	pulse(1);
	assert_int_equal(pic8259_ack(&pic), 0x61);
}

/* ---- OCWs ---- */

static void ocw2__specific_eoi__ends_the_one_it_names(void **state)
{
	(void)state;
	pulse(5);
	assert_int_equal(pic8259_ack(&pic), 0x25);
	pulse(1);
	assert_int_equal(pic8259_ack(&pic), 0x21);
	outb(MASTER, 0, 0x65);
	assert_int_equal(isr(MASTER), 0x02);
	outb(MASTER, 0, 0x60 | 4); /* not in service */
	assert_int_equal(isr(MASTER), 0x02);
	outb(MASTER, 0, 0x40); /* no operation */
	assert_int_equal(isr(MASTER), 0x02);
}

static void a6_eoi__nothing_in_service__does_nothing(void **state)
{
	(void)state;
	outb(MASTER, 0, EOI);
	outb(MASTER, 0, 0xa0); /* and does not rotate */
	pulse(7);
	pulse(0);
	assert_int_equal(pic8259_ack(&pic), 0x20);
}

static void ocw2__rotations__make_the_ended_or_named_pin_the_lowest(void **state)
{
	(void)state;
	pulse(2 + 1);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	outb(MASTER, 0, 0xa0); /* rotate on non-specific EOI: 3 is the lowest */
	pulse(3);
	pulse(0);
	pulse(4);
	assert_int_equal(pic8259_ack(&pic), 0x24);
	outb(MASTER, 0, 0xe0 | 4); /* rotate on specific EOI: 4 is the lowest */
	assert_int_equal(pic8259_ack(&pic), 0x20);
	assert_int_equal(isr(MASTER), 0x01);
	outb(MASTER, 0, 0xc0 | 7); /* set priority: as it was */
	assert_false(out);
	outb(MASTER, 0, EOI);
	assert_int_equal(pic8259_ack(&pic), 0x23);
}

static void auto_eoi__never_in_service__and_rotates_if_told(void **state)
{
	(void)state;
	program(0x02);
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	assert_int_equal(isr(MASTER), 0);
	pulse(5);
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	assert_int_equal(pic8259_ack(&pic), 0x25);
	outb(MASTER, 0, 0x80);
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	pulse(3);
	pulse(5);
	assert_int_equal(pic8259_ack(&pic), 0x25);
	outb(MASTER, 0, 0x00);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	pulse(6); /* 5 is still the lowest */
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x26);
}

static void auto_eoi__slave_with_two__both_come(void **state)
{
	(void)state;
	program(0x02);
	pulse(8);
	pulse(9);
	assert_int_equal(pic8259_ack(&pic), 0x28);
	assert_true(out);
	assert_int_equal(pic8259_ack(&pic), 0x29);
	assert_false(out);
}

static void a6_special_mask__masked_in_service__does_not_hold_others_off(void **state)
{
	(void)state;
	pulse(3);
	assert_int_equal(pic8259_ack(&pic), 0x23);
	pulse(6);
	assert_false(out);
	outb(MASTER, 1, 0x08);
	assert_false(out);
	outb(MASTER, 0, 0x68);
	assert_true(out);
	outb(MASTER, 0, EOI); /* ends nothing that is masked */
	assert_int_equal(isr(MASTER), 0x08);
	outb(MASTER, 0, 0x63);
	assert_int_equal(isr(MASTER), 0);
	outb(MASTER, 0, 0x48); /* off */
	pulse(1);
	assert_int_equal(pic8259_ack(&pic), 0x21);
	outb(MASTER, 1, 0x0a);
	assert_false(out);
	outb(MASTER, 0, 0x28); /* SMM without ESMM changes nothing */
	assert_false(out);
}

static void a6_poll__next_read_of_either_port__is_an_acknowledge(void **state)
{
	(void)state;
	for (unsigned port = 0; port < 2; port++) {
		outb(MASTER, 0, POLL);
		assert_int_equal(in(MASTER, port), 0);
		assert_int_equal(in(MASTER, 1), 0); /* IMR again */
		pulse(4);
		assert_true(out);
		outb(MASTER, 0, POLL);
		assert_int_equal(in(MASTER, port), 0x84);
		assert_false(out);
		assert_int_equal(isr(MASTER), 0x10);
		outb(MASTER, 0, EOI);
	}
	pulse(10);
	outb(SLAVE, 0, POLL);
	assert_int_equal(in(SLAVE, 0), 0x82);
	assert_int_equal(isr(SLAVE), 4);
	assert_int_equal(isr(MASTER), 0);
}

static void a6_ocw3__which_register_is_read__stays_chosen(void **state)
{
	(void)state;
	pulse(4);
	assert_int_equal(pic8259_ack(&pic), 0x24);
	pulse(6);
	assert_int_equal(irr(MASTER), 0x40);
	assert_int_equal(in(MASTER, 0), 0x40);
	outb(MASTER, 0, READ_ISR);
	assert_int_equal(in(MASTER, 0), 0x10);
	outb(MASTER, 0, 0x08); /* chooses nothing */
	assert_int_equal(in(MASTER, 0), 0x10);
	outb(MASTER, 0, READ_IRR);
	assert_int_equal(in(MASTER, 0), 0x40);
}

static void a6_access__wider_than_a_byte__is_raz_wi(void **state)
{
	const struct hv_dev_ops *const ops[] = {
		&pic8259_master_ops, &pic8259_slave_ops, &pic8259_elcr_ops};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(ops); i++) {
		struct hv_access access = {.off = 0, .data = 0x1111, .size = 2, .write = true};

		assert_true(ops[i]->access(&pic, &access));
		access = (struct hv_access){.off = 0, .data = 0x1111, .size = 2};
		assert_true(ops[i]->access(&pic, &access));
		assert_int_equal(access.data, 0);
	}
	outb(MASTER, 1, 0x77); /* no ICW1 has come */
	assert_int_equal(in(MASTER, 1), 0x77);
	assert_int_equal(elcr_in(MASTER), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pic_test(irq__each__drives_int_high_and_acknowledge_low),
		pic_test(irq__no_such_pin_or_the_cascade__is_ignored),
		pic_test(irq__several__lowest_pin_first_slave_in_the_place_of_pin_2),
		pic_test(irq__higher_one_in_service__waits_for_its_end),
		pic_test(irq__masked__waits_in_irr),
		pic_test(edge__stays_until_acknowledged__level__is_the_line),
		pic_test(edge__high_since_before__does_not_come_again),
		pic_test(slave__next_one_while_the_first_is_in_service__comes_by_a_new_edge),
		pic_test(nested__slave_in_service__lets_the_slaves_better_ones_through),
		pic_test(elcr__bits_that_may_be_set__are_kept),
		pic_test(elcr__set_while_the_line_is_high__is_a_request),
		pic_test(a6_ack__nothing_there__is_7_and_nothing_in_service),
		pic_test(a6_ack__slaves_request_is_gone__is_15_with_the_cascade_in_service),
		pic_test(a6_reset__before_any_icw__all_is_masked),
		pic_test(a6_icw1__in_the_middle__begins_anew),
		pic_test(a6_icw1__without_icw4_or_alone__expects_fewer),
		pic_test(a6_icw1__forgets_edges_and_what_was_set),
		pic_test(a6_commands__between_icws__are_commands),
		pic_test(ocw2__specific_eoi__ends_the_one_it_names),
		pic_test(a6_eoi__nothing_in_service__does_nothing),
		pic_test(ocw2__rotations__make_the_ended_or_named_pin_the_lowest),
		pic_test(auto_eoi__never_in_service__and_rotates_if_told),
		pic_test(auto_eoi__slave_with_two__both_come),
		pic_test(a6_special_mask__masked_in_service__does_not_hold_others_off),
		pic_test(a6_poll__next_read_of_either_port__is_an_acknowledge),
		pic_test(a6_ocw3__which_register_is_read__stays_chosen),
		pic_test(a6_access__wider_than_a_byte__is_raz_wi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A6 at random: programs for the pair against a second one, written from the datasheet on its own:
 * a list of pins by priority, and one record per pin.
 */
#include <unit.h>

#include <dev/pic8259/pic8259.h>
#include <hv/bits.h>

#define PROGRAMS 3000u
#define STEPS    100u

struct pin {
	bool line, request, in_service, masked, level;
};

struct chip {
	struct pin pin[8];
	unsigned order[8]; /* pins, the most urgent first */
	unsigned vector, expects;
	bool icw4, alone, auto_eoi, rotates, nested, special, isr_chosen, poll;
	unsigned may_be_level;
};

static struct chip chip[2];

static void order_from(struct chip *c, unsigned lowest)
{
	for (unsigned i = 0; i < 8; i++) {
		c->order[i] = (lowest + 1 + i) % 8;
	}
}

/* Down the list: a request wins, unless something that holds it off comes first. */
static int winner(const struct chip *c)
{
	for (unsigned i = 0; i < 8; i++) {
		const struct pin *pin = &c->pin[c->order[i]];
		bool holds_off = pin->in_service && !(c->special && pin->masked) &&
				 !(c->nested && c->order[i] == 2);

		if (holds_off) {
			return -1;
		}
		if (pin->request && !pin->masked) {
			return (int)c->order[i];
		}
	}
	return -1;
}

static void line(struct chip *c, unsigned n, bool level)
{
	struct pin *pin = &c->pin[n];

	if (pin->level) {
		pin->request = level;
	} else if (level && !pin->line) {
		pin->request = true;
	}
	pin->line = level;
}

static unsigned acknowledge(struct chip *c, int n)
{
	if (n < 0) {
		return c->vector + 7;
	}
	c->pin[n].request = c->pin[n].level && c->pin[n].line;
	c->pin[n].in_service |= !c->auto_eoi;
	if (c->auto_eoi && c->rotates) {
		order_from(c, (unsigned)n);
	}
	return c->vector + (unsigned)n;
}

static void settle(void)
{
	line(&chip[0], 2, winner(&chip[1]) >= 0);
}

static unsigned model_ack(void)
{
	int n = winner(&chip[0]);
	unsigned vector = acknowledge(&chip[0], n);

	if (n == 2) {
		vector = acknowledge(&chip[1], winner(&chip[1]));
		line(&chip[0], 2, false);
	}
	settle();
	return vector;
}

static void model_eoi(struct chip *c, bool named, unsigned n, bool rotate)
{
	for (unsigned i = 0; i < 8 && !named; i++) {
		const struct pin *pin = &c->pin[c->order[i]];

		if (pin->in_service && !(c->special && pin->masked)) {
			n = c->order[i];
			named = true;
		}
	}
	if (named) {
		c->pin[n].in_service = false;
		if (rotate) {
			order_from(c, n);
		}
	}
}

static void model_icw1(struct chip *c, unsigned value)
{
	for (unsigned i = 0; i < 8; i++) {
		struct pin *pin = &c->pin[i];

		*pin = (struct pin){
			.line = pin->line, .level = pin->level, .request = pin->level && pin->line};
	}
	order_from(c, 7);
	c->expects = 2;
	c->icw4 = value & 1;
	c->alone = value & 2;
	c->auto_eoi = c->rotates = c->nested = c->special = c->isr_chosen = c->poll = false;
}

static void model_command(struct chip *c, unsigned value)
{
	if (value & 0x10) {
		model_icw1(c, value);
		return;
	}
	if (value & 0x08) {
		c->poll = value & 4;
		c->isr_chosen = value & 2 ? value & 1 : c->isr_chosen;
		c->special = value & 0x40 ? (value & 0x20) != 0 : c->special;
		return;
	}
	switch (value & 0xe0) {
	case 0x00: c->rotates = false; break;
	case 0x80: c->rotates = true; break;
	case 0x20: model_eoi(c, false, 0, false); break;
	case 0xa0: model_eoi(c, false, 0, true); break;
	case 0x60: model_eoi(c, true, value & 7, false); break;
	case 0xe0: model_eoi(c, true, value & 7, true); break;
	case 0xc0: order_from(c, value & 7); break;
	default: break;
	}
}

static void model_data(struct chip *c, unsigned value)
{
	unsigned was = c->expects;

	if (was == 0) {
		for (unsigned i = 0; i < 8; i++) {
			c->pin[i].masked = value >> i & 1;
		}
		return;
	}
	if (was == 2) {
		c->vector = value & 0xf8;
	}
	if (was == 4) {
		c->auto_eoi = value & 2;
		c->nested = value & 16;
	}
	c->expects = was == 2 && !c->alone ? 3 : was != 4 && c->icw4 ? 4 : 0;
}

static void model_write(unsigned which, unsigned port, unsigned value)
{
	if (port == 0) {
		model_command(&chip[which], value);
	} else {
		model_data(&chip[which], value);
	}
	settle();
}

static unsigned model_read(unsigned which, unsigned port)
{
	struct chip *c = &chip[which];
	unsigned bits = 0;

	if (c->poll) {
		int n = winner(c);

		c->poll = false;
		if (n >= 0) {
			acknowledge(c, n);
			settle();
			return 0x80u | (unsigned)n;
		}
		return 0;
	}
	for (unsigned i = 0; i < 8; i++) {
		const struct pin *pin = &c->pin[i];
		bool bit = port == 1 ? pin->masked : c->isr_chosen ? pin->in_service : pin->request;

		bits |= (unsigned)bit << i;
	}
	return bits;
}

static void model_elcr(unsigned which, unsigned value)
{
	for (unsigned i = 0; i < 8; i++) {
		struct pin *pin = &chip[which].pin[i];

		pin->level = value & chip[which].may_be_level & 1u << i;
		if (pin->level) {
			pin->request = pin->line;
		}
	}
	settle();
}

/* ---- the device beside it ---- */

static struct pic8259 pic;
static bool out;
static uint64_t seed;

static void on_out(void *ctl, uint32_t n, bool level)
{
	(void)ctl;
	(void)n;
	out = level;
}

static unsigned below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1dull) >> 33) % limit;
}

static uint8_t access(const struct hv_dev_ops *ops, unsigned off, bool write, unsigned value)
{
	struct hv_access access = {.off = off, .data = value, .size = 1, .write = write};

	assert_true(ops->access(&pic, &access));
	return (uint8_t)access.data;
}

static const struct hv_dev_ops *const chip_ops[] = {&pic8259_master_ops, &pic8259_slave_ops};

/* Mostly what kernels write. */
static unsigned random_value(unsigned port)
{
	static const unsigned commands[] = {0x11, 0x20, 0x20, 0x60, 0xa0, 0xe0, 0xc0, 0x0a, 0x0b,
		0x0c, 0x68, 0x48, 0x80, 0x00, 0x13, 0x10};

	if (port == 0 && below(4)) {
		unsigned value = commands[below(HV_ARRAY_COUNT(commands))];

		return value & 0x40 && !(value & 8) ? value | below(8) : value;
	}
	return below(3) ? below(256) & below(256) : below(256);
}

static void step_write(void)
{
	unsigned which = below(2), port = below(3) == 0;
	unsigned value = random_value(port);

	if (value & 0x10 && port == 0 && below(8)) {
		return; /* beginning anew is rare */
	}
	model_write(which, port, value);
	access(chip_ops[which], port, true, value);
}

static void step(void)
{
	unsigned which = below(2), port = below(2), value = below(256);

	switch (below(16)) {
	case 0:
		model_elcr(which, value);
		access(&pic8259_elcr_ops, which, true, value);
		break;
	case 1:
	case 2:
	case 3:
	case 4: step_write(); break;
	case 5:
	case 6:
	case 7:
		assert_int_equal(access(chip_ops[which], port, false, 0), model_read(which, port));
		break;
	case 8:
	case 9:
	case 10: assert_int_equal(pic8259_ack(&pic), model_ack() & 0xff); break;
	default:
		value = below(16);
		if (value != 2) {
			line(&chip[value / 8], value % 8, port);
			settle();
		}
		pic8259_irq_set(&pic, value, port);
		break;
	}
	assert_int_equal(out, winner(&chip[0]) >= 0);
}

static void program_begin(void)
{
	pic8259_init(&pic, (struct hv_irq){on_out, NULL, 0});
	memset(chip, 0, sizeof(chip));
	for (unsigned which = 0; which < 2; which++) {
		static const uint8_t words[] = {0x08, 0x04, 0x01, 0x00};

		chip[which].may_be_level = which == 0 ? 0xf8 : 0xde;
		model_write(which, 0, 0x11);
		access(chip_ops[which], 0, true, 0x11);
		for (size_t i = 0; i < HV_ARRAY_COUNT(words); i++) {
			model_write(which, 1, words[i]);
			access(chip_ops[which], 1, true, words[i]);
		}
	}
}

static void a6_pic8259__random_programs__equal_the_model(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15ull;
	for (unsigned program = 0; program < PROGRAMS; program++) {
		program_begin();
		for (unsigned i = 0; i < STEPS; i++) {
			step();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(a6_pic8259__random_programs__equal_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

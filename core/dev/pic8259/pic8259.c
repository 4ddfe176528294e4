/* SPDX-License-Identifier: MIT */
/*
 * One chip's logic, then how the two are wired: the slave's INT is pin 2 of the master. After every
 * change update() carries outputs on, slave first.
 */
#include <dev/pic8259/pic8259.h>
#include <hv/bits.h>

#define MASTER   0u
#define SLAVE    1u
#define CASCADE  2u /* the master's pin */
#define PINS     8u
#define SPURIOUS 7u
#define NO_PIN   (-1)

#define ICW1         0x10u
#define ICW1_ICW4    0x01u
#define ICW1_SINGLE  0x02u
#define ICW4_AUTO    0x02u
#define ICW4_NESTED  0x10u
#define OCW3         0x08u
#define OCW3_POLL    0x04u
#define OCW3_READ    0x02u /* bit 0 says what */
#define OCW3_SPECIAL 0x40u /* bit 5 says whether */

/* What a PC's firmware leaves behind. */
static const uint8_t first_vector[2] = {0x08, 0x70};
/* The pins that can be level-triggered: not timer, keyboard, cascade, RTC, FPU. */
static const uint8_t elcr_mask[2] = {0xf8, 0xde};

/* ---- one chip ---- */

/* The pin of the highest priority among `pins`; it is the one that follows `lowest`. */
static int best_of(const struct pic8259_chip *chip, uint8_t pins)
{
	for (unsigned i = 1; i <= PINS; i++) {
		unsigned pin = (chip->lowest + i) % PINS;

		if (hv_bit(pins, pin)) {
			return (int)pin;
		}
	}
	return NO_PIN;
}

/* How urgent a pin is: 0 most; NO_PIN: less than all. */
static unsigned rank_of(const struct pic8259_chip *chip, int pin)
{
	return pin == NO_PIN ? PINS : ((unsigned)pin - chip->lowest - 1) % PINS;
}

/* What it asks the CPU for, or NO_PIN. */
static int pending(const struct pic8259_chip *chip)
{
	uint8_t in_service = chip->isr;
	int request = best_of(chip, chip->irr & (uint8_t)~chip->imr);

	if (chip->special_mask) {
		in_service &= (uint8_t)~chip->imr; /* masked ones do not hold others off */
	}
	if (chip->nested) {
		in_service &= (uint8_t) ~(1u << CASCADE); /* the slave may have a better one */
	}
	return rank_of(chip, request) < rank_of(chip, best_of(chip, in_service)) ? request : NO_PIN;
}

static void line_set(struct pic8259_chip *chip, unsigned pin, bool level)
{
	uint8_t bit = (uint8_t)(1u << pin);

	if (level && !(chip->lines & bit)) {
		chip->irr |= bit;
	}
	if (!level && (chip->elcr & bit)) {
		chip->irr &= (uint8_t)~bit;
	}
	chip->lines = (uint8_t)(level ? chip->lines | bit : chip->lines & ~bit);
}

/* IRR of the pins that are level-triggered. */
static void levels_look(struct pic8259_chip *chip)
{
	chip->irr = (uint8_t)((chip->irr & ~chip->elcr) | (chip->lines & chip->elcr));
}

static void acknowledge(struct pic8259_chip *chip, unsigned pin)
{
	uint8_t bit = (uint8_t)(1u << pin);

	if (!(chip->elcr & bit)) {
		chip->irr &= (uint8_t)~bit;
	}
	if (!chip->auto_eoi) {
		chip->isr |= bit;
	} else if (chip->rotate_on_auto_eoi) {
		chip->lowest = (uint8_t)pin;
	}
}

/* In special mask mode a masked interrupt must be named to end (8259A, "Special Mask Mode"). */
static int best_to_end(const struct pic8259_chip *chip)
{
	return best_of(chip, chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr);
}

static void end(struct pic8259_chip *chip, int pin, bool rotate)
{
	if (pin == NO_PIN) {
		return;
	}
	chip->isr &= (uint8_t) ~(1u << pin);
	if (rotate) {
		chip->lowest = (uint8_t)pin;
	}
}

static void ocw2_write(struct pic8259_chip *chip, uint8_t value)
{
	int pin = value & 7;

	switch (value >> 5) {
	case 0: chip->rotate_on_auto_eoi = false; break;
	case 1: end(chip, best_to_end(chip), false); break;
	case 3: end(chip, pin, false); break;
	case 4: chip->rotate_on_auto_eoi = true; break;
	case 5: end(chip, best_to_end(chip), true); break;
	case 6: chip->lowest = (uint8_t)pin; break;
	case 7: end(chip, pin, true); break;
	default: break;
	}
}

static void ocw3_write(struct pic8259_chip *chip, uint8_t value)
{
	chip->poll = value & OCW3_POLL;
	if (value & OCW3_READ) {
		chip->reads_isr = value & 1;
	}
	if (value & OCW3_SPECIAL) {
		chip->special_mask = value & OCW3_SPECIAL >> 1;
	}
}

/* Edges of before are forgotten: an input must rise again (8259A, "Initialization"). */
static void icw1_write(struct pic8259_chip *chip, uint8_t value)
{
	*chip = (struct pic8259_chip){
		.lines = chip->lines,
		.irr = chip->lines & chip->elcr,
		.elcr = chip->elcr,
		.elcr_mask = chip->elcr_mask,
		.vector = chip->vector,
		.lowest = PINS - 1,
		.icw = 2,
		.wants_icw4 = value & ICW1_ICW4,
		.single = value & ICW1_SINGLE,
	};
}

static void command_write(struct pic8259_chip *chip, uint8_t value)
{
	if (value & ICW1) {
		icw1_write(chip, value);
	} else if (value & OCW3) {
		ocw3_write(chip, value);
	} else {
		ocw2_write(chip, value);
	}
}

static uint8_t icw_after(const struct pic8259_chip *chip)
{
	switch (chip->icw) {
	case 2: return !chip->single ? 3 : chip->wants_icw4 ? 4 : 0;
	case 3: return chip->wants_icw4 ? 4 : 0;
	default: return 0;
	}
}

static void data_write(struct pic8259_chip *chip, uint8_t value)
{
	switch (chip->icw) {
	case 2: chip->vector = value & 0xf8; break;
	case 3: break; /* how a PC is wired is known */
	case 4:
		chip->auto_eoi = value & ICW4_AUTO;
		chip->nested = value & ICW4_NESTED;
		break;
	default: chip->imr = value; break;
	}
	chip->icw = icw_after(chip);
}

/* A read after a poll command takes the interrupt as INTA does, but names the pin. */
static uint8_t poll_read(struct pic8259_chip *chip)
{
	int pin = pending(chip);

	chip->poll = false;
	if (pin == NO_PIN) {
		return 0;
	}
	acknowledge(chip, (unsigned)pin);
	return (uint8_t)(0x80 | pin);
}

static uint8_t port_read(struct pic8259_chip *chip, uint64_t off)
{
	if (chip->poll) {
		return poll_read(chip);
	}
	if (off == 1) {
		return chip->imr;
	}
	return chip->reads_isr ? chip->isr : chip->irr;
}

static void port_write(struct pic8259_chip *chip, uint64_t off, uint8_t value)
{
	if (off == 0) {
		command_write(chip, value);
	} else {
		data_write(chip, value);
	}
}

/* ---- the pair; the lock is held ---- */

static void update(struct pic8259 *pic)
{
	bool level;

	line_set(&pic->chip[MASTER], CASCADE, pending(&pic->chip[SLAVE]) != NO_PIN);
	level = pending(&pic->chip[MASTER]) != NO_PIN;
	if (level != pic->level) {
		pic->level = level;
		hv_irq_set(&pic->out, level);
	}
}

void pic8259_irq_set(void *ctl, uint32_t irq, bool level)
{
	struct pic8259 *pic = ctl;

	if (irq >= PIC8259_IRQS || irq == CASCADE) {
		return;
	}
	port_lock(&pic->lock);
	line_set(&pic->chip[irq / PINS], irq % PINS, level);
	update(pic);
	port_unlock(&pic->lock);
}

/* What one chip puts on the data bus: its vector, or pin 7's when its request has gone. */
static uint8_t vector_of(struct pic8259_chip *chip, int pin)
{
	if (pin == NO_PIN) {
		return chip->vector + SPURIOUS;
	}
	acknowledge(chip, (unsigned)pin);
	return (uint8_t)(chip->vector + pin);
}

static uint8_t take(struct pic8259 *pic)
{
	struct pic8259_chip *slave = &pic->chip[SLAVE];
	int pin = pending(&pic->chip[MASTER]);
	uint8_t vector = vector_of(&pic->chip[MASTER], pin);

	if (pin == CASCADE) {
		vector = vector_of(slave, pending(slave));
		/* Its INT falls with INTA: if it has one more, that is one more edge. */
		line_set(&pic->chip[MASTER], CASCADE, false);
	}
	return vector;
}

uint8_t pic8259_ack(void *ctl)
{
	struct pic8259 *pic = ctl;
	uint8_t vector;

	port_lock(&pic->lock);
	vector = take(pic);
	update(pic);
	port_unlock(&pic->lock);
	return vector;
}

/* ---- ports: bytes only; the rest is RAZ/WI ---- */

static bool chip_access(struct pic8259 *pic, unsigned which, struct hv_access *access)
{
	struct pic8259_chip *chip = &pic->chip[which];
	bool valid = access->size == 1;

	port_lock(&pic->lock);
	if (!access->write) {
		access->data = valid ? port_read(chip, access->off) : 0;
	} else if (valid) {
		port_write(chip, access->off, (uint8_t)access->data);
	}
	update(pic);
	port_unlock(&pic->lock);
	return true;
}

static bool master_access(void *dev, struct hv_access *access)
{
	return chip_access(dev, MASTER, access);
}

static bool slave_access(void *dev, struct hv_access *access)
{
	return chip_access(dev, SLAVE, access);
}

static void elcr_write(struct pic8259_chip *chip, uint8_t value)
{
	chip->elcr = value & chip->elcr_mask;
	levels_look(chip);
}

static bool elcr_access(void *dev, struct hv_access *access)
{
	struct pic8259 *pic = dev;
	struct pic8259_chip *chip = &pic->chip[access->off & 1];
	bool valid = access->size == 1;

	port_lock(&pic->lock);
	if (!access->write) {
		access->data = valid ? chip->elcr : 0;
	} else if (valid) {
		elcr_write(chip, (uint8_t)access->data);
	}
	update(pic);
	port_unlock(&pic->lock);
	return true;
}

/* ---- life ---- */

static void chip_reset(struct pic8259_chip *chip, unsigned which)
{
	*chip = (struct pic8259_chip){
		.lines = chip->lines,
		.imr = 0xff,
		.elcr_mask = elcr_mask[which],
		.vector = first_vector[which],
		.lowest = PINS - 1,
	};
}

static void pic8259_reset(void *dev)
{
	struct pic8259 *pic = dev;

	port_lock(&pic->lock);
	chip_reset(&pic->chip[MASTER], MASTER);
	chip_reset(&pic->chip[SLAVE], SLAVE);
	pic->level = false;
	hv_irq_set(&pic->out, false);
	port_unlock(&pic->lock);
}

void pic8259_init(struct pic8259 *pic, struct hv_irq out)
{
	*pic = (struct pic8259){.out = out, .lock = HV_LOCK_INIT(HV_LOCK_IRQC)};
	pic8259_reset(pic);
}

const struct hv_dev_ops pic8259_master_ops = {
	.name = "pic8259 master",
	.access = master_access,
	.reset = pic8259_reset,
};
const struct hv_dev_ops pic8259_slave_ops = {
	.name = "pic8259 slave",
	.access = slave_access,
	.reset = pic8259_reset,
};
const struct hv_dev_ops pic8259_elcr_ops = {
	.name = "pic8259 elcr",
	.access = elcr_access,
	.reset = pic8259_reset,
};

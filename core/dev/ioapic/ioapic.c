/* SPDX-License-Identifier: MIT */
/*
 * A pin's input becomes a message. Of an edge-triggered pin each rise is one, unless it is masked
 * then; of a level-triggered one there is a message whenever the input is active and the last one
 * has ended, which Remote IRR keeps.
 */
#include <dev/ioapic/ioapic.h>
#include <hv/bits.h>

#define ID_BITS         0x0f000000u
#define ENTRY_WRITABLE  (HV_MASK(63, 56) | 0x1afff) /* all but what it tells itself */
#define MSI_ADDRESS     0xfee00000u
#define MSI_DEST_SHIFT  12u
#define MSI_LOGICAL     (1u << 2)
#define MSI_ASSERT      (1u << 14)
#define MODE_LOWEST     (1u << 8)
#define MODES_OF_LEVELS MODE_LOWEST /* and 0, fixed: others are edges, whatever LEVEL says */

/* ---- pins ---- */

static bool is_level(uint64_t entry)
{
	return (entry & IOAPIC_LEVEL) && (entry & IOAPIC_MODE & ~(uint64_t)MODES_OF_LEVELS) == 0;
}

static bool send(const struct ioapic *ioapic, uint64_t entry)
{
	uint32_t address = MSI_ADDRESS | (uint32_t)(entry >> IOAPIC_DEST_SHIFT) << MSI_DEST_SHIFT;
	uint32_t data = (uint32_t)entry & (IOAPIC_VECTOR | IOAPIC_MODE);

	address |= entry & IOAPIC_LOGICAL ? MSI_LOGICAL : 0;
	data |= MSI_ASSERT | (is_level(entry) ? IOAPIC_LEVEL : 0);
	return ioapic->cfg.deliver(ioapic->cfg.lapics, address, data);
}

/* Level-triggered: what nobody took has no end that could be waited for. */
static void level_look(struct ioapic *ioapic, uint32_t pin)
{
	uint64_t *entry = &ioapic->entry[pin];

	if (hv_bit(ioapic->lines, pin) && is_level(*entry) &&
		!(*entry & (IOAPIC_MASKED | IOAPIC_REMOTE_IRR)) && send(ioapic, *entry)) {
		*entry |= IOAPIC_REMOTE_IRR;
	}
}

static void rise(struct ioapic *ioapic, uint32_t pin)
{
	uint64_t entry = ioapic->entry[pin];

	if (is_level(entry)) {
		level_look(ioapic, pin);
	} else if (!(entry & IOAPIC_MASKED)) {
		(void)send(ioapic, entry);
	}
}

void ioapic_pin_set(void *ctl, uint32_t pin, bool level)
{
	struct ioapic *ioapic = ctl;
	uint32_t bit, was;

	if (pin >= IOAPIC_PINS) {
		return;
	}
	port_lock(&ioapic->lock);
	bit = 1u << pin;
	was = ioapic->lines;
	ioapic->lines = level ? was | bit : was & ~bit;
	if (level && !(was & bit)) {
		rise(ioapic, pin);
	}
	port_unlock(&ioapic->lock);
}

/* Each pin once: a message that is sent here does not come back here (A5). */
static void end(struct ioapic *ioapic, uint8_t vector)
{
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->entry[pin];

		if ((*entry & IOAPIC_REMOTE_IRR) && (*entry & IOAPIC_VECTOR) == vector) {
			*entry &= ~(uint64_t)IOAPIC_REMOTE_IRR;
			level_look(ioapic, pin);
		}
	}
}

void ioapic_eoi(void *ctl, uint8_t vector)
{
	struct ioapic *ioapic = ctl;

	port_lock(&ioapic->lock);
	end(ioapic, vector);
	port_unlock(&ioapic->lock);
}

/* ---- registers ---- */

/* The one place that makes a pin of the guest's index (A1); NULL: there is no such register. */
static uint64_t *entry_of(struct ioapic *ioapic)
{
	uint32_t pin = (ioapic->select - (uint32_t)IOAPIC_ENTRY) / 2;

	return pin < IOAPIC_PINS ? &ioapic->entry[pin] : NULL;
}

static uint32_t entry_read(struct ioapic *ioapic)
{
	const uint64_t *entry = entry_of(ioapic);

	return entry ? (uint32_t)(*entry >> (ioapic->select & 1) * 32) : 0;
}

/* Remote IRR stays as it is, but edges do not have it: so software ends a lost interrupt (A5). */
static void entry_write(struct ioapic *ioapic, uint32_t value)
{
	unsigned shift = (ioapic->select & 1) * 32;
	uint64_t bits = (uint64_t)UINT32_MAX << shift & ENTRY_WRITABLE;
	uint64_t *entry = entry_of(ioapic);

	if (!entry) {
		return;
	}
	*entry = (*entry & ~bits) | ((uint64_t)value << shift & bits);
	if (!is_level(*entry)) {
		*entry &= ~(uint64_t)IOAPIC_REMOTE_IRR;
	}
	level_look(ioapic, (uint32_t)(entry - ioapic->entry));
}

static uint32_t window_read(struct ioapic *ioapic)
{
	switch (ioapic->select) {
	case IOAPIC_ID:
	case IOAPIC_ARBITRATION: return ioapic->id;
	case IOAPIC_VERSION: return ioapic->cfg.version | (IOAPIC_PINS - 1) << 16;
	default: return entry_read(ioapic);
	}
}

static void window_write(struct ioapic *ioapic, uint32_t value)
{
	if (ioapic->select == IOAPIC_ID) {
		ioapic->id = value & ID_BITS;
	} else {
		entry_write(ioapic, value);
	}
}

static uint32_t reg_read(struct ioapic *ioapic, uint64_t off)
{
	switch (off) {
	case IOAPIC_SELECT: return ioapic->select;
	case IOAPIC_WINDOW: return window_read(ioapic);
	default: return 0;
	}
}

static void reg_write(struct ioapic *ioapic, uint64_t off, uint32_t value)
{
	switch (off) {
	case IOAPIC_SELECT: ioapic->select = (uint8_t)value; break;
	case IOAPIC_WINDOW: window_write(ioapic, value); break;
	case IOAPIC_EOI:
		if (ioapic->cfg.version >= 0x20) {
			end(ioapic, (uint8_t)value);
		}
		break;
	default: break;
	}
}

/* Every register is one aligned word; the rest is RAZ/WI. */
static bool ioapic_access(void *dev, struct hv_access *access)
{
	struct ioapic *ioapic = dev;
	bool valid = access->size == 4 && access->off % 4 == 0;

	port_lock(&ioapic->lock);
	if (!access->write) {
		access->data = valid ? reg_read(ioapic, access->off) : 0;
	} else if (valid) {
		reg_write(ioapic, access->off, (uint32_t)access->data);
	}
	port_unlock(&ioapic->lock);
	return true;
}

static void ioapic_reset(void *dev)
{
	struct ioapic *ioapic = dev;

	port_lock(&ioapic->lock);
	ioapic->select = 0;
	ioapic->id = 0;
	for (uint32_t i = 0; i < IOAPIC_PINS; i++) {
		ioapic->entry[i] = IOAPIC_MASKED;
	}
	port_unlock(&ioapic->lock);
}

void ioapic_init(struct ioapic *ioapic, const struct ioapic_cfg *cfg)
{
	*ioapic = (struct ioapic){.cfg = *cfg, .lock = HV_LOCK_INIT(HV_LOCK_IRQC)};
	ioapic_reset(ioapic);
}

const struct hv_dev_ops ioapic_ops = {
	.name = "ioapic",
	.access = ioapic_access,
	.reset = ioapic_reset,
};

/* SPDX-License-Identifier: MIT */
/*
 * PL031. The counter is arithmetic on `now`; a match is an event between two instants, so it is
 * found however late somebody looks, and its nanosecond is known ahead.
 */
#include <dev/pl031/pl031.h>
#include <hv/bits.h>

#define NS_PER_S 1000000000u

/* Peripheral ID (revision 1, as other virtual machines have it) and PrimeCell ID. */
static const uint8_t id[8] = {0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static uint32_t counter(const struct pl031 *rtc)
{
	return rtc->offset + (uint32_t)rtc->seen;
}

/* Seconds from `seen` to the next match, 1..2^32: a counter that matches now did so already. */
static uint64_t until_match(const struct pl031 *rtc)
{
	return (uint64_t)(uint32_t)(rtc->match - counter(rtc) - 1) + 1;
}

static void update_line(struct pl031 *rtc)
{
	bool level = rtc->raw && rtc->mask;

	if (level != rtc->level) {
		rtc->level = level;
		hv_irq_set(&rtc->irq, level);
	}
}

/* Moves `seen` to now; raises the alarm when the counter went through the match on the way. */
static void catch_up(struct pl031 *rtc, uint64_t now)
{
	uint64_t seconds = now / NS_PER_S;

	if (seconds > rtc->seen) {
		rtc->raw = rtc->raw || seconds - rtc->seen >= until_match(rtc);
		rtc->seen = seconds;
	}
}

/* Match or counter was written: the comparator sees equality at once (DDI 0224, 2.1). */
static void compare(struct pl031 *rtc)
{
	rtc->raw = rtc->raw || counter(rtc) == rtc->match;
}

static uint32_t reg_read(const struct pl031 *rtc, uint64_t off)
{
	switch (off) {
	case PL031_DR: return counter(rtc);
	case PL031_MR: return rtc->match;
	case PL031_LR: return rtc->load;
	case PL031_CR: return 1; /* counts since before the guest looked, and cannot be stopped */
	case PL031_IMSC: return rtc->mask;
	case PL031_RIS: return rtc->raw;
	case PL031_MIS: return rtc->raw && rtc->mask;
	default: break;
	}
	return off >= PL031_ID ? id[(off - PL031_ID) / 4 % sizeof(id)] : 0;
}

static void reg_write(struct pl031 *rtc, uint64_t off, uint32_t value)
{
	switch (off) {
	case PL031_MR:
		rtc->match = value;
		compare(rtc);
		break;
	case PL031_LR:
		rtc->load = value;
		rtc->offset = value - (uint32_t)rtc->seen;
		compare(rtc);
		break;
	case PL031_IMSC: rtc->mask = hv_bit(value, 0); break;
	case PL031_ICR: rtc->raw = false; break; /* any value clears (DDI 0224C, 2.1) */
	default: break;
	}
}

/* Every register is one 32-bit word; 1 and 2 bytes reach its low end, the rest is RAZ/WI. */
static bool pl031_access(void *dev, struct hv_access *access)
{
	struct pl031 *rtc = dev;
	bool valid = access->size <= 4 && access->off % 4 == 0;

	catch_up(rtc, access->now);
	if (access->write) {
		if (valid) {
			reg_write(rtc, access->off, (uint32_t)access->data);
		}
	} else {
		access->data = valid ? reg_read(rtc, access->off) : 0;
		access->data &= HV_MASK(access->size * 8 - 1, 0);
	}
	update_line(rtc);
	return true;
}

static uint64_t pl031_expire(void *dev, uint64_t now)
{
	struct pl031 *rtc = dev;
	uint64_t due;

	catch_up(rtc, now);
	update_line(rtc);
	if (__builtin_mul_overflow(rtc->seen + until_match(rtc), NS_PER_S, &due)) {
		return HV_NEVER_DUE;
	}
	return due;
}

/* `seen` stays: time goes on while a machine resets. */
static void pl031_reset(void *dev)
{
	struct pl031 *rtc = dev;

	*rtc = (struct pl031){
		.irq = rtc->irq,
		.epoch = rtc->epoch,
		.seen = rtc->seen,
		.offset = (uint32_t)rtc->epoch,
	};
	hv_irq_set(&rtc->irq, false);
}

void pl031_init(struct pl031 *rtc, uint64_t epoch, struct hv_irq irq)
{
	*rtc = (struct pl031){.irq = irq, .epoch = epoch};
	pl031_reset(rtc);
}

const struct hv_dev_ops pl031_ops = {
	.name = "pl031",
	.access = pl031_access,
	.reset = pl031_reset,
	.expire = pl031_expire,
};

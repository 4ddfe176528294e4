/* SPDX-License-Identifier: MIT */
/* Goldfish RTC: arithmetic on `now`, so no look is too late. */
#include <dev/goldfish_rtc/goldfish_rtc.h>
#include <hv/bits.h>

#define NS_PER_S 1000000000u

static uint64_t with_low(uint64_t value, uint32_t low)
{
	return (value & ~(uint64_t)UINT32_MAX) | low;
}

static uint64_t with_high(uint64_t value, uint32_t high)
{
	return (uint64_t)high << 32 | (uint32_t)value;
}

static void update_line(struct goldfish_rtc *rtc)
{
	bool level = rtc->pending && rtc->enabled;

	if (level != rtc->level) {
		rtc->level = level;
		hv_irq_set(&rtc->irq, level);
	}
}

/* An alarm whose time has come, or had come before it was set, is an interrupt and no more to come.
 */
static void catch_up(struct goldfish_rtc *rtc, uint64_t now)
{
	if (rtc->running && rtc->offset + now >= rtc->alarm) {
		rtc->running = false;
		rtc->pending = true;
	}
}

static uint32_t time_low(struct goldfish_rtc *rtc, uint64_t now)
{
	uint64_t time = rtc->offset + now;

	rtc->time_high = (uint32_t)(time >> 32);
	return (uint32_t)time;
}

static uint32_t reg_read(struct goldfish_rtc *rtc, uint64_t off, uint64_t now)
{
	switch (off) {
	case GOLDFISH_RTC_TIME_LOW: return time_low(rtc, now);
	case GOLDFISH_RTC_TIME_HIGH: return rtc->time_high;
	case GOLDFISH_RTC_ALARM_LOW: return (uint32_t)rtc->alarm;
	case GOLDFISH_RTC_ALARM_HIGH: return (uint32_t)(rtc->alarm >> 32);
	case GOLDFISH_RTC_IRQ_ENABLED: return rtc->enabled;
	case GOLDFISH_RTC_ALARM_STATUS: return rtc->running;
	default: return 0;
	}
}

static void reg_write(struct goldfish_rtc *rtc, uint64_t off, uint32_t value, uint64_t now)
{
	uint64_t time = rtc->offset + now;

	switch (off) {
	case GOLDFISH_RTC_TIME_LOW: rtc->offset = with_low(time, value) - now; break;
	case GOLDFISH_RTC_TIME_HIGH: rtc->offset = with_high(time, value) - now; break;
	case GOLDFISH_RTC_ALARM_LOW:
		rtc->alarm = with_low(rtc->alarm, value);
		rtc->running = true;
		break;
	case GOLDFISH_RTC_ALARM_HIGH: rtc->alarm = with_high(rtc->alarm, value); break;
	case GOLDFISH_RTC_IRQ_ENABLED: rtc->enabled = hv_bit(value, 0); break;
	case GOLDFISH_RTC_CLEAR_ALARM: rtc->running = false; break;
	case GOLDFISH_RTC_CLEAR_INTERRUPT: rtc->pending = false; break;
	default: break;
	}
}

/* Every register is one 32-bit word and takes no other access: the rest is RAZ/WI. */
static bool goldfish_rtc_access(void *dev, struct hv_access *access)
{
	struct goldfish_rtc *rtc = dev;
	bool valid = access->size == 4 && access->off % 4 == 0;

	catch_up(rtc, access->now);
	if (!access->write) {
		access->data = valid ? reg_read(rtc, access->off, access->now) : 0;
	} else if (valid) {
		reg_write(rtc, access->off, (uint32_t)access->data, access->now);
		catch_up(rtc, access->now);
	}
	update_line(rtc);
	return true;
}

static uint64_t goldfish_rtc_expire(void *dev, uint64_t now)
{
	struct goldfish_rtc *rtc = dev;
	uint64_t due;

	catch_up(rtc, now);
	update_line(rtc);
	if (!rtc->running || !hv_add_ok(now, rtc->alarm - (rtc->offset + now), &due)) {
		return HV_NEVER_DUE;
	}
	return due;
}

static void goldfish_rtc_reset(void *dev)
{
	struct goldfish_rtc *rtc = dev;

	*rtc = (struct goldfish_rtc){
		.irq = rtc->irq,
		.epoch = rtc->epoch,
		.offset = rtc->epoch,
		.time_high = (uint32_t)(rtc->epoch >> 32),
	};
	hv_irq_set(&rtc->irq, false);
}

void goldfish_rtc_init(struct goldfish_rtc *rtc, uint64_t epoch, struct hv_irq irq)
{
	*rtc = (struct goldfish_rtc){.irq = irq, .epoch = epoch * NS_PER_S};
	goldfish_rtc_reset(rtc);
}

const struct hv_dev_ops goldfish_rtc_ops = {
	.name = "goldfish_rtc",
	.access = goldfish_rtc_access,
	.reset = goldfish_rtc_reset,
	.expire = goldfish_rtc_expire,
};

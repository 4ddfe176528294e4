/* SPDX-License-Identifier: MIT */
/*
 * Goldfish real time clock: nanoseconds since 1970, and an alarm. Source: Android's goldfish
 * virtual hardware description ("Goldfish timer"), and Linux's binding google,goldfish-rtc.
 */
#ifndef GOLDFISH_RTC_H
#define GOLDFISH_RTC_H

#include <hv/dev.h>
#include <hv/irq.h>

enum goldfish_rtc_reg {
	GOLDFISH_RTC_TIME_LOW = 0x00,  /* read: also keeps the high half for TIME_HIGH */
	GOLDFISH_RTC_TIME_HIGH = 0x04, /* write both: the clock is set half by half */
	GOLDFISH_RTC_ALARM_LOW = 0x08, /* write: sets the alarm, with ALARM_HIGH as it is */
	GOLDFISH_RTC_ALARM_HIGH = 0x0c,
	GOLDFISH_RTC_IRQ_ENABLED = 0x10,
	GOLDFISH_RTC_CLEAR_ALARM = 0x14,
	GOLDFISH_RTC_ALARM_STATUS = 0x18, /* 1: an alarm is to come */
	GOLDFISH_RTC_CLEAR_INTERRUPT = 0x1c,
};

struct goldfish_rtc {
	struct hv_irq irq;
	uint64_t epoch;  /* ns since 1970 at now = 0; what a reset goes back to */
	uint64_t offset; /* the time is offset + now, modulo 2^64 */
	uint64_t alarm;
	uint32_t time_high; /* kept by a read of TIME_LOW */
	bool running;       /* the alarm is to come */
	bool pending, enabled;
	bool level; /* what irq was last set to */
};

extern const struct hv_dev_ops goldfish_rtc_ops;

/* epoch: seconds. */
void goldfish_rtc_init(struct goldfish_rtc *rtc, uint64_t epoch, struct hv_irq irq);

#endif

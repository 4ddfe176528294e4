/* SPDX-License-Identifier: MIT */
#include "fake_dev.h"
#include "fake_port.h"

static bool access(void *dev, struct hv_access *access)
{
	struct fake_dev *fake = dev;

	fake->accesses++;
	fake->last = *access;
	fake->locks_held = fake_port.locks_held;
	if (fake->refuse) {
		return false;
	}
	if (access->write) {
		hv_irq_set(&fake->irq, true);
	} else {
		access->data = fake->answer;
	}
	return true;
}

static void reset(void *dev)
{
	struct fake_dev *fake = dev;

	fake->resets++;
	fake->locks_held = fake_port.locks_held;
	hv_irq_set(&fake->irq, false);
}

static uint64_t expire(void *dev, uint64_t now)
{
	struct fake_dev *fake = dev;

	fake->expires++;
	fake->expired_at = now;
	fake->locks_held = fake_port.locks_held;
	return fake->due;
}

static void poll(void *dev)
{
	struct fake_dev *fake = dev;

	fake->polls++;
	fake->locks_held = fake_port.locks_held;
}

const struct hv_dev_ops fake_timer_ops = {
	.name = "fake timer",
	.access = access,
	.reset = reset,
	.expire = expire,
	.poll = poll,
};

const struct hv_dev_ops fake_dev_ops = {
	.name = "fake",
	.access = access,
	.reset = reset,
};

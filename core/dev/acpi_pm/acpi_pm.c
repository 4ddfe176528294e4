/* SPDX-License-Identifier: MIT */
/* Registers are read and written as parts of aligned words; what crosses one is RAZ/WI. */
#include <dev/acpi_pm/acpi_pm.h>
#include <hv/bits.h>

#define NS_PER_S 1000000000u

#define EN_BITS  0x0721u                         /* timer, global lock, buttons, RTC */
#define CNT_BITS (ACPI_PM_CNT_SLP_TYP | 0x0002u) /* BM_RLD; the rest reads as it must */

static uint32_t timer(uint64_t now)
{
	uint64_t s = now / NS_PER_S, ns = now % NS_PER_S;

	return (uint32_t)(s * ACPI_PM_TMR_HZ + ns * ACPI_PM_TMR_HZ / NS_PER_S);
}

static uint32_t word_read(struct acpi_pm *pm, uint64_t off, uint64_t now)
{
	switch (off) {
	case ACPI_PM_STS: return (uint32_t)atomic_load(&pm->en) << 16;
	case ACPI_PM_CNT: return atomic_load(&pm->cnt) | ACPI_PM_CNT_SCI_EN;
	case ACPI_PM_TMR: return timer(now);
	default: return 0;
	}
}

static void control(struct acpi_pm *pm, uint32_t value)
{
	atomic_store(&pm->cnt, (uint16_t)(value & CNT_BITS));
	if ((value & ACPI_PM_CNT_SLP_EN) && (value & ACPI_PM_CNT_SLP_TYP) >> 10 == ACPI_PM_S5) {
		hv_irq_set(&pm->off, true);
	}
}

static void word_write(struct acpi_pm *pm, uint64_t off, uint32_t value)
{
	switch (off) {
	case ACPI_PM_STS: atomic_store(&pm->en, (uint16_t)(value >> 16 & EN_BITS)); break;
	case ACPI_PM_CNT: control(pm, value); break;
	default: break;
	}
}

static bool acpi_pm_access(void *dev, struct hv_access *access)
{
	struct acpi_pm *pm = dev;
	uint64_t word = access->off & ~(uint64_t)3;
	unsigned shift = 8 * (unsigned)(access->off & 3), bits = 8u * access->size;
	bool valid = shift + bits <= 32;
	uint32_t mask = valid ? (uint32_t)(HV_MASK(bits - 1, 0) << shift) : 0;
	uint32_t value = word_read(pm, word, access->now);

	if (!access->write) {
		access->data = (value & mask) >> shift;
	} else if (valid) {
		word_write(pm, word, (value & ~mask) | ((uint32_t)access->data << shift & mask));
	}
	return true;
}

/* It has one only so that accesses bring the time. */
static uint64_t acpi_pm_expire(void *dev, uint64_t now)
{
	(void)dev;
	(void)now;
	return HV_NEVER_DUE;
}

static void acpi_pm_reset(void *dev)
{
	struct acpi_pm *pm = dev;

	atomic_store(&pm->en, 0);
	atomic_store(&pm->cnt, 0);
	hv_irq_set(&pm->off, false);
}

void acpi_pm_init(struct acpi_pm *pm, struct hv_irq off)
{
	pm->off = off;
	acpi_pm_reset(pm);
}

const struct hv_dev_ops acpi_pm_ops = {
	.name = "acpi-pm",
	.access = acpi_pm_access,
	.reset = acpi_pm_reset,
	.expire = acpi_pm_expire,
};

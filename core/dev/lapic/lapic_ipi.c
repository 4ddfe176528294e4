/* SPDX-License-Identifier: MIT */
/* Who gets a message, and what it does there: ICR, SELF IPI, and what comes from outside. */
#include "lapic_int.h"

#define ICR_DEST_SHIFT 32u
#define BROADCAST_8    0xffu       /* xAPIC, and messages from outside (SDM3 10.6.2) */
#define BROADCAST_32   0xffffffffu /* x2APIC (SDM3 10.12.9) */

#define MSI_DEST_SHIFT 12u
#define MSI_REDIRECT   (1u << 3) /* to the one of lowest priority */
#define MSI_LOGICAL    (1u << 2)

struct message {
	uint32_t dest;
	uint8_t vector;
	enum lapic_mode mode;
	bool logical, broadcast, level;
};

/* ---- destinations ---- */

/* In xAPIC mode the model is the target's own (SDM3 10.6.2.2); a reserved one never matches. */
static bool matches_logical(const struct lapic *lapic, uint32_t dest)
{
	uint32_t ldr = lapic_ldr(lapic), id = ldr >> 24;

	if (lapic_is_x2apic(lapic)) {
		return dest >> 16 == ldr >> 16 && (uint16_t)(dest & ldr) != 0;
	}
	if (dest > BROADCAST_8) {
		return false;
	}
	switch (LAPIC_GET(lapic->dfr) >> 28) {
	case 0xf: return (dest & id) != 0;
	case 0x0: return dest >> 4 == id >> 4 && (dest & id & 15) != 0;
	default: return false;
	}
}

/* One bit per CPU. */
static uint32_t logical_targets(const struct lapics *lapics, uint32_t dest)
{
	uint32_t targets = 0;

	for (uint32_t i = 0; i < lapics->cfg.cpus; i++) {
		targets |= (uint32_t)matches_logical(&lapics->cpu[i], dest) << i;
	}
	return targets;
}

static uint32_t all(const struct lapics *lapics)
{
	return (1u << lapics->cfg.cpus) - 1;
}

/* The id is a CPU's number, and is compared before it is one (A3). */
static uint32_t targets_of(const struct lapics *lapics, const struct message *message)
{
	if (message->broadcast) {
		return all(lapics);
	}
	if (message->logical) {
		return logical_targets(lapics, message->dest);
	}
	return message->dest < lapics->cfg.cpus ? 1u << message->dest % LAPIC_CPUS : 0;
}

/* Lowest priority: of those that take interrupts the lowest PPR class, then the lowest number. */
static uint32_t lowest_of(const struct lapics *lapics, uint32_t targets)
{
	uint32_t best = 0, best_class = 16;

	for (; targets; targets &= targets - 1) {
		uint32_t i = hv_lowest_bit(targets);
		uint32_t class = lapic_ppr(&lapics->cpu[i]) >> 4;

		if (class < best_class && lapic_takes_interrupts(&lapics->cpu[i])) {
			best = 1u << i;
			best_class = class;
		}
	}
	return best;
}

/* ---- delivery ---- */

static void signal(struct lapic *lapic, enum lapic_signal what, uint8_t vector)
{
	lapic->lapics->cfg.ops->signal(lapic->ctx, what, vector);
}

static bool deliver_to(struct lapic *lapic, const struct message *message, bool here)
{
	switch (message->mode) {
	case LAPIC_FIXED:
	case LAPIC_LOWEST: return lapic_raise_by(lapic, message->vector, message->level, here);
	case LAPIC_NMI: signal(lapic, LAPIC_SIGNAL_NMI, 0); return true;
	case LAPIC_INIT: signal(lapic, LAPIC_SIGNAL_INIT, 0); return true;
	case LAPIC_SIPI: signal(lapic, LAPIC_SIGNAL_SIPI, message->vector); return true;
	default: return false; /* SMI: a guest has none; ExtINT: by LINT0 only; reserved */
	}
}

/* Whether somebody took it. A disabled APIC hears nothing. */
static bool deliver(struct lapics *lapics, const struct message *message, uint32_t targets,
	const struct lapic *self)
{
	bool taken = false;

	if (message->mode == LAPIC_LOWEST) {
		targets = lowest_of(lapics, targets);
	}
	for (; targets; targets &= targets - 1) {
		struct lapic *lapic = &lapics->cpu[hv_lowest_bit(targets)];

		if (lapic_is_enabled(lapic)) {
			taken |= deliver_to(lapic, message, lapic == self);
		}
	}
	return taken;
}

bool lapics_msi(void *ctl, uint32_t address, uint32_t data)
{
	struct lapics *lapics = ctl;
	struct message message = {
		.dest = address >> MSI_DEST_SHIFT & 0xff,
		.vector = (uint8_t)data,
		.mode = lapic_mode_of(data),
		.logical = address & MSI_LOGICAL,
		.level = data & LAPIC_LEVEL,
	};

	if (message.mode == LAPIC_SIPI || (message.level && !(data & LAPIC_ASSERT))) {
		return false; /* not from outside; the end of a level, which the local APIC does not
			       * need
			       */
	}
	if (message.mode == LAPIC_FIXED && (address & MSI_REDIRECT)) {
		message.mode = LAPIC_LOWEST;
	}
	message.broadcast = message.dest == BROADCAST_8;
	return deliver(lapics, &message, targets_of(lapics, &message), NULL);
}

/* ---- ICR ---- */

static void message_of_icr(struct message *message, const struct lapic *lapic)
{
	bool x2apic = lapic_is_x2apic(lapic);
	uint32_t high = (uint32_t)(lapic->icr >> ICR_DEST_SHIFT);

	message->dest = x2apic ? high : high >> 24;
	message->vector = (uint8_t)lapic->icr;
	message->mode = lapic_mode_of(lapic->icr);
	message->logical = lapic->icr & LAPIC_LOGICAL;
	message->broadcast = message->dest == (x2apic ? BROADCAST_32 : BROADCAST_8);
	message->level = false; /* IPIs are edges (SDM3 10.6.1) */
}

/* INIT and SIPI reach the sender only if it names itself (SDM3 table 10-3). */
static uint32_t shorthand_targets(
	const struct lapic *lapic, enum lapic_shorthand shorthand, enum lapic_mode mode)
{
	uint32_t self = 1u << lapic->index, others = all(lapic->lapics) & ~self;

	if (mode == LAPIC_INIT || mode == LAPIC_SIPI) {
		self = 0;
	}
	switch (shorthand) {
	case LAPIC_TO_SELF: return self;
	case LAPIC_TO_ALL: return others | self;
	default: return others;
	}
}

static uint32_t icr_targets(struct lapic *lapic, const struct message *message)
{
	enum lapic_shorthand shorthand =
		(enum lapic_shorthand)(lapic->icr >> LAPIC_SHORTHAND_SHIFT & 3);
	uint32_t targets;

	if (shorthand != LAPIC_TO_DEST) {
		return shorthand_targets(lapic, shorthand, message->mode);
	}
	targets = targets_of(lapic->lapics, message);
	if (targets == 0) {
		lapic_error(lapic, LAPIC_ERROR_SEND_ACCEPT, true);
	}
	return targets;
}

static bool has_bad_vector(const struct message *message)
{
	return (message->mode == LAPIC_FIXED || message->mode == LAPIC_LOWEST) &&
	       message->vector < LAPIC_VECTOR_MIN;
}

void lapic_self_ipi(struct lapic *lapic, uint8_t vector)
{
	if (vector < LAPIC_VECTOR_MIN) {
		lapic_error(lapic, LAPIC_ERROR_SEND_VECTOR, true);
	} else {
		(void)lapic_raise_by(lapic, vector, false, true);
	}
}

/* The one that is sent most: fixed, by the shorthand. */
static bool is_plain_self_ipi(uint32_t low)
{
	return (low >> LAPIC_SHORTHAND_SHIFT & 3) == LAPIC_TO_SELF &&
	       lapic_mode_of(low) == LAPIC_FIXED;
}

void lapic_icr_send(struct lapic *lapic)
{
	struct message message;

	if (is_plain_self_ipi((uint32_t)lapic->icr)) {
		lapic_self_ipi(lapic, (uint8_t)lapic->icr);
		return;
	}
	message_of_icr(&message, lapic);
	if (has_bad_vector(&message)) {
		lapic_error(lapic, LAPIC_ERROR_SEND_VECTOR, true);
		return;
	}
	if (message.mode == LAPIC_INIT && (lapic->icr & LAPIC_LEVEL) &&
		!(lapic->icr & LAPIC_ASSERT)) {
		return; /* INIT level de-assert: for CPUs of long ago (SDM3 10.6.1) */
	}
	(void)deliver(lapic->lapics, &message, icr_targets(lapic, &message), lapic);
}

/* SPDX-License-Identifier: MIT */
/*
 * Inside the GIC's folder: the state that every GIC version shares, kept as one bit per interrupt
 * in words of 32 (a "bank"), so that a look at everything is a look at a few words. Every function
 * here runs under vgic->lock.
 *
 * Where an interrupt is:
 *   pending   a latched event (an edge, or ISPENDR) waits in the distributor;
 *   line      its input is high; for a level-sensitive one that is pending too;
 *   in_lr     its state is in a list register of `owner`; `active` and `lr_latch` say what the
 *             list register held at the last look;
 *   spilled   active, but its list register was given to something more urgent.
 * What has to change in a list register of another vCPU is asked for by the req_* words, and done
 * by its owner's next sync.
 */
#ifndef VGIC_INT_H
#define VGIC_INT_H

#include <dev/gic/gic.h>
#include <hv/bits.h>

#define VGIC_BANK_BITS 32u
#define VGIC_SPI_BANKS (GIC_SPI_MAX / VGIC_BANK_BITS)

/* Five bits of priority, as GIC-500 and GIC-600 and the virtual CPU interfaces have. */
#define VGIC_PRIO_MASK 0xf8u

#define VGIC_GRP0 (1u << 0) /* GICD_CTLR.EnableGrp0 */
#define VGIC_GRP1 (1u << 1) /* GICD_CTLR.EnableGrp1 */

struct vgic_bank {
	uint32_t first; /* INTID of bit 0 */
	uint16_t home;  /* of a private bank: its vCPU */
	uint32_t ready; /* may go into a list register: kept by vgic_bank_update() */
	uint32_t group, enabled, edge, hw;
	uint32_t sourced; /* each event is one CPU's own: SGIs of a GICv2 */
	uint32_t line, pending, active;
	uint32_t in_lr, lr_latch, spilled;
	uint32_t req_activate, req_deactivate, req_unpend;
	uint32_t any;              /* IROUTER.IRM: to some vCPU that is awake */
	uint32_t target[GIC_CPUS]; /* bit set: goes to this vCPU */
	uint8_t prio[VGIC_BANK_BITS];
	uint8_t owner[VGIC_BANK_BITS];      /* vCPU index; valid with in_lr or spilled */
	uint8_t spill_prio[VGIC_BANK_BITS]; /* priority it was taken with; valid with spilled */
};

/* Where the SGIs of one vCPU come from, in a GICv2. */
struct vgic_sources {
	uint8_t waiting[GIC_SGIS]; /* bit n: vCPU n's event is pending in the distributor */
	uint8_t taken[GIC_SGIS];   /* whose event was put into a list register last */
};

struct vgic {
	struct hv_lock lock; /* HV_LOCK_IRQC */
	enum gic_iface iface;
	uint32_t groups;     /* VGIC_GRP0, VGIC_GRP1 that the distributor forwards */
	uint32_t ready_spis; /* bit n: spi[n].ready is not 0 */
	uint16_t spi_banks;
	uint16_t cpu_count;
	struct gicv3_cpu *cpu[GIC_CPUS];
	struct vgic_bank priv[GIC_CPUS]; /* SGIs and PPIs */
	struct vgic_bank *spi;           /* [spi_banks] */
	uint64_t *route;                 /* GICD_IROUTER<n>, [spi_banks * 32] */
	struct vgic_sources sources[GIC_CPUS];
};

static inline struct vgic_bank *vgic_private(const struct gicv3_cpu *cpu)
{
	return &cpu->vgic->priv[cpu->index];
}

/*
 * The one place that turns a guest-chosen number into a bank (G2): `n` is INTID / 32. NULL: this
 * GIC has no such interrupts. The mask holds even where the branch is only guessed.
 */
static inline struct vgic_bank *vgic_spi_bank(struct vgic *vgic, uint32_t n)
{
	uint32_t i = n - 1u;

	if (i >= vgic->spi_banks) {
		return NULL;
	}
	return &vgic->spi[i & (0u - (uint32_t)(i < vgic->spi_banks))];
}

/* The bank of any INTID as this vCPU sees it, or NULL. */
static inline struct vgic_bank *vgic_bank_of(const struct gicv3_cpu *cpu, uint32_t intid)
{
	return intid < GIC_SPI_FIRST ? vgic_private(cpu)
				     : vgic_spi_bank(cpu->vgic, intid / VGIC_BANK_BITS);
}

/* Level-sensitive interrupts whose line makes them pending. A mapped one is always a level. */
static inline uint32_t vgic_bank_asserted(const struct vgic_bank *bank)
{
	return bank->line & (~bank->edge | bank->hw);
}

/* Interrupts that the distributor lets through, whoever is their target. */
static inline uint32_t vgic_bank_open(const struct vgic *vgic, const struct vgic_bank *bank)
{
	return bank->enabled & ((vgic->groups & VGIC_GRP1 ? bank->group : 0) |
				       (vgic->groups & VGIC_GRP0 ? ~bank->group : 0));
}

/* vgic.c */
/* Recomputes bank->ready; needed after every change of a bank. */
void vgic_bank_update(struct vgic *vgic, struct vgic_bank *bank);
/*
 * `bits` of this bank changed in any way: whoever holds them in a list register, or now has to take
 * them, looks again. `self` (may be NULL) is the vCPU that is here, and does so at once.
 */
void vgic_bank_changed(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t bits, struct gicv3_cpu *self);
/* An input line that is not mapped; latched when it is an edge. */
void vgic_line_set(struct vgic *vgic, struct vgic_bank *bank, uint32_t bit, bool level,
	struct gicv3_cpu *self);
/*
 * Those of `bits` whose line has fallen since their physical interrupt came. Nobody tells when a
 * mapped line falls, so whoever reports or offers it asks. `self` is the vCPU that is here; nothing
 * is known of the lines of another one.
 */
uint32_t vgic_fallen(const struct vgic_bank *bank, uint32_t bits, const struct gicv3_cpu *self);
/* Mapped interrupts that `self` has in no list register are no longer pending if they fell. */
void vgic_lines_look(struct vgic *vgic, struct vgic_bank *bank, const struct gicv3_cpu *self);
/* Ends the active state of `bits`, wherever it is. */
void vgic_deactivate(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t bits, struct gicv3_cpu *self);
/* Any change of vgic->groups: every bank at once. */
void vgic_groups_set(struct vgic *vgic, uint32_t groups, struct gicv3_cpu *self);
/* Writes GICD_IROUTER of bit n of an SPI bank. */
void vgic_route_set(struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint64_t route,
	struct gicv3_cpu *self);
/* GICR_WAKER.ProcessorSleep: 1-of-N interrupts move to a vCPU that is awake. */
void vgic_sleep_set(struct gicv3_cpu *cpu, bool asleep, struct gicv3_cpu *self);

/* vgic_lr.c */
/* Reads back, revises and fills the list registers of `cpu`, which is here. */
void vgic_lr_sync(struct gicv3_cpu *cpu);
/* Only fills: enough when nothing that is in a list register has changed. */
void vgic_lr_fill(struct gicv3_cpu *cpu);
/*
 * One interrupt of `bank` that this vCPU, which is here, holds or may take has changed: the short
 * way, when nothing else can be concerned. False: take the long one.
 */
bool vgic_lr_one(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit);
/*
 * A mapped interrupt that is in a list register fired again: pending in the same one. Here. False:
 * not so simple, nothing has changed.
 */
bool vgic_lr_refire(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit);
/*
 * An SGI to this vCPU, which is here, and which it has had before: the short way. False: not so
 * simple, nothing has changed.
 */
bool vgic_lr_event(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit);
/* Forgets what a list register holds of one private interrupt: its state there is over. */
void vgic_lr_forget(struct gicv3_cpu *cpu, uint32_t intid);
/* Core ended the active state of an interrupt of this vCPU's that is in no list register. */
void vgic_lr_deactivated(struct gicv3_cpu *cpu, struct vgic_bank *bank, uint32_t bit);
/* Empties the list registers of a vCPU that is reset; pending events go back to their bank. */
void vgic_lr_reset(struct gicv3_cpu *cpu);

/* vgic_sgi.c: SGIs whose pending state is per sending CPU. */
/* An event of the SGI moves into a list register, unless one is there; which then is the latched
 * one. */
void vgic_source_take(struct vgic *vgic, struct vgic_bank *bank, uint32_t bit);
/* It goes back to the distributor. */
void vgic_source_return(struct vgic *vgic, struct vgic_bank *bank, uint32_t bit);
/* The CPUs from which an event of SGI n is pending for `cpu`, which is here. */
uint32_t vgic_sources_read(struct gicv3_cpu *cpu, uint32_t n);
/* Adds, takes away such events. `self` is the vCPU that is here. */
void vgic_sources_set(struct gicv3_cpu *cpu, uint32_t n, uint32_t sources, struct gicv3_cpu *self);
void vgic_sources_clear(struct gicv3_cpu *cpu, uint32_t n, uint32_t sources);

/* vgic_regs.c: register arrays that GICD and the SGI frames have alike. */
/* One word of the bit arrays at 0x080..0x3ff; `off` is the frame's. `self` is the accessing vCPU.
 */
uint32_t vgic_bits_read(
	struct vgic *vgic, struct vgic_bank *bank, uint32_t off, struct gicv3_cpu *self);
void vgic_bits_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t off, uint32_t value,
	struct gicv3_cpu *self);
/* `size` bytes of priorities from bit n on. */
uint32_t vgic_prio_read(const struct vgic_bank *bank, uint32_t n, uint32_t size);
void vgic_prio_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint32_t size,
	uint32_t value, struct gicv3_cpu *self);
/* GICx_ICFGR of the 16 interrupts from bit n (0 or 16) on. */
uint32_t vgic_cfg_read(const struct vgic_bank *bank, uint32_t n);
void vgic_cfg_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint32_t value,
	struct gicv3_cpu *self);
/*
 * The last twelve registers of a frame, for identification; `part` is the low byte of the part
 * number, `revision` the architecture's, as in GICD_PIDR2.
 */
uint32_t vgic_id_read(uint32_t off, uint8_t part, uint8_t revision);

#endif

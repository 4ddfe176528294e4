/* SPDX-License-Identifier: MIT */
/*
 * The door of the emulated GIC. GICv3 (IHI 0069): distributor and redistributors are emulated by
 * trap; the CPU interface is the hardware's (or the sim's model of it), fed through list registers.
 *
 * Who owns what: struct vgic holds what all vCPUs share, under its own lock (HV_LOCK_IRQC). A
 * gicv3_cpu is the part of one vCPU: banked SGI/PPI state under the same lock, and its list
 * registers, which only the physical CPU that runs the vCPU touches.
 */
#ifndef GIC_H
#define GIC_H

#include <hv/dev.h>
#include <hv/port.h>
#include <hv/status.h>
#include <hv/types.h>

#define GIC_LRS       16u /* architectural maximum of ICH_LR<n>_EL2 */
#define GIC_SGIS      16u
#define GIC_PPI_FIRST 16u
#define GIC_SPI_FIRST 32u
#define GIC_SPURIOUS  1023u

#define GICV3_GICD_SIZE 0x10000u
#define GICV3_GICR_SIZE 0x20000u /* RD_base and SGI_base of one vCPU */

struct vgic;

/* One vCPU's part. The arch's vCPU record embeds it; vgic_add_cpu() ties it to its GIC. */
struct gicv3_cpu {
	struct vgic *vgic;
	uint16_t index;
	uint64_t affinity; /* MPIDR affinity fields, as GICR_TYPER and SGI1R name this CPU */
	/* Shadow of the list registers, ICH_LR<n>_EL2 format (IHI 0069H, 12.4). */
	uint64_t lr[GIC_LRS];
	uint8_t lr_count;  /* how many this CPU has, from ICH_VTR_EL2.ListRegs */
	bool lr_here;      /* lr[] is current; cleared by the backend at entry */
	uint32_t lr_used;  /* bit n: lr[n] is not empty, as of the last look */
	uint32_t lr_dirty; /* bit n: the backend must write lr[n] before entry, and clear this */
	bool underflow; /* more is pending than fits: ask for an underflow maintenance interrupt */
};

struct vgic_cpu_cfg {
	uint16_t index;
	uint64_t affinity;
	uint8_t lr_count;
	/* Called with HV_LOCK_IRQC held when this vCPU has to look at its interrupts again. */
	void (*notify)(void *ctx);
	void *ctx;
};

/* Line `intid` of the shared peripherals (32..): the shape of hv_irq.set, ctl is the struct vgic.
 */
void vgic_spi_set(void *vgic, uint32_t intid, bool level);
/* Line `intid` (16..31) of one vCPU's private peripherals. */
void vgic_ppi_set(struct gicv3_cpu *cpu, uint32_t intid, bool level);
/* The guest wrote ICC_SGI1R_EL1, ICC_ASGI1R_EL1 or ICC_SGI0R_EL1 (trapped to EL2). */
enum gic_sgi_reg { GIC_SGI1R, GIC_ASGI1R, GIC_SGI0R };
void vgic_sgi_write(struct gicv3_cpu *cpu, enum gic_sgi_reg reg, uint64_t value);
/* Takes back what the guest did to its list registers and fills them with the best that is pending.
 */
void vgic_sync(struct gicv3_cpu *cpu);
/* Whether an interrupt is pending and enabled for this vCPU: WFI must not block (S4). */
bool vgic_is_pending(struct gicv3_cpu *cpu);

/* Region devices; `dev` is the struct vgic. Both lock for themselves. */
extern const struct hv_dev_ops gicv3_dist_ops, gicv3_redist_ops;

/* Asked of the port: reads the used list registers (cpu->lr_used) of this CPU into cpu->lr. */
void port_gicv3_lr_load(struct gicv3_cpu *cpu);

#endif

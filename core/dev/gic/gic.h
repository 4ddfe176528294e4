/* SPDX-License-Identifier: MIT */
/*
 * The door of the emulated GIC. GICv3 (IHI 0069H) or GICv2 (IHI 0048B.b): distributor and
 * redistributors are emulated by trap; the CPU interface is the hardware's (or the sim's model of
 * it), fed through list registers, or, for a GICv2 without such hardware, core's own.
 *
 * List registers have GICv3's format for every version. A GICv2 host translates them to GICH_LR as
 * it writes them: [44:32], the physical INTID, is [19:10] there, so that GICV3_LR_EOI and
 * GICV3_LR_SOURCE (which only a GICv2 guest's SGIs have) keep their place in it.
 *
 * Who owns what: struct vgic holds what all vCPUs share, under its own lock (HV_LOCK_IRQC). A
 * gicv3_cpu is the part of one vCPU; its list registers are only touched by the physical CPU that
 * runs the vCPU, while it is out of the guest. "Here" in a name means: the caller is that CPU.
 *
 * What a backend does: before it enters the guest it looks at lr_dirty (one test, nearly always 0),
 * writes what is marked, clears lr_dirty, and clears lr_here. A maintenance interrupt is answered
 * with vgic_sync(). Nothing has to be read back at an exit: core asks when it must know.
 *
 * With GIC_IFACE_V2_SOFT there is no hardware: lr_dirty then only says that the vCPU's interrupt
 * line may have changed. The backend takes it from gicv2_line(), and does not write anything.
 */
#ifndef GIC_H
#define GIC_H

#include <hv/arena.h>
#include <hv/dev.h>
#include <hv/port.h>
#include <hv/status.h>
#include <hv/types.h>

#define GIC_LRS       16u /* architectural maximum of ICH_LR<n>_EL2 */
#define GIC_SGIS      16u
#define GIC_PPI_FIRST 16u
#define GIC_SPI_FIRST 32u
#define GIC_SPI_MAX   960u /* most SPIs of one GIC */
#define GIC_SPURIOUS  1023u
#define GIC_CPUS      8u /* most vCPUs of one GIC; the same as HV_VCPUS */

#define GICV3_GICD_SIZE 0x10000u
#define GICV3_GICR_SIZE 0x20000u /* RD_base and SGI_base of one vCPU */
#define GICV2_GICD_SIZE 0x10000u /* of which the first 4 KiB have registers */
#define GICV2_GICC_SIZE 0x10000u
#define GICV2_GICV_SIZE 0x1000u /* what is mapped of the host's GICV; GICC_DIR traps */

/* ICH_LR<n>_EL2 (IHI 0069H, 12.4.9). */
#define GICV3_LR_PENDING      ((uint64_t)1 << 62)
#define GICV3_LR_ACTIVE       ((uint64_t)1 << 63)
#define GICV3_LR_STATE        (GICV3_LR_PENDING | GICV3_LR_ACTIVE)
#define GICV3_LR_HW           ((uint64_t)1 << 61) /* deactivation goes to the physical pINTID */
#define GICV3_LR_GROUP1       ((uint64_t)1 << 60)
#define GICV3_LR_PRIO_SHIFT   48u
#define GICV3_LR_EOI          ((uint64_t)1 << 41) /* HW == 0: maintenance at its deactivation */
#define GICV3_LR_PINTID_SHIFT 32u
#define GICV3_LR_SOURCE_SHIFT 32u /* HW == 0, SGI of a GICv2: the CPU it came from */
#define GICV3_LR_SOURCE       ((uint64_t)7 << GICV3_LR_SOURCE_SHIFT)
#define GICV3_LR_VINTID       0xffffffffu

/* ICH_HCR_EL2 (12.4.7); the bits that core uses. */
#define GICV3_HCR_EN             (1u << 0)
#define GICV3_HCR_LRENPIE        (1u << 2)
#define GICV3_HCR_NPIE           (1u << 3)
#define GICV3_HCR_TDIR           (1u << 14)
#define GICV3_HCR_EOICOUNT_SHIFT 27u
#define GICV3_HCR_EOICOUNT       (0x1fu << GICV3_HCR_EOICOUNT_SHIFT)

#define GICV3_VMCR_VEOIM (1u << 9) /* ICH_VMCR_EL2: the guest runs with EOImode 1 */

/* Bits of lr_dirty above those of the list registers. */
#define GICV3_DIRTY_HCR   (1u << 16) /* write ICH_HCR_EL2 */
#define GICV3_DIRTY_IFACE (1u << 17) /* reset: ICH_VMCR_EL2 = 0, ICH_AP0R<n>, ICH_AP1R<n> = 0 */

/* The guest's CPU interface, and with it the version of its GIC. */
enum gic_iface {
	GIC_IFACE_V3,      /* ICC_* system registers, the CPU's own */
	GIC_IFACE_V2,      /* GICC is the host's GICV, mapped: all of its first page */
	GIC_IFACE_V2_SOFT, /* GICC is emulated, interrupts come by HCR_EL2.VI */
};

struct vgic;

/*
 * One vCPU's part, with list registers of GICv3's format. The arch's vCPU record embeds it;
 * vgic_add_cpu() ties it to its GIC.
 */
struct gicv3_cpu {
	struct vgic *vgic;
	uint16_t index;
	uint8_t iface;    /* enum gic_iface: vgic_cfg's */
	bool asleep;      /* GICR_WAKER.ProcessorSleep */
	uint8_t lr_count; /* how many this CPU has, from ICH_VTR_EL2.ListRegs */
	uint8_t again; /* mapped PPI whose list register stands ready to be written again, or 0 */
	uint8_t again_slot;   /* which one */
	bool lr_here;         /* lr[] is current; cleared by the backend at entry */
	uint32_t lr_used;     /* bit n: lr[n] is not empty, as of the last look */
	uint32_t lr_dirty;    /* what the backend must write before entry, and then clear */
	uint32_t hcr;         /* ICH_HCR_EL2 */
	uint32_t vmcr;        /* ICH_VMCR_EL2; valid while lr_here */
	uint32_t apr;         /* GIC_IFACE_V2_SOFT: active priorities, one bit each, as GICH_APR */
	uint64_t lr[GIC_LRS]; /* shadow of the list registers */
	uint64_t affinity;    /* MPIDR affinity fields, as GICR_TYPER and SGI1R name this CPU */
	uint64_t sgi_name;    /* the same, where ICC_SGI1R_EL1 has them */
	uint16_t ppi_hw[GIC_SPI_FIRST - GIC_PPI_FIRST]; /* physical INTID, 0: not mapped */
	void (*notify)(void *ctx);
	void *ctx;
};

struct vgic_cfg {
	uint16_t spis; /* how many shared interrupts: a multiple of 32, 32..GIC_SPI_MAX */
	enum gic_iface iface;
};

struct vgic_cpu_cfg {
	uint16_t index;    /* vCPUs are added in order: 0, 1, 2 ... */
	uint64_t affinity; /* Aff3 [39:32], Aff2..0 [23:0], as in MPIDR_EL1; unique in this GIC */
	uint8_t lr_count;  /* 1..GIC_LRS */
	/*
	 * Called with HV_LOCK_IRQC held when this vCPU must vgic_sync() before it goes on; not
	 * called for what a vCPU does to itself by an exit of its own: that is done at once.
	 */
	void (*notify)(void *ctx);
	void *ctx;
};

/* HV_ERR_INVALID, HV_ERR_NO_MEMORY: *vgic is NULL. */
HV_WARN_UNUSED enum hv_status vgic_create(
	struct vgic **vgic, const struct vgic_cfg *cfg, struct hv_arena *arena);
/* Bytes of arena that vgic_create() takes at most. */
size_t vgic_arena_size(const struct vgic_cfg *cfg);
/*
 * Before the VM runs. The redistributor frames of the vCPUs lie one after the other, in order.
 * HV_ERR_INVALID (index out of order, no list registers, an affinity twice), HV_ERR_FULL.
 */
HV_WARN_UNUSED enum hv_status vgic_add_cpu(
	struct vgic *vgic, struct gicv3_cpu *cpu, const struct vgic_cpu_cfg *cfg);
/*
 * From now on `intid` (a PPI) stands for the physical interrupt `pintid`: the guest's deactivation
 * deactivates that too (LR.HW). The host acknowledges it, drops its priority, raises the line by
 * vgic_ppi_set*() on the physical CPU it came to, where the vCPU's list registers are, and never
 * lowers it: core asks for the level when the guest can tell the difference. Before the VM runs.
 * HV_ERR_INVALID.
 */
HV_WARN_UNUSED enum hv_status vgic_hw_map(struct gicv3_cpu *cpu, uint32_t intid, uint32_t pintid);

/* Power-on state of all of it; input lines keep their level. No vCPU of the VM is running. */
void vgic_reset(struct vgic *vgic);
/*
 * Power-on state of one vCPU's part, e.g. at PSCI CPU_ON. SPIs it held go back to the distributor:
 * pending ones stay pending, active ones do not stay active (G12). Caller is here, no lock of rank
 * HV_LOCK_IRQC or above held.
 */
void vgic_cpu_reset(struct gicv3_cpu *cpu);

/* Line `intid` of the shared peripherals (32..): the shape of hv_irq.set, ctl is the struct vgic.
 */
void vgic_spi_set(void *vgic, uint32_t intid, bool level);
/* Line `intid` (16..31) of one vCPU's private peripherals; from anywhere. */
void vgic_ppi_set(struct gicv3_cpu *cpu, uint32_t intid, bool level);
/* The same, faster, while the caller is here and the vCPU is RUNNING: no notify, no wake-up. */
void vgic_ppi_set_here(struct gicv3_cpu *cpu, uint32_t intid, bool level);

/* The guest wrote ICC_SGI1R_EL1, ICC_ASGI1R_EL1 or ICC_SGI0R_EL1 (trapped to EL2). Here. */
enum gic_sgi_reg { GIC_SGI1R, GIC_ASGI1R, GIC_SGI0R };
void vgic_sgi_write(struct gicv3_cpu *cpu, enum gic_sgi_reg reg, uint64_t value);
/* The guest wrote ICC_DIR_EL1 while ICH_HCR_EL2.TDIR made it trap, or GICC_DIR. Here. */
void vgic_dir_write(struct gicv3_cpu *cpu, uint64_t value);

/*
 * Takes back what the guest did to its list registers and fills them with the best that is pending.
 * Called after notify, and at a maintenance interrupt. Here.
 */
void vgic_sync(struct gicv3_cpu *cpu);
/*
 * Whether an interrupt is pending for this vCPU that its group enables and priority mask let
 * through: WFI must not block (S4). Here; implies vgic_sync().
 */
bool vgic_is_pending(struct gicv3_cpu *cpu);

/* What GIC_IFACE_V2_SOFT asserts towards its CPU: HCR_EL2.VI or VF. Here. */
enum gic_line { GIC_LINE_NONE, GIC_LINE_IRQ, GIC_LINE_FIQ };
HV_WARN_UNUSED enum gic_line gicv2_line(const struct gicv3_cpu *cpu);

/*
 * Region devices; `dev` is the struct vgic. All lock for themselves. Of GICC, a guest whose CPU
 * interface is mapped reaches GICC_DIR only.
 */
extern const struct hv_dev_ops gicv3_dist_ops, gicv3_redist_ops, gicv2_dist_ops, gicv2_cpuif_ops;

/*
 * Asked of the port, on the physical CPU that runs the vCPU: reads each list register that is in
 * lr_used and not in lr_dirty into lr[], ICH_VMCR_EL2 into vmcr, and, unless lr_dirty has
 * GICV3_DIRTY_HCR, ICH_HCR_EL2 into hcr. The caller sets lr_here.
 */
void port_gicv3_lr_load(struct gicv3_cpu *cpu);
/* Deactivates a mapped physical interrupt that the guest will not deactivate any more. */
void port_gicv3_hw_end(uint32_t pintid);
/* The input of a mapped physical interrupt of this CPU as it is now, e.g. from GICR_ISPENDR0. */
HV_WARN_UNUSED bool port_gicv3_hw_level(uint32_t pintid);

#endif

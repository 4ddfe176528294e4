/* SPDX-License-Identifier: MIT */
/*
 * A VM with two A64 vCPUs, of which vCPU 0 runs, a GIC, memory of three kinds and a scripted
 * device: what a trap needs around it. Everything but the port and the device is the real thing.
 */
#ifndef A64_KIT_H
#define A64_KIT_H

#include <unit.h>

#include <arch/aarch64/a64.h>
#include <fake_a64.h>
#include <fake_dev.h>
#include <fake_gic.h>
#include <hv/bits.h>
#include <hv/power.h>

#define KIT_RAM      0x40000000u
#define KIT_RAM_SIZE 0x40000u
#define KIT_LAZY     0x50000000u /* RAM that is mapped at its first access */
#define KIT_ROM      0x04000000u
#define KIT_DEV      0x09000000u /* fake_dev, 4 KiB */
#define KIT_DEV2     0x09001000u /* another one behind it, 2 KiB only */
#define KIT_NOTHING  0x0b000000u
#define KIT_SMALL    0x10000u /* size of KIT_LAZY and KIT_ROM */

#define KIT_EL0   0x0u
#define KIT_EL1T  0x4u
#define KIT_EL1H  0x5u
#define KIT_USR32 0x10u
#define KIT_VBAR  0xffff800008010800u

static struct kit {
	struct hv_vm *vm;
	struct a64_vcpu *vcpu; /* vCPU 0 */
	struct vgic *gic;
	struct fake_dev dev, dev2;
	struct hv_lock dev_lock;
	struct hv_pages pool;
	struct hv_arena arena;
} kit;

static _Alignas(4096) uint8_t kit_ram[KIT_RAM_SIZE];
static _Alignas(4096) uint8_t kit_small[2][KIT_SMALL];
static _Alignas(4096) uint8_t kit_tables[32 * 4096];
static _Alignas(64) uint8_t kit_arena[256 * 1024];

#define KIT_TABLES_HPA 0x200000000u
#define KIT_RAM_HPA    0x80000000u

static inline void kit_memory(uint64_t gpa, uint64_t size, uint8_t *host, uint8_t prot, bool lazy)
{
	const struct hv_gmem_region region = {
		.gpa = GPA(gpa),
		.size = size,
		.hpa = HPA(KIT_RAM_HPA + gpa),
		.host = host,
		.prot = prot,
		.lazy = lazy,
	};

	assert_int_equal(hv_gmem_add(&kit.vm->gmem, &region), HV_OK);
}

static inline void kit_device(uint64_t base, uint64_t size, struct fake_dev *dev)
{
	const struct hv_region region = {.base = GPA(base),
		.size = size,
		.ops = &fake_dev_ops,
		.dev = dev,
		.lock = &kit.dev_lock};

	assert_int_equal(hv_bus_add(&kit.vm->bus, &region), HV_OK);
}

static inline void kit_notify(void *ctx)
{
	hv_vcpu_wake(ctx, HV_TODO_IRQ);
}

static inline void kit_gic(void)
{
	const struct vgic_cfg cfg = {.spis = 32};

	assert_int_equal(vgic_create(&kit.gic, &cfg, &kit.arena), HV_OK);
	for (uint16_t i = 0; i < kit.vm->vcpu_count; i++) {
		struct a64_vcpu *vcpu = HV_CONTAINER_OF(kit.vm->vcpu[i], struct a64_vcpu, hv);
		const struct vgic_cpu_cfg cpu = {.index = i,
			.affinity = a64_arch.hw_id(&vcpu->hv),
			.lr_count = 4,
			.notify = kit_notify,
			.ctx = &vcpu->hv};

		assert_int_equal(vgic_add_cpu(kit.gic, &vcpu->gic, &cpu), HV_OK);
	}
}

/* The registers are poisoned, so that what a handler should not touch shows. */
static inline uint64_t kit_poison(unsigned n)
{
	return 0xa5a5a5a500000000u | n << 8 | n;
}

static inline int kit_setup(void **state)
{
	const struct hv_vm_cfg cfg = {.id = 7,
		.vcpu_count = 2,
		.arch = &a64_arch,
		.pages = &kit.pool,
		.ia_bits = 40,
		.pa_bits = 44};
	const uint8_t rwx = HV_PROT_R | HV_PROT_W | HV_PROT_X;

	unit_setup(state);
	fake_a64_reset();
	fake_gic_reset();
	memset(&kit, 0, sizeof(kit));
	memset(kit_ram, 0, sizeof(kit_ram));
	memset(kit_small, 0, sizeof(kit_small));
	kit.dev_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	kit.arena = (struct hv_arena){.base = kit_arena, .size = sizeof(kit_arena)};
	hv_pages_init(&kit.pool, kit_tables, HPA(KIT_TABLES_HPA), sizeof(kit_tables) / 4096);
	assert_int_equal(hv_vm_create(&kit.vm, &cfg, &kit.arena), HV_OK);
	kit_memory(KIT_RAM, KIT_RAM_SIZE, kit_ram, rwx, false);
	kit_memory(KIT_LAZY, KIT_SMALL, kit_small[0], rwx, true);
	kit_memory(KIT_ROM, KIT_SMALL, kit_small[1], HV_PROT_R | HV_PROT_X, true);
	kit_device(KIT_DEV, 0x1000, &kit.dev);
	kit_device(KIT_DEV2, 0x800, &kit.dev2);
	kit.vcpu = HV_CONTAINER_OF(kit.vm->vcpu[0], struct a64_vcpu, hv);
	kit_gic();
	assert_int_equal(hv_vm_seal(kit.vm), HV_OK);
	assert_int_equal(hv_vm_start(kit.vm, GPA(KIT_RAM), 0), HV_OK);
	assert_int_equal(hv_vcpu_enter(&kit.vcpu->hv, 0), HV_OK);
	fake_a64.el1 = kit.vcpu->el1; /* what the backend does at entry */
	fake_a64.el1.vbar = KIT_VBAR;
	kit.vcpu->el1_here = false;
	kit.vcpu->el1_dirty = false;
	for (unsigned i = 0; i < 31; i++) {
		kit.vcpu->regs.x[i] = kit_poison(i);
	}
	return 0;
}

static inline int kit_teardown(void **state)
{
	/* An SGI or a page left over is the test's business; a lock that is held never is. */
	return unit_teardown(state);
}

#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* ---- traps ---- */

#define KIT_IL HV_BIT(25)

static inline uint64_t kit_esr(unsigned ec, uint64_t iss)
{
	return (uint64_t)ec << 26 | KIT_IL | iss;
}

/* An abort at gpa, whose virtual address is `KIT_VA(gpa)`. */
#define KIT_VA(gpa) (0xffff000000000000u | (gpa))

static inline enum hv_verdict kit_abort(unsigned ec, uint64_t iss, uint64_t gpa)
{
	const struct a64_trap trap = {
		.esr = kit_esr(ec, iss), .far = KIT_VA(gpa), .hpfar = gpa >> 12 << 4};

	return a64_trap_handle(kit.vcpu, &trap);
}

static inline enum hv_verdict kit_trap(uint64_t esr)
{
	const struct a64_trap trap = {.esr = esr, .far = 0xdead0001u, .hpfar = 0xdead0u};

	return a64_trap_handle(kit.vcpu, &trap);
}

/* ISS of a data abort with a valid syndrome: a translation fault at level 3. */
static inline uint64_t kit_iss(unsigned log2_size, bool sext, unsigned reg, bool wide, bool write)
{
	return HV_BIT(24) | (uint64_t)log2_size << 22 | (uint64_t)sext << 21 | reg << 16 |
	       (uint64_t)wide << 15 | (uint64_t)write << 6 | 7;
}

/* A plain load to W<reg>. */
static inline uint64_t kit_load(unsigned log2_size, unsigned reg)
{
	return kit_iss(log2_size, false, reg, false, false);
}

/* Whether x0..x30 but those in `mask` hold what kit_setup() put there (X23). */
static inline void kit_registers_but(uint32_t mask)
{
	for (unsigned i = 0; i < 31; i++) {
		if (!(mask >> i & 1)) {
			assert_int_equal(kit.vcpu->regs.x[i], kit_poison(i));
		}
	}
}

/* The guest is at its EL1's vector (offset), for what it did at `pc`, with this syndrome. */
static inline void kit_took(uint64_t pc, unsigned offset, uint64_t esr)
{
	assert_true(kit.vcpu->el1_here && kit.vcpu->el1_dirty);
	assert_int_equal(kit.vcpu->regs.pc, KIT_VBAR + offset);
	assert_int_equal(kit.vcpu->el1.elr, pc);
	assert_int_equal(kit.vcpu->el1.esr, esr);
}

static inline void kit_took_undef(uint64_t pc)
{
	kit_took(pc, 0x200, KIT_IL);
}

#endif

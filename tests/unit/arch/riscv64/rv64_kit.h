/* SPDX-License-Identifier: MIT */
/*
 * A VM with three RV64 vCPUs, of which vCPU 0 runs, memory of three kinds and a scripted device:
 * what a trap or a call needs around it. Everything but the port and the device is the real thing.
 */
#ifndef RV64_KIT_H
#define RV64_KIT_H

#include <unit.h>

#include <arch/riscv64/rv64.h>
#include <fake_dev.h>
#include <fake_rv64.h>
#include <hv/bits.h>
#include <hv/power.h>

#define KIT_RAM      0x80000000u
#define KIT_RAM_SIZE 0x40000u
#define KIT_LAZY     0x90000000u /* RAM that is mapped at its first access */
#define KIT_ROM      0x22000000u
#define KIT_DEV      0x10000000u /* fake_dev, 4 KiB */
#define KIT_NOTHING  0x50000000u
#define KIT_SMALL    0x10000u /* size of KIT_LAZY and KIT_ROM */
#define KIT_VCPUS    3u
#define KIT_VSTVEC   0xffffffff80001000u

static struct kit {
	struct hv_vm *vm;
	struct rv64_vcpu *vcpu; /* vCPU 0 */
	struct fake_dev dev;
	struct hv_lock dev_lock;
	struct hv_pages pool;
	struct hv_arena arena;
} kit;

static _Alignas(4096) uint8_t kit_ram[KIT_RAM_SIZE];
static _Alignas(4096) uint8_t kit_small[2][KIT_SMALL];
static _Alignas(16384) uint8_t kit_tables[32 * 4096];
static _Alignas(64) uint8_t kit_arena[256 * 1024];

#define KIT_TABLES_HPA 0x200000000u
#define KIT_RAM_HPA    0x100000000u

static inline uint64_t kit_letter(char c)
{
	return HV_BIT(c - 'a');
}

/* A host with all that QEMU's has, but Sstc. */
static inline struct rv64_caps kit_caps(void)
{
	return (struct rv64_caps){
		.exts = rv64_isa_parse("rv64imafdch_zicsr_zifencei", 64),
		.gstage_levels = 5,
		.satp_levels = 5,
		.vmid_bits = 14,
		.pa_bits = 56,
		.time = true,
		.timebase = 10000000,
	};
}

static inline struct rv64_vcpu *kit_vcpu(unsigned n)
{
	return HV_CONTAINER_OF(kit.vm->vcpu[n], struct rv64_vcpu, hv);
}

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

static inline void kit_machine(void)
{
	const uint8_t rwx = HV_PROT_R | HV_PROT_W | HV_PROT_X;
	const struct hv_region region = {.base = GPA(KIT_DEV),
		.size = 0x1000,
		.ops = &fake_dev_ops,
		.dev = &kit.dev,
		.lock = &kit.dev_lock};

	kit.dev_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	kit_memory(KIT_RAM, KIT_RAM_SIZE, kit_ram, rwx, false);
	kit_memory(KIT_LAZY, KIT_SMALL, kit_small[0], rwx, true);
	kit_memory(KIT_ROM, KIT_SMALL, kit_small[1], HV_PROT_R | HV_PROT_X, true);
	assert_int_equal(hv_bus_add(&kit.vm->bus, &region), HV_OK);
}

/* The registers are poisoned, so that what a handler should not touch shows. */
static inline uint64_t kit_poison(unsigned n)
{
	return n == 0 ? 0 : 0xa5a5a5a500000000u | n << 8 | n;
}

static inline int kit_setup(void **state)
{
	const struct hv_vm_cfg cfg = {.id = 7,
		.vcpu_count = KIT_VCPUS,
		.arch = &rv64_arch,
		.pages = &kit.pool,
		.ia_bits = 41,
		.pa_bits = 56};
	const struct rv64_caps caps = kit_caps();

	unit_setup(state);
	fake_rv64_reset();
	memset(&kit, 0, sizeof(kit));
	memset(kit_ram, 0, sizeof(kit_ram));
	memset(kit_small, 0, sizeof(kit_small));
	kit.arena = (struct hv_arena){.base = kit_arena, .size = sizeof(kit_arena)};
	hv_pages_init(&kit.pool, kit_tables, HPA(KIT_TABLES_HPA), sizeof(kit_tables) / 4096);
	assert_int_equal(hv_vm_create(&kit.vm, &cfg, &kit.arena), HV_OK);
	kit_machine();
	for (unsigned n = 0; n < KIT_VCPUS; n++) {
		kit_vcpu(n)->hart_id = n;
		rv64_vcpu_caps_set(kit_vcpu(n), &caps);
	}
	kit.vcpu = kit_vcpu(0);
	assert_int_equal(hv_vm_seal(kit.vm), HV_OK);
	assert_int_equal(hv_vm_start(kit.vm, GPA(KIT_RAM), 0), HV_OK);
	assert_int_equal(hv_vcpu_enter(&kit.vcpu->hv, 0), HV_OK);
	(void)rv64_entry_prepare(kit.vcpu);
	atomic_store(&kit.vcpu->hv.todo, 0);
	fake_rv64.vs = kit.vcpu->vs; /* what the backend does at entry */
	fake_rv64.vs.vstvec = KIT_VSTVEC;
	kit.vcpu->vs_here = false;
	kit.vcpu->vs_dirty = false;
	fake_port.kicks = 0;
	for (unsigned i = 0; i < 32; i++) {
		kit.vcpu->regs.x[i] = kit_poison(i);
	}
	return 0;
}

static inline int kit_teardown(void **state)
{
	return unit_teardown(state);
}

#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* Whether x0..x31 but those in `mask` hold what kit_setup() put there (X23, H10). */
static inline void kit_registers_but(uint32_t mask)
{
	for (unsigned i = 0; i < 32; i++) {
		if (!(mask >> i & 1)) {
			assert_int_equal(kit.vcpu->regs.x[i], kit_poison(i));
		}
	}
}

/* The guest is at its VS-mode's vector, for what it did at `pc`. */
static inline void kit_took(uint64_t pc, uint64_t cause, uint64_t tval)
{
	assert_true(kit.vcpu->vs_here && kit.vcpu->vs_dirty);
	assert_int_equal(kit.vcpu->regs.pc, KIT_VSTVEC);
	assert_int_equal(kit.vcpu->vs.vsepc, pc);
	assert_int_equal(kit.vcpu->vs.vscause, cause);
	assert_int_equal(kit.vcpu->vs.vstval, tval);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A VM with three x86 vCPUs under SVM, of which vCPU 0 runs 64-bit code at KIT_CODE by page tables
 * of its own, memory of three kinds, a scripted device in memory and one at ports, and local APICs.
 * Everything but the port and the devices is the real thing.
 */
#ifndef X86_KIT_H
#define X86_KIT_H

#include <unit.h>

#include <arch/x86_64/priv.h>
#include <arch/x86_64/svm/svm.h>
#include <dev/lapic/lapic.h>
#include <fake_dev.h>
#include <fake_x86.h>
#include <hv/power.h>

#define KIT_RAM_SIZE 0x200000u /* at 0 */
#define KIT_LAZY     0x400000u /* RAM that is mapped at its first access */
#define KIT_ROM      0x600000u /* lazy, too */
#define KIT_SMALL    0x10000u  /* size of KIT_LAZY and KIT_ROM */
#define KIT_DEV      0x800000u /* fake_dev, 4 KiB */
#define KIT_NOTHING  0xa00000u
#define KIT_PORT     0x300u /* fake_dev, 8 ports */
#define KIT_VCPUS    3u

/* The guest's own: linear addresses up to 32 MiB are physical ones, in 4 KiB pages up to 2 MiB,
 * then 2 MiB. */
#define KIT_TABLES 0x1000u /* PML4, then one of each level below */
#define KIT_CODE   0x10000u
#define KIT_STACK  0x20000u
#define PTE_P      0x1u
#define PTE_W      0x2u
#define PTE_U      0x4u
#define PTE_A      0x20u
#define PTE_D      0x40u
#define PTE_PS     0x80u
#define PTE_NX     HV_BIT(63)

static struct kit {
	struct hv_vm *vm;
	struct x86_vcpu *vcpu; /* vCPU 0 */
	struct svm_control *control;
	struct x86_sys *sys;
	uint64_t *r;
	struct fake_dev dev, port;
	struct hv_lock dev_lock;
	struct lapics lapics;
	struct x86_caps caps;
	struct hv_pages pool;
	struct hv_arena arena;
	unsigned eois, intacks;
} kit;

static _Alignas(4096) uint8_t kit_ram[KIT_RAM_SIZE];
static _Alignas(4096) uint8_t kit_small[2][KIT_SMALL];
static _Alignas(4096) uint8_t kit_tables[32 * 4096];
static _Alignas(4096) struct svm_vmcb kit_vmcb[KIT_VCPUS];
static _Alignas(64) uint8_t kit_arena[256 * 1024];

#define KIT_TABLES_HPA 0x200000000u
#define KIT_RAM_HPA    0x100000000u

/* What QEMU's `max` says, as far as tests ask. */
static const struct fake_x86_leaf kit_leaves[] = {
	{0, 0, {0xd, 0x68747541, 0x444d4163, 0x69746e65}},
	{1, 0, {0x00000663, 0x800, 0xffffffff, 0xffffffff}},
	{7, 0, {1, 0xffffffff, 0xffffffff, 0xffffffff}},
	{0xd, 0, {0x207, 0x340, 0xa88, 0}},
	{0xd, 1, {0xf, 0x340, 0, 0}},
	{0x80000000, 0, {0x8000001f, 0x68747541, 0x444d4163, 0x69746e65}},
	{0x80000001, 0, {0x663, 0, 0xffffffff, 0xffffffff}},
	{0x80000008, 0, {0x3028, 0xffffffff, 0, 0}},
};

static inline struct x86_vcpu *kit_vcpu(unsigned n)
{
	return HV_CONTAINER_OF(kit.vm->vcpu[n], struct x86_vcpu, hv);
}

static inline uint64_t exits(enum hv_exit_kind kind)
{
	return kit.vcpu->hv.stats.exits[kind];
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

static inline void kit_eoi(void *ctx, uint8_t vector)
{
	(void)ctx, (void)vector;
	kit.eois++;
}

static inline uint8_t kit_intack(void *ctx)
{
	(void)ctx;
	kit.intacks++;
	return 0x28;
}

static inline void kit_machine(void)
{
	const uint8_t rwx = HV_PROT_R | HV_PROT_W | HV_PROT_X;
	const struct hv_region dev = {.base = GPA(KIT_DEV),
		.size = 0x1000,
		.ops = &fake_dev_ops,
		.dev = &kit.dev,
		.lock = &kit.dev_lock};
	const struct hv_region port = {
		.base = GPA(KIT_PORT), .size = 8, .ops = &fake_dev_ops, .dev = &kit.port};
	const struct hv_region apic = {.base = GPA(LAPIC_BASE),
		.size = LAPIC_SIZE,
		.ops = &lapics_ops,
		.dev = &kit.lapics};

	kit.dev_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	kit_memory(0, KIT_RAM_SIZE, kit_ram, rwx, false);
	kit_memory(KIT_LAZY, KIT_SMALL, kit_small[0], rwx, true);
	kit_memory(KIT_ROM, KIT_SMALL, kit_small[1], HV_PROT_R | HV_PROT_X, true);
	assert_int_equal(hv_bus_add(&kit.vm->bus, &dev), HV_OK);
	assert_int_equal(hv_bus_add(&kit.vm->bus, &apic), HV_OK);
	assert_int_equal(hv_bus_add(&kit.vm->pio, &port), HV_OK);
}

static inline void kit_vcpus(void)
{
	struct lapics_cfg lapics = {.cpus = KIT_VCPUS,
		.pa_bits = 40,
		.tsc_hz = 1000000000,
		.ops = &x86_lapic_ops,
		.eoi = kit_eoi,
		.intack = kit_intack};

	kit.caps = (struct x86_caps){
		.pa_bits = 40, .has_1g = true, .has_npt = true, .asids = 16, .tsc_hz = 1000000000};
	for (unsigned n = 0; n < KIT_VCPUS; n++) {
		const struct svm_cfg cfg = {.iopm = 0x1000, .msrpm = 0x4000, .asid = n + 1};

		lapics.ctx[n] = kit_vcpu(n);
		kit_vcpu(n)->lapic = &kit.lapics.cpu[n];
		x86_vcpu_caps_set(kit_vcpu(n), &kit.caps);
		svm_vmcb_init(kit_vcpu(n), &kit_vmcb[n], &cfg);
	}
	lapics_init(&kit.lapics, &lapics);
}

static inline void kit_set64(uint64_t at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		kit_ram[at + i] = (uint8_t)(value >> 8 * i);
	}
}

static inline uint64_t kit_get64(uint64_t at)
{
	return hv_le64(&kit_ram[at]);
}

/* The descriptor of a page below 2 MiB. */
static inline uint64_t kit_pte(uint64_t linear)
{
	return KIT_TABLES + 0x3000 + (linear >> 12) * 8;
}

static inline void kit_page_tables(void)
{
	const uint64_t rights = PTE_P | PTE_W | PTE_U | PTE_A;

	for (unsigned level = 0; level < 3; level++) {
		kit_set64(
			KIT_TABLES + level * 0x1000, (KIT_TABLES + (level + 1) * 0x1000) | rights);
	}
	for (unsigned i = 1; i < 16; i++) {
		kit_set64(KIT_TABLES + 0x2000 + i * 8, (uint64_t)i << 21 | rights | PTE_D | PTE_PS);
	}
	for (unsigned i = 0; i < 512; i++) {
		kit_set64(kit_pte((uint64_t)i << 12), (uint64_t)i << 12 | rights | PTE_D);
	}
}

static inline uint64_t kit_poison(unsigned n)
{
	return 0xa5a5a5a500000000u | n << 8 | n;
}

static inline int kit_setup(void **state)
{
	const struct hv_vm_cfg cfg = {.id = 7,
		.vcpu_count = KIT_VCPUS,
		.arch = &x86_arch,
		.pages = &kit.pool,
		.ia_bits = 40,
		.pa_bits = 40};
	const struct x86_boot boot = {.start = X86_START_LONG, .rip = KIT_CODE, .cr3 = KIT_TABLES};

	unit_setup(state);
	fake_x86_reset();
	memset(&kit, 0, sizeof(kit));
	memset(kit_ram, 0, sizeof(kit_ram));
	memset(kit_small, 0, sizeof(kit_small));
	memset(kit_vmcb, 0x5a, sizeof(kit_vmcb));
	fake_x86.leaves = kit_leaves;
	fake_x86.leaf_count = HV_ARRAY_COUNT(kit_leaves);
	kit.arena = (struct hv_arena){.base = kit_arena, .size = sizeof(kit_arena)};
	hv_pages_init(&kit.pool, kit_tables, HPA(KIT_TABLES_HPA), sizeof(kit_tables) / 4096);
	assert_int_equal(hv_vm_create(&kit.vm, &cfg, &kit.arena), HV_OK);
	kit_machine();
	assert_int_equal(hv_vm_seal(kit.vm), HV_OK);
	kit_vcpus();
	kit_page_tables();
	kit.vcpu = kit_vcpu(0);
	kit.control = &kit_vmcb[0].control;
	kit.sys = &kit_vmcb[0].save;
	kit.r = kit.vcpu->regs.r;
	x86_boot_set(kit.vcpu, &boot);
	assert_int_equal(hv_vm_start(kit.vm, GPA(KIT_CODE), 0), HV_OK);
	assert_int_equal(hv_vcpu_enter(&kit.vcpu->hv, 0), HV_OK);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	atomic_store(&kit.vcpu->hv.todo, 0);
	kit.control->tlb_control = 0;
	fake_port.kicks = 0;
	for (unsigned i = 0; i < X86_GPRS; i++) {
		kit.r[i] = kit_poison(i);
	}
	return 0;
}

static inline int kit_teardown(void **state)
{
	return unit_teardown(state);
}

#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* Whether the general registers but those in `mask` hold what kit_setup() put there (X23, H10). */
static inline void kit_registers_but(uint32_t mask)
{
	for (unsigned i = 0; i < X86_GPRS; i++) {
		if (!(mask >> i & 1)) {
			assert_int_equal(kit.r[i], kit_poison(i));
		}
	}
}

static inline bool kit_looks(void)
{
	return (atomic_load(&kit.vcpu->hv.todo) & HV_TODO_IRQ) != 0;
}

/* Puts the bytes at RIP. */
#define kit_code(...)                                                                              \
	do {                                                                                       \
		const uint8_t kit_bytes[] = {__VA_ARGS__};                                         \
		memcpy(&kit_ram[kit.sys->rip], kit_bytes, sizeof(kit_bytes));                      \
	} while (0)

static inline enum hv_verdict kit_exit(uint64_t code, uint64_t info1, uint64_t info2)
{
	kit.control->exit_code = code;
	kit.control->exit_info1 = info1;
	kit.control->exit_info2 = info2;
	return svm_exit_handle(kit.vcpu);
}

/* The event that the next entry would deliver is this exception, and RIP is where it was. */
static inline void kit_raised(uint8_t vector, bool has_error, uint32_t error)
{
	assert_true(kit.vcpu->event.valid);
	assert_int_equal(kit.vcpu->event.type, X86_EVENT_EXCEPTION);
	assert_int_equal(kit.vcpu->event.vector, vector);
	assert_int_equal(kit.vcpu->event.has_error, has_error);
	assert_int_equal(kit.vcpu->event.error, error);
	assert_true(kit_looks());
}

static inline void kit_raised_at_code(uint8_t vector, bool has_error, uint32_t error)
{
	kit_raised(vector, has_error, error);
	assert_int_equal(kit.sys->rip, KIT_CODE);
}

#endif

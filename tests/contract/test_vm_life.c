/* SPDX-License-Identifier: MIT */
/*
 * What holds after every step of every life: random walks over all verbs, by callers that keep to
 * the contract, on VMs of one, two and eight vCPUs of each architecture. The walks are the same in
 * each run.
 */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <arch/riscv64/rv64.h>
#include <fake_vm.h>
#include <hv/power.h>

#define STEPS 60000u

static struct fake_vm fake;
static struct hv_vm *vm;
/* The backend's view: whom it runs, and whose verdict is HV_OFF, to be left with later. */
static bool runs[HV_VCPUS], going_off[HV_VCPUS];
static uint32_t free_count; /* of the page pool while the VM lives */
static uint64_t dice;

/* ---- the architectures ---- */

static void notify(void *ctx)
{
	hv_vcpu_wake(ctx, HV_TODO_IRQ);
}

/* A reset of an A64 vCPU is also one of its part of the GIC. */
static void equip_a64(struct hv_arena *arena)
{
	const struct vgic_cfg cfg = {.spis = 32};
	struct vgic *gic;

	assert_int_equal(vgic_create(&gic, &cfg, arena), HV_OK);
	for (uint16_t n = 0; n < vm->vcpu_count; n++) {
		struct a64_vcpu *vcpu = HV_CONTAINER_OF(vm->vcpu[n], struct a64_vcpu, hv);
		const struct vgic_cpu_cfg cpu = {.index = n,
			.affinity = a64_arch.hw_id(&vcpu->hv),
			.lr_count = 4,
			.notify = notify,
			.ctx = &vcpu->hv};

		assert_int_equal(vgic_add_cpu(gic, &vcpu->gic, &cpu), HV_OK);
	}
}

static void equip_rv64(struct hv_arena *arena)
{
	(void)arena;
	for (uint16_t n = 0; n < vm->vcpu_count; n++) {
		HV_CONTAINER_OF(vm->vcpu[n], struct rv64_vcpu, hv)->hart_id = 64u - n;
	}
}

static const struct family {
	const struct hv_arch *arch;
	void (*equip)(struct hv_arena *arena); /* what the architecture's own parts are */
} families[] = {{&fake_arch, NULL}, {&a64_arch, equip_a64}, {&rv64_arch, equip_rv64}};

/* ---- the walk ---- */

static unsigned roll(unsigned sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)(dice % sides);
}

static void leave(unsigned n, enum hv_verdict verdict)
{
	hv_vcpu_leave(vm->vcpu[n], verdict);
	runs[n] = false;
	going_off[n] = false;
}

/* One exit of a vCPU that runs. */
static void step_running(unsigned n)
{
	struct hv_vcpu *vcpu = vm->vcpu[n];

	if (going_off[n]) {
		leave(n, HV_OFF);
		return;
	}
	switch (roll(12)) {
	case 0:
	case 1:
	case 2: leave(n, HV_BLOCK); break;
	case 3:
	case 4: leave(n, HV_YIELD); break;
	case 5: going_off[n] = hv_power_cpu_off(vcpu) == HV_OFF; break;
	case 6:
		if (roll(20) == 0) {
			leave(n, hv_vm_crash(vcpu, "walk", n, 0));
		}
		break;
	case 7:
		if (roll(10) == 0) {
			going_off[n] = hv_power_system(vm, roll(2)) == HV_OFF;
		}
		break;
	default: atomic_fetch_and(&vcpu->todo, ~(uint32_t)HV_TODO_IRQ); break;
	}
	if (runs[n] && !going_off[n] && (atomic_load(&vcpu->todo) & HV_TODO_LEAVE)) {
		leave(n, HV_YIELD);
	}
}

static void step_vcpu(unsigned n)
{
	enum hv_vcpu_state before = vm->vcpu[n]->state;
	bool entered;

	if (runs[n]) {
		step_running(n);
		return;
	}
	entered = hv_vcpu_enter(vm->vcpu[n], (uint16_t)roll(FAKE_CPUS)) == HV_OK;
	assert_int_equal(entered, vm->state == HV_VM_RUNNING && before == HV_VCPU_READY);
	runs[n] = entered;
}

static bool anybody_runs(void)
{
	for (unsigned n = 0; n < vm->vcpu_count; n++) {
		if (runs[n]) {
			return true;
		}
	}
	return false;
}

static uint64_t hw_id(unsigned n)
{
	return vm->arch->hw_id(vm->vcpu[n]);
}

/* A verb is legal or refused by what the VM was before. */
static void check_verb(enum hv_status status, bool legal)
{
	assert_int_equal(status, legal ? HV_OK : HV_ERR_STATE);
}

static void step_management(unsigned n)
{
	enum hv_vm_state was = vm->state;
	bool alive = was == HV_VM_RUNNING || was == HV_VM_PAUSED;
	bool fresh = was == HV_VM_STOPPED && vm->stop == HV_STOP_NONE;
	bool off = vm->vcpu[n]->state == HV_VCPU_OFF;

	switch (roll(16)) {
	case 0: check_verb(hv_vm_pause(vm), was == HV_VM_RUNNING); break;
	case 1:
	case 2:
	case 3:
		check_verb(hv_vm_start(vm, GPA(FAKE_VM_PC), 0), fresh || was == HV_VM_PAUSED);
		break;
	case 4:
		if (roll(30) == 0) {
			hv_vm_stop(vm, HV_STOP_OFF);
		}
		break;
	case 5:
	case 6: check_verb(hv_vm_reset(vm), was == HV_VM_STOPPED && !anybody_runs()); break;
	case 7:
	case 8:
	case 9:
	case 10: check_verb(hv_power_cpu_on(vm, hw_id(n), GPA(FAKE_VM_PC), n), alive && off); break;
	default: hv_vcpu_wake(vm->vcpu[n], HV_TODO_IRQ); break;
	}
}

static void check_vcpu(unsigned n)
{
	enum hv_vcpu_state state = vm->vcpu[n]->state;
	bool alive = vm->state == HV_VM_RUNNING || vm->state == HV_VM_PAUSED;

	/* Only a living VM has vCPUs that wait; what runs is what the backend runs. */
	assert_true(alive || (state != HV_VCPU_READY && state != HV_VCPU_BLOCKED));
	assert_int_equal(state == HV_VCPU_RUNNING, runs[n]);
	/* S4 in one line: nobody waits with something to do. */
	assert_true(state != HV_VCPU_BLOCKED ||
		    !(atomic_load(&vm->vcpu[n]->todo) & ~(uint32_t)(HV_TODO_PAUSE | HV_TODO_TIME)));
}

static void check(void)
{
	unsigned on = 0;

	for (unsigned n = 0; n < vm->vcpu_count; n++) {
		enum hv_vcpu_state state = vm->vcpu[n]->state;

		check_vcpu(n);
		on += state != HV_VCPU_OFF && state != HV_VCPU_DEAD && !going_off[n];
	}
	if (vm->state == HV_VM_RUNNING || vm->state == HV_VM_PAUSED) {
		assert_int_equal(vm->stop, HV_STOP_NONE);
		assert_int_equal(vm->on_count, on);
		assert_true(on > 0);
	}
	assert_int_equal(fake.pool.free_count, free_count);
	assert_int_equal(fake_port.locks_held, 0);
}

static void start(const struct family *family, uint16_t vcpus)
{
	static _Alignas(64) uint8_t memory[512 * 1024];
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};

	fake.arch = family->arch;
	fake_vm_create(&fake, vcpus);
	vm = fake.vm;
	memset(memory, 0, sizeof(memory));
	if (family->equip) {
		family->equip(&arena);
	}
	assert_int_equal(hv_vm_seal(vm), HV_OK);
	assert_int_equal(hv_vm_start(vm, GPA(FAKE_VM_PC), 0), HV_OK);
}

static void walk_of(const struct family *family, uint16_t vcpus, uint64_t seed)
{
	unsigned stops = 0;
	enum hv_vm_state before;

	start(family, vcpus);
	memset(runs, 0, sizeof(runs));
	memset(going_off, 0, sizeof(going_off));
	free_count = fake.pool.free_count;
	dice = seed;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned n = roll(vcpus);

		before = vm->state;
		if (roll(3)) {
			step_vcpu(n);
		} else {
			step_management(n);
		}
		check();
		stops += before != HV_VM_STOPPED && vm->state == HV_VM_STOPPED;
	}
	assert_true(stops > 100); /* many lives, not one */
	hv_vm_stop(vm, HV_STOP_OFF);
	for (unsigned n = 0; n < vcpus; n++) {
		if (runs[n]) {
			leave(n, HV_RESUME);
		}
	}
	assert_int_equal(hv_vm_destroy(vm), HV_OK);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
	fake_vm_free(&fake);
}

static void walk(uint16_t vcpus, uint64_t seed)
{
	for (unsigned i = 0; i < HV_ARRAY_COUNT(families); i++) {
		walk_of(&families[i], vcpus, seed);
	}
}

static void vm_life__random_walk_with_1_vcpu__keeps_every_invariant(void **state)
{
	(void)state;
	walk(1, 0x9e3779b97f4a7c15);
}

static void vm_life__random_walk_with_2_vcpus__keeps_every_invariant(void **state)
{
	(void)state;
	walk(2, 0xbf58476d1ce4e5b9);
}

static void vm_life__random_walk_with_8_vcpus__keeps_every_invariant(void **state)
{
	(void)state;
	walk(HV_VCPUS, 0x94d049bb133111eb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(vm_life__random_walk_with_1_vcpu__keeps_every_invariant),
		hv_unit_test(vm_life__random_walk_with_2_vcpus__keeps_every_invariant),
		hv_unit_test(vm_life__random_walk_with_8_vcpus__keeps_every_invariant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

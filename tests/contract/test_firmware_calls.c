/* SPDX-License-Identifier: MIT */
/*
 * PSCI and SBI are two spellings of the same verbs: what a guest's call does to its machine is the
 * same on each architecture. Both are linked here, and for a while both have a VM at once.
 */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <arch/aarch64/smccc.h>
#include <arch/riscv64/rv64.h>
#include <arch/riscv64/sbi.h>
#include <fake_a64.h>
#include <fake_race.h>
#include <fake_rv64.h>
#include <fake_vm.h>
#include <hv/power.h>

#define VCPUS      3u
#define NOT_A_VCPU 0x77u
#define ENTRY      (FAKE_VM_RAM + 0x400u)
#define NO_MEMORY  0x20000000u

enum answer { DONE, ALREADY_ON, BAD_TARGET, BAD_ADDRESS, NOT_THERE, OTHER };

struct result {
	enum answer answer;
	enum hv_verdict verdict;
};

/* ---- how each architecture says it ---- */

struct family {
	const struct hv_arch *arch;
	void (*equip)(struct hv_vm *vm, struct hv_arena *arena);
	struct result (*start)(struct hv_vcpu *by, uint64_t target, uint64_t pc, uint64_t arg);
	enum hv_verdict (*stop)(struct hv_vcpu *by);
	enum hv_verdict (*system)(struct hv_vcpu *by, bool reboot);
	struct result (*unknown)(struct hv_vcpu *by);
	struct result (*state)(struct hv_vcpu *by, uint64_t target, enum hv_power_state *state);
	/* What the vCPU found when it started. */
	uint64_t (*pc)(const struct hv_vcpu *vcpu);
	uint64_t (*arg)(const struct hv_vcpu *vcpu);
};

static struct a64_vcpu *a64(const struct hv_vcpu *vcpu)
{
	return HV_CONTAINER_OF(vcpu, struct a64_vcpu, hv);
}

static void a64_notify(void *ctx)
{
	hv_vcpu_wake(ctx, HV_TODO_IRQ);
}

static void a64_equip(struct hv_vm *vm, struct hv_arena *arena)
{
	const struct vgic_cfg cfg = {.spis = 32};
	struct vgic *gic;

	assert_int_equal(vgic_create(&gic, &cfg, arena), HV_OK);
	for (uint16_t n = 0; n < vm->vcpu_count; n++) {
		const struct vgic_cpu_cfg cpu = {.index = n,
			.affinity = n,
			.lr_count = 4,
			.notify = a64_notify,
			.ctx = vm->vcpu[n]};

		assert_int_equal(vgic_add_cpu(gic, &a64(vm->vcpu[n])->gic, &cpu), HV_OK);
	}
}

static int64_t a64_call(
	struct hv_vcpu *by, uint64_t fn, const uint64_t arg[3], enum hv_verdict *verdict)
{
	const struct a64_trap trap = {.esr = (uint64_t)0x16 << 26 | 1u << 25};
	uint64_t *x = a64(by)->regs.x;

	x[0] = PSCI_BASE | fn;
	for (unsigned i = 0; i < 3; i++) {
		x[1 + i] = arg[i];
	}
	*verdict = a64_trap_handle(a64(by), &trap);
	return (int64_t)x[0];
}

static struct result a64_start(struct hv_vcpu *by, uint64_t target, uint64_t pc, uint64_t arg)
{
	struct result result = {.answer = OTHER};

	switch (a64_call(by, PSCI_SMC64 | PSCI_CPU_ON, (const uint64_t[3]){target, pc, arg},
		&result.verdict)) {
	case PSCI_SUCCESS: result.answer = DONE; break;
	case PSCI_ALREADY_ON:
	case PSCI_ON_PENDING: result.answer = ALREADY_ON; break;
	case PSCI_INVALID_PARAMETERS: result.answer = BAD_TARGET; break;
	case PSCI_INVALID_ADDRESS: result.answer = BAD_ADDRESS; break;
	default: break;
	}
	return result;
}

static enum hv_verdict a64_stop(struct hv_vcpu *by)
{
	enum hv_verdict verdict;

	(void)a64_call(by, PSCI_CPU_OFF, (const uint64_t[3]){0}, &verdict);
	return verdict;
}

static enum hv_verdict a64_system(struct hv_vcpu *by, bool reboot)
{
	enum hv_verdict verdict;

	(void)a64_call(
		by, reboot ? PSCI_SYSTEM_RESET : PSCI_SYSTEM_OFF, (const uint64_t[3]){0}, &verdict);
	return verdict;
}

static struct result a64_unknown(struct hv_vcpu *by)
{
	struct result result = {.answer = OTHER};

	if (a64_call(by, 0x1f, (const uint64_t[3]){0}, &result.verdict) == PSCI_NOT_SUPPORTED) {
		result.answer = NOT_THERE;
	}
	return result;
}

static struct result a64_state(struct hv_vcpu *by, uint64_t target, enum hv_power_state *state)
{
	static const enum hv_power_state states[] = {HV_POWER_ON, HV_POWER_OFF, HV_POWER_PENDING};
	struct result result = {.answer = BAD_TARGET};
	int64_t level = a64_call(
		by, PSCI_AFFINITY_INFO, (const uint64_t[3]){target, 0, 0}, &result.verdict);

	if (level >= 0) {
		result.answer = DONE;
		*state = states[level];
	}
	return result;
}

static uint64_t a64_pc(const struct hv_vcpu *vcpu)
{
	return a64(vcpu)->regs.pc;
}

static uint64_t a64_arg(const struct hv_vcpu *vcpu)
{
	return a64(vcpu)->regs.x[0];
}

static struct rv64_vcpu *rv64(const struct hv_vcpu *vcpu)
{
	return HV_CONTAINER_OF(vcpu, struct rv64_vcpu, hv);
}

static void rv64_equip(struct hv_vm *vm, struct hv_arena *arena)
{
	(void)arena;
	for (uint16_t n = 0; n < vm->vcpu_count; n++) {
		rv64(vm->vcpu[n])->hart_id = n;
	}
}

static int64_t rv64_call(struct hv_vcpu *by, uint64_t ext, uint64_t fn, const uint64_t arg[3],
	enum hv_verdict *verdict)
{
	const struct rv64_trap trap = {.scause = 10};
	uint64_t *x = rv64(by)->regs.x;

	x[17] = ext;
	x[16] = fn;
	for (unsigned i = 0; i < 3; i++) {
		x[10 + i] = arg[i];
	}
	*verdict = rv64_trap_handle(rv64(by), &trap);
	return (int64_t)x[10];
}

static struct result rv64_start(struct hv_vcpu *by, uint64_t target, uint64_t pc, uint64_t arg)
{
	struct result result = {.answer = OTHER};

	switch (rv64_call(by, SBI_HSM, SBI_HSM_START, (const uint64_t[3]){target, pc, arg},
		&result.verdict)) {
	case SBI_SUCCESS: result.answer = DONE; break;
	case SBI_ERR_ALREADY_AVAILABLE: result.answer = ALREADY_ON; break;
	case SBI_ERR_INVALID_PARAM: result.answer = BAD_TARGET; break;
	case SBI_ERR_INVALID_ADDRESS: result.answer = BAD_ADDRESS; break;
	default: break;
	}
	return result;
}

static enum hv_verdict rv64_stop(struct hv_vcpu *by)
{
	enum hv_verdict verdict;

	(void)rv64_call(by, SBI_HSM, SBI_HSM_STOP, (const uint64_t[3]){0}, &verdict);
	return verdict;
}

static enum hv_verdict rv64_system(struct hv_vcpu *by, bool reboot)
{
	enum hv_verdict verdict;

	(void)rv64_call(by, SBI_SRST, 0, (const uint64_t[3]){reboot}, &verdict);
	return verdict;
}

static struct result rv64_unknown(struct hv_vcpu *by)
{
	struct result result = {.answer = OTHER};

	if (rv64_call(by, SBI_HSM, 0x1f, (const uint64_t[3]){0}, &result.verdict) ==
		SBI_ERR_NOT_SUPPORTED) {
		result.answer = NOT_THERE;
	}
	return result;
}

static struct result rv64_state(struct hv_vcpu *by, uint64_t target, enum hv_power_state *state)
{
	static const enum hv_power_state states[] = {HV_POWER_ON, HV_POWER_OFF, HV_POWER_PENDING};
	struct result result = {.answer = BAD_TARGET};

	if (rv64_call(by, SBI_HSM, SBI_HSM_STATUS, (const uint64_t[3]){target}, &result.verdict) ==
		SBI_SUCCESS) {
		result.answer = DONE;
		*state = states[rv64(by)->regs.x[11]];
	}
	return result;
}

static uint64_t rv64_pc(const struct hv_vcpu *vcpu)
{
	return rv64(vcpu)->regs.pc;
}

static uint64_t rv64_arg(const struct hv_vcpu *vcpu)
{
	return rv64(vcpu)->regs.x[11];
}

static const struct family families[] = {
	{&a64_arch, a64_equip, a64_start, a64_stop, a64_system, a64_unknown, a64_state, a64_pc,
		a64_arg},
	{&rv64_arch, rv64_equip, rv64_start, rv64_stop, rv64_system, rv64_unknown, rv64_state,
		rv64_pc, rv64_arg},
};
#define FAMILIES HV_ARRAY_COUNT(families)

/* ---- a machine of each ---- */

static struct machine {
	struct fake_vm fake;
	struct hv_vm *vm;
} machines[FAMILIES];

static _Alignas(64) uint8_t memory[FAMILIES][128 * 1024];

/* The one that the test looks at. */
static const struct family *family;
static struct hv_vm *vm;

static void look_at(unsigned n)
{
	family = &families[n];
	vm = machines[n].vm;
}

/* vCPU 0 of a new machine runs. */
static void boot(unsigned n)
{
	struct hv_arena arena = {.base = memory[n], .size = sizeof(memory[n])};
	struct machine *machine = &machines[n];

	memset(memory[n], 0, sizeof(memory[n]));
	machine->fake.arch = families[n].arch;
	fake_vm_create(&machine->fake, VCPUS);
	machine->vm = machine->fake.vm;
	families[n].equip(machine->vm, &arena);
	assert_int_equal(hv_vm_seal(machine->vm), HV_OK);
	assert_int_equal(hv_vm_start(machine->vm, GPA(FAKE_VM_PC), 5), HV_OK);
	assert_int_equal(hv_vcpu_enter(machine->vm->vcpu[0], 0), HV_OK);
	look_at(n);
}

static int setup(void **state)
{
	unit_setup(state);
	fake_a64_reset();
	fake_rv64_reset();
	for (unsigned n = 0; n < FAMILIES; n++) {
		boot(n);
	}
	return 0;
}

static int teardown(void **state)
{
	for (unsigned n = 0; n < FAMILIES; n++) {
		fake_vm_free(&machines[n].fake);
	}
	return unit_teardown(state);
}

static uint64_t id(unsigned n)
{
	return vm->arch->hw_id(vm->vcpu[n]);
}

static void starts(uint64_t target, uint64_t pc, enum answer answer)
{
	struct result result = family->start(vm->vcpu[0], target, pc, 0x1234567890);

	assert_int_equal(result.verdict, HV_RESUME);
	assert_int_equal(result.answer, answer);
}

static void state_is(unsigned n, enum hv_power_state want)
{
	enum hv_power_state state = HV_POWER_OFF;
	struct result result = family->state(vm->vcpu[0], id(n), &state);

	assert_int_equal(result.verdict, HV_RESUME);
	assert_int_equal(result.answer, DONE);
	assert_int_equal(state, want);
}

/* ---- what holds of each ---- */

static void boot_vcpu__finds_entry_and_argument(void)
{
	assert_int_equal(family->pc(vm->vcpu[0]), FAKE_VM_PC);
	assert_int_equal(family->arg(vm->vcpu[0]), 5);
}

static void h3_start__life_of_a_second_one(void)
{
	state_is(0, HV_POWER_ON);
	state_is(1, HV_POWER_OFF);
	starts(id(1), ENTRY, DONE);
	state_is(1, HV_POWER_PENDING);
	starts(id(1), ENTRY, ALREADY_ON);
	assert_int_equal(hv_vcpu_enter(vm->vcpu[1], 1), HV_OK);
	assert_int_equal(family->pc(vm->vcpu[1]), ENTRY);
	assert_int_equal(family->arg(vm->vcpu[1]), 0x1234567890);
	state_is(1, HV_POWER_ON);
	starts(id(1), ENTRY, ALREADY_ON);
	starts(id(0), ENTRY, ALREADY_ON);
	assert_int_equal(family->stop(vm->vcpu[1]), HV_OFF);
	hv_vcpu_leave(vm->vcpu[1], HV_OFF);
	state_is(1, HV_POWER_OFF);
	starts(id(1), ENTRY, DONE);
}

static void h3_start__nonsense(void)
{
	enum hv_power_state state;

	starts(NOT_A_VCPU, ENTRY, BAD_TARGET);
	starts(~(uint64_t)0, ENTRY, BAD_TARGET);
	assert_int_equal(family->state(vm->vcpu[0], NOT_A_VCPU, &state).answer, BAD_TARGET);
	starts(id(1), NO_MEMORY, BAD_ADDRESS);
	starts(id(1), ENTRY + 1, BAD_ADDRESS);
	starts(id(1), ~(uint64_t)0, BAD_ADDRESS);
	state_is(1, HV_POWER_OFF);
}

static void h1_unknown_function__is_an_answer(void)
{
	struct result result = family->unknown(vm->vcpu[0]);

	assert_int_equal(result.answer, NOT_THERE);
	assert_int_equal(result.verdict, HV_RESUME);
}

static void h4_stop__the_last_one_ends_the_machine(void)
{
	starts(id(1), ENTRY, DONE);
	assert_int_equal(family->stop(vm->vcpu[0]), HV_OFF);
	assert_int_equal(vm->state, HV_VM_RUNNING);
	hv_vcpu_leave(vm->vcpu[0], HV_OFF);
	assert_int_equal(hv_vcpu_enter(vm->vcpu[1], 1), HV_OK);
	assert_int_equal(family->stop(vm->vcpu[1]), HV_OFF);
	assert_int_equal(vm->state, HV_VM_STOPPED);
	assert_int_equal(vm->stop, HV_STOP_OFF);
}

static void h5_system__off_or_reboot_with_others_running(bool reboot)
{
	starts(id(2), ENTRY, DONE);
	assert_int_equal(hv_vcpu_enter(vm->vcpu[2], 2), HV_OK);
	assert_int_equal(family->system(vm->vcpu[0], reboot), HV_OFF);
	assert_int_equal(vm->stop, reboot ? HV_STOP_REBOOT : HV_STOP_OFF);
	hv_vcpu_leave(vm->vcpu[0], HV_OFF);
	hv_vcpu_leave(vm->vcpu[2], HV_RESUME);
	assert_int_equal(hv_vm_reset(vm), HV_OK);
	assert_int_equal(hv_vm_start(vm, GPA(FAKE_VM_PC), 6), HV_OK);
	assert_int_equal(hv_vcpu_enter(vm->vcpu[0], 0), HV_OK);
	assert_int_equal(family->arg(vm->vcpu[0]), 6);
	state_is(2, HV_POWER_OFF);
}

static void h5_system__off(void)
{
	h5_system__off_or_reboot_with_others_running(false);
}

static void h5_system__reboot(void)
{
	h5_system__off_or_reboot_with_others_running(true);
}

static void each_family(void (*body)(void))
{
	for (unsigned n = 0; n < FAMILIES; n++) {
		look_at(n);
		body();
		/* Nobody else's machine noticed. */
		for (unsigned other = 0; other < FAMILIES; other++) {
			assert_true(other <= n || machines[other].vm->on_count == 1);
		}
	}
}

#define EACH(body)                                                                                 \
	static void body##__on_each_architecture(void **state)                                     \
	{                                                                                          \
		(void)state;                                                                       \
		each_family(body);                                                                 \
	}

EACH(boot_vcpu__finds_entry_and_argument)
EACH(h3_start__life_of_a_second_one)
EACH(h3_start__nonsense)
EACH(h1_unknown_function__is_an_answer)
EACH(h4_stop__the_last_one_ends_the_machine)
EACH(h5_system__off)
EACH(h5_system__reboot)

/* ---- H3: two callers at once, in every order ---- */

static struct result won[2];

static void race_setup(void *ctx)
{
	(void)ctx;
	boot((unsigned)(family - families));
	starts(id(1), ENTRY, DONE);
	assert_int_equal(hv_vcpu_enter(vm->vcpu[1], 1), HV_OK);
}

static void start_by_0(void *ctx)
{
	(void)ctx;
	won[0] = family->start(vm->vcpu[0], id(2), ENTRY, 0);
}

static void start_by_1(void *ctx)
{
	(void)ctx;
	won[1] = family->start(vm->vcpu[1], id(2), ENTRY, 1);
}

static void race_check(void *ctx)
{
	unsigned *wins = ctx;

	assert_int_not_equal(won[0].answer == DONE, won[1].answer == DONE);
	assert_true(won[0].answer == DONE || won[0].answer == ALREADY_ON);
	assert_true(won[1].answer == DONE || won[1].answer == ALREADY_ON);
	assert_int_equal(vm->vcpu[2]->state, HV_VCPU_READY);
	assert_int_equal(vm->vcpu[2]->on_arg, won[1].answer == DONE);
	wins[won[1].answer == DONE]++;
}

static void h3_start__two_callers_at_once__exactly_one_succeeds(void **state)
{
	(void)state;
	for (unsigned n = 0; n < FAMILIES; n++) {
		unsigned wins[2] = {0};

		look_at(n);
		fake_race(&(struct fake_race){.setup = race_setup,
			.cpu = {start_by_0, start_by_1},
			.check = race_check,
			.ctx = wins});
		assert_true(wins[0] > 0 && wins[1] > 0);
	}
}

/* ---- two architectures at once ---- */

static void crash__of_one_machine__the_others_go_on(void **state)
{
	(void)state;
	for (unsigned n = 0; n < FAMILIES; n++) {
		look_at(n);
		assert_int_equal(hv_vm_crash(vm->vcpu[0], "test", n, 0), HV_CRASH);
		for (unsigned other = n + 1; other < FAMILIES; other++) {
			look_at(other);
			starts(id(n + 1), ENTRY, DONE);
			assert_int_equal(vm->stop, HV_STOP_NONE);
		}
	}
}

#define firmware_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		firmware_test(boot_vcpu__finds_entry_and_argument__on_each_architecture),
		firmware_test(h3_start__life_of_a_second_one__on_each_architecture),
		firmware_test(h3_start__nonsense__on_each_architecture),
		firmware_test(h1_unknown_function__is_an_answer__on_each_architecture),
		firmware_test(h4_stop__the_last_one_ends_the_machine__on_each_architecture),
		firmware_test(h5_system__off__on_each_architecture),
		firmware_test(h5_system__reboot__on_each_architecture),
		firmware_test(h3_start__two_callers_at_once__exactly_one_succeeds),
		firmware_test(crash__of_one_machine__the_others_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

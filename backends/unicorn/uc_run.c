/* SPDX-License-Identifier: MIT */
/* One VM from its image to its end. */
#include "uc_sim.h"

#include <elf.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S       1e9
#define SERVICE_NS     1000000u /* how often console and time limit are looked at */
#define TURN_NS        100000u  /* of the guest's time: how long a vCPU of several runs at most */
#define CONSOLE_ENOUGH (HV_RING_SIZE / 2)

/* What the guest's clock of the day says when a deterministic run begins: 2024-01-01. */
#define DETERMINISTIC_EPOCH 1704067200u

static bool is_over(const struct sim *sim)
{
	return sim->over || sim->board->vm->state != HV_VM_RUNNING;
}

/* ---- between two runs of the guest ---- */

static void service(struct sim *sim)
{
	double passed = (double)(sim_host_now() - sim->clock.start) / NS_PER_S;

	sim_console_drain(sim);
	sim_console_poll(sim);
	sim->next_service = port_now() + SERVICE_NS;
	if (!sim->over && sim->cfg->timeout_s > 0 && passed >= sim->cfg->timeout_s) {
		sim->report->end = SIM_TIMEOUT;
		sim->over = true;
	}
}

static bool is_service_due(const struct sim *sim)
{
	return hv_ring_count(&sim->board->console.to_host) >= CONSOLE_ENOUGH ||
	       port_now() >= sim->next_service;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- a vCPU runs ---- */

/* All that must be right before the guest goes on; HV_RESUME: it may. */
static enum hv_verdict prepare(
	struct sim *sim, struct hv_vcpu *vcpu, uint64_t turn_end, uint64_t *deadline)
{
	uint32_t todo;

	/* They are looked at here, whatever happened. */
	atomic_fetch_and(&vcpu->todo, ~(uint32_t)HV_TODO_TIME);
	*deadline = earlier(sim->arch->timers_update(sim, vcpu->index),
		hv_vm_expire(sim->board->vm, port_now()));
	*deadline = earlier(*deadline, earlier(turn_end, sim->next_service));
	todo = atomic_load(&vcpu->todo);
	if (todo & HV_TODO_LEAVE) {
		return HV_YIELD;
	}
	return todo & HV_TODO_IRQ ? sim->arch->irq_prepare(sim, vcpu->index) : HV_RESUME;
}

/*
 * Those that wait have nobody else who looks at their timers: they wake when these are due. Returns
 * when the next one is, in ns.
 */
static uint64_t wake_due(struct sim *sim)
{
	const struct hv_vm *vm = sim->board->vm;
	uint64_t deadline = HV_NEVER_DUE;

	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpu[i]->state == HV_VCPU_BLOCKED) {
			deadline = earlier(deadline, sim->arch->timers_update(sim, i));
		}
	}
	return deadline;
}

static uint64_t turn_end(struct sim *sim)
{
	if (sim->board->vm->vcpu_count == 1) {
		return HV_NEVER_DUE;
	}
	return earlier(wake_due(sim), port_now() + TURN_NS);
}

/* False: it is not ready. */
static bool run_vcpu(struct sim *sim, struct hv_vcpu *vcpu)
{
	enum hv_verdict verdict = HV_RESUME;
	uint64_t deadline, end;

	if (vcpu->state != HV_VCPU_READY || hv_vcpu_enter(vcpu, 0) != HV_OK) {
		return false;
	}
	sim->arch->load(sim, vcpu->index);
	end = turn_end(sim);
	do {
		verdict = prepare(sim, vcpu, end, &deadline);
		if (verdict == HV_RESUME) {
			verdict = sim->arch->run(sim, vcpu->index, deadline);
		}
	} while (verdict == HV_RESUME && !is_service_due(sim) && port_now() < end);
	if (verdict == HV_OFF) {
		sim->arch->clear(sim);
	}
	hv_vcpu_leave(vcpu, verdict == HV_RESUME ? HV_YIELD : verdict);
	return true;
}

static bool run_next(struct sim *sim)
{
	uint16_t count = sim->board->vm->vcpu_count;

	for (uint16_t i = 1; i <= count; i++) {
		uint16_t next = (uint16_t)((sim->last + i) % count);

		if (run_vcpu(sim, sim->board->vm->vcpu[next])) {
			sim->last = next;
			return true;
		}
	}
	return false;
}

/* ---- no vCPU can run ---- */

static uint64_t idle_deadline(struct sim *sim)
{
	uint64_t deadline = hv_vm_expire(sim->board->vm, port_now());

	return earlier(deadline, wake_due(sim));
}

static uint64_t until_timeout(const struct sim *sim)
{
	double left = sim->cfg->timeout_s * NS_PER_S - (double)(sim_host_now() - sim->clock.start);

	if (sim->cfg->timeout_s <= 0) {
		return UINT64_MAX;
	}
	return left > 0 ? (uint64_t)left + 1 : 0;
}

/* Nobody is ready. The console's service, or a timer that is due just now, may have woken one (S4).
 */
static bool is_idle(const struct sim *sim)
{
	const struct hv_vm *vm = sim->board->vm;

	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpu[i]->state == HV_VCPU_READY) {
			return false;
		}
	}
	return true;
}

static void wait_until(struct sim *sim, uint64_t deadline)
{
	uint64_t now = port_now(), wait = UINT64_MAX;

	if (sim->clock.deterministic && deadline != HV_NEVER_DUE) {
		sim_clock_skip(&sim->clock, deadline);
		return;
	}
	if (deadline != HV_NEVER_DUE) {
		wait = deadline > now ? deadline - now : 0;
	}
	sim_console_wait(sim, earlier(wait, until_timeout(sim)));
}

static void idle(struct sim *sim)
{
	uint64_t start = sim_host_now(), deadline = idle_deadline(sim);

	/* A timer may have come due just now, and have woken somebody. */
	if (is_idle(sim)) {
		wait_until(sim, deadline);
		(void)idle_deadline(sim);
	}
	sim->idle_ns += sim_host_now() - start;
}

static void run(struct sim *sim)
{
	while (!is_over(sim)) {
		if (is_idle(sim) || is_service_due(sim)) {
			service(sim);
		}
		/* What came in meanwhile may be the end, or may have woken somebody. */
		if (!is_over(sim) && !run_next(sim)) {
			idle(sim);
		}
	}
	sim_console_drain(sim);
}

/* ---- before and after ---- */

static struct board_cfg board_cfg(struct sim *sim)
{
	return (struct board_cfg){
		.id = 1,
		.cpus = sim->cfg->guest->cpus,
		.ram_size = sim->memory.ram_size,
		.ram_hpa = HPA(sim->arch->ram_hpa),
		.ram_host = sim->memory.ram,
		.lazy_ram = sim->cfg->guest->lazy_ram,
		.flash_size = sim->memory.flash_size,
		.flash_hpa = HPA(SIM_FLASH_HPA),
		.flash_host = sim->memory.flash,
		.epoch = sim->cfg->deterministic ? DETERMINISTIC_EPOCH : (uint64_t)time(NULL),
		.pages = &sim->memory.pages,
	};
}

static const char *build_board(struct sim *sim)
{
	struct board_cfg cfg = board_cfg(sim);
	uint32_t pages = sim->arch->page_count(sim, &cfg);
	struct hv_arena arena;
	const char *wrong;

	if (pages == 0) {
		return "the machine cannot have that much memory or that many CPUs";
	}
	wrong = sim_memory_pool(sim, pages * HV_PAGE_SIZE, sim->arch->arena_size(sim, &cfg));
	if (wrong) {
		return wrong;
	}
	arena = (struct hv_arena){.base = sim->memory.arena, .size = sim->memory.arena_size};
	return sim->arch->build(sim, &cfg, &arena);
}

/* Puts the guest's images into its memory and switches it on. */
static const char *boot(struct sim *sim)
{
	struct hv_load_plan plan;
	const char *wrong;

	if (hv_load_plan(sim->arch->loader, sim->cfg->guest, GPA(sim->arch->ram), &plan,
		    &sim->report->load_error) != HV_OK ||
		hv_load_commit(sim->arch->loader, sim->cfg->guest, &plan, &sim->board->vm->gmem) !=
			HV_OK) {
		return "the guest's images cannot be loaded";
	}
	wrong = sim->arch->loaded(sim, &plan);
	if (wrong) {
		return wrong;
	}
	if (hv_vm_start(sim->board->vm, plan.entry, plan.dtb.v) != HV_OK) {
		return "the machine does not start";
	}
	return NULL;
}

static const char *assemble(struct sim *sim)
{
	const char *wrong = sim_memory_open(sim);

	wrong = wrong ? wrong : build_board(sim);
	return wrong ? wrong : boot(sim);
}

static void account(struct sim *sim)
{
	struct sim_report *report = sim->report;
	struct hv_vm *vm = sim->board->vm;

	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		for (int kind = 0; kind < HV_EXIT_KINDS; kind++) {
			report->stats.exits[kind] += vm->vcpu[i]->stats.exits[kind];
		}
		report->stats.irqs += vm->vcpu[i]->stats.irqs;
	}
	report->blocks = sim_clock_blocks(&sim->clock);
	report->wall_s = (double)(sim_host_now() - sim->clock.start) / NS_PER_S;
	report->guest_s = (double)sim->clock.guest_ns / NS_PER_S;
	report->idle_s = (double)sim->idle_ns / NS_PER_S;
	report->hypervisor_s = report->wall_s - report->guest_s - report->idle_s;
}

static void destroy(struct hv_vm *vm)
{
	hv_vm_stop(vm, HV_STOP_OFF);
	if (hv_vm_destroy(vm) != HV_OK) {
		port_panic("a VM that has ended cannot be destroyed");
	}
}

static void conclude(struct sim *sim)
{
	static const enum sim_end ends[] = {
		[HV_STOP_NONE] = SIM_OFF,
		[HV_STOP_OFF] = SIM_OFF,
		[HV_STOP_REBOOT] = SIM_REBOOT,
		[HV_STOP_CRASH] = SIM_CRASH,
	};
	struct hv_vm *vm = sim->board->vm;

	if (!sim->over) {
		sim->report->end = ends[vm->stop];
	}
	if (sim->report->end == SIM_CRASH) {
		sim_dump(sim);
	}
	account(sim);
	destroy(vm);
}

static void refuse(struct sim *sim, const char *wrong)
{
	sim->report->end = SIM_NOT_STARTED;
	snprintf(sim->report->error, sizeof(sim->report->error), "%s", wrong);
	if (sim->board) {
		destroy(sim->board->vm);
	}
}

static const struct sim_arch *arch_of(const struct hv_guest *guest)
{
	switch (guest->machine) {
	case EM_X86_64: return &sim_arch_x86;
	case EM_RISCV: return &sim_arch_rv64;
	default: return &sim_arch_a64;
	}
}

void sim_run(const struct sim_cfg *cfg, struct sim_report *report)
{
	static struct sim sim; /* large, and there is one run at a time */
	const char *wrong;

	*report = (struct sim_report){0};
	sim = (struct sim){.cfg = cfg, .report = report, .input_open = cfg->in_fd >= 0 && cfg->in};
	sim_now = &sim;
	sim.arch = arch_of(cfg->guest);
	sim_clock_start(&sim.clock, cfg->deterministic);
	wrong = sim.arch->open(&sim);
	if (wrong) {
		refuse(&sim, wrong);
		return;
	}
	wrong = assemble(&sim);
	if (wrong) {
		refuse(&sim, wrong);
	} else {
		run(&sim);
		conclude(&sim);
	}
	sim.arch->close(&sim);
	sim_memory_close(&sim);
}

/* SPDX-License-Identifier: MIT */
/*
 * The life of the image: learn about the machine, make our own translation, run the guest of the
 * bundle, say how it ended, turn the machine off. On a reboot the machine goes off as well: who
 * started us decides whether to start us again.
 */
#include "el2.h"
#include "guest.h"
#include "irq.h"
#include "power.h"
#include "run.h"
#include "start.h"

#include <common/console.h>
#include <common/report.h>

static struct host host;
static struct guest guest;

static void dump_line(void *ctx, const char *text, size_t size)
{
	const struct hv_text line = {.at = (char *)text, .size = size, .used = size};

	(void)ctx;
	report("dump", &line);
}

static _Noreturn void finish(void)
{
	struct hv_vm *vm = guest.virt->board.vm;
	char line[128];
	struct hv_text text = HV_TEXT(line);

	if (guest.bundle.stats) {
		guest_stats(&guest);
	}
	switch (vm->stop) {
	case HV_STOP_OFF: start_end("off");
	case HV_STOP_REBOOT: start_end("reboot");
	default: break;
	}
	a64_dump_crash(vm, dump_line, NULL);
	hv_text_str(&text, "crash ");
	hv_text_str(&text, vm->crash.reason);
	report("end", &text);
	power_off();
}

/* How many secondary CPUs have left the VM, and said so. */
static _Atomic uint32_t left;

static void wait_for_others(void)
{
	while (atomic_load_explicit(&left, memory_order_acquire) + 1 < guest.what.cpus) {
		RELAX();
	}
}

_Noreturn void el2_secondary(void)
{
	start_secondary();
	irq_cpu_init();
	run_vcpu(guest.virt, guest.bundle.stats);
	atomic_fetch_add_explicit(&left, 1, memory_order_release);
	for (;;) {
		WFI();
	}
}

_Noreturn void el2_main(uintptr_t dtb)
{
	struct hv_load_error error;

	start_learn(&host, dtb);
	start_map(&host);
	if (guest_plan(&guest, &host, &error) != HV_OK) {
		start_refuse(&error);
	}
	start_settle(&host);
	irq_init(&host);
	if (guest_create(&guest, host.vtimer_intid, &error) != HV_OK) {
		start_refuse(&error);
	}
	console_attach(&guest.virt->board.console, &guest.virt->board.vm->bus);
	start_need(hv_vm_start(guest.virt->board.vm, guest.plan.entry, guest.plan.dtb.v) == HV_OK,
		"the VM does not start");
	start_cpus(&host, guest.what.cpus);
	run_vcpu(guest.virt, guest.bundle.stats);
	wait_for_others();
	finish();
}

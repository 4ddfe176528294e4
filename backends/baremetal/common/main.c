/* SPDX-License-Identifier: MIT */
/*
 * The life of the image: learn about the machine, make our own translation, run the guest of the
 * bundle, say how it ended, turn the machine off. On a reboot the machine goes off as well: who
 * started us decides whether to start us again.
 */
#include "main.h"

#include "console.h"
#include "end.h"
#include "guest.h"
#include "machine.h"
#include "report.h"

static struct guest guest;

static void dump_line(void *ctx, const char *text, size_t size)
{
	const struct hv_text line = {.at = (char *)text, .size = size, .used = size};

	(void)ctx;
	report("dump", &line);
}

static _Noreturn void finish(void)
{
	struct hv_vm *vm = guest.board->vm;
	char line[128];
	struct hv_text text = HV_TEXT(line);

	console_flush();
	if (guest.bundle.stats) {
		guest_stats(&guest);
	}
	switch (vm->stop) {
	case HV_STOP_OFF: end_run("off");
	case HV_STOP_REBOOT: end_run("reboot");
	default: break;
	}
	machine_dump(vm, dump_line, NULL);
	hv_text_str(&text, "crash ");
	hv_text_str(&text, vm->crash.reason);
	report("end", &text);
	machine_off();
}

/* How many secondary CPUs have left the VM, and said so. */
static _Atomic uint32_t left;

static void wait_for_others(void)
{
	while (atomic_load_explicit(&left, memory_order_acquire) + 1 < guest.what.cpus) {
		machine_relax();
	}
}

void main_secondary(void)
{
	machine_run(guest.board, guest.bundle.stats);
	atomic_fetch_add_explicit(&left, 1, memory_order_release);
	port_kick(0); /* it may wait for an interrupt */
}

_Noreturn void main_boot(uintptr_t dtb)
{
	struct tree *tree = machine_learn(dtb);
	struct hv_load_error error;

	machine_map();
	if (guest_plan(&guest, tree, &error) != HV_OK) {
		end_refuse(&error);
	}
	machine_settle();
	machine_irqs();
	if (guest_create(&guest, &error) != HV_OK) {
		end_refuse(&error);
	}
	console_attach(guest.board);
	end_unless(machine_start(guest.board, &guest.plan) == HV_OK, "the VM does not start");
	machine_start_cpus(guest.what.cpus);
	machine_run(guest.board, guest.bundle.stats);
	wait_for_others();
	finish();
}

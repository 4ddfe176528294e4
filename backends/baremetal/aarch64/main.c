/* SPDX-License-Identifier: MIT */
/*
 * The life of the image: learn about the machine, make our own translation, run the guest of the
 * bundle, say how it ended, turn the machine off. On a reboot the machine goes off as well: who
 * started us decides whether to start us again.
 */
#include "caps.h"
#include "clock.h"
#include "console.h"
#include "el2.h"
#include "guest.h"
#include "host.h"
#include "host_gic.h"
#include "power.h"
#include "run.h"
#include "stage1.h"
#include "uart.h"

#include <hv/bits.h>
#include <common/report.h>

struct el2_cpu_slot cpu_slots[EL2_CPUS] __attribute__((section(".noinit")));

static struct host host;
static struct guest guest;

static void cpu_init(uint16_t index)
{
	struct el2_cpu_slot *slot = &cpu_slots[index];

	__builtin_memset(&slot->cpu, 0, sizeof(slot->cpu));
	slot->cpu.index = index;
	slot->cpu.fault_stack = (uintptr_t)slot->fault_stack + EL2_FAULT_STACK_SIZE;
}

static _Noreturn void end(const char *how)
{
	report_str("end", how);
	power_off();
}

/* What is wrong with which input, and where; then the end. */
static _Noreturn void refuse(const struct hv_load_error *error)
{
	char line[160];
	struct text text = TEXT(line);

	if (error->input) {
		text_str(&text, error->input);
		text_str(&text, ": ");
		text_str(&text, error->field);
		text_str(&text, " at offset ");
		text_hex(&text, error->offset, 1);
		text_str(&text, " (");
		text_hex(&text, error->value, 1);
		text_str(&text, "): ");
	}
	text_str(&text, error->why);
	report("log", &text);
	end("crash not started");
}

static void need(bool fine, const char *why)
{
	struct hv_load_error error = {.input = NULL, .why = why};

	if (!fine) {
		refuse(&error);
	}
}

/* As soon as the UART is known there is somebody to talk to, even if the rest is wrong. */
static void learn(uintptr_t dtb)
{
	struct hv_load_error error;
	enum hv_status status = host_read(&host, dtb, &error);

	power_init(host.psci_method);
	if (host.uart.size) {
		boot_map_add(host.uart.base, host.uart.size, HV_MEM_DEVICE);
		uart_init(host.uart.base);
	}
	if (status != HV_OK) {
		refuse(&error);
	}
	caps_read();
	need(a64_caps_missing(caps_get()) == NULL, a64_caps_missing(caps_get()));
	need(clock_init(), "CNTFRQ_EL0 is 0: firmware did not set it");
	boot_map_add(host.initrd.base, host.initrd.size, HV_MEM_NORMAL);
}

static enum hv_status map_devices(void)
{
	const uint8_t rw = HV_PROT_R | HV_PROT_W;
	enum hv_status status = stage1_map(host.uart.base, host.uart.size, rw, HV_MEM_DEVICE);

	if (status == HV_OK) {
		status = stage1_map(host.gicd.base, host.gicd.size, rw, HV_MEM_DEVICE);
	}
	for (uint32_t i = 0; i < host.gicr_count && status == HV_OK; i++) {
		status = stage1_map(host.gicr[i].base, host.gicr[i].size, rw, HV_MEM_DEVICE);
	}
	return status;
}

/* Everything that the hypervisor will ever see is mapped here. */
static void settle_in(void)
{
	struct hv_load_error error;
	enum hv_status status = stage1_init();

	if (status == HV_OK) {
		status = map_devices();
	}
	if (status == HV_OK) {
		status = stage1_map(host.initrd.base, host.initrd.size, HV_PROT_R, HV_MEM_NORMAL);
	}
	need(status == HV_OK, "our own tables: too little room, or devices that overlap");
	if (guest_plan(&guest, &host, &error) != HV_OK) {
		refuse(&error);
	}
	stage1_use();
}

static _Noreturn void finish(void)
{
	const struct hv_vm *vm = guest.board->vm;
	char line[128];
	struct text text = TEXT(line);

	if (guest.bundle.stats) {
		guest_stats(&guest);
	}
	switch (vm->stop) {
	case HV_STOP_OFF: end("off");
	case HV_STOP_REBOOT: end("reboot");
	default: break;
	}
	guest_dump(&guest);
	text_str(&text, "crash ");
	text_str(&text, vm->crash.reason);
	report("end", &text);
	power_off();
}

_Noreturn void el2_main(uintptr_t dtb)
{
	struct hv_load_error error;

	cpu_init(0);
	learn(dtb);
	settle_in();
	need(host_gic_init(&host) == HV_OK, "no redistributor of the GIC is this CPU's");
	run_init(&host);
	if (guest_create(&guest, host.vtimer_intid, &error) != HV_OK) {
		refuse(&error);
	}
	console_attach(&guest.board->console, &guest.board->vm->bus);
	need(hv_vm_start(guest.board->vm, guest.plan.entry, guest.plan.dtb.v) == HV_OK,
		"the VM does not start");
	run_vm(guest.board, guest.bundle.stats);
	finish();
}

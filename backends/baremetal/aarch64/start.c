/* SPDX-License-Identifier: MIT */
/*
 * The first steps (common/machine.h), the same for the hypervisor and for images that test its
 * parts: this CPU's record, the machine, our own translation. What cannot be is said on the
 * console, and the machine goes off.
 */

#include "caps.h"
#include "el2.h"
#include "el2_stage1.h"
#include "host.h"
#include "host_gic.h"
#include "irq.h"
#include "power.h"

#include <common/clock.h>
#include <common/end.h>
#include <common/image.h>
#include <common/machine.h>
#include <common/main.h>
#include <common/report.h>
#include <common/stage1.h>
#include <common/uart.h>
#include <hv/bits.h>

#define DTB_MOST HV_MIB(2) /* by the boot protocol */

static struct host host;

struct el2_cpu_slot cpu_slots[EL2_CPUS] __attribute__((section(".noinit")));

#define MPIDR_AFFINITY (HV_MASK(39, 32) | HV_MASK(23, 0))

static void cpu_init(uint16_t index)
{
	struct el2_cpu_slot *slot = &cpu_slots[index];

	__builtin_memset(&slot->cpu, 0, sizeof(slot->cpu));
	slot->cpu.index = index;
	slot->cpu.fault_stack = (uintptr_t)slot->fault_stack + EL2_FAULT_STACK_SIZE;
}

/* We are CPU 0, wherever the tree has us; a tree without CPUs has us alone. */
static void learn_cpus(struct tree *tree)
{
	uint64_t self = SYSREG_READ(mpidr_el1) & MPIDR_AFFINITY;

	tree->cpu_count = tree->cpu_count ? tree->cpu_count : 1;
	for (uint32_t i = 1; i < tree->cpu_count; i++) {
		if (tree->cpu[i] == self) {
			tree->cpu[i] = tree->cpu[0];
		}
	}
	tree->cpu[0] = self;
	el2_cpu(0)->mpidr = self;
	for (uint16_t i = 1; i < tree->cpu_count; i++) {
		cpu_init(i);
		el2_cpu(i)->mpidr = tree->cpu[i];
	}
}

/* As soon as the UART is known there is somebody to talk to, even if the rest is wrong. */
static enum hv_status meet(uintptr_t dtb, struct hv_load_error *error)
{
	struct range image = {.base = (uintptr_t)image_start,
		.size = (uintptr_t)image_end - (uintptr_t)image_start};
	enum hv_status status;

	boot_map_add(dtb, DTB_MOST, HV_MEM_NORMAL); /* it may reach into the next GiB */
	status = host_read(&host, (const void *)dtb, image, error);
	power_init(host.psci_method);
	if (host.tree.uart.size) {
		boot_map_add(host.tree.uart.base, host.tree.uart.size, HV_MEM_DEVICE);
		uart_init(host.tree.uart.base);
	}
	return status;
}

_Noreturn void el1_main(uintptr_t dtb)
{
	struct hv_load_error error;

	/* Whatever else is wrong with this machine, this comes first. */
	if (meet(dtb, &error) != HV_OK && !host.tree.uart.size) {
		machine_off();
	}
	report_str("log", "entered at EL1, but a hypervisor needs EL2 "
			  "(with QEMU: -M virt,virtualization=on)");
	end_run("crash not started");
}

struct tree *machine_learn(uintptr_t dtb)
{
	struct hv_load_error error;

	cpu_init(0);
	if (meet(dtb, &error) != HV_OK) {
		end_refuse(&error);
	}
	caps_read();
	end_unless(a64_caps_missing(caps_get()) == NULL, a64_caps_missing(caps_get()));
	end_unless(host.gic_version == 2 || caps_get()->gicv3, "the GICv3 system registers");
	end_unless(clock_init(SYSREG_READ(cntfrq_el0) & UINT32_MAX),
		"CNTFRQ_EL0 is 0: firmware did not set it");
	boot_map_add(host.tree.initrd.base, host.tree.initrd.size, HV_MEM_NORMAL);
	learn_cpus(&host.tree);
	return &host.tree;
}

static enum hv_status map_device(const struct range *device)
{
	return stage1_map(device->base, device->size, HV_PROT_R | HV_PROT_W, HV_MEM_DEVICE);
}

void machine_map(void)
{
	enum hv_status status;
	struct range frame;

	for (uint32_t i = 0; i < host.gicr_count; i++) {
		boot_map_add(host.gicr[i].base, host.gicr[i].size, HV_MEM_DEVICE);
	}
	if (host.gich.size) {
		boot_map_add(host.gich.base, host.gich.size, HV_MEM_DEVICE);
	}
	end_unless(host_gic_find(&host) == HV_OK, "no redistributor of the GIC is this CPU's");
	status = el2_stage1_init();
	if (status == HV_OK) {
		status = map_device(&host.tree.uart);
	}
	for (unsigned i = 0; status == HV_OK && host_gic_frame(&host, i, &frame); i++) {
		status = frame.size ? map_device(&frame) : HV_OK;
	}
	if (status == HV_OK) {
		status = stage1_map(
			host.tree.initrd.base, host.tree.initrd.size, HV_PROT_R, HV_MEM_NORMAL);
	}
	end_unless(status == HV_OK, "our own tables: too little room, or devices that overlap");
}

void machine_settle(void)
{
	el2_stage1_use();
	host_gic_init(&host);
	host_gic_cpu_init();
}

void machine_irqs(void)
{
	irq_init(&host);
}

void machine_start_cpus(uint32_t count)
{
	port_guest_sync(boot_stage1, sizeof(boot_stage1));
	for (uint32_t i = 1; i < count; i++) {
		end_unless(power_cpu_on(host.tree.cpu[i], (uintptr_t)boot_secondary,
				   (uintptr_t)el2_cpu((uint16_t)i)),
			"firmware does not start a CPU that the VM needs");
	}
}

_Noreturn void el2_secondary(void)
{
	host_gic_cpu_init();
	irq_cpu_init();
	main_secondary();
	for (;;) {
		WFI();
	}
}

_Noreturn void machine_off(void)
{
	power_off();
}

void machine_relax(void)
{
	RELAX();
}

const struct host *host_get(void)
{
	return &host;
}

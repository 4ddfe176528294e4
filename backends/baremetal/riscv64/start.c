/* SPDX-License-Identifier: MIT */
/*
 * The first steps (common/machine.h), the same for the hypervisor and for images that test its
 * parts: this CPU's record, the machine, our own translation. What cannot be is said on the
 * console, and the machine goes off.
 */
#include "caps.h"
#include "hs.h"
#include "host.h"
#include "irq.h"
#include "plic.h"
#include "sbi.h"

#include <common/clock.h>
#include <common/end.h>
#include <common/image.h>
#include <common/machine.h>
#include <common/main.h>
#include <common/stage1.h>
#include <common/uart.h>
#include <hv/bits.h>

/* Sv39. What lies in its upper half is for us as far away as what it has no addresses for. */
#define SATP_SV39      ((uint64_t)8 << ATP_MODE_SHIFT)
#define STAGE1_IA_BITS 38u

static struct host host;
static uint32_t plic_context;
static _Atomic uint32_t started;

struct hs_cpu_slot cpu_slots[HS_CPUS] __attribute__((section(".noinit")));

static void cpu_init(uint16_t index, uint64_t hart)
{
	struct hs_cpu *cpu = hs_cpu(index);

	__builtin_memset(cpu, 0, sizeof(*cpu));
	cpu->index = index;
	cpu->hart = hart;
}

uint32_t hs_started(void)
{
	return atomic_load_explicit(&started, memory_order_relaxed);
}

_Noreturn void hs_boot(uint64_t hart, uintptr_t dtb)
{
	cpu_init(0, hart);
	atomic_store_explicit(&started, 1, memory_order_relaxed);
	main_boot(dtb);
}

/* We are CPU 0, wherever the tree has us; a tree without CPUs has us alone. */
static void learn_cpus(struct host *its)
{
	struct tree *tree = &its->tree;

	tree->cpu_count = tree->cpu_count ? tree->cpu_count : 1;
	for (uint32_t i = 1; i < tree->cpu_count; i++) {
		if (tree->cpu[i] == hs_cpu(0)->hart) {
			uint32_t intc = its->intc[i];

			tree->cpu[i] = tree->cpu[0];
			its->intc[i] = its->intc[0];
			its->intc[0] = intc;
		}
	}
	tree->cpu[0] = hs_cpu(0)->hart;
	for (uint16_t i = 1; i < tree->cpu_count; i++) {
		cpu_init(i, tree->cpu[i]);
	}
}

/* As soon as the UART is known there is somebody to talk to, even if the rest is wrong. */
static enum hv_status meet(uintptr_t dtb, struct hv_load_error *error)
{
	struct range image = {.base = (uintptr_t)image_start,
		.size = (uintptr_t)image_end - (uintptr_t)image_start};
	enum hv_status status = host_read(&host, (const void *)dtb, image, error);

	if (host.tree.uart.size) {
		uart_init(host.tree.uart.base);
	}
	return status;
}

struct tree *machine_learn(uintptr_t dtb)
{
	struct hv_load_error error;

	if (meet(dtb, &error) != HV_OK) {
		end_refuse(&error);
	}
	caps_read(&host);
	end_unless(hv_bit(host.exts, 'h' - 'a'), "the CPU has no H extension, which a hypervisor "
						 "needs (with QEMU: -cpu rv64,h=true)");
	end_unless(rv64_caps_missing(caps_get()) == NULL, rv64_caps_missing(caps_get()));
	end_unless(clock_init(host.timebase), "the device tree has no timebase-frequency");
	learn_cpus(&host);
	/* Now, as the tree is not mapped later. */
	end_unless(host_plic_context(&host, 0, &plic_context) == HV_OK,
		"no context of the PLIC is this CPU's");
	return &host.tree;
}

static enum hv_status map_device(const struct range *device)
{
	return stage1_map(device->base, device->size, HV_PROT_R | HV_PROT_W, HV_MEM_DEVICE);
}

/* Below each stack there is a page of nothing. CPUs that there are not have none to overflow. */
static enum hv_status drop_guards(void)
{
	enum hv_status status = HV_OK;

	for (unsigned i = 0; i < host.tree.cpu_count && status == HV_OK; i++) {
		status = stage1_drop(cpu_slots[i].guard);
		if (status == HV_OK) {
			status = stage1_drop(cpu_slots[i].fault_guard);
		}
	}
	return status;
}

void machine_map(void)
{
	enum hv_status status = stage1_init(&rv64_stage1_fmt, STAGE1_IA_BITS);

	if (status == HV_OK) {
		status = drop_guards();
	}
	if (status == HV_OK) {
		status = map_device(&host.tree.uart);
	}
	if (status == HV_OK) {
		status = map_device(&host.plic);
	}
	if (status == HV_OK) {
		status = stage1_map(
			host.tree.initrd.base, host.tree.initrd.size, HV_PROT_R, HV_MEM_NORMAL);
	}
	end_unless(status == HV_OK, "our own tables: too little room, or devices that overlap");
}

void machine_settle(void)
{
	boot_satp = SATP_SV39 | stage1_root().v >> HV_PAGE_SHIFT;
	__asm__ volatile("sfence.vma" : : : "memory");
	CSR_WRITE(satp, boot_satp);
	__asm__ volatile("sfence.vma" : : : "memory");
	plic_init(host.plic.base, plic_context);
}

void machine_irqs(void)
{
	irq_init(&host);
}

/* From the moment that a CPU may run, it takes part in fences. */
void machine_start_cpus(uint32_t count)
{
	atomic_store(&boot_stage, BOOT_OTHERS);
	for (uint16_t i = 1; i < count; i++) {
		atomic_fetch_or(&started, 1u << i);
		end_unless(sbi_hart_start(hs_cpu(i)->hart, (uintptr_t)image_start),
			"firmware does not start a CPU that the VM needs");
	}
}

_Noreturn void hs_secondary(void)
{
	irq_cpu_init();
	main_secondary();
	for (;;) {
		WFI();
	}
}

/* Not a spin: under -icount QEMU lets the others run only when this CPU waits. */
void machine_relax(void)
{
	WFI();
}

const struct host *host_get(void)
{
	return &host;
}

/* SPDX-License-Identifier: MIT */
/*
 * The first steps (common/machine.h), the same for the hypervisor and for images that test its
 * parts: this CPU's record, the machine, our own translation. What cannot be is said on the
 * console, and the machine goes off.
 */
#include "bm.h"
#include "bootinfo.h"
#include "caps.h"
#include "context.h"
#include "host.h"
#include "host_apic.h"
#include "idt.h"
#include "irq.h"
#include "time.h"

#include <common/clock.h>
#include <common/end.h>
#include <common/image.h>
#include <common/main.h>
#include <common/stage1.h>
#include <common/uart.h>
#include <hv/bits.h>

#define COM1           0x3f8u
#define STAGE1_IA_BITS 47u /* the lower half */
#define LOW_MEMORY     HV_MIB(1)
#define US_PER_S       1000000u

/* Between INIT and SIPI, and then until it must have come (APM2 15.27.8 names no times; MP 1.4). */
#define INIT_US     10000u
#define SIPI_US     200u
#define PATIENCE_US 100000u

static struct host host;

struct bm_cpu_slot cpu_slots[BM_CPUS] __attribute__((section(".noinit")));
struct bm_cpu *_Atomic boot_cpu;

static void cpu_init(uint16_t index, uint32_t apic_id)
{
	struct bm_cpu *cpu = bm_cpu(index);

	__builtin_memset(cpu, 0, sizeof(*cpu));
	cpu->self = cpu;
	cpu->index = index;
	cpu->apic_id = apic_id;
}

static void cpu_load(struct bm_cpu *cpu)
{
	idt_load(cpu);
	msr_write(MSR_GS_BASE, (uintptr_t)cpu);
}

/* ---- what there is ---- */

static struct bootinfo info;
static uint32_t boot_way;

_Noreturn void bm_boot(uint32_t way, uint32_t at)
{
	boot_way = way;
	idt_init();
	cpu_init(0, 0);
	cpu_load(bm_cpu(0));
	uart_init(COM1);
	main_boot(at);
}

/* Our image, and the first MiB, of which one page is where other CPUs start. */
static enum hv_status learn_ram(struct tree *tree)
{
	uintptr_t image = (uintptr_t)image_start;
	enum hv_status status;

	tree->ram = info.ram;
	if (ranges_take(&tree->ram, HV_PAGE_SIZE, HV_PAGE_SIZE, &host.trampoline) != HV_OK ||
		host.trampoline >= LOW_MEMORY) {
		host.trampoline = 0;
	}
	status = ranges_remove(&tree->ram, 0, LOW_MEMORY);
	if (status == HV_OK) {
		status = ranges_remove(&tree->ram, image, (uintptr_t)image_end - image);
	}
	if (status == HV_OK) {
		tree->initrd = info.bundle;
		status = ranges_remove(&tree->ram, info.bundle.base, info.bundle.size);
	}
	return status;
}

/* We are CPU 0, wherever the table has us; a machine without a table has us alone. */
static void learn_cpus(struct tree *tree)
{
	uint32_t self = host_apic_id();

	tree->cpu_count = 1;
	for (uint32_t i = 0; i < host.acpi.cpu_count && tree->cpu_count < TREE_CPUS; i++) {
		if (host.acpi.cpu[i] != self) {
			tree->cpu[tree->cpu_count++] = host.acpi.cpu[i];
		}
	}
	tree->cpu[0] = self;
	bm_cpu(0)->apic_id = self;
	for (uint16_t i = 1; i < tree->cpu_count; i++) {
		cpu_init(i, (uint32_t)tree->cpu[i]);
	}
}

static enum hv_status read_info(uint64_t at, struct hv_load_error *error)
{
	if (boot_way == BOOT_PVH) {
		return bootinfo_pvh(&info, at, error);
	}
	return bootinfo_multiboot(&info, at, error);
}

static void learn_clock(void)
{
	struct ticks ticks = ticks_measure(&host.acpi);
	const char *missing;

	end_unless(ticks.lapic_hz && clock_init(ticks.tsc_hz),
		"no ACPI timer, by which the CPU's clock could be measured");
	irq_timer_hz(ticks.lapic_hz);
	missing = caps_read(ticks.tsc_hz);
	end_unless(missing == NULL, missing);
}

struct tree *machine_learn(uintptr_t at)
{
	struct hv_load_error error;
	enum hv_status status = read_info(at, &error);
	bool has_acpi = host_acpi_read(&host.acpi, info.rsdp, BOOTINFO_TOP);

	if (status != HV_OK) {
		end_refuse(&error);
	}
	end_unless(has_acpi, "no ACPI tables");
	if (info.bundle.size == 0) {
		end_refuse(&(struct hv_load_error){.input = "boot information",
			.field = "module 0",
			.why = "no bundle: the machine was started without a module (initrd)"});
	}
	end_unless(learn_ram(&host.tree) == HV_OK, "the memory map has more ranges than we take");
	host_apic_init(&host.acpi);
	host_apic_cpu_init();
	learn_cpus(&host.tree);
	learn_clock();
	return &host.tree;
}

const struct host *host_get(void)
{
	return &host;
}

/* ---- our own translation ---- */

static enum hv_status map_page(uint64_t page, uint8_t prot, uint8_t type)
{
	return page ? stage1_map(page, HV_PAGE_SIZE, prot, type) : HV_OK;
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

/* Where other CPUs start; they turn paging on there, with our tables. */
static enum hv_status map_trampoline(void)
{
	uint8_t *page = (uint8_t *)host.trampoline;
	uint32_t root = (uint32_t)stage1_root().v;

	if (!page) {
		return HV_OK;
	}
	__builtin_memcpy(page, trampoline, (size_t)(trampoline_end - trampoline));
	__builtin_memcpy(page + (trampoline_cr3 - trampoline), &root, sizeof(root));
	return map_page(host.trampoline, HV_PROT_R | HV_PROT_X, HV_MEM_NORMAL);
}

void machine_map(void)
{
	const uint8_t rw = HV_PROT_R | HV_PROT_W;
	enum hv_status status = stage1_init(&x86_stage1_fmt, STAGE1_IA_BITS);

	if (status == HV_OK) {
		status = drop_guards();
	}
	if (status == HV_OK) {
		status = map_page(host.acpi.lapic, rw, HV_MEM_DEVICE);
	}
	if (status == HV_OK) {
		status = map_page(host.acpi.ioapic, rw, HV_MEM_DEVICE);
	}
	if (status == HV_OK) {
		status = map_trampoline();
	}
	if (status == HV_OK) {
		status = stage1_map(
			host.tree.initrd.base, host.tree.initrd.size, HV_PROT_R, HV_MEM_NORMAL);
	}
	end_unless(status == HV_OK, "our own tables: too little room, or devices that overlap");
}

void machine_settle(void)
{
	CR_WRITE(cr3, stage1_root().v);
}

void machine_irqs(void)
{
	context_enable(bm_cpu(0));
	irq_init();
}

/* ---- the other CPUs ---- */

static void wait_us(uint64_t us)
{
	uint64_t start = port_now();

	while (port_now() - start < us * (1000000000u / US_PER_S)) {
		RELAX();
	}
}

static bool wait_for_start(uint64_t us)
{
	for (uint64_t waited = 0; waited < us; waited += SIPI_US) {
		wait_us(SIPI_US);
		if (!atomic_load(&boot_cpu)) {
			return true;
		}
	}
	return false;
}

/* INIT, and up to two SIPIs (MP Specification 1.4, B.4). */
static bool start_cpu(struct bm_cpu *cpu)
{
	uint8_t page = (uint8_t)(host.trampoline >> HV_PAGE_SHIFT);

	atomic_store(&boot_cpu, cpu);
	host_apic_send_init(cpu->apic_id);
	wait_us(INIT_US);
	host_apic_send_start(cpu->apic_id, page);
	if (wait_for_start(SIPI_US)) {
		return true;
	}
	host_apic_send_start(cpu->apic_id, page);
	return wait_for_start(PATIENCE_US);
}

void machine_start_cpus(uint32_t count)
{
	end_unless(count == 1 || host.trampoline, "no memory below 1 MiB, where CPUs start");
	for (uint16_t i = 1; i < count; i++) {
		end_unless(start_cpu(bm_cpu(i)), "a CPU that the VM needs does not start");
	}
}

_Noreturn void bm_secondary(struct bm_cpu *cpu)
{
	cpu_load(cpu);
	host_apic_cpu_init();
	context_enable(cpu);
	atomic_store(&boot_cpu, NULL);
	main_secondary();
	for (;;) {
		irq_wait();
	}
}

void machine_relax(void)
{
	irq_wait();
}

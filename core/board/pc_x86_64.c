/* SPDX-License-Identifier: MIT */
/* Wires one pc-x86_64 machine. It only connects: what a part does is in the part's own folder. */
#include "parts.h"
#include "pc_acpi.h"
#include "pc_firmware.h"

#include <board/pc_x86_64.h>
#include <dev/acpi_pm/acpi_pm.h>
#include <dev/cmos/cmos.h>
#include <dev/fw_cfg/fw_cfg.h>
#include <dev/ioapic/ioapic.h>
#include <dev/lapic/lapic.h>
#include <dev/ns16550/ns16550.h>
#include <dev/pc_reset/pc_reset.h>
#include <dev/pflash/pflash.h>
#include <dev/pic8259/pic8259.h>
#include <dev/pit8254/pit8254.h>
#include <hv/bits.h>

#define MULTIBOOT_MAGIC 0x2badb002u /* in EAX, for a kernel to know its loader */

static const struct board_map map = {
	.ram = PC_X86_RAM,
	.ram_max = HV_PC_RAM_MAX,
	.ram_rest = HV_PC_RAM_HIGH,
	.flash = PC_X86_FLASH,
	.flash_max = PC_X86_FLASH_MAX,
	.ia_bits = PC_X86_IA_BITS,
	.root_level = 3,
	.root_pages = 1,
};

struct machine {
	struct pc_x86 pc; /* first: what the caller sees */
	struct lapics lapics;
	struct ioapic ioapic;
	struct pic8259 pic;
	struct pit8254 pit;
	struct cmos cmos;
	struct acpi_pm pm;
	struct pc_reset reset;
	struct fw_cfg fw_cfg;
	struct ns16550 uart;
	struct pflash flash;
	struct hv_lock uart_lock, pit_lock, cmos_lock, fw_cfg_lock;
};

static struct hv_vm_cfg vm_cfg(const struct pc_x86_cfg *cfg)
{
	return (struct hv_vm_cfg){
		.id = cfg->board.id,
		.vcpu_count = cfg->board.cpus,
		.arch = &x86_arch,
		.pages = cfg->board.pages,
		.ia_bits = PC_X86_IA_BITS,
		.pa_bits = cfg->caps->pa_bits,
	};
}

/* ---- local APICs and their CPUs ---- */

static void add_cpus(struct machine *machine, const struct pc_x86_cfg *cfg)
{
	struct pc_x86 *pc = &machine->pc;
	struct lapics_cfg lapics = {
		.cpus = cfg->board.cpus,
		.pa_bits = cfg->caps->pa_bits,
		.tsc_hz = cfg->caps->tsc_hz,
		.ops = &x86_lapic_ops,
		.eoi = ioapic_eoi,
		.ioapic = &machine->ioapic,
		.intack = pic8259_ack,
		.pic = &machine->pic,
	};

	for (uint16_t i = 0; i < cfg->board.cpus; i++) {
		pc->vcpu[i] = HV_CONTAINER_OF(pc->board.vm->vcpu[i], struct x86_vcpu, hv);
		pc->vcpu[i]->lapic = &machine->lapics.cpu[i];
		x86_vcpu_caps_set(pc->vcpu[i], cfg->caps);
		lapics.ctx[i] = pc->vcpu[i];
	}
	lapics_init(&machine->lapics, &lapics);
}

/* ---- interrupts ---- */

/* An ISA interrupt goes to both kinds of controllers; which of them listens is the guest's. */
static void isa_irq_set(void *ctl, uint32_t irq, bool level)
{
	struct machine *machine = ctl;

	pic8259_irq_set(&machine->pic, irq, level);
	ioapic_pin_set(&machine->ioapic, irq == PC_X86_PIT_IRQ ? PC_X86_PIT_PIN : irq, level);
}

static struct hv_irq isa_irq(struct machine *machine, uint32_t irq)
{
	return (struct hv_irq){.set = isa_irq_set, .ctl = machine, .line = irq};
}

/* ---- the ends of the machine ---- */

static void turn_off(void *vm, uint32_t line, bool level)
{
	(void)line;
	if (level) {
		hv_vm_stop(vm, HV_STOP_OFF);
	}
}

static void reboot(void *vm, uint32_t line, bool level)
{
	(void)line;
	if (level) {
		hv_vm_stop(vm, HV_STOP_REBOOT);
	}
}

/* ---- devices ---- */

static void init_devices(struct machine *machine, const struct pc_x86_cfg *cfg)
{
	struct board *board = &machine->pc.board;
	const struct hv_irq off = {.set = turn_off, .ctl = board->vm};
	const struct hv_irq restart = {.set = reboot, .ctl = board->vm};
	const struct ioapic_cfg ioapic = {
		.version = 0x20, .deliver = lapics_msi, .lapics = &machine->lapics};

	machine->uart_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	machine->pit_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	machine->cmos_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	machine->fw_cfg_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	ioapic_init(&machine->ioapic, &ioapic);
	pic8259_init(&machine->pic,
		(struct hv_irq){.set = lapic_pin_set, .ctl = &machine->lapics.cpu[0]});
	pit8254_init(&machine->pit, isa_irq(machine, PC_X86_PIT_IRQ));
	cmos_init(&machine->cmos, cfg->board.epoch, cfg->board.ram_size,
		isa_irq(machine, PC_X86_CMOS_IRQ));
	acpi_pm_init(&machine->pm, off);
	pc_reset_init(&machine->reset, restart, off);
	fw_cfg_init(&machine->fw_cfg, cfg->board.ram_size, cfg->board.cpus);
	ns16550_init(&machine->uart, &board->console, isa_irq(machine, PC_X86_UART_IRQ));
	board->vm->console = (struct hv_call_console){&board->console, &machine->uart_lock};
	pflash_init(&machine->flash, cfg->board.flash_size);
}

static enum hv_status add_memory_regions(struct machine *machine, const struct pc_x86_cfg *cfg)
{
	const struct hv_region regions[] = {
		{
			.base = GPA(LAPIC_BASE),
			.size = LAPIC_SIZE,
			.ops = &lapics_ops,
			.dev = &machine->lapics,
		},
		{
			.base = GPA(IOAPIC_BASE),
			.size = IOAPIC_SIZE,
			.ops = &ioapic_ops,
			.dev = &machine->ioapic,
		},
		{
			.base = GPA(PC_X86_FLASH),
			.size = PC_X86_FLASH_MAX,
			.ops = &pflash_ops,
			.dev = &machine->flash, /* never changes: no lock */
		},
	};
	size_t count = HV_ARRAY_COUNT(regions) - (cfg->board.flash_size == 0 ? 1 : 0);

	return board_add_regions(&machine->pc.board.vm->bus, regions, count);
}

static struct hv_region ports(
	uint64_t base, uint64_t size, const struct hv_dev_ops *ops, void *dev, struct hv_lock *lock)
{
	return (struct hv_region){
		.base = GPA(base), .size = size, .ops = ops, .dev = dev, .lock = lock};
}

static enum hv_status add_ports(struct machine *machine, const struct pc_x86_cfg *cfg)
{
	bool shared = board_is_shared(&cfg->board);
	struct hv_lock *uart = shared ? &machine->uart_lock : NULL;
	struct hv_lock *pit = shared ? &machine->pit_lock : NULL;
	struct hv_lock *cmos = shared ? &machine->cmos_lock : NULL;
	struct hv_lock *fw_cfg = shared ? &machine->fw_cfg_lock : NULL;
	struct pc_reset *reset = &machine->reset;
	const struct hv_region regions[] = {
		ports(PIC8259_MASTER, PIC8259_PORT_SIZE, &pic8259_master_ops, &machine->pic, NULL),
		ports(PIC8259_SLAVE, PIC8259_PORT_SIZE, &pic8259_slave_ops, &machine->pic, NULL),
		ports(PIC8259_ELCR, PIC8259_PORT_SIZE, &pic8259_elcr_ops, &machine->pic, NULL),
		ports(PIT8254_PORT, PIT8254_PORT_SIZE, &pit8254_ops, &machine->pit, pit),
		ports(PIT8254_GATE_PORT, 1, &pit8254_gate_ops, &machine->pit, pit),
		ports(PC_X86_CMOS, PC_X86_CMOS_SIZE, &cmos_ops, &machine->cmos, cmos),
		ports(PC_X86_UART, PC_X86_UART_SIZE, &ns16550_ops, &machine->uart, uart),
		ports(PC_X86_PM, ACPI_PM_SIZE, &acpi_pm_ops, &machine->pm, NULL),
		ports(PC_RESET_8042_DATA, 1, &pc_reset_data_ops, reset, NULL),
		ports(PC_RESET_8042_COMMAND, 1, &pc_reset_command_ops, reset, NULL),
		ports(PC_RESET_PORT_A, 1, &pc_reset_port_a_ops, reset, NULL),
		ports(PC_RESET_EXIT, PC_RESET_EXIT_SIZE, &pc_reset_exit_ops, reset, NULL),
		ports(FW_CFG_PORT, FW_CFG_PORT_SIZE, &fw_cfg_ops, &machine->fw_cfg, fw_cfg),
		ports(PC_RESET_PCI, PC_RESET_PCI_SIZE, &pc_reset_pci_ops, reset, NULL),
	};

	return board_add_regions(&machine->pc.board.vm->pio, regions, HV_ARRAY_COUNT(regions));
}

/* ---- the machine ---- */

static enum hv_status build(
	struct machine *machine, const struct pc_x86_cfg *cfg, struct hv_arena *arena)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	struct board *board = &machine->pc.board;
	enum hv_status status = hv_vm_create(&board->vm, &vm, arena);

	if (status == HV_OK) {
		add_cpus(machine, cfg);
		init_devices(machine, cfg);
		status = board_add_memory(&board->vm->gmem, &cfg->board, &map);
	}
	if (status == HV_OK) {
		status = pc_acpi_write(&board->vm->gmem, cfg->board.cpus);
	}
	if (status == HV_OK) {
		status = add_memory_regions(machine, cfg);
	}
	if (status == HV_OK) {
		status = add_ports(machine, cfg);
	}
	return status == HV_OK ? hv_vm_seal(board->vm) : status;
}

enum hv_status pc_x86_create(
	struct pc_x86 **pc, const struct pc_x86_cfg *cfg, struct hv_arena *arena)
{
	size_t mark = arena->used;
	enum hv_status status;
	struct machine *machine;

	*pc = NULL;
	if (!board_is_valid(&cfg->board, &map)) {
		return HV_ERR_INVALID;
	}
	machine = hv_arena_take(arena, sizeof(*machine), BOARD_ALIGN);
	if (!machine) {
		return HV_ERR_NO_MEMORY;
	}
	status = build(machine, cfg, arena);
	if (status != HV_OK) {
		board_demolish(&machine->pc.board);
		arena->used = mark;
		return status;
	}
	*pc = &machine->pc;
	return HV_OK;
}

size_t pc_x86_arena_size(const struct pc_x86_cfg *cfg)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);

	return sizeof(struct machine) + BOARD_ALIGN + hv_vm_arena_size(&vm);
}

uint32_t pc_x86_page_count(const struct pc_x86_cfg *cfg)
{
	return board_is_valid(&cfg->board, &map) ? (uint32_t)board_page_count(&cfg->board, &map)
						 : 0;
}

/* Who gets the boot information where is the protocol's: see <hv/load.h>. */
void pc_x86_boot(struct pc_x86 *pc, const struct hv_load_plan *plan)
{
	struct x86_boot boot = {
		.start = plan->tables.v ? X86_START_LONG : X86_START_PROT,
		.rip = plan->entry.v,
		.cr3 = plan->tables.v,
		.gdt = plan->gdt.v,
		.gdt_limit = HV_LOAD_GDT_SIZE - 1,
	};

	if (plan->kind == HV_LOAD_BZIMAGE) {
		boot.rsi = plan->info.v;
	} else {
		boot.rbx = plan->info.v;
	}
	if (plan->kind == HV_LOAD_MULTIBOOT) {
		boot.rax = MULTIBOOT_MAGIC;
		pc_firmware_leave(pc->board.vm, plan);
	}
	x86_boot_set(pc->vcpu[0], &boot);
}

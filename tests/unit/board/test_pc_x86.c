/* SPDX-License-Identifier: MIT */
/* The wiring, seen through the guest's own eyes: ports, memory, the nested tables, interrupts. */
#include <unit.h>

#include <board/pc_x86_64.h>
#include <dev/acpi_pm/acpi_pm.h>
#include <dev/cmos/cmos.h>
#include <dev/ioapic/ioapic.h>
#include <dev/lapic/lapic.h>
#include <dev/ns16550/ns16550.h>
#include <dev/pc_reset/pc_reset.h>
#include <dev/pic8259/pic8259.h>
#include <dev/pit8254/pit8254.h>

#define PC_X86_RTC     PC_X86_CMOS
#define KIT_FN(name)   pc_x86_##name
#define KIT_AT(name)   PC_X86_##name
#define KIT_CFG        struct pc_x86_cfg
#define KIT_BOARD      struct pc_x86
#define KIT_UART_TX    NS16550_THR
#define KIT_ROOT_PAGES 2u /* the root, and the table of 512 GiB whose blocks hold RAM and flash */
#define KIT_UART_BUS   HV_EXIT_PIO
#define KIT_DEVICE     IOAPIC_BASE
#define KIT_RAM_MIN    HV_MIB(1)
#define KIT_RAM_MOST   (HV_BIT(PC_X86_IA_BITS) - HV_PC_RAM_HIGH + HV_PC_RAM_MAX)
#include "board_kit.h"

static struct x86_caps caps;

static struct pc_x86_cfg kit_cfg(struct board_cfg board)
{
	caps = (struct x86_caps){
		.pa_bits = 48,
		.has_1g = true,
		.has_npt = true,
		.asids = 16,
		.tsc_hz = 1000000000,
	};
	return (struct pc_x86_cfg){.board = board, .caps = &caps};
}

static uint64_t in(uint64_t port, uint8_t size)
{
	uint64_t data = 0;

	assert_int_equal(guest_on(HV_EXIT_PIO, port, size, false, &data), HV_RESUME);
	return data;
}

static void out(uint64_t port, uint8_t size, uint64_t value)
{
	assert_int_equal(guest_on(HV_EXIT_PIO, port, size, true, &value), HV_RESUME);
}

static struct lapic *lapic(uint16_t cpu)
{
	return virt->vcpu[cpu]->lapic;
}

/* ---- what interrupts go through ---- */

static void entry_set(uint32_t pin, uint64_t entry)
{
	wr(IOAPIC_BASE + IOAPIC_SELECT, 4, IOAPIC_ENTRY + 2 * pin + 1);
	wr(IOAPIC_BASE + IOAPIC_WINDOW, 4, entry >> 32);
	wr(IOAPIC_BASE + IOAPIC_SELECT, 4, IOAPIC_ENTRY + 2 * pin);
	wr(IOAPIC_BASE + IOAPIC_WINDOW, 4, (uint32_t)entry);
}

/* CPU 0's local APIC as an operating system uses it; the 8259 is silent. */
static void enable_apics(void)
{
	wr(LAPIC_BASE + LAPIC_SVR, 4, LAPIC_SVR_ENABLE | 0xff);
	wr(LAPIC_BASE + LAPIC_LVT_LINT0, 4, LAPIC_MASKED);
	out(PIC8259_MASTER + 1, 1, 0xff);
	out(PIC8259_SLAVE + 1, 1, 0xff);
}

/* Both 8259 as PCs' firmware leaves them: vectors 0x30 and 0x38, all pins open. */
static void enable_pics(void)
{
	static const uint8_t base[] = {0x30, 0x38}, cascade[] = {4, 2};
	static const uint64_t port[] = {PIC8259_MASTER, PIC8259_SLAVE};

	for (unsigned i = 0; i < 2; i++) {
		out(port[i], 1, 0x11);
		out(port[i] + 1, 1, base[i]);
		out(port[i] + 1, 1, cascade[i]);
		out(port[i] + 1, 1, 1);
		out(port[i] + 1, 1, 0);
	}
}

static void type(uint8_t byte)
{
	assert_true(hv_ring_put(&virt->board.console.to_guest, byte));
	hv_vm_poll(virt->board.vm);
}

static void pc_x86_uart__typed_byte__comes_as_irq_4_by_the_io_apic(void **state)
{
	(void)state;
	create(1);
	enable_apics();
	entry_set(PC_X86_UART_IRQ, 0x55);
	out(PC_X86_UART + NS16550_IER, 1, NS16550_IER_RX);
	out(PC_X86_UART + NS16550_MCR, 1, NS16550_MCR_OUT2);
	assert_int_equal(lapic_pending(lapic(0)), LAPIC_NOTHING);
	virt->board.vm->vcpu[0]->todo = 0;
	type('x');
	assert_int_equal(lapic_pending(lapic(0)), 0x55);
	assert_true(todo_of(0) & HV_TODO_IRQ);
	assert_int_equal(in(PC_X86_UART + NS16550_RBR, 1), 'x');
}

static void pc_x86_uart__typed_byte__comes_as_irq_4_by_the_8259(void **state)
{
	(void)state;
	create(1);
	enable_pics();
	out(PC_X86_UART + NS16550_IER, 1, NS16550_IER_RX);
	out(PC_X86_UART + NS16550_MCR, 1, NS16550_MCR_OUT2);
	type('x');
	assert_int_equal(lapic_pending(lapic(0)), LAPIC_EXTERNAL);
	assert_int_equal(lapic_accept(lapic(0), LAPIC_EXTERNAL), 0x34);
}

static void pc_x86_pit__period__comes_on_pin_2_and_as_irq_0(void **state)
{
	(void)state;
	create(1);
	enable_apics();
	entry_set(PC_X86_PIT_PIN, 0x31);
	entry_set(0, 0x32);
	out(PIT8254_PORT + 3, 1, 0x34);
	out(PIT8254_PORT, 1, 0xff);
	out(PIT8254_PORT, 1, 0xff);
	fake_port.now = 100000000;
	(void)hv_vm_expire(virt->board.vm, fake_port.now);
	assert_int_equal(lapic_pending(lapic(0)), 0x31);
	out(PIC8259_MASTER, 1, 0x0a); /* read IRR */
	assert_int_equal(in(PIC8259_MASTER, 1) & 1, 1);
}

static void pc_x86_cmos__update__comes_as_irq_8(void **state)
{
	(void)state;
	create(1);
	enable_apics();
	entry_set(PC_X86_CMOS_IRQ, 0x58);
	out(PC_X86_CMOS, 1, CMOS_B);
	out(PC_X86_CMOS + 1, 1, CMOS_B_24H | CMOS_B_UPDATE);
	fake_port.now = S;
	(void)hv_vm_expire(virt->board.vm, fake_port.now);
	assert_int_equal(lapic_pending(lapic(0)), 0x58);
}

static void pc_x86_cmos__power_on__has_the_boards_time_and_memory(void **state)
{
	(void)state;
	create(1);
	out(PC_X86_CMOS, 1, CMOS_SECOND);
	assert_int_equal(in(PC_X86_CMOS + 1, 1), 0x20);
	out(PC_X86_CMOS, 1, CMOS_EXTENDED_KIB + 1);
	assert_int_equal(in(PC_X86_CMOS + 1, 1), (RAM_SIZE - HV_MIB(1)) >> 18);
}

/* A level-triggered interrupt that is still there comes again at its end. */
static void pc_x86_ioapic__end_of_a_level_interrupt__is_told(void **state)
{
	(void)state;
	create(1);
	enable_apics();
	entry_set(PC_X86_UART_IRQ, 0x55 | IOAPIC_LEVEL);
	out(PC_X86_UART + NS16550_IER, 1, NS16550_IER_RX);
	out(PC_X86_UART + NS16550_MCR, 1, NS16550_MCR_OUT2);
	type('x');
	assert_int_equal(lapic_accept(lapic(0), lapic_pending(lapic(0))), 0x55);
	wr(LAPIC_BASE + LAPIC_EOI, 4, 0);
	assert_int_equal(lapic_pending(lapic(0)), 0x55);
	assert_int_equal(lapic_accept(lapic(0), 0x55), 0x55);
	(void)in(PC_X86_UART + NS16550_RBR, 1);
	wr(LAPIC_BASE + LAPIC_EOI, 4, 0);
	assert_int_equal(lapic_pending(lapic(0)), LAPIC_NOTHING);
}

/* ---- CPUs ---- */

static void pc_x86_cpus__ids_are_their_numbers(void **state)
{
	(void)state;
	create(HV_VCPUS);
	for (uint16_t n = 0; n < HV_VCPUS; n++) {
		assert_ptr_equal(&virt->vcpu[n]->hv, virt->board.vm->vcpu[n]);
		assert_int_equal(x86_arch.hw_id(virt->board.vm->vcpu[n]), n);
		assert_ptr_equal(virt->vcpu[n]->caps, &caps);
	}
}

static void send(uint32_t destination, uint32_t low)
{
	wr(LAPIC_BASE + LAPIC_ICR_HIGH, 4, destination << 24);
	wr(LAPIC_BASE + LAPIC_ICR, 4, low);
}

static void pc_x86_ipis__by_cpu_0__reach_the_one_they_name(void **state)
{
	(void)state;
	create(3);
	enable_apics();
	send(2, LAPIC_ASSERT | LAPIC_NMI << LAPIC_MODE_SHIFT);
	assert_int_equal(virt->vcpu[1]->signals, 0);
	assert_int_equal(virt->vcpu[2]->signals & X86_SIGNAL_NMI, X86_SIGNAL_NMI);
	assert_true(todo_of(2) & HV_TODO_IRQ);
	virt->board.vm->vcpu[0]->todo = 0;
	send(0, LAPIC_ASSERT | 0x44);
	assert_int_equal(lapic_pending(lapic(0)), 0x44);
	assert_true(todo_of(0) & HV_TODO_IRQ);
}

static void pc_x86_sipi__of_a_cpu_that_is_off__starts_it(void **state)
{
	struct x86_boot boot = {.start = X86_START_PROT, .rip = HV_MIB(1)};

	(void)state;
	create(2);
	x86_boot_set(virt->vcpu[0], &boot);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(HV_MIB(1)), 0), HV_OK);
	assert_int_equal(virt->board.vm->vcpu[1]->state, HV_VCPU_OFF);
	send(1, LAPIC_ASSERT | LAPIC_LEVEL | LAPIC_INIT << LAPIC_MODE_SHIFT);
	send(1, LAPIC_ASSERT | LAPIC_SIPI << LAPIC_MODE_SHIFT | 0x9a);
	assert_int_equal(virt->board.vm->vcpu[1]->state, HV_VCPU_READY);
	assert_true(virt->board.vm->vcpu[1]->on_pc.v == 0x9a000);
}

static void pc_x86_lapic_timer__armed__asks_for_a_look_at_the_time(void **state)
{
	(void)state;
	create(1);
	enable_apics();
	virt->board.vm->vcpu[0]->todo = 0;
	wr(LAPIC_BASE + LAPIC_LVT_TIMER, 4, 0x66);
	wr(LAPIC_BASE + LAPIC_TIMER_INITIAL, 4, 1000);
	assert_true(todo_of(0) & HV_TODO_TIME);
	assert_true(x86_timer_update(virt->vcpu[0], 0) == 2000); /* divided by 2 */
	(void)x86_timer_update(virt->vcpu[0], 2000);
	assert_int_equal(lapic_pending(lapic(0)), 0x66);
}

/* ---- the ends of the machine ---- */

static void run(void)
{
	struct x86_boot boot = {.start = X86_START_PROT, .rip = HV_MIB(1)};

	create(1);
	x86_boot_set(virt->vcpu[0], &boot);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(HV_MIB(1)), 0), HV_OK);
}

static void pc_x86_s5__stops_the_machine(void **state)
{
	(void)state;
	run();
	out(PC_X86_PM + ACPI_PM_CNT, 2, ACPI_PM_S5 << 10 | ACPI_PM_CNT_SLP_EN);
	assert_int_equal(virt->board.vm->state, HV_VM_STOPPED);
	assert_int_equal(virt->board.vm->stop, HV_STOP_OFF);
}

static void pc_x86_debug_exit__stops_the_machine(void **state)
{
	(void)state;
	run();
	out(PC_RESET_EXIT, 4, 0);
	assert_int_equal(virt->board.vm->stop, HV_STOP_OFF);
}

static void pc_x86_resets__each_way__reboot(void **state)
{
	static const struct {
		uint64_t port;
		uint8_t value;
	} ways[] = {{PC_RESET_RST_CNT, 6}, {PC_RESET_8042_COMMAND, 0xfe}, {PC_RESET_PORT_A, 1}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(ways); i++) {
		arena.used = 0;
		hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), POOL_PAGES);
		run();
		out(ways[i].port, 1, ways[i].value);
		assert_int_equal(virt->board.vm->stop, HV_STOP_REBOOT);
	}
}

static void pc_x86_8042__both_its_ports__are_one_device(void **state)
{
	(void)state;
	run();
	out(PC_RESET_8042_COMMAND, 1, 0xd1);
	out(PC_RESET_8042_DATA, 1, 0x02);
	assert_int_equal(virt->board.vm->stop, HV_STOP_REBOOT);
}

static void h5_pc_x86__run_and_reset__devices_are_as_new(void **state)
{
	(void)state;
	run();
	out(PC_X86_UART + NS16550_SCR, 1, 7);
	wr(LAPIC_BASE + LAPIC_TPR, 4, 0x40);
	hv_vm_stop(virt->board.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_reset(virt->board.vm), HV_OK);
	assert_int_equal(in(PC_X86_UART + NS16550_SCR, 1), 0);
	assert_int_equal(rd(LAPIC_BASE + LAPIC_TPR, 4), 0);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(HV_MIB(1)), 0), HV_OK);
}

/* ---- memory ---- */

static void pc_x86_holes__just_outside_each_window__nobody_answers(void **state)
{
	static const uint64_t memory[] = {LAPIC_BASE - 4, LAPIC_BASE + LAPIC_SIZE, IOAPIC_BASE - 4,
		IOAPIC_BASE + IOAPIC_SIZE, 0x100000000};
	static const uint64_t port[] = {0x1f, 0x22, 0x3f, 0x44, 0x62, 0x6f, 0x72, 0xcf7, 0xd00,
		0x3f7, 0x400, 0x5ff, 0x610, 0xffff};
	uint64_t data = 0;

	(void)state;
	create(2);
	for (size_t i = 0; i < HV_ARRAY_COUNT(memory); i++) {
		assert_int_equal(guest(memory[i], 4, false, &data), HV_FAULT);
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(port); i++) {
		assert_int_equal(guest_on(HV_EXIT_PIO, port[i], 1, false, &data), HV_FAULT);
	}
}

static void pc_x86_ram__more_than_fits_below_3_gib__goes_on_at_4_gib(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	cfg.board.ram_hpa = HPA(HV_GIB(8));
	cfg.board.ram_size = HV_GIB(4);
	cfg.board.flash_hpa = HPA(HV_GIB(6));
	create(1);
	assert_true(is_mapped(HV_PC_RAM_MAX - 1));
	assert_false(is_mapped(HV_PC_RAM_MAX));
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(HV_PC_RAM_HIGH), &pte, &level), HV_OK);
	assert_true(pte.pa == HV_GIB(8) + HV_PC_RAM_MAX);
	assert_true(is_mapped(HV_PC_RAM_HIGH + HV_GIB(1) - 1));
	assert_false(is_mapped(HV_PC_RAM_HIGH + HV_GIB(1)));
}

static void pc_x86_page_count__ram_in_two_pieces__counts_the_tables_of_both(void **state)
{
	(void)state;
	cfg.board.flash_size = 0;
	cfg.board.ram_size = HV_GIB(3);
	assert_int_equal(pc_x86_page_count(&cfg), 2);
	cfg.board.ram_size = HV_GIB(3) + HV_MIB(2);
	assert_int_equal(pc_x86_page_count(&cfg), 2 + 1 + 1);
	cfg.board.ram_size = 1;
	assert_int_equal(pc_x86_page_count(&cfg), 0);
}

static void pc_x86_create__acpi_tables__are_in_memory(void **state)
{
	(void)state;
	create(1);
	assert_memory_equal(ram + HV_PC_ACPI, "RSD PTR ", 8);
}

static void pc_x86_create__a_part_says_no__its_status_and_nothing_is_left(void **state)
{
	struct pc_x86_cfg good = cfg;

	(void)state;
	cfg.board.ram_size = HV_PC_ACPI;
	assert_refused(HV_ERR_RANGE);
	cfg = good;
	cfg.board.flash_hpa = HPA(RAM_HPA + RAM_SIZE - HV_PAGE_SIZE);
	assert_refused(HV_ERR_OVERLAP);
	cfg = good;
	cfg.board.ram_hpa = HPA(RAM_HPA + 1);
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	cfg.board.ram_size = HV_GIB(4);
	cfg.board.ram_hpa = HPA(HV_BIT(48) - HV_GIB(3));
	assert_refused(HV_ERR_RANGE); /* of the second piece */
	cfg = good;
	cfg.board.pages = NULL;
	assert_refused(HV_ERR_INVALID);
}

/* ---- how it begins ---- */

static void pc_x86_boot__each_kind_of_kernel__has_its_protocols_registers(void **state)
{
	static const struct {
		enum hv_load_kind kind;
		uint64_t rax, rbx, rsi;
	} rows[] = {
		{HV_LOAD_BZIMAGE, 0, 0, 0x8000},
		{HV_LOAD_PVH, 0, 0x8000, 0},
		{HV_LOAD_MULTIBOOT, 0x2badb002, 0x8000, 0},
		{HV_LOAD_ELF64, 0, 0x8000, 0},
		{HV_LOAD_FLAT, 0, 0x8000, 0},
	};

	(void)state;
	create(1);
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows) * 2; i++) {
		const struct x86_boot *boot = &virt->vcpu[0]->boot;
		struct hv_load_plan plan = {.kind = rows[i / 2].kind,
			.entry = GPA(0x100200),
			.info = GPA(0x8000),
			.gdt = GPA(0x7000),
			.tables = GPA(i % 2 ? 0x9000 : 0)};

		pc_x86_boot(virt, &plan);
		assert_int_equal(boot->start, i % 2 ? X86_START_LONG : X86_START_PROT);
		assert_true(boot->rip == 0x100200);
		assert_true(boot->cr3 == plan.tables.v);
		assert_true(boot->gdt == 0x7000);
		assert_int_equal(boot->gdt_limit, HV_LOAD_GDT_SIZE - 1);
		assert_true(boot->rax == rows[i / 2].rax);
		assert_true(boot->rbx == rows[i / 2].rbx);
		assert_true(boot->rsi == rows[i / 2].rsi);
	}
}

/* ---- what firmware leaves ---- */

static void boot_multiboot(uint64_t segment_at)
{
	const struct hv_load_plan plan = {.kind = HV_LOAD_MULTIBOOT,
		.segment_count = 1,
		.segment = {{.to = GPA(segment_at), .mem_size = 16}}};

	create(1);
	memset(ram, 0x55, 0x1000);
	pc_x86_boot(virt, &plan);
}

/* Where a real-mode vector leads to. */
static uint64_t handler(unsigned vector)
{
	return hv_le16(ram + 4 * vector) + (uint64_t)(hv_le16(ram + 4 * vector + 2) << 4);
}

static void pc_x86_firmware__multiboot__its_vectors_return(void **state)
{
	static const uint8_t irq[] = {0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf};
	static const uint8_t slave[] = {0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf};

	(void)state;
	boot_multiboot(0x400);
	for (unsigned vector = 0; vector < 256; vector++) {
		if (vector >= 8 && vector < 16) {
			assert_memory_equal(ram + handler(vector), irq, sizeof(irq));
		} else if (vector >= 0x70 && vector < 0x78) {
			assert_memory_equal(ram + handler(vector), slave, sizeof(slave));
		} else {
			assert_int_equal(ram[handler(vector)], 0xcf);
		}
		assert_true(handler(vector) > HV_PC_ACPI && handler(vector) < HV_PC_RAM);
	}
	assert_int_equal(ram[0x400], 0x55);
}

static void pc_x86_firmware__segment_where_the_vectors_would_be__is_left(void **state)
{
	(void)state;
	boot_multiboot(0x3ff);
	for (unsigned i = 0; i < 0x400; i++) {
		assert_int_equal(ram[i], 0x55);
	}
}

static void pc_x86_firmware__multiboot__the_timer_ticks_at_18_2_hz_as_vector_8(void **state)
{
	(void)state;
	fake_port.now = 0;
	boot_multiboot(0x100000);
	assert_int_equal(in(PIC8259_MASTER + 1, 1), 0xf8);
	assert_int_equal(in(PIC8259_SLAVE + 1, 1), 0xff);
	(void)hv_vm_expire(virt->board.vm, 54000000);
	out(PIC8259_MASTER, 1, 0x0a); /* read IRR */
	assert_int_equal(in(PIC8259_MASTER, 1), 0);
	(void)hv_vm_expire(virt->board.vm, 56000000);
	assert_int_equal(in(PIC8259_MASTER, 1), 1);
	assert_int_equal(lapic_pending(lapic(0)), LAPIC_EXTERNAL);
	assert_int_equal(lapic_accept(lapic(0), LAPIC_EXTERNAL), 8);
}

static void pc_x86_firmware__other_kinds__find_nothing(void **state)
{
	const struct hv_load_plan plan = {.kind = HV_LOAD_PVH};

	(void)state;
	create(1);
	memset(ram, 0x55, 0x1000);
	pc_x86_boot(virt, &plan);
	assert_int_equal(ram[0], 0x55);
	(void)hv_vm_expire(virt->board.vm, 1000000000);
	assert_int_equal(lapic_pending(lapic(0)), LAPIC_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOARD_TESTS,
		board_test(pc_x86_uart__typed_byte__comes_as_irq_4_by_the_io_apic),
		board_test(pc_x86_uart__typed_byte__comes_as_irq_4_by_the_8259),
		board_test(pc_x86_pit__period__comes_on_pin_2_and_as_irq_0),
		board_test(pc_x86_cmos__update__comes_as_irq_8),
		board_test(pc_x86_cmos__power_on__has_the_boards_time_and_memory),
		board_test(pc_x86_ioapic__end_of_a_level_interrupt__is_told),
		board_test(pc_x86_cpus__ids_are_their_numbers),
		board_test(pc_x86_ipis__by_cpu_0__reach_the_one_they_name),
		board_test(pc_x86_sipi__of_a_cpu_that_is_off__starts_it),
		board_test(pc_x86_lapic_timer__armed__asks_for_a_look_at_the_time),
		board_test(pc_x86_s5__stops_the_machine),
		board_test(pc_x86_debug_exit__stops_the_machine),
		board_test(pc_x86_resets__each_way__reboot),
		board_test(pc_x86_8042__both_its_ports__are_one_device),
		board_test(h5_pc_x86__run_and_reset__devices_are_as_new),
		board_test(pc_x86_holes__just_outside_each_window__nobody_answers),
		board_test(pc_x86_ram__more_than_fits_below_3_gib__goes_on_at_4_gib),
		board_test(pc_x86_page_count__ram_in_two_pieces__counts_the_tables_of_both),
		board_test(pc_x86_create__acpi_tables__are_in_memory),
		board_test(pc_x86_create__a_part_says_no__its_status_and_nothing_is_left),
		board_test(pc_x86_boot__each_kind_of_kernel__has_its_protocols_registers),
		board_test(pc_x86_firmware__multiboot__its_vectors_return),
		board_test(pc_x86_firmware__segment_where_the_vectors_would_be__is_left),
		board_test(pc_x86_firmware__multiboot__the_timer_ticks_at_18_2_hz_as_vector_8),
		board_test(pc_x86_firmware__other_kinds__find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

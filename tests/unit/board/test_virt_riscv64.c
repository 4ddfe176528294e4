/* SPDX-License-Identifier: MIT */
/* The wiring, seen through the guest's own eyes: the bus, the nested tables and the interrupts. */
#include <unit.h>

#include <board/virt_riscv64.h>
#include <dev/aplic/aplic.h>
#include <dev/goldfish_rtc/goldfish_rtc.h>
#include <dev/ns16550/ns16550.h>
#include <dev/plic/plic.h>
#include <fake_rv64.h>

#define KIT_FN(name)   virt_rv64_##name
#define KIT_AT(name)   VIRT_RV64_##name
#define KIT_CFG        struct virt_rv64_cfg
#define KIT_BOARD      struct virt_rv64
#define KIT_UART_TX    NS16550_THR
#define KIT_ROOT_PAGES 7u
#define KIT_UART_BUS   HV_EXIT_MMIO
#define KIT_DEVICE     VIRT_RV64_UART
#define KIT_RAM_MIN    HV_PAGE_SIZE
#define KIT_RAM_MOST   (HV_BIT(VIRT_RV64_IA_BITS) - VIRT_RV64_RAM)
#define KIT_HAS_VIRTIO
#include "board_kit.h"

static struct rv64_caps caps;

static struct virt_rv64_cfg kit_cfg(struct board_cfg board)
{
	fake_rv64_reset();
	caps = (struct rv64_caps){
		.exts = rv64_isa_parse("rv64imafdch_sstc", 32),
		.gstage_levels = 3,
		.satp_levels = 3,
		.vmid_bits = 14,
		.pa_bits = 56,
		.time = true,
		.timebase = VIRT_RV64_TIMEBASE,
	};
	return (struct virt_rv64_cfg){.board = board, .caps = &caps};
}

/* Registers of hart h in S-mode. */
static uint64_t enable_of(uint32_t hart)
{
	return VIRT_RV64_PLIC + PLIC_ENABLE + PLIC_ENABLE_STRIDE * (2 * hart + 1);
}

static uint64_t claim_of(uint32_t hart)
{
	return VIRT_RV64_PLIC + PLIC_CONTEXT + PLIC_CONTEXT_STRIDE * (2 * hart + 1) + PLIC_CLAIM;
}

static void enable(uint32_t source, uint32_t hart)
{
	wr(VIRT_RV64_PLIC + PLIC_PRIORITY + 4 * source, 4, 1);
	wr(enable_of(hart), 4, 1u << source);
}

static bool is_raised(uint32_t hart)
{
	return virt->vcpu[hart]->lines >> RV64_VSEI & 1;
}

static void virt_rv64_create__plain__is_a_stopped_machine_with_one_hart(void **state)
{
	(void)state;
	create(1);
	assert_int_equal(virt->board.vm->state, HV_VM_STOPPED);
	assert_int_equal(virt->board.vm->id, 1);
	assert_int_equal(virt->board.vm->vcpu_count, 1);
	assert_ptr_equal(&virt->vcpu[0]->hv, virt->board.vm->vcpu[0]);
	assert_int_equal(virt->board.vm->pt.ia_bits, VIRT_RV64_IA_BITS);
	assert_int_equal(hv_ring_count(&virt->board.console.to_host), 0);
	assert_true(virt->vcpu[0]->sstc);
}

static void virt_rv64_holes__just_outside_each_device__nobody_answers(void **state)
{
	static const struct {
		uint64_t base, size;
	} window[] = {
		{VIRT_RV64_RTC, VIRT_RV64_RTC_SIZE},
		{VIRT_RV64_PLIC, VIRT_RV64_PLIC_SIZE},
		{VIRT_RV64_UART, VIRT_RV64_UART_SIZE},
		{VIRT_RV64_VIRTIO, (uint64_t)VIRT_RV64_VIRTIOS * VIRT_RV64_VIRTIO_SIZE},
	};
	uint64_t data = 0;

	(void)state;
	create(2);
	for (size_t i = 0; i < HV_ARRAY_COUNT(window); i++) {
		uint64_t end = window[i].base + window[i].size;

		(void)rd(window[i].base, 4);
		(void)rd(end - 4, 4);
		assert_int_equal(guest(window[i].base - 4, 4, false, &data), HV_FAULT);
		assert_int_equal(guest(end, 4, false, &data), HV_FAULT);
	}
}

static void virt_rv64_uart__typed_byte__raises_the_hart_that_enabled_source_10(void **state)
{
	(void)state;
	create(2);
	enable(VIRT_RV64_UART_IRQ, 1);
	wr(VIRT_RV64_UART + NS16550_IER, 1, 1);
	virt->board.vm->vcpu[0]->todo = virt->board.vm->vcpu[1]->todo = 0;
	assert_true(hv_ring_put(&virt->board.console.to_guest, 'x'));
	hv_bus_poll(&virt->board.vm->bus);
	assert_false(is_raised(0));
	assert_true(is_raised(1));
	assert_int_equal(todo_of(0), 0);
	assert_int_equal(todo_of(1), HV_TODO_IRQ);
	assert_int_equal(rd(claim_of(0), 4), 0);
	assert_int_equal(rd(claim_of(1), 4), VIRT_RV64_UART_IRQ);
	assert_false(is_raised(1));
	assert_int_equal(rd(VIRT_RV64_UART + NS16550_RBR, 1), 'x');
	wr(claim_of(1), 4, VIRT_RV64_UART_IRQ);
	assert_false(is_raised(1));
}

static void virt_rv64_rtc__alarm_comes__raises_source_11(void **state)
{
	const uint64_t then = EPOCH * S + 2 * S;

	(void)state;
	create(1);
	enable(VIRT_RV64_RTC_IRQ, 0);
	assert_int_equal(rd(VIRT_RV64_RTC + GOLDFISH_RTC_TIME_LOW, 4), (uint32_t)(EPOCH * S));
	assert_int_equal(rd(VIRT_RV64_RTC + GOLDFISH_RTC_TIME_HIGH, 4), EPOCH * S >> 32);
	wr(VIRT_RV64_RTC + GOLDFISH_RTC_IRQ_ENABLED, 4, 1);
	wr(VIRT_RV64_RTC + GOLDFISH_RTC_ALARM_HIGH, 4, then >> 32);
	wr(VIRT_RV64_RTC + GOLDFISH_RTC_ALARM_LOW, 4, (uint32_t)then);
	assert_true(hv_bus_due(&virt->board.vm->bus) == 2 * S);
	fake_port.now = 2 * S - 1;
	(void)hv_bus_expire(&virt->board.vm->bus, fake_port.now);
	assert_false(is_raised(0));
	fake_port.now = 2 * S;
	(void)hv_bus_expire(&virt->board.vm->bus, fake_port.now);
	assert_true(is_raised(0));
	assert_int_equal(rd(claim_of(0), 4), VIRT_RV64_RTC_IRQ);
}

static void virt_rv64_plic__several_harts__each_has_its_context_and_no_more(void **state)
{
	(void)state;
	create(3);
	for (uint32_t hart = 0; hart < 3; hart++) {
		wr(enable_of(hart), 4, 2u << hart);
		assert_int_equal(rd(enable_of(hart), 4), 2u << hart);
		assert_ptr_equal(&virt->vcpu[hart]->hv, virt->board.vm->vcpu[hart]);
	}
	wr(enable_of(3), 4, 2);
	assert_int_equal(rd(enable_of(3), 4), 0);
}

/* An APLIC instead: harts, a device's line, what is gone, memory. */
static void virt_rv64_aplic__in_the_plics_place__the_uart_reaches_the_hart_it_targets(void **state)
{
	uint64_t data = 0, uart = 4 * VIRT_RV64_UART_IRQ;
	uint64_t claim = VIRT_RV64_APLIC + APLIC_IDC + APLIC_IDC_STRIDE + APLIC_CLAIMI;

	(void)state;
	cfg.aplic = true;
	create(2);
	wr(VIRT_RV64_APLIC + APLIC_DOMAINCFG, 4, APLIC_DOMAINCFG_IE);
	wr(VIRT_RV64_APLIC + APLIC_IDC + APLIC_IDC_STRIDE + APLIC_IDELIVERY, 4, 1);
	wr(VIRT_RV64_APLIC + APLIC_SOURCECFG + uart, 4, APLIC_LEVEL1);
	wr(VIRT_RV64_APLIC + APLIC_TARGET + uart, 4, 1u << APLIC_TARGET_HART_SHIFT | 1);
	wr(VIRT_RV64_APLIC + APLIC_SETIENUM, 4, VIRT_RV64_UART_IRQ);
	assert_false(is_raised(1));
	wr(VIRT_RV64_UART + NS16550_IER, 1, NS16550_IER_TX);
	assert_true(is_raised(1));
	assert_false(is_raised(0));
	assert_int_equal(rd(claim, 4) >> APLIC_TOPI_SOURCE_SHIFT, VIRT_RV64_UART_IRQ);
	(void)rd(VIRT_RV64_UART + NS16550_IIR, 1);
	assert_false(is_raised(1));
	assert_int_equal(guest(VIRT_RV64_PLIC, 4, false, &data), HV_FAULT);
	assert_int_equal(guest(VIRT_RV64_APLIC + VIRT_RV64_APLIC_SIZE, 4, false, &data), HV_FAULT);
}

static void virt_rv64_aplic__arena_too_small_at_every_part__is_refused(void **state)
{
	size_t used;

	(void)state;
	cfg.aplic = true;
	cfg.board.cpus = HV_VCPUS;
	arena.size = virt_rv64_arena_size(&cfg);
	create(HV_VCPUS);
	used = arena.used;
	assert_int_equal(hv_vm_destroy(virt->board.vm), HV_OK);
	arena.used = 0;
	for (arena.size = 0; arena.size < used; arena.size += 64) {
		assert_refused(HV_ERR_NO_MEMORY);
	}
}

static void virt_rv64_harts__ids_are_their_numbers(void **state)
{
	(void)state;
	create(HV_VCPUS);
	for (uint16_t n = 0; n < HV_VCPUS; n++) {
		assert_int_equal(rv64_arch.hw_id(virt->board.vm->vcpu[n]), n);
	}
}

static void h5_virt_rv64__run_and_reset__devices_are_as_new(void **state)
{
	(void)state;
	create(1);
	enable(VIRT_RV64_UART_IRQ, 0);
	wr(VIRT_RV64_UART + NS16550_SCR, 1, 7);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(VIRT_RV64_RAM), 0), HV_OK);
	hv_vm_stop(virt->board.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_reset(virt->board.vm), HV_OK);
	assert_int_equal(rd(VIRT_RV64_UART + NS16550_SCR, 1), 0);
	assert_int_equal(rd(enable_of(0), 4), 0);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(VIRT_RV64_RAM), 0), HV_OK);
}

static void virt_rv64_create__a_part_says_no__its_status_and_nothing_is_left(void **state)
{
	struct virt_rv64_cfg good = cfg;

	(void)state;
	cfg.board.flash_hpa = HPA(RAM_HPA + RAM_SIZE - HV_PAGE_SIZE);
	assert_refused(HV_ERR_OVERLAP);
	cfg = good;
	cfg.board.ram_hpa = HPA(RAM_HPA + 1);
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	cfg.board.ram_host = NULL;
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	cfg.board.flash_host = NULL;
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	cfg.board.pages = NULL;
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	caps.pa_bits = 11;
	assert_refused(HV_ERR_INVALID);
}

static void p12_virt_rv64_ram__up_to_the_last_of_41_bits__has_a_place_in_the_root(void **state)
{
	(void)state;
	cfg.board.ram_hpa = HPA(HV_BIT(42));
	cfg.board.ram_size = HV_BIT(VIRT_RV64_IA_BITS) - VIRT_RV64_RAM;
	create(1);
	assert_true(is_mapped(HV_BIT(VIRT_RV64_IA_BITS) - 1));
	assert_false(is_mapped(HV_BIT(VIRT_RV64_IA_BITS)));
}

static void virt_rv64_page_count__host_memory_aligned_or_not__counts_its_tables(void **state)
{
	(void)state;
	cfg.board.flash_size = 0;
	cfg.board.ram_size = HV_GIB(3);
	assert_int_equal(virt_rv64_page_count(&cfg), 7); /* blocks of 1 GiB in the root */
	cfg.board.ram_size = HV_GIB(3) + HV_MIB(2);
	assert_int_equal(virt_rv64_page_count(&cfg), 7 + 1);
	cfg.board.ram_size = 1;
	assert_int_equal(virt_rv64_page_count(&cfg), 0);
}

static void p7_virt_rv64_create__id__is_the_vmid_and_bounded_by_it(void **state)
{
	(void)state;
	cfg.board.id = 1 << 14;
	assert_refused(HV_ERR_INVALID);
	cfg.board.id = (1 << 14) - 1;
	create(1);
	assert_int_equal(rv64_hgatp(&virt->board.vm->pt) >> 44 & 0x3fff, (1 << 14) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOARD_TESTS,
		board_test(virt_rv64_create__plain__is_a_stopped_machine_with_one_hart),
		board_test(virt_rv64_holes__just_outside_each_device__nobody_answers),
		board_test(virt_rv64_uart__typed_byte__raises_the_hart_that_enabled_source_10),
		board_test(virt_rv64_rtc__alarm_comes__raises_source_11),
		board_test(virt_rv64_plic__several_harts__each_has_its_context_and_no_more),
		board_test(
			virt_rv64_aplic__in_the_plics_place__the_uart_reaches_the_hart_it_targets),
		board_test(virt_rv64_aplic__arena_too_small_at_every_part__is_refused),
		board_test(virt_rv64_harts__ids_are_their_numbers),
		board_test(h5_virt_rv64__run_and_reset__devices_are_as_new),
		board_test(virt_rv64_create__a_part_says_no__its_status_and_nothing_is_left),
		board_test(p12_virt_rv64_ram__up_to_the_last_of_41_bits__has_a_place_in_the_root),
		board_test(virt_rv64_page_count__host_memory_aligned_or_not__counts_its_tables),
		board_test(p7_virt_rv64_create__id__is_the_vmid_and_bounded_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

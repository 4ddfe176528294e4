/* SPDX-License-Identifier: MIT */
/* The wiring, seen through the guest's own eyes: the bus, the nested tables and the interrupts. */
#include <unit.h>

#include <board/virt_aarch64.h>
#include <dev/pl011/pl011.h>
#include <dev/pl031/pl031.h>
#include <fake_a64.h>
#include <fake_gic.h>

#define KIT_FN(name)   virt_a64_##name
#define KIT_AT(name)   VIRT_A64_##name
#define KIT_CFG        struct virt_a64_cfg
#define KIT_BOARD      struct virt_a64
#define KIT_UART_TX    PL011_DR
#define KIT_ROOT_PAGES 16u
#define KIT_UART_BUS   HV_EXIT_MMIO
#define KIT_DEVICE     VIRT_A64_UART
#define KIT_RAM_MIN    HV_PAGE_SIZE
#define KIT_RAM_MOST   (HV_BIT(VIRT_A64_IA_BITS) - VIRT_A64_RAM)
#define KIT_HAS_VIRTIO
#include "board_kit.h"

#define GICD_CTLR      0x0000u
#define GICD_TYPER     0x0004u
#define GICD_ISENABLER 0x0100u
#define GICD_ISPENDR   0x0200u
#define GICD_IROUTER   0x6000u
#define GICR_TYPER     0x0008u
#define GICR_WAKER     0x0014u

static struct virt_a64_cfg kit_cfg(struct board_cfg board)
{
	fake_gic_reset();
	fake_a64_reset();
	return (struct virt_a64_cfg){.board = board, .gic = 3, .lr_count = 4, .pa_bits = 48};
}

/* Enables the distributor and one shared interrupt of it, routed to a vCPU. */
static void enable_spi(uint32_t intid, uint16_t cpu)
{
	for (uint16_t i = 0; i < virt->board.vm->vcpu_count; i++) {
		wr(VIRT_A64_GICR + (uint64_t)i * GICV3_GICR_SIZE + GICR_WAKER, 4, 0);
	}
	wr(VIRT_A64_GICD + GICD_CTLR, 4, 2);
	wr(VIRT_A64_GICD + 0x80 + intid / 32 * 4, 4, ~0u);
	wr(VIRT_A64_GICD + GICD_IROUTER + 8 * intid, 8, cpu);
	wr(VIRT_A64_GICD + GICD_ISENABLER + intid / 32 * 4, 4, 1u << intid % 32);
}

static bool is_pending(uint32_t intid)
{
	return rd(VIRT_A64_GICD + GICD_ISPENDR + intid / 32 * 4, 4) >> intid % 32 & 1;
}

static void virt_a64_create__plain__is_a_stopped_machine_with_one_vcpu(void **state)
{
	(void)state;
	create(1);
	assert_int_equal(virt->board.vm->state, HV_VM_STOPPED);
	assert_int_equal(virt->board.vm->id, 1);
	assert_int_equal(virt->board.vm->vcpu_count, 1);
	assert_ptr_equal(&virt->vcpu[0]->hv, virt->board.vm->vcpu[0]);
	assert_ptr_equal(virt->vcpu[0]->gic.vgic, virt->gic);
	assert_int_equal(virt->board.vm->pt.ia_bits, VIRT_A64_IA_BITS);
	assert_int_equal(hv_ring_count(&virt->board.console.to_host), 0);
}

static void virt_a64_holes__just_outside_each_device__nobody_answers(void **state)
{
	static const struct {
		uint64_t base, size;
	} window[] = {
		{VIRT_A64_GICR, 2 * GICV3_GICR_SIZE},
		{VIRT_A64_UART, VIRT_A64_UART_SIZE},
		{VIRT_A64_RTC, VIRT_A64_RTC_SIZE},
		{VIRT_A64_VIRTIO, 32 * 0x200},
	};
	uint64_t data = 0;

	(void)state;
	create(2);
	(void)rd(VIRT_A64_GICD, 4);
	assert_int_equal(guest(VIRT_A64_GICD + GICV3_GICD_SIZE, 4, false, &data), HV_FAULT);
	for (size_t i = 0; i < HV_ARRAY_COUNT(window); i++) {
		uint64_t end = window[i].base + window[i].size;

		(void)rd(window[i].base, 4);
		(void)rd(end - 4, 4);
		assert_int_equal(guest(window[i].base - 4, 4, false, &data), HV_FAULT);
		assert_int_equal(guest(end, 4, false, &data), HV_FAULT);
	}
}

static void virt_a64_uart__typed_byte__wakes_the_vcpu_that_spi_1_is_routed_to(void **state)
{
	(void)state;
	create(2);
	enable_spi(VIRT_A64_UART_INTID, 1);
	wr(VIRT_A64_UART + PL011_IMSC, 4, PL011_INT_RX);
	virt->board.vm->vcpu[0]->todo = virt->board.vm->vcpu[1]->todo = 0;
	assert_false(is_pending(VIRT_A64_UART_INTID));
	assert_true(hv_ring_put(&virt->board.console.to_guest, 'x'));
	hv_bus_poll(&virt->board.vm->bus);
	assert_true(is_pending(VIRT_A64_UART_INTID));
	assert_int_equal(todo_of(0), 0);
	assert_int_equal(todo_of(1), HV_TODO_IRQ);
	assert_int_equal(rd(VIRT_A64_UART + PL011_DR, 1), 'x');
	assert_false(is_pending(VIRT_A64_UART_INTID));
}

static void virt_a64_rtc__alarm_comes__wakes_the_vcpu_by_spi_2(void **state)
{
	(void)state;
	create(1);
	enable_spi(VIRT_A64_RTC_INTID, 0);
	assert_int_equal(rd(VIRT_A64_RTC + PL031_DR, 4), EPOCH);
	wr(VIRT_A64_RTC + PL031_IMSC, 4, 1);
	wr(VIRT_A64_RTC + PL031_MR, 4, EPOCH + 2);
	assert_true(hv_bus_due(&virt->board.vm->bus) == 2 * S);
	virt->board.vm->vcpu[0]->todo = 0;
	fake_port.now = 2 * S - 1;
	(void)hv_bus_expire(&virt->board.vm->bus, fake_port.now);
	assert_int_equal(todo_of(0), 0);
	fake_port.now = 2 * S;
	(void)hv_bus_expire(&virt->board.vm->bus, fake_port.now);
	assert_int_equal(todo_of(0), HV_TODO_IRQ);
	assert_true(is_pending(VIRT_A64_RTC_INTID));
	wr(VIRT_A64_RTC + PL031_ICR, 4, 1);
	assert_false(is_pending(VIRT_A64_RTC_INTID));
}

static void virt_a64_gic__several_vcpus__have_a_frame_each_and_the_last_says_so(void **state)
{
	(void)state;
	create(HV_VCPUS);
	assert_int_equal(rd(VIRT_A64_GICD + GICD_TYPER, 4) & 0x1f, VIRT_A64_SPIS / 32);
	for (uint64_t i = 0; i < HV_VCPUS; i++) {
		uint64_t typer = rd(VIRT_A64_GICR + i * GICV3_GICR_SIZE + GICR_TYPER, 8);

		assert_int_equal(typer >> 32, i); /* Aff0 = index */
		assert_int_equal(typer >> 8 & 0xffff, i);
		assert_int_equal(typer >> 4 & 1, i == HV_VCPUS - 1);
		assert_ptr_equal(&virt->vcpu[i]->hv, virt->board.vm->vcpu[i]);
		assert_int_equal(virt->vcpu[i]->gic.lr_count, 4);
	}
}

#define GICV_HPA 0x8040000u

static void virt_a64_gicv2__host_has_gicv__its_page_and_behind_it_dir(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	cfg.gic = 2;
	cfg.gicv = HPA(GICV_HPA);
	create(2);
	assert_int_equal(virt->vcpu[1]->gic.iface, GIC_IFACE_V2);
	assert_int_equal(virt->vcpu[1]->gic.lr_count, 4);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(VIRT_A64_GICC + 8), &pte, &level), HV_OK);
	assert_int_equal(pte.pa, GICV_HPA + 8);
	assert_int_equal(pte.type, HV_MEM_DEVICE);
	assert_int_equal(pte.prot, HV_PROT_R | HV_PROT_W);
	assert_false(is_mapped(VIRT_A64_GICC + GICV2_GICV_SIZE));
	assert_int_equal(rd(VIRT_A64_GICC + 0xfc, 4), 0);
	assert_int_equal(rd(VIRT_A64_GICC + 0x1000, 4), 0);
	assert_int_equal(rd(VIRT_A64_GICD + 0xfe8, 4), 0x2b);
}

static void virt_a64_gicv2__host_has_none__all_is_emulated(void **state)
{
	uint64_t data = 0;

	(void)state;
	cfg.gic = 2;
	cfg.lr_count = 0;
	create(2);
	assert_int_equal(virt->vcpu[1]->gic.iface, GIC_IFACE_V2_SOFT);
	assert_int_equal(virt->vcpu[1]->gic.lr_count, GIC_LRS);
	assert_false(is_mapped(VIRT_A64_GICC));
	assert_int_equal(rd(VIRT_A64_GICC + 0xfc, 4) & 0xfff, 0x43b);
	assert_int_equal(rd(VIRT_A64_GICD + GICD_TYPER, 4), 1u << 5 | VIRT_A64_SPIS / 32);
	assert_int_equal(guest(VIRT_A64_GICR, 4, false, &data), HV_FAULT); /* no redistributors */
}

static void h5_virt_a64__run_and_reset__devices_are_as_new(void **state)
{
	(void)state;
	create(1);
	enable_spi(VIRT_A64_UART_INTID, 0);
	wr(VIRT_A64_UART + PL011_IBRD, 4, 7);
	wr(VIRT_A64_RTC + PL031_LR, 4, 5);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(VIRT_A64_RAM), 0), HV_OK);
	hv_vm_stop(virt->board.vm, HV_STOP_OFF);
	assert_int_equal(hv_vm_reset(virt->board.vm), HV_OK);
	assert_int_equal(rd(VIRT_A64_UART + PL011_IBRD, 4), 0);
	assert_int_equal(rd(VIRT_A64_RTC + PL031_DR, 4), EPOCH);
	assert_int_equal(rd(VIRT_A64_GICD + GICD_ISENABLER + 4, 4), 0);
	assert_int_equal(hv_vm_start(virt->board.vm, GPA(VIRT_A64_RAM), 0), HV_OK);
}

static void virt_a64_create__a_part_says_no__its_status_and_nothing_is_left(void **state)
{
	struct virt_a64_cfg good = cfg;

	(void)state;
	cfg.lr_count = 0;
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	cfg.gic = 1;
	assert_refused(HV_ERR_INVALID);
	assert_int_equal(virt_a64_page_count(&cfg), 0);
	cfg.gic = 4;
	assert_refused(HV_ERR_INVALID);
	cfg = good;
	cfg.gic = 2;
	cfg.gicv = HPA(POOL_HPA); /* never the guest's */
	assert_refused(HV_ERR_DENIED);
	cfg = good;
	cfg.lr_count = GIC_LRS + 1;
	assert_refused(HV_ERR_INVALID);
	cfg = good;
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
	cfg.pa_bits = 31;
	assert_refused(HV_ERR_INVALID);
}

static void virt_a64_create__cpu_with_fewer_address_bits__narrows_the_guests(void **state)
{
	(void)state;
	cfg.pa_bits = 36;
	create(1);
	assert_int_equal(virt->board.vm->pt.ia_bits, 36);
	cfg.board.flash_size = 0;
	cfg.board.ram_size = HV_BIT(36);
	cfg.board.id = 2;
	assert_refused(HV_ERR_RANGE);
}

static void virt_a64_page_count__host_memory_aligned_or_not__counts_its_tables(void **state)
{
	(void)state;
	cfg.board.flash_size = 0;
	cfg.board.ram_size = HV_GIB(3);
	assert_int_equal(virt_a64_page_count(&cfg), 16); /* blocks of 1 GiB in the root */
	cfg.board.ram_size = HV_GIB(3) + HV_MIB(2);
	assert_int_equal(virt_a64_page_count(&cfg), 16 + 1);
	cfg.board.ram_size = HV_GIB(3) + HV_PAGE_SIZE;
	assert_int_equal(virt_a64_page_count(&cfg), 16 + 2);
	cfg.board.ram_size = HV_GIB(3);
	cfg.board.ram_hpa = HPA(RAM_HPA + HV_MIB(2));
	assert_int_equal(virt_a64_page_count(&cfg), 16 + 3);
	cfg.board.ram_hpa = HPA(RAM_HPA + HV_PAGE_SIZE);
	assert_int_equal(virt_a64_page_count(&cfg), 16 + 3 + 3 * 512);
	cfg.board.ram_size = 1;
	assert_int_equal(virt_a64_page_count(&cfg), 0);
}

static void p7_virt_a64_create__id_beyond_the_vmids__is_refused(void **state)
{
	static const uint16_t bad[] = {0x100, 0x101, 0x8001, 0xffff};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		cfg.board.id = bad[i];
		assert_refused(HV_ERR_INVALID);
	}
	cfg.board.id = 0xff;
	create(1);
	assert_int_equal(a64_vttbr(&virt->board.vm->pt) >> 48, 0xff);
}

/* Who had this VMID before left nothing in any TLB: the end of a VM empties it for its VMID. */
static void p7_virt_a64__more_vms_in_turn_than_vmids__each_ends_with_a_flush(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 256 + 3; n++) {
		unsigned flushes = fake_port.tlb_flushes;

		cfg.board.id = (uint16_t)(n % 256);
		arena.used = 0;
		create(1);
		assert_int_equal(a64_vttbr(&virt->board.vm->pt) >> 48, n % 256);
		assert_int_equal(hv_vm_destroy(virt->board.vm), HV_OK);
		assert_true(fake_port.tlb_flushes > flushes);
		assert_int_equal(pool.free_count, POOL_PAGES);
	}
}

static void p5_virt_a64_create__gicv_to_map_too__fails_clean_until_it_fits(void **state)
{
	(void)state;
	cfg.gic = 2;
	cfg.gicv = HPA(GICV_HPA);
	pool_of_k_pages();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOARD_TESTS,
		board_test(virt_a64_create__plain__is_a_stopped_machine_with_one_vcpu),
		board_test(virt_a64_holes__just_outside_each_device__nobody_answers),
		board_test(virt_a64_uart__typed_byte__wakes_the_vcpu_that_spi_1_is_routed_to),
		board_test(virt_a64_rtc__alarm_comes__wakes_the_vcpu_by_spi_2),
		board_test(virt_a64_gic__several_vcpus__have_a_frame_each_and_the_last_says_so),
		board_test(virt_a64_gicv2__host_has_gicv__its_page_and_behind_it_dir),
		board_test(virt_a64_gicv2__host_has_none__all_is_emulated),
		board_test(h5_virt_a64__run_and_reset__devices_are_as_new),
		board_test(virt_a64_create__a_part_says_no__its_status_and_nothing_is_left),
		board_test(virt_a64_create__cpu_with_fewer_address_bits__narrows_the_guests),
		board_test(virt_a64_page_count__host_memory_aligned_or_not__counts_its_tables),
		board_test(p7_virt_a64_create__id_beyond_the_vmids__is_refused),
		board_test(p7_virt_a64__more_vms_in_turn_than_vmids__each_ends_with_a_flush),
		board_test(p5_virt_a64_create__gicv_to_map_too__fails_clean_until_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The wiring, seen through the guest's own eyes: the bus, the nested tables and the interrupts. */
#include <unit.h>

#include <board/virt_aarch64.h>
#include <dev/pl011/pl011.h>
#include <dev/pl031/pl031.h>
#include <fake_a64.h>
#include <fake_gic.h>
#include <hv/bits.h>

#define RAM_SIZE   HV_MIB(4)
#define RAM_HPA    HV_GIB(5)
#define FLASH_SIZE (4 * HV_PAGE_SIZE)
#define FLASH_HPA  HV_GIB(9)
#define POOL_HPA   HV_GIB(2)
#define POOL_PAGES 64u
#define S          1000000000ull
#define EPOCH      1700000000u

#define GICD_CTLR      0x0000u
#define GICD_TYPER     0x0004u
#define GICD_ISENABLER 0x0100u
#define GICD_ISPENDR   0x0200u
#define GICD_IROUTER   0x6000u
#define GICR_TYPER     0x0008u
#define GICR_WAKER     0x0014u

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static _Alignas(4096) uint8_t flash[FLASH_SIZE];
static _Alignas(65536) uint8_t pool_memory[POOL_PAGES * HV_PAGE_SIZE];
static _Alignas(64) uint8_t arena_memory[HV_MIB(1)];
static struct hv_pages pool;
static struct hv_arena arena;
static struct virt_a64_cfg cfg;
static struct virt_a64 *virt;

static int board_setup(void **state)
{
	memset(flash, 0, sizeof(flash));
	memcpy(flash, "pfld", 4);
	hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), POOL_PAGES);
	arena = (struct hv_arena){.base = arena_memory, .size = sizeof(arena_memory)};
	cfg = (struct virt_a64_cfg){
		.board =
			{
				.id = 1,
				.cpus = 1,
				.ram_size = RAM_SIZE,
				.ram_hpa = HPA(RAM_HPA),
				.ram_host = ram,
				.flash_size = FLASH_SIZE,
				.flash_hpa = HPA(FLASH_HPA),
				.flash_host = flash,
				.epoch = EPOCH,
				.pages = &pool,
			},
		.gic = 3,
		.lr_count = 4,
		.pa_bits = 48,
	};
	virt = NULL;
	fake_gic_reset();
	fake_a64_reset();
	return unit_setup(state);
}

#define board_test(name) cmocka_unit_test_setup_teardown(name, board_setup, unit_teardown)

static void create(uint16_t cpus)
{
	cfg.board.cpus = cpus;
	assert_int_equal(virt_a64_create(&virt, &cfg, &arena), HV_OK);
}

/* An access by the guest: what its vCPU 0 would do. */
static enum hv_verdict guest(uint64_t addr, uint8_t size, bool write, uint64_t *data)
{
	struct hv_exit exit = {.kind = HV_EXIT_MMIO,
		.io = {.addr = addr,
			.access = {.data = write ? *data : 0, .size = size, .write = write}}};
	enum hv_verdict verdict = hv_exit_handle(virt->board.vm->vcpu[0], &exit);

	*data = exit.io.access.data;
	return verdict;
}

static uint64_t rd(uint64_t addr, uint8_t size)
{
	uint64_t data = 0;

	assert_int_equal(guest(addr, size, false, &data), HV_RESUME);
	return data;
}

static void wr(uint64_t addr, uint8_t size, uint64_t value)
{
	assert_int_equal(guest(addr, size, true, &value), HV_RESUME);
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

static uint32_t todo_of(uint16_t cpu)
{
	return virt->board.vm->vcpu[cpu]->todo;
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

/* The guest's memory fault at `addr`. */
static enum hv_verdict fault(uint64_t addr, uint8_t want)
{
	struct hv_exit exit = {.kind = HV_EXIT_MEM, .mem = {.addr = GPA(addr), .want = want}};

	return hv_exit_handle(virt->board.vm->vcpu[0], &exit);
}

static bool is_mapped(uint64_t addr)
{
	struct hv_pte pte;
	uint8_t level;

	return hv_pt_lookup(&virt->board.vm->pt, GPA(addr), &pte, &level) == HV_OK;
}

static void virt_a64_lazy_ram__each_block__is_mapped_at_its_first_access(void **state)
{
	(void)state;
	cfg.board.lazy_ram = true;
	create(1);
	assert_false(is_mapped(VIRT_A64_RAM));
	assert_int_equal(fault(VIRT_A64_RAM + 0x1234, HV_PROT_W), HV_RESUME);
	assert_true(is_mapped(VIRT_A64_RAM));
	assert_true(is_mapped(VIRT_A64_RAM + HV_MIB(2) - 1));
	assert_false(is_mapped(VIRT_A64_RAM + HV_MIB(2)));
	assert_int_equal(fault(VIRT_A64_RAM + RAM_SIZE - 1, HV_PROT_X), HV_RESUME);
	assert_true(is_mapped(VIRT_A64_RAM + RAM_SIZE - 1));
	assert_int_equal(fault(VIRT_A64_RAM + RAM_SIZE, HV_PROT_R), HV_FAULT);
}

static void virt_a64_memory__ram_and_flash__are_mapped_where_the_host_put_them(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	create(1);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(VIRT_A64_RAM + 0x1234), &pte, &level), HV_OK);
	assert_int_equal(pte.prot, HV_PROT_R | HV_PROT_W | HV_PROT_X);
	assert_true((pte.pa & ~(HV_PAGE_SIZE - 1)) == RAM_HPA + 0x1000);
	assert_false(is_mapped(VIRT_A64_FLASH)); /* until somebody looks */
	for (uint64_t off = 0; off < FLASH_SIZE; off += HV_PAGE_SIZE) {
		assert_int_equal(fault(VIRT_A64_FLASH + off, HV_PROT_R), HV_RESUME);
	}
	assert_int_equal(hv_pt_lookup(&virt->board.vm->pt,
				 GPA(VIRT_A64_FLASH + FLASH_SIZE - HV_PAGE_SIZE), &pte, &level),
		HV_OK);
	assert_int_equal(pte.prot, HV_PROT_R | HV_PROT_X);
	assert_true(pte.pa == FLASH_HPA + FLASH_SIZE - HV_PAGE_SIZE);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(VIRT_A64_FLASH + FLASH_SIZE), &pte, &level),
		HV_ERR_NOT_FOUND);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(VIRT_A64_RAM + RAM_SIZE), &pte, &level),
		HV_ERR_NOT_FOUND);
	assert_int_equal(hv_pt_lookup(&virt->board.vm->pt, GPA(VIRT_A64_UART), &pte, &level),
		HV_ERR_NOT_FOUND);
}

static void virt_a64_flash__written_by_the_guest__drops_it(void **state)
{
	uint64_t data = 0;

	(void)state;
	create(1);
	assert_int_equal(fault(VIRT_A64_FLASH + 0x55, HV_PROT_W), HV_FAULT);
	wr(VIRT_A64_FLASH + 0x55, 1, 0x98);
	wr(VIRT_A64_FLASH, 8, 0);
	assert_int_equal(guest(VIRT_A64_FLASH, 4, false, &data), HV_FAULT); /* memory answers */
	assert_memory_equal(flash, "pfld", 4);
	assert_int_equal(flash[0x55], 0);
}

static void virt_a64_flash__beyond_the_image__is_erased_to_the_end_of_its_window(void **state)
{
	uint64_t data = 0;

	(void)state;
	create(1);
	assert_int_equal(rd(VIRT_A64_FLASH + FLASH_SIZE, 2), 0xffff);
	assert_int_equal(rd(VIRT_A64_FLASH + VIRT_A64_FLASH_MAX - 4, 4), 0xffffffff);
	assert_int_equal(guest(VIRT_A64_FLASH - 4, 4, false, &data), HV_FAULT);
}

static void virt_a64_flash__none__nobody_answers(void **state)
{
	uint64_t data = 0;

	(void)state;
	cfg.board.flash_size = 0;
	cfg.board.flash_host = NULL;
	create(1);
	assert_int_equal(guest(VIRT_A64_FLASH, 4, false, &data), HV_FAULT);
	assert_int_equal(virt->board.vm->gmem.count, 1);
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

static void virt_a64_virtio__probed_without_a_device_tree__finds_empty_slots(void **state)
{
	(void)state;
	create(1);
	for (uint64_t n = 0; n < VIRT_A64_VIRTIOS; n++) {
		assert_int_equal(rd(VIRT_A64_VIRTIO + n * 0x200, 4), 0x74726976);
		assert_int_equal(rd(VIRT_A64_VIRTIO + n * 0x200 + 8, 4), 0);
	}
}

static void virt_a64_uart__guest_writes__reaches_the_console_channel(void **state)
{
	uint8_t byte = 0;

	(void)state;
	create(1);
	wr(VIRT_A64_UART + PL011_DR, 1, 'D');
	assert_true(hv_ring_get(&virt->board.console.to_host, &byte));
	assert_int_equal(byte, 'D');
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

/* Nothing came of it, and nothing is missing (R4). */
static void assert_refused(enum hv_status status)
{
	uint32_t pages = pool.free_count;
	size_t used = arena.used;

	virt = (struct virt_a64 *)&cfg;
	assert_int_equal(virt_a64_create(&virt, &cfg, &arena), status);
	assert_null(virt);
	assert_int_equal(pool.free_count, pages);
	assert_int_equal(arena.used, used);
}

static void virt_a64_create__vcpu_count__either_side_of_its_bounds(void **state)
{
	(void)state;
	cfg.board.cpus = 0;
	assert_refused(HV_ERR_INVALID);
	cfg.board.cpus = HV_VCPUS + 1;
	assert_refused(HV_ERR_INVALID);
	create(1);
	cfg.board.id = 2;
	create(HV_VCPUS);
}

static void virt_a64_create__ram_size__either_side_of_its_bounds(void **state)
{
	const uint64_t most = HV_BIT(VIRT_A64_IA_BITS) - VIRT_A64_RAM;

	(void)state;
	cfg.board.ram_size = 0;
	assert_refused(HV_ERR_INVALID);
	cfg.board.ram_size = HV_PAGE_SIZE + 1;
	assert_refused(HV_ERR_INVALID);
	cfg.board.ram_size = most + HV_PAGE_SIZE;
	assert_refused(HV_ERR_INVALID);
	cfg.board.ram_size = UINT64_MAX & ~(HV_PAGE_SIZE - 1);
	assert_refused(HV_ERR_INVALID);
	cfg.board.ram_hpa = HPA(HV_BIT(41));
	cfg.board.ram_size = most;
	create(1);
	cfg.board.ram_hpa = HPA(RAM_HPA);
	cfg.board.ram_size = HV_PAGE_SIZE;
	cfg.board.id = 2;
	create(1);
}

static void virt_a64_create__flash_size__either_side_of_its_bounds(void **state)
{
	(void)state;
	cfg.board.flash_size = 1;
	assert_refused(HV_ERR_INVALID);
	cfg.board.flash_size = VIRT_A64_FLASH_MAX + HV_PAGE_SIZE;
	assert_refused(HV_ERR_INVALID);
	cfg.board.flash_size = VIRT_A64_FLASH_MAX;
	create(1);
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

static void p3_virt_a64_create__ram_holds_the_page_tables__is_refused(void **state)
{
	(void)state;
	cfg.board.ram_hpa = HPA(POOL_HPA - RAM_SIZE + HV_PAGE_SIZE);
	assert_refused(HV_ERR_DENIED);
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

static void pool_of_k_pages(void)
{
	uint32_t k = 0;
	enum hv_status status;

	do {
		hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), k);
		arena.used = 0;
		status = virt_a64_create(&virt, &cfg, &arena);
		if (status != HV_OK) {
			assert_int_equal(status, HV_ERR_NO_MEMORY);
			assert_null(virt);
			assert_int_equal(pool.free_count, k);
			assert_int_equal(arena.used, 0);
		}
		k++;
	} while (status != HV_OK && k <= POOL_PAGES);
	assert_int_equal(status, HV_OK);
	assert_true(k > 3);
	assert_true(k - 1 <= virt_a64_page_count(&cfg));
}

static void p5_virt_a64_create__pool_of_k_pages__fails_clean_until_it_fits(void **state)
{
	(void)state;
	pool_of_k_pages();
	cfg.gic = 2;
	cfg.gicv = HPA(GICV_HPA);
	pool_of_k_pages();
}

static void virt_a64_create__arena_of_k_bytes__fails_clean_until_it_fits(void **state)
{
	enum hv_status status = HV_ERR_NO_MEMORY;

	(void)state;
	cfg.board.cpus = 3;
	for (size_t k = 0; status != HV_OK; k += 64) {
		arena = (struct hv_arena){.base = arena_memory, .size = k};
		status = virt_a64_create(&virt, &cfg, &arena);
		if (status != HV_OK) {
			assert_true(k < virt_a64_arena_size(&cfg));
			assert_int_equal(status, HV_ERR_NO_MEMORY);
			assert_null(virt);
			assert_int_equal(pool.free_count, POOL_PAGES);
			assert_int_equal(arena.used, 0);
		}
	}
}

/* Every page of memory; RAM from its top, which is not how it would be mapped at once. */
static void touch_all(void)
{
	for (uint64_t off = 0; off < cfg.board.flash_size; off += HV_PAGE_SIZE) {
		assert_int_equal(fault(VIRT_A64_FLASH + off, HV_PROT_R), HV_RESUME);
	}
	for (uint64_t off = cfg.board.ram_size; off > 0; off -= HV_PAGE_SIZE) {
		assert_int_equal(fault(VIRT_A64_RAM + off - 1, HV_PROT_W), HV_RESUME);
	}
}

static void virt_a64_sizes__every_alignment_of_host_memory__are_enough(void **state)
{
	static const uint64_t skew[] = {0, HV_PAGE_SIZE, HV_MIB(2), HV_MIB(2) - HV_PAGE_SIZE};
	static const uint64_t size[] = {
		HV_PAGE_SIZE, HV_MIB(2), HV_MIB(2) + HV_PAGE_SIZE, HV_MIB(6) - HV_PAGE_SIZE};

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		cfg.board.ram_hpa = HPA(RAM_HPA + skew[i % 4]);
		cfg.board.ram_size = size[i / 4 % 4];
		hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), virt_a64_page_count(&cfg));
		arena.base = arena_memory + i; /* the promise includes the padding */
		arena.used = 0;
		arena.size = virt_a64_arena_size(&cfg);
		cfg.board.lazy_ram = i >= 16;
		create(1);
		assert_true(arena.size - arena.used < 512);
		touch_all();
		/* No more than the root's share is left over: the count is exact below it. */
		assert_true(pool.free_count < 16);
		assert_int_equal(hv_vm_destroy(virt->board.vm), HV_OK);
	}
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

static bool has_lock(uint64_t addr)
{
	return hv_bus_find(&virt->board.vm->bus, addr, 4)->lock != NULL;
}

static void virt_a64_unshared__one_vcpu__devices_have_no_lock(void **state)
{
	(void)state;
	cfg.board.unshared = true;
	create(1);
	assert_false(has_lock(VIRT_A64_UART));
	assert_false(has_lock(VIRT_A64_RTC));
}

static void virt_a64_unshared__two_vcpus__devices_are_locked_all_the_same(void **state)
{
	(void)state;
	cfg.board.unshared = true;
	create(2);
	assert_true(has_lock(VIRT_A64_UART));
	assert_true(has_lock(VIRT_A64_RTC));
}

static void virt_a64_shared__one_vcpu__devices_are_locked(void **state)
{
	(void)state;
	create(1);
	assert_true(has_lock(VIRT_A64_UART));
	assert_true(has_lock(VIRT_A64_RTC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		board_test(virt_a64_unshared__one_vcpu__devices_have_no_lock),
		board_test(virt_a64_unshared__two_vcpus__devices_are_locked_all_the_same),
		board_test(virt_a64_shared__one_vcpu__devices_are_locked),
		board_test(virt_a64_create__plain__is_a_stopped_machine_with_one_vcpu),
		board_test(virt_a64_memory__ram_and_flash__are_mapped_where_the_host_put_them),
		board_test(virt_a64_lazy_ram__each_block__is_mapped_at_its_first_access),
		board_test(virt_a64_flash__written_by_the_guest__drops_it),
		board_test(virt_a64_flash__beyond_the_image__is_erased_to_the_end_of_its_window),
		board_test(virt_a64_flash__none__nobody_answers),
		board_test(virt_a64_holes__just_outside_each_device__nobody_answers),
		board_test(virt_a64_virtio__probed_without_a_device_tree__finds_empty_slots),
		board_test(virt_a64_uart__guest_writes__reaches_the_console_channel),
		board_test(virt_a64_uart__typed_byte__wakes_the_vcpu_that_spi_1_is_routed_to),
		board_test(virt_a64_rtc__alarm_comes__wakes_the_vcpu_by_spi_2),
		board_test(virt_a64_gic__several_vcpus__have_a_frame_each_and_the_last_says_so),
		board_test(virt_a64_gicv2__host_has_gicv__its_page_and_behind_it_dir),
		board_test(virt_a64_gicv2__host_has_none__all_is_emulated),
		board_test(h5_virt_a64__run_and_reset__devices_are_as_new),
		board_test(virt_a64_create__vcpu_count__either_side_of_its_bounds),
		board_test(virt_a64_create__ram_size__either_side_of_its_bounds),
		board_test(virt_a64_create__flash_size__either_side_of_its_bounds),
		board_test(virt_a64_create__a_part_says_no__its_status_and_nothing_is_left),
		board_test(p3_virt_a64_create__ram_holds_the_page_tables__is_refused),
		board_test(virt_a64_create__cpu_with_fewer_address_bits__narrows_the_guests),
		board_test(p7_virt_a64_create__id_beyond_the_vmids__is_refused),
		board_test(p7_virt_a64__more_vms_in_turn_than_vmids__each_ends_with_a_flush),
		board_test(p5_virt_a64_create__pool_of_k_pages__fails_clean_until_it_fits),
		board_test(virt_a64_create__arena_of_k_bytes__fails_clean_until_it_fits),
		board_test(virt_a64_sizes__every_alignment_of_host_memory__are_enough),
		board_test(virt_a64_page_count__host_memory_aligned_or_not__counts_its_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

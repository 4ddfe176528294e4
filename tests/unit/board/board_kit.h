/* SPDX-License-Identifier: MIT */
/*
 * What every board must do, seen through the guest's own eyes. A board's test defines KIT_FN(name)
 * and KIT_AT(name), which make its functions and addresses of their names, KIT_ROOT_PAGES,
 * KIT_UART_TX, KIT_DEVICE, KIT_RAM_MIN, KIT_RAM_MOST, on which bus its UART and RTC are, and
 * kit_cfg(), then includes this, and adds its own.
 */
#ifndef BOARD_KIT_H
#define BOARD_KIT_H

#include <hv/bits.h>

#define RAM_SIZE   HV_MIB(4)
#define RAM_HPA    HV_GIB(5)
#define FLASH_SIZE (4 * HV_PAGE_SIZE)
#define FLASH_HPA  HV_GIB(9)
#define POOL_HPA   HV_GIB(2)
#define POOL_PAGES 64u
#define S          1000000000ull
#define EPOCH      1700000000u

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static _Alignas(4096) uint8_t flash[FLASH_SIZE];
static _Alignas(65536) uint8_t pool_memory[POOL_PAGES * HV_PAGE_SIZE];
static _Alignas(64) uint8_t arena_memory[HV_MIB(1)];
static struct hv_pages pool;
static struct hv_arena arena;
static KIT_CFG cfg;
static KIT_BOARD *virt;

static KIT_CFG kit_cfg(struct board_cfg board);

static int board_setup(void **state)
{
	memset(flash, 0, sizeof(flash));
	memcpy(flash, "pfld", 4);
	hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), POOL_PAGES);
	arena = (struct hv_arena){.base = arena_memory, .size = sizeof(arena_memory)};
	cfg = kit_cfg((struct board_cfg){
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
	});
	virt = NULL;
	return unit_setup(state);
}

#define board_test(name) cmocka_unit_test_setup_teardown(name, board_setup, unit_teardown)

static void create(uint16_t cpus)
{
	cfg.board.cpus = cpus;
	assert_int_equal(KIT_FN(create)(&virt, &cfg, &arena), HV_OK);
}

/* An access by the guest: what its vCPU 0 would do. */
static enum hv_verdict guest_on(
	enum hv_exit_kind bus, uint64_t addr, uint8_t size, bool write, uint64_t *data)
{
	struct hv_exit exit = {.kind = bus,
		.io = {.addr = addr,
			.access = {.data = write ? *data : 0, .size = size, .write = write}}};
	enum hv_verdict verdict = hv_exit_handle(virt->board.vm->vcpu[0], &exit);

	*data = exit.io.access.data;
	return verdict;
}

static enum hv_verdict guest(uint64_t addr, uint8_t size, bool write, uint64_t *data)
{
	return guest_on(HV_EXIT_MMIO, addr, size, write, data);
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

static uint32_t todo_of(uint16_t cpu)
{
	return virt->board.vm->vcpu[cpu]->todo;
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

static void board_lazy_ram__each_block__is_mapped_at_its_first_access(void **state)
{
	(void)state;
	cfg.board.lazy_ram = true;
	create(1);
	assert_false(is_mapped(KIT_AT(RAM)));
	assert_int_equal(fault(KIT_AT(RAM) + 0x1234, HV_PROT_W), HV_RESUME);
	assert_true(is_mapped(KIT_AT(RAM)));
	assert_true(is_mapped(KIT_AT(RAM) + HV_MIB(2) - 1));
	assert_false(is_mapped(KIT_AT(RAM) + HV_MIB(2)));
	assert_int_equal(fault(KIT_AT(RAM) + RAM_SIZE - 1, HV_PROT_X), HV_RESUME);
	assert_true(is_mapped(KIT_AT(RAM) + RAM_SIZE - 1));
	assert_int_equal(fault(KIT_AT(RAM) + RAM_SIZE, HV_PROT_R), HV_FAULT);
}

static void board_memory__ram_and_flash__are_mapped_where_the_host_put_them(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	create(1);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(KIT_AT(RAM) + 0x1234), &pte, &level), HV_OK);
	assert_int_equal(pte.prot, HV_PROT_R | HV_PROT_W | HV_PROT_X);
	assert_true((pte.pa & ~(HV_PAGE_SIZE - 1)) == RAM_HPA + 0x1000);
	assert_false(is_mapped(KIT_AT(FLASH))); /* until somebody looks */
	for (uint64_t off = 0; off < FLASH_SIZE; off += HV_PAGE_SIZE) {
		assert_int_equal(fault(KIT_AT(FLASH) + off, HV_PROT_R), HV_RESUME);
	}
	assert_int_equal(hv_pt_lookup(&virt->board.vm->pt,
				 GPA(KIT_AT(FLASH) + FLASH_SIZE - HV_PAGE_SIZE), &pte, &level),
		HV_OK);
	assert_int_equal(pte.prot, HV_PROT_R | HV_PROT_X);
	assert_true(pte.pa == FLASH_HPA + FLASH_SIZE - HV_PAGE_SIZE);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(KIT_AT(FLASH) + FLASH_SIZE), &pte, &level),
		HV_ERR_NOT_FOUND);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(KIT_AT(RAM) + RAM_SIZE), &pte, &level),
		HV_ERR_NOT_FOUND);
	assert_int_equal(
		hv_pt_lookup(&virt->board.vm->pt, GPA(KIT_DEVICE), &pte, &level), HV_ERR_NOT_FOUND);
}

static void board_flash__written_by_the_guest__drops_it(void **state)
{
	uint64_t data = 0;

	(void)state;
	create(1);
	assert_int_equal(fault(KIT_AT(FLASH) + 0x55, HV_PROT_W), HV_FAULT);
	wr(KIT_AT(FLASH) + 0x55, 1, 0x98);
	wr(KIT_AT(FLASH), 8, 0);
	assert_int_equal(guest(KIT_AT(FLASH), 4, false, &data), HV_FAULT); /* memory answers */
	assert_memory_equal(flash, "pfld", 4);
	assert_int_equal(flash[0x55], 0);
}

static void board_flash__beyond_the_image__is_erased_to_the_end_of_its_window(void **state)
{
	uint64_t data = 0;

	(void)state;
	create(1);
	assert_int_equal(rd(KIT_AT(FLASH) + FLASH_SIZE, 2), 0xffff);
	assert_int_equal(rd(KIT_AT(FLASH) + KIT_AT(FLASH_MAX) - 4, 4), 0xffffffff);
	assert_int_equal(guest(KIT_AT(FLASH) - 4, 4, false, &data), HV_FAULT);
}

static void board_flash__none__nobody_answers(void **state)
{
	uint64_t data = 0;

	(void)state;
	cfg.board.flash_size = 0;
	cfg.board.flash_host = NULL;
	create(1);
	assert_int_equal(guest(KIT_AT(FLASH), 4, false, &data), HV_FAULT);
	assert_int_equal(virt->board.vm->gmem.count, 1);
}

#ifdef KIT_HAS_VIRTIO
static void board_virtio__probed_without_a_device_tree__finds_empty_slots(void **state)
{
	(void)state;
	create(1);
	for (uint64_t n = 0; n < KIT_AT(VIRTIOS); n++) {
		assert_int_equal(rd(KIT_AT(VIRTIO) + n * KIT_AT(VIRTIO_SIZE), 4), 0x74726976);
		assert_int_equal(rd(KIT_AT(VIRTIO) + n * KIT_AT(VIRTIO_SIZE) + 8, 4), 0);
	}
}

#define KIT_VIRTIO_TESTS board_test(board_virtio__probed_without_a_device_tree__finds_empty_slots),
#else
#define KIT_VIRTIO_TESTS
#endif

static void board_uart__guest_writes__reaches_the_console_channel(void **state)
{
	uint64_t data = 'D';
	uint8_t byte = 0;

	(void)state;
	create(1);
	assert_int_equal(
		guest_on(KIT_UART_BUS, KIT_AT(UART) + KIT_UART_TX, 1, true, &data), HV_RESUME);
	assert_true(hv_ring_get(&virt->board.console.to_host, &byte));
	assert_int_equal(byte, 'D');
}

/* Nothing came of it, and nothing is missing (R4). */
static void assert_refused(enum hv_status status)
{
	uint32_t pages = pool.free_count;
	size_t used = arena.used;

	virt = (KIT_BOARD *)&cfg;
	assert_int_equal(KIT_FN(create)(&virt, &cfg, &arena), status);
	assert_null(virt);
	assert_int_equal(pool.free_count, pages);
	assert_int_equal(arena.used, used);
}

static void board_create__vcpu_count__either_side_of_its_bounds(void **state)
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

static void board_create__ram_size__either_side_of_its_bounds(void **state)
{
	const uint64_t most = KIT_RAM_MOST;

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
	cfg.board.ram_size = KIT_RAM_MIN;
	cfg.board.id = 2;
	create(1);
}

static void board_create__flash_size__either_side_of_its_bounds(void **state)
{
	(void)state;
	cfg.board.flash_size = 1;
	assert_refused(HV_ERR_INVALID);
	cfg.board.flash_size = KIT_AT(FLASH_MAX) + HV_PAGE_SIZE;
	assert_refused(HV_ERR_INVALID);
	cfg.board.flash_size = KIT_AT(FLASH_MAX);
	create(1);
}

static void p3_board_create__ram_holds_the_page_tables__is_refused(void **state)
{
	(void)state;
	cfg.board.ram_hpa = HPA(POOL_HPA - RAM_SIZE + HV_PAGE_SIZE);
	assert_refused(HV_ERR_DENIED);
}

static void pool_of_k_pages(void)
{
	uint32_t k = 0;
	enum hv_status status;

	do {
		hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), k);
		arena.used = 0;
		status = KIT_FN(create)(&virt, &cfg, &arena);
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
	assert_true(k - 1 <= KIT_FN(page_count)(&cfg));
}

static void p5_board_create__pool_of_k_pages__fails_clean_until_it_fits(void **state)
{
	(void)state;
	pool_of_k_pages();
}

static void board_create__arena_of_k_bytes__fails_clean_until_it_fits(void **state)
{
	enum hv_status status = HV_ERR_NO_MEMORY;

	(void)state;
	cfg.board.cpus = 3;
	for (size_t k = 0; status != HV_OK; k += 64) {
		arena = (struct hv_arena){.base = arena_memory, .size = k};
		status = KIT_FN(create)(&virt, &cfg, &arena);
		if (status != HV_OK) {
			assert_true(k < KIT_FN(arena_size)(&cfg));
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
		assert_int_equal(fault(KIT_AT(FLASH) + off, HV_PROT_R), HV_RESUME);
	}
	for (uint64_t off = cfg.board.ram_size; off > 0; off -= HV_PAGE_SIZE) {
		assert_int_equal(fault(KIT_AT(RAM) + off - 1, HV_PROT_W), HV_RESUME);
	}
}

static void board_sizes__every_alignment_of_host_memory__are_enough(void **state)
{
	static const uint64_t skew[] = {0, HV_PAGE_SIZE, HV_MIB(2), HV_MIB(2) - HV_PAGE_SIZE};
	static const uint64_t size[] = {
		KIT_RAM_MIN, HV_MIB(2), HV_MIB(2) + HV_PAGE_SIZE, HV_MIB(6) - HV_PAGE_SIZE};

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		cfg.board.ram_hpa = HPA(RAM_HPA + skew[i % 4]);
		cfg.board.ram_size = size[i / 4 % 4];
		hv_pages_init(&pool, pool_memory, HPA(POOL_HPA), KIT_FN(page_count)(&cfg));
		arena.base = arena_memory + i; /* the promise includes the padding */
		arena.used = 0;
		arena.size = KIT_FN(arena_size)(&cfg);
		cfg.board.lazy_ram = i >= 16;
		create(1);
		assert_true(arena.size - arena.used < 512);
		touch_all();
		/* No more than the root's share is left over: the count is exact below it. */
		assert_true(pool.free_count < KIT_ROOT_PAGES);
		assert_int_equal(hv_vm_destroy(virt->board.vm), HV_OK);
	}
}

static bool has_lock(uint64_t addr)
{
	struct hv_vm *vm = virt->board.vm;

	return hv_bus_find(KIT_UART_BUS == HV_EXIT_PIO ? &vm->pio : &vm->bus, addr, 1)->lock !=
	       NULL;
}

static void board_unshared__one_vcpu__devices_have_no_lock(void **state)
{
	(void)state;
	cfg.board.unshared = true;
	create(1);
	assert_false(has_lock(KIT_AT(UART)));
	assert_false(has_lock(KIT_AT(RTC)));
}

static void board_unshared__two_vcpus__devices_are_locked_all_the_same(void **state)
{
	(void)state;
	cfg.board.unshared = true;
	create(2);
	assert_true(has_lock(KIT_AT(UART)));
	assert_true(has_lock(KIT_AT(RTC)));
}

static void board_shared__one_vcpu__devices_are_locked(void **state)
{
	(void)state;
	create(1);
	assert_true(has_lock(KIT_AT(UART)));
	assert_true(has_lock(KIT_AT(RTC)));
}

#define BOARD_TESTS                                                                                \
	board_test(board_lazy_ram__each_block__is_mapped_at_its_first_access),                     \
		board_test(board_memory__ram_and_flash__are_mapped_where_the_host_put_them),       \
		board_test(board_flash__written_by_the_guest__drops_it),                           \
		board_test(board_flash__beyond_the_image__is_erased_to_the_end_of_its_window),     \
		board_test(board_flash__none__nobody_answers),                                     \
		KIT_VIRTIO_TESTS board_test(                                                       \
			board_uart__guest_writes__reaches_the_console_channel),                    \
		board_test(board_create__vcpu_count__either_side_of_its_bounds),                   \
		board_test(board_create__ram_size__either_side_of_its_bounds),                     \
		board_test(board_create__flash_size__either_side_of_its_bounds),                   \
		board_test(p3_board_create__ram_holds_the_page_tables__is_refused),                \
		board_test(p5_board_create__pool_of_k_pages__fails_clean_until_it_fits),           \
		board_test(board_create__arena_of_k_bytes__fails_clean_until_it_fits),             \
		board_test(board_sizes__every_alignment_of_host_memory__are_enough),               \
		board_test(board_unshared__one_vcpu__devices_have_no_lock),                        \
		board_test(board_unshared__two_vcpus__devices_are_locked_all_the_same),            \
		board_test(board_shared__one_vcpu__devices_are_locked)

#endif

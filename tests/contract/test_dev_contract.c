/* SPDX-License-Identifier: MIT */
/*
 * What hv/dev.h asks of every device, in one list of checks that runs against each of them. A new
 * device adds a row to `devices`.
 */
#include <unit.h>

#include <dev/acpi_pm/acpi_pm.h>
#include <dev/aplic/aplic.h>
#include <dev/cmos/cmos.h>
#include <dev/fw_cfg/fw_cfg.h>
#include <dev/gic/gic.h>
#include <dev/goldfish_rtc/goldfish_rtc.h>
#include <dev/ioapic/ioapic.h>
#include <dev/lapic/lapic.h>
#include <dev/ns16550/ns16550.h>
#include <dev/pc_reset/pc_reset.h>
#include <dev/pflash/pflash.h>
#include <dev/pic8259/pic8259.h>
#include <dev/pit8254/pit8254.h>
#include <dev/pl011/pl011.h>
#include <dev/pl031/pl031.h>
#include <dev/plic/plic.h>
#include <dev/virtio/virtio.h>
#include <hv/bits.h>

#define GUARD  0xc5
#define LINES  64u
#define LINE   33u /* the one that a device with a line is wired to */
#define MEMORY 65536u
#define CPUS   2u

/* A device's memory, between bytes that nobody may touch, and what it is wired to. */
struct bench {
	uint8_t before[64];
	_Alignas(64) uint8_t memory[MEMORY];
	uint8_t after[64];
	struct hv_chan chan;
	struct gicv3_cpu cpu[CPUS];
	void *dev; /* in memory */
};

struct row {
	const struct hv_dev_ops *ops;
	uint64_t from, window; /* where and how many bytes of its region are tried */
	bool has_line;
	void (*init)(struct bench *bench);
	size_t (*size)(void); /* how much of the memory is its own */
};

static const struct row *row; /* that a check runs against */
static struct bench bench, twin;
static bool line[LINES];
static uint64_t seed, now;

static void on_line(void *ctl, uint32_t n, bool level)
{
	(void)ctl;
	assert_true(n < LINES);
	line[n] = level;
}

static const struct hv_irq pin = {on_line, NULL, LINE};

static size_t size_pl011(void)
{
	return sizeof(struct pl011);
}

static void init_pl011(struct bench *b)
{
	pl011_init(b->dev, &b->chan, pin);
}

static size_t size_ns16550(void)
{
	return sizeof(struct ns16550);
}

static void init_ns16550(struct bench *b)
{
	ns16550_init(b->dev, &b->chan, pin);
}

static size_t size_pl031(void)
{
	return sizeof(struct pl031);
}

static void init_pl031(struct bench *b)
{
	pl031_init(b->dev, 1000, pin);
}

static size_t size_goldfish_rtc(void)
{
	return sizeof(struct goldfish_rtc);
}

static void init_goldfish_rtc(struct bench *b)
{
	goldfish_rtc_init(b->dev, 1000, pin);
}

static size_t size_pflash(void)
{
	return sizeof(struct pflash);
}

static void init_pflash(struct bench *b)
{
	pflash_init(b->dev, 0x800);
}

static size_t size_virtio_empty(void)
{
	return 0;
}

static void init_virtio_empty(struct bench *b)
{
	(void)b;
}

static struct vgic_cfg gic_cfg = {.spis = 64};

static size_t size_gic(void)
{
	return vgic_arena_size(&gic_cfg);
}

static void on_notify(void *ctx)
{
	(void)ctx;
}

static void init_gic_as(struct bench *b, enum gic_iface iface)
{
	struct hv_arena arena = {.base = b->memory, .size = size_gic()};
	struct vgic *gic;

	gic_cfg.iface = iface;
	assert_int_equal(vgic_create(&gic, &gic_cfg, &arena), HV_OK);
	b->dev = gic;
	for (uint16_t i = 0; i < CPUS; i++) {
		const struct vgic_cpu_cfg cpu = {
			.index = i, .affinity = i, .lr_count = 4, .notify = on_notify};

		assert_int_equal(vgic_add_cpu(gic, &b->cpu[i], &cpu), HV_OK);
	}
}

static void init_gicv3(struct bench *b)
{
	init_gic_as(b, GIC_IFACE_V3);
}

static void init_gicv2(struct bench *b)
{
	init_gic_as(b, GIC_IFACE_V2_SOFT);
}

static const struct plic_cfg plic_cfg = {.sources = 96, .harts = CPUS};

static size_t size_plic(void)
{
	return plic_arena_size(&plic_cfg);
}

static void init_plic(struct bench *b)
{
	struct hv_arena arena = {.base = b->memory, .size = size_plic()};
	struct plic *plic;

	assert_int_equal(plic_create(&plic, &plic_cfg, &arena), HV_OK);
	b->dev = plic;
}

static const struct aplic_cfg aplic_cfg = {.sources = 96, .harts = CPUS};

static size_t size_aplic(void)
{
	return aplic_arena_size(&aplic_cfg);
}

static void init_aplic(struct bench *b)
{
	struct hv_arena arena = {.base = b->memory, .size = size_aplic()};
	struct aplic *aplic;

	assert_int_equal(aplic_create(&aplic, &aplic_cfg, &arena), HV_OK);
	b->dev = aplic;
}

static size_t size_acpi_pm(void)
{
	return sizeof(struct acpi_pm);
}

static void init_acpi_pm(struct bench *b)
{
	acpi_pm_init(b->dev, pin);
}

static size_t size_pc_reset(void)
{
	return sizeof(struct pc_reset);
}

static void init_pc_reset(struct bench *b)
{
	pc_reset_init(b->dev, pin, pin);
}

static size_t size_fw_cfg(void)
{
	return sizeof(struct fw_cfg);
}

static void init_fw_cfg(struct bench *b)
{
	fw_cfg_init(b->dev, 0x10000000, 2);
}

static size_t size_cmos(void)
{
	return sizeof(struct cmos);
}

static void init_cmos(struct bench *b)
{
	cmos_init(b->dev, 1000, 0x10000000, pin);
}

static size_t size_lapics(void)
{
	return sizeof(struct lapics);
}

static void on_signal(void *ctx, enum lapic_signal signal, uint8_t vector)
{
	(void)ctx;
	(void)signal;
	(void)vector;
}

static void on_eoi(void *ctx, uint8_t vector)
{
	(void)ctx;
	(void)vector;
}

static void init_lapics(struct bench *b)
{
	static const struct lapic_ops ops = {on_notify, on_notify, on_notify, on_signal};
	const struct lapics_cfg cfg = {
		.cpus = CPUS, .pa_bits = 40, .tsc_hz = 1000000000, .ops = &ops, .eoi = on_eoi};

	lapics_init(b->dev, &cfg);
}

static size_t size_ioapic(void)
{
	return sizeof(struct ioapic);
}

static bool on_deliver(void *lapics, uint32_t address, uint32_t data)
{
	(void)lapics;
	(void)address;
	(void)data;
	return true;
}

static void init_ioapic(struct bench *b)
{
	const struct ioapic_cfg cfg = {.version = 0x20, .deliver = on_deliver};

	ioapic_init(b->dev, &cfg);
}

static size_t size_pic8259(void)
{
	return sizeof(struct pic8259);
}

static void init_pic8259(struct bench *b)
{
	pic8259_init(b->dev, pin);
}

static size_t size_pit8254(void)
{
	return sizeof(struct pit8254);
}

static void init_pit8254(struct bench *b)
{
	pit8254_init(b->dev, pin);
}

static const struct row devices[] = {
	{&pl011_ops, 0, 0x1000, true, init_pl011, size_pl011},
	{&ns16550_ops, 0, 0x100, true, init_ns16550, size_ns16550},
	{&pl031_ops, 0, 0x1000, true, init_pl031, size_pl031},
	{&goldfish_rtc_ops, 0, 0x1000, true, init_goldfish_rtc, size_goldfish_rtc},
	{&pflash_ops, 0, 0x1000, false, init_pflash, size_pflash},
	{&virtio_empty_ops, 0, 0x4000, false, init_virtio_empty, size_virtio_empty},
	{&gicv3_dist_ops, 0, GICV3_GICD_SIZE, false, init_gicv3, size_gic},
	{&gicv3_redist_ops, 0, GICV3_GICR_SIZE + 0x1000, false, init_gicv3, size_gic},
	{&gicv2_dist_ops, 0, GICV2_GICD_SIZE, false, init_gicv2, size_gic},
	{&gicv2_cpuif_ops, 0, GICV2_GICC_SIZE, false, init_gicv2, size_gic},
	{&plic_ops, 0, PLIC_ENABLE + 0x1000, false, init_plic, size_plic},
	{&plic_ops, PLIC_CONTEXT, 6 * PLIC_CONTEXT_STRIDE, false, init_plic, size_plic},
	{&aplic_ops, 0, APLIC_SIZE, false, init_aplic, size_aplic},
	{&acpi_pm_ops, 0, ACPI_PM_SIZE, true, init_acpi_pm, size_acpi_pm},
	{&pc_reset_data_ops, 0, 1, true, init_pc_reset, size_pc_reset},
	{&pc_reset_command_ops, 0, 1, true, init_pc_reset, size_pc_reset},
	{&pc_reset_port_a_ops, 0, 1, true, init_pc_reset, size_pc_reset},
	{&pc_reset_exit_ops, 0, PC_RESET_EXIT_SIZE, true, init_pc_reset, size_pc_reset},
	{&pc_reset_pci_ops, 0, PC_RESET_PCI_SIZE, true, init_pc_reset, size_pc_reset},
	{&fw_cfg_ops, 0, FW_CFG_PORT_SIZE, false, init_fw_cfg, size_fw_cfg},
	{&cmos_ops, 0, 2, true, init_cmos, size_cmos},
	{&lapics_ops, 0, LAPIC_SIZE, false, init_lapics, size_lapics},
	{&ioapic_ops, 0, 0x100, false, init_ioapic, size_ioapic},
	{&pic8259_master_ops, 0, PIC8259_PORT_SIZE, true, init_pic8259, size_pic8259},
	{&pic8259_slave_ops, 0, PIC8259_PORT_SIZE, true, init_pic8259, size_pic8259},
	{&pic8259_elcr_ops, 0, PIC8259_PORT_SIZE, true, init_pic8259, size_pic8259},
	{&pit8254_ops, 0, PIT8254_PORT_SIZE, true, init_pit8254, size_pit8254},
	{&pit8254_gate_ops, 0, 1, true, init_pit8254, size_pit8254},
};

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t mask_of(uint8_t size)
{
	return size == 8 ? UINT64_MAX : HV_BIT(8 * size) - 1;
}

/* One access as the bus would do it; checks what holds for all of them. */
static uint64_t touch(struct bench *b, uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {
		.off = row->from + off,
		.data = data & mask_of(size),
		.now = now,
		.size = size,
		.write = write,
	};

	if (!row->ops->access(b->dev, &access)) {
		return 0;
	}
	assert_int_equal(access.data & ~mask_of(size), 0);
	if (write && row->ops->expire) {
		(void)row->ops->expire(b->dev, now);
	}
	return access.data;
}

static void for_each_access(void (*visit)(uint64_t off, uint8_t size))
{
	for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2)) {
		for (uint64_t off = 0; off + size <= row->window; off++) {
			visit(off, size);
		}
	}
}

static void set_up(struct bench *b)
{
	memset(b->before, GUARD, sizeof(b->before));
	memset(b->memory, GUARD, sizeof(b->memory));
	memset(b->after, GUARD, sizeof(b->after));
	memset(b->memory, 0, row->size());
	b->chan = (struct hv_chan){0};
	memset(b->cpu, 0, sizeof(b->cpu));
	b->dev = b->memory;
	row->init(b);
}

static void start(const struct row *of)
{
	row = of;
	seed = 88172645463325252ull;
	now = 0;
	memset(line, true, sizeof(line));
	assert_true(row->size() <= MEMORY);
	assert_true(row->ops->name && row->ops->access && row->ops->reset);
	set_up(&bench);
}

static void write_patterns(uint64_t off, uint8_t size)
{
	static const uint64_t patterns[] = {0, UINT64_MAX, 0xa5a5a5a5a5a5a5a5ull};

	for (size_t i = 0; i < HV_ARRAY_COUNT(patterns); i++) {
		touch(&bench, off, size, true, patterns[i]);
	}
	touch(&bench, off, size, true, random_u64());
	touch(&bench, off, size, false, UINT64_MAX);
	now += 500000000;
}

static void assert_nothing_else_was_touched(void)
{
	for (size_t i = 0; i < sizeof(bench.before); i++) {
		assert_int_equal(bench.before[i], GUARD);
		assert_int_equal(bench.after[i], GUARD);
	}
	for (size_t i = row->size(); i < MEMORY; i++) {
		assert_int_equal(bench.memory[i], GUARD);
	}
}

static void check_every_offset_size_and_direction_stays_inside(void)
{
	for_each_access(write_patterns);
	assert_nothing_else_was_touched();
}

static void read_twice(uint64_t off, uint8_t size)
{
	uint64_t first = touch(&bench, off, size, false, 0x5555555555555555ull);

	assert_true(first == touch(&bench, off, size, false, 0xaaaaaaaaaaaaaaaaull));
}

static void assert_refused_or_unchanged(uint64_t off, uint8_t size)
{
	struct hv_access access = {
		.off = row->from + off, .data = 1, .now = now, .size = size, .write = true};

	if (!row->ops->access(bench.dev, &access)) {
		assert_memory_equal(twin.memory, bench.memory, MEMORY);
	}
	memcpy(twin.memory, bench.memory, row->size());
}

/* Refused: the bus answers with an error, and nothing has changed. */
static void check_refused_accesses_change_nothing(void)
{
	memcpy(twin.memory, bench.memory, MEMORY);
	for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2)) {
		for (uint64_t off = 0; off + size <= row->window; off += row->window / 1024 + 1) {
			assert_refused_or_unchanged(off, size);
		}
	}
}

/* With nothing going on outside, a read gives a defined value (R2), the same each time. */
static void check_reads_are_stable_and_change_nothing(void)
{
	memcpy(twin.memory, bench.memory, MEMORY);
	for_each_access(read_twice);
	assert_memory_equal(twin.memory, bench.memory, MEMORY);
}

static void check_init_and_reset_drive_every_line_low(void)
{
	assert_int_equal(line[LINE], !row->has_line);
	for_each_access(write_patterns);
	line[LINE] = true;
	row->ops->reset(bench.dev);
	assert_int_equal(line[LINE], !row->has_line);
}

/* After a reset the guest reads what it would read of a new device at the same time. */
static void check_reset_forgets_what_the_guest_wrote(void)
{
	for_each_access(write_patterns);
	row->ops->reset(bench.dev);
	set_up(&twin);
	for (uint64_t off = 0; off + 4 <= row->window; off += 4) {
		assert_int_equal(touch(&bench, off, 4, false, 0), touch(&twin, off, 4, false, 0));
	}
}

/* One that the window has room for. */
static uint8_t random_size(void)
{
	uint8_t size = (uint8_t)(1u << (random_u64() % 4));

	while (size > row->window) {
		size = (uint8_t)(size / 2);
	}
	return size;
}

/* R6: no hidden input. */
static void check_the_same_accesses_give_the_same_answers(void)
{
	set_up(&twin);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t size = random_size();
		uint64_t off = random_u64() % (row->window - size + 1);
		bool write = random_u64() & 1;
		uint64_t data = random_u64();
		uint64_t answer = touch(&bench, off, size, write, data);

		assert_true(answer == touch(&twin, off, size, write, data));
		now += random_u64() % 100000000;
	}
}

static void check_poll_and_expire_with_nothing_to_do_change_no_line(void)
{
	if (row->ops->poll) {
		row->ops->poll(bench.dev);
	}
	if (row->ops->expire) {
		uint64_t due = row->ops->expire(bench.dev, now);

		assert_true(due > now);
		assert_true(due == row->ops->expire(bench.dev, now));
	}
	for (unsigned i = 0; i < LINES; i++) {
		assert_int_equal(line[i], i != LINE || !row->has_line);
	}
}

static void run(void (*check)(void))
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(devices); i++) {
		start(&devices[i]);
		check();
	}
}

static void u1_dev__every_offset_size_and_direction__stays_inside(void **state)
{
	(void)state;
	run(check_every_offset_size_and_direction_stays_inside);
}

static void dev__reads_with_nothing_going_on__are_stable_and_change_nothing(void **state)
{
	(void)state;
	run(check_reads_are_stable_and_change_nothing);
}

static void dev__refused_accesses__change_nothing(void **state)
{
	(void)state;
	run(check_refused_accesses_change_nothing);
}

static void dev__init_and_reset__drive_every_line_low(void **state)
{
	(void)state;
	run(check_init_and_reset_drive_every_line_low);
}

static void dev__reset__forgets_what_the_guest_wrote(void **state)
{
	(void)state;
	run(check_reset_forgets_what_the_guest_wrote);
}

static void dev__same_accesses_twice__give_the_same_answers(void **state)
{
	(void)state;
	run(check_the_same_accesses_give_the_same_answers);
}

static void dev__poll_and_expire_with_nothing_to_do__change_no_line(void **state)
{
	(void)state;
	run(check_poll_and_expire_with_nothing_to_do_change_no_line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(u1_dev__every_offset_size_and_direction__stays_inside),
		hv_unit_test(dev__reads_with_nothing_going_on__are_stable_and_change_nothing),
		hv_unit_test(dev__refused_accesses__change_nothing),
		hv_unit_test(dev__init_and_reset__drive_every_line_low),
		hv_unit_test(dev__reset__forgets_what_the_guest_wrote),
		hv_unit_test(dev__same_accesses_twice__give_the_same_answers),
		hv_unit_test(dev__poll_and_expire_with_nothing_to_do__change_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

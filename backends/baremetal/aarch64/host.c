/* SPDX-License-Identifier: MIT */
/*
 * One walk over the tree; each node is offered to whoever reads its kind. Bindings: Devicetree
 * Specification 0.4 and Linux's arm,gic-v3, arm,gic, arm,pl011, arm,psci, arm,armv8-timer.
 */
#include "host.h"

#include <hv/bits.h>

#define DTB_TOTALSIZE 4u /* offset of that field in the header */

/* The GIC's three-cell interrupt specifier. */
#define GIC_CELLS           3u
#define GIC_CELL_PPI        1u
#define GIC_SPI_FIRST_INTID 32u
#define GIC_PPI_FIRST_INTID 16u

/* GICv2: ranges in "reg", and how much of each there must be (IHI 0048B, 2.3 and chapter 5). */
#define GICC 1u
#define GICH 2u
#define GICV 3u

#define GICC_SIZE (2 * HV_PAGE_SIZE) /* GICC_DIR is in the second page; GICV's is the same */
#define GICH_SIZE 0x200u

/* Places in the timer's "interrupts": secure, non-secure, virtual, hypervisor's. */
#define TIMER_VIRTUAL    2u
#define TIMER_HYPERVISOR 3u

/* What a reader works with: the node at hand, and what has been found so far. */
struct reader {
	struct host *host;
	const struct hv_fdt *fdt;
	const struct hv_fdt_node *node;
	struct hv_load_error *error;
	struct ranges used; /* taken out of host->ram at the end, when all RAM is known */
	bool in_reserved;   /* below /reserved-memory */
	bool in_cpus;       /* below /cpus */
};

static enum hv_status refuse(struct reader *reader, const char *field, const char *why)
{
	*reader->error = (struct hv_load_error){.input = "dtb",
		.field = field,
		.why = why,
		.offset = reader->node ? reader->node->at : 0};
	return HV_ERR_INVALID;
}

/* INTID of specifier `index` in the node's "interrupts". */
static enum hv_status interrupt(struct reader *reader, uint32_t index, uint32_t *intid)
{
	struct hv_blob value;
	uint64_t at = (uint64_t)index * GIC_CELLS * 4;
	const uint8_t *cell;

	if (!hv_fdt_prop(reader->fdt, reader->node, "interrupts", &value) ||
		value.size < at + (uint64_t)GIC_CELLS * 4) {
		return refuse(reader, "interrupts", "missing or too short");
	}
	cell = (const uint8_t *)value.data + at;
	*intid = hv_be32(cell + 4) +
		 (hv_be32(cell) == GIC_CELL_PPI ? GIC_PPI_FIRST_INTID : GIC_SPI_FIRST_INTID);
	return HV_OK;
}

static enum hv_status reg(struct reader *reader, uint32_t index, struct range *range)
{
	struct hv_fdt_range found;

	if (!reader->node->is_mapped ||
		hv_fdt_reg(reader->fdt, reader->node, index, &found) != HV_OK || found.size == 0) {
		return refuse(reader, "reg", "no range that the CPU sees");
	}
	*range = (struct range){.base = found.base, .size = found.size};
	return HV_OK;
}

/* ---- nodes that are known by "compatible"; the first enabled one of a kind counts ---- */

static enum hv_status read_uart(struct reader *reader)
{
	struct host *host = reader->host;
	enum hv_status status = interrupt(reader, 0, &host->uart_intid);

	return status == HV_OK ? reg(reader, 0, &host->uart) : status;
}

static enum hv_status read_gic_v3(struct reader *reader)
{
	struct host *host = reader->host;
	uint32_t regions = 1;
	enum hv_status status = reg(reader, 0, &host->gicd);

	if (hv_fdt_u32(reader->fdt, reader->node, "#redistributor-regions", &regions) ==
			HV_ERR_INVALID ||
		regions == 0 || regions > HOST_GICR_REGIONS) {
		return refuse(reader, "#redistributor-regions", "out of range");
	}
	for (uint32_t i = 0; i < regions && status == HV_OK; i++) {
		status = reg(reader, 1 + i, &host->gicr[i]);
	}
	host->gicr_count = regions;
	host->gic_version = 3;
	return status == HV_OK ? interrupt(reader, 0, &host->maintenance_intid) : status;
}

/* Of GICH and GICV, only a pair that is whole and can be mapped for a guest is of use. */
static enum hv_status read_gic_v2_virtual(struct reader *reader)
{
	struct host *host = reader->host;
	struct hv_fdt_range gich, gicv;

	if (hv_fdt_reg(reader->fdt, reader->node, GICH, &gich) != HV_OK ||
		hv_fdt_reg(reader->fdt, reader->node, GICV, &gicv) != HV_OK ||
		gich.size < GICH_SIZE || gicv.size < GICC_SIZE ||
		!hv_is_aligned(gicv.base, HV_PAGE_SIZE)) {
		return HV_OK;
	}
	host->gich = (struct range){.base = gich.base, .size = gich.size};
	host->gicv = (struct range){.base = gicv.base, .size = gicv.size};
	return interrupt(reader, 0, &host->maintenance_intid);
}

static enum hv_status read_gic_v2(struct reader *reader)
{
	struct host *host = reader->host;
	enum hv_status status = reg(reader, 0, &host->gicd);

	if (status == HV_OK) {
		status = reg(reader, GICC, &host->gicc);
	}
	if (status == HV_OK && host->gicc.size < GICC_SIZE) {
		return refuse(reader, "reg", "a GICv2 CPU interface without GICC_DIR");
	}
	host->gic_version = 2;
	return status == HV_OK ? read_gic_v2_virtual(reader) : status;
}

static enum hv_status read_timer(struct reader *reader)
{
	struct host *host = reader->host;
	enum hv_status status = interrupt(reader, TIMER_VIRTUAL, &host->vtimer_intid);

	return status == HV_OK ? interrupt(reader, TIMER_HYPERVISOR, &host->hyp_timer_intid)
			       : status;
}

static enum hv_status read_rtc(struct reader *reader)
{
	return reg(reader, 0, &reader->host->rtc);
}

enum kind { KIND_UART, KIND_GIC, KIND_TIMER, KIND_RTC, KINDS };

static const struct node_reader {
	const char *compatible;
	enum kind kind;
	enum hv_status (*read)(struct reader *reader);
} reader_of[] = {
	{"arm,pl011", KIND_UART, read_uart},
	{"arm,gic-v3", KIND_GIC, read_gic_v3},
	{"arm,gic-400", KIND_GIC, read_gic_v2},
	{"arm,cortex-a15-gic", KIND_GIC, read_gic_v2},
	{"arm,armv8-timer", KIND_TIMER, read_timer},
	{"arm,pl031", KIND_RTC, read_rtc},
};

/* What we cannot do without, as its absence is reported. */
static const char *const needed[KINDS] = {
	[KIND_UART] = "arm,pl011",
	[KIND_GIC] = "arm,gic-v3 or arm,gic-400",
	[KIND_TIMER] = "arm,armv8-timer",
};

/* Whether [at, end) begins with `text` and its NUL. */
static bool is_text(const char *at, const char *end, const char *text)
{
	while (at < end && *at == *text) {
		if (*at == '\0') {
			return true;
		}
		at++;
		text++;
	}
	return false;
}

static const struct node_reader *reader_for(const char *at, const char *end, const bool *found)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(reader_of); i++) {
		if (is_text(at, end, reader_of[i].compatible) && !found[reader_of[i].kind]) {
			return &reader_of[i];
		}
	}
	return NULL;
}

/* The first string of the list that somebody reads counts. */
static enum hv_status read_compatible(struct reader *reader, bool found[KINDS])
{
	const struct node_reader *of = NULL;
	const char *at, *end;
	struct hv_blob list;

	if (!hv_fdt_prop(reader->fdt, reader->node, "compatible", &list)) {
		return HV_OK;
	}
	at = list.data;
	for (end = at + list.size; at < end && !of; at++) {
		of = reader_for(at, end, found);
		while (at < end && *at) {
			at++;
		}
	}
	if (!of || !hv_fdt_is_enabled(reader->fdt, reader->node)) {
		return HV_OK;
	}
	found[of->kind] = true;
	return of->read(reader);
}

/* ---- nodes that are known by their name, all below the root ---- */

static bool has_name(const struct hv_fdt_node *node, const char *name)
{
	const char *at = node->name;

	while (*name && *at == *name) {
		at++;
		name++;
	}
	return *name == '\0' && (*at == '\0' || *at == '@');
}

static enum hv_status read_memory(struct reader *reader)
{
	struct ranges *ram = &reader->host->ram;
	struct hv_fdt_range range;

	if (!hv_fdt_is_enabled(reader->fdt, reader->node)) {
		return HV_OK;
	}
	for (uint32_t i = 0; hv_fdt_reg(reader->fdt, reader->node, i, &range) == HV_OK; i++) {
		/* Removed first, because a range may be named twice. */
		if (ranges_remove(ram, range.base, range.size) != HV_OK ||
			ranges_add(ram, range.base, range.size) != HV_OK) {
			return refuse(reader, "memory", "more ranges than we take");
		}
	}
	return HV_OK;
}

/* Where the boot loader put the initrd, which is our bundle. */
static void read_chosen(struct reader *reader)
{
	uint64_t start, end;

	if (hv_fdt_u64(reader->fdt, reader->node, "linux,initrd-start", &start) == HV_OK &&
		hv_fdt_u64(reader->fdt, reader->node, "linux,initrd-end", &end) == HV_OK &&
		start < end) {
		reader->host->initrd = (struct range){.base = start, .size = end - start};
	}
}

static void read_psci(struct reader *reader)
{
	if (hv_fdt_string(reader->fdt, reader->node, "method", &reader->host->psci_method) !=
		HV_OK) {
		reader->host->psci_method = NULL;
	}
}

/* Devicetree Specification 0.4, 3.8: its "reg" is one number of the parent's #address-cells. */
static enum hv_status read_cpu(struct reader *reader)
{
	struct host *host = reader->host;
	struct hv_fdt_range id;

	if (!has_name(reader->node, "cpu") || !hv_fdt_is_enabled(reader->fdt, reader->node)) {
		return HV_OK;
	}
	if (hv_fdt_reg(reader->fdt, reader->node, 0, &id) != HV_OK) {
		return refuse(reader, "reg", "no CPU's number");
	}
	if (host->cpu_count < HOST_CPUS) {
		host->cpu[host->cpu_count++] = id.base;
	}
	return HV_OK;
}

static enum hv_status read_named(struct reader *reader)
{
	reader->in_reserved = has_name(reader->node, "reserved-memory");
	reader->in_cpus = has_name(reader->node, "cpus");
	if (has_name(reader->node, "memory")) {
		return read_memory(reader);
	}
	if (has_name(reader->node, "chosen")) {
		read_chosen(reader);
	} else if (has_name(reader->node, "psci")) {
		read_psci(reader);
	}
	return HV_OK;
}

/* ---- memory that is in use ---- */

/* Widened to pages, since that is what memory is given out in. */
static bool use(struct reader *reader, uint64_t base, uint64_t size)
{
	uint64_t start = hv_align_down(base, HV_PAGE_SIZE), end;

	if (!hv_add_ok(base, size, &end) || !hv_add_ok(end, HV_PAGE_SIZE - 1, &end)) {
		return false;
	}
	return ranges_add(&reader->used, start, hv_align_down(end, HV_PAGE_SIZE) - start) == HV_OK;
}

static enum hv_status read_reserved(struct reader *reader)
{
	struct hv_fdt_range range;

	for (uint32_t i = 0; hv_fdt_reg(reader->fdt, reader->node, i, &range) == HV_OK; i++) {
		if (!use(reader, range.base, range.size)) {
			return refuse(reader, "reserved-memory", "wraps, or too many ranges");
		}
	}
	return HV_OK;
}

static enum hv_status drop_used(struct reader *reader, struct range image)
{
	struct host *host = reader->host;
	struct hv_fdt_range range;
	bool fine = use(reader, image.base, image.size) &&
		    use(reader, host->dtb.base, host->dtb.size) &&
		    use(reader, host->initrd.base, host->initrd.size);

	for (uint32_t i = 0; fine && hv_fdt_reserved(reader->fdt, i, &range); i++) {
		fine = use(reader, range.base, range.size);
	}
	for (uint32_t i = 0; fine && i < reader->used.count; i++) {
		fine = ranges_remove(&host->ram, reader->used.range[i].base,
			       reader->used.range[i].size) == HV_OK;
	}
	return fine ? HV_OK : refuse(reader, "memory reservation", "wraps, or too many ranges");
}

/* ---- all of it ---- */

static enum hv_status read_node(struct reader *reader, bool found[KINDS])
{
	enum hv_status status = HV_OK;

	if (reader->node->depth == 1) {
		status = read_named(reader);
	} else if (reader->in_reserved && reader->node->depth > 1) {
		return read_reserved(reader);
	} else if (reader->in_cpus && reader->node->depth == 2) {
		return read_cpu(reader);
	}
	return status == HV_OK ? read_compatible(reader, found) : status;
}

static enum hv_status read_all(struct reader *reader)
{
	bool found[KINDS] = {false};
	enum hv_status status = HV_OK;
	struct hv_fdt_node node;
	struct hv_fdt_walk walk;

	hv_fdt_walk_init(&walk, reader->fdt);
	reader->node = &node;
	while (status == HV_OK && hv_fdt_walk_next(&walk, &node)) {
		status = read_node(reader, found);
	}
	reader->node = NULL;
	for (unsigned kind = 0; kind < KINDS && status == HV_OK; kind++) {
		if (needed[kind] && !found[kind]) {
			status = refuse(reader, needed[kind], "no such node");
		}
	}
	if (status == HV_OK && reader->host->ram.count == 0) {
		status = refuse(reader, "memory", "no such node");
	}
	if (status == HV_OK && reader->host->initrd.size == 0) {
		status = refuse(reader, "linux,initrd-start", "no initrd, so no guests to run");
	}
	return status;
}

enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error)
{
	struct hv_blob blob = {.data = dtb, .size = hv_be32((const uint8_t *)dtb + DTB_TOTALSIZE)};
	struct hv_fdt fdt;
	struct reader reader = {.host = host, .fdt = &fdt, .error = error};
	enum hv_status status;

	*host = (struct host){.dtb = {.base = (uintptr_t)dtb, .size = blob.size}};
	status = hv_fdt_open(&fdt, blob, error);
	if (status != HV_OK) {
		error->input = "dtb";
		return status;
	}
	status = read_all(&reader);
	return status == HV_OK ? drop_used(&reader, image) : status;
}

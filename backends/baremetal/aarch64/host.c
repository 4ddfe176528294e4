/* SPDX-License-Identifier: MIT */
/* Bindings: Devicetree Specification 0.4 and Linux's arm,gic-v3, arm,pl011, arm,psci,
 * arm,armv8-timer. */
#include "host.h"

#include <hv/bits.h>

#define DTB_TOTALSIZE 4u /* offset of that field in the header */

/* The GIC's three-cell interrupt specifier. */
#define GIC_CELLS           3u
#define GIC_CELL_PPI        1u
#define GIC_SPI_FIRST_INTID 32u
#define GIC_PPI_FIRST_INTID 16u

/* Places in the timer's "interrupts": secure, non-secure, virtual, hypervisor's. */
#define TIMER_VIRTUAL    2u
#define TIMER_HYPERVISOR 3u

static enum hv_status refuse(
	struct hv_load_error *error, const char *field, const char *why, uint32_t offset)
{
	*error = (struct hv_load_error){
		.input = "dtb", .field = field, .why = why, .offset = offset};
	return HV_ERR_INVALID;
}

/* INTID of specifier `index` in a node's "interrupts". */
static enum hv_status interrupt(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	uint32_t index, uint32_t *intid, struct hv_load_error *error)
{
	struct hv_blob value;
	uint64_t at = (uint64_t)index * GIC_CELLS * 4;
	const uint8_t *cell;

	if (!hv_fdt_prop(fdt, node, "interrupts", &value) || value.size < at + GIC_CELLS * 4) {
		return refuse(error, "interrupts", "missing or too short", node->at);
	}
	cell = (const uint8_t *)value.data + at;
	*intid = hv_be32(cell + 4) +
		 (hv_be32(cell) == GIC_CELL_PPI ? GIC_PPI_FIRST_INTID : GIC_SPI_FIRST_INTID);
	return HV_OK;
}

static enum hv_status reg(const struct hv_fdt *fdt, const struct hv_fdt_node *node, uint32_t index,
	struct range *range, struct hv_load_error *error)
{
	struct hv_fdt_range found;

	if (!node->is_mapped || hv_fdt_reg(fdt, node, index, &found) != HV_OK || found.size == 0) {
		return refuse(error, "reg", "no range that the CPU sees", node->at);
	}
	*range = (struct range){.base = found.base, .size = found.size};
	return HV_OK;
}

static enum hv_status find(const struct hv_fdt *fdt, const char *compatible,
	struct hv_fdt_node *node, struct hv_load_error *error)
{
	struct hv_fdt_walk walk;

	hv_fdt_walk_init(&walk, fdt);
	while (hv_fdt_walk_to(&walk, "compatible", compatible, node)) {
		if (hv_fdt_is_enabled(fdt, node)) {
			return HV_OK;
		}
	}
	return refuse(error, compatible, "no such node", 0);
}

static enum hv_status read_uart(
	struct host *host, const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct hv_fdt_node node;
	enum hv_status status = find(fdt, "arm,pl011", &node, error);

	if (status == HV_OK) {
		status = interrupt(fdt, &node, 0, &host->uart_intid, error);
	}
	return status == HV_OK ? reg(fdt, &node, 0, &host->uart, error) : status;
}

static void read_psci(struct host *host, const struct hv_fdt *fdt)
{
	struct hv_fdt_node node;

	if (hv_fdt_find_path(fdt, "/psci", &node) != HV_OK ||
		hv_fdt_string(fdt, &node, "method", &host->psci_method) != HV_OK) {
		host->psci_method = NULL;
	}
}

static enum hv_status read_gic(
	struct host *host, const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct hv_fdt_node node;
	uint32_t regions = 1;
	enum hv_status status = find(fdt, "arm,gic-v3", &node, error);

	if (status != HV_OK) {
		return status;
	}
	if (hv_fdt_u32(fdt, &node, "#redistributor-regions", &regions) == HV_ERR_INVALID ||
		regions == 0 || regions > HOST_GICR_REGIONS) {
		return refuse(error, "#redistributor-regions", "out of range", node.at);
	}
	status = reg(fdt, &node, 0, &host->gicd, error);
	for (uint32_t i = 0; i < regions && status == HV_OK; i++) {
		status = reg(fdt, &node, 1 + i, &host->gicr[i], error);
	}
	host->gicr_count = regions;
	return status == HV_OK ? interrupt(fdt, &node, 0, &host->maintenance_intid, error) : status;
}

static enum hv_status read_timer(
	struct host *host, const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct hv_fdt_node node;
	enum hv_status status = find(fdt, "arm,armv8-timer", &node, error);

	if (status == HV_OK) {
		status = interrupt(fdt, &node, TIMER_VIRTUAL, &host->vtimer_intid, error);
	}
	return status == HV_OK
		       ? interrupt(fdt, &node, TIMER_HYPERVISOR, &host->hyp_timer_intid, error)
		       : status;
}

static enum hv_status add_memory(
	struct host *host, const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct hv_fdt_walk walk;
	struct hv_fdt_node node;
	struct hv_fdt_range range;

	hv_fdt_walk_init(&walk, fdt);
	while (hv_fdt_walk_to(&walk, "device_type", "memory", &node)) {
		if (node.depth != 1 || !hv_fdt_is_enabled(fdt, &node)) {
			continue;
		}
		for (uint32_t i = 0; hv_fdt_reg(fdt, &node, i, &range) == HV_OK; i++) {
			/* The banks are firmware's word; overlapping ones would be its bug. */
			if (ranges_remove(&host->ram, range.base, range.size) != HV_OK ||
				ranges_add(&host->ram, range.base, range.size) != HV_OK) {
				return refuse(error, "memory", "more ranges than we take", node.at);
			}
		}
	}
	return host->ram.count ? HV_OK : refuse(error, "memory", "no such node", 0);
}

static enum hv_status drop_reserved_nodes(
	struct host *host, const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct hv_fdt_walk walk;
	struct hv_fdt_node node, parent;
	struct hv_fdt_range range;

	if (hv_fdt_find_path(fdt, "/reserved-memory", &parent) != HV_OK) {
		return HV_OK;
	}
	hv_fdt_walk_init(&walk, fdt);
	while (hv_fdt_walk_next(&walk, &node) && node.at != parent.at) {
	}
	while (hv_fdt_walk_next(&walk, &node) && node.depth > parent.depth) {
		for (uint32_t i = 0; hv_fdt_reg(fdt, &node, i, &range) == HV_OK; i++) {
			if (ranges_remove(&host->ram, range.base, range.size) != HV_OK) {
				return refuse(error, "reserved-memory", "too many holes", node.at);
			}
		}
	}
	return HV_OK;
}

/* Whatever is in use is widened to pages, since that is what memory is given out in. */
static bool drop(struct host *host, uint64_t base, uint64_t size)
{
	uint64_t start = hv_align_down(base, HV_PAGE_SIZE);
	uint64_t end;

	if (size == 0) {
		return true;
	}
	return hv_add_ok(base, size + HV_PAGE_SIZE - 1, &end) &&
	       ranges_remove(&host->ram, start, hv_align_down(end, HV_PAGE_SIZE) - start) == HV_OK;
}

static enum hv_status drop_used(struct host *host, struct range image, const struct hv_fdt *fdt,
	struct hv_load_error *error)
{
	struct hv_fdt_range range;

	for (uint32_t i = 0; hv_fdt_reserved(fdt, i, &range); i++) {
		if (!drop(host, range.base, range.size)) {
			return refuse(error, "memory reservation", "wraps, or too many", 0);
		}
	}
	if (!drop(host, image.base, image.size) || !drop(host, host->dtb.base, host->dtb.size) ||
		!drop(host, host->initrd.base, host->initrd.size)) {
		return refuse(error, "memory", "too many holes", 0);
	}
	return drop_reserved_nodes(host, fdt, error);
}

/* /chosen says where the boot loader put the initrd; none is an error, for it is our bundle. */
static enum hv_status read_initrd(
	struct host *host, const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct hv_fdt_node node;
	uint64_t start, end;

	if (hv_fdt_find_path(fdt, "/chosen", &node) != HV_OK ||
		hv_fdt_u64(fdt, &node, "linux,initrd-start", &start) != HV_OK ||
		hv_fdt_u64(fdt, &node, "linux,initrd-end", &end) != HV_OK || start >= end) {
		return refuse(error, "linux,initrd-start", "no initrd, so no guests to run", 0);
	}
	host->initrd = (struct range){.base = start, .size = end - start};
	return HV_OK;
}

enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error)
{
	struct hv_blob blob = {.data = dtb, .size = hv_be32((const uint8_t *)dtb + DTB_TOTALSIZE)};
	struct hv_fdt fdt;
	enum hv_status status;

	*host = (struct host){.dtb = {.base = (uintptr_t)dtb, .size = blob.size}};
	status = hv_fdt_open(&fdt, blob, error);
	if (status != HV_OK) {
		error->input = "dtb";
		return status;
	}
	read_psci(host, &fdt);
	status = read_uart(host, &fdt, error);
	if (status == HV_OK) {
		status = read_gic(host, &fdt, error);
	}
	if (status == HV_OK) {
		status = read_timer(host, &fdt, error);
	}
	if (status == HV_OK) {
		status = read_initrd(host, &fdt, error);
	}
	if (status == HV_OK) {
		status = add_memory(host, &fdt, error);
	}
	return status == HV_OK ? drop_used(host, image, &fdt, error) : status;
}

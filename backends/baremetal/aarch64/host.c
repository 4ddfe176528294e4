/* SPDX-License-Identifier: MIT */
/*
 * What only an Arm host's tree has. Bindings: Linux's arm,gic-v3, arm,gic, arm,pl011, arm,psci,
 * arm,armv8-timer.
 */
#include "host.h"

#include <hv/bits.h>

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

static struct host *host_of(const struct tree_reader *reader)
{
	return HV_CONTAINER_OF(reader->tree, struct host, tree);
}

/* INTID of specifier `index` in the node's "interrupts". */
static enum hv_status interrupt(struct tree_reader *reader, uint32_t index, uint32_t *intid)
{
	struct hv_blob value;
	uint64_t at = (uint64_t)index * GIC_CELLS * 4;
	const uint8_t *cell;

	if (!hv_fdt_prop(reader->fdt, reader->node, "interrupts", &value) ||
		value.size < at + (uint64_t)GIC_CELLS * 4) {
		return tree_refuse(reader, "interrupts", "missing or too short");
	}
	cell = (const uint8_t *)value.data + at;
	*intid = hv_be32(cell + 4) +
		 (hv_be32(cell) == GIC_CELL_PPI ? GIC_PPI_FIRST_INTID : GIC_SPI_FIRST_INTID);
	return HV_OK;
}

static enum hv_status read_uart(struct tree_reader *reader)
{
	struct host *host = host_of(reader);
	enum hv_status status = interrupt(reader, 0, &host->uart_intid);

	return status == HV_OK ? tree_reg(reader, 0, &host->tree.uart) : status;
}

static enum hv_status read_gic_v3(struct tree_reader *reader)
{
	struct host *host = host_of(reader);
	uint32_t regions = 1;
	enum hv_status status = tree_reg(reader, 0, &host->gicd);

	if (hv_fdt_u32(reader->fdt, reader->node, "#redistributor-regions", &regions) ==
			HV_ERR_INVALID ||
		regions == 0 || regions > HOST_GICR_REGIONS) {
		return tree_refuse(reader, "#redistributor-regions", "out of range");
	}
	for (uint32_t i = 0; i < regions && status == HV_OK; i++) {
		status = tree_reg(reader, 1 + i, &host->gicr[i]);
	}
	host->gicr_count = regions;
	host->gic_version = 3;
	return status == HV_OK ? interrupt(reader, 0, &host->maintenance_intid) : status;
}

/* Of GICH and GICV, only a pair that is whole and can be mapped for a guest is of use. */
static enum hv_status read_gic_v2_virtual(struct tree_reader *reader)
{
	struct host *host = host_of(reader);
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

static enum hv_status read_gic_v2(struct tree_reader *reader)
{
	struct host *host = host_of(reader);
	enum hv_status status = tree_reg(reader, 0, &host->gicd);

	if (status == HV_OK) {
		status = tree_reg(reader, GICC, &host->gicc);
	}
	if (status == HV_OK && host->gicc.size < GICC_SIZE) {
		return tree_refuse(reader, "reg", "a GICv2 CPU interface without GICC_DIR");
	}
	host->gic_version = 2;
	return status == HV_OK ? read_gic_v2_virtual(reader) : status;
}

static enum hv_status read_timer(struct tree_reader *reader)
{
	struct host *host = host_of(reader);
	enum hv_status status = interrupt(reader, TIMER_VIRTUAL, &host->vtimer_intid);

	return status == HV_OK ? interrupt(reader, TIMER_HYPERVISOR, &host->hyp_timer_intid)
			       : status;
}

static enum hv_status read_rtc(struct tree_reader *reader)
{
	return tree_reg(reader, 0, &reader->tree->rtc);
}

/* The firmware that starts CPUs and ends the machine. */
static enum hv_status read_named(struct tree_reader *reader)
{
	struct host *host = host_of(reader);

	if (tree_has_name(reader->node, "psci") &&
		hv_fdt_string(reader->fdt, reader->node, "method", &host->psci_method) != HV_OK) {
		host->psci_method = NULL;
	}
	return HV_OK;
}

enum kind { KIND_UART, KIND_GIC, KIND_TIMER, KIND_RTC };

static const struct tree_rule rules[] = {
	{"arm,pl011", KIND_UART, read_uart},
	{"arm,gic-v3", KIND_GIC, read_gic_v3},
	{"arm,gic-400", KIND_GIC, read_gic_v2},
	{"arm,cortex-a15-gic", KIND_GIC, read_gic_v2},
	{"arm,armv8-timer", KIND_TIMER, read_timer},
	{"arm,pl031", KIND_RTC, read_rtc},
};

enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error)
{
	static const struct tree_rules all = {
		.rule = rules,
		.count = HV_ARRAY_COUNT(rules),
		.needed = {[KIND_UART] = "arm,pl011",
			[KIND_GIC] = "arm,gic-v3 or arm,gic-400",
			[KIND_TIMER] = "arm,armv8-timer"},
		.named = read_named,
	};

	*host = (struct host){0};
	return tree_read(&host->tree, &all, dtb, image, error);
}

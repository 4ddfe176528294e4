/* SPDX-License-Identifier: MIT */
/*
 * What only a RISC-V host's tree has. Bindings: Linux's riscv/cpus, riscv,cpu-intc,
 * sifive,plic-1.0.0, 8250, google,goldfish-rtc.
 */
#include "host.h"

#include <arch/riscv64/rv64.h>
#include <hv/bits.h>

#define LINE_CELLS 2u /* of "interrupts-extended": a phandle and the line's number there */

static struct host *host_of(const struct tree_reader *reader)
{
	return HV_CONTAINER_OF(reader->tree, struct host, tree);
}

static enum hv_status read_uart(struct tree_reader *reader)
{
	struct host *host = host_of(reader);

	if (hv_fdt_u32(reader->fdt, reader->node, "interrupts", &host->uart_irq) != HV_OK) {
		return tree_refuse(reader, "interrupts", "missing or no single number");
	}
	return tree_reg(reader, 0, &host->tree.uart);
}

static enum hv_status read_plic(struct tree_reader *reader)
{
	struct host *host = host_of(reader);

	if (!hv_fdt_prop(reader->fdt, reader->node, "interrupts-extended", &host->plic_lines)) {
		return tree_refuse(reader, "interrupts-extended", "missing");
	}
	return tree_reg(reader, 0, &host->plic);
}

static enum hv_status read_rtc(struct tree_reader *reader)
{
	return tree_reg(reader, 0, &reader->tree->rtc);
}

/* The same for all harts, or for each. */
static void read_timebase(struct tree_reader *reader)
{
	uint32_t hz;

	if (hv_fdt_u32(reader->fdt, reader->node, "timebase-frequency", &hz) == HV_OK) {
		host_of(reader)->timebase = hz;
	}
}

static enum hv_status read_named(struct tree_reader *reader)
{
	if (reader->in_cpus) {
		read_timebase(reader);
	}
	return HV_OK;
}

/* The node of a hart, or the controller in it, which belongs to the hart that was read last. */
static enum hv_status read_cpu(struct tree_reader *reader)
{
	struct host *host = host_of(reader);
	uint32_t last = host->tree.cpu_count - 1;
	struct hv_blob isa;

	if (tree_has_name(reader->node, "interrupt-controller")) {
		if (hv_fdt_u32(reader->fdt, reader->node, "phandle", &host->intc[last]) != HV_OK) {
			return tree_refuse(reader, "phandle", "a hart's controller has none");
		}
	} else if (tree_has_name(reader->node, "cpu") && reader->node->depth == 2) {
		if (!hv_fdt_prop(reader->fdt, reader->node, "riscv,isa", &isa)) {
			return tree_refuse(reader, "riscv,isa", "missing");
		}
		host->exts &= rv64_isa_parse(isa.data, isa.size);
		read_timebase(reader);
	}
	return HV_OK;
}

enum kind { KIND_UART, KIND_PLIC, KIND_RTC };

static const struct tree_rule rules[] = {
	{"ns16550a", KIND_UART, read_uart},
	{"ns16550", KIND_UART, read_uart},
	{"sifive,plic-1.0.0", KIND_PLIC, read_plic},
	{"riscv,plic0", KIND_PLIC, read_plic},
	{"google,goldfish-rtc", KIND_RTC, read_rtc},
};

enum hv_status host_read(
	struct host *host, const void *dtb, struct range image, struct hv_load_error *error)
{
	static const struct tree_rules all = {
		.rule = rules,
		.count = HV_ARRAY_COUNT(rules),
		.needed = {[KIND_UART] = "ns16550a", [KIND_PLIC] = "sifive,plic-1.0.0"},
		.named = read_named,
		.cpu = read_cpu,
	};

	*host = (struct host){.exts = UINT64_MAX};
	return tree_read(&host->tree, &all, dtb, image, error);
}

enum hv_status host_plic_context(const struct host *host, uint32_t index, uint32_t *context)
{
	const uint8_t *cell = host->plic_lines.data;
	uint64_t count = host->plic_lines.size / (LINE_CELLS * sizeof(uint32_t));

	for (uint32_t i = 0; i < count; i++, cell += LINE_CELLS * sizeof(uint32_t)) {
		if (hv_be32(cell) == host->intc[index] && hv_be32(cell + 4) == HOST_EXT_S) {
			*context = i;
			return HV_OK;
		}
	}
	return HV_ERR_NOT_FOUND;
}

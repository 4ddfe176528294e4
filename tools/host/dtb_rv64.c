/* SPDX-License-Identifier: MIT */
/*
 * Of the board virt-riscv64: harts, PLIC and devices, as QEMU's `virt` describes its own. What the
 * harts can do is the most that a virtual one can have: the backend narrows it to what its CPU has
 * (rv64_dtb_narrow()).
 */
#include "dtb_write.h"

#include <board/virt_riscv64.h>
#include <hv/vm.h>
#include <string.h>

#define RV64_INTC_S_EXTERNAL 9u
#define RV64_INTC_NONE       UINT32_MAX /* the machine has no M-mode for the guest */

#define RV64_APLIC_LEVEL_HIGH 4u

/* The PLIC's or APLIC's, then each hart's own interrupt controller's. */
enum rv64_phandle { RV64_IRQC = 1, RV64_INTC };

/* What a hart can do, in the words of the old binding and of the new one. */
struct rv64_claims {
	char isa[RV64_ISA_MAX];
	char list[RV64_ISA_MAX + 32]; /* the same as a list of strings */
	size_t list_size;
};

static void rv64_claim(struct rv64_claims *claims, const char *name, size_t size)
{
	memcpy(claims->list + claims->list_size, name, size);
	claims->list_size += size;
	claims->list[claims->list_size++] = '\0';
}

static struct rv64_claims rv64_claims(void)
{
	const struct rv64_caps all = {.exts = UINT64_MAX};
	struct rv64_claims claims = {.list_size = 0};
	const char *at = claims.isa + strlen("rv64");

	(void)rv64_isa_write(rv64_guest_exts(&all), claims.isa);
	for (; *at != '_' && *at != '\0'; at++) {
		rv64_claim(&claims, at, 1); /* a letter */
	}
	while (*at == '_') {
		size_t size = strcspn(++at, "_");

		rv64_claim(&claims, at, size);
		at += size;
	}
	return claims;
}

static void rv64_cpu(struct dtb_writer *w, uint32_t hart, const struct rv64_claims *claims)
{
	dtb_begin_at(w, "cpu", hart);
	dtb_text(w, "device_type", "cpu");
	dtb_text(w, "compatible", "riscv");
	dtb_list(w, "reg", hart);
	dtb_text(w, "status", "okay");
	dtb_text(w, "riscv,isa", claims->isa);
	dtb_text(w, "riscv,isa-base", "rv64i");
	dtb_bytes(w, "riscv,isa-extensions", claims->list, claims->list_size);
	dtb_text(w, "mmu-type", "riscv,sv57");
	dtb_begin(w, "interrupt-controller");
	dtb_text(w, "compatible", "riscv,cpu-intc");
	dtb_flag(w, "interrupt-controller");
	dtb_list(w, "#interrupt-cells", 1);
	dtb_list(w, "phandle", RV64_INTC + hart);
	dtb_end(w);
	dtb_end(w);
}

static void rv64_cpus(struct dtb_writer *w, const struct hv_guest *guest)
{
	const struct rv64_claims claims = rv64_claims();

	dtb_begin(w, "cpus");
	dtb_list(w, "#address-cells", 1);
	dtb_list(w, "#size-cells", 0);
	dtb_list(w, "timebase-frequency", VIRT_RV64_TIMEBASE);
	for (uint32_t i = 0; i < guest->cpus; i++) {
		rv64_cpu(w, i, &claims);
	}
	dtb_end(w);
}

/* Context 2n is M-mode's of hart n, 2n+1 is S-mode's. */
static void rv64_plic(struct dtb_writer *w, const struct hv_guest *guest)
{
	uint32_t context[4 * HV_VCPUS];
	size_t count = 0;

	for (uint32_t i = 0; i < guest->cpus; i++) {
		context[count++] = RV64_INTC + i;
		context[count++] = RV64_INTC_NONE;
		context[count++] = RV64_INTC + i;
		context[count++] = RV64_INTC_S_EXTERNAL;
	}
	dtb_begin_at(w, "plic", VIRT_RV64_PLIC);
	dtb_texts(w, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
	dtb_list(w, "reg", DTB_2(VIRT_RV64_PLIC), DTB_2(VIRT_RV64_PLIC_SIZE));
	dtb_flag(w, "interrupt-controller");
	dtb_list(w, "#interrupt-cells", 1);
	dtb_list(w, "#address-cells", 0);
	dtb_list(w, "riscv,ndev", VIRT_RV64_SOURCES);
	dtb_cells(w, "interrupts-extended", context, count);
	dtb_list(w, "phandle", RV64_IRQC);
	dtb_end(w);
}

/* The supervisor-level domain; the one above it is firmware's. */
static void rv64_aplic(struct dtb_writer *w, const struct hv_guest *guest)
{
	uint32_t target[2 * HV_VCPUS];

	for (uint32_t i = 0; i < guest->cpus; i++) {
		target[2 * i] = RV64_INTC + i;
		target[2 * i + 1] = RV64_INTC_S_EXTERNAL;
	}
	dtb_begin_at(w, "aplic", VIRT_RV64_APLIC);
	dtb_text(w, "compatible", "riscv,aplic");
	dtb_list(w, "reg", DTB_2(VIRT_RV64_APLIC), DTB_2(VIRT_RV64_APLIC_SIZE));
	dtb_flag(w, "interrupt-controller");
	dtb_list(w, "#interrupt-cells", 2);
	dtb_list(w, "#address-cells", 0);
	dtb_list(w, "riscv,num-sources", VIRT_RV64_SOURCES);
	dtb_cells(w, "interrupts-extended", target, (size_t)2 * guest->cpus);
	dtb_list(w, "phandle", RV64_IRQC);
	dtb_end(w);
}

/* What every device on the bus has; the caller ends the node. */
static void rv64_device(struct dtb_writer *w, const struct hv_guest *guest, const char *name,
	const char *compatible, uint64_t at, uint64_t size, uint32_t irq)
{
	const uint32_t cells[] = {irq, RV64_APLIC_LEVEL_HIGH};

	dtb_begin_at(w, name, at);
	dtb_text(w, "compatible", compatible);
	dtb_list(w, "reg", DTB_2(at), DTB_2(size));
	dtb_list(w, "interrupt-parent", RV64_IRQC);
	dtb_cells(w, "interrupts", cells, guest->aplic ? 2 : 1);
}

static void rv64_devices(struct dtb_writer *w, const struct hv_guest *guest)
{
	rv64_device(w, guest, "serial", "ns16550a", VIRT_RV64_UART, VIRT_RV64_UART_SIZE,
		VIRT_RV64_UART_IRQ);
	dtb_list(w, "clock-frequency", VIRT_RV64_UART_CLOCK);
	dtb_end(w);
	rv64_device(w, guest, "rtc", "google,goldfish-rtc", VIRT_RV64_RTC, VIRT_RV64_RTC_SIZE,
		VIRT_RV64_RTC_IRQ);
	dtb_end(w);
	for (uint32_t i = 0; i < VIRT_RV64_VIRTIOS; i++) {
		rv64_device(w, guest, "virtio_mmio", "virtio,mmio",
			VIRT_RV64_VIRTIO + i * VIRT_RV64_VIRTIO_SIZE, VIRT_RV64_VIRTIO_SIZE,
			VIRT_RV64_VIRTIO_IRQ + i);
		dtb_end(w);
	}
}

void dtb_rv64_put(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_text(w, "model", "drydock,virt-riscv64");
	dtb_texts(w, "compatible", "drydock,virt-riscv64\0riscv-virtio");
	rv64_cpus(w, guest);
	dtb_begin(w, "soc");
	dtb_text(w, "compatible", "simple-bus");
	dtb_list(w, "#address-cells", 2);
	dtb_list(w, "#size-cells", 2);
	dtb_flag(w, "ranges");
	if (guest->aplic) {
		rv64_aplic(w, guest);
	} else {
		rv64_plic(w, guest);
	}
	rv64_devices(w, guest);
	dtb_end(w);
}

/* SPDX-License-Identifier: MIT */
/* Of the board virt-aarch64: CPUs, GIC, timer and devices. */
#include "dtb_write.h"

#include <board/virt_aarch64.h>

#define A64_APB_HZ 24000000u

enum a64_phandle { A64_GIC = 1, A64_APB };
enum a64_irq_kind { A64_SPI = 0, A64_PPI = 1 };
#define A64_IRQ_LEVEL 4u

static void a64_cpus(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_begin(w, "cpus");
	dtb_list(w, "#address-cells", 1);
	dtb_list(w, "#size-cells", 0);
	for (uint32_t i = 0; i < guest->cpus; i++) {
		dtb_begin_at(w, "cpu", i);
		dtb_text(w, "device_type", "cpu");
		dtb_text(w, "compatible", "arm,armv8");
		dtb_list(w, "reg", i); /* MPIDR_EL1.Aff0 */
		dtb_text(w, "enable-method", "psci");
		dtb_end(w);
	}
	dtb_end(w);
	dtb_begin(w, "psci");
	dtb_texts(w, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	dtb_text(w, "method", "hvc");
	dtb_end(w);
}

static void a64_gic(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_begin_at(w, "intc", VIRT_A64_GICD);
	if (guest->gic == 2) {
		dtb_text(w, "compatible", "arm,cortex-a15-gic");
		dtb_list(w, "reg", DTB_2(VIRT_A64_GICD), DTB_2(GICV2_GICD_SIZE),
			DTB_2(VIRT_A64_GICC), DTB_2(GICV2_GICC_SIZE));
	} else {
		dtb_text(w, "compatible", "arm,gic-v3");
		dtb_list(w, "reg", DTB_2(VIRT_A64_GICD), DTB_2(GICV3_GICD_SIZE),
			DTB_2(VIRT_A64_GICR), DTB_2((uint64_t)GICV3_GICR_SIZE * guest->cpus));
	}
	dtb_flag(w, "interrupt-controller");
	dtb_list(w, "#interrupt-cells", 3);
	dtb_list(w, "#address-cells", 0);
	dtb_list(w, "phandle", A64_GIC);
	dtb_end(w);
}

static void a64_timer(struct dtb_writer *w, const struct hv_guest *guest)
{
	/* GICv2 PPIs carry the mask of their CPUs. */
	uint32_t flags = A64_IRQ_LEVEL | (guest->gic == 2 ? ((1u << guest->cpus) - 1) << 8 : 0);

	dtb_begin(w, "timer");
	dtb_texts(w, "compatible", "arm,armv8-timer\0arm,armv7-timer");
	/* Secure, non-secure physical (INTID 30), virtual (27), EL2. */
	dtb_list(w, "interrupts", A64_PPI, 13, flags, A64_PPI, 14, flags, A64_PPI, 11, flags,
		A64_PPI, 10, flags);
	dtb_flag(w, "always-on");
	dtb_end(w);
}

static void a64_clock(struct dtb_writer *w)
{
	dtb_begin(w, "apb-pclk");
	dtb_text(w, "compatible", "fixed-clock");
	dtb_list(w, "#clock-cells", 0);
	dtb_list(w, "clock-frequency", A64_APB_HZ);
	dtb_text(w, "clock-output-names", "clk24mhz");
	dtb_list(w, "phandle", A64_APB);
	dtb_end(w);
}

static void a64_uart(struct dtb_writer *w)
{
	dtb_begin_at(w, "pl011", VIRT_A64_UART);
	dtb_texts(w, "compatible", "arm,pl011\0arm,primecell");
	dtb_list(w, "reg", DTB_2(VIRT_A64_UART), DTB_2(VIRT_A64_UART_SIZE));
	dtb_list(w, "interrupts", A64_SPI, VIRT_A64_UART_INTID - GIC_SPI_FIRST, A64_IRQ_LEVEL);
	dtb_list(w, "clocks", A64_APB, A64_APB);
	dtb_texts(w, "clock-names", "uartclk\0apb_pclk");
	dtb_end(w);
}

static void a64_rtc(struct dtb_writer *w)
{
	dtb_begin_at(w, "pl031", VIRT_A64_RTC);
	dtb_texts(w, "compatible", "arm,pl031\0arm,primecell");
	dtb_list(w, "reg", DTB_2(VIRT_A64_RTC), DTB_2(VIRT_A64_RTC_SIZE));
	dtb_list(w, "interrupts", A64_SPI, VIRT_A64_RTC_INTID - GIC_SPI_FIRST, A64_IRQ_LEVEL);
	dtb_list(w, "clocks", A64_APB);
	dtb_text(w, "clock-names", "apb_pclk");
	dtb_end(w);
}

void dtb_a64_put(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_text(w, "model", "drydock,virt-aarch64");
	dtb_texts(w, "compatible", "drydock,virt-aarch64\0linux,dummy-virt");
	dtb_list(w, "interrupt-parent", A64_GIC);
	a64_cpus(w, guest);
	a64_gic(w, guest);
	a64_timer(w, guest);
	a64_clock(w);
	a64_uart(w);
	a64_rtc(w);
}

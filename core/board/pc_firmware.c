/* SPDX-License-Identifier: MIT */
#include "pc_firmware.h"

#include <dev/pic8259/pic8259.h>
#include <dev/pit8254/pit8254.h>
#include <hv/bits.h>
#include <hv/check.h>

#define VECTORS      256u
#define VECTOR_SIZE  4u
#define MASTER_BASE  0x08u
#define SLAVE_BASE   0x70u
#define CHIP_VECTORS 8u

/* push %ax; mov $0x20, %al; out %al, (both chips or one); pop %ax; iret */
static const uint8_t irq[] = {0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf};
static const uint8_t slave_irq[] = {0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf};
static const uint8_t iret[] = {0xcf};

/* Counter 0 in mode 2 from 65536 down; then initialisation words, which forget its first edge, and
 * masks. */
static const struct {
	uint16_t port;
	uint8_t value;
} writes[] = {
	{PIT8254_PORT + 3, 0x34},
	{PIT8254_PORT, 0},
	{PIT8254_PORT, 0},
	{PIC8259_MASTER, 0x11},
	{PIC8259_MASTER + 1, MASTER_BASE},
	{PIC8259_MASTER + 1, 0x04},
	{PIC8259_MASTER + 1, 0x01},
	{PIC8259_MASTER + 1, 0xf8},
	{PIC8259_SLAVE, 0x11},
	{PIC8259_SLAVE + 1, SLAVE_BASE},
	{PIC8259_SLAVE + 1, 0x02},
	{PIC8259_SLAVE + 1, 0x01},
	{PIC8259_SLAVE + 1, 0xff},
};

static uint16_t handler_of(unsigned vector)
{
	if (vector - MASTER_BASE < CHIP_VECTORS) {
		return PC_FIRMWARE_IRQ;
	}
	return vector - SLAVE_BASE < CHIP_VECTORS ? PC_FIRMWARE_SLAVE_IRQ : PC_FIRMWARE_IRET;
}

static void put(const struct hv_gmem *gmem, uint64_t at, const uint8_t *bytes, uint64_t size)
{
	enum hv_status status = hv_gmem_copy_out(gmem, GPA(at), bytes, size);

	HV_CHECK(status == HV_OK);
	(void)status;
}

static void put_vectors(const struct hv_gmem *gmem)
{
	uint8_t vectors[VECTORS * VECTOR_SIZE];

	for (unsigned i = 0; i < VECTORS; i++) {
		uint8_t *to = vectors + i * VECTOR_SIZE;
		uint16_t handler = handler_of(i);

		to[0] = (uint8_t)handler;
		to[1] = (uint8_t)(handler >> 8);
		to[2] = (uint8_t)PC_FIRMWARE_SEGMENT;
		to[3] = (uint8_t)(PC_FIRMWARE_SEGMENT >> 8);
	}
	put(gmem, 0, vectors, sizeof(vectors));
}

static bool has_low_segment(const struct hv_load_plan *plan)
{
	for (uint16_t i = 0; i < plan->segment_count; i++) {
		if (plan->segment[i].to.v < (uint64_t)VECTORS * VECTOR_SIZE) {
			return true;
		}
	}
	return false;
}

void pc_firmware_leave(struct hv_vm *vm, const struct hv_load_plan *plan)
{
	const uint64_t segment = PC_FIRMWARE_SEGMENT << 4;

	put(&vm->gmem, segment + PC_FIRMWARE_IRQ, irq, sizeof(irq));
	put(&vm->gmem, segment + PC_FIRMWARE_SLAVE_IRQ, slave_irq, sizeof(slave_irq));
	put(&vm->gmem, segment + PC_FIRMWARE_IRET, iret, sizeof(iret));
	if (!has_low_segment(plan)) {
		put_vectors(&vm->gmem);
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(writes); i++) {
		struct hv_access access = {.data = writes[i].value, .size = 1, .write = true};
		enum hv_answer answer = hv_bus_access(&vm->pio, writes[i].port, &access);

		HV_CHECK(answer != HV_ANSWER_NONE);
		(void)answer;
	}
}

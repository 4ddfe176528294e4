/* SPDX-License-Identifier: MIT */
#include "pio.h"

#include <hv/bits.h>

/* What no device answers as a whole is one byte after the other, each at its own port (X22). */
static HV_COLD uint32_t read_bytes(struct x86_vcpu *vcpu, uint16_t port, uint8_t size)
{
	uint32_t value = 0;

	for (uint8_t i = 0; i < size; i++) {
		struct hv_access access = {.size = 1};

		if (hv_exit_pio(&vcpu->hv, (uint16_t)(port + i), &access) == HV_FAULT) {
			access.data = 0xff;
		}
		value |= (uint32_t)access.data << 8 * i;
	}
	return value;
}

static HV_COLD void write_bytes(struct x86_vcpu *vcpu, uint16_t port, uint8_t size, uint32_t value)
{
	for (uint8_t i = 0; i < size; i++) {
		struct hv_access access = {.size = 1, .write = true, .data = value >> 8 * i & 0xff};

		if (hv_exit_pio(&vcpu->hv, (uint16_t)(port + i), &access) == HV_FAULT) {
			continue; /* swallowed */
		}
	}
}

static HV_HOT uint32_t read(struct x86_vcpu *vcpu, uint16_t port, uint8_t size)
{
	struct hv_access access;

	access.size = size;
	access.write = false;
	access.data = 0;
	if (hv_exit_pio(&vcpu->hv, port, &access) == HV_FAULT) {
		return size == 1 ? 0xff : read_bytes(vcpu, port, size);
	}
	return (uint32_t)access.data;
}

static HV_HOT void write(struct x86_vcpu *vcpu, uint16_t port, uint8_t size, uint32_t value)
{
	struct hv_access access;

	access.size = size;
	access.write = true;
	access.data = value;
	if (hv_exit_pio(&vcpu->hv, port, &access) == HV_FAULT && size > 1) {
		write_bytes(vcpu, port, size, value);
	}
}

static HV_HOT uint32_t low(uint64_t value, uint8_t size)
{
	return (uint32_t)(value & (~(uint64_t)0 >> (64 - 8 * size)));
}

void x86_port_in(struct x86_vcpu *vcpu, uint16_t port, uint8_t size)
{
	uint64_t *rax = &vcpu->regs.r[X86_RAX];
	uint32_t value = read(vcpu, port, size);

	switch (size) {
	case 1: *rax = (*rax & ~(uint64_t)0xff) | value; break;
	case 2: *rax = (*rax & ~(uint64_t)0xffff) | value; break;
	default: *rax = value; break;
	}
}

void x86_port_out(struct x86_vcpu *vcpu, uint16_t port, uint8_t size)
{
	write(vcpu, port, size, low(vcpu->regs.r[X86_RAX], size));
}

uint32_t x86_port_read(struct x86_vcpu *vcpu, uint16_t port, uint8_t size)
{
	return read(vcpu, port, size);
}

void x86_port_write(struct x86_vcpu *vcpu, uint16_t port, uint8_t size, uint32_t value)
{
	write(vcpu, port, size, value);
}

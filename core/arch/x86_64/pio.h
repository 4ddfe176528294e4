/* SPDX-License-Identifier: MIT */
/* Ports: who is not there reads as all ones, and swallows what is written, as on a PC. */
#ifndef X86_PIO_H
#define X86_PIO_H

#include "x86.h"

/* IN and OUT between a port and AL, AX or EAX; size 1, 2 or 4. RIP is the caller's. */
void x86_port_in(struct x86_vcpu *vcpu, uint16_t port, uint8_t size);
void x86_port_out(struct x86_vcpu *vcpu, uint16_t port, uint8_t size);
/* The same with a value of one's own, for strings. */
uint32_t x86_port_read(struct x86_vcpu *vcpu, uint16_t port, uint8_t size);
void x86_port_write(struct x86_vcpu *vcpu, uint16_t port, uint8_t size, uint32_t value);

#endif

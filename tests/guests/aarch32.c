/* SPDX-License-Identifier: MIT */
/* EL0 in AArch32: a system call and an undefined instruction come to EL1 with the right registers.
 */
#include "guest.h"

#define EC_SVC32 0x11u
#define USR32    0x10u /* SPSR: AArch32, user mode, A32 */

static const uint32_t code[] = {
	0xe3a00042, /* mov r0, #0x42 */
	0xe3a01051, /* mov r1, #0x51 */
	0xef000007, /* svc #7 */
	0xeafffffe, /* b . */
};

static void at_svc(struct guest_frame *frame)
{
	check_eq("class of an AArch32 system call", ESR_EC(frame->esr), EC_SVC32);
	check_eq("its immediate", ESR_ISS(frame->esr) & 0xffff, 7);
	check_eq("r0 is x0", (uint32_t)frame->x[0], 0x42);
	check_eq("r1 is x1", (uint32_t)frame->x[1], 0x51);
	check_eq("vector", frame->vector, 12);
	check_eq("return address", frame->elr, (uint64_t)code + 12);
	check_eq("mode", frame->spsr & 0x1f, USR32);
	finish();
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_sync = at_svc;
	SYSREG_SET(spsr_el1, USR32);
	SYSREG_SET(elr_el1, (uint64_t)code);
	__asm__ volatile("eret");
}

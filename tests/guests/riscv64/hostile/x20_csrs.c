/* SPDX-License-Identifier: MIT */
/*
 * X20: every CSR there is a number for, read, written with zeros and with ones, and with bits set
 * and cleared. What the hypervisor owns it answers or makes illegal; what is the guest's own is put
 * back after each. Nothing may end the machine, and what can be read is the same at each look.
 */
#include "guest.h"

#define CSRS    4096u
#define READ    0x00002573u /* csrrs a0, CSR, zero */
#define WRITE   0x00051573u /* csrrw a0, CSR, a0 */
#define SET     0x00052573u /* csrrs a0, CSR, a0 */
#define CLEAR   0x00053573u /* csrrc a0, CSR, a0 */
#define WRITE_0 0x00005573u /* csrrwi a0, CSR, 0 */
#define RET     0x00008067u

#define NUMBER_MVENDORID 0xf11u
#define NUMBER_MHARTID   0xf14u
#define HTIMEDELTA       0x605u

/* x20_csrs.S */
uint64_t x20_run(const uint32_t *code, uint64_t value);

static uint32_t code[CSRS][2] __attribute__((aligned(16))); /* an instruction, and RET */
static const uint32_t *at;                                  /* what runs of it */
static volatile bool trapped;
static volatile unsigned wrong;
static bool readable[CSRS];

static void note(struct guest_frame *frame)
{
	wrong += frame->cause != CAUSE_ILLEGAL || frame->x[0] != (uint64_t)at ||
		 (frame->tval != *at && frame->tval != 0);
	trapped = true;
	frame->x[0] += 4;
}

/* A write may have let interrupts in. */
static void mask_again(struct guest_frame *frame, unsigned irq)
{
	(void)irq;
	frame->status &= ~SSTATUS_SPIE;
}

/* One kind of instruction, of every CSR. Unicorn's hart does nothing at FENCE.I (docs/sim.md). */
static void prepare(uint32_t insn)
{
	for (unsigned csr = 0; csr < CSRS; csr++) {
		code[csr][0] = insn | csr << 20;
		code[csr][1] = RET;
	}
	if (hart_is_unicorns()) {
		SBI(SBI_RFENCE, 0, 1, boot_hart);
	}
	__asm__ volatile("fence.i" ::: "memory");
}

/* False: it is illegal. */
static bool run(unsigned csr, uint64_t *value)
{
	at = code[csr];
	trapped = false;
	*value = x20_run(at, *value);
	return !trapped;
}

/*
 * Bits 9:8 of the number: the least mode that may have it. M-mode's numbers of itself may be
 * answered; OpenSBI answers for one more.
 */
static bool is_others(unsigned csr)
{
	return csr >> 8 & 2 && (csr < NUMBER_MVENDORID || csr > NUMBER_MHARTID) &&
	       (csr != HTIMEDELTA || on_drydock());
}

/* Time, counters, and what is pending change by themselves. */
static bool is_moving(unsigned csr)
{
	return (csr >= 0xc00 && csr < 0xca0) || csr == 0x144 || csr == 0x015 || csr == 0xdb0;
}

static uint64_t reads(unsigned *count)
{
	uint64_t hash = 0xcbf29ce484222325u;

	prepare(READ);
	*count = 0;
	for (unsigned csr = 0; csr < CSRS; csr++) {
		uint64_t value = 0x5555;

		readable[csr] = run(csr, &value);
		wrong += !readable[csr] && value != 0x5555;
		*count += readable[csr];
		wrong += readable[csr] && is_others(csr);
		if (readable[csr] && !is_moving(csr)) {
			hash = (hash ^ value) * 0x100000001b3u;
		}
	}
	return hash;
}

static void writes(const char *name, uint32_t insn, uint64_t with)
{
	unsigned before = wrong;

	prepare(insn);
	for (unsigned csr = 0; csr < CSRS; csr++) {
		uint64_t value = with;
		bool done = run(csr, &value);

		/* Read-only, or another's: never; readable, and its own: if a read is legal. */
		wrong += done && (is_others(csr) || csr >> 10 == 3);
		wrong += done && !readable[csr];
		wrong += !done && value != with;
	}
	check_eq(name, wrong - before, 0);
}

void guest_main(uint64_t dtb)
{
	unsigned first, second;
	uint64_t hash;

	(void)dtb;
	on_sync = note;
	on_irq = mask_again;
	hash = reads(&first);
	check_eq("none of another's answers", wrong, 0);
	check("most are illegal", first > 10 && first < 150);
	check_eq("each is the same at each look", reads(&second), hash);
	check_eq("and as many", second, first);
	writes("zeros", WRITE, 0);
	writes("zeros, immediate", WRITE_0, 0);
	writes("ones", WRITE, ~0ull);
	writes("all bits set", SET, ~0ull);
	writes("a bit set", SET, 1ull << 5);
	writes("all bits cleared", CLEAR, ~0ull);
	writes("zeros again", WRITE, 0);
	on_sync = NULL;
	check("the guest is well", CSR_GET(satp) == 0);
}

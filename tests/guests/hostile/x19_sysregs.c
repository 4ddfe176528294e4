/* SPDX-License-Identifier: MIT */
/*
 * X19: every encoding of MSR, MRS, SYS, SYSL, MSR (immediate), hints and barriers: all op0, op1,
 * CRn, CRm and op2, both directions, with x1 and with XZR. What the hypervisor owns it answers or
 * makes undefined; what is the guest's own is put back after each. Nothing may end the machine, and
 * the ID registers are the same at each look.
 */
#include "guest.h"

#define ENCODINGS 65536u
#define BATCH     8u
#define FIRST_ID  0xc000u

/* x19_sysregs.S: runs `count` words at `code`, each followed by what keeps the guest alive; x1 is
 * `value` before each, and goes to values[] after it. */
void x19_run(const uint32_t *code, uint64_t value, uint64_t *values);

#define WORDS 32u

static uint32_t code[WORDS] __attribute__((aligned(64)));
static uint64_t values[BATCH];
static volatile unsigned trapped;
extern const uint32_t x19_keep[];

static void step_over(struct guest_frame *frame)
{
	trapped++;
	/* SVC and its kin are not among them: every exception is at the instruction itself. */
	frame->elr += 4;
}

/* An encoding may have unmasked it; the timer stays due, so that no WFI waits. */
static void mask_again(struct guest_frame *frame)
{
	frame->spsr |= 0x3c0;
}

static uint32_t system_word(unsigned encoding, bool read, unsigned rt)
{
	return 0xd5000000u | (uint32_t)read << 21 | encoding << 5 | rt;
}

/* BL from code[at] to x19_keep. */
static uint32_t call_keep(const uint32_t *at)
{
	return 0x94000000u | ((uint32_t)((x19_keep - at)) & 0x03ffffffu);
}

static void sync_code(void)
{
	for (uint64_t at = (uint64_t)code; at < (uint64_t)(code + WORDS); at += 64) {
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0" ::"r"(at) : "memory");
	}
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* A read changes nothing but x1, which is noted. */
static uint32_t *put_read(uint32_t *to, uint32_t word)
{
	*to++ = word;
	*to++ = 0xf80086c1u; /* str x1, [x22], #8 */
	*to++ = 0xaa1503e1u; /* mov x1, x21 */
	return to;
}

static uint32_t *put_write(uint32_t *to, uint32_t word)
{
	*to++ = word;
	*to = call_keep(to);
	return to + 1;
}

/* Eight encodings that differ in op2. */
static void run_batch(unsigned encoding, bool read, unsigned rt, uint64_t value)
{
	uint32_t *to = code;

	for (unsigned i = 0; i < BATCH; i++) {
		uint32_t word = system_word(encoding + i, read, rt);

		to = read ? put_read(to, word) : put_write(to, word);
	}
	*to = 0xd61f0280u; /* br x20 */
	sync_code();
	x19_run(code, value, values);
}

/* op0 is in bits 15:14, op1 13:11, CRn 10:7, CRm 6:3, op2 2:0. */
static bool is_sctlr(unsigned encoding)
{
	return encoding == (3u << 14 | 1u << 7);
}

static void sweep(bool read, unsigned rt, uint64_t value)
{
	for (unsigned encoding = 0; encoding < ENCODINGS; encoding += BATCH) {
		/* The MMU stays off: with ones in SCTLR_EL1 there is no next instruction. */
		if (read || !value || !is_sctlr(encoding)) {
			run_batch(encoding, read, rt, value);
		}
	}
}

/* S3_0_C0_C0_0 to S3_0_C0_C15_7. */
static uint64_t hash_of_ids(void)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (unsigned encoding = FIRST_ID; encoding < FIRST_ID + 128; encoding += BATCH) {
		run_batch(encoding, true, 1, 0x5555);
		for (unsigned i = 0; i < BATCH; i++) {
			hash = (hash ^ values[i]) * 0x100000001b3u;
		}
	}
	return hash;
}

/* A sweep may have acknowledged the interrupt; it is to be pending, so that no WFI waits. */
static void arm_timer(void)
{
	gic_init();
	gic_eoi(27);
	gic_enable(27, 0x80);
	SYSREG_SET(cntv_cval_el0, 0);
	SYSREG_SET(cntv_ctl_el0, 1);
}

void guest_main(uint64_t dtb)
{
	uint64_t ids;
	unsigned undefined;

	(void)dtb;
	on_sync = step_over;
	on_irq = mask_again;
	on_fiq = mask_again;
	arm_timer();
	ids = hash_of_ids();
	check_eq("the ID registers are equal each time", hash_of_ids(), ids);
	trapped = 0;
	sweep(true, 1, 0x5555);
	undefined = trapped;
	check("reads, of which most are undefined",
		undefined > ENCODINGS / 2 && undefined < ENCODINGS);
	trapped = 0;
	sweep(true, 31, 0);
	check_eq("reads to XZR: the same are", trapped, undefined);
	arm_timer();
	sweep(false, 31, 0);
	check("writes of XZR", true);
	arm_timer();
	sweep(false, 1, ~0ull);
	check("writes of ones", true);
	check_eq("the ID registers are what they were", hash_of_ids(), ids);
}

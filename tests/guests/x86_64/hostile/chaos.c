/* SPDX-License-Identifier: MIT */
/*
 * Runs random instructions: at CPL 3, with all ports, whatever bytes there are; at CPL 0 those that
 * leave the guest its memory, with random registers. Exceptions are caught and stepped over, the
 * 8254 comes as an NMI to those that never come back. The seed is in the flash, as the second word.
 * What it does to itself is its own affair: it may end well, run for ever or crash, but its host
 * has nothing to do with that.
 */
#include "guest.h"

#define ROUNDS  400u
#define BYTES   96u
#define TIMEOUT 1000u /* of the 8254's clock that a round may take: 0.8 ms */
#define P       1ull
#define W       2ull
#define U       4ull
#define PS      0x80ull
#define IOPL_3  0x3000ull

/* chaos.S */
void chaos_run(
	const uint8_t *code, const uint64_t regs[16], uint64_t cs, uint64_t ss, uint64_t flags);
void chaos_left(void);

/* What CPL 3 may touch. */
static struct {
	uint8_t code[4096], scratch[8192];
} *const own = (void *)0x600000;

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t directories[512] __attribute__((aligned(4096)));
static uint64_t low[512] __attribute__((aligned(4096)));
static uint64_t regs[16];
static uint64_t state;
static bool is_piece[BYTES]; /* no instruction begins at this byte of the code */
static volatile unsigned caught, timed_out;

static uint64_t random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void leave(struct guest_frame *frame)
{
	frame->rip = (uint64_t)chaos_left;
	frame->cs = CODE64;
	frame->ss = DATA;
	frame->rflags = 2;
}

static bool is_inside(uint64_t rip)
{
	return rip >= (uint64_t)own->code && rip < (uint64_t)own->code + BYTES;
}

/* At CPL 0 on to the next one that is whole: a piece of one may be anything. */
static void on_exception(struct guest_frame *frame)
{
	caught++;
	do {
		frame->rip++;
	} while (is_inside(frame->rip) && is_piece[frame->rip - (uint64_t)own->code]);
	frame->rflags &= ~RFLAGS_TF;
	if (!is_inside(frame->rip)) {
		leave(frame);
	}
}

static void on_interrupt(struct guest_frame *frame, unsigned vector)
{
	if (vector == VECTOR_NMI) {
		timed_out++;
		leave(frame);
	} else if (vector >= 0x81 || vector < 0x30) {
		lapic_eoi();
	} else {
		on_exception(frame); /* INT n, maybe */
		lapic_eoi();
	}
}

/* ---- instructions ---- */

static uint8_t *put(uint8_t *to, const char *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		*to++ = (uint8_t)bytes[i];
	}
	return to;
}

/* Opcodes with a ModRM byte that read or write memory. */
static const uint8_t with_modrm[] = {0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x20, 0x21,
	0x22, 0x23, 0x28, 0x29, 0x30, 0x31, 0x33, 0x38, 0x39, 0x3a, 0x3b, 0x84, 0x85, 0x86, 0x87,
	0x88, 0x89, 0x8a, 0x8b, 0xfe, 0xf6};
static const uint8_t with_0f_modrm[] = {
	0xb6, 0xb7, 0xbe, 0xbf, 0xa3, 0xab, 0xb3, 0xbb, 0xb0, 0xb1, 0xc0, 0xc1};

static uint8_t *memory_access(uint8_t *to)
{
	static const uint8_t prefixes[] = {0x66, 0xf0, 0x48, 0x4c, 0x49, 0xf2, 0xf3, 0x67, 0x64};

	while (random() % 3 == 0) {
		*to++ = prefixes[random() % sizeof(prefixes)];
	}
	if (random() % 3 == 0) {
		*to++ = 0x0f;
		*to++ = with_0f_modrm[random() % sizeof(with_0f_modrm)];
	} else {
		*to++ = with_modrm[random() % sizeof(with_modrm)];
	}
	*to++ = (uint8_t)(0x40 | (random() & 0x38) | random() % 8); /* a register and 8 bits */
	*to++ = (uint8_t)random();
	return put(to, "\x90\x90\x90", 3);
}

static uint8_t *string(uint8_t *to)
{
	static const uint8_t opcodes[] = {
		0xa4, 0xa5, 0xa6, 0xaa, 0xab, 0xac, 0xae, 0x6c, 0x6d, 0x6e, 0x6f};

	/* mov $n, %ecx */
	*to++ = 0xb9;
	*to++ = (uint8_t)random();
	to = put(to, "\x00\x00\x00", 3);
	if (random() % 2) {
		*to++ = random() % 4 ? 0xf3 : 0xf2;
	}
	*to++ = opcodes[random() % sizeof(opcodes)];
	return put(to, "\xfc", 1);
}

/* Not those by which the guest itself would be lost. */
static uint8_t *privileged(uint8_t *to)
{
	static const char *const insns[] = {"\x0f\xa2", "\x0f\x32", "\x0f\x31", "\xfa", "\xfb",
		"\x0f\x06", "\x0f\x09", "\xec", "\xed", "\x0f\x01\xd9", "\x0f\x01\xd8",
		"\x0f\x01\xdc", "\x0f\x01\xc1", "\x0f\x01\xf9", "\x0f\x01\xd0", "\x0f\x01\xdf",
		"\x0f\x30", "\xee", "\xef", "\x44\x0f\x20\xc0", "\x44\x0f\x22\xc0", "\x0f\x01\x3f",
		"\x0f\x23\xf8", "\xcd\x90", "\xcc", "\x0f\x33", "\x0f\x08"};
	const char *insn = insns[random() % (sizeof(insns) / sizeof(insns[0]))];
	unsigned count = 0;

	/* mov $msr, %ecx; and a port that ends nothing */
	*to++ = 0xb9;
	*to++ = (uint8_t)random();
	*to++ = (uint8_t)(random() % 8 ? 0 : 1 + random() % 16);
	*to++ = 0;
	*to++ = random() % 3 ? 0 : 0xc0;
	*to++ = 0xba;
	*to++ = (uint8_t)(0x20 + random() % 0x30);
	to = put(to, "\x00\x00\x00", 3);
	while (insn[count] && count < 4) {
		count++;
	}
	return put(to, insn, count);
}

/* No far returns: QEMU's take what is on the stack with the rights of CPL 0, and IRET goes to
 * virtual-8086 mode, which leads to nothing sensible. */
static uint8_t *any(uint8_t *to)
{
	const uint8_t byte = (uint8_t)random();

	*to++ = (byte & 0xfe) == 0xca || byte == 0xcf ? 0xcc : byte;
	return to;
}

static void make_code(bool user)
{
	uint8_t *to = own->code, *from;

	for (unsigned i = 0; i < BYTES; i++) {
		own->code[i] = 0xcc;
		is_piece[i] = false;
	}
	while (to < own->code + BYTES - 24) {
		from = to;
		switch (random() % 4) {
		case 0: to = string(to); break;
		case 1: to = user ? any(to) : privileged(to); break;
		case 2: to = user ? any(to) : memory_access(to); break;
		default: to = memory_access(to); break;
		}
		while (!user && ++from < to) {
			is_piece[from - own->code] = true;
		}
	}
}

/* ---- registers: memory, devices, nothing, and what is no address ---- */

static uint64_t random_device(void)
{
	switch (random() % 4) {
	case 0: return GUEST_LAPIC + (random() & 0xff0);
	case 1: return GUEST_IOAPIC + (random() & 0x1f);
	case 2: return GUEST_FLASH + (random() & 0x1fff);
	default: return GUEST_HOLE + (random() & 0xffff);
	}
}

static uint64_t random_register(bool user)
{
	if (random() % 50 == 0) {
		return random_device();
	}
	switch (random() % 5) {
	case 0:
	case 1: return (uint64_t)own->scratch + 200 + random() % 4096;
	case 2: return (uint64_t)own->scratch + 4096 - random() % 16;
	case 3: return user ? (random() & 0xffff) : 0x5000;
	default: return random() | 1ull << 62;
	}
}

static void round(bool user)
{
	make_code(user);
	for (unsigned i = 0; i < 16; i++) {
		regs[i] = random_register(user);
	}
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
	lapic_write(LAPIC_TPR, 0);
	lapic_eoi();
	ioapic_route(PIT_PIN, 0x400, (uint8_t)(lapic_read(LAPIC_ID) >> 24));
	pit_set(0x30, TIMEOUT);
	REG_SET(dr7, 0x400);
	chaos_run(own->code, regs, user ? 0x23 : CODE64, user ? 0x1b : DATA, user ? IOPL_3 | 2 : 2);
	pit_set(0x30, 0);
}

/* CPL 3 has the block at `own`, and no device. */
static void tables_on(void)
{
	const uint64_t *all = (const uint64_t *)(tables[0] & ~0xfffull);

	for (uint64_t i = 0; i < 8; i++) {
		low[i] = i << 21 | PS | W | P;
	}
	low[(uint64_t)own >> 21] |= U;
	for (unsigned i = 1; i < 4; i++) {
		directories[i] = all[i] & ~U;
	}
	directories[0] = (uint64_t)low | W | P | U;
	root[0] = (uint64_t)directories | W | P | U;
	REG_SET(cr3, root);
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	state = read32(GUEST_FLASH + 4);
	state = state * 0x9e3779b97f4a7c15ull + 1;
	tables_on();
	gates_stack(1);
	on_sync = on_exception;
	on_irq = on_interrupt;
	for (unsigned i = 0; i < ROUNDS; i++) {
		round(i % 2);
		if (i % 20 == 19) {
			put_char('.');
		}
	}
	on_sync = NULL;
	on_irq = NULL;
	check("chaos, caught", caught > ROUNDS);
	check("and not all of it for ever", timed_out < ROUNDS);
}

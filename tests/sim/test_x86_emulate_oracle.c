/* SPDX-License-Identifier: MIT */
/*
 * The x86 emulator against Unicorn: random registers, flags and operands for every instruction that
 * it does, in each mode, operand and address size; registers, RFLAGS, RIP, memory and ports must be
 * the same. Flags that the architecture leaves undefined are masked by undefined(). DRYDOCK_SWEEP
 * makes it a hundred times as many.
 */
#include <unit.h>

#include <stdio.h>

#include <arch/x86_64/address.h>
#include <arch/x86_64/alu.h>
#include <arch/x86_64/emulate.h>
#include <hv/bits.h>
#include <unicorn/unicorn.h>

#define MEMORY_SIZE 0x20000u /* a segment of 64 KiB, anywhere in the first 128 */
#define CODE        0x40000u
#define CODE_SIZE   0x10000u
#define SLOT        16u /* bytes of code for each instruction */
#define PORTS_MOST  8u
#define RFLAGS_DF   HV_BIT(10)
#define STATUS      (X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | X86_FLAG_OF)

struct port_trace {
	unsigned count;
	uint32_t value[PORTS_MOST];
	uint16_t port[PORTS_MOST];
	uint8_t size[PORTS_MOST];
};

struct machine {
	enum x86_mode mode;
	uc_engine *uc;
	_Alignas(4096) uint8_t theirs[MEMORY_SIZE], ours[MEMORY_SIZE];
	struct port_trace their_ports, our_ports;
	uint32_t slot;
};

struct sample {
	uint8_t bytes[16];
	struct x86_insn insn;
	struct x86_regs regs;
	struct x86_sys sys;
};

static struct machine machines[3];
static uint64_t seed;

static uint64_t random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 8 | seed << 56;
}

/* Small, at an edge of some size, or any. */
static uint64_t random_value(void)
{
	uint64_t r = random_next(), edge = HV_BIT((8u << (r >> 8 & 3)) - 1) << (r >> 10 & 1);

	switch (r & 3) {
	case 0: return r >> 20 & 0xff;
	case 1: return edge + (r >> 20 & 3) - 2;
	case 2: return hv_sign_extend(r >> 20, 9);
	default: return random_next();
	}
}

/* ---- the oracle ---- */

static const int gprs[X86_GPRS] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
	UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8,
	UC_X86_REG_R9, UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12, UC_X86_REG_R13,
	UC_X86_REG_R14, UC_X86_REG_R15};
static const int gprs_32[] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
	UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI};

static unsigned gpr_count(const struct machine *m)
{
	return m->mode == X86_MODE_64 ? X86_GPRS : 8;
}

static const int *gpr_names(const struct machine *m)
{
	return m->mode == X86_MODE_64 ? gprs : gprs_32;
}

static uint32_t port_value(unsigned n)
{
	return 0x9e3779b9u * (n + 1);
}

static void port_note(struct port_trace *trace, uint32_t port, unsigned size, uint32_t value)
{
	if (trace->count < PORTS_MOST) {
		trace->port[trace->count] = (uint16_t)port;
		trace->size[trace->count] = (uint8_t)size;
		trace->value[trace->count] = value;
	}
	trace->count++;
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *data)
{
	struct machine *m = data;
	uint32_t value = port_value(m->their_ports.count);

	(void)uc;
	port_note(&m->their_ports, port, (unsigned)size, 0);
	return value;
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value, void *data)
{
	struct machine *m = data;

	(void)uc;
	port_note(&m->their_ports, port, (unsigned)size,
		value & (uint32_t)HV_MASK(8u * (unsigned)size - 1, 0));
}

static void machine_open(struct machine *m, enum x86_mode mode)
{
	static const uc_mode modes[] = {UC_MODE_16, UC_MODE_32, UC_MODE_64};
	uc_hook hook;

	m->mode = mode;
	assert_int_equal(uc_open(UC_ARCH_X86, modes[mode], &m->uc), UC_ERR_OK);
	assert_int_equal(uc_ctl_set_cpu_model(m->uc, UC_CPU_X86_EPYC), UC_ERR_OK); /* MOVBE */
	assert_int_equal(
		uc_mem_map_ptr(m->uc, 0, MEMORY_SIZE, UC_PROT_READ | UC_PROT_WRITE, m->theirs),
		UC_ERR_OK);
	assert_int_equal(uc_mem_map(m->uc, CODE, CODE_SIZE, UC_PROT_ALL), UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(m->uc, &hook, UC_HOOK_INSN, (void *)on_in, m, 1, 0, UC_X86_INS_IN),
		UC_ERR_OK);
	assert_int_equal(
		uc_hook_add(m->uc, &hook, UC_HOOK_INSN, (void *)on_out, m, 1, 0, UC_X86_INS_OUT),
		UC_ERR_OK);
	for (size_t i = 0; i < MEMORY_SIZE; i++) {
		m->theirs[i] = m->ours[i] = (uint8_t)(random_next() >> 16);
	}
}

static void reg_write(struct machine *m, int reg, uint64_t value)
{
	assert_int_equal(uc_reg_write(m->uc, reg, &value), UC_ERR_OK);
}

static uint64_t reg_read(struct machine *m, int reg)
{
	uint64_t value = 0;

	assert_int_equal(uc_reg_read(m->uc, reg, &value), UC_ERR_OK);
	return value;
}

static void segments_write(struct machine *m, const struct x86_sys *sys)
{
	static const int names[] = {UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS, UC_X86_REG_DS,
		UC_X86_REG_FS, UC_X86_REG_GS};

	if (m->mode == X86_MODE_16) {
		for (unsigned i = 0; i < HV_ARRAY_COUNT(names); i++) {
			reg_write(m, names[i], sys->seg[i].selector);
		}
	} else if (m->mode == X86_MODE_64) {
		reg_write(m, UC_X86_REG_FS_BASE, sys->seg[X86_FS].base);
		reg_write(m, UC_X86_REG_GS_BASE, sys->seg[X86_GS].base);
	}
}

static void show(const struct machine *m, const struct sample *s)
{
	(void)fprintf(stderr, "mode %d, op %u, size %u, address size %u:", m->mode, s->insn.op,
		s->insn.size, s->insn.addr_size);
	for (unsigned i = 0; i < s->insn.length; i++) {
		(void)fprintf(stderr, " %02x", s->bytes[i]);
	}
	(void)fprintf(stderr, "\n");
}

/* Runs the one instruction, and leaves in `s` what its registers are then. */
static void run_theirs(struct machine *m, struct sample *s)
{
	static const int rip[] = {UC_X86_REG_IP, UC_X86_REG_EIP, UC_X86_REG_RIP};
	uint64_t at = s->sys.seg[X86_CS].base + s->sys.rip;
	uc_err error;

	m->their_ports.count = 0;
	segments_write(m, &s->sys);
	for (unsigned i = 0; i < gpr_count(m); i++) {
		reg_write(m, gpr_names(m)[i], s->regs.r[i]);
	}
	reg_write(m, UC_X86_REG_EFLAGS, s->sys.rflags);
	assert_int_equal(uc_mem_write(m->uc, at, s->bytes, SLOT), UC_ERR_OK);
	error = uc_emu_start(m->uc, at, at + s->insn.length, 0, 0);
	if (error != UC_ERR_OK) {
		show(m, s);
		fail_msg("%s", uc_strerror(error));
	}
	for (unsigned i = 0; i < gpr_count(m); i++) {
		s->regs.r[i] = reg_read(m, gpr_names(m)[i]);
	}
	s->sys.rflags = reg_read(m, UC_X86_REG_EFLAGS);
	s->sys.rip = reg_read(m, rip[m->mode]);
}

/* ---- ours ---- */

static void access_do(struct machine *m, struct x86_access *access, bool write)
{
	uint8_t *at = m->ours + access->linear;

	assert_in_range(access->linear, 0, MEMORY_SIZE - 8);
	if (!write) {
		access->data = 0;
	}
	for (unsigned i = 0; i < access->size; i++) {
		if (write) {
			at[i] = (uint8_t)(access->data >> 8 * i);
		} else {
			access->data |= (uint64_t)at[i] << 8 * i;
		}
	}
	assert_int_equal(access->data & ~HV_MASK(8u * access->size - 1, 0), 0);
}

static void port_do(struct machine *m, const struct sample *s, struct x86_emu *emu)
{
	struct x86_access *access = &emu->access[0];
	uint32_t port = (uint32_t)s->regs.r[X86_RDX] & 0xffff;

	if (emu->count == 0) {
		return;
	}
	if (s->insn.op == X86_OP_INS) {
		access->data = port_value(m->our_ports.count) & HV_MASK(8u * access->size - 1, 0);
		port_note(&m->our_ports, port, access->size, 0);
	} else {
		port_note(&m->our_ports, port, access->size, (uint32_t)access->data);
	}
}

/* False: it ends in a fault, for limits that Unicorn does not look at. */
static bool run_ours(struct machine *m, struct sample *s)
{
	enum x86_emulated done = X86_EMU_AGAIN;

	m->our_ports.count = 0;
	while (done == X86_EMU_AGAIN) {
		struct x86_emu emu;
		enum x86_emulated begun = x86_emulate_begin(&emu, &s->insn, &s->regs, &s->sys);

		if (begun == X86_EMU_FAULT) {
			return false;
		}
		assert_int_equal(begun, X86_EMU_ACCESS);
		for (unsigned i = 0; i < emu.count; i++) {
			if (emu.access[i].read) {
				access_do(m, &emu.access[i], false);
			}
		}
		if (s->insn.op == X86_OP_INS || s->insn.op == X86_OP_OUTS) {
			port_do(m, s, &emu);
		}
		done = x86_emulate_end(&emu, &s->insn, &s->regs, &s->sys);
		for (unsigned i = 0; i < emu.count; i++) {
			if (emu.access[i].write) {
				access_do(m, &emu.access[i], true);
			}
		}
	}
	assert_int_equal(done, X86_EMU_DONE);
	return true;
}

/* ---- what is asked ---- */

static const struct {
	uint8_t map;   /* 0, 0x0f, 0x38 */
	uint8_t first; /* opcodes, one of these */
	uint8_t count;
	uint8_t digits; /* ModRM.reg: a bit for each that is wanted; 0: any */
} opcodes[] = {
	{0, 0x00, 6, 0},
	{0, 0x08, 6, 0},
	{0, 0x10, 6, 0},
	{0, 0x18, 6, 0},
	{0, 0x20, 6, 0},
	{0, 0x28, 6, 0},
	{0, 0x30, 6, 0},
	{0, 0x38, 6, 0},
	{0, 0x63, 1, 0},
	{0, 0x6c, 4, 0},
	{0, 0x80, 2, 0},
	{0, 0x83, 1, 0},
	{0, 0x84, 4, 0},
	{0, 0x88, 4, 0},
	{0, 0xa0, 4, 0},
	{0, 0xa4, 4, 0},
	{0, 0xa8, 8, 0},
	{0, 0xb0, 16, 0},
	{0, 0xc6, 2, 0x01},
	{0, 0xf6, 2, 0x0d}, /* /1, which is /0 again, is unknown to Unicorn */
	{0, 0xfe, 2, 0x03},
	{0x0f, 0xa3, 1, 0},
	{0x0f, 0xab, 1, 0},
	{0x0f, 0xb3, 1, 0},
	{0x0f, 0xbb, 1, 0},
	{0x0f, 0xba, 1, 0xf0},
	{0x0f, 0xb0, 2, 0},
	{0x0f, 0xb6, 2, 0},
	{0x0f, 0xbe, 2, 0},
	{0x0f, 0xc0, 2, 0},
	{0x0f, 0xc3, 1, 0},
	{0x38, 0xf0, 2, 0},
};

static size_t prefixes_write(const struct machine *m, uint8_t *bytes, bool string)
{
	static const uint8_t segment[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
	uint64_t r = random_next();
	size_t at = 0;

	if ((r & 7) == 0) {
		bytes[at++] = segment[(r >> 32) % sizeof(segment)];
	}
	if ((r >> 3 & 3) == 0) {
		bytes[at++] = 0x66;
	}
	if ((r >> 5 & 3) == 0) {
		bytes[at++] = 0x67;
	}
	if ((r >> 7 & 7) == 0) {
		bytes[at++] = 0xf0;
	}
	if (string && (r >> 10 & 3) != 0) {
		bytes[at++] = r >> 12 & 1 ? 0xf3 : 0xf2;
	}
	if (m->mode == X86_MODE_64 && (r >> 13 & 1)) {
		bytes[at++] = (uint8_t)(0x40 | (r >> 16 & 15));
	}
	return at;
}

static void bytes_make(const struct machine *m, uint8_t bytes[16])
{
	uint64_t r = random_next();
	size_t row = (r >> 16) % HV_ARRAY_COUNT(opcodes), at;
	uint8_t opcode = (uint8_t)(opcodes[row].first + (r >> 24 & 0xff) % opcodes[row].count);
	bool string = opcodes[row].map == 0 && ((opcode & 0xfc) == 0x6c || (opcode & 0xf4) == 0xa4);
	uint8_t digits = opcodes[row].digits;

	at = prefixes_write(m, bytes, string);
	if (opcodes[row].map) {
		bytes[at++] = 0x0f;
	}
	if (opcodes[row].map == 0x38) {
		bytes[at++] = 0x38;
	}
	if (at > 0 && (opcode & 0xfe) == 0xc6 && (bytes[at - 1] & 0xf0) == 0x40) {
		bytes[at - 1] &= (uint8_t)~4; /* Unicorn takes REX.R for a bit of the opcode here */
	}
	bytes[at++] = opcode;
	for (size_t i = at; i < 16; i++) {
		bytes[i] = (uint8_t)(random_next() >> 20);
	}
	while (digits && !hv_bit(digits, bytes[at] >> 3 & 7)) {
		bytes[at] = (uint8_t)(random_next() >> 20);
	}
}

static void segments_make(const struct machine *m, struct x86_sys *sys)
{
	bool real = m->mode == X86_MODE_16;

	for (unsigned i = X86_ES; i <= X86_GS; i++) {
		struct x86_seg *seg = &sys->seg[i];

		seg->limit = real ? 0xffff : 0xffffffff;
		seg->attrib = X86_SEG_P | X86_SEG_S | 3;
		if (real) {
			seg->selector = (uint16_t)(random_next() & 0xfff);
			seg->base = (uint64_t)seg->selector << 4;
		}
	}
	sys->seg[X86_CS].attrib = X86_SEG_P | X86_SEG_S | 11;
	if (real) {
		sys->seg[X86_CS].selector = CODE >> 4;
		sys->seg[X86_CS].base = CODE;
		return;
	}
	sys->cr0 = 1;
	if (m->mode == X86_MODE_32) {
		sys->seg[X86_CS].attrib |= X86_SEG_D;
	} else {
		sys->seg[X86_CS].attrib |= X86_SEG_L;
		sys->efer = HV_BIT(10);
		sys->seg[X86_FS].base = random_next() & 0xfff;
		sys->seg[X86_GS].base = random_next() & 0xfff;
	}
}

static bool decode(const struct machine *m, struct sample *s)
{
	return x86_decode(&s->insn, s->bytes, sizeof(s->bytes), m->mode) == X86_DECODED;
}

/* An address without registers stands in the instruction: it is looked for and changed there. */
static bool displacement_aim(const struct machine *m, struct sample *s, uint64_t by)
{
	static const uint8_t widths[] = {8, 4, 2};
	uint64_t was = (uint64_t)s->insn.mem.disp, disp = was + by;
	uint64_t offset = x86_effective(&s->insn, &s->regs, &s->sys) + by;
	struct sample trial;

	for (size_t i = 0; i < HV_ARRAY_COUNT(widths); i++) {
		for (size_t at = 1; at + widths[i] <= s->insn.length; at++) {
			trial = *s;
			if (memcmp(trial.bytes + at, &was, widths[i]) != 0) {
				continue;
			}
			memcpy(trial.bytes + at, &disp, widths[i]);
			if (decode(m, &trial) && trial.insn.length == s->insn.length &&
				x86_effective(&trial.insn, &trial.regs, &trial.sys) == offset) {
				*s = trial;
				return true;
			}
		}
	}
	return false;
}

/* Makes the operand lie in memory. False: this one cannot. */
static bool operand_aim(const struct machine *m, struct sample *s)
{
	const struct x86_mem *mem = &s->insn.mem;
	uint64_t target = 0x4000 + (random_next() & 0x7fff), by;
	unsigned bits = 8u * s->insn.addr_size;

	by = hv_sign_extend(target - x86_effective(&s->insn, &s->regs, &s->sys), bits);
	if (mem->base < X86_GPRS) {
		s->regs.r[mem->base] += by;
		return mem->base != mem->index;
	}
	if (mem->index < X86_GPRS) {
		s->regs.r[mem->index] += (uint64_t)((int64_t)by >> mem->shift);
		return true;
	}
	return displacement_aim(m, s, by);
}

static uint64_t low_bits_set(uint64_t value, unsigned bytes, uint64_t low)
{
	uint64_t mask = HV_MASK(8 * bytes - 1, 0);

	return (value & ~mask) | (low & mask);
}

static void string_aim(struct sample *s)
{
	uint8_t width = s->insn.addr_size;
	uint64_t *r = s->regs.r;

	r[X86_RCX] = low_bits_set(r[X86_RCX], width, random_next() % 6);
	r[X86_RSI] = low_bits_set(r[X86_RSI], width, 0x4000 + (random_next() & 0x7fff));
	r[X86_RDI] = low_bits_set(r[X86_RDI], width, 0x4000 + (random_next() & 0x7fff));
}

static bool is_string(const struct sample *s)
{
	return s->insn.op >= X86_OP_STOS && s->insn.op <= X86_OP_OUTS;
}

static bool is_bit_string(const struct sample *s)
{
	return s->insn.op >= X86_OP_BT && s->insn.op <= X86_OP_BTC &&
	       s->insn.src.kind == X86_OPERAND_REG;
}

static bool is_in_memory(const struct sample *s)
{
	struct x86_emu emu;

	if (x86_emulate_begin(&emu, &s->insn, &s->regs, &s->sys) != X86_EMU_ACCESS) {
		return false;
	}
	for (unsigned i = 0; i < emu.count; i++) {
		if (emu.access[i].linear < 64 || emu.access[i].linear >= MEMORY_SIZE - 64) {
			return false;
		}
	}
	return true;
}

/*
 * What Unicorn 2.1.1 has wrong: the sizes of MOVBE in 16-bit mode, one of which it refuses; the
 * flags of a locked NEG, which it takes from the old value.
 */
static bool is_not_asked(const struct machine *m, const struct sample *s)
{
	return (s->insn.op == X86_OP_MOVBE && m->mode == X86_MODE_16) ||
	       (s->insn.op == X86_OP_NEG && s->insn.lock);
}

static bool sample_make(struct machine *m, struct sample *s)
{
	*s = (struct sample){.sys = {.rflags = 2 | (random_next() & (STATUS | RFLAGS_DF))}};
	bytes_make(m, s->bytes);
	segments_make(m, &s->sys);
	s->sys.rip = (m->mode == X86_MODE_16 ? 0 : CODE) + m->slot;
	for (unsigned i = 0; i < gpr_count(m); i++) {
		s->regs.r[i] = m->mode == X86_MODE_64 ? random_value() : (uint32_t)random_value();
	}
	if (!decode(m, s) || is_not_asked(m, s)) {
		return false;
	}
	if (s->insn.op == X86_OP_CMPXCHG && s->insn.size == 4) {
		/* Unicorn clears the upper half also where EAX is not written */
		s->regs.r[X86_RAX] = (uint32_t)s->regs.r[X86_RAX];
	}
	if (is_string(s)) {
		string_aim(s);
	} else {
		if (is_bit_string(s)) {
			s->regs.r[s->insn.src.reg] = hv_sign_extend(random_next(), 14);
		}
		if ((s->insn.dst.kind == X86_OPERAND_MEM || s->insn.src.kind == X86_OPERAND_MEM) &&
			!operand_aim(m, s)) {
			return false;
		}
	}
	for (unsigned i = 0; i < X86_GPRS && m->mode != X86_MODE_64; i++) {
		s->regs.r[i] = (uint32_t)s->regs.r[i];
	}
	return is_in_memory(s);
}

/* ---- what has to be the same ---- */

/* Flags that APM3 leaves undefined. */
static uint64_t undefined(const struct sample *s)
{
	switch (s->insn.op) {
	case X86_OP_OR:
	case X86_OP_AND:
	case X86_OP_XOR:
	case X86_OP_TEST: return X86_FLAG_AF;
	case X86_OP_BT:
	case X86_OP_BTS:
	case X86_OP_BTR:
	case X86_OP_BTC: return X86_FLAG_OF | X86_FLAG_SF | X86_FLAG_AF | X86_FLAG_PF;
	default: return 0;
	}
}

static bool same_ports(const struct machine *m)
{
	const struct port_trace *a = &m->our_ports, *b = &m->their_ports;

	for (unsigned i = 0; i < a->count && i < PORTS_MOST; i++) {
		if (a->port[i] != b->port[i] || a->size[i] != b->size[i] ||
			a->value[i] != b->value[i]) {
			return false;
		}
	}
	return a->count == b->count;
}

static bool same(const struct machine *m, const struct sample *was, const struct sample *ours,
	const struct sample *theirs)
{
	uint64_t flags = (STATUS | RFLAGS_DF) & ~undefined(was);

	return memcmp(ours->regs.r, theirs->regs.r, gpr_count(m) * sizeof(ours->regs.r[0])) == 0 &&
	       ((ours->sys.rflags ^ theirs->sys.rflags) & flags) == 0 &&
	       ours->sys.rip == theirs->sys.rip && memcmp(m->ours, m->theirs, MEMORY_SIZE) == 0 &&
	       same_ports(m);
}

static void report(const struct machine *m, const struct sample *was, const struct sample *ours,
	const struct sample *theirs)
{
	show(m, was);
	(void)fprintf(stderr, "rflags %llx: %llx, and theirs %llx; rip %llx, and theirs %llx\n",
		(unsigned long long)was->sys.rflags, (unsigned long long)ours->sys.rflags,
		(unsigned long long)theirs->sys.rflags, (unsigned long long)ours->sys.rip,
		(unsigned long long)theirs->sys.rip);
	for (unsigned i = 0; i < gpr_count(m); i++) {
		(void)fprintf(stderr, "r%u %llx: %llx, and theirs %llx\n", i,
			(unsigned long long)was->regs.r[i], (unsigned long long)ours->regs.r[i],
			(unsigned long long)theirs->regs.r[i]);
	}
	for (size_t i = 0; i < MEMORY_SIZE; i++) {
		if (m->ours[i] != m->theirs[i]) {
			(void)fprintf(stderr, "memory %zx: %02x, and theirs %02x\n", i, m->ours[i],
				m->theirs[i]);
		}
	}
}

static unsigned compare(struct machine *m)
{
	struct sample was, ours, theirs;

	if (!sample_make(m, &was)) {
		return 0;
	}
	ours = theirs = was;
	if (!run_ours(m, &ours)) {
		memcpy(m->ours, m->theirs, MEMORY_SIZE);
		return 0;
	}
	run_theirs(m, &theirs);
	m->slot = (m->slot + SLOT) % (CODE_SIZE - SLOT);
	if (!same(m, &was, &ours, &theirs)) {
		report(m, &was, &ours, &theirs);
		fail();
	}
	return 1;
}

static void d8_x86_emulate__random_instructions__registers_flags_and_memory_as_unicorn_has_them(
	void **state)
{
	unsigned long count = getenv("DRYDOCK_SWEEP") ? 1000000 : 10000;

	(void)state;
	seed = 7;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(machines); i++) {
		unsigned long done = 0;

		machine_open(&machines[i], (enum x86_mode)i);
		while (done < count) {
			done += compare(&machines[i]);
		}
		(void)uc_close(machines[i].uc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(
			d8_x86_emulate__random_instructions__registers_flags_and_memory_as_unicorn_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Accesses without a syndrome (ISV=0): the instruction is fetched, decoded and done. */
#include "a64_kit.h"

#include <arch/aarch64/decode.h>

#define MEM     0x0a000000u /* a device that behaves like memory and counts */
#define MEM_TOP (MEM + 0x1000u)
#define BASE    (MEM + 0x100u)
#define PC      KIT_RAM

static struct {
	uint8_t byte[0x1000];
	unsigned accesses, refuse_from; /* refuse_from: which access is refused first, 1.. */
	uint8_t size[8];
	uint64_t off[8];
} mem;

static bool mem_access(void *dev, struct hv_access *access)
{
	(void)dev;
	if (mem.accesses < 8) {
		mem.size[mem.accesses] = access->size;
		mem.off[mem.accesses] = access->off;
	}
	if (++mem.accesses == mem.refuse_from) {
		return false;
	}
	for (unsigned i = 0; i < access->size; i++) {
		if (access->write) {
			mem.byte[access->off + i] = (uint8_t)(access->data >> 8 * i);
		} else {
			access->data |= (uint64_t)mem.byte[access->off + i] << 8 * i;
		}
	}
	return true;
}

static void mem_reset(void *dev)
{
	(void)dev;
}

static const struct hv_dev_ops mem_ops = {
	.name = "memory-like", .access = mem_access, .reset = mem_reset};

static uint64_t mem_value(unsigned off, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)mem.byte[off + i] << 8 * i;
	}
	return value;
}

static int setup(void **state)
{
	const struct hv_region region = {
		.base = GPA(MEM), .size = 0x1000, .ops = &mem_ops, .dev = &mem};

	kit_setup(state);
	memset(&mem, 0, sizeof(mem));
	for (unsigned i = 0; i < sizeof(mem.byte); i++) {
		mem.byte[i] = (uint8_t)(i * 7 + 0x81);
	}
	for (unsigned n = 0; n < 32; n++) {
		fake_a64.vreg[n][0] = 0x1111111111111111u * (n & 7) + n;
		fake_a64.vreg[n][1] = 0xfedcba9800000000u + n;
	}
	kit.vcpu->regs.x[5] = BASE;
	return hv_bus_add(&kit.vm->bus, &region);
}

#define emulate_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

static void put_insn(uint64_t pc, uint32_t insn)
{
	for (unsigned i = 0; i < 4; i++) {
		kit_ram[pc - KIT_RAM + i] = (uint8_t)(insn >> 8 * i);
	}
}

/* The instruction at the PC faults at `far`, MMU off. */
static enum hv_verdict fault(uint32_t insn, bool write, uint64_t far)
{
	const struct a64_trap trap = {.esr = kit_esr(0x24, (uint64_t)write << 6 | 7),
		.far = far,
		.hpfar = far >> 12 << 4};

	put_insn(kit.vcpu->regs.pc, insn);
	return a64_trap_handle(kit.vcpu, &trap);
}

static void took_abort(unsigned fsc, bool write)
{
	kit_took(PC, 0x200, kit_esr(0x25, (uint64_t)write << 6 | fsc));
}

/* ---- X2, D3: every form that is done ---- */

enum file { X, W, V }; /* general by 64 and 32 bits; vectors */

struct form {
	uint32_t insn;
	const char *text;
	enum file file;
	uint8_t size, count;
	bool sext;
	int off;   /* of the access from x5 */
	int moves; /* what x5 becomes */
};

static const struct form loads[] = {
	{0xa94008a1, "ldp x1, x2, [x5]", X, 8, 2, false, 0, 0},
	{0x294108a1, "ldp w1, w2, [x5, #8]", W, 4, 2, false, 8, 0},
	{0x68c208a1, "ldpsw x1, x2, [x5], #16", X, 4, 2, true, 0, 16},
	{0xa84008a1, "ldnp x1, x2, [x5]", X, 8, 2, false, 0, 0},
	{0xad4008a1, "ldp q1, q2, [x5]", V, 16, 2, false, 0, 0},
	{0x2d4008a1, "ldp s1, s2, [x5]", V, 4, 2, false, 0, 0},
	{0xf84084a1, "ldr x1, [x5], #8", X, 8, 1, false, 0, 8},
	{0xb8404ca1, "ldr w1, [x5, #4]!", W, 4, 1, false, 4, 4},
	{0x38c014a1, "ldrsb w1, [x5], #1", W, 1, 1, true, 0, 1},
	{0x388014a1, "ldrsb x1, [x5], #1", X, 1, 1, true, 0, 1},
	{0x78c024a1, "ldrsh w1, [x5], #2", W, 2, 1, true, 0, 2},
	{0xb88044a1, "ldrsw x1, [x5], #4", X, 4, 1, true, 0, 4},
	{0x38401ca1, "ldrb w1, [x5, #1]!", W, 1, 1, false, 1, 1},
	{0x3d4000a1, "ldr b1, [x5]", V, 1, 1, false, 0, 0},
	{0x7d4000a1, "ldr h1, [x5]", V, 2, 1, false, 0, 0},
	{0xbd4000a1, "ldr s1, [x5]", V, 4, 1, false, 0, 0},
	{0xfd4000a1, "ldr d1, [x5]", V, 8, 1, false, 0, 0},
	{0x3dc000a1, "ldr q1, [x5]", V, 16, 1, false, 0, 0},
	{0x3cc104a1, "ldr q1, [x5], #16", V, 16, 1, false, 0, 16},
	{0xf84088a1, "ldtr x1, [x5, #8]", X, 8, 1, false, 8, 0},
	{0xc8dffca1, "ldar x1, [x5]", X, 8, 1, false, 0, 0},
	{0xb8bfc0a1, "ldapr w1, [x5]", W, 4, 1, false, 0, 0},
	{0xf85f80a1, "ldur x1, [x5, #-8]", X, 8, 1, false, -8, 0},
};

static const struct form stores[] = {
	{0xa9bf08a1, "stp x1, x2, [x5, #-16]!", X, 8, 2, false, -16, -16},
	{0xa80008a1, "stnp x1, x2, [x5]", X, 8, 2, false, 0, 0},
	{0xad0008a1, "stp q1, q2, [x5]", V, 16, 2, false, 0, 0},
	{0x6d0008a1, "stp d1, d2, [x5]", V, 8, 2, false, 0, 0},
	{0xf81f84a1, "str x1, [x5], #-8", X, 8, 1, false, 0, -8},
	{0xb800cca1, "str w1, [x5, #12]!", W, 4, 1, false, 12, 12},
	{0x780024a1, "strh w1, [x5], #2", W, 2, 1, false, 0, 2},
	{0x3d0000a1, "str b1, [x5]", V, 1, 1, false, 0, 0},
	{0x7d0000a1, "str h1, [x5]", V, 2, 1, false, 0, 0},
	{0xbd0000a1, "str s1, [x5]", V, 4, 1, false, 0, 0},
	{0xfd0000a1, "str d1, [x5]", V, 8, 1, false, 0, 0},
	{0x3d8000a1, "str q1, [x5]", V, 16, 1, false, 0, 0},
	{0xb80008a1, "sttr w1, [x5]", W, 4, 1, false, 0, 0},
	{0x889ffca1, "stlr w1, [x5]", W, 4, 1, false, 0, 0},
};

/* One access per element, but two for each of 16 bytes; in the order of memory. */
static void expect_accesses(const struct form *form)
{
	unsigned part = form->size < 8 ? form->size : 8;
	unsigned count = form->count * form->size / part;

	assert_int_equal(mem.accesses, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(mem.size[i], part);
		assert_int_equal(mem.off[i], (unsigned)((int)(BASE - MEM) + form->off) + part * i);
	}
}

static void expect_done(const struct form *form, uint32_t written)
{
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(kit.vcpu->regs.x[5], BASE + (uint64_t)(int64_t)form->moves);
	kit_registers_but(1u << 5 | written);
	expect_accesses(form);
}

static uint64_t extended(const struct form *form, uint64_t value)
{
	value = form->sext ? hv_sign_extend(value, 8u * form->size) : value;
	return form->file == X ? value : (uint32_t)value;
}

static void x2_load_without_syndrome__every_form__is_done(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(loads); i++) {
		const struct form *form = &loads[i];
		unsigned at = (unsigned)((int)(BASE - MEM) + form->off);

		setup(NULL);
		assert_int_equal(fault(form->insn, false, MEM + at), HV_RESUME);
		for (unsigned n = 0; n < form->count; n++, at += form->size) {
			unsigned half = form->size < 8 ? form->size : 8;

			if (form->file == V) {
				assert_int_equal(fake_a64.vreg[1 + n][0], mem_value(at, half));
				assert_int_equal(fake_a64.vreg[1 + n][1],
					form->size == 16 ? mem_value(at + 8, 8) : 0);
			} else {
				assert_int_equal(kit.vcpu->regs.x[1 + n],
					extended(form, mem_value(at, form->size)));
			}
		}
		expect_done(form, form->file == V ? 0 : form->count == 2 ? 6u : 2u);
	}
}

static void x2_store_without_syndrome__every_form__is_done(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(stores); i++) {
		const struct form *form = &stores[i];
		unsigned at = (unsigned)((int)(BASE - MEM) + form->off);
		uint8_t before, after;

		setup(NULL);
		before = mem.byte[at - 1];
		after = mem.byte[at + form->count * form->size];
		assert_int_equal(fault(form->insn, true, MEM + at), HV_RESUME);
		assert_int_equal(mem.byte[at - 1], before);
		assert_int_equal(mem.byte[at + form->count * form->size], after);
		for (unsigned n = 0; n < form->count; n++, at += form->size) {
			unsigned half = form->size < 8 ? form->size : 8;
			uint64_t want =
				form->file == V ? fake_a64.vreg[1 + n][0] : kit_poison(1 + n);

			assert_int_equal(mem_value(at, half), want & HV_MASK(8 * half - 1, 0));
			if (form->size == 16) {
				assert_int_equal(mem_value(at + 8, 8), fake_a64.vreg[1 + n][1]);
			}
		}
		expect_done(form, 0);
	}
}

static void x3_stp__zero_register__stores_zero(void **state)
{
	(void)state;
	assert_int_equal(fault(0x29007ca1, true, BASE), HV_RESUME); /* stp w1, wzr, [x5] */
	assert_int_equal(mem_value(0x100, 4), (uint32_t)kit_poison(1));
	assert_int_equal(mem_value(0x104, 4), 0);
}

static void x3_ldp__zero_register__is_read_and_dropped(void **state)
{
	(void)state;
	assert_int_equal(fault(0xa9407ca1, false, BASE), HV_RESUME); /* ldp x1, xzr, [x5] */
	assert_int_equal(mem.accesses, 2);
	assert_int_equal(kit.vcpu->regs.x[1], mem_value(0x100, 8));
	kit_registers_but(1u << 5 | 1u << 1);
}

static void d3_writeback__to_sp__goes_to_the_one_in_use(void **state)
{
	static const struct {
		uint64_t pstate;
		bool own;
	} row[] = {{KIT_EL1H, true}, {KIT_EL1T, false}, {KIT_EL0, false}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		setup(NULL);
		kit.vcpu->regs.pstate = row[i].pstate;
		fake_a64.el1.sp_el1 = row[i].own ? BASE : 0x1110;
		fake_a64.el1.sp_el0 = row[i].own ? 0x2220 : BASE;
		/* str x1, [sp, #-16]! */
		assert_int_equal(fault(0xf81f0fe1, true, BASE - 16), HV_RESUME);
		assert_int_equal(kit.vcpu->el1.sp_el1, row[i].own ? BASE - 16 : 0x1110);
		assert_int_equal(kit.vcpu->el1.sp_el0, row[i].own ? 0x2220 : BASE - 16);
		assert_true(kit.vcpu->el1_dirty);
		assert_int_equal(mem_value(0xf0, 8), kit_poison(1));
	}
}

static void d3_register_offset__every_extend_and_shift(void **state)
{
	static const struct {
		uint32_t insn;
		uint64_t index;
		uint64_t off;
	} row[] = {
		{0xf86648a1, 0xffffffff00000008, 8},             /* uxtw */
		{0xf866d8a1, 0x00000000fffffffe, (uint64_t)-16}, /* sxtw #3 */
		{0xf86678a1, 2, 16},                             /* lsl #3 */
		{0xf86668a1, (uint64_t)-8, (uint64_t)-8},        /* lsl #0 */
		{0xf866f8a1, (uint64_t)-4, (uint64_t)-32},       /* sxtx #3 */
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		setup(NULL);
		kit.vcpu->regs.x[6] = row[i].index;
		assert_int_equal(fault(row[i].insn, false, BASE + row[i].off), HV_RESUME);
		assert_int_equal(kit.vcpu->regs.x[1], mem_value((unsigned)(0x100 + row[i].off), 8));
		assert_int_equal(kit.vcpu->regs.x[5], BASE);
	}
}

static void x2_literal__pc_relative__is_done(void **state)
{
	/* Code next to a device: the last page of a region of memory, and the device behind it. */
	static const uint32_t insn[] = {0x18000801, 0x98000801, 0x9c000801}; /* w1, sw x1, q1 */
	const uint64_t pc = KIT_RAM + KIT_RAM_SIZE - 0x80;
	const struct hv_region region = {
		.base = GPA(KIT_RAM + KIT_RAM_SIZE), .size = 0x1000, .ops = &mem_ops, .dev = &mem};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(insn); i++) {
		setup(NULL);
		assert_int_equal(hv_bus_add(&kit.vm->bus, &region), HV_OK);
		mem.byte[0x83] = 0x99;
		kit.vcpu->regs.pc = pc;
		assert_int_equal(fault(insn[i], false, pc + 0x100), HV_RESUME);
		assert_int_equal(kit.vcpu->regs.pc, pc + 4);
		if (i == 2) {
			assert_int_equal(fake_a64.vreg[1][0], mem_value(0x80, 8));
		} else {
			assert_int_equal(kit.vcpu->regs.x[1],
				i ? hv_sign_extend(mem_value(0x80, 4), 32) : mem_value(0x80, 4));
		}
	}
}

/* ---- refusals: nothing has changed ---- */

static void expect_refused(uint32_t insn, bool write)
{
	setup(NULL);
	assert_int_equal(fault(insn, write, BASE), HV_RESUME);
	took_abort(0x10, write);
	assert_int_equal(kit.vcpu->el1.far, BASE);
	assert_int_equal(mem.accesses, 0);
	assert_int_equal(kit.vcpu->regs.x[5], BASE);
	kit_registers_but(1u << 5);
	assert_int_equal(kit.vcpu->hv.stats.exits[HV_EXIT_GUEST], 1);
}

static void d5_exclusives_and_atomics_on_a_device__external_abort(void **state)
{
	static const uint32_t read[] = {0xc85f7ca1, 0x885ffca1};
	static const uint32_t write[] = {
		0xc8037ca1, 0xc82388a1, 0xc8a17ca2, 0xf82100a2, 0xb82180a2};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(read); i++) {
		expect_refused(read[i], false);
	}
	for (unsigned i = 0; i < HV_ARRAY_COUNT(write); i++) {
		expect_refused(write[i], true);
	}
}

static void x2_zva_prefetch_structure_auth_and_no_access_at_all__external_abort(void **state)
{
	static const uint32_t read[] = {
		0xf98000a0, 0x4c4078a1, 0xf82004a1, 0xd503201f, 0x8b030041, 0, 0xffffffff};
	static const uint32_t write[] = {0xd50b7425, 0x0d000ca1};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(read); i++) {
		expect_refused(read[i], false);
	}
	for (unsigned i = 0; i < HV_ARRAY_COUNT(write); i++) {
		expect_refused(write[i], true);
	}
}

static void d2_unpredictable__base_or_register_twice__refused(void **state)
{
	static const uint32_t read[] = {
		0xf84084a5, /* ldr x5, [x5], #8 */
		0xf8408ca5, /* ldr x5, [x5, #8]! */
		0xa8c108a5, /* ldp x5, x2, [x5], #16 */
		0xa8c114a1, /* ldp x1, x5, [x5], #16 */
		0xa94004a1, /* ldp x1, x1, [x5] */
		0xad4004a1, /* ldp q1, q1, [x5] */
		0x694004a1, /* ldpsw x1, x1, [x5] */
	};
	static const uint32_t write[] = {
		0xf80084a5, /* str x5, [x5], #8 */
		0xa9be14a5, /* stp x5, x5, [x5, #-32]! */
		0xa88114a1, /* stp x1, x5, [x5], #16 */
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(read); i++) {
		assert_int_equal(a64_ldst_decode(read[i]).kind, A64_LDST_UNPREDICTABLE);
		expect_refused(read[i], false);
	}
	for (unsigned i = 0; i < HV_ARRAY_COUNT(write); i++) {
		assert_int_equal(a64_ldst_decode(write[i]).kind, A64_LDST_UNPREDICTABLE);
		expect_refused(write[i], true);
	}
}

static void d2_predictable__same_numbers_in_other_files_or_without_writeback__done(void **state)
{
	static const uint32_t fine[] = {
		0xf94000a5, /* ldr x5, [x5] */
		0xa94014a2, /* ldp x2, x5, [x5] */
		0xa90004a1, /* stp x1, x1, [x5] */
		0xfc4084a5, /* ldr d5, [x5], #8 */
		0x6cc114a1, /* ldp d1, d5, [x5], #16 */
		0xf84087ff, /* ldr xzr, [sp], #8: register 31 is two registers */
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(fine); i++) {
		assert_int_equal(a64_ldst_decode(fine[i]).kind, A64_LDST_PLAIN);
	}
	assert_int_equal(fault(fine[1], false, BASE), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.x[5], mem_value(0x108, 8));
}

static void x2_instruction_does_not_fit_the_fault__never_a_guess(void **state)
{
	(void)state;
	/* A load where a store trapped; and an address that is not the one that faulted. */
	assert_int_equal(fault(0xa94008a1, true, BASE), HV_RESUME);
	took_abort(0x10, true);
	assert_int_equal(mem.accesses, 0);
	setup(NULL);
	assert_int_equal(fault(0xa94008a1, false, BASE + 16), HV_RESUME);
	took_abort(0x10, false);
	assert_int_equal(kit.vcpu->el1.far, BASE + 16);
	setup(NULL);
	assert_int_equal(fault(0xa94008a1, false, BASE - 1), HV_RESUME);
	took_abort(0x10, false);
	assert_int_equal(mem.accesses, 0);
	setup(NULL);
	assert_int_equal(fault(0xa94008a1, false, BASE + 15), HV_RESUME); /* its last byte */
	assert_int_equal(mem.accesses, 2);
}

static void x2_address_tag_in_far__does_not_matter(void **state)
{
	const struct a64_trap trap = {.esr = kit_esr(0x24, 7),
		.far = 0xab00000000000000u | BASE,
		.hpfar = BASE >> 12 << 4};

	(void)state;
	put_insn(PC, 0xa94008a1);
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	assert_int_equal(mem.accesses, 2);
}

static void x2_aarch32__external_abort(void **state)
{
	(void)state;
	kit.vcpu->regs.pstate = KIT_USR32;
	assert_int_equal(fault(0xe8950006, false, BASE), HV_RESUME); /* ldm r5, {r1, r2} */
	kit_took(PC, 0x600, kit_esr(0x24, 0x10));
	assert_int_equal(mem.accesses, 0);
}

/* ---- D4: the edges of a device ---- */

static void d4_pair__second_element_behind_the_device__neither_is_done(void **state)
{
	(void)state;
	kit.vcpu->regs.x[5] = MEM_TOP - 8;
	assert_int_equal(fault(0xa8c108a1, false, MEM_TOP - 8), HV_RESUME); /* ldp …, [x5], #16 */
	took_abort(0x10, false);
	assert_int_equal(kit.vcpu->el1.far, MEM_TOP);
	assert_int_equal(mem.accesses, 0);
	assert_int_equal(kit.vcpu->regs.x[5], MEM_TOP - 8);
	kit_registers_but(1u << 5);
}

static void d4_pair__from_memory_into_a_device__is_split(void **state)
{
	const struct hv_region region = {
		.base = GPA(KIT_RAM + KIT_RAM_SIZE), .size = 0x1000, .ops = &mem_ops, .dev = &mem};
	const uint64_t edge = KIT_RAM + KIT_RAM_SIZE;

	(void)state;
	assert_int_equal(hv_bus_add(&kit.vm->bus, &region), HV_OK);
	kit.vcpu->regs.x[5] = edge - 8;
	assert_int_equal(fault(0xa90008a1, true, edge), HV_RESUME); /* stp x1, x2, [x5] */
	assert_int_equal(mem.accesses, 1);
	assert_int_equal(mem_value(0, 8), kit_poison(2));
	assert_int_equal(hv_le64(kit_ram + KIT_RAM_SIZE - 8), kit_poison(1));
	kit.vcpu->regs.pc = PC;
	mem.byte[0] = 0x77;
	kit_ram[KIT_RAM_SIZE - 8] = 0x66;
	assert_int_equal(fault(0xa94008a1, false, edge), HV_RESUME); /* ldp x1, x2, [x5] */
	assert_int_equal(kit.vcpu->regs.x[1], (kit_poison(1) & ~(uint64_t)0xff) | 0x66);
	assert_int_equal(kit.vcpu->regs.x[2], (kit_poison(2) & ~(uint64_t)0xff) | 0x77);
}

static void d4_unaligned_pair__alignment_fault(void **state)
{
	(void)state;
	kit.vcpu->regs.x[5] = BASE + 4;
	assert_int_equal(fault(0xa94008a1, false, BASE + 4), HV_RESUME);
	took_abort(0x21, false);
	assert_int_equal(mem.accesses, 0);
}

static void d3_device_refuses_the_second_half__no_register_changes(void **state)
{
	(void)state;
	mem.refuse_from = 2;
	assert_int_equal(fault(0xa8c108a1, false, BASE), HV_RESUME); /* ldp x1, x2, [x5], #16 */
	took_abort(0x10, false);
	assert_int_equal(kit.vcpu->el1.far, BASE + 8);
	assert_int_equal(kit.vcpu->regs.x[5], BASE);
	kit_registers_but(1u << 5);
}

/* ---- D13 ---- */

static void d13_big_endian_guest__elements_are_swapped_one_by_one(void **state)
{
	(void)state;
	fake_a64.el1.sctlr |= HV_BIT(25);
	assert_int_equal(fault(0x294008a1, false, BASE), HV_RESUME); /* ldp w1, w2, [x5] */
	assert_int_equal(kit.vcpu->regs.x[1], __builtin_bswap32((uint32_t)mem_value(0x100, 4)));
	assert_int_equal(kit.vcpu->regs.x[2], __builtin_bswap32((uint32_t)mem_value(0x104, 4)));
	kit.vcpu->regs.pc = PC;
	assert_int_equal(fault(0x3dc000a1, false, BASE), HV_RESUME); /* ldr q1, [x5] */
	assert_int_equal(fake_a64.vreg[1][1], __builtin_bswap64(mem_value(0x100, 8)));
	assert_int_equal(fake_a64.vreg[1][0], __builtin_bswap64(mem_value(0x108, 8)));
	kit.vcpu->regs.pc = PC;
	assert_int_equal(fault(0x3d8000a2, true, BASE), HV_RESUME); /* str q2, [x5] */
	assert_int_equal(mem_value(0x100, 8), __builtin_bswap64(fake_a64.vreg[2][1]));
	assert_int_equal(mem_value(0x108, 8), __builtin_bswap64(fake_a64.vreg[2][0]));
	kit.vcpu->regs.pc = PC;
	assert_int_equal(fault(0x780024a1, true, BASE), HV_RESUME); /* strh w1, [x5], #2 */
	assert_int_equal(mem_value(0x100, 2), __builtin_bswap16((uint16_t)kit.vcpu->regs.x[1]));
}

/* ---- the fetch ---- */

static void d9_fetch__pc_outside_memory__instruction_abort(void **state)
{
	const struct a64_trap trap = {
		.esr = kit_esr(0x24, 7), .far = BASE, .hpfar = BASE >> 12 << 4};

	(void)state;
	kit.vcpu->regs.pc = MEM;
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	kit_took(MEM, 0x200, kit_esr(0x21, 0x10));
	assert_int_equal(kit.vcpu->el1.far, MEM);
	assert_int_equal(mem.accesses, 0); /* never fetched from a device (P13) */
	setup(NULL);
	kit.vcpu->regs.pc = HV_BIT(50);
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	kit_took(HV_BIT(50), 0x200, kit_esr(0x21, 0)); /* address size, level 0 */
}

/* A table at the start of RAM's second half that maps one 1 GiB block flat, twice. */
#define TABLE     (KIT_RAM + 0x20000u)
#define FLAT      0x701u /* block, AF, inner shareable, EL1 read and write */
#define TCR_39_4K (25u | HV_BIT(23) | (uint64_t)2 << 32)
#define BLOCK(n)  ((uint64_t)(n) << 30)

static void put_descriptor(unsigned index, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		kit_ram[TABLE - KIT_RAM + 8 * index + i] = (uint8_t)(value >> 8 * i);
	}
}

static void mmu_on(uint64_t code, uint64_t devices)
{
	fake_a64.el1.sctlr |= 1;
	fake_a64.el1.tcr = TCR_39_4K;
	fake_a64.el1.ttbr0 = TABLE;
	put_descriptor(0, devices);
	put_descriptor(1, BLOCK(1) | code);
}

static void x2_mmu_on__fetch_and_access_go_through_the_guests_tables(void **state)
{
	(void)state;
	mmu_on(FLAT, BLOCK(0) | FLAT);
	assert_int_equal(fault(0xa94008a1, false, BASE), HV_RESUME);
	assert_int_equal(mem.accesses, 2);
	assert_int_equal(kit.vcpu->regs.x[2], mem_value(0x108, 8));
}

static void d10_el0__without_permission__is_refused_by_the_emulator_too(void **state)
{
	(void)state;
	mmu_on(FLAT | HV_BIT(6) | HV_BIT(7), BLOCK(0) | FLAT); /* code for EL0, devices not */
	kit.vcpu->regs.pstate = KIT_EL0;
	assert_int_equal(fault(0xa94008a1, false, BASE), HV_RESUME);
	kit_took(PC, 0x400, kit_esr(0x24, 0xd)); /* permission, level 1 */
	assert_int_equal(kit.vcpu->el1.far, BASE);
	assert_int_equal(mem.accesses, 0);
}

static void d10_ldtr__has_el0s_permissions(void **state)
{
	(void)state;
	mmu_on(FLAT, BLOCK(0) | FLAT);
	assert_int_equal(fault(0xf84088a1, false, BASE + 8), HV_RESUME); /* ldtr x1, [x5, #8] */
	took_abort(0xd, false);
	assert_int_equal(mem.accesses, 0);
	setup(NULL);
	mmu_on(FLAT, BLOCK(0) | FLAT | HV_BIT(6));
	assert_int_equal(fault(0xf84088a1, false, BASE + 8), HV_RESUME);
	assert_int_equal(mem.accesses, 1);
}

static void p14_tables_changed_meanwhile__guest_gets_its_own_fault(void **state)
{
	(void)state;
	mmu_on(FLAT, 0);
	assert_int_equal(fault(0xa94008a1, false, BASE), HV_RESUME);
	took_abort(0x5, false); /* translation, level 1 */
	setup(NULL);
	mmu_on(0, BLOCK(0) | FLAT);
	assert_int_equal(fault(0xa94008a1, false, BASE), HV_RESUME);
	kit_took(PC, 0x200, kit_esr(0x21, 0x5)); /* and for the code */
}

/* ---- where HPFAR says nothing, and walks that meet no memory ---- */

static void x6_permission_fault__address_comes_from_the_guests_tables(void **state)
{
	const struct a64_trap trap = {.esr = kit_esr(0x24, kit_iss(2, false, 1, false, true) + 8),
		.far = KIT_ROM + 0x40,
		.hpfar = KIT_DEV >> 12 << 4}; /* left over from another fault */

	(void)state;
	mmu_on(FLAT, BLOCK(0) | FLAT);
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	took_abort(0x10, true); /* a write to ROM */
	assert_int_equal(kit.dev.accesses, 0);
	setup(NULL);
	mmu_on(FLAT, 0);
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	took_abort(0x5, true);
}

static void x6_permission_fault__of_a_fetch__external_abort(void **state)
{
	const struct a64_trap trap = {
		.esr = kit_esr(0x20, 0xf), .far = KIT_NOTHING, .hpfar = KIT_ROM >> 12 << 4};

	(void)state;
	kit.vcpu->regs.pc = KIT_NOTHING;
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	kit_took(KIT_NOTHING, 0x200, kit_esr(0x21, 0x10));
	setup(NULL);
	mmu_on(FLAT, 0);
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	kit_took(PC, 0x200, kit_esr(0x21, 0x5));
}

static void x5_walk_on_a_device__external_abort_on_walk_with_its_level(void **state)
{
	(void)state;
	for (unsigned fetch = 0; fetch < 2; fetch++) {
		const struct a64_trap trap = {.esr = kit_esr(fetch ? 0x20 : 0x24, HV_BIT(7) | 7),
			.far = 0x12345678,
			.hpfar = KIT_DEV >> 12 << 4};

		setup(NULL);
		fake_a64.el1.sctlr |= 1;
		fake_a64.el1.tcr = TCR_39_4K;
		fake_a64.el1.ttbr0 = TABLE;
		put_descriptor(0, KIT_DEV | 3); /* the next table is in the device */
		assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
		kit_took(PC, 0x200, kit_esr(fetch ? 0x21 : 0x25, 0x16));
		assert_int_equal(kit.vcpu->el1.far, 0x12345678);
		assert_int_equal(kit.dev.accesses, 0);
	}
}

static void x5_walk_on_a_device__tables_are_right_by_now__tried_again(void **state)
{
	const struct a64_trap trap = {.esr = kit_esr(0x24, HV_BIT(7) | HV_BIT(6) | 7),
		.far = BASE,
		.hpfar = KIT_DEV >> 12 << 4};

	(void)state;
	mmu_on(FLAT, BLOCK(0) | FLAT);
	assert_int_equal(a64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC);
	assert_false(kit.vcpu->el1_dirty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		emulate_test(x2_load_without_syndrome__every_form__is_done),
		emulate_test(x2_store_without_syndrome__every_form__is_done),
		emulate_test(x3_stp__zero_register__stores_zero),
		emulate_test(x3_ldp__zero_register__is_read_and_dropped),
		emulate_test(d3_writeback__to_sp__goes_to_the_one_in_use),
		emulate_test(d3_register_offset__every_extend_and_shift),
		emulate_test(x2_literal__pc_relative__is_done),
		emulate_test(d5_exclusives_and_atomics_on_a_device__external_abort),
		emulate_test(x2_zva_prefetch_structure_auth_and_no_access_at_all__external_abort),
		emulate_test(d2_unpredictable__base_or_register_twice__refused),
		emulate_test(
			d2_predictable__same_numbers_in_other_files_or_without_writeback__done),
		emulate_test(x2_instruction_does_not_fit_the_fault__never_a_guess),
		emulate_test(x2_address_tag_in_far__does_not_matter),
		emulate_test(x2_aarch32__external_abort),
		emulate_test(d4_pair__second_element_behind_the_device__neither_is_done),
		emulate_test(d4_pair__from_memory_into_a_device__is_split),
		emulate_test(d4_unaligned_pair__alignment_fault),
		emulate_test(d3_device_refuses_the_second_half__no_register_changes),
		emulate_test(d13_big_endian_guest__elements_are_swapped_one_by_one),
		emulate_test(d9_fetch__pc_outside_memory__instruction_abort),
		emulate_test(x2_mmu_on__fetch_and_access_go_through_the_guests_tables),
		emulate_test(d10_el0__without_permission__is_refused_by_the_emulator_too),
		emulate_test(d10_ldtr__has_el0s_permissions),
		emulate_test(p14_tables_changed_meanwhile__guest_gets_its_own_fault),
		emulate_test(x6_permission_fault__address_comes_from_the_guests_tables),
		emulate_test(x6_permission_fault__of_a_fetch__external_abort),
		emulate_test(x5_walk_on_a_device__external_abort_on_walk_with_its_level),
		emulate_test(x5_walk_on_a_device__tables_are_right_by_now__tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Guest-page faults: devices, memory that is not mapped yet, the guest's tables, and nothing. */
#include "trap_kit.h"

#define VA(gpa) (0xffffffc000000000u | (gpa)) /* as the guest's tables may have it */

#define BASE 9u /* the address is in this register */
#define DATA 11u

static const struct width {
	unsigned funct;
	uint8_t size;
	bool sext;
} widths[] = {{0, 1, true}, {1, 2, true}, {2, 4, true}, {3, 8, false}, {4, 1, false}, {5, 2, false},
	{6, 4, false}};

/* A trapped access of the instruction at the PC, at va = gpa: vsatp is off. */
static enum hv_verdict access_by(uint32_t insn, uint64_t scause, uint64_t gpa)
{
	const struct rv64_trap trap = kit_fault(scause, gpa, gpa);

	fake_rv64.insn = insn;
	return rv64_trap_handle(kit.vcpu, &trap);
}

static enum hv_verdict access_by_htinst(uint64_t htinst, uint64_t scause, uint64_t gpa)
{
	struct rv64_trap trap = kit_fault(scause, VA(gpa), gpa);

	trap.htinst = htinst;
	fake_rv64.fetch_fails = true;
	return rv64_trap_handle(kit.vcpu, &trap);
}

/* It was a device's, and the guest goes on behind an instruction of this length. */
static void served(unsigned length)
{
	assert_int_equal(kit.vcpu->regs.pc, PC + length);
	assert_int_equal(exits(HV_EXIT_MMIO), 1);
	assert_int_equal(exits(HV_EXIT_GUEST), 0);
	assert_int_equal(kit.dev.accesses, 1);
	assert_false(kit.vcpu->vs_dirty);
}

/* ---- loads and stores on devices ---- */

static uint64_t extended(uint64_t data, const struct width *width)
{
	switch (width->size) {
	case 1: return width->sext ? (uint64_t)(int8_t)data : (uint8_t)data;
	case 2: return width->sext ? (uint64_t)(int16_t)data : (uint16_t)data;
	case 4: return width->sext ? (uint64_t)(int32_t)data : (uint32_t)data;
	default: return data;
	}
}

/* What a device answers is zero above the access. */
static uint64_t answer(uint64_t data, uint8_t size)
{
	return data & (~(uint64_t)0 >> (64 - 8 * size));
}

static void load__every_width_and_sign__extends_as_the_hart_does(void **state)
{
	static const uint64_t data[] = {0x8182838485868788u, 0x7172737475767778u};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(widths) * 4; n++) {
		const struct width *width = &widths[n / 4];
		uint32_t insn = insn_load(width->funct, DATA, BASE, 16);

		kit_setup(NULL);
		kit.dev.answer = answer(data[n & 1], width->size);
		kit.vcpu->regs.x[BASE] = KIT_DEV;
		if (n & 2) {
			assert_int_equal(access_by_htinst(transformed(insn, 4), RV64_LOAD_GUEST,
						 KIT_DEV + 16),
				HV_RESUME);
		} else {
			assert_int_equal(access_by(insn, RV64_LOAD_GUEST, KIT_DEV + 16), HV_RESUME);
			assert_int_equal(fake_rv64.fetched, PC);
		}
		served(4);
		assert_int_equal(kit.vcpu->regs.x[DATA], extended(data[n & 1], width));
		assert_int_equal(kit.dev.last.off, 16);
		assert_int_equal(kit.dev.last.size, width->size);
		assert_false(kit.dev.last.write);
		kit_registers_but(1u << DATA | 1u << BASE);
	}
}

static void store__every_width__writes_its_bytes_only(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 8; n++) {
		uint32_t insn = insn_store(n / 2, DATA, BASE, -8);

		kit_setup(NULL);
		kit.vcpu->regs.x[BASE] = KIT_DEV + 32;
		kit.vcpu->regs.x[DATA] = 0x8182838485868788u;
		assert_int_equal(n & 1 ? access_by_htinst(transformed(insn, 4), RV64_STORE_GUEST,
						 KIT_DEV + 24)
				       : access_by(insn, RV64_STORE_GUEST, KIT_DEV + 24),
			HV_RESUME);
		served(4);
		assert_int_equal(kit.dev.last.off, 24);
		assert_int_equal(kit.dev.last.size, 1u << n / 2);
		assert_true(kit.dev.last.write);
		assert_int_equal(kit.dev.last.data, answer(0x8182838485868788u, 1u << n / 2));
		kit_registers_but(1u << DATA | 1u << BASE);
	}
}

/* C.LW a0, 8(a1), C.LD, C.SW, C.SD. */
static void x8_halves__by_fetch__step_by_two(void **state)
{
	static const struct {
		uint32_t insn;
		uint8_t size;
		bool write;
	} rows[] = {{0x4588, 4, false}, {0x6588, 8, false}, {0xc588, 4, true}, {0xe588, 8, true}};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(rows); n++) {
		kit_setup(NULL);
		kit.dev.answer = 0x80000000u;
		kit.vcpu->regs.x[11] = KIT_DEV;
		/* What follows is another instruction, or whatever. */
		assert_int_equal(
			access_by(0xffff0000u | rows[n].insn,
				rows[n].write ? RV64_STORE_GUEST : RV64_LOAD_GUEST, KIT_DEV + 8),
			HV_RESUME);
		served(2);
		assert_int_equal(kit.dev.last.size, rows[n].size);
		assert_int_equal(kit.dev.last.write, rows[n].write);
		if (rows[n].write) {
			assert_int_equal(kit.dev.last.data, answer(kit_poison(10), rows[n].size));
		} else {
			assert_int_equal(kit.vcpu->regs.x[10],
				rows[n].size == 4 ? 0xffffffff80000000u : 0x80000000u);
		}
	}
}

/* C.LWSP a0, 8(sp), C.SDSP a0, 8(sp) and C.LDSP a0, 8(sp). */
static void x8_halves__by_stack_pointer__step_by_two(void **state)
{
	(void)state;
	kit.vcpu->regs.x[2] = KIT_DEV + 16;
	kit.dev.answer = 5;
	assert_int_equal(access_by(0x4522, RV64_LOAD_GUEST, KIT_DEV + 24), HV_RESUME);
	served(2);
	assert_int_equal(kit.vcpu->regs.x[10], 5);
	assert_int_equal(access_by(0xe42a, RV64_STORE_GUEST, KIT_DEV + 24), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(kit.dev.last.size, 8);
	assert_int_equal(kit.dev.last.data, 5);
	kit.dev.answer = 0x80000000u;
	assert_int_equal(access_by(0x6522, RV64_LOAD_GUEST, KIT_DEV + 24), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 6);
	assert_int_equal(kit.vcpu->regs.x[10], 0x80000000u);
}

static void x8_htinst__original_of_16_bits__steps_by_two(void **state)
{
	(void)state;
	assert_int_equal(access_by_htinst(transformed(insn_load(2, DATA, BASE, 0), 2),
				 RV64_LOAD_GUEST, KIT_DEV + 8),
		HV_RESUME);
	served(2);
	assert_int_equal(access_by_htinst(transformed(insn_store(2, DATA, BASE, 0), 2),
				 RV64_STORE_GUEST, KIT_DEV + 8),
		HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
}

static void x3_load__to_x0__writes_no_register(void **state)
{
	(void)state;
	kit.dev.answer = 0x1234;
	kit.vcpu->regs.x[BASE] = KIT_DEV + 8;
	assert_int_equal(
		access_by(insn_load(2, 0, BASE, 0), RV64_LOAD_GUEST, KIT_DEV + 8), HV_RESUME);
	served(4);
	kit_registers_but(1u << BASE);
}

static void x3_store__of_x0__writes_zero(void **state)
{
	(void)state;
	kit.vcpu->regs.x[BASE] = KIT_DEV + 8;
	assert_int_equal(
		access_by(insn_store(3, 0, BASE, 0), RV64_STORE_GUEST, KIT_DEV + 8), HV_RESUME);
	served(4);
	assert_int_equal(kit.dev.last.data, 0);
}

/* ---- the way that a backend tries first ---- */

static const uint32_t hot_insns[] = {
	0x0084a583, /* lw a1, 8(s1) */
	0x00b4a423, /* sw a1, 8(s1) */
	0x0084c583, /* lbu a1, 8(s1) */
	0x00b48423, /* sb a1, 8(s1) */
	0x00848583, /* lb a1, 8(s1) */
	0x448c,     /* c.lw a1, 8(s1) */
	0xc48c,     /* c.sw a1, 8(s1) */
};

static bool is_store(uint32_t insn)
{
	return (insn & 3) == 3 ? (insn & 0x20) != 0 : (insn & 0x8000) != 0;
}

static uint8_t size_of(uint32_t insn)
{
	return (insn & 3) == 3 && !(insn & 0x2000) ? 1 : 4;
}

static unsigned length_of(uint32_t insn)
{
	return (insn & 3) == 3 ? 4 : 2;
}

static struct rv64_trap fault_by(uint32_t insn, uint64_t gpa)
{
	fake_rv64.insn = insn;
	return kit_fault(is_store(insn) ? RV64_STORE_GUEST : RV64_LOAD_GUEST, VA(gpa), gpa);
}

/* What is left of the device's 0x81 or 0x81828384: of the loads only LBU has no sign. */
static uint64_t loaded_by(uint32_t insn)
{
	if (size_of(insn) == 4) {
		return 0xffffffff81828384u;
	}
	return insn & 0x4000 ? 0x81 : ~(uint64_t)0x7e;
}

static void hot_done(uint32_t insn, unsigned length)
{
	served(length);
	assert_int_equal(fake_rv64.vs_loads, 0);
	assert_int_equal(kit.dev.last.off, 8);
	assert_int_equal(kit.dev.last.size, size_of(insn));
	assert_int_equal(kit.dev.last.write, is_store(insn));
	if (is_store(insn)) {
		assert_int_equal(kit.dev.last.data, answer(kit_poison(11), size_of(insn)));
		kit_registers_but(0);
	} else {
		assert_int_equal(kit.vcpu->regs.x[11], loaded_by(insn));
		kit_registers_but(1u << 11);
	}
}

static void trap_device__frequent_instruction__needs_no_csr_of_the_guest(void **state)
{
	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(hot_insns); n++) {
		uint32_t insn = hot_insns[n];
		struct rv64_trap trap;

		kit_setup(NULL);
		trap = fault_by(insn, KIT_DEV + 8);
		kit.dev.answer = size_of(insn) == 1 ? 0x81 : 0x81828384;
		assert_int_equal(rv64_trap_device(kit.vcpu, &trap, ~(1u << 11)), RV64_DEVICE_DONE);
		hot_done(insn, length_of(insn));
	}
}

static void trap_device__frequent_instruction_by_htinst__is_not_fetched(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 10; n++) { /* the first five, as of 32 or 16 bits */
		uint32_t insn = hot_insns[n / 2];
		unsigned length = n & 1 ? 2 : 4;
		struct rv64_trap trap;

		kit_setup(NULL);
		trap = fault_by(insn, KIT_DEV + 8);
		trap.htinst = transformed(insn, length);
		kit.dev.answer = size_of(insn) == 1 ? 0x81 : 0x81828384;
		assert_int_equal(rv64_trap_device(kit.vcpu, &trap, ~(1u << 11)), RV64_DEVICE_DONE);
		hot_done(insn, length);
		assert_int_equal(fake_rv64.fetches, 0);
	}
}

static void is_other(const struct rv64_trap *trap, uint32_t absent)
{
	assert_int_equal(rv64_trap_device(kit.vcpu, trap, absent), RV64_DEVICE_OTHER);
}

/* Its registers are not in regs, and there is nobody to lose what was read. */
static void trap_device__absent_register_or_x0__is_left(void **state)
{
	struct rv64_trap trap;

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(hot_insns); n++) {
		trap = fault_by(hot_insns[n], KIT_DEV + 8);
		is_other(&trap, 1u << 11);
	}
	trap = fault_by(insn_load(2, 0, BASE, 8), KIT_DEV + 8);
	is_other(&trap, 0);
	trap = fault_by(insn_load(4, 0, BASE, 8), KIT_DEV + 8);
	is_other(&trap, 0);
	assert_int_equal(kit.dev.accesses, 0);
	trap = fault_by(insn_store(2, 0, BASE, 8), KIT_DEV + 8);
	assert_int_equal(rv64_trap_device(kit.vcpu, &trap, ~1u), RV64_DEVICE_DONE);
	assert_int_equal(kit.dev.last.data, 0);
}

static void d4_trap_device__misaligned_or_at_a_page_start__is_left(void **state)
{
	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(hot_insns); n++) {
		uint32_t insn = hot_insns[n];
		struct rv64_trap trap;

		for (unsigned off = 0; off < 4 && size_of(insn) == 4; off++) {
			trap = fault_by(insn, KIT_DEV + (off ? 8 + off : 0));
			is_other(&trap, 0);
		}
		trap = fault_by(insn, KIT_DEV + 8);
		trap.stval += 0x40; /* the CPU met another address: it walked the guest's tables */
		is_other(&trap, 0);
	}
	assert_int_equal(kit.dev.accesses, 0);
	assert_int_equal(exits(HV_EXIT_MMIO), 0);
}

static void trap_device__byte_at_a_page_start_or_an_odd_place__is_done(void **state)
{
	struct rv64_trap trap = fault_by(0x0084c583, KIT_DEV);

	(void)state;
	assert_int_equal(rv64_trap_device(kit.vcpu, &trap, 0), RV64_DEVICE_DONE);
	assert_int_equal(kit.dev.last.off, 0);
	trap = fault_by(0x00b48423, KIT_DEV + 7);
	assert_int_equal(rv64_trap_device(kit.vcpu, &trap, 0), RV64_DEVICE_DONE);
	assert_int_equal(kit.dev.last.off, 7);
	assert_int_equal(kit.dev.accesses, 2);
}

static void d9_trap_device__another_instruction_or_direction__is_left(void **state)
{
	static const uint32_t others[] = {INSN_ADDI, INSN_NOP, 0x0084b583, 0x00b4b423, 0x00849583,
		0x00b49423, 0x0004b587, 0x6488, 0xe488, 0x1004a5af};
	struct rv64_trap trap;

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(others); n++) {
		trap = fault_by(others[n], KIT_DEV + 8);
		trap.scause = RV64_LOAD_GUEST;
		is_other(&trap, 0);
		trap.scause = RV64_STORE_GUEST;
		is_other(&trap, 0);
	}
	for (unsigned n = 0; n < HV_ARRAY_COUNT(hot_insns); n++) {
		trap = fault_by(hot_insns[n], KIT_DEV + 8);
		trap.scause ^= RV64_LOAD_GUEST ^ RV64_STORE_GUEST;
		is_other(&trap, 0);
	}
	kit_registers_but(0);
	assert_int_equal(kit.vcpu->regs.pc, PC);
	assert_int_equal(kit.dev.accesses, 0);
}

static void x10_trap_device__htinst_that_is_no_plain_access__is_left(void **state)
{
	static const uint64_t htinsts[] = {0x3000, 2, HV_BIT(32) | 0x2003, 0x00082003};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(htinsts); n++) {
		struct rv64_trap trap = fault_by(0x0084a583, KIT_DEV + 8);

		trap.htinst = htinsts[n];
		is_other(&trap, 0);
	}
	assert_int_equal(kit.dev.accesses, 0);
}

static void x11_trap_device__fetch_fails__is_left(void **state)
{
	struct rv64_trap trap = fault_by(0x0084a583, KIT_DEV + 8);

	(void)state;
	fake_rv64.fetch_fails = true;
	is_other(&trap, 0);
}

static void trap_device__nobody_answers__says_so(void **state)
{
	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(hot_insns); n++) {
		struct rv64_trap trap = fault_by(hot_insns[n], KIT_NOTHING + 8);

		assert_int_equal(rv64_trap_device(kit.vcpu, &trap, 0), RV64_DEVICE_NONE);
	}
	kit_registers_but(0);
	assert_int_equal(kit.vcpu->regs.pc, PC);
	assert_int_equal(exits(HV_EXIT_MMIO), 0);
}

/* As the PLIC's threshold is. */
static void page_start__access_begins_there_or_before__is_told(void **state)
{
	struct rv64_trap trap = kit_fault(RV64_LOAD_GUEST, VA(KIT_DEV), KIT_DEV);

	(void)state;
	fake_rv64.insn = insn_load(2, DATA, BASE, 4);
	kit.vcpu->regs.x[BASE] = VA(KIT_DEV) - 4;
	assert_int_equal(rv64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	served(4);
	trap.htinst = transformed(fake_rv64.insn, 4);
	assert_int_equal(rv64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	assert_int_equal(kit.dev.accesses, 2);
	trap.htinst |= 1u << 15;
	assert_int_equal(rv64_trap_handle(kit.vcpu, &trap), HV_RESUME);
	assert_int_equal(kit.dev.accesses, 2);
	kit_took(PC + 8, RV64_LOAD_FAULT, VA(KIT_DEV));
}

/* ---- what has no business on a device ---- */

static void refuses(uint32_t insn, uint64_t scause, uint64_t va)
{
	kit_setup(NULL);
	kit.vcpu->regs.x[BASE] = kit_poison(BASE);
	assert_int_equal(access_by(insn, scause, va), HV_RESUME);
	kit_refused(scause == RV64_LOAD_GUEST ? RV64_LOAD_FAULT : RV64_STORE_FAULT, va);
}

static void d5_device__amo_lr_sc__is_an_access_fault(void **state)
{
	(void)state;
	refuses(0x1004a5af, RV64_LOAD_GUEST, KIT_DEV + 8);  /* lr.w a1, (s1) */
	refuses(0x18a4a5af, RV64_STORE_GUEST, KIT_DEV + 8); /* sc.w a1, a0, (s1) */
	refuses(0x00a4b5af, RV64_STORE_GUEST, KIT_DEV + 8); /* amoadd.d a1, a0, (s1) */
	kit_setup(NULL);
	assert_int_equal(access_by_htinst(0x00a035af, RV64_STORE_GUEST, KIT_DEV + 8), HV_RESUME);
	kit_refused(RV64_STORE_FAULT, VA(KIT_DEV + 8));
}

static void device__float_vector_or_cache_operation__is_an_access_fault(void **state)
{
	(void)state;
	refuses(0x0004b587, RV64_LOAD_GUEST, KIT_DEV + 8);  /* fld fa1, (s1) */
	refuses(0x00b4a027, RV64_STORE_GUEST, KIT_DEV + 8); /* fsw fa1, (s1) */
	refuses(0x2084, RV64_LOAD_GUEST, KIT_DEV + 8);      /* c.fld fs1, (s1) */
	refuses(0x02048007, RV64_LOAD_GUEST, KIT_DEV + 8);  /* vle8.v v0, (s1) */
	refuses(0x02048027, RV64_STORE_GUEST, KIT_DEV + 8); /* vse8.v v0, (s1) */
	refuses(0x0044a00f, RV64_STORE_GUEST, KIT_DEV);     /* cbo.zero (s1) */
	kit_setup(NULL);
	assert_int_equal(access_by_htinst(0x00003587, RV64_LOAD_GUEST, KIT_DEV + 8), HV_RESUME);
	kit_refused(RV64_LOAD_FAULT, VA(KIT_DEV + 8));
}

/* D9: by the time we look, another hart wrote something else there. */
static void d9_device__another_instruction__is_an_access_fault(void **state)
{
	(void)state;
	refuses(INSN_ADDI, RV64_LOAD_GUEST, KIT_DEV + 8);
	refuses(insn_store(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_DEV + 8);
	refuses(insn_load(2, DATA, BASE, 0), RV64_STORE_GUEST, KIT_DEV + 8);
	refuses(insn_load(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_DEV); /* at another address */
}

static void d4_device__misaligned__is_an_access_fault(void **state)
{
	(void)state;
	for (unsigned funct = 1; funct < 4; funct++) {
		for (unsigned off = 1; off < 1u << funct; off++) {
			uint64_t va = KIT_DEV + 64 + off;

			kit_setup(NULL);
			kit.vcpu->regs.x[BASE] = va;
			assert_int_equal(
				access_by(insn_load(funct, DATA, BASE, 0), RV64_LOAD_GUEST, va),
				HV_RESUME);
			kit.vcpu->regs.x[BASE] = kit_poison(BASE);
			kit_refused(RV64_LOAD_FAULT, va);
			kit_setup(NULL);
			kit.vcpu->regs.x[BASE] = va;
			assert_int_equal(
				access_by(insn_store(funct, DATA, BASE, 0), RV64_STORE_GUEST, va),
				HV_RESUME);
			kit.vcpu->regs.x[BASE] = kit_poison(BASE);
			kit_refused(RV64_STORE_FAULT, va);
		}
	}
}

/* The hart tells where in the access it met the device: at the start of the next page. */
static void d4_device__access_from_the_page_before__is_an_access_fault(void **state)
{
	(void)state;
	kit.vcpu->regs.x[BASE] = KIT_DEV - 4;
	assert_int_equal(
		access_by(insn_load(3, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_DEV), HV_RESUME);
	kit.vcpu->regs.x[BASE] = kit_poison(BASE);
	kit_refused(RV64_LOAD_FAULT, KIT_DEV);
	kit_setup(NULL);
	/* htinst says that stval is 4 bytes behind where the access began. */
	assert_int_equal(access_by_htinst(transformed(insn_store(3, DATA, BASE, 0), 4) | 4u << 15,
				 RV64_STORE_GUEST, KIT_DEV),
		HV_RESUME);
	kit_refused(RV64_STORE_FAULT, VA(KIT_DEV));
}

static void d4_device__first_bytes_of_its_page__are_reached(void **state)
{
	(void)state;
	kit.vcpu->regs.x[BASE] = KIT_DEV - 4;
	assert_int_equal(
		access_by(insn_load(3, DATA, BASE, 4), RV64_LOAD_GUEST, KIT_DEV), HV_RESUME);
	served(4);
	assert_int_equal(access_by_htinst(transformed(insn_store(2, DATA, BASE, 0), 2),
				 RV64_STORE_GUEST, KIT_DEV),
		HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 6);
	assert_int_equal(kit.dev.accesses, 2);
}

static void d4_device__access_beyond_its_end__is_an_access_fault(void **state)
{
	static struct fake_dev small;
	const struct hv_region region = {.base = GPA(KIT_NOTHING),
		.size = 12, /* none of ours is, but a bus may hold such */
		.ops = &fake_dev_ops,
		.dev = &small,
		.lock = &kit.dev_lock};

	(void)state;
	assert_int_equal(hv_bus_add(&kit.vm->bus, &region), HV_OK);
	kit.vcpu->regs.x[BASE] = KIT_NOTHING + 8;
	assert_int_equal(access_by(insn_load(3, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_NOTHING + 8),
		HV_RESUME);
	kit.vcpu->regs.x[BASE] = kit_poison(BASE);
	kit_refused(RV64_LOAD_FAULT, KIT_NOTHING + 8);
	assert_int_equal(small.accesses, 0);
}

static void device__refuses__access_fault(void **state)
{
	(void)state;
	kit.dev.refuse = true;
	kit.vcpu->regs.x[BASE] = KIT_DEV + 8;
	assert_int_equal(
		access_by(insn_store(2, DATA, BASE, 0), RV64_STORE_GUEST, KIT_DEV + 8), HV_RESUME);
	kit_took(PC, RV64_STORE_FAULT, KIT_DEV + 8);
	assert_int_equal(exits(HV_EXIT_MMIO), 0);
}

static void nothing_there__load_or_store__access_fault(void **state)
{
	(void)state;
	kit.vcpu->regs.x[BASE] = KIT_NOTHING;
	assert_int_equal(
		access_by(insn_load(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_NOTHING), HV_RESUME);
	kit.vcpu->regs.x[BASE] = kit_poison(BASE);
	kit_refused(RV64_LOAD_FAULT, KIT_NOTHING);
	kit_setup(NULL);
	assert_int_equal(access_by_htinst(transformed(insn_store(2, DATA, BASE, 0), 4),
				 RV64_STORE_GUEST, KIT_NOTHING + 4),
		HV_RESUME);
	kit_refused(RV64_STORE_FAULT, VA(KIT_NOTHING + 4));
}

/* ---- htinst that says nothing; a fetch that fails ---- */

static void x10_htinst__custom_or_too_wide__the_instruction_is_fetched(void **state)
{
	static const uint64_t htinsts[] = {
		2, 0x2002, 0x1000, 0x2010, 0x3040, 0x4000, HV_BIT(40) | 3, HV_BIT(32) | 0x0000a583};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(htinsts); n++) {
		struct rv64_trap trap = kit_fault(RV64_LOAD_GUEST, KIT_DEV + 8, KIT_DEV + 8);

		kit_setup(NULL);
		trap.htinst = htinsts[n];
		kit.vcpu->regs.x[BASE] = KIT_DEV + 8;
		kit.dev.answer = 77;
		fake_rv64.insn = insn_load(2, DATA, BASE, 0);
		assert_int_equal(rv64_trap_handle(kit.vcpu, &trap), HV_RESUME);
		served(4);
		assert_int_equal(kit.vcpu->regs.x[DATA], 77);
	}
}

/* Another hart took the page with the code away. */
static void x11_fetch__fails__the_guest_tries_again(void **state)
{
	(void)state;
	fake_rv64.fetch_fails = true;
	kit.vcpu->regs.pc = KIT_NOTHING;
	assert_int_equal(access_by(0, RV64_LOAD_GUEST, KIT_DEV + 8), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, KIT_NOTHING);
	assert_false(kit.vcpu->vs_dirty);
	kit_registers_but(0);
	assert_int_equal(kit.dev.accesses, 0);
}

/* Where HLVX cannot read what the guest can execute, the guest would try again for ever. */
static void x11_fetch__fails_but_there_is_code__is_done(void **state)
{
	const uint32_t insn = insn_load(2, DATA, BASE, 0);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		kit_ram[i] = (uint8_t)(insn >> 8 * i);
	}
	fake_rv64.fetch_fails = true;
	kit.vcpu->regs.x[BASE] = KIT_DEV + 8;
	kit.dev.answer = 3;
	assert_int_equal(access_by(0, RV64_LOAD_GUEST, KIT_DEV + 8), HV_RESUME);
	served(4);
	assert_int_equal(kit.vcpu->regs.x[DATA], 3);
}

/* ---- memory that is not mapped ---- */

static bool is_mapped(uint64_t gpa)
{
	struct hv_pte pte;
	uint8_t level;

	return hv_pt_lookup(&kit.vm->pt, GPA(gpa), &pte, &level) == HV_OK;
}

static void maps(uint32_t insn, uint64_t scause, uint64_t gpa)
{
	kit_setup(NULL);
	assert_false(is_mapped(gpa));
	assert_int_equal(access_by(insn, scause, gpa), HV_RESUME);
	assert_true(is_mapped(gpa));
	assert_int_equal(kit.vcpu->regs.pc, PC);
	assert_int_equal(exits(HV_EXIT_MEM), 1);
	assert_int_equal(exits(HV_EXIT_GUEST), 0);
	assert_false(kit.vcpu->vs_dirty);
}

static void lazy_memory__any_access__is_mapped_and_tried_again(void **state)
{
	(void)state;
	maps(insn_load(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_LAZY + 8);
	maps(insn_store(2, DATA, BASE, 0), RV64_STORE_GUEST, KIT_LAZY + 8);
	maps(0x00a4b5af, RV64_STORE_GUEST, KIT_LAZY + 8); /* an AMO */
	maps(insn_load(3, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_LAZY + 0x1003);
	maps(INSN_ADDI, RV64_FETCH_GUEST, KIT_LAZY);
	maps(INSN_ADDI, RV64_FETCH_GUEST, KIT_ROM + 2);
	maps(insn_load(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_ROM);
}

static void rom__store__access_fault(void **state)
{
	(void)state;
	kit.vcpu->regs.x[BASE] = KIT_ROM + 8;
	assert_int_equal(
		access_by(insn_store(2, DATA, BASE, 0), RV64_STORE_GUEST, KIT_ROM + 8), HV_RESUME);
	kit_took(PC, RV64_STORE_FAULT, KIT_ROM + 8);
}

/* Flash: memory to read, a device to write. */
static void rom__store_where_a_device_is__goes_to_the_device(void **state)
{
	const struct hv_region region = {.base = GPA(KIT_ROM),
		.size = 0x1000,
		.ops = &fake_dev_ops,
		.dev = &kit.dev,
		.lock = &kit.dev_lock};

	(void)state;
	assert_int_equal(hv_bus_add(&kit.vm->bus, &region), HV_OK);
	kit.vcpu->regs.x[BASE] = KIT_ROM;
	assert_int_equal(
		access_by(insn_store(2, DATA, BASE, 0), RV64_STORE_GUEST, KIT_ROM), HV_RESUME);
	served(4);
	assert_true(kit.dev.last.write);
}

static void lazy_memory__no_page_for_its_tables__stops_the_vm(void **state)
{
	hpa_t page;

	(void)state;
	while (hv_pages_take(&kit.pool, 1, &page) == HV_OK) {
	}
	assert_int_equal(
		access_by(insn_load(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_LAZY), HV_CRASH);
	assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
}

/* ---- fetches ---- */

static void fetch__from_a_device_or_nothing__access_fault(void **state)
{
	static const uint64_t gpas[] = {KIT_DEV, KIT_NOTHING + 2};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(gpas); n++) {
		kit_setup(NULL);
		assert_int_equal(access_by(0, RV64_FETCH_GUEST, gpas[n]), HV_RESUME);
		kit_refused(RV64_FETCH_FAULT, gpas[n]);
	}
}

static void fetch__from_nothing_at_the_vector__stops_the_vm(void **state)
{
	(void)state;
	fake_rv64.vs.vstvec = KIT_NOTHING;
	kit.vcpu->regs.pc = KIT_NOTHING;
	assert_int_equal(access_by(0, RV64_FETCH_GUEST, KIT_NOTHING), HV_CRASH);
	assert_string_equal(kit.vm->crash.reason, "its exception vector is not in memory");
	assert_int_equal(kit.vm->crash.info[1], KIT_NOTHING);
}

/* A load at the vector is a loop of the guest's own, which ends when the guest changes its mind. */
static void load__from_nothing_at_the_vector__goes_on(void **state)
{
	(void)state;
	kit.vcpu->regs.pc = KIT_VSTVEC;
	assert_int_equal(
		access_by(insn_load(2, DATA, BASE, 0), RV64_LOAD_GUEST, KIT_NOTHING), HV_RESUME);
	kit_took(KIT_VSTVEC, RV64_LOAD_FAULT, KIT_NOTHING);
}

/* ---- the guest's tables ---- */

/* Sv39, whose only table is at gpa. */
static void tables_at(uint64_t gpa)
{
	fake_rv64.vs.vsatp = (uint64_t)8 << 60 | gpa >> 12;
}

/* Of the table's entry for this address. */
static uint64_t entry_of(uint64_t table, uint64_t va)
{
	return table + (va >> 30 & 511) * 8;
}

static enum hv_verdict walk_met(uint64_t scause, uint64_t va, uint64_t gpa, uint64_t htinst)
{
	struct rv64_trap trap = kit_fault(scause, va, gpa);

	trap.htinst = htinst;
	return rv64_trap_handle(kit.vcpu, &trap);
}

static void x10_walk__tables_in_lazy_memory__are_mapped(void **state)
{
	static const uint64_t htinsts[] = {0x3000, 0x3020, 0x2000, 0x2020, 0};
	static const uint64_t causes[] = {RV64_FETCH_GUEST, RV64_LOAD_GUEST, RV64_STORE_GUEST};
	const uint64_t va = 0x40000000u + 0x123;

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(htinsts) * 3; n++) {
		/* In ROM, which can be read, whatever the access itself is. */
		kit_setup(NULL);
		tables_at(KIT_ROM);
		assert_int_equal(walk_met(causes[n % 3], va, entry_of(KIT_ROM, va), htinsts[n / 3]),
			HV_RESUME);
		assert_true(is_mapped(KIT_ROM));
		assert_int_equal(exits(HV_EXIT_MEM), 1);
		assert_int_equal(exits(HV_EXIT_GUEST), 0);
	}
}

static void p13_walk__tables_in_a_device__access_fault_and_no_device_access(void **state)
{
	static const uint64_t htinsts[] = {0x3000, 0x3020, 0};
	const uint64_t va = 0x40000000u + 0x120;

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(htinsts); n++) {
		kit_setup(NULL);
		tables_at(KIT_DEV);
		fake_rv64.insn = insn_load(3, DATA, BASE, 0);
		assert_int_equal(walk_met(RV64_LOAD_GUEST, va, entry_of(KIT_DEV, va), htinsts[n]),
			HV_RESUME);
		kit_refused(RV64_LOAD_FAULT, va);
		kit_setup(NULL);
		tables_at(KIT_DEV);
		fake_rv64.insn = insn_store(3, DATA, BASE, 0);
		assert_int_equal(walk_met(RV64_STORE_GUEST, va, entry_of(KIT_DEV, va), htinsts[n]),
			HV_RESUME);
		kit_refused(RV64_STORE_FAULT, va);
		kit_setup(NULL);
		tables_at(KIT_DEV);
		assert_int_equal(walk_met(RV64_FETCH_GUEST, va, entry_of(KIT_DEV, va), htinsts[n]),
			HV_RESUME);
		kit_refused(RV64_FETCH_FAULT, va);
	}
}

/* As QEMU 7.2 does: every walk's fault is a load's, with htinst 0. */
static void p13_walk__said_to_be_a_loads__is_the_access_that_the_instruction_makes(void **state)
{
	static const struct {
		uint32_t insn;
		enum rv64_cause cause;
	} rows[] = {
		{0x0084b583, RV64_LOAD_FAULT},  /* ld a1, 8(s1) */
		{0x00b4b423, RV64_STORE_FAULT}, /* sd a1, 8(s1) */
		{0xe588, RV64_STORE_FAULT},     /* c.sd */
		{0x1004a5af, RV64_LOAD_FAULT},  /* lr.w */
		{0x18a4a5af, RV64_STORE_FAULT}, /* sc.w */
		{0x00b4a027, RV64_STORE_FAULT}, /* fsw */
		{0xa088, RV64_STORE_FAULT},     /* c.fsd */
		{0x2084, RV64_LOAD_FAULT},      /* c.fld */
		{0x02048007, RV64_LOAD_FAULT},  /* vle8.v */
		{0x02048027, RV64_STORE_FAULT}, /* vse8.v */
		{0x0044a00f, RV64_STORE_FAULT}, /* cbo.zero */
	};
	const uint64_t va = 0x40000000u + 0x120;

	(void)state;
	for (unsigned n = 0; n <= HV_ARRAY_COUNT(rows); n++) {
		bool fetched = n < HV_ARRAY_COUNT(rows);

		kit_setup(NULL);
		tables_at(KIT_NOTHING);
		fake_rv64.insn = fetched ? rows[n].insn : 0;
		fake_rv64.fetch_fails = !fetched;
		assert_int_equal(
			walk_met(RV64_LOAD_GUEST, va, entry_of(KIT_NOTHING, va), 0), HV_RESUME);
		kit_refused(fetched ? rows[n].cause : RV64_FETCH_FAULT, va);
	}
}

/* P14: another hart changed the tables meanwhile. */
static void p14_walk__tables_can_be_read_by_now__is_tried_again(void **state)
{
	(void)state;
	assert_int_equal(walk_met(RV64_LOAD_GUEST, KIT_RAM, KIT_NOTHING, 0x3000), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC);
	assert_false(kit.vcpu->vs_dirty);
}

static void p14_walk__tables_map_nothing_by_now__page_fault(void **state)
{
	(void)state;
	tables_at(KIT_RAM); /* all zero */
	assert_int_equal(walk_met(RV64_STORE_GUEST, 0x1000, KIT_NOTHING, 0x3000), HV_RESUME);
	kit_refused(RV64_STORE_PAGE, 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(load__every_width_and_sign__extends_as_the_hart_does),
		kit_test(store__every_width__writes_its_bytes_only),
		kit_test(x8_halves__by_fetch__step_by_two),
		kit_test(x8_halves__by_stack_pointer__step_by_two),
		kit_test(x8_htinst__original_of_16_bits__steps_by_two),
		kit_test(x3_load__to_x0__writes_no_register),
		kit_test(x3_store__of_x0__writes_zero),
		kit_test(trap_device__frequent_instruction__needs_no_csr_of_the_guest),
		kit_test(trap_device__frequent_instruction_by_htinst__is_not_fetched),
		kit_test(trap_device__absent_register_or_x0__is_left),
		kit_test(d4_trap_device__misaligned_or_at_a_page_start__is_left),
		kit_test(trap_device__byte_at_a_page_start_or_an_odd_place__is_done),
		kit_test(d9_trap_device__another_instruction_or_direction__is_left),
		kit_test(x10_trap_device__htinst_that_is_no_plain_access__is_left),
		kit_test(x11_trap_device__fetch_fails__is_left),
		kit_test(trap_device__nobody_answers__says_so),
		kit_test(page_start__access_begins_there_or_before__is_told),
		kit_test(d5_device__amo_lr_sc__is_an_access_fault),
		kit_test(device__float_vector_or_cache_operation__is_an_access_fault),
		kit_test(d9_device__another_instruction__is_an_access_fault),
		kit_test(d4_device__misaligned__is_an_access_fault),
		kit_test(d4_device__access_from_the_page_before__is_an_access_fault),
		kit_test(d4_device__first_bytes_of_its_page__are_reached),
		kit_test(d4_device__access_beyond_its_end__is_an_access_fault),
		kit_test(device__refuses__access_fault),
		kit_test(nothing_there__load_or_store__access_fault),
		kit_test(x10_htinst__custom_or_too_wide__the_instruction_is_fetched),
		kit_test(x11_fetch__fails__the_guest_tries_again),
		kit_test(x11_fetch__fails_but_there_is_code__is_done),
		kit_test(lazy_memory__any_access__is_mapped_and_tried_again),
		kit_test(rom__store__access_fault),
		kit_test(rom__store_where_a_device_is__goes_to_the_device),
		kit_test(lazy_memory__no_page_for_its_tables__stops_the_vm),
		kit_test(fetch__from_a_device_or_nothing__access_fault),
		kit_test(fetch__from_nothing_at_the_vector__stops_the_vm),
		kit_test(load__from_nothing_at_the_vector__goes_on),
		kit_test(x10_walk__tables_in_lazy_memory__are_mapped),
		kit_test(p13_walk__tables_in_a_device__access_fault_and_no_device_access),
		kit_test(p13_walk__said_to_be_a_loads__is_the_access_that_the_instruction_makes),
		kit_test(p14_walk__tables_can_be_read_by_now__is_tried_again),
		kit_test(p14_walk__tables_map_nothing_by_now__page_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the device tree says of the hart is true: each extension that it claims does an instruction,
 * the mode of translation can be switched on, and there is no H.
 */
#include "guest.h"

#define INSN_RET     0x00008067u
#define INSN_HSTATUS 0x60002573u /* csrr a0, hstatus */
#define SSTATUS_VS   (3ull << 9)
#define SATP_MODE    60u
#define PTE_LEAF     0xcfu /* valid, of the kernel, all rights, accessed and dirty */

/* With an address in a1, 1 in a2, and a result in a0 or fa0. */
static const struct {
	const char *name;
	uint32_t insn;
} exts[] = {
	{"m", 0x02c58533},        /* mul */
	{"a", 0x1005b52f},        /* lr.d */
	{"f", 0xf0058553},        /* fmv.w.x */
	{"d", 0xf2058553},        /* fmv.d.x */
	{"c", 0x00018532},        /* c.mv, c.nop */
	{"v", 0x00007557},        /* vsetvli */
	{"zicsr", 0x14002573},    /* csrr sscratch */
	{"zifencei", 0x0000100f}, /* fence.i */
	{"zicntr", 0xc0102573},   /* rdtime */
	{"zihintpause", 0x0100000f},
	{"zicbom", 0x0015a00f}, /* cbo.clean */
	{"zicboz", 0x0045a00f}, /* cbo.zero */
	{"zicond", 0x0ec5d533}, /* czero.eqz */
	{"zawrs", 0x01d00073},  /* wrs.sto */
	{"zfa", 0xf0180553},    /* fli.s */
	{"zfh", 0x04c58553},    /* fadd.h */
	{"zfhmin", 0xf4058553}, /* fmv.h.x */
	{"zba", 0x20c5a533},    /* sh1add */
	{"zbb", 0x60259513},    /* cpop */
	{"zbc", 0x0ac59533},    /* clmul */
	{"zbs", 0x28c59533},    /* bset */
	{"zbkb", 0x08c5c533},   /* pack */
	{"zbkc", 0x0ac5b533},   /* clmulh */
	{"zbkx", 0x28c5c533},   /* xperm8 */
	{"zknd", 0x3ac58533},   /* aes64ds */
	{"zkne", 0x32c58533},   /* aes64es */
	{"zknh", 0x10259513},   /* sha256sig0 */
	{"zksed", 0x30c58533},  /* sm4ed */
	{"zksh", 0x10859513},   /* sm3p0 */
	{"sstc", 0x14d02573},   /* csrr stimecmp */
	{"svinval", 0x16000073},
};

static uint64_t scratch[512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
/* Alone in its page: on the sim a FENCE.I is not heard (docs/sim.md), only a page's first write is.
 */
static uint32_t code[1024] __attribute__((aligned(4096)));

/* Nothing may come between the registers and the call. */
static void call(void)
{
	register uint64_t a1 __asm__("a1") = (uint64_t)scratch;
	register uint64_t a2 __asm__("a2") = 1;

	__asm__ volatile("jalr ra, %2"
			 : "+r"(a1), "+r"(a2)
			 : "r"(code)
			 : "a0", "ra", "ft0", "memory");
}

static bool runs(uint32_t insn)
{
	code[0] = insn;
	code[1] = INSN_RET;
	__asm__ volatile(".word 0x0000100f" ::: "memory"); /* fence.i */
	expect_trap();
	call();
	return !trap_taken();
}

/* By a root whose leaves map low memory onto itself. */
static bool has_mode(uint64_t mode)
{
	const uint64_t root = (uint64_t)table >> 12;
	uint64_t read;

	for (uint64_t i = 0; i < 512; i++) {
		table[i] = mode == 8 ? i << 28 | PTE_LEAF : 0;
	}
	table[0] = PTE_LEAF;
	CSR_SET(satp, mode << SATP_MODE | root);
	__asm__ volatile("sfence.vma" ::: "memory");
	read = CSR_GET(satp);
	CSR_SET(satp, 0);
	__asm__ volatile("sfence.vma" ::: "memory");
	return read == (mode << SATP_MODE | root);
}

static void mmu(void)
{
	const char *type = dtb_string("mmu-type");

	print("mmu-type: ");
	print(type ? type : "none");
	print("\n");
	if (type && type[6] == 's') { /* "riscv,sv39" */
		check("mmu-type", has_mode(type[8] == '3' ? 8 : type[8] == '4' ? 9 : 10));
	}
}

void guest_main(uint64_t dtb)
{
	const uint8_t *hz = (const uint8_t *)dtb_string("timebase-frequency");

	(void)dtb;
	CSR_SET_BITS(sstatus, SSTATUS_FS | SSTATUS_VS);
	print("riscv,isa: ");
	print(dtb_string("riscv,isa"));
	print("\n");
	for (size_t i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
		if (isa_has(exts[i].name)) {
			check(exts[i].name, runs(exts[i].insn));
		}
	}
	check("no h", !isa_has("h"));
	check_eq("no CSR of h", runs(INSN_HSTATUS) ? 0 : trap.cause, CAUSE_ILLEGAL);
	check_eq("timebase-frequency",
		(uint64_t)hz[0] << 24 | (uint64_t)hz[1] << 16 | (uint64_t)hz[2] << 8 | hz[3],
		TIMEBASE);
	mmu();
}

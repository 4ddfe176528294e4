/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: each with its right error code and RIP, at CPL 0 and 3, and what of the CPU is not
 * the guest's: SVM's and VMX's instructions.
 */
#include "guest.h"

#define CR0_TS     (1ull << 3)
#define CR0_NE     (1ull << 5)
#define EFER_SCE   1ull
#define MSR_STAR   0xc0000081u
#define MSR_SFMASK 0xc0000084u
#define NOWHERE    "0x8000000000000000" /* not canonical */

static uint64_t user_stack[512] __attribute__((aligned(16)));
#define NOT_ASKED ~0ull

static bool ours;

/* The last exception was this one. */
static void took(const char *name, bool taken, uint64_t vector, uint64_t error)
{
	check(name, taken && trap.vector == vector && trap.error == error && (trap.cs & 3) == 0);
}

#define EXPECT(name, vector, error, code, ...) took(name, TRY(code, __VA_ARGS__), vector, error)

/* A fault's RIP is that of its instruction, a trap's behind it. */
#define EXPECT_AT(name, vector, offset, code)                                                      \
	do {                                                                                       \
		uint64_t at_;                                                                      \
		bool taken_ = TRY("lea 98f(%%rip), %0\n98:\t" code,                                \
				  : "=&r"(at_)::"rax", "rcx", "rdx", "memory");                    \
		took(name, taken_, vector, 0);                                                     \
		check_eq(name, trap.rip - at_, offset);                                            \
	} while (0)

static void simple(void)
{
	EXPECT_AT("#DE", VECTOR_DE, 8,
		"xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tnop\n\tnop\n\tnop\n\tnop\n\tdiv %%ecx");
	EXPECT_AT("int3 is behind itself", VECTOR_BP, 1, "int3");
	EXPECT_AT("int $3, too", VECTOR_BP, 2, ".byte 0xcd, 3");
	EXPECT_AT("int $4", VECTOR_OF, 2, "int $4");
	EXPECT_AT("ud2", VECTOR_UD, 0, "ud2");
	EXPECT_AT("an instruction that there is not", VECTOR_UD, 0, ".byte 0x06");
	EXPECT_AT("LOCK where it may not be", VECTOR_UD, 0, ".byte 0xf0, 0x90");
	EXPECT("16 bytes", VECTOR_GP, 0,
		".byte "
		"0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90",
		:);
	EXPECT("a jump to nowhere", VECTOR_GP, 0, "mov $" NOWHERE ", %%rax\n\tjmp *%%rax", ::
			: "rax");
	EXPECT("a load from there", VECTOR_GP, 0, "mov $" NOWHERE ", %%rax\n\tmov (%%rax), %%rax",
		::
			: "rax");
}

/* The gate's number and IDT; QEMU counts 16 bytes for each in long mode. */
static void no_gate(const char *name, bool taken, uint64_t gate)
{
	check(name, taken && trap.vector == VECTOR_NP &&
			    (trap.error == gate * 8 + 2 || trap.error == gate * 16 + 2));
}

static void segments(void)
{
	EXPECT("a selector beyond the GDT", VECTOR_GP, 0x1000,
		"mov $0x1000, %%eax\n\tmov %%eax, %%ds", ::
			: "rax");
	gdt[TASKS / 8 + 14] = 0x00cf13000000ffff; /* data that is not present */
	EXPECT("a segment that is not present", VECTOR_NP, TASKS + 14 * 8, "mov %0, %%es",
		::"r"(TASKS + 14 * 8));
	EXPECT("a stack segment that is not", VECTOR_SS, TASKS + 14 * 8, "mov %0, %%ss",
		::"r"(TASKS + 14 * 8));
	EXPECT("code as a stack", VECTOR_GP, CODE64, "mov %0, %%ss", ::"r"((uint64_t)CODE64));
	EXPECT("CS by MOV", VECTOR_UD, 0, ".byte 0x8e, 0xc8", :);
	EXPECT("a task that is busy", VECTOR_GP, TASKS, "ltr %w0", ::"r"(TASKS));
	gate_set(0x90, NULL);
	no_gate("a vector without a gate", TRY("int $0x90", :), 0x90);
	EXPECT("IRET to a bad selector", VECTOR_GP, 0x1000,
		"mov %%rsp, %%rcx\n\tpush $0x10\n\tpush %%rcx\n\tpushfq\n\tpush $0x1000\n\tpush "
		"$0\n\tiretq",
		::
			: "rcx", "memory");
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%ss" ::"r"(DATA));
}

/* What an exception pushed, when its stack was changed: a handler that is not there, twice. */
static void double_fault(void)
{
	extern const uint8_t gates[256][16];

	gate_set(VECTOR_GP, NULL);
	EXPECT("#GP without a gate is #DF", VECTOR_DF, 0,
		"mov $" NOWHERE ", %%rax\n\tmov (%%rax), %%rax", ::
			: "rax");
	gate_set(VECTOR_GP, gates[VECTOR_GP]);
	gate_set(VECTOR_UD, NULL);
	no_gate("#UD without a gate is #NP", TRY("ud2", :), VECTOR_UD);
	gate_set(VECTOR_UD, gates[VECTOR_UD]);
}

static void debug(void)
{
	uint64_t at, ran = 0;

	/* POPF with TF: the trap is behind the next instruction. */
	took("a single step",
		TRY("lea 98f(%%rip), %0\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop\n98:\tinc "
		    "%1",
			: "=&r"(at), "+r"(ran)::"memory"),
		VECTOR_DB, 0);
	check("behind the next instruction", trap.rip == at && ran == 0);
	check("DR6 says so", REG_GET(dr6) & 1u << 14);
	REG_SET(dr6, 0xffff0ff0);
	/* The same over what exits. */
	took("a step over CPUID",
		TRY("lea 98f(%%rip), %%rsi\n\tpushfq\n\torl $0x100, "
		    "(%%rsp)\n\tpopfq\n\tcpuid\n98:\tnop",
			: "=&S"(at)::"rax", "rbx", "rcx", "rdx", "memory"),
		VECTOR_DB, 0);
	check("behind it", trap.rip == at);
	took("and over a port",
		TRY("lea 98f(%%rip), %0\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tin $0x80, "
		    "%%al\n98:\tnop",
			: "=&r"(at)::"rax", "memory"),
		VECTOR_DB, 0);
	check("behind it, too", trap.rip == at);
	REG_SET(dr6, 0xffff0ff0);
	/* A breakpoint on code. */
	at = (uint64_t)segments;
	REG_SET(dr0, at);
	REG_SET(dr7, 0x401 | 2);
	took("a breakpoint", TRY("call *%0", ::"r"(at) : "memory"), VECTOR_DB, 0);
	check("on its instruction", trap.rip == at && REG_GET(dr6) & 1);
	REG_SET(dr7, 0x400);
	REG_SET(dr6, 0xffff0ff0);
}

static void numbers(void)
{
	uint64_t cr0 = REG_GET(cr0);

	REG_SET(cr0, cr0 | CR0_TS);
	EXPECT("x87 with TS", VECTOR_NM, 0, "fninit", :);
	REG_SET(cr0, cr0 & ~CR0_TS);
	EXPECT("SSE without OSFXSR", VECTOR_UD, 0, "xorps %%xmm0, %%xmm0", ::: "memory");
	REG_SET(cr0, cr0 | CR0_NE);
	took("#MF",
		TRY("fninit\n\tmovl $0x37b, -4(%%rsp)\n\tfldcw "
		    "-4(%%rsp)\n\tfldz\n\tfld1\n\tfdivp\n\tfwait",
			::
				: "memory"),
		VECTOR_MF, 0);
	__asm__ volatile("fninit");
	REG_SET(cr0, cr0);
}

/* ---- what is not the guest's ---- */

static void not_ours(void)
{
	EXPECT("VMRUN", VECTOR_UD, 0, "vmrun", ::"a"(0x10000));
	EXPECT("VMLOAD", VECTOR_UD, 0, "vmload", ::"a"(0x10000));
	EXPECT("VMSAVE", VECTOR_UD, 0, "vmsave", ::"a"(0x10000));
	EXPECT("STGI", VECTOR_UD, 0, "stgi", :);
	EXPECT("CLGI", VECTOR_UD, 0, "clgi", :);
	EXPECT("INVLPGA", VECTOR_UD, 0, "invlpga", ::"a"(0), "c"(0));
	EXPECT("VMCALL", VECTOR_UD, 0, "vmcall", :);
	EXPECT("VMXON", VECTOR_UD, 0, "vmxon (%0)", ::"r"(user_stack));
	EXPECT("VMREAD", VECTOR_UD, 0, "vmread %%rax, %%rax", ::: "rax");
	EXPECT("RSM", VECTOR_UD, 0, "rsm", :);
	if (ours) {
		EXPECT("SKINIT", VECTOR_UD, 0, "skinit", ::"a"(0));
		check_eq("an unknown call", vmmcall(0x7777, 0, 0), ~0ull);
		EXPECT("XSETBV without OSXSAVE", VECTOR_UD, 0, "xsetbv", ::"a"(1), "d"(0), "c"(0));
		EXPECT("a reserved bit of CR4", VECTOR_GP, 0, "mov %0, %%cr4",
			::"r"(REG_GET(cr4) | 1ull << 31));
		EXPECT("CR0 with PG and without PE", VECTOR_GP, 0, "mov %0, %%cr0",
			::"r"(REG_GET(cr0) & ~1ull));
		EXPECT("long mode without PAE", VECTOR_GP, 0, "mov %0, %%cr4",
			::"r"(REG_GET(cr4) & ~0x20ull));
		EXPECT("CR1", VECTOR_UD, 0, ".byte 0x0f, 0x20, 0xc8", ::: "rax");
		EXPECT("CR8's reserved bits", VECTOR_GP, 0, "mov %0, %%cr8", ::"r"(0x10ull));
		EXPECT("MONITOR", VECTOR_UD, 0, "monitor", ::"a"(0), "c"(0), "d"(0));
	}
}

/* ---- CPL 3 ---- */

#define USER(name, code)                                                                           \
	static void user_##name(void)                                                              \
	{                                                                                          \
		__asm__ volatile(code ::: "rax", "rcx", "rdx", "memory");                          \
		LEAVE_USER();                                                                      \
	}
USER(nop, "nop")
USER(vmmcall, "xor %%eax, %%eax\n\tvmmcall")
USER(vmrun, "xor %%eax, %%eax\n\tvmrun")
USER(hlt, "hlt")
USER(rdmsr, "mov $0x1b, %%ecx\n\trdmsr")
USER(wrmsr, "mov $0x1b, %%ecx\n\twrmsr")
USER(in, "in $0x80, %%al")
USER(out, "mov $0x3f8, %%edx\n\tout %%al, %%dx")
USER(insb, "mov $0x80, %%edx\n\tlea -64(%%rsp), %%rdi\n\tinsb")
USER(cli, "cli")
USER(cr0, "mov %%cr0, %%rax")
USER(cr8, "mov %%cr8, %%rax")
USER(lgdt, "lgdt -64(%%rsp)")
USER(invlpg, "invlpg (%%rsp)")
USER(wbinvd, "wbinvd")
USER(clts, "clts")
USER(ud2, "ud2")
USER(int3, "int3")
USER(int_gate, "int $0x40")
USER(cpuid, "push %%rbx\n\tcpuid\n\tpop %%rbx")
USER(rdtsc, "rdtsc")

/* Vector 0: none. */
static void at_user(const char *name, void (*code)(void), uint64_t vector, uint64_t error)
{
	bool right;

	trap_taken = false;
	trap_resume = 1; /* wanted: the exception leaves CPL 3 */
	run_at_user(code, (uint64_t)&user_stack[500]);
	right = vector ? trap_taken && trap.vector == vector &&
				 (trap.error == error || error == NOT_ASKED) && (trap.cs & 3) == 3
		       : !trap_taken;
	trap_resume = 0;
	check(name, right);
}

static void user(void)
{
	at_user("CPL 3 comes and goes", user_nop, 0, 0);
	at_user("VMMCALL at CPL 3", user_vmmcall, VECTOR_UD, 0);
	/* #UD, unless it runs under SVM: then EFER has SVME, and the CPU looks at CPL first. */
	at_user("VMRUN", user_vmrun, ours ? VECTOR_GP : VECTOR_UD, 0);
	at_user("HLT", user_hlt, VECTOR_GP, 0);
	at_user("RDMSR", user_rdmsr, VECTOR_GP, 0);
	at_user("WRMSR", user_wrmsr, VECTOR_GP, 0);
	at_user("IN", user_in, VECTOR_GP, 0);
	at_user("OUT", user_out, VECTOR_GP, 0);
	at_user("INS", user_insb, VECTOR_GP, 0);
	at_user("CLI", user_cli, VECTOR_GP, 0);
	at_user("CR0", user_cr0, VECTOR_GP, 0);
	at_user("CR8", user_cr8, VECTOR_GP, 0);
	at_user("LGDT", user_lgdt, VECTOR_GP, 0);
	at_user("INVLPG", user_invlpg, VECTOR_GP, 0);
	at_user("WBINVD", user_wbinvd, VECTOR_GP, 0);
	at_user("CLTS", user_clts, VECTOR_GP, 0);
	at_user("ud2", user_ud2, VECTOR_UD, 0);
	at_user("int3", user_int3, VECTOR_BP, 0);
	at_user("a gate that is not for CPL 3", user_int_gate, VECTOR_GP, NOT_ASKED);
	at_user("CPUID is allowed", user_cpuid, 0, 0);
	at_user("so is RDTSC", user_rdtsc, 0, 0);
}

/* ---- SYSCALL and SYSRET ---- */

static void system_call(void)
{
	uint64_t efer = rdmsr(MSR_EFER), result = 41;

	wrmsr(MSR_STAR,
		(uint64_t)0x13 << 48 | (uint64_t)CODE64 << 32); /* SYSRET: 0x13 + 16 and + 8 */
	wrmsr(MSR_SFMASK, RFLAGS_IF);
	wrmsr(MSR_EFER, efer | EFER_SCE);
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, %%rdx\n\tshr $32, %%rdx\n\tmov $0xc0000082, %%ecx\n\twrmsr\n\t"
			 "mov %%rsp, %%r8\n\t"
			 "lea 2f(%%rip), %%rcx\n\tmov $2, %%r11d\n\tsysretq\n"
			 "2:\tmov %%cs, %%eax\n\tadd %%rax, %0\n\tsyscall\n"
			 "1:\tmov %%r8, %%rsp\n\tmov %%cs, %%eax\n\tadd %%rax, %0\n\t"
			 "mov $0x10, %%eax\n\tmov %%eax, %%ss"
			 : "+r"(result)::"rax", "rcx", "rdx", "r8", "r11", "memory", "cc");
	wrmsr(MSR_EFER, efer);
	check_eq("SYSRET and SYSCALL", result, 41 + 0x23 + CODE64);
	EXPECT("SYSCALL without SCE", VECTOR_UD, 0, "syscall", ::: "rcx", "r11");
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	ours = on_drydock();
	simple();
	segments();
	double_fault();
	debug();
	numbers();
	not_ours();
	user();
	system_call();
}

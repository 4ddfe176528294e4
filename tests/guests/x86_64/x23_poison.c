/* SPDX-License-Identifier: MIT */
/* X23: an exit changes no register but the one it answers in; nothing of the host's leaks in. */
#include "guest.h"

#define CR4_OSFXSR (1ull << 9)
#define FLAGS      0x8d5ull /* those of arithmetic */

void poison_call(void), poison_unknown(void), poison_cpuid(void), poison_rdmsr(void);
void poison_wrmsr(void), poison_in(void), poison_out(void), poison_insb(void), poison_load(void);
void poison_byte_load(void), poison_store(void), poison_stos(void), poison_hlt(void);
void poison_cr8(void), poison_undefined(void), poison_fault(void);

uint64_t poison_fill_x[FRAME_REGS], poison_x[FRAME_REGS], poison_flags;
uint64_t poison_fill_v[32], poison_v[32];
uint8_t poison_byte[16];

#define BIT(n) (1u << (n))

/* All but those whose bits are set. */
static bool kept_but(uint32_t changed)
{
	for (unsigned n = 0; n < FRAME_REGS; n++) {
		if (!(changed >> n & 1) && poison_x[n] != poison_fill_x[n]) {
			print("register ");
			print_dec(n);
			print(" ");
			return false;
		}
	}
	for (unsigned n = 0; n < 32; n++) {
		if (poison_v[n] != poison_fill_v[n]) {
			print("xmm");
			print_dec(n / 2);
			print(" ");
			return false;
		}
	}
	return (poison_flags & FLAGS) == FLAGS;
}

static void wake(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
}

/* Steps over STGI and RDMSR, which have three and two bytes. */
static void step(struct guest_frame *frame)
{
	frame->rip += frame->vector == VECTOR_UD ? 3 : 2;
	trap_taken = true;
}

static void calls(void)
{
	poison_call();
	check("a call answers in rax", poison_x[RAX] != 0 && poison_x[RAX] < 0x10000);
	check("it keeps all other registers", kept_but(BIT(RAX)));
	poison_unknown();
	check("an unknown call says so", poison_x[RAX] == ~0ull);
	check("it keeps all other registers", kept_but(BIT(RAX)));
}

static void instructions(void)
{
	poison_cpuid();
	check("CPUID answers in four, in 32 bits",
		!((poison_x[RAX] | poison_x[RBX] | poison_x[RCX] | poison_x[RDX]) >> 32));
	check("it keeps all other registers", kept_but(BIT(RAX) | BIT(RBX) | BIT(RCX) | BIT(RDX)));
	poison_rdmsr();
	check_eq("RDMSR answers in two", poison_x[RAX] & ~0xfffull, GUEST_LAPIC);
	check("of 32 bits", poison_x[RDX] == 0);
	check("it keeps all other registers", kept_but(BIT(RAX) | BIT(RDX) | BIT(RCX)));
	poison_wrmsr();
	check("WRMSR keeps all registers", kept_but(BIT(RAX) | BIT(RDX) | BIT(RCX)));
	poison_cr8();
	check("CR8 keeps all registers", kept_but(BIT(RSI)) && poison_x[RSI] == 0);
}

static void ports(void)
{
	out8(PORT_UART + 7, 0x5a);
	poison_in();
	check_eq("IN answers in al", poison_x[RAX], (poison_fill_x[RAX] & ~0xffull) | 0x5a);
	check("it keeps all other registers", kept_but(BIT(RAX) | BIT(RDX)));
	poison_out();
	check("OUT keeps all registers", kept_but(BIT(RDX)));
	check_eq("the device got al", in8(PORT_UART + 7), poison_fill_x[RAX] & 0xff);
	poison_insb();
	check("INS moves on", poison_x[RDI] == (uint64_t)poison_byte + 2 && poison_x[RCX] == 0);
	check("it keeps all other registers", kept_but(BIT(RDI) | BIT(RCX) | BIT(RDX)));
}

static void devices(void)
{
	poison_load();
	check_eq("a load from a device", poison_x[RAX], lapic_read(LAPIC_VERSION));
	check("it keeps all other registers", kept_but(BIT(RAX) | BIT(RDI)));
	poison_byte_load();
	check_eq("a byte with its sign", poison_x[RAX], (uint64_t)(int8_t)read8(GUEST_HOLE));
	check("it keeps all other registers", kept_but(BIT(RAX) | BIT(RDI)));
	poison_store();
	check("a store keeps all registers", kept_but(BIT(RDI)));
	check_eq("the device got r12", lapic_read(LAPIC_TIMER_INIT), (uint32_t)poison_fill_x[R12]);
	poison_stos();
	check("STOS moves on", poison_x[RDI] == GUEST_HOLE + 24 && poison_x[RCX] == 0);
	check("it keeps all other registers", kept_but(BIT(RDI) | BIT(RCX)));
}

static void rest(void)
{
	on_irq = wake;
	lapic_timer(VECTOR_TIMER, 0);
	poison_hlt();
	check("HLT keeps all registers", kept_but(BIT(RDI)));
	on_sync = step;
	poison_undefined();
	check("an exception keeps all registers", trap_taken && kept_but(0));
	trap_taken = false;
	if (on_drydock()) {
		poison_fault();
		check("a refused MSR, too", trap_taken && kept_but(BIT(RCX)));
	}
	on_sync = NULL;
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	REG_SET(cr4, REG_GET(cr4) | CR4_OSFXSR);
	lapic_timer(LVT_MASKED | VECTOR_TIMER, 0);
	for (unsigned n = 0; n < FRAME_REGS; n++) {
		poison_fill_x[n] = 0xa5a5a5a500001200u + n;
	}
	for (unsigned n = 0; n < 32; n++) {
		poison_fill_v[n] = 0xf9f9f9f900005600u + n;
	}
	if (on_drydock()) {
		calls();
	}
	instructions();
	ports();
	devices();
	rest();
}

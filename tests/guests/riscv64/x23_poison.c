/* SPDX-License-Identifier: MIT */
/* X23: an exit changes no register but the one it answers in; nothing of the host's leaks in. */
#include "guest.h"

#define A0 10u
#define A1 11u
#define A2 12u
#define A3 13u
#define A6 16u
#define A7 17u

void poison_ecall(void), poison_putchar(void), poison_unknown(void), poison_timer(void);
void poison_load(void), poison_byte(void), poison_store(void), poison_time(void);
void poison_illegal(void), poison_fault(void), poison_fence(void), poison_ipi(void);
void poison_wfi(void);

uint64_t poison_fill_x[32], poison_fill_f[32], poison_x[32], poison_f[32];

/* All but those whose bits are set. */
static bool kept_but(uint32_t changed)
{
	for (unsigned n = 1; n < 32; n++) {
		if (!(changed >> n & 1) && poison_x[n] != poison_fill_x[n]) {
			print("x");
			print_dec(n);
			print(" ");
			return false;
		}
	}
	for (unsigned n = 0; n < 32; n++) {
		if (poison_f[n] != poison_fill_f[n]) {
			print("f");
			print_dec(n);
			print(" ");
			return false;
		}
	}
	return CSR_GET(fcsr) == 0x85;
}

#define BIT(n) (1u << (n))

static void calls(void)
{
	poison_ecall();
	check("a call answers in a0 and a1",
		poison_x[A0] == 0 && poison_x[A1] >= 0x01000000 && poison_x[A1] >> 31 == 0);
	check("it keeps all other registers", kept_but(BIT(A0) | BIT(A1) | BIT(A6) | BIT(A7)));
	poison_putchar();
	print("\n");
	check("putchar answers in a0", poison_x[A0] == 0);
	check("it keeps all other registers", kept_but(BIT(A0) | BIT(A7)));
	poison_unknown();
	check("an unknown call says so", poison_x[A0] == (uint64_t)SBI_NOT_SUPPORTED);
	check("it keeps all other registers", kept_but(BIT(A0) | BIT(A1) | BIT(A6) | BIT(A7)));
	poison_timer();
	check("set_timer", poison_x[A0] == 0);
	check("it keeps all other registers", kept_but(BIT(A0) | BIT(A1) | BIT(A6) | BIT(A7)));
	poison_fence();
	check("a remote fence keeps all other registers",
		kept_but(BIT(A0) | BIT(A1) | BIT(A2) | BIT(A3) | BIT(A6) | BIT(A7)));
	poison_ipi();
	check("an IPI keeps all other registers", kept_but(BIT(A0) | BIT(A1) | BIT(A6) | BIT(A7)));
}

static void devices(void)
{
	poison_load();
	check("a load from a device", poison_x[A0] == 0x74726976);
	check("it keeps all other registers", kept_but(BIT(A0) | BIT(A1)));
	write8(GUEST_UART + 7, 0x80);
	poison_byte();
	check("a byte with its sign", poison_x[A0] == 0xffffffffffffff80);
	check("it keeps all other registers", kept_but(BIT(A0) | BIT(A1)));
	poison_store();
	check("a store keeps all registers", kept_but(BIT(A1)));
	check_eq("the device got a2", read32(GUEST_RTC + 0xc), poison_fill_x[A2] & ~0u);
}

static void traps(void)
{
	poison_time();
	check("time answers", poison_x[A0] != poison_fill_x[A0]);
	check("it keeps all other registers", kept_but(BIT(A0)));
	expect_trap();
	poison_illegal();
	check("an illegal instruction keeps all registers", trap_taken() && kept_but(0));
	expect_trap();
	poison_fault();
	check("an access fault keeps all registers", trap_taken() && kept_but(BIT(A1)));
	timer_set(0);
	irq_enable(IRQ_TIMER);
	poison_wfi();
	check("WFI keeps all registers", kept_but(0));
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	CSR_SET_BITS(sstatus, SSTATUS_FS);
	CSR_SET(fcsr, 0x85);
	for (unsigned n = 0; n < 32; n++) {
		poison_fill_x[n] = 0xa5a5000000001200u + n;
		poison_fill_f[n] = 0xf9f9000000005600u + n;
	}
	calls();
	devices();
	traps();
}

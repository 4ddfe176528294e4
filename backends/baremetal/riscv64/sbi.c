/* SPDX-License-Identifier: MIT */
#include "sbi.h"

#include "csr.h"

#include <common/machine.h>

#define EXT_LEGACY_SHUTDOWN 0x08u
#define EXT_TIME            0x54494d45u
#define EXT_IPI             0x00735049u
#define EXT_RFENCE          0x52464e43u
#define EXT_HSM             0x0048534du
#define EXT_SRST            0x53525354u

struct args {
	uint64_t a[5];
};

/* The error; what a call answers besides is nothing that we need. */
static int64_t call(uint64_t ext, uint64_t fn, const struct args *args)
{
	register uint64_t a0 __asm__("a0") = args->a[0];
	register uint64_t a1 __asm__("a1") = args->a[1];
	register uint64_t a2 __asm__("a2") = args->a[2];
	register uint64_t a3 __asm__("a3") = args->a[3];
	register uint64_t a4 __asm__("a4") = args->a[4];
	register uint64_t a6 __asm__("a6") = fn;
	register uint64_t a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (int64_t)a0;
}

bool sbi_hart_start(uint64_t hart, uintptr_t entry)
{
	return call(EXT_HSM, 0, &(struct args){{hart, entry}}) == 0;
}

void sbi_ipi_send(uint64_t hart)
{
	(void)call(EXT_IPI, 0, &(struct args){{1, hart}});
}

void sbi_timer_set(uint64_t time)
{
	(void)call(EXT_TIME, 0, &(struct args){{time}});
}

void sbi_fence(enum sbi_fence fence, uint64_t hart, uint64_t start, uint64_t size, uint64_t id)
{
	(void)call(EXT_RFENCE, fence, &(struct args){{1, hart, start, size, id}});
}

/* A shutdown without a reason; firmware of before SBI 0.3 knows only the older call. */
_Noreturn void machine_off(void)
{
	(void)call(EXT_SRST, 0, &(struct args){{0, 0}});
	(void)call(EXT_LEGACY_SHUTDOWN, 0, &(struct args){{0}});
	for (;;) {
		WFI();
	}
}

/* SPDX-License-Identifier: MIT */
/* X23: an exit changes no register but the one it answers in; nothing of the host's leaks in. */
#include "guest.h"

#define FPEN (3u << 20)

void poison_hvc(void), poison_load(void), poison_store(void), poison_sysreg(void);

uint64_t poison_x[31];
_Alignas(16) uint64_t poison_v[32][2];

static bool x_is_kept(unsigned n)
{
	return poison_x[n] == (0xa5a5000000001200u + n);
}

static bool all_kept_from(unsigned first)
{
	for (unsigned n = first; n < 31; n++) {
		if (!x_is_kept(n)) {
			return false;
		}
	}
	for (unsigned n = 0; n < 32; n++) {
		uint64_t want = 0xf9f9000000005600u + n;

		if (poison_v[n][0] != want || poison_v[n][1] != want) {
			return false;
		}
	}
	return true;
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	SYSREG_SET(cpacr_el1, FPEN);
	poison_hvc();
	check("HVC answers in x0", poison_x[0] == 0x10001);
	check("HVC keeps all other registers", all_kept_from(1));
	poison_load();
	check("a load from a device zero-extends", poison_x[0] >> 32 == 0);
	check("a load from a device keeps all other registers", all_kept_from(2));
	poison_store();
	check("a store to a device keeps all registers", x_is_kept(0) && all_kept_from(2));
	poison_sysreg();
	check("a trapped register answers", !x_is_kept(0));
	check("a trapped register keeps all other registers", all_kept_from(1));
}

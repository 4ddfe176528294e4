/* SPDX-License-Identifier: MIT */
#include "caps.h"

#include "csr.h"

#include <hv/bits.h>

#define ATP_MODE_SV39 8u /* and x4; then Sv48, Sv57 */
#define LEVELS_SV39   3u
#define MODES         3u
#define HCOUNTEREN_TM (1u << 1)
#define PA_BITS       56u /* as many as descriptors have; no register says it */

static struct rv64_caps caps;

/* Most levels that the MODE of an address translation register takes; 0: none. WARL. */
#define LEVELS_MOST(name)                                                                          \
	({                                                                                         \
		uint8_t levels = 0;                                                                \
		for (uint64_t n = 0; n < MODES; n++) {                                             \
			CSR_WRITE(name, (ATP_MODE_SV39 + n) << ATP_MODE_SHIFT);                    \
			if (CSR_READ(name) >> ATP_MODE_SHIFT == ATP_MODE_SV39 + n) {               \
				levels = (uint8_t)(LEVELS_SV39 + n);                               \
			}                                                                          \
		}                                                                                  \
		CSR_WRITE(name, 0);                                                                \
		levels;                                                                            \
	})

static uint8_t vmid_bits(void)
{
	uint64_t vmid;

	CSR_WRITE(hgatp, (uint64_t)ATP_MODE_SV39 << ATP_MODE_SHIFT | HGATP_VMID << HGATP_VMID_AT);
	vmid = CSR_READ(hgatp) >> HGATP_VMID_AT & HGATP_VMID;
	CSR_WRITE(hgatp, 0);
	return vmid ? (uint8_t)(hv_highest_bit(vmid) + 1) : 0;
}

void caps_read(const struct host *host)
{
	caps = (struct rv64_caps){.exts = host->exts, .timebase = host->timebase};
	if (!hv_bit(host->exts, 'h' - 'a')) {
		return;
	}
	caps.gstage_levels = LEVELS_MOST(hgatp);
	caps.satp_levels = LEVELS_MOST(vsatp);
	caps.vmid_bits = vmid_bits();
	caps.pa_bits = PA_BITS;
	CSR_WRITE(hcounteren, HCOUNTEREN_TM);
	caps.time = (CSR_READ(hcounteren) & HCOUNTEREN_TM) != 0;
}

const struct rv64_caps *caps_get(void)
{
	return &caps;
}

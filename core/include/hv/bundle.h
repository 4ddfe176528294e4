/* SPDX-License-Identifier: MIT */
/*
 * How guests reach a bare-metal hypervisor: one file (the boot loader's initrd) that starts with a
 * manifest, a flattened device tree, followed by the guests' images. Written by `tools/drydock
 * pack`.
 *
 *   / { compatible = "drydock,bundle-1";
 *       machine = <u32>;               // HV_MACHINE_*: for which hypervisor
 *       total-size = <u64>;            // of the whole bundle in bytes
 *       token = "0123456789abcdef";    // optional: names this run in the report records
 *       stats;                         // optional: report the exit counters at the end
 *       vm@0 { cpus = <u32>; memory-size = <u64>;
 *              gic-version = <u32>;    // aarch64 only
 *              aplic;                  // riscv64 only, optional: in the PLIC's place
 *              load-address = <u64>;   // optional
 *              cmdline = "…";          // x86_64 only, optional
 *              lazy-memory;            // optional: RAM is mapped at its first access
 *              kernel = <u64 offset, u64 size>; initrd, dtb, flash: likewise, optional }; };
 *
 * Offsets count from the start of the bundle and are multiples of 4 KiB; images do not overlap. VMs
 * are numbered from 0 in order. A property or node that is not named here is refused, so that a
 * misspelt one is not a default.
 *
 * Report records: when there is a token, the hypervisor writes each of its own lines to the console
 * as 0x1e, token, space, text, newline, so that a tool can tell them from what the guest prints
 * (the guest does not know the token). Texts: "begin", before all others, so that a tool can tell
 * what firmware and boot loader printed; "log …", "stat <name> <number>", "dump …", "end off", "end
 * reboot", "end crash <reason>".
 */
#ifndef HV_BUNDLE_H
#define HV_BUNDLE_H

#include <hv/fdt.h>
#include <hv/load.h>

#define HV_BUNDLE_ALIGN  4096u
#define HV_BUNDLE_VMS    8u
#define HV_BUNDLE_TOKEN  16u
#define HV_BUNDLE_RECORD 0x1e

struct hv_bundle {
	struct hv_blob blob; /* without what follows it: total-size bytes */
	struct hv_fdt manifest;
	uint16_t machine;
	uint16_t vm_count;
	char token[HV_BUNDLE_TOKEN + 1]; /* empty: none */
	bool stats;
};

/*
 * Checks the whole manifest, every VM of it included, and that it is for `machine`: the only one
 * whose guests the caller can run. error->input is "bundle", or "bundle vm<n>";
 * field names a property. HV_ERR_INVALID; nothing is kept. What the images hold is the loader's to
 * check. The blob must stay as it is while the bundle, or a guest from it, is used.
 */
HV_WARN_UNUSED enum hv_status hv_bundle_open(struct hv_bundle *bundle, uint16_t machine,
	struct hv_blob blob, struct hv_load_error *error);
/* VM `index` of an open bundle. HV_ERR_NOT_FOUND: it has fewer. */
HV_WARN_UNUSED enum hv_status hv_bundle_vm(const struct hv_bundle *bundle, uint16_t index,
	struct hv_guest *guest, struct hv_load_error *error);

#endif

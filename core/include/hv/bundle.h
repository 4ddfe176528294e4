/* SPDX-License-Identifier: MIT */
/*
 * How guests reach a bare-metal hypervisor: one file (the boot loader's initrd) that starts with a
 * manifest, a flattened device tree, followed by the guests' images. Written by `tools/drydock
 * pack`.
 *
 *   / { compatible = "drydock,bundle-1";
 *       total-size = <u64>;            // of the whole bundle in bytes
 *       token = "0123456789abcdef";    // optional: names this run in the report records
 *       stats;                         // optional: report the exit counters at the end
 *       vm@0 { cpus = <u32>; gic-version = <u32>; memory-size = <u64>;
 *              load-address = <u64>;   // optional
 *              kernel = <u64 offset, u64 size>; initrd, dtb, flash: likewise, optional }; };
 *
 * Offsets count from the start of the bundle and are multiples of 4 KiB.
 *
 * Report records: when there is a token, the hypervisor writes each of its own lines to the console
 * as 0x1e, token, space, text, newline, so that a tool can tell them from what the guest prints
 * (the guest does not know the token). Texts: "log …", "stat <name> <number>", "dump …", "end off",
 * "end reboot", "end crash <reason>".
 */
#ifndef HV_BUNDLE_H
#define HV_BUNDLE_H

#include <hv/load.h>

#define HV_BUNDLE_ALIGN  4096u
#define HV_BUNDLE_TOKEN  16u
#define HV_BUNDLE_RECORD 0x1e

struct hv_bundle {
	struct hv_blob blob;
	uint16_t vm_count;
	char token[HV_BUNDLE_TOKEN + 1]; /* empty: none */
	bool stats;
};

/* error->input is "bundle"; field names a property. HV_ERR_INVALID; nothing is kept. */
HV_WARN_UNUSED enum hv_status hv_bundle_open(
	struct hv_bundle *bundle, struct hv_blob blob, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status hv_bundle_vm(const struct hv_bundle *bundle, uint16_t index,
	struct hv_guest *guest, struct hv_load_error *error);

#endif

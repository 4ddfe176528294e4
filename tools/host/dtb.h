/* SPDX-License-Identifier: MIT */
/*
 * The device tree that a guest on the board virt-aarch64 or virt-riscv64 gets: made here, or the
 * user's own with what only we know put into /chosen. Host tools only; the addresses are those of
 * the boards' headers.
 */
#ifndef DTB_H
#define DTB_H

#include <hv/load.h>

#define DTB_SEED_SIZE 64u
/* Linux keeps COMMAND_LINE_SIZE bytes, the NUL included, and drops the rest without a word. */
#define DTB_BOOTARGS_MAX 2047u
/* What a made tree, or the additions to a user's, take at most. */
#define DTB_ROOM HV_KIB(16)

struct dtb_cfg {
	const struct hv_guest *guest; /* its dtb is the user's; size 0: make one */
	const char *bootargs;         /* NULL: none, or the user's */
	gpa_t initrd;                 /* where guest->initrd goes */
	/* Random bytes, so that the guest need not wait for its own; NULL and 0: none. */
	const uint8_t *rng_seed; /* DTB_SEED_SIZE bytes */
	uint64_t kaslr_seed;
};

/*
 * Writes the guest's tree into buf; *used is its size, which does not depend on where the initrd
 * is. HV_ERR_INVALID, with *error: the user's tree is broken or does not fit the machine, bootargs
 * are too long, or the buffer (DTB_ROOM + guest->dtb.size always do) is too small.
 */
HV_WARN_UNUSED enum hv_status dtb_make(const struct dtb_cfg *cfg, void *buf, size_t size,
	size_t *used, struct hv_load_error *error);

/*
 * dtb_make() for an initrd that has no place yet: plans twice, and leaves guest->dtb pointing into
 * buf. cfg->guest and cfg->initrd are set here.
 */
HV_WARN_UNUSED enum hv_status dtb_place(struct hv_guest *guest, struct dtb_cfg *cfg, void *buf,
	size_t size, struct hv_load_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* CD images that a PC boots: GRUB loads the hypervisor (multiboot 1), and a bundle as its module.
 */
#ifndef ISO_H
#define ISO_H

#include "arch.h"

/* Writes one to `path`, whole or not at all, by grub-mkrescue. False after a message. */
bool iso_write(const struct arch *arch, const struct hv_blob *bundle, const char *path);

#endif

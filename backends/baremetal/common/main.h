/* SPDX-License-Identifier: MIT */
/* The life of the image. Test images have one of their own in its place. */
#ifndef MAIN_H
#define MAIN_H

#include <stdint.h>

/* Called by each backend's first C code on the CPU that booted: the tree's physical address. */
_Noreturn void main_boot(uintptr_t dtb);
/* The same on a CPU that machine_start_cpus() started, when it is ready; returns when all is over.
 */
void main_secondary(void);

#endif

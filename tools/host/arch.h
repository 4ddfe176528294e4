/* SPDX-License-Identifier: MIT */
/* What the command line knows of an architecture: one row of a table each. */
#ifndef ARCH_H
#define ARCH_H

#include <hv/types.h>

struct arch {
	const char *name; /* what --arch takes */
	uint16_t machine; /* of ELF: e_machine */
	const struct load_machine *loader;

	/* The guest's machine. */
	uint64_t ram;
	uint64_t flash_max;
	bool has_gic;       /* --gic says which; without it, version 3 */
	bool has_dtb;       /* a tree describes it, and carries the command line */
	const char *append; /* Linux's command line: the console, from the first line on */

	/* Names of environment variables: where the default guest and the bare-metal image are. */
	const char *kernel_env, *initrd_env, *image_env;
	const char *flat_env; /* the same image for GRUB; NULL: there is none */

	/* QEMU: under the hypervisor, and with a guest alone. A GIC's version is added to -M. */
	const char *qemu;
	const char *machine_args, *cpu;
	uint64_t break_mib; /* so far into RAM there may be something of QEMU's; 0: nothing is */
	const char *plain_machine_args, *plain_cpu;
};

#define ARCH_NAMES "aarch64, riscv64 or x86_64"

/* NULL: there is none of that name. */
const struct arch *arch_named(const char *name);

#endif

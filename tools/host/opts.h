/* SPDX-License-Identifier: MIT */
/* The command line of `run` and `pack`, checked as far as it can be without opening a file. */
#ifndef OPTS_H
#define OPTS_H

#include "arch.h"

#include <hv/types.h>

enum opts_backend {
	OPTS_SIM,
	OPTS_QEMU,
	OPTS_BOCHS,
};

struct opts {
	const struct arch *arch;
	enum opts_backend backend;
	const char *kernel, *initrd, *append, *dtb, *flash; /* NULL: not given */
	uint64_t mem;
	bool lazy_ram;
	uint16_t cpus;
	uint8_t gic; /* 0: the machine has none */
	bool aplic;
	bool has_load_addr;
	uint64_t load_addr;
	double timeout_s; /* 0: none */
	const char *until;
	bool stats;
	const char *stats_file; /* NULL: stderr */
	bool deterministic;
	const char *qemu_args;
	const char *out, *iso; /* pack only, one of them at least */
	unsigned runs;         /* bench only */
};

enum opts_command {
	OPTS_RUN = 1,
	OPTS_PACK = 2,
	OPTS_BENCH = 4,
};

/* False after a message that names the option and what it takes. */
bool opts_parse(struct opts *opts, enum opts_command command, int argc, char **argv);

#endif

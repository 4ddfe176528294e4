/* SPDX-License-Identifier: MIT */
#include "opts.h"

#include "host.h"

#include <hv/load.h>
#include <hv/vm.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define MEM_LEAST HV_MIB(2)
#define MEM_MOST  HV_GIB(64)

static bool take_arch(struct opts *opts, const char *text)
{
	opts->arch = arch_named(text);
	return opts->arch != NULL;
}

static bool take_backend(struct opts *opts, const char *text)
{
	static const char *const names[] = {
		[OPTS_SIM] = "sim", [OPTS_QEMU] = "qemu", [OPTS_BOCHS] = "bochs"};

	for (unsigned i = 0; i < HV_ARRAY_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			opts->backend = (enum opts_backend)i;
			return true;
		}
	}
	return false;
}

static bool take_kernel(struct opts *opts, const char *text)
{
	opts->kernel = text;
	return *text != '\0';
}

static bool take_initrd(struct opts *opts, const char *text)
{
	opts->initrd = text;
	return *text != '\0';
}

static bool take_append(struct opts *opts, const char *text)
{
	opts->append = text;
	return true;
}

static bool take_dtb(struct opts *opts, const char *text)
{
	opts->dtb = text;
	return *text != '\0';
}

static bool take_flash(struct opts *opts, const char *text)
{
	opts->flash = text;
	return *text != '\0';
}

static bool take_mem(struct opts *opts, const char *text)
{
	return host_size(text, &opts->mem) && opts->mem >= MEM_LEAST && opts->mem <= MEM_MOST &&
	       opts->mem % MEM_LEAST == 0;
}

static bool take_lazy_ram(struct opts *opts, const char *text)
{
	(void)text;
	opts->lazy_ram = true;
	return true;
}

static bool take_cpus(struct opts *opts, const char *text)
{
	uint64_t n;

	if (!host_number(text, HV_VCPUS, &n) || n < 1) {
		return false;
	}
	opts->cpus = (uint16_t)n;
	return true;
}

static bool take_gic(struct opts *opts, const char *text)
{
	uint64_t version;

	if (!host_number(text, 3, &version) || version < 2) {
		return false;
	}
	opts->gic = (uint8_t)version;
	return true;
}

/* The words are QEMU's. */
static bool take_aia(struct opts *opts, const char *text)
{
	opts->aplic = strcmp(text, "aplic") == 0;
	return opts->aplic || strcmp(text, "none") == 0;
}

static bool take_load_addr(struct opts *opts, const char *text)
{
	opts->has_load_addr = true;
	return host_number(text, UINT64_MAX, &opts->load_addr);
}

static bool take_timeout(struct opts *opts, const char *text)
{
	return host_seconds(text, &opts->timeout_s);
}

static bool take_until(struct opts *opts, const char *text)
{
	opts->until = text;
	return *text != '\0';
}

static bool take_stats(struct opts *opts, const char *text)
{
	opts->stats = true;
	opts->stats_file = text;
	return !text || *text != '\0';
}

static bool take_deterministic(struct opts *opts, const char *text)
{
	(void)text;
	opts->deterministic = true;
	return true;
}

static bool take_qemu_args(struct opts *opts, const char *text)
{
	opts->qemu_args = text;
	return true;
}

static bool take_out(struct opts *opts, const char *text)
{
	opts->out = text;
	return *text != '\0';
}

static bool take_iso(struct opts *opts, const char *text)
{
	opts->iso = text;
	return *text != '\0';
}

static bool take_report(struct opts *opts, const char *text)
{
	(void)text;
	opts->stats = true;
	return true;
}

static bool take_runs(struct opts *opts, const char *text)
{
	uint64_t n;

	if (!host_number(text, 100, &n) || n < 1) {
		return false;
	}
	opts->runs = (unsigned)n;
	return true;
}

/* One row an option: who takes it, what it takes (for the message), and its taker. */
static const struct option_row {
	const char *name;
	int has_arg;
	unsigned commands;
	const char *wants;
	bool (*take)(struct opts *opts, const char *text);
} rows[] = {
	{"arch", required_argument, OPTS_RUN | OPTS_PACK | OPTS_BENCH, ARCH_NAMES, take_arch},
	{"backend", required_argument, OPTS_RUN, "sim, qemu or bochs", take_backend},
	{"kernel", required_argument, OPTS_RUN | OPTS_PACK | OPTS_BENCH, "a file", take_kernel},
	{"initrd", required_argument, OPTS_RUN | OPTS_PACK | OPTS_BENCH, "a file", take_initrd},
	{"append", required_argument, OPTS_RUN | OPTS_PACK | OPTS_BENCH, "a text", take_append},
	{"dtb", required_argument, OPTS_RUN | OPTS_PACK, "a file", take_dtb},
	{"flash", required_argument, OPTS_RUN | OPTS_PACK, "a file", take_flash},
	{"mem", required_argument, OPTS_RUN | OPTS_PACK | OPTS_BENCH,
		"a multiple of 2M, from 2M to 64G", take_mem},
	{"lazy-ram", no_argument, OPTS_RUN | OPTS_PACK, "nothing", take_lazy_ram},
	{"cpus", required_argument, OPTS_RUN | OPTS_PACK, "1 to 8", take_cpus},
	{"gic", required_argument, OPTS_RUN | OPTS_PACK, "2 or 3", take_gic},
	{"aia", required_argument, OPTS_RUN | OPTS_PACK, "none or aplic", take_aia},
	{"load-addr", required_argument, OPTS_RUN | OPTS_PACK, "an address", take_load_addr},
	{"timeout", required_argument, OPTS_RUN, "seconds above 0", take_timeout},
	{"until", required_argument, OPTS_RUN, "a text that is not empty", take_until},
	{"stats", optional_argument, OPTS_RUN, "a file, or nothing", take_stats},
	{"deterministic", no_argument, OPTS_RUN, "nothing", take_deterministic},
	{"qemu-args", required_argument, OPTS_RUN, "a text", take_qemu_args},
	{"out", required_argument, OPTS_PACK, "a file", take_out},
	{"iso", required_argument, OPTS_PACK, "a file", take_iso},
	{"report", no_argument, OPTS_PACK, "nothing", take_report},
	{"runs", required_argument, OPTS_BENCH, "a number from 1 to 100", take_runs},
};

static const char *command_name(enum opts_command command)
{
	return command == OPTS_RUN ? "run" : command == OPTS_PACK ? "pack" : "bench";
}

static bool refuse(enum opts_command command, const char *what, const char *which)
{
	host_say("%s%s", what, which);
	host_say("try 'tools/drydock %s --help'", command_name(command));
	return false;
}

/* The rows of this command as getopt wants them; val is the row's number + 1. */
static void list_options(enum opts_command command, struct option *list)
{
	size_t count = 0;

	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		if (rows[i].commands & command) {
			list[count++] =
				(struct option){rows[i].name, rows[i].has_arg, NULL, (int)i + 1};
		}
	}
	list[count] = (struct option){0};
}

static void set_defaults(struct opts *opts)
{
	*opts = (struct opts){
		.arch = arch_named("aarch64"), .mem = HV_MIB(256), .cpus = 1, .runs = 3};
}

/* No --kernel: Debian's, with its initramfs; tools/drydock says where they are. */
static bool fill_in_guest(struct opts *opts, enum opts_command command)
{
	if (opts->kernel) {
		return true;
	}
	opts->kernel = getenv(opts->arch->kernel_env);
	if (!opts->kernel) {
		return refuse(command, "--kernel is missing", "");
	}
	if (!opts->initrd) {
		opts->initrd = getenv(opts->arch->initrd_env);
	}
	return true;
}

/* --gic, or the default, where there is a GIC; elsewhere nobody may ask for one, but for an APLIC.
 */
static bool settle_irqc(struct opts *opts, enum opts_command command)
{
	if (opts->aplic && opts->arch->machine != HV_MACHINE_RISCV) {
		return refuse(command, "--aia: there is no APLIC with --arch ", opts->arch->name);
	}
	if (opts->arch->has_gic) {
		opts->gic = opts->gic ? opts->gic : 3;
		return true;
	}
	return !opts->gic ||
	       refuse(command, "--gic: there is no GIC with --arch ", opts->arch->name);
}

/* RAM begins where it always does; for a kernel beyond it, it reaches --mem beyond its address. */
static void reach_load_addr(struct opts *opts)
{
	uint64_t below = opts->load_addr - opts->arch->ram;

	if (opts->has_load_addr && opts->load_addr >= opts->arch->ram && below >= opts->mem &&
		below <= MEM_MOST - opts->mem) {
		opts->mem += (below + MEM_LEAST - 1) / MEM_LEAST * MEM_LEAST;
	}
}

bool opts_parse(struct opts *opts, enum opts_command command, int argc, char **argv)
{
	struct option list[HV_ARRAY_COUNT(rows) + 1];
	int at;

	set_defaults(opts);
	list_options(command, list);
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((at = getopt_long(argc, argv, "+:", list, NULL)) != -1) {
		if (at == '?' || at == ':') {
			return refuse(command,
				at == ':' ? "an option's value is missing: " : "unknown option: ",
				argv[optind - 1]);
		}
		if (!rows[at - 1].take(opts, optarg)) {
			host_say("--%s%s%s: it takes %s", rows[at - 1].name, optarg ? " " : "",
				optarg ? optarg : "", rows[at - 1].wants);
			return false;
		}
	}
	if (optind < argc) {
		return refuse(command, "unexpected argument: ", argv[optind]);
	}
	if (command == OPTS_PACK && !opts->out && !opts->iso) {
		return refuse(command, "--out is missing", "");
	}
	if (opts->backend == OPTS_BOCHS && !opts->arch->flat_env) {
		return refuse(command, "--backend bochs: it is no machine with --arch ",
			opts->arch->name);
	}
	if (opts->iso && !opts->arch->flat_env) {
		return refuse(
			command, "--iso: no CD boots a machine with --arch ", opts->arch->name);
	}
	reach_load_addr(opts);
	if (opts->dtb && !opts->arch->has_dtb) {
		return refuse(command, "--dtb: no device tree describes a machine with --arch ",
			opts->arch->name);
	}
	return settle_irqc(opts, command) && fill_in_guest(opts, command);
}

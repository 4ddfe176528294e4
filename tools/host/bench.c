/* SPDX-License-Identifier: MIT */
/*
 * `tools/drydock bench`: the same kernel and initramfs to user space on the sim and on plain QEMU,
 * by turns, so that a machine that slows down slows both. Wall times; the ratio is what to quote.
 */
#include "console.h"
#include "host.h"
#include "opts.h"
#include "qemu.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define READY     "GUEST-READY"
#define GIVE_UP_S 300.0

/*
 * Seconds until the program printed READY; negative after a message when it never did. `ends`: the
 * program ends by itself then, and has something to write first.
 */
static double time_to_ready(const struct qemu_line *line, bool ends)
{
	static struct console console;
	struct report report = {0};
	double start = host_now();

	if (!console_open(&console, READY)) {
		return -1;
	}
	console.silent = true;
	console.linger = ends;
	qemu_spawn(line->argv, &console, GIVE_UP_S, &report);
	console_close(&console);
	if (!console.seen) {
		host_say("%s did not reach " READY " %s", line->argv[0], report.reason);
		return -1;
	}
	return host_now() - start;
}

static void add_all(struct qemu_line *line, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		qemu_add(line, words[i]);
	}
}

static void plain_qemu_line(struct qemu_line *line, const struct opts *opts, const char *mem)
{
	const char *const words[] = {"-m", mem, "-kernel", opts->kernel, "-append", opts->append};

	qemu_add_machine(line, opts, opts->arch->plain_machine_args, opts->arch->plain_cpu);
	add_all(line, words, HV_ARRAY_COUNT(words));
	if (opts->initrd) {
		qemu_add(line, "-initrd");
		qemu_add(line, opts->initrd);
	}
}

static void sim_line(
	struct qemu_line *line, const struct opts *opts, const char *mem, const char *stats)
{
	const char *const words[] = {"/proc/self/exe", "run", "--arch", opts->arch->name,
		"--kernel", opts->kernel, "--append", opts->append, "--mem", mem, "--until", READY,
		stats};

	add_all(line, words, HV_ARRAY_COUNT(words));
	if (opts->initrd) {
		qemu_add(line, "--initrd");
		qemu_add(line, opts->initrd);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int compare(
	const struct opts *opts, const struct qemu_line *sim, const struct qemu_line *plain)
{
	double sim_s[100], plain_s[100], ratio[100];

	printf("%-4s %12s %12s %8s\n", "run", "sim [s]", "QEMU [s]", "ratio");
	for (unsigned i = 0; i < opts->runs; i++) {
		plain_s[i] = time_to_ready(plain, false);
		sim_s[i] = plain_s[i] < 0 ? -1 : time_to_ready(sim, true);
		if (sim_s[i] < 0) {
			return HOST_FAILED;
		}
		ratio[i] = sim_s[i] / plain_s[i];
		printf("%-4u %12.3f %12.3f %8.2f\n", i + 1, sim_s[i], plain_s[i], ratio[i]);
		fflush(stdout);
	}
	printf("%-4s %12.3f %12.3f %8.2f\n", "med.", median(sim_s, opts->runs),
		median(plain_s, opts->runs), median(ratio, opts->runs));
	return HOST_OK;
}

/* The last sim run's own account of its time, as it wrote it. */
static void print_where(const char *path)
{
	struct hv_blob json;

	if (host_read_file(path, &json)) {
		printf("\nWhere the sim's last run went (times in seconds):\n%.*s", (int)json.size,
			(const char *)json.data);
		free((void *)json.data);
	}
	remove(path);
}

int cmd_bench(int argc, char **argv)
{
	char mem[32], stats_path[64], stats_option[80];
	struct qemu_line sim = {0}, plain = {0};
	struct opts opts;
	int status;

	if (!opts_parse(&opts, OPTS_BENCH, argc, argv)) {
		return HOST_USAGE;
	}
	opts.append = opts.append ? opts.append : opts.arch->append;
	snprintf(mem, sizeof(mem), "%lluM", (unsigned long long)(opts.mem >> 20));
	snprintf(stats_path, sizeof(stats_path), "/tmp/drydock-bench-%ld.json", (long)getpid());
	snprintf(stats_option, sizeof(stats_option), "--stats=%s", stats_path);
	sim_line(&sim, &opts, mem, stats_option);
	plain_qemu_line(&plain, &opts, mem);
	status = compare(&opts, &sim, &plain);
	if (status == HOST_OK) {
		print_where(stats_path);
	}
	return status;
}

/* SPDX-License-Identifier: MIT */
#include "qemu.h"

#include "child.h"
#include "guest.h"
#include "host.h"
#include "pack.h"
#include "records.h"

#include <hv/bits.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * What the machine needs beyond the guest's RAM and the bundle: QEMU puts the bundle up to 128 MiB
 * into RAM, and the guest's RAM must fit above it in one piece.
 */
#define HOST_MIB 192u

void qemu_add(struct qemu_line *line, const char *word)
{
	if (line->count < QEMU_ARGS) {
		line->argv[line->count++] = (char *)word;
		line->argv[line->count] = NULL;
	}
}

bool qemu_add_split(struct qemu_line *line, const char *text)
{
	char *to, quote = 0;
	bool in_word = false;

	line->owned = to = malloc(strlen(text) + 1);
	if (!to) {
		return false;
	}
	for (; *text; text++) {
		if (!quote && (*text == ' ' || *text == '\t' || *text == '\n')) {
			if (in_word) {
				*to++ = '\0';
			}
			in_word = false;
			continue;
		}
		if (!in_word) {
			qemu_add(line, to);
			in_word = true;
		}
		if (quote ? *text == quote : *text == '\'' || *text == '"') {
			quote = quote ? 0 : *text;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return quote == 0 && line->count < QEMU_ARGS;
}

void qemu_spawn(char *const *argv, struct console *console, double timeout_s, struct report *report)
{
	struct wire wire;

	if (wire_pipes(&wire)) {
		child_run(argv, &wire, console, timeout_s, report);
	} else {
		snprintf(report->reason, sizeof(report->reason), "no pipes: %s", strerror(errno));
	}
}

/* The bundle as a file that QEMU can open; it lives as long as `fd`. */
static bool bundle_file(const struct hv_blob *bundle, int *fd, char path[64])
{
	*fd = memfd_create("drydock-bundle", 0);
	if (*fd < 0) {
		return false;
	}
	for (uint64_t done = 0; done < bundle->size;) {
		ssize_t put = write(*fd, (const uint8_t *)bundle->data + done, bundle->size - done);

		if (put <= 0) {
			close(*fd);
			return false;
		}
		done += (uint64_t)put;
	}
	snprintf(path, 64, "/proc/self/fd/%d", *fd);
	return true;
}

void qemu_add_machine(
	struct qemu_line *line, const struct opts *opts, const char *machine_args, const char *cpu)
{
	static const char *const words[] = {"-display", "none", "-monitor", "none", "-serial",
		"stdio", "-nic", "none", "-no-reboot"};

	if (opts->arch->has_gic) {
		snprintf(line->machine, sizeof(line->machine), "%s,gic-version=%u", machine_args,
			(unsigned)opts->gic);
		machine_args = line->machine;
	}
	qemu_add(line, opts->arch->qemu);
	qemu_add(line, "-M");
	qemu_add(line, machine_args);
	qemu_add(line, "-cpu");
	qemu_add(line, cpu);
	for (size_t i = 0; i < HV_ARRAY_COUNT(words); i++) {
		qemu_add(line, words[i]);
	}
}

static bool hypervisor_line(struct qemu_line *line, const struct opts *opts, const char *cpus,
	const char *mem, const char *bundle)
{
	qemu_add_machine(line, opts, opts->arch->machine_args, opts->arch->cpu);
	qemu_add(line, "-smp");
	qemu_add(line, cpus);
	qemu_add(line, "-m");
	qemu_add(line, mem);
	qemu_add(line, "-kernel");
	qemu_add(line, getenv(opts->arch->image_env));
	qemu_add(line, "-initrd");
	qemu_add(line, bundle);
	if (opts->deterministic) {
		qemu_add(line, "-icount");
		qemu_add(line, "shift=0,sleep=off");
		qemu_add(line, "-rtc"); /* lest the date get in; the sim starts at the same one */
		qemu_add(line, "base=2024-01-01T00:00:00,clock=vm");
	}
	return !opts->qemu_args || qemu_add_split(line, opts->qemu_args);
}

static uint64_t host_mib(const struct opts *opts, uint64_t guest_bytes)
{
	uint64_t mib = (guest_bytes >> 20) + HOST_MIB;

	return mib > opts->arch->break_mib ? mib + opts->arch->break_mib : mib;
}

static void run_bundle(const struct hv_blob *bundle, const struct guest *guest,
	const struct opts *opts, struct console *console, struct report *report)
{
	uint64_t mib = host_mib(opts, guest->hv.ram_size + bundle->size);
	struct qemu_line line = {0};
	char path[64], mem[32], cpus[8];
	int fd;

	if (!bundle_file(bundle, &fd, path)) {
		snprintf(report->reason, sizeof(report->reason), "no memory for the bundle");
		return;
	}
	snprintf(mem, sizeof(mem), "%lluM", (unsigned long long)mib);
	snprintf(cpus, sizeof(cpus), "%u", (unsigned)opts->cpus);
	if (!getenv(opts->arch->image_env)) {
		snprintf(report->reason, sizeof(report->reason),
			"the bare-metal image is not known; start by tools/drydock");
	} else if (!hypervisor_line(&line, opts, cpus, mem, path)) {
		snprintf(report->reason, sizeof(report->reason),
			"--qemu-args: cannot be split into words");
	} else {
		qemu_spawn(line.argv, console, opts->timeout_s, report);
	}
	free(line.owned);
	close(fd);
}

void qemu_run(const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report)
{
	struct hv_blob bundle;

	if (!records_take(report, console)) {
		return;
	}
	if (!pack_bundle(&guest->hv, console->token, opts->stats, &bundle)) {
		snprintf(report->reason, sizeof(report->reason), "the guest could not be packed");
		return;
	}
	run_bundle(&bundle, guest, opts, console, report);
	free((void *)bundle.data);
}

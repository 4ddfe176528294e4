/* SPDX-License-Identifier: MIT */
#include "bochs.h"

#include "child.h"
#include "folder.h"
#include "guest.h"
#include "host.h"
#include "iso.h"
#include "pack.h"
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beyond the guest's RAM and the bundle: the hypervisor, firmware, and where GRUB puts what. */
#define HOST_MIB 64u

/* As many as its triple faults may be, and a few: Bochs stops at each, and asks. */
#define GO_ONS  32u
#define GO_ON   "continue\n"
#define THE_DAY 1704067200 /* 2024-01-01, as with QEMU */
#define LOG_END 4000u

/*
 * Time is the count of instructions. A guest's triple fault is a "panic" of its CPU's, and the
 * guest's own business; each exit is an "error".
 */
static const char config[] = "plugin_ctrl: unmapped=1, biosdev=1, speaker=0, gameport=0\n"
			     "config_interface: textconfig\n"
			     "display_library: rfb, options=\"timeout=0\"\n"
			     "romimage: file=$BXSHARE/BIOS-bochs-latest\n"
			     "vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest\n"
			     "cpu: model=ryzen, count=%u, ips=100000000, "
			     "reset_on_triple_fault=0\n"
			     "megs: %llu\n"
			     "clock: sync=none%s\n"
			     "pci: enabled=1, chipset=i440fx\n"
			     "ata1: enabled=0\n"
			     "ata0-master: type=cdrom, path=\"%s\", status=inserted\n"
			     "boot: cdrom\n"
			     "com1: enabled=1, mode=term, dev=%s\n"
			     "sound: waveoutdrv=dummy\n"
			     "mouse: enabled=0\n"
			     "log: %s\n"
			     "panic: action=fatal, cpu0=report\n"
			     "error: action=ignore\n"
			     "info: action=report\n"
			     "debug: action=ignore\n";

bool bochs_config(const struct bochs_cfg *cfg, char text[BOCHS_CONFIG])
{
	char date[32] = "";
	int length;

	if (cfg->deterministic) {
		snprintf(date, sizeof(date), ", time0=%u", THE_DAY);
	}
	length = snprintf(text, BOCHS_CONFIG, config, cfg->cpus, (unsigned long long)cfg->mib, date,
		cfg->cd, cfg->serial, cfg->log);
	return length > 0 && (unsigned)length < BOCHS_CONFIG;
}

static bool write_start(const struct folder *folder)
{
	char text[GO_ONS * (sizeof(GO_ON) - 1) + 1] = "";

	for (unsigned i = 0; i < GO_ONS; i++) {
		memcpy(text + i * (sizeof(GO_ON) - 1), GO_ON, sizeof(GO_ON));
	}
	return folder_write(folder, "start", text, sizeof(text) - 1);
}

static bool prepare(const struct folder *folder, const struct hv_blob *bundle,
	const struct guest *guest, const struct opts *opts, const char *serial)
{
	struct folder_file cd = folder_file(folder, "cd.iso"), log = folder_file(folder, "log");
	const struct bochs_cfg cfg = {
		.mib = ((guest->hv.ram_size + bundle->size) >> 20) + HOST_MIB,
		.cpus = opts->cpus,
		.deterministic = opts->deterministic,
		.cd = cd.path,
		.serial = serial,
		.log = log.path,
	};
	char text[BOCHS_CONFIG];

	return iso_write(opts->arch, bundle, cd.path) && bochs_config(&cfg, text) &&
	       folder_write(folder, "bochsrc", text, strlen(text)) && write_start(folder);
}

/* Nobody said how it ended: what Bochs says may tell. */
static void say_end(const char *path)
{
	struct hv_blob log;
	size_t from;

	if (access(path, R_OK) == 0 && host_read_file(path, &log)) {
		from = log.size > LOG_END ? log.size - LOG_END : 0;
		host_say("Bochs: %.*s", (int)(log.size - from), (const char *)log.data + from);
		free((void *)log.data);
	}
}

static void run_bundle(const struct folder *folder, const struct hv_blob *bundle,
	const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report)
{
	struct folder_file rc = folder_file(folder, "bochsrc"),
			   start = folder_file(folder, "start"), said = folder_file(folder, "said");
	char *argv[] = {(char[]){"bochs"}, (char[]){"-q"}, (char[]){"-f"}, rc.path, (char[]){"-rc"},
		start.path, NULL};
	struct wire wire;
	char serial[64];

	if (!wire_terminal(&wire, said.path, serial)) {
		snprintf(report->reason, sizeof(report->reason), "no terminal for the console");
		return;
	}
	if (!prepare(folder, bundle, guest, opts, serial)) {
		wire_close(&wire);
		snprintf(report->reason, sizeof(report->reason), "the CD could not be made");
		return;
	}
	child_run(argv, &wire, console, opts->timeout_s, report);
	if (report->end == REPORT_NONE) {
		say_end(said.path);
	}
}

void bochs_run(const struct guest *guest, const struct opts *opts, struct console *console,
	struct report *report)
{
	struct hv_blob bundle;
	struct folder folder;

	if (!records_take(report, console)) {
		return;
	}
	if (!pack_bundle(&guest->hv, console->token, opts->stats, &bundle)) {
		snprintf(report->reason, sizeof(report->reason), "the guest could not be packed");
		return;
	}
	if (folder_make(&folder)) {
		run_bundle(&folder, &bundle, guest, opts, console, report);
		folder_remove(&folder);
	}
	free((void *)bundle.data);
}

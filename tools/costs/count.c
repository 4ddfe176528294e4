/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU (TCG) that counts whose instructions a machine runs: those of the image that it
 * was booted with, at whatever address they run, those of the firmware below it, and all others.
 * One CPU. Arguments:
 *
 * at=ADDRESS, entry=BYTES: where the image is entered, and how far behind its first byte that is.
 *
 * image=BYTES: size of the image's code, from its first byte.
 *
 * firmware=BYTES: size of the memory below the image that is the firmware's; may be 0.
 *
 * out=FILE: at the end, "image N", "firmware N", "other N", "before N" (the image's before the
 * first other instruction), and "at OFFSET N" for each of the image's that ever ran.
 *
 * trace=FILE: the image's offsets in the order they ran, 32-bit little endian; 0xffffffff stands
 * for any number of others, and the firmware's are left out. Slow, and the file is large: for short
 * runs.
 *
 * Image and firmware are known by where QEMU holds them in memory, and that by the first
 * instruction at ADDRESS. What runs before it is loader and firmware.
 */
#include "plugin_api.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHERS UINT32_MAX
#define GRAIN  1u /* the shortest instruction */

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct {
	uint64_t entry;
	size_t entry_offset, size, firmware_size;
	const uint8_t *image; /* NULL until its first instruction */
	uint64_t *runs;       /* one for each GRAIN of the image */
	uint64_t firmware, others, before;
	uint64_t loading; /* of `firmware`: before the image's first */
	bool others_seen;
	uint32_t last; /* what the trace ends with */
	const char *out_path;
	FILE *trace;
} count;

static uint64_t image_total(void)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count.size / GRAIN; i++) {
		total += count.runs[i];
	}
	return total;
}

static void trace(uint32_t what)
{
	const uint8_t bytes[4] = {
		(uint8_t)what, (uint8_t)(what >> 8), (uint8_t)(what >> 16), (uint8_t)(what >> 24)};

	if (what != OTHERS || count.last != OTHERS) {
		fwrite(bytes, sizeof(bytes), 1, count.trace);
	}
	count.last = what;
}

static void on_other(unsigned cpu, void *ctx)
{
	(void)cpu;
	(void)ctx;
	if (!count.others_seen) {
		count.others_seen = true;
		count.before = image_total();
	}
	if (count.trace) {
		trace(OTHERS);
	}
}

static void on_image(unsigned cpu, void *offset)
{
	(void)cpu;
	trace((uint32_t)(uintptr_t)offset);
}

static void add_one(struct qemu_plugin_insn *insn, uint64_t *to)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, to, 1);
}

static void count_instruction(struct qemu_plugin_insn *insn)
{
	uintptr_t host = (uintptr_t)qemu_plugin_insn_haddr(insn), image = (uintptr_t)count.image;

	if (!count.image || image - host - 1 < count.firmware_size) {
		add_one(insn, &count.firmware);
	} else if (host - image < count.size) {
		add_one(insn, &count.runs[(host - image) / GRAIN]);
		if (count.trace) {
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_image, QEMU_PLUGIN_CB_NO_REGS, (void *)(host - image));
		}
	} else {
		add_one(insn, &count.others);
		if (count.trace || !count.others_seen) {
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_other, QEMU_PLUGIN_CB_NO_REGS, NULL);
		}
	}
}

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	if (!count.image && qemu_plugin_tb_vaddr(block) == count.entry) {
		count.image =
			(const uint8_t *)qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(block, 0)) -
			count.entry_offset;
		count.loading = count.firmware;
	}
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		count_instruction(qemu_plugin_tb_get_insn(block, i));
	}
}

static void write_counts(qemu_plugin_id_t id, void *ctx)
{
	FILE *out = fopen(count.out_path, "w");

	(void)id;
	(void)ctx;
	if (count.trace) {
		fclose(count.trace);
	}
	if (!out) {
		perror(count.out_path);
		return;
	}
	fprintf(out,
		"image %" PRIu64 "\nfirmware %" PRIu64 "\nother %" PRIu64 "\nbefore %" PRIu64 "\n",
		image_total(), count.firmware - count.loading, count.others, count.before);
	for (size_t i = 0; i < count.size / GRAIN; i++) {
		if (count.runs[i]) {
			fprintf(out, "at %#zx %" PRIu64 "\n", i * GRAIN, count.runs[i]);
		}
	}
	fclose(out);
}

static bool take_argument(const char *text)
{
	if (strncmp(text, "at=", 3) == 0) {
		count.entry = strtoull(text + 3, NULL, 0);
		return true;
	}
	if (strncmp(text, "entry=", 6) == 0) {
		count.entry_offset = strtoul(text + 6, NULL, 0);
		return true;
	}
	if (strncmp(text, "image=", 6) == 0) {
		count.size = strtoul(text + 6, NULL, 0);
		return true;
	}
	if (strncmp(text, "firmware=", 9) == 0) {
		count.firmware_size = strtoul(text + 9, NULL, 0);
		return true;
	}
	if (strncmp(text, "out=", 4) == 0) {
		count.out_path = strdup(text + 4);
		return count.out_path != NULL;
	}
	if (strncmp(text, "trace=", 6) == 0) {
		count.trace = fopen(text + 6, "wb");
		return count.trace != NULL;
	}
	return false;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!take_argument(argv[i])) {
			fprintf(stderr, "count: bad argument: %s\n", argv[i]);
			return -1;
		}
	}
	count.runs = calloc(count.size / GRAIN + 1, sizeof(*count.runs));
	if (!count.out_path || !count.runs) {
		fprintf(stderr, "count: out=FILE is missing, or there is no memory\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
	qemu_plugin_register_atexit_cb(id, write_counts, NULL);
	return 0;
}

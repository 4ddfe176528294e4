/* SPDX-License-Identifier: MIT */
#include "pack.h"

#include "guest.h"
#include "host.h"
#include "iso.h"
#include "opts.h"

#include <hv/bits.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_SIZE HV_BUNDLE_ALIGN

/* The images in the order in which they follow the manifest. */
struct part {
	const char *name;
	struct hv_blob blob;
	uint64_t offset;
};

static int put_part(void *fdt, const struct part *part)
{
	fdt64_t cells[2] = {cpu_to_fdt64(part->offset), cpu_to_fdt64(part->blob.size)};

	return part->blob.size ? fdt_property(fdt, part->name, cells, sizeof(cells)) : 0;
}

/* In the manifest with the NUL that it has not got here. */
static int put_cmdline(void *fdt, struct hv_blob cmdline)
{
	void *to;
	int error = fdt_property_placeholder(fdt, "cmdline", (int)cmdline.size + 1, &to);

	if (!error) {
		memcpy(to, cmdline.data, cmdline.size);
		((char *)to)[cmdline.size] = '\0';
	}
	return error;
}

static int put_vm(void *fdt, const struct hv_guest *guest, const struct part *parts, size_t count)
{
	int error = fdt_begin_node(fdt, "vm@0");

	error = error ? error : fdt_property_u32(fdt, "cpus", guest->cpus);
	error = error ? error : fdt_property_u64(fdt, "memory-size", guest->ram_size);
	if (guest->gic) {
		error = error ? error : fdt_property_u32(fdt, "gic-version", guest->gic);
	}
	if (guest->aplic) {
		error = error ? error : fdt_property(fdt, "aplic", NULL, 0);
	}
	if (guest->lazy_ram) {
		error = error ? error : fdt_property(fdt, "lazy-memory", NULL, 0);
	}
	if (guest->has_load_addr) {
		error = error ? error : fdt_property_u64(fdt, "load-address", guest->load_addr.v);
	}
	if (guest->cmdline.size) {
		error = error ? error : put_cmdline(fdt, guest->cmdline);
	}
	for (size_t i = 0; i < count && !error; i++) {
		error = put_part(fdt, &parts[i]);
	}
	return error ? error : fdt_end_node(fdt);
}

static int put_manifest(void *fdt, uint64_t total, const char *token, bool stats,
	const struct hv_guest *guest, const struct part *parts, size_t count)
{
	int error = fdt_create(fdt, MANIFEST_SIZE);

	error = error ? error : fdt_finish_reservemap(fdt);
	error = error ? error : fdt_begin_node(fdt, "");
	error = error ? error : fdt_property_string(fdt, "compatible", "drydock,bundle-1");
	error = error ? error : fdt_property_u32(fdt, "machine", guest->machine);
	error = error ? error : fdt_property_u64(fdt, "total-size", total);
	if (token) {
		error = error ? error : fdt_property(fdt, "token", token, HV_BUNDLE_TOKEN + 1);
	}
	if (stats) {
		error = error ? error : fdt_property(fdt, "stats", NULL, 0);
	}
	error = error ? error : put_vm(fdt, guest, parts, count);
	error = error ? error : fdt_end_node(fdt);
	return error ? error : fdt_finish(fdt);
}

bool pack_bundle(
	const struct hv_guest *guest, const char *token, bool stats, struct hv_blob *bundle)
{
	struct part parts[] = {
		{"kernel", guest->kernel, 0},
		{"initrd", guest->initrd, 0},
		{"dtb", guest->dtb, 0},
		{"flash", guest->flash, 0},
	};
	uint64_t total = MANIFEST_SIZE;
	uint8_t *data;
	int error;

	for (size_t i = 0; i < HV_ARRAY_COUNT(parts); i++) {
		parts[i].offset = total;
		total += hv_align_up(parts[i].blob.size, HV_BUNDLE_ALIGN);
	}
	data = calloc(1, total);
	if (!data) {
		host_say("no memory for a bundle of %llu bytes", (unsigned long long)total);
		return false;
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(parts); i++) {
		if (parts[i].blob.size) {
			memcpy(data + parts[i].offset, parts[i].blob.data, parts[i].blob.size);
		}
	}
	error = put_manifest(data, total, token, stats, guest, parts, HV_ARRAY_COUNT(parts));
	if (error) {
		host_say("the bundle's manifest: %s", fdt_strerror(error));
		free(data);
		return false;
	}
	*bundle = (struct hv_blob){data, total};
	return true;
}

int cmd_pack(int argc, char **argv)
{
	struct hv_blob bundle;
	struct opts opts;
	struct guest guest;
	bool ok;

	if (!opts_parse(&opts, OPTS_PACK, argc, argv) || !guest_open(&guest, &opts, false)) {
		return HOST_USAGE;
	}
	ok = pack_bundle(&guest.hv, NULL, opts.stats, &bundle);
	guest_close(&guest);
	if (!ok) {
		return HOST_FAILED;
	}
	ok = !opts.out || host_write_file(opts.out, bundle.data, bundle.size);
	ok = ok && (!opts.iso || iso_write(opts.arch, &bundle, opts.iso));
	free((void *)bundle.data);
	return ok ? HOST_OK : HOST_FAILED;
}

/* SPDX-License-Identifier: MIT */
/*
 * The manifest of a bundle: a device tree whose every property is known, so that nothing in it is
 * silently ignored. hv_bundle_open() reads all VMs once; hv_bundle_vm() only repeats one of them.
 */
#include <hv/bundle.h>
#include <hv/check.h>
#include <hv/vm.h>
#include <load/load.h>

#define BUNDLE_COMPATIBLE "drydock,bundle-1"
#define BUNDLE_IMAGES     4u /* kernel, initrd, dtb, flash */

static const char *const bundle_root_props[] = {
	"compatible", "machine", "total-size", "token", "stats", NULL};
static const char *const bundle_vm_props[] = {"cpus", "gic-version", "aplic", "memory-size",
	"lazy-memory", "load-address", "cmdline", "kernel", "initrd", "dtb", "flash", NULL};
static const char *const bundle_vm_paths[HV_BUNDLE_VMS] = {
	"/vm@0", "/vm@1", "/vm@2", "/vm@3", "/vm@4", "/vm@5", "/vm@6", "/vm@7"};
static const char *const bundle_inputs[HV_BUNDLE_VMS] = {"bundle vm0", "bundle vm1", "bundle vm2",
	"bundle vm3", "bundle vm4", "bundle vm5", "bundle vm6", "bundle vm7"};

/* One node that is being read. */
struct bundle_reader {
	const struct hv_bundle *bundle;
	struct hv_fdt_node node;
	struct hv_load_error *error;
};

static uint64_t bundle_offset(const struct bundle_reader *reader, const void *at)
{
	return (uint64_t)((const uint8_t *)at - reader->bundle->manifest.base);
}

/* Points the error at a property; at its node when it is missing. */
static bool bundle_find(struct bundle_reader *reader, const char *name, struct hv_blob *value)
{
	bool found = hv_fdt_prop(&reader->bundle->manifest, &reader->node, name, value);

	load_at(reader->error, name, found ? bundle_offset(reader, value->data) : reader->node.at,
		0);
	return found;
}

static enum hv_status bundle_check_props(struct bundle_reader *reader, const char *const known[])
{
	struct hv_blob value;
	const char *name;

	for (uint32_t i = 0;
		hv_fdt_prop_at(&reader->bundle->manifest, &reader->node, i, &name, &value); i++) {
		uint32_t k = 0;

		while (known[k] != NULL && !load_text_is(known[k], name)) {
			k++;
		}
		if (known[k] == NULL) {
			load_at(reader->error, name, bundle_offset(reader, value.data), 0);
			return load_refuse(reader->error, "unknown property");
		}
	}
	return HV_OK;
}

/* A number that must be there, in [low, high]. */
static enum hv_status bundle_number(struct bundle_reader *reader, const char *name, uint64_t low,
	uint64_t high, uint64_t *value)
{
	struct hv_blob raw;

	if (!bundle_find(reader, name, &raw)) {
		return load_refuse(reader->error, "missing");
	}
	if (hv_fdt_u64(&reader->bundle->manifest, &reader->node, name, value) != HV_OK) {
		return load_refuse(reader->error, "not a number of one or two cells");
	}
	reader->error->value = *value;
	return *value >= low && *value <= high ? HV_OK : load_refuse(reader->error, "out of range");
}

/* An image that may be missing. */
static enum hv_status bundle_image(
	struct bundle_reader *reader, const char *name, struct hv_blob *image)
{
	const struct hv_bundle *bundle = reader->bundle;
	struct hv_blob raw;
	uint64_t offset, size;

	*image = (struct hv_blob){0};
	if (!bundle_find(reader, name, &raw)) {
		return HV_OK;
	}
	reader->error->value = raw.size;
	if (raw.size != 16) {
		return load_refuse(reader->error, "not an offset and a size of two cells each");
	}
	offset = hv_be64(raw.data);
	size = hv_be64((const uint8_t *)raw.data + 8);
	reader->error->value = offset;
	if (!hv_is_aligned(offset, HV_BUNDLE_ALIGN)) {
		return load_refuse(reader->error, "the offset is not a multiple of 4 KiB");
	}
	if (offset < bundle->manifest.size) {
		return load_refuse(reader->error, "overlaps the manifest");
	}
	reader->error->value = size;
	if (size == 0 || !hv_range_inside(offset, size, 0, bundle->blob.size)) {
		return load_refuse(reader->error, "empty, or past the end of the bundle");
	}
	*image = (struct hv_blob){(const uint8_t *)bundle->blob.data + offset, size};
	return HV_OK;
}

static enum hv_status bundle_images(struct bundle_reader *reader, struct hv_guest *guest)
{
	enum hv_status status = bundle_image(reader, "initrd", &guest->initrd);

	if (status == HV_OK) {
		status = bundle_image(reader, "dtb", &guest->dtb);
	}
	if (status == HV_OK) {
		status = bundle_image(reader, "flash", &guest->flash);
	}
	if (status == HV_OK) {
		status = bundle_image(reader, "kernel", &guest->kernel);
	}
	if (status == HV_OK && guest->kernel.size == 0) {
		return load_refuse(reader->error, "missing");
	}
	return status;
}

static enum hv_status bundle_memory(struct bundle_reader *reader, struct hv_guest *guest)
{
	enum hv_status status =
		bundle_number(reader, "memory-size", HV_PAGE_SIZE, UINT64_MAX, &guest->ram_size);
	struct hv_blob raw;

	if (status != HV_OK) {
		return status;
	}
	if (!hv_is_aligned(guest->ram_size, HV_PAGE_SIZE)) {
		return load_refuse(reader->error, "not a multiple of 4 KiB");
	}
	guest->lazy_ram = bundle_find(reader, "lazy-memory", &raw);
	guest->has_load_addr = bundle_find(reader, "load-address", &raw);
	return guest->has_load_addr
		       ? bundle_number(reader, "load-address", 0, UINT64_MAX, &guest->load_addr.v)
		       : HV_OK;
}

/* The interrupt controller: a GIC on Arm machines, on others there is only a choice. */
static enum hv_status bundle_irqc(struct bundle_reader *reader, struct hv_guest *guest)
{
	struct hv_blob raw;
	uint64_t gic = 0;
	enum hv_status status;

	guest->aplic = bundle_find(reader, "aplic", &raw);
	if (guest->aplic && guest->machine != HV_MACHINE_RISCV) {
		return load_refuse(reader->error, "the machine has no APLIC");
	}
	if (guest->machine != HV_MACHINE_AARCH64) {
		return bundle_find(reader, "gic-version", &raw)
			       ? load_refuse(reader->error, "the machine has no GIC")
			       : HV_OK;
	}
	status = bundle_number(reader, "gic-version", 2, 3, &gic);
	guest->gic = (uint8_t)gic;
	return status;
}

/* Elsewhere than on x86_64 it is in the tree. */
static enum hv_status bundle_cmdline(struct bundle_reader *reader, struct hv_guest *guest)
{
	struct hv_blob raw;
	const char *text;

	if (!bundle_find(reader, "cmdline", &raw)) {
		return HV_OK;
	}
	reader->error->value = raw.size;
	if (guest->machine != HV_MACHINE_X86_64) {
		return load_refuse(reader->error, "the machine's is in its tree, in /chosen");
	}
	if (hv_fdt_string(&reader->bundle->manifest, &reader->node, "cmdline", &text) != HV_OK) {
		return load_refuse(reader->error, "not a string");
	}
	guest->cmdline = (struct hv_blob){text, raw.size - 1};
	return HV_OK;
}

static enum hv_status bundle_guest(struct bundle_reader *reader, struct hv_guest *guest)
{
	uint64_t cpus;
	enum hv_status status = bundle_check_props(reader, bundle_vm_props);

	*guest = (struct hv_guest){.machine = reader->bundle->machine};
	if (status == HV_OK) {
		status = bundle_number(reader, "cpus", 1, HV_VCPUS, &cpus);
	}
	if (status == HV_OK) {
		guest->cpus = (uint16_t)cpus;
		status = bundle_irqc(reader, guest);
	}
	if (status == HV_OK) {
		status = bundle_memory(reader, guest);
	}
	if (status == HV_OK) {
		status = bundle_cmdline(reader, guest);
	}
	return status == HV_OK ? bundle_images(reader, guest) : status;
}

/* Letters and digits only, as it is matched in the byte stream of a console. */
static enum hv_status bundle_token(struct bundle_reader *reader, struct hv_bundle *bundle)
{
	struct hv_blob raw;
	const char *text;

	if (!bundle_find(reader, "token", &raw)) {
		return HV_OK;
	}
	reader->error->value = raw.size;
	if (raw.size != HV_BUNDLE_TOKEN + 1) {
		return load_refuse(reader->error, "not 16 characters");
	}
	text = raw.data;
	for (uint32_t i = 0; i < HV_BUNDLE_TOKEN; i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';
		bool is_letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';

		if (!is_digit && !is_letter) {
			return load_refuse(reader->error, "not letters and digits");
		}
		bundle->token[i] = text[i];
	}
	return text[HV_BUNDLE_TOKEN] == '\0' ? HV_OK
					     : load_refuse(reader->error, "not 16 characters");
}

static enum hv_status bundle_machine(struct bundle_reader *reader, const struct hv_bundle *bundle)
{
	uint64_t machine;
	enum hv_status status = bundle_number(reader, "machine", 0, UINT16_MAX, &machine);

	if (status == HV_OK && machine != bundle->machine) {
		return load_refuse(reader->error, "for another architecture than the hypervisor");
	}
	return status;
}

static enum hv_status bundle_root(struct bundle_reader *reader, struct hv_bundle *bundle)
{
	uint64_t size;
	struct hv_blob raw;
	enum hv_status status;

	bundle->stats = bundle_find(reader, "stats", &raw);
	(void)bundle_find(reader, "compatible", &raw);
	if (!hv_fdt_has_string(&bundle->manifest, &reader->node, "compatible", BUNDLE_COMPATIBLE)) {
		return load_refuse(reader->error, "not " BUNDLE_COMPATIBLE);
	}
	status = bundle_check_props(reader, bundle_root_props);
	if (status == HV_OK) {
		status = bundle_machine(reader, bundle);
	}
	if (status == HV_OK) {
		status = bundle_number(
			reader, "total-size", bundle->manifest.size, bundle->blob.size, &size);
	}
	if (status == HV_OK) {
		bundle->blob.size = size;
		status = bundle_token(reader, bundle);
	}
	return status;
}

/* All images of all VMs so far: no two may share a byte. */
struct bundle_map {
	uint32_t count;
	struct hv_blob image[HV_BUNDLE_VMS * BUNDLE_IMAGES];
};

static bool bundle_map_add(struct bundle_map *map, struct hv_blob image)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (hv_range_overlaps((uintptr_t)image.data, image.size,
			    (uintptr_t)map->image[i].data, map->image[i].size)) {
			return false;
		}
	}
	map->image[map->count++] = image;
	return true;
}

static enum hv_status bundle_map_guest(
	struct bundle_map *map, const struct hv_guest *guest, struct bundle_reader *reader)
{
	const struct {
		const char *name;
		struct hv_blob image;
	} image[BUNDLE_IMAGES] = {
		{"kernel", guest->kernel},
		{"initrd", guest->initrd},
		{"dtb", guest->dtb},
		{"flash", guest->flash},
	};
	struct hv_blob raw;

	for (uint32_t i = 0; i < BUNDLE_IMAGES; i++) {
		if (!bundle_map_add(map, image[i].image)) {
			(void)bundle_find(reader, image[i].name, &raw);
			return load_refuse(reader->error, "overlaps another image");
		}
	}
	return HV_OK;
}

static enum hv_status bundle_next_vm(
	struct hv_bundle *bundle, struct bundle_reader *reader, struct bundle_map *map)
{
	struct hv_guest guest;
	enum hv_status status;

	load_at(reader->error, reader->node.name, reader->node.at, bundle->vm_count);
	if (bundle->vm_count == HV_BUNDLE_VMS) {
		return load_refuse(reader->error, "more than 8 VMs");
	}
	if (reader->node.depth != 1 ||
		!load_text_is(reader->node.name, bundle_vm_paths[bundle->vm_count] + 1)) {
		return load_refuse(reader->error, "not the next vm@<n> below the root");
	}
	reader->error->input = bundle_inputs[bundle->vm_count];
	status = bundle_guest(reader, &guest);
	if (status == HV_OK) {
		status = bundle_map_guest(map, &guest, reader);
	}
	bundle->vm_count++;
	return status;
}

static enum hv_status bundle_read(struct hv_bundle *bundle, struct hv_load_error *error)
{
	struct bundle_reader reader = {.bundle = bundle, .error = error};
	struct bundle_map map = {0};
	struct hv_fdt_walk walk;
	enum hv_status status;

	hv_fdt_walk_init(&walk, &bundle->manifest);
	(void)hv_fdt_walk_next(&walk, &reader.node); /* an open tree has a root */
	status = bundle_root(&reader, bundle);
	while (status == HV_OK && hv_fdt_walk_next(&walk, &reader.node)) {
		status = bundle_next_vm(bundle, &reader, &map);
	}
	if (status == HV_OK && bundle->vm_count == 0) {
		load_at(error, bundle_vm_paths[0], 0, 0);
		return load_refuse(error, "missing");
	}
	return status;
}

enum hv_status hv_bundle_open(struct hv_bundle *bundle, uint16_t machine, struct hv_blob blob,
	struct hv_load_error *error)
{
	enum hv_status status;

	*bundle = (struct hv_bundle){.blob = blob, .machine = machine};
	*error = (struct hv_load_error){.input = "bundle"};
	status = hv_fdt_open(&bundle->manifest, blob, error);
	if (status == HV_OK) {
		status = bundle_read(bundle, error);
	}
	if (status != HV_OK) {
		*bundle = (struct hv_bundle){0};
	}
	return status;
}

enum hv_status hv_bundle_vm(const struct hv_bundle *bundle, uint16_t index, struct hv_guest *guest,
	struct hv_load_error *error)
{
	struct bundle_reader reader = {.bundle = bundle, .error = error};
	enum hv_status status;

	if (index >= bundle->vm_count) {
		return HV_ERR_NOT_FOUND;
	}
	status = hv_fdt_find_path(&bundle->manifest, bundle_vm_paths[index], &reader.node);
	if (HV_NEVER(status != HV_OK)) { /* hv_bundle_open() counted them by name */
		return status;
	}
	error->input = bundle_inputs[index];
	return bundle_guest(&reader, guest);
}

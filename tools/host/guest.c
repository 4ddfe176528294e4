/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include "dtb.h"
#include "host.h"

#include <hv/bits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool read_input(const char *path, struct hv_blob *blob)
{
	return !path || host_read_file(path, blob);
}

static bool read_inputs(struct hv_guest *guest, const struct opts *opts)
{
	if (!read_input(opts->kernel, &guest->kernel) ||
		!read_input(opts->initrd, &guest->initrd) || !read_input(opts->dtb, &guest->dtb) ||
		!read_input(opts->flash, &guest->flash)) {
		return false;
	}
	if (guest->flash.size > opts->arch->flash_max) {
		host_say("%s: %llu bytes do not fit the flash of %llu", opts->flash,
			(unsigned long long)guest->flash.size,
			(unsigned long long)opts->arch->flash_max);
		return false;
	}
	return true;
}

static const char *path_of_input(const struct opts *opts, const char *input)
{
	const struct {
		const char *input, *path;
	} inputs[] = {
		{"kernel", opts->kernel},
		{"initrd", opts->initrd},
		{"dtb", opts->dtb},
		{"flash", opts->flash},
		{"cmdline", "--append"},
		{"bundle", opts->out},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(inputs); i++) {
		if (strcmp(input, inputs[i].input) == 0 && inputs[i].path) {
			return inputs[i].path;
		}
	}
	return input;
}

void guest_say_load_error(const struct opts *opts, const struct hv_load_error *error)
{
	host_say("%s: %s at offset 0x%llx is 0x%llx: %s", path_of_input(opts, error->input),
		error->field, (unsigned long long)error->offset, (unsigned long long)error->value,
		error->why);
}

/* Random for a run that is nobody's; fixed where two runs must be the same. */
static bool fill_seeds(struct dtb_cfg *cfg, uint8_t seed[DTB_SEED_SIZE], bool deterministic)
{
	if (deterministic) {
		memset(seed, 0x5a, DTB_SEED_SIZE);
		cfg->kaslr_seed = 0;
	} else if (getrandom(seed, DTB_SEED_SIZE, 0) != DTB_SEED_SIZE ||
		   getrandom(&cfg->kaslr_seed, sizeof(cfg->kaslr_seed), 0) !=
			   sizeof(cfg->kaslr_seed)) {
		host_say("this machine gives no random bytes");
		return false;
	}
	cfg->rng_seed = seed;
	return true;
}

/* Others borrow the header of its Image, but only it has its banner. */
static bool is_linux(const struct opts *opts, struct hv_blob kernel)
{
	static const char banner[] = "Linux version ";
	enum hv_load_kind kind = hv_load_kind(opts->arch->loader, kernel);

	if (kind == HV_LOAD_BZIMAGE) {
		return true; /* compressed, and nobody borrows that */
	}
	return kind != HV_LOAD_FLAT && kind != HV_LOAD_ELF64 && kind != HV_LOAD_MULTIBOOT &&
	       memmem(kernel.data, kernel.size, banner, sizeof(banner) - 1) != NULL;
}

#define BOOTARGS_ROOM 128u /* for the default words */

/*
 * What the kernel is told: the user's words, or the console and, at a terminal, a shell. Only Linux
 * knows these words; other kernels would take them for their own.
 */
static const char *bootargs_of(
	const struct opts *opts, struct hv_blob kernel, bool shell, char text[BOOTARGS_ROOM])
{
	if (opts->append || opts->dtb || !is_linux(opts, kernel)) {
		return opts->append;
	}
	snprintf(text, BOOTARGS_ROOM, "%s%s", opts->arch->append, shell ? " drydock.shell" : "");
	return text;
}

/* By a device tree. */
static bool place_dtb(struct guest *guest, const struct opts *opts, bool shell)
{
	char words[BOOTARGS_ROOM];
	struct dtb_cfg cfg = {.bootargs = bootargs_of(opts, guest->hv.kernel, shell, words)};
	size_t room = DTB_ROOM + guest->hv.dtb.size;
	struct hv_blob users = guest->hv.dtb;
	uint8_t seed[DTB_SEED_SIZE];
	struct hv_load_error error = {0};
	void *dtb = malloc(room);
	enum hv_status status;

	if (!dtb || !fill_seeds(&cfg, seed, opts->deterministic)) {
		free(dtb);
		return false;
	}
	status = dtb_place(&guest->hv, &cfg, dtb, room, &error);
	if (status != HV_OK) {
		guest_say_load_error(opts, &error);
		guest->hv.dtb = users;
		free(dtb);
		return false;
	}
	free((void *)users.data);
	return true;
}

/* Without one; a multiboot image's first word is its own name. */
static bool place_cmdline(struct guest *guest, const struct opts *opts, bool shell)
{
	char words[BOOTARGS_ROOM], *text;
	const char *args = bootargs_of(opts, guest->hv.kernel, shell, words);
	bool named = hv_load_kind(opts->arch->loader, guest->hv.kernel) == HV_LOAD_MULTIBOOT;
	struct hv_load_plan plan;
	struct hv_load_error error;
	int size = asprintf(&text, "%s%s%s", named ? opts->kernel : "", named && args ? " " : "",
		args ? args : "");

	if (size < 0) {
		host_say("no memory for the command line");
		return false;
	}
	guest->hv.cmdline = (struct hv_blob){text, (uint64_t)size};
	if (hv_load_plan(opts->arch->loader, &guest->hv, GPA(opts->arch->ram), &plan, &error) !=
		HV_OK) {
		guest_say_load_error(opts, &error);
		return false;
	}
	return true;
}

static bool place(struct guest *guest, const struct opts *opts, bool shell)
{
	return opts->arch->has_dtb ? place_dtb(guest, opts, shell)
				   : place_cmdline(guest, opts, shell);
}

bool guest_open(struct guest *guest, const struct opts *opts, bool shell)
{
	*guest = (struct guest){.hv = {
					.machine = opts->arch->machine,
					.cpus = opts->cpus,
					.gic = opts->gic,
					.aplic = opts->aplic,
					.ram_size = opts->mem,
					.lazy_ram = opts->lazy_ram,
					.has_load_addr = opts->has_load_addr,
					.load_addr = GPA(opts->load_addr),
				}};
	if (!read_inputs(&guest->hv, opts) || !place(guest, opts, shell)) {
		guest_close(guest);
		return false;
	}
	return true;
}

void guest_close(struct guest *guest)
{
	free((void *)guest->hv.kernel.data);
	free((void *)guest->hv.initrd.data);
	free((void *)guest->hv.dtb.data);
	free((void *)guest->hv.flash.data);
	free((void *)guest->hv.cmdline.data);
	*guest = (struct guest){0};
}

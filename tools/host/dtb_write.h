/* SPDX-License-Identifier: MIT */
/*
 * Inside of the tree's maker: writing nodes and properties, and what a machine's tree consists of.
 * The door for everybody else is dtb.h.
 */
#ifndef DTB_WRITE_H
#define DTB_WRITE_H

#include "dtb.h"

#include <hv/bits.h>

/* Writes in order; after the first failure it does nothing more. */
struct dtb_writer {
	void *fdt;
	int err;
};

void dtb_begin(struct dtb_writer *w, const char *name);
/* A node named after its address, as the specification wants. */
void dtb_begin_at(struct dtb_writer *w, const char *name, uint64_t at);
void dtb_end(struct dtb_writer *w);
void dtb_bytes(struct dtb_writer *w, const char *name, const void *value, size_t size);
void dtb_text(struct dtb_writer *w, const char *name, const char *value);
void dtb_flag(struct dtb_writer *w, const char *name);
void dtb_u64(struct dtb_writer *w, const char *name, uint64_t value);
void dtb_cells(struct dtb_writer *w, const char *name, const uint32_t *cell, size_t count);

/* A list of strings; `size` counts the NULs between them and the last one. */
#define dtb_texts(w, name, list) dtb_bytes(w, name, list, sizeof(list))

#define dtb_list(w, name, ...)                                                                     \
	dtb_cells(w, name, (const uint32_t[]){__VA_ARGS__},                                        \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The two cells of a 64-bit number. */
#define DTB_2(x) (uint32_t)((uint64_t)(x) >> 32), (uint32_t)(x)

/* An architecture's machine: one row of a table in dtb.c each. */
struct dtb_machine {
	uint16_t number;     /* HV_MACHINE_* */
	const char *console; /* path of its node */
	uint64_t ram, flash;
	/* What of the root only this architecture has: model, CPUs, devices. */
	void (*put)(struct dtb_writer *w, const struct hv_guest *guest);
};

void dtb_a64_put(struct dtb_writer *w, const struct hv_guest *guest);
void dtb_rv64_put(struct dtb_writer *w, const struct hv_guest *guest);

#endif

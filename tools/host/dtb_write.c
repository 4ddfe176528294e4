/* SPDX-License-Identifier: MIT */
#include "dtb_write.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

void dtb_begin(struct dtb_writer *w, const char *name)
{
	w->err = w->err != 0 ? w->err : fdt_begin_node(w->fdt, name);
}

void dtb_begin_at(struct dtb_writer *w, const char *name, uint64_t at)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%s@%llx", name, (unsigned long long)at);
	dtb_begin(w, text);
}

void dtb_end(struct dtb_writer *w)
{
	w->err = w->err != 0 ? w->err : fdt_end_node(w->fdt);
}

void dtb_bytes(struct dtb_writer *w, const char *name, const void *value, size_t size)
{
	w->err = w->err != 0 ? w->err : fdt_property(w->fdt, name, value, (int)size);
}

void dtb_text(struct dtb_writer *w, const char *name, const char *value)
{
	dtb_bytes(w, name, value, strlen(value) + 1);
}

void dtb_flag(struct dtb_writer *w, const char *name)
{
	dtb_bytes(w, name, "", 0);
}

void dtb_u64(struct dtb_writer *w, const char *name, uint64_t value)
{
	fdt64_t cell = cpu_to_fdt64(value);

	dtb_bytes(w, name, &cell, sizeof(cell));
}

void dtb_cells(struct dtb_writer *w, const char *name, const uint32_t *cell, size_t count)
{
	void *value = NULL;

	if (w->err == 0) {
		w->err = fdt_property_placeholder(
			w->fdt, name, (int)(count * sizeof(*cell)), &value);
	}
	for (size_t i = 0; w->err == 0 && i < count; i++) {
		fdt32_st((uint8_t *)value + i * sizeof(*cell), cell[i]);
	}
}

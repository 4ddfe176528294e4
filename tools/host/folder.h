/* SPDX-License-Identifier: MIT */
/* A temporary folder, and what other programs are given or leave in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <hv/types.h>

#define FOLDER_PATH 256u

struct folder {
	char path[FOLDER_PATH];
};

/* In $TMPDIR, or /tmp. False after a message. */
bool folder_make(struct folder *folder);
/* With all that is in it. */
void folder_remove(const struct folder *folder);

/* The path of what is called `name` in it; long enough for the few names there are. */
struct folder_file {
	char path[FOLDER_PATH + 64];
};
struct folder_file folder_file(const struct folder *folder, const char *name);
/* A folder in it. False after a message. */
bool folder_sub(const struct folder *folder, const char *name);
bool folder_write(const struct folder *folder, const char *name, const void *data, size_t size);

#endif

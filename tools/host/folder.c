/* SPDX-License-Identifier: MIT */
#include "folder.h"

#include "host.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEP 8 /* descriptors that nftw() may hold */

bool folder_make(struct folder *folder)
{
	const char *in = getenv("TMPDIR");
	int length = snprintf(
		folder->path, sizeof(folder->path), "%s/drydock-XXXXXX", in && *in ? in : "/tmp");

	if (length < 0 || (size_t)length >= sizeof(folder->path)) {
		host_say("TMPDIR: its path is too long");
		return false;
	}
	if (!mkdtemp(folder->path)) {
		host_say("%s: %s", folder->path, strerror(errno));
		return false;
	}
	return true;
}

static int remove_one(const char *path, const struct stat *what, int kind, struct FTW *where)
{
	(void)what, (void)kind, (void)where;
	(void)remove(path);
	return 0;
}

void folder_remove(const struct folder *folder)
{
	(void)nftw(folder->path, remove_one, DEEP, FTW_DEPTH | FTW_PHYS);
}

struct folder_file folder_file(const struct folder *folder, const char *name)
{
	struct folder_file file;

	snprintf(file.path, sizeof(file.path), "%s/%s", folder->path, name);
	return file;
}

bool folder_sub(const struct folder *folder, const char *name)
{
	struct folder_file file = folder_file(folder, name);

	if (mkdir(file.path, 0700) != 0) {
		host_say("%s: %s", file.path, strerror(errno));
		return false;
	}
	return true;
}

bool folder_write(const struct folder *folder, const char *name, const void *data, size_t size)
{
	return host_write_file(folder_file(folder, name).path, data, size);
}

/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target once over every file of the folders it is given, without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define REPLAY_MAX (1u << 20)

static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data;
	size_t size;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	data = malloc(REPLAY_MAX);
	if (file == NULL || data == NULL) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, REPLAY_MAX, file);
	(void)fclose(file);
	data = realloc(data, size == 0 ? 1 : size); /* so that ASan sees the end */
	if (data == NULL) {
		return 1;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

/* The number of files, or -1. */
static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int count = 0;

	if (dir == NULL) {
		perror(folder);
		return -1;
	}
	while (count >= 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			count = replay_file(folder, entry->d_name) == 0 ? count + 1 : -1;
		}
	}
	(void)closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);

		if (count <= 0) {
			(void)fprintf(stderr, "%s: no corpus\n", argv[i]);
			return 1;
		}
		(void)printf("%s: %d inputs\n", argv[i], count);
	}
	return 0;
}

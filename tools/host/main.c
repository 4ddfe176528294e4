/* SPDX-License-Identifier: MIT */
/* The program behind `tools/drydock run|pack|bench`; set-up, building and --help are the script's.
 */
#include "host.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", cmd_run},
	{"pack", cmd_pack},
	{"bench", cmd_bench},
};

int main(int argc, char **argv)
{
	host_fds_reserve();
	for (size_t i = 0; argc > 1 && i < HV_ARRAY_COUNT(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	host_say("usage: drydock-host run|pack|bench [OPTION…]; people call tools/drydock");
	return HOST_USAGE;
}

/* SPDX-License-Identifier: MIT */
#include "iso.h"

#include "folder.h"
#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_STARTED 127

static const char menu[] = "set timeout=0\n"
			   "menuentry Drydock {\n"
			   "\tmultiboot /boot/drydock\n"
			   "\tmodule /boot/bundle\n"
			   "}\n";

static bool copy_image(const struct arch *arch, const struct folder *folder)
{
	const char *path = getenv(arch->flat_env);
	struct hv_blob image;
	bool ok;

	if (!path) {
		host_say("the bare-metal image is not known; start by tools/drydock");
		return false;
	}
	if (!host_read_file(path, &image)) {
		return false;
	}
	ok = folder_write(folder, "cd/boot/drydock", image.data, image.size);
	free((void *)image.data);
	return ok;
}

static bool lay_out(
	const struct arch *arch, const struct folder *folder, const struct hv_blob *bundle)
{
	return folder_sub(folder, "cd") && folder_sub(folder, "cd/boot") &&
	       folder_sub(folder, "cd/boot/grub") && copy_image(arch, folder) &&
	       folder_write(folder, "cd/boot/bundle", bundle->data, bundle->size) &&
	       folder_write(folder, "cd/boot/grub/grub.cfg", menu, sizeof(menu) - 1);
}

/* Its exit status. What it says is kept in a file. */
static int run(char *const *argv, const char *log)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int to = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		dup2(to, STDOUT_FILENO);
		dup2(to, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(NOT_STARTED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		return NOT_STARTED;
	}
	return WEXITSTATUS(status);
}

static void say_log(const char *path)
{
	struct hv_blob log;

	if (host_read_file(path, &log)) {
		host_say("%.*s", (int)log.size, (const char *)log.data);
		free((void *)log.data);
	}
}

static bool make(const struct folder *folder)
{
	struct folder_file cd = folder_file(folder, "cd"), iso = folder_file(folder, "cd.iso"),
			   log = folder_file(folder, "log");
	char *argv[] = {(char[]){"grub-mkrescue"},
		(char[]){"--install-modules=multiboot normal iso9660"}, (char[]){"--fonts="},
		(char[]){"--locales="}, (char[]){"--themes="}, (char[]){"-o"}, iso.path, cd.path,
		NULL};
	int status = run(argv, log.path);

	if (status == NOT_STARTED) {
		host_say("grub-mkrescue is missing; it is in Debian's grub-common, and needs "
			 "grub-pc-bin, xorriso and mtools");
	} else if (status != 0) {
		say_log(log.path);
		host_say("grub-mkrescue failed; it needs grub-pc-bin, xorriso and mtools");
	}
	return status == 0;
}

static bool move_out(const struct folder *folder, const char *path)
{
	struct hv_blob iso;
	bool ok;

	if (!host_read_file(folder_file(folder, "cd.iso").path, &iso)) {
		return false;
	}
	ok = host_write_file(path, iso.data, iso.size);
	free((void *)iso.data);
	return ok;
}

bool iso_write(const struct arch *arch, const struct hv_blob *bundle, const char *path)
{
	struct folder folder;
	bool ok;

	if (!folder_make(&folder)) {
		return false;
	}
	ok = lay_out(arch, &folder, bundle) && make(&folder) && move_out(&folder, path);
	folder_remove(&folder);
	return ok;
}

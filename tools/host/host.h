/* SPDX-License-Identifier: MIT */
/* What the programs behind tools/drydock share: exit statuses, messages, files and numbers. */
#ifndef HOST_H
#define HOST_H

#include <hv/types.h>

enum host_exit {
	HOST_OK = 0,
	HOST_FAILED = 1,  /* this machine's fault: no memory, no QEMU, a full disk */
	HOST_USAGE = 2,   /* bad usage or image */
	HOST_CRASHED = 3, /* the guest crashed */
	HOST_TIMEOUT = 4,
	HOST_ENDED = 5, /* the guest ended before it printed what --until waits for */
};

/* One line on stderr, "drydock: " before it. */
void host_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads a whole regular file into memory the caller frees. False after a message. */
bool host_read_file(const char *path, struct hv_blob *blob);
/*
 * Writes a file whole or not at all: a temporary file beside it, then a rename (T1). What is there
 * and is no regular file (a device, a FIFO with a reader) is written to.
 */
bool host_write_file(const char *path, const void *data, size_t size);

/*
 * First thing in main(): who was started with stdin, stdout or stderr closed would open its files
 * there. They become descriptors that fail.
 */
void host_fds_reserve(void);

/* Strict numbers: decimal or 0x…, no sign, no rest. False when malformed or above `most`. */
bool host_number(const char *text, uint64_t most, uint64_t *value);
/* The same with an optional K, M or G. */
bool host_size(const char *text, uint64_t *value);
/* Decimal seconds, above 0. */
bool host_seconds(const char *text, double *value);

/* Seconds of a clock that never steps back. */
double host_now(void);

int cmd_run(int argc, char **argv);
int cmd_pack(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#endif

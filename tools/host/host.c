/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void host_say(const char *format, ...)
{
	va_list args;

	fputs("drydock: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Fills [data, data+size) or says why not; a file that shrank meanwhile is an error too (F10). */
static bool read_all(int fd, const char *path, uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, data + done, size - done);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			host_say("%s: %s at offset %zu", path,
				got < 0 ? strerror(errno) : "the file ended early", done);
			return false;
		}
		done += (size_t)got;
	}
	return true;
}

static bool read_open_file(int fd, const char *path, struct hv_blob *blob)
{
	struct stat st;
	uint8_t *data;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		host_say("%s: not a regular file", path);
		return false;
	}
	if (st.st_size == 0) {
		host_say("%s: the file is empty", path);
		return false;
	}
	data = malloc((size_t)st.st_size);
	if (!data) {
		host_say("%s: no memory for its %lld bytes", path, (long long)st.st_size);
		return false;
	}
	if (!read_all(fd, path, data, (size_t)st.st_size)) {
		free(data);
		return false;
	}
	*blob = (struct hv_blob){data, (uint64_t)st.st_size};
	return true;
}

bool host_read_file(const char *path, struct hv_blob *blob)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO is refused */
	bool ok;

	if (fd < 0) {
		host_say("%s: %s", path, strerror(errno));
		return false;
	}
	ok = read_open_file(fd, path, blob);
	close(fd);
	return ok;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put <= 0) {
			return false;
		}
		data += put;
		size -= (size_t)put;
	}
	return true;
}

/* A device or a FIFO is written to; to rename something over it would take it away. */
static bool write_in_place(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok = fd >= 0 && fcntl(fd, F_SETFL, 0) == 0 && write_all(fd, data, size);

	ok = (fd < 0 || close(fd) == 0) && ok;
	if (!ok) {
		host_say("%s: %s", path, strerror(errno));
	}
	return ok;
}

static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

bool host_write_file(const char *path, const void *data, size_t size)
{
	char part[4096];
	bool ok;
	int fd;

	if (is_special(path)) {
		return write_in_place(path, data, size);
	}
	if (snprintf(part, sizeof(part), "%s.part.%ld", path, (long)getpid()) >=
		(int)sizeof(part)) {
		host_say("%s: the name is too long", path);
		return false;
	}
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ok = fd >= 0 && write_all(fd, data, size) && fsync(fd) == 0;
	ok = (fd < 0 || close(fd) == 0) && ok && rename(part, path) == 0;
	if (!ok) {
		host_say("%s: %s", path, strerror(errno));
		unlink(part);
	}
	return ok;
}

/* Digits only: strtoull alone would take signs, spaces and an octal 0. */
static const char *number_prefix(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!strchr("0123456789abcdefABCDEF", digits[0]) || digits[0] == '\0') {
		return NULL;
	}
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	return errno == 0 && end != digits ? end : NULL;
}

bool host_number(const char *text, uint64_t most, uint64_t *value)
{
	const char *end = number_prefix(text, value);

	return end && *end == '\0' && *value <= most;
}

bool host_size(const char *text, uint64_t *value)
{
	const char *end = number_prefix(text, value);
	unsigned shift = 0;

	if (!end) {
		return false;
	}
	if (*end != '\0') {
		static const char units[] = "KMG";
		const char *unit = strchr(units, *end & ~0x20);

		if (!unit || *unit == '\0' || end[1] != '\0') {
			return false;
		}
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (*value > UINT64_MAX >> shift) {
		return false;
	}
	*value <<= shift;
	return true;
}

bool host_seconds(const char *text, double *value)
{
	char *end;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	*value = strtod(text, &end);
	return *end == '\0' && *value > 0 && *value < 1e9;
}

void host_fds_reserve(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd) {
			_exit(HOST_FAILED);
		}
	}
}

double host_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

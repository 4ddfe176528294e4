/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <host.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/drydock-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void t5_host_number__strict_forms__accepted_and_refused(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} cases[] = {
		{"0", true, 0},
		{"10", true, 10},
		{"010", true, 10},
		{"0x10", true, 16},
		{"0X1f", true, 31},
		{"18446744073709551615", true, UINT64_MAX},
		{"0xffffffffffffffff", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
		{"0x10000000000000000", false, 0},
		{"", false, 0},
		{"-1", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"0x", false, 0},
		{"0xg", false, 0},
		{"12a", false, 0},
		{"a", false, 0},
		{"\xff", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		uint64_t value = 0;

		assert_int_equal(host_number(cases[i].text, UINT64_MAX, &value), cases[i].ok);
		if (cases[i].ok) {
			assert_int_equal(value, cases[i].value);
		}
	}
}

static void host_number__one_above_most__is_refused(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(host_number("8", 8, &value));
	assert_false(host_number("9", 8, &value));
}

static void host_size__units__multiply_and_overflow_is_refused(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(host_size("4096", &value));
	assert_int_equal(value, 4096);
	assert_true(host_size("3k", &value));
	assert_int_equal(value, 3072);
	assert_true(host_size("256M", &value));
	assert_int_equal(value, HV_MIB(256));
	assert_true(host_size("2g", &value));
	assert_int_equal(value, HV_GIB(2));
	assert_true(host_size("17179869183G", &value));
	assert_false(host_size("17179869184G", &value));
	assert_false(host_size("1T", &value));
	assert_false(host_size("1MB", &value));
	assert_false(host_size("M", &value));
	assert_false(host_size("", &value));
}

static void host_seconds__forms__accepted_and_refused(void **state)
{
	double value;

	(void)state;
	assert_true(host_seconds("2.5", &value));
	assert_true(value == 2.5);
	assert_false(host_seconds("0", &value));
	assert_false(host_seconds("-1", &value));
	assert_false(host_seconds("nan", &value));
	assert_false(host_seconds("1s", &value));
	assert_false(host_seconds("1e12", &value));
}

static void host_file__written_then_read__is_the_same_and_leaves_no_part(void **state)
{
	struct hv_blob blob;
	char command[128];

	(void)state;
	assert_true(host_write_file(path_of("a"), "hello", 5));
	assert_true(host_write_file(path_of("a"), "goodbye", 7));
	assert_true(host_read_file(path_of("a"), &blob));
	assert_int_equal(blob.size, 7);
	assert_memory_equal(blob.data, "goodbye", 7);
	free((void *)blob.data);
	snprintf(command, sizeof(command), "test \"$(ls '%s')\" = a", folder);
	assert_int_equal(system(command), 0);
}

static void host_read_file__missing_empty_or_a_folder__is_refused(void **state)
{
	struct hv_blob blob;

	(void)state;
	assert_false(host_read_file(path_of("missing"), &blob));
	close(open(path_of("empty"), O_CREAT | O_WRONLY, 0600));
	assert_false(host_read_file(path_of("empty"), &blob));
	assert_false(host_read_file(folder, &blob));
	assert_false(host_read_file("/dev/null", &blob));
}

static void t4_host_write_file__no_such_folder_or_name_too_long__is_refused(void **state)
{
	char name[5000];

	(void)state;
	assert_false(host_write_file("/nonexistent/drydock/file", "x", 1));
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(host_write_file(name, "x", 1));
}

static void t4_host_write_file__device__is_written_to_and_not_replaced(void **state)
{
	struct stat st;

	(void)state;
	assert_true(host_write_file("/dev/null", "x", 1));
	assert_false(host_write_file("/dev/full", "x", 1));
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void t4_host_read_file__fifo_without_a_writer__is_refused_at_once(void **state)
{
	struct hv_blob blob;

	(void)state;
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	assert_false(host_read_file(path_of("fifo"), &blob));
	assert_false(host_write_file(path_of("fifo"), "x", 1)); /* no reader either */
	assert_false(host_read_file("/dev/zero", &blob));
}

static void t4_host_write_file__disk_full__old_file_stays(void **state)
{
	struct rlimit old, small = {4096, 4096};
	static uint8_t large[65536];
	struct hv_blob blob;
	bool written;

	(void)state;
	assert_true(host_write_file(path_of("b"), "old", 3));
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	written = host_write_file(path_of("b"), large, sizeof(large));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(written);
	assert_true(host_read_file(path_of("b"), &blob));
	assert_int_equal(blob.size, 3);
	free((void *)blob.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(t5_host_number__strict_forms__accepted_and_refused),
		hv_unit_test(host_number__one_above_most__is_refused),
		hv_unit_test(host_size__units__multiply_and_overflow_is_refused),
		hv_unit_test(host_seconds__forms__accepted_and_refused),
		hv_unit_test(host_file__written_then_read__is_the_same_and_leaves_no_part),
		hv_unit_test(host_read_file__missing_empty_or_a_folder__is_refused),
		hv_unit_test(t4_host_write_file__no_such_folder_or_name_too_long__is_refused),
		hv_unit_test(t4_host_write_file__device__is_written_to_and_not_replaced),
		hv_unit_test(t4_host_read_file__fifo_without_a_writer__is_refused_at_once),
		hv_unit_test(t4_host_write_file__disk_full__old_file_stays),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

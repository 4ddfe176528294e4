/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <host.h>
#include <report.h>
#include <stdio.h>
#include <unistd.h>

static void report_finish__each_end__its_exit_status(void **state)
{
	static const struct {
		enum report_end end;
		bool until;
		int status;
	} cases[] = {
		{REPORT_OFF, false, HOST_OK},
		{REPORT_OFF, true, HOST_ENDED},
		{REPORT_REBOOT, false, HOST_OK},
		{REPORT_REBOOT, true, HOST_ENDED},
		{REPORT_CRASH, false, HOST_CRASHED},
		{REPORT_CRASH, true, HOST_CRASHED},
		{REPORT_TIMEOUT, false, HOST_TIMEOUT},
		{REPORT_TIMEOUT, true, HOST_TIMEOUT},
		{REPORT_SEEN, true, HOST_OK},
		{REPORT_QUIT, false, HOST_OK},
		{REPORT_NONE, false, HOST_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct report report = {.end = cases[i].end};

		assert_int_equal(report_finish(&report, cases[i].until), cases[i].status);
	}
}

static void report_stats__json__counts_whole_and_times_with_a_fraction(void **state)
{
	static struct report report;
	char path[] = "/tmp/drydock-report-XXXXXX";
	struct hv_blob blob;

	(void)state;
	close(mkstemp(path));
	report_stat(&report, "exits.mmio", 12345678901.0);
	report_stat(&report, "time.wall", 1.25);
	assert_true(report_stats(&report, path));
	assert_true(host_read_file(path, &blob));
	assert_int_equal(blob.size,
		strlen("{\n  \"exits.mmio\": 12345678901,\n  \"time.wall\": 1.250000\n}\n"));
	assert_memory_equal(blob.data,
		"{\n  \"exits.mmio\": 12345678901,\n  \"time.wall\": 1.250000\n}\n", blob.size);
	free((void *)blob.data);
	unlink(path);
}

static void report_stats__cannot_be_written__says_so(void **state)
{
	static struct report report;

	(void)state;
	assert_false(report_stats(&report, "/nonexistent/drydock.json"));
}

static void report_stat__more_than_fit__keeps_the_first(void **state)
{
	static struct report report;

	(void)state;
	for (unsigned i = 0; i < REPORT_STATS + 1; i++) {
		report_stat(&report, "x", i);
	}
	assert_int_equal(report.stat_count, REPORT_STATS);
	assert_true(report.stat[REPORT_STATS - 1].value == REPORT_STATS - 1);
}

static void report_dump_line__too_long_for_the_rest__is_left_out(void **state)
{
	static struct report report;
	static char line[6000];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	report_dump_line(&report, line);
	report_dump_line(&report, line);
	assert_int_equal(report.dump_size, sizeof(line));
	report_dump_line(&report, "short");
	assert_int_equal(report.dump_size, sizeof(line) + 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(report_finish__each_end__its_exit_status),
		hv_unit_test(report_stats__json__counts_whole_and_times_with_a_fraction),
		hv_unit_test(report_stats__cannot_be_written__says_so),
		hv_unit_test(report_stat__more_than_fit__keeps_the_first),
		hv_unit_test(report_dump_line__too_long_for_the_rest__is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The records that the hypervisor's own lines become. */
#include <unit.h>

#include <common/report.h>

static char out[512];
static size_t out_size;
static unsigned locks, unlocks;

void console_write(const char *bytes, size_t size)
{
	assert_true(out_size + size < sizeof(out));
	memcpy(out + out_size, bytes, size);
	out_size += size;
	out[out_size] = '\0';
}

void console_lock(void)
{
	locks++;
}

void console_unlock(void)
{
	unlocks++;
}

static int reset(void **state)
{
	out_size = locks = unlocks = 0;
	report_token("");
	return unit_setup(state);
}

static void report__no_token__for_people(void **state)
{
	(void)state;
	report_str("log", "hello");
	assert_string_equal(out, "drydock: log hello\n");
	assert_int_equal(locks, 1);
	assert_int_equal(unlocks, 1);
}

static void report__token__a_record(void **state)
{
	(void)state;
	report_token("0123456789abcdef");
	assert_string_equal(out, "\x1e"
				 "0123456789abcdef begin\n");
	out_size = 0;
	report_str("end", "off");
	assert_string_equal(out, "\x1e"
				 "0123456789abcdef end off\n");
}

static void report__long_line__one_record(void **state)
{
	char line[400];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	report_str("log", line);
	assert_int_equal(out[out_size - 1], '\n');
	assert_ptr_equal(strchr(out, '\n'), out + out_size - 1);
}

/* Last: there is no way back from it. */
static void report__emergency__takes_no_lock(void **state)
{
	(void)state;
	report_emergency();
	report_str("dump", "x");
	assert_int_equal(locks, 0);
	assert_string_equal(out, "drydock: dump x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(report__no_token__for_people, reset),
		cmocka_unit_test_setup(report__token__a_record, reset),
		cmocka_unit_test_setup(report__long_line__one_record, reset),
		cmocka_unit_test_setup(report__emergency__takes_no_lock, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

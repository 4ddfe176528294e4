/* SPDX-License-Identifier: MIT */
/* Lines of text, and the records that they become. */
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

static void assert_text(const struct text *text, const char *want)
{
	assert_int_equal(text->used, strlen(want));
	assert_memory_equal(text->at, want, text->used);
}

static void text_numbers__zero_and_largest__all_digits(void **state)
{
	char line[128];
	struct text text = TEXT(line);

	(void)state;
	text_hex(&text, 0, 1);
	text_char(&text, ' ');
	text_hex(&text, UINT64_MAX, 1);
	text_char(&text, ' ');
	text_hex(&text, 0xabc, 16);
	text_char(&text, ' ');
	text_dec(&text, 0);
	text_char(&text, ' ');
	text_dec(&text, UINT64_MAX);
	assert_text(&text, "0x0 0xffffffffffffffff 0x0000000000000abc 0 18446744073709551615");
}

static void text_str__null__a_question_mark(void **state)
{
	char line[8];
	struct text text = TEXT(line);

	(void)state;
	text_str(&text, NULL);
	assert_text(&text, "?");
}

static void text__too_long__cut_off_at_the_end(void **state)
{
	char line[8];
	struct text text = {.at = line, .size = 4, .used = 0};

	(void)state;
	memset(line, '#', sizeof(line));
	text_str(&text, "abcdefgh");
	text_dec(&text, 7);
	assert_text(&text, "abcd");
	assert_int_equal(line[4], '#');
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
		hv_unit_test(text_numbers__zero_and_largest__all_digits),
		hv_unit_test(text_str__null__a_question_mark),
		hv_unit_test(text__too_long__cut_off_at_the_end),
		cmocka_unit_test_setup(report__no_token__for_people, reset),
		cmocka_unit_test_setup(report__token__a_record, reset),
		cmocka_unit_test_setup(report__long_line__one_record, reset),
		cmocka_unit_test_setup(report__emergency__takes_no_lock, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <hv/text.h>

static void assert_text(const struct hv_text *text, const char *want)
{
	assert_int_equal(text->used, strlen(want));
	assert_memory_equal(text->at, want, text->used);
}

static void text_numbers__zero_and_largest__all_digits(void **state)
{
	char line[128];
	struct hv_text text = HV_TEXT(line);

	(void)state;
	hv_text_hex(&text, 0, 1);
	hv_text_char(&text, ' ');
	hv_text_hex(&text, UINT64_MAX, 1);
	hv_text_char(&text, ' ');
	hv_text_hex(&text, 0xabc, 16);
	hv_text_char(&text, ' ');
	hv_text_dec(&text, 0);
	hv_text_char(&text, ' ');
	hv_text_dec(&text, UINT64_MAX);
	assert_text(&text, "0x0 0xffffffffffffffff 0x0000000000000abc 0 18446744073709551615");
}

static void text_str__null__a_question_mark(void **state)
{
	char line[8];
	struct hv_text text = HV_TEXT(line);

	(void)state;
	hv_text_str(&text, NULL);
	assert_text(&text, "?");
}

static void text__too_long__cut_off_at_the_end(void **state)
{
	char line[8];
	struct hv_text text = {.at = line, .size = 4, .used = 0};

	(void)state;
	memset(line, '#', sizeof(line));
	hv_text_str(&text, "abcdefgh");
	hv_text_dec(&text, 7);
	assert_text(&text, "abcd");
	assert_int_equal(line[4], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(text_numbers__zero_and_largest__all_digits),
		hv_unit_test(text_str__null__a_question_mark),
		hv_unit_test(text__too_long__cut_off_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <console.h>
#include <stdio.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef"

static struct console console;
static char records[256];
static int saved_stdout, saved_stdin, out_pipe[2], in_pipe[2];

static void on_record(void *ctx, const char *text)
{
	(void)ctx;
	strcat(records, text);
	strcat(records, ";");
}

/* stdout and stdin become pipes, so that a test sees what a user would. */
static int redirect(void **state)
{
	unit_setup(state);
	records[0] = '\0';
	fflush(stdout);
	saved_stdout = dup(STDOUT_FILENO);
	saved_stdin = dup(STDIN_FILENO);
	if (pipe(out_pipe) || pipe(in_pipe)) {
		return -1;
	}
	dup2(out_pipe[1], STDOUT_FILENO);
	dup2(in_pipe[0], STDIN_FILENO);
	return 0;
}

static int restore(void **state)
{
	console_close(&console);
	dup2(saved_stdout, STDOUT_FILENO);
	dup2(saved_stdin, STDIN_FILENO);
	close(saved_stdout);
	close(saved_stdin);
	close(out_pipe[0]);
	close(out_pipe[1]);
	close(in_pipe[0]);
	close(in_pipe[1]);
	return unit_teardown(state);
}

static void open_with(const char *until, const char *token)
{
	assert_true(console_open(&console, until));
	strcpy(console.token, token);
	console.on_record = on_record;
}

static bool put(const char *text)
{
	return console_put(&console, (const uint8_t *)text, strlen(text));
}

static const char *printed(void)
{
	static char text[4096];
	ssize_t got;

	if (write(out_pipe[1], "$", 1) != 1) {
		return NULL;
	}
	got = read(out_pipe[0], text, sizeof(text) - 1);
	text[got > 0 ? got - 1 : 0] = '\0';
	return text;
}

static void console_put__plain_bytes__reach_stdout_unchanged(void **state)
{
	(void)state;
	open_with(NULL, "");
	assert_true(put("a\x1b[31mb\x1e c\r\n"));
	assert_string_equal(printed(), "a\x1b[31mb\x1e c\r\n");
}

static void console_put__until_in_one_piece__is_seen(void **state)
{
	(void)state;
	open_with("READY", "");
	assert_true(put("not REA yet\n"));
	assert_false(put("now READY!\n"));
	assert_true(console.seen);
}

static void console_put__until_split_over_calls_and_after_a_false_start__is_seen(void **state)
{
	(void)state;
	open_with("aab", "");
	assert_true(put("a"));
	assert_true(put("aa"));
	assert_false(put("b"));
}

static void console_put__until_only_almost__is_not_seen(void **state)
{
	(void)state;
	open_with("aab", "");
	assert_true(put("aacabaa"));
	assert_false(console.seen);
}

static void console_put__our_record__goes_to_its_taker_and_not_to_stdout(void **state)
{
	(void)state;
	open_with(NULL, TOKEN);
	assert_true(put("x\x1e" TOKEN " end off\r\ny"));
	assert_string_equal(records, "end off;");
	assert_string_equal(printed(), "xy");
}

static void console_put__record_split_over_calls__is_joined(void **state)
{
	(void)state;
	open_with(NULL, TOKEN);
	assert_true(put("\x1e" TOKEN));
	assert_true(put(" stat a"));
	assert_true(put(" 1\n"));
	assert_string_equal(records, "stat a 1;");
	assert_string_equal(printed(), "");
}

static void console_put__forged_record__is_the_guests_text(void **state)
{
	(void)state;
	open_with(NULL, TOKEN);
	assert_true(put("\x1e"
			"ffffffffffffffff end off\n"));
	assert_true(put("\x1e"
			"short\n"));
	assert_string_equal(records, "");
	assert_string_equal(printed(), "\x1e"
				       "ffffffffffffffff end off\n\x1e"
				       "short\n");
}

static void u6_console_put__record_without_end__is_bounded(void **state)
{
	(void)state;
	open_with(NULL, TOKEN);
	put("\x1e");
	for (unsigned i = 0; i < 2 * CONSOLE_RECORD_MAX; i++) {
		put("z");
	}
	assert_false(console.in_record);
	assert_string_equal(records, "");
}

static void console_put__until_inside_a_record__is_not_seen(void **state)
{
	(void)state;
	open_with("READY", TOKEN);
	assert_true(put("\x1e" TOKEN " log READY\n"));
	assert_false(console.seen);
}

static void console_put__before_the_first_record__held_back_and_forgotten(void **state)
{
	(void)state;
	open_with("READY", TOKEN);
	console.holding = true;
	assert_true(put("firmware\x1e"
			"says\nREADY\n"));
	assert_false(console.seen);
	assert_string_equal(printed(), "");
	assert_false(put("\x1e" TOKEN " begin\nguest READY"));
	assert_true(console.seen);
	assert_string_equal(records, "begin;");
	console_close(&console);
	assert_string_equal(printed(), "guest READY");
}

static void console_close__no_record_ever__what_was_held_comes_out(void **state)
{
	FILE *saved = stderr;
	char *said = NULL;
	size_t size;

	(void)state;
	open_with(NULL, TOKEN);
	console.holding = true;
	assert_true(put("no\x1e"
			"t me\nwhy\n"));
	stderr = open_memstream(&said, &size);
	console_close(&console);
	fclose(stderr);
	stderr = saved;
	assert_string_equal(said, "no\x1e"
				  "t me\nwhy\n");
	free(said);
	assert_string_equal(printed(), "");
}

static void u6_console_put__much_is_held__the_last_of_it_stays(void **state)
{
	(void)state;
	open_with(NULL, TOKEN);
	console.holding = true;
	for (unsigned i = 0; i < 3 * CONSOLE_HELD_MAX; i++) {
		assert_true(put("z"));
	}
	assert_true(put("end"));
	assert_in_range(console.held_size, CONSOLE_HELD_MAX / 2, CONSOLE_HELD_MAX);
	assert_memory_equal(console.held + console.held_size - 4, "zend", 4);
	console.held_size = 0;
}

static void t4_console_put__stdout_closed__says_so(void **state)
{
	(void)state;
	open_with(NULL, "");
	close(STDOUT_FILENO);
	assert_false(put("x"));
	assert_true(console.broken);
	dup2(out_pipe[1], STDOUT_FILENO);
}

static void console_get__piped_bytes_then_end__come_through_even_the_escape_key(void **state)
{
	uint8_t bytes[16];

	(void)state;
	open_with(NULL, "");
	assert_int_equal(write(in_pipe[1], "a\001x", 3), 3);
	assert_int_equal(console_get(&console, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "a\001x", 3);
	close(in_pipe[1]);
	assert_int_equal(console_get(&console, bytes, sizeof(bytes)), CONSOLE_EOF);
}

static void console_get__escape_key_at_a_terminal__is_filtered(void **state)
{
	uint8_t bytes[16];

	(void)state;
	open_with(NULL, "");
	console.is_terminal = true;
	assert_int_equal(write(in_pipe[1], "a\001\001b\001", 5), 5);
	assert_int_equal(console_get(&console, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "a\001b", 3);
	assert_int_equal(write(in_pipe[1], "x", 1), 1);
	assert_int_equal(console_get(&console, bytes, sizeof(bytes)), CONSOLE_QUIT);
}

#define console_test(name) cmocka_unit_test_setup_teardown(name, redirect, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
		console_test(console_put__plain_bytes__reach_stdout_unchanged),
		console_test(console_put__until_in_one_piece__is_seen),
		console_test(console_put__until_split_over_calls_and_after_a_false_start__is_seen),
		console_test(console_put__until_only_almost__is_not_seen),
		console_test(console_put__our_record__goes_to_its_taker_and_not_to_stdout),
		console_test(console_put__record_split_over_calls__is_joined),
		console_test(console_put__forged_record__is_the_guests_text),
		console_test(u6_console_put__record_without_end__is_bounded),
		console_test(console_put__until_inside_a_record__is_not_seen),
		console_test(console_put__before_the_first_record__held_back_and_forgotten),
		console_test(console_close__no_record_ever__what_was_held_comes_out),
		console_test(u6_console_put__much_is_held__the_last_of_it_stays),
		console_test(t4_console_put__stdout_closed__says_so),
		console_test(console_get__piped_bytes_then_end__come_through_even_the_escape_key),
		console_test(console_get__escape_key_at_a_terminal__is_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

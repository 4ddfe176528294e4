/* SPDX-License-Identifier: MIT */
/* The guest's console: from the caller's descriptor to the guest and back. */
#include "sim_kit.h"

#include <unistd.h>

static struct typing {
	int fd[2];
	bool end_at_eof;
	unsigned calls;
} typing;

static int take(void *ctx, uint8_t *bytes, size_t room)
{
	ssize_t got = read(typing.fd[0], bytes, room);

	(void)ctx;
	typing.calls++;
	assert_true(room > 0);
	if (got <= 0) {
		return typing.end_at_eof ? SIM_IN_END : SIM_IN_EOF;
	}
	return (int)got;
}

static void type(const char *text, size_t size)
{
	assert_int_equal(pipe(typing.fd), 0);
	assert_int_equal(write(typing.fd[1], text, size), size);
	close(typing.fd[1]);
	typing.end_at_eof = false;
	typing.calls = 0;
	kit.cfg.in = take;
	kit.cfg.in_fd = typing.fd[0];
}

static void echo__typed_before_the_start__comes_back(void **state)
{
	for (int deterministic = 0; deterministic < 2; deterministic++) {
		kit_setup(state);
		kit.cfg.deterministic = deterministic;
		type("hello sim\nq", 11);
		kit_run("echo.elf");
		kit_all_passed();
		assert_true(kit_said("READY\nhello sim\nq"));
		close(typing.fd[0]);
		kit_teardown(state);
	}
	kit_setup(state);
}

static void rtos__commands_typed__shell_answers_by_interrupt(void **state)
{
	static const char text[] = "echo dry dock\nfrob\nexit\n";

	for (int deterministic = 0; deterministic < 2; deterministic++) {
		kit_setup(state);
		kit.cfg.deterministic = deterministic;
		type(text, sizeof(text) - 1);
		kit_run("rtos.elf");
		kit_all_passed();
		assert_true(kit_said("rtos:~$ echo dry dock\ndry dock\n"
				     "rtos:~$ frob\nno such command\nrtos:~$ exit\nALL PASS"));
		close(typing.fd[0]);
		kit_teardown(state);
	}
	kit_setup(state);
}

/* More than the channel and the UART's FIFO hold together: nothing may be lost. */
static void echo__more_than_fits_at_once__all_comes_back_in_order(void **state)
{
	static char text[6000];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		text[i] = (char)('A' + i % 16);
	}
	text[sizeof(text) - 1] = 'q';
	type(text, sizeof(text));
	kit_run("echo.elf");
	kit_all_passed();
	assert_non_null(strstr(kit.said, "READY\n"));
	assert_memory_equal(strstr(kit.said, "READY\n") + 6, text, sizeof(text));
	close(typing.fd[0]);
}

static void input__ends__is_polled_no_more(void **state)
{
	(void)state;
	type("x", 1);
	kit.cfg.timeout_s = 1;
	kit_run("echo.elf");
	assert_int_equal(kit.report.end, SIM_TIMEOUT);
	assert_true(kit_said("x"));
	assert_int_equal(typing.calls, 2);
	close(typing.fd[0]);
}

static void input__caller_ends_the_run__ended_by_caller(void **state)
{
	(void)state;
	type("x", 1);
	typing.end_at_eof = true;
	kit_run("echo.elf");
	assert_int_equal(kit.report.end, SIM_ENDED_BY_CALLER);
	close(typing.fd[0]);
}

/* Sixty-four kilobytes are more than the channel holds: the guest waits for room, no byte is lost.
 */
static void output__faster_than_it_is_taken__no_byte_is_lost(void **state)
{
	const char *line;
	unsigned count = 0;

	(void)state;
	kit.cfg.deterministic = true;
	kit_run("chatter.elf");
	kit_all_passed();
	for (line = kit.said; (line = strstr(line, "0123456789abcdef\n")) != NULL; line++) {
		count++;
	}
	assert_int_equal(count, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(rtos__commands_typed__shell_answers_by_interrupt),
		kit_test(echo__typed_before_the_start__comes_back),
		kit_test(echo__more_than_fits_at_once__all_comes_back_in_order),
		kit_test(input__ends__is_polled_no_more),
		kit_test(input__caller_ends_the_run__ended_by_caller),
		kit_test(output__faster_than_it_is_taken__no_byte_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <bochs.h>

static bool has(const char *text, const char *line)
{
	return strstr(text, line) != NULL;
}

static void bochs_config__what_differs__is_in_it(void **state)
{
	struct bochs_cfg cfg = {
		.mib = 96, .cpus = 2, .cd = "/t/a b.iso", .serial = "/dev/pts/7", .log = "/t/log"};
	char text[BOCHS_CONFIG];

	(void)state;
	assert_true(bochs_config(&cfg, text));
	assert_true(has(text, "megs: 96\n"));
	assert_true(has(text, "cpu: model=ryzen, count=2, "));
	assert_true(has(text, "type=cdrom, path=\"/t/a b.iso\", status=inserted\n"));
	assert_true(has(text, "mode=term, dev=/dev/pts/7\n"));
	assert_true(has(text, "\nlog: /t/log\n"));
	assert_true(has(text, "clock: sync=none\n"));
	cfg.deterministic = true;
	assert_true(bochs_config(&cfg, text));
	assert_true(has(text, "clock: sync=none, time0=1704067200\n"));
}

static void bochs_config__too_long__refused(void **state)
{
	char path[BOCHS_CONFIG], text[BOCHS_CONFIG];
	const struct bochs_cfg cfg = {.mib = 96, .cpus = 1, .cd = path, .serial = "s", .log = "l"};

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_false(bochs_config(&cfg, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(bochs_config__what_differs__is_in_it),
		hv_unit_test(bochs_config__too_long__refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

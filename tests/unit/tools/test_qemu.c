/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <qemu.h>

static const char *join(const struct qemu_line *line)
{
	static char text[1024];

	text[0] = '\0';
	for (unsigned i = 0; line->argv[i]; i++) {
		strcat(text, i ? "|" : "");
		strcat(text, line->argv[i]);
	}
	return text;
}

#define CONSOLE "|-display|none|-monitor|none|-serial|stdio|-nic|none|-no-reboot"

static void qemu_machine__each_architecture__its_own_words(void **state)
{
	static const struct {
		const char *arch;
		uint8_t gic;
		const char *under, *plain;
	} cases[] = {
		{"aarch64", 3,
			"qemu-system-aarch64|-M|virt,virtualization=on,gic-version=3|-cpu|cortex-"
			"a57",
			"qemu-system-aarch64|-M|virt,gic-version=3|-cpu|cortex-a57"},
		{"aarch64", 2,
			"qemu-system-aarch64|-M|virt,virtualization=on,gic-version=2|-cpu|cortex-"
			"a57",
			"qemu-system-aarch64|-M|virt,gic-version=2|-cpu|cortex-a57"},
		{"riscv64", 0, "qemu-system-riscv64|-M|virt|-cpu|rv64,h=true",
			"qemu-system-riscv64|-M|virt|-cpu|rv64"},
		{"x86_64", 0, "qemu-system-x86_64|-M|q35|-cpu|max,+svm",
			"qemu-system-x86_64|-M|q35|-cpu|max"},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct opts opts = {.arch = arch_named(cases[i].arch), .gic = cases[i].gic};
		struct qemu_line under = {0}, plain = {0};
		size_t length = strlen(cases[i].under);

		qemu_add_machine(&under, &opts, opts.arch->machine_args, opts.arch->cpu);
		assert_memory_equal(join(&under), cases[i].under, length);
		assert_string_equal(join(&under) + length, CONSOLE);
		length = strlen(cases[i].plain);
		qemu_add_machine(
			&plain, &opts, opts.arch->plain_machine_args, opts.arch->plain_cpu);
		assert_memory_equal(join(&plain), cases[i].plain, length);
		assert_string_equal(join(&plain) + length, CONSOLE);
	}
}

static void qemu_split__quotes_and_blanks__words(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: refused */
	} cases[] = {
		{"", ""},
		{" \t\n ", ""},
		{"-cpu max", "-cpu|max"},
		{"  -cpu   rv64,h=true,sstc=off ", "-cpu|rv64,h=true,sstc=off"},
		{"-append 'a b'\"c d\"e", "-append|a bc de"},
		{"''", ""},
		{"'' -x", "|-x"},
		{"-x '", NULL},
		{"\"a' b", NULL},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct qemu_line line = {0};

		assert_int_equal(qemu_add_split(&line, cases[i].text), cases[i].words != NULL);
		if (cases[i].words) {
			assert_string_equal(join(&line), cases[i].words);
		}
		free(line.owned);
	}
}

static void t5_qemu_split__more_words_than_fit__refused(void **state)
{
	char text[2 * QEMU_ARGS + 1];
	struct qemu_line line = {0};

	(void)state;
	memset(text, 'a', sizeof(text));
	for (unsigned i = 1; i < sizeof(text); i += 2) {
		text[i] = ' ';
	}
	text[2 * (QEMU_ARGS - 1)] = '\0';
	assert_true(qemu_add_split(&line, text));
	free(line.owned);
	line = (struct qemu_line){0};
	qemu_add(&line, "qemu");
	assert_false(qemu_add_split(&line, text));
	assert_null(line.argv[QEMU_ARGS]);
	free(line.owned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(qemu_machine__each_architecture__its_own_words),
		hv_unit_test(qemu_split__quotes_and_blanks__words),
		hv_unit_test(t5_qemu_split__more_words_than_fit__refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <opts.h>

#define MOST_WORDS 16

/* Splits at '|' and parses, as the command would. */
static bool parse(struct opts *opts, enum opts_command command, const char *line)
{
	static char words[512];
	char *argv[MOST_WORDS + 1];
	int argc = 0;

	argv[argc++] = (char *)"run";
	strcpy(words, line);
	for (char *word = strtok(words, "|"); word; word = strtok(NULL, "|")) {
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	return opts_parse(opts, command, argc, argv);
}

static void opts__nothing_given__defaults_and_the_guest_of_the_environment(void **state)
{
	struct opts opts;

	(void)state;
	setenv("DRYDOCK_AARCH64_KERNEL", "/k", 1);
	setenv("DRYDOCK_AARCH64_INITRD", "/i", 1);
	assert_true(parse(&opts, OPTS_RUN, ""));
	assert_string_equal(opts.arch->name, "aarch64");
	assert_int_equal(opts.backend, OPTS_SIM);
	assert_string_equal(opts.kernel, "/k");
	assert_string_equal(opts.initrd, "/i");
	assert_int_equal(opts.mem, HV_MIB(256));
	assert_int_equal(opts.cpus, 1);
	assert_int_equal(opts.gic, 3);
	assert_false(opts.stats);
}

static void opts__riscv64__its_own_guest_machine_and_no_gic(void **state)
{
	struct opts opts;

	(void)state;
	setenv("DRYDOCK_AARCH64_KERNEL", "/k", 1);
	setenv("DRYDOCK_RISCV64_KERNEL", "/rk", 1);
	setenv("DRYDOCK_RISCV64_INITRD", "/ri", 1);
	assert_true(parse(&opts, OPTS_RUN, "--arch|riscv64"));
	assert_int_equal(opts.arch->machine, 243);
	assert_string_equal(opts.kernel, "/rk");
	assert_string_equal(opts.initrd, "/ri");
	assert_int_equal(opts.gic, 0);
	unsetenv("DRYDOCK_RISCV64_KERNEL");
	assert_false(parse(&opts, OPTS_RUN, "--arch|riscv64"));
}

static void opts__x86_64__no_tree_no_gic_no_aplic(void **state)
{
	struct opts opts;

	(void)state;
	setenv("DRYDOCK_X86_64_KERNEL", "/xk", 1);
	setenv("DRYDOCK_X86_64_INITRD", "/xi", 1);
	assert_true(parse(&opts, OPTS_RUN, "--arch|x86_64"));
	assert_int_equal(opts.arch->machine, 62);
	assert_string_equal(opts.kernel, "/xk");
	assert_string_equal(opts.initrd, "/xi");
	assert_int_equal(opts.gic, 0);
	unsetenv("DRYDOCK_X86_64_KERNEL");
	assert_false(parse(&opts, OPTS_RUN, "--arch|x86_64"));
	assert_true(parse(&opts, OPTS_RUN, "--arch|x86_64|--kernel|k|--aia|none"));
	assert_false(parse(&opts, OPTS_RUN, "--arch|x86_64|--kernel|k|--aia|aplic"));
	assert_false(parse(&opts, OPTS_RUN, "--arch|x86_64|--kernel|k|--gic|3"));
	assert_false(parse(&opts, OPTS_RUN, "--dtb|d|--arch|x86_64|--kernel|k"));
	assert_false(parse(&opts, OPTS_PACK, "--arch|x86_64|--kernel|k|--out|o|--dtb|d"));
}

static void opts__gic__only_where_there_is_one_whatever_the_order(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--arch|aarch64|--gic|2"));
	assert_int_equal(opts.gic, 2);
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--arch|riscv64|--gic|3"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--gic|2|--arch|riscv64"));
	assert_false(parse(&opts, OPTS_PACK, "--kernel|k|--out|o|--gic|2|--arch|riscv64"));
}

static void opts__aia__only_where_there_is_a_choice_whatever_the_order(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--arch|riscv64"));
	assert_false(opts.aplic);
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--aia|aplic|--arch|riscv64"));
	assert_true(opts.aplic);
	assert_true(parse(&opts, OPTS_PACK, "--kernel|k|--out|o|--arch|riscv64|--aia|aplic"));
	assert_true(opts.aplic);
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--arch|riscv64|--aia|aplic|--aia|none"));
	assert_false(opts.aplic);
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--aia|aplic"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--aia|aplic|--arch|aarch64"));
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--aia|none"));
}

static void opts__kernel_given__no_default_initrd(void **state)
{
	struct opts opts;

	(void)state;
	setenv("DRYDOCK_AARCH64_INITRD", "/i", 1);
	assert_true(parse(&opts, OPTS_RUN, "--kernel|/mine"));
	assert_null(opts.initrd);
}

static void opts__no_kernel_anywhere__is_refused(void **state)
{
	struct opts opts;

	(void)state;
	unsetenv("DRYDOCK_AARCH64_KERNEL");
	assert_false(parse(&opts, OPTS_RUN, ""));
}

static void opts__every_option__is_taken(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_RUN,
		"--arch|aarch64|--backend=qemu|--kernel|k|--initrd|i|--append|a "
		"b|--dtb|d|--flash|f|--mem|1G"));
	assert_int_equal(opts.backend, OPTS_QEMU);
	assert_string_equal(opts.append, "a b");
	assert_string_equal(opts.dtb, "d");
	assert_string_equal(opts.flash, "f");
	assert_int_equal(opts.mem, HV_GIB(1));
	assert_true(parse(&opts, OPTS_RUN,
		"--kernel|k|--cpus|1|--gic|3|--load-addr|0x48000000|--timeout|1.5|--until|X|--"
		"stats|--deterministic"));
	assert_true(opts.has_load_addr);
	assert_int_equal(opts.load_addr, 0x48000000);
	assert_true(opts.timeout_s == 1.5);
	assert_string_equal(opts.until, "X");
	assert_true(opts.stats);
	assert_null(opts.stats_file);
	assert_true(opts.deterministic);
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--stats=s.json|--qemu-args|-cpu max"));
	assert_string_equal(opts.stats_file, "s.json");
	assert_string_equal(opts.qemu_args, "-cpu max");
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--gic|2"));
	assert_int_equal(opts.gic, 2);
}

static void t5_opts__bad_values__are_refused(void **state)
{
	static const char *const lines[] = {
		"--kernel|k|--arch|vax",
		"--kernel|k|--arch|i386",
		"--kernel|k|--arch|riscv",
		"--kernel|k|--arch|riscv64|--gic|3",
		"--kernel|k|--backend|xen",
		"--kernel|k|--mem|0",
		"--kernel|k|--mem|-1",
		"--kernel|k|--mem|1",
		"--kernel|k|--mem|3M",
		"--kernel|k|--mem|65G",
		"--kernel|k|--mem|17179869184G",
		"--kernel|k|--cpus|0",
		"--kernel|k|--cpus|9",
		"--kernel|k|--cpus|x",
		"--kernel|k|--gic|1",
		"--kernel|k|--gic|4",
		"--kernel|k|--gic|2x",
		"--kernel|k|--arch|riscv64|--aia|aplic-imsic",
		"--kernel|k|--arch|riscv64|--aia|",
		"--kernel|k|--load-addr|here",
		"--kernel|k|--timeout|0",
		"--kernel|k|--timeout|soon",
		"--kernel|k|--frobnicate",
		"--kernel|k|stray",
		"--kernel|k|--mem",
		"--kernel|k|-x",
		"--kernel|k|--out|o",
		"--kernel|k|--deterministic=1",
		"--kernel",
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(lines); i++) {
		struct opts opts;

		if (parse(&opts, OPTS_RUN, lines[i])) {
			fail_msg("accepted: %s", lines[i]);
		}
	}
}

static void t5_opts__empty_texts__are_refused_where_they_mean_nothing(void **state)
{
	static const char *const names[] = {"--kernel", "--initrd", "--dtb", "--flash", "--until"};

	(void)state;
	setenv("DRYDOCK_AARCH64_KERNEL", "/k", 1);
	for (size_t i = 0; i < HV_ARRAY_COUNT(names); i++) {
		char *argv[] = {(char *)"run", (char *)names[i], (char *)"", NULL};
		struct opts opts;

		assert_false(opts_parse(&opts, OPTS_RUN, 3, argv));
	}
}

static uint64_t mem_of(const char *line)
{
	struct opts opts;

	assert_true(parse(&opts, OPTS_RUN, line));
	return opts.mem;
}

static void opts__load_addr_beyond_ram__ram_reaches_as_far_from_there(void **state)
{
	(void)state;
	assert_int_equal(mem_of("--kernel|k|--mem|128M|--load-addr|0x47ffffff"), HV_MIB(128));
	assert_int_equal(mem_of("--kernel|k|--mem|128M|--load-addr|0x48000000"), HV_MIB(256));
	assert_int_equal(mem_of("--kernel|k|--load-addr|0x48000000|--mem|128M"), HV_MIB(256));
	assert_int_equal(mem_of("--kernel|k|--mem|128M|--load-addr|0x48000001"), HV_MIB(258));
	assert_int_equal(mem_of("--kernel|k|--mem|32G|--load-addr|0x840000000"), HV_GIB(64));
	/* Nowhere near: refused when the image is placed. */
	assert_int_equal(mem_of("--kernel|k|--mem|32G|--load-addr|0x840000001"), HV_GIB(32));
	assert_int_equal(mem_of("--kernel|k|--load-addr|0x3fffffff"), HV_MIB(256));
	/* Where RAM begins is the architecture's. */
	assert_int_equal(mem_of("--kernel|k|--load-addr|0x90000000|--mem|128M"), HV_MIB(1408));
	assert_int_equal(
		mem_of("--kernel|k|--load-addr|0x90000000|--mem|128M|--arch|riscv64"), HV_MIB(384));
	assert_int_equal(mem_of("--kernel|k|--arch|riscv64|--load-addr|0x7fffffff"), HV_MIB(256));
	assert_int_equal(mem_of("--kernel|k|--load-addr|0xffffffffffffffff"), HV_MIB(256));
}

static void opts__mem_bounds__both_sides(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--mem|2M"));
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--mem|64G"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--mem|1M"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--mem|65538M"));
}

static void opts_pack__needs_out__and_knows_no_run_options(void **state)
{
	struct opts opts;

	(void)state;
	assert_false(parse(&opts, OPTS_PACK, "--kernel|k"));
	assert_true(parse(&opts, OPTS_PACK, "--kernel|k|--out|o|--report"));
	assert_true(opts.stats);
	assert_false(parse(&opts, OPTS_PACK, "--kernel|k|--out|o|--until|x"));
}

static void opts_backend__bochs__is_a_pc(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_RUN, "--kernel|k|--arch|x86_64|--backend|bochs"));
	assert_int_equal(opts.backend, OPTS_BOCHS);
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--backend|bochs"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--arch|riscv64|--backend|bochs"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--arch|x86_64|--backend|box"));
}

static void opts_pack__a_cd__of_a_pc_alone(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_PACK, "--kernel|k|--arch|x86_64|--iso|i"));
	assert_string_equal(opts.iso, "i");
	assert_null(opts.out);
	assert_true(parse(&opts, OPTS_PACK, "--kernel|k|--arch|x86_64|--iso|i|--out|o"));
	assert_false(parse(&opts, OPTS_PACK, "--kernel|k|--arch|x86_64|--iso|"));
	assert_false(parse(&opts, OPTS_PACK, "--kernel|k|--arch|riscv64|--iso|i"));
	assert_false(parse(&opts, OPTS_PACK, "--kernel|k|--iso|i|--out|o"));
	assert_false(parse(&opts, OPTS_RUN, "--kernel|k|--arch|x86_64|--iso|i"));
}

static void opts_bench__runs__both_sides_of_its_bounds(void **state)
{
	struct opts opts;

	(void)state;
	assert_true(parse(&opts, OPTS_BENCH, "--kernel|k"));
	assert_int_equal(opts.runs, 3);
	assert_true(parse(&opts, OPTS_BENCH, "--kernel|k|--runs|100"));
	assert_false(parse(&opts, OPTS_BENCH, "--kernel|k|--runs|101"));
	assert_false(parse(&opts, OPTS_BENCH, "--kernel|k|--runs|0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(opts__nothing_given__defaults_and_the_guest_of_the_environment),
		hv_unit_test(opts__riscv64__its_own_guest_machine_and_no_gic),
		hv_unit_test(opts__x86_64__no_tree_no_gic_no_aplic),
		hv_unit_test(opts__gic__only_where_there_is_one_whatever_the_order),
		hv_unit_test(opts__aia__only_where_there_is_a_choice_whatever_the_order),
		hv_unit_test(opts__kernel_given__no_default_initrd),
		hv_unit_test(opts__no_kernel_anywhere__is_refused),
		hv_unit_test(opts__every_option__is_taken),
		hv_unit_test(t5_opts__bad_values__are_refused),
		hv_unit_test(t5_opts__empty_texts__are_refused_where_they_mean_nothing),
		hv_unit_test(opts__load_addr_beyond_ram__ram_reaches_as_far_from_there),
		hv_unit_test(opts__mem_bounds__both_sides),
		hv_unit_test(opts_pack__needs_out__and_knows_no_run_options),
		hv_unit_test(opts_backend__bochs__is_a_pc),
		hv_unit_test(opts_pack__a_cd__of_a_pc_alone),
		hv_unit_test(opts_bench__runs__both_sides_of_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

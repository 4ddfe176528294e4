/* SPDX-License-Identifier: MIT */
/* The fake port must notice what it is there to notice: each misuse ends its process. */
#include <unit.h>

#include <fake_race.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct hv_lock vm, dev, vcpu;

static int setup(void **state)
{
	vm = HV_LOCK_INIT(HV_LOCK_VM);
	dev = HV_LOCK_INIT(HV_LOCK_DEV);
	vcpu = HV_LOCK_INIT(HV_LOCK_VCPU);
	return unit_setup(state);
}

/* Whether run() aborts; in a child, without its message. */
static bool aborts(void (*run)(void))
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr)) {
			_exit(2);
		}
		signal(SIGABRT, SIG_DFL);
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void in_order(void)
{
	port_lock(&vm);
	port_lock(&dev);
	port_lock(&vcpu);
	port_unlock(&vcpu);
	port_unlock(&dev);
	port_unlock(&vm);
}

static void rank_falls(void)
{
	port_lock(&vcpu);
	port_lock(&dev);
}

static void rank_is_equal(void)
{
	struct hv_lock other = HV_LOCK_INIT(HV_LOCK_DEV);

	port_lock(&dev);
	port_lock(&other);
}

static void taken_twice(void)
{
	port_lock(&dev);
	port_lock(&dev);
}

static void without_a_rank(void)
{
	struct hv_lock none = {0};

	port_lock(&none);
}

static void given_up_twice(void)
{
	port_lock(&dev);
	port_unlock(&dev);
	port_unlock(&dev);
}

static void given_up_out_of_order(void)
{
	port_lock(&vm);
	port_lock(&dev);
	port_unlock(&vm);
}

static void by_a_cpu_that_cannot_go_on(void)
{
	port_lock(&dev);
	fake_port.cpu = 1;
	port_lock(&dev);
}

static void unexpected_panic(void)
{
	port_panic("test");
}

static void fake_port__each_misuse__ends_the_process(void **state)
{
	(void)state;
	assert_false(aborts(in_order));
	assert_true(aborts(rank_falls));
	assert_true(aborts(rank_is_equal));
	assert_true(aborts(taken_twice));
	assert_true(aborts(without_a_rank));
	assert_true(aborts(given_up_twice));
	assert_true(aborts(given_up_out_of_order));
	assert_true(aborts(by_a_cpu_that_cannot_go_on));
	assert_true(aborts(unexpected_panic));
}

static void lock_vm_and_keep_it(void *ctx)
{
	(void)ctx;
	port_lock(&vm);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void deadlock(void)
{
	fake_race(&(struct fake_race){.setup = nothing,
		.cpu = {lock_vm_and_keep_it, lock_vm_and_keep_it},
		.check = nothing});
}

static void fake_race__nobody_can_go_on__ends_the_process(void **state)
{
	(void)state;
	assert_true(aborts(deadlock));
}

/* ---- fake_race: every order, and each once ---- */

static char order[16], seen[64][16];
static unsigned seen_count;

static void clear_order(void *ctx)
{
	(void)ctx;
	memset(order, 0, sizeof(order));
}

static void note(char what)
{
	order[strlen(order)] = what;
}

static void keep_order(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < seen_count; i++) {
		assert_string_not_equal(seen[i], order);
	}
	memcpy(seen[seen_count++], order, sizeof(order));
	assert_int_equal(fake_port.locks_held, 0);
	assert_int_equal(fake_port.cpu, 0);
}

static void abc(void *ctx)
{
	(void)ctx;
	note('a');
	fake_race_window();
	note('b');
	fake_race_window();
	note('c');
}

static void one_two(void *ctx)
{
	(void)ctx;
	note('1');
	fake_race_window();
	note('2');
}

static void xy(void *ctx)
{
	(void)ctx;
	note('x');
	fake_race_window();
	note('y');
}

static void fake_race__windows_without_locks__every_interleaving_comes_once(void **state)
{
	(void)state;
	seen_count = 0;
	/* 5! / (3! 2!) and 4! / (2! 2!) */
	assert_int_equal(fake_race(&(struct fake_race){
				 .setup = clear_order, .cpu = {abc, one_two}, .check = keep_order}),
		10);
	assert_string_equal(seen[0], "abc12");
	assert_string_equal(seen[9], "12abc");
	seen_count = 0;
	assert_int_equal(fake_race(&(struct fake_race){
				 .setup = clear_order, .cpu = {xy, one_two}, .check = keep_order}),
		6);
}

static void count_only(void *ctx)
{
	(void)ctx;
	assert_int_equal(strlen(order), 7);
}

static void fake_race__three_cpus__every_interleaving_comes(void **state)
{
	(void)state;
	/* 7! / (3! 2! 2!) */
	assert_int_equal(
		fake_race(&(struct fake_race){
			.setup = clear_order, .cpu = {abc, one_two, xy}, .check = count_only}),
		210);
}

static void locked_xy(void *ctx)
{
	(void)ctx;
	port_lock(&vm);
	xy(ctx);
	port_unlock(&vm);
}

static void locked_one_two(void *ctx)
{
	(void)ctx;
	port_lock(&vm);
	one_two(ctx);
	port_unlock(&vm);
}

static void check_not_mixed(void *ctx)
{
	(void)ctx;
	assert_true(strcmp(order, "xy12") == 0 || strcmp(order, "12xy") == 0);
	seen_count |= order[0] == 'x' ? 1 : 2;
}

static void fake_race__under_one_lock__only_one_after_the_other(void **state)
{
	(void)state;
	seen_count = 0;
	fake_race(&(struct fake_race){.setup = clear_order,
		.cpu = {locked_xy, locked_one_two},
		.check = check_not_mixed});
	assert_int_equal(seen_count, 3);
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, unit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(fake_port__each_misuse__ends_the_process),
		test_on(fake_race__nobody_can_go_on__ends_the_process),
		test_on(fake_race__windows_without_locks__every_interleaving_comes_once),
		test_on(fake_race__three_cpus__every_interleaving_comes),
		test_on(fake_race__under_one_lock__only_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

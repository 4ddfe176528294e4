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

/* ---- fake_race: who comes when ---- */

static char order[16];

static void note(char what)
{
	order[strlen(order)] = what;
}

static void first(void *ctx)
{
	(void)ctx;
	note('a');
	port_lock(&vm);
	note('b');
	port_lock(&dev);
	note('c');
	port_unlock(&dev);
	note('d');
	port_unlock(&vm);
	note('e');
}

static void second(void *ctx)
{
	struct hv_lock *lock = ctx;

	note('1');
	port_lock(lock);
	note('2');
	port_unlock(lock);
	note('3');
}

static void check_orders(struct hv_lock *lock, const char *const *wanted)
{
	for (unsigned at = 0; wanted[at]; at++) {
		memset(order, 0, sizeof(order));
		assert_int_equal(fake_race(at, first, second, lock), wanted[at + 1] != NULL);
		assert_string_equal(order, wanted[at]);
		assert_int_equal(fake_port.locks_held, 0);
		assert_int_equal(fake_port.cpu, 0);
	}
}

static void fake_race__a_lock_that_first_never_takes__second_runs_whole_in_each_window(void **state)
{
	static const char *const wanted[] = {
		"a123bcde", "ab123cde", "abc123de", "abcd123e", "abcde123", NULL};

	(void)state;
	check_orders(&vcpu, wanted);
}

static void fake_race__a_lock_that_first_holds__second_waits_for_it(void **state)
{
	static const char *const inner[] = {
		"a123bcde", "ab123cde", "abc123de", "abcd123e", "abcde123", NULL};
	static const char *const outer[] = {
		"a123bcde", "ab1cd23e", "abc1d23e", "abcd123e", "abcde123", NULL};

	(void)state;
	check_orders(&dev, inner);
	check_orders(&vm, outer);
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, unit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(fake_port__each_misuse__ends_the_process),
		test_on(fake_race__a_lock_that_first_never_takes__second_runs_whole_in_each_window),
		test_on(fake_race__a_lock_that_first_holds__second_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

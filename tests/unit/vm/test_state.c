/* SPDX-License-Identifier: MIT */
/* The diagrams as people read them; the tables of core must say the same for every pair. */
#include <unit.h>

#include <hv/vm.h>

/* Row: from; column: to. */
static const char *const vm_diagram[HV_VM_STATES] = {
	/*                     CSRPD */
	[HV_VM_CREATING] = ".x..x",
	[HV_VM_STOPPED] = "..x.x",
	[HV_VM_RUNNING] = ".x.x.",
	[HV_VM_PAUSED] = ".xx.x",
	[HV_VM_DESTROYING] = ".....",
};

static const char *const vcpu_diagram[HV_VCPU_STATES] = {
	/*                    ORRBD */
	[HV_VCPU_OFF] = ".x...",
	[HV_VCPU_READY] = "x.x..",
	[HV_VCPU_RUNNING] = "xx.xx",
	[HV_VCPU_BLOCKED] = "xx...",
	[HV_VCPU_DEAD] = "x....",
};

static void vm_has_edge__every_pair__is_as_drawn(void **state)
{
	(void)state;
	for (unsigned from = 0; from < HV_VM_STATES; from++) {
		for (unsigned to = 0; to < HV_VM_STATES; to++) {
			assert_int_equal(hv_vm_has_edge(from, to), vm_diagram[from][to] == 'x');
		}
	}
}

static void vcpu_has_edge__every_pair__is_as_drawn(void **state)
{
	(void)state;
	for (unsigned from = 0; from < HV_VCPU_STATES; from++) {
		for (unsigned to = 0; to < HV_VCPU_STATES; to++) {
			assert_int_equal(hv_vcpu_has_edge(from, to), vcpu_diagram[from][to] == 'x');
		}
	}
}

static void vcpu_move__every_pair__moves_or_is_refused_and_stays(void **state)
{
	(void)state;
	for (unsigned from = 0; from < HV_VCPU_STATES; from++) {
		for (unsigned to = 0; to < HV_VCPU_STATES; to++) {
			struct hv_vcpu vcpu = {.state = from, .lock = HV_LOCK_INIT(HV_LOCK_VCPU)};
			struct hv_vcpu_held held = hv_vcpu_hold(&vcpu);
			bool legal = vcpu_diagram[from][to] == 'x';

			assert_int_equal(hv_vcpu_move(held, to), legal ? HV_OK : HV_ERR_STATE);
			assert_int_equal(vcpu.state, legal ? to : from);
			hv_vcpu_drop(held);
		}
	}
}

static void vcpu_hold__takes_the_lock__drop_gives_it_up(void **state)
{
	struct hv_vcpu vcpu = {.lock = HV_LOCK_INIT(HV_LOCK_VCPU)};
	struct hv_vcpu_held held = hv_vcpu_hold(&vcpu);

	(void)state;
	assert_ptr_equal(held.vcpu, &vcpu);
	assert_int_equal(fake_port.locks_held, 1);
	hv_vcpu_drop(held);
	assert_int_equal(fake_port.locks_held, 0);
}

static void state_names__every_state_and_one_beyond__are_short_and_different(void **state)
{
	(void)state;
	assert_string_equal(hv_vm_state_name(HV_VM_CREATING), "creating");
	assert_string_equal(hv_vm_state_name(HV_VM_DESTROYING), "destroying");
	assert_string_equal(hv_vm_state_name(HV_VM_STATES), "?");
	assert_string_equal(hv_vcpu_state_name(HV_VCPU_OFF), "off");
	assert_string_equal(hv_vcpu_state_name(HV_VCPU_DEAD), "dead");
	assert_string_equal(hv_vcpu_state_name(HV_VCPU_STATES), "?");
	for (unsigned i = 1; i < HV_VM_STATES; i++) {
		assert_string_not_equal(hv_vm_state_name(i), hv_vm_state_name(i - 1));
		assert_string_not_equal(hv_vcpu_state_name(i), hv_vcpu_state_name(i - 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(vm_has_edge__every_pair__is_as_drawn),
		hv_unit_test(vcpu_has_edge__every_pair__is_as_drawn),
		hv_unit_test(vcpu_move__every_pair__moves_or_is_refused_and_stays),
		hv_unit_test(vcpu_hold__takes_the_lock__drop_gives_it_up),
		hv_unit_test(state_names__every_state_and_one_beyond__are_short_and_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

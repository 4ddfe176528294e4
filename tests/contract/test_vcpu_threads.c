/* SPDX-License-Identifier: MIT */
/*
 * S4 with real concurrency: each physical CPU is a thread, over a port of its own (this program
 * does not link the fake one). Two vCPUs pass a token by waking each other and wait in between,
 * while a third thread pauses and resumes their VM. A lost wake-up would leave both waiting for
 * ever. Once with interrupts that only the test knows, once with those of riscv64 harts, which are
 * set once and cleared by the guest, and once by way of local APICs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arch/riscv64/rv64.h>
#include <dev/lapic/lapic.h>
#include <fake_vm.h>
#include <hv/bits.h>
#include <hv/power.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 10000u
#define PAUSES 200u

/* ---- the port ---- */

static sem_t kicked[2];

void port_lock(struct hv_lock *lock)
{
	while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE)) {
		sched_yield();
	}
}

void port_unlock(struct hv_lock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

void port_kick(uint16_t pcpu)
{
	sem_post(&kicked[pcpu]);
}

uint64_t port_now(void)
{
	return 0;
}

void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	(void)pt;
	(void)from;
	(void)len;
}

void port_guest_sync(const void *host, size_t size)
{
	(void)host;
	(void)size;
}

void port_log(const char *line, size_t size)
{
	(void)line;
	(void)size;
}

_Noreturn void port_panic(const char *why)
{
	fprintf(stderr, "%s\n", why);
	abort();
}

/* ---- two vCPUs that pass a token ---- */

static struct fake_vm fake;
static _Atomic unsigned token; /* vCPU token % 2 has it */
static _Atomic bool line[2];   /* its "interrupt" */
static unsigned passed[2];

/* How the vCPUs of an architecture are told of an interrupt, and how they find it. */
struct kind {
	const struct hv_arch *arch;
	void (*begin)(void);
	void (*send)(unsigned to);
	void (*prepare)(unsigned n); /* before an entry, with HV_TODO_IRQ */
	bool (*take)(unsigned n);    /* by the guest */
};

static const struct kind *kind;

static void plain_send(unsigned to)
{
	atomic_store(&line[to], true);
	hv_vcpu_wake(fake.vm->vcpu[to], HV_TODO_IRQ);
}

static void plain_prepare(unsigned n)
{
	atomic_fetch_and(&fake.vm->vcpu[n]->todo, ~(uint32_t)HV_TODO_IRQ);
}

static bool plain_take(unsigned n)
{
	return atomic_exchange(&line[n], false);
}

static void plain_begin(void)
{
}

static const struct kind plain = {&fake_arch, plain_begin, plain_send, plain_prepare, plain_take};

static uint64_t hvip[2]; /* of the physical CPU, whose thread alone looks at it */

static struct rv64_vcpu *hart(unsigned n)
{
	return HV_CONTAINER_OF(fake.vm->vcpu[n], struct rv64_vcpu, hv);
}

static void rv64_begin(void)
{
	hart(1)->hart_id = 1;
}

static void rv64_send(unsigned to)
{
	rv64_ipi_send(hart(to));
}

static void rv64_prepare(unsigned n)
{
	struct rv64_hvip next = rv64_entry_prepare(hart(n));

	hvip[n] = (hvip[n] & ~next.clear) | next.set;
}

static bool rv64_take(unsigned n)
{
	bool pending = hv_bit(hvip[n], RV64_VSSI);

	hvip[n] &= ~HV_BIT(RV64_VSSI);
	return pending;
}

static const struct kind rv64 = {&rv64_arch, rv64_begin, rv64_send, rv64_prepare, rv64_take};

#define VECTOR 0xe1u

static struct lapics lapics;
static bool injected[2]; /* into the vCPU, whose thread alone looks at it */

static void lapic_notify(void *vcpu)
{
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
}

static void lapic_rearm(void *vcpu)
{
	(void)vcpu; /* nobody has a timer */
}

static void lapic_look(void *vcpu)
{
	atomic_fetch_or(&((struct hv_vcpu *)vcpu)->todo, HV_TODO_IRQ);
}

static void lapic_write(unsigned n, uint64_t off, uint32_t value)
{
	struct hv_access access = {
		.off = off, .data = value, .size = 4, .write = true, .cpu = (uint16_t)n};

	if (!lapics_ops.access(&lapics, &access)) {
		abort();
	}
}

static void lapic_begin(void)
{
	static const struct lapic_ops ops = {
		.notify = lapic_notify, .look = lapic_look, .rearm = lapic_rearm};
	struct lapics_cfg cfg = {.cpus = 2, .pa_bits = 40, .tsc_hz = 1000000000, .ops = &ops};

	for (unsigned n = 0; n < 2; n++) {
		cfg.ctx[n] = fake.vm->vcpu[n];
	}
	lapics_init(&lapics, &cfg);
	for (unsigned n = 0; n < 2; n++) {
		lapic_write(n, LAPIC_SVR, LAPIC_SVR_ENABLE);
	}
}

static void lapic_send(unsigned to)
{
	lapic_raise(&lapics.cpu[to], VECTOR, false);
}

static void lapic_prepare(unsigned n)
{
	int pending;

	plain_prepare(n);
	pending = lapic_pending(&lapics.cpu[n]);
	if (pending != LAPIC_NOTHING) {
		injected[n] = lapic_accept(&lapics.cpu[n], pending) == VECTOR;
	}
}

static bool lapic_take(unsigned n)
{
	if (!injected[n]) {
		return false;
	}
	injected[n] = false;
	lapic_write(n, LAPIC_EOI, 0);
	return true;
}

static const struct kind lapic = {&fake_arch, lapic_begin, lapic_send, lapic_prepare, lapic_take};

/* What the guest does between entry and WFI: takes its interrupt, if there is one. */
static enum hv_verdict guest(unsigned n)
{
	if (!kind->take(n)) {
		return HV_BLOCK;
	}
	passed[n]++;
	if (atomic_fetch_add(&token, 1) + 1 == 2 * ROUNDS) {
		return hv_power_system(fake.vm, false);
	}
	kind->send(!n);
	return HV_RESUME;
}

/* A backend's inner loop. */
static enum hv_verdict run(struct hv_vcpu *vcpu, unsigned n)
{
	enum hv_verdict verdict = HV_RESUME;

	while (verdict == HV_RESUME) {
		uint32_t todo = atomic_load(&vcpu->todo);

		if (todo & HV_TODO_LEAVE) {
			return HV_YIELD;
		}
		if (todo & HV_TODO_IRQ) {
			kind->prepare(n);
		}
		verdict = guest(n);
	}
	return verdict;
}

static bool is_stopped(void)
{
	bool stopped;

	port_lock(&fake.vm->lock);
	stopped = fake.vm->state == HV_VM_STOPPED;
	port_unlock(&fake.vm->lock);
	return stopped;
}

static void *pcpu_main(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;
	struct hv_vcpu *vcpu = fake.vm->vcpu[n];

	while (!is_stopped()) {
		if (hv_vcpu_enter(vcpu, (uint16_t)n) == HV_OK) {
			hv_vcpu_leave(vcpu, run(vcpu, n));
		} else {
			sem_wait(&kicked[n]);
		}
	}
	return NULL;
}

static void *pause_main(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < PAUSES; i++) {
		if (hv_vm_pause(fake.vm) == HV_OK) {
			sched_yield();
			if (hv_vm_start(fake.vm, GPA(0), 0) != HV_OK && !is_stopped()) {
				abort();
			}
		}
		usleep(100);
	}
	return NULL;
}

/* The first interrupt is sent when its vCPU has run once: a reset forgets those of before. */
static void pass_token(const struct kind *of)
{
	pthread_t thread[3];

	kind = of;
	token = 0;
	passed[0] = passed[1] = 0;
	alarm(60);
	fake.arch = of->arch;
	fake_vm_start(&fake, 2);
	for (unsigned n = 0; n < 2; n++) {
		fake.vm->vcpu[n]->pcpu = (uint16_t)n;
		sem_init(&kicked[n], 0, 0);
	}
	of->begin();
	assert_int_equal(hv_power_cpu_on(fake.vm, fake.vm->arch->hw_id(fake.vm->vcpu[1]),
				 GPA(FAKE_VM_PC), 0),
		HV_OK);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(hv_vcpu_enter(fake.vm->vcpu[n], (uint16_t)n), HV_OK);
		hv_vcpu_leave(fake.vm->vcpu[n], HV_YIELD);
	}
	of->send(0);
	pthread_create(&thread[0], NULL, pcpu_main, (void *)(uintptr_t)0);
	pthread_create(&thread[1], NULL, pcpu_main, (void *)(uintptr_t)1);
	pthread_create(&thread[2], NULL, pause_main, NULL);
	for (unsigned n = 0; n < 3; n++) {
		pthread_join(thread[n], NULL);
	}
	alarm(0);
	assert_int_equal(token, 2 * ROUNDS);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(passed[n], ROUNDS);
		assert_int_equal(fake.vm->vcpu[n]->state, HV_VCPU_OFF);
	}
	assert_int_equal(fake.vm->stop, HV_STOP_OFF);
	assert_int_equal(hv_vm_destroy(fake.vm), HV_OK);
	assert_int_equal(fake.pool.free_count, FAKE_VM_PAGES);
}

static void s4_wake__two_vcpus_on_two_threads_under_pauses__no_wake_up_is_lost(void **state)
{
	(void)state;
	pass_token(&plain);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(fake_vcpu(fake.vm->vcpu[n])->resets, 1);
	}
	fake_vm_free(&fake);
}

static void s4_wake__two_harts_on_two_threads_under_pauses__no_ipi_is_lost(void **state)
{
	(void)state;
	pass_token(&rv64);
	fake_vm_free(&fake);
}

static void s4_wake__two_local_apics_on_two_threads_under_pauses__no_interrupt_is_lost(void **state)
{
	(void)state;
	pass_token(&lapic);
	fake_vm_free(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			s4_wake__two_vcpus_on_two_threads_under_pauses__no_wake_up_is_lost),
		cmocka_unit_test(s4_wake__two_harts_on_two_threads_under_pauses__no_ipi_is_lost),
		cmocka_unit_test(
			s4_wake__two_local_apics_on_two_threads_under_pauses__no_interrupt_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The smallest hypervisor that core and the emulated hart make, without a board: memory at 0, one
 * hart with a number of our choice, and a guest of four instructions. It reads its hart's number,
 * which is the hypervisor's to answer, and a word of memory, and switches its machine off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <hv/arena.h>
#include <hv/load.h>
#include <uc_sim.h>

#define MEMORY     HV_MIB(2)
#define ARENA      0x10000u
#define POOL_PAGES 16u
#define ENTRY      0x1000u
#define HART       0x1234u
#define WORD       0x6688u
#define WORD_AT    0x40u
#define A0         10
#define A1         11

static const uint32_t code[] = {
	0xf14025f3, /* csrr a1, mhartid */
	0x04003503, /* ld a0, 64(zero) */
	0x00800893, /* li a7, 8: the shutdown of SBI 0.1 */
	0x00000073, /* ecall */
};

static const struct hv_guest guest = {.machine = HV_MACHINE_RISCV, .cpus = 1, .ram_size = MEMORY};
static const struct sim_cfg cfg = {.guest = &guest, .in_fd = -1};
static struct sim_report report;
static struct sim sim;
static struct hv_vm *vm;
static struct rv64_vcpu *vcpu;

static void open_host(void)
{
	sim = (struct sim){.cfg = &cfg, .report = &report, .arch = &sim_arch_rv64};
	sim_now = &sim;
	sim_clock_start(&sim.clock, true);
	assert_null(sim.arch->open(&sim));
	assert_null(sim_memory_open(&sim));
	assert_null(sim_memory_pool(&sim, POOL_PAGES * HV_PAGE_SIZE, ARENA));
}

static void create_vm(void)
{
	const struct hv_vm_cfg vm_cfg = {
		.id = 1,
		.vcpu_count = 1,
		.arch = &rv64_arch,
		.pages = &sim.memory.pages,
		.ia_bits = VIRT_RV64_IA_BITS,
		.pa_bits = sim.rv64.caps.pa_bits,
	};
	const struct hv_gmem_region memory = {
		.gpa = GPA(0),
		.size = MEMORY,
		.hpa = HPA(sim.arch->ram_hpa),
		.host = sim.memory.ram,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X,
	};
	const struct sim_rv64_range range[SIM_RV64_RANGES] = {{0, MEMORY, true}};
	struct hv_arena arena = {.base = sim.memory.arena, .size = sim.memory.arena_size};

	assert_null(sim_rv64_begin(&sim.rv64.cpu, range));
	assert_int_equal(hv_vm_create(&vm, &vm_cfg, &arena), HV_OK);
	assert_int_equal(hv_gmem_add(&vm->gmem, &memory), HV_OK);
	assert_int_equal(hv_vm_seal(vm), HV_OK);
	vcpu = HV_CONTAINER_OF(vm->vcpu[0], struct rv64_vcpu, hv);
	vcpu->hart_id = HART;
	rv64_vcpu_caps_set(vcpu, &sim.rv64.caps);
	sim.rv64.vcpu[0].rv64 = vcpu;
	assert_true(sim_rv64_add(&sim.rv64.cpu, &sim.rv64.vcpu[0]));
}

static void load(void)
{
	const uint64_t word = WORD;

	assert_int_equal(hv_gmem_copy_out(&vm->gmem, GPA(ENTRY), code, sizeof(code)), HV_OK);
	assert_int_equal(hv_gmem_copy_out(&vm->gmem, GPA(WORD_AT), &word, sizeof(word)), HV_OK);
}

/* The traps it took. */
static unsigned run(void)
{
	enum hv_verdict verdict = HV_RESUME;
	unsigned traps = 0;

	assert_int_equal(hv_vm_start(vm, GPA(ENTRY), 0), HV_OK);
	assert_int_equal(hv_vcpu_enter(&vcpu->hv, 0), HV_OK);
	sim_rv64_load(&sim.rv64.cpu, &sim.rv64.vcpu[0]);
	while (verdict == HV_RESUME) {
		assert_int_equal(
			sim_rv64_run(&sim.rv64.cpu, port_now() + UINT32_MAX), SIM_RV64_TRAP);
		verdict = rv64_trap_handle(vcpu, &sim.rv64.cpu.trap);
		traps++;
	}
	hv_vcpu_leave(&vcpu->hv, verdict);
	return traps;
}

static void simple_hv__guest_reads_its_hart_and_memory__and_shuts_down(void **state)
{
	(void)state;
	open_host();
	create_vm();
	load();
	assert_int_equal(run(), 2);
	assert_int_equal(vm->stop, HV_STOP_OFF);
	assert_int_equal(vcpu->regs.x[A0], WORD);
	assert_int_equal(vcpu->regs.x[A1], HART);
	assert_int_equal(vcpu->regs.pc, ENTRY + sizeof(code));
	assert_int_equal(hv_vm_destroy(vm), HV_OK);
	sim.arch->close(&sim);
	sim_memory_close(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple_hv__guest_reads_its_hart_and_memory__and_shuts_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Virtual machines and their vCPUs. All memory comes from the arena the caller owns. One function
 * owns each state diagram; the tables behind them are in core/vm. A held token proves that a vCPU's
 * lock is taken.
 *
 *   VM:    CREATING -> STOPPED -> RUNNING <-> PAUSED;  RUNNING, PAUSED -> STOPPED;
 *          CREATING, STOPPED, PAUSED -> DESTROYING
 *   vCPU:  OFF -> READY -> RUNNING -> READY | BLOCKED | OFF | DEAD;
 *          BLOCKED -> READY | OFF;  READY -> OFF (its VM stops);  DEAD -> OFF (its VM is reset)
 */
#ifndef HV_VM_H
#define HV_VM_H

#include <hv/arena.h>
#include <hv/bus.h>
#include <hv/exit.h>
#include <hv/gmem.h>
#include <hv/port.h>
#include <hv/pt.h>
#include <hv/ring.h>
#include <hv/status.h>
#include <stdatomic.h>

#define HV_VCPUS 8u /* most vCPUs of one VM */

struct hv_vm;
struct hv_vcpu;

enum hv_vm_state {
	HV_VM_CREATING,
	HV_VM_STOPPED,
	HV_VM_RUNNING,
	HV_VM_PAUSED,
	HV_VM_DESTROYING,
	HV_VM_STATES,
};

enum hv_vcpu_state {
	HV_VCPU_OFF,
	HV_VCPU_READY,
	HV_VCPU_RUNNING,
	HV_VCPU_BLOCKED,
	HV_VCPU_DEAD,
	HV_VCPU_STATES,
};

/* Why a VM stopped running; the first one to say so wins. */
enum hv_stop {
	HV_STOP_NONE,
	HV_STOP_OFF,    /* the guest powered its machine off, or switched its last vCPU off */
	HV_STOP_REBOOT, /* the guest asked for a reset */
	HV_STOP_CRASH,  /* hv_vm.crash says more */
};

struct hv_crash {
	const char *reason; /* static text; what the guest did */
	uint16_t vcpu;
	uint64_t info[2]; /* reason's own numbers, e.g. an address and a syndrome */
};

/* Cold hooks only; the exit path calls its architecture by name. */
struct hv_arch {
	const char *name;
	size_t vcpu_size; /* of the arch's vCPU record, whose first member is a struct hv_vcpu */
	const struct hv_pt_fmt *pt_fmt;
	/* Power-on registers, all zero but what the architecture names; then pc and first argument.
	 */
	void (*reset)(struct hv_vcpu *vcpu, gpa_t pc, uint64_t arg);
	/* The id by which guest firmware calls name this vCPU (Arm: MPIDR affinity, RISC-V: hart).
	 */
	uint64_t (*hw_id)(const struct hv_vcpu *vcpu);
};

/* vcpu->todo: set by anyone under the vCPU's lock; consumed by whoever runs the vCPU. */
enum hv_todo {
	HV_TODO_IRQ = 1,   /* the interrupt state changed: look at it again */
	HV_TODO_STOP = 2,  /* the VM stops: do not enter again */
	HV_TODO_RESET = 4, /* power-on registers are waiting in on_pc, on_arg */
	HV_TODO_PAUSE = 8, /* the VM is paused: do not enter until this is taken back */
	/* Set by the vCPU's own exit: a deadline of its VM's devices or of its own may have moved.
	 */
	HV_TODO_TIME = 16,
	HV_TODO_LEAVE = HV_TODO_STOP | HV_TODO_PAUSE,
};

struct hv_vcpu_stats {
	uint64_t exits[HV_EXIT_KINDS]; /* written only by the physical CPU that runs it */
	uint64_t irqs; /* how often it was newly told of an interrupt; guarded by lock */
};

struct hv_vcpu {
	_Atomic uint32_t todo; /* looked at on each way in, so first */
	uint16_t index;        /* in its VM */
	uint16_t pcpu;         /* the physical CPU it runs on, or ran last */
	struct hv_vm *vm;
	enum hv_vcpu_state state; /* guarded by lock; changed only by hv_vcpu_move() */
	struct hv_lock lock;      /* HV_LOCK_VCPU */
	gpa_t on_pc;              /* what CPU_ON asked for */
	uint64_t on_arg;
	struct hv_vcpu_stats stats;
};

/*
 * Where the guest's calls write and read: the channel whose device end a serial device of the board
 * is, too, under this lock. The board sets it; no chan: the guest has no such calls.
 */
struct hv_call_console {
	struct hv_chan *chan;
	struct hv_lock *lock;
};

struct hv_vm {
	uint16_t id;
	uint16_t vcpu_count;
	enum hv_vm_state state; /* guarded by lock */
	enum hv_stop stop;      /* guarded by lock */
	uint16_t on_count;      /* vCPUs that are on; guarded by lock */
	const struct hv_arch *arch;
	struct hv_vcpu *vcpu[HV_VCPUS];
	struct hv_gmem gmem;
	struct hv_bus bus; /* memory-mapped devices */
	struct hv_bus pio; /* x86 ports: an address space of its own */
	struct hv_pt pt;
	struct hv_call_console console;
	struct hv_crash crash; /* valid with HV_STOP_CRASH */
	struct hv_lock lock;   /* HV_LOCK_VM */
};

struct hv_vm_cfg {
	uint16_t id; /* also the VMID */
	uint16_t vcpu_count;
	const struct hv_arch *arch;
	struct hv_pages *pages; /* for the nested tables */
	uint8_t ia_bits, pa_bits;
};

/*
 * HV_ERR_INVALID, HV_ERR_NO_MEMORY: *vm is NULL, arena and page pool are as before (R4).
 * State CREATING; every vCPU OFF.
 */
HV_WARN_UNUSED enum hv_status hv_vm_create(
	struct hv_vm **vm, const struct hv_vm_cfg *cfg, struct hv_arena *arena);
/* Bytes of arena that hv_vm_create() takes at most. */
size_t hv_vm_arena_size(const struct hv_vm_cfg *cfg);
/* Maps the guest's memory; CREATING -> STOPPED. On failure the VM can only be destroyed. */
HV_WARN_UNUSED enum hv_status hv_vm_seal(struct hv_vm *vm);
/*
 * STOPPED -> RUNNING with vCPU 0 ready at pc; or PAUSED -> RUNNING, where pc and arg are not used.
 * HV_ERR_STATE also after a run that no hv_vm_reset() followed.
 */
HV_WARN_UNUSED enum hv_status hv_vm_start(struct hv_vm *vm, gpa_t pc, uint64_t arg);
/* RUNNING -> PAUSED; running vCPUs leave soon, and none is entered until hv_vm_start(). */
HV_WARN_UNUSED enum hv_status hv_vm_pause(struct hv_vm *vm);
/*
 * Any thread, any time, no lock held: RUNNING or PAUSED -> STOPPED; else nothing. vCPUs that wait
 * go off at once, running ones are kicked and go off when they leave (crash: the caller's dies).
 */
void hv_vm_stop(struct hv_vm *vm, enum hv_stop why);
/* Records why, stops the VM, and is the verdict to return. The first reason is the one kept. */
enum hv_verdict hv_vm_crash(
	struct hv_vcpu *vcpu, const char *reason, uint64_t info0, uint64_t info1);
/*
 * STOPPED after a run: devices reset, vCPUs off, so that hv_vm_start() works again (H5). Guest
 * memory is left as it is. HV_ERR_STATE, nothing changed: not stopped, or a vCPU has not left yet.
 */
HV_WARN_UNUSED enum hv_status hv_vm_reset(struct hv_vm *vm);
/*
 * Gives the page tables back. The arena's bytes are the caller's. HV_ERR_STATE, nothing changed: it
 * runs, is destroyed already, or a vCPU has not left yet.
 */
HV_WARN_UNUSED enum hv_status hv_vm_destroy(struct hv_vm *vm);

/*
 * hv_bus_expire() and hv_bus_poll() on all of its devices, those by memory and those by port. Any
 * thread that holds no lock of HV_LOCK_DEV's rank or above.
 */
uint64_t hv_vm_expire(struct hv_vm *vm, uint64_t now);
void hv_vm_poll(struct hv_vm *vm);

/* The two state diagrams, and names for people. */
bool hv_vm_has_edge(enum hv_vm_state from, enum hv_vm_state to);
bool hv_vcpu_has_edge(enum hv_vcpu_state from, enum hv_vcpu_state to);
const char *hv_vm_state_name(enum hv_vm_state state);
const char *hv_vcpu_state_name(enum hv_vcpu_state state);

/* Most bytes that one call may write: what a handler does is bounded. */
#define HV_CALL_WRITE 256u

/*
 * Writes the guest's bytes to its console; how many there was room for. Any thread that holds no
 * lock of HV_LOCK_DEV's rank or above.
 */
uint32_t hv_vm_write(struct hv_vm *vm, const uint8_t *bytes, uint32_t count);
/* The same the other way: takes what its console's owner sent; how many bytes there were. */
uint32_t hv_vm_read(struct hv_vm *vm, uint8_t *bytes, uint32_t count);

/* Proof that this vCPU's lock is held. */
struct hv_vcpu_held {
	struct hv_vcpu *vcpu;
};

struct hv_vcpu_held hv_vcpu_hold(struct hv_vcpu *vcpu);
void hv_vcpu_drop(struct hv_vcpu_held held);
/* The one owner of the state diagram; HV_ERR_STATE for an edge that is not in it. */
HV_WARN_UNUSED enum hv_status hv_vcpu_move(struct hv_vcpu_held held, enum hv_vcpu_state to);

/*
 * READY -> RUNNING on `pcpu`, taking power-on registers if they wait. HV_ERR_STATE: do not enter.
 * Before each entry to the guest, with the physical CPU's interrupts off, look at todo: HV_TODO_IRQ
 * asks for the arch's entry_prepare, any bit of HV_TODO_LEAVE for hv_vcpu_leave(HV_YIELD).
 */
HV_WARN_UNUSED enum hv_status hv_vcpu_enter(struct hv_vcpu *vcpu, uint16_t pcpu);
/*
 * RUNNING -> where the verdict says: READY, BLOCKED, OFF or DEAD. HV_BLOCK with something to do
 * already makes it READY (S4); in a VM that stops it goes OFF instead. Registers are saved by then:
 * from here on another physical CPU may enter it.
 */
void hv_vcpu_leave(struct hv_vcpu *vcpu, enum hv_verdict verdict);
/*
 * Something happened that this vCPU must look at: sets todo, makes a BLOCKED one READY, and kicks
 * the physical CPU of a RUNNING or woken one; at HV_TODO_STOP of any, since it may be waiting for
 * the vCPU's next life. Any rank below HV_LOCK_VCPU may be held.
 */
void hv_vcpu_wake(struct hv_vcpu *vcpu, uint32_t todo);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost (S4): two vCPUs, each on a physical CPU of its own at EL2, as a model for Spin.
 *
 * The first vCPU switches the second on, they send each other SGIs and wait for the answer by WFI,
 * and at the end the first powers the machine off. A lost wake-up leaves somebody waiting for ever,
 * which Spin reports as an invalid end state. Every inline below has the name of the function that it
 * stands for, and its steps in the same order; a lock is a real lock here, because todo is also
 * read and cleared without it. Memory is sequentially consistent, as everywhere in Spin.
 *
 * Each MUTANT_* undoes one rule. Spin must find an error in each, or the model shows nothing.
 */
#ifndef ROUNDS
#define ROUNDS 2
#endif

#define CPUS 2

/* enum hv_vcpu_state, enum hv_todo, enum hv_verdict */
mtype = { OFF, READY, RUNNING, BLOCKED };
mtype = { RESUME, YIELD, BLOCK, GO_OFF };
#define TODO_IRQ   1
#define TODO_STOP  2
#define TODO_RESET 4

/* struct hv_vcpu */
mtype state[CPUS] = OFF;
byte todo[CPUS];
bool vcpu_lock[CPUS];

/* struct vgic: what waits in the distributor, and what is in the list register */
bool vgic_lock;
bool pending[CPUS];
bool lr[CPUS];

bool vm_stopped;       /* vm->state is not HV_VM_RUNNING */
bool kicked[CPUS];     /* the physical SGI of port_kick() is pending at that CPU */
bool owned[CPUS];      /* this vCPU's registers are in use: never by two */
byte taken[CPUS];      /* interrupts that the guest took */

inline lock(l)   { atomic { !l -> l = true } }
inline unlock(l) { l = false }

/* ---- core/vm/vcpu.c ---- */

inline settle_state(v, rest, bits)
{
	if
	:: (rest == READY || rest == BLOCKED) && (bits & TODO_STOP) -> rest = OFF
	:: else ->
		if
#ifndef MUTANT_LEAVE_DOES_NOT_LOOK
		:: rest == BLOCKED && bits -> rest = READY
#endif
		:: else -> skip
		fi
	fi
}

inline port_kick(v)
{
#ifndef MUTANT_KICK_IS_DROPPED
	kicked[v] = true
#else
	skip
#endif
}

inline hv_vcpu_wake(v, bits)
{
	lock(vcpu_lock[v]);
	before = todo[v];
	todo[v] = todo[v] | bits;
	to = state[v];
	if
	:: (to == READY || to == BLOCKED) && (todo[v] & TODO_STOP) -> to = OFF
	:: else ->
		if
		:: to == BLOCKED -> to = READY
		:: else -> skip
		fi
	fi;
	if
	:: to != state[v] ->
		state[v] = to;
#ifndef MUTANT_WOKEN_IS_NOT_KICKED
		port_kick(v)
#endif
#ifndef MUTANT_RUNNING_IS_NOT_KICKED
	:: to == state[v] && to == RUNNING && (bits & ~before) -> port_kick(v)
#endif
#ifndef MUTANT_STOP_LEAVES_IDLE_CPUS
	:: to == state[v] && to != RUNNING && (bits & ~before & TODO_STOP) -> port_kick(v)
#endif
	:: else -> skip
	fi;
	unlock(vcpu_lock[v])
}

inline hv_vcpu_on(v)
{
	lock(vcpu_lock[v]);
	if
	:: state[v] == OFF ->
		todo[v] = todo[v] | TODO_RESET;
		state[v] = READY;
		port_kick(v)
	:: else -> skip
	fi;
	unlock(vcpu_lock[v])
}

inline hv_vcpu_enter(v, entered)
{
	lock(vcpu_lock[v]);
	entered = state[v] == READY && !(todo[v] & TODO_STOP);
	if
	:: entered ->
		state[v] = RUNNING;
		todo[v] = todo[v] & ~TODO_RESET;
		assert(!owned[v]);
		owned[v] = true
	:: else -> skip
	fi;
	unlock(vcpu_lock[v])
}

inline hv_vcpu_leave(v, verdict)
{
	lock(vcpu_lock[v]);
	assert(state[v] == RUNNING);
	owned[v] = false;
	if
	:: verdict == BLOCK -> rest = BLOCKED
	:: verdict == GO_OFF -> rest = OFF
	:: else -> rest = READY
	fi;
	settle_state(v, rest, todo[v]);
	state[v] = rest;
	unlock(vcpu_lock[v])
}

/* ---- core/vm/vm.c ---- */

inline hv_vm_stop()
{
	vm_stopped = true;
	hv_vcpu_wake(0, TODO_STOP);
	hv_vcpu_wake(1, TODO_STOP)
}

/* ---- core/dev/gic ---- */

/* vgic_sgi(), vgic_bank_changed(): notify is called with the GIC's lock held. */
inline vgic_sgi(target)
{
	lock(vgic_lock);
	pending[target] = true;
	hv_vcpu_wake(target, TODO_IRQ);
	unlock(vgic_lock)
}

/* vgic_sync(): what waits goes into the list register. */
inline vgic_sync(v)
{
	lock(vgic_lock);
	if
	:: pending[v] && !lr[v] -> lr[v] = true; pending[v] = false
	:: else -> skip
	fi;
	unlock(vgic_lock)
}

/* ---- core/arch/aarch64 ---- */

inline a64_entry_prepare(v)
{
#ifndef MUTANT_FLAG_IS_CLEARED_AFTER_THE_LOOK
	todo[v] = todo[v] & ~TODO_IRQ; /* atomic_fetch_and() */
	vgic_sync(v)
#else
	vgic_sync(v);
	todo[v] = todo[v] & ~TODO_IRQ
#endif
}

/* vgic_is_pending() */
inline a64_wait(v, verdict)
{
	lock(vgic_lock);
#ifndef MUTANT_WAIT_DOES_NOT_ASK
	if
	:: lr[v] || pending[v] -> verdict = RESUME
	:: else -> verdict = BLOCK
	fi;
#else
	verdict = BLOCK;
#endif
	unlock(vgic_lock)
}

/* ---- backends/baremetal/aarch64/run.c; physical interrupts are masked throughout ---- */

/* resume() and settle(): verdict stays RESUME when the guest is to be entered. */
inline look(v, verdict)
{
	seen = todo[v];
	if
	:: verdict == RESUME && (seen & TODO_STOP) -> verdict = YIELD
	:: verdict == RESUME && !(seen & TODO_STOP) && (seen & TODO_IRQ) -> a64_entry_prepare(v)
	:: else -> skip
	fi
}

/* idle(): WFI ends when an interrupt is pending although it is masked. */
inline idle(p)
{
	kicked[p];
	kicked[p] = false /* irq_handle() */
}

/* The guest's program: what it does until its next exit. */
inline guest_run(p, verdict)
{
	do
	:: kicked[p] -> /* exit_irq() */
		kicked[p] = false;
		verdict = RESUME;
		look(p, verdict);
		if
		:: verdict != RESUME -> break
		:: else -> skip
		fi
	:: lr[p] -> /* the CPU delivers it, the handler ends it: no exit */
		lr[p] = false;
		taken[p]++
	:: !lr[p] && p == 0 && sent == taken[0] && sent < ROUNDS -> /* the answer came: go on */
		sent++;
		vgic_sgi(1);
		verdict = RESUME;
		look(p, verdict);
		if
		:: verdict != RESUME -> break
		:: else -> skip
		fi
	:: !lr[p] && p == 1 && sent < taken[1] -> /* answer */
		sent++;
		vgic_sgi(0);
		verdict = RESUME;
		look(p, verdict);
		if
		:: verdict != RESUME -> break
		:: else -> skip
		fi
	:: p == 0 && taken[0] == ROUNDS -> /* PSCI SYSTEM_OFF */
		hv_vm_stop();
		verdict = GO_OFF;
		break
	:: p == 1 && sent == ROUNDS -> /* PSCI CPU_OFF, or it waits for what never comes */
		verdict = GO_OFF;
		break
	:: p == 1 && sent == taken[1] -> /* it waits by spinning: no exit but by an interrupt */
		lr[p] || kicked[p]
	:: !(p == 0 && sent == taken[0]) && !(p == 1 && sent < taken[1]) -> /* WFI, trapped */
		a64_wait(p, verdict);
		look(p, verdict);
		if
		:: verdict != RESUME -> break
		:: else -> skip
		fi
	od
}

proctype cpu(byte p)
{
	byte before, seen, sent = 0;
	mtype to, rest, verdict;
	bool entered;

	if
	:: p == 0 && ROUNDS > 0 -> hv_vcpu_on(1) /* CPU_ON, as the first thing that runs on vCPU 0 */
	:: else -> skip
	fi;
	do /* run_vm() */
	:: vm_stopped -> break
	:: else ->
		hv_vcpu_enter(p, entered);
		if
		:: entered ->
			verdict = RESUME;
			look(p, verdict);
			if
			:: verdict == RESUME -> guest_run(p, verdict)
			:: else -> skip
			fi;
			hv_vcpu_leave(p, verdict)
		:: else -> idle(p)
		fi
	od;
	assert(!owned[p])
}

/* A device on another physical CPU whose line rose and fell: something to look at, nothing to take. */
proctype device()
{
	byte before;
	mtype to;

	lock(vgic_lock);
	hv_vcpu_wake(1, TODO_IRQ);
	unlock(vgic_lock)
}

init
{
	atomic {
		state[0] = READY;
		run device();
		run cpu(0);
		run cpu(1)
	}
}

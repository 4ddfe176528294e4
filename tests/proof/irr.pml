/* SPDX-License-Identifier: MIT */
/*
 * No interrupt of an x86 vCPU is lost, and none comes twice: core/dev/lapic, core/dev/ioapic and
 * core/arch/x86_64/svm/entry.c as a model for Spin.
 *
 * Another CPU sends fixed interrupts, each after the last one was handled; a device raises a
 * level-triggered pin, which its handler lowers before EOI. Both vectors are of one priority class, so
 * that each holds the other off. The guest takes interrupts where it must not be interrupted in
 * between: CLI, a look at what is to do, STI with HLT or with a loop behind it. That waking and blocking
 * as such lose nothing is shown by wakeup.pml; here each is one step.
 *
 * Each MUTANT_* undoes one rule. Spin must find an error in each, or the model shows nothing.
 */
#ifndef ROUNDS
#define ROUNDS 3
#endif

#define EDGE  1
#define LEVEL 2
#define NONE  0

/* struct lapic: one bit per vector; both are in the same word */
byte irr;
bool tmr_level;  /* TMR of LEVEL */
byte in_service; /* the vector in ISR */

/* struct ioapic: one pin */
bool lock, line, remote_irr;

/* struct x86_vcpu */
bool todo;    /* HV_TODO_IRQ */
bool blocked; /* HV_VCPU_BLOCKED */
bool window;  /* V_IRQ and the intercept of VINTR: an exit as soon as IF is 1 */

byte sent, taken_edges, taken_levels;

/* ---- core/vm/vcpu.c ---- */

inline hv_vcpu_wake() { atomic { todo = true; blocked = false } }

/* Until somebody wakes it; with something to do it does not even begin. */
inline block() { blocked = !todo; !blocked }

/* ---- core/dev/lapic ---- */

/* What is above PPR: nothing, while one of the class is in service. */
#define PENDING \
	(in_service != NONE -> NONE : \
		((irr & LEVEL) -> LEVEL : ((irr & EDGE) -> EDGE : NONE)))

/* By anyone. Told once: while the bit is there its vCPU knows. */
inline lapic_raise(vector)
{
#ifdef MUTANT_TOLD_BEFORE_IT_IS_SET
	hv_vcpu_wake();
#endif
	if
	:: vector == LEVEL -> tmr_level = true
	:: else -> skip
	fi;
	atomic { was = irr; irr = irr | vector };
	if
	:: !(was & vector) ->
#ifndef MUTANT_TOLD_BEFORE_IT_IS_SET
		hv_vcpu_wake()
#else
		skip
#endif
	:: else -> skip
	fi
}

/* By its own vCPU. */
inline lapic_accept(vector)
{
#ifndef MUTANT_ACCEPT_IS_NOT_ATOMIC
	atomic { irr = irr & ~vector };
#else
	rest = irr & ~vector;
	irr = rest;
#endif
	in_service = vector
}

/* ---- core/dev/ioapic ---- */

inline take_lock() { atomic { !lock -> lock = true } }
inline give_lock() { lock = false }

inline level_look()
{
	if
	:: line && !remote_irr ->
		lapic_raise(LEVEL);
		remote_irr = true
	:: else -> skip
	fi
}

inline ioapic_pin_set(level)
{
	take_lock();
	line = level;
	level_look();
	give_lock()
}

inline ioapic_eoi()
{
#ifndef MUTANT_EOI_TAKES_NO_LOCK
	take_lock();
#endif
	if
	:: remote_irr ->
		remote_irr = false;
#ifndef MUTANT_EOI_FORGETS_THE_PIN
		level_look()
#endif
	:: else -> skip
	fi;
#ifndef MUTANT_EOI_TAKES_NO_LOCK
	give_lock()
#endif
}

/* An exit. What the one that ends held off is looked for. */
inline end_of_interrupt()
{
	ended = in_service;
	in_service = NONE;
	if
	:: ended == LEVEL && tmr_level -> ioapic_eoi()
	:: else -> skip
	fi;
#ifndef MUTANT_EOI_DOES_NOT_LOOK
	if
	:: PENDING != NONE -> todo = true
	:: else -> skip
	fi
#endif
}

/* ---- core/arch/x86_64/svm/entry.c ---- */

/* interrupts_on: IF of the guest as it is while it is out. */
inline svm_entry_prepare(interrupts_on)
{
#ifndef MUTANT_FLAG_IS_CLEARED_AFTER_THE_LOOK
	todo = false;
#endif
	pending = PENDING;
#ifdef MUTANT_FLAG_IS_CLEARED_AFTER_THE_LOOK
	todo = false;
#endif
	if
	:: pending != NONE && interrupts_on ->
		lapic_accept(pending);
		injected = pending;
		halted = false;
		pending = NONE
	:: else -> skip
	fi;
#ifndef MUTANT_NO_WINDOW
	window = (pending != NONE)
#endif
}

/* ---- the guest ---- */

inline handle()
{
	if
	:: injected == EDGE ->
		taken_edges++;
		assert(taken_edges <= sent)
	:: injected == LEVEL ->
		taken_levels++;
		assert(line); /* only its handler lowers it */
		ioapic_pin_set(false)
	fi;
	injected = NONE;
	if
	:: todo -> svm_entry_prepare(false) /* an exit in the handler */
	:: true -> skip
	fi;
	end_of_interrupt();
	interrupts = false /* IRET, and CLI: as if nothing came in between */
}

/* HLT exits. With something to deliver it is over before it begins. */
inline hlt()
{
	halted = true;
#ifndef MUTANT_HLT_DOES_NOT_LOOK
	if
	:: PENDING != NONE -> todo = true
	:: else -> skip
	fi;
#endif
	do
	:: !halted -> break
	:: todo -> svm_entry_prepare(true)
	:: !todo && halted -> block()
	od
}

#define DONE (taken_edges == ROUNDS && taken_levels == ROUNDS)

proctype vcpu()
{
	bool interrupts, halted;
	byte injected, pending, ended, was, rest;

	do
	:: injected != NONE -> handle()
	:: injected == NONE && !interrupts && todo -> svm_entry_prepare(false)
	:: injected == NONE && interrupts && todo -> svm_entry_prepare(true)
	:: injected == NONE && interrupts && window && !todo -> window = false; todo = true /* VINTR */
	:: injected == NONE && !interrupts && !DONE -> interrupts = true; hlt()
	:: injected == NONE && !interrupts && !DONE -> interrupts = true /* and a loop */
	:: injected == NONE && !interrupts && DONE && !todo -> break
	od
}

/* Another vCPU, or a message. */
proctype sender()
{
	byte was;

	do
	:: sent < ROUNDS ->
		sent++;
		lapic_raise(EDGE);
		taken_edges == sent
	:: else -> break
	od
}

proctype device()
{
	byte was, raised;

	do
	:: raised < ROUNDS ->
		ioapic_pin_set(true);
		raised++;
		taken_levels == raised && !line
	:: else -> break
	od
}

init
{
	atomic {
		run vcpu();
		run sender();
		run device()
	}
}

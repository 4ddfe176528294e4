/* SPDX-License-Identifier: MIT */
/*
 * No interrupt of a riscv64 hart is lost, and none comes twice: core/arch/riscv64/entry.c as a model
 * for Spin.
 *
 * Two harts send each other IPIs and wait for the answer by WFI; a device raises the second one's
 * external interrupt once, perhaps before that hart has started, and lowers it when it is claimed.
 * VSEI is a level; VSSI is set once and cleared by the guest, so that it must be neither written as a
 * level nor set again. Below, lines are changed by single atomic steps without a lock, and so are
 * todo and CSRs. That waking and blocking as such lose nothing is shown by wakeup.pml; here each is
 * one step.
 *
 * Each MUTANT_* undoes one rule. Spin must find an error in each, or the model shows nothing.
 */
#ifndef ROUNDS
#define ROUNDS 3
#endif

#define HARTS 2

/* struct rv64_vcpu */
bool todo[HARTS];    /* HV_TODO_IRQ */
bool ssi[HARTS];     /* in lines: VSSI is to be set once */
bool sei[HARTS];     /* in lines: VSEI's level */
bool clear[HARTS];   /* in lines: CLEAR_VSSI */
bool blocked[HARTS]; /* HV_VCPU_BLOCKED */

/* hvip of the hart that it runs on; the guest writes its VSSIP, too */
bool hvip_ssi[HARTS], hvip_sei[HARTS];

bool on, started;      /* hart 1: turned on; past its reset */
byte sent[HARTS];      /* IPIs to that hart */
byte taken[HARTS];     /* IPIs that its guest took */
bool raised, claimed;  /* the external interrupt */

/* ---- core/vm/vcpu.c ---- */

inline hv_vcpu_wake(v) { atomic { todo[v] = true; blocked[v] = false } }

/* Until somebody wakes it; with something to do it does not even begin. */
inline block(v) { blocked[v] = !todo[v]; !blocked[v] }

/* ---- core/arch/riscv64/entry.c ---- */

/* Raises a line that is low, or lowers one that is high; who changes nothing tells nobody. */
inline rv64_line_set(v, line, level)
{
#ifdef MUTANT_TOLD_BEFORE_IT_IS_SET
	hv_vcpu_wake(v);
#endif
	atomic { was = line; line = level };
	if
	:: was != level ->
#ifndef MUTANT_TOLD_BEFORE_IT_IS_SET
		hv_vcpu_wake(v)
#else
		skip
#endif
	:: else -> skip
	fi
}

inline rv64_entry_prepare(v)
{
#ifndef MUTANT_FLAG_IS_CLEARED_AFTER_THE_LOOK
	todo[v] = false;
#endif
	atomic {
		set_ssi = ssi[v];
		set_sei = sei[v];
		clear_ssi = clear[v];
#ifndef MUTANT_IPI_STAYS_IN_LINES
		ssi[v] = false;
#endif
		clear[v] = false
	};
#ifdef MUTANT_FLAG_IS_CLEARED_AFTER_THE_LOOK
	todo[v] = false;
#endif
	/* The backend: first what is to be cleared, then what is to be set. */
	if
#ifndef MUTANT_IPI_IS_A_LEVEL
	:: clear_ssi -> hvip_ssi[v] = false
#else
	:: !set_ssi -> hvip_ssi[v] = false
#endif
	:: else -> skip
	fi;
	if
	:: !set_sei -> hvip_sei[v] = false
	:: else -> skip
	fi;
	if
	:: set_ssi -> hvip_ssi[v] = true
	:: else -> skip
	fi;
	if
	:: set_sei -> hvip_sei[v] = true
	:: else -> skip
	fi
}

/* The part of reset() about lines. The hart before left its VSSIP behind. */
inline reset(v)
{
#ifndef MUTANT_RESET_FORGETS_THE_EXTERNAL_LINE
	atomic { ssi[v] = false };
#else
	atomic { ssi[v] = false; sei[v] = false };
#endif
#ifndef MUTANT_RESET_LEAVES_THE_IPI
	clear[v] = true;
#endif
	todo[v] = true
}

/* ---- the guest ---- */

inline send_ipi(to)
{
	sent[to]++;
	rv64_line_set(to, ssi[to], true)
}

/* The handler of a software interrupt: clears sip.SSIP first, then looks what it was for. */
inline software_interrupt(p)
{
	hvip_ssi[p] = false;
	taken[p]++;
	assert(taken[p] <= sent[p]);
	if
	:: p == 1 -> send_ipi(0)
	:: p == 0 && taken[0] < ROUNDS -> send_ipi(1)
	:: else -> skip
	fi
}

inline external_interrupt(p)
{
	assert(raised);
	claimed = true;
	rv64_line_set(p, sei[p], false) /* the PLIC lowers it, in the exit of the claim */
}

/* Nothing is left to come. */
#define DONE(p) (taken[p] == ROUNDS && (p == 0 || (claimed && !sei[p])))

proctype hart(byte p)
{
	bool was, set_ssi, set_sei, clear_ssi;

	if
	:: p == 1 -> on; reset(1); rv64_entry_prepare(1); started = true
	:: else -> on = true; started; send_ipi(1)
	fi;
	do
	:: todo[p] -> rv64_entry_prepare(p)            /* an exit, and in again */
	:: !todo[p] && hvip_ssi[p] -> software_interrupt(p)
	:: !todo[p] && hvip_sei[p] -> external_interrupt(p)
	:: hvip_ssi[p] && todo[p] -> software_interrupt(p) /* before the kick arrives */
	:: !hvip_ssi[p] && !hvip_sei[p] && !DONE(p) -> block(p) /* WFI: nothing is pending */
	:: DONE(p) && !todo[p] && !hvip_ssi[p] -> break
	od
}

proctype device()
{
	bool was;

	raised = true;
	rv64_line_set(1, sei[1], true)
}

init
{
	atomic {
		hvip_ssi[1] = true; /* of a life before */
		run device();
		run hart(0);
		run hart(1)
	}
}

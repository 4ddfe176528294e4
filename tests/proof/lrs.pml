/* SPDX-License-Identifier: MIT */
/*
 * List registers lose no event and make none up: one vCPU with a single list register and two
 * edge-triggered interrupts, of which number 1 is the more urgent, as a model for Spin. So every way
 * there is gets used: an event while its interrupt is pending or active there, a more urgent one that
 * needs the place of a pending one (given back) or of an active one ("spilled"), and a change by
 * another vCPU of what is in the list register.
 *
 * Every inline has the name of the function that it stands for, in core/dev/gic/vgic_lr.c if nothing
 * else is said. What is done under the GIC's lock is one step, for the vCPU is out of the guest
 * then; how it comes to look at all is the other model's (wakeup.pml).
 *
 * Each MUTANT_* undoes one rule. Spin must find an error in each, or the model shows nothing.
 */
#define NONE 2

/* The state of a list register. */
#define EMPTY 0
#define PEND  1
#define ACT   2

/* struct vgic_bank: one bit of each */
bool is_enabled[2] = true;
bool pending[2], in_lr[2], lr_latch[2], is_active[2], spilled[2];

/* struct gicv3_cpu: the shadow */
bool lr_here, lr_used, lr_dirty, hcr_dirty;
byte lr_id = NONE, lr_state;
bool lr_eoi;         /* GICV3_LR_EOI: maintenance at its deactivation */
bool npie, lrenpie;  /* ICH_HCR_EL2 */
byte eoicount;

/* The hardware: the same, as the CPU has it. */
byte hw_id = NONE, hw_state;
bool hw_eoi, hw_npie, hw_lrenpie;
byte hw_eoicount;

bool todo, kicked;   /* HV_TODO_IRQ; the physical SGI */

/* The guest, and what it is owed. */
bool running[2];
byte raised[2], taken[2];
bool unseen[2];      /* an event came that was not taken since */

#define READY(i) (pending[i] && is_enabled[i] && !is_active[i] && !in_lr[i])
#define MAINTENANCE \
	((hw_eoi && hw_state == EMPTY) || (hw_npie && hw_state != PEND) || (hw_lrenpie && hw_eoicount > 0))

inline lr_write(state, eoi)
{
	if
	:: lr_state != state || lr_eoi != eoi -> lr_state = state; lr_eoi = eoi; lr_dirty = true
	:: else -> skip
	fi
}

inline hcr_write(waits, counts)
{
	if
	:: npie != waits || lrenpie != counts || eoicount != 0 ->
		npie = waits; lrenpie = counts; eoicount = 0; hcr_dirty = true
	:: else -> skip
	fi
}

inline lr_release()
{
#ifndef MUTANT_EVENT_IS_NOT_GIVEN_BACK
	pending[lr_id] = pending[lr_id] || lr_latch[lr_id];
#endif
	lr_latch[lr_id] = false;
	in_lr[lr_id] = false;
	lr_used = false;
	lr_write(EMPTY, false);
	lr_id = NONE
}

/* Of the list register only the state is the hardware's to change: port_gicv3_lr_load() */
inline lr_load()
{
	if
#ifndef MUTANT_DIRTY_IS_READ_BACK
	:: lr_used && !lr_dirty -> lr_state = hw_state
#else
	:: lr_used -> lr_state = hw_state
#endif
	:: else -> skip
	fi;
	if
	:: !hcr_dirty -> eoicount = hw_eoicount
	:: else -> skip
	fi;
	lr_here = true
}

/* The guest ends the most urgent one first. */
inline take_eoi_count()
{
	do
	:: eoicount > 0 && spilled[1] -> eoicount--; spilled[1] = false; is_active[1] = false
	:: eoicount > 0 && !spilled[1] && spilled[0] -> eoicount--; spilled[0] = false; is_active[0] = false
	:: else -> break
	od
}

/* lr_fold(), then lr_offer() */
inline lr_revise()
{
	if
	:: lr_state != PEND -> lr_latch[lr_id] = false /* acknowledged */
	:: else -> skip
	fi;
	is_active[lr_id] = lr_state == ACT || (is_active[lr_id] && lr_state != EMPTY);
	if
#ifndef MUTANT_ACTIVE_IS_OFFERED
	:: is_enabled[lr_id] && !is_active[lr_id] ->
#else
	:: is_enabled[lr_id] ->
#endif
		lr_latch[lr_id] = lr_latch[lr_id] || pending[lr_id];
		pending[lr_id] = false
	:: else ->
		pending[lr_id] = pending[lr_id] || lr_latch[lr_id];
		lr_latch[lr_id] = false
	fi;
	if
	:: lr_latch[lr_id] -> lr_write(PEND, false)
#ifndef MUTANT_NO_LOOK_AFTER_ACTIVE
	:: !lr_latch[lr_id] && is_active[lr_id] -> lr_write(ACT, pending[lr_id])
#else
	:: !lr_latch[lr_id] && is_active[lr_id] -> lr_write(ACT, false)
#endif
	:: else -> lr_release()
	fi
}

inline lr_refresh()
{
	if
#ifndef MUTANT_ENDS_ARE_NOT_COUNTED
	:: !lr_here -> lr_load(); take_eoi_count()
#else
	:: !lr_here -> lr_load()
#endif
	:: else -> skip
	fi;
	if
	:: lr_used -> lr_revise()
	:: else -> skip
	fi
}

inline lr_put(i)
{
	in_lr[i] = true;
	lr_latch[i] = true;
	pending[i] = false;
	lr_used = true;
	lr_id = i;
	lr_state = PEND;
	lr_eoi = false;
	lr_dirty = true
}

inline lr_give_away()
{
	if
	:: is_active[lr_id] ->
		spilled[lr_id] = true;
		lrenpie = true;
		hcr_dirty = true
	:: else -> skip
	fi;
	lr_release()
}

inline vgic_lr_fill()
{
	do
	:: !READY(0) && !READY(1) -> waits = false; break
	:: else ->
		best = (READY(1) -> 1 : 0);
		if
		:: !lr_used -> lr_put(best)
		:: lr_used && !lr_here -> lr_refresh()
		:: lr_used && lr_here && (lr_state == ACT || lr_id < best) -> lr_give_away(); lr_put(best)
		:: else -> waits = true; break
		fi
	od;
#ifdef MUTANT_NOBODY_TELLS_THAT_THERE_IS_ROOM
	waits = false;
#endif
	hcr_write(waits, lrenpie && (spilled[0] || spilled[1]))
}

/*
 * vgic_lr_sync(); where `fresh` is false, vgic_lr_fill() alone, which must not overwrite the count of
 * what the guest ended.
 */
inline vgic_lr_sync(fresh)
{
	if
	:: fresh || (lrenpie && !lr_here) -> lr_refresh()
	:: else -> skip
	fi;
	vgic_lr_fill()
}

/* vgic_bank_changed() for a vCPU that is not here: notify is hv_vcpu_wake(HV_TODO_IRQ). */
inline tell(i)
{
	if
#ifndef MUTANT_HOLDER_IS_NOT_TOLD
	:: in_lr[i] || READY(i) -> todo = true; kicked = true
#else
	:: READY(i) -> todo = true; kicked = true
#endif
	:: else -> skip
	fi
}

inline raise(i)
{
	pending[i] = true;
	raised[i]++;
	unseen[i] = true
}

/* flush() and host_gic_lr_flush() of backends/baremetal/aarch64 */
inline flush()
{
	if
	:: lr_dirty -> hw_id = lr_id; hw_state = lr_state; hw_eoi = lr_eoi; lr_dirty = false
	:: else -> skip
	fi;
	if
	:: hcr_dirty -> hw_npie = npie; hw_lrenpie = lrenpie; hw_eoicount = eoicount; hcr_dirty = false
	:: else -> skip
	fi;
#ifndef MUTANT_SHADOW_IS_BELIEVED
	lr_here = false
#endif
}

/* The CPU interface, and the guest's handlers: IHI 0069H, 4.8 */
inline acknowledge()
{
	hw_state = ACT;
	running[hw_id] = true;
	taken[hw_id]++;
	unseen[hw_id] = false;
	assert(taken[hw_id] <= raised[hw_id])
}

inline end(i)
{
	running[i] = false;
	if
	:: hw_id == i && hw_state == ACT -> hw_state = EMPTY
	:: else -> hw_eoicount++
	fi
}

active proctype vcpu()
{
	bool waits, looks, own = true;
	byte best;

end_guest:
	do
	:: atomic { hw_state == PEND && !running[1] && (hw_id == 1 || !running[0]) -> acknowledge() }
	:: atomic { running[1] -> end(1) }
	:: atomic { running[0] && !running[1] -> end(0) }
	:: atomic { kicked || MAINTENANCE || own -> /* an exit */
		if
		:: kicked -> looks = todo; todo = false; kicked = false /* settle(), a64_entry_prepare() */
		:: MAINTENANCE -> looks = true
		:: own -> own = false; raise(0); looks = in_lr[0] /* it writes GICD_ISPENDR */
		fi;
		if
		:: looks || READY(0) -> vgic_lr_sync(looks)
		:: else -> skip
		fi;
		flush() }
	od
}

/* A device on another physical CPU. */
active proctype device()
{
	atomic { raise(0); tell(0) };
	atomic { raise(1); tell(1) };
	atomic { raise(0); tell(0) }
}

/* Another vCPU, at the distributor. */
active proctype other()
{
	atomic { is_enabled[0] = false; tell(0) };
	atomic { is_enabled[0] = true; tell(0) }
}

/* When nothing can happen any more, nothing may be left to do. */
active proctype all_is_done()
{
	timeout ->
		assert(!unseen[0] && !unseen[1]);
		assert(!pending[0] && !pending[1]);
		assert(!running[0] && !running[1] && hw_state == EMPTY)
}

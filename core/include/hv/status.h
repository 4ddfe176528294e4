/* SPDX-License-Identifier: MIT */
/* Results. What may fail returns hv_status, exit paths return hv_verdict, questions return bool. */
#ifndef HV_STATUS_H
#define HV_STATUS_H

/* After any negative status nothing has changed but what the function's contract names. */
enum hv_status {
	HV_OK = 0,
	HV_ERR_INVALID = -1,   /* an argument is malformed or out of range */
	HV_ERR_NO_MEMORY = -2, /* the arena or page pool is exhausted */
	HV_ERR_OVERLAP = -3,   /* collides with something that exists */
	HV_ERR_NOT_FOUND = -4, /* nothing is there */
	HV_ERR_STATE = -5,     /* illegal edge of a state diagram */
	HV_ERR_RANGE = -6,     /* leaves guest memory or an address space */
	HV_ERR_DENIED = -7,    /* there, but not for this access (read-only, not the owner) */
	HV_ERR_FULL = -8,      /* a fixed-size table has no room */
	HV_ERR_UNSUPPORTED = -9,
};

/* What a backend does after an exit was handled. */
enum hv_verdict {
	HV_RESUME, /* enter the same vCPU again */
	HV_YIELD,  /* let somebody else run, then enter again */
	HV_BLOCK,  /* the vCPU waits for an interrupt: do not enter until it is woken */
	HV_FAULT,  /* inside core only: the arch folder injects the exception that fits the exit */
	HV_OFF,    /* the vCPU, or its whole VM, went off: look at the VM's state */
	HV_CRASH,  /* only this VM stops; the reason stands in hv_vm.crash */
};

#endif

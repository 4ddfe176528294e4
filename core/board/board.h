/* SPDX-License-Identifier: MIT */
/*
 * What all boards have in common: the part of a configuration, and of a machine, that does not
 * depend on the guest's architecture. The doors are the boards' own headers.
 */
#ifndef BOARD_H
#define BOARD_H

#include <hv/ring.h>
#include <hv/vm.h>

/* First in every board's configuration. */
struct board_cfg {
	uint16_t id;         /* of the VM; also its VMID */
	uint16_t cpus;       /* 1..HV_VCPUS */
	uint64_t ram_size;   /* page multiple; where RAM is for the guest is the board's */
	hpa_t ram_hpa;       /* where that memory is for the CPU's page walker */
	uint8_t *ram_host;   /* and for core */
	bool unshared;       /* one vCPU, and no one else touches devices: they need no lock */
	bool lazy_ram;       /* mapped block by block, at each one's first access */
	uint64_t flash_size; /* page multiple; 0: no flash; guests can only read it */
	hpa_t flash_hpa;
	uint8_t *flash_host;
	uint64_t epoch; /* seconds since 1970 when port_now() is 0, for the RTC */
	struct hv_pages *pages;
};

/* First in every board. */
struct board {
	struct hv_vm *vm;
	struct hv_chan console; /* of the serial device; the backend owns the host end */
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Guest images: recognised, validated whole, placed; then copied (F2: validate all, then copy). The
 * same code runs in the host tools, on the sim and on bare metal, so what one accepts all accept.
 */
#ifndef HV_LOAD_H
#define HV_LOAD_H

#include <hv/gmem.h>
#include <hv/types.h>

/* Architectures of guests, as ELF numbers them. */
#define HV_MACHINE_X86_64  62u
#define HV_MACHINE_AARCH64 183u
#define HV_MACHINE_RISCV   243u

/*
 * x86_64: a PC's memory as the loader leaves it, and as it describes it to guests. The board puts
 * ACPI's tables at HV_PC_ACPI, the RSDP first, and what is between is no RAM. RAM that does not fit
 * below HV_PC_RAM_MAX is at HV_PC_RAM_HIGH.
 */
#define HV_PC_LOW_END  0x9fc00u
#define HV_PC_ACPI     0xe0000u
#define HV_PC_RAM      0x100000u
#define HV_PC_RAM_MAX  0xc0000000u
#define HV_PC_RAM_HIGH 0x100000000u

/* Everything a VM is started with, however it reached us: by files on a host or by a bundle. */
struct hv_guest {
	uint16_t machine; /* HV_MACHINE_* */
	uint16_t cpus;
	uint8_t gic; /* 2 or 3; 0: the machine has none */
	bool aplic;  /* riscv64: an APLIC in the PLIC's place */
	uint64_t ram_size;
	bool lazy_ram;      /* mapped block by block, at each one's first access */
	bool has_load_addr; /* load_addr overrides where the kernel's first byte goes, of any kind
			     */
	gpa_t load_addr;
	struct hv_blob kernel, initrd, dtb, flash; /* size 0: none */
	struct hv_blob cmdline; /* x86_64, without a NUL; elsewhere it is in the DTB */
};

enum hv_load_kind {
	HV_LOAD_FLAT,
	HV_LOAD_ELF64,
	HV_LOAD_LINUX_A64,  /* arm64 Image */
	HV_LOAD_LINUX_RV64, /* RISC-V Image */
	HV_LOAD_BZIMAGE,    /* Linux's own for x86 */
	HV_LOAD_PVH,        /* ELF of either class with a PVH entry */
	HV_LOAD_MULTIBOOT,  /* version 1: ELF32, or placed by its header's addresses */
};

/*
 * What was wrong: which input, which field of it, where, and with what value. The texts are static,
 * or stand in the input.
 */
struct hv_load_error {
	const char *input; /* "kernel", "initrd", "dtb", "ram", "machine" */
	const char *field; /* as its specification names it, e.g. "e_phoff", "image_size" */
	const char *why;   /* e.g. "past the end of the file" */
	uint64_t offset;   /* of the field in the input */
	uint64_t value;
};

#define HV_LOAD_SEGMENTS 16u
#define HV_LOAD_GDT_SIZE 32u

struct hv_load_segment {
	gpa_t to;
	uint64_t file_off, file_size, mem_size;
	bool own_bss; /* the kernel clears the rest up to mem_size itself; else it is zeroed */
};

struct hv_load_plan {
	enum hv_load_kind kind;
	gpa_t entry;
	gpa_t kernel, kernel_end; /* all that the kernel occupies, BSS included */
	gpa_t initrd, dtb;        /* 0 when there is none */
	/*
	 * x86_64 only. block: where all of the following is. info: boot_params (bzImage), multiboot
	 * information, or, for every other kind, hvm_start_info. gdt: HV_LOAD_GDT_SIZE bytes; 0x10
	 * is flat code, 0x18 flat data. tables: what CR3 holds for an entry in long mode, which
	 * maps the first 4 GiB one to one; 0: the entry is in protected mode without paging.
	 */
	gpa_t block, info, cmdline, gdt, tables;
	uint16_t segment_count;
	struct hv_load_segment segment[HV_LOAD_SEGMENTS];
};

/*
 * What loading knows of an architecture. Who loads for one only names that one, so that no other's
 * formats come along.
 */
struct load_machine;
extern const struct load_machine hv_load_aarch64, hv_load_riscv64, hv_load_x86_64;
/* By HV_MACHINE_*; NULL: there is none of that number. */
const struct load_machine *hv_load_machine(uint16_t number);

/* Recognises the kernel by its bytes, never by its name; what the machine does not know is flat. */
enum hv_load_kind hv_load_kind(const struct load_machine *machine, struct hv_blob kernel);
const char *hv_load_kind_name(enum hv_load_kind kind);

/*
 * Validates the kernel and decides every address, in the RAM at [ram, ram+ram_size). Kernel: an ELF
 * at its physical addresses, an Image as low as its header allows, a flat binary where QEMU's
 * -kernel puts it (RAM + 512 KiB on aarch64, RAM + 2 MiB on riscv64); or, with has_load_addr, moved
 * so that its first byte is at load_addr. DTB: at the top of RAM, in an aligned slot that crosses
 * no 2 MiB border; on aarch64, for an ELF that leaves the base of RAM free, there. initrd:
 * page-aligned, right below. The guest gets the DTB's address in the argument that its architecture
 * has for that, whatever the kind. Depends on the sizes of initrd and DTB, not on their bytes, so
 * that a DTB can be made after placing. HV_ERR_INVALID: *error says why, and *plan is of no use.
 */
HV_WARN_UNUSED enum hv_status hv_load_plan(const struct load_machine *machine,
	const struct hv_guest *guest, gpa_t ram, struct hv_load_plan *plan,
	struct hv_load_error *error);
/*
 * Copies all inputs to guest memory and zeroes the kernel's BSS. The plan must come from
 * hv_load_plan() for the same guest. HV_ERR_RANGE: `gmem` lacks some of it; nothing was written.
 */
HV_WARN_UNUSED enum hv_status hv_load_commit(const struct load_machine *machine,
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem);

#endif

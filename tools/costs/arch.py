# SPDX-License-Identifier: MIT
"""What differs between architectures when costs are counted: a row each."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    name: str
    qemu: str
    machine: str        # -M under the hypervisor
    plain_machine: str  # -M without one
    cpu: str            # -cpu, unless another is asked for
    image_env: str      # environment variables of tools/drydock: the image, the default guest
    kernel_env: str
    initrd_env: str
    addr2line: str
    base: int           # where QEMU puts the first byte of the image
    firmware: int       # bytes below it that are the firmware's
    guest: str          # in the folder of guests
    goals: dict         # {operation: instructions or None}, in the order in which the guest measures them
    exits_of: dict      # {operation: how often it exits}, where that is not once
    lateness: tuple     # operations of which the guest says how late they are: its empty loop is no part of them
    goal_entry: int
    exits: dict         # {symbol of vectors: offsets that guests' exits pass, and our own exceptions do not}
    boots: tuple        # (what is booted, its command line, overhead we want in percent or None)
    unpacks: bool = False  # the kernel is a bzImage: the ELF file in it is booted, as it unpacks longer than it boots


GOAL_TEXT = 96 << 10

# With earlycon most lines are printed twice.
ARCHES = {arch.name: arch for arch in (
    Arch(name="aarch64", qemu="qemu-system-aarch64",
         machine="virt,virtualization=on,gic-version=3", plain_machine="virt,gic-version=3", cpu="cortex-a57",
         image_env="DRYDOCK_EL2_IMAGE", kernel_env="DRYDOCK_AARCH64_KERNEL", initrd_env="DRYDOCK_AARCH64_INITRD",
         addr2line="aarch64-linux-gnu-addr2line", base=0x40200000, firmware=0,
         guest="cost.elf",
         goals={"hvc PSCI_VERSION": 100, "read GICD_TYPER": 140, "read UARTFR": 160, "SGI to itself": 400,
                "virtual timer": 150},
         exits_of={}, lateness=("virtual timer",), goal_entry=225000,
         exits={"vectors": range(0x400, 0x800, 0x80), "vectors_timed": range(0x400, 0x800, 0x80)},
         boots=(("Debian, quiet", "console=ttyAMA0 cryptomgr.notests quiet", 0.10),
                ("Debian, console", "console=ttyAMA0", 0.60),
                ("Debian, console and earlycon", "earlycon=pl011,0x9000000 console=ttyAMA0", None))),
    Arch(name="riscv64", qemu="qemu-system-riscv64",
         machine="virt", plain_machine="virt", cpu="rv64,h=true",
         image_env="DRYDOCK_HS_IMAGE", kernel_env="DRYDOCK_RISCV64_KERNEL", initrd_env="DRYDOCK_RISCV64_INITRD",
         addr2line="riscv64-linux-gnu-addr2line", base=0x80200000, firmware=0x200000,
         guest="riscv64/cost.elf",
         goals={"SBI get_spec_version": 120, "read PLIC": 150, "read UART LSR": 160, "IPI to itself": 600,
                "SBI set_timer": 120},
         exits_of={}, lateness=(), goal_entry=212000,
         exits={"vector": (8,), "vector_timed": (8,)},
         boots=(("Debian, quiet", "console=ttyS0 quiet", 0.08),
                ("Debian, console", "console=ttyS0", 0.60),
                ("Debian, console and earlycon", "earlycon=uart8250,mmio,0x10000000 console=ttyS0", None))),
    Arch(name="x86_64", qemu="qemu-system-x86_64",
         machine="q35", plain_machine="q35", cpu="max,+svm",
         image_env="DRYDOCK_SVM_IMAGE", kernel_env="DRYDOCK_X86_64_KERNEL", initrd_env="DRYDOCK_X86_64_INITRD",
         addr2line="addr2line", base=0x100000, firmware=0,
         guest="x86_64/cost.elf",
         goals={"VMMCALL": 500, "CPUID": 550, "RDMSR APIC_BASE": 550, "read port": 450, "read LAPIC": 900,
                "self-IPI to handler": 1500, "EOI of nothing": None},
         exits_of={"self-IPI to handler": 2}, lateness=(), goal_entry=None,
         exits={"guest_exit": (0,)},
         boots=(("Debian, quiet", "console=ttyS0 cryptomgr.notests quiet", 3.0),
                ("Debian, console", "console=ttyS0", 3.0)), unpacks=True),
)}

# SPDX-License-Identifier: MIT
"""What tests of the command line and of bare metal know of an architecture: a row each.

DRYDOCK_ARCH says which one a test is for.
"""
import os
import struct
from dataclasses import dataclass


def arm64_image(image_size):
    """The header of a Linux Image (Documentation/arch/arm64/booting.rst), and nothing after it."""
    return struct.pack("<2I3Q3Q4sI", 0, 0, 0, image_size, 0xA, 0, 0, 0, b"ARM\x64", 0)


def riscv64_image(image_size):
    """The same of Documentation/arch/riscv/boot-image-header.rst, version 0.2."""
    return struct.pack("<2I3Q2I2Q4sI", 0, 0, 0x200000, image_size, 0, 2, 0, 0, int.from_bytes(b"RISCV", "little"),
                       b"RSC\x05", 0)


@dataclass(frozen=True)
class Arch:
    name: str
    qemu: str
    elf: int            # e_machine
    gic: int            # of a guest, None: it has none
    machine: str        # -M for the hypervisor
    cpu: str            # -cpu, unless DRYDOCK_CPU says another
    image_env: str      # the environment variable that names the bare-metal image
    preset: str         # whose build has it, as PRESET/drydock-NAME and
    image: str          # what such a file's name ends in
    guests: str         # the guests' folder in DRYDOCK_GUESTS
    debian: str         # the default guest's folder in the cache
    greeting: str       # of the guest "hello"
    linux: object       # image_size -> an Image's header
    linux_args: bytes   # in the default command line
    ram: int
    registers: tuple    # patterns that a crash's dump has


ARCHES = {arch.name: arch for arch in (
    Arch(name="aarch64", elf=183, gic=3, qemu="qemu-system-aarch64", machine="virt,virtualization=on,gic-version=3",
         cpu="cortex-a57", image_env="DRYDOCK_EL2_IMAGE", preset="bm-aarch64", image=".img", guests="", debian="debian12-arm64",
         greeting="Hello from EL1", linux=arm64_image, linux_args=b"console=ttyAMA0", ram=0x40000000,
         registers=(r"\bpc\b\W+(0x)?[0-9a-f]{8,16}", r"\bx19\b\W+(0x)?[0-9a-f]{8,16}")),
    Arch(name="riscv64", elf=243, gic=None, qemu="qemu-system-riscv64", machine="virt", cpu="rv64,h=true",
         image_env="DRYDOCK_HS_IMAGE", preset="bm-riscv64", image=".img", guests="riscv64", debian="debian13-riscv64",
         greeting="Hello from S-mode", linux=riscv64_image, linux_args=b"console=ttyS0", ram=0x80000000,
         registers=(r"\bpc\b\W+(0x)?[0-9a-f]{8,16}", r"\bs3\b\W+(0x)?[0-9a-f]{8,16}")),
    Arch(name="x86_64", elf=62, gic=None, qemu="qemu-system-x86_64", machine="q35", cpu="max,+svm",
         image_env="DRYDOCK_SVM_IMAGE", preset="bm-x86_64", image=".elf", guests="x86_64", debian="debian12-amd64",
         greeting="Hello from long mode", linux=None, linux_args=b"console=ttyS0", ram=0,
         registers=(r"\brip\b\W+(0x)?[0-9a-f]{8,16}", r"\br12\b\W+(0x)?[0-9a-f]{8,16}")),
)}

ARCH = ARCHES[os.environ.get("DRYDOCK_ARCH", "aarch64")]


def guest(name, kind="elf"):
    return os.path.join(os.environ["DRYDOCK_GUESTS"], ARCH.guests, "%s.%s" % (name, kind))

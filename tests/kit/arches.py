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


def bzimage(init_size):
    """A bzImage of one sector of each part (Documentation/arch/x86/boot.rst, version 2.15)."""
    image = bytearray(3 * 512)
    for offset, form, value in ((0x1f1, "B", 1), (0x1f4, "I", 32), (0x1fe, "H", 0xaa55), (0x202, "4s", b"HdrS"),
                                (0x206, "H", 0x20f), (0x211, "B", 1), (0x214, "I", 0x100000), (0x22c, "I", 0x7fffffff),
                                (0x230, "I", 0x200000), (0x234, "B", 1), (0x238, "I", 2047), (0x258, "Q", 0x1000000),
                                (0x260, "I", min(init_size, 0xffffffff))):
        struct.pack_into("<" + form, image, offset, value)
    return bytes(image)


@dataclass(frozen=True)
class Arch:
    name: str
    qemu: str
    elf: int            # e_machine
    gic: int            # of a guest, None: it has none
    dtb: bool           # a device tree describes it
    machine: str        # -M for the hypervisor
    cpu: str            # -cpu, unless DRYDOCK_CPU says another
    image_env: str      # the environment variable that names the bare-metal image
    preset: str         # whose build has it, as PRESET/drydock-NAME and
    image: str          # what such a file's name ends in
    guests: str         # the guests' folder in DRYDOCK_GUESTS
    debian: str         # the default guest's folder in the cache
    greeting: str       # of the guest "hello"
    linux: object       # size in memory -> a kernel image's header
    linux_magic: int    # where it is known by
    linux_size: tuple   # the size's name and place
    borrowed: bool      # others have that header, too
    linux_args: bytes   # in the default command line
    ram: int
    console_exits: str  # what the console's accesses are counted as
    movable: bool       # the guests run wherever they are loaded
    registers: tuple    # patterns that a crash's dump has


ARCHES = {arch.name: arch for arch in (
    Arch(name="aarch64", elf=183, gic=3, dtb=True, qemu="qemu-system-aarch64",
         machine="virt,virtualization=on,gic-version=3", cpu="cortex-a57", image_env="DRYDOCK_EL2_IMAGE",
         preset="bm-aarch64", image=".img", guests="", debian="debian12-arm64",
         greeting="Hello from EL1", linux=arm64_image, linux_magic=0x38,
         linux_size=("image_size", 0x10), borrowed=True, linux_args=b"console=ttyAMA0", ram=0x40000000,
         console_exits="mmio", movable=True,
         registers=(r"\bpc\b\W+(0x)?[0-9a-f]{8,16}", r"\bx19\b\W+(0x)?[0-9a-f]{8,16}")),
    Arch(name="riscv64", elf=243, gic=None, dtb=True, qemu="qemu-system-riscv64", machine="virt", cpu="rv64,h=true",
         image_env="DRYDOCK_HS_IMAGE", preset="bm-riscv64", image=".img", guests="riscv64", debian="debian13-riscv64",
         greeting="Hello from S-mode", linux=riscv64_image, linux_magic=0x38,
         linux_size=("image_size", 0x10), borrowed=True, linux_args=b"console=ttyS0", ram=0x80000000,
         console_exits="mmio", movable=True,
         registers=(r"\bpc\b\W+(0x)?[0-9a-f]{8,16}", r"\bs3\b\W+(0x)?[0-9a-f]{8,16}")),
    Arch(name="x86_64", elf=62, gic=None, dtb=False, qemu="qemu-system-x86_64", machine="q35", cpu="max,+svm",
         image_env="DRYDOCK_SVM_IMAGE", preset="bm-x86_64", image=".elf", guests="x86_64", debian="debian12-amd64",
         greeting="Hello from long mode", linux=bzimage, linux_magic=0x202,
         linux_size=("init_size", 0x260), borrowed=False, linux_args=b"console=ttyS0", ram=0,
         console_exits="pio", movable=False,
         registers=(r"\brip\b\W+(0x)?[0-9a-f]{8,16}", r"\br12\b\W+(0x)?[0-9a-f]{8,16}")),
)}

ARCH = ARCHES[os.environ.get("DRYDOCK_ARCH", "aarch64")]


def guest(name, kind="elf"):
    return os.path.join(os.environ["DRYDOCK_GUESTS"], ARCH.guests, "%s.%s" % (name, kind))

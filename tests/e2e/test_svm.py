#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The SVM image in QEMU: its own parts, its own faults, how it starts by both ways in, how guests end, and
guests on it.

Usage: test_svm.py Parts|Faults|Starts|Ends|Guests|Debian   Paths and the CPU come from the environment, as ctest sets it.
"""
import os
import subprocess
import sys
import tempfile
import unittest

import baremetal
from arches import ARCH
from baremetal import BM_DIR, IMAGE, qemu
from bundle import bundle

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNPACK = os.path.join(ROOT, "tools", "guest", "vmlinux.py")
# The same for loaders of multiboot.
FLAT = os.path.join(BM_DIR, "drydock-x86_64.img")


class Parts(baremetal.Parts, unittest.TestCase):
    pass


class Faults(baremetal.Faults, unittest.TestCase):
    address = "cr2"
    registers = (r"dump rax 0x[0-9a-f]{16}\n", r"dump r15 0x[0-9a-f]{16}\n")
    write_denied = "page fault: write denied"
    exec_denied = "page fault: fetch denied"
    read_absent = "page fault: read"
    write_absent = "page fault: write"
    undefined = "invalid opcode"
    brk = "breakpoint"


class Starts(baremetal.Starts, unittest.TestCase):
    no_bundle = "boot information: module 0 .*no bundle"
    other = 243

    def test_cpu_without_svm__says_what_it_needs(self):
        self.refused("no SVM", b"x", cpu="max,-svm")

    def test_multiboot__the_bundle_is_module_0(self):
        out = qemu(FLAT, b"x")
        self.assertIn("log bundle: ", out)
        self.assertTrue(out.endswith("end crash not started\n"), out)
        self.assertIn("boot information: module 0", qemu(FLAT))

    def test_memory_above_4_gib__is_used(self):
        out = qemu(IMAGE, bundle(memory=3 << 30, kernel=b"\x0f\x0b" * 2048), memory="6G")  # ud2
        self.assertIn("end crash triple fault", out)


class Ends(baremetal.Ends, unittest.TestCase):
    pass


class Guests(baremetal.Guests, unittest.TestCase):
    def test_demo__interrupts_ports_and_flash(self):
        with tempfile.NamedTemporaryFile() as flash:
            flash.write(b"pfld" + bytes(4092))
            flash.flush()
            out = self.passes("demo", "--flash", flash.name)
        self.assertNotIn("not shown", out)
        self.assertEqual(out.count("shown: "), 5)
        self.assertIn("\ngot 0x646c6670\nGot pflash magic: pfld\nShutdown vm normally!\n", out)


Guests.add("hello", "timer", "irq", "traps", "naps", "clock", "mmio", "ports", "cpuid", "msr", "mmu", "fp", "real", "x23_poison")


class Debian(baremetal.Debian, unittest.TestCase):
    release = r"6\.1"
    console = "console=ttyS0"

    def test_2_cpus__guest_ready(self):
        out, _ = self.boot("--cpus", "2")
        self.assertRegex(out, r"GUEST-READY %s\S* x86_64 cpus=2 mem=" % self.release)

    def test_pvh__the_kernel_in_the_bzimage_boots_too(self):
        packed = os.path.join(os.environ["DRYDOCK_CACHE"], "guests", ARCH.debian, "vmlinuz")
        with tempfile.TemporaryDirectory() as folder:
            kernel = os.path.join(folder, "vmlinux")
            subprocess.run([sys.executable, UNPACK, "--kernel", packed, "--out", kernel], check=True)
            out, _ = self.boot(kernel=kernel)
        self.assertRegex(out, r"GUEST-READY %s\S* x86_64 cpus=1 mem=" % self.release)


if __name__ == "__main__":
    baremetal.main(baremetal.SELFTEST)

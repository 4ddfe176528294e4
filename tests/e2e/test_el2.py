#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The EL2 image in QEMU: its own parts, its own faults, how it starts, and guests on it.

Usage: test_el2.py Parts|Faults|Starts|Ends|Guests|Debian   Paths and the CPU come from the environment, as ctest
sets it.
"""
import os
import struct
import subprocess
import tempfile
import unittest

import baremetal
from baremetal import CPU, IMAGE, SELFTEST, qemu
from bundle import bundle

MACHINE_V2 = "virt,virtualization=on,gic-version=2"


def tree_without_gich():
    """The device tree of a GICv2 machine, in which GICH, the third range of the GIC, is empty."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tree")
        subprocess.run(["qemu-system-aarch64", "-M", MACHINE_V2, "-machine", "dumpdtb=" + path, "-cpu", CPU,
                        "-m", "1G", "-nodefaults", "-display", "none"], check=True, capture_output=True)
        with open(path, "rb") as file:
            tree = file.read()
    gicc_to_gicv = struct.pack(">12I", 0, 0x8010000, 0, 0x10000, 0, 0x8030000, 0, 0x10000, 0, 0x8040000, 0, 0x10000)
    if tree.count(gicc_to_gicv) != 1:
        raise AssertionError("this QEMU's GICv2 is another one")
    return tree.replace(gicc_to_gicv, gicc_to_gicv[:28] + bytes(4) + gicc_to_gicv[32:])


class Parts(baremetal.Parts, unittest.TestCase):
    pass


class Faults(baremetal.Faults, unittest.TestCase):
    address = "far"
    registers = (r"dump  x0 0x[0-9a-f]{16}  x1 ", r"dump x30 0x[0-9a-f]{16}")
    write_denied = "data abort, permission, write"
    exec_denied = "instruction abort, permission"
    read_absent = "data abort, translation"
    write_absent = "data abort, translation, write"
    undefined = "undefined instruction"
    brk = "BRK"


class Starts(baremetal.Starts, unittest.TestCase):
    def test_gicv3_guest_on_gicv2__named(self):
        self.refused("bundle: gic-version .*GICv2 only", bundle(kernel=bytes(4096)),
                     machine=MACHINE_V2)

    def test_gicv2_guest_on_gicv3__named(self):
        self.refused("bundle: gic-version .*GICv3", bundle(gic=2, kernel=bytes(4096)))

    def test_entered_at_el1__says_what_it_needs(self):
        self.refused("entered at EL1.*virtualization=on", b"x", machine="virt,gic-version=3")


class Ends(baremetal.Ends, unittest.TestCase):
    def test_crash__reason_and_registers(self):
        out = super().test_crash__reason_and_registers()
        self.assertRegex(out, r"dump x0  0x[0-9a-f]{16}  x1  0x[0-9a-f]{16}")
        self.assertRegex(out, r"dump pc  0x[0-9a-f]{16}  pstate 0x[0-9a-f]{16}")
        self.assertRegex(out, r"dump vbar   0x000000000b000000")


class Guests(baremetal.Guests, unittest.TestCase):
    def test_gicv2__with_and_without_list_registers__same_but_for_the_exits(self):
        with tempfile.NamedTemporaryFile() as tree:
            tree.write(tree_without_gich())
            tree.flush()
            for name in ("gic", "timer", "naps"):
                out, mapped = self.counted(name, "--gic", "2")
                self.assertIn("ALL PASS", out)
                out, soft = self.counted(name, "--gic", "2", "--qemu-args", "-cpu %s -dtb %s" % (CPU, tree.name))
                self.assertIn("ALL PASS", out)
                self.assertLess(mapped["exits.mmio"], soft["exits.mmio"])

    def test_smp__under_icount__same(self):
        self.assertIn("ALL PASS", self.passes("smp", "--cpus", "4", "--deterministic"))

    def test_rtos__shell_answers_by_interrupt(self):
        out = self.passes("rtos", text=b"echo dry dock\nfrob\nexit\n")
        self.assertIn("rtos:~$ echo dry dock\ndry dock\nrtos:~$ frob\nno such command\n", out)
        self.assertIn("ALL PASS", out)

    def test_demo__shows_everything(self):
        with tempfile.NamedTemporaryFile() as flash:
            flash.write(b"pfld" + bytes(4092))
            flash.flush()
            out, counted = self.counted("demo", "--flash", flash.name)
        self.assertNotIn("not shown", out)
        self.assertEqual(out.count("shown: a virtual interrupt\n"), 3)
        self.assertIn("got 0x646c6670\nGot pflash magic: pfld\nShutdown vm normally!\n", out)
        self.assertEqual(counted["exits.mem"], 1)


Guests.add("hello", "calls", "mmio", "traps", "timer", "naps", "fp", "gic", "mmu", "x23_poison", "code", "debug")


class Debian(baremetal.Debian, unittest.TestCase):
    release = r"6\.1"
    console = "console=ttyAMA0"


if __name__ == "__main__":
    baremetal.main(SELFTEST)

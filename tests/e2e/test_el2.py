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


class Parts(baremetal.SelfTest, unittest.TestCase):
    """Parts of the hypervisor against the CPU's own opinion."""

    def test_p16_stage2__random_sequences__the_cpu_agrees_with_the_ghost_map(self):
        out = self.passes("stage2")
        self.assertRegex(out, r"[1-9][0-9]{2,} maps")
        self.assertRegex(out, r"[1-9][0-9]{4,} queries, 0 mismatches")

    def test_i12_stage1__every_page__only_what_is_needed(self):
        self.assertRegex(self.passes("stage1"), r"[1-9][0-9]+ pages, 0 wrong")

    def test_x23_registers__through_entry_and_exit__unchanged(self):
        self.assertRegex(self.passes("entry"), r"[1-9][0-9]{2,} checks, 0 wrong")

    def test_p6_p8_tlb__after_each_change__follows_the_tables(self):
        self.assertRegex(self.passes("tlb"), r"[1-9][0-9]+ checks, 0 wrong")


class Faults(unittest.TestCase):
    """X7, I12: what the hypervisor must not do faults, and ends in a dump that says what and where."""

    def dumps(self, name, what, *patterns):
        out = qemu(SELFTEST, name.encode())
        self.assertIn("dump hypervisor fault: %s\n" % what, out)
        for pattern in patterns:
            self.assertRegex(out, pattern)
        self.assertRegex(out, r"dump  x0 0x[0-9a-f]{16}  x1 ")
        self.assertRegex(out, r"dump x30 0x[0-9a-f]{16}")
        self.assertTrue(out.endswith("end crash hypervisor fault\n"), out)

    def test_i12_write_to_code__permission(self):
        self.dumps("write-text", "data abort, permission, write", r"far 0x[0-9a-f]{16} image\+0x0\n")

    def test_i12_write_to_constants__permission(self):
        self.dumps("write-rodata", "data abort, permission, write")

    def test_i12_execute_data__permission(self):
        self.dumps("exec-data", "instruction abort, permission")

    def test_i12_execute_stack__permission(self):
        self.dumps("exec-stack", "instruction abort, permission")

    def test_i12_execute_guest_ram__permission(self):
        self.dumps("exec-ram", "instruction abort, permission")

    def test_i12_read_own_tables__translation(self):
        self.dumps("read-tables", "data abort, translation")

    def test_x7_read_null__translation(self):
        self.dumps("read-null", "data abort, translation", r"far 0x0{16}\n", r"pc  0x[0-9a-f]{16} image\+",
                   r"stack 0x[0-9a-f]{16} image\+")

    def test_x7_stack_overflow__guard_page_and_fault_stack(self):
        self.dumps("stack-overflow", "data abort, translation, write", r"far 0x[0-9a-f]{13}ff0\n")

    def test_x7_undefined_instruction__named(self):
        self.dumps("undefined", "undefined instruction")

    def test_x7_brk__named(self):
        self.dumps("brk", "BRK", r"esr 0x0*f2000001")

    def test_failed_check__says_which(self):
        out = qemu(SELFTEST, b"check")
        self.assertIn("dump tests/e2e/el2/faults.c:", out)
        self.assertTrue(out.endswith("end crash hypervisor check\n"), out)


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

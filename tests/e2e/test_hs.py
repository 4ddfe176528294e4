#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The HS-mode image in QEMU: its own parts, its own faults, how it starts, how guests end, and guests on it.

Usage: test_hs.py Parts|Faults|Starts|Ends|Guests|Debian   Paths and the CPU come from the environment, as ctest sets it.
"""
import tempfile
import unittest

import baremetal
from bundle import riscv64_tree


class Parts(baremetal.Parts, unittest.TestCase):
    def test_simple_hv__guest_reads_its_hart_and_memory__and_shuts_down(self):
        out = self.passes("simple_hv")
        self.assertIn("a0 = 0x6688, a1 = 0x1234\n", out)
        self.assertRegex(out, r"\b3 checks, 0 wrong")


class Faults(baremetal.Faults, unittest.TestCase):
    address = "stval"
    registers = (r"dump  x1 0x[0-9a-f]{16}  x2 ", r"dump x31 0x[0-9a-f]{16}")
    write_denied = write_absent = "store/AMO page fault"
    exec_denied = "instruction page fault"
    read_absent = "load page fault"
    undefined = "illegal instruction"
    brk = "breakpoint"


class Starts(baremetal.Starts, unittest.TestCase):
    def test_cpu_without_h__says_what_it_needs(self):
        self.refused("no H extension", b"x", cpu="rv64,h=false")


class Ends(baremetal.Ends, unittest.TestCase):
    parts = {"dtb": riscv64_tree()}


class Guests(baremetal.Guests, unittest.TestCase):
    def test_isa__of_other_cpus__is_what_they_have(self):
        for cpu, has, lacks in (("sstc=off", "_zbs\n", "sstc"), ("v=true,Zfh=true,svinval=true", "rv64imafdcv_", "fdch")):
            out = self.passes("isa", "--qemu-args", "-cpu rv64,h=true," + cpu)
            said = next(line for line in out.splitlines(True) if line.startswith("riscv,isa: "))
            self.assertIn(has, said)
            self.assertNotIn(lacks, said)
            self.assertIn("ALL PASS", out)

    def test_hello__more_memory_than_the_hosts_has_below_its_tree__fits_above(self):
        for size in ("832M", "1G"):
            self.assertIn("ALL PASS", self.passes("hello", "--mem", size))

    def test_demo__workers_take_turns_and_the_flash_is_read(self):
        with tempfile.NamedTemporaryFile() as flash:
            flash.write(b"pfld" + bytes(4092))
            flash.flush()
            out = self.passes("demo", "--flash", flash.name)
        for line in ("worker1 [0]", "worker2 [256]", "Multi-task(Preemptible) ok!", "got 0x646c6670",
                     "Got pflash magic: pfld", "Shutdown vm normally!"):
            self.assertEqual(out.count(line + "\n"), 1, out)


Guests.add("hello", "calls", "isa", "irq", "mmio", "timer", "traps", "mmu", "fp", "code", "naps", "clock", "x23_poison", "simple_hv")


class Debian(baremetal.Debian, unittest.TestCase):
    release = r"6\.12"
    console = "console=ttyS0"

    def test_2_cpus_with_an_aplic__guest_ready_and_the_console_works_by_it(self):
        out, _ = self.boot("--cpus", "2", "--aia", "aplic", "--append", self.console)
        self.assertIn("riscv-aplic d000000.aplic: 96 interrupts directly connected to 2 CPUs", out)
        self.assertRegex(out, r"GUEST-READY %s\S* riscv64 cpus=2 mem=" % self.release)


if __name__ == "__main__":
    baremetal.main(baremetal.SELFTEST)

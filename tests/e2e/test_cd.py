#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The SVM image on a CD that `tools/drydock pack --iso` makes, booted by firmware and GRUB: in QEMU, and in
Bochs, whose CPU has NRIPS and many ASIDs. docs/svm.md says which guests cannot run there.

Usage: test_cd.py Qemu|Bochs   Paths and the CPU come from the environment, as ctest sets it.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import baremetal
from arches import ARCH, guest
from baremetal import BM_DIR, CPU, PATIENCE, SKIPPED

FLAT = os.path.join(BM_DIR, "drydock-x86_64.img")
ENVIRONMENT = dict(os.environ, DRYDOCK_SVM_FLAT_IMAGE=FLAT)


def pack(iso, *words):
    line = [os.environ["DRYDOCK_HOST"], "pack", "--arch", ARCH.name, "--iso", iso, *words]
    return subprocess.run(line, capture_output=True, timeout=PATIENCE, env=ENVIRONMENT)


class Qemu(unittest.TestCase):
    def test_hello(self):
        with tempfile.NamedTemporaryFile(suffix=".iso") as iso:
            done = pack(iso.name, "--kernel", guest("hello"), "--mem", "16M")
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            line = [ARCH.qemu, "-M", ARCH.machine, "-cpu", CPU, "-m", "256M", "-display", "none", "-serial", "stdio",
                    "-nic", "none", "-no-reboot", "-cdrom", iso.name]
            done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        out = done.stdout.decode("latin-1")
        self.assertIn("ALL PASS\n", out)
        self.assertTrue(out.endswith("drydock: end off\n"), out)

    def test_nowhere_to_write__said(self):
        done = pack("/nowhere/cd.iso", "--kernel", guest("hello"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/nowhere/cd.iso", done.stderr)


class Bochs(unittest.TestCase):
    def run_guest(self, name, *words, text=b"", status=0):
        line = [os.environ["DRYDOCK_HOST"], "run", "--arch", ARCH.name, "--backend", "bochs", "--mem", "16M",
                "--timeout", "120", "--kernel", guest(name), *words]
        done = subprocess.run(line, input=text, capture_output=True, timeout=PATIENCE, env=ENVIRONMENT)
        out, err = done.stdout.decode("latin-1"), done.stderr.decode("latin-1")
        self.assertEqual(done.returncode, status, out + err)
        return out, err

    def passes(self, name, *words, **more):
        out, _ = self.run_guest(name, *words, **more)
        self.assertIn("ALL PASS\n", out)

    def test_hello(self):
        self.passes("hello")

    def test_echo__input_arrives(self):
        self.passes("echo", text=b"a line\nq")

    def test_demo__interrupts_ports_and_flash(self):
        with tempfile.NamedTemporaryFile() as flash:
            flash.write(b"pfld" + bytes(4092))
            flash.flush()
            out, _ = self.run_guest("demo", "--flash", flash.name)
        self.assertIn("Got pflash magic: pfld\n", out)

    def test_crash__a_triple_fault_comes_back(self):
        _, err = self.run_guest("crash", status=3)
        self.assertIn("triple fault", err)

    def test_reboot(self):
        out, _ = self.run_guest("reboot")
        self.assertIn("REBOOTING", out)

    def test_mmu(self):
        self.passes("mmu")

    def test_lazy__blocks_are_mapped_at_first_access(self):
        self.passes("lazy", "--lazy-ram")

    def test_naps__deadlines_end_hlt(self):
        self.passes("naps")


if __name__ == "__main__":
    for program in ("grub-mkrescue", "xorriso", "mformat"):
        if not shutil.which(program):
            print("SKIP: %s is missing; install grub-common, grub-pc-bin, xorriso and mtools" % program)
            sys.exit(SKIPPED)
    if "Bochs" in sys.argv and not shutil.which("bochs"):
        print("SKIP: bochs is missing; install bochs, bochsbios and vgabios")
        sys.exit(SKIPPED)
    baremetal.main(FLAT)

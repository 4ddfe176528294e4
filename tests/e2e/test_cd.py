#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The SVM image on a CD that `tools/drydock pack --iso` makes, booted by firmware and GRUB.

Usage: test_cd.py Qemu   Paths and the CPU come from the environment, as ctest sets it.
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


if __name__ == "__main__":
    for program in ("grub-mkrescue", "xorriso", "mformat"):
        if not shutil.which(program):
            print("SKIP: %s is missing; install grub-common, grub-pc-bin, xorriso and mtools" % program)
            sys.exit(SKIPPED)
    baremetal.main(FLAT)

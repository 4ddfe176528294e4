#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The SVM image in QEMU: how it starts, by both ways in.

Usage: test_svm.py Starts   Paths and the CPU come from the environment, as ctest sets it.
"""
import os
import unittest

import baremetal
from baremetal import BM_DIR, IMAGE, qemu
from bundle import bundle

# The same for loaders of multiboot.
FLAT = os.path.join(BM_DIR, "drydock-x86_64.img")


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
        out = qemu(IMAGE, bundle(memory=3 << 30, kernel=bytes(4096)), memory="6G")
        self.assertNotIn("too little memory", out)


if __name__ == "__main__":
    baremetal.main(baremetal.IMAGE)

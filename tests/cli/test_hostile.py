#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests that mean harm: the host gets through each of them, and the next guest finds it well.

Usage: test_hostile.py OnSim|OnBareMetal   Architecture and paths come from the environment, as ctest sets it.
"""
import os
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from arches import ARCH, guest

HOST = os.environ["DRYDOCK_HOST"]
PATIENCE = 120  # seconds that any single run may take on a loaded machine
SKIPPED = 77
OFF, CRASH, TIMEOUT = 0, 3, 4
CHAOS_SEEDS = range(1, 5)


def only_on(arch):
    return unittest.skipUnless(ARCH.name == arch, "of " + arch + " only")


class Done:
    """One run: what it said, how it ended, and what it cost the host."""

    def __init__(self, words, name, more, stdin):
        line = [HOST, "run", "--arch", ARCH.name, *words, "--kernel", guest(name), *more]
        start = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(line, stdin=stdin, stdout=out, stderr=err)
            usage = self.wait(child)
            self.wall = time.monotonic() - start
            self.cpu = usage.ru_utime + usage.ru_stime
            self.memory = usage.ru_maxrss  # KiB, of it or of the largest that it started
            self.status = child.returncode
            self.out, self.err = (self.read(file) for file in (out, err))

    @staticmethod
    def wait(child):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                return usage
            time.sleep(0.01)
        child.kill()
        raise AssertionError("the run does not end")

    @staticmethod
    def read(file):
        file.seek(0)
        return file.read().decode("latin-1")


class Hostile:
    """What every backend must do; `words` names the backend."""

    words = ()

    def run_guest(self, name, *more, stdin=subprocess.DEVNULL):
        return Done(self.words, name, more, stdin)

    def next_guest_is_well(self):
        done = self.run_guest("hello", "--timeout", "60")
        self.assertEqual(done.status, OFF, done.out + done.err)
        self.assertIn("ALL PASS", done.out)

    def passes(self, name, *more):
        done = self.run_guest(name, "--timeout", "240", *more)
        self.assertEqual(done.status, OFF, done.out + done.err)
        self.assertIn("ALL PASS", done.out)
        self.next_guest_is_well()
        return done

    def never_ends(self, name, says):
        done = self.run_guest(name, "--timeout", "1")
        self.assertEqual(done.status, TIMEOUT, done.err)
        self.assertIn(says, done.out)
        self.assertLess(done.wall, 20)
        self.next_guest_is_well()

    def test_x16_spins_with_interrupts_masked__timeout(self):
        self.never_ends("spin", "SPINNING")

    def test_x16_exception_in_its_own_vector__timeout(self):
        self.never_ends("x16_faults", "FAULTING")

    def test_g8_line_that_is_never_lowered__timeout(self):
        self.never_ends("g8_livelock", "INTERRUPTED")

    def test_x17_waits_for_nothing__costs_no_cpu_time(self):
        start = self.run_guest("hello", "--timeout", "60").cpu
        done = self.run_guest("x17_dead", "--timeout", "2")
        self.assertEqual(done.status, TIMEOUT, done.err)
        self.assertIn("WAITING", done.out)
        self.assertLess(done.cpu - start, 0.3)
        self.next_guest_is_well()

    def test_x18_million_exits__all_answered_and_nothing_grows(self):
        before = self.passes("hello").memory
        done = self.passes("x18_exits")
        self.assertLess(len(done.out) + len(done.err), 4096)  # R8: no flood of messages either
        self.assertLess(done.memory - before, 8 << 10)  # less than 10 bytes an exit

    @only_on("aarch64")
    def test_x19_every_system_register__emulated_or_undefined(self):
        self.passes("x19_sysregs")

    @only_on("riscv64")
    def test_x20_every_csr__emulated_or_illegal(self):
        self.passes("x20_csrs")

    @only_on("x86_64")
    def test_x20_every_msr__emulated_or_refused(self):
        self.passes("x20_msrs")

    @only_on("x86_64")
    def test_x21_every_leaf__the_same_each_time(self):
        self.passes("x21_cpuids")

    @only_on("x86_64")
    def test_x22_strings_without_end__interrupted(self):
        self.passes("x22_strings")

    @only_on("x86_64")
    def test_a2_timers_of_any_count__guest_gets_on(self):
        self.passes("a2_timer_storm")

    def test_g7_g8_g14_a1_a3_a6_storms_its_interrupt_controller__none_lost(self):
        self.passes("g7_storm")
        self.passes("g7_storm", "--cpus", "4")

    def test_h3_h5_s4_g4_several_cpus_at_once__no_wake_up_and_no_interrupt_lost(self):
        for cpus in ("2", "4"):
            done = self.run_guest("smp_storm", "--timeout", "300", "--cpus", cpus)
            self.assertEqual(done.status, OFF, done.out + done.err)
            self.assertIn("ALL PASS", done.out)
        self.next_guest_is_well()

    def test_i1_sweeps_the_address_space__aborts_and_goes_on(self):
        self.passes("i1_sweep")

    def test_s4_events_around_wfi__none_lost(self):
        self.passes("s4_wakes")
        self.passes("s4_wakes", "--deterministic")

    def test_random_instructions__host_is_well(self):
        ends = set()
        for seed in CHAOS_SEEDS:
            with tempfile.NamedTemporaryFile() as flash:
                flash.write(b"pfld" + struct.pack("<I", seed) + bytes(8184))
                flash.flush()
                done = self.run_guest("chaos", "--flash", flash.name, "--timeout", "3")
            with self.subTest(seed=seed):
                self.assertIn(done.status, (OFF, CRASH, TIMEOUT), done.err)
                if done.status == CRASH:
                    self.assertRegex(done.err, r"the guest crashed: \S")
            ends.add(done.status)
        self.assertIn(OFF, ends)  # most come through
        self.next_guest_is_well()

    def test_g14_input_at_full_rate__neither_grows_nor_stops_the_clock(self):
        """A flood on the console of a guest that does not read it."""
        before = self.run_guest("spin", "--timeout", "1").memory
        with open("/dev/zero", "rb") as flood:
            done = self.run_guest("spin", "--timeout", "2", stdin=flood)
        self.assertEqual(done.status, TIMEOUT, done.err)
        self.assertLess(done.wall, 20)
        self.assertLess(done.memory - before, 8 << 10)
        self.next_guest_is_well()


class OnSim(Hostile, unittest.TestCase):
    words = ("--backend", "sim")


class OnBareMetal(Hostile, unittest.TestCase):
    words = ("--backend", "qemu", "--qemu-args", "-cpu " + os.environ.get("DRYDOCK_CPU", ARCH.cpu))

    @only_on("aarch64")
    def test_g7_g8_s4_gicv2__none_lost(self):
        self.passes("g7_storm", "--gic", "2")
        self.passes("s4_wakes", "--gic", "2")

    def setUp(self):
        if not os.path.exists(os.environ[ARCH.image_env]):
            print("SKIP: %s is missing; run tools/drydock build" % os.environ[ARCH.image_env])
            sys.exit(SKIPPED)


if __name__ == "__main__":
    unittest.main(verbosity=2)

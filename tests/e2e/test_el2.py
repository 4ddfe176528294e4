#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The EL2 image in QEMU: its own parts, its own faults, how it starts, and guests on it.

Usage: test_el2.py Parts|Faults|Starts|Ends|Guests|Debian   Paths and the CPU come from the environment.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from bundle import bundle

BM_DIR = os.environ["DRYDOCK_BM_DIR"]
CPU = os.environ.get("DRYDOCK_CPU", "cortex-a57")
IMAGE = os.path.join(BM_DIR, "drydock-aarch64.img")
SELFTEST = os.path.join(BM_DIR, "drydock-selftest.img")
PATIENCE = 240  # seconds that any single run may take on a loaded machine
SKIPPED = 77
MACHINE = "virt,virtualization=on,gic-version=3"
MACHINE_V2 = "virt,virtualization=on,gic-version=2"


def qemu(image, initrd=None, machine=MACHINE, memory="256M"):
    """Boots an image; returns all that the console said. The machine must turn itself off."""
    line = ["qemu-system-aarch64", "-M", machine, "-cpu", CPU, "-m", memory, "-nodefaults",
            "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", image]
    with tempfile.NamedTemporaryFile() as file:
        if initrd is not None:
            file.write(initrd)
            file.flush()
            line += ["-initrd", file.name]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise AssertionError("QEMU: " + done.stderr.decode())
    return done.stdout.decode("latin-1")


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


class Parts(unittest.TestCase):
    """Parts of the hypervisor against the CPU's own opinion."""

    def passes(self, name):
        out = qemu(SELFTEST, name.encode())
        self.assertIn("end off", out, out)
        return out

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


class Starts(unittest.TestCase):
    """A machine or a bundle that will not do is named, and the machine goes off."""

    def refused(self, why, *rest, **more):
        out = qemu(IMAGE, *rest, **more)
        self.assertRegex(out, why)
        self.assertTrue(out.endswith("end crash not started\n"), out)

    def test_no_bundle__named(self):
        self.refused("dtb: linux,initrd-start .*no initrd")

    def test_gicv3_guest_on_gicv2__named(self):
        self.refused("bundle: gic-version .*GICv2 only", bundle(kernel=bytes(4096)),
                     machine=MACHINE_V2)

    def test_gicv2_guest_on_gicv3__named(self):
        self.refused("bundle: gic-version .*GICv3", bundle(gic=2, kernel=bytes(4096)))

    def test_f8_noise_as_bundle__named(self):
        self.refused("bundle: ", os.urandom(10000))

    def test_f8_text_as_bundle__named(self):
        self.refused("bundle: ", b"hello\n")

    def test_f8_too_many_vms_or_cpus__named(self):
        self.refused("bundle: vm .*one VM", bundle(vms=2, kernel=bytes(4096)))
        self.refused("bundle: cpus .*more vCPUs than the host.s 1 CPU", bundle(cpus=2, kernel=bytes(4096)))

    def test_f8_more_memory_than_there_is__said(self):
        self.refused("too little memory", bundle(memory=1 << 30, kernel=bytes(4096)))

    def test_f2_kernel_larger_than_its_ram__named(self):
        self.refused("kernel: ", bundle(memory=2 << 20, kernel=bytes(4 << 20)))

    def test_entered_at_el1__says_what_it_needs(self):
        self.refused("entered at EL1.*virtualization=on", b"x", machine="virt,gic-version=3")


def guest_file(name):
    with open(os.path.join(os.environ["DRYDOCK_GUESTS"], name), "rb") as file:
        return file.read()


class Ends(unittest.TestCase):
    """How a guest's end is said, in records that carry the run's token."""

    TOKEN = "feedc0dedeadbeef"

    def run_guest(self, name, **parts):
        return qemu(IMAGE, bundle(token=self.TOKEN, kernel=guest_file(name), **parts))

    def record(self, text):
        return "\x1e%s %s" % (self.TOKEN, text)

    def test_off(self):
        out = self.run_guest("hello.elf")
        self.assertIn("ALL PASS\n", out)
        self.assertTrue(out.endswith(self.record("end off\n")), out)

    def test_flat_image__same_as_elf(self):
        self.assertIn("ALL PASS\n", self.run_guest("hello.bin"))

    def test_reboot(self):
        self.assertTrue(self.run_guest("reboot.elf").endswith(self.record("end reboot\n")))

    def test_crash__reason_and_registers(self):
        out = self.run_guest("crash.elf")
        self.assertIn(self.record("dump vCPU 0: "), out)
        self.assertRegex(out, r"dump x0  0x[0-9a-f]{16}  x1  0x[0-9a-f]{16}")
        self.assertRegex(out, r"dump pc  0x[0-9a-f]{16}  pstate 0x[0-9a-f]{16}")
        self.assertRegex(out, r"dump vbar   0x000000000b000000")
        self.assertIn(self.record("end crash "), out)

    def test_flash__read_by_the_guest(self):
        self.assertIn("ALL PASS\n", self.run_guest("flash.elf", flash=b"pfld" + bytes(8192)))


class Cli(unittest.TestCase):
    """Runs that go through the command line, for its bundles and its exit status."""

    @classmethod
    def setUpClass(cls):
        host = os.environ["DRYDOCK_HOST"]
        if not os.path.exists(host):
            raise unittest.SkipTest(host + " is missing")

    def drydock(self, *words, text=b""):
        line = [os.environ["DRYDOCK_HOST"], "run", "--backend", "qemu", "--qemu-args", "-cpu " + CPU, *words]
        environment = dict(os.environ, DRYDOCK_EL2_IMAGE=IMAGE)
        done = subprocess.run(line, input=text, capture_output=True, timeout=PATIENCE, env=environment)
        return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("utf-8")


class Guests(Cli):
    """The guests of tests/guests judge themselves."""

    def passes(self, name, *words, **more):
        path = os.path.join(os.environ["DRYDOCK_GUESTS"], name + ".elf")
        status, out, err = self.drydock("--kernel", path, "--timeout", "120", *words, **more)
        self.assertEqual(status, 0, out + err)
        return out

    def test_echo(self):
        out = self.passes("echo", text=b"a line\nq")
        self.assertIn("a line", out)
        self.assertIn("ALL PASS", out)

    def test_rtos__shell_answers_by_interrupt(self):
        out = self.passes("rtos", text=b"echo dry dock\nfrob\nexit\n")
        self.assertIn("rtos:~$ echo dry dock\ndry dock\nrtos:~$ frob\nno such command\n", out)
        self.assertIn("ALL PASS", out)

    def test_reboot(self):
        self.assertIn("REBOOTING", self.passes("reboot"))

    def run_with_stats(self, name, *words):
        """A guest's output, and what was counted."""
        path = os.path.join(os.environ["DRYDOCK_GUESTS"], name + ".elf")
        with tempfile.TemporaryDirectory() as folder:
            stats = os.path.join(folder, "stats.json")
            status, out, err = self.drydock("--kernel", path, "--timeout", "60", "--stats=" + stats, *words)
            self.assertEqual(status, 0, out + err)
            with open(stats, encoding="utf-8") as file:
                return out, json.load(file)

    def run_counted(self, name, *words):
        """A guest's output, and how often it touched memory that was not mapped."""
        out, counted = self.run_with_stats(name, *words)
        return out, counted["exits.mem"]

    def test_smp__2_and_4_cpus__work_together(self):
        for cpus in ("2", "4"):
            out = self.passes("smp", "--cpus", cpus)
            self.assertIn("CPUs: 0x%s\n" % cpus, out)
            self.assertIn("ALL PASS", out)

    def test_smp__under_icount__same(self):
        self.assertIn("ALL PASS", self.passes("smp", "--cpus", "4", "--deterministic"))

    def test_gicv2__with_and_without_list_registers__same_but_for_the_exits(self):
        with tempfile.NamedTemporaryFile() as tree:
            tree.write(tree_without_gich())
            tree.flush()
            for name in ("gic", "timer", "naps"):
                out, mapped = self.run_with_stats(name, "--gic", "2")
                self.assertIn("ALL PASS", out)
                out, soft = self.run_with_stats(name, "--gic", "2", "--qemu-args",
                                                "-cpu %s -dtb %s" % (CPU, tree.name))
                self.assertIn("ALL PASS", out)
                self.assertLess(mapped["exits.mmio"], soft["exits.mmio"])

    def test_demo__shows_everything(self):
        with tempfile.NamedTemporaryFile() as flash:
            flash.write(b"pfld" + bytes(4092))
            flash.flush()
            out, faults = self.run_counted("demo", "--flash", flash.name)
        self.assertNotIn("not shown", out)
        self.assertEqual(out.count("shown: a virtual interrupt\n"), 3)
        self.assertIn("got 0x646c6670\nGot pflash magic: pfld\nShutdown vm normally!\n", out)
        self.assertEqual(faults, 1)

    def test_lazy__an_exit_for_each_block_touched(self):
        out, faults = self.run_counted("lazy", "--mem", "16M", "--lazy-ram")
        self.assertIn("ALL PASS", out)
        self.assertIn(faults, range(5, 9))
        out, faults = self.run_counted("lazy", "--mem", "16M")
        self.assertIn("ALL PASS", out)
        self.assertEqual(faults, 0)


def add_guest(name):
    def test(self):
        self.assertIn("ALL PASS", self.passes(name))
    setattr(Guests, "test_" + name, test)


for guest in ("hello", "calls", "mmio", "traps", "timer", "naps", "fp", "gic", "mmu", "x23_poison", "code", "debug"):
    add_guest(guest)


class Debian(Cli):
    """An unmodified kernel boots to user space and powers off."""

    def boot(self, *words):
        kernel = os.path.join(os.environ["DRYDOCK_CACHE"], "guests/debian12-arm64/vmlinuz")
        initrd = os.path.join(os.environ["DRYDOCK_SOURCE"], "build/guests/debian12-arm64/initramfs.cpio")
        for path in (kernel, initrd):
            if not os.path.exists(path):
                self.skipTest(path + " is missing; run tools/drydock setup")
        status, out, err = self.drydock("--kernel", kernel, "--initrd", initrd, "--timeout", "200", *words)
        self.assertEqual(status, 0, out[-2000:] + err)
        return out

    def test_debian_12__guest_ready(self):
        with tempfile.TemporaryDirectory() as folder:
            stats = os.path.join(folder, "stats.json")
            out = self.boot("--stats=" + stats)
            with open(stats, encoding="utf-8") as file:
                counted = json.load(file)
        self.assertRegex(out, r"GUEST-READY 6\.1\S* aarch64 cpus=1 mem=")
        self.assertGreater(counted["exits.mmio"], 0)
        self.assertGreater(counted["time.guest"], counted["time.hypervisor"])

    def test_debian_12__4_cpus_off_and_on_again(self):
        out = self.boot("--cpus", "4", "--append", "console=ttyAMA0 quiet drydock.hotplug=10")
        self.assertRegex(out, r"GUEST-READY 6\.1\S* aarch64 cpus=4 mem=")
        self.assertIn("HOTPLUG times=10 fewest=1 cpus=4", out)


if __name__ == "__main__":
    if not shutil.which("qemu-system-aarch64"):
        print("SKIP: qemu-system-aarch64 is missing; run tools/drydock setup")
        sys.exit(SKIPPED)
    for needed in (IMAGE, SELFTEST):
        if not os.path.exists(needed):
            print("SKIP: %s is missing; run tools/drydock build" % needed)
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)

# SPDX-License-Identifier: MIT
"""The bare-metal image in QEMU: what every architecture's end-to-end tests do and expect.

The architecture is that of `arches`; paths and the CPU come from the environment, as ctest sets it.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from arches import ARCH, guest
from bundle import bundle

BM_DIR = os.path.join(os.environ["DRYDOCK_BUILD"], ARCH.preset)
CPU = os.environ.get("DRYDOCK_CPU", ARCH.cpu)
IMAGE = os.path.join(BM_DIR, "drydock-" + ARCH.name + ARCH.image)
SELFTEST = os.path.join(BM_DIR, "drydock-selftest" + ARCH.image)
PATIENCE = 240  # seconds that any single run may take on a loaded machine
SKIPPED = 77


def qemu(image, initrd=None, machine=ARCH.machine, memory="256M", cpu=CPU):
    """Boots an image; returns all that the console said. The machine must turn itself off."""
    line = [ARCH.qemu, "-M", machine, "-cpu", cpu, "-m", memory, "-nodefaults",
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


def guest_bytes(name):
    with open(guest(*name.rsplit(".", 1)), "rb") as file:
        return file.read()


class Parts:
    """Parts of the hypervisor against the CPU's own opinion; an image's first word in its initrd is the test."""

    def passes(self, name):
        out = qemu(SELFTEST, name.encode())
        self.assertIn("end off", out, out)
        return out

    def test_p12_p16_stage2__random_sequences__the_cpu_agrees_with_the_ghost_map(self):
        out = self.passes("stage2")
        self.assertRegex(out, r"[1-9][0-9]{2,} maps")
        self.assertRegex(out, r"[1-9][0-9]{4,} queries, 0 mismatches")

    def test_i12_stage1__every_page__only_what_is_needed(self):
        self.assertRegex(self.passes("stage1"), r"[1-9][0-9]+ pages, 0 wrong")

    def test_x23_registers__through_entry_and_exit__unchanged(self):
        self.assertRegex(self.passes("entry"), r"[1-9][0-9]{2,} checks, 0 wrong")

    def test_p6_p8_tlb__after_each_change__follows_the_tables(self):
        self.assertRegex(self.passes("tlb"), r"[1-9][0-9]+ checks, 0 wrong")


class Faults:
    """X7, I12: what the hypervisor must not do faults, and ends in a dump that says what and where."""

    address = ""    # what a dump calls the faulting one
    registers = ()  # patterns of all dumps
    # What the CPU says of each.
    write_denied = exec_denied = read_absent = write_absent = undefined = brk = ""

    def dumps(self, name, what, *patterns):
        out = qemu(SELFTEST, name.encode())
        self.assertIn("dump hypervisor fault: %s\n" % what, out)
        for pattern in (*patterns, *self.registers):
            self.assertRegex(out, pattern)
        self.assertTrue(out.endswith("end crash hypervisor fault\n"), out)

    def test_i12_write_to_code__denied(self):
        self.dumps("write-text", self.write_denied, self.address + r" 0x[0-9a-f]{16} image\+0x0\n")

    def test_i12_write_to_constants__denied(self):
        self.dumps("write-rodata", self.write_denied)

    def test_i12_execute_data__denied(self):
        self.dumps("exec-data", self.exec_denied)

    def test_i12_execute_stack__denied(self):
        self.dumps("exec-stack", self.exec_denied)

    def test_i12_execute_guest_ram__denied(self):
        self.dumps("exec-ram", self.exec_denied)

    def test_i12_read_own_tables__not_there(self):
        self.dumps("read-tables", self.read_absent)

    def test_x7_read_null__not_there(self):
        self.dumps("read-null", self.read_absent, self.address + r" 0x0{16}\n", r"pc  0x[0-9a-f]{16} image\+",
                   r"stack 0x[0-9a-f]{16} image\+")

    def test_x7_stack_overflow__guard_page_and_fault_stack(self):
        self.dumps("stack-overflow", self.write_absent, self.address + r" 0x[0-9a-f]{13}ff0\n")

    def test_x7_undefined_instruction__named(self):
        self.dumps("undefined", self.undefined)

    def test_x7_brk__named(self):
        self.dumps("brk", self.brk)

    def test_failed_check__says_which(self):
        out = qemu(SELFTEST, b"check")
        self.assertIn("dump tests/e2e/parts/faults.c:", out)
        self.assertTrue(out.endswith("end crash hypervisor check\n"), out)


class Starts:
    """A machine or a bundle that will not do is named, and the machine goes off."""
    no_bundle = "dtb: linux,initrd-start .*no initrd"
    other = 62  # another architecture

    def refused(self, why, *rest, **more):
        out = qemu(IMAGE, *rest, **more)
        self.assertRegex(out, why)
        self.assertTrue(out.endswith("end crash not started\n"), out)

    def test_no_bundle__named(self):
        self.refused(self.no_bundle)

    def test_f8_noise_as_bundle__named(self):
        self.refused("bundle: ", os.urandom(10000))

    def test_f8_text_as_bundle__named(self):
        self.refused("bundle: ", b"hello\n")

    def test_f8_bundle_for_another_architecture__named(self):
        self.refused("bundle: machine .*another architecture", bundle(machine=self.other, kernel=bytes(4096)))

    def test_f8_too_many_vms_or_cpus__named(self):
        self.refused("bundle: vm .*one VM", bundle(vms=2, kernel=bytes(4096)))
        self.refused("bundle: cpus .*more vCPUs than the host.s 1 CPU", bundle(cpus=2, kernel=bytes(4096)))

    def test_f8_more_memory_than_there_is__said(self):
        self.refused("too little memory", bundle(memory=1 << 30, kernel=bytes(4096)))

    def test_f2_kernel_larger_than_its_ram__named(self):
        self.refused("kernel: ", bundle(memory=2 << 20, kernel=bytes(4 << 20)))


class Ends:
    """How a guest's end is said, in records that carry the run's token."""

    TOKEN = "feedc0dedeadbeef"
    parts = {}  # what a guest needs besides

    def run_guest(self, name, **parts):
        return qemu(IMAGE, bundle(token=self.TOKEN, kernel=guest_bytes(name), **self.parts, **parts))

    def record(self, text):
        return "\x1e%s %s" % (self.TOKEN, text)

    def test_off(self):
        out = self.run_guest("hello.elf")
        self.assertIn("ALL PASS\n", out)
        self.assertEqual(out.count(self.record("begin\n")), 1)
        self.assertTrue(out.endswith(self.record("end off\n")), out)

    def test_flat_image__same_as_elf(self):
        self.assertIn("ALL PASS\n", self.run_guest("hello.bin"))

    def test_reboot(self):
        self.assertTrue(self.run_guest("reboot.elf").endswith(self.record("end reboot\n")))

    def test_crash__reason_and_registers(self):
        out = self.run_guest("crash.elf")
        self.assertIn(self.record("dump vCPU 0: "), out)
        for pattern in ARCH.registers:
            self.assertRegex(out, pattern)
        self.assertIn(self.record("end crash "), out)
        return out

    def test_flash__read_by_the_guest(self):
        self.assertIn("ALL PASS\n", self.run_guest("flash.elf", flash=b"pfld" + bytes(8192)))


class Cli:
    """Runs that go through the command line, for its bundles and its exit status."""

    @classmethod
    def setUpClass(cls):
        host = os.environ["DRYDOCK_HOST"]
        if not os.path.exists(host):
            raise unittest.SkipTest(host + " is missing")

    def drydock(self, *words, text=b""):
        line = [os.environ["DRYDOCK_HOST"], "run", "--arch", ARCH.name, "--backend", "qemu",
                "--qemu-args", "-cpu " + CPU, *words]
        environment = dict(os.environ, **{ARCH.image_env: IMAGE})
        done = subprocess.run(line, input=text, capture_output=True, timeout=PATIENCE, env=environment)
        return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("utf-8")

    def stats_of(self, *words):
        """A good run's output, and what was counted."""
        with tempfile.TemporaryDirectory() as folder:
            stats = os.path.join(folder, "stats.json")
            status, out, err = self.drydock("--stats=" + stats, *words)
            self.assertEqual(status, 0, out[-2000:] + err)
            with open(stats, encoding="utf-8") as file:
                return out, json.load(file)


class Guests(Cli):
    """The guests of tests/guests judge themselves."""

    def passes(self, name, *words, **more):
        status, out, err = self.drydock("--kernel", guest(name), "--timeout", "120", *words, **more)
        self.assertEqual(status, 0, out + err)
        return out

    def counted(self, name, *words):
        return self.stats_of("--kernel", guest(name), "--timeout", "60", *words)

    def test_echo(self):
        out = self.passes("echo", text=b"a line\nq")
        self.assertIn("a line", out)
        self.assertIn("ALL PASS", out)

    def test_reboot(self):
        self.assertIn("REBOOTING", self.passes("reboot"))

    def test_smp__2_and_4_cpus__work_together(self):
        for cpus in ("2", "4"):
            out = self.passes("smp", "--cpus", cpus)
            self.assertIn("CPUs: 0x%s\n" % cpus, out)
            self.assertIn("ALL PASS", out)

    def test_lazy__an_exit_for_each_block_touched(self):
        out, counted = self.counted("lazy", "--mem", "16M", "--lazy-ram")
        self.assertIn("ALL PASS", out)
        self.assertIn(counted["exits.mem"], range(5, 9))
        out, counted = self.counted("lazy", "--mem", "16M")
        self.assertIn("ALL PASS", out)
        self.assertEqual(counted["exits.mem"], 0)

    @classmethod
    def add(cls, *names):
        """A test for each guest that needs nothing but itself."""
        for name in names:
            setattr(cls, "test_" + name, lambda self, name=name: self.assertIn("ALL PASS", self.passes(name)))


class Debian(Cli):
    """An unmodified kernel boots to user space and powers off."""

    release = ""  # a pattern
    console = ""

    def boot(self, *words, kernel=None):
        kernel = kernel or os.path.join(os.environ["DRYDOCK_CACHE"], "guests", ARCH.debian, "vmlinuz")
        initrd = os.path.join(os.environ["DRYDOCK_BUILD"], "guests", ARCH.debian, "initramfs.cpio")
        for path in (kernel, initrd):
            if not os.path.exists(path):
                self.skipTest(path + " is missing; run tools/drydock setup")
        return self.stats_of("--kernel", kernel, "--initrd", initrd, "--timeout", "200", *words)

    def test_1_cpu__guest_ready(self):
        out, counted = self.boot()
        self.assertRegex(out, r"GUEST-READY %s\S* %s cpus=1 mem=" % (self.release, ARCH.name))
        self.assertGreater(counted["exits.mmio"], 0)
        self.assertGreater(counted["time.guest"], counted["time.hypervisor"])

    def test_4_cpus__off_and_on_again(self):
        out, _ = self.boot("--cpus", "4", "--append", self.console + " quiet drydock.hotplug=10")
        self.assertRegex(out, r"GUEST-READY %s\S* %s cpus=4 mem=" % (self.release, ARCH.name))
        self.assertIn("HOTPLUG times=10 fewest=1 cpus=4", out)


def main(*needed):
    """Runs the classes named on the command line, when what they need is there."""
    if not shutil.which(ARCH.qemu):
        print("SKIP: %s is missing; run tools/drydock setup" % ARCH.qemu)
        sys.exit(SKIPPED)
    for path in (IMAGE, *needed):
        if not os.path.exists(path):
            print("SKIP: %s is missing; run tools/drydock build" % path)
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)

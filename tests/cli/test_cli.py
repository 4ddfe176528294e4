#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command line as a user sees it: exit statuses, messages, output.

Usage: test_cli.py Inputs|OnSim|OnBareMetal   Architecture and paths come from the environment, as ctest sets it.
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from arches import ARCH, ARCHES, guest

HOST = os.environ["DRYDOCK_HOST"]
PATIENCE = 120  # seconds that any single run may take on a loaded machine
SKIPPED = 77


def drydock(*words, text=b"", command="run"):
    done = subprocess.run([HOST, command, "--arch", ARCH.name, *words], input=text, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("utf-8")


def descendants(pid):
    """Of this process only: children, and theirs."""
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as file:
            for child in map(int, file.read().split()):
                found += [child, *descendants(child)]
    return found


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


class Inputs(unittest.TestCase):
    """Bad usage and bad files: status 2, a message that says where, and nothing printed by a guest."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, data):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def refused(self, *words, says=()):
        status, out, err = drydock(*words)
        self.assertEqual((status, out), (2, ""), err)
        for text in says:
            self.assertIn(text, err)

    def hello(self):
        with open(guest("hello"), "rb") as file:
            return bytearray(file.read())

    def test_missing_kernel__named(self):
        self.refused("--kernel", "/nonexistent/kernel", says=["/nonexistent/kernel", "No such file"])

    def test_empty_kernel__named(self):
        path = self.file("empty", b"")
        self.refused("--kernel", path, says=[path, "empty"])

    def test_folder_as_kernel__named(self):
        self.refused("--kernel", self.folder.name, says=["not a regular file"])

    def test_t4_fifo_as_any_input__refused_without_waiting_for_a_writer(self):
        path = os.path.join(self.folder.name, "fifo")
        os.mkfifo(path)
        self.refused("--kernel", path, says=[path, "not a regular file"])
        for flag in ("--initrd", "--flash") + (("--dtb",) if ARCH.dtb else ()):
            self.refused("--kernel", guest("hello"), flag, path, says=[path, "not a regular file"])

    def test_t4_device_as_kernel__refused_without_an_end_to_read(self):
        for path in ("/dev/zero", "/dev/null", "/dev/full"):
            self.refused("--kernel", path, says=[path, "not a regular file"])

    def test_t4_kernel_that_may_not_be_read__named(self):
        path = self.file("kernel", b"x")
        os.chmod(path, 0)
        if os.access(path, os.R_OK):
            self.skipTest("this user may read everything")
        self.refused("--kernel", path, says=[path, "Permission denied"])

    def test_t4_links_in_a_circle__named(self):
        path = os.path.join(self.folder.name, "link")
        os.symlink(path, path)
        self.refused("--kernel", path, says=[path])

    def test_t5_unknown_flag__named(self):
        self.refused("--kernel", guest("hello"), "--frob", says=["--frob", "--help"])

    def test_t5_bad_number__says_what_it_takes(self):
        self.refused("--kernel", guest("hello"), "--mem", "1x", says=["--mem 1x", "2M"])

    def test_kernel_of_another_architecture__refused(self):
        for other in ARCHES.values():
            if other != ARCH:
                path = self.file("Image", other.linux(1 << 16) + bytes(64))
                self.refused("--kernel", path, says=[path, hex(other.linux_magic)])

    def test_f2_elf_of_another_machine__file_field_and_offset(self):
        elf = self.hello()
        other = next(arch for arch in ARCHES.values() if arch != ARCH)
        struct.pack_into("<H", elf, 18, other.elf)
        path = self.file("k.elf", elf)
        self.refused("--kernel", path, says=[path, "e_machine", "0x12", hex(other.elf)])

    def test_f2_elf_headers_past_the_end__file_field_and_offset(self):
        elf = self.hello()
        struct.pack_into("<Q", elf, 32, 1 << 63)
        path = self.file("k.elf", elf)
        self.refused("--kernel", path, says=[path, "e_phoff", "0x20"])

    def test_f1_truncated_elf__refused(self):
        path = self.file("k.elf", self.hello()[:100])
        self.refused("--kernel", path, says=[path])

    def test_f3_image_larger_than_ram__file_field_and_offset(self):
        path = self.file("Image", ARCH.linux(1 << 40) + bytes(64))
        name, offset = ARCH.linux_size
        self.refused("--kernel", path, says=[path, name, hex(offset)])

    @unittest.skipIf(ARCH.dtb, "it has a tree")
    def test_dtb_where_there_is_none__refused(self):
        path = self.file("good.dtb", b"\xd0\x0d\xfe\xed")
        self.refused("--kernel", guest("hello"), "--dtb", path, says=["--dtb", ARCH.name])

    @unittest.skipUnless(ARCH.dtb, "it has none")
    def test_f6_bad_dtb__file_and_field(self):
        path = self.file("bad.dtb", b"\xd0\x0d\xfe\xed" + b"\xff" * 60)
        self.refused("--kernel", guest("hello"), "--dtb", path, says=[path])
        path = self.file("text.dtb", b"/dts-v1/;")
        self.refused("--kernel", guest("hello"), "--dtb", path, says=[path])

    def test_f7_initrd_larger_than_ram__file_named(self):
        path = self.file("initrd", b"x" * (5 << 20))
        self.refused("--kernel", guest("hello"), "--initrd", path, "--mem", "4M", says=[path])

    def test_f7_load_address_outside_ram__refused(self):
        self.refused("--kernel", guest("hello", "bin"), "--load-addr", "0xa0000", says=["0xa0000"])

    def test_pack__unwritable_output__status_1(self):
        status, _, err = drydock("--kernel", guest("hello"), "--out", "/nonexistent/b", command="pack")
        self.assertEqual(status, 1, err)

    def test_t4_pack__into_a_full_device__status_1_and_the_device_is_still_one(self):
        status, _, err = drydock("--kernel", guest("hello"), "--out", "/dev/full", command="pack")
        self.assertEqual(status, 1, err)
        self.assertIn("No space left", err)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/full").st_mode))
        self.assertEqual([name for name in os.listdir("/dev") if ".part." in name], [])

    def test_t4_pack__into_a_folder__status_1(self):
        status, _, err = drydock("--kernel", guest("hello"), "--out", self.folder.name, command="pack")
        self.assertEqual(status, 1, err)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_pack__good_guest__a_bundle_that_starts_with_its_manifest(self):
        path = os.path.join(self.folder.name, "bundle")
        status, _, err = drydock("--kernel", guest("hello"), "--out", path, command="pack")
        self.assertEqual(status, 0, err)
        with open(path, "rb") as file:
            data = file.read()
        self.assertEqual(data[:4], b"\xd0\x0d\xfe\xed")
        self.assertEqual(len(data) % 4096, 0)
        self.assertEqual(os.listdir(self.folder.name), ["bundle"])

    def packed(self, kernel, *words):
        path = os.path.join(self.folder.name, "bundle")
        status, _, err = drydock("--kernel", kernel, "--out", path, *words, command="pack")
        self.assertEqual(status, 0, err)
        with open(path, "rb") as file:
            return file.read()

    def test_default_command_line__only_linux_has_one(self):
        linux = self.file("Image", ARCH.linux(1 << 16) + b"Linux version 6.12.1")
        other = self.file("Image of another kernel", ARCH.linux(1 << 16) + bytes(64))
        self.assertIn(ARCH.linux_args, self.packed(linux))
        if ARCH.borrowed:
            self.assertNotIn(ARCH.linux_args, self.packed(other))
        self.assertNotIn(ARCH.linux_args, self.packed(linux, "--append", "quiet"))
        self.assertNotIn(ARCH.linux_args, self.packed(guest("hello")))
        self.assertNotIn(ARCH.linux_args, self.packed(guest("hello", "bin")))
        self.assertIn(b"timer 1", self.packed(guest("hello"), "--append", "timer 1"))


class Runs:
    """What every backend must do; `words` names the backend."""

    words = ()

    def run_guest(self, name, *words, text=b"", kind="elf"):
        return drydock(*self.words, "--kernel", guest(name, kind), *words, text=text)

    def test_guest_powers_off__status_0(self):
        status, out, err = self.run_guest("hello")
        self.assertEqual(status, 0, err)
        self.assertIn(ARCH.greeting, out)
        self.assertIn("ALL PASS", out)

    # Says where it is, in 16 digits, then asks to be ended: RBX = 0, EAX = 3, VMMCALL.
    MOVABLE_X86 = bytes.fromhex("488d35f9ffffff66baf803b910000000"  # lea -7(%rip), %rsi; mov 0x3f8, %dx; mov 16, %ecx
                                "48c1c60489f0240f3c0a72020427"      # 1: rol 4, %rsi; %al = the low digit, as text
                                "0430eeffc975eb"                    # out %al, %dx; dec %ecx; jnz 1b
                                "31dbb8030000000f01d9f4")

    @unittest.skipIf(ARCH.movable, "the next one is its")
    def test_flat_image_at_an_address_beyond_ram__starts_there(self):
        with tempfile.NamedTemporaryFile() as image:
            image.write(self.MOVABLE_X86)
            image.flush()
            status, out, err = drydock(*self.words, "--kernel", image.name, "--mem", "128M", "--load-addr", hex(128 << 20))
        self.assertEqual(status, 0, err)
        self.assertIn("0000000008000000", out)

    @unittest.skipUnless(ARCH.movable, "its guests are linked where they run")
    def test_image_at_an_address_beyond_ram__starts_there(self):
        for kind in ("bin", "elf"):
            status, out, err = self.run_guest("hello", "--mem", "128M", "--load-addr", hex(ARCH.ram + (128 << 20)), kind=kind)
            self.assertEqual(status, 0, err)
            self.assertIn("ALL PASS", out)

    def test_flash_image__guest_reads_it(self):
        with tempfile.NamedTemporaryFile() as flash:
            flash.write(b"pfld" + bytes(5000))
            flash.flush()
            status, out, err = self.run_guest("flash", "--flash", flash.name)
        self.assertEqual(status, 0, err)
        self.assertIn("ALL PASS", out)

    def test_until_seen__ends_the_run_with_status_0(self):
        status, out, err = self.run_guest("spin", "--until", "SPINNING")
        self.assertEqual(status, 0, err)
        self.assertIn("SPINNING", out)

    def test_until_not_seen__status_5(self):
        status, _, err = self.run_guest("hello", "--until", "NEVER PRINTED")
        self.assertEqual(status, 5, err)
        self.assertIn("--until", err)

    def test_timeout__status_4(self):
        start = time.monotonic()
        status, _, err = self.run_guest("spin", "--timeout", "2")
        self.assertEqual(status, 4, err)
        self.assertGreaterEqual(time.monotonic() - start, 2)

    def test_reset__ends_the_run_and_says_so(self):
        status, out, err = self.run_guest("reboot")
        self.assertEqual(status, 0, err)
        self.assertIn("REBOOTING", out)
        self.assertIn("reset", err)

    def test_crash__status_3_with_reason_and_registers(self):
        status, _, err = self.run_guest("crash")
        self.assertEqual(status, 3, err)
        self.assertRegex(err, r"the guest crashed: \S")
        for pattern in ARCH.registers:
            self.assertRegex(err, "(?i)" + pattern)

    def test_input__reaches_the_guest(self):
        status, out, err = self.run_guest("echo", text=b"dry dock q")
        self.assertEqual(status, 0, err)
        self.assertIn("dry dock q", out)

    def test_stats__as_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "stats.json")
            status, _, err = self.run_guest("hello", "--stats=" + path)
            self.assertEqual(status, 0, err)
            with open(path, encoding="utf-8") as file:
                stats = json.load(file)
        self.assertGreater(stats["exits." + ARCH.console_exits], 10)
        self.assertGreaterEqual(stats["exits.call"] + stats["exits.pio"], 1)  # how it powers off
        self.assertIn("time.hypervisor", stats)

    def test_stats__for_people(self):
        status, out, err = self.run_guest("hello", "--stats")
        self.assertEqual(status, 0, err)
        self.assertRegex(err, r"exits\.%s +\d+" % ARCH.console_exits)
        self.assertNotIn("exits.", out)

    def test_t4_stats_into_what_takes_nothing__status_1_after_the_run(self):
        for path in ("/dev/full", "/nonexistent/folder/stats.json"):
            status, out, err = self.run_guest("hello", "--stats=" + path)
            self.assertEqual(status, 1, err)
            self.assertIn("ALL PASS", out)
            self.assertIn(path, err)

    def test_t4_stats_into_a_device__written_and_not_replaced(self):
        status, out, err = self.run_guest("hello", "--stats=/dev/stdout")
        self.assertEqual(status, 0, err)
        self.assertIn("exits.mmio", out)
        status, _, err = self.run_guest("hello", "--stats=/dev/null")
        self.assertEqual(status, 0, err)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def start(self, name, *words, **more):
        line = [HOST, "run", "--arch", ARCH.name, *self.words, "--kernel", guest(name), *words]
        return subprocess.Popen(line, stderr=subprocess.PIPE, **more)

    def test_t4_stdout_is_full__status_1_and_says_so(self):
        with open("/dev/full", "wb") as full:
            child = self.start("spin", "--until", "NEVER", stdin=subprocess.DEVNULL, stdout=full)
            _, err = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, 1, err)
        self.assertIn(b"stdout: No space left", err)

    def test_t4_reader_of_stdout_goes_away__status_1_and_says_so(self):
        child = self.start("chatter", "--until", "NEVER", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        child.stdout.read(1)
        child.stdout.close()
        _, err = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, 1, err)
        self.assertIn(b"stdout: Broken pipe", err)

    def test_t4_nobody_reads_stdout__timeout_all_the_same(self):
        child = self.start("chatter", "--timeout", "1", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        fcntl.fcntl(child.stdout, 1031, 4096)  # F_SETPIPE_SZ: less than the guest has to say
        child.wait(timeout=PATIENCE)
        self.assertEqual(child.returncode, 4)
        self.assertIn(b"--timeout", child.stderr.read())
        child.stdout.close()
        child.stderr.close()

    def test_t4_stdin_closed__guest_runs_all_the_same(self):
        child = self.start("hello", stdout=subprocess.PIPE, preexec_fn=lambda: os.close(0))
        out, err = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, 0, err)
        self.assertIn(b"ALL PASS", out)

    def test_t4_stdout_closed__status_1_and_says_so(self):
        child = self.start("hello", stdin=subprocess.DEVNULL, preexec_fn=lambda: os.close(1))
        _, err = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, 1, err)
        self.assertIn(b"stdout: Bad file descriptor", err)

    def test_t4_signal__ends_the_run_and_all_that_it_started(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            child = self.start("spin", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            self.assertIn(b"SPINNING", self.read_until(child.stdout.fileno(), b"SPINNING"))
            family = descendants(child.pid)
            child.send_signal(number)
            child.communicate(timeout=PATIENCE)
            self.assertEqual(child.returncode, -number)
            deadline = time.monotonic() + PATIENCE
            while any(is_alive(pid) for pid in family) and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual([pid for pid in family if is_alive(pid)], [])

    def test_deterministic__two_runs_give_the_same_bytes(self):
        first, second = (self.run_guest("timer", "--deterministic") for _ in range(2))
        self.assertEqual(first[0], 0, first[2])
        self.assertEqual(first[:2], second[:2])  # QEMU warns on stderr, or does not

    def test_terminal__escape_key_ends_the_run(self):
        try:
            master, slave = pty.openpty()
        except OSError as error:
            self.skipTest("this machine gives no pseudo-terminal: %s" % error)
        child = subprocess.Popen([HOST, "run", "--arch", ARCH.name, *self.words, "--kernel", guest("echo")], stdin=slave,
                                 stdout=slave, stderr=subprocess.PIPE, close_fds=True)
        os.close(slave)
        seen = self.read_until(master, b"READY")
        os.write(master, b"a\x01x")
        _, err = child.communicate(timeout=PATIENCE)
        os.close(master)
        self.assertIn(b"READY", seen)
        self.assertEqual(child.returncode, 0, err)
        self.assertIn(b"operator", err)

    def read_until(self, fd, text):
        seen, deadline = b"", time.monotonic() + PATIENCE
        while text not in seen and time.monotonic() < deadline:
            if select.select([fd], [], [], 1)[0]:
                seen += os.read(fd, 4096)
        return seen


class OnSim(Runs, unittest.TestCase):
    words = ("--backend", "sim")


class OnBareMetal(Runs, unittest.TestCase):
    words = ("--backend", "qemu")

    def setUp(self):
        if not os.path.exists(os.environ[ARCH.image_env]):
            print("SKIP: %s is missing; run tools/drydock build" % os.environ[ARCH.image_env])
            sys.exit(SKIPPED)

    def test_bad_qemu_options__status_1(self):
        status, _, err = self.run_guest("hello", "--qemu-args", "-frob")
        self.assertEqual(status, 1, err)
        self.assertTrue(re.search("frob", err), err)


if __name__ == "__main__":
    unittest.main(verbosity=2)

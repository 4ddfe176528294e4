# SPDX-License-Identifier: MIT
"""Runs guests in QEMU under -icount shift=0, with and without the hypervisor, and counts instructions."""
import array
import collections
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

from image import Image

UNPACK = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "guest", "vmlinux.py")
OTHERS = 0xFFFFFFFF
PATIENCE = 900

ROUNDS = 4000  # of each operation in the guest that measures


class Failure(Exception):
    pass


class Counts:
    """What count.c wrote."""

    def __init__(self, path):
        self.total, self.runs = {}, {}
        with open(path, encoding="ascii") as file:
            for line in file:
                word, *rest = line.split()
                if word == "at":
                    self.runs[int(rest[0], 16)] = int(rest[1])
                else:
                    self.total[word] = int(rest[0])

    def exits(self, arch, image):
        """How often a guest ended up in the vectors."""
        return sum(self.runs.get(image.symbols[table] + entry, 0)
                   for table, entries in arch.exits.items() if table in image.symbols for entry in entries)

    def kinds(self, image):
        """How often each of the functions ran that an exit of some kind goes to."""
        return {name[5:]: self.runs.get(at, 0) for name, at in sorted(image.symbols.items())
                if name.startswith("exit_") and not name.startswith("exit_sync") and self.runs.get(at, 0)}


def pvh_entry(kernel):
    """From the ELF note of a kernel that has such an entry: Xen's, type 18."""
    with open(kernel, "rb") as file:
        data = file.read()
    note = data.find(struct.pack("<3I", 4, 8, 18) + b"Xen\0")
    if note < 0:
        raise Failure(kernel + " has no PVH entry")
    return struct.unpack_from("<Q", data, note + 16)[0]


def paths_of(trace):
    """{path: [when, ...]}: the image's instructions between two of the guest's, by their offsets."""
    words = array.array("I")
    with open(trace, "rb") as file:
        words.frombytes(file.read())
    if sys.byteorder == "big":
        words.byteswap()
    paths, start = collections.defaultdict(list), 0
    for end, word in enumerate(words):
        if word == OTHERS:
            if end > start:
                paths[tuple(words[start:end])].append(start)
            start = end + 1
    return paths


def name_paths(paths, arch):
    """{operation: path}: the ones taken in nearly all of its rounds, one behind the other if it exits more than once."""
    frequent = [path for path, when in paths.items() if 0.9 * ROUNDS < len(when) < 1.5 * ROUNDS]
    frequent.sort(key=lambda path: paths[path][len(paths[path]) // 2])
    wanted = sum(arch.exits_of.get(name, 1) for name in arch.goals)
    if len(frequent) != wanted:
        raise Failure("%d paths are taken in nearly all rounds, and not %d" % (len(frequent), wanted))
    found = iter(frequent)
    return {name: sum((next(found) for _ in range(arch.exits_of.get(name, 1))), ()) for name in arch.goals}


class Machine:
    """QEMU with one CPU, and what runs in it. Paths as tools/drydock exports them."""

    def __init__(self, arch, cpu, say=lambda text: None):
        self.arch, self.cpu, self.say = arch, cpu, say
        self.host = os.environ["DRYDOCK_HOST"]
        self.image_file = os.environ[arch.image_env]
        self.plugin = os.environ["DRYDOCK_COUNT"]
        self.image = Image(os.path.splitext(self.image_file)[0] + ".elf", arch.addr2line)

    def _qemu(self, what, machine, *words):
        line = [self.arch.qemu, "-M", machine, "-cpu", self.cpu, "-nodefaults", "-display", "none",
                "-serial", "stdio", "-no-reboot", "-icount", "shift=0,sleep=off",
                "-rtc", "base=2024-01-01T00:00:00,clock=vm", *words]
        start = time.monotonic()
        self.say(what)
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise Failure("QEMU: " + done.stderr.decode())
        self.say("%s: %.0f s" % (what, time.monotonic() - start))
        return done.stdout.decode("latin-1")

    def without(self, what, kernel):
        return self._qemu(what + ", without hypervisor", self.arch.plain_machine, "-m", "256M", "-kernel", kernel)

    def with_drydock(self, what, *pack, memory="512M", cpus=1, counts=None, trace=None):
        """The console's text. counts, trace: files for the plugin to write."""
        words = ["-m", memory, "-smp", str(cpus), "-kernel", self.image_file]
        if counts:
            words += ["-plugin", "%s,at=%#x,entry=%#x,image=%d,firmware=%d,out=%s%s" % (
                self.plugin, self.arch.base + self.image.entry, self.image.entry, self.image.text_size(), self.arch.firmware, counts, ",trace=" + trace if trace else "")]
        with tempfile.TemporaryDirectory() as folder:
            bundle = os.path.join(folder, "bundle")
            subprocess.run([self.host, "pack", "--arch", self.arch.name, "--out", bundle, "--cpus", str(cpus), *pack], check=True)
            out = self._qemu(what + " on Drydock", self.arch.machine, *words,
                             "-initrd", bundle)
        if not out.endswith("end off\n"):
            raise Failure("%s did not end well:\n%s" % (what, out[-2000:]))
        return out

    # ---- what is measured ----

    def operations(self, guest):
        """({operation: ns without}, {operation: ns with}, {operation: path}, Counts)."""
        with tempfile.TemporaryDirectory() as folder:
            counts, trace = os.path.join(folder, "counts"), os.path.join(folder, "trace")
            without = costs_in(self.without("the cost guest", guest))
            out = self.with_drydock("the cost guest", "--kernel", guest, "--mem", "64M", counts=counts, trace=trace)
            return without, costs_in(out), name_paths(paths_of(trace), self.arch), Counts(counts)

    def _kernel(self, kernel, folder):
        if not self.arch.unpacks:
            return kernel
        out = os.path.join(folder, "vmlinux")
        subprocess.run([sys.executable, UNPACK, "--kernel", kernel, "--out", out], check=True)
        return out

    def boot(self, what, kernel, initrd, append):
        """Counts of a whole boot, from the hypervisor's first instruction to power-off."""
        with tempfile.TemporaryDirectory() as folder:
            counts = os.path.join(folder, "counts")
            out = self.with_drydock(what, "--kernel", self._kernel(kernel, folder), "--initrd", initrd, "--append", append,
                                    "--mem", "256M", counts=counts)
            if "GUEST-READY" not in out:
                raise Failure(what + " did not reach GUEST-READY")
            return Counts(counts)

    def boot_without(self, what, kernel, initrd, append):
        """Instructions of the same boot without a hypervisor, from the kernel's first one; None if it is the same machine."""
        if not self.arch.unpacks:
            return None
        with tempfile.TemporaryDirectory() as folder:
            kernel, counts = self._kernel(kernel, folder), os.path.join(folder, "counts")
            self._qemu(what + ", without hypervisor", self.arch.plain_machine, "-m", "256M", "-kernel", kernel, "-initrd", initrd,
                       "-append", append, "-plugin", "%s,at=%#x,entry=0,image=1,firmware=0,out=%s" % (
                           self.plugin, pvh_entry(kernel), counts))
            return Counts(counts).total["other"]

    def memory(self, guest):
        """(bytes of the first vCPU and all that is the VM's, bytes of each further vCPU, tables' bytes)."""
        used = []
        for cpus in (1, 2):
            out = self.with_drydock("%d vCPU" % cpus, "--kernel", guest, "--mem", "64M", "--report", cpus=cpus)
            used.append(dict(re.findall(r"stat (memory\.\w+) (\d+)", out)))
        arena = [int(each["memory.arena"]) for each in used]
        return arena[0] - (arena[1] - arena[0]), arena[1] - arena[0], int(used[0]["memory.tables"])


def costs_in(text):
    return {name: int(ns) for name, ns in re.findall(r"COST (.+) (\d+) ns\r?\n", text)}

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts what the hypervisor costs, in instructions (QEMU, -icount shift=0).

usage: bench_costs.py [--cpu MODEL] [--json FILE] [--budget FILE] [--no-boots]

tests/guests/cost.c measures the operations from inside a guest, once under Drydock and once without a
hypervisor; Debian's kernel is booted with statistics. --budget: compares with the numbers kept in
FILE, and fails when a cost is above its own; --no-boots leaves the boots out.

tools/drydock sets DRYDOCK_HOST, DRYDOCK_EL2_IMAGE, DRYDOCK_GUESTS, DRYDOCK_KERNEL and DRYDOCK_INITRD.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

PATIENCE = 300

# What an exit costs before it reads the counter and after, less what the reading costs (docs/costs.md).
UNSEEN_PER_EXIT = 40

# Operation, as cost.c calls it; what people call it; what we want to reach.
OPERATIONS = (
    ("hvc PSCI_VERSION", "HVC PSCI_VERSION", 100),
    ("read GICD_TYPER", "trapped MMIO read (GICD_TYPER)", 140),
    ("read UARTFR", "emulated UART read (UARTFR)", 160),
    ("SGI to itself", "SGI to self, until the handler runs", 400),
    ("virtual timer", "virtual timer, deadline to handler", 150),
    ("entry", "hypervisor entry to first guest instruction", 225000),
)

BOOTS = (
    ("boot quiet", "Debian boot, quiet", "cryptomgr.notests quiet", 0.10),
    ("boot console", "Debian boot, console on", "console=ttyAMA0", 0.6),
)


def progress(what):
    if sys.stderr.isatty():
        print(f"\r\033[K{what}…", end="", file=sys.stderr, flush=True)


def need(name):
    value = os.environ.get(name)
    if not value or not os.path.exists(value):
        print(f"bench_costs.py: {name} is {value or 'not set'}; start by tools/drydock bench", file=sys.stderr)
        sys.exit(77)
    return value


def run(words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, text=True,
                          errors="replace", check=False, **more)
    return done.stdout + done.stderr


def costs(text):
    found = dict(re.findall(r"^COST (.+) (\d+) ns$", text.replace("\r", ""), re.M))
    if "ALL PASS" not in text:
        sys.exit("bench_costs.py: the cost guest failed:\n" + text)
    return {name: int(value) for name, value in found.items()}


def under_drydock(cpu, kernel, *words):
    return [need("DRYDOCK_HOST"), "run", "--backend", "qemu", "--deterministic", "--kernel", kernel,
            "--timeout", "250", "--qemu-args", "-cpu " + cpu, *words]


def operations(cpu):
    kernel = os.path.join(need("DRYDOCK_GUESTS"), "cost.elf")
    progress("operations without a hypervisor")
    none = costs(run(["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", cpu, "-icount", "shift=0,sleep=off",
                      "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none", "-no-reboot",
                      "-kernel", kernel]))
    progress("operations under Drydock")
    return none, costs(run(under_drydock(cpu, kernel)))


def boot(cpu, append):
    progress("Debian, " + append)
    with tempfile.TemporaryDirectory() as folder:
        stats = os.path.join(folder, "stats.json")
        text = run(under_drydock(cpu, need("DRYDOCK_KERNEL"), "--initrd", need("DRYDOCK_INITRD"), "--append", append,
                                 "--stats=" + stats))
        if not os.path.exists(stats):
            sys.exit("bench_costs.py: the boot failed:\n" + text[-2000:])
        with open(stats, encoding="utf-8") as file:
            counted = json.load(file)
    exits = sum(value for name, value in counted.items() if name.startswith("exits."))
    unseen = exits * UNSEEN_PER_EXIT
    hypervisor = counted["time.hypervisor"] * 1e9 + unseen
    guest = counted["time.guest"] * 1e9 - unseen
    kinds = {name[6:]: value for name, value in counted.items() if name.startswith("exits.") and value}
    return {"percent": 100 * hypervisor / guest, "exits": exits, "per_exit": hypervisor / max(exits, 1), "kinds": kinds}


def text_size():
    image = os.path.splitext(need("DRYDOCK_EL2_IMAGE"))[0] + ".elf"
    sections = run(["aarch64-linux-gnu-objdump", "-h", image]) or run(["objdump", "-h", image])
    found = re.search(r"^\s*\d+ \.text\s+([0-9a-f]+)", sections, re.M)
    return int(found.group(1), 16) if found else 0


def compare(measured, path):
    with open(path, encoding="utf-8") as file:
        budget = json.load(file)
    over = [f"{name}: {measured[name]}, the budget is {most}" for name, most in budget.items()
            if measured.get(name, 0) > most]
    for line in over:
        print("over the budget: " + line, file=sys.stderr)
    if over:
        print(f"Make it cheaper, or say in the commit why it is worth that and change {path}.", file=sys.stderr)
    return not over


def main():
    parser = argparse.ArgumentParser(description="Counts what the hypervisor costs, in instructions.")
    parser.add_argument("--cpu", default="cortex-a57")
    parser.add_argument("--json")
    parser.add_argument("--budget")
    parser.add_argument("--no-boots", action="store_true")
    options = parser.parse_args()

    none, drydock = operations(options.cpu)
    measured = {name: drydock[name] for name, _, _ in OPERATIONS}
    measured["text"] = text_size()
    boots = {} if options.no_boots else {name: boot(options.cpu, append) for name, _, append, _ in BOOTS}
    progress("")
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)

    print(f"Instructions, QEMU -cpu {options.cpu} -icount shift=0\n")
    print(f"{'operation':<46}{'none':>8}{'Drydock':>10}{'goal':>9}")
    for name, words, goal in OPERATIONS:
        alone = "–" if name == "entry" else none[name]
        print(f"{words:<46}{alone:>8}{measured[name]:>10}{goal:>9}")
    print(f"{'image .text, bytes':<46}{'':>8}{measured['text']:>10}{96 * 1024:>9}")
    for name, words, _, goal in BOOTS:
        if name in boots:
            its = boots[name]
            percent, most = f"{its['percent']:.2f} %", f"{goal:.2f} %"
            print(f"{words:<46}{'':>8}{percent:>10}{most:>9}   {its['exits']} exits, {its['per_exit']:.0f} each")
            print("    " + ", ".join(f"{kind} {count}" for kind, count in its["kinds"].items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"cpu": options.cpu, "none": none, "drydock": measured, "boots": boots}, file, indent=2)
    if options.budget and not compare(measured, options.budget):
        sys.exit(1)


main()

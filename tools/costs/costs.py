#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tools/drydock bench --arch aarch64`: counted costs, next to those of the same guest without a hypervisor.

With --check BUDGET: whether no count is above what is kept in that file; the test check.costs.
"""
import argparse
import itertools
import json
import os
import shutil
import sys

from machine import OPERATIONS, Failure, Machine

SKIPPED = 77

GOALS = {"hvc PSCI_VERSION": 100, "read GICD_TYPER": 140, "read UARTFR": 160, "SGI to itself": 400,
         "virtual timer": 150}
GOAL_ENTRY, GOAL_TEXT = 225000, 96 << 10
# What is booted, and how much of an overhead we want. With earlycon most lines are printed twice.
BOOTS = (("Debian, quiet", "console=ttyAMA0 cryptomgr.notests quiet", 0.10),
         ("Debian, console", "console=ttyAMA0", 0.60),
         ("Debian, console and earlycon", "earlycon=pl011,0x9000000 console=ttyAMA0", None))


def say(text):
    print("drydock: " + text, file=sys.stderr, flush=True)


def measure_operations(machine, guest):
    without, ours, paths, counts = machine.operations(guest)
    empty = ours["nothing"]
    result = {name: {"none": without[name] - without["nothing"] if name != "virtual timer" else without[name],
                     "drydock": ours[name] - empty if name != "virtual timer" else ours[name],
                     "path": len(paths[name]), "goal": GOALS[name]} for name in OPERATIONS}
    return result, counts.total["before"], paths


def measure_boot(machine, name, append, goal):
    counts = machine.boot(name, os.environ["DRYDOCK_AARCH64_KERNEL"], os.environ["DRYDOCK_AARCH64_INITRD"], append)
    inside = counts.total["image"] - counts.total["before"]
    exits = counts.exits(machine.image)
    return {"hypervisor": inside, "guest": counts.total["other"], "exits": exits, "kinds": counts.kinds(machine.image),
            "per_exit": inside / exits,
            "overhead_percent": 100 * inside / counts.total["other"], "goal_percent": goal}


def measure(machine, guest, boots):
    operations, entry, paths = measure_operations(machine, guest)
    vm, vcpu, tables = machine.memory(guest)
    result = {"cpu": machine.cpu, "operations": operations, "entry": {"drydock": entry, "goal": GOAL_ENTRY},
              "text": {"bytes": machine.image.text_size(), "goal": GOAL_TEXT},
              "memory": {"vm": vm, "vcpu": vcpu, "tables": tables},
              "boots": {name: measure_boot(machine, name, append, goal) for name, append, goal in boots}}
    return result, paths


def print_table(result):
    row = "%-44s %10s %10s %10s"
    print("Instructions, in QEMU under -icount shift=0, -cpu %s, one CPU.\n" % result["cpu"])
    print(row % ("operation", "none", "Drydock", "goal"))
    for name, each in result["operations"].items():
        print(row % (name, each["none"], each["drydock"], each["goal"]))
    print(row % ("  of these in the hypervisor", "", "", ""))
    for name, each in result["operations"].items():
        print(row % ("    " + name, "", each["path"], ""))
    print(row % ("entry to the guest's first instruction", "", result["entry"]["drydock"], result["entry"]["goal"]))
    for name, each in result["boots"].items():
        print(row % (name + ": overhead [%]", "", "%.3f" % each["overhead_percent"], each["goal_percent"] or ""))
        print(row % ("    exits", "", each["exits"], ""))
        for kind, count in each["kinds"].items():
            print(row % ("        " + kind, "", count, ""))
        print(row % ("    instructions per exit", "", "%.0f" % each["per_exit"], ""))
    print(row % ("image .text [bytes]", "", result["text"]["bytes"], result["text"]["goal"]))
    print(row % ("memory of a VM [bytes]", "", result["memory"]["vm"], ""))
    print(row % ("    and for each vCPU", "", result["memory"]["vcpu"], ""))
    print(row % ("    and in Stage-2 tables (64 MiB of RAM)", "", result["memory"]["tables"], ""))


def print_listing(machine, paths):
    """Where the instructions of each path go, in the order in which they run."""
    machine.image.learn_lines(itertools.chain(*paths.values()))
    for name, path in paths.items():
        print("\n%s: %d instructions in the hypervisor" % (name, len(path)))
        for function, group in itertools.groupby(path, machine.image.inner_function_at):
            print("%6d  %s" % (len(list(group)), function))


def read_budget(path):
    """{(cpu, what): most}; a line has the CPU, a tab, what is counted, a tab, and how many at most."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return {(cpu, what): int(most) for cpu, what, most in rows}


def counted(machine, guest):
    operations, entry, paths = measure_operations(machine, guest)
    counts = {name: each["path"] for name, each in operations.items()}
    counts.update({"entry": entry, "text": machine.image.text_size()})
    return counts, paths


def check(budget_file, guest):
    budget, failed = read_budget(budget_file), False
    for cpu in sorted({cpu for cpu, _ in budget}):
        machine = Machine(cpu)
        counts, paths = counted(machine, guest)
        for what, count in counts.items():
            most = budget[cpu, what]
            good = count <= most
            print("%s %s %s: %d, at most %d" % ("ok  " if good else "FAIL", cpu, what, count, most))
            if not good and what in paths:
                print_listing(machine, {what: paths[what]})
            failed = failed or not good
    return 1 if failed else 0


def missing():
    """What a run needs and is not there."""
    if not shutil.which("qemu-system-aarch64"):
        return "qemu-system-aarch64"
    for name in ("DRYDOCK_HOST", "DRYDOCK_EL2_IMAGE", "DRYDOCK_COUNT", "DRYDOCK_GUESTS"):
        if not os.path.exists(os.environ.get(name, "")):
            return os.environ.get(name) or name
    return None


def main():
    parser = argparse.ArgumentParser(prog="tools/drydock bench")
    parser.add_argument("--arch", choices=["aarch64"], default="aarch64")
    parser.add_argument("--cpu", default="cortex-a57")
    parser.add_argument("--json")
    parser.add_argument("--listing", action="store_true")
    parser.add_argument("--no-boots", action="store_true")
    parser.add_argument("--check", metavar="BUDGET")
    options = parser.parse_args()
    absent = missing()
    if absent:
        say(absent + " is missing; run tools/drydock build")
        return SKIPPED if options.check else 1
    guest = os.path.join(os.environ["DRYDOCK_GUESTS"], "cost.elf")
    if options.check:
        return check(options.check, guest)
    machine = Machine(options.cpu, say)
    result, paths = measure(machine, guest, () if options.no_boots else BOOTS)
    print_table(result)
    if options.listing:
        print_listing(machine, paths)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        say(str(failure))
        sys.exit(1)

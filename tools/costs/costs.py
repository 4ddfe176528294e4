#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tools/drydock bench --arch ARCH`: counted costs, next to those of the same guest without a hypervisor.

With --check BUDGET: whether no count is above what is kept in that file; the test check.costs.
"""
import argparse
import itertools
import json
import os
import shutil
import sys

from arch import ARCHES, GOAL_TEXT
from machine import Failure, Machine

SKIPPED = 77


def say(text):
    print("drydock: " + text, file=sys.stderr, flush=True)


def measure_operations(machine, guest):
    without, ours, paths, counts = machine.operations(guest)

    def cost(said, name):
        """None: there is no such thing without a hypervisor."""
        if name not in said:
            return None
        return said[name] - (0 if name in machine.arch.lateness else said["nothing"])

    result = {name: {"none": cost(without, name), "drydock": cost(ours, name), "path": len(paths[name]), "goal": goal}
              for name, goal in machine.arch.goals.items()}
    return result, counts.total["before"], paths


def measure_boot(machine, name, append, goal):
    what = name, os.environ[machine.arch.kernel_env], os.environ[machine.arch.initrd_env], append
    counts, without = machine.boot(*what), machine.boot_without(*what)
    inside = counts.total["image"] - counts.total["before"]
    exits = counts.exits(machine.arch, machine.image)
    return {"hypervisor": inside, "without": without, "firmware": counts.total["firmware"], "guest": counts.total["other"], "exits": exits, "kinds": counts.kinds(machine.image),
            "per_exit": inside / exits,
            "overhead_percent": 100 * inside / counts.total["other"], "goal_percent": goal}


def measure(machine, guest, boots):
    operations, entry, paths = measure_operations(machine, guest)
    vm, vcpu, tables = machine.memory(guest)
    result = {"arch": machine.arch.name, "cpu": machine.cpu, "operations": operations, "entry": {"drydock": entry, "goal": machine.arch.goal_entry},
              "text": {"bytes": machine.image.text_size(), "goal": GOAL_TEXT},
              "memory": {"vm": vm, "vcpu": vcpu, "tables": tables},
              "boots": {name: measure_boot(machine, name, append, goal) for name, append, goal in boots}}
    return result, paths


def print_table(result):
    row = "%-44s %10s %10s %10s"
    print("Instructions, in QEMU under -icount shift=0, -cpu %s, one CPU.\n" % result["cpu"])
    print(row % ("operation", "none", "Drydock", "goal"))
    for name, each in result["operations"].items():
        print(row % (name, "" if each["none"] is None else each["none"], each["drydock"], each["goal"] or ""))
    print(row % ("  of these in the hypervisor", "", "", ""))
    for name, each in result["operations"].items():
        print(row % ("    " + name, "", each["path"], ""))
    print(row % ("entry to the guest's first instruction", "", result["entry"]["drydock"], result["entry"]["goal"] or ""))
    for name, each in result["boots"].items():
        print(row % (name + ": overhead [%]", "", "%.3f" % each["overhead_percent"], each["goal_percent"] or ""))
        if each["without"]:
            print(row % ("    all instructions", each["without"], each["hypervisor"] + each["guest"], ""))
        print(row % ("    exits", "", each["exits"], ""))
        for kind, count in each["kinds"].items():
            print(row % ("        " + kind, "", count, ""))
        print(row % ("    instructions per exit", "", "%.0f" % each["per_exit"], ""))
    print(row % ("image .text [bytes]", "", result["text"]["bytes"], result["text"]["goal"]))
    print(row % ("memory of a VM [bytes]", "", result["memory"]["vm"], ""))
    print(row % ("    and for each vCPU", "", result["memory"]["vcpu"], ""))
    print(row % ("    and in nested page tables (64 MiB of RAM)", "", result["memory"]["tables"], ""))


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


def check(arch, budget_file, guest):
    budget, failed = read_budget(budget_file), False
    for cpu in sorted({cpu for cpu, _ in budget}):
        machine = Machine(arch, cpu)
        counts, paths = counted(machine, guest)
        for what, count in counts.items():
            most = budget[cpu, what]
            good = count <= most
            print("%s %s %s: %d, at most %d" % ("ok  " if good else "FAIL", cpu, what, count, most))
            if not good and what in paths:
                print_listing(machine, {what: paths[what]})
            failed = failed or not good
    return 1 if failed else 0


def missing(arch):
    """What a run needs and is not there."""
    if not shutil.which(arch.qemu):
        return arch.qemu
    for name in ("DRYDOCK_HOST", arch.image_env, "DRYDOCK_COUNT", "DRYDOCK_GUESTS"):
        if not os.path.exists(os.environ.get(name, "")):
            return os.environ.get(name) or name
    return None


def main():
    parser = argparse.ArgumentParser(prog="tools/drydock bench")
    parser.add_argument("--arch", choices=sorted(ARCHES), required=True)
    parser.add_argument("--cpu")
    parser.add_argument("--json")
    parser.add_argument("--listing", action="store_true")
    parser.add_argument("--no-boots", action="store_true")
    parser.add_argument("--check", metavar="BUDGET")
    options = parser.parse_args()
    arch = ARCHES[options.arch]
    absent = missing(arch)
    if absent:
        say(absent + " is missing; run tools/drydock build")
        return SKIPPED if options.check else 1
    guest = os.path.join(os.environ["DRYDOCK_GUESTS"], arch.guest)
    if options.check:
        return check(arch, options.check, guest)
    machine = Machine(arch, options.cpu or arch.cpu, say)
    result, paths = measure(machine, guest, () if options.no_boots else arch.boots)
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

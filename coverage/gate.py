#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds every file of core to its floor of covered lines and branches.

Reads an lcov tracefile (geninfo(1)), the floors and the exclusions. Fails on a file below its floor, on a
file of core that no test touches, and on an exclusion that matches nothing any more.
"""
import argparse
import os
import sys


class Counts:
    def __init__(self):
        self.lines = {}  # line -> hits
        self.branches = {}  # (line, block, branch) -> taken

    def ratio(self, kind):
        values = list(getattr(self, kind).values())
        return (sum(1 for v in values if v), len(values))


def read_info(path, root):
    files, current = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            tag, _, rest = line.strip().partition(":")
            if tag == "SF":
                current = files.setdefault(os.path.relpath(rest, root), Counts())
            elif tag == "DA":
                number, hits = rest.split(",")[:2]
                current.lines[int(number)] = current.lines.get(int(number), 0) + int(hits)
            elif tag == "BRDA":
                number, block, branch, taken = rest.split(",")
                key = (int(number), block, branch)
                taken = 0 if taken == "-" else int(taken)
                current.branches[key] = current.branches.get(key, 0) + taken
    return {name: counts for name, counts in files.items() if name.startswith("core/")}


def rows(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.strip()


def exclude(files, root, path):
    """Rows: FILE | TEXT ON THE LINE | REASON. Takes matching lines out of the counts."""
    wrong = []
    for number, row in rows(path):
        parts = [part.strip() for part in row.split("|")]
        if len(parts) != 3 or not all(parts):
            wrong.append("%s:%d: a row is FILE | TEXT | REASON" % (path, number))
            continue
        name, text, _ = parts
        with open(os.path.join(root, name), encoding="utf-8") as file:
            hit = {n for n, line in enumerate(file, 1) if text in line}
        if not hit or name not in files:
            wrong.append("%s:%d: matches nothing: %s | %s" % (path, number, name, text))
            continue
        counts = files[name]
        counts.lines = {n: h for n, h in counts.lines.items() if n not in hit}
        counts.branches = {k: h for k, h in counts.branches.items() if k[0] not in hit}
    return wrong


def read_floors(path):
    """Rows: FILE LINES BRANCHES, in percent; the file `*` is everybody else."""
    floors = {}
    for _, row in rows(path):
        name, lines, branches = row.split()
        floors[name] = (float(lines), float(branches))
    return floors


def percent(covered, total):
    return 100.0 * covered / total if total else 100.0


def missed(counts):
    lines = sorted(n for n, hits in counts.lines.items() if not hits)
    branches = sorted({k[0] for k, hits in counts.branches.items() if not hits})
    return "lines not run: %s; branches not taken at: %s" % (lines, branches)


def has_code(path):
    """A function's body opens on a line of its own. Files of data have nothing to run."""
    with open(path, encoding="utf-8") as file:
        return any(line == "{\n" for line in file)


def untouched(files, root):
    for folder, _, names in os.walk(os.path.join(root, "core")):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(".c") and path not in files and has_code(os.path.join(folder, name)):
                yield path


def judge(files, floors):
    wrong = []
    total = [0, 0, 0, 0]
    print("%-44s %8s %8s" % ("file", "lines", "branches"))
    for name in sorted(files):
        counts = files[name]
        lines, branches = counts.ratio("lines"), counts.ratio("branches")
        total = [a + b for a, b in zip(total, lines + branches)]
        got = (percent(*lines), percent(*branches))
        print("%-44s %7.1f%% %7.1f%%" % (name, *got))
        floor = floors.get(name, floors["*"])
        if got[0] < floor[0] or got[1] < floor[1]:
            wrong.append("%s: below its floor of %g%% lines, %g%% branches; %s"
                         % (name, *floor, missed(counts)))
    print("%-44s %7.1f%% %7.1f%%" % ("all of core", percent(*total[:2]), percent(*total[2:])))
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("root", "info", "floors", "exclusions"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    files = read_info(args.info, args.root)
    wrong = ["%s: no test touches it" % path for path in untouched(files, args.root)]
    wrong += exclude(files, args.root, args.exclusions)
    wrong += judge(files, read_floors(args.floors))
    for line in wrong:
        print("FAIL " + line)
    print("coverage: %s" % ("%d failures" % len(wrong) if wrong else "every file is above its floor"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks who includes whom (tools/layers.txt) and what core must not contain.

R2 one door and a table of allowed edges, R3 no arch folder includes another and no device another,
R4 no inline assembly, no #if on an architecture, no weak symbols, no constructors under core/.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "stdatomic.h", "limits.h", "stdalign.h", "stdarg.h"}
FORBIDDEN_IN_CORE = (
    (re.compile(r"\b(?:__asm__|asm)\b\s*(?:volatile|\()"), "inline assembly"),
    (re.compile(r"#\s*(?:el)?if.*(?:__aarch64__|__riscv|__x86_64__|__arm__)"), "#if on an architecture"),
    (re.compile(r"__attribute__\s*\(\(.*\b(?:weak|constructor|destructor|section)\b"), "a linker trick"),
)


class Rules:
    def __init__(self, path):
        self.allowed, self.doors, self.hosted = {}, {}, set()
        with open(path, encoding="utf-8") as file:
            for line in file:
                self._read(line.split("#")[0].strip())

    def _read(self, line):
        if line.startswith("door "):
            _, folder, *files = line.split()
            self.doors[folder] = files
        elif line:
            left, right = line.split(":")
            words = left.split()
            self.allowed[words[-1]] = right.split()
            if words[0] == "hosted":
                self.hosted.add(words[-1])

    def room_of(self, folder):
        """The longest prefix of the folder that has a rule."""
        while folder and folder not in self.allowed:
            folder = os.path.dirname(folder)
        return folder

    def may(self, room, target):
        return any(target == edge or target.startswith(edge + "/") for edge in self.allowed[room])

    def is_door(self, folder, name):
        return name in self.doors.get(folder, [os.path.basename(folder) + ".h"])


def resolve(kind, name, folder):
    """The file of this tree that an include names, relative to ROOT, or None."""
    places = [folder] if kind == '"' else []
    places += ["core/include", "core", "backends/unicorn", "backends/baremetal", "tools/host", "fakes"]
    for place in places:
        path = os.path.normpath(os.path.join(place, name))
        if os.path.isfile(os.path.join(ROOT, path)):
            return path
    return None


def family(folder):
    """A device's own folder: core/dev/NAME; virtio's children count as one family."""
    return "/".join(folder.split("/")[:3])


def check_include(rules, path, kind, name):
    folder = os.path.dirname(path)
    room = rules.room_of(folder)
    target = resolve(kind, name, folder)
    if ".." in name.split("/"):
        return "'..' in an include"
    if target is None:
        hosted = any(room == h or folder.startswith(h + "/") for h in rules.hosted)
        return None if hosted or name in FREESTANDING else "<%s> does not exist here" % name
    to = os.path.dirname(target)
    if to == "core/include/hv" or to == folder:
        return None
    if folder.startswith("core/dev/") and to.startswith("core/dev/"):
        return None if family(folder) == family(to) else "a device includes another one"
    if to.startswith(room + "/") or folder.startswith(to + "/"):
        return None
    if not rules.may(room, to):
        return "%s may not include %s" % (room, to)
    if not rules.is_door(to, os.path.basename(target)):
        return "%s is not a door of %s" % (os.path.basename(target), to)
    return None


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def check_file(rules, path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        raw = file.read()
    if "SPDX-License-Identifier: MIT" not in raw[:200]:
        yield 1, "no SPDX line"
    for number, line in enumerate(strip_comments(raw).splitlines(), 1):
        match = INCLUDE.match(line)
        wrong = check_include(rules, path, *match.groups()) if match else None
        if wrong:
            yield number, wrong
        if path.startswith("core/"):
            for pattern, what in FORBIDDEN_IN_CORE:
                if pattern.search(line):
                    yield number, what


def sources(rules):
    for top in ("core", "backends", "fakes", "tools/host"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    path = os.path.relpath(os.path.join(folder, name), ROOT)
                    if not rules.room_of(os.path.dirname(path)):
                        sys.exit("%s: its folder has no rule in tools/layers.txt" % path)
                    yield path


def main():
    rules = Rules(os.path.join(ROOT, "tools", "layers.txt"))
    wrong = count = 0
    for path in sources(rules):
        count += 1
        for line, what in check_file(rules, path):
            print("%s:%d: %s" % (path, line, what))
            wrong += 1
    print("%d files, %d violations" % (count, wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every relative link of every Markdown file leads to a file of this tree."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documents():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in ("build", ".git", ".cache")]
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".md"))


def main():
    wrong = count = 0
    for path in documents():
        with open(path, encoding="utf-8") as file:
            links = LINK.findall(file.read())
        for link in links:
            count += 1
            if "://" not in link and not os.path.exists(os.path.join(os.path.dirname(path), link)):
                print("%s: no such file: %s" % (os.path.relpath(path, ROOT), link))
                wrong += 1
    print("%d links, %d broken" % (count, wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

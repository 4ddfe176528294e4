#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a model with Spin: the model must hold, and each of its mutants must not.

usage: check_model.py MODEL.pml

A mutant is a rule of the model that `#ifdef MUTANT_<NAME>` (or #ifndef) undoes. Exit status 77: Spin or
a C compiler is missing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

DEPTH = "-m1000000"


def check(model, folder, defines):
    """Returns Spin's number of errors, and what it printed."""
    subprocess.run(["spin", *defines, "-a", model], cwd=folder, check=True, capture_output=True)
    subprocess.run(["cc", "-O1", "-w", "-DSAFETY", "-o", "pan", "pan.c"], cwd=folder, check=True)
    found = subprocess.run(["./pan", DEPTH], cwd=folder, check=True, capture_output=True, text=True)
    errors = re.search(r"errors: (\d+)", found.stdout)
    if not errors or "too small" in found.stdout:
        sys.exit(f"check_model.py: the search did not end:\n{found.stdout}")
    return int(errors.group(1)), found.stdout


def states(text):
    return re.search(r"(\d+) states, stored", text).group(1)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model = os.path.abspath(sys.argv[1])
    if not shutil.which("spin") or not shutil.which("cc"):
        print("spin or cc is missing")
        sys.exit(77)
    with open(model, encoding="utf-8") as file:
        mutants = sorted(set(re.findall(r"#ifn?def (MUTANT_[A-Z_]+)", file.read())))
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        errors, text = check(model, folder, [])
        print(f"the model: {errors} errors, {states(text)} states")
        if errors:
            print(text)
            wrong.append("the model does not hold")
        for mutant in mutants:
            errors, text = check(model, folder, [f"-D{mutant}"])
            print(f"{mutant}: {'found' if errors else 'NOT FOUND'}")
            if not errors:
                wrong.append(f"{mutant} goes unnoticed")
    if not mutants:
        wrong.append("the model has no mutant, so nothing says that it can fail")
    for line in wrong:
        print(f"check_model.py: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the symbols of libcore: what it asks for, what it defines, and that it keeps no state.

R5 undefined symbols are port_* and the four mem functions; every global has its folder's prefix;
R8 no mutable file-scope data. Usage: check_symbols.py NM LIBRARY
"""
import re
import subprocess
import sys

MEM = {"memcpy", "memmove", "memset", "memcmp"}
PREFIXES = """
hv pt vm load fdt board virt_a64 virt_rv64 pc_x86 pc_acpi pc_firmware
a64 psci smccc rv64 x86 svm
gic vgic gicv2 gicv3 plic aplic lapic lapics ioapic pic8259 pit8254
pl011 pl031 ns16550 goldfish_rtc cmos fw_cfg acpi_pm pc_reset pflash virtio
"""
PREFIX = re.compile("^(%s)_" % "|".join(PREFIXES.split()))
# What a compiler's instrumentation adds; only ever in sanitizer or coverage builds.
INSTRUMENT = re.compile(r"^(__asan|__ubsan|__gcov|__llvm|_GLOBAL_|__sanitizer|__start___|__stop___)")


def symbols(nm, library):
    """(object, class, name) of every symbol; constants that need relocation count as read-only."""
    out = subprocess.run([nm, "--format=sysv", library], check=True, capture_output=True, text=True).stdout
    member = ""
    for line in out.splitlines():
        match = re.match(r"(?:Symbols|Undefined symbols) from .*\[(.*)\]:", line)
        if match:
            member = match.group(1)
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name":
            kind = fields[2]
            if fields[6].startswith(".data.rel.ro"):
                kind = "R" if kind.isupper() else "r"
            yield member, kind, fields[0]


def main():
    found = list(symbols(sys.argv[1], sys.argv[2]))
    names = [name for _, kind, name in found if kind in "TDBRVWC"]
    wrong = []
    for member, kind, name in found:
        if INSTRUMENT.match(name) or name.startswith((".L", "$")):
            continue
        if kind == "U" and name not in MEM and name not in names and not name.startswith("port_"):
            wrong.append("%s: asks for %s" % (member, name))
        if kind in "bBdDC":
            wrong.append("%s: %s is mutable file-scope state" % (member, name))
        if name in names and kind != "U" and not PREFIX.match(name):
            wrong.append("%s: %s lacks its folder's prefix" % (member, name))
    for name in sorted({n for n in names if names.count(n) > 1}):
        wrong.append("%s is defined twice" % name)
    print("\n".join(wrong))
    print("%d symbols, %d violations" % (len(found), len(wrong)))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

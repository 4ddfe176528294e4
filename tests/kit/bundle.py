# SPDX-License-Identifier: MIT
"""Bundles as hv/bundle.h has them, good ones and such as `tools/drydock pack` would never write."""
import struct

from arches import ARCH

ALIGN = 4096
MAGIC, VERSION, COMPATIBLE_VERSION = 0xD00DFEED, 17, 16
BEGIN_NODE, END_NODE, PROP, END = 1, 2, 3, 9


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def pad(data, to):
    return data + bytes(-len(data) % to)


class Tree:
    """The structure and strings blocks of a flattened device tree (Devicetree Specification, 5)."""

    def __init__(self):
        self.body, self.strings = b"", b""

    def begin(self, name):
        self.body += pad(u32(BEGIN_NODE) + name.encode() + b"\0", 4)

    def end(self):
        self.body += u32(END_NODE)

    def prop(self, name, value):
        at = len(self.strings)
        self.strings += name.encode() + b"\0"
        self.body += pad(u32(PROP) + u32(len(value)) + u32(at) + value, 4)

    def blob(self):
        body = self.body + u32(END)
        reserve = bytes(16)
        structs = 40 + len(reserve)
        total = structs + len(body) + len(self.strings)
        header = struct.pack(">10I", MAGIC, total, structs, structs + len(body), 40, VERSION,
                             COMPATIBLE_VERSION, 0, len(self.strings), len(body))
        return header + reserve + body + self.strings


def riscv64_tree(isa="rv64imafdc", ram=0x80000000, memory=64 << 20):
    """The least that a riscv64 guest of one hart can be given."""
    tree = Tree()
    tree.begin("")
    tree.prop("#address-cells", u32(2))
    tree.prop("#size-cells", u32(2))
    tree.begin("memory@%x" % ram)
    tree.prop("device_type", b"memory\0")
    tree.prop("reg", u64(ram) + u64(memory))
    tree.end()
    tree.begin("cpus")
    tree.prop("#address-cells", u32(1))
    tree.prop("#size-cells", u32(0))
    tree.prop("timebase-frequency", u32(10000000))
    tree.begin("cpu@0")
    tree.prop("device_type", b"cpu\0")
    tree.prop("compatible", b"riscv\0")
    tree.prop("reg", u32(0))
    tree.prop("riscv,isa", isa.encode() + b"\0")
    tree.end()
    tree.end()
    tree.end()
    return tree.blob()


def bundle(memory=64 << 20, cpus=1, vms=1, machine=ARCH.elf, gic=ARCH.gic, token=None, **parts):
    """parts: kernel, initrd, dtb, flash as bytes; each VM gets its own copy. gic None: no such property."""
    images, places = b"", []
    for index in range(vms):
        for name, data in parts.items():
            places.append((index, name, u64(ALIGN + len(images)) + u64(len(data))))
            images += pad(data, ALIGN)
    tree = Tree()
    tree.begin("")
    tree.prop("compatible", b"drydock,bundle-1\0")
    tree.prop("machine", u32(machine))
    tree.prop("total-size", u64(ALIGN + len(images)))
    if token:
        tree.prop("token", token.encode() + b"\0")
    for index in range(vms):
        tree.begin("vm@%d" % index)
        tree.prop("cpus", u32(cpus))
        if gic:
            tree.prop("gic-version", u32(gic))
        tree.prop("memory-size", u64(memory))
        for owner, name, place in places:
            if owner == index:
                tree.prop(name, place)
        tree.end()
    tree.end()
    return pad(tree.blob(), ALIGN) + images

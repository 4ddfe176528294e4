#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the hand-made part of the corpus: one small good file of every shape that the loaders know."""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"
RAM = 0x40000000


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def phdr(kind, offset, vaddr, paddr, filesz, memsz, align=8):
    return struct.pack("<IIQQQQQQ", kind, 7, offset, vaddr, paddr, filesz, memsz, align)


I386, X86_64, AARCH64, RISCV = 3, 62, 183, 243


def elf(kind, entry, phdrs, size=400, machine=AARCH64):
    head = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, kind, machine, 1, entry, 64, 0, 0, 64, 56,
                       len(phdrs), 0, 0, 0)
    return (head + b"".join(phdrs)).ljust(size, b"\x11")


def phdr32(kind, offset, paddr, filesz, memsz, align=4):
    return struct.pack("<8I", kind, offset, paddr, paddr, filesz, memsz, 7, align)


def elf32(entry, phdrs, body=b"", size=400):
    head = struct.pack("<4sBBB9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 2, I386, 1, entry, 52, 0, 0, 52, 32,
                       len(phdrs), 0, 0, 0)
    return (head + b"".join(phdrs) + body).ljust(size, b"\x11")


def multiboot(flags, *addresses):
    return struct.pack("<%dI" % (3 + len(addresses)), 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff, *addresses)


def note(entry, size):
    return struct.pack("<III4s", 4, size, 18, b"Xen\0") + entry.to_bytes(size, "little")


def bzimage(version, relocatable, xloadflags, pref, init_size, size=1800):
    data = bytearray(1024) + bytearray(b"\x90" * (size - 1024))
    for offset, form, value in (
            (0x1f1, "B", 1), (0x1f4, "I", (size - 1024) // 16), (0x1fe, "H", 0xaa55), (0x200, "2s", b"\xeb\x6a"),
            (0x202, "4s", b"HdrS"), (0x206, "H", version), (0x211, "B", 1), (0x214, "I", 0x100000),
            (0x22c, "I", 0x7fffffff), (0x230, "I", 0x1000), (0x234, "B", relocatable), (0x236, "H", xloadflags),
            (0x238, "I", 2047), (0x258, "Q", pref), (0x260, "I", init_size)):
        struct.pack_into("<" + form, data, offset, value)
    return bytes(data)


def image(text_offset, image_size, flags, size=200):
    head = struct.pack("<IIQQQQQQ4sI", 0x14000010, 0, text_offset, image_size, flags, 0, 0, 0, b"ARM\x64", 0)
    return head.ljust(size, b"\x22")


def image_rv64(text_offset, image_size, flags, version=2, magic2=b"RSC\x05", size=200):
    head = struct.pack("<IIQQQIIQ8s4sI", 0x6f, 0, text_offset, image_size, flags, version, 0, 0, b"RISCV", magic2, 0)
    return head.ljust(size, b"\x22")


class Fdt:
    """A device tree in the order in which it is written."""

    def __init__(self):
        self.structs, self.strings, self.offset = b"", b"", {}

    def name(self, text):
        if text not in self.offset:
            self.offset[text] = len(self.strings)
            self.strings += text.encode() + b"\0"
        return self.offset[text]

    def begin(self, name):
        raw = name.encode() + b"\0"
        self.structs += struct.pack(">I", 1) + raw + b"\0" * (-len(raw) % 4)

    def prop(self, name, value):
        self.structs += struct.pack(">III", 3, len(value), self.name(name)) + value + b"\0" * (-len(value) % 4)

    def end(self):
        self.structs += struct.pack(">I", 2)

    def bytes(self, reserved=()):
        rsv = b"".join(struct.pack(">QQ", *r) for r in reserved) + bytes(16)
        structs = self.structs + struct.pack(">I", 9)
        at = 40 + len(rsv)
        total = at + len(structs) + len(self.strings)
        head = struct.pack(">10I", 0xd00dfeed, total, at, at + len(structs), 40, 17, 16, 0, len(self.strings),
                           len(structs))
        return head + rsv + structs + self.strings


def machine():
    fdt = Fdt()
    fdt.begin("")
    fdt.prop("#address-cells", struct.pack(">I", 2))
    fdt.prop("#size-cells", struct.pack(">I", 2))
    fdt.begin("memory@40000000")
    fdt.prop("device_type", b"memory\0")
    fdt.prop("reg", struct.pack(">QQ", RAM, 0x10000000))
    fdt.end()
    fdt.begin("soc")
    fdt.prop("#address-cells", struct.pack(">I", 1))
    fdt.prop("ranges", b"")
    fdt.begin("uart@9000000")
    fdt.prop("compatible", b"arm,pl011\0arm,primecell\0")
    fdt.prop("reg", struct.pack(">II", 0x9000000, 0x1000))
    fdt.prop("status", b"okay\0")
    fdt.end()
    fdt.end()
    fdt.begin("chosen")
    fdt.prop("bootargs", b"quiet\0")
    fdt.prop("linux,initrd-start", struct.pack(">Q", RAM))
    fdt.end()
    fdt.end()
    return fdt


def harts(*claims):
    """A tree of harts, each with the properties that it is given."""
    fdt = Fdt()
    fdt.begin("")
    fdt.begin("cpus")
    fdt.prop("timebase-frequency", struct.pack(">I", 10000000))
    for index, props in enumerate(claims):
        fdt.begin(f"cpu@{index}")
        for name, value in props.items():
            fdt.prop(name.replace("_", "-"), value)
        fdt.end()
    fdt.end()
    fdt.end()
    return fdt.bytes()


def bundle(vms, token, machine=AARCH64):
    """Manifest in the first 4 KiB, then one small image after the other."""
    fdt = Fdt()
    images = []
    fdt.begin("")
    fdt.prop("compatible", b"drydock,bundle-1\0")
    fdt.prop("machine", struct.pack(">I", machine))
    count = sum(len(vm) for vm in vms)
    fdt.prop("total-size", struct.pack(">Q", 4096 * count + 16))
    if token:
        fdt.prop("token", token + b"\0")
        fdt.prop("stats", b"")
    for index, vm in enumerate(vms):
        fdt.begin(f"vm@{index}")
        fdt.prop("cpus", struct.pack(">I", 1))
        if machine == AARCH64:
            fdt.prop("gic-version", struct.pack(">I", 3))
        fdt.prop("memory-size", struct.pack(">Q", 0x800000))
        for name in vm:
            images.append(name)
            fdt.prop(name, struct.pack(">QQ", 4096 * len(images), 16))
        fdt.end()
    fdt.end()
    return fdt.bytes().ljust(4096, b"\0") + b"".join(b"\x33" * 16 + bytes(4080) for _ in images)[:-4080]


def x86(mode, code, count=5):
    """64-bit flat or 16-bit segments at 0, registers that point to low memory, rCX a small count."""
    segments = struct.pack(">HII", 0xc93, 0xffffffff, 0) * 6
    registers = b"".join(struct.pack(">Q", count if n == 1 else 0x1000 * n + 0xff0) for n in range(16))
    return (bytes([mode]) + bytes.fromhex(code).ljust(16, b"\x90") + struct.pack(">HBBQ", 2, 1, 0, 0x7000) + segments +
            registers + bytes(range(64)))


def main():
    text = phdr(1, 64 + 56, RAM, RAM, 128, 128)
    put("kernel", "elf_one", elf(2, RAM + 16, [text]))
    put("kernel", "elf_bss_note", elf(2, RAM + 0x10000, [
        phdr(1, 240, RAM + 0x10000, RAM + 0x10000, 64, 64), phdr(4, 0, 0, 0, 16, 16),
        phdr(1, 304, RAM + 0x20000, RAM + 0x20000, 32, 4096)]))
    put("kernel", "elf_high_half", elf(2, 0xffff000000000010, [phdr(1, 128, 0xffff000000000000, RAM, 64, 64)]))
    put("kernel", "elf_pie", elf(3, 0x10, [phdr(1, 128, 0, 0, 64, 64)]))
    put("kernel", "image", image(0, 4096, 0xa))
    put("kernel", "image_old", image(0x80000, 0, 0))
    put("kernel", "image_offset", image(0x80000, 0x10000, 2))
    put("kernel", "flat", b"\x1f\x20\x03\xd5" * 8)
    put("kernel", "elf_rv64", elf(2, RAM + 18, [text], machine=RISCV))
    put("kernel", "image_rv64", image_rv64(0x200000, 4096, 0))
    put("kernel", "image_rv64_old", image_rv64(0, 4096, 0, version=0, magic2=bytes(4)))
    put("kernel", "flat_rv64", b"\x13\0\0\0\x82\x80")
    put("fdt", "machine", machine().bytes([(RAM, 4096)]))
    put("kernel", "bzimage_64", bzimage(0x20f, 1, 1, 0x200000, 0x1000))
    put("kernel", "bzimage_32", bzimage(0x20a, 1, 0, 0x101000, 0x2000))
    put("kernel", "bzimage_old", bzimage(0x204, 0, 0, 0, 0))
    put("kernel", "elf_x86_64", elf(2, 0x200010, [phdr(1, 64, 0x200000, 0x200000, 128, 4096)], machine=X86_64))
    put("kernel", "pvh_64", elf(2, 0x200010, [phdr(1, 64, 0x200000, 0x200000, 256, 4096), phdr(4, 176, 0, 0, 20, 20)],
                                machine=X86_64)[:176] + note(0x200020, 4) + bytes(200))
    put("kernel", "pvh_32", elf32(0x200010, [phdr32(1, 52, 0x200000, 256, 4096), phdr32(4, 116, 0, 24, 24)],
                                  note(0x200020, 8)))
    put("kernel", "multiboot_elf", elf32(0x200010, [phdr32(1, 84, 0x200000, 256, 4096)], multiboot(3)))
    put("kernel", "multiboot_addr",
        (b"\x90" * 16 + multiboot(0x10003, 0x200010, 0x200000, 0, 0x201000, 0x200040)).ljust(128, b"\xf4"))
    isa = b"rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc\0"
    imac = struct.pack("<QB", 1 << 8 | 1 << 12 | 1 | 1 << 2, 3)
    gc = struct.pack("<QB", 0x312d, 4)
    put("narrow", "qemu", imac + harts({"mmu_type": b"riscv,sv48\0", "riscv,isa": isa}, {"riscv,isa": isa}))
    put("narrow", "general", imac + harts({"riscv,isa": b"rv64gc\0"}, {"riscv,isa": b"RV64G2p0B_svinval_zfh\0"}))
    put("narrow", "list", gc + harts({"riscv,isa_base": b"rv64i\0",
                                      "riscv,isa_extensions": b"i\0m\0a\0f\0d\0c\0h\0zicsr\0zba\0sstc\0"}))
    tiny = Fdt()
    tiny.begin("")
    tiny.end()
    put("fdt", "tiny", tiny.bytes())
    for name, mode, code in (
            ("mov_load", 2, "8b83b0000000"), ("mov_rip", 2, "488905f0ffffff"), ("mov_offset", 2, "a18877665544330000"),
            ("movzx", 1, "0fb60d00f0fee0"), ("movbe", 2, "480f38f10b"), ("lock_xadd", 1, "f00fc10b"),
            ("cmpxchg", 2, "f0480fb10b"), ("bts", 0, "0fab07"), ("test", 1, "f7430480000000"), ("sib_16", 0, "67668904bd341200"),
            ("rep_movs", 2, "f348a5"), ("rep_stos_16", 0, "f3ab"), ("repne_scas", 1, "67f2ae"), ("cmps", 2, "f365a6"),
            ("rep_ins", 1, "f36c"), ("rep_outs", 0, "2ef36e"), ("vmmcall", 2, "0f01d9"), ("mov_cr", 2, "440f22c0"),
            ("long", 2, "66" * 14 + "f4"), ("too_long", 2, "66" * 15 + "f4"), ("vex", 2, "c4e37d0fc001"),
            ("evex", 2, "62f17c4858c0"), ("xop", 1, "8fea7810c001020304"), ("far", 1, "ea785634122800"), ("ud", 2, "0f0b")):
        put("x86", name, x86(mode, code))
    put("bundle", "one", bundle([["kernel"]], None))
    put("bundle", "riscv64", bundle([["kernel"]], None, RISCV))
    put("bundle", "two", bundle([["kernel", "initrd", "dtb", "flash"], ["kernel"]], b"0123456789abcdef"))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unpacks the ELF file that a bzImage carries: the kernel with the PVH entry.

Linux, Documentation/arch/x86/boot.rst: payload_offset and payload_length (protocol 2.08).
"""
import argparse
import lzma
import pathlib
import struct
import subprocess
import sys
import zlib


def fail(why):
    sys.exit("vmlinux.py: " + why)


def payload_of(image):
    """The packed kernel: its place counts from the protected-mode part."""
    if len(image) < 0x250 or image[0x202:0x206] != b"HdrS":
        fail("no bzImage")
    if struct.unpack_from("<H", image, 0x206)[0] < 0x208:
        fail("a bzImage older than 2.08 does not say where its payload is")
    start = ((image[0x1f1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    if start + offset + length > len(image):
        fail("the payload leaves the file")
    return image[start + offset:start + offset + length]


def unzstd(packed):
    """Python 3.11 has no module for it. Linux appends the size, which the program must not see."""
    done = subprocess.run(["zstd", "-d", "-c"], input=packed[:-4], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        fail("zstd could not unpack it")
    return done.stdout


# By the first bytes. Decompressors that stop at the end of their stream, as the size follows it.
PACKERS = (
    (b"\x1f\x8b\x08", lambda packed: zlib.decompressobj(31).decompress(packed)),
    (b"\xfd7zXZ\0", lambda packed: lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(packed)),
    (b"\x5d\0\0", lambda packed: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(packed)),
    (b"\x28\xb5\x2f\xfd", unzstd),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="the bzImage")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the ELF file to write")
    args = parser.parse_args()

    packed = payload_of(args.kernel.read_bytes())
    for magic, unpack in PACKERS:
        if packed.startswith(magic):
            kernel = unpack(packed)
            break
    else:
        fail("packed by a method that this tool does not know")
    if not kernel.startswith(b"\x7fELF"):
        fail("what was packed is no ELF file")
    args.out.write_bytes(kernel)


if __name__ == "__main__":
    main()

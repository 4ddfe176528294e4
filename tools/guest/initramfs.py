#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the guest's initramfs: a "newc" cpio archive, the same bytes for the same inputs.

Source of the format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
"""
import argparse
import os
import stat


class Archive:
    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def _pad(self):
        self.data += b"\0" * (-len(self.data) % 4)

    def add(self, name, mode, body=b"", rdev=(0, 0)):
        self.inode += 1
        path = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(body), 0, 0, rdev[0], rdev[1], len(path), 0)
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self._pad()
        self.data += body
        self._pad()

    def end(self):
        self.add("TRAILER!!!", 0)
        self.data += b"\0" * (-len(self.data) % 512)
        return bytes(self.data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def build(busybox, init):
    archive = Archive()
    for folder in ("bin", "dev"):
        archive.add(folder, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1))
    archive.add("bin/busybox", stat.S_IFREG | 0o755, busybox)
    archive.add("init", stat.S_IFREG | 0o755, init)
    return archive.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busybox", required=True, help="a static busybox of the guest's architecture")
    parser.add_argument("--init", required=True, help="the script that becomes /init")
    parser.add_argument("--out", required=True, help="the archive to write")
    args = parser.parse_args()
    data = build(read(args.busybox), read(args.init))
    part = args.out + ".part"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, args.out)


if __name__ == "__main__":
    main()

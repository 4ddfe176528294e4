# SPDX-License-Identifier: MIT
"""The little of an ELF64 file that counting needs: where .text is, its functions, its source lines."""
import bisect
import struct
import subprocess

SHT_SYMTAB = 2
STT_FUNC = 2


class Image:
    """Addresses are offsets from where .text begins, wherever the image is linked."""

    def __init__(self, path, addr2line):
        self.path, self._addr2line = path, addr2line
        with open(path, "rb") as file:
            self.data = file.read()
        self.sections = self._read_sections()
        self.base = self.sections[".text"][3]
        self.entry = struct.unpack_from("<Q", self.data, 24)[0] - self.base
        self.symbols, self._starts = {}, []
        self._read_symbols()
        self._lines = {}

    def _read_sections(self):
        at, = struct.unpack_from("<Q", self.data, 40)
        size, count, names = struct.unpack_from("<3H", self.data, 58)
        heads = [struct.unpack_from("<2I4Q2I2Q", self.data, at + size * i) for i in range(count)]
        return {self._string(heads[names][4] + head[0]): head for head in heads}

    def _string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def _read_symbols(self):
        strings = self.sections[".strtab"][4]
        _, _, _, _, at, size, *_ = self.sections[".symtab"]
        functions = set()
        for entry in range(at, at + size, 24):
            name, info, _, _, value, _ = struct.unpack_from("<I2BH2Q", self.data, entry)
            text, value = self._string(strings + name), value - self.base
            if not text.startswith(("$", ".L")):  # mapping symbols, labels
                self.symbols[text] = value
            if info & 15 == STT_FUNC or text.startswith("vector"):
                functions.add((value, text))
        self._starts = sorted(functions)

    def text_size(self):
        return self.sections[".text"][5]

    def function_at(self, address):
        index = bisect.bisect_right(self._starts, (address, "\x7f")) - 1
        return self._starts[index][1] if index >= 0 else "?"

    def learn_lines(self, addresses):
        """Asks for the innermost function, inlined or not, of each address, at once."""
        wanted = sorted(set(addresses) - self._lines.keys())
        if not wanted:
            return
        done = subprocess.run([self._addr2line, "-a", "-f", "-i", "-e", self.path], check=True, capture_output=True,
                              text=True, input="".join("%#x\n" % (self.base + address) for address in wanted))
        lines = done.stdout.splitlines()
        for index, line in enumerate(lines):
            if line.startswith("0x"):
                name = lines[index + 1]
                address = int(line, 16) - self.base
                self._lines[address] = name if name != "??" else self.function_at(address)

    def inner_function_at(self, address):
        return self._lines[address]

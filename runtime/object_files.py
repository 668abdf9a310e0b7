"""Object files of a payload: one, or several in an archive (lowering/emit/archive.py)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MAGIC = b"!<arch>\n"
_HEADER_BYTES = 60
_SIZE = slice(48, 58)
_END = b"`\n"
# Of an ELF file for 64 bits, lowest byte first.
_TABLE = struct.Struct("<40xQ10xHH2x")  # of sections: offset, bytes and number of its entries
# type, flags, offset, bytes, section of names, bytes of an entry
_SECTION = struct.Struct("<4xIQ8xQQI12xQ")
_SYMBOL = struct.Struct("<IBxHQQ")  # name, binding and type, section, value, bytes
_MACHINE = struct.Struct("<4sB13xH")  # magic, class, processor
_X86_64 = (b"\x7fELF", 2, 62)
_SYMBOL_TABLE = 2
_WRITTEN = 3  # flags of a section that is in memory and can be written
_GLOBAL_FUNCTION = 1 << 4 | 2


def object_files(payload: bytes) -> list[bytes]:
    """The members of an archive, or the payload alone; ValueError for one that is cut short."""
    if not payload.startswith(_MAGIC):
        return [payload]
    found: list[bytes] = []
    position = len(_MAGIC)
    while position < len(payload):
        header = payload[position : position + _HEADER_BYTES]
        size = int(header[_SIZE])
        start = position + _HEADER_BYTES
        if size < 0 or not header.endswith(_END) or start + size > len(payload):
            raise ValueError("an archive that is cut short, or none")
        found.append(payload[start : start + size])
        position = start + size + size % 2
    return found


def global_functions(elf: bytes) -> Iterator[tuple[str, int]]:
    """Name and bytes of code of each function that an ELF object file shows to others."""
    sections = _sections(elf)
    for kind, _, offset, size, names, symbol_bytes in sections:
        if kind != _SYMBOL_TABLE:
            continue
        text = sections[names][2]
        for at in range(offset, offset + size, symbol_bytes):
            name, info, section, _, code_bytes = _SYMBOL.unpack_from(elf, at)
            if info == _GLOBAL_FUNCTION and section:
                start = text + name
                yield elf[start : elf.index(b"\0", start)].decode(), code_bytes


def has_data(content: bytes) -> bool:
    """Whether it is an ELF object file for x86-64 with data that can be written."""
    if len(content) < _MACHINE.size or _MACHINE.unpack_from(content) != _X86_64:
        return False
    try:
        return any(flags & _WRITTEN == _WRITTEN for _, flags, *_ in _sections(content))
    except struct.error:  # it is cut short, which LLVM will say
        return False


def _sections(elf: bytes) -> list[tuple[int, int, int, int, int, int]]:
    table, entry_bytes, entries = _TABLE.unpack_from(elf)
    return [_SECTION.unpack_from(elf, table + entry_bytes * at) for at in range(entries)]

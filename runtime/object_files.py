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
_SECTION = struct.Struct(
    "<4xI16xQQI12xQ"
)  # type, offset, bytes, section of names, bytes of an entry
_SYMBOL = struct.Struct("<IBxHQQ")  # name, binding and type, section, value, bytes
_SYMBOL_TABLE = 2
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
    table, entry_bytes, entries = _TABLE.unpack_from(elf)
    sections: list[tuple[int, int, int, int, int]] = [
        _SECTION.unpack_from(elf, table + entry_bytes * at) for at in range(entries)
    ]
    for kind, offset, size, names, symbol_bytes in sections:
        if kind != _SYMBOL_TABLE:
            continue
        text = sections[names][1]
        for at in range(offset, offset + size, symbol_bytes):
            name, info, section, _, code_bytes = _SYMBOL.unpack_from(elf, at)
            if info == _GLOBAL_FUNCTION and section:
                start = text + name
                yield elf[start : elf.index(b"\0", start)].decode(), code_bytes

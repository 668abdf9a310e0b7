"""Where a kernel's arguments are in its parameter block.

    arguments in 8-byte slots, as packed | grid x y z, room for reports (u32) | address of reports

A buffer takes one slot for where it is, then one for each dynamic size and stride; a scalar takes
one; the extents of `over` three. The report's slot is there only with buffer addresses.
"""

from __future__ import annotations

import struct
from math import prod
from typing import NamedTuple

from ..artifact import Manifest
from ..dtypes import DTYPES

BDA, BINDINGS = ABIS = ("bda", "bindings")
SLOT = 8
GRID = struct.Struct("<IIII")
POINTER = struct.Struct("<Q")
BLOCK_POINTER_BYTES = 8


class Buffer(NamedTuple):
    """A buffer parameter: `itemsize` in bytes, the product of the sizes that the code knows, and
    how many others follow its slot."""

    name: str
    slot: int
    writes: bool
    itemsize: int
    known_sizes: int
    dynamic_sizes: int


class ArgumentLayout:
    """The slots of a kernel's arguments, the bytes of its block, how much is pushed and bound."""

    def __init__(self, manifest: Manifest):
        self.buffers: list[Buffer] = []
        slot = 0
        for row in manifest.parameters:
            if row.kind == "buffer":
                size, known = DTYPES[row.dtype].size, prod(s for s in row.sizes if s is not None)
                sizes = row.sizes.count(None)
                self.buffers.append(Buffer(row.name, slot, row.writes, size, known, sizes))
            slot += row.slots
        slot += 0 if manifest.over is None else 3
        has_report, in_memory = manifest.has_report, manifest.block_in_memory
        self.block_bytes = SLOT * slot + GRID.size
        if manifest.abi == BDA:
            self.block_bytes += SLOT * has_report
            self.push_bytes = BLOCK_POINTER_BYTES if in_memory else self.block_bytes
            self.binding_count = 0
        else:
            self.push_bytes = 0 if in_memory else self.block_bytes
            self.binding_count = len(self.buffers) + has_report + in_memory
        self.binds_block = in_memory and manifest.abi == BINDINGS
        self.addresses = struct.Struct(_address_codes([buffer.slot for buffer in self.buffers]))

    def elements(self, buffer: Buffer, packed: bytes) -> int:
        """The number of elements of a buffer in packed arguments."""
        at = SLOT * (buffer.slot + 1)
        dynamic = struct.unpack_from(f"<{buffer.dynamic_sizes}q", packed, at)
        return buffer.known_sizes * prod(dynamic)


def _address_codes(slots: list[int]) -> str:
    """The format that reads the slots of buffers and skips the others."""
    text, at = "<", 0
    for slot in slots:
        text += f"{SLOT * (slot - at)}xQ"
        at = slot + 1
    return text

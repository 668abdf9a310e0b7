"""Where a kernel's arguments are in its parameter block.

    arguments in 8-byte slots, as packed   |   grid x y z 0 (u32)   |   address of the report buffer

A buffer takes one slot for where it is, then one for each dynamic size and stride; a scalar takes
one; the extents of `over` three. The report's slot is there only with buffer addresses.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..artifact import Manifest
from ..dtypes import DTYPES

BDA, BINDINGS = ABIS = ("bda", "bindings")
SLOT = 8
GRID = struct.Struct("<IIII")
POINTER = struct.Struct("<Q")
BLOCK_POINTER_BYTES = 8


class Buffer(NamedTuple):
    """A buffer parameter; `itemsize` is in bytes, `sizes` is how many sizes are dynamic."""

    name: str
    slot: int
    writes: bool
    itemsize: int
    sizes: int


class ArgumentLayout:
    """The slots of a kernel's arguments, the bytes of its block, how much is pushed and bound."""

    def __init__(self, manifest: Manifest):
        self.buffers: list[Buffer] = []
        slot = 0
        for row in manifest.parameters:
            words = 1
            if row.kind == "buffer":
                sizes = row.sizes.count(None)
                strides = row.strides.count(None) if row.strides is not None else 0
                size = DTYPES[row.dtype].size
                self.buffers.append(Buffer(row.name, slot, row.writes, size, sizes))
                words += sizes + strides
            slot += words
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

    def sizes(self, buffer: Buffer, packed: bytes) -> tuple[int, ...]:
        """The dynamic sizes of a buffer in packed arguments."""
        return struct.unpack_from(f"<{buffer.sizes}q", packed, SLOT * (buffer.slot + 1))


def _address_codes(slots: list[int]) -> str:
    """The format that reads the slots of buffers and skips the others."""
    text, at = "<", 0
    for slot in slots:
        text += f"{SLOT * (slot - at)}xQ"
        at = slot + 1
    return text

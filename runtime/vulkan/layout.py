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
    """The slots of a kernel's arguments and the bytes of its parameter block."""

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
        self.argument_bytes = SLOT * slot
        has_report, is_bda = manifest.has_report, manifest.abi == "bda"
        report_bytes = SLOT if has_report and is_bda else 0
        self.block_bytes = self.argument_bytes + GRID.size + report_bytes
        self.binding_count = len(self.buffers) + has_report + manifest.block_in_memory
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

"""Where packed arguments hold what the runtime has to know of them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..artifact import TENSOR_MAP_SLOTS, Manifest

SLOT = 8


class Slots(NamedTuple):
    """Slots with the address of a buffer, and those at which a tensor map starts."""

    addresses: tuple[int, ...]
    maps: tuple[int, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> Slots:
        """Those of a kernel."""
        addresses: list[int] = []
        maps: list[int] = []
        at = 0
        for row in manifest.parameters:
            if row.kind == "buffer":
                addresses.append(at)
            elif row.kind == "tensor_map":
                maps.append(at)
            at += row.slots
        return cls(tuple(addresses), tuple(maps))

    def addresses_in(self, packed: bytes) -> list[int]:
        """The addresses of buffers among packed arguments."""
        return [struct.unpack_from("<Q", packed, SLOT * slot)[0] for slot in self.addresses]

    def maps_in(self, packed: bytes) -> list[bytes]:
        """The tensor maps among packed arguments."""
        return [packed[SLOT * slot : SLOT * (slot + TENSOR_MAP_SLOTS)] for slot in self.maps]

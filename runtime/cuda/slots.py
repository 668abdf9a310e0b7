"""Where packed arguments hold what the runtime has to know of them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..artifact import Manifest
from ..tensor_map import WORDS

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
                at += 1 + row.sizes.count(None) + (row.strides or ()).count(None)
            elif row.kind == "tensor_map":
                maps.append(at)
                at += WORDS
            else:
                at += 1
        return cls(tuple(addresses), tuple(maps))

    def addresses_in(self, packed: bytes) -> list[int]:
        """The addresses of buffers among packed arguments."""
        return [struct.unpack_from("<Q", packed, SLOT * slot)[0] for slot in self.addresses]

    def maps_in(self, packed: bytes) -> list[bytes]:
        """The tensor maps among packed arguments."""
        return [packed[SLOT * slot : SLOT * (slot + WORDS)] for slot in self.maps]

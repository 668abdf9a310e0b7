"""`cuTensorMapEncodeTiled` as a C function: what it writes is in the PTX interpreter's layout."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from oracles.ptx.tensors import encode

from stepwell.runtime.cuda.table import RESULTS
from stepwell.runtime.cuda.tensor_map import ALIGNMENT, BYTES, Prototype

# By CUtensorMapDataType; a copy needs the size of elements only.
_TYPES = (*("u1", "u2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"), "u2")
_SWIZZLES = (0, 32, 64, 128)


@Prototype
def _encode_tiled(
    place: int,
    kind: int,
    rank: int,
    address: int,
    shape: Any,
    strides: Any,
    box: Any,
    steps: Any,
    interleave: int,
    swizzle: int,
    promotion: int,
    outside: int,
) -> int:
    fits = 1 <= rank <= 5 and place % ALIGNMENT == 0 and address % 16 == 0
    if not fits or kind >= len(_TYPES) or swizzle >= len(_SWIZZLES):
        return RESULTS["ERROR_INVALID_VALUE"]
    if any(steps[d] != 1 for d in range(rank)) or interleave or outside:
        return RESULTS["ERROR_NOT_SUPPORTED"]
    raw = encode(
        address,
        np.dtype(_TYPES[kind]),
        tuple(shape[d] for d in range(rank)),
        tuple(strides[d] for d in range(rank - 1)),
        tuple(box[d] for d in range(rank)),
        _SWIZZLES[swizzle],
    )
    assert len(raw) == BYTES, "a tensor map has 128 bytes"
    ctypes.memmove(place, raw, BYTES)
    return 0


FUNCTION_ADDRESS = ctypes.cast(_encode_tiled, ctypes.c_void_p).value or 0

"""Text of kernels for tests of lowerings, and their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.int32]]
TYPES = {
    "ROW": "memref<3xi32, strided<[1], offset: 3>, PRIVATE>",
    "PART": "memref<?xi32, strided<[1], offset: ?>, GLOBAL>",
}
X = "%x: memref<?xi32, GLOBAL>"
Y = "%y: memref<?xi32, GLOBAL>"
IDS = "%t = gpu.thread_id x\n%b = gpu.block_id x\n%n = gpu.block_dim x\n%g = gpu.global_id x\n"
CONSTANTS = "".join(f"%c{n} = arith.constant {n} : index\n" for n in (0, 1, 2, 3, 4, 8)) + "".join(
    f"%i{n} = arith.constant {n} : i32\n" for n in (0, 1, 2, 3, 4, 8)
)


def kernel(body: str, parameters: str = f"{X}, {Y}", attributes: str = "", frame: str = "") -> str:
    """A module with one kernel that has constants and the ids %t, %b, %n, %g."""
    attributes = f" attributes {{{attributes}}}" if attributes else ""
    for name, type_ in TYPES.items():
        body = body.replace(name, type_)
    return (
        f"gpu.module @m {{ gpu.func @k({parameters}) {frame} kernel{attributes} {{\n"
        f"{CONSTANTS}{IDS}{body}\ngpu.return\n}} }}"
    )


def numbers(count: int) -> Numbers:
    return np.random.default_rng(count).integers(-50, 50, count).astype(np.int32)


def zeros(count: int) -> Numbers:
    return np.zeros(count, np.int32)


OVER = "%ex: index, %ey: index, %ez: index"
LOAD = "%v = memref.load %x[%g] : memref<?xi32, GLOBAL>\n"


SHARED = "workgroup(%s : memref<8xi32, SHARED>)"
STORE = "memref.store %v, %s[%t] : memref<8xi32, SHARED>\ngpu.barrier\n"

"""Launches of random whole kernels, and the memory of their arrays."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from conformance.compare import DTYPES, Array
from conformance.whole_parts import PLACES, Draw, Program, Shape
from hypothesis import strategies as st

SIZES = (1, 2, 3, 5, 8, 16, 17, 33, 47)
MOST_THREADS = 300
LAYOUTS = ("plain", "transposed", "every second", "reversed", "padded")
GUARD_BYTES = 64


def dtype_of(name: str) -> np.dtype[Any]:
    """The type of elements: of a number, or of a pair of two."""
    types = [DTYPES[part] for part in name.split(",")]
    return types[0] if len(types) == 1 else np.dtype([*zip("ab", types, strict=True)], align=True)


@dataclass
class Memory:
    """An array in the middle of bytes that nobody may write."""

    whole: Array
    offset: int
    shape: Shape
    strides: Shape
    dtype: str

    @property
    def array(self) -> Array:
        return np.ndarray(
            self.shape, dtype_of(self.dtype), self.whole.data, self.offset, self.strides
        )

    def copy(self) -> Memory:
        """The same, with the same gaps, elsewhere."""
        return Memory(self.whole.copy(), self.offset, self.shape, self.strides, self.dtype)


def laid_out(shape: Shape, dtype: str, layout: str, seed: int) -> Memory:
    """Small numbers in an array of that layout."""
    rank, item = len(shape), dtype_of(dtype).itemsize
    axes = range(rank) if layout == "transposed" else reversed(range(rank))
    strides, step = [0] * rank, item * (2 if layout == "every second" else 1)
    for axis in axes:
        strides[axis] = step
        step *= max(1, shape[axis]) + (layout == "padded")
    offset = GUARD_BYTES + item * (seed % 5)
    whole = np.full(offset + step + GUARD_BYTES, 0xA5, np.uint8)
    if layout == "reversed":
        offset += strides[0] * (max(1, shape[0]) - 1)
        strides[0] = -strides[0]
    made = Memory(whole, offset, shape, tuple(strides), dtype)
    fields = [made.array] if len(dtype.split(",")) == 1 else [made.array["a"], made.array["b"]]
    for number, part in enumerate(fields):
        low = 0 if part.dtype.kind == "u" else -4
        numbers = np.random.default_rng(seed + 100 * number).integers(low, 12, shape)
        part[...] = numbers.astype(part.dtype)
    return made


@dataclass
class Launch:
    """The shape of a launch, as `launch` and `run` take it, its threads, and `n`."""

    shape: dict[str, Any]
    threads: Shape
    n: int


@st.composite
def launches(draw: Draw, rank: int) -> Launch:
    """Narrow and odd shapes: one thread per item, or blocks of up to three axes."""
    n = draw(st.sampled_from((-1, 0, 1, 2, 3, 5, 16, 2**31 - 1, -(2**31))))
    threads: list[int] = []
    for _ in range(rank):
        left = MOST_THREADS // prod(threads)
        threads.append(draw(st.sampled_from([size for size in SIZES if size <= left])))
    if draw(st.booleans()):
        return Launch({"over": tuple(threads)}, tuple(threads), n)
    flat_from = draw(st.sampled_from((1, 1, 2, 3)))
    blocks = [draw(st.sampled_from((1, 2, 3))) for _ in threads]
    grid = [size if axis >= flat_from else blocks[axis] for axis, size in enumerate(threads)]
    block = [1 if axis >= flat_from else size for axis, size in enumerate(threads)]
    whole = tuple(a * b for a, b in zip(grid, block, strict=True))
    return Launch({"grid": tuple(grid), "block": tuple(block)}, whole, n)


@st.composite
def memories(draw: Draw, program: Program, launch: Launch) -> dict[str, Memory]:
    """The arrays of a launch by parameter; some are too small, and some are one array."""
    short = draw(st.integers(0, 5)) == 0
    made: dict[str, Memory] = {}
    for number, array in enumerate(program.parameters):
        if array.alias and draw(st.booleans()):
            made[array.name] = made[array.alias]
            continue
        shape = tuple(size + 2 for size in launch.threads)
        if array.place:
            _, shape_of = PLACES[array.place]
            shape = shape_of(launch.threads)
        less = (short or (program.guarded and array.name == "y0")) and draw(st.booleans())
        shape = (max(1, shape[0] - draw(st.integers(1, 2))), *shape[1:]) if less else shape
        layout = draw(st.sampled_from(LAYOUTS))
        made[array.name] = laid_out(shape, array.dtype, layout, number)
    return made

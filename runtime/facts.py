"""What a launch can tell the code of a device that asks for it, by its feature `launch_facts`.

- *small*: indices fit 32 bits, as `gpux.small` means it: see `dialects/marks.py` for the numbers;
- *alignment*: bytes that the address of each row of an array is a multiple of;
- *disjoint*: no array that the kernel writes shares memory with another argument.

A device with the feature `launch_sizes` is told of these alone:

- *sizes*: arrays are so long, and grids so small, that indices need no check (see
  `passes/analyses/asked_sizes.py`).

Code compiled for facts is launched only where they hold; else the same kernel is compiled without.
The first two are found when an array is made, so that a launch does not look at them again; the
others are looked at when arguments are packed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from .array import DeviceArray, HostArray
from .array_facts import SMALL_SIZE, row_alignment, small_array, widest_alignment
from .strides import extent

if TYPE_CHECKING:
    from .artifact import Form, Manifest, Parameter
    from .launch_shape import Dim3


class LaunchShape(NamedTuple):
    """What a launch knows beside its arguments: what `gpux.sizes` speaks of."""

    grid: Dim3 = (1, 1, 1)
    block: Dim3 = (1, 1, 1)
    extents: Sequence[int] = ()
    shared_bytes: int = 0

    def number(self, manifest: Manifest, parameter: int, axis: int) -> int | None:
        """The number in place of a parameter; None for one of the kernel's own."""
        if parameter == GRID_SIZE:
            return self.grid[axis]
        if parameter == BLOCK_SIZE:
            return self.block[axis]
        if parameter == GRID_THREADS:
            return self.grid[axis] * self.block[axis]
        if parameter == SHARED_BYTES:
            return self.shared_bytes
        behind = parameter - len(manifest.parameters)
        return None if behind < 0 else self.extents[behind]


FEATURE = "launch_facts"
SIZES = "launch_sizes"
SMALL_GRID, SMALL_BLOCK = (1 << 21) - 1, 1024
GRID_SIZE, BLOCK_SIZE, GRID_THREADS, SHARED_BYTES = -1, -2, -3, -4  # those of `gpux`

# Elements from the first to the last one that an index of 32 bits does not reach.
WIDE_REACH = 1 << 31


def is_wide(array: DeviceArray) -> bool:
    """Whether an index of 32 bits does not reach all of an array."""
    low, high = extent(array.shape, array.strides, array.dtype.itemsize)
    return (high - low) // max(1, array.dtype.itemsize) >= WIDE_REACH


class Unfit(Exception):
    """The code relies on a fact that is not so in this launch; never leaves a launch.

    `only_sizes`: the other facts are so.
    """

    def __init__(self, only_sizes: bool = False):
        super().__init__()
        self.only_sizes = only_sizes


def unfit(only_sizes: bool) -> NoReturn:
    """What a packer calls where arrays overlap, or sizes are not those that code is for."""
    raise Unfit(only_sizes)


def apart(x: DeviceArray, y: DeviceArray) -> bool:
    """Whether two arrays have no byte in common."""
    one, other = x.memory, y.memory
    if one.address + one.nbytes <= other.address or other.address + other.nbytes <= one.address:
        return True
    (low, high), (start, end) = (
        extent(array.shape, array.strides, array.dtype.itemsize) for array in (x, y)
    )
    return x.address + high <= y.address + start or y.address + end <= x.address + low


def small_launch(grid: Dim3, block: Dim3) -> bool:
    """Whether a launch is small, apart from its arrays."""
    return all(
        blocks <= SMALL_GRID and threads <= SMALL_BLOCK and blocks * threads <= SMALL_SIZE
        for blocks, threads in zip(grid, block, strict=True)
    )


def alignment_of(value: Any) -> int:
    """The greatest alignment that makes a difference and that each row has, or 0.

    A NumPy array is moved to memory of its own, where it is contiguous.
    """
    if isinstance(value, DeviceArray):
        places = row_alignment(value)
    else:
        places = value.shape[-1] * value.dtype.itemsize if value.ndim > 1 else 0
    return widest_alignment(places)


def form_for(form: Form, arguments: Sequence[Any]) -> Form:
    """The kind of launch with what its arrays say; that they are disjoint is found when packing."""
    return form._replace(small=form.small and _all_small(arguments), disjoint=True)


def _all_small(arguments: Sequence[Any]) -> bool:
    arrays: list[HostArray | DeviceArray] = [
        value for value in arguments if isinstance(value, np.ndarray | DeviceArray)
    ]
    return all(small_array(array.shape, array.strides, array.dtype) for array in arrays)


def size_needs(
    manifest: Manifest, shape: LaunchShape, word: Callable[[Parameter, str], str]
) -> list[str]:
    """The rows of `Manifest.sizes` as conditions on the arguments `a` of a launch, in Python.

    `word` gives the expression for a scalar.
    """
    found = [_need(manifest, shape, row, word) for row in manifest.sizes]
    return [text for text in dict.fromkeys(found) if text]


def _need(
    manifest: Manifest,
    shape: LaunchShape,
    row: Sequence[int],
    word: Callable[[Parameter, str], str],
) -> str:
    """One row, such as `a[1].shape[0] - 3 >= 2 * ((a[0].shape[0] - 1) // 2)`; "" if it holds."""
    number, greater, lesser = row[0], list[str](), list[str]()
    for first in range(1, len(row), 5):
        factor, parameter, axis, added, divisor = row[first : first + 5]
        known = shape.number(manifest, parameter, axis)
        if known is not None:
            number += factor * ((known + added) // divisor)
            continue
        source = manifest.parameters[parameter]
        name = f"a[{source.source.argument}]"
        if source.kind != "scalar":
            text = f"{name}.shape[{axis}]"
        else:
            text = word(source, name)
            if len(row) > 11 or (abs(factor), added, divisor) != (1, 0, 1):
                text = f"int({text})"  # a NumPy scalar would wrap
        if (added, divisor) != (0, 1):
            text = f"({text} + {added}) // {divisor}"
        (greater if factor < 0 else lesser).append(
            text if abs(factor) == 1 else f"{abs(factor)} * ({text})"
        )
    if not greater and not lesser:
        return "" if number <= 0 else "False"
    # The number stands with the size: beside a NumPy scalar it would wrap.
    return f"{' + '.join(greater) or '0'} - {number} >= {' + '.join(lesser) or '0'}"


def holds(manifest: Manifest, form: Form, arguments: Sequence[Any]) -> bool:
    """Whether what an artifact was compiled for is so in a launch, but for what packing finds."""
    if manifest.small and not (form.small and _all_small(arguments)):
        return False
    aligned = [row for row in manifest.parameters if row.alignment]
    if not form.disjoint:  # then nothing is known of arrays
        return not manifest.disjoint and not aligned
    return all(alignment_of(arguments[row.source.argument]) >= row.alignment for row in aligned)

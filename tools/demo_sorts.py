"""Nine bitonic sorts: u32, i32 and f32; 1 000 random and 16 special values; three descending.

The network is the variant that takes any length: each stage starts with a mirrored exchange
(`i` with `i ^ (2k - 1)`) and all comparators point the same way, so elements beyond the end would
never move and need not exist. (K. E. Batcher, "Sorting networks and their applications", 1968.)

The special floats have two zeros. They compare equal, so a comparison sort may leave them in any
order, and two devices might differ; sorting by IEEE 754's total order (-0 before +0) makes the
result unique, bit for bit. It is checked on the bits: sorted integers of `total_order`.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import Kernel, global_id, kernel
from ..runtime.device import Device
from .demo_common import Array, Outcome, Session, Tick

SIZE = 1000
SPECIAL = {
    "u32": "0 1 2 3 2147483647 2147483648 2147483649 4294967295 4294967294 7 7 0 255 256"
    " 65535 65536",
    "i32": "0 1 -1 2 -2 2147483647 -2147483648 2147483646 -2147483647 7 7 -7 0 127 -128 32768",
    "f32": "0 -0 inf -inf 1 -1 1e-45 -1e-45 1.1754942e-38 -1.1754942e-38 1.1754944e-38"
    " -1.1754944e-38 3.4028235e38 -3.4028235e38 0 -0",
}
NUMPY = {"u32": np.uint32, "i32": np.int32, "f32": np.float32}


def before(a: Any, b: Any) -> Any:
    """Whether `a` goes before `b`: integers."""
    return a < b


def before_in_total_order(a: Any, b: Any) -> Any:
    """Whether `a` goes before `b`: floats, -0 before +0."""
    return a < b or (a == b and math.copysign(1.0, a) < math.copysign(1.0, b))


def make_exchange(goes_before: Callable[[Any, Any], Any]) -> Kernel:
    """The kernel of one pass over the array, for one way to compare."""

    @kernel
    def exchange(keys, origin, mask, descending):
        i = global_id(0)
        j = i ^ mask
        if i < j and j < keys.shape[0]:
            a, b = keys[i], keys[j]
            wrong = goes_before(a, b) if descending else goes_before(b, a)
            if wrong:
                keys[i], keys[j] = b, a
                origin[i], origin[j] = origin[j], origin[i]

    return exchange


EXCHANGE = {
    "u32": make_exchange(before),
    "i32": make_exchange(before),
    "f32": make_exchange(before_in_total_order),
}


@dataclass(frozen=True)
class Case:
    """One of the nine."""

    dtype: str
    special: bool
    descending: bool = False

    def __str__(self) -> str:
        which = "16 special" if self.special else f"{SIZE}"
        return f"{which} {self.dtype}{' descending' if self.descending else ''}"

    def values(self) -> Array:
        """What is sorted."""
        if self.special:
            return np.array(SPECIAL[self.dtype].split(), NUMPY[self.dtype])
        bits = np.random.default_rng(len(self.dtype) + self.descending).bytes(4 * SIZE)
        values = np.frombuffer(bits, NUMPY[self.dtype]).copy()
        if self.dtype == "f32":  # any bits but NaN, which has no place in an order
            values[np.isnan(values)] = 0.5
        return values


CASES = [
    *(Case(dtype, special) for dtype in NUMPY for special in (False, True)),
    *(Case(dtype, False, descending=True) for dtype in NUMPY),
]


def masks(size: int) -> Iterator[int]:
    """The partner of `i` in each pass is `i ^ mask`."""
    stages = (size - 1).bit_length()
    for stage in range(1, stages + 1):
        yield 2**stage - 1
        yield from (2**step for step in reversed(range(stage - 1)))


def run(device: Device, tick: Tick) -> tuple[Outcome, list[bytes]]:
    """All nine on one device; the result holds the sorted bytes, to compare between devices."""
    session = Session(device, f"{len(CASES)} sorts")
    sorted_bytes: list[bytes] = []
    for case in CASES:
        tick(f"{device.name}: sort {case}")
        sorted_bytes.append(sort(session, case))
    return session.outcome, sorted_bytes


def sort(session: Session, case: Case) -> bytes:
    """Sort on the device, the data staying there between passes; check order and permutation."""
    values = case.values()
    start = np.arange(values.size, dtype=np.uint32)
    passes = list(masks(values.size))
    arrays: list[Array] = []

    def enqueue() -> None:
        # From the start again: what is sorted already would not show whether it gets sorted.
        arrays[:] = session.upload(values), session.upload(start)
        launch = EXCHANGE[case.dtype].over(values.size, device=session.device)
        for mask in passes:
            launch(*arrays, mask, case.descending)

    session.run(enqueue)
    keys, origin = (session.download(array) for array in arrays)
    session.outcome.bytes_moved += len(passes) * 2 * (values.nbytes + start.nbytes)
    check(session.outcome, case, values, keys, origin)
    return keys.tobytes()


def check(outcome: Outcome, case: Case, values: Array, keys: Array, origin: Array) -> None:
    """Order and permutation, on the bits."""
    expected = np.sort(total_order(values))
    if case.descending:
        expected = expected[::-1]
    outcome.expect(np.array_equal(total_order(keys), expected), f"{case}: not sorted")
    whole = np.array_equal(np.sort(origin), np.arange(values.size))
    moved = whole and values[origin].tobytes() == keys.tobytes()
    outcome.expect(moved, f"{case}: not a permutation of what was there")


def total_order(values: Array) -> Array:
    """Integers in the order of the values; for floats the total order of IEEE 754 on the bits."""
    if values.dtype != np.float32:
        return values
    bits = values.view(np.int32)
    return np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)

"""Random whole kernels give what they give as Python, fail where it fails, and write nothing else.

More of them: STEPWELL_EXAMPLES=1000 pytest tests/conformance/test_whole_kernels.py
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np
from conformance.checked_array import CheckedArray
from conformance.compare import define, expect_equal, launch
from conformance.reference import run
from conformance.whole_launches import Launch, Memory, launches, memories
from conformance.whole_programs import TYPES, whole_programs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stepwell as sw

SETTINGS = settings(
    max_examples=int(os.environ.get("STEPWELL_EXAMPLES", "15")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CASTS = {f"to_{dtype}": getattr(sw, dtype) for dtype in TYPES}
LAUNCHES = 3


@SETTINGS
@given(data=st.data())
def test_whole_kernels(device: sw.Device, data: st.DataObject):
    program = data.draw(whole_programs(types_of(device)))
    function = define(program.text, dataclasses=dataclasses, **CASTS)
    kernel = sw.kernel(function)
    for _ in range(LAUNCHES):
        shape = data.draw(launches(program.rank))
        compare(function, kernel, shape, data.draw(memories(program, shape)), device)


def types_of(device: sw.Device) -> list[str]:
    """The types that a device has."""
    return [dtype for dtype in TYPES if dtype != "f64" or "f64" in device.features]


def compare(
    function: Any, kernel: sw.Kernel, shape: Launch, made: dict[str, Memory], device: sw.Device
) -> None:
    """One launch of a kernel on a device and as Python."""
    expected, got = copied(made), copied(made)
    failed: set[tuple[int, ...]] = set()

    def strict(*args: Any) -> None:
        try:
            function(*args)
        except IndexError:
            failed.add(tuple(sw.global_id(axis) for axis in range(3)))

    run(strict, [*map(checked, expected.values()), shape.n], **shape.shape)
    error: sw.OutOfBounds | None = None
    try:
        arrays = [memory.array for memory in got.values()]
        launch(kernel, *arrays, np.int32(shape.n), device=device, **shape.shape)
    except sw.OutOfBounds as raised:
        error = raised
    if error is None:
        assert not failed, f"threads {failed} go out of bounds unnoticed"
    else:
        assert failed, f"{error}\nbut no thread does"
        assert "over" in shape.shape or thread_of(error, shape.shape["block"]) in failed
    for name, memory in got.items():
        if error is None:
            expect_equal(memory.array, expected[name].array, what=name, device=device)
        # All the rest of the memory is as it was.
        memory.array[...] = expected[name].array[...] = 0
        assert (memory.whole == expected[name].whole).all(), f"around {name} something is written"


def thread_of(error: sw.OutOfBounds, block: tuple[int, ...]) -> tuple[int, ...]:
    """The ids of the thread that failed."""
    assert error.block is not None and error.thread is not None
    sizes = (*block, 1, 1)
    return tuple(
        b * sizes[d] + t for d, (b, t) in enumerate(zip(error.block, error.thread, strict=True))
    )


def checked(memory: Memory) -> CheckedArray:
    return CheckedArray(memory.array)


def copied(made: dict[str, Memory]) -> dict[str, Memory]:
    """Copies of all; what is one array stays one."""
    copies = {id(memory): memory.copy() for memory in made.values()}
    return {name: copies[id(memory)] for name, memory in made.items()}

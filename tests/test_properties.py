"""Random kernels give on every device what they give as Python, bit for bit."""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import cache
from typing import Any

import numpy as np
import pytest
from conformance.checked_array import CheckedArray
from conformance.compare import DTYPES, check, define, expect_equal, launch, specials
from conformance.index_programs import index_programs
from conformance.programs import BLOCK, programs
from conformance.reference import run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stepwell as sw

THREADS = 2 * BLOCK
FLAGS = [(1, 0, 5), (0, 3, 1), (2, 1, 0)]  # what each program is run with
# The same programs each time; more of them: STEPWELL_EXAMPLES=1000 pytest tests/test_properties.py
EXAMPLES = int(os.environ.get("STEPWELL_EXAMPLES", "20"))
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# For programs of a kind that those with all of it have too.
FEWER = settings(SETTINGS, max_examples=EXAMPLES // 3)


def casts() -> dict[str, Any]:
    """`to_i32(x)` and so on: in a kernel and as Python the same cast."""
    made: dict[str, Any] = {}
    for dtype in ("i32", "u32", "i64", "u8", "f32", "f64"):
        made[f"to_{dtype}"] = getattr(sw, dtype)
    return made


def values(dtype: str, seed: int) -> np.ndarray[Any, Any]:
    """Special and ordinary values, mixed."""
    special = specials(dtype)
    ordinary = np.arange(-3, 9).astype(DTYPES[dtype])
    rng = np.random.default_rng(seed)
    return rng.choice(np.concatenate([special, ordinary]), THREADS)


@cache
def lanes_of(device: sw.Device) -> int:
    """The subgroup size that kernels see."""

    def ask(out: Any) -> None:
        out[0] = sw.subgroup_size()

    out = np.zeros(1, np.int32)
    sw.kernel(ask).launch(1, 1, device=device)(out)
    return int(out[0])


def compare(program: tuple[str, list[str]], device: sw.Device, **options: Any) -> None:
    source, types = program
    options["reference"] = define(source, rounds=True, **casts())
    kernel = sw.kernel(define(source, **casts()))  # once: compiling it is what takes long
    for number, flags in enumerate(FLAGS):
        arrays = [values(dtype, 10 * number + seed) for seed, dtype in enumerate(types)]
        each = np.array(flags, np.int32)
        check(kernel, each, *arrays, device=device, grid=2, block=BLOCK, **options)


@pytest.fixture(params=sw.devices(), ids=lambda device: device.name, scope="module")
def device(request: pytest.FixtureRequest) -> sw.Device:
    return request.param


@pytest.fixture(scope="module", autouse=True)
def no_disk_cache() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield


@SETTINGS
@given(program=programs())
def test_random_kernels(device: sw.Device, program: tuple[str, list[str]]):
    compare(program, device)


@FEWER
@given(program=programs(barriers=True))
def test_random_kernels_with_barriers(device: sw.Device, program: tuple[str, list[str]]):
    compare(program, device, cooperative=True)


@FEWER
@given(program=programs(lanes=True))
def test_random_kernels_with_subgroups(device: sw.Device, program: tuple[str, list[str]]):
    compare(program, device, cooperative=True, subgroup_size=lanes_of(device))


@SETTINGS
@given(program=programs(barriers=True, lanes=True))
def test_random_kernels_with_all_of_it(device: sw.Device, program: tuple[str, list[str]]):
    compare(program, device, cooperative=True, subgroup_size=lanes_of(device))


@settings(SETTINGS, max_examples=EXAMPLES * 2 // 3)
@given(
    source=index_programs(),
    launches=st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 12)), min_size=4, max_size=4),
)
def test_random_indices(device: sw.Device, source: str, launches: list[tuple[int, int]]):
    kernel = sw.kernel(define(source))
    for size, n in launches:
        compare_indices(kernel, size, n, device)


def compare_indices(kernel: sw.Kernel, size: int, n: int, device: sw.Device) -> None:
    """The same accesses are refused as in Python, and nothing around the arrays is touched."""
    threads = 5
    x = np.arange(10, 10 + size, dtype=np.int32)
    starts = np.array([-2, 0, 3, size - 1, size], np.int32)
    expected, out = np.zeros((threads, size), np.int32), np.zeros(threads, np.int32)
    failed: set[int] = set()

    def strict(*args: Any) -> None:
        try:
            kernel.function(*args)
        except IndexError:
            failed.add(sw.global_id(0))

    args = CheckedArray(x), CheckedArray(expected), np.int32(n), starts, out
    run(strict, args, over=threads)
    whole, got_out = np.full((threads + 2) * size, -7, np.int32), np.zeros(threads, np.int32)
    y = whole[size : size + threads * size].reshape(threads, size)
    y[:] = 0
    error: sw.OutOfBounds | None = None
    try:
        launch(kernel, x, y, np.int32(n), starts, got_out, device=device, over=threads)
    except sw.OutOfBounds as raised:
        error = raised
    if error is None:
        assert not failed, f"threads {failed} go out of bounds unnoticed"
        expect_equal(y, expected, what="y")
        expect_equal(got_out, out, what="out")
    else:
        assert error.thread is not None
        assert error.thread[0] in failed, f"{error}\nbut only {failed} may fail"
    assert (whole[:size] == -7).all()
    assert (whole[size + threads * size :] == -7).all()

"""Ranges of every integer type up to the ends of the type, with steps of every kind."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import DTYPES, check, define, launch

import stepwell as sw

LAST = {name: np.iinfo(DTYPES[name]).max for name in DTYPES if name[0] in "iu"}
RANGES = [
    *[(f"i{bits}", LAST[f"i{bits}"] - 5, LAST[f"i{bits}"], 3) for bits in (8, 32, 64)],
    *[(f"u{bits}", LAST[f"u{bits}"] - 5, LAST[f"u{bits}"], 3) for bits in (16, 32, 64)],
    *[(f"i{bits}", 4 - 2 ** (bits - 1), -(2 ** (bits - 1)), -3) for bits in (16, 32, 64)],
    *[(f"i{bits}", -(2 ** (bits - 1)), LAST[f"i{bits}"], 2 ** (bits - 2)) for bits in (8, 32, 64)],
    *[(f"i{bits}", LAST[f"i{bits}"], -(2 ** (bits - 1)), -(2 ** (bits - 2))) for bits in (32, 64)],
    *[(f"u{bits}", 0, LAST[f"u{bits}"], 2 ** (bits - 2)) for bits in (32, 64)],
    *[(f"u{bits}", LAST[f"u{bits}"], 2, 1) for bits in (32, 64)],
    *[("u64", 2**63 - 4, 2**63 + 4, 3), ("i64", 2**33, 2**33 + 5, 2), ("i64", 5, 2**33, 2**32)],
    *[("u32", 2**31 - 1, 2**31 + 2, 1), ("i32", LAST["i32"] - 2, LAST["i32"], 1)],
]
SOURCE = """
def kernel(start, stop, step, items, rounds):
    for k in range(start, stop, {step}):
        items[0, rounds[0]] = k
        rounds[0] += 1
    for k in range(start, stop, {step}):
        items[1, rounds[1]] = k
        rounds[1] += 1
        if rounds[1] == {most}:
            break
    for k in range(start, stop, step):
        items[2, rounds[2]] = k
        rounds[2] += 1
    for k in range(start, stop, step):
        items[3, rounds[3]] = k
        rounds[3] += 1
        if rounds[3] == {most}:
            break
"""


@pytest.mark.parametrize(("dtype", "start", "stop", "step"), RANGES)
def test_range_with_and_without_break(
    device: sw.Device, dtype: str, start: int, stop: int, step: int
):
    expected = [*range(start, stop, step)]
    kernel = define(SOURCE.format(step=step, most=len(expected) + 1))
    numbers = [DTYPES[dtype].type(number) for number in (start, stop, step)]
    items = np.zeros((4, 9), np.uint64 if dtype == "u64" else np.int64)
    rounds = np.zeros(4, np.int32)
    launch(kernel, *numbers, items, rounds, device=device)
    assert rounds.tolist() == [len(expected)] * 4
    assert items.tolist() == [expected + [0] * (9 - len(expected))] * 4


def test_range_of_indices_with_break(device: sw.Device):
    def kernel(last, step, items, rounds):
        for k in range(sw.global_id(0) + last - 5, last, 3):
            items[0, rounds[0]] = k
            rounds[0] += 1
            if rounds[0] == 5:
                break
        for k in range(sw.global_id(0) + last - 5, last, step):
            items[1, rounds[1]] = k
            rounds[1] += 1
            if rounds[1] == 5:
                break

    last = LAST["i32"]
    items, rounds = np.zeros((2, 5), np.int64), np.zeros(2, np.int32)
    launch(kernel, np.int32(last), np.int32(2**30), items, rounds, device=device)
    assert rounds.tolist() == [2, 1]
    assert items.tolist() == [[last - 5, last - 2, 0, 0, 0], [last - 5, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("start", "stop", "step"),
    [(0, 5, 1), (2, 2, 1), (5, 2, 1), (0, 10, 3), (10, 0, -1), (10, 0, -3), (-5, 5, 4), (0, 9, -1)],
)
def test_range_with_runtime_bounds(device: sw.Device, start: int, stop: int, step: int):
    def kernel(start, stop, step, out):
        i = sw.global_id(0)
        total = 0
        for k in range(start, stop + i, step):
            total = total * 3 + k
        out[i] = total

    numbers = [np.int32(v) for v in (start, stop, step)]
    check(kernel, *numbers, np.zeros(4, np.int32), device=device, over=4)


def test_range_with_constant_bounds(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        for a in range(4):
            total += a
        for a in range(3, 9, 2):
            total = total * 2 + a
        for a in range(9, 3, -2):
            total = total * 2 - a
        for _ in range(5, 5):
            total = 1000
        out[i] = total

    check(kernel, np.zeros(4, np.int32), device=device, over=4)

"""`match`: constants, tuples, names and guards, each kernel against itself as Python."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic, reportInvalidTypeForm=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from conformance.compare import check

import stepwell as sw


def over(kernel: Callable[..., None], device: sw.Device, *args: object, n: int = 20) -> None:
    """Run over n threads with an i32 output of n as last argument."""
    check(kernel, *args, np.zeros(n, np.int32), device=device, over=n)


def test_match_on_constants(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        match i % 7:
            case 0:
                out[i] = 10
            case 1 | 2:
                out[i] = 20
            case 5 if i > 7:
                out[i] = 30
            case _:
                out[i] = 40

    over(kernel, device)


def test_names_of_a_case_are_given_values_only_where_its_pattern_fits(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        a, seen = 100, 0
        match (i % 3, i):
            case (1, a) if a > 3:
                out[i] = a
            case (2, b) if (seen := b) > 3 and b < 9:
                out[i] = b + 50
            case _:
                out[i] = a + 1000 + seen
        out[i] += a

    over(kernel, device)


def test_match_without_a_case_that_fits(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        out[i] = 5
        match i:
            case 3:
                out[i] = 1
            case 4:
                return
        out[i] += 100

    over(kernel, device)


@dataclass
class Pair:
    first: sw.i32
    second: sw.i32


def doubled(a, k):
    return a[k] * 2


def test_what_a_name_stands_for_may_be_known_when_compiled_and_the_guard_not(device: sw.Device):
    def kernel(x, y, out):
        i = sw.global_id(0)
        match (i % 4, x, doubled, y):
            case (1, a, f, b) if a[i] > 6:
                out[i] = a[i] + f(b, i)
            case (2, a, f, (b)) if f(a, 3) > i:
                out[i] = f(a, i)
            case (_, a, _, b) if i > 15:
                out[i] = a[i] - b[0]
            case (k, a, f, b):
                out[i] = f(b, k) + a[k]

    x, y = np.arange(20, dtype=np.int32), np.arange(20, dtype=np.int32)[::-1] * 100
    over(kernel, device, x, np.ascontiguousarray(y))


def test_a_guard_may_change_a_name(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        match (i % 2, Pair(i, 2), i):
            case (0, p, a) if (a := a * 3) > 12:
                out[i] = p.second + a
            case (1, p, a) if (p.first > 4) and a < 17:
                out[i] = p.first + 100
            case (_, _, a):
                out[i] = a - 50

    over(kernel, device)


def test_one_array_by_a_name_on_both_ways(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        a = x
        if i > 4:
            a = x
        out[i] = a[i]

    over(kernel, device, np.arange(20, dtype=np.int32))

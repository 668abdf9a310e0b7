"""Small things that Python programs do: each kernel against itself as Python."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic, reportOperatorIssue=false

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from conformance.compare import check, define

import stepwell as sw

LIMITS = (2, 5, 9)


def over(kernel: Callable[..., None], device: sw.Device, n: int = 12) -> None:
    """Run over n threads with an i32 output of n."""
    check(kernel, np.zeros(n, np.int32), device=device, over=n)


@dataclass
class Span:
    low: sw.i32
    high: sw.i32

    @property
    def size(self):
        return self.high - self.low

    def holds(self, value):
        return self.low <= value < self.high


class Pair(NamedTuple):
    first: sw.i32
    second: sw.i32


# Each line computes `r` from the thread's number `i` and the i32 `v` (i - 3).
LINES = {
    "assignment to two names": "a = b = v\n    a += 1\n    r = a * 100 + b",
    "membership of a tuple": "r = 1 if v in (1, 4, 7) else 0",
    "membership of a constant tuple": "r = 1 if v not in LIMITS else 0",
    "nested choices of literals": "r = 7 + ((1 if v > 5 else 2) if v > 2 else (3 if v < 0 else 4))",
    "nested choices that load": "r = 1 if v < 0 else 2 if out[i] == 0 else 3",
    "nested choices that become floats": "r = int(0.5 * (1 if v < 0 else 2.5 if v < 4 else 3))",
    "nested conditional expressions": "r = 1 if v < 0 else 2 if v < 4 else 3",
    "divmod": "q, m = divmod(v, 3)\n    r = q * 10 + m",
    "pow": "r = pow(v, 3)",
    "abs and sign": "r = abs(v) * (1 if v > 0 else -1 if v < 0 else 0)",
    "min and max of many": "r = max(v, 2, 4 - v) * 100 + min(v, 2, 4 - v, 1)",
    "bool as a number": "r = bool(v > 2) + bool(v > 4) + True",
    "int of a bool": "r = int(v > 2) * 5",
    "unary chains": "r = - -v + ~~v - -(+v)",
    "precedence": "r = -v ** 2 + 2 * 3 % 5 - (v << 1 & 6 | 1 ^ v)",
    "chained comparison of four": "r = 1 if -2 < v <= 4 < 6 != v else 0",
    "underscored and hexadecimal literals": "r = v + 1_000 + 0xFF + 0b11 + 0o17",
    "a tuple indexed by a constant": "t = (v, 2, 3)\n    r = t[0] * 10 + t[-1]",
    "a tuple indexed at run time": "t = (v, 20, v * 2, 5, 7)\n    r = t[i % 5]",
    "a tuple of one item indexed at run time": "r = (v,)[i - i]",
    "a constant tuple indexed at run time": "f = sw.f32(0.5) + LIMITS[i % 3]\n    r = int(f)",
    "a tuple of tuples indexed at run time": "a, b = ((v, 1), (2, v))[i % 2]\n    r = a - b",
    "a NamedTuple indexed at run time": "r = Pair(v, v * 7)[i % 2]",
    "a nested tuple": "t = (v, (1, v + 1))\n    r = t[1][1] + t[1][0]",
    "a slice of a tuple": "t = (v, 5, 6)[1:]\n    r = t[0] * 10 + t[1] + len(t)",
    "concatenated tuples": "t = (v,) + (1, 2)\n    r = t[0] + t[2] * len(t)",
    "compared tuples": "r = 1 if (v, 2) == (4, 2) else 0",
    "walrus": "r = w * 2 if (w := v + 1) > 3 else w",
    "is None": "n = None\n    r = 1 if n is None else 0",
    "a loop over a tuple": "r = 0\n    for c in LIMITS:\n        r += c * v",
    "a loop over enumerate of a tuple": (
        "r = 0\n    for n, c in enumerate(LIMITS, 1):\n        r += n * c * v"
    ),
    "a loop over zip of tuples": (
        "r = 0\n    for a, b in zip(LIMITS, (1, v, 3)):\n        r += a * b"
    ),
    "the greatest common divisor": (
        "a, b = abs(v) + 12, 18\n    while b:\n        a, b = b, a % b\n    r = a"
    ),
    "a struct with a property and a method": (
        "s = Span(low=2, high=v + 4)\n    r = s.size * 10 + (1 if s.holds(v) else 0)"
    ),
    "a nested function": ("def f(a):\n        return a * v + 1\n    r = f(3) + f(v)"),
    "floor of a quotient": "r = math.floor(v / 2)",
    "isqrt by float": "r = int(math.sqrt(float(v * v)))",
    "annotated local": "a: sw.i32 = v\n    r = a + 1",
    "global constant of numpy": "r = v + int(np.int16(7))",
    "length of a tuple": "r = len(LIMITS) + v",
    "pass in else": "r = v\n    if v > 3:\n        r = 0\n    else:\n        pass",
    "assert that holds": "assert v > -100, 'small'\n    r = v",
    "nested loops with else": (
        "r = 0\n    for a in range(3):\n        for b in range(3):\n            if a * b == v:\n"
        "                break\n            r += 1\n        else:\n            r += 100"
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_line(device: sw.Device, line: str):
    source = "\n".join(
        [
            "def kernel(out):",
            "    i = sw.global_id(0)",
            "    v = sw.i32(i) - 3",
            f"    {LINES[line]}",
            "    out[i] = r",
            "",
        ]
    )
    over(define(source, LIMITS=LIMITS, Span=Span, Pair=Pair), device)


def test_functions_see_the_globals_of_their_own_module(device: sw.Device):
    helper = define("LIMITS = (100, 200)\ndef kernel(v):\n    return v + LIMITS[1]\n")

    def kernel(out):
        i = sw.global_id(0)
        out[i] = helper(i) + LIMITS[0]

    over(kernel, device)


def test_functions_are_values(device: sw.Device):
    def twice(function, value):
        return function(function(value))

    def kernel(out):
        i = sw.global_id(0)
        out[i] = twice(lambda v: v * 3, i) + twice(math.floor, 2.5)

    over(kernel, device)


def test_a_later_definition_of_the_same_name_is_another_kernel(device: sw.Device):
    for value in (1, 2):
        kernel = define(f"def kernel(out):\n    out[0] = {value}\n")
        out = np.zeros(1, np.int32)
        sw.kernel(kernel).over(1, device=device)(out)
        assert out[0] == value

"""What a kernel may call and capture: functions, lambdas, closures, tuples, constants."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import enum
import math
from collections.abc import Callable

import numpy as np
import pytest
from conformance import plain_functions
from conformance.compare import check

import stepwell as sw

SCALE = 3
TABLE = (2, 7, 1, 8)


class Colour(enum.IntEnum):
    RED = 1
    GREEN = 5
    BLUE = 9


def square(x):
    return x * x


def sum_of_squares(a, b):
    return square(a) + square(b)


def first_above(x, limit):
    for i in range(x.shape[0]):
        if x[i] > limit:
            return i
    return -1


def both(a, b):
    return a + b, a - b


def fill(x, value):
    for i in range(x.shape[0]):
        x[i] = value


def clamp(x, low=0, high=10):
    """Defaults and keywords are Python's."""
    if x < low:
        return low
    return high if x > high else x


def numbers(n: int = 10) -> np.ndarray:
    return np.arange(n, dtype=np.int32) - 3


def test_plain_functions_that_call_functions(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = sum_of_squares(x[i], i) - square(2)

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_a_function_of_another_module(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = plain_functions.twice(x[i]) + plain_functions.plus_offset(x[i])

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_a_function_with_loop_and_early_return(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = first_above(x, i)

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_a_function_is_specialised_for_each_type(device: sw.Device):
    def kernel(x, y, a, b):
        i = sw.global_id(0)
        a[i] = square(x[i])
        b[i] = square(y[i])

    x, y = numbers(), numbers().astype(np.float64) / 4
    check(kernel, x, y, np.zeros_like(x), np.zeros_like(y), device=device, over=10)


def test_tuples_in_and_out(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        total, difference = both(x[i], 4)
        pair = (total, difference)
        swapped = pair[1], pair[0]
        a, (b, c) = 1, swapped
        out[i] = a + 10 * b + 100 * c + len(pair)

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_swap_of_variables_and_elements(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        a, b = x[2 * i], x[2 * i + 1]
        a, b = b, a + 1
        x[2 * i], x[2 * i + 1] = a, b
        x[2 * i], x[2 * i + 1] = x[2 * i + 1], x[2 * i]

    check(kernel, numbers(), device=device, over=5)


def test_default_and_keyword_arguments(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = clamp(x[i]) + 100 * clamp(x[i], high=4) + 10000 * clamp(low=1, x=x[i])

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_an_array_is_passed_by_reference(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        fill(x[i, :], i * 2)

    check(kernel, np.zeros((4, 3), np.int32), device=device, over=4)


def test_a_parameter_assigned_in_a_function_stays_the_callers(device: sw.Device):
    def bump(v):
        v += 5
        return v

    def kernel(out):
        i = sw.global_id(0)
        a = 1
        b = bump(a)
        out[i] = a * 100 + b

    check(kernel, np.zeros(3, np.int32), device=device, over=3)


def test_lambda_in_a_kernel_and_from_outside(device: sw.Device):
    triple = lambda v: 3 * v  # noqa: E731

    def kernel(x, out):
        i = sw.global_id(0)
        plus = lambda a, b: a + b  # noqa: E731
        out[i] = plus(triple(x[i]), 1)

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_closure_constants_and_globals(device: sw.Device):
    offset = 7
    weights = (1, 4, 6)

    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = x[i] * SCALE + offset + weights[1] + TABLE[-1] + len(weights)

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


@pytest.mark.parametrize("function", [square, plain_functions.twice])
def test_a_closure_over_a_function(device: sw.Device, function: Callable[[int], int]):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = function(x[i])

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_function_defined_in_the_kernels_surroundings_sees_its_closure(device: sw.Device):
    def make(power: int) -> Callable[[int], int]:
        def raised(v):
            return v**power

        return raised

    cube = make(3)

    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = cube(x[i])

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_int_enum(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        match x[i]:
            case Colour.RED:
                out[i] = 100
            case Colour.GREEN | Colour.BLUE:
                out[i] = 200
            case _:
                out[i] = Colour.GREEN
        if x[i] == Colour.BLUE:
            out[i] += Colour.BLUE

    check(kernel, np.arange(12, dtype=np.int32), np.zeros(12, np.int32), device=device, over=12)


def test_int_enum_as_an_argument(device: sw.Device):
    def kernel(colour, out):
        out[0] = colour + 1 if colour == Colour.GREEN else 0

    for colour in Colour:
        check(kernel, colour, np.zeros(1, np.int32), device=device, over=1)


def test_constants_of_math(device: sw.Device):
    def kernel(out):
        out[0] = math.pi
        out[1] = math.tau - math.e
        out[2] = -math.inf
        out[3] = np.pi

    check(kernel, np.zeros(4), device=device, over=1)


def test_const_parameter_chooses_code(device: sw.Device):
    def kernel(x, mode: sw.Const, out):
        i = sw.global_id(0)
        if mode == 0:
            out[i] = x[i] + 1
        elif mode == 1:
            out[i] = x.shape[1]  # wrong for this array: only compiled where it is chosen
        else:
            out[i] = x[i] * mode

    for mode in (0, 3, -2):
        check(kernel, numbers(), mode, np.zeros(10, np.int32), device=device, over=10)


def test_const_parameter_as_shape_and_trip_count(device: sw.Device):
    def kernel(size: sw.Const, out):
        i = sw.global_id(0)
        buffer = sw.local(size, sw.i32)
        for k in sw.unroll(range(size)):
            buffer[k] = k * i
        total = 0
        for k in range(size):
            total += buffer[k]
        out[i] = total

    for size in (1, 5):
        check(kernel, size, np.zeros(4, np.int32), device=device, over=4)


def test_unrolled_loop_variable_is_a_constant(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        total = 0
        for k in sw.unroll(range(4)):
            if k % 2 == 0:
                total += x[i] * TABLE[k]
            else:
                total -= TABLE[k]
        for k in sw.unroll(range(3, 0, -1)):
            total = total * 2 + k
        out[i] = total

    check(kernel, numbers(), np.zeros(10, np.int32), device=device, over=10)


def test_unroll_over_a_tuple_of_mixed_types(device: sw.Device):
    def kernel(out):
        total = 0.0
        for k in sw.unroll((1, 2.5, True)):
            total += k
        out[0] = total

    check(kernel, np.zeros(1), device=device, over=1)


def test_literals_take_the_type_that_they_meet(device: sw.Device):
    def kernel(a, b, c, d):
        a[0] = a[0] + 200
        b[0] = 2 * b[0] - 1
        c[0] = c[0] * 0.1
        d[0] = 3 + d[0] / 2

    args = [
        np.array([100], np.uint8),
        np.array([2**40], np.int64),
        np.array([3], np.float16),
        np.array([3], np.float64),
    ]
    check(kernel, *args, device=device, over=1)


def test_variable_started_with_a_literal_has_the_type_of_what_follows(device: sw.Device):
    def kernel(x, out):
        total = 0
        scaled = 1
        for k in range(x.shape[0]):
            total += x[k]
            scaled = scaled * 0.5
        out[0] = total
        out[1] = scaled

    x = np.array([2.0**60, 1.0, -(2.0**60)])
    check(kernel, x, np.zeros(2), device=device, over=1)


def test_characters_are_written_as_such(device: sw.Device):
    def kernel(text, counts):
        i = sw.global_id(0)
        if ord("a") <= text[i] <= ord("z"):
            sw.atomic_add(counts, text[i] - ord("a"), 1)

    text = np.frombuffer(b"Abracadabra 7", np.uint8)
    check(kernel, text, np.zeros(26, np.int32), device=device, over=text.size)

"""if, for, while, break, continue, else, return: each kernel against itself as Python."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from conformance.compare import check, define, expect_equal, launch, needs, not_simulated

import stepwell as sw
from stepwell.runtime.errors import LoopLimit


def over(kernel: Callable[..., None], device: sw.Device, *args: object, n: int = 20) -> None:
    """Run over n threads with an i32 output of n as last argument."""
    check(kernel, *args, np.zeros(n, np.int32), device=device, over=n)


def test_if_elif_else(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        if i < 4:
            out[i] = 1
        elif i == 7:
            out[i] = 2
        elif i % 3 == 0:
            if i > 10:
                out[i] = 3
            else:
                out[i] = 4
        else:
            out[i] = 5

    over(kernel, device)


def test_variable_changed_in_both_branches(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        a = 10
        b = 1
        if i % 2 == 0:
            a = 20
            b += a
        else:
            b -= a
        out[i] = a + b

    over(kernel, device)


def test_early_return(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        out[i] = 1
        if i < 5:
            return
        out[i] = 2
        if i < 10:
            if i == 7:
                return
            out[i] = 3
        else:
            out[i] = 4
            return
        out[i] += 10

    over(kernel, device)


def test_return_from_nested_loops(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        for a in range(5):
            for b in range(5):
                out[i] = a * 10 + b
                if a * b == i:
                    return
        out[i] = -1

    over(kernel, device)


def test_changing_the_loop_variable_does_not_change_the_loop(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        for k in range(6):
            total += k
            k += 10
            total += k
        out[i] = total

    over(kernel, device)


def test_loop_variable_keeps_its_last_value(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        k = -1
        for k in range(i):
            if k == 7:
                break
        out[i] = k

    over(kernel, device)


def test_bounds_of_a_range_are_evaluated_once(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        n = 3
        total = 0
        for k in range(n):
            n += 2
            total += n + k
        out[i] = total

    over(kernel, device)


def test_for_break_continue_else(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        for k in range(10):
            if k == i:
                break
            if k % 3 == 1:
                continue
            total += k
        else:
            total += 100
        out[i] = total

    over(kernel, device)


def test_while_break_continue_else(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        k = 0
        while k < 10:
            k += 1
            if k == i:
                break
            if k % 3 == 1:
                continue
            total += k
        else:
            total += 100
        out[i] = total

    over(kernel, device)


def test_while_true(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        n = int(i) + 1
        steps = 0
        while True:
            if n == 1:
                break
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        out[i] = steps

    over(kernel, device)


def test_nested_loops_with_break_of_the_inner(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        for a in range(6):
            for b in range(6):
                if b > a:
                    break
                if (a + b) % 2 == i % 2:
                    continue
                total += a * b + 1
            else:
                total += 1000
            if total > 60:
                break
        out[i] = total

    over(kernel, device)


def test_while_inside_for_with_return(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        for a in range(3):
            k = 0
            while k < 4:
                out[i] += a + k
                k += 1
                if out[i] > i:
                    return
        out[i] = -out[i]

    over(kernel, device)


def test_condition_of_while_with_short_circuit(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        k = 0
        while k < x.shape[0] and x[k] != i:
            k += 1
        out[i] = k

    over(kernel, device, np.array([3, 1, 4, 15, 9, 2, 6], np.int32))


def test_pass_and_docstring(device: sw.Device):
    def kernel(out):
        """Does little."""
        i = sw.global_id(0)
        if i > 3:
            pass
        else:
            out[i] = 1
        for _ in range(3):
            pass

    over(kernel, device)


def test_reversed_enumerate_zip(device: sw.Device):
    def kernel(x, y, out):
        i = sw.global_id(0)
        total = 0
        for k in reversed(range(5)):
            total = total * 2 + k
        for k, value in enumerate(x):
            total += k * value
        for a, b in zip(x, y):  # noqa: B905
            total += a * b
        for value in x:
            total = total * 3 + value
        out[i] = total + len(x)

    x, y = np.array([3, 1, 4, 1], np.int32), np.array([2, 7, 1, 8], np.int32)
    over(kernel, device, x, y)


def test_loop_over_a_tuple(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        for weight in (1, 4, 6):
            total = total * 10 + weight
        out[i] = total

    over(kernel, device)


def test_loops_longer_than_sixteen_bits_count(device: sw.Device):
    not_simulated(device, "100 000 rounds")
    needs(device, "long_loops")

    def kernel(out, n, step):
        for _ in range(n):
            out[0] += 1
        for k in range(0, n * step, step):
            out[1] += k // step
        k = n
        while k > 0:
            k -= 1
            if k % 3 == 0:
                continue
            out[2] += 1

    n = 100_000
    out = np.zeros(3, np.int64)
    launch(kernel, out, np.int32(n), np.int32(7), device=device)
    third = sum(k % 3 != 0 for k in range(n))
    expect_equal(out, np.array([n, n * (n - 1) // 2, third]), device=device)


def counted(out, n):
    for _ in range(n):
        out[0] += 1


def conditional(out, n):
    while out[0] < n:
        out[0] += 1


def counted_in_a_variable(out, n):
    total = 0
    for k in range(n):
        total += k & n
    out[0] = total


def conditional_in_a_variable(out, n):
    k = 0
    while k < n:
        k += 1
    out[0] = k


@pytest.mark.parametrize(
    "kernel", [counted, conditional, counted_in_a_variable, conditional_in_a_variable]
)
def test_a_loop_that_the_device_cannot_finish_is_an_error(
    device: sw.Device, kernel: Callable[..., None]
):
    if "long_loops" in device.features:
        pytest.skip(f"{device.name} has no limit of rounds")
    launch(kernel, np.zeros(1, np.int32), np.int32(60_000), device=device)
    with pytest.raises(sw.KernelError, match="the device ended this loop"):
        launch(kernel, np.zeros(1, np.int32), np.int32(100_000), device=device)


def test_no_atomic_is_lost_when_a_kernel_has_gone_round_too_often(device: sw.Device):
    if "long_loops" in device.features:
        pytest.skip(f"{device.name} has no limit of rounds")

    def kernel(x, n, greatest, out):
        i = sw.global_id(0)
        total = 0
        for k in range(n):
            total += k & n
        out[i] = total
        sw.atomic_max(greatest, 0, x[i])  # of floats: a loop of compare-exchanges
        sw.atomic_max(greatest, 0, -x[i])

    x = np.arange(64, dtype=np.float32)
    for rounds in range(65_500, 65_536):
        greatest, out = np.zeros(1, np.float32), np.zeros(64, np.int32)
        told = False
        try:
            launch(kernel, x, np.int32(rounds), greatest, out, device=device, over=64)
        except LoopLimit:
            told = True
        assert told or greatest[0] == 63


def test_a_variable_and_an_element_change_places_in_a_loop(device: sw.Device):
    def kernel(x, out, n):
        i = sw.global_id(0)
        held = x[i]
        for _ in range(n):
            k = 3
            while k > 0 and i <= 21:
                k -= 1
                held, out[i] = out[i], held

    x = np.arange(40, dtype=np.int32)
    check(kernel, x, x + 100, np.int32(2), over=40, device=device)
    check(kernel, x, x + 100, np.int32(3), over=40, device=device)


@pytest.mark.parametrize(
    ("value", "other"), [("y[k]", "7"), ("y[k] + 1", "n + 1"), ("sw.i64(y[k])", "sw.i64(7)")]
)
@pytest.mark.parametrize("head", ["k = sw.global_id(0)", "for k in range(len(x)):"])
def test_what_a_branch_loads_and_then_overwrites_is_known_behind_it(
    device: sw.Device, head: str, value: str, other: str
):
    """By threads, and in a loop of one thread: vectors may be made of both."""
    lines = (
        "if x[k] > 0:",
        f"    held = {value}",
        "    y[k] = 5",
        "else:",
        f"    held = {other}",
        "out[k] = held",
    )
    space = "        " if head.endswith(":") else "    "
    text = "\n".join(
        ["def kernel(x, y, out, n):", f"    {head}", *(space + line for line in lines), ""]
    )
    x = np.arange(100, dtype=np.int32) % 5 - 2
    over = 1 if head.endswith(":") else x.size
    arguments = x, x + 100, np.zeros(x.size, np.int64), np.int32(3)
    check(define(text), *arguments, over=over, device=device)

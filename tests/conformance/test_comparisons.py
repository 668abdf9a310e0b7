"""Comparisons, logic and truth on every type."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import ALL, FLOATS, check, define, expect_equal, launch, pairs, specials

import stepwell as sw

RELATIONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


@pytest.mark.parametrize("dtype", ALL)
def test_every_relation(device: sw.Device, dtype: str):
    x, y = pairs(dtype, device=device)
    lines = [f"    {name}[i] = a[i] {sign} b[i]" for name, sign in RELATIONS.items()]
    head = [f"def kernel(a, b, {', '.join(RELATIONS)}):", "    i = sw.global_id(0)"]
    outs = [np.zeros(x.shape, bool) for _ in RELATIONS]
    launch(define("\n".join([*head, *lines, ""])), x, y, *outs, device=device, over=x.size)
    with np.errstate(all="ignore"):  # ml_dtypes warns of NaN
        expected = [eval(f"x {sign} y", {"x": x, "y": y}) for sign in RELATIONS.values()]
    for out, wanted, sign in zip(outs, expected, RELATIONS.values(), strict=True):
        expect_equal(out, wanted, what=f"{dtype} x {sign} y", device=device)


@pytest.mark.parametrize("wide", ["i64", "u64"])
@pytest.mark.parametrize("dtype", ["i32", "u32", "i16"])
def test_an_extended_number_beside_a_constant(device: sw.Device, dtype: str, wide: str):
    x = specials(dtype)
    for number in (0, 1, -1, 5, -5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**33, -(2**33)):
        if wide[0] == "u" and (number < 0 or dtype[0] == "i"):
            continue
        texts = [f"sw.{wide}(x[i]) {sign} sw.{wide}({number})" for sign in RELATIONS.values()]
        texts += [f"sw.{wide}({number}) {sign} sw.{wide}(x[i])" for sign in ("<", ">=")]
        texts += [f"min(sw.{wide}(x[i]), sw.{wide}({number})) == sw.{wide}(x[i])"]
        lines = [f"    out[i, {n}] = {text}" for n, text in enumerate(texts)]
        kernel = define("\n".join(["def kernel(x, out):", "    i = sw.global_id(0)", *lines, ""]))
        check(kernel, x, np.zeros((x.size, len(texts)), bool), device=device, over=x.size)


@pytest.mark.parametrize("dtype", ALL)
def test_truth_of_a_number(device: sw.Device, dtype: str):
    def kernel(a, by_if, by_not, by_bool):
        i = sw.global_id(0)
        if a[i]:
            by_if[i] = True
        by_not[i] = not a[i]
        by_bool[i] = bool(a[i])

    x = specials(dtype, device=device)
    check(kernel, x, *(np.zeros(x.shape, bool) for _ in range(3)), device=device, over=x.size)


def test_and_or_not_of_conditions(device: sw.Device):
    def kernel(a, b, both, either, neither):
        i = sw.global_id(0)
        x, y = a[i], b[i]
        both[i] = x > 0 and y > 0
        either[i] = x > 0 or y > 0
        neither[i] = not (x > 0 or not y <= 0)

    x, y = pairs("i32", device=device)
    check(kernel, x, y, *(np.zeros(x.shape, bool) for _ in range(3)), device=device, over=x.size)


def test_and_or_of_numbers_give_an_operand(device: sw.Device):
    def kernel(a, b, both, either):
        i = sw.global_id(0)
        both[i] = a[i] and b[i]
        either[i] = a[i] or b[i]

    x, y = pairs("i32", device=device)
    check(kernel, x, y, np.zeros_like(x), np.zeros_like(x), device=device, over=x.size)


def test_and_does_not_evaluate_its_right_side_when_the_left_is_false(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = 1 if i < x.shape[0] and x[i] > 0 else 2

    check(kernel, np.array([1, -1], np.int32), np.zeros(5, np.int32), device=device, over=5)


def test_or_does_not_evaluate_its_right_side_when_the_left_is_true(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = 1 if i >= x.shape[0] or x[i] > 0 else 2

    check(kernel, np.array([1, -1], np.int32), np.zeros(5, np.int32), device=device, over=5)


def test_conditional_expression_evaluates_one_side(device: sw.Device):
    def kernel(x, y, out):
        i = sw.global_id(0)
        out[i] = x[i] // y[i] if y[i] != 0 else -1

    x, y = pairs("i32", device=device)
    check(kernel, x, y, np.zeros_like(x), device=device, over=x.size)


def test_chained_comparison(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = -2 < x[i] <= 3 != 2

    x = specials("i32", device=device)
    check(kernel, x, np.zeros(x.shape, bool), device=device, over=x.size)


def test_chained_comparison_evaluates_the_middle_once(device: sw.Device):
    def kernel(counter, out):
        i = sw.global_id(0)
        out[i] = 0 <= sw.atomic_add(counter, 0, 1) < 100

    counter, out = np.zeros(1, np.int32), np.zeros(10, bool)
    launch(kernel, counter, out, device=device, over=10)
    assert counter[0] == 10
    assert out.all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_is_unordered_and_unequal_to_itself(device: sw.Device, dtype: str):
    def kernel(x, out):
        nan = x[0]
        out[0] = nan == nan
        out[1] = nan != nan
        out[2] = nan < nan or nan > nan or nan <= nan or nan >= nan
        out[3] = not (nan < 1.0)

    x = specials(dtype, device=device)[-1:]
    assert np.isnan(x[0])
    out = np.zeros(4, bool)
    launch(kernel, x, out, device=device, over=1)
    assert out.tolist() == [False, True, False, True]

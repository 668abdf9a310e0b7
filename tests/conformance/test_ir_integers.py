"""Ops on integers that Python has no word for, as IR, on every device and in every width."""

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import DTYPES, INTS, Array, pairs
from conformance.ir_kernels import elementwise, run_ir

import stepwell as sw


def both(device: sw.Device, op: str, dtype: str, a: Array, b: Array, results: int) -> list[Array]:
    """The results of an op on two integers."""
    outs = [np.zeros_like(a) for _ in range(results)]
    names = [f"%r{n}" for n in range(results)]
    place = f": memref<?x{dtype}, GLOBAL>"
    lines = [
        *(f"%{name} = memref.load %x{n}[%i] {place}" for n, name in enumerate("ab")),
        f"{', '.join(names)} = {op} %a, %b : {dtype}",
        *(f"memref.store {name}, %x{n}[%i] {place}" for n, name in enumerate(names, 2)),
    ]
    text = elementwise(lines, [dtype] * (2 + results))
    run_ir(device, text, a, b, *outs, grid=a.size)
    return outs


def random_pairs(dtype: str) -> tuple[Array, Array]:
    """Numbers that hurt, each with each, and random ones of all sizes."""
    random = np.random.default_rng(7)
    bits = random.integers(0, 2**64, (2, 200), np.uint64)
    bits >>= random.integers(0, 64, (2, 200), np.uint64)
    made = bits.astype(f"u{DTYPES[dtype].itemsize}").view(DTYPES[dtype])
    first, second = (np.concatenate(parts) for parts in zip(pairs(dtype), made, strict=True))
    return first, second


def wrapped(values: list[int], dtype: str) -> Array:
    """The low bits of numbers of any size."""
    width = 8 * DTYPES[dtype].itemsize
    low = np.array([value % 2**width for value in values], f"u{width // 8}")
    return low.view(DTYPES[dtype])


@pytest.mark.parametrize("dtype", INTS)
def test_both_halves_of_a_product(device: sw.Device, dtype: str):
    a, b = random_pairs(dtype)
    width, unsigned = 8 * DTYPES[dtype].itemsize, f"u{DTYPES[dtype].itemsize}"
    for op, kind in (("arith.mulsi_extended", a.dtype), ("arith.mului_extended", unsigned)):
        low, high = both(device, op, dtype, a, b, 2)
        numbers = zip(a.view(kind), b.view(kind), strict=True)
        products = [int(x) * int(y) for x, y in numbers]
        np.testing.assert_array_equal(low, wrapped(products, dtype), err_msg=op)
        upper = [product >> width for product in products]
        np.testing.assert_array_equal(high, wrapped(upper, dtype), err_msg=op)


def power(base: int, exponent: int, modulus: int) -> int:
    if exponent >= 0:
        return pow(base, exponent, modulus)
    return {1: 1, -1: -1 if exponent % 2 else 1}.get(base, 0)


@pytest.mark.parametrize("dtype", INTS)
def test_integer_power_wraps_and_takes_negative_exponents(device: sw.Device, dtype: str):
    a, b = random_pairs(dtype)
    (result,) = both(device, "math.ipowi", dtype, a, b, 1)
    modulus = 2 ** (8 * DTYPES[dtype].itemsize)
    expected = [power(int(x), int(y), modulus) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(result, wrapped(expected, dtype))


def quotient(op: str, a: int, b: int) -> int:
    """With Python's numbers; 0 by 0."""
    if b == 0:
        return 0
    if op.startswith("floor"):
        return a // b
    if op.startswith("ceil"):
        return -(-a // b)
    truncated = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return truncated if op.startswith("div") else a - truncated * b


@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize(
    "op", ["divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui"]
)
def test_quotients_of_all_kinds(device: sw.Device, op: str, dtype: str):
    a, b = random_pairs(dtype)
    (got,) = both(device, f"arith.{op}", dtype, a, b, 1)
    kind = f"u{DTYPES[dtype].itemsize}" if "ui" in op else a.dtype
    numbers = zip(a.view(kind), b.view(kind), strict=True)
    expected = [quotient(op, int(x), int(y)) for x, y in numbers]
    np.testing.assert_array_equal(got, wrapped(expected, dtype))

"""Bit operations and shifts."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import (
    DTYPES,
    FLOATS,
    INTS,
    UINTS,
    check,
    expect_equal,
    launch,
    pairs,
    specials,
)

import stepwell as sw


@pytest.mark.parametrize("dtype", ["bool", *INTS, *UINTS])
def test_and_or_xor(device: sw.Device, dtype: str):
    def kernel(a, b, conj, disj, excl):
        i = sw.global_id(0)
        conj[i] = a[i] & b[i]
        disj[i] = a[i] | b[i]
        excl[i] = a[i] ^ b[i]

    x, y = pairs(dtype, device=device)
    check(kernel, x, y, *(np.zeros_like(x) for _ in range(3)), device=device, over=x.size)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_invert(device: sw.Device, dtype: str):
    def kernel(a, out):
        i = sw.global_id(0)
        out[i] = ~a[i]

    x = specials(dtype, device=device)
    check(kernel, x, np.zeros_like(x), device=device, over=x.size)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_shifts_by_every_amount_below_the_width(device: sw.Device, dtype: str):
    def kernel(a, by, left, right):
        i = sw.global_id(0)
        left[i] = a[i] << by[i]
        right[i] = a[i] >> by[i]

    bits = DTYPES[dtype].itemsize * 8
    x = np.repeat(specials(dtype, device=device), bits)
    by = np.tile(np.arange(bits), specials(dtype, device=device).size).astype(x.dtype)
    check(kernel, x, by, np.zeros_like(x), np.zeros_like(x), device=device, over=x.size)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_shifts_by_literals(device: sw.Device, dtype: str):
    def kernel(a, out):
        i = sw.global_id(0)
        out[i] = ((a[i] << 3) ^ (a[i] >> 2)) | 1

    x = specials(dtype, device=device)
    check(kernel, x, np.zeros_like(x), device=device, over=x.size)


@pytest.mark.parametrize("dtype", ["i32", "u8", "u64"])
def test_augmented_bit_operations(device: sw.Device, dtype: str):
    def kernel(a, out):
        i = sw.global_id(0)
        x = a[i]
        x &= 0x3C
        x |= 3
        x ^= 0x11
        x <<= 1
        x >>= 2
        out[i] ^= x

    x = specials(dtype, device=device)
    check(kernel, x, np.full_like(x, 9), device=device, over=x.size)


COUNTED = (0, 1, 2, 5, -1, -2, 0x40, 0x55, -128, 0x4000, 2**30 + 8, 2**31 - 1, 2**62, -(2**63))


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_counts_of_bits(device: sw.Device, dtype: str):
    def kernel(a, ones, above, below, numpys):
        i = sw.global_id(0)
        ones[i] = sw.popcount(a[i])
        above[i] = sw.leading_zeros(a[i])
        below[i] = sw.trailing_zeros(a[i])
        numpys[i] = np.bitwise_count(a[i])

    x = np.array(COUNTED, np.int64).astype(DTYPES[dtype])
    found = (np.zeros(x.size, np.int32) for _ in range(3))
    check(kernel, x, *found, np.zeros(x.size, np.uint8), device=device, over=x.size)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_the_upper_half_of_a_product(device: sw.Device, dtype: str):
    def kernel(a, b, high):
        i = sw.global_id(0)
        high[i] = sw.multiply_high(a[i], b[i])

    x, y = pairs(dtype, device=device)
    check(kernel, x, y, np.zeros_like(x), device=device, over=x.size)


def test_the_upper_half_of_a_product_with_a_literal(device: sw.Device):
    def kernel(a, tenths):
        i = sw.global_id(0)
        tenths[i] = sw.multiply_high(a[i], 0xCCCCCCCD) >> 3

    x = specials("u32", device=device)
    tenths = np.zeros_like(x)
    launch(kernel, x, tenths, device=device, over=x.size)
    assert tenths.tolist() == (x // 10).tolist()


@pytest.mark.parametrize(
    ("dtype", "to"),
    [("f32", "u32"), ("f32", "i32"), ("i32", "f32"), ("f64", "u64"), ("i64", "f64"), ("f16", "i16"),
     ("u16", "f16"), ("bf16", "u16"), ("i16", "bf16"), ("i8", "u8"), ("u32", "i32")],
)  # fmt: skip
def test_bits_as_another_type(device: sw.Device, dtype: str, to: str):
    kind = getattr(sw, to)

    def kernel(a, out):
        i = sw.global_id(0)
        out[i] = sw.bitcast(a[i], kind)

    x = specials(dtype, device=device)
    out = np.zeros(x.size, DTYPES[to])
    launch(kernel, x, out, device=device, over=x.size)
    if dtype in FLOATS:
        numbers = ~np.isnan(x.astype(np.float64))  # which NaN it is may change on the way
        assert out[numbers].tolist() == x.view(DTYPES[to])[numbers].tolist()
    else:
        expect_equal(out, x.view(DTYPES[to]), device=device)


def test_the_float_inverse_square_root_of_a_game(device: sw.Device):
    """A loop of them, which the CPU runs in lanes."""

    def kernel(x, out):
        i = sw.global_id(0)
        y = x[i]
        guess = sw.bitcast(0x5F3759DF - (sw.bitcast(y, sw.i32) >> 1), sw.f32)
        for _ in range(3):
            guess = guess * (1.5 - 0.5 * y * guess * guess)
        out[i] = guess

    x = np.linspace(0.1, 100, 1000).astype(np.float32)
    out = np.zeros_like(x)
    launch(kernel, x, out, device=device, over=x.size)
    assert np.allclose(out, 1 / np.sqrt(x), rtol=1e-5)


def test_shifts_of_an_index_past_32_bits(device: sw.Device):
    """Of its low 32 bits, which it has on every device, nothing is left."""

    def kernel(counts, left, right):
        i = sw.global_id(0)
        for k in range(counts.shape[0]):
            left[i, k] = (i + 1) << counts[k]
            right[i, k] = (i - 1) >> counts[k]
        left[i, 6] = (i + 1) << 40
        right[i, 6] = (i - 1) >> 63
        left[i, 7] = (i + 1) << 33

    counts = np.array([0, 1, 31, 32, 40, 100], np.int32)
    left, right = np.zeros((2, 8), np.uint32), np.zeros((2, 7), np.int32)
    launch(kernel, counts, left, right, device=device, over=2)
    shifts = [*counts.tolist(), 40, 33]
    assert left.tolist() == [[((i + 1) << n) % 2**32 for n in shifts] for i in range(2)]
    assert right.tolist() == [[-1] * 7, [0] * 7]

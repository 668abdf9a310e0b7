"""Bit operations and shifts."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import DTYPES, INTS, UINTS, check, launch, pairs, specials

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

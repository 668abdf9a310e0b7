"""Bit operations and shifts."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import DTYPES, INTS, UINTS, check, pairs, specials

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

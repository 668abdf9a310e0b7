"""The type in which two operands meet, for every pair: seen from where products wrap and round."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import ALL, DTYPES, FLOATS, INTS, UINTS, define, launch, specials

import stepwell as sw

WIDTH = {name: int(name.lstrip("iubf")) for name in ALL if name != "bool"}


def common(a: str, b: str) -> str | None:
    """PyTorch's table, with the unsigned types that it leaves open made explicit."""
    if a == b:
        return a
    if "bool" in (a, b):
        return b if a == "bool" else a
    if a in FLOATS or b in FLOATS:
        return common_of_floats(a, b)
    if (a in INTS) == (b in INTS):
        return a if WIDTH[a] > WIDTH[b] else b
    signed, unsigned = (a, b) if a in INTS else (b, a)
    if WIDTH[signed] > WIDTH[unsigned]:
        return signed
    return f"i{2 * WIDTH[unsigned]}" if WIDTH[unsigned] < 64 else None


def common_of_floats(a: str, b: str) -> str:
    if not (a in FLOATS and b in FLOATS):
        return a if a in FLOATS else b
    if WIDTH[a] == WIDTH[b]:
        return "f32"
    return a if WIDTH[a] > WIDTH[b] else b


@pytest.mark.parametrize("a", ALL)
def test_sum_of_every_pair_has_the_common_type(device: sw.Device, a: str):
    """All partners of `a` in one kernel; sums near the ends of the range tell the type."""
    partners = [b for b in ALL if common(a, b) is not None and not (a == b == "bool")]
    x = specials(a, device=device)[-4:-1] if a in FLOATS else specials(a, device=device)[-3:]
    ys = {
        b: specials(b, device=device)[-4:-1] if b in FLOATS else specials(b, device=device)[-3:]
        for b in partners
    }
    pairs = {b: (np.repeat(x, ys[b].size), np.tile(ys[b], x.size)) for b in partners}
    sources = ["def kernel(" + ", ".join(f"x{b}, y{b}, out{b}" for b in partners) + "):"]
    sources += ["    i = sw.global_id(0)"]
    for b in partners:
        sources += [
            f"    if i < out{b}.shape[0]:",
            f"        out{b}[i] = sw.f64(x{b}[i] + y{b}[i])",
        ]
    outs = {b: np.zeros(pairs[b][0].size) for b in partners}
    args = [arg for b in partners for arg in (*pairs[b], outs[b])]
    launch(define("\n".join([*sources, ""])), *args, device=device, over=16)
    for b in partners:
        to = DTYPES[str(common(a, b))]
        with np.errstate(all="ignore"):
            left, right = (v.astype(to) for v in pairs[b])
            expected = (left + right).astype(np.float64)
        np.testing.assert_array_equal(outs[b], expected, err_msg=f"{a} + {b} as {to}")


@pytest.mark.parametrize("signed", INTS)
def test_u64_with_a_signed_integer_has_no_common_type(device: sw.Device, signed: str):
    def kernel(x, y, out):
        out[0] = x[0] + y[0]

    x, y = np.ones(1, np.uint64), np.ones(1, DTYPES[signed])
    with pytest.raises(sw.CompileError, match="no common type"):
        launch(kernel, x, y, np.zeros(1, np.uint64), device=device, over=1)


@pytest.mark.parametrize("dtype", [*INTS, *UINTS, *FLOATS])
def test_an_integer_literal_takes_the_type_it_meets(device: sw.Device, dtype: str):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = sw.f64(x[i] + 100)

    x = specials(dtype, device=device)
    x = x[np.isfinite(x)]
    out = np.zeros(x.size)
    launch(kernel, x, out, device=device, over=x.size)
    with np.errstate(all="ignore"):
        expected = (x + np.array(100, x.dtype)).astype(np.float64)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_float_literal_takes_the_float_it_meets(device: sw.Device, dtype: str):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = sw.f64(x[i] * 0.1)

    x = np.array([1.0, 3.0, 7.0]).astype(DTYPES[dtype])
    out = np.zeros(3)
    launch(kernel, x, out, device=device, over=3)
    expected = (x * np.array(0.1).astype(x.dtype)).astype(np.float64)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", INTS)
def test_a_float_literal_with_an_integer_gives_f32(device: sw.Device, dtype: str):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = sw.f64(x[i] * 0.1)

    x = np.array([1, 3, 7], DTYPES[dtype])
    out = np.zeros(3)
    launch(kernel, x, out, device=device, over=3)
    expected = (x.astype(np.float32) * np.float32(0.1)).astype(np.float64)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("dtype", "literal"),
    [
        *[(dtype, literal) for dtype in ("i16", *FLOATS) for literal in ("0.1", "3")],
        *[("i32", literal) for literal in ("0.1", "3", "16777216.0")],
    ],
)
def test_typed_constants_meet_literals_as_numbers_of_the_run_do(
    device: sw.Device, dtype: str, literal: str
):
    lines = ["def kernel(x, out):"]
    for n, number in enumerate((f"sw.{dtype}(7)", "x[0]")):
        lines += [
            f"    out[{n}, 0] = sw.f64({number} - {literal}) * 3",
            f"    out[{n}, 1] = {literal} * {number}",
            f"    out[{n}, 2] = 1 if {number} + 16777210 == {literal} else 2"
            if dtype == "i32"
            else f"    out[{n}, 2] = 1 if {number} < {literal} else 2",
        ]
    out = np.zeros((2, 3))
    launch(define("\n".join([*lines, ""])), np.full(1, 7, DTYPES[dtype]), out, device=device)
    assert out[0].tolist() == out[1].tolist()


def test_a_literal_past_32_bits_makes_an_index_an_i64(device: sw.Device):
    """An index has 32 bits on some devices, and what is computed of it there must not differ."""

    def kernel(hashes, masked, small, wide):
        i = sw.global_id(0)
        hashes[i] = i * 6364136223846793005 + 1442695040888963407
        masked[i] = sw.u32(i * 2654435761 + 12345) ^ sw.u32((i - 2) & 0xFFFFFFFF)
        small[i] = i < 4_000_000_000 and i - 1 > -3_000_000_000
        j = i
        j += 5_000_000_000
        wide[i] = j // 7

    count, wrap = 100, 1 << 64
    hashes, masked = np.zeros(count, np.uint64), np.zeros(count, np.uint32)
    small, wide = np.zeros(count, np.bool_), np.zeros(count, np.int64)
    launch(kernel, hashes, masked, small, wide, device=device, over=count)
    numbers = range(count)
    assert hashes.tolist() == [
        (i * 6364136223846793005 + 1442695040888963407) % wrap for i in numbers
    ]
    assert masked.tolist() == [(i * 2654435761 + 12345) % 2**32 ^ (i - 2) % 2**32 for i in numbers]
    assert small.all()
    assert wide.tolist() == [(i + 5_000_000_000) // 7 for i in numbers]

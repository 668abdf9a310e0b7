"""Kernels taken to the shader level, for devices with more and fewer features, and run."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from conformance.compare import DTYPES, Array, check, define, expect_equal, launch, pairs, specials
from oracles.shader_device import ShaderDevice, register, unregister

import stepwell as sw
from stepwell.targets import find_target

# As many lanes as the CPU itself takes, which is what results are compared with.
LEAST = f"sg{find_target('cpu').subgroup_size()}"
LANES = f"{LEAST}+subgroup_basic+subgroup_vote+subgroup_arithmetic+subgroup_ballot+subgroup_shuffle"
MOST = (
    f"{LANES}+int8+storage8+int16+storage16+float16+int64+float64+int64_atomics+shared_int64_atomics"
    "+float32_atomic_add+shared_float32_atomic_add+float64_atomic_add+shared_float64_atomic_add"
    "+subgroup_extended_types"
)


@pytest.fixture(params=[LEAST, MOST], ids=["least", "most"])
def device(request: pytest.FixtureRequest) -> Generator[ShaderDevice]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield register(request.param)
        unregister()


@pytest.fixture
def least() -> Generator[ShaderDevice]:
    """A device that has no type but i32 and f32."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield register(LEAST)
        unregister()


def test_buffers_with_strides(device: ShaderDevice):
    def kernel(x, y):
        i, j = sw.global_id(0), sw.global_id(1)
        y[j, i] = x[i, j]

    x = np.arange(48, dtype=np.float32).reshape(6, 8)[::2, 1::3]
    check(kernel, x, np.zeros((3, 3), np.float32), device=device, over=(3, 3))


def test_parts_of_a_shared_array(device: ShaderDevice):
    def kernel(x, y):
        tile = sw.shared((4, 5), sw.i32)
        t = sw.thread_id(0)
        tile[t // 5, t % 5] = x[t]
        sw.barrier()
        row = tile[t % 4, 1:]
        y[t] = row[t % 3]

    x = np.arange(20, dtype=np.int32)
    check(kernel, x, np.zeros_like(x), device=device, grid=1, block=20, cooperative=True)


def test_dynamic_shared_array_of_rows(device: ShaderDevice):
    @sw.kernel
    def kernel(x, y):
        rows = sw.shared((None, 2), sw.f32)
        t = sw.thread_id(0)
        rows[t, 0] = x[t]
        rows[t, 1] = len(rows)
        sw.barrier()
        y[t] = rows[7 - t, 0] + rows[t, 1]

    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    kernel.launch(1, 8, device=device, shared_bytes=64)(x, y)
    np.testing.assert_array_equal(y, 15 - x)


def random_numbers(dtype: str, seed: int) -> Array:
    """Numbers of all magnitudes: random bits, of which a random number stays."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2**64, 2000, np.uint64) >> random.integers(0, 64, 2000, np.uint64)
    width = DTYPES[dtype].itemsize
    low = bits.astype(f"u{width}") if dtype[0] in "iu" else (bits >> np.uint64(48)).astype("u2")
    return low.view(DTYPES[dtype])


def run_both(device: ShaderDevice, arrays: tuple[Array, ...], outs: dict[str, str]) -> None:
    """Each expression of a, b (and their index i) in a type, as the CPU itself computes it."""
    names = "ab"[: len(arrays)]
    lines = [f"    {n} = p{n}[i]" for n in names]
    lines += [f"    y{k}[i] = {text}" for k, text in enumerate(outs)]
    parameters = [*(f"p{n}" for n in names), *(f"y{k}" for k in range(len(outs)))]
    body = [f"def kernel({', '.join(parameters)}):", "    i = sw.global_id(0)", *lines, ""]
    kernel = define("\n".join(body))
    size = arrays[0].size
    results = []
    for on in (sw.device("cpu"), device):
        given = [np.zeros(size, DTYPES[dtype]) for dtype in outs.values()]
        launch(kernel, *arrays, *given, device=on, over=size)
        results.append(given)
    for text, expected, got in zip(outs, *results, strict=True):
        expect_equal(got, expected, what=text)


@pytest.mark.parametrize("dtype", ["i8", "u8", "i16", "u16", "i64", "u64"])
def test_integers_are_the_same_emulated(least: ShaderDevice, dtype: str):
    a, b = (
        np.concatenate([special, random_numbers(dtype, seed)])
        for seed, special in enumerate(pairs(dtype))
    )
    sums = ["a + b", "a - b", "a * b", "a & b", "a | b", "a ^ b", "~a", "min(a, b)", "max(a, b)"]
    divisions = ["a // b if b != 0 else a", "a % b if b != 0 else b", "abs(a)"]
    bits = 8 * DTYPES[dtype].itemsize
    shifts = [f"a << sw.i32(b & {bits - 1})", f"a >> sw.i32(b & {bits - 1})"]
    outs = dict.fromkeys([*sums, *divisions, *shifts], dtype)
    outs |= dict.fromkeys(["a < b", "a <= b", "a > b", "a >= b", "a == b", "a != b"], "bool")
    run_both(least, (a, b), outs)


@pytest.mark.parametrize("dtype", ["i8", "u8", "i16", "u16", "i64", "u64", "i32", "u32"])
def test_casts_of_integers_are_the_same_emulated(least: ShaderDevice, dtype: str):
    a = np.concatenate([specials(dtype), random_numbers(dtype, 5)])
    kinds = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "bf16", "f32", "bool"]
    run_both(least, (a,), {f"sw.{kind.replace('bool', 'bool_')}(a)": kind for kind in kinds})


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_small_floats_are_the_same_emulated(least: ShaderDevice, dtype: str):
    a, b = (
        np.concatenate([special, random_numbers(dtype, seed)])
        for seed, special in enumerate(pairs(dtype))
    )
    outs = dict.fromkeys(["a + b", "a - b", "a * b", "a / b", "-a", "abs(a)"], dtype)
    outs |= dict.fromkeys(["min(a, b)", "np.maximum(a, b)", "math.sqrt(abs(a))"], dtype)
    outs |= dict.fromkeys(["math.copysign(a, b)", "np.floor(a)", "a if a < b else b"], dtype)
    outs |= dict.fromkeys(["a < b", "a == b", "a != b"], "bool")
    run_both(least, (a, b), outs)


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32"])
def test_casts_of_floats_are_the_same_emulated(least: ShaderDevice, dtype: str):
    random = random_numbers(dtype, 6) if dtype != "f32" else np.zeros(0, np.float32)
    single = np.random.default_rng(8).integers(0, 2**32, 5000, np.uint32).view(np.float32)
    a = np.concatenate([specials(dtype), random, single if dtype == "f32" else random])
    kinds = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "bf16", "f32"]
    run_both(least, (a,), {f"sw.{kind}(a)": kind for kind in kinds})


def test_neighbours_in_a_word_are_kept(device: ShaderDevice):
    def kernel(x, y):
        i = sw.global_id(0)
        if i % 3 != 1:
            y[i] = x[i]

    for dtype in (np.int8, np.bool_, np.float16, np.uint16):
        x = (np.arange(41) % 2).astype(dtype)
        for start in range(4):
            base = np.ones(48, dtype)
            expected = base.copy()
            expected[start : start + 41] = np.where(np.arange(41) % 3 == 1, base[:41], x)
            view = base[start : start + 41]
            launch(kernel, x, view, device=device, over=41)
            np.testing.assert_array_equal(base, expected)


@pytest.mark.parametrize("dtype", ["i8", "u8", "i16", "f16", "bf16", "f32"])
def test_atomics_of_small_elements_and_floats(device: ShaderDevice, dtype: str):
    kernel = define(f"""def kernel(total, most, least, seen):
        i = sw.global_id(0)
        sw.atomic_add(total, i % 3, sw.{dtype}(1))
        sw.atomic_max(most, 1, sw.{dtype}(i % 61))
        sw.atomic_min(least, 0, sw.{dtype}(100 - i % 61))
        seen[i] = sw.atomic_compare_exchange(most, 2, sw.{dtype}(0), sw.{dtype}(5))
    """)
    kind = DTYPES[dtype]
    total, most, least = np.zeros(3, kind), np.zeros(3, kind), np.full(3, 120, kind)
    seen = np.full(100, 9, kind)
    launch(kernel, total, most, least, seen, device=device, over=100)
    np.testing.assert_array_equal(total, np.array([34, 33, 33], kind))
    np.testing.assert_array_equal(most, np.array([0, 60, 5], kind))
    np.testing.assert_array_equal(least, np.array([40, 120, 120], kind))
    assert (seen == 0).sum() == 1 and (seen == 5).sum() == 99


def test_reports_hold_values_of_emulated_types(least: ShaderDevice, capfd: pytest.CaptureFixture):
    def kernel(x, y, z):
        print(x[0], y[0], z[0])
        assert x[0] > 0, "positive"

    x, y, z = np.array([-(2**40)]), np.array([200], np.uint8), np.array([1.5], np.float16)
    with pytest.raises(sw.AssertionFailed, match="positive"):
        launch(kernel, x, y, z, device=least, over=1)
    assert capfd.readouterr().out.strip() == "-1099511627776 200 1.5"


@pytest.mark.parametrize("features", [LEAST, LANES, MOST], ids=["shared", "words", "most"])
def test_lanes_exchange_emulated_types(features: str, monkeypatch: pytest.MonkeyPatch):
    def kernel(x, total, least, before, other):
        i = sw.global_id(0)
        if i % 5 != 3:
            total[i] = sw.subgroup_reduce_add(x[i])
            least[i] = sw.subgroup_reduce_min(x[i])
            before[i] = sw.subgroup_exclusive_add(x[i])
        other[i] = sw.shuffle_xor(x[i], 1)

    monkeypatch.setenv("STEPWELL_CACHE", "0")
    device = register(features)
    for dtype in ("i8", "u16", "i64", "u64", "bf16"):
        x = np.resize(specials(dtype) if dtype != "bf16" else np.arange(12), 24)
        x = x.astype(DTYPES[dtype])
        results = []
        for on in (sw.device("cpu"), device):
            outs = [np.zeros(24, x.dtype) for _ in range(4)]
            launch(kernel, x, *outs, device=on, grid=1, block=24)
            results.append(outs)
        for expected, got in zip(*results, strict=True):
            expect_equal(got, expected, what=dtype)
    unregister()

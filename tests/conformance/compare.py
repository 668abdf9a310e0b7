"""What conformance tests share: run on a device, run as Python, compare; values that hurt.

    check(kernel, x, y, over=x.size, device=device)

runs the plain function `kernel` on the device and on the reference device and compares every array
argument bit for bit (any NaN equals any NaN), or within `ulps` or `tolerance` where that is given.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard, cast

import ml_dtypes
import numpy as np
import pytest
from conformance.reference import run
from conformance.rounds import FUNCTION, again, counted

import stepwell as sw

Array = np.ndarray[Any, Any]

INTS = ("i8", "i16", "i32", "i64")
UINTS = ("u8", "u16", "u32", "u64")
FLOATS = ("f16", "bf16", "f32", "f64")
NUMBERS = INTS + UINTS + FLOATS
ALL = ("bool", *NUMBERS)

DTYPES: dict[str, np.dtype[Any]] = {
    "bool": np.dtype(np.bool_),
    **{f"i{8 * n}": np.dtype(f"i{n}") for n in (1, 2, 4, 8)},
    **{f"u{8 * n}": np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
    **{f"f{8 * n}": np.dtype(f"f{n}") for n in (2, 4, 8)},
    "bf16": np.dtype(ml_dtypes.bfloat16),
}


def is_float(name: str) -> bool:
    """Whether values of this type are floating-point."""
    return name in FLOATS


def specials(name: str, device: sw.Device | None = None) -> Array:
    """The adversarial values of a type: ends of the range, around zero, and what has no number.

    Without subnormal numbers for a device that does not promise to keep them.
    """
    dtype = DTYPES[name]
    if name == "bool":
        return np.array([False, True])
    if not is_float(name):
        info = np.iinfo(dtype)
        values = {info.min, info.min + 1, -7, -3, -2, -1, 0, 1, 2, 3, 7, 10, info.max // 2}
        values |= {info.max // 2 + 1, info.max - 1, info.max}
        return np.array(sorted(v for v in values if info.min <= v <= info.max), dtype)
    info = cast(Any, ml_dtypes.finfo)(dtype)
    small = [float(info.tiny), 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 7.25]
    if not flushes(device):
        small.insert(0, float(info.smallest_subnormal))
    positive = [0.0, *small, 100.0, float(info.max), np.inf]
    return np.array([*positive, *(-v for v in positive), np.nan], np.float64).astype(dtype)


def flushes(device: sw.Device | None) -> bool:
    """Whether a device may take subnormal numbers for zeros, and give zeros for them."""
    return device is not None and "subnormals" not in device.features


def pairs(
    name: str, other: str | None = None, device: sw.Device | None = None
) -> tuple[Array, Array]:
    """Every special value of one type with every one of the other."""
    a, b = specials(name, device), specials(other or name, device)
    return np.repeat(a, b.size), np.tile(b, a.size)


def define(
    source: str, name: str = "kernel", *, rounds: bool = False, **names: Any
) -> Callable[..., None]:
    """The function `name` of a piece of source text, which sees `sw`, `np` and `names`.

    With `rounds` it is one for the reference device: lanes meet in the same rounds of loops.
    """
    file = f"generated-{hashlib.sha256(source.encode()).hexdigest()[:16]}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = types.ModuleType(file[:-3])
    vars(module).update(sw=sw, np=np, math=__import__("math"), **names)
    if rounds:
        vars(module)[FUNCTION] = again
    else:
        # What asks for the source goes by the module.
        sys.modules[module.__name__] = module
    exec(compile(counted(source) if rounds else source, file, "exec"), vars(module))
    return vars(module)[name]


def needs(device: sw.Device, feature: str) -> None:
    """Skip the test on a device that does not declare the feature."""
    if feature not in device.features:
        pytest.skip(f"{device.name} does not declare the feature {feature}")


def needs_types(device: sw.Device, args: Sequence[Any]) -> None:
    """Skip the test on a device without the type of an argument, or of an array's elements."""
    for name, dtype in DTYPES.items():
        if name != "bool" and any(getattr(arg, "dtype", None) == dtype for arg in args):
            needs(device, name.replace("u", "i"))  # features do not tell the sign


def not_simulated(device: sw.Device, why: str) -> None:
    """Skip the test on a device that interprets its code."""
    if "simulated" in device.features:
        pytest.skip(f"{device.name} is simulated: {why}")


def launch(
    kernel: Callable[..., None] | sw.Kernel,
    *args: Any,
    device: sw.Device,
    over: int | tuple[int, ...] | None = None,
    grid: int | tuple[int, ...] = 1,
    block: int | tuple[int, ...] = 1,
    **options: Any,
) -> None:
    """Run a function (or kernel) on a device to its end; options are those of `@kernel`."""
    needs_types(device, args)
    made = kernel if isinstance(kernel, sw.Kernel) else sw.kernel(**options)(kernel)
    if over is not None:
        made.over(over, device=device)(*args)
    else:
        made.launch(grid, block, device=device)(*args)
    device.synchronize()


def check(
    kernel: Callable[..., None] | sw.Kernel,
    *args: Any,
    device: sw.Device,
    over: int | tuple[int, ...] | None = None,
    grid: int | tuple[int, ...] = 1,
    block: int | tuple[int, ...] = 1,
    cooperative: bool = False,
    ulps: float = 0,
    subgroup_size: int = 4,
    reference: Callable[..., None] | None = None,
) -> None:
    """Run on the device and as Python with equal arguments; compare all arrays.

    As Python it is the kernel's function, or `reference`.
    """
    expected, got = copies(args), copies(args)
    run(
        reference or (kernel.function if isinstance(kernel, sw.Kernel) else kernel),
        expected,
        over=over,
        grid=grid,
        block=block,
        cooperative=cooperative,
        subgroup_size=subgroup_size,
    )
    launch(kernel, *got, device=device, over=over, grid=grid, block=block)
    for index, (g, e) in enumerate(zip(got, expected, strict=True)):
        if is_array(e):
            expect_equal(g, e, ulps=ulps, what=f"argument {index}", device=device)


def copies(args: tuple[Any, ...]) -> list[Any]:
    """The arguments with every array copied, its strides kept."""
    return [copy_of(arg) if is_array(arg) else arg for arg in args]


def is_array(value: object) -> TypeGuard[Array]:
    """Whether it is a NumPy array."""
    return isinstance(value, np.ndarray)


def copy_of(array: Array) -> Array:
    """A copy with the same strides, in memory of its own."""
    if array.flags.c_contiguous:
        return array.copy()
    base: Any = array if array.base is None else array.base
    offset = array.ctypes.data - base.ctypes.data
    return np.ndarray(array.shape, array.dtype, base.copy().data, offset, array.strides)


def expect_equal(
    got: Array,
    expected: Array,
    *,
    ulps: float = 0,
    what: str = "result",
    device: sw.Device | None = None,
) -> None:
    """Bit for bit (NaN is NaN; zeros keep their sign), or within some units in the last place.

    Subnormal numbers are zeros for a device that does not promise to keep them.
    """
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    assert got.dtype == expected.dtype, f"{what}: dtype {got.dtype}, expected {expected.dtype}"
    if got.dtype.fields is not None:
        for field in got.dtype.fields:
            part = f"{what}[{field!r}]"
            expect_equal(got[field], expected[field], ulps=ulps, what=part, device=device)
        return
    if flushes(device):
        got, expected = flushed(got), flushed(expected)
    wrong = differing(got, expected, ulps)
    if wrong.any():
        at = [tuple(int(i) for i in index) for index in np.argwhere(wrong)[:8]]
        lines = [f"  at {i}: got {got[i]!r}, expected {expected[i]!r}" for i in at]
        raise AssertionError(
            f"{what}: {int(wrong.sum())} of {got.size} differ\n" + "\n".join(lines)
        )


def flushed(values: Array) -> Array:
    """With zeros of their sign for subnormal numbers."""
    if values.dtype.kind in "biu":
        return values
    least = cast(Any, ml_dtypes.finfo)(values.dtype).tiny
    with np.errstate(all="ignore"):
        return np.where(abs(values) < least, np.copysign(0, values).astype(values.dtype), values)


def differing(got: Array, expected: Array, ulps: float) -> Array:
    """Where two arrays of one type differ by more than `ulps`."""
    if got.dtype.kind in "biu":
        return got != expected
    g, e = np.atleast_1d(got), np.atleast_1d(expected)
    with np.errstate(all="ignore"):
        both_nan = np.isnan(g) & np.isnan(e)
        if ulps == 0:
            unsigned = np.dtype(f"u{g.dtype.itemsize}")
            same = np.ascontiguousarray(g).view(unsigned) == np.ascontiguousarray(e).view(unsigned)
        else:
            same = (g == e) | (np.abs(ordinal(g) - ordinal(e)) <= ulps)
            same &= np.isnan(g) == np.isnan(e)
    return (~(same | both_nan)).reshape(got.shape)


def ordinal(values: Array) -> Array:
    """Floats as numbers such that neighbours differ by one (longdouble: wide enough for f64)."""
    signed = np.dtype(f"i{values.dtype.itemsize}")
    bits = np.ascontiguousarray(values).view(signed)
    low = np.iinfo(signed).min
    return np.where(bits < 0, low - bits, bits).astype(np.longdouble)

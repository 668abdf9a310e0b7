"""expand-inexact: quotients and roots are rounded correctly, whatever the device's are off by."""

# pyright: basic

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from conformance.ir_kernels import compile_text, run_on
from conformance.ir_kernels import elementwise as kernel_text
from llvm_kernels import elementwise, load, vectorwise
from vulkan_devices import open_device
from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import ModuleOp

from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.grid_to_shader.expand_inexact import ExpandInexact
from stepwell.lowering.math.calculator import Calculator
from stepwell.lowering.parse import parse_module
from stepwell.lowering.to_llvm.to_llvm import ToLlvm
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.runtime.vulkan.kernel import why_unfit
from stepwell.runtime.vulkan.profile import Profile

NUMPY = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
OPS = {"div": "arith.divf %a, %b", "sqrt": "math.sqrt %a", "rsqrt": "math.rsqrt %a"}
OFF = 3  # units in the last place


def spoil(module: ModuleOp) -> None:
    """Makes each quotient and root wrong: by -3 to 3 units, as the bits of its operands want it."""
    inexact = arith.DivfOp, math.SqrtOp
    for op in [op for op in module.walk() if isinstance(op, inexact)]:
        result = op.results[0]
        uses = list(result.uses)
        following = op.next_op
        assert following is not None, "a block has an end"
        c = Calculator(following, result.type)
        mixed = c.as_bits(c.number(op.operands[-1])) * (0x9E3779B97F4A7C15 >> (64 - c.bits))
        error = (mixed.shifted_out(c.bits - 16) * (2 * OFF + 1)).shifted_out(16) - OFF
        wrong = c.as_float(c.as_bits(c.number(result)) + error)
        for use in uses:
            use.operation.operands[use.index] = wrong.value


def compute(name: str, dtype: str, *operands: np.ndarray, spoilt: bool = True) -> np.ndarray:
    """The expanded op on a processor whose own is wrong."""
    inputs = [dtype] * len(operands)
    text = elementwise("f", f"%r = {OPS[name]} : {dtype}", inputs, dtype)
    module = parse_module(text, "<test>")
    ExpandInexact().apply(Context(), module)
    if spoilt:
        spoil(module)
    module.verify()
    ToLlvm().apply(Context(), module)
    out = np.zeros_like(operands[0])
    load(emit(module)).call("f", *operands, out)
    return out


def expect(got: np.ndarray, expected: np.ndarray, *operands: np.ndarray) -> None:
    unsigned = np.dtype(f"u{got.dtype.itemsize}")
    same = got.view(unsigned) == expected.view(unsigned)
    wrong = np.flatnonzero(~(same | (np.isnan(got) & np.isnan(expected))))
    assert wrong.size == 0, [(*(x[i] for x in operands), got[i], expected[i]) for i in wrong[:5]]


def roots(x: np.ndarray) -> np.ndarray:
    """The processor's, which IEEE 754 has rounded."""
    with np.errstate(all="ignore"):
        return np.sqrt(x)


def quotients(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return x / y


def any_floats(kind: type[np.floating[Any]], count: int) -> list[np.ndarray]:
    """Pairs: each special value with each, any bits, quotients that are exact or subnormal."""
    random, info = np.random.default_rng(1), np.finfo(kind)
    unsigned = np.dtype(f"u{info.bits // 8}")
    values = [0, 1, 0.5, 2, 3, 7, 10, info.max, info.tiny, info.smallest_subnormal, np.inf, np.nan]
    special = np.array([*values, *(-v for v in values)], kind)
    x, y = random.integers(0, 2**info.bits, (2, count), unsigned).view(kind)
    one, other = random.uniform(1, 2, (2, count)).astype(kind)
    small = random.integers(1, 2**info.nmant, (2, count)).astype(unsigned).view(kind)
    least = np.ldexp(one, int(info.minexp)).astype(kind)
    powers = np.ldexp(other, random.integers(-2, info.nmant + 3, count)).astype(kind)
    m, n = random.integers(1, 2 ** (info.nmant // 2), (2, count)).astype(kind)
    rows = [np.array(np.meshgrid(special, special)).reshape(2, -1), (x, y), (one, other)]
    rows += [small, (one, small[0]), (small[0], one), (least, powers), (m * n, n)]
    return [np.concatenate(column).astype(kind) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("dtype", NUMPY)
def test_quotients_and_roots_have_the_bits_of_ieee_754(dtype: str, spoilt: bool):
    x, y = any_floats(NUMPY[dtype], 50_000)
    expect(compute("div", dtype, x, y, spoilt=spoilt), quotients(x, y), x, y)
    expect(compute("sqrt", dtype, x, spoilt=spoilt), roots(x), x)
    if dtype == "f16":  # is computed in f32 as a whole, and rounded at the end
        return
    one = np.ones_like(x)
    expect(compute("rsqrt", dtype, x, spoilt=spoilt), quotients(one, roots(x)), x)


@pytest.mark.parametrize("first", [0x3F800000, 0x40000000, 0], ids=["1", "2", "subnormal"])
def test_all_roots_of_a_binade(first: int):
    x = (np.arange(1 << 23, dtype=np.uint32) + np.uint32(first)).view(np.float32)
    expect(compute("sqrt", "f32", x), roots(x), x)


def test_quotients_of_all_f32_of_a_binade():
    x = (np.arange(1 << 23, dtype=np.uint32) + np.uint32(0x3F800000)).view(np.float32)
    for divisor in (1.9999999, 3.0, 1.1754945e-38):
        y = np.full_like(x, divisor)
        expect(compute("div", "f32", x, y), quotients(x, y), x, y)
        expect(compute("div", "f32", y, x), quotients(y, x), y, x)


@pytest.mark.parametrize("op", ["divf", "sqrt"])
def test_lanes_have_the_bits_of_scalars(op: str):
    x, y = any_floats(np.float32, 1000)
    name = "div" if op == "divf" else op
    body = f"%r = {OPS[name]} : vector<4xf32>"
    given = [column[: column.size // 4 * 4] for column in (x, y)][: 2 if op == "divf" else 1]
    module = parse_module(vectorwise("f", body, ["f32"] * len(given), "f32", 4), "<test>")
    ExpandInexact().apply(Context(), module)
    spoil(module)
    module.verify()
    ToLlvm().apply(Context(), module)
    out = np.zeros_like(given[0])
    load(emit(module)).call("f", *given, out)
    expect(out, (quotients if op == "divf" else roots)(*given), *given)


# --- on a device whose own are wrong --------------------------------------------------------------


@pytest.fixture(scope="module")
def device() -> Generator[VulkanDevice]:
    with open_device("lavapipe", STEPWELL_VULKAN_WITHOUT="exact_division") as found:
        yield found


def run_spoilt(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch, op: str, *operands: np.ndarray
) -> np.ndarray:
    """What the device computes while its own quotients and roots are wrong."""
    expand = ExpandInexact.apply

    def expand_and_spoil(self: ExpandInexact, ctx: Context, module: ModuleOp) -> None:
        expand(self, ctx, module)
        spoil(module)

    monkeypatch.setattr(ExpandInexact, "apply", expand_and_spoil)
    lines = [
        f"%{name} = memref.load %x{n}[%i] : memref<?xf32, GLOBAL>"
        for n, name in zip(range(len(operands)), "ab", strict=False)
    ]
    lines += [
        f"%r = {OPS[op]} : f32",
        f"memref.store %r, %x{len(operands)}[%i] : memref<?xf32, GLOBAL>",
    ]
    artifact = compile_text(kernel_text(lines, ["f32"] * (len(operands) + 1)), device.target)
    assert "exact_division" not in artifact.manifest.features
    out, block = np.zeros_like(operands[0]), 256
    assert out.size % block == 0, "the kernel has no guard"
    run_on(device, artifact, *operands, out, grid=out.size // block, block=block)
    return out


@pytest.mark.parametrize("first", [0x3F800000, 0x40000000, 0], ids=["1", "2", "subnormal"])
def test_a_wrong_device_takes_all_roots_of_a_binade(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch, first: int
):
    x = (np.arange(1 << 23, dtype=np.uint32) + np.uint32(first)).view(np.float32)
    expect(run_spoilt(device, monkeypatch, "sqrt", x), roots(x), x)


def test_a_wrong_device_divides(device: VulkanDevice, monkeypatch: pytest.MonkeyPatch):
    x, y = (column[: column.size // 256 * 256] for column in any_floats(np.float32, 50_000))
    expect(run_spoilt(device, monkeypatch, "div", x, y), quotients(x, y), x, y)


def test_an_artifact_says_that_it_counts_on_the_device():
    text = kernel_text(
        [
            "%a = memref.load %x0[%i] : memref<?xf32, GLOBAL>",
            f"%r = {OPS['sqrt']} : f32",
            "memref.store %r, %x0[%i] : memref<?xf32, GLOBAL>",
        ],
        ["f32"],
    )
    exact = compile_text(text, "vulkan:1.6+sg8+bda+exact_division+int64").manifest
    device = Profile.parse("1.6+sg8+bda+int64")
    assert why_unfit(exact, device, range(8, 9)) == "the device lacks exact_division"
    plain = compile_text(text, "vulkan:1.6+sg8+bda+int64").manifest
    assert why_unfit(plain, device, range(8, 9)) is None

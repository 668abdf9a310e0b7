"""expand-fma gives the bits of the processor's fma; functions hardly lose by the lack of one."""

# pyright: basic

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import test_math_expansion as functions
from llvm_kernels import elementwise, load
from xdsl.context import Context

from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.grid_to_shader.expand_fma import ExpandFma
from stepwell.lowering.math.errors import TABLE, WITHOUT_FMA
from stepwell.lowering.parse import parse_module
from stepwell.lowering.to_llvm.to_llvm import ToLlvm

COUNT = 100_000


def fma(dtype: str, features: str | None, *operands: np.ndarray) -> np.ndarray:
    """The processor's fma, or the expanded one for features."""
    text = elementwise("f", f"%r = math.fma %a, %b, %c : {dtype}", [dtype] * 3, dtype)
    module = parse_module(text, "<test>")
    if features is not None:
        ExpandFma(features).apply(Context(), module)
        module.verify()
        assert "math.fma" not in str(module)
    ToLlvm().apply(Context(), module)
    out = np.zeros_like(operands[0])
    load(emit(module)).call("f", *operands, out)
    return out


def operands(kind: Any) -> list[np.ndarray]:
    """Any bits, sums that cancel, products among the subnormal numbers, special values."""
    random = np.random.default_rng(1)
    info = np.finfo(kind)
    unsigned = np.dtype(f"u{info.bits // 8}")
    a, b, c = (random.integers(0, 2**info.bits, COUNT, unsigned).view(kind) for _ in range(3))
    with np.errstate(all="ignore"):
        close = -(a * b) * (1 + random.integers(-3, 4, COUNT) * info.eps).astype(kind)
    x, y = (random.uniform(-2, 2, COUNT).astype(kind) for _ in range(2))
    half = int(info.minexp) // 2
    small = [np.ldexp(x, half), np.ldexp(y, half - 12)]
    units = random.integers(-100, 100, COUNT).astype(kind) * info.smallest_subnormal
    values = [0.0, 1.0, 0.5, 3.0, info.max, info.tiny, info.smallest_subnormal, np.inf, np.nan]
    special = np.array([*values, *(-v for v in values)], kind)
    grid = np.array(np.meshgrid(special, special, special)).reshape(3, -1)
    rows = zip((a, b, c), (a, b, close), (*small, units), grid, strict=True)
    return [np.concatenate(row).astype(kind) for row in rows]


@pytest.mark.parametrize(
    ("dtype", "features"), [("f32", ""), ("f32", "float64+int64"), ("f64", "float64+int64")]
)
def test_it_is_rounded_once(dtype: str, features: str):
    given = operands(functions.NUMPY[dtype])
    expected, got = fma(dtype, None, *given), fma(dtype, features, *given)
    unsigned = np.dtype(f"u{got.dtype.itemsize}")
    same = got.view(unsigned) == expected.view(unsigned)
    wrong = np.flatnonzero(~(same | (np.isnan(got) & np.isnan(expected))))
    assert wrong.size == 0, [(*(x[i] for x in given), got[i], expected[i]) for i in wrong[:5]]


@pytest.mark.parametrize("name", functions.ONE)
def test_functions_nearly_keep_their_bounds(name: str, monkeypatch: pytest.MonkeyPatch):
    class Expanding:
        """ToLlvm after expand-fma."""

        def apply(self, ctx: Context, module: Any) -> None:
            ExpandFma("float64+int64").apply(ctx, module)
            assert "math.fma" not in str(module)
            ToLlvm().apply(ctx, module)

    monkeypatch.setattr(functions, "ToLlvm", Expanding)
    function, ranges = functions.ONE[name]
    bound = TABLE[f"math.{name}"].accurate[0] + WITHOUT_FMA
    x = functions.points(ranges, "f32")[::5].copy()
    got = functions.run(f"math.{name}", "f32", x)
    with mpmath.workprec(150):
        error, place = functions.worst(
            got, functions.precise(function(mpmath.mpf(v)) for v in x.tolist())
        )
    assert error <= bound, f"{name}({x[place]!r}) = {got[place]!r}: off by {error} ULP"

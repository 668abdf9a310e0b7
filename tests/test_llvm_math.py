"""math ops of the llvm path, executed and compared with mpmath."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# Tables of lambdas over NumPy scalars of every type: what strict mode says of them is noise.

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from llvm_kernels import NUMPY, Loaded, elementwise, llvm_text, load

from stepwell.lowering.emit.symbols import REPORT, RESERVED_SYMBOLS
from stepwell.runtime.cpu_code import has_symbols, shared_code

mp = mpmath.mp
EXACT = {
    "absf": np.abs, "ceil": np.ceil, "floor": np.floor, "trunc": np.trunc, "roundeven": np.rint,
    "sqrt": np.sqrt,
}  # fmt: skip
ANY, POSITIVE, UNIT, ABOVE_ONE = (-4.0, 4.0), (0.01, 50.0), (-0.99, 0.99), (1.0, 50.0)
FUNCTIONS: dict[str, tuple[tuple[float, float], Callable[..., object]]] = {
    "acos": (UNIT, mp.acos), "acosh": (ABOVE_ONE, mp.acosh), "asin": (UNIT, mp.asin),
    "asinh": (ANY, mp.asinh), "atan": (ANY, mp.atan), "atanh": (UNIT, mp.atanh),
    "cbrt": (POSITIVE, mp.cbrt), "cos": (ANY, mp.cos), "cosh": (ANY, mp.cosh),
    "erf": (ANY, mp.erf), "exp": (ANY, mp.exp), "exp2": (ANY, lambda x: mp.power(2, x)),
    "expm1": (ANY, mp.expm1), "log": (POSITIVE, mp.log), "log10": (POSITIVE, mp.log10),
    "log1p": (POSITIVE, mp.log1p), "log2": (POSITIVE, lambda x: mp.log(x, 2)),
    "rsqrt": (POSITIVE, lambda x: 1 / mp.sqrt(x)), "sin": (ANY, mp.sin), "sinh": (ANY, mp.sinh),
    "tan": (UNIT, mp.tan), "tanh": (ANY, mp.tanh),
}  # fmt: skip
TOLERANCE = {"f16": 2**-10, "bf16": 2**-7, "f32": 2**-21, "f64": 2**-50}


def module_of(kind: str) -> str:
    parts: list[str] = []
    for name in (*EXACT, *FUNCTIONS, "round"):
        parts.append(elementwise(f"k_{name}", f"%r = math.{name} %a : {kind}", [kind], kind))
    for name in ("atan2", "powf", "copysign"):
        parts.append(
            elementwise(f"k_{name}", f"%r = math.{name} %a, %b : {kind}", [kind] * 2, kind)
        )
    parts.append(elementwise("k_fma", f"%r = math.fma %a, %b, %c : {kind}", [kind] * 3, kind))
    body = f"%r = math.fpowi %a, %b : {kind}, i32"
    parts.append(elementwise("k_fpowi", body, [kind, "i32"], kind))
    return "\n".join(parts)


@pytest.fixture(scope="module", params=["f16", "f32", "f64"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def code(kind: str) -> Loaded:
    return load(llvm_text(module_of(kind)))


def run(code: Loaded, name: str, kind: str, *inputs: np.ndarray) -> np.ndarray:
    result = np.empty(len(inputs[0]), NUMPY[kind])
    code.call(f"k_{name}", *inputs, result)
    return result


def close(got: np.ndarray, expected: list[float], kind: str, name: str) -> None:
    wanted = np.array(expected)
    error = np.abs(got.astype(float) - wanted)
    limit = TOLERANCE[kind] * np.maximum(np.abs(wanted), 1e-3)
    worst = int(np.argmax(error - limit))
    assert (error <= limit).all(), f"{name}: {got[worst]} instead of {wanted[worst]}"


def test_exact_functions_are_numpys(code: Loaded, kind: str):
    values = [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 1.3, -7.9, 1e4, np.inf, -np.inf, np.nan]
    a = np.array(values, NUMPY[kind])
    with np.errstate(invalid="ignore"):
        for name, function in EXACT.items():
            np.testing.assert_array_equal(run(code, name, kind, a), function(a), name)
    away = np.trunc(a + np.copysign(NUMPY[kind](0.5), a))
    np.testing.assert_array_equal(run(code, "round", kind, a), away)


def test_functions_are_near_the_true_value(code: Loaded, kind: str):
    rng = np.random.default_rng(2)
    for name, ((low, high), function) in FUNCTIONS.items():
        a = rng.uniform(low, high, 100).astype(NUMPY[kind])
        a = np.clip(a, low, high).astype(NUMPY[kind])
        expected = [float(function(mp.mpf(float(value)))) for value in a]  # pyright: ignore
        close(run(code, name, kind, a), expected, kind, name)


def test_functions_of_several_arguments(code: Loaded, kind: str):
    rng = np.random.default_rng(4)
    a, b, c = (rng.uniform(0.1, 3.0, 100).astype(NUMPY[kind]) for _ in range(3))
    n = rng.integers(-4, 5, 100).astype(np.int32)
    wide = [values.astype(float) for values in (a, b, c)]
    close(run(code, "atan2", kind, a, -b), list(np.arctan2(wide[0], -wide[1])), kind, "atan2")
    close(run(code, "powf", kind, a, b), list(wide[0] ** wide[1]), kind, "powf")
    close(run(code, "fma", kind, a, b, c), list(wide[0] * wide[1] + wide[2]), kind, "fma")
    close(run(code, "fpowi", kind, a, n), list(wide[0] ** n), kind, "fpowi")
    signs = run(code, "copysign", kind, a, -b)
    np.testing.assert_array_equal(signs, -a)


def test_every_external_symbol_is_in_this_process():
    import ctypes

    process = ctypes.CDLL(None)
    others = RESERVED_SYMBOLS - {REPORT}
    assert not [name for name in sorted(others) if not hasattr(process, name)]
    shared_code()
    assert has_symbols([REPORT])

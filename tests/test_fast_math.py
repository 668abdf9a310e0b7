"""`fastmath=`: each flag by itself, on the CPU and as PTX, which is executed."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
import re
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from oracles import ptx_device

import stepwell as sw

F32 = sw.Array[sw.f32, 1]
FUNCTIONS = {
    "exp": (math.exp, "ex2.approx"),
    "exp2": (math.exp2, "ex2.approx"),
    "log": (math.log, "lg2.approx"),
    "log2": (math.log2, "lg2.approx"),
    "log10": (math.log10, "lg2.approx"),
    "sin": (math.sin, "sin.approx"),
    "cos": (math.cos, "cos.approx"),
    "tan": (math.tan, "sin.approx"),
    "sqrt": (math.sqrt, "sqrt.approx"),
}


@pytest.fixture(scope="module")
def device() -> Generator[sw.Device]:
    with ptx_device.registered() as found:
        yield found


def axpy(a, x, y):
    i = sw.global_id(0)
    y[i] = a * x[i] + y[i]


def power(x, y):
    i = sw.global_id(0)
    y[i] = x[i] ** y[i]


def divide(x, y):
    i = sw.global_id(0)
    y[i] = x[i] / y[i]


def apply(function: Any) -> Any:
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = function(x[i])

    return kernel


def ptx(function: Any, *types: Any, fastmath: Any, arch: str = "sm_80") -> str:
    return sw.kernel(fastmath=fastmath)(function).ir("ptx", *types, target=f"cuda:{arch}", over=1)


def test_contract_makes_one_instruction_of_a_product_and_a_sum() -> None:
    types = (sw.f32, F32, F32)
    assert "fma.rn.f32" in ptx(axpy, *types, fastmath="contract")
    for flags in (False, "afn", ("reassoc", "nsz")):
        text = ptx(axpy, *types, fastmath=flags)
        assert "fma.rn.f32" not in text and "mul.rn.f32" in text


def test_contracted_results_are_rounded_once(device: sw.Device) -> None:
    a = np.float32(1 + 2**-12)
    for flags, expected in ((False, 2**-11), ("contract", 2**-11 + 2**-24)):
        x, y = np.array([a]), np.array([-1], np.float32)
        sw.kernel(fastmath=flags)(axpy).over(1, device=device)(a, x, y)
        assert y[0] == np.float32(expected), flags


@pytest.mark.parametrize("name", FUNCTIONS)
def test_approximate_functions_are_instructions(name: str, device: sw.Device) -> None:
    function, instruction = FUNCTIONS[name]
    assert instruction in ptx(apply(function), F32, F32, fastmath="afn")
    assert not re.search(
        r"(ex2|lg2|sin|cos|sqrt)\.approx", ptx(apply(function), F32, F32, fastmath=())
    )
    x = np.linspace(0.1, 1.4, 32, dtype=np.float32)
    y = np.zeros_like(x)
    sw.kernel(fastmath="afn")(apply(function)).over(x.size, device=device)(x, y)
    np.testing.assert_allclose(y, [function(float(v)) for v in x], rtol=2e-6, atol=2e-7)


def test_contracted_exp_is_within_two_units_everywhere(device: sw.Device) -> None:
    """With `ex2` rounded correctly, as the interpreter has it, there is room for its own error."""
    assert "ex2.approx.ftz" in ptx(apply(math.exp), F32, F32, fastmath="contract")
    ends = np.array([-87.34, -87.33, -103.97, -104, 88.72, 88.73, 0, -0.0, 1e-40], np.float32)
    x = np.concatenate([np.linspace(-104, 88.72, 4001), np.linspace(-1, 1, 2000), ends])
    x = x.astype(np.float32)
    y = np.zeros_like(x)
    sw.kernel(fastmath="contract")(apply(math.exp)).over(x.size, device=device)(x, y)
    exact = np.exp(x.astype(np.float64))
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], np.inf)
    unit = np.spacing(rounded[finite]).astype(np.float64)
    assert np.max(np.abs(y[finite] - exact[finite]) / unit) < 1.3


def test_contracted_exp_of_what_is_no_number_or_endless(device: sw.Device) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 89, -105], np.float32)
    y = np.zeros_like(x)
    sw.kernel(fastmath="contract")(apply(math.exp)).over(x.size, device=device)(x, y)
    np.testing.assert_array_equal(
        y, np.array([np.nan, np.inf, 0, np.inf, 0, np.inf, 0], np.float32)
    )


def test_approximate_powers_and_quotients(device: sw.Device) -> None:
    x, y = np.linspace(0.5, 3, 32, dtype=np.float32), np.linspace(-2, 2, 32, dtype=np.float32)
    for function, reference in ((power, x**y), (divide, x / y)):
        out = y.copy()
        sw.kernel(fastmath="afn")(function).over(x.size, device=device)(x, out)
        np.testing.assert_allclose(out, reference, rtol=2e-6)
        assert ".approx" in ptx(function, F32, F32, fastmath="afn")


def test_f64_is_never_approximated() -> None:
    f64 = sw.Array[sw.f64, 1]
    assert ".approx" not in ptx(apply(math.exp), f64, f64, fastmath="afn")


def test_true_is_all_flags() -> None:
    flags = ("afn", "contract", "arcp", "nsz", "ninf", "nnan", "reassoc")
    every = sw.kernel(fastmath=flags)(axpy).options
    assert sw.kernel(fastmath=True)(axpy).options == every
    assert sw.kernel(axpy).options.fastmath == ()


def test_another_flag_is_an_error() -> None:
    with pytest.raises(sw.CompileError, match=r"(?s)'contrct'.*did you mean 'contract'"):
        sw.kernel(fastmath="contrct")(axpy)

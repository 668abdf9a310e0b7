"""Math functions on the CPU, of arrays that fit the cache, beside NumPy's; one thread.

    python benchmarks/math_functions.py [--quick]

Times are for 2^16 elements; a result is right if it is within the error that lowering/math states.
Writes `benchmarks/results/math_functions-<date>.json`.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ["STEPWELL_NUM_THREADS"] = "1"

import numpy as np
from measure import Row, interleaved, rows_of
from record import record

import stepwell as sw
from stepwell.lowering.math.errors import TABLE

COUNT = 1 << 16
Array = np.ndarray[Any, Any]
# Function: NumPy's, lowest and highest argument.
FUNCTIONS: dict[str, tuple[Callable[..., Array], float, float]] = {
    "exp": (np.exp, -10, 10), "exp2": (np.exp2, -10, 10), "expm1": (np.expm1, -10, 10),
    "log": (np.log, 0.01, 100), "log2": (np.log2, 0.01, 100), "log10": (np.log10, 0.01, 100),
    "log1p": (np.log1p, -0.5, 100), "sin": (np.sin, -10, 10), "cos": (np.cos, -10, 10),
    "tan": (np.tan, -10, 10), "asin": (np.arcsin, -1, 1), "acos": (np.arccos, -1, 1),
    "atan": (np.arctan, -10, 10), "sinh": (np.sinh, -10, 10), "cosh": (np.cosh, -10, 10),
    "tanh": (np.tanh, -3, 3), "asinh": (np.arcsinh, -10, 10), "acosh": (np.arccosh, 1, 10),
    "atanh": (np.arctanh, -0.9, 0.9), "cbrt": (np.cbrt, -10, 10),
}  # fmt: skip


def apply(function: Callable[[float], float]) -> Callable[..., None]:
    """A kernel that computes the function of each element."""

    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = function(x[i])

    return kernel


def measure_function(name: str, dtype: Any, rounds: int) -> list[Row]:
    """The function as it is, with `afn`, and NumPy's."""
    reference, low, high = FUNCTIONS[name]
    x = np.random.default_rng(0).uniform(low, high, COUNT).astype(dtype)
    device, kernel = sw.device("cpu"), apply(getattr(math, name))
    here, outs = device.array(x), {n: device.array(x) for n in ("stepwell", "stepwell, afn")}
    accurate = sw.kernel(kernel).over(COUNT, device=device)
    fast = sw.kernel(fastmath="afn")(kernel).over(COUNT, device=device)
    by_numpy = np.empty_like(x)
    contenders: dict[str, Callable[[], Any]] = {
        "stepwell": lambda: accurate(here, outs["stepwell"]),
        "stepwell, afn": lambda: fast(here, outs["stepwell, afn"]),
        "numpy": lambda: reference(x, out=by_numpy),
    }
    interleaved(contenders, 3)
    times = interleaved(contenders, rounds)
    row, double = TABLE[f"math.{name}"], dtype == np.float64
    exact = reference(x.astype(np.longdouble))
    unit = np.spacing(np.abs(exact.astype(dtype))).clip(np.spacing(dtype(2.0**-10)))
    errors = {n: np.max(np.abs(out.numpy() - exact) / unit) for n, out in outs.items()}
    correct = {
        "stepwell": bool(errors["stepwell"] <= row.accurate[double]),
        "stepwell, afn": bool(errors["stepwell, afn"] <= row.fast[double]),
    }
    task = f"{name} {COUNT} {np.dtype(dtype).name}"
    return rows_of(task, times, unit="us", scale=1e6, correct=correct, against="numpy")


def main() -> None:
    """Measures all, prints as it goes."""
    rounds = 20 if "--quick" in sys.argv else 400
    rows: list[Row] = []
    for dtype in (np.float32, np.float64):
        for name in FUNCTIONS:
            found = measure_function(name, dtype, rounds)
            for row in found:
                print(row.line(), flush=True)
            rows += found
    record("math_functions", rows)


if __name__ == "__main__":
    main()

"""How exact the functions of expand-math are: the greatest error of each, by the name of its op.

In units in the last place of the true result, which the machine's rounding alone misses by half of
one; looked for by tests/test_math_expansion.py. `fast` is what an op with the flag `afn` becomes,
where it differs (see fast.py).
"""

from __future__ import annotations

from typing import NamedTuple

Bounds = tuple[float, float]
"""For f32 and for f64."""


class Errors(NamedTuple):
    """The row of a function."""

    accurate: Bounds
    short: Bounds | None = None

    @property
    def fast(self) -> Bounds:
        """With the flag `afn`."""
        return self.accurate if self.short is None else self.short


TABLE: dict[str, Errors] = {
    "arith.remf": Errors((0, 0)),
    "math.acos": Errors((1, 1)),
    "math.acosh": Errors((2.2, 2.2)),
    "math.asin": Errors((1, 1)),
    "math.asinh": Errors((2, 2)),
    "math.atan": Errors((1.5, 1.5)),
    "math.atan2": Errors((2, 2)),
    "math.atanh": Errors((2.2, 2.2)),
    "math.cbrt": Errors((1, 1)),
    "math.cos": Errors((1, 1), (3, 3)),
    "math.cosh": Errors((3, 3), (10, 8)),
    "math.erf": Errors((2.7, 2.7)),
    "math.exp": Errors((2, 1.7), (7, 3)),
    "math.exp2": Errors((1.5, 1.5), (2.7, 3)),
    "math.expm1": Errors((1.5, 1.7)),
    "math.log": Errors((1, 1), (2.7, 1)),
    "math.log10": Errors((1, 1), (4, 1)),
    "math.log1p": Errors((1, 1)),
    "math.log2": Errors((1, 1), (4, 1)),
    "math.powf": Errors((1.5, 1.5), (400, 1.5)),
    "math.sin": Errors((1, 1), (3, 3)),
    "math.sinh": Errors((3, 3), (10, 8)),
    "math.tan": Errors((2.7, 2.7)),
    "math.tanh": Errors((2.7, 2.7), (2.5, 2.5)),
}

WITHOUT_FMA = 1.0
"""What comes on top where a device has no fma: each step of a polynomial is rounded twice."""

LEAST_UNIT = {"math.sin": 2.0**-10, "math.cos": 2.0**-10}
"""Of the fast variants: where a result is smaller, a unit is that of this number."""

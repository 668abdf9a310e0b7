"""A value of a formula, with Python's operators; and what formulas need to know of types.

Each operator is one op, which the number's calculator builds. What cannot be one of Python's
operators without surprises has a name: `equals`, `below`, `shifted_out`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType, VectorType
from xdsl.ir import Attribute, SSAValue

if TYPE_CHECKING:
    from .calculator import Calculator


def is_vector(kind: Any) -> bool:
    """Whether a type has lanes."""
    return isinstance(kind, VectorType)


def element_of(kind: Any) -> Attribute:
    """The type of a scalar, or of each lane of a vector."""
    return kind.element_type if is_vector(kind) else kind


def as_lanes(kind: Attribute, element: Attribute) -> Attribute:
    """The element type, or a vector of it as long as `kind` is."""
    return VectorType(element, kind.get_shape()) if isinstance(kind, VectorType) else element


class Number:
    """A value of a formula: a float, an integer or a bool."""

    __slots__ = ("c", "value")

    def __init__(self, c: Calculator, value: SSAValue) -> None:
        self.c = c
        self.value = value

    @property
    def type(self) -> Attribute:
        """The type of the value."""
        return self.value.type

    @property
    def is_int(self) -> bool:
        """Whether it is an integer, an index or a bool."""
        return isinstance(element_of(self.value.type), IntegerType | IndexType)

    def _binary(self, floats: Any, integers: Any, other: Any, swap: bool = False) -> Number:
        other = self.c.like(other, self)
        a, b = (other, self) if swap else (self, other)
        return self.c.op(integers if self.is_int else floats, a, b)

    def __add__(self, other: Any) -> Number:
        return self._binary(arith.AddfOp, arith.AddiOp, other)

    def __radd__(self, other: Any) -> Number:
        return self._binary(arith.AddfOp, arith.AddiOp, other, True)

    def __sub__(self, other: Any) -> Number:
        return self._binary(arith.SubfOp, arith.SubiOp, other)

    def __rsub__(self, other: Any) -> Number:
        return self._binary(arith.SubfOp, arith.SubiOp, other, True)

    def __mul__(self, other: Any) -> Number:
        return self._binary(arith.MulfOp, arith.MuliOp, other)

    def __rmul__(self, other: Any) -> Number:
        return self._binary(arith.MulfOp, arith.MuliOp, other, True)

    def __truediv__(self, other: Any) -> Number:
        return self._binary(arith.DivfOp, arith.DivUIOp, other)

    def __rtruediv__(self, other: Any) -> Number:
        return self._binary(arith.DivfOp, arith.DivUIOp, other, True)

    def __neg__(self) -> Number:
        return 0 - self if self.is_int else self.c.op(arith.NegfOp, self)

    def __and__(self, other: Any) -> Number:
        return self._binary(None, arith.AndIOp, other)

    def __or__(self, other: Any) -> Number:
        return self._binary(None, arith.OrIOp, other)

    def __xor__(self, other: Any) -> Number:
        return self._binary(None, arith.XOrIOp, other)

    def __invert__(self) -> Number:
        return self ^ -1

    def __lshift__(self, other: Any) -> Number:
        return self._binary(None, arith.ShLIOp, other)

    def __rshift__(self, other: Any) -> Number:
        """Fills with the sign."""
        return self._binary(None, arith.ShRSIOp, other)

    def shifted_out(self, other: Any) -> Number:
        """To the right, filling with zeros."""
        return self._binary(None, arith.ShRUIOp, other)

    def __lt__(self, other: Any) -> Number:
        return self.c.compare("<", self, other)

    def __le__(self, other: Any) -> Number:
        return self.c.compare("<=", self, other)

    def __gt__(self, other: Any) -> Number:
        return self.c.compare(">", self, other)

    def __ge__(self, other: Any) -> Number:
        return self.c.compare(">=", self, other)

    def equals(self, other: Any) -> Number:
        """Whether both are the same number; NaN is not."""
        return self.c.compare("==", self, other)

    def differs(self, other: Any) -> Number:
        """The opposite of `equals`."""
        return self.c.compare("!=", self, other)

    def below(self, other: Any) -> Number:
        """Whether it is less, both as unsigned integers."""
        return self.c.compare("below", self, other)

    @property
    def is_nan(self) -> Number:
        """Whether it is not a number."""
        return self.c.compare("!=", self, self)

"""Formulas as IR: `Number`s with Python's operators, each of which is one op.

    c = Calculator(op)              ops are built in front of `op`
    r = c.fma(-n, LN2_HIGH, x)      n, x: Numbers; a Python number becomes a constant of their type
    c.select(r < 0, -r, r)

A formula is written once, for scalars and for vectors of any length: it selects where a program
would branch, and where a branch is worth it, says so by `when`. Nothing here is reassociated or
contracted: formulas say `fma` where they mean it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import arith, math, scf
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    UnitAttr,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpux, marks
from ...dialects.arith import EXACT, plain_flags
from .number import Number, as_lanes, element_of, is_vector

LN2 = 0.6931471805599453
LOG2_E = 1.4426950408889634
INF = float("inf")
NAN = float("nan")
_ORDERED = {"<": 4, "<=": 5, ">": 2, ">=": 3, "==": 1, "!=": 13, "unordered": 14}
_SIGNED = {"<": 2, "<=": 3, ">": 4, ">=": 5, "==": 0, "!=": 1, "below": 6, "above": 8}


class Calculator:
    """Builds formulas in front of an op (or at the end of a block) in one float type.

    That is f32 or f64, or a vector of it. With `fast`, formulas may be the short ones. With
    `scales`, vectors are scaled by powers of two in one instruction.
    """

    def __init__(
        self,
        anchor: Operation,
        float_type: Attribute,
        block: Block | None = None,
        *,
        fast: bool = False,
        scales: bool = False,
    ):
        self.anchor = anchor
        self.block = block
        self.type = float_type
        self.fast = fast
        self.is_vector = is_vector(float_type)
        self.scales = scales and self.is_vector
        self.double = isinstance(element_of(float_type), Float64Type)
        self.int_type = as_lanes(float_type, i64 if self.double else i32)
        self.bits = 64 if self.double else 32
        self.mantissa = 52 if self.double else 23
        self.bias = 1023 if self.double else 127
        # As integers: the bits of infinity, and all bits but the sign.
        self.infinity = (2 * self.bias + 1) << self.mantissa
        self.magnitude = (1 << (self.bits - 1)) - 1

    def pick(self, pair: Sequence[Any]) -> Any:
        """The one of a pair that is for this type: (f32's, f64's)."""
        return pair[self.double]

    def add(self, op: Operation) -> Operation:
        """Puts an op in its place."""
        op.location = self.anchor.location
        if self.block is not None:
            self.block.add_op(op)
        else:
            block = self.anchor.parent
            assert block is not None, "the op that is expanded stands in a block"
            block.insert_op_before(op, self.anchor)
        return op

    def number(self, value: SSAValue) -> Number:
        """A value as a number of a formula."""
        return Number(self, value)

    def const(self, value: int | float, kind: Attribute | None = None) -> Number:
        """A constant; of the float type unless told otherwise."""
        wanted: Any = kind or self.type
        element: Any = element_of(wanted)
        attribute: Any
        if isinstance(element_of(wanted), IntegerType | IndexType):
            attribute = IntegerAttr(int(value), element, truncate_bits=True)
        else:
            attribute = FloatAttr(float(value), element)
        if is_vector(wanted):
            attribute = DenseIntOrFPElementsAttr.from_list(wanted, [attribute.value.data])
        made = arith.ConstantOp.create(result_types=(wanted,), properties={"value": attribute})
        return Number(self, self.add(made).results[0])

    def int(self, value: int) -> Number:
        """An integer constant as wide as the float type."""
        return self.const(value, self.int_type)

    def like(self, value: Any, other: Number) -> Number:
        """A Python number as a constant of the other one's type."""
        return value if isinstance(value, Number) else self.const(value, other.type)

    def op(self, cls: type[Operation], *operands: Number, kind: Attribute | None = None) -> Number:
        """One op; its result has the type of its first operand unless given."""
        first = operands[0]
        made = self.on_lanes(cls, first.type).create(
            operands=[operand.value for operand in operands],
            result_types=[kind or first.type],
            properties=plain_flags(cls),
        )
        return Number(self, self.add(made).results[0])

    def on_lanes(self, cls: type[Operation], kind: Attribute) -> type[Operation]:
        """The class of an op whose first operand has this type."""
        if not is_vector(kind):
            return cls
        from ...dialects.arith_lanes import on_lanes

        return on_lanes(cls, kind)

    def compare(self, word: str, a: Number, b: Any) -> Number:
        """A bool; of integers as signed ones, unless the word is `below` or `above`."""
        b = self.like(b, a)
        cls = arith.CmpiOp if a.is_int else arith.CmpfOp
        table = _SIGNED if a.is_int else _ORDERED
        properties: dict[str, Attribute] = {"predicate": IntegerAttr(table[word], i64)}
        if not a.is_int:
            properties |= EXACT
        made = self.on_lanes(cls, a.type).create(
            operands=[a.value, b.value],
            result_types=[as_lanes(a.type, i1)],
            properties=properties,
        )
        return Number(self, self.add(made).results[0])

    def select(self, condition: Number, yes: Any, no: Any) -> Number:
        """One of two; at least one is a Number."""
        shape = yes if isinstance(yes, Number) else no
        assert isinstance(shape, Number), "one of two choices says the type"
        return self.op_of(
            arith.SelectOp, (condition, self.like(yes, shape), self.like(no, shape)), shape.type
        )

    def op_of(self, cls: type[Operation], operands: Sequence[Number], kind: Attribute) -> Number:
        """An op without properties."""
        made = self.on_lanes(cls, operands[0].type).create(
            operands=[o.value for o in operands], result_types=[kind]
        )
        return Number(self, self.add(made).results[0])

    def when(self, usual: Number, quick: Formula, rare: Formula) -> list[Number]:
        """The values of one of two computations.

        Of scalars only that one is done. Of vectors the quick one always, in all lanes; the other
        one only where some lane needs it.
        """
        if not self.is_vector:
            return self._branch(usual, quick, rare)
        common = quick(self)

        def mixed(c: Calculator) -> Sequence[Number]:
            chosen = zip(common, rare(c), strict=True)
            return [c.select(c.number(usual.value), a, b) for a, b in chosen]

        return self._branch(self.any(~usual), mixed, lambda c: common)

    def _branch(self, condition: Number, yes: Formula, no: Formula) -> list[Number]:
        regions: list[Region] = []
        kinds: list[Attribute] = []
        for build in (yes, no):
            block = Block()
            inner = self.inside(block)
            values = build(inner)
            kinds = [value.type for value in values]
            inner.add(scf.YieldOp.create(operands=[value.value for value in values]))
            regions.append(Region(block))
        made = scf.IfOp.create(operands=[condition.value], result_types=kinds, regions=regions)
        return [Number(self, result) for result in self.add(made).results]

    def inside(self, block: Block) -> Calculator:
        """The same, building at the end of a block."""
        return Calculator(self.anchor, self.type, block, fast=self.fast, scales=self.scales)

    def accurate(self) -> Calculator:
        """The same, for formulas that have no short one."""
        return Calculator(self.anchor, self.type, self.block, scales=self.scales)

    def any(self, condition: Number) -> Number:
        """Whether it holds in some lane."""
        if not self.is_vector:
            return condition
        from ...dialects.vector import reduction

        return Number(self, self.add(reduction("or", condition.value)).results[0])

    # Functions

    def fma(self, a: Any, b: Any, c: Any, *, loose: bool = False) -> Number:
        """a * b + c, rounded once; twice would do where it is `loose`."""
        shape = next(x for x in (a, b, c) if isinstance(x, Number))
        result = self.op(math.FmaOp, *(self.like(x, shape) for x in (a, b, c)))
        if loose and isinstance(result.value.owner, Operation):
            result.value.owner.attributes[marks.LOOSE] = UnitAttr()
        return result

    def abs(self, x: Number) -> Number:
        """The magnitude."""
        return self.op(math.AbsFOp, x)

    def at_least(self, x: Number, limit: float) -> Number:
        """The greater of a number and a limit; NaN stays."""
        return self.op(arith.MaximumfOp, x, self.like(limit, x))

    def at_most(self, x: Number, limit: float) -> Number:
        """The smaller of a number and a limit; NaN stays."""
        return self.op(arith.MinimumfOp, x, self.like(limit, x))

    def sqrt(self, x: Number) -> Number:
        """The root, rounded."""
        return self.op(math.SqrtOp, x)

    def near_integer(self, x: Any, factor: float = 1.0) -> tuple[Number, Number]:
        """The whole number nearest to x * factor, as a float and as an integer.

        Of a magnitude below 2**(mantissa - 1): added to 1.5 * 2**mantissa, a number is rounded to a
        whole one, which then stands in the last bits.
        """
        shift = 1.5 * 2.0**self.mantissa
        moved = self.fma(x, factor, shift) if factor != 1.0 else x + shift
        first = self.pick((0x4B400000, 0x4338000000000000))
        return moved - shift, self.as_bits(moved) - first

    def trunc(self, x: Number) -> Number:
        """The whole part."""
        return self.op(math.TruncOp, x)

    def copysign(self, magnitude: Any, sign: Number) -> Number:
        """The magnitude of one, the sign of the other."""
        return self.op(math.CopySignOp, self.like(magnitude, sign), sign)

    def poly(self, x: Number, coefficients: Sequence[float]) -> Number:
        """A polynomial, lowest power first, by Horner's rule with fma."""
        *rest, last = coefficients
        result = self.const(last)
        for coefficient in reversed(rest):
            result = self.fma(result, x, coefficient, loose=True)
        return result

    # Bits

    def as_bits(self, x: Number) -> Number:
        """The bits of a float."""
        return self.op_of(arith.BitcastOp, (x,), self.int_type)

    def as_float(self, bits: Number) -> Number:
        """The float with these bits."""
        return self.op_of(arith.BitcastOp, (bits,), self.type)

    def to_int(self, x: Number) -> Number:
        """A whole float as an integer; NaN is 0."""
        return self.op_of(arith.FPToSIOp, (x,), self.int_type)

    def to_float(self, n: Number) -> Number:
        """The nearest float."""
        return self.op_of(arith.SIToFPOp, (n,), self.type)

    def unsigned_to_float(self, n: Number) -> Number:
        """The nearest float of an unsigned integer."""
        return self.op_of(arith.UIToFPOp, (n,), self.type)

    def wide_product(self, a: Number, b: Number) -> tuple[Number, Number]:
        """Low and high half of the unsigned product."""
        made = arith.MulUIExtendedOp.create(
            operands=[a.value, b.value], result_types=[a.type, a.type]
        )
        low, high = self.add(made).results
        return Number(self, low), Number(self, high)

    def even_power(self, x: Number, factor: float) -> tuple[Number, float, Scaling]:
        """A float h and a number u, with u * h the even number n nearest to x * factor; and what
        multiplies by 2**n, rounded once also where the result is subnormal or infinite.

        Added to 1.5 * 2**mantissa, half of n is rounded to a whole number, which then stands in the
        last bits; with the bias added too, shifting these to the exponent's place gives 2**(n / 2).
        An instruction that scales takes n as a float, which is as exact at twice the distance.
        """
        shift = 1.5 * 2.0**self.mantissa + self.bias
        if self.scales:
            n = self.fma(x, factor, 2 * shift) - 2 * shift
            return n, 1.0, lambda value: self.op(gpux.ScaleOp, value, n)
        t = self.fma(x, 0.5 * factor, shift)
        root = self.as_float(self.as_bits(t) << self.mantissa)
        return t - shift, 2.0, lambda value: value * root * root

    def power_of_two(self, n: Number) -> Number:
        """2**n for an integer n in the range of normal floats."""
        return self.as_float((n + self.bias) << self.mantissa)


Formula = Callable[[Calculator], Sequence[Number]]
Scaling = Callable[[Number], Number]

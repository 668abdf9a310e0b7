"""What is known about arith ops when operands are constant or equal: rules for `canonicalize`.

Folding is bit-exact: integers wrap at their width, floats are computed in their own type (bf16 by
rounding from f32, which is exact for these operations), NaNs are never made or moved, and what is
undefined (division by zero, a shift past the width, a cast out of range) is left alone.
An `index` is folded only while all numbers fit 32 bits, since its width depends on the target.

    %0 = arith.addi %x, %zero : i32            (uses of %0 become %x)
    %1 = arith.muli %two, %three : i32         %1 = arith.constant 6 : i32
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    IntegerType,
    i1,
)
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from ...dialects.arith import let_wrap
from ...dialects.predicates import EXCHANGED, OPPOSITE

if TYPE_CHECKING:
    from ..canonicalize import Editor

Folded: TypeAlias = "SSAValue | Attribute | bool | None"
Rule: TypeAlias = "Callable[[Any, Editor], Folded]"

RULES: dict[type[Operation], Rule] = {}


def rule(*classes: type[Operation]) -> Callable[[Rule], Rule]:
    """Decorator: the function simplifies ops of these classes.

    It gives the value or constant that replaces the only result, True if it changed something
    itself, or None.
    """

    def register(function: Rule) -> Rule:
        for op_class in classes:
            assert op_class not in RULES, f"two rules for {op_class.name}"
            RULES[op_class] = function
        return function

    return register


# --- constants ------------------------------------------------------------------------------------


def constant(value: SSAValue) -> Attribute | None:
    """The attribute of a value that an `arith.constant` defines."""
    maker = maker_of(value)
    return maker.properties["value"] if maker.__class__ is arith.ConstantOp else None


def maker_of(value: SSAValue) -> Any:
    """The op that computes a value; None for a block argument."""
    return value.op if isinstance(value, OpResult) else None


def is_integer(type: Attribute) -> TypeGuard[IntegerType[int]]:
    """Whether a type is iN."""
    return type.__class__ is IntegerType


def is_whole(type: Attribute) -> bool:
    """Whether a type is iN or index."""
    return type.__class__ is IntegerType or type.__class__ is IndexType


def integer(value: SSAValue) -> int | None:
    """The signed number that a value is known to be (i1 true is -1)."""
    attribute = constant(value)
    if attribute is None or not isinstance(attribute, IntegerAttr):
        return None
    return signed(attribute.value.data, width(value.type))


def width(type: Attribute) -> int:
    """The bits of an integer; those of an index that every target has."""
    return type.width.data if is_integer(type) else 64


def signed(number: int, bits: int) -> int:
    """The number that the low `bits` bits mean in two's complement."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def integer_attribute(number: int, type: Attribute) -> Attribute | None:
    """The constant, wrapped to its width; None for an index that may not fit everywhere."""
    if is_integer(type):
        return IntegerAttr(signed(number, type.width.data), type)
    if isinstance(type, IndexType) and -(1 << 31) <= number < 1 << 31:
        return IntegerAttr(number, type)
    return None


def boolean(value: bool) -> Attribute:
    """The constant true or false."""
    return IntegerAttr(-1 if value else 0, i1)


# --- integers -------------------------------------------------------------------------------------


def _unsigned(op: Callable[[int, int], int | None]) -> Callable[[int, int, int], int | None]:
    """On the bit patterns of `bits` wide integers."""

    def apply(a: int, b: int, bits: int) -> int | None:
        mask = (1 << bits) - 1
        return op(a & mask, b & mask)

    return apply


def _signed(op: Callable[[int, int], int | None]) -> Callable[[int, int, int], int | None]:
    return lambda a, b, bits: op(a, b)


def _divide(a: int, b: int) -> int | None:
    """Rounds towards zero."""
    if b == 0:
        return None
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int | None:
    quotient = _divide(a, b)
    return None if quotient is None else a - b * quotient


def _no_overflow(
    op: Callable[[int, int], int | None],
) -> Callable[[int, int, int], int | None]:
    """The most negative number divided by -1 is undefined."""

    def apply(a: int, b: int, bits: int) -> int | None:
        return None if b == -1 and a == -(1 << (bits - 1)) else op(a, b)

    return apply


def _shift(op: Callable[[int, int], int], unsigned: bool) -> Callable[[int, int, int], int | None]:
    def apply(a: int, b: int, bits: int) -> int | None:
        if not 0 <= b < bits:
            return None
        return op(a & ((1 << bits) - 1) if unsigned else a, b)

    return apply


_INTEGERS: dict[type[Operation], Callable[[int, int, int], int | None]] = {
    arith.AddiOp: _signed(operator.add),
    arith.SubiOp: _signed(operator.sub),
    arith.MuliOp: _signed(operator.mul),
    arith.DivSIOp: _no_overflow(_divide),
    arith.RemSIOp: _no_overflow(_remainder),
    arith.DivUIOp: _unsigned(_divide),
    arith.RemUIOp: _unsigned(_remainder),
    arith.FloorDivSIOp: _no_overflow(lambda a, b: a // b if b else None),
    arith.CeilDivSIOp: _no_overflow(lambda a, b: -(-a // b) if b else None),
    arith.CeilDivUIOp: _unsigned(lambda a, b: -(-a // b) if b else None),
    arith.AndIOp: _signed(lambda a, b: a & b),
    arith.OrIOp: _signed(lambda a, b: a | b),
    arith.XOrIOp: _signed(lambda a, b: a ^ b),
    arith.ShLIOp: _shift(lambda a, b: a << b, unsigned=False),
    arith.ShRSIOp: _shift(lambda a, b: a >> b, unsigned=False),
    arith.ShRUIOp: _shift(lambda a, b: a >> b, unsigned=True),
    arith.MinSIOp: _signed(min),
    arith.MaxSIOp: _signed(max),
    arith.MinUIOp: _unsigned(min),
    arith.MaxUIOp: _unsigned(max),
}
# An index with a negative value has other bits where it is 32 wide: not folded for these.
_SEE_BITS: set[type[Operation]] = {
    *(arith.DivUIOp, arith.RemUIOp, arith.CeilDivUIOp, arith.MinUIOp, arith.MaxUIOp),
    *(arith.ShLIOp, arith.ShRUIOp, arith.ShRSIOp),
}

COMMUTATIVE: set[type[Operation]] = {
    *(arith.AddiOp, arith.MuliOp, arith.AndIOp, arith.OrIOp, arith.XOrIOp),
    *(arith.MinSIOp, arith.MaxSIOp, arith.MinUIOp, arith.MaxUIOp),
    *(arith.AddfOp, arith.MulfOp),
}
_ALL_ONES = -1

# x op c: the constant on the right that gives x back, or that decides the result.
_NEUTRAL: dict[type[Operation], int] = {
    **dict.fromkeys((arith.AddiOp, arith.SubiOp, arith.OrIOp, arith.XOrIOp), 0),
    **dict.fromkeys((arith.ShLIOp, arith.ShRSIOp, arith.ShRUIOp), 0),
    **dict.fromkeys((arith.MuliOp, arith.DivSIOp, arith.DivUIOp), 1),
    **dict.fromkeys((arith.FloorDivSIOp, arith.CeilDivSIOp, arith.CeilDivUIOp), 1),
    arith.AndIOp: _ALL_ONES,
}
_ABSORBING: dict[type[Operation], tuple[int, int]] = {
    arith.MuliOp: (0, 0),
    arith.AndIOp: (0, 0),
    arith.OrIOp: (_ALL_ONES, _ALL_ONES),
    arith.RemSIOp: (1, 0),
    arith.RemUIOp: (1, 0),
}
_SAME_IS_OPERAND: set[type[Operation]] = {
    *(arith.AndIOp, arith.OrIOp, arith.MinSIOp, arith.MaxSIOp, arith.MinUIOp, arith.MaxUIOp)
}
_SAME_IS_ZERO: set[type[Operation]] = {arith.SubiOp, arith.XOrIOp}
_ASSOCIATIVE: set[type[Operation]] = {
    arith.AddiOp,
    arith.MuliOp,
    arith.AndIOp,
    arith.OrIOp,
    arith.XOrIOp,
}


@rule(*_INTEGERS)
def _fold_integers(op: Any, editor: Editor) -> Folded:
    lhs, rhs = op._operands
    kind, type = op.__class__, op.results[0].type
    if not is_whole(type):
        return None
    b = integer(rhs)
    a = integer(lhs)
    if a is not None and b is not None:
        return _fold_two_integers(kind, a, b, type)
    if a is not None and kind in COMMUTATIVE:  # constants go to the right
        op.operands = (rhs, lhs)
        return True
    if b is not None:
        return _fold_right_constant(op, lhs, b, editor)
    if lhs is rhs:
        if kind in _SAME_IS_OPERAND:
            return lhs
        if kind in _SAME_IS_ZERO:
            return integer_attribute(0, type)
    return None


def _fold_two_integers(kind: type[Operation], a: int, b: int, type: Attribute) -> Folded:
    if isinstance(type, IndexType) and kind in _SEE_BITS and (a < 0 or b < 0 or b >= 1 << 31):
        return None
    result = _INTEGERS[kind](a, b, width(type))
    return None if result is None else integer_attribute(result, type)


def _fold_right_constant(op: Any, lhs: SSAValue, b: int, editor: Editor) -> Folded:
    """`x op b`: neutral and absorbing elements, and `(x op c) op b`."""
    kind, type = op.__class__, op.results[0].type
    one_is_all_ones = width(type) == 1 and b == -1
    neutral = _NEUTRAL.get(kind)
    if b == neutral or (neutral == 1 and one_is_all_ones):
        return lhs
    absorbing = _ABSORBING.get(kind)
    if absorbing is not None and b == absorbing[0]:
        return integer_attribute(absorbing[1], type)
    inner = maker_of(lhs)
    if kind in _ASSOCIATIVE and inner.__class__ is kind:
        c = integer(inner.operands[1])
        combined = _INTEGERS[kind](c, b, width(type)) if c is not None else None
        if combined is not None:
            attribute = integer_attribute(combined, type)
            if attribute is not None:
                op.operands = (inner.operands[0], editor.constant(op, attribute, type))
                let_wrap(op.properties)  # the sum of both may overflow
                return True
    if kind is arith.XOrIOp and _is_only_compare(inner) and type == i1:
        return editor.truth(
            op,
            arith.CmpiOp,
            tuple(inner.operands),
            {"predicate": IntegerAttr(OPPOSITE[int(inner.predicate.value.data)], 64)},
        )
    return None


def _is_only_compare(op: Any) -> TypeGuard[arith.CmpiOp]:
    """Whether nothing but its negation uses this compare, which can then be inverted."""
    return isinstance(op, arith.CmpiOp) and op.result.has_one_use()


_COMPARE: tuple[Callable[[int, int], bool], ...] = (
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
    *(operator.lt, operator.le, operator.gt, operator.ge),
)


@rule(arith.CmpiOp)
def _fold_cmpi(op: arith.CmpiOp, editor: Editor) -> Folded:
    lhs, rhs = op._operands  # pyright: ignore[reportPrivateUsage]
    predicate = op.predicate.value.data
    if not is_whole(lhs.type):
        return None
    if lhs is rhs:
        return boolean(predicate in (0, 3, 5, 7, 9))
    a, b = integer(lhs), integer(rhs)
    if a is not None and b is not None:
        mask = (1 << width(lhs.type)) - 1
        return boolean(_COMPARE[predicate](*((a & mask, b & mask) if predicate > 5 else (a, b))))
    if a is not None:
        op.operands = (rhs, lhs)
        op.properties["predicate"] = IntegerAttr(EXCHANGED[predicate], 64)
        return True
    if b is None or predicate > 1:
        return None
    if lhs.type == i1:  # x == true, x != false are x
        return lhs if (predicate == 0) == (b != 0) else editor.negation(op, lhs)
    source = maker_of(lhs)
    if b == 0 and isinstance(source, arith.ExtUIOp | arith.ExtSIOp) and source.input.type == i1:
        return source.input if predicate == 1 else editor.negation(op, source.input)
    return None


@rule(arith.SelectOp)
def _fold_select(op: arith.SelectOp, editor: Editor) -> Folded:
    if op.lhs is op.rhs:
        return op.lhs
    condition = integer(op.cond)
    if condition is not None:
        return op.lhs if condition else op.rhs
    if op.result.type == i1:
        yes, no = integer(op.lhs), integer(op.rhs)
        if yes is not None and no is not None:
            if yes and not no:
                return op.cond
            if no and not yes:
                return editor.negation(op, op.cond)
    return None

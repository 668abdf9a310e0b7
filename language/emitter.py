"""Where the ops of a function go.

A *dry* emitter creates nothing: inference walks a function with one until the types of its
variables hold still, then once more with a real one. Constants and cells stand at the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    Signedness,
    UnitAttr,
)
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..dialects import simt
from ..dialects.arith import plain_flags
from ..dialects.making import make
from .types import DTYPES, DType, MatrixType, as_float, bool_
from .values import NOWHERE

_INTEGERS = {bits: IntegerType(bits) for bits in (1, 8, 16, 32, 64)}
INDEX = IndexType()
I1, I8, I32, I64 = (_INTEGERS[bits] for bits in (1, 8, 32, 64))
_FLOATS: dict[str, Attribute] = {
    "f16": Float16Type(),
    "bf16": BFloat16Type(),
    "f32": Float32Type(),
    "f64": Float64Type(),
}


class _Registers(dict[DType, Attribute]):
    """By type; those of matrices are added when they are asked for."""

    def __missing__(self, kind: DType) -> Attribute:
        if not isinstance(kind, MatrixType):
            raise KeyError(kind)
        from xdsl.dialects.builtin import IntAttr, StringAttr

        from ..dialects.gpu_matrix import MmaMatrixType

        element: Attribute = self[kind.element]
        if kind.role != "c" and kind.element.bits == 8:  # factors say their sign
            sign = Signedness.SIGNED if kind.element.is_signed else Signedness.UNSIGNED
            element = IntegerType(8, sign)
        use = StringAttr(f"{kind.role.upper()}Op")
        self[kind] = MmaMatrixType(IntAttr(kind.rows), IntAttr(kind.columns), element, use)
        return self[kind]


REGISTER: dict[DType, Attribute] = _Registers(
    {
        dtype: INDEX
        if dtype.name == "index"
        else _FLOATS[dtype.name]
        if dtype.is_float
        else _INTEGERS[dtype.bits]
        for dtype in DTYPES.values()
    }
)
"""The IR type of a value of each type while it is computed with."""
MEMORY: dict[DType, Attribute] = {**REGISTER, bool_: I8}
"""The IR type of an element of an array of each type."""

NOTHING = NOWHERE


class Emitter:
    """Appends ops to the current block, each with the location of the current place."""

    def __init__(self, dry: bool, fastmath: Sequence[str], locate: Callable[[], LocationAttr]):
        self.dry = dry
        self.fastmath = {"fastmath": fast_math(tuple(fastmath))}
        self.block = Block()
        self.prologue: list[Operation] = []
        self._locate = locate
        self._constants: dict[tuple[Any, Any, Any], SSAValue] = {}

    def add(
        self,
        cls: type[Operation],
        operands: Sequence[SSAValue] = (),
        results: Sequence[Attribute] = (),
        properties: Mapping[str, Attribute] | None = None,
        regions: Sequence[Region] = (),
    ) -> SSAValue:
        """Append an op; its first result, or nothing if it has none."""
        if self.dry:
            return NOTHING
        op = make(cls, operands, results, properties or {}, self._locate(), regions=regions)
        self.block.add_op(op)
        return op.results[0] if results else NOTHING

    def binary(self, cls: type[Operation], a: SSAValue, b: SSAValue, dtype: DType) -> SSAValue:
        """An op on two values of a type that gives a third one of it."""
        return self.add(cls, (a, b), (REGISTER[dtype],), self._flags(cls))

    def unary(
        self, cls: type[Operation], a: SSAValue, to: DType, *, mark: str | None = None
    ) -> SSAValue:
        """An op on one value, with a mark of gpux; `to` is the type of its result."""
        result = self.add(cls, (a,), (REGISTER[to],), self._flags(cls))
        if mark is not None and not self.dry and isinstance(result.owner, Operation):
            result.owner.attributes[mark] = UnitAttr()
        return result

    def _flags(self, cls: type[Operation]) -> Mapping[str, Attribute]:
        flags = plain_flags(cls)
        return self.fastmath if "fastmath" in flags else flags

    def compare(self, predicate: int, a: SSAValue, b: SSAValue, *, floats: bool) -> SSAValue:
        """`arith.cmpf` or `arith.cmpi` by the number of its predicate."""
        if floats:
            properties = {"predicate": integer(predicate, I64), **self.fastmath}
            return self.add(arith.CmpfOp, (a, b), (I1,), properties)
        return self.add(arith.CmpiOp, (a, b), (I1,), {"predicate": integer(predicate, I64)})

    def select(self, condition: SSAValue, a: SSAValue, b: SSAValue, dtype: DType) -> SSAValue:
        """`a` where the condition holds, else `b`."""
        return self.add(arith.SelectOp, (condition, a, b), (REGISTER[dtype],))

    def constant(self, value: int | float, dtype: DType) -> SSAValue:
        """A constant, once for the function."""
        if self.dry:
            return NOTHING
        key = (dtype, type(value), repr(value))
        found = self._constants.get(key)
        if found is None:
            attribute = constant_attribute(value, dtype)
            kind = REGISTER[dtype]
            op = make(arith.ConstantOp, (), (kind,), {"value": attribute}, self._locate())
            self.prologue.append(op)
            found = self._constants[key] = op.results[0]
        return found

    def index(self, value: int) -> SSAValue:
        """A constant of type index."""
        return self.constant(value, DTYPES["index"])

    def cell(self, dtype: DType, name: str) -> SSAValue:
        """A new variable, at the entry of the function."""
        if self.dry:
            return NOTHING
        op = make(simt.CellOp, (), (_cell_type(REGISTER[dtype]),), location=self._locate())
        op.results[0].name_hint = name if name.isidentifier() else None
        self.prologue.append(op)
        return op.results[0]

    def get(self, cell: SSAValue, dtype: DType) -> SSAValue:
        """The value of a cell."""
        return self.add(simt.GetOp, (cell,), (REGISTER[dtype],))

    def set(self, value: SSAValue, cell: SSAValue) -> None:
        """Give a cell a value."""
        self.add(simt.SetOp, (value, cell))

    @contextmanager
    def region(self, arguments: Sequence[Attribute] = ()) -> Generator[Block]:
        """A new block; what is emitted inside the `with` goes there."""
        outer, self.block = self.block, Block(arg_types=() if self.dry else arguments)
        try:
            yield self.block
        finally:
            self.block = outer

    def argument(self, block: Block, position: int) -> SSAValue:
        """An argument of a block made by `region`."""
        return NOTHING if self.dry else block.args[position]

    def splice(self, block: Block) -> None:
        """Move the ops of a block to the end of the current one."""
        for op in tuple(block.ops):
            op.detach()
            self.block.add_op(op)

    def finish(self) -> Block:
        """The entry block with constants and cells in front."""
        if self.prologue and not self.dry:
            first = self.block.first_op
            if first is None:
                self.block.add_ops(self.prologue)
            else:
                self.block.insert_ops_before(self.prologue, first)
        return self.block


def body(block: Block) -> Region:
    """The region of one block."""
    return Region(block)


@cache
def fast_math(flags: tuple[str, ...]) -> arith.FastMathFlagsAttr:
    """Flags such as "contract" and "afn" as an attribute."""
    names = [FastMathFlag(flag) for flag in flags]
    return arith.FastMathFlagsAttr(names or "none")


@cache
def integer(value: int, type_: IntegerType | IndexType) -> IntegerAttr[Any]:
    """An integer attribute; the same object for the same value."""
    return IntegerAttr(value, type_)


@cache
def _cell_type(element: Attribute) -> simt.CellType:
    return simt.CellType(element)


FIRST_INFINITE: dict[DType, float] = {
    DTYPES["f16"]: 65520.0,
    DTYPES["bf16"]: (2 - 2**-8) * 2.0**127,
    DTYPES["f32"]: (2 - 2**-24) * 2.0**127,
    DTYPES["f64"]: float("inf"),
}
"""The smallest number of each float type that rounds to infinity."""


def nearest(value: int | float, dtype: DType) -> float:
    """A number rounded to a float type, once: ml_dtypes rounds to bf16 by way of f32."""
    return cast(FloatAttr[Any], constant_attribute(value, dtype)).value.data


def constant_attribute(value: int | float, dtype: DType) -> Attribute:
    """The attribute of a constant; integers are taken modulo 2^bits, floats past the end as inf."""
    if dtype.is_float:
        number = as_float(value, dtype)
        if abs(number) >= FIRST_INFINITE[dtype]:
            number = float("inf") if number > 0 else float("-inf")
        return FloatAttr(number, cast(Any, REGISTER[dtype]))
    if dtype is bool_:
        return IntegerAttr(-1 if value else 0, I1)
    wrapped = int(value) & ((1 << dtype.bits) - 1)
    if wrapped >> (dtype.bits - 1):
        wrapped -= 1 << dtype.bits
    return IntegerAttr(wrapped, cast(Any, REGISTER[dtype]))

"""A short way to write ops: at the end of the current block, or in the function's prologue.

The prologue holds what is made on demand and needed anywhere: constants, sizes, arrays. It is put
before everything else when the function is done.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from math import prod
from typing import cast

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyFloat,
    DenseArrayBase,
    FixedBitwidthType,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    UnitAttr,
    i1,
    i8,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue

from ...dialects.arith import plain_flags
from ...dialects.making import make
from ..emit.machine import LINE

INDEX = IndexType()
MAX_THREADS = 1024  # of a block
ALIGNMENT = IntegerAttr(64, i64)
_ALIASING = 1024  # bytes
PREDICATES = {"eq": 0, "ne": 1, "slt": 2, "ult": 6}


def segments(*sizes: int) -> Attribute:
    """The property that says how many operands each group has."""
    return DenseArrayBase.from_list(i32, sizes)


def number(value: float, type: Attribute) -> Attribute:
    """The attribute of a constant."""
    if isinstance(type, AnyFloat):
        return FloatAttr(float(value), type)
    assert isinstance(type, IntegerType | IndexType), f"a constant of type {type}"
    kind = cast("IntegerType | IndexType", type)
    return IntegerAttr(int(value), kind, truncate_bits=True)


def bit_width(type: Attribute) -> int:
    """Bits of an integer or index."""
    return cast("FixedBitwidthType", type).bitwidth if isinstance(type, IntegerType) else 64


def byte_width(type: Attribute) -> int:
    """Bytes of an array's element."""
    return type.size if isinstance(type, FixedBitwidthType) else 8


def memref_type(value: SSAValue) -> MemRefType[Attribute]:
    """The type of a value that is an array."""
    found: Attribute = value.type
    assert isinstance(found, MemRefType), f"expected a memref, got {found.name}"
    return cast("MemRefType[Attribute]", found)


def set_type(value: SSAValue, type: Attribute) -> None:
    """Change the type of a value in place, which keeps its uses as they are."""
    value._type = type  # pyright: ignore[reportPrivateUsage]


class Builder:
    """Creates ops at the end of `block`, each with the current location."""

    def __init__(self, block: Block, location: LocationAttr) -> None:
        self.block = block
        self.location = location
        self.prologue = Block()
        # What the arrays take of the stack, where blocks of unknown size are the largest ones.
        self.array_bytes = 0
        self._constants: dict[tuple[object, Attribute], SSAValue] = {}

    def add(self, op: Operation) -> Operation:
        """Append a created op."""
        op.location = self.location
        self.block.add_op(op)
        return op

    def move(self, op: Operation) -> None:
        """Append an op that stands elsewhere; what is created next belongs to its place."""
        op.detach()
        self.block.add_op(op)
        self.location = op.location

    @contextmanager
    def at(self, block: Block) -> Generator[Block]:
        """Append to another block for a while."""
        before, self.block = self.block, block
        try:
            yield block
        finally:
            self.block = before

    # --- values -----------------------------------------------------------------------------------

    def constant(self, value: float, type: Attribute = INDEX) -> SSAValue:
        """A constant, one for the whole function."""
        key = (repr(value), type)
        if key not in self._constants:
            with self.at(self.prologue):
                op = make(arith.ConstantOp, (), (type,), {"value": number(value, type)})
                self._constants[key] = self.add(op).results[0]
        return self._constants[key]

    def known(self, value: SSAValue) -> int | None:
        """The integer that a value is known to be."""
        op = value.owner
        if isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr):
            return op.value.value.data
        return None

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`kind(lhs, rhs)`, of their type."""
        return self.add(make(kind, (lhs, rhs), (lhs.type,), plain_flags(kind))).results[0]

    def plus(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs + rhs`, nothing for a known zero."""
        if self.known(lhs) == 0:
            return rhs
        return lhs if self.known(rhs) == 0 else self.binary(arith.AddiOp, lhs, rhs)

    def times(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs * rhs`, folded where that is easy."""
        left, right = self.known(lhs), self.known(rhs)
        if left is not None and right is not None and lhs.type == INDEX:
            return self.constant(left * right)
        if left == 1:
            return rhs
        return lhs if right == 1 else self.binary(arith.MuliOp, lhs, rhs)

    def compare(self, predicate: str, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`arith.cmpi`."""
        number = IntegerAttr(PREDICATES[predicate], i64)
        op = make(arith.CmpiOp, (lhs, rhs), (i1,), {"predicate": number})
        return self.add(op).results[0]

    def select(self, condition: SSAValue, then: SSAValue, orelse: SSAValue) -> SSAValue:
        """`arith.select`."""
        op = make(arith.SelectOp, (condition, then, orelse), (then.type,))
        return self.add(op).results[0]

    def cast(self, kind: type[Operation], value: SSAValue, type: Attribute) -> SSAValue:
        """`kind(value) : type`, nothing where it has that type."""
        if value.type == type:
            return value
        return self.add(make(kind, (value,), (type,))).results[0]

    # --- memory -----------------------------------------------------------------------------------

    def array(self, type: MemRefType[Attribute], sizes: Sequence[SSAValue] = ()) -> SSAValue:
        """An array of the block, made in the prologue."""
        if not sizes:
            self.array_bytes += prod(type.get_shape()) * byte_width(type.element_type)
        op = memref.AllocaOp.create(
            operands=list(sizes),
            result_types=[type],
            properties={
                "alignment": ALIGNMENT,
                "operandSegmentSizes": segments(len(sizes), 0),
            },
        )
        with self.at(self.prologue):
            return self.add(op).results[0]

    def array_of(self, count: SSAValue, element: Attribute, shape: Sequence[int] = ()) -> SSAValue:
        """`count` elements (or arrays) in the prologue; booleans are kept as bytes.

        Arrays of a size that many sets of a cache divide are a line longer, so that what a thread
        has in several of them is not all in one set: 16 values of 512 threads were in two.
        """
        known = self.known(count)
        if known is None:
            self.array_bytes += MAX_THREADS * prod(shape) * byte_width(element)
        elif not shape and known * byte_width(element) % _ALIASING == 0:
            known += LINE // byte_width(element)
        first = DYNAMIC_INDEX if known is None else known
        type = MemRefType(i8 if element == i1 else element, [first, *shape])
        return self.array(type, [count] if known is None else [])

    def load(self, array: SSAValue, index: SSAValue, type: Attribute) -> SSAValue:
        """One element, as `type` (a boolean from its byte)."""
        element = memref_type(array).element_type
        value = self.add(make(memref.LoadOp, (array, index), (element,)))
        if element == type:
            return value.results[0]
        return self.compare("ne", value.results[0], self.constant(0, i8))

    def store(self, value: SSAValue, array: SSAValue, index: SSAValue) -> None:
        """Keep `value` (a boolean as a byte)."""
        if value.type == i1:
            value = self.cast(arith.ExtUIOp, value, i8)
        self.add(make(memref.StoreOp, (value, array, index)))

    # --- control flow -----------------------------------------------------------------------------

    def loop(
        self,
        upper: SSAValue,
        initial: Sequence[SSAValue],
        body: Callable[[SSAValue, Sequence[SSAValue]], Sequence[SSAValue]],
        name: str,
    ) -> Sequence[SSAValue]:
        """`for name in range(upper)` with values carried along; gives the last ones."""
        bounds = (self.constant(0), upper, self.constant(1))
        return self.for_(bounds, initial, body, name)

    def for_(
        self,
        bounds: Sequence[SSAValue],
        initial: Sequence[SSAValue],
        body: Callable[[SSAValue, Sequence[SSAValue]], Sequence[SSAValue]],
        name: str | None,
    ) -> Sequence[SSAValue]:
        """`scf.for` over (lower, upper, step)."""
        types = [value.type for value in initial]
        block = Block(arg_types=[bounds[1].type, *types])
        block.args[0].name_hint = name
        location = self.location
        with self.at(block):
            args: tuple[BlockArgument, ...] = tuple(block.args)
            self.end(body(args[0], args[1:]))
        self.location = location
        op = make(scf.ForOp, [*bounds, *initial], types, regions=[Region(block)])
        return self.add(op).results

    def mark_threads(self, *kinds: str) -> None:
        """Say of the loop just made that its iterations are threads, or rows of them."""
        loop = self.block.last_op
        assert isinstance(loop, scf.ForOp), "a loop was just made"
        loop.attributes |= dict.fromkeys(kinds, UnitAttr())

    def if_(
        self,
        condition: SSAValue,
        types: Sequence[Attribute],
        then: Callable[[], Sequence[SSAValue]],
        orelse: Callable[[], Sequence[SSAValue]] | None = None,
    ) -> Sequence[SSAValue]:
        """`scf.if`; without `orelse` there is no else region."""
        location = self.location
        regions = [self.region(then), self.region(orelse) if orelse else Region()]
        self.location = location
        op = scf.IfOp.create(operands=[condition], result_types=types, regions=regions)
        return self.add(op).results

    def region(
        self, body: Callable[[], Sequence[SSAValue]], types: Sequence[Attribute] = ()
    ) -> Region:
        """A region of one block that yields what `body` gives."""
        block = Block(arg_types=types)
        with self.at(block):
            self.end(body())
        return Region(block)

    def while_(
        self,
        initial: Sequence[SSAValue],
        types: Sequence[Attribute],
        before: Callable[[Sequence[SSAValue]], Sequence[SSAValue]],
        after: Callable[[Sequence[SSAValue]], Sequence[SSAValue]],
    ) -> Sequence[SSAValue]:
        """`scf.while`; `before` gives the condition and then what it passes on (of `types`)."""
        location = self.location
        test, body = Block(arg_types=[value.type for value in initial]), Block(arg_types=types)
        with self.at(test):
            passed = before(test.args)
            self.add(scf.ConditionOp.create(operands=passed))
        with self.at(body):
            self.end(after(body.args))
        self.location = location
        op = scf.WhileOp.create(
            operands=initial, result_types=types, regions=[Region(test), Region(body)]
        )
        return self.add(op).results

    def end(self, values: Sequence[SSAValue]) -> None:
        """End the current block with a yield."""
        self.add(make(scf.YieldOp, values))

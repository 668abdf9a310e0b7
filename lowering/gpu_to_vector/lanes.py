"""Where the values of a vectorised body are: as scalars, as vectors, or as both.

    uniform      a scalar; a vector of equal lanes where an op wants one
    affine       the scalar of lane 0; base + stride * (0, 1, 2, …) where an op wants a vector
    varying      a vector

A vector is made of a scalar right behind the scalar's definition, once, so that it is there for
every later use and what loops do not change stays outside of them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from xdsl.dialects import arith, func, memref, vector
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    VectorType,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects.arith import WRAPS, plain_flags
from ...dialects.arith_lanes import on_lanes
from ...dialects.vector import SplatOp, reduction
from ...passes.analyses.divergence import Divergence, Spread, bits
from ...passes.utils.block_editing import constant, constant_value

INDEX = IndexType()
_DYNAMIC = -(2**63)


class Lanes:
    """Writes ops at the end of `block` for `width` lanes, those of `mask` (None: all of them).

    `outside` is the op before which what the whole loop has in common is put; the machine's
    registers have `register` bytes.
    """

    def __init__(
        self,
        width: int,
        spreads: Divergence,
        outside: Operation,
        own_arrays: Mapping[SSAValue, SSAValue],
        register: int,
    ) -> None:
        self.width = width
        self.register = register
        self.spreads = spreads
        self.outside = outside
        self.block = Block()
        self.mask: SSAValue | None = None
        self.location: LocationAttr = outside.location
        # What the body defines: all else was there before the loop.
        self._own: set[SSAValue] = set()
        self._scalars: dict[SSAValue, SSAValue] = {}
        self._vectors: dict[SSAValue, SSAValue] = {}
        self._splats: dict[SSAValue, SSAValue] = {}
        self._constants: dict[tuple[object, ...], SSAValue] = {}
        # To make one takes as long as to make the op that has it.
        self._types: dict[Attribute, VectorType[Attribute]] = {}
        # Arrays that each thread has for itself: those that stand for them, with a place a lane.
        self.own_arrays = own_arrays

    # --- ops --------------------------------------------------------------------------------------

    def add(self, op: Operation) -> Operation:
        """Append an op."""
        op.location = self.location
        self.block.add_op(op)
        self._own.update(op.results)
        return op

    def value(self, op: Operation) -> SSAValue:
        """Append an op with one result."""
        return self.add(op).results[0]

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`kind(lhs, rhs)` of integers, of their type."""
        return self.value(
            kind.create(operands=[lhs, rhs], result_types=[lhs.type], properties=plain_flags(kind))
        )

    def compare(self, predicate: int, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`arith.cmpi` of vectors or scalars; see `arith.CmpiOp` for predicates."""
        type = self.vector_type(i1) if is_vector(lhs) else i1
        properties: dict[str, Attribute] = {"predicate": IntegerAttr(predicate, 64)}
        kind = on_lanes(arith.CmpiOp, lhs.type)
        return self.value(
            kind.create(operands=[lhs, rhs], result_types=[type], properties=properties)
        )

    def select(self, mask: SSAValue, then: SSAValue, orelse: SSAValue) -> SSAValue:
        """Lane by lane one of two values."""
        if then is orelse:
            return then
        kind = on_lanes(arith.SelectOp, mask.type)
        return self.value(kind.create(operands=[mask, then, orelse], result_types=[then.type]))

    def number(self, value: float, type: Attribute = INDEX) -> SSAValue:
        """A constant, scalar or a vector of equal lanes, before the whole loop."""
        key = (repr(value), type)
        if key not in self._constants:
            if isinstance(type, VectorType):
                op = _equal_lanes(value, cast("VectorType[Attribute]", type))
            else:
                op = constant(type, value, self.outside.location)
            self._constants[key] = self._before_loop(op)
        return self._constants[key]

    def known(self, value: SSAValue) -> int | None:
        """The integer that a value is known to be."""
        return constant_value(value)

    def _before_loop(self, op: Operation) -> SSAValue:
        op.location = self.outside.location
        assert self.outside.parent is not None, "the loop stands in a block"
        self.outside.parent.insert_op_before(op, self.outside)
        return op.results[0]

    @contextmanager
    def at(self, block: Block, mask: SSAValue | None) -> Generator[Block]:
        """Append to another block, for other lanes, for a while."""
        before = self.block, self.mask, self.location
        self.block, self.mask = block, mask
        try:
            yield block
        finally:
            self.block, self.mask, self.location = before

    # --- masks ------------------------------------------------------------------------------------

    def all_lanes(self) -> SSAValue:
        """The active lanes as a value."""
        return self.number(1, self.vector_type(i1)) if self.mask is None else self.mask

    def among_active(self, condition: SSAValue) -> SSAValue:
        """The active lanes of those that a vector of booleans says."""
        if self.mask is None:
            return condition
        return self.binary(arith.AndIOp, condition, self.mask)

    def inverse(self, condition: SSAValue) -> SSAValue:
        """The other lanes."""
        return self.binary(arith.XOrIOp, condition, self.number(1, condition.type))

    def any(self, mask: SSAValue) -> SSAValue:
        """Whether any lane is set."""
        return self.value(reduction("or", mask))

    # --- values -----------------------------------------------------------------------------------

    def vector_type(self, type: Attribute) -> VectorType[Attribute]:
        """The type of a vector with a lane for each thread."""
        found = self._types.get(type)
        if found is None:
            found = self._types[type] = VectorType(type, [self.width])
        return found

    def bind(self, old: SSAValue, new: SSAValue) -> None:
        """Let a value stand for one of the original body: a vector if that is varying."""
        if new.name_hint is None:
            new.name_hint = old.name_hint
        self._scalars.pop(old, None)
        self._vectors.pop(old, None)
        table = self._vectors if is_vector(new) else self._scalars
        table[old] = new

    def type_of(self, old: SSAValue, spread: Spread | None = None) -> Attribute:
        """The type of what stands for a value."""
        spread = self.spreads[old] if spread is None else spread
        return self.vector_type(old.type) if spread.stride is None else old.type

    def get(self, old: SSAValue, spread: Spread) -> SSAValue:
        """The value as one of this spread is kept."""
        return self.vector(old) if spread.stride is None else self.scalar(old)

    def scalar(self, old: SSAValue) -> SSAValue:
        """The value that all lanes have in common, or lane 0's of an affine one."""
        assert self.spreads[old].stride is not None, "lanes have no value in common"
        return self._scalars.get(old, old)

    def vector(self, old: SSAValue) -> SSAValue:
        """Each lane's value."""
        found = self._vectors.get(old)
        if found is None:
            stride = self.spreads[old].stride
            assert stride is not None, "a varying value is a vector already"
            found = self.splat(self.scalar(old))
            if stride:
                found = self._affine(found, stride)
            self._vectors[old] = found
        return found

    def splat(self, value: SSAValue) -> SSAValue:
        """A scalar in every lane."""
        if value not in self._splats:
            type = self.vector_type(value.type)
            known = value.owner.value if isinstance(value.owner, arith.ConstantOp) else None
            if isinstance(known, IntegerAttr | FloatAttr):
                new = self.number(known.value.data, type)
            else:
                new = self._behind(value, SplatOp.create(operands=[value], result_types=[type]))
            self._splats[value] = new
        return self._splats[value]

    def _affine(self, first: SSAValue, stride: int) -> SSAValue:
        """`first + stride * (0, 1, 2, …)`, of a vector of equal lanes."""
        steps = self.steps(stride, first.type)
        op = arith.AddiOp.create(
            operands=[first, steps], result_types=[first.type], properties=WRAPS
        )
        return self._behind(first, op) if first in self._own else self._before_loop(op)

    def steps(self, stride: int, type: Attribute) -> SSAValue:
        """The constant `stride * (0, 1, 2, …)`, of a vector type."""
        key = ("steps", stride, type)
        if key not in self._constants:
            kind = cast("VectorType[IntegerType]", type)
            width = bits(kind.element_type)
            numbers = [_wrapped(stride * lane, width) for lane in range(self.width)]
            value = DenseIntOrFPElementsAttr.from_list(kind, numbers)
            op = arith.ConstantOp.create(result_types=[kind], properties={"value": value})
            self._constants[key] = self._before_loop(op)
        return self._constants[key]

    def lanes_of(self, numbers: Sequence[int]) -> SSAValue:
        """A constant mask, with a number 0 or 1 for each lane."""
        kind = VectorType(i1, [self.width])
        value = DenseIntOrFPElementsAttr.from_list(kind, list(numbers))
        op = arith.ConstantOp.create(result_types=[kind], properties={"value": value})
        return self._before_loop(op)

    def scratch(self, lanes: Attribute) -> SSAValue:
        """An array with a place for each lane of such a vector, on the stack."""
        element = cast("VectorType[Attribute]", lanes).element_type
        op = memref.AllocaOp.create(
            result_types=[MemRefType(element, [self.width])],
            properties={"operandSegmentSizes": DenseArrayBase.from_list(i32, [0, 0])},
            location=self.location,
        )
        function: Operation | None = self.outside
        while function is not None and not isinstance(function, func.FuncOp):
            function = function.parent_op()
        assert function is not None and function.body.block.first_op is not None, "a body of code"
        function.body.block.insert_op_before(op, function.body.block.first_op)
        return op.results[0]

    def _behind(self, value: SSAValue, op: Operation) -> SSAValue:
        """Put an op right behind the definition of its operand, or before the loop."""
        if value not in self._own:
            return self._before_loop(op)
        op.location = self.location
        self._own.update(op.results)
        owner = value.owner
        if isinstance(owner, Operation):
            assert owner.parent is not None, "our own ops stand in blocks"
            owner.parent.insert_op_after(op, owner)
        elif owner.first_op is not None:
            owner.insert_op_before(op, owner.first_op)
        else:
            owner.add_op(op)
        return op.results[0]

    def lane(self, old: SSAValue, index: SSAValue) -> SSAValue:
        """The value of one lane."""
        stride = self.spreads[old].stride
        if stride is None:
            return self.extract(self.vector(old), index)
        first = self.scalar(old)
        return (
            self.binary(arith.AddiOp, first, self._times(index, stride, first.type))
            if stride
            else first
        )

    def _times(self, index: SSAValue, stride: int, type: Attribute) -> SSAValue:
        """A lane's number times a stride, of some integer type."""
        known = self.known(index)
        if known is not None:
            return self.number(_wrapped(known * stride, bits(type)), type)
        if type != INDEX:
            index = self.value(arith.IndexCastOp.create(operands=[index], result_types=[type]))
        factor = self.number(_wrapped(stride, bits(type)), type)
        return index if stride == 1 else self.binary(arith.MuliOp, index, factor)

    def extract(self, lanes: SSAValue, index: SSAValue) -> SSAValue:
        """One lane of a vector."""
        position, dynamic = _position(index)
        type = cast("VectorType[Attribute]", lanes.type).element_type
        op = vector.ExtractOp.create(
            operands=[lanes, *dynamic],
            result_types=[type],
            properties={"static_position": position},
        )
        return self.value(op)

    def insert(self, value: SSAValue, lanes: SSAValue, index: SSAValue) -> SSAValue:
        """The vector with one lane replaced."""
        position, dynamic = _position(index)
        op = vector.InsertOp.create(
            operands=[value, lanes, *dynamic],
            result_types=[lanes.type],
            properties={"static_position": position},
        )
        return self.value(op)

    def arguments(self, types: Sequence[Attribute]) -> Block:
        """A new block with arguments, which are this body's own values."""
        block = Block(arg_types=types)
        self._own.update(block.args)
        return block


def is_vector(value: SSAValue) -> bool:
    """Whether a value has lanes."""
    return isinstance(value.type, VectorType)


def _position(index: SSAValue) -> tuple[DenseArrayBase, Sequence[SSAValue]]:
    known = constant_value(index)
    numbers = DenseArrayBase.from_list(i64, [_DYNAMIC if known is None else known])
    return numbers, () if known is not None else (index,)


def _wrapped(number: int, width: int) -> int:
    """The number as one of so many bits, with a sign."""
    half = 1 << (width - 1)
    return (number + half) % (2 * half) - half


def _equal_lanes(value: float, type: VectorType[Attribute]) -> Operation:
    kind: Any = type
    attribute: Any = DenseIntOrFPElementsAttr.from_list(kind, [value])
    return arith.ConstantOp.create(result_types=[type], properties={"value": attribute})

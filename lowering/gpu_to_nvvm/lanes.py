"""Builds gpu-level and nvvm ops before an op: what subgroup ops are written with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    IndexType,
    IntegerAttr,
    IntegerType,
    i1,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import llvm
from ...dialects.arith import plain_flags
from ...dialects.nvvm import OPS
from ...passes.utils.block_editing import constant

_PREDICATES = {name: number for number, name in enumerate(llvm.ICMP_PREDICATES)}


class Lanes:
    """Builds ops before `anchor`, or at the end of `block`."""

    def __init__(self, anchor: Operation | None, block: Block | None, location: Attribute) -> None:
        self.anchor = anchor
        self.block = block
        self.location = location

    @staticmethod
    def before(op: Operation) -> Lanes:
        """A builder in front of an op, with its location."""
        return Lanes(op, None, op.location)

    def inside(self, block: Block) -> Lanes:
        """A builder at the end of a block."""
        return Lanes(None, block, self.location)

    def add(self, op: Operation) -> Operation:
        """Puts an op where this builder builds."""
        op.location = self.location  # pyright: ignore[reportAttributeAccessIssue]
        if self.anchor is not None:
            block = self.anchor.parent
            assert block is not None, "the anchor stands in a block"
            block.insert_op_before(op, self.anchor)
        else:
            assert self.block is not None, "there is a block to build in"
            self.block.add_op(op)
        return op

    def const(self, value: int | float, kind: Attribute = i32) -> SSAValue:
        """A number."""
        return self.add(constant(kind, value, None)).results[0]

    def op(self, cls: type[Operation], *operands: SSAValue, kind: Attribute | None = None):
        """An op of arith or math, whose result has the type of its operands unless given."""
        made = cls.create(
            operands=operands,
            result_types=[kind or operands[0].type],
            properties=plain_flags(cls),
        )
        return self.add(made).results[0]

    def nvvm(self, name: str, *operands: SSAValue, **properties: str | int | Attribute) -> SSAValue:
        """The result of an nvvm op."""
        return self.add(OPS[name].of(operands, None, **properties)).results[0]

    def cmp(self, predicate: str, a: SSAValue, b: SSAValue | int) -> SSAValue:
        """Comparison of integers."""
        other = self.const(b, a.type) if isinstance(b, int) else b
        number = IntegerAttr(_PREDICATES[predicate], i64)
        return self.add(
            arith.CmpiOp.create(
                operands=[a, other], result_types=[i1], properties={"predicate": number}
            )
        ).results[0]

    def select(self, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
        """One of two values."""
        made = arith.SelectOp.create(operands=[condition, yes, no], result_types=[yes.type])
        return self.add(made).results[0]

    def choose(
        self,
        condition: SSAValue,
        kind: Attribute,
        yes: Callable[[Lanes], SSAValue],
        no: Callable[[Lanes], SSAValue],
    ) -> SSAValue:
        """One of two computations."""
        regions: list[Region] = []
        for build in (yes, no):
            block = Block()
            inner = self.inside(block)
            inner.add(scf.YieldOp.create(operands=[build(inner)]))
            regions.append(Region(block))
        made = scf.IfOp.create(operands=[condition], result_types=[kind], regions=regions)
        return self.add(made).results[0]

    # Words of 32 bits, which is what travels between lanes.

    def words(self, value: SSAValue) -> list[SSAValue]:
        """A value as one or two i32 (or one f32)."""
        kind = value.type
        if kind == i32 or isinstance(kind, Float32Type):
            return [value]
        if isinstance(kind, IndexType):
            value = self.op(arith.IndexCastOp, value, kind=i64)
        elif isinstance(kind, Float16Type | BFloat16Type):
            value = self.op(arith.BitcastOp, value, kind=i16)
        elif not isinstance(kind, IntegerType):
            value = self.op(arith.BitcastOp, value, kind=i64)
        if value.type == i64:
            high = self.op(arith.ShRUIOp, value, self.const(32, i64))
            return [self.op(arith.TruncIOp, part, kind=i32) for part in (value, high)]
        return [self.op(arith.ExtUIOp, value, kind=i32)]

    def value_of(self, words: Sequence[SSAValue], kind: Attribute) -> SSAValue:
        """The inverse of `words`."""
        if len(words) == 1 and words[0].type == kind:
            return words[0]
        if len(words) == 2:
            low, high = (self.op(arith.ExtUIOp, word, kind=i64) for word in words)
            whole = self.op(arith.OrIOp, low, self.op(arith.ShLIOp, high, self.const(32, i64)))
            if kind == i64:
                return whole
            cast = arith.IndexCastOp if isinstance(kind, IndexType) else arith.BitcastOp
            return self.op(cast, whole, kind=kind)
        wanted = kind
        if isinstance(kind, IntegerType):
            return self.op(arith.TruncIOp, words[0], kind=wanted)
        return self.op(arith.BitcastOp, self.op(arith.TruncIOp, words[0], kind=i16), kind=kind)

    def shuffle(
        self, mode: str, mask: SSAValue, value: SSAValue, lane: SSAValue, clamp: int = 31
    ) -> SSAValue:
        """The value of another lane."""
        limit = self.const(clamp)
        words = [
            self.add(
                OPS["shfl.sync"].of((mask, word, lane, limit), (word.type,), kind=mode)
            ).results[0]
            for word in self.words(value)
        ]
        return self.value_of(words, value.type)

    def shuffle_in_range(
        self, mode: str, mask: SSAValue, value: SSAValue, lane: SSAValue, clamp: int = 31
    ) -> tuple[SSAValue, SSAValue]:
        """The value of another lane, and whether there is one in range."""
        limit = self.const(clamp)
        words: list[SSAValue] = []
        valid: SSAValue | None = None
        from xdsl.dialects.builtin import UnitAttr

        for word in self.words(value):
            pair = self.add(
                OPS["shfl.sync"].of(
                    (mask, word, lane, limit),
                    (llvm.StructType([word.type, i1]),),
                    kind=mode,
                    return_value_and_is_valid=UnitAttr(),
                )
            ).results[0]
            words.append(self.add(llvm.ExtractValueOp.at(pair, 0)).results[0])
            valid = self.add(llvm.ExtractValueOp.at(pair, 1)).results[0]
        assert valid is not None, "a value has at least one word"
        return self.value_of(words, value.type), valid

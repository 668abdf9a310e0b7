"""What a converter works with: `Rewriter` builds the new IR, `TypeMap` says what types become.

Both are used through `conversion.py`, whose head explains how they play together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from xdsl.dialects.builtin import UnrealizedConversionCastOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..dialects.making import make
from ..dialects.walking import ops_of

Values: TypeAlias = tuple[SSAValue, ...]
Operands: TypeAlias = tuple[Values, ...]
Results: TypeAlias = "SSAValue | Operation | Sequence[SSAValue | Sequence[SSAValue]] | None"
Converter: TypeAlias = "Callable[[Any, Operands, Rewriter], Results]"
TypeRule: TypeAlias = "Callable[[Any, Types], Attribute | Sequence[Attribute]]"
Types: TypeAlias = Callable[[Attribute], tuple[Attribute, ...]]
OpT = TypeVar("OpT", bound=Operation)


class CannotConvert(Exception):
    """Raised by a converter or a type rule: the reason, for the error that lists all leftovers."""


@dataclass(frozen=True)
class TypeMap:
    """What becomes of a type: rules by attribute class; a type without a rule stays.

    A rule gets the type and the map itself (for element types) and gives one type or a sequence of
    them. `source` makes an old value out of its new ones, `target` new values out of an old one;
    without them a cast op stands there, which must meet its inverse.
    """

    rules: Mapping[type[Attribute], TypeRule] = field(
        default_factory=dict[type[Attribute], TypeRule]
    )
    source: Callable[[Rewriter, Values, Attribute], SSAValue | None] | None = None
    target: Callable[[Rewriter, SSAValue, tuple[Attribute, ...]], Values | None] | None = None

    def types(self, type: Attribute) -> tuple[Attribute, ...]:
        """The types that values of `type` are made of after the conversion."""
        rule = self.rules.get(type.__class__)
        if rule is None:
            return (type,)
        result = rule(type, self.types)
        return (result,) if isinstance(result, Attribute) else tuple(result)


class Rewriter:
    """Builds new IR before the op being converted; all it makes carries that op's location.

    `state` is whatever the lowering passed to `convert` (the target's parameters, caches).
    """

    def __init__(self, types: TypeMap, state: Any) -> None:
        self.state: Any = state
        self.mapping: dict[int, Values] = {}  # by id: hashing a value runs Python code
        self.replaced: list[SSAValue] = []  # keeps the keys of `mapping` alive
        self.casts: dict[UnrealizedConversionCastOp, None] = {}  # a set in order
        self.special: dict[Operation, Converter] = {}
        self.depth: dict[Operation, int] = {}
        self.created: list[Operation] = []
        self.op: Operation | None = None
        self._type_map = types
        self._type_cache: dict[int, tuple[Attribute, tuple[Attribute, ...]]] = {}
        self._block: Block | None = None
        self._anchor: Operation | None = None
        self._location: Any = None

    # Types and values

    def types(self, type: Attribute) -> tuple[Attribute, ...]:
        """The new types of an old type."""
        found = self._type_cache.get(id(type))
        if found is None:
            found = self._type_cache[id(type)] = (type, self._type_map.types(type))
        return found[1]

    def type(self, type: Attribute) -> Attribute:
        """The one new type of an old type."""
        types = self.types(type)
        if len(types) != 1:
            raise CannotConvert(f"{type} becomes {len(types)} values, where one is expected")
        return types[0]

    def flat_types(self, types: Iterable[Attribute]) -> list[Attribute]:
        """The new types of several old types in a row."""
        return [new for old in types for new in self.types(old)]

    def new(self, value: SSAValue) -> Values:
        """What an old value has become (cast to its new types if it was not converted)."""
        mapped = self.mapping.get(id(value))
        if mapped is not None:
            return self._resolve(value, mapped)
        types = self.types(value.type)
        if len(types) == 1 and types[0] == value.type:
            return (value,)
        materialise = self._type_map.target
        made = materialise(self, value, types) if materialise is not None else None
        return made if made is not None else self.cast([value], types)

    def one(self, value: SSAValue) -> SSAValue:
        """What an old value has become, where that is one value."""
        values = self.new(value)
        if len(values) != 1:
            raise CannotConvert(f"a value of type {value.type} has become {len(values)} values")
        return values[0]

    def old(self, value: SSAValue) -> SSAValue:
        """The value as an op that stays needs it: the replacement, cast back to the old type."""
        mapped = self.mapping.get(id(value))
        if mapped is None:
            return value
        values = self._resolve(value, mapped)
        if len(values) == 1 and values[0].type == value.type:
            return values[0]
        materialise = self._type_map.source
        made = materialise(self, values, value.type) if materialise is not None else None
        return made if made is not None else self.cast(values, [value.type])[0]

    def _resolve(self, value: SSAValue, mapped: Values) -> Values:
        """Follows replacements of replacements, and remembers where they end."""
        if not any(id(new) in self.mapping for new in mapped):
            return mapped
        end = tuple(
            last
            for new in mapped
            for last in (
                self._resolve(new, self.mapping[id(new)]) if id(new) in self.mapping else (new,)
            )
        )
        self.mapping[id(value)] = end
        return end

    def replace(self, value: SSAValue, new: SSAValue | Sequence[SSAValue]) -> None:
        """From now on `new` stands for the old `value` (of a block argument, say)."""
        values = (new,) if isinstance(new, SSAValue) else tuple(new)
        if len(values) == 1 and values[0] is value:
            return
        self.mapping[id(value)] = values
        self.replaced.append(value)
        if len(values) == 1 and values[0].name_hint is None:
            values[0]._name = value._name  # pyright: ignore[reportPrivateUsage]  # known valid

    def cast(self, values: Sequence[SSAValue], types: Sequence[Attribute]) -> Values:
        """A cast that has to meet its inverse before the conversion ends."""
        op = self.create(UnrealizedConversionCastOp, values, types)
        self.casts[op] = None
        return tuple(op.results)

    # Building

    def create(
        self,
        op_class: type[OpT],
        operands: Sequence[SSAValue] = (),
        result_types: Sequence[Attribute] = (),
        *,
        properties: Mapping[str, Attribute] = {},
        attributes: Mapping[str, Attribute] = {},
        successors: Sequence[Block] = (),
        regions: Sequence[Region] = (),
    ) -> OpT:
        """A new op at the insertion point; `operands` are new values."""
        op = make(
            op_class,
            operands,
            result_types,
            properties,
            self._location,
            attributes=attributes,
            successors=successors,
            regions=regions,
        )
        self._place(op)
        return op

    def value(
        self,
        op_class: type[Operation],
        operands: Sequence[SSAValue],
        type: Attribute,
        properties: Mapping[str, Attribute] = {},
    ) -> SSAValue:
        """The only result of a new op at the insertion point."""
        op = make(op_class, operands, (type,), properties, self._location)
        self._place(op)
        return op.results[0]

    def insert(self, op: OpT) -> OpT:
        """Puts an op made elsewhere at the insertion point; it and its body get the location."""
        op.location = self._location
        if op.regions:
            for inner in ops_of(op):
                inner.location = self._location
        self._place(op)
        return op

    def add(self, op: OpT) -> OpT:
        """Puts an op made elsewhere at the insertion point, with the locations that it has."""
        self._place(op)
        return op

    def _place(self, op: Operation) -> None:
        if self._anchor is not None:
            block = self._anchor.parent
            assert block is not None, "the insertion point was removed"
            block.insert_op_before(op, self._anchor)
        else:
            assert self._block is not None, "no insertion point"
            self._block.add_op(op)
        self.created.append(op)

    def at_end(self, block: Block) -> Rewriter:
        """What follows is built at the end of `block` (until the next op is converted)."""
        self._block, self._anchor = block, None
        return self

    def before(self, op: Operation) -> Rewriter:
        """What follows is built before `op`."""
        self._block, self._anchor = op.parent, op
        return self

    @contextmanager
    def inside(self, block: Block, before: Operation | None = None) -> Generator[Rewriter]:
        """In the `with` block building goes on there: at the end of a block or before an op."""
        saved = self._block, self._anchor
        self._block, self._anchor = block, before
        try:
            yield self
        finally:
            self._block, self._anchor = saved

    def at(self, op: Operation) -> None:
        """Makes `op` the op being converted: insertion point and location."""
        self.op, self._block, self._anchor, self._location = op, op.parent, op, op.location

    # Blocks and regions

    def split(self, types: Sequence[Attribute] = ()) -> Block:
        """Cuts the block after the op being converted; the block with the rest, after this one."""
        op, block = self._current()
        rest = op.next_op
        if rest is not None:
            new = block.split_before(rest, arg_types=types)
        else:
            new = self.new_block(types, after=block)
        self._locate(new)
        return new

    def new_block(
        self,
        types: Sequence[Attribute] = (),
        *,
        before: Block | None = None,
        after: Block | None = None,
    ) -> Block:
        """An empty block with arguments of (new) `types`, next to another one."""
        block = Block(arg_types=types)
        beside = before if before is not None else after
        assert beside is not None, "say where the block goes"
        assert beside.parent is not None, "the block beside it is in no region"
        if before is not None:
            beside.parent.insert_block_before(block, before)
        else:
            beside.parent.insert_block_after(block, beside)
        self._locate(block)
        return block

    def _locate(self, block: Block) -> None:
        for argument in block.args:
            argument.location = self._location

    def take_region(self, region: Region) -> Region:
        """Detaches a region of the op being converted, its block arguments in their new types."""
        assert region.parent is not None, "the region was taken already"
        region.parent.detach_region(region)
        for block in region.blocks:
            self.convert_arguments(block)
        return region

    def take_regions(self, op: Operation) -> list[Region]:
        """All regions of `op`, as `take_region`."""
        return [self.take_region(region) for region in tuple(op.regions)]

    def move_blocks(self, region: Region, before: Block) -> tuple[Block, Block]:
        """Moves a region's blocks, unchanged, before a block; gives the first and the last one."""
        first, last = region.first_block, region.last_block
        assert first is not None, "an empty region has no blocks to move"
        assert last is not None, "an empty region has no blocks to move"
        region.move_blocks_before(before)
        return first, last

    def move_ops(self, block: Block) -> None:
        """Moves the ops of a block to before the op being converted; they are visited next."""
        anchor, around = self._current()
        for op in tuple(block.ops):
            op.detach()
            around.insert_op_before(op, anchor)

    def _current(self) -> tuple[Operation, Block]:
        assert self.op is not None, "no op is being converted"
        assert self.op.parent is not None, "the op being converted was removed"
        return self.op, self.op.parent

    def convert_arguments(self, block: Block) -> None:
        """Gives a block arguments of the new types, which stand for the old ones."""
        groups = [self.types(argument.type) for argument in block.args]
        if all(len(g) == 1 and g[0] == a.type for g, a in zip(groups, block.args, strict=True)):
            return
        old = block.args
        # The old arguments live on as keys of the mapping, so they are not erased.
        block._args = ()  # pyright: ignore[reportPrivateUsage]
        for argument, group in zip(old, groups, strict=True):
            new = [block.insert_arg(t, len(block.args), argument.location) for t in group]
            self.replace(argument, new)

    def convert_with(self, op: Operation, converter: Converter) -> None:
        """When `op` (a terminator of a moved block, say) is visited, this converter is used."""
        self.special[op] = converter

    def erase(self, op: Operation) -> None:
        """Removes an op that has no results in use."""
        op.detach()
        op.drop_all_references()

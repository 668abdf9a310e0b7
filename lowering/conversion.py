"""One-shot conversion of a module: every illegal op is replaced once, in order, nothing is undone.

A lowering is three tables and one call:

    rules = Rules()                                   # converters, by op class
    converts = rules.converts

    @converts(memref.LoadOp)                          # memref -> (pointer, size...): 1 to n
    def load(op, operands, rw):
        (base, *sizes), (index,) = operands           # one tuple of new values per old operand
        address = rw.value(llvm.GepOp, [base, index], pointer)
        return rw.value(llvm.LoadOp, [address], rw.type(op.res.type))

    rules.rename({arith.AddiOp: llvm.AddOp})          # same shape: op -> op

    def lower(module):
        convert(module, rules, Legality({"llvm": True, ModuleOp: True}), TypeMap({...}), "llvm")

    // before                                         // after
    %i = arith.addi %a, %b : index                    %i = llvm.add %a, %b : i64
    %v = memref.load %m[%i] : memref<?xf32>           %p = llvm.getelementptr %m0[%i] ...
                                                      %v = llvm.load %p : !llvm.ptr -> f32

How it goes on: ops are visited in order, then the regions of what is kept. A legal op stays
(operands that were replaced are cast back to their old types). For an illegal op its converter runs
with the insertion point before the op; what it creates is visited next (so it may create ops that
are illegal themselves), blocks it adds are visited in their turn. The op is then removed, and its
results stand for what the converter returned. Casts that meet their inverse vanish at the end;
everything left over is listed in one error with location and reason. Created ops carry the location
of the op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from xdsl.dialects.builtin import UnrealizedConversionCastOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..dialects.diagnostics import CompileError, location_of

Values: TypeAlias = tuple[SSAValue, ...]
Operands: TypeAlias = tuple[Values, ...]
Results: TypeAlias = "SSAValue | Operation | Sequence[SSAValue | Sequence[SSAValue]] | None"
Converter: TypeAlias = "Callable[[Any, Operands, Rewriter], Results]"
Renaming: TypeAlias = type[Operation] | tuple[type[Operation], Mapping[str, Attribute]]
Verdict: TypeAlias = bool | Callable[[Any], bool]
OpT = TypeVar("OpT", bound=Operation)

DEPTH_LIMIT = 32  # converters that create illegal ops that create illegal ops …


class CannotConvert(Exception):
    """Raised by a converter or a type rule: the reason, for the error that lists all leftovers."""


# --- the three tables -----------------------------------------------------------------------------


TypeRule: TypeAlias = "Callable[[Any, Types], Attribute | Sequence[Attribute]]"
Types: TypeAlias = Callable[[Attribute], tuple[Attribute, ...]]


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


@dataclass(frozen=True)
class Legality:
    """What may stay: op class or dialect name to True, False or a predicate on the op.

    The class counts before its dialect, the dialect before `default`.
    """

    table: Mapping[str | type[Operation], Verdict]
    default: Verdict = False

    def of(self, op_class: type[Operation]) -> Verdict:
        """The verdict on a class of ops; a predicate is still to be asked about each op."""
        if op_class in self.table:
            return self.table[op_class]
        return self.table.get(op_class.name.partition(".")[0], self.default)


class Rules:
    """Converters by op class, filled by `@rules.converts(...)` and `rules.rename({...})`."""

    def __init__(self, *others: Rules) -> None:
        self.table: dict[type[Operation], Converter] = {}
        for other in others:
            self.table.update(other.table)

    def converts(self, *classes: type[Operation]) -> Callable[[Converter], Converter]:
        """Decorator: the function converts ops of these classes."""

        def register(converter: Converter) -> Converter:
            for op_class in classes:
                assert op_class not in self.table, f"two converters for {op_class.name}"
                self.table[op_class] = converter
            return converter

        return register

    def rename(self, mapping: Mapping[type[Operation], Renaming]) -> None:
        """Ops whose replacement has the same operands and results (in their new types)."""
        for source, renaming in mapping.items():
            if isinstance(renaming, tuple):
                self.converts(source)(_renamer(*renaming))
            else:
                self.converts(source)(_renamer(renaming, {}))

    def retype(self, *classes: type[Operation]) -> None:
        """Ops that stay what they are, with new types: rebuilt by `retyped`."""
        self.converts(*classes)(retyped)


def _renamer(target: type[Operation], properties: Mapping[str, Attribute]) -> Converter:
    def rename(op: Operation, operands: Operands, rw: Rewriter) -> Results:
        flat = [value for values in operands for value in values]
        return rw.create(target, flat, [rw.type(r.type) for r in op.results], properties=properties)

    return rename


def retyped(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Converter that builds `op` again with its new operands, result types and block arguments."""
    types = [rw.types(result.type) for result in op.results]
    new = rw.create(
        type(op),
        [value for values in operands for value in values],
        [type for group in types for type in group],
        properties=op.properties,
        attributes=op.attributes,
        successors=tuple(op.successors),
        regions=rw.take_regions(op),
    )
    results = iter(new.results)
    return [tuple(next(results) for _ in group) for group in types]


# --- what a converter works with ------------------------------------------------------------------


class Rewriter:
    """Builds new IR before the op being converted; all it makes carries that op's location.

    `state` is whatever the lowering passed to `convert` (the target's parameters, caches).
    """

    def __init__(self, types: TypeMap, state: Any) -> None:
        self.state: Any = state
        self.mapping: dict[int, Values] = {}  # by id: hashing a value runs Python code
        self.replaced: list[SSAValue] = []  # keeps the keys of `mapping` alive
        self.casts: list[UnrealizedConversionCastOp] = []
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
        self.casts.append(op)
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
        op = op_class.create(
            operands=operands,
            result_types=result_types,
            properties=properties,
            attributes=attributes,
            location=self._location,
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
        op = op_class.create(
            operands=operands, result_types=(type,), properties=properties, location=self._location
        )
        self._place(op)
        return op.results[0]

    def insert(self, op: OpT) -> OpT:
        """Puts an op made elsewhere at the insertion point; it and its body get the location."""
        for inner in op.walk():
            inner.location = self._location
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


# --- the driver -----------------------------------------------------------------------------------


def convert(
    root: Operation,
    rules: Rules,
    legality: Legality,
    types: TypeMap | None = None,
    goal: str = "the next level",
    state: Any = None,
) -> None:
    """Replaces all illegal ops inside `root`, in place; `goal` names the level for the message.

    Raises CompileError that lists everything which could not be converted, with the reasons.
    """
    run = _Run(rules, legality, Rewriter(types or TypeMap(), state))
    for region in root.regions:
        run.region(region)
    run.finish(goal)


class _Run:
    """One conversion under way."""

    def __init__(self, rules: Rules, legality: Legality, rw: Rewriter) -> None:
        self.rules = rules.table
        self.legality = legality
        self.rw = rw
        self.verdicts: dict[type[Operation], Verdict] = {UnrealizedConversionCastOp: True}
        self.errors: list[CompileError] = []

    def region(self, region: Region) -> None:
        block = region.first_block
        while block is not None:
            self.block(block)
            block = block.next_block

    def block(self, block: Block) -> None:
        op = block.first_op
        while op is not None:
            if self.is_legal(op):
                self.keep(op)
                op = op.next_op
                continue
            previous = op.prev_op
            if self.convert(op):  # go on with what was created in its place
                op = block.first_op if previous is None else previous.next_op
            else:
                self.keep(op)
                op = op.next_op

    def is_legal(self, op: Operation) -> bool:
        if self.rw.special and op in self.rw.special:
            return False
        verdict = self.verdicts.get(op.__class__)
        if verdict is None:
            verdict = self.verdicts[op.__class__] = self.legality.of(op.__class__)
        return verdict if isinstance(verdict, bool) else verdict(op)

    def keep(self, op: Operation) -> None:
        """An op that stays: operands as it knows them, then what is inside."""
        mapping = self.rw.mapping
        for index, operand in enumerate(op.operands):
            if id(operand) in mapping:
                self.rw.at(op)
                op.operands[index] = self.rw.old(operand)
        for region in op.regions:
            self.region(region)

    def convert(self, op: Operation) -> bool:
        rw = self.rw
        converter = rw.special.pop(op, None) if rw.special else None
        converter = converter or self.rules.get(op.__class__)
        if converter is None:
            return self.fail(op, f"no rule converts {op.name}")
        depth = rw.depth.get(op, 0)
        if depth > DEPTH_LIMIT:
            return self.fail(op, f"its conversion goes in circles ({DEPTH_LIMIT} steps deep)")
        rw.at(op)
        rw.created.clear()
        try:
            operands = tuple([rw.new(operand) for operand in op.operands])
            results = converter(op, operands, rw)
        except CannotConvert as reason:
            return self.fail(op, str(reason))
        except CompileError as error:
            self.errors.append(error)
            return False
        self.remember(op, results)
        for created in rw.created:
            if not self.is_legal(created):
                rw.depth[created] = depth + 1
        op.detach()
        op.drop_all_references()
        return True

    def fail(self, op: Operation, reason: str) -> bool:
        self.errors.append(CompileError(f"{op.name}: {reason}", location_of(op)))
        return False

    def remember(self, op: Operation, results: Results) -> None:
        """From now on the op's results stand for what its converter returned."""
        if results is None:
            groups: Sequence[SSAValue | Sequence[SSAValue]] = ()
        elif isinstance(results, SSAValue):
            groups = (results,)
        elif isinstance(results, Operation):
            groups = tuple(results.results)
        else:
            groups = results
        used = any(result.first_use is not None for result in op.results)
        assert len(groups) == len(op.results) or (not groups and not used), (
            f"the converter of {op.name} gave {len(groups)} results for {len(op.results)}"
        )
        for result, group in zip(op.results, groups, strict=False):
            self.rw.replace(result, group)

    def finish(self, goal: str) -> None:
        """Patches late uses, removes casts that meet their inverse, lists what is left."""
        for value in self.rw.replaced:
            for use in tuple(value.uses):
                self.rw.at(use.operation)
                use.operation.operands[use.index] = self.rw.old(value)
        left = reconcile_casts(self.rw.casts)
        if not self.errors:
            self.errors = [_cast_error(cast) for cast in left if not self.is_wanted(cast)]
        if self.errors:
            count = len(self.errors)
            what = "operation" if count == 1 else "operations"
            raise CompileError.collect(f"{count} {what} cannot be lowered to {goal}", self.errors)

    def is_wanted(self, cast: UnrealizedConversionCastOp) -> bool:
        """A partial conversion may leave casts, where its table says so."""
        verdict = self.legality.table.get(UnrealizedConversionCastOp, False)
        return verdict if isinstance(verdict, bool) else verdict(cast)


def _cast_error(cast: UnrealizedConversionCastOp) -> CompileError:
    old = ", ".join(str(operand.type) for operand in cast.operands)
    new = ", ".join(str(result.type) for result in cast.results)
    first = next((use.operation for result in cast.results for use in result.uses), cast)
    return CompileError(
        f"{first.name}: needs ({new}), but the value has become ({old})", location_of(first)
    )


def reconcile_casts(
    casts: Iterable[UnrealizedConversionCastOp],
) -> list[UnrealizedConversionCastOp]:
    """Removes casts (n values to m) that undo another cast, change nothing or are unused.

    Gives the casts that remain.
    """
    pending = [cast for cast in casts if cast.parent is not None]
    for cast in pending:
        source = _undone_values(cast)
        if source is not None:
            for result, value in zip(tuple(cast.results), source, strict=True):
                result.replace_all_uses_with(value)
    left: list[UnrealizedConversionCastOp] = []
    for cast in reversed(pending):  # users first, so that whole chains go
        if any(result.first_use is not None for result in cast.results):
            left.append(cast)
        else:
            cast.detach()
            cast.erase()
    left.reverse()
    return left


def _undone_values(cast: UnrealizedConversionCastOp) -> Sequence[SSAValue] | None:
    """The values that a cast gives back, if a chain of casts before it came from the same types."""
    wanted = [result.type for result in cast.results]
    values: Sequence[SSAValue] = tuple(cast.operands)
    while [value.type for value in values] != wanted:
        owner = values[0].owner if values else None
        if not isinstance(owner, UnrealizedConversionCastOp) or tuple(owner.results) != values:
            return None
        values = tuple(owner.operands)
    return values

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
from dataclasses import dataclass
from typing import Any, TypeAlias

from xdsl.dialects.builtin import UnrealizedConversionCastOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..dialects.diagnostics import CompileError, location_of
from .rewriter import (
    CannotConvert,
    Converter,
    Operands,
    Results,
    Rewriter,
    TypeMap,
    Types,
    Values,
)

__all__ = [
    "CannotConvert",
    "Converter",
    "Legality",
    "Operands",
    "Results",
    "Rewriter",
    "Rules",
    "TypeMap",
    "Types",
    "Values",
    "convert",
    "reconcile_casts",
    "retyped",
]

Renaming: TypeAlias = type[Operation] | tuple[type[Operation], Mapping[str, Attribute]]
Verdict: TypeAlias = bool | Callable[[Any], bool]

_CAST = UnrealizedConversionCastOp.name
DEPTH_LIMIT = 32  # converters that create illegal ops that create illegal ops …


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
    """Converters by op class, filled by `@rules.converts(...)` and `rules.rename({...})`.

    A class without one has that of the class it derives from. `on_demand` gives the rules of a
    dialect when the first of its ops is met, so that others do not wait for its import.
    """

    def __init__(self, *others: Rules, on_demand: Mapping[str, Callable[[], Rules]] = {}) -> None:
        self.table: dict[type[Operation], Converter] = {}
        self.on_demand: dict[str, Callable[[], Rules]] = {}
        for other in others:
            self.table.update(other.table)
            self.on_demand.update(other.on_demand)
        self.on_demand.update(on_demand)

    def find(self, op_class: type[Operation]) -> Converter | None:
        """The converter of a class of ops, which is looked for once."""
        dialect = op_class.name.partition(".")[0]
        if (load := self.on_demand.get(dialect)) is not None:
            self.table.update(load().table)
            self.on_demand.pop(dialect, None)  # only now: another thread may be here too
        known = next((cls for cls in op_class.__mro__ if cls in self.table), None)
        if known is None:
            return None
        self.table[op_class] = self.table[known]
        return self.table[known]

    def converts(self, *classes: type[Operation]) -> Callable[[Converter], Converter]:
        """Decorator: the function converts ops of these classes."""

        def register(converter: Converter) -> Converter:
            for op_class in classes:
                if op_class in self.table:
                    raise CompileError(f"there are two converters for {op_class.name}")
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
        self.rules = rules
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
        verdict = self.verdicts.get(op.__class__)
        if verdict is None:
            verdict = self.verdicts[op.__class__] = self.legality.of(op.__class__)
        legal = verdict if isinstance(verdict, bool) else verdict(op)
        return legal and op not in self.rw.special

    def keep(self, op: Operation) -> None:
        """An op that stays: operands as it knows them, then what is inside."""
        # An earlier lowering may have left it. (Whether another class is one is slow to ask.)
        if op.name == _CAST and isinstance(op, UnrealizedConversionCastOp):
            self.rw.casts[op] = None
        mapping = self.rw.mapping
        for index, operand in enumerate(op._operands):  # pyright: ignore[reportPrivateUsage]
            if id(operand) in mapping:
                self.rw.at(op)
                op.operands[index] = self.rw.old(operand)
        for region in op.regions:
            self.region(region)

    def convert(self, op: Operation) -> bool:
        rw = self.rw
        converter = rw.special.pop(op, None) if rw.special else None
        converter = converter or self.rules.table.get(op.__class__)
        converter = converter or self.rules.find(op.__class__)
        if converter is None:
            return self.fail(op, f"no rule converts {op.name}")
        depth = rw.depth.get(op, 0)
        if depth > DEPTH_LIMIT:
            return self.fail(op, f"its conversion goes in circles ({DEPTH_LIMIT} steps deep)")
        rw.at(op)
        rw.created.clear()
        try:
            given = op._operands  # pyright: ignore[reportPrivateUsage]  # no wrapper: a hot path
            operands = tuple([rw.new(operand) for operand in given])
            self.remember(op, converter(op, operands, rw))
        except CannotConvert as reason:
            return self.fail(op, str(reason))
        except CompileError as error:
            self.errors.append(error)
            return False
        except Exception as error:
            error.add_note(f"where {op.name} is converted, {location_of(op) or 'no place known'}")
            raise
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
        if len(groups) != len(op.results):
            used = any(result.first_use is not None for result in op.results)
            if groups or used:
                given, count = len(groups), len(op.results)
                raise CannotConvert(f"its converter gave {given} results, it has {count}")
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

"""canonicalize: simplify what is known, remove what nobody uses.

    %c2 = arith.constant 2 : i32
    %c3 = arith.constant 3 : i32
    %0 = arith.muli %c2, %c3 : i32                        %c6 = arith.constant 6 : i32
    %1 = arith.addi %0, %x : i32              becomes     %1 = arith.addi %x, %c6 : i32
    scf.if %true {                                        memref.store %1, %m[%i]
      memref.store %1, %m[%i]
    }

The rules are in `canonical_arith` and `canonical_structure`, one table by op class; other packages'
ops fold as they say (xDSL's `HasFolderInterface`). Ops are visited once in order; after a change
only what it touches is visited again. Dead code is what has no uses and at most reads or allocates
memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i1
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import (
    HasFolder,
    IsTerminator,
    MemoryAllocEffect,
    MemoryEffect,
    MemoryReadEffect,
    NoMemoryEffect,
    RecursiveMemoryEffect,
)

from ..dialects.diagnostics import CompileError, location_of
from ..dialects.making import make
from ..dialects.walking import ops_of
from .utils.canonical_structure import RULES

# xDSL forgot to say that these two are pure.
_PURE_ALL_THE_SAME = {"arith.extsi", "arith.remui"}
# Changes allowed per op of the module, far above what a terminating run needs.
_CHANGES_PER_OP = 200


@dataclass(frozen=True)
class Canonicalize(ModulePass):
    """Folds constants and identities, simplifies control flow, removes dead code."""

    name = "canonicalize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Simplifies `op` in place."""
        canonicalize(op)


def canonicalize(root: Operation) -> None:
    """Simplifies everything inside `root`, in place.

    Raises CompileError if the rules do not come to an end (a bug of a rule).
    """
    editor = Editor(root)
    editor.run()


class Editor:
    """The worklist, and what rules may do to the IR: everything touched is visited again."""

    def __init__(self, root: Operation) -> None:
        self.root = root
        inside = ops_of(root)[1:]
        self._stack: list[Operation] = inside[::-1]
        self._waiting: set[int] = {id(op) for op in inside}
        self._limit = _CHANGES_PER_OP * (len(inside) + 10)

    def run(self) -> None:
        """Visits ops until none is waiting."""
        changes = 0
        while self._stack:
            op = self._stack.pop()
            self._waiting.discard(id(op))
            if op.parent is None:
                continue  # removed in the meantime
            if self._visit(op):
                changes += 1
                if changes > self._limit:
                    raise CompileError(
                        f"canonicalize does not end: {changes} changes, the last at {op.name}",
                        location_of(op),
                        hint="this is a bug: two of its rules undo each other",
                    )

    def _visit(self, op: Operation) -> bool:
        if is_dead(op):
            self.erase(op)
            return True
        rule = RULES.get(op.__class__)
        if rule is None:
            return _has_folder(op.__class__) and self._fold(op)
        folded = rule(op, self)
        if folded is None:
            return False
        if isinstance(folded, bool):
            if op.parent is not None:
                self.push(op)
            return True
        if isinstance(folded, Attribute):
            folded = self.constant(op, folded, op.results[0].type)
        self.replace_op(op, (folded,))
        return True

    def _fold(self, op: Operation) -> bool:
        """What the op says of itself."""
        folder = op.get_trait(HasFolder)
        folded = folder.fold(op) if folder is not None else None
        if folded is None or any(value in op.results for value in folded):
            return False
        pairs = zip(folded, op.results, strict=True)
        values = [
            value if isinstance(value, SSAValue) else self.constant(op, value, result.type)
            for value, result in pairs
        ]
        self.replace_op(op, values)
        return True

    # What rules use

    def push(self, op: Operation) -> None:
        """Visit `op` (again)."""
        if id(op) not in self._waiting:
            self._waiting.add(id(op))
            self._stack.append(op)

    def push_makers(self, values: Iterable[SSAValue]) -> None:
        """Visit the ops that make these values: they may be dead now."""
        for value in values:
            if isinstance(value, OpResult):
                self.push(value.op)

    def constant(self, before: Operation, value: Attribute, type: Attribute) -> SSAValue:
        """A constant in front of an op."""
        op = make(arith.ConstantOp, (), (type,), {"value": value}, before.location)
        assert before.parent is not None, "the op was removed"
        before.parent.insert_op_before(op, before)
        return op.results[0]

    def negation(self, before: Operation, value: SSAValue) -> SSAValue:
        """The opposite of a truth value, computed in front of an op."""
        true = self.constant(before, IntegerAttr(-1, 1), i1)
        return self.truth(before, arith.XOrIOp, (value, true))

    def truth(
        self,
        before: Operation,
        op_class: type[Operation],
        operands: Sequence[SSAValue],
        properties: Mapping[str, Attribute] = {},
    ) -> SSAValue:
        """The truth value that a new op in front of another one computes."""
        new = make(op_class, operands, (i1,), properties, before.location)
        assert before.parent is not None, "the op was removed"
        before.parent.insert_op_before(new, before)
        self.push(new)
        return new.results[0]

    def replace(self, old: SSAValue, new: SSAValue) -> None:
        """Uses of `old` become uses of `new`; the users are visited again."""
        for use in old.uses:
            self.push(use.operation)
        old.replace_all_uses_with(new)

    def replace_op(self, op: Operation, values: Sequence[SSAValue]) -> None:
        """Replaces all results of an op and removes it."""
        for result, value in zip(op.results, values, strict=True):
            self.replace(result, value)
        self.erase(op)

    def erase(self, op: Operation) -> None:
        """Removes an op without uses, with everything in it; what it used may be dead then."""
        used = (
            op.operands if not op.regions else [v for inner in ops_of(op) for v in inner.operands]
        )
        makers = tuple(used)
        op.detach()
        op.erase()
        self.push_makers(makers)


@cache
def _has_folder(op_class: type[Operation]) -> bool:
    return op_class is not arith.ConstantOp and op_class.has_trait(HasFolder)


# --- dead code ------------------------------------------------------------------------------------

_REMOVABLE, _KEPT, _BY_CONTENTS = 0, 1, 2
# What ends a region without leaving anything else: no break, no return.
_FALL_OUT = {"scf.yield", "simt.yield"}
_kinds: dict[type[Operation], int] = {}


def is_dead(op: Operation) -> bool:
    """Whether nothing would notice if `op` were not there."""
    return all(result.first_use is None for result in op.results) and is_removable(op)


def is_removable(op: Operation) -> bool:
    """Whether `op` at most reads or allocates memory, always ends, and is no terminator."""
    kind = _kinds.get(op.__class__)
    if kind is None:
        kind = _kinds[op.__class__] = _removability(op.__class__)
    if kind == _BY_CONTENTS:
        return all(
            is_removable(inner) or inner.name in _FALL_OUT
            for region in op.regions
            for block in region.blocks
            for inner in block.ops
        )
    return kind == _REMOVABLE


def _removability(op_class: type[Operation]) -> int:
    if op_class.name in _PURE_ALL_THE_SAME:
        return _REMOVABLE
    effects = op_class.get_traits_of_type(MemoryEffect)
    if not effects or op_class.has_trait(IsTerminator) or op_class.name == "memref.global":
        return _KEPT
    harmless = (NoMemoryEffect, MemoryReadEffect, MemoryAllocEffect)
    if all(isinstance(effect, harmless) for effect in effects):
        return _REMOVABLE
    # A while loop may run for ever, and that is to be noticed.
    ends = op_class.name in ("scf.if", "scf.for", "scf.index_switch", "simt.if")
    if ends and all(isinstance(effect, RecursiveMemoryEffect) for effect in effects):
        return _BY_CONTENTS
    return _KEPT

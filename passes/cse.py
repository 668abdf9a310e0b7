"""cse: compute each pure value once.

    %0 = arith.addi %a, %b : index                        %0 = arith.addi %a, %b : index
    scf.if %c {                                           scf.if %c {
      %1 = arith.addi %a, %b : index        becomes         memref.store %v, %m[%0]
      memref.store %v, %m[%1]                             }
    }

An op is replaced by an equal one that dominates it: earlier in its block, in an enclosing one, or
in a dominating block. Only ops without memory effects qualify; loads, atomics, checks, prints and
whatever works across lanes are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region
from xdsl.passes import ModulePass
from xdsl.traits import IsolatedFromAbove, IsTerminator, MemoryEffect, NoMemoryEffect

from .analyses.dominance import dominator_tree

# xDSL forgot to say that these two are pure.
_PURE_ALL_THE_SAME = {"arith.extsi", "arith.remui"}


@dataclass(frozen=True)
class Cse(ModulePass):
    """Replaces pure ops by equal ones that dominate them."""

    name = "cse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Simplifies `op` in place."""
        eliminate_common_subexpressions(op)


def eliminate_common_subexpressions(root: Operation) -> None:
    """Replaces equal pure ops inside `root`, in place."""
    known: dict[Any, Operation] = {}
    for region in root.regions:
        _region(region, known)


def _region(region: Region, known: dict[Any, Operation]) -> None:
    first = region.first_block
    if first is None:
        return
    if first.next_block is None:
        _leave(known, _block(first, known))
        return
    children, _ = dominator_tree(region)  # dead blocks are left alone
    stack: list[Block | list[Any]] = [first]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            _leave(known, item)
            continue
        stack.append(_block(item, known))
        stack.extend(children.get(item, ()))


def _leave(known: dict[Any, Operation], added: list[Any]) -> None:
    """What a scope defined is not visible after it."""
    for key in added:
        del known[key]


def _block(block: Block, known: dict[Any, Operation]) -> list[Any]:
    """Goes through a block; gives the keys that it added."""
    added: list[Any] = []
    op = block.first_op
    while op is not None:
        following = op.next_op
        if op.regions:
            inner: dict[Any, Operation] = {} if _is_isolated(op.__class__) else known
            for region in op.regions:
                _region(region, inner)
        elif op.results and _is_pure(op.__class__):
            key = _key(op)
            equal = known.get(key)
            if equal is None:
                known[key] = op
                added.append(key)
            else:
                for old, new in zip(op.results, equal.results, strict=True):
                    old.replace_all_uses_with(new)
                op.detach()
                op.erase()
        op = following
    return added


def _key(op: Operation) -> Any:
    """What two ops must share to be equal; operands by identity."""
    return (
        op.__class__,
        tuple([id(operand) for operand in op._operands]),  # pyright: ignore[reportPrivateUsage]
        tuple(op.properties.items()),
        tuple(op.attributes.items()),
        tuple([result.type for result in op.results]),
    )


_pure: dict[type[Operation], bool] = {}
_isolated: dict[type[Operation], bool] = {}


def _is_pure(op_class: type[Operation]) -> bool:
    found = _pure.get(op_class)
    if found is None:
        effects = op_class.get_traits_of_type(MemoryEffect)
        free = bool(effects) and all(isinstance(effect, NoMemoryEffect) for effect in effects)
        pure = free or op_class.name in _PURE_ALL_THE_SAME
        found = _pure[op_class] = pure and not op_class.has_trait(IsTerminator)
    return found


def _is_isolated(op_class: type[Operation]) -> bool:
    found = _isolated.get(op_class)
    if found is None:
        found = _isolated[op_class] = op_class.has_trait(IsolatedFromAbove)
    return found

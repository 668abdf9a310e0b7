"""inline: the bodies of called helper functions take the place of the calls.

    func.func private @sq(%a: f32) -> f32 {    %r = arith.mulf %x, %x : f32
      %r = arith.mulf %a, %a : f32
      func.return %r : f32
    }
    %r = func.call @sq(%x) : (f32) -> f32

Helpers are structured by now: one block that ends in `func.return`. Their ops keep their own
locations, so that errors and debuggers show the helper's lines. Private functions that nothing
calls any more are removed. An array (`simt.shared`, `simt.local`) that a helper makes is one array
for each place that the helper is called from: two calls do not see each other's array.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import SymbolTable

from ..dialects import gpu
from ..dialects.diagnostics import CompileError, location_of
from ..dialects.walking import ops_of
from .utils.block_editing import erase, functions


@dataclass(frozen=True)
class Inline(ModulePass):
    """Replaces every `func.call` by the callee's body and removes unused private functions."""

    name = "inline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        inliner = _Inliner()
        everything = list(functions(op))
        for function in everything:
            if isinstance(function, func.FuncOp):
                inliner.callees[(id(_scope(function)), function.sym_name.data)] = function
        if not inliner.callees:
            return
        inliner.calls.update(
            (id(_scope(call)), call.callee.root_reference.data)
            for call in ops_of(op)
            if isinstance(call, func.CallOp)
        )
        for function in everything:
            inliner.visit(function)
        for function in everything:
            if isinstance(function, func.FuncOp) and _is_private(function):
                erase(function)


def _scope(op: Operation) -> Operation | None:
    """The symbol table that an op stands in."""
    parent = op.parent_op()
    while parent is not None and parent.get_trait(SymbolTable) is None:
        parent = parent.parent_op()
    return parent


def _is_private(function: func.FuncOp) -> bool:
    visibility = function.sym_visibility
    return isinstance(visibility, StringAttr) and visibility.data == "private"


@dataclass
class _Inliner:
    callees: dict[tuple[int, str], func.FuncOp] = field(
        default_factory=dict[tuple[int, str], func.FuncOp]
    )
    calls: Counter[tuple[int, str]] = field(default_factory=Counter[tuple[int, str]])
    done: set[int] = field(default_factory=set[int])
    path: list[func.FuncOp | gpu.FuncOp] = field(default_factory=list[func.FuncOp | gpu.FuncOp])

    def visit(self, function: func.FuncOp | gpu.FuncOp) -> None:
        """Inlines all calls in a function, those in its callees first."""
        if id(function) in self.done:
            return
        self.path.append(function)
        scope = _scope(function)
        assert scope is not None, "functions stand in a module"
        for region in function.regions:
            for block in region.blocks:
                self._visit_block(block, scope)
        self.path.pop()
        self.done.add(id(function))

    def _visit_block(self, block: Block, scope: Operation) -> None:
        op = block.first_op
        while op is not None:
            following = op.next_op
            if isinstance(op, func.CallOp):
                self._call(op, scope)
            for region in op.regions:
                for inner in region.blocks:
                    self._visit_block(inner, scope)
            op = following

    def _call(self, call: func.CallOp, scope: Operation) -> None:
        name = call.callee.root_reference.data
        callee = self.callees.get((id(scope), name))
        if callee is None:
            raise CompileError(f"no function is called @{name}", location_of(call))
        if callee in self.path:
            names = [f.sym_name.data for f in self.path[self.path.index(callee) :]]
            raise CompileError(
                f"recursive call: {' -> '.join([*names, name])}",
                location_of(call),
                hint="a kernel has no stack: write a loop instead",
            )
        self.visit(callee)
        only = self.calls[id(scope), name] == 1 and _is_private(callee)
        _inline(call, callee, only)


def _inline(call: func.CallOp, callee: func.FuncOp, only: bool) -> None:
    """Copies the callee's only block before the call, or moves it for the `only` call of it."""
    body, target = callee.body.block, call.parent
    assert target is not None, "a call stands in a block"
    end = body.last_op
    if not isinstance(end, func.ReturnOp):
        found = end.name if end is not None else "nothing"
        raise CompileError(
            f"@{callee.sym_name.data} ends in {found}, expected func.return",
            location_of(call),
            hint="run structure-early-exits first",
        )
    values: dict[SSAValue, SSAValue] = dict(zip(body.args, call.operands, strict=True))
    blocks: dict[Block, Block] = {}
    if only:
        for argument, value in values.items():
            argument.replace_all_uses_with(value)
    for op in list(body.ops):
        if op is end:
            continue
        if only:
            op.detach()
        target.insert_op_before(op if only else op.clone(values, blocks), call)
    for result, value in zip(call.results, end.operands, strict=True):
        result.replace_all_uses_with(values.get(value, value))
    erase(call)

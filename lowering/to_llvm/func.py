"""func to llvm: functions, calls, returns; and the undefined value of ub.

A kernel at the cpu level (`gpux.kernel`) has no result; its function gives an i32 instead, which
is 0, or 1 where a check failed. So does a part of one (`gpux.part`, see outline-cold-loops), and a
call of it that gives 1 ends the caller. A memref parameter becomes several parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects import func, ub
from xdsl.dialects.builtin import FunctionType, i32
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm, marks
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .scf import flat
from .target import State, const, enclosing_function, icmp

RULES = Rules()
converts = RULES.converts

_COLD = ("cold", "noinline", "minsize", "optsize")
# Code is generated in half the time, and twice as long, which is no matter for what only fails.
_ONLY_FAILS = ("cold", "noinline", "optnone")
_LIKELY = (1048575, 1)


def is_kernel(op: Operation) -> bool:
    """Whether a function is the kernel that runs a block."""
    return marks.KERNEL in op.attributes


def gives_status(op: Operation) -> bool:
    """Whether a function is a kernel or a part of one: it gives 1 where a check failed."""
    return marks.KERNEL in op.attributes or marks.PART in op.attributes


@converts(func.FuncOp)
def convert_function(op: func.FuncOp, operands: Operands, rw: Rewriter) -> Results:
    """The same function with LLVM's types."""
    kind: FunctionType = op.function_type
    if gives_status(op) and kind.outputs.data:
        raise CannotConvert("a kernel has no result")
    visibility = op.sym_visibility.data if op.sym_visibility is not None else "public"
    body = rw.take_region(op.body)
    made = llvm.FuncOp.define(
        op.sym_name.data,
        llvm.FunctionType(
            rw.flat_types(kind.inputs.data),
            i32 if gives_status(op) else packed_type(rw, kind.outputs.data),
        ),
        linkage="internal" if visibility == "private" and body.blocks else "external",
        passthrough=("nounwind", *_how_hot(op)),
        arg_attrs=_argument_attributes(op, rw),
        body=body,
    )
    kept = {name: value for name, value in op.attributes.items() if name.startswith("gpux.")}
    made.attributes.update(kept)
    made.location = op.location
    _place(rw, made)
    state: State = rw.state
    state.functions[made.symbol] = made
    return None


def _how_hot(op: func.FuncOp) -> tuple[str, ...]:
    """What LLVM is told of a part of a kernel."""
    if marks.PART not in op.attributes:
        return ()
    return _ONLY_FAILS if marks.AS_IS in op.attributes else _COLD


def _place(rw: Rewriter, op: Operation) -> None:
    """Puts the function before the old one; its body keeps its own locations."""
    old = rw.op
    assert old is not None and old.parent is not None, "a function stands in a module"
    old.parent.insert_op_before(op, old)
    rw.created.append(op)


def packed_type(rw: Rewriter, outputs: Sequence[Attribute]) -> Attribute | None:
    """The one result type of a function with these results: several are a struct."""
    types = rw.flat_types(outputs)
    if not types:
        return None
    return types[0] if len(types) == 1 else llvm.StructType(types)


def _argument_attributes(op: func.FuncOp, rw: Rewriter) -> list[Mapping[str, Attribute]]:
    """Attributes of LLVM on parameters; those of a memref go to its pointer."""
    given = op.arg_attrs
    if given is None:
        return []
    found: list[Mapping[str, Attribute]] = []
    for entry, kind in zip(given.data, op.function_type.inputs.data, strict=True):
        data: Mapping[str, Attribute] = entry.data
        own = {name: value for name, value in data.items() if name.startswith("llvm.")}
        found += [own, *({} for _ in rw.types(kind)[1:])]
    return found


@converts(func.ReturnOp)
def convert_return(op: func.ReturnOp, operands: Operands, rw: Rewriter) -> Results:
    """What a function gives: nothing, one value, or a struct; a kernel its status 0."""
    values = flat(operands)
    if gives_status(enclosing_function(op.parent_op())):
        values = [const(rw, 0, i32)]
    if len(values) > 1:
        kind = llvm.StructType([value.type for value in values])
        packed = rw.value(llvm.UndefOp, (), kind)
        for index, value in enumerate(values):
            position: Mapping[str, Attribute] = {"position": llvm.numbers([index], 64)}
            packed = rw.value(llvm.InsertValueOp, (packed, value), kind, position)
        values = [packed]
    rw.create(llvm.ReturnOp, values)
    return None


@converts(func.CallOp)
def convert_call(op: func.CallOp, operands: Operands, rw: Rewriter) -> Results:
    """A call; several results come back in a struct."""
    if marks.PART in op.attributes:
        return _call_part(op, operands, rw)
    groups = [rw.types(result.type) for result in op.results]
    types = [kind for group in groups for kind in group]
    name = op.callee.root_reference.data
    call = llvm.CallOp.to(name, flat(operands), [_packed(types)] if types else [])
    rw.insert(call)
    values: list[SSAValue] = list(call.results)
    if len(types) > 1:
        values = [
            rw.insert(llvm.ExtractValueOp.at(call.results[0], index)).results[0]
            for index in range(len(types))
        ]
    rest = iter(values)
    return [tuple(next(rest) for _ in group) for group in groups]


def _packed(types: Sequence[Attribute]) -> Attribute:
    return types[0] if len(types) == 1 else llvm.StructType(types)


@converts(ub.PoisonOp)
def convert_poison(op: ub.PoisonOp, operands: Operands, rw: Rewriter) -> Results:
    """A variable that was never set is 0: no program of ours has undefined behaviour."""
    return [tuple(rw.value(llvm.ZeroOp, (), kind) for kind in rw.types(op.results[0].type))]


@converts(ub.UnreachableOp)
def convert_unreachable(op: ub.UnreachableOp, operands: Operands, rw: Rewriter) -> Results:
    """A place that is never reached."""
    rw.create(llvm.UnreachableOp)
    return None


def _call_part(op: func.CallOp, operands: Operands, rw: Rewriter) -> Results:
    """A call of a part of the kernel; the kernel ends where the part did."""
    following = rw.split()
    failed = rw.new_block(before=following)
    call = llvm.CallOp.to(op.callee.root_reference.data, flat(operands), [i32])
    rw.insert(call)
    passed = icmp(rw, "eq", call.results[0], 0)
    rw.insert(llvm.CondBrOp.on(passed, (following, ()), (failed, ()), _LIKELY))
    rw.at_end(failed)
    rw.create(llvm.ReturnOp, (const(rw, 1, i32),))
    return None

"""Branches, calls, barriers and the end of threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import builtins
from .collective import warp_barrier
from .errors import PtxError, PtxSyntaxError, Trap
from .machine import REPICK, Warp
from .memory import Array
from .syntax import (
    BranchTargets,
    Function,
    Group,
    Instruction,
    Label,
    Operand,
    Register,
    Symbol,
    Variable,
)
from .values import (
    FUNCTION_BASE,
    Mask,
    Run,
    count_nonzero,
    reader,
    resolve,
    unknown,
    writer,
)

_MAX_DEPTH = 200
_CALL_WIDTH = 1 << 32


def _target(operand: Operand, instruction: Instruction) -> int:
    if isinstance(operand, Symbol):
        label = operand.scope.find(operand.name)
        if isinstance(label, Label):
            return instruction.function.base + label.index
        raise PtxSyntaxError(f"there is no label {operand.name}")
    raise PtxSyntaxError("expected a label")


def branch(instruction: Instruction) -> Run:
    """bra; the guard is read here, as the lanes that do not jump go on behind it"""
    target = _target(instruction.operands[0], instruction)
    guard = instruction.guard
    if guard is None:
        return lambda warp, mask: target
    read = reader(guard, "pred")
    after = instruction.pc + 1

    def run(warp: Warp, mask: Mask) -> int | None:
        jumping = mask & read(warp, mask)
        count = count_nonzero(jumping)
        if count == 0:
            return None
        if count == count_nonzero(mask):
            return target
        warp.keys[mask] = warp.key(after)
        warp.keys[jumping] = warp.key(target)
        return REPICK

    return run


def branch_indexed(instruction: Instruction) -> Run:
    """brx.idx"""
    index, table = instruction.operands
    assert isinstance(table, Symbol), "brx.idx has the name of a table"
    targets = table.scope.find(table.name)
    if not isinstance(targets, BranchTargets):
        raise PtxSyntaxError(f"there is no .branchtargets {table.name}")
    pcs = np.array([_target(Symbol(n, table.scope), instruction) for n in targets.names])
    read = reader(index, "u32")

    def run(warp: Warp, mask: Mask) -> int:
        chosen = read(warp, mask)[mask]
        if count_nonzero(chosen >= len(pcs)):
            raise PtxError(f"branch index beyond the {len(pcs)} targets")
        warp.keys[mask] = warp.key(0) + pcs[chosen]
        return REPICK

    return run


def leave(instruction: Instruction) -> Run:
    """exit"""

    def run(warp: Warp, mask: Mask) -> int:
        warp.alive &= ~mask
        return REPICK

    return run


def give_back(instruction: Instruction) -> Run:
    """ret: of a kernel, the end of the thread; of a function, on behind the call"""

    def run(warp: Warp, mask: Mask) -> int:
        if warp.depth == 0:
            warp.alive &= ~mask
            return REPICK
        callee = warp.frame(warp.function, warp.depth)
        pcs = warp.returns[warp.depth - 1]
        behind: list[int] = pcs[mask].tolist()
        for pc in sorted(set(behind)):
            lanes = mask & (pcs == pc)
            call = warp.launch.code[pc - 1].instruction
            caller = warp.frame(call.function, warp.depth - 1)
            names, _, _ = _call_operands(call)
            for name, formal in zip(names, warp.function.results, strict=True):
                _copy(warp, lanes, callee.offsets[formal], caller.offsets[resolve(name)], formal)
            warp.keys[lanes] = pc - (warp.depth - 1) * _CALL_WIDTH
        return REPICK

    return run


def _copy(warp: Warp, lanes: Mask, of: int, to: int, variable: Variable) -> None:
    local = warp.local
    data = local.views[1].reshape(local.rows, -1)
    data[lanes, to : to + variable.nbytes] = data[lanes, of : of + variable.nbytes]


def _call_operands(call: Instruction) -> tuple[list[Symbol], Operand, list[Operand]]:
    """Results, function and arguments of (results), function, (arguments), prototype."""
    operands = list(call.operands)
    results: list[Symbol] = []
    if isinstance(operands[0], Group):
        results = [item for item in operands[0].items if isinstance(item, Symbol)]
        operands = operands[1:]
    given = operands[1] if len(operands) > 1 else None
    return results, operands[0], list(given.items) if isinstance(given, Group) else []


def call(instruction: Instruction) -> Run:
    """call, of a function by name or by address"""
    results, function, arguments = _call_operands(instruction)
    names = [name for name in arguments if isinstance(name, Symbol)]
    if len(names) != len(arguments):
        raise unknown(instruction, "arguments must be .param variables")
    if isinstance(function, Register):
        return _call_indirect(instruction, function, names)
    assert isinstance(function, Symbol), "a call has a function"
    callee = resolve(function)
    if not isinstance(callee, Function):
        raise PtxSyntaxError(f"{function.name} is not a function")
    if callee.defined:
        return lambda warp, mask: _enter(warp, mask, callee, names, instruction)
    builtin = builtins.TABLE.get(callee.name)
    if builtin is None:
        raise PtxSyntaxError(f"function {callee.name} is declared but not defined")
    given, taken = [resolve(name) for name in names], [resolve(name) for name in results]

    def run(warp: Warp, mask: Mask) -> None:
        for lane in np.flatnonzero(mask).tolist():
            values = [_scalar(warp, lane, variable) for variable in given]
            result = builtin(warp, lane, values)
            for variable in taken:
                _set_scalar(warp, lane, variable, result)

    return run


def _scalar(warp: Warp, lane: int, variable: Variable | Function) -> int:
    assert isinstance(variable, Variable), "an argument is a variable"
    data = warp.local.views[1].reshape(warp.local.rows, -1)
    start = warp.offsets[variable]
    return int.from_bytes(data[lane, start : start + variable.nbytes].tobytes(), "little")


def _set_scalar(warp: Warp, lane: int, variable: Variable | Function, value: int) -> None:
    assert isinstance(variable, Variable), "a result is a variable"
    data = warp.local.views[1].reshape(warp.local.rows, -1)
    start, mask = warp.offsets[variable], (1 << (8 * variable.nbytes)) - 1
    raw = (value & mask).to_bytes(variable.nbytes, "little")
    data[lane, start : start + variable.nbytes] = np.frombuffer(raw, np.uint8)


def _enter(
    warp: Warp, mask: Mask, callee: Function, names: list[Symbol], instruction: Instruction
) -> int:
    """Starts a function one call deeper, with its parameters copied and its registers undefined."""
    depth = warp.depth + 1
    if depth > _MAX_DEPTH:
        raise PtxError(f"more than {_MAX_DEPTH} calls within each other")
    if len(names) != len(callee.parameters):
        raise PtxSyntaxError(f"{callee.name} takes {len(callee.parameters)} arguments")
    caller = warp.frame(instruction.function, warp.depth)
    frame = warp.frame(callee, depth)
    for cell in frame.registers:
        cell.forget(mask)
    for name, formal in zip(names, callee.parameters, strict=True):
        _copy(warp, mask, caller.offsets[resolve(name)], frame.offsets[formal], formal)
    while len(warp.returns) < depth:
        warp.returns.append(np.zeros(len(mask), np.int64))
    warp.returns[depth - 1][mask] = instruction.pc + 1
    warp.keys[mask] = callee.base - depth * _CALL_WIDTH
    return REPICK


def _call_indirect(instruction: Instruction, pointer: Register, names: list[Symbol]) -> Run:
    read = reader(pointer, "u64")

    def run(warp: Warp, mask: Mask) -> int:
        addresses: Array = read(warp, mask)
        for address in np.unique(addresses[mask]).tolist():
            pc = (address - FUNCTION_BASE) // 16
            callee = warp.launch.functions.get(pc)
            if callee is None or callee.base != pc:
                raise PtxError(f"{address:#x} is not the address of a function")
            _enter(warp, mask & (addresses == address), callee, names, instruction)
        return REPICK

    return run


def trap(instruction: Instruction) -> Run:
    """trap and brkpt"""

    def run(warp: Warp, mask: Mask) -> None:
        lane = int(np.flatnonzero(mask)[0])
        raise Trap(f"the kernel executed {instruction.opcode}", lane=lane)

    return run


def barrier(instruction: Instruction) -> Run:
    """bar and barrier: .sync, .arrive, .red and .warp.sync"""
    operands = list(instruction.operands)
    if instruction.has("warp"):
        return warp_barrier(operands[0])
    if instruction.has("red"):
        return _barrier_reduce(instruction)
    number = reader(operands[0], "u32")
    count = reader(operands[1], "u32") if len(operands) > 1 else None
    waits = not instruction.has("arrive")

    def run(warp: Warp, mask: Mask) -> int:
        lanes, ids = np.flatnonzero(mask), number(warp, mask)
        expected = int(count(warp, mask)[lanes[0]]) if count else None
        for each in np.unique(ids[mask]).tolist():
            chosen = mask & (ids == each)
            warp.block.arrive(each, expected, warp, chosen, instruction, waits=waits)
        return REPICK

    return run


def _barrier_reduce(instruction: Instruction) -> Run:
    """bar.red.popc.u32 d, id, count, p and bar.red.and.pred p, id, count, q"""
    target, number, *counts, source = instruction.operands
    name = next(m for m in instruction.modifiers if m in ("popc", "and", "or"))
    kind = "u32" if name == "popc" else "pred"
    write, read, identity = writer(target, kind), reader(source, "pred"), reader(number, "u32")
    count = reader(counts[0], "u32") if counts else None

    def run(warp: Warp, mask: Mask) -> int:
        lane = int(np.flatnonzero(mask)[0])
        expected = int(count(warp, mask)[lane]) if count else None
        positive = int(count_nonzero(mask & read(warp, mask)))
        cells, kept = warp.registers, mask.copy()

        def then(yes: int, arrived: int) -> None:
            now, warp.registers = warp.registers, cells
            result = {"popc": yes, "and": yes == arrived, "or": yes > 0}[name]
            write(warp, kept, np.full(len(kept), result, np.uint32))
            warp.registers = now

        each = int(identity(warp, mask)[lane])
        warp.block.arrive(each, expected, warp, mask, instruction, positive, then)
        return REPICK

    return run


_BARRIER = "warp|sync|arrive|red|aligned|cta|popc|and|or|all"
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "bra": (branch, "uni"), "brx": (branch_indexed, "idx|uni"), "exit": (leave, ""),
    "ret": (give_back, "uni"), "call": (call, "uni"), "trap": (trap, ""), "brkpt": (trap, ""),
    "bar": (barrier, _BARRIER), "barrier": (barrier, _BARRIER),
}  # fmt: skip
CONTROL = {"brx", "exit", "ret", "call", "bar", "barrier"}

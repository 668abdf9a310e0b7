"""Runs kernels of the gpu level and the functions that gpu-to-cpu makes of them, and compares.

Both are run by one small interpreter. A kernel's threads are Python generators that stop at
barriers and subgroup ops; the lowered function is a single one that never stops.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gpu_arith import COMBINE, NEUTRAL, dtype_of, evaluate
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import gpu
from stepwell.lowering.gpu_to_cpu.lower import GpuToCpu
from stepwell.lowering.levels import check_level
from stepwell.lowering.parse import make_context, parse_module
from stepwell.lowering.verify import verify

DYNAMIC = -(1 << 63)
Stop = tuple[str, Any, tuple[int, ...]]
Run = Generator[Stop, Any, list[Any]]


class CheckFailed(Exception):
    """A gpux.check that does not hold: kind, values, ids."""


def uninitialised(type_: Any, sizes: Sequence[int] = ()) -> np.ndarray[Any, Any]:
    """A new array with contents that nobody expects."""
    given = iter(sizes)
    shape = [next(given) if n == DYNAMIC else n for n in type_.get_shape()]
    return np.full(shape, 77).astype(dtype_of(type_.element_type))


class Thread:
    """Runs structured IR; stops (yields) at barriers and subgroup ops with its place in program."""

    def __init__(self, values: dict[SSAValue, Any], ids: dict[str, Sequence[int]]) -> None:
        self.values = values
        self.ids = ids

    def block(self, block: Block, place: tuple[int, ...]) -> Run:
        for index, op in enumerate(block.ops):
            here = (*place, index)
            if op.name in ("scf.yield", "scf.condition", "gpu.return", "func.return"):
                return self.get(op.operands)
            results = yield from self.op(op, here)
            for result, value in zip(op.results, results, strict=True):
                self.values[result] = value
        raise AssertionError("a block ends in a terminator")

    def get(self, values: Sequence[SSAValue]) -> list[Any]:
        return [self.values[value] for value in values]

    def op(self, op: Operation, here: tuple[int, ...]) -> Run:
        operands = self.get(op.operands)
        dialect, _, name = op.name.partition(".")
        if dialect == "scf":
            kinds = {"if": self.if_, "for": self.for_, "while": self.while_}
            return (yield from kinds.get(name, self.index_switch_)(op, operands, here))
        if op.name in ("gpu.barrier", "gpu.shuffle", "gpu.subgroup_reduce") or name in (
            *("subgroup_scan", "ballot"),
        ):
            return (yield (op.name, (op, operands), here))
        if dialect == "gpu":
            return [self.id(op, name)]
        if dialect == "gpux":
            return self.extension(op, name, operands)
        if dialect == "memref":
            return self.memory(op, name, operands)
        return [evaluate(op, operands)]

    def id(self, op: Any, name: str) -> int:
        return self.ids[name][op.axis if isinstance(op, gpu.DimensionOp) else 0]

    def if_(self, op: Operation, operands: list[Any], here: tuple[int, ...]) -> Run:
        region = op.regions[0 if operands[0] else 1]
        if not region.blocks:
            return []
        return (yield from self.block(region.block, (*here, 0 if operands[0] else 1)))

    def index_switch_(self, op: Any, operands: list[Any], here: tuple[int, ...]) -> Run:
        cases = list(op.cases.get_values())
        found = cases.index(operands[0]) + 1 if operands[0] in cases else 0
        # In program order the default comes last.
        place = found - 1 if found else len(cases)
        return (yield from self.block(op.regions[found].block, (*here, place)))

    def for_(self, op: Operation, operands: list[Any], here: tuple[int, ...]) -> Run:
        lower, upper, step, *carried = operands
        block = op.regions[0].block
        for count, index in enumerate(range(lower, upper, step)):
            self.values |= dict(zip(block.args, [index, *carried], strict=True))
            carried = yield from self.block(block, (*here, count))
        return carried

    def while_(self, op: Operation, operands: list[Any], here: tuple[int, ...]) -> Run:
        before, after = (region.block for region in op.regions)
        count = 0
        while True:
            self.values |= dict(zip(before.args, operands, strict=True))
            go_on, *passed = yield from self.block(before, (*here, count, 0))
            if not go_on:
                return passed
            self.values |= dict(zip(after.args, passed, strict=True))
            operands = yield from self.block(after, (*here, count, 1))
            count += 1

    def extension(self, op: Any, name: str, operands: list[Any]) -> list[Any]:
        if name == "check":
            if not operands[0]:
                raise CheckFailed(op.kind.data, tuple(self.get(op.values)), tuple(self.get(op.ids)))
            return []
        assert name == "atomic_rmw", f"the interpreter has no gpux.{name}"
        value, view, *indices = operands
        old = view[tuple(indices)]
        view[tuple(indices)] = COMBINE[op.kind.data](int(old), value)
        return [int(old)]

    def memory(self, op: Any, name: str, operands: list[Any]) -> list[Any]:
        if name == "load":
            value = operands[0][tuple(operands[1:])]
            return [value if value.dtype.kind == "f" else int(value)]
        if name == "store":
            operands[1][tuple(operands[2:])] = operands[0]
            return []
        if name == "dim":
            return [operands[0].shape[operands[1]]]
        if name == "alloca":
            return [uninitialised(op.memref.type, operands)]
        assert name == "subview", f"the interpreter has no memref.{name}"
        return [self.subview(op, operands)]

    def subview(self, op: Any, operands: list[Any]) -> Any:
        dynamic = iter(operands[1:])
        lists = [
            [next(dynamic) if n == DYNAMIC else n for n in given.get_values()]
            for given in (op.static_offsets, op.static_sizes, op.static_strides)
        ]
        parts = [slice(o, o + (n - 1) * s + 1, s) for o, n, s in zip(*lists, strict=True)]
        view = operands[0][tuple(parts)]
        rank = len(op.result.type.get_shape())
        return view.reshape(view.shape[view.ndim - rank :])


def run_block_of_threads(
    kernel: gpu.FuncOp,
    arguments: Sequence[Any],
    block_id: Sequence[int],
    size: Sequence[int],
    grid: Sequence[int],
    width: int,
) -> None:
    """What the kernel means: all threads of one block, each with values of its own."""
    shared = {value: uninitialised(value.type) for value in kernel.workgroup}
    over = kernel.attributes.get("gpux.over")
    threads: dict[int, Run] = {}
    total = size[0] * size[1] * size[2]
    for number in range(total):
        thread_id = (number % size[0], number // size[0] % size[1], number // size[0] // size[1])
        global_id = [b * n + t for b, n, t in zip(block_id, size, thread_id, strict=True)]
        if over is not None and any(
            place >= extent for place, extent in zip(global_id, arguments[-3:], strict=True)
        ):
            continue
        ids: dict[str, Sequence[int]] = {
            "thread_id": thread_id,
            "global_id": global_id,
            "block_id": block_id,
            "block_dim": size,
            "grid_dim": grid,
            "lane_id": [number % width],
            "subgroup_id": [number // width],
            "subgroup_size": [width],
            "num_subgroups": [-(-total // width)],
        }
        values = dict(zip(kernel.parameters, arguments, strict=True)) | shared
        threads[number] = Thread(values, ids).block(kernel.entry, ())
    schedule(threads, width)


def schedule(threads: dict[int, Run], width: int) -> None:
    """Run until all have ended. Of a subgroup the lanes that are least far go on, together."""
    waiting: dict[int, Stop] = {}

    def resume(number: int, value: Any) -> None:
        try:
            waiting[number] = threads[number].send(value)
        except StopIteration:
            waiting.pop(number, None)

    for number in threads:
        resume(number, None)
    while waiting:
        subgroups = {number // width for number in waiting}
        groups = [group for n in subgroups if (group := next_lanes(waiting, n, width))]
        for group in groups:
            results = collective({n % width: stop[1] for n, stop in group.items()}, width)
            for number in group:
                resume(number, results[number % width])
        if not groups:
            if len({stop[2] for stop in waiting.values()}) > 1 or len(waiting) < len(threads):
                raise CheckFailed("barrier", (), ())
            for number in list(waiting):
                resume(number, [])


def next_lanes(waiting: dict[int, Stop], subgroup: int, width: int) -> dict[int, Stop]:
    """The lanes that stand at the subgroup's first stop, unless that is a barrier."""
    lanes = {n: stop for n, stop in waiting.items() if n // width == subgroup}
    first = min(stop[2] for stop in lanes.values())
    return {n: s for n, s in lanes.items() if s[2] == first and s[0] != "gpu.barrier"}


def collective(lanes: dict[int, tuple[Any, list[Any]]], width: int) -> dict[int, list[Any]]:
    """The results of one subgroup op for each active lane."""
    op = next(iter(lanes.values()))[0]
    values = {lane: operands for lane, (_, operands) in sorted(lanes.items())}
    if op.name == "gpux.ballot":
        bits = sum(1 << n for n, (p,) in values.items() if p)
        return {lane: [bits] for lane in values}
    if op.name == "gpu.shuffle":
        return {lane: shuffled(op, lane, values) for lane in values}
    kind = COMBINE[op.op.data.value if op.name == "gpu.subgroup_reduce" else op.kind.data]
    so_far: Any = None
    results: dict[int, list[Any]] = {}
    for lane, (value,) in values.items():
        before, so_far = so_far, value if so_far is None else kind(so_far, value)
        if op.name == "gpux.subgroup_scan" and op.mode.data == "exclusive":
            results[lane] = [NEUTRAL[op.kind.data] if before is None else before]
        else:
            results[lane] = [so_far]
    return results if op.name == "gpux.subgroup_scan" else {lane: [so_far] for lane in values}


def shuffled(op: Any, lane: int, values: dict[int, list[Any]]) -> list[Any]:
    own, offset, width = values[lane]
    base, place = lane - lane % width, lane % width
    mode = op.mode.data.value
    places = {"xor": place ^ offset, "up": place - offset, "down": place + offset, "idx": offset}
    other = base + places[mode]
    if not 0 <= places[mode] < width or other not in values:
        return [own, 0]
    return [values[other][0], 1]


def run_lowered(
    function: func.FuncOp,
    arguments: Sequence[Any],
    block_id: Sequence[int],
    size: Sequence[int],
    grid: Sequence[int],
) -> None:
    """The lowered function, which runs the whole block."""
    given = [*arguments, *block_id, *size, *grid, 0, None]
    block = function.body.block
    thread = Thread(dict(zip(block.args, given, strict=True)), {})
    for _ in thread.block(block, ()):
        raise AssertionError("a lowered function never waits")


def parse(text: str) -> ModuleOp:
    """A verified module; GLOBAL, SHARED and PRIVATE stand for the address spaces."""
    for name, space in (("GLOBAL", "global"), ("SHARED", "workgroup"), ("PRIVATE", "private")):
        text = text.replace(name, f"#gpu.address_space<{space}>")
    module = parse_module(text, "kernel.mlir")
    verify(module)
    return module


def lower(text: str, width: int = 4) -> str:
    """The text of what gpu-to-cpu makes of a kernel."""
    module = parse(text)
    GpuToCpu(subgroup_size=width).apply(make_context(), module)
    return str(module)


def both(
    text: str,
    arguments: Sequence[Any],
    grid: Sequence[int] = (1, 1, 1),
    size: Sequence[int] = (8, 1, 1),
    width: int = 4,
    levels: str = "gpu cpu",
) -> list[Any]:
    """Run a kernel at both levels on copies of the arguments; gives them after the run."""
    outcomes: list[list[Any]] = []
    for level in levels.split():
        module = parse(text)
        copies = deepcopy(list(arguments))
        if level == "cpu":
            GpuToCpu(subgroup_size=width).apply(make_context(), module)
            verify(module)
            check_level(module, "cpu")
        run_grid(module, copies, grid, size, width)
        outcomes.append(copies)
    for expected, found in zip(outcomes[0], outcomes[-1], strict=True):
        np.testing.assert_array_equal(found, expected)
    return outcomes[0]


def run_grid(
    module: ModuleOp, copies: list[Any], grid: Sequence[int], size: Sequence[int], width: int
) -> None:
    (op,) = [op for op in module.walk() if isinstance(op, gpu.FuncOp | func.FuncOp)]
    for place in np.ndindex(*reversed(list(grid))):
        block_id = tuple(int(n) for n in reversed(place))
        if isinstance(op, gpu.FuncOp):
            run_block_of_threads(op, copies, block_id, size, grid, width)
        else:
            run_lowered(op, copies, block_id, size, grid)

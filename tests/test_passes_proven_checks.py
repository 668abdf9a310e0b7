"""No check that could fail is removed: random programs are run with all values small.

A check that fails when the program runs must be one of those that the pass left.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from checked_programs import INDEX_BITS, LIMIT, Failed, OutOfFuel, Run, Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, ModuleOp, i32
from xdsl.ir import Block, Operation

from stepwell.dialects import gpux, marks, simt
from stepwell.lowering.parse import parse_module
from stepwell.passes.analyses.asked_sizes import size_rows
from stepwell.passes.remove_proven_checks import RemoveProvenChecks
from stepwell.passes.utils.block_editing import functions


def names(kernel: Operation) -> set[str]:
    """The names of the checks in a kernel."""
    found: set[str] = set()
    for op in kernel.walk():
        if isinstance(op, simt.CheckIndexOp):
            found.add(op.view_name.data)
        elif isinstance(op, gpux.CheckOp):
            found.add(op.message.data)
    return found


def number_of_launch(run: Run, block: Block, parameter: int, axis: int) -> int:
    """What a term of `gpux.sizes` speaks of."""
    if parameter >= 0:
        argument = block.args[parameter]
        is_array = argument.type.name == "memref"
        return run.size(argument, axis) if is_array else run.values[argument]
    grid, threads = run.launch["gpu.grid_dim", axis], run.launch["gpu.block_dim", axis]
    return {marks.GRID_SIZE: grid, marks.BLOCK_SIZE: threads, marks.GRID_THREADS: grid * threads}[
        parameter
    ]


def make_sizes(run: Run, block: Block, rows: Sequence[tuple[int, ...]]) -> bool:
    """Make arrays as long as rows of `gpux.sizes` ask; whether they can be."""
    for _ in range(2 * len(rows) + 1):
        is_right = True
        for number, *terms in rows:
            parts = [terms[first : first + 5] for first in range(0, len(terms), 5)]
            above = number + sum(
                factor * ((number_of_launch(run, block, parameter, axis) + added) // divisor)
                for factor, parameter, axis, added, divisor in parts
            )
            if above <= 0:
                continue
            is_right = False
            longer = [part for part in parts if part[0] == -1 and part[3:] == [0, 1]]
            if not longer or block.args[longer[0][1]].type.name != "memref":
                return False
            key = block.args[longer[0][1]], longer[0][2]
            run.sizes[key] = run.size(*key) + above
            if run.sizes[key] > LIMIT:
                return False
        if is_right:
            return True
    return False  # each row asks for more than another gives


def check_seed(chance: random.Random) -> tuple[int, int, int]:
    """One program on several inputs: how many checks it has, and how many each way leaves."""
    original = parse_module(Writer(chance).kernel())
    original.verify()
    block = chance.choice([(), (1, 4, 1), (2, 2, 1), (4, 1, 1)])
    if block:
        kernel = next(functions(original))
        kernel.attributes["gpu.known_block_size"] = DenseArrayBase.from_list(i32, block)
    plain, asking = (check_removal(original, chance, block, ask) for ask in (False, True))
    return len(names(next(functions(original)))), plain, asking


def check_removal(
    original: ModuleOp, chance: random.Random, block: tuple[int, ...], ask: bool
) -> int:
    """None of the checks that the pass removes fails; how many are left.

    With `ask` a launch is held to sizes that the pass asks for.
    """
    module = original.clone()
    changed, kernel = next(functions(module)), next(functions(original))
    if ask:
        changed.attributes[marks.SIZES] = ArrayAttr([])
    RemoveProvenChecks(INDEX_BITS).apply(Context(), module)
    left, rows = names(module), size_rows(changed)
    failed: set[str] = set()
    for _ in range(12):
        run = Run(chance, block)
        run.arguments(kernel.body.block)
        if not make_sizes(run, kernel.body.block, rows):
            continue
        try:
            run.block(kernel.body.block)
        except Failed as failure:
            failed.add(str(failure))
        except OutOfFuel:
            continue
    assert failed <= left, f"{failed - left} were removed (ask={ask}) and fail in\n{original}"
    return len(left)


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_removed_check_never_fails(chance: random.Random):
    check_seed(chance)


def test_many_checks_of_random_programs_are_removed_and_more_where_sizes_may_be_asked():
    counts = [check_seed(random.Random(seed)) for seed in range(25)]
    checks, plain, asking = (sum(column) for column in zip(*counts, strict=True))
    assert plain < 0.8 * checks
    assert asking < 0.9 * plain

"""Threads whose checks are taken away never fail one: random loops over threads, all values small.

Each thread of the split loop has to end as it does in the loop as it was: by the same check, or by
none. That holds whatever wraps round.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TypeVar

from checked_programs import INDEX_BITS, VIEW, Failed, OutOfFuel, Run, Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import func, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import gpux
from stepwell.lowering.parse import parse_module
from stepwell.lowering.verify import verify
from stepwell.passes.split_checked_loops import SplitCheckedLoops
from stepwell.passes.utils.block_editing import functions

LAUNCH = [f"%{size}_{axis}" for size in ("bid", "bdim", "gdim") for axis in "xyz"]


class LoopWriter(Writer):
    """Writes a random loop over the threads of a block, as at level cpu."""

    most, nesting, kinds = 2, 0.7, ("loop", "loop", "guard")
    """Statements beside each other; how likely one has others in it, and which."""

    def define_launch(self) -> None:
        axis = self.chance.choice("xy")
        here = self.define("index", f"arith.muli %bid_{axis}, %bdim_{axis} : index")
        self.define("index", f"arith.addi {here}, %t : index")

    def number(self) -> str:
        """A value of the launch, or a loop's index."""
        if self.chance.random() < 0.2:
            return self.size()
        return self.chance.choice(["%t", "%m", *self.indices[-2:], *self.indices[-2:]])

    def size(self) -> str:
        view, axis = self.chance.choice(["%x", "%y"]), self.chance.choice(["%c0", "%c1"])
        return self.define("index", f"memref.dim {view}, {axis} : {VIEW}")

    def small(self) -> str:
        number = self.chance.choice([0, 1, 1, 2, 2, 3, 5, -1, -2])
        return self.define("index", f"arith.constant {number} : index")

    def index(self, depth: int = 0) -> str:
        """Something like an index: a few numbers, added, multiplied, divided."""
        kind = self.chance.random()
        if depth == 3 or kind < 0.3:
            return self.number()
        if kind < 0.5:
            self.define_binary()
            return self.scopes[-1]["index"][-1] if self.scopes[-1]["index"] else self.number()
        if kind < 0.6:
            narrow = self.define("i7", f"arith.index_cast {self.index(depth + 1)} : index to i7")
            self.define("i7", f"arith.addi {narrow}, {self.chance.choice(['%l', narrow])} : i7")
            return self.define(
                "index", f"arith.index_cast {self.scopes[-1]['i7'][-1]} : i7 to index"
            )
        name = self.chance.choice(
            ["addi", "addi", "addi", "subi", "muli", "minsi", "maxsi", "divsi", "remsi", "shrui"]
        )
        other = self.small() if self.chance.random() < 0.5 else self.index(depth + 1)
        if name in ("divsi", "remsi", "shrui"):
            other = self.define("index", f"arith.constant {self.chance.choice([1, 2, 3])} : index")
        return self.define("index", f"arith.{name} {self.index(depth + 1)}, {other} : index")

    def check(self) -> None:
        """A check that an index is in bounds."""
        index, size = self.index(), self.size()
        condition = self.define("i1", f"arith.cmpi ult, {index}, {size} : index")
        self.count += 1
        types = ", ".join(["index"] * 6)
        ids = f"ids (%bid_x, %bid_y, %bid_z, %t, %c0, %c0 : {types})"
        self.lines.append(f'gpux.check {condition}, "bounds", "c{self.count}" {ids} formats []')

    def loop(self) -> None:
        self.count += 1
        index = f"%v{self.count}"
        low = self.chance.choice(["%c0", "%c0", "%t", self.small(), self.number()])
        high = self.chance.choice(["%c3", self.size(), self.size(), self.index()])
        step = self.define("index", f"arith.constant {self.chance.choice([1, 1, 2, 5])} : index")
        self.indices.append(index)
        self.region(f"scf.for {index} = {low} to {high} step {step} {{", [index])
        self.indices.pop()

    def guard(self) -> None:
        predicate, end = self.chance.choice(["slt", "sle", "sge"]), self.size()
        inside = self.define("i1", f"arith.cmpi {predicate}, {self.index()}, {end} : index")
        self.region(f"scf.if {inside} {{")

    def statements(self) -> None:
        for _ in range(self.chance.randint(1, self.most)):
            if len(self.scopes) < 4 and self.chance.random() < self.nesting:
                getattr(self, self.chance.choice(self.kinds))()
            else:
                self.check()

    def kernel(self) -> str:
        self.indices: list[str] = []
        self.define_launch()
        self.indices.append(self.scopes[-1]["index"][-1])
        self.statements()
        body = "\n".join(self.lines)
        arguments = ", ".join(f"{name}: index" for name in (*LAUNCH, "%bytes"))
        count = self.chance.choice(["%bdim_x", "%bdim_x", "%c3", "%c6", "%m"])
        return f"""
func.func @kernel(%x: {VIEW}, %y: {VIEW}, %m: index, %k: i5, %l: i7, %p: i1, {arguments},
    %report: index) attributes {{gpux.kernel}} {{
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c3 = arith.constant 3 : index
%c6 = arith.constant 6 : index
scf.for %t = %c0 to {count} step %c1 {{
{body}
}} {{row}}
func.return
}}"""


class BranchWriter(LoopWriter):
    """Branches beside each other, one inside the other: of the launch, of few threads, of many."""

    most, nesting, kinds = 3, 0.6, ("loop", "guard", "guard")

    def index(self, depth: int = 0) -> str:
        if self.chance.random() < 0.2:
            return super().index(depth)
        base, name = self.chance.choice([*self.indices, "%t"]), self.chance.choice(["addi", "subi"])
        return self.define("index", f"arith.{name} {base}, {self.small()} : index")

    def condition(self) -> str:
        predicate = self.chance.choice(["slt", "sle", "sge", "sgt", "eq"])
        kind = self.chance.random()
        if kind < 0.4:
            sides = ["%m", self.small()]
        elif kind < 0.8:
            sides = ["%t", self.small()]
        else:
            sides = [self.number(), self.size()]
        if self.chance.random() < 0.3:
            sides.reverse()
        return self.define("i1", f"arith.cmpi {predicate}, {', '.join(sides)} : index")

    def guard(self) -> None:
        condition = self.condition()
        if self.chance.random() < 0.3:
            condition = self.define("i1", f"arith.andi {condition}, {self.condition()} : i1")
        self.region(f"scf.if {condition} {{")
        if self.chance.random() < 0.4:
            self.lines.pop()
            self.region("} else {")


class NeighbourWriter(LoopWriter):
    """Checks of indices that differ by numbers: of the block's threads, and of what may wrap."""

    def index(self, depth: int = 0) -> str:
        wrapping = self.define("index", "arith.addi %m, %t : index")
        base = self.chance.choice([*self.indices, wrapping])
        name = self.chance.choice(["addi", "subi"])
        return self.define("index", f"arith.{name} {base}, {self.small()} : index")

    def statements(self) -> None:
        for _ in range(self.chance.randint(2, 4)):
            self.check()


class ThreadRun(Run):
    """Runs a block's threads, each to its end; `ends` says by which check, or by none.

    `checks` are those that were made.
    """

    def __init__(self, chance: random.Random):
        super().__init__(chance)
        self.ends: dict[int, str] = {}
        self.checks = 0

    def start(self, kernel: Operation) -> None:
        assert isinstance(kernel, func.FuncOp)
        self.arguments(kernel.body.block)
        for argument in kernel.body.block.args:
            name, _, axis = (argument.name_hint or "").partition("_")
            kind = {"bid": "block_id", "bdim": "block_dim", "gdim": "grid_dim"}.get(name)
            if kind is not None:
                place = f"gpu.{kind}", "xyz".index(axis)
                self.values[argument] = self.launch.get(place, int(name != "bid"))
            elif name in "mkl" and self.chance.random() < 0.5:
                self.values[argument] = self.chance.randint(0, 5)

    def like(self, other: ThreadRun, block: Block, others: Block) -> None:
        """The same arguments and sizes as another run, of another copy of the kernel."""
        pairs: dict[SSAValue, SSAValue] = dict(zip(others.args, block.args, strict=True))
        self.values = {pairs[value]: other.values[value] for value in pairs}
        self.sizes = {(pairs[view], axis): size for (view, axis), size in other.sizes.items()}

    def run_for(self, op: scf.ForOp, low: int, high: int, step: int, *rest: int) -> tuple[int, ...]:
        if "row" not in op.attributes:
            return super().run_for(op, low, high, step, *rest)
        for thread in range(low, high):
            assert thread not in self.ends, "a thread ran twice"
            self.values[op.body.block.args[0]] = thread
            self.ends[thread] = ""
            try:
                self.block(op.body.block)
            except Failed as failure:
                self.ends[thread] = str(failure)
        return ()

    def run_check(self, op: gpux.CheckOp, condition: int, *_: int) -> tuple[()]:
        self.checks += 1
        return super().run_check(op, condition)


Before = TypeVar("Before", bound=ThreadRun)
After = TypeVar("After", bound=ThreadRun)


def runs_of_both(
    chance: random.Random,
    original: ModuleOp,
    changed: ModuleOp,
    run_original: Callable[[random.Random], Before],
    run_changed: Callable[[random.Random], After],
) -> Iterator[tuple[Before, After]]:
    """A kernel and what a pass made of it, run on several inputs: all threads end alike."""
    verify(changed)
    kernel, other = next(functions(original)), next(functions(changed))
    for _ in range(8):
        before, after = run_original(chance), run_changed(chance)
        before.start(kernel)
        for view in kernel.body.block.args[:2]:
            before.sizes |= {(view, axis): before.size(view, axis) for axis in range(2)}
        after.like(before, other.body.block, kernel.body.block)
        try:
            before.block(kernel.body.block)
            after.block(other.body.block)
        except OutOfFuel:
            continue
        assert after.ends == before.ends, f"{before.ends} became {after.ends} in\n{original}"
        yield before, after


def check_loop(chance: random.Random, writer: type[LoopWriter] = LoopWriter) -> tuple[int, int]:
    """One program on several inputs; checks that its threads made, and that they make now."""
    text = writer(chance).kernel()
    original = parse_module(text)
    module = original.clone()
    SplitCheckedLoops(INDEX_BITS).apply(Context(), module)
    checks = left = 0
    for before, after in runs_of_both(chance, original, module, ThreadRun, ThreadRun):
        checks += before.checks
        left += after.checks
    return checks, left


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_thread_ends_as_it_did(chance: random.Random):
    check_loop(chance)


@settings(max_examples=120, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_thread_ends_as_it_did_behind_branches(chance: random.Random):
    check_loop(chance, BranchWriter)


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False))
def test_limits_that_make_others_needless_do_so_whatever_wraps(chance: random.Random):
    check_loop(chance, NeighbourWriter)


def test_threads_of_random_loops_make_fewer_checks():
    counts = [check_loop(random.Random(seed)) for seed in range(25)]
    checks, left = (sum(column) for column in zip(*counts, strict=True))
    assert left < 0.8 * checks

"""Checks that a block makes once for all its threads: random nests of loops, all values small.

Each thread has to end as it does in the nest as it was: by the same check, or by none. That holds
whatever wraps round.
"""

from __future__ import annotations

import random

from checked_programs import INDEX_BITS, VIEW
from hypothesis import given, settings
from hypothesis import strategies as st
from test_passes_split_checks import LAUNCH, LoopWriter, ThreadRun, runs_of_both
from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.ir import Operation

from stepwell.dialects.marks import COLD, ROWS
from stepwell.lowering.parse import parse_module
from stepwell.passes.hoist_block_checks import HoistBlockChecks


class NestWriter(LoopWriter):
    """Writes a random nest of loops over the threads of a block, as at level cpu."""

    def define_launch(self) -> None:
        """Offsets of a thread, most of them some multiples of its ids."""
        for thread in ("%t", "%ty"):
            number = self.chance.choice([1, 1, 2, 4, 64, -1])
            times = self.define("index", f"arith.constant {number} : index")
            scaled = self.define("index", f"arith.muli {thread}, {times} : index")
            base = self.chance.choice(["%c0", "%c0", "%c1", "%m"])
            self.indices.append(self.define("index", f"arith.addi {scaled}, {base} : index"))
        both = self.define("index", f"arith.addi {self.indices[0]}, {self.indices[1]} : index")
        self.indices.append(both)

    def index(self, depth: int = 0) -> str:
        if depth == 0 and self.chance.random() < 0.7:
            return self.chance.choice(self.indices)
        return super().index(depth)

    def kernel(self) -> str:
        self.indices: list[str] = []
        self.define_launch()
        for _ in range(2):
            self.check()
        self.statements()
        body = "\n".join(self.lines)
        arguments = ", ".join(f"{name}: index" for name in (*LAUNCH, "%bytes"))
        rows, row = (self.chance.choice(["%c1", "%c3", "%c5"]) for _ in range(2))
        return f"""
func.func @kernel(%x: {VIEW}, %y: {VIEW}, %m: index, %k: i5, %l: i7, %p: i1, {arguments},
    %report: index) attributes {{gpux.kernel}} {{
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c3 = arith.constant 3 : index
%c5 = arith.constant 5 : index
scf.for %ty = %c0 to {rows} step %c1 {{
scf.for %t = %c0 to {row} step %c1 {{
{body}
}} {{row}}
}} {{gpux.rows}}
func.return
}}""".replace("%t, %c0, %c0 : index", "%t, %ty, %c0 : index")


class PitchWriter(NestWriter):
    """Rows of threads that lie a number apart which the launch gives, of either sign."""

    def define_launch(self) -> None:
        apart = self.define("index", "arith.index_cast %k : i5 to index")
        row = self.define("index", f"arith.muli %ty, {apart} : index")
        first = self.define("index", f"arith.addi {row}, %m : index")
        name = self.chance.choice(["addi", "subi"])
        self.indices.append(self.define("index", f"arith.{name} {first}, %t : index"))

    def index(self, depth: int = 0) -> str:
        return self.indices[0] if depth == 0 else super().index(depth)


class NestRun(ThreadRun):
    """`ends` has the threads of all rows, one after the other."""

    def run_for(self, op: scf.ForOp, low: int, high: int, step: int, *rest: int) -> tuple[int, ...]:
        if ROWS not in op.attributes:
            return super().run_for(op, low, high, step, *rest)
        ends: dict[int, str] = {}
        for row in range(low, high):
            self.values[op.body.block.args[0]] = row
            self.ends = {}
            self.block(op.body.block)
            ends |= {row * 256 + thread: end for thread, end in self.ends.items()}
        self.ends = ends
        return ()


class Chosen(NestRun):
    """Says which of two copies of a nest ran."""

    fast = False

    def run_for(self, op: scf.ForOp, low: int, high: int, step: int, *rest: int) -> tuple[int, ...]:
        if ROWS in op.attributes:
            self.fast = COLD not in op.attributes
        return super().run_for(op, low, high, step, *rest)


def check_nest(chance: random.Random, writer: type[NestWriter] = NestWriter) -> tuple[int, int]:
    """One program on several inputs: how often its checks were moved, and how often all held."""
    original = parse_module(writer(chance).kernel())
    module = original.clone()
    HoistBlockChecks(INDEX_BITS).apply(Context(), module)
    moved = fast = 0
    for _, after in runs_of_both(chance, original, module, NestRun, Chosen):
        if is_changed(module):
            moved, fast = moved + 1, fast + after.fast
    return moved, fast


def is_changed(kernel: Operation) -> bool:
    return any(COLD in op.attributes for op in kernel.walk())


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_thread_ends_as_it_did(chance: random.Random):
    check_nest(chance)


def test_checks_of_many_random_nests_hold_for_all_threads():
    moved = fast = 0
    for seed in range(40):
        ran, spared = check_nest(random.Random(seed))
        moved, fast = moved + ran, fast + spared
    assert moved > 100
    assert fast > 0.1 * moved


def test_rows_whose_distance_only_the_launch_knows():
    moved = fast = 0
    for seed in range(60):
        ran, spared = check_nest(random.Random(seed), PitchWriter)
        moved, fast = moved + ran, fast + spared
    assert moved > 100
    assert fast > 0.05 * moved

"""Guards that become bounds of loops let the same threads through: random nests of loops."""

from __future__ import annotations

import random

from checked_programs import INDEX_BITS, VIEW
from test_passes_hoist_checks import NestRun
from test_passes_split_checks import LAUNCH, LoopWriter, runs_of_both
from xdsl.context import Context
from xdsl.dialects import scf

from stepwell.lowering.parse import parse_module
from stepwell.passes.bound_by_guards import BoundByGuards


class GuardWriter(LoopWriter):
    """Writes two loops over threads around a guard, behind which every thread fails a check, and
    sometimes another one else."""

    def part(self) -> str:
        """A comparison of an id, or of none, with something that is no id, or is."""
        place = self.chance.choice(["%t", "%t", "%ty", "%ty", "%c1"])
        name = self.chance.choice(["addi", "addi", "subi"])
        operands = [place, self.chance.choice(["%c0", "%c1", "%c3"])]
        if name == "subi" and self.chance.random() < 0.5:
            operands.reverse()
        value = self.define("index", f"arith.{name} {', '.join(operands)} : index")
        sides = [value, self.chance.choice(["%c0", "%c3", self.size(), self.size(), "%ty"])]
        self.chance.shuffle(sides)
        predicate = self.chance.choice(["slt", "sle", "sgt", "sge", "slt", "eq"])
        return self.define("i1", f"arith.cmpi {predicate}, {', '.join(sides)} : index")

    def kernel(self) -> str:
        guard = self.part()
        for _ in range(self.chance.randint(0, 3)):
            guard = self.define("i1", f"arith.andi {guard}, {self.part()} : i1")
        body = "\n".join(self.lines)
        arguments = ", ".join(f"{name}: index" for name in (*LAUNCH, "%bytes"))
        rows, row = self.chance.choice(["%c1", "%c3", "%c5", "%bdim_y"]), "%bdim_x"
        other = self.chance.random() < 0.3
        ids = f"ids (%c0, %c0, %c0, %t, %ty, %c0 : {', '.join(['index'] * 6)})"
        return f"""
func.func @kernel(%x: {VIEW}, %y: {VIEW}, %m: index, %k: i5, %l: i7, %p: i1, {arguments},
    %report: index) attributes {{gpux.kernel}} {{
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c3 = arith.constant 3 : index
%c5 = arith.constant 5 : index
%no = arith.constant false
scf.for %ty = %c0 to {rows} step %c1 {{
scf.for %t = %c0 to {row} step %c1 {{
{body}
scf.if {guard} {{
gpux.check %no, "bounds", "in" {ids} formats []
}} {"else {" if other else ""}
{f'gpux.check %no, "bounds", "out" {ids} formats []' if other else ""}
{"}" if other else ""}
}} {{row, gpux.threads}}
}} {{rows, gpux.rows}}
func.return
}}"""


class Passed(NestRun):
    """`ends` has only the threads that failed."""

    def run_for(self, op: scf.ForOp, low: int, high: int, step: int, *rest: int) -> tuple[int, ...]:
        done = super().run_for(op, low, high, step, *rest)
        self.ends = {thread: end for thread, end in self.ends.items() if end}
        return done


def test_the_same_threads_run():
    bounded = some = chosen = 0
    for seed in range(250):
        chance = random.Random(seed)
        original = parse_module(GuardWriter(chance).kernel())
        module = original.clone()
        BoundByGuards(INDEX_BITS).apply(Context(), module)
        is_bounded = not any(isinstance(op, scf.IfOp) for op in module.walk())
        for before, _ in runs_of_both(chance, original, module, Passed, Passed):
            bounded += is_bounded
            some += is_bounded and len(before.ends) > 0
            chosen += sum(isinstance(op, scf.ForOp) for op in module.walk()) > 2
    assert chosen > 20
    assert bounded > 500
    assert some > 100

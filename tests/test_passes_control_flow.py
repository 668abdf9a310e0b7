"""Random control flow means the same before and after it is structured and promoted.

A small interpreter runs the simt function as it is, then what the passes make of it; the printed
values and the results must be equal.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import arith, func, scf
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import gpux, simt
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.parse import parse_module, print_module
from stepwell.lowering.pipeline import Pipeline

FUEL = 3000


class OutOfFuel(Exception):
    """The program runs too long to be of use."""


class Exit(Exception):
    """An early exit on its way to where it goes."""

    def __init__(self, kind: str, values: tuple[int, ...] = ()):
        super().__init__(kind)
        self.kind = kind
        self.values = values


class Interpreter:
    """Runs one function of i32 and i1 values."""

    def __init__(self, fuel: int):
        self.values: dict[SSAValue, Any] = {}
        self.cells: dict[SSAValue, int] = {}
        self.printed: list[tuple[str, tuple[int, ...]]] = []
        self.fuel = fuel

    def call(self, function: func.FuncOp, arguments: list[int]) -> tuple[int, ...]:
        block = function.body.block
        self.values |= dict(zip(block.args, arguments, strict=True))
        try:
            return self.block(block)
        except Exit as exit_:
            if exit_.kind != "return":
                raise
            return exit_.values

    def block(self, block: Block) -> tuple[Any, ...]:
        """Runs a block; what its terminator passes on."""
        for op in block.ops:
            self.fuel -= 1
            if self.fuel < 0:
                raise OutOfFuel
            if isinstance(op, simt.BreakOp | simt.ContinueOp):
                raise Exit(op.name.removeprefix("simt."))
            values = tuple(self.values[v] for v in op.operands if v in self.values)
            if isinstance(op, simt.ReturnOp):
                raise Exit("return", values)
            if op.next_op is None:
                return values
            self.op(op, values)
        raise AssertionError("a block ends in a terminator")

    def op(self, op: Operation, values: tuple[Any, ...]) -> None:
        run = getattr(self, "run_" + op.name.replace(".", "_"))
        results: Any = run(op, *values)
        if not op.results:
            return
        if not isinstance(results, tuple):
            results = (results,)
        for result, value in zip(op.results, cast("tuple[Any, ...]", results), strict=True):
            self.values[result] = value

    def run_simt_cell(self, op: simt.CellOp) -> int:
        self.cells[op.cell] = 0
        return 0

    def run_simt_get(self, op: simt.GetOp, _: int) -> int:
        return self.cells[op.cell]

    def run_simt_set(self, op: simt.SetOp, value: int, _: int) -> None:
        self.cells[op.cell] = value

    def run_arith_constant(self, op: arith.ConstantOp) -> int:
        attribute = op.value
        assert isinstance(attribute, IntegerAttr)
        return attribute.value.data & 1 if op.result.type.bitwidth == 1 else attribute.value.data  # pyright: ignore

    def run_arith_addi(self, op: Operation, a: int, b: int) -> int:
        half = 2 ** (63 if op.results[0].type == i64 else 31)
        return (a + b + half) % (2 * half) - half

    def run_arith_extsi(self, op: Operation, a: int) -> int:
        return a

    run_arith_trunci = run_arith_extsi

    def run_arith_andi(self, op: Operation, a: int, b: int) -> int:
        return a & b

    def run_arith_xori(self, op: Operation, a: int, b: int) -> int:
        return a ^ b

    def run_arith_cmpi(self, op: arith.CmpiOp, a: int, b: int) -> int:
        compares: list[Callable[[int, int], bool]] = [
            *(lambda a, b: a == b, lambda a, b: a != b, lambda a, b: a < b),
            *(lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b),
        ]
        return int(compares[op.predicate.value.data](a, b))

    def run_gpux_print(self, op: gpux.PrintOp, *values: int) -> None:
        self.printed.append((op.message.data, values))

    def run_simt_if(self, op: simt.IfOp, condition: int) -> None:
        region = op.then_region if condition else op.else_region
        if region.blocks:
            self.block(region.block)

    def body(self, block: Block) -> bool:
        """Runs a loop's body once; whether it was left by break."""
        try:
            self.block(block)
        except Exit as exit_:
            if exit_.kind == "return":
                raise
            return exit_.kind == "break"
        return False

    def run_simt_for(self, op: simt.ForOp, low: int, high: int, step: int) -> None:
        for index in range(low, high, step):
            self.values[op.body.block.args[0]] = index
            if self.body(op.body.block):
                return
        if op.else_region.blocks:
            self.block(op.else_region.block)

    def run_simt_while(self, op: simt.WhileOp) -> None:
        while self.block(op.before.block)[0]:
            if self.body(op.body.block):
                return
        if op.else_region.blocks:
            self.block(op.else_region.block)

    def run_scf_if(self, op: scf.IfOp, condition: int) -> tuple[Any, ...]:
        region = op.true_region if condition else op.false_region
        return self.block(region.block) if region.blocks else ()

    def run_scf_for(self, op: scf.ForOp, low: int, high: int, step: int, *carried: int) -> Any:
        for index in range(low, high, step):
            self.values |= dict(zip(op.body.block.args, (index, *carried), strict=True))
            carried = self.block(op.body.block)
        return carried

    def run_scf_while(self, op: scf.WhileOp, *carried: int) -> Any:
        while True:
            before, after = op.before_region.block, op.after_region.block
            self.values |= dict(zip(before.args, carried, strict=True))
            go, *passed = self.block(before)
            if not go:
                return tuple(passed)
            self.values |= dict(zip(after.args, passed, strict=True))
            carried = self.block(after)


class Writer:
    """Writes a random function of three variables."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.lines: list[str] = []
        self.count = 0

    def emit(self, text: str) -> None:
        self.lines.append(text)

    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def get(self) -> str:
        name = self.fresh()
        self.emit(f"{name} = simt.get %{self.chance.choice('abc')} : i32")
        return name

    def number(self) -> str:
        if self.chance.random() < 0.5:
            return self.get()
        name = self.fresh()
        self.emit(f"{name} = arith.constant {self.chance.randint(-2, 5)} : i32")
        return name

    def condition(self) -> str:
        if self.chance.random() < 0.15:
            return "%p"
        a, b, name = self.get(), self.number(), self.fresh()
        predicate = self.chance.choice(["slt", "sge", "eq", "ne"])
        self.emit(f"{name} = arith.cmpi {predicate}, {a}, {b} : i32")
        return name

    def statements(self, depth: int, in_loop: bool) -> None:
        """Some statements and a terminator."""
        for _ in range(self.chance.randint(0, 3)):
            self.statement(depth, in_loop)
        kinds = ["yield"] * 5 + ["return"]
        kinds += ["break", "continue"] * 2 if in_loop else []
        self.end(self.chance.choice(kinds))

    def end(self, kind: str) -> None:
        if kind == "return":
            a, b = self.get(), self.number()
            self.emit(f"simt.return {a}, {b} : i32, i32")
        else:
            self.emit(f"simt.{kind}")

    def statement(self, depth: int, in_loop: bool) -> None:
        kind = self.chance.choice(["set", "add", "print", "if", "if", "for", "while"])
        if depth == 0 and kind in ("if", "for", "while"):
            kind = "add"
        getattr(self, "write_" + kind)(depth, in_loop)

    def write_set(self, depth: int, in_loop: bool) -> None:
        self.emit(f"simt.set {self.number()}, %{self.chance.choice('abc')} : i32")

    def write_add(self, depth: int, in_loop: bool) -> None:
        a, b, name = self.get(), self.number(), self.fresh()
        self.emit(f"{name} = arith.addi {a}, {b} : i32")
        self.emit(f"simt.set {name}, %{self.chance.choice('abc')} : i32")

    def write_print(self, depth: int, in_loop: bool) -> None:
        self.emit(f'gpux.print "{self.fresh()[1:]} {{}}" ({self.get()} : i32) formats ["i32"]')

    def write_if(self, depth: int, in_loop: bool) -> None:
        self.emit(f"simt.if {self.condition()} {{")
        self.statements(depth - 1, in_loop)
        if self.chance.random() < 0.5:
            self.emit("} else {")
            self.statements(depth - 1, in_loop)
        self.emit("}")

    def orelse(self, depth: int, in_loop: bool) -> None:
        if self.chance.random() < 0.4:
            self.emit("} else {")
            self.statements(depth - 1, in_loop)
        self.emit("}")

    def write_for(self, depth: int, in_loop: bool) -> None:
        low, high, index = self.number(), self.number(), self.fresh()
        step = self.chance.choice(["%one", "%one", "%three"])
        self.emit(f"simt.for {index} = {low} to {high} step {step} : i32 {{")
        self.emit(f"simt.set {index}, %{self.chance.choice('abc')} : i32")
        self.statements(depth - 1, True)
        self.orelse(depth, in_loop)

    def write_while(self, depth: int, in_loop: bool) -> None:
        self.emit("simt.while {")
        if self.chance.random() < 0.3:
            condition = self.fresh()
            self.emit(f"{condition} = arith.constant true")
        else:
            if self.chance.random() < 0.5:  # a condition with an effect
                self.write_print(depth, in_loop)
                self.write_add(depth, in_loop)
            condition = self.condition()
        self.emit(f"simt.condition {condition}")
        self.emit("} do {")
        self.statements(depth - 1, True)
        self.orelse(depth, in_loop)

    def function(self) -> str:
        self.statements(3, False)
        if not self.lines[-1].startswith("simt.return"):
            self.lines.pop()
            self.end("return")
        body = "\n".join(self.lines)
        return f"""
func.func private @f(%x: i32, %p: i1) -> (i32, i32) {{
  %a = simt.cell : !simt.cell<i32>
  %b = simt.cell : !simt.cell<i32>
  %c = simt.cell : !simt.cell<i32>
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %three = arith.constant 3 : i32
  simt.set %x, %a : i32
  simt.set %zero, %b : i32
  simt.set %one, %c : i32
{body}
}}
"""


def run(module: ModuleOp, arguments: list[int], fuel: int) -> Any:
    function = module.body.block.first_op
    assert isinstance(function, func.FuncOp)
    interpreter = Interpreter(fuel)
    results = interpreter.call(function, arguments)
    return results, interpreter.printed


def passes(module: ModuleOp, text: str) -> ModuleOp:
    Pipeline.parse(text).run(module)
    module.verify()
    return module


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_structured_and_promoted_code_means_the_same(chance: random.Random):
    text = Writer(chance).function()
    original = parse_module(text)
    structured = passes(original.clone(), "structure-early-exits")
    promoted = passes(structured.clone(), "promote-variables")
    assert "simt." not in print_module(promoted)
    assert not any(
        isinstance(op, simt.IfOp | simt.ForOp | simt.WhileOp) for op in structured.walk()
    )
    for x, p in ((0, 0), (3, 1), (-1, 1)):
        try:
            expected = run(original, [x, p], FUEL)
        except OutOfFuel:
            continue
        assert run(structured, [x, p], 20 * FUEL) == expected, text
        assert run(promoted, [x, p], 20 * FUEL) == expected, text


@pytest.mark.parametrize("exit_", ["break", "continue"])
def test_loop_exits_outside_a_loop_are_refused(exit_: str):
    text = f"func.func private @f(%p: i1) {{ simt.if %p {{ simt.{exit_} }} simt.return }}"
    with pytest.raises(CompileError, match="outside a loop"):
        passes(parse_module(text), "structure-early-exits")

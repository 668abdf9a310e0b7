"""Random kernels with barriers and subgroup ops in nested control flow: both levels agree."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from gpu_interpreter import both, lower, parse
from gpu_kernels import kernel, zeros
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stepwell as sw
from stepwell.ir_files import compile_ir

MLIR_OPT = shutil.which("mlir-opt-19") or shutil.which("/usr/lib/llvm-19/bin/mlir-opt")
FRAME = "workgroup(%s : memref<64xi32, SHARED>)"


class Writer:
    """Writes statements; `values` are those of a thread in scope, `uniform` those of the block."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.lines: list[str] = []
        self.numbers = count()

    def new(self, line: str) -> str:
        """Append `%new = line`; gives the new name."""
        name = f"%z{next(self.numbers)}"
        self.lines.append(f"{name} = {line}")
        return name

    def pick(self, values: Sequence[str]) -> str:
        """One of `values`."""
        return self.choose.choice(values)

    def coin(self) -> bool:
        """True or false."""
        return self.choose.random() < 0.5

    def small(self, value: str) -> str:
        """An index from 0 to 3 made of an i32."""
        return self.new(
            f"arith.index_cast {self.new(f'arith.andi {value}, %i3 : i32')} : i32 to index"
        )

    def body(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        """Some statements; `together` says that all threads of the block are here."""
        for _ in range(self.choose.randint(1, 3) + depth):
            kinds = ["compute", "collective", "private"]
            if depth:
                kinds += ["if_", "for_", "while_"]
            if together:
                kinds += ["exchange"] * 4
            getattr(self, self.pick(kinds))(values, uniform, together, depth)

    def compute(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        op = self.pick(["addi", "xori", "muli", "maxsi"])
        pool = values if self.coin() else uniform
        pool.append(self.new(f"arith.{op} {self.pick(pool)}, {self.pick(uniform)} : i32"))
        values.append(self.new(f"arith.{op} {self.pick(values)}, {self.pick(values)} : i32"))

    def collective(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        value = self.pick(values)
        kind = self.pick(["reduce", "scan", "shuffle", "ballot"])
        if kind == "reduce":
            op = self.pick(["add", "xor", "minsi"])
            values.append(self.new(f"gpu.subgroup_reduce {op} {value} : (i32) -> i32"))
        elif kind == "scan":
            mode = self.pick(["inclusive", "exclusive"])
            values.append(self.new(f'gpux.subgroup_scan "add" "{mode}" {value} : i32'))
        elif kind == "ballot":
            bit = self.new(f"arith.cmpi sgt, {value}, {self.pick(values)} : i32")
            values.append(
                self.new(f"arith.trunci {self.new(f'gpux.ballot {bit} : i64')} : i64 to i32")
            )
        else:
            mode, name = self.pick(["xor", "up", "down", "idx"]), f"%z{next(self.numbers)}"
            offset = self.new(f"arith.andi {self.pick(values)}, %i3 : i32")
            self.lines.append(f"{name}, {name}v = gpu.shuffle {mode} {value}, {offset}, %w : i32")
            values += [name, self.new(f"arith.extui {name}v : i1 to i32")]

    def private(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        place, other = self.small(self.pick(values)), self.small(self.pick(values))
        self.lines.append(
            f"memref.store {self.pick(values)}, %own[{place}] : memref<4xi32, PRIVATE>"
        )
        values.append(self.new(f"memref.load %own[{other}] : memref<4xi32, PRIVATE>"))

    def exchange(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        """Read what another thread wrote, between barriers; sometimes the same for all."""
        self.lines.append(f"memref.store {self.pick(values)}, %s[%t] : memref<64xi32, SHARED>")
        self.lines.append("gpu.barrier")
        shared = self.coin()
        place = self.small(self.pick(uniform if shared else values))
        loaded = self.new(f"memref.load %s[{place}] : memref<64xi32, SHARED>")
        (uniform if shared else values).append(loaded)
        self.lines.append("gpu.barrier")

    def inner(
        self, values: list[str], uniform: list[str], together: bool, depth: int
    ) -> tuple[str, str]:
        """A nested body; what it gives of each kind."""
        values, uniform = list(values), list(uniform)
        self.body(values, uniform, together, depth - 1)
        return self.pick(values), self.pick(uniform if together else values)

    def results(self, name: str, values: list[str], uniform: list[str], together: bool) -> None:
        values.append(f"{name}#0")
        (uniform if together else values).append(f"{name}#1")

    def if_(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        agree = self.coin()
        pool = uniform if agree else values
        together = together and agree
        condition = self.new(f"arith.cmpi slt, {self.pick(pool[-3:])}, {self.pick(pool)} : i32")
        name = f"%z{next(self.numbers)}"
        self.lines.append(f"{name}:2 = scf.if {condition} -> (i32, i32) {{")
        for end in ("} else {", "}"):
            first, second = self.inner(values, uniform, together, depth)
            self.lines += [f"scf.yield {first}, {second} : i32, i32", end]
        self.results(name, values, uniform, together)

    def for_(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        agree = self.coin()
        together = together and agree
        bound = self.small(self.pick(uniform if agree else values))
        initial = self.pick(values), self.pick(uniform if together else values)
        name = f"%z{next(self.numbers)}"
        self.lines.append(
            f"{name}:2 = scf.for {name}i = %c0 to {bound} step %c1 iter_args({name}a = {initial[0]}"
            f", {name}b = {initial[1]}) -> (i32, i32) {{"
        )
        index = self.new(f"arith.index_cast {name}i : index to i32")
        inside = [*values, f"{name}a"], [*uniform]
        inside[0 if not together else 1].append(f"{name}b")
        inside[1 if together else 0].append(index)
        first, second = self.inner(*inside, together, depth)
        self.lines += [f"scf.yield {first}, {second} : i32, i32", "}"]
        self.results(name, values, uniform, together)

    def while_(self, values: list[str], uniform: list[str], together: bool, depth: int) -> None:
        agree = self.coin()
        together = together and agree
        bound = self.new(f"arith.andi {self.pick(uniform if agree else values)}, %i3 : i32")
        initial = self.pick(values)
        name = f"%z{next(self.numbers)}"
        self.lines.append(
            f"{name}:2 = scf.while ({name}a = {initial}, {name}k = %i0) : "
            "(i32, i32) -> (i32, i32) {"
        )
        first, _ = self.inner([*values, f"{name}a"], uniform, together, depth)
        more = self.new(f"arith.cmpi slt, {name}k, {bound} : i32")
        self.lines += [
            f"scf.condition({more}) {first}, {name}k : i32, i32",
            f"}} do {{\n^bb0({name}c: i32, {name}d: i32):",
        ]
        first, _ = self.inner([*values, f"{name}c"], uniform, together, depth)
        following = self.new(f"arith.addi {name}d, %i1 : i32")
        self.lines += [f"scf.yield {first}, {following} : i32, i32", "}"]
        self.results(name, values, uniform, together)


def write(choose: random.Random) -> str:
    """The text of a random kernel."""
    writer = Writer(choose)
    values, uniform = ["%v", "%ti", "%l"], ["%i1", "%i4", "%bi"]
    writer.body(values, uniform, True, 2)
    lines = [
        "%own = memref.alloca() : memref<4xi32, PRIVATE>",
        *(f"memref.store %i{n}, %own[%c{n}] : memref<4xi32, PRIVATE>" for n in range(4)),
        "%v = memref.load %x[%g] : memref<?xi32, GLOBAL>",
        "%ti = arith.index_cast %t : index to i32",
        "%bi = arith.index_cast %b : index to i32",
        "%lane = gpu.lane_id",
        "%l = arith.index_cast %lane : index to i32",
        "%sz = gpu.subgroup_size : index",
        "%w = arith.index_cast %sz : index to i32",
        *writer.lines,
    ]
    total = "%v"
    for number, value in enumerate([*values, *uniform]):
        lines.append(f"%o{number} = arith.addi {total}, {value} : i32")
        total = f"%o{number}"
    lines.append(f"memref.store {total}, %y[%g] : memref<?xi32, GLOBAL>")
    return kernel("\n".join(lines), frame=FRAME)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.sampled_from([1, 4, 8]), st.sampled_from([5, 8, 13]))
def test_random_kernels(choose: random.Random, width: int, size: int):
    x = np.random.default_rng(size).integers(-9, 9, 2 * size).astype(np.int32)
    both(write(choose), [x, zeros(2 * size)], (2, 1, 1), (size, 1, 1), width)


@pytest.mark.parametrize("seed", range(8))
def test_random_kernels_as_machine_code(seed: int, tmp_path: Path):
    text, size = write(random.Random(seed)), 5 + 6 * seed
    (tmp_path / "kernel.mlir").write_text(str(parse(text)))
    bundle = compile_ir(tmp_path / "kernel.mlir", level="gpu")
    width = bundle.artifacts[0].manifest.subgroup_size
    x = np.random.default_rng(size).integers(-9, 9, 2 * size).astype(np.int32)
    arguments = [x, zeros(2 * size)]
    _, expected = both(text, arguments, (2, 1, 1), (size, 1, 1), width, levels="gpu")
    bundle.save(tmp_path / "kernel.swa")
    sw.load(tmp_path / "kernel.swa").launch(2, size, device="cpu")(*arguments)
    np.testing.assert_array_equal(arguments[1], expected)


@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt 19 is not installed")
@pytest.mark.parametrize("seed", range(6))
def test_upstream_reads_what_comes_out(seed: int):
    assert MLIR_OPT is not None
    text = lower(write(random.Random(seed)), 8)
    # Upstream knows no custom syntax of ours.
    lines = [line for line in text.splitlines() if "gpux.check" not in line]
    command = [MLIR_OPT, "--allow-unregistered-dialect", "-"]
    run = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr

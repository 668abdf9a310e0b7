"""The llvm dialect against upstream's own tool: what we print it reads, and reads as the same."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy scalars of every type: what strict mode says of them is noise.

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from stepwell.dialects.llvm import LLVM
from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.parse import parse_module, print_module, split_input

MLIR_OPT = shutil.which("mlir-opt-19") or shutil.which("/usr/lib/llvm-19/bin/mlir-opt")
SOURCE = Path(__file__).parents[1] / "lit" / "dialects" / "llvm.mlir"
TEXT = split_input(SOURCE.read_text())[0][1]

needs_mlir = pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt 19 is not installed")


def mlir_opt(text: str) -> str:
    assert MLIR_OPT is not None
    done = subprocess.run([MLIR_OPT], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def generic_intrinsics(text: str) -> str:
    """Ours with the intrinsics that mlir-opt 19 has no syntax for in their generic form."""
    module = parse_module(text)
    return print_module(module, generic=True)


@needs_mlir
def test_mlir_opt_reads_what_we_print():
    ours = mlir_opt(generic_intrinsics(TEXT))
    assert "llvm.cmpxchg weak volatile" in ours
    assert mlir_opt(ours) == ours


@needs_mlir
def test_what_mlir_opt_prints_comes_back_the_same():
    theirs = mlir_opt(generic_intrinsics(TEXT))
    again = print_module(parse_module(theirs), generic=True)
    assert mlir_opt(again) == theirs


def test_the_custom_and_the_generic_form_are_the_same_module():
    module = parse_module(TEXT)
    generic = parse_module(print_module(module, generic=True))
    generic.verify()
    assert print_module(generic) == print_module(module)


def test_every_op_of_the_example_has_a_form_in_llvm_text():
    text = emit(parse_module(TEXT, str(SOURCE)), debug=True)
    module = llvm.parse_assembly(text)
    module.verify()
    assert "cmpxchg weak volatile ptr addrspace(3)" in str(module)


def test_every_op_of_the_dialect_has_a_parser_and_a_printer():
    from xdsl.ir import Operation

    for op in LLVM.operations:
        assert op.parse.__func__ is not Operation.parse.__func__, op.name  # pyright: ignore
        assert op.print is not Operation.print, op.name


def test_edges_that_meet_in_one_block_get_their_own_phi_sources():
    text = emit(
        parse_module("""
llvm.func @f(%c: i1, %a: i32, %b: i32, %n: i32) -> i32 {
  llvm.cond_br %c, ^meet(%a : i32), ^meet(%b : i32)
^meet(%x: i32):
  llvm.switch %n : i32, ^end(%x : i32) [ 1: ^end(%a : i32), 2: ^end(%b : i32) ]
^end(%y: i32):
  llvm.return %y : i32
}""")
    )
    module = llvm.parse_assembly(text)
    module.verify()
    assert text.count("phi i32") == 2


def test_the_dialect_is_cheap_to_import():
    program = (
        "import time, xdsl.irdl, xdsl.traits, xdsl.dialects.builtin, statistics\n"
        "import sys; before = set(sys.modules)\n"
        "import stepwell.dialects.llvm\n"
        "new = sorted(m for m in set(sys.modules) - before if not m.startswith('stepwell'))\n"
        "print([m for m in new if m.startswith('xdsl.dialects')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", "the dialect needs no other dialect than builtin"

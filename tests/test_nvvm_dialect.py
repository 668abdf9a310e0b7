"""The nvvm dialect: its text goes through mlir-opt 19 and back, and every op has what it needs."""

# pyright: basic

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stepwell.dialects.nvvm import OPS, TABLE
from stepwell.lowering.parse import parse_module, print_module

MLIR_OPT = shutil.which("mlir-opt-19") or shutil.which("mlir-opt", path="/usr/lib/llvm-19/bin")
LIT = Path(__file__).parent.parent / "lit/dialects/nvvm.mlir"
# What LLVM 19 lacks, or has for other registers (mma.sync of bf16).
NEWER = (
    *("match.", "nanosleep", "inline_ptx", "multiplicandAPtxType"),
    *("mapa", "cp.async.bulk.shared", "cp.async.bulk.global", "bulk.tensor.prefetch"),
    *("bulk.prefetch", "bulk.tensor.reduce"),
)


def ops_of_the_lit_file() -> str:
    """The function of the file that holds the ops."""
    text = LIT.read_text(encoding="utf-8").split("// -----")[0]
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))


@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt 19 is not installed")
def test_upstream_reads_our_text_and_we_read_its():
    text = "\n".join(
        line for line in ops_of_the_lit_file().splitlines() if not any(n in line for n in NEWER)
    )
    assert MLIR_OPT is not None
    done = subprocess.run([MLIR_OPT], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = print_module(parse_module(text, "<ours>"))
    back = done.stdout.replace(" : <3>,", " : !llvm.ptr<3>,")  # where only one type is possible
    theirs = print_module(parse_module(back, "<theirs>"))
    assert unnamed(ours) == unnamed(theirs)


def unnamed(text: str) -> str:
    return re.sub(r"%\w+", "%", text)


def test_text_is_read_back_as_it_was_printed():
    once = print_module(parse_module(ops_of_the_lit_file(), "<text>"))
    assert print_module(parse_module(once, "<again>")) == once


@pytest.mark.parametrize("name", TABLE)
def test_row_is_complete(name: str):
    row = TABLE[name]
    assert row.meaning.endswith(".")
    assert OPS[name].name == f"nvvm.{name}"
    needs = row.needs
    if not callable(needs):
        assert 75 <= needs.sm <= 121
        assert needs.ptx >= 63

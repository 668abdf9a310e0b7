"""mlir-opt and mlir-translate of LLVM 19 read our text and binaries, and we read theirs."""

# pyright: basic

from __future__ import annotations

import re

import pytest
from spirv_ops import module_text
from spirv_tools import compiled, modules_in, needs, run, text_of, validate

from stepwell.dialects import spirv
from stepwell.lowering.emit.spirv import deserialise, serialise
from stepwell.passes.spirv_update_vce import derive_vce

THEIRS = [
    name
    for name, row in spirv.ROWS.items()
    if "pstream's" not in row.meaning and not name.startswith("GL.")
]
# Functions of the extended set that LLVM 19 has.
GL = [
    f"GL.{name}"
    for name in (
        *("Acos", "Asin", "Atan", "Ceil", "Cos", "Cosh", "Exp", "FAbs", "FClamp", "FMax", "FMin"),
        *("FMix", "FSign", "FindUMsb", "Floor", "Fma", "FrexpStruct", "InverseSqrt", "Ldexp"),
        *("Log", "Pow", "Round", "RoundEven", "SAbs", "SClamp", "SMax", "SMin", "SSign", "Sin"),
        *("Sinh", "Sqrt", "Tan", "Tanh", "UClamp", "UMax", "UMin"),
    )
]


def unnamed(text: str) -> str:
    return re.sub(r"%\w+", "%", re.sub(r"\s*//.*", "", text))


@needs("mlir-opt")
def test_upstream_reads_our_text_and_we_read_its():
    (module,) = modules_in(module_text([*THEIRS, *GL]))
    ours = str(module)
    done = run("mlir-opt", data=ours.encode())
    assert done.returncode == 0, done.stderr.decode()
    (back,) = modules_in(done.stdout.decode())
    assert unnamed(str(back)) == unnamed(ours)


@needs("mlir-translate")
@pytest.mark.parametrize("name", [*THEIRS, *GL])
def test_upstream_writes_the_same_instructions(name: str):
    (module,) = modules_in(module_text([name]))
    module.properties["vce_triple"] = derive_vce(module, (1, 6))
    done = run("mlir-translate", "--no-implicit-module", "--serialize-spirv", data=_text(module))
    assert done.returncode == 0, done.stderr.decode()
    assert text_of(deserialise(done.stdout)) == text_of(deserialise(serialise(module)))


def _text(module: spirv.ModuleOp) -> bytes:
    return str(module).encode()


@needs("mlir-translate")
def test_upstream_reads_our_words_and_we_read_its_text():
    # One function each: control flow that upstream 19 takes is less than what is valid.
    (module,) = modules_in(module_text(THEIRS))
    done = run(
        *("mlir-translate", "--no-implicit-module", "--deserialize-spirv"), data=serialise(module)
    )
    assert done.returncode == 0, done.stderr.decode()
    (back,) = modules_in(done.stdout.decode())
    ours = [op.name for op in module.walk() if isinstance(op, spirv.RowOp)]
    assert [op.name for op in back.walk() if isinstance(op, spirv.RowOp)] == ours


@needs("mlir-translate", "glslangValidator", "spirv-val")
def test_upstream_reads_our_loops_and_we_read_its_text():
    data = serialise(deserialise(compiled("matmul", "vulkan1.1")))
    done = run("mlir-translate", "--no-implicit-module", "--deserialize-spirv", data=data)
    assert done.returncode == 0, done.stderr.decode()
    (module,) = modules_in(done.stdout.decode())
    validate(serialise(module), "vulkan1.1")

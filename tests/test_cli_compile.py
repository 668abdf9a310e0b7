"""`stepwell compile`: Python and IR files, as text at every level and ahead of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import stepwell as sw
from stepwell.lowering.emit.ptx import find_tool
from stepwell.tools.main import main

SOURCE = """
import stepwell as sw

@sw.kernel
def saxpy(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]

@sw.kernel
def fill(x: sw.Array[sw.f32, 1], v: sw.f32):
    i = sw.global_id(0)
    if i < x.shape[0]:
        x[i] = v
"""
SAXPY = "saxpy(f32, Array[f32, 1], Array[f32, 1])"


@dataclass
class Compile:
    """Runs `stepwell compile` on a file of the folder."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, name: str, text: str, *arguments: str) -> tuple[int, str, str]:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        status = main(["compile", str(path), *arguments])
        output, errors = self.capsys.readouterr()
        return status, output, errors.replace(f"{self.folder}/", "")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    return Compile(tmp_path, capsys)


@pytest.mark.parametrize(
    ("level", "sign"),
    [
        ("simt", "simt."),
        ("gpu", "gpu.func @saxpy"),
        ("cpu", "gpux.kernel"),
        ("llvm", "llvm.func"),
        ("asm", "saxpy:"),
    ],
)
def test_a_kernel_is_shown_at_every_level(run: Compile, level: str, sign: str):
    status, output, errors = run("k.py", SOURCE, "--signature", SAXPY, "--emit", level)
    assert (status, errors) == (0, "")
    assert sign in output


NVIDIA = ("--signature", SAXPY, "--arch", "sm_90")


@pytest.mark.parametrize(
    ("level", "sign"),
    [
        ("grid", "gpu.func @saxpy"),
        ("nvvm", "llvm.func ptx_kernelcc @saxpy"),
        ("ptx", ".entry saxpy("),
    ],
)
def test_code_for_nvidia_is_shown(run: Compile, level: str, sign: str):
    status, output, errors = run("k.py", SOURCE, *NVIDIA, "--emit", level)
    assert (status, errors) == (0, "")
    assert sign in output
    assert (".target sm_90" in output) == (level == "ptx")


@pytest.mark.skipif(find_tool("ptxas") is None, reason="ptxas is not installed")
def test_machine_code_and_what_it_takes(run: Compile, tmp_path: Path):
    wanted = ("--emit", "cubin", "-o", "saxpy.cubin", "--report")
    status, _, errors = run("k.py", SOURCE, *NVIDIA, *wanted)
    assert status == 0
    assert (tmp_path / "saxpy.cubin").read_bytes()[:4] == b"\x7fELF"
    numbers = r"saxpy: \d+ registers, 0 bytes spilled, 0 bytes of shared memory, .* \(sm_90\)"
    assert re.search(numbers, errors)


@pytest.mark.skipif(
    find_tool("ptxas") is None or (find_tool("nvdisasm") or find_tool("cuobjdump")) is None,
    reason="ptxas, and nvdisasm or cuobjdump, are not installed",
)
def test_instructions_of_the_machine_are_shown(run: Compile):
    status, output, errors = run("k.py", SOURCE, *NVIDIA, "--emit", "sass")
    assert (status, errors) == (0, "")
    assert "STG.E" in output and "FMUL" in output


def check_saxpy(path: Path) -> None:
    x = np.arange(1000, dtype=np.float32)
    y = np.ones_like(x)
    sw.load(path)[4, 256](np.float32(2), x, y)
    assert np.array_equal(y, 2 * x + 1)


def test_an_artifact_of_python_runs(run: Compile, tmp_path: Path):
    status, _, errors = run("k.py", SOURCE, "--signature", SAXPY, "-o", "out.swa")
    assert status == 0
    assert errors.startswith("out.swa: saxpy for cpu")
    check_saxpy(tmp_path / "out.swa")


def test_an_artifact_of_ir_runs(run: Compile, tmp_path: Path):
    ir = run("k.py", SOURCE, "--signature", SAXPY, "--emit", "gpu")[1]
    assert run("k.mlir", ir)[0] == 0
    check_saxpy(tmp_path / "saxpy.swa")


def test_annotated_kernels_need_no_signature(run: Compile, tmp_path: Path):
    assert run("k.py", SOURCE, "--kernel", "fill")[0] == 0
    x = np.zeros(10, np.float32)
    sw.load(tmp_path / "fill.swa").over(10)(x, np.float32(3))
    assert x.tolist() == [3] * 10


@pytest.mark.parametrize(
    ("name", "text", "arguments", "message"),
    [
        ("k.py", SOURCE, (), "the types of kernel saxpy are open: a, x, y"),
        ("k.py", SOURCE, ("--kernel", "fil"), "has no kernel 'fil'\n  hint: did you mean 'fill'?"),
        ("k.py", SOURCE, ("--signature", "saxpy(f32"), "cannot be understood"),
        ("k.py", SOURCE, ("--signature", "saxpy(f33)"), "f33: name 'f33' is not defined"),
        ("k.py", SOURCE, ("--signature", "saxpy(f32)"), "has 3 parameters"),
        ("k.py", SOURCE, ("--kernel", "fill", "--target", "gpux"), "there is no target 'gpux'"),
        ("k.py", SOURCE, ("--kernel", "fill", "--emit", "lvm"), "no level 'lvm'"),
        ("k.py", "x = 1 / 0", (), "k.py cannot be run: ZeroDivisionError"),
        ("k.py", "x = 1", (), "k.py has no kernel"),
        ("k.txt", "", (), "expected a .py or .mlir file"),
        ("k.mlir", "func.func @f() {", (), "k.mlir:1:"),
        ("k.mlir", "", (), "neither a gpu.func nor another mark of a level"),
    ],
)
def test_what_is_wrong_is_said(
    run: Compile, name: str, text: str, arguments: tuple[str, ...], message: str
):
    status, output, errors = run(name, text, *arguments)
    assert (status, output) == (1, "")
    assert message in errors
    assert "internal error" not in errors


def test_several_kernels_go_to_a_folder(run: Compile, tmp_path: Path):
    both = ("--signature", SAXPY, "--kernel", "fill")
    status, _, errors = run("k.py", SOURCE, *both, "-o", "one.swa")
    assert status == 1
    assert "has 2 kernels" in errors
    (tmp_path / "out").mkdir()
    assert run("k.py", SOURCE, *both, "-o", "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fill.swa", "saxpy.swa"]


def test_several_architectures_of_the_cpu_go_into_one_file(run: Compile):
    arguments = ("--kernel", "fill", "--arch", "x86-64-v2+arm64", "-o", "out.swa")
    status, _, errors = run("k.py", SOURCE, *arguments)
    assert (status, errors) == (0, "out.swa: fill for cpu (x86-64-v2), fill for cpu (aarch64)\n")


def test_ir_is_compiled_for_several_architectures(run: Compile):
    arguments = ("--emit", "gpu", "--kernel", "fill")
    _, text, _ = run("k.py", SOURCE, *arguments)
    status, _, errors = run("k.mlir", text, "--arch", "x86-64-v3+arm64", "-o", "out.swa")
    assert (status, errors) == (0, "out.swa: fill for cpu (x86-64-v3), fill for cpu (aarch64)\n")


def test_code_of_one_architecture_is_shown(run: Compile):
    fill = ("--kernel", "fill", "--over", "1", "--emit", "asm")
    status, text, _ = run("k.py", SOURCE, *fill, "--arch", "arm64")
    assert status == 0
    assert re.search(r"\bv\d+\.4s\b", text)
    several = (*fill, "--arch", "arm64+x86-64-v2")
    status, _, errors = run("k.py", SOURCE, *several)
    assert status == 1
    assert "'cpu:arm64+x86-64-v2' is several targets" in errors


TWO = """
gpu.module @m {
  func.func @twice(%x: f32) -> f32 {
    %y = arith.addf %x, %x : f32
    func.return %y : f32
  }
  gpu.func @one(%x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %i = gpu.global_id x
    %v = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
    %w = func.call @twice(%v) : (f32) -> f32
    memref.store %w, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @two(%x: memref<?xf32, #gpu.address_space<global>>) kernel {
    gpu.return
  }
}
"""


def test_all_kernels_of_an_ir_file_are_compiled_or_the_one_that_is_named(run: Compile):
    _, _, errors = run("two.mlir", TWO)
    assert [line.partition(":")[0] for line in errors.splitlines()] == ["one.swa", "two.swa"]
    _, output, _ = run("two.mlir", TWO, "--kernel", "two", "--emit", "gpu")
    assert "@two" in output
    assert "@one" not in output
    status, _, errors = run("two.mlir", TWO, "--kernel", "twoo")
    assert status == 1
    assert "two.mlir has no kernel 'twoo'\n  hint: did you mean 'two'?" in errors


def test_a_kernel_of_ir_calls_its_helpers_on_a_device_without_functions(run: Compile):
    status, output, _ = run("two.mlir", TWO, "--kernel", "one", "--emit", "spvasm")
    assert status == 0
    assert "OpFunctionCall" not in output


@pytest.mark.parametrize("option", [("--signature", "k(f32)"), ("--over", "1"), ("--cubin", "x")])
def test_what_is_for_python_files_is_refused_for_ir(run: Compile, option: tuple[str, str]):
    status, _, errors = run("two.mlir", TWO, *option)
    assert status == 1
    assert f"{option[0]} is for Python files, and two.mlir is IR" in errors


@pytest.mark.parametrize(("emit", "target"), [("spv", "cuda"), ("spv", "cpu"), ("cubin", "vulkan")])
def test_what_another_target_emits_is_refused(run: Compile, emit: str, target: str):
    status, _, errors = run("two.mlir", TWO, "--emit", emit, "--target", target)
    assert status == 1
    assert f"--emit {emit} is for --target " in errors


@pytest.mark.parametrize(("level", "emit"), [("nvvm", "ptx"), ("spirv", "spvasm")])
def test_the_level_of_a_file_is_seen_from_its_ops(run: Compile, level: str, emit: str):
    _, lowered, _ = run("two.mlir", TWO, "--kernel", "one", "--emit", level)
    status, output, errors = run("lowered.mlir", lowered, "--emit", emit)
    assert (status, errors) == (0, "")
    assert {"ptx": ".entry one", "spvasm": 'OpEntryPoint GLCompute %one "one"'}[emit] in output


@pytest.mark.parametrize(
    ("level", "target", "below"),
    [("grid", "cuda", "nvvm"), ("grid", "vulkan", "shader"), ("shader", "vulkan", "spirv")],
)
def test_a_file_below_the_waist_says_its_level(run: Compile, level: str, target: str, below: str):
    options = ("--signature", SAXPY, "--over", "1", "--target", target)
    _, shown, _ = run("k.py", SOURCE, *options, "--emit", level)
    _, expected, _ = run("k.py", SOURCE, *options, "--emit", below)
    status, output, errors = run("k.mlir", shown, "--target", target, "--emit", below)
    assert (status, output, errors) == (0, expected, "")
    unsaid = shown.replace(f' attributes {{gpux.level = "{level}"}}', "")
    assert unsaid != shown
    status, _, errors = run("k.mlir", unsaid, "--target", target, "--emit", below)
    assert "gpux.check: has a site, and sites are numbered below this level" in errors
    given = run("k.mlir", unsaid, "--target", target, "--emit", below, "--from", level)
    assert given == (0, expected, "")


def test_a_level_that_a_file_says_and_nobody_knows_is_refused(run: Compile):
    text = 'builtin.module attributes {gpux.level = "greed"} {\n}\n'
    status, _, errors = run("k.mlir", text, "--emit", "gpu")
    assert (status, errors) == (1, "no level is called 'greed'\n  hint: did you mean 'grid'?\n")


def test_ir_is_compiled_and_launched_from_python(tmp_path: Path):
    bundle = sw.compile_ir(TWO, kernel="one")
    x = np.arange(8, dtype=np.float32)
    sw.load(bundle)[1, 8](x)
    assert list(x) == [2 * i for i in range(8)]
    path = tmp_path / "two.mlir"
    path.write_text(TWO, encoding="utf-8")
    with pytest.raises(sw.CompileError, match="several kernels: one, two"):
        sw.compile_ir(path)


def test_checked_indices_stand_in_control_flow_of_scf_too():
    space = "memref<?xf32, #gpu.address_space<global>>"
    bundle = sw.compile_ir(f"""
gpu.module @m {{
  gpu.func @k(%x: {space}, %n: index) kernel {{
    %i = gpu.global_id x
    %in = arith.cmpi ult, %i, %n : index
    scf.if %in {{
      simt.check_index %i, %x, 0 : i64 as "x" : {space}
      %v = arith.constant 1.0 : f32
      memref.store %v, %x[%i] : {space}
    }}
    gpu.return
  }}
}}
""")
    x = np.zeros(4, np.float32)
    sw.load(bundle)[1, 8](x, np.int64(3))
    assert list(x) == [1, 1, 1, 0]
    with pytest.raises(sw.OutOfBounds, match="index 4 is out of bounds for axis 0 of x"):
        sw.load(bundle)[1, 8](x, np.int64(5))

"""Code for other processors than this one: what it is made of, and how a launch chooses."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

import stepwell as sw
from stepwell.cpu_machines import parse
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.symbols import RESERVED_SYMBOLS
from stepwell.runtime.artifact import Form, best
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.cpu_archs import CPU_ARCHS, architecture_of, best_arch, system_of
from stepwell.runtime.cpu_code import host_arch, host_features, why_unfit
from stepwell.targets import find_target, versions_of

LEVELS = [name for name, row in CPU_ARCHS.items() if row.architecture == "x86_64"]
LOADER = Path("/lib64/ld-linux-x86-64.so.2")
ALL = "cpu:x86-64-v2+x86-64-v3+x86-64-v4+arm64"
FLOATS = sw.Array[sw.f32, 1]


@sw.kernel
def saxpy(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


@sw.kernel
def escape(x, out):
    i = sw.global_id(0)
    if i < out.shape[0]:
        z = x[i]
        count = 0
        while abs(z) < 4.0 and count < 50:
            z = z * z + x[i]
            count += 1
        out[i] = count


@sw.kernel
def pick(index, x, out):
    i = sw.global_id(0)
    if i < out.shape[0] and index[i] >= 0:
        out[i] = math.exp(x[index[i]])


@sw.kernel
def halves(x, out):
    i = sw.global_id(0)
    if i < out.shape[0]:
        out[i] = np.float16(np.float32(x[i]) * 3.0)


@sw.kernel
def sums(x, out):
    i = sw.global_id(0)
    total = sw.subgroup_reduce_add(x[i])
    if sw.lane_id() == 0:
        out[i // sw.subgroup_size()] = total


KERNELS = {
    saxpy: (sw.f32, FLOATS, FLOATS),
    escape: (FLOATS, sw.Array[sw.i32, 1]),
    pick: (sw.Array[sw.i32, 1], FLOATS, FLOATS),
    halves: (sw.Array[sw.f16, 1], sw.Array[sw.f16, 1]),
    sums: (FLOATS, FLOATS),
}


def needs_x86() -> None:
    if architecture_of(llvm.get_process_triple()) != "x86_64":
        pytest.skip("not an x86-64 processor")


def device_of(arch: str, monkeypatch: pytest.MonkeyPatch) -> CpuDevice:
    monkeypatch.setenv("STEPWELL_CPU_ARCH", arch)
    return CpuDevice()


@cache
def code_of(kernel: sw.Kernel, arch: str) -> bytes:
    form = Form() if kernel is sums else Form(over=1)
    return kernel.compile(KERNELS[kernel], target=f"cpu:{arch}", form=form).payload


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (binutils)")
    return found


def disassembled(payload: bytes, folder: Path) -> list[str]:
    """The instructions, as binutils read them."""
    path = folder / "code.o"
    path.write_bytes(payload)
    words = [tool("objdump"), "-d", "--no-show-raw-insn", str(path)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [line.partition("\t")[2] for line in text.splitlines() if "\t" in line]


# What an instruction is that some level does not have, yet; VEX and EVEX mnemonics start with v.
BEYOND = {
    "x86-64-v2": r"^v|%ymm|%zmm|%k[1-7]",
    "x86-64-v3": r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])|%k[1-7]",
}


@pytest.mark.parametrize("level", BEYOND)
def test_code_for_a_level_has_no_instruction_of_a_higher_one(level: str, tmp_path: Path):
    needs_x86()
    for kernel in KERNELS:
        lines = disassembled(code_of(kernel, level), tmp_path)
        assert lines, kernel
        assert [line for line in lines if re.search(BEYOND[level], line)] == []


@pytest.mark.parametrize(("level", "sign"), [("x86-64-v3", "%ymm"), ("x86-64-v4", "%zmm")])
def test_code_for_a_level_makes_use_of_its_vectors(level: str, sign: str, tmp_path: Path):
    needs_x86()
    for kernel in KERNELS:
        lines = disassembled(code_of(kernel, level), tmp_path)
        assert any(sign in line for line in lines), kernel


def test_code_for_arm_makes_use_of_its_vectors():
    for kernel, types in KERNELS.items():
        text = kernel.ir("asm", *types, target="cpu:arm64")
        assert re.search(r"\bv\d+\.4s\b", text), kernel
    assert "fmla" not in saxpy.ir("asm", *KERNELS[saxpy], target="cpu:arm64")  # not contracted


def test_code_for_others_asks_for_no_unknown_symbol(tmp_path: Path):
    for kernel in KERNELS:
        (tmp_path / "code.o").write_bytes(code_of(kernel, "arm64"))
        words = [tool("readelf"), "-sW", str(tmp_path / "code.o")]
        table = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert "sums" in table or kernel is not sums
        rows = [row for line in table.splitlines() if len(row := line.split()) == 8]
        unknown = {row[-1] for row in rows if row[-2] == "UND"}
        # Of several object files, each has what others ask for.
        assert unknown - {row[-1] for row in rows if row[-2] != "UND"} <= RESERVED_SYMBOLS


def test_one_file_has_a_version_for_each_and_says_its_lanes():
    bundle = sw.compile(sums, KERNELS[sums], target=ALL, over=None)
    lanes = {a.manifest.machine: a.manifest.subgroup_size for a in bundle.artifacts}
    by_level = {"cpu (x86-64-v2)": 4, "cpu (x86-64-v3)": 8, "cpu (x86-64-v4)": 16}
    if architecture_of(llvm.get_process_triple()) == "x86_64":
        assert lanes == {**by_level, "cpu (aarch64)": 4}
    assert bundle.summary().startswith("sums for cpu (x86-64-v2), sums for cpu (x86-64-v3)")


@pytest.mark.parametrize(
    "order", ["x86-64-v2+x86-64-v3+x86-64-v4", "x86-64-v4+x86-64-v3+x86-64-v2"]
)
@pytest.mark.parametrize("machine", LEVELS)
def test_a_launch_takes_the_best_version_that_the_machine_runs(
    machine: str, order: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    needs_x86()
    device = device_of(machine, monkeypatch)
    bundle = sw.compile(sums, KERNELS[sums], target=f"cpu:{order}+arm64", over=None)
    bundle.save(tmp_path / "sums.swa")
    program = sw.load(tmp_path / "sums.swa")
    wanted = next(a for a in bundle.artifacts if a.manifest.cpu == machine)
    if why_unfit(wanted.manifest) is not None:
        pytest.skip(f"this processor is not {machine}")
    x, out = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
    program.launch(1, 64, device=device)(x, out)
    width = wanted.manifest.subgroup_size
    assert out[: 64 // width].tolist() == x.reshape(-1, width).sum(axis=1).tolist()
    assert not out[64 // width :].any()


def test_where_no_version_fits_the_error_lists_what_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    needs_x86()
    device = device_of("x86-64-v2", monkeypatch)
    sw.compile(saxpy, KERNELS[saxpy], target="cpu:x86-64-v3+arm64").save(tmp_path / "saxpy.swa")
    x = np.zeros(4, np.float32)
    with pytest.raises(sw.DeviceError) as caught:
        sw.load(tmp_path / "saxpy.swa").over(4, device=device)(1.0, x, x)
    lines = str(caught.value).splitlines()
    assert lines[0] == "saxpy was not compiled for over() of rank 1 on cpu:0; the file has:"
    assert re.search(r"launch\(\), .* on cpu \(x86-64-v3\): needs .* avx2, .*", lines[1])
    assert lines[2].endswith("on cpu (aarch64): is for aarch64 processors, this one is x86_64")


def test_a_machine_taken_for_less_compiles_and_runs_for_less(monkeypatch: pytest.MonkeyPatch):
    needs_x86()
    device = device_of("x86-64-v2", monkeypatch)
    assert device.target == "cpu:x86-64-v2"
    assert "taken for x86-64-v2" in device.description
    x, out = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
    sums.launch(1, 64, device=device)(x, out)
    assert out[:16].tolist() == x.reshape(-1, 4).sum(axis=1).tolist()
    native = sums.compile(KERNELS[sums], target="cpu").manifest
    assert host_arch() == "x86-64-v2" or "which x86-64-v2 lacks" in str(device.why_unfit(native))


def test_lanes_and_architecture_go_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STEPWELL_CPU_LANES", "8")
    assert device_of("arm64", monkeypatch).target == "cpu:arm64:w8"
    assert find_target("cpu:arm64:w8").subgroup_size() == 8
    assert find_target("cpu:arm64").subgroup_size() == 4


def test_the_architecture_of_this_machine_is_the_one_that_the_system_says():
    if not LOADER.exists():
        pytest.skip(f"no {LOADER} that knows levels")
    said = subprocess.run([LOADER, "--help"], capture_output=True, text=True, check=True).stdout
    supported = re.findall(r"(x86-64-v\d) \(supported", said)
    if not supported:
        pytest.skip("the loader of this C library knows no levels")
    assert host_arch() == max(supported)


@pytest.mark.parametrize("level", LEVELS)
def test_llvm_means_the_same_by_a_level(level: str):
    """LLVM inlines a function that needs no feature which the caller has not."""
    row = CPU_ARCHS[level]
    features = ",".join(f"+{name}" for name in row.features)
    listed = f'"target-cpu"="x86-64" "target-features"="{features}"'
    named = f'"target-cpu"="{row.cpu}"'
    assert inlines(caller=named, callee=listed)
    assert inlines(caller=listed, callee=named)
    assert not inlines(caller=named, callee='"target-features"="+avx512vbmi"')


def inlines(caller: str, callee: str) -> bool:
    text = f"""
    declare i32 @f(i32)
    define internal i32 @callee(i32 %x) {callee} {{
      %y = call i32 @f(i32 %x)
      ret i32 %y
    }}
    define i32 @caller(i32 %x) {caller} {{
      %y = call i32 @callee(i32 %x)
      ret i32 %y
    }}"""
    llvm.initialize_all_targets()
    target = llvm.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(opt=2)
    module = llvm.parse_assembly(text)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    return "i32 @callee" not in str(module)


@pytest.mark.parametrize(
    ("triple", "features", "arch"),
    [
        ("x86_64-unknown-linux-gnu", "x86-64-v3", "x86-64-v3"),
        ("amd64-pc-windows-msvc", "x86-64-v2", "x86-64-v2"),
        ("x86_64-unknown-linux-gnu", "", ""),
        ("arm64-apple-darwin23.1.0", "", "arm64"),
        ("aarch64-unknown-linux-gnu", "", "arm64"),
        ("riscv64-unknown-linux-gnu", "", ""),
    ],
)
def test_the_best_architecture_of_a_machine(triple: str, features: str, arch: str):
    has = frozenset(CPU_ARCHS[features].features) if features else frozenset[str]()
    assert best_arch(triple, has) == arch


def test_code_of_another_system_is_refused():
    manifest = saxpy.compile(KERNELS[saxpy], target="cpu").manifest
    own = system_of(manifest.triple)
    other = "windows" if own != "windows" else "linux"
    trouble = why_unfit(manifest._replace(triple=manifest.triple.replace(own, other)))
    assert trouble == f"is for {other}, this is {own}"


def test_names_of_targets():
    assert versions_of("cpu:x86-64-v2+arm64") == ("cpu:x86-64-v2", "cpu:arm64")
    assert versions_of("cpu") == ("cpu",)
    assert versions_of("vulkan:1.6+sg8+bda") == ("vulkan:1.6+sg8+bda",)
    assert parse("x86-64-v3:w4").machine().cpu == "x86-64-v3"


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        ("x86-64-v5", "no architecture 'x86-64-v5', expected one of x86-64-v2, .* arm64, w1"),
        ("w8:arm64", "no architecture 'w8:arm64'"),
        ("arm64:w8:w8", "no architecture 'arm64:w8:w8'"),
        ("arm64+w8", "is several targets"),
    ],
)
def test_what_is_no_architecture_is_refused(arch: str, message: str):
    with pytest.raises(CompileError, match=message):
        find_target(f"cpu:{arch}")


def test_an_unknown_architecture_to_be_taken_for_is_refused(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(
        sw.DeviceError, match="STEPWELL_CPU_ARCH is 'x86', expected one of x86-64-v2"
    ):
        device_of("x86", monkeypatch)


def test_native_code_is_preferred_to_a_level():
    native = saxpy.compile(KERNELS[saxpy], target="cpu")
    device = CpuDevice()
    level = host_arch()
    if not level:
        pytest.skip("this processor is of none of the architectures")
    general = saxpy.compile(KERNELS[saxpy], target=f"cpu:{level}")
    assert device.accepts(native.manifest)
    assert device.accepts(general.manifest)
    assert set(native.manifest.needs) == host_features()
    assert best((native, general)) is native

"""The pages "how to add …" are followed to the letter: their code runs, their lit tests pass."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from array import array
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cuda_devices import simulated
from installed_packages import Install, packages

import stepwell as sw
from stepwell import registry, targets
from stepwell.lowering import levels, pipeline, pipelines, route
from stepwell.registry import register_dialect, register_pass
from stepwell.runtime import devices
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.launch_shape import LaunchOptions
from stepwell.runtime.vulkan.capabilities import language_features
from stepwell.tools.lit.features import available
from stepwell.tools.lit.runner import Verdict, run_test

__all__ = ["packages"]  # the fixture

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\bSTEPWELL_[A-Z_]+")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [match[2] for match in _BLOCK.finditer(text) if match[1] == language]


def follow(page: str) -> Any:
    """Run the Python of a page, one block after the other, in one module."""
    module = ModuleType(page.removesuffix(".md").replace("-", "_"))
    for code in blocks(page, "python"):
        exec(compile(code, page, "exec"), vars(module))
    return module


def check_lit(page: str, folder: Path) -> None:
    found = blocks(page, "mlir")
    assert found, f"{page} shows no lit test"
    for number, text in enumerate(found):
        path = folder / f"{number}.mlir"
        path.write_text(text, encoding="utf-8")
        result = run_test(path, available())
        assert result.verdict is Verdict.PASS, result.log


def test_add_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = follow("add-a-pass.md")
    register_pass(module.DoubleByAdding)
    check_lit("add-a-pass.md", tmp_path)

    def with_mine(**target: Any) -> pipeline.Pipeline:
        return pipelines.pipeline("simt-to-gpu", **target) + module.CountLoads()

    monkeypatch.setattr(route, "LOWERINGS", list(route.LOWERINGS))
    monkeypatch.setattr(registry, "deciding_modules", set[str]())
    route.register_lowering(route.Lowering("simt", "gpu", with_mine, cost=0))
    for device in sw.devices():
        said = doubled.explain(sw.Array[sw.f32, 1], device=device)
        assert re.search(r"\n  memory traffic:\n    \S+test_docs.py:\d+: 2 loads$", said)


@sw.kernel
def doubled(x: sw.Array[sw.f32, 1]) -> None:
    i = sw.global_id(0)
    x[i] = x[i] + x[0]


GEO_KERNEL = """
@sw.kernel
def kernel(x):
    i = sw.global_id(0)
    x[i] = geo.square_sum(x[i], 2)

@sw.kernel
def count(x):
    i = sw.global_id(0)
    x[i] = geo.population(x[i])
"""


def test_add_an_op(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = follow("add-an-op.md")
    register_dialect(module.GEO, lowered_by=module.GeoToGpu)
    register_pass(module.GeoToGpu)
    monkeypatch.setitem(sys.modules, "geo", module)
    check_lit("add-an-op.md", tmp_path)
    names: dict[str, Any] = {"geo": module, "sw": sw}
    path = tmp_path / "kernel.py"
    path.write_text(GEO_KERNEL, encoding="utf-8")
    exec(compile(GEO_KERNEL, str(path), "exec"), names)
    x = np.arange(4, dtype=np.float32)
    names["kernel"].over(4)(x)
    assert list(x) == [4, 5, 8, 13]
    bits = np.array([255, 6], np.uint8)
    names["count"].over(2)(bits)
    assert list(bits) == [8, 2]
    assert module.clamped_add(np.int8(100), np.int8(100)) == 127
    check_level_of_its_own(module, monkeypatch)


GEO_IR = """gpu.module @m {
  gpu.func @k(%x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %i = gpu.global_id x
    %v = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
    %w = geo.square_sum %v, %v : f32
    memref.store %w, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
"""


def check_level_of_its_own(module: Any, patch: pytest.MonkeyPatch) -> None:
    for table in (levels.LEVEL_TABLE, registry.LOWERED_BY):
        patch.setattr(table, "registered", {})
    patch.setattr(route, "LOWERINGS", list(route.LOWERINGS))
    patch.setattr(registry, "deciding_modules", set[str]())
    levels.register_level(module.LEVEL)
    route.register_lowering(module.LOWERING)
    x = np.arange(4, dtype=np.float32)
    sw.load(sw.compile_ir(GEO_IR))[1, 4](x)
    assert list(x) == [0, 2, 8, 18]


def test_kernels_as_ir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(route, "LOWERINGS", list(route.LOWERINGS))
    monkeypatch.setattr(registry, "deciding_modules", set[str]())
    module = follow("ir.md")
    assert str(route.step("simt", "gpu")).endswith("cse,cse")
    assert list(module.x) == [2 * i for i in range(64)]
    assert "arith.addf" in module.text
    check_lit("ir.md", tmp_path)


def test_add_a_device(monkeypatch: pytest.MonkeyPatch):
    module = follow("add-a-device.md")
    monkeypatch.setitem(sys.modules, "stepwell.runtime.twin", module)
    monkeypatch.setitem(devices.KINDS, "twin", ".twin")
    (twin,) = [found for found in devices.devices() if found.kind == "twin"]
    assert twin.target == "cpu"
    assert devices.device("twin").name == "twin:0"
    assert list(twin.array([1, 2, 3], "i32").numpy()) == [1, 2, 3]
    check_target(module, monkeypatch)
    check_report(module)


def check_target(module: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targets.TARGET_TABLE, "registered", {})
    patch.setattr(registry, "deciding_modules", set[str]())
    targets.register_target("listing", module.listing)
    text = doubled.ir("list", sw.Array[sw.f32, 1], target="listing:plain", over=1)
    assert re.search(r'gpux.check .* "index \{\} is out of .* site \d', text)
    made = sw.compile(doubled, (sw.Array[sw.f32, 1],), target="listing", over=1).only()
    assert made.payload.decode() == text
    assert made.manifest.target == "listing"


def check_report(module: Any) -> None:
    manifest = sw.compile(doubled, (sw.Array[sw.f32, 1],), target="cpu", over=1).only().manifest
    (site, *_) = manifest.sites

    def run(words: memoryview) -> None:
        words[0] = 11
        words[4:15] = memoryview(array("I", [1, 5, 0, 0, 7, 0, 0, 9, 0, 4, 0]))

    with pytest.raises(sw.OutOfBounds, match=r"index 9 is out of bounds .* with size 4") as caught:
        module.run_with_report(run, manifest, "twin:0")
    assert (caught.value.line, caught.value.device) == (site.line, "twin:0")
    assert (caught.value.block, caught.value.thread) == ((5, 0, 0), (7, 0, 0))


def test_a_device_in_a_package(packages: Install, tmp_path: Path):
    (project,) = blocks("a-device-in-a-package.md", "toml")
    (code,) = blocks("a-device-in-a-package.md", "python")
    groups = tomllib.loads(project)["project"]["entry-points"]
    packages("crew", code, {name.removeprefix("stepwell."): rows for name, rows in groups.items()})
    settings = {"STEPWELL_TEST_DEVICES": "crew", "PYTHONPATH": str(tmp_path)}
    tests = [f"tests/conformance/test_{name}.py" for name in ("print", "launch")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_the_table_of_features_has_those_that_devices_declare():
    words = frozenset({"float64", "int64", "int64_atomics", "denorm_preserve32"})
    known = {*CpuDevice.features, *language_features(words)}
    known |= {*LaunchOptions(True, (1, 1, 1), True).features()}
    with simulated() as gpu:
        known |= gpu.features
    _, _, table = (ROOT / "docs/add-a-device.md").read_text("utf-8").partition("| feature |")
    listed = {
        name
        for row in table.partition("\n\n")[0].splitlines()[2:]
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    # The driver of the tests has no tensor maps, and says that it is one.
    assert listed == (known | {"tensor_maps"}) - {"simulated"}


@pytest.mark.parametrize("page", [*DOCS, *ROOT.glob("*.md")], ids=lambda page: page.name)
def test_links_and_named_files_exist(page: Path):
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    named = re.findall(
        r"`((?:dialects|passes|lowering|runtime|language|tools|tests|src)/[^`\s]+)`", text
    )
    examples = {"passes/double_by_adding.py", "lowering/emit/wgsl.py", "runtime/webgpu.py"}
    missing = [
        name
        for name in named
        if name not in examples
        and not any(c in name for c in "<>*…")
        and not (ROOT / name).exists()
    ]
    assert missing == []


def test_architecture_names_what_there_is():
    text = _FENCED.sub("", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    passes = re.findall(r"`([a-z]+(?:-[a-z]+)+)(?:\{[^`]*)?`", text)
    assert set(passes) - {"mlir-opt"} <= set(registry.PASS_TABLE.names())
    package = {path.name for path in (ROOT / "src/stepwell").glob("[a-z]*.py")}
    assert package <= set(re.findall(r"`(\w+\.py)`", text))
    placed = re.findall(r"`([\w.]+)`\s+\(`((?:src|runtime|language)/[\w/]+\.py)`\)", text)
    assert len(placed) > 3
    for name, file in placed:
        code = (ROOT / file).read_text(encoding="utf-8")
        for part in name.split("."):
            assert re.search(rf"^\s*(?:def|class) {part}\b", code, re.M), f"{name} in {file}"


def test_environment_variables_are_those_that_the_code_asks_for():
    folders = ("dialects", "language", "lowering", "passes", "runtime", "src", "tools")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    asked = {name for file in files for name in _VARIABLE.findall(file.read_text("utf-8"))}
    table = (ROOT / "docs/environment.md").read_text("utf-8")
    assert {name for name in _VARIABLE.findall(table) if "_TEST_" not in name} == asked


def test_from_cuda(tmp_path: Path):
    (code,) = blocks("from-cuda.md", "python")
    path = tmp_path / "sums.py"  # of a kernel, the source is looked at
    path.write_text(code, encoding="utf-8")
    program = runpy.run_path(str(path))["block_sums"]
    x, sums = np.arange(5000, dtype=np.float32), np.zeros(4, np.float32)
    for device in sw.devices():
        program.launch(4, 256, device=device)(x, sums)
        assert sums.sum() == x.sum()
        sums[:] = 0


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.stem)
def test_names_of_pages_are_there(page: Path):
    for name in set(re.findall(r"\bsw\.([a-z]\w*)\b", page.read_text(encoding="utf-8"))):
        assert hasattr(sw, name), f"{page.name} speaks of sw.{name}"

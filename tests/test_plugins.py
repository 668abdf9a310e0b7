"""Levels, lowerings, passes, dialects and targets of packages that are installed, not imported."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from installed_packages import Install, packages
from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

import stepwell as sw
from stepwell import caching, registry, targets
from stepwell.lowering import levels, route
from stepwell.lowering.parse import make_context
from stepwell.lowering.pipeline import Nested, Pipeline
from stepwell.lowering.pipelines import pipeline
from stepwell.runtime.devices import why_missing
from stepwell.tools import doctor
from stepwell.tools.main import main

__all__ = ["packages"]  # the fixture

TOY = '''
from dataclasses import dataclass, replace

from xdsl.dialects import arith
from xdsl.dialects.builtin import f32
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.lowering.conversion import Legality, Rules, convert
from stepwell.lowering.levels import LEVELS, Level
from stepwell.lowering.pipeline import Pipeline
from stepwell.lowering.route import Lowering


@irdl_op_definition
class TwiceOp(IRDLOperation):
    name = "toy.twice"
    value = operand_def(f32)
    result = result_def(f32)


RULES = Rules()


@RULES.converts(TwiceOp)
def twice(op, operands, rw):
    ((value,),) = operands
    exact = {"fastmath": arith.FastMathFlagsAttr("none")}
    return rw.value(arith.AddfOp, [value, value], f32, exact)


@dataclass(frozen=True)
class ToyToGpu(ModulePass):
    """Lowers toy to arith."""

    name = "toy-to-gpu"

    def apply(self, ctx, op):
        convert(op, RULES, Legality({"toy": False}, default=True), goal="gpu")


def way(**target):
    return Pipeline((ToyToGpu(),))


DIALECT = Dialect("toy", [TwiceOp], [])
LEVEL = replace(LEVELS["gpu"], name="toy", ops=LEVELS["gpu"].ops | {"toy"})
LOWERING = Lowering("toy", "gpu", way)
'''
POINTS = {
    "dialects": {"toy": "toypackage:DIALECT"},
    "passes": {"toy-to-gpu": "toypackage:ToyToGpu"},
    "levels": {"toy": "toypackage:LEVEL"},
    "lowerings": {"toy-to-gpu": "toypackage:LOWERING"},
}
MEMREF = "memref<?xf32, #gpu.address_space<global>>"
KERNEL = f"""gpu.module @m {{
  gpu.func @k(%x: {MEMREF}) kernel {{
    %i = gpu.global_id x
    %v = memref.load %x[%i] : {MEMREF}
    %w = "toy.twice"(%v) : (f32) -> f32
    memref.store %w, %x[%i] : {MEMREF}
    gpu.return
  }}
}}
"""


@pytest.fixture
def toy(packages: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "toypackage", raising=False)
    packages("toypackage", TOY, POINTS)


@pytest.mark.usefixtures("toy")
def test_a_level_of_an_installed_package_reaches_a_device():
    bundle = sw.compile_ir(KERNEL, level="toy")
    x = np.arange(4, dtype=np.float32)
    sw.load(bundle)[1, 4](x)
    assert list(x) == [0, 2, 4, 6]


@pytest.mark.usefixtures("toy")
def test_the_level_is_seen_from_the_ops_and_shown_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "kernel.mlir"
    file.write_text(KERNEL, encoding="utf-8")
    assert main(["compile", str(file), "--emit", "toy"]) == 0
    assert '"toy.twice"' in capsys.readouterr().out
    assert main(["compile", str(file), "--emit", "ptx"]) == 0
    assert "add.rn.f32" in capsys.readouterr().out


@pytest.mark.usefixtures("toy")
def test_routes_and_pipelines_know_it():
    way = route.route("toy", "llvm", check=True, subgroup_size=8, half_instructions="false")
    assert str(way).startswith('check-level{level="toy"},toy-to-gpu,check-level{level="gpu"}')
    assert "toy-to-gpu" in registry.pass_names()
    assert make_context().get_optional_op("toy.twice") is not None


@pytest.mark.usefixtures("toy")
def test_what_the_level_does_not_have_is_refused():
    text = KERNEL.replace("gpu.return", "llvm.unreachable")
    with pytest.raises(sw.CompileError, match="this op does not exist at level toy"):
        sw.compile_ir(text, level="toy")


def test_a_package_that_cannot_be_imported_is_named(packages: Install):
    packages("lame", "import nowhere_at_all\n", {"levels": {"lame": "lame:LEVEL"}})
    with pytest.raises(sw.CompileError) as caught:
        levels.find_level("lame")
    assert str(caught.value) == (
        "level 'lame' of package lame (lame:LEVEL) cannot be loaded: "
        "ModuleNotFoundError: No module named 'nowhere_at_all'"
    )


@pytest.mark.parametrize(
    ("group", "value", "reason"),
    [
        ("levels", "wrong:NUMBER", "expected a Level, got 3"),
        ("passes", "wrong:NUMBER", "expected a subclass of xdsl.passes.ModulePass, got 3"),
        ("passes", "stepwell.passes.cse:Cse", "it is called 'cse'"),
        ("dialects", "wrong:NUMBER", "expected an xdsl.ir.Dialect, got 3"),
        ("lowered_by", "wrong:NUMBER", "expected a subclass of xdsl.passes.ModulePass, got 3"),
        ("lowerings", "wrong:NUMBER", "expected a Lowering, got 3"),
        ("lowerings", "wrong:LOWERING", "there is no level 'nirvana'"),
        ("targets", "wrong:NUMBER", "expected a function that gives a Target, got 3"),
    ],
)
def test_what_is_not_of_the_kind_is_refused(packages: Install, group: str, value: str, reason: str):
    code = (
        "from stepwell.lowering.route import Lowering\n"
        "NUMBER = 3\nLOWERING = Lowering('gpu', 'nirvana', None)\n"
    )
    packages("wrong", code, {group: {"x": value}})
    find = {
        "levels": levels.find_level,
        "passes": registry.find_pass,
        "dialects": registry.DIALECT_TABLE.find,
        "lowered_by": registry.find_lowering,
        "lowerings": lambda name: route.route("gpu", "simt"),
        "targets": targets.find_target,
    }[group]
    with pytest.raises(sw.CompileError, match=f"of package wrong .* cannot be used: {reason}"):
        find("x")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"assemble": len}, r"assemble of target 'odd' gave \d+, expected a Payload"),
        ({"levels": ("gpu", "nirvana"), "sites_at": "gpu"}, "no level is called 'nirvana'"),
        ({"levels": ("gpu", "spirv"), "sites_at": "gpu"}, "no lowering leads from level 'gpu' to"),
    ],
    ids=["payload", "level", "way"],
)
def test_a_target_that_is_wrong_says_how(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], reason: str
):
    odd = replace(targets.find_target("cuda"), name="odd", **changes)
    monkeypatch.setitem(targets.TARGETS, "odd", odd)

    @sw.kernel
    def nothing(x):
        x[0] = 1

    with pytest.raises(sw.CompileError, match=reason):
        nothing.ir("asm", sw.Array[sw.i32, 1], target="odd")


TARGET = """
from dataclasses import replace
from stepwell.targets import find_target

def family(arch):
    return replace(find_target("cpu"), name="abacus", arch=arch)
"""


def test_a_target_of_an_installed_package_is_compiled_for(packages: Install):
    packages("abacus", TARGET, {"targets": {"abacus": "abacus:family"}})
    assert targets.find_target("abacus:wood").arch == "wood"
    artifact = sw.compile(doubled, (sw.Array[sw.f32, 1],), target="abacus", over=1).only()
    assert artifact.manifest.target == "abacus"


@sw.kernel
def doubled(x):
    i = sw.global_id(0)
    x[i] = x[i] + x[i]


def test_the_disk_cache_sees_when_the_package_of_a_target_changes(
    packages: Install, tmp_path: Path
):
    packages("rusty", TARGET, {"targets": {"rusty": "rusty:family"}})
    before = caching.packages_of("rusty:iron")
    assert caching.packages_of("rusty:iron") == before != ""
    (tmp_path / "rusty.py").write_text(TARGET + "# another file\n", encoding="utf-8")
    assert caching.packages_of("rusty:iron") != before
    assert caching.packages_of("cpu:x86-64-v2") == ""


def test_the_disk_cache_sees_a_registered_lowering(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(route, "LOWERINGS", list(route.LOWERINGS))
    monkeypatch.setattr(registry, "deciding_modules", set())
    assert caching.packages_of("cpu") == ""
    route.register_lowering(route.Lowering("gpu", "cpu", another_way, cost=0))
    assert __file__ in caching.packages_of("cpu")


@dataclass(frozen=True)
class WiderStores(ModulePass):
    """Stores what is twice as wide as the array's elements."""

    name = "wider-stores"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for store in [inner for inner in op.walk() if isinstance(inner, memref.StoreOp)]:
            wide = arith.ExtFOp(store.value, f64)
            Rewriter.insert_op(wide, InsertPoint.before(store))
            store.operands[0] = wide.result


@pytest.mark.parametrize("nested", [False, True])
def test_invalid_ir_of_another_package_s_pass_is_no_code(
    monkeypatch: pytest.MonkeyPatch, nested: bool
):
    mine = Pipeline((WiderStores(),))
    mine = Pipeline((Nested("gpu.module", mine),)) if nested else mine
    monkeypatch.setattr(route, "LOWERINGS", list(route.LOWERINGS))
    monkeypatch.setattr(registry, "deciding_modules", set())

    def with_mine(**target: Any) -> Pipeline:
        return pipeline("simt-to-gpu", **target) + mine

    route.register_lowering(route.Lowering("simt", "gpu", with_mine, cost=0))
    with pytest.raises(sw.CompileError, match="invalid IR after wider-stores: memref") as caught:
        doubled.ir("gpu", sw.Array[sw.f32, 1])
    assert caught.value.location is not None
    assert caught.value.location.file == __file__


def another_way(**parameters: object) -> Pipeline:
    return Pipeline()


def test_two_packages_with_one_name_are_told_apart(packages: Install):
    packages("one", "", {"passes": {"shared": "one:A"}})
    packages("two", "", {"passes": {"shared": "two:B"}})
    with pytest.raises(sw.CompileError, match=r"several of pass 'shared': package .* and package"):
        registry.find_pass("shared")


def test_what_is_ours_stays_ours(packages: Install):
    packages("greedy", "", {"passes": {"cse": "greedy:A"}, "levels": {"gpu": "greedy:B"}})
    assert registry.find_pass("cse").__module__ == "stepwell.passes.cse"
    assert levels.find_level("gpu") is levels.LEVELS["gpu"]


@pytest.mark.usefixtures("toy")
def test_doctor_lists_what_packages_add(packages: Install):
    packages("lame", "import nowhere_at_all\n", {"passes": {"lame": "lame:P", "cse": "lame:Q"}})
    code = "from stepwell.lowering.route import Lowering\nL = Lowering('gpu', 'cpu', None)\n"
    packages("late", code, {"lowerings": {"late": "late:L"}})
    found = {one.what: one for one in doctor.extensions()}
    assert found["level toy"].state == "package toypackage (toypackage:LEVEL)"
    assert found["level toy"].fix == found["lowering toy-to-gpu"].fix == ""
    assert "cannot be loaded: ModuleNotFoundError" in found["pass lame"].fix
    assert found["pass cse"].fix.startswith("stepwell's own pass of that name stays")
    assert found["lowering late"].fix == "stepwell's own way from gpu to cpu stays"


def test_devices_of_a_broken_package_are_absent_and_it_is_said_why(packages: Install):
    packages("lamedevices", "import nowhere_at_all\n", {"devices": {"lame": "lamedevices"}})
    packages("halfdevices", "def find():\n    return []\n", {"devices": {"half": "halfdevices"}})
    assert {one.kind for one in sw.devices()}.isdisjoint({"lame", "half"})
    reasons = dict(why_missing())
    assert reasons["lame"].startswith("devices 'lame' (lamedevices) cannot be loaded: ModuleNotF")
    assert reasons["half"].startswith("devices 'half' are <module 'halfdevices' from ")
    assert reasons["half"].endswith(", which has no function why_missing")
    with pytest.raises(sw.DeviceError, match=r"'lame' .* cannot be loaded"):
        sw.device("lame")


def test_devices_whose_search_fails_are_absent_and_it_is_said_why(packages: Install):
    code = "def find():\n    return [][0]\n\ndef why_missing():\n    return None\n"
    packages("clumsy", code, {"devices": {"clumsy": "clumsy"}})
    packages(
        "mute",
        "def find():\n    return []\n\nwhy_missing = find().pop\n",
        {"devices": {"mute": "mute"}},
    )
    assert {one.kind for one in sw.devices()}.isdisjoint({"clumsy", "mute"})
    reasons = dict(why_missing())
    said = "find() of devices 'clumsy' raised IndexError: list index out of range"
    assert reasons["clumsy"] == said
    assert reasons["mute"].startswith("why_missing() of devices 'mute' raised IndexError: pop from")
    with pytest.raises(sw.DeviceError, match=re.escape(said)):
        sw.device("clumsy")

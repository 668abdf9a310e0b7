"""Matrices on the units of Vulkan devices: which units, what a device must have, valid SPIR-V."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance.compare import DTYPES
from conformance.test_ir_matrices import product
from oracles.shader_device import ShaderDevice, register, unregister
from spirv_tools import text_of, validate_newest

import stepwell as sw
from stepwell.compiler import compile_module
from stepwell.dialects import gpu
from stepwell.ir_files import parameters
from stepwell.lowering.emit.spirv import deserialise, serialise
from stepwell.lowering.parse import parse_module
from stepwell.runtime.artifact import Artifact
from stepwell.runtime.errors import KernelError
from stepwell.runtime.vulkan.api import S, listed
from stepwell.runtime.vulkan.capabilities import matrix_words
from stepwell.runtime.vulkan.instance import Instance
from stepwell.runtime.vulkan.kernel import why_unfit
from stepwell.runtime.vulkan.profile import Profile
from stepwell.runtime.vulkan.table import SCOPE_SUBGROUP
from stepwell.targets import find_target

NATIVE = "bda+cooperative_matrix+float16+float64+int16+int64+int8"
UNITS = (
    "matrix_16x16x16_f16_f16+matrix_16x16x16_f16_f32+matrix_16x16x32_s8_s32+matrix_16x16x32_u8_u32"
    "+matrix_16x8x16_f16_f32"
)
REST = "memory_model+storage16+storage8+subgroup_basic"
PROFILE = f"1.6+sg32+{NATIVE}+{UNITS}+{REST}"
HALVES, SINGLES = sw.Array[sw.f16, 2], sw.Array[sw.f32, 2]


def artifact(text: str, profile: str = PROFILE) -> Artifact:
    module = parse_module(text.replace("GLOBAL", "#gpu.address_space<global>"), "<test>")
    kernel = next(op for op in module.walk() if isinstance(op, gpu.FuncOp))
    way = find_target(f"vulkan:{profile}")
    return compile_module(module, kernel.sym_name.data, parameters(kernel), way, start="gpu")


# Rows, columns and depth; elements in memory, of the sums, of the matrices; the unit.
PRODUCTS: dict[str, tuple[Any, str, str, str, str]] = {
    "the unit's own shape": ((16, 16, 16), "f16", "f32", "f16", "matrix_16x16x16_f16_f32"),
    "sums of halves": ((16, 16, 16), "f16", "f16", "f16", "matrix_16x16x16_f16_f16"),
    "several tiles": ((32, 48, 32), "f16", "f32", "f16", "matrix_16x16x16_f16_f32"),
    "a smaller unit": ((16, 8, 16), "f16", "f32", "f16", "matrix_16x8x16_f16_f32"),
    "with a sign": ((16, 16, 32), "i8", "i32", "si8", "matrix_16x16x32_s8_s32"),
    "without a sign": ((16, 16, 32), "i8", "i32", "ui8", "matrix_16x16x32_u8_u32"),
}


@pytest.mark.parametrize("addresses", [True, False], ids=["addresses", "bindings"])
@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "turned"])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_valid_spirv(name: str, turned: bool, addresses: bool):
    shape, kind, sums, element, unit = PRODUCTS[name]
    profile = PROFILE if addresses else PROFILE.replace("+bda", "")
    made = artifact(product(shape, kind, sums, element, turned), profile)
    validate_newest(made.payload)
    assert {"cooperative_matrix", "memory_model", unit} <= set(made.manifest.features)
    module = deserialise(made.payload)
    assert "CooperativeMatrixMulAdd" in str(module)
    assert text_of(deserialise(serialise(module))) == text_of(module)


ELEMENTWISE = ("addf", "subf", "mulf", "divf", "maxf", "minf", "negatef")


@pytest.mark.parametrize("word", ELEMENTWISE)
def test_operations_on_elements_are_valid_spirv(word: str):
    text = product((16, 16, 16), "f16", "f32", "f16", turned=False)
    c = '!gpu.mma_matrix<16x16xf32, "COp">'
    if word == "negatef":
        old, new = f"mulf %sum, %old : ({c}, {c})", f"negatef %sum : ({c})"
    else:
        old, new = "mulf %sum", f"{word} %sum"
    assert old in text
    profile = PROFILE.replace("+float16", "+exact_division+float16") if word == "divf" else PROFILE
    payload = artifact(text.replace(old, new), profile).payload
    validate_newest(payload)
    assert "CooperativeMatrixMulAdd" in str(deserialise(payload))


def test_quotients_are_those_of_scalars_where_a_device_does_not_round_them():
    text = product((16, 16, 16), "f16", "f32", "f16", turned=False).replace(
        "mulf %sum", "divf %sum"
    )
    assert "cooperative_matrix" not in artifact(text).manifest.features


def test_what_a_block_shares_is_told_to_the_vulkan_memory_model():
    """Barriers, atomics, shared arrays, checks and prints beside a matrix."""

    def kernel(x, z, count):
        tile = sw.shared((16, 16), sw.f16)
        t = sw.thread_id(0)
        for i in range(t, 256, sw.block_dim(0)):
            tile[i // 16, i % 16] = x[i // 16, i % 16]
        sw.barrier()
        a = sw.matrix.load(tile, 0, 0, (16, 16), "a")
        b = sw.matrix.load(x, 0, 0, (16, 16), "b")
        c = sw.matrix.multiply_add(a, b, sw.matrix.fill(0.0, (16, 16), sw.f32))
        old = sw.atomic_add(count, 0, 1, order="acq_rel")
        if old == 7:
            print(old)
        sw.matrix.store(z, 0, 0, c)

    types = (HALVES, SINGLES, sw.Array[sw.i32, 1])
    made = sw.kernel(kernel).compile(types, target=f"vulkan:{PROFILE}")
    validate_newest(made.payload)
    text = sw.kernel(kernel).ir("spirv", *types, target=f"vulkan:{PROFILE}")
    accesses = re.findall(r'spirv.(?:Load|Store) "(?:PhysicalStorageBuffer|Workgroup)".*', text)
    assert accesses
    assert [line for line in accesses if "NonPrivatePointer" not in line] == []


def triple(x, y, z):
    a = sw.matrix.load(x, 0, 0, (16, 16), "a")
    b = sw.matrix.load(y, 0, 0, (16, 16), "b")
    sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(a, b, sw.matrix.fill(0.0, (16, 16), sw.f32)))


WHY: dict[str, tuple[str, str]] = {
    "nothing listed": ("+cooperative_matrix+" + UNITS, "the device has no units for it"),
    "no memory model": ("+memory_model", "the device has no units for it"),
    "no halves in memory": ("+storage16", "the device does not compute with f16"),
    "another shape": (
        "+matrix_16x16x16_f16_f32+matrix_16x16x32_s8_s32+matrix_16x16x32_u8_u32"
        "+matrix_16x8x16_f16_f32",
        "no units for 16x16x16 of f16 with sums of f32, only 16x16x16 f16 to f16",
    ),
}


class Explained(ShaderDevice):
    """No device, but a profile to explain for."""

    def __init__(self, profile: str) -> None:
        super().__init__()
        self._profile = profile

    @property
    def target(self) -> str:
        return f"vulkan:{self._profile}"


@pytest.mark.parametrize("name", WHY)
def test_explain_says_why_scalars_multiply(name: str):
    missing, reason = WHY[name]
    profile = PROFILE
    for word in missing.split("+")[1:]:
        profile = profile.replace(f"+{word}", "")
    said = sw.kernel(triple).explain(HALVES, HALVES, SINGLES, device=Explained(profile))
    assert f"is computed with scalars, row by row in each lane: {reason}" in said.replace(
        "the device has no units for 16", "no units for 16"
    )
    assert "matrix units" not in said


def test_explain_says_which_unit_multiplies():
    said = sw.kernel(triple).explain(HALVES, HALVES, SINGLES, device=Explained(PROFILE))
    assert "  matrix units:\n" in said
    assert "is computed by units for 16x16x16 f16 to f32" in said
    assert "stands for what the device lacks: nothing" in said


def test_an_artifact_is_refused_where_its_unit_is_missing():
    manifest = artifact(product((16, 16, 16), "f16", "f32", "f16", turned=False)).manifest
    profile = Profile.parse(PROFILE)
    assert why_unfit(manifest, profile, range(32, 33)) is None
    other = profile._replace(capabilities=profile.capabilities - {"matrix_16x16x16_f16_f32"})
    assert why_unfit(manifest, other, range(32, 33)) == "the device lacks matrix_16x16x16_f16_f32"


def test_words_are_made_of_what_subgroups_multiply():
    def row(a: int, c: int, **other: int) -> Any:
        fields = {"AType": a, "BType": a, "CType": c, "ResultType": c, "scope": 3, **other}
        return S.CooperativeMatrixPropertiesKHR(MSize=16, NSize=8, KSize=32, **fields)

    rows = [row(0, 1), row(3, 5), row(7, 9), row(7, 5, saturatingAccumulation=1)]
    rows += [row(0, 0, scope=2), row(0, 0, BType=1), row(0, 0, ResultType=1), row(1000141000, 1)]
    assert matrix_words(rows) == {
        *("matrix_16x8x32_f16_f32", "matrix_16x8x32_s8_s32", "matrix_16x8x32_u8_u32")
    }


MOCK = Path("/usr/lib/chromium/libVkICD_mock_icd.so")


@pytest.mark.skipif(
    not MOCK.exists(), reason="needs the Vulkan driver without a device of chromium"
)
def test_a_driver_is_asked_for_its_products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Through the loader; the driver computes nothing, and lists products of words with words."""
    file = tmp_path / "mock.json"
    icd = {"library_path": str(MOCK), "api_version": "1.3.0"}
    file.write_text(json.dumps({"file_format_version": "1.0.1", "ICD": icd}), encoding="utf-8")
    monkeypatch.setenv("VK_DRIVER_FILES", str(file))
    monkeypatch.setenv("VK_ICD_FILENAMES", str(file))
    monkeypatch.delenv("STEPWELL_VALIDATE", raising=False)
    instance = Instance()
    (handle,) = instance.physical_devices()
    ask = instance.functions.GetPhysicalDeviceCooperativeMatrixPropertiesKHR
    rows = listed(lambda *rest: ask(handle, *rest), S.CooperativeMatrixPropertiesKHR)
    instance.close()
    u32 = 9
    assert {(row.MSize, row.NSize, row.KSize, row.AType) for row in rows} == {(16, 16, 16, u32)}
    assert SCOPE_SUBGROUP in {row.scope for row in rows}
    assert matrix_words(rows) == set()  # no word for such factors
    for row in rows:
        row.AType = row.BType = 7
    assert matrix_words(rows) == {"matrix_16x16x16_u8_u32"}


# --- executed, by what the shader level means -----------------------------------------------------

SMALL = (
    "sg4+cooperative_matrix+float16+int16+int8+memory_model+storage16+storage8+subgroup_basic"
    "+matrix_4x8x8_f16_f32+matrix_4x4x8_s8_s32"
)


@pytest.fixture
def device() -> Generator[ShaderDevice]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield register(SMALL)
        unregister()


@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "turned"])
@pytest.mark.parametrize(("factors", "sums"), [(sw.f16, sw.f32), (sw.i8, sw.i32)], ids=str)
def test_tiles_make_up_a_product(device: ShaderDevice, factors: Any, sums: Any, turned: bool):
    row, column = (8, 0) if turned else (0, 8)  # of what begins in the middle of the depth

    def kernel(x, y, z):
        a = sw.matrix.load(x, row, column, (8, 16), "a", turned)
        b = sw.matrix.load(y, column, row, (16, 16), "b", turned)
        c = sw.matrix.load(z, 0, 0, (8, 16), transpose=turned)
        sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(a, b, c), turned)

    random = np.random.default_rng(1)
    plain = [random.integers(-4, 5, shape) for shape in ((8, 24), (24, 16), (8, 16))]
    expected = plain[0][:, 8:] @ plain[1][8:] + plain[2]
    kinds = (factors, factors, sums)
    given = [
        np.ascontiguousarray(array.T if turned else array).astype(DTYPES[str(kind)])
        for array, kind in zip(plain, kinds, strict=True)
    ]
    said = sw.kernel(kernel).explain(*(sw.Array[kind, 2] for kind in kinds), device=device)
    tile = "!gpu.mma_matrix<4x8x"  # which the CPU under this device multiplies
    assert f"a product of {tile}" in said
    sw.kernel(kernel).launch(1, 4, device=device)(*given)
    np.testing.assert_array_equal(given[2].T if turned else given[2], expected)


@pytest.mark.parametrize(
    ("shape", "row", "message"),
    [
        ((16, 18), 0, "the rows of a matrix must be at multiples of 16 bytes"),
        ((17, 20), 1, "the start of a matrix must be at multiples of 16 bytes"),
    ],
)
def test_places_that_units_do_not_take_are_reported(
    device: ShaderDevice, shape: tuple[int, int], row: int, message: str
):
    def kernel(x, z, row):
        a = sw.matrix.load(x, row, 0, (4, 8), "a")
        b = sw.matrix.load(x, 0, 0, (8, 8), "b")
        c = sw.matrix.multiply_add(a, b, sw.matrix.fill(0.0, (4, 8), sw.f32))
        sw.matrix.store(z, 0, 0, c)

    x, z = np.ones(shape, np.float16), np.zeros((8, 8), np.float32)
    with pytest.raises(KernelError, match=message):
        sw.kernel(kernel).launch(1, 4, device=device)(x, z, row)
    register(SMALL.replace("+matrix_4x8x8_f16_f32", ""))
    scalars = sw.device("shader-cpu")
    sw.kernel(kernel).launch(1, 4, device=scalars)(x, z, row)
    np.testing.assert_array_equal(z[:4], 8)


def extended() -> str:
    """Sums of halves, extended to those of another product."""
    a, b = (f'!gpu.mma_matrix<16x16xf16, "{role}Op">' for role in "AB")
    c, d = (f'!gpu.mma_matrix<16x16x{kind}, "COp">' for kind in ("f16", "f32"))
    x, z = "memref<16x16xf16, GLOBAL>", "memref<16x16xf32, GLOBAL>"
    of, op = "{leadDimension = 16 : index} :", "gpu.subgroup_mma"
    lines = [
        "%o = arith.constant 0 : index",
        "%zero = arith.constant 0.0 : f16",
        f"%c = {op}_constant_matrix %zero : {c}",
        f"%a = {op}_load_matrix %x[%o, %o] {of} {x} -> {a}",
        f"%b = {op}_load_matrix %x[%o, %o] {of} {x} -> {b}",
        f"%d = {op}_compute %a, %b, %c : {a}, {b} -> {c}",
        f"%w = {op}_elementwise extf %d : ({c}) -> {d}",
        f"%e = {op}_compute %a, %b, %w : {a}, {b} -> {d}",
        f"{op}_store_matrix %e, %z[%o, %o] {of} {d}, {z}",
        "gpu.return",
    ]
    body = "\n".join(lines)
    return f"gpu.module @m {{ gpu.func @k(%x: {x}, %z: {z}) kernel {{\n{body}\n}} }}"


def test_matrices_that_one_op_turns_into_others_have_the_same_tiles():
    assert "cooperative_matrix" in artifact(extended()).manifest.features
    apart = PROFILE.replace("16x16x16_f16_f16", "16x8x16_f16_f16")
    made = artifact(extended(), apart.replace("+matrix_16x8x16_f16_f32", ""))
    assert "cooperative_matrix" not in made.manifest.features

"""f16 and bf16 in PTX: packed instructions and atomics, executed, with the bits of f32's way."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx.module import Memory, Module

import stepwell as sw
from stepwell.compiler import lower_and_print
from stepwell.language.types import ArrayType, bf16
from stepwell.lowering.emit.ptx import find_tool, resources
from stepwell.lowering.parse import parse_module
from stepwell.targets import find_target

ARCHITECTURES = ("sm_75", "sm_80", "sm_90a", "sm_100a", "sm_120")
LANES = 256
DTYPES = {"f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}
OPS = {"addf": np.add, "subf": np.subtract, "mulf": np.multiply}
PAIRS = """
gpu.module @m {{
  gpu.func @k(%x: memref<?xvector<2x{kind}>, #gpu.address_space<global>>,
              %y: memref<?xvector<2x{kind}>, #gpu.address_space<global>>) kernel {{
    %i = gpu.global_id x
    %a = memref.load %x[%i] : memref<?xvector<2x{kind}>, #gpu.address_space<global>>
    {body}
    gpu.return
  }}
}}
"""
ARITHMETIC = """
    %b = memref.load %y[%i] : memref<?xvector<2x{kind}>, #gpu.address_space<global>>
    %r = arith.{op} %a, %b : vector<2x{kind}>
    memref.store %r, %y[%i] : memref<?xvector<2x{kind}>, #gpu.address_space<global>>
"""
ATOMIC = """
    %zero = arith.constant 0 : index
    %old = gpux.atomic_rmw "add" %a, %y[%zero] order "relaxed" scope "device"
      : vector<2x{kind}>, memref<?xvector<2x{kind}>, #gpu.address_space<global>>
"""


def ptx(kind: str, body: str, arch: str, **names: str) -> str:
    text = PAIRS.format(kind=kind, body=body.format(kind=kind, **names))
    module = parse_module(text, "<test>")
    module.verify()
    return lower_and_print(module, find_target(f"cuda:{arch}"), "gpu", "ptx")


def run(text: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The kernel `k` over all pairs; y as it is after it."""
    memory = Memory()
    module = Module(text, memory)
    given: list[bytes] = []
    places = [memory.allocate(array.nbytes) for array in (x, y)]
    for place, array in zip(places, (x, y), strict=True):
        memory.write(place, array.view(np.uint16))
        given += [place.to_bytes(8, "little"), (array.size // 2).to_bytes(8, "little")]
    module.run("k", (1, 1, 1), (x.size // 2, 1, 1), given, 0)
    return np.frombuffer(memory.read(places[1], y.nbytes), np.uint16)


def numbers(kind: str, seed: int) -> np.ndarray:
    """Bits of all magnitudes, without NaN."""
    bits = np.random.default_rng(seed).integers(0, 1 << 16, 2 * LANES).astype(np.uint16)
    infinity = {"f16": 0x7C00, "bf16": 0x7F80}[kind]
    return np.where(bits & 0x7FFF > infinity, 0, bits).astype(np.uint16).view(DTYPES[kind])


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("kind", DTYPES)
def test_pairs_have_the_bits_of_f32_rounded(kind: str, op: str, arch: str) -> None:
    x, y = numbers(kind, 1), numbers(kind, 2)
    with np.errstate(all="ignore"):
        expected = OPS[op](x.astype(np.float32), y.astype(np.float32)).astype(DTYPES[kind])
        result = run(ptx(kind, ARITHMETIC, arch, op=op), x, y).view(DTYPES[kind])
        numeric = ~np.isnan(expected)
        assert np.isnan(result[~numeric]).all()
    np.testing.assert_array_equal(
        result[numeric].view(np.uint16), expected[numeric].view(np.uint16)
    )


@pytest.mark.parametrize(
    ("kind", "op", "arch", "instruction"),
    [
        ("f16", "addf", "sm_75", "add.rn.f16x2"),
        ("f16", "subf", "sm_90", "sub.rn.f16x2"),
        ("f16", "mulf", "sm_75", "mul.rn.f16x2"),
        ("bf16", "addf", "sm_90", "add.rn.bf16x2"),
        ("bf16", "subf", "sm_90", "sub.rn.bf16x2"),
        ("bf16", "addf", "sm_80", "add.rn.f32"),
        ("bf16", "mulf", "sm_90", "mul.rn.f32"),
    ],
)
def test_pairs_are_one_instruction(kind: str, op: str, arch: str, instruction: str) -> None:
    assert instruction in ptx(kind, ARITHMETIC, arch, op=op)


@pytest.mark.parametrize("kind", DTYPES)
def test_pairs_are_added_by_one_atomic(kind: str) -> None:
    text = ptx(kind, ATOMIC, "sm_90")
    assert f"red.relaxed.gpu.global.add.noftz.{kind}x2" in text
    x = np.tile(np.array([1, -0.5], DTYPES[kind]), 32)
    y = np.zeros(2, DTYPES[kind])
    assert run(text, x, y).view(DTYPES[kind]).tolist() == [32, -16]


@pytest.mark.skipif(find_tool("ptxas") is None, reason="ptxas (nvidia-cuda-nvcc) is not installed")
@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("kind", DTYPES)
def test_ptxas_takes_them(kind: str, arch: str) -> None:
    for op in OPS:
        assert resources(ptx(kind, ARITHMETIC, arch, op=op), arch).spill_bytes == 0
    if kind == "f16" or arch not in ("sm_75", "sm_80"):
        assert resources(ptx(kind, ATOMIC, arch), arch).spill_bytes == 0


def test_an_atomic_of_bf16_pairs_needs_sm_90() -> None:
    with pytest.raises(sw.CompileError, match="an atomic add of vector<2xbf16>"):
        ptx("bf16", ATOMIC, "sm_80")


def neighbours(x, y):
    i = sw.global_id(0)
    for j in sw.unroll(range(4)):
        y[4 * i + j] += x[4 * i + j]


@pytest.mark.parametrize("kind", DTYPES)
def test_python_on_neighbouring_elements_is_packed(kind: str) -> None:
    array = ArrayType(getattr(sw, kind), 1).aligned(16)
    made = sw.kernel(checks=False)(neighbours)
    text = made.ir("ptx", array, array, target="cuda:sm_90", small=True, disjoint=True)
    assert f"add.rn.{kind}x2" in text and "ld.global.nc.v2.b32" in text


def as_bfloat(x, y):
    i = sw.global_id(0)
    y[i] = sw.bf16(x[i])


@pytest.mark.parametrize("integer", ["i32", "u32", "i64", "u64"])
def test_integers_become_bf16_without_f64(integer: str) -> None:
    types = ArrayType(getattr(sw, integer), 1), ArrayType(bf16, 1)
    text = sw.kernel(as_bfloat).ir("ptx", *types, target="cuda:sm_90")
    assert "f64" not in text and "cvt.rn.f32." in text

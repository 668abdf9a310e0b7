"""Matrix units of NVIDIA GPUs, executed by the PTX interpreter and held against NumPy."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import runpy
from collections.abc import Generator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx_device import KIND, PtxDevice, register, unregister
from oracles.ptx_launch import launch_ptx

import stepwell as sw
from stepwell.lowering.emit.ptx import find_tool, resources
from stepwell.runtime.devices import KINDS

EXAMPLE = Path(__file__).parent.parent / "examples" / "matrix_units.py"


@pytest.fixture(scope="module")
def interpreter() -> Generator[sw.Device]:
    """Other tests see the devices that they saw before."""
    known = KIND in KINDS
    yield register()
    if not known:
        unregister()


@pytest.mark.parametrize("depth", [32, 96])
def test_the_tiled_product_agrees_with_numpy(interpreter: sw.Device, depth: int):
    matmul = runpy.run_path(str(EXAMPLE))["matmul"]
    rng = np.random.default_rng(depth)
    a = rng.standard_normal((128, depth)).astype(ml_dtypes.bfloat16)
    b = rng.standard_normal((depth, 256)).astype(ml_dtypes.bfloat16)
    expected = a.astype(np.float32) @ b.astype(np.float32)
    np.testing.assert_allclose(matmul(a, b, interpreter), expected, rtol=1e-5, atol=1e-5)


def test_an_index_past_the_end_of_a_copy_is_an_error(interpreter: sw.Device):
    kernel = runpy.run_path(str(EXAMPLE))["mma_matmul"]
    a, b = (np.zeros(shape, ml_dtypes.bfloat16) for shape in ((128, 32), (31, 128)))
    with pytest.raises(sw.OutOfBounds, match="cp_async"):
        kernel.launch(1, 256, device=interpreter)(a, b, np.zeros((128, 128), np.float32))


@pytest.mark.parametrize("checks", [False, True])
@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_100", "sm_120"])
def test_the_tiled_product_keeps_its_sums_in_registers(arch: str, checks: bool):
    function = runpy.run_path(str(EXAMPLE))["mma_matmul"].function
    made = sw.kernel(checks=checks, block=256)(function)
    halves, floats = sw.Array[sw.bf16, 2], sw.Array[sw.f32, 2]
    text = made.ir("ptx", halves, halves, floats, target=f"cuda:{arch}")
    assert ".reqntid 256" in text and ".local" not in text
    assert "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" in text
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    assert resources(text, arch).spill_bytes == 0


def product(of: Any, registers: tuple[int, int, int], dtype: Any) -> Any:
    """A kernel with one product, whose fragments are columns of its arguments."""
    count_a, count_b, count_c = registers

    def kernel(a, b, c):
        lane = sw.thread_id(0)
        if sw.target.nvidia(sm=90):
            left, right = sw.local(count_a, a.dtype), sw.local(count_b, b.dtype)
            sums = sw.local(count_c, c.dtype)
            for i in sw.unroll(range(count_a)):
                left[i] = a[lane, i]
            for i in sw.unroll(range(count_b)):
                right[i] = b[lane, i]
            for i in sw.unroll(range(count_c)):
                sums[i] = c[lane, i]
            if dtype is None:
                of(left, right, sums)
            else:
                of(left, right, sums, dtype)
            for i in sw.unroll(range(count_c)):
                c[lane, i] = sums[i]

    return kernel


# Kind of the elements, shape, the function, its `dtype`, the type of the sums.
PRODUCTS: dict[str, tuple[Any, tuple[int, int, int], Any, Any, Any]] = {
    "f16": (np.float16, (16, 8, 16), sw.nvidia.mma_m16n8k16, sw.f16, np.float32),
    "bf16": (ml_dtypes.bfloat16, (16, 8, 16), sw.nvidia.mma_m16n8k16, sw.bf16, np.float32),
    "i8, k16": (np.int8, (16, 8, 16), sw.nvidia.mma_m16n8k16, sw.i8, np.int32),
    "f64, k16": (np.float64, (16, 8, 16), sw.nvidia.mma_m16n8k16, sw.f64, np.float64),
    "i8": (np.int8, (16, 8, 32), sw.nvidia.mma_m16n8k32, sw.i8, np.int32),
    "u8": (np.uint8, (16, 8, 32), sw.nvidia.mma_m16n8k32, sw.u8, np.int32),
    "e4m3": (ml_dtypes.float8_e4m3fn, (16, 8, 32), sw.nvidia.mma_m16n8k32, "e4m3", np.float32),
    "e5m2": (ml_dtypes.float8_e5m2, (16, 8, 32), sw.nvidia.mma_m16n8k32, "e5m2", np.float32),
    "tf32": (np.float32, (16, 8, 8), sw.nvidia.mma_m16n8k8, None, np.float32),
    "f64": (np.float64, (8, 8, 4), sw.nvidia.mma_m8n8k4, None, np.float64),
}


def fragments_of(matrix: np.ndarray, rows: int) -> np.ndarray:
    """(rows, columns) as (lanes, elements): 32 or 64 bits along a row in each register.

    As the PTX manual has it: a register of lane 4 g + t has the elements of row g from p t on, of
    p in each; registers go down the rows first, in steps of 8, then along the columns by 4 p.
    """
    p = max(1, 4 // matrix.dtype.itemsize)
    parts = matrix.reshape(rows // 8, 8, -1, 4, p)  # row step, g, column step, t, element
    return np.ascontiguousarray(parts.transpose(1, 3, 2, 0, 4)).reshape(32, -1)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_every_type(name: str):
    kind, (m, n, k), of, dtype, sums = PRODUCTS[name]
    rng = np.random.default_rng(3)
    low = 0 if kind is np.uint8 else -4
    a, b = (rng.integers(low, 5, shape).astype(kind) for shape in ((m, k), (k, n)))
    c = rng.integers(-9, 9, (m, n)).astype(sums)
    expected = a.astype(sums) @ b.astype(sums) + c
    register = np.float64 if kind is np.float64 else np.uint32
    left, right = fragments_of(a, m).view(register), fragments_of(b.T.copy(), n).view(register)
    pairs = c.reshape(m // 8, 8, 4, 2).transpose(1, 2, 0, 3)
    total = np.ascontiguousarray(pairs).reshape(32, -1)
    counts = (left.shape[1], right.shape[1], total.shape[1])
    text = launch_ptx(product(of, counts, dtype), left, right, total, arch="sm_90")
    assert "mma.sync.aligned" in text
    found = total.reshape(8, 4, m // 8, 2).transpose(2, 0, 1, 3).reshape(m, n)
    np.testing.assert_array_equal(found, expected)


def turned(x, y):
    lane = sw.thread_id(0)
    tile, other = sw.shared((16, 24), sw.f16), sw.shared((16, 24), sw.f16)
    for i in range(8):
        tile[lane % 16, lane // 16 * 8 + i] = x[lane % 16, lane // 16 * 8 + i]
    sw.barrier()
    if sw.target.nvidia(sm=90):
        at = (lane % 16, lane // 16 * 8)
        matrices = sw.nvidia.ldmatrix_x4(tile, at, transpose=True)
        sw.nvidia.stmatrix_x4(other, at, matrices)
        sw.nvidia.stmatrix_x1(tile, at, matrices[0], transpose=True)
    sw.barrier()
    for i in range(8):
        y[lane % 16, lane // 16 * 8 + i] = other[lane % 16, lane // 16 * 8 + i]
        x[lane % 16, lane // 16 * 8 + i] = tile[lane % 16, lane // 16 * 8 + i]


def test_matrices_are_turned_on_their_way():
    x = np.arange(256).astype(np.float16).reshape(16, 16)
    before, y = x.copy(), np.zeros_like(x)
    text = launch_ptx(turned, x, y, arch="sm_90")
    blocks = before.reshape(2, 8, 2, 8)
    np.testing.assert_array_equal(y, blocks.transpose(0, 3, 2, 1).reshape(16, 16))
    np.testing.assert_array_equal(x, before)  # turned twice
    assert "stmatrix.sync.aligned.m8n8.x1.trans.shared.b16" in text


HOPPER = EXAMPLE.parent / "hopper_matmul.py"


def test_the_product_by_tensor_copies_and_wgmma_agrees_with_numpy():
    """Seven tiles of depth through four stages, so that each mbarrier turns over; two blocks."""
    matmul = runpy.run_path(str(HOPPER))["matmul"]
    rng = np.random.default_rng(3)
    a, b = (
        rng.integers(-3, 4, shape).astype(ml_dtypes.bfloat16) for shape in ((128, 448), (448, 512))
    )
    expected = a.astype(np.float32) @ b.astype(np.float32)
    np.testing.assert_array_equal(matmul(a, b, PtxDevice("sm_90a")), expected)


def test_the_product_by_wgmma_keeps_its_sums_in_registers():
    scope = runpy.run_path(str(HOPPER))
    of_a, of_b = (sw.nvidia.TensorMap[sw.bf16, scope[box], 128] for box in ("BOX_A", "BOX_B"))
    types = (of_a, of_b, sw.Array[sw.f32, 2], sw.i32)
    text = scope["hopper_matmul"].ir("ptx", *types, target="cuda:sm_90a")
    assert text.count("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16") == 4
    assert ".local" not in text
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    used = resources(text, "sm_90a")
    assert used.spill_bytes == 0 and used.registers <= 168


def test_the_portable_product_agrees_with_numpy(interpreter: sw.Device):
    matmul = runpy.run_path(str(EXAMPLE.parent / "matrices.py"))["matmul"]
    rng = np.random.default_rng(4)
    a, b = (rng.integers(-3, 4, shape).astype(np.float16) for shape in ((64, 32), (32, 96)))
    expected = a.astype(np.float32) @ b.astype(np.float32)
    np.testing.assert_array_equal(matmul(a, b, interpreter), expected)

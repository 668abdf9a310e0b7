"""Tensor maps: copies of boxes through the interpreter, what is refused, what a manifest says."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import gc
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles.cuda_driver.device import open_simulated
from oracles.cuda_driver.library import Library
from oracles.ptx_device import PtxDevice
from refused_kernels import Row, refuses

import stepwell as sw
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool
from stepwell.runtime.artifact import Manifest
from stepwell.runtime.errors import ArrayError, DeviceError

BOX = (16, 32)


@pytest.fixture(scope="module", params=["interpreter", "cuda"])
def device(request: pytest.FixtureRequest) -> sw.Device:
    if request.param == "cuda":
        return open_simulated(Library(capability=(9, 0)))
    return PtxDevice("sm_90a")


def fetch(ready, tile, source, at):
    """One box, awaited by all."""
    if sw.thread_id(0) == 0:
        sw.nvidia.tma_prefetch(source)
        sw.nvidia.mbarrier_init(ready, 0, 1)
        sw.nvidia.fence_mbarrier_init()
        sw.nvidia.mbarrier_expect(ready, 0, source.nbytes)
        sw.nvidia.tma_load(tile, (0, 0), source, at, ready, 0)
    sw.barrier()
    sw.nvidia.mbarrier_wait(ready, 0, 0)


def shift(source, target, row, column):
    """target[r, c] = source[r + row, c + column], box by box; 0 where that is outside."""
    tile = sw.shared(BOX, source.dtype)
    ready = sw.shared(1, sw.u64)
    r, c = sw.i32(sw.block_id(1) * BOX[0]), sw.i32(sw.block_id(0) * BOX[1])
    if sw.target.nvidia(sm=90):
        fetch(ready, tile, source, (r + row, c + column))
        if sw.thread_id(0) == 0:
            sw.nvidia.tma_store(target, (r, c), tile, (0, 0))
            sw.nvidia.bulk_commit()
            sw.nvidia.bulk_wait(0)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, ml_dtypes.bfloat16, np.float64])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, -5), (-20, 90)])
def test_boxes_move_and_what_is_outside_is_zero(device: Any, dtype: Any, row: int, column: int):
    """Of an array of 40 by 112 elements; the last row of boxes ends outside of both tensors."""
    x = np.arange(40 * 112).reshape(40, 112).astype(dtype)
    padded = np.zeros((120, 336), dtype)
    padded[40:80, 112:224] = x
    expected = padded[40 + row : 80 + row, 112 + column : 224 + column]
    source, target = device.array(x), device.full(x.shape, 1, x.dtype)
    with sw.use(device):
        sw.kernel(shift)[(4, 3), 32](source.tensor_map(BOX), target.tensor_map(BOX), row, column)
    np.testing.assert_array_equal(target.numpy(), expected)


def unswizzle(source, out):
    """The elements in the order of shared memory."""
    tile = sw.shared(source.box, source.dtype)
    ready = sw.shared(1, sw.u64)
    if sw.target.nvidia(sm=90):
        fetch(ready, tile, source, (0, 0))
        for i in range(sw.thread_id(0), tile.size, 32):
            out[i] = tile[i // tile.shape[1], i % tile.shape[1]]


@pytest.mark.parametrize("swizzle", [0, 32, 64, 128])
def test_swizzled_rows(device: Any, swizzle: int):
    """16-byte pieces of each 128 bytes change places by the number of these 128 bytes."""
    width = (swizzle or 64) // 2
    x = np.arange(16 * width, dtype=np.uint16).reshape(16, width)
    out = device.zeros(x.size, np.uint16)
    with sw.use(device):
        sw.kernel(unswizzle)[1, 32](device.array(x).tensor_map(x.shape, swizzle), out)
    pieces = x.reshape(-1, 8, 8)
    change = np.arange(len(pieces))[:, None] % 8 & max(swizzle // 16 - 1, 0)
    expected = np.take_along_axis(pieces, (np.arange(8) ^ change)[:, :, None], axis=1)
    np.testing.assert_array_equal(out.numpy(), expected.reshape(-1))


def test_a_tensor_of_five_axes_with_gaps(device: Any):
    def copy(source, out):
        tile = sw.shared((1, 2, 1, 2, 4), sw.f32)
        ready = sw.shared(1, sw.u64)
        if sw.target.nvidia(sm=90):
            if sw.thread_id(0) == 0:
                sw.nvidia.mbarrier_init(ready, 0, 1)
                sw.nvidia.mbarrier_expect(ready, 0, source.nbytes)
                sw.nvidia.tma_load(tile, (0, 0, 0, 0, 0), source, (1, 1, 0, 2, 4), ready, 0)
            sw.barrier()
            sw.nvidia.mbarrier_wait(ready, 0, 0)
            for i in range(16):
                out[i] = tile[0, i // 8, 0, i // 4 % 2, i % 4]

    x = np.arange(2 * 3 * 2 * 4 * 16, dtype=np.float32).reshape(2, 3, 2, 4, 16)
    out = device.zeros(16, np.float32)
    with sw.use(device):
        sw.kernel(copy)[1, 1](device.array(x)[..., :8].tensor_map((1, 2, 1, 2, 4)), out)
    np.testing.assert_array_equal(out.numpy(), x[1, 1:3, 0, 2:4, 4:8].reshape(-1))


def test_a_store_through_a_map_counts_as_a_write_to_the_array(device: Any):
    """The same array as a map that is written and as a parameter that is read: no `ld.nc`."""

    def kernel(target, x):
        tile = sw.shared((1, 4), sw.f32)
        for i in range(4):
            tile[0, i] = x[i] + 1
        if sw.target.nvidia(sm=90):
            sw.nvidia.fence_async()
            sw.nvidia.tma_store(target, (0, 0), tile, (0, 0))
            sw.nvidia.bulk_commit()
            sw.nvidia.bulk_wait(0)
        x[4] = x[0]

    made = sw.kernel(checks=False)(kernel)
    x = device.array(np.arange(8, dtype=np.float32))
    with sw.use(device):
        made[1, 1](x.reshape(2, 4).tensor_map((1, 4)), x)
    np.testing.assert_array_equal(x.numpy(), [1, 2, 3, 4, 1, 5, 6, 7])
    manifest = next(iter(made._loaded.values())).manifest
    assert [row.writes for row in manifest.parameters] == [True, True]


X = np.zeros((8, 16), np.float32)
UNFIT: dict[str, tuple[Any, tuple[Any, ...], int, str]] = {
    "axes": (X.reshape(2, 2, 2, 2, 2, 4), (1,) * 6, 0, "6 axes, expected 1 to 5"),
    "sizes": (X, (4,), 0, r"the box is \(4,\), expected a size for each of its 2 axes"),
    "too large": (X, (4, 257), 0, "expected sizes from 1 to 256"),
    "empty": (X[:0], (4, 4), 0, "it is empty"),
    "short rows": (X, (4, 3), 0, "a row of the box has 12 bytes, expected a multiple of 16"),
    "swizzle": (X, (4, 16), 48, "swizzle is 48, expected 0, 32, 64 or 128"),
    "rows and swizzle": (X, (4, 16), 32, "a row of the box has 64 bytes, expected as many"),
    "bools": (X > 0, (4, 16), 0, "elements of type bool"),
    "odd steps": (np.zeros((8, 15), np.float32), (4, 4), 0, "steps of axis 0 are 60 bytes"),
}


@pytest.mark.parametrize("name", sorted(UNFIT))
def test_arrays_that_the_hardware_does_not_take(device: Any, name: str):
    x, box, swizzle, message = UNFIT[name]
    with pytest.raises(ArrayError, match=message):
        device.array(x).tensor_map(box, swizzle)


def test_steps_and_addresses_of_views(device: Any):
    x = device.array(X)
    with pytest.raises(ArrayError, match="neighbours of its last axis are not side by side"):
        x[:, ::2].tensor_map((4, 4))
    with pytest.raises(ArrayError, match="its address is no multiple of 16"):
        x[:, 1:].tensor_map((4, 4))


def test_devices_without_tensor_maps_say_so():
    with pytest.raises(DeviceError, match="cpu:0 has no tensor maps"):
        sw.device("cpu").array(X).tensor_map((4, 16))


def rows(map, out):
    out[0] = map.nbytes + map.box[0] + map.swizzle


def test_an_annotation_says_what_a_map_has_to_be(device: Any):
    def annotated(map: sw.nvidia.TensorMap[sw.f32, (4, 16)], out):
        rows(map, out)

    out = device.zeros(1, np.int32)
    made = sw.kernel(annotated)
    with sw.use(device):
        made[1, 1](device.array(X).tensor_map((4, 16)), out)
        assert out.numpy()[0] == 4 * 16 * 4 + 4
        with pytest.raises(ArrayError, match="is tensor_map 4x16xf32, swizzle 64, the kernel's"):
            made[1, 1](device.array(X).tensor_map((4, 16), 64), out)
        with pytest.raises(ArrayError, match=r"is f32\[2.*, the kernel's annotation says"):
            made[1, 1](device.array(X), out)
    for wrong in (sw.f32, (sw.f32, (0,)), (sw.f32, (4, 4), 48), ("f32", (4, 4))):
        with pytest.raises(TypeError, match="TensorMap"):
            sw.nvidia.TensorMap[wrong]


def test_a_manifest_carries_the_map_and_its_box():
    types = (sw.nvidia.TensorMap[sw.bf16, (64, 64), 128], sw.Array[sw.i32, 1])
    artifact = sw.kernel(rows).compile(types, target="cuda:sm_90")
    row = Manifest.from_json(artifact.manifest.to_json()).parameters[0]
    assert (row.kind, row.dtype, row.sizes, row.swizzle) == ("tensor_map", "bf16", (64, 64), 128)
    assert ".param .align 64 .b8 rows_param_0[128]" in artifact.payload.decode()


@pytest.mark.parametrize("arch", ["sm_90", "sm_90a", "sm_100a", "sm_120"])
def test_ptxas_takes_maps_as_parameters(arch: str):
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    of = sw.nvidia.TensorMap[sw.f32, BOX]
    text = sw.kernel(shift).ir("ptx", of, of, sw.i32, sw.i32, target=f"cuda:{arch}")
    assert "cvta.param.u64" in text and ".local" not in text
    assert assemble_cubin(text, arch)[0]


SHARED = "s, m = sw.shared((4, 16), sw.f32), sw.shared(1, sw.u64)\n    "
REFUSALS: dict[str, Row] = {
    "before Hopper": ("pass", "cuda:sm_89", "parameter map is a tensor map, which needs sm_90"),
    "elsewhere": ("pass", "cpu", "the kernel is compiled for cpu"),
    "other elements": (
        "m = sw.shared(1, sw.u64)\n    sw.nvidia.tma_load(m, 0, map, (0, 0), m, 0)",
        "cuda:sm_90",
        "tma_load of a box of f32 and an array of u64",
    ),
    "small tile": (
        "s = sw.shared((4, 8), sw.f32)\n    sw.nvidia.tma_store(map, (0, 0), s, (0, 0))",
        "cuda:sm_90",
        "a box has 64 elements, the array in shared memory 32",
    ),
    "inside": (
        SHARED + "sw.nvidia.tma_load(s, (1, 0), map, (0, 0), m, 0)",
        "cuda:sm_90",
        "a box of 64 elements is not known to be inside axes 0 to 1",
    ),
    "inside, from the end": (
        "s, m = sw.shared((8, 16), sw.f32), sw.shared(1, sw.u64)\n"
        "    sw.nvidia.tma_load(s, (-1, 0), map, (0, 0), m, 0)",
        "cuda:sm_90",
        "a box of 64 elements is not known to be inside axes 0 to 1",
    ),
    "columns of a tile": (
        "s = sw.shared((4, 32), sw.f32)\n    sw.nvidia.tma_store(map, (0, 0), s[:, :16], (0, 0))",
        "cuda:sm_90",
        "the elements of a row are not side by side, which sw.nvidia.tma_store needs",
    ),
    "coordinates": (
        SHARED + "sw.nvidia.tma_load(s, (0, 0), map, 0, m, 0)",
        "cuda:sm_90",
        "1 coordinates, expected 2, as for the array",
    ),
    "attribute": ("out[0] = map.shape", "cuda:sm_90", "a tensor map has no attribute shape"),
    "arithmetic": ("out[0] = map + 1", "cuda:sm_90", "a tensor_map 4x16xf32"),
}


MAP = sw.nvidia.TensorMap[sw.f32, (4, 16)]
test_refusals = refuses(REFUSALS, (MAP, sw.Array[sw.i32, 1]), "map, out")


def test_a_graph_keeps_the_array_of_a_tensor_map():
    device = open_simulated(Library(capability=(9, 0)))
    x, stream = np.arange(1024, dtype=np.uint16).reshape(16, 64), device.stream()
    out, source = device.zeros(x.size, np.uint16), device.array(x)
    made = sw.kernel(unswizzle)
    made[1, 32, stream](source.tensor_map(x.shape), out)
    device.synchronize()
    with stream.capture() as graph:
        made[1, 32, stream](source.tensor_map(x.shape), out)
    out.copy_from(np.zeros(x.size, np.uint16))
    del source
    gc.collect()
    device.synchronize()
    graph.launch()
    np.testing.assert_array_equal(out.numpy(), x.reshape(-1))

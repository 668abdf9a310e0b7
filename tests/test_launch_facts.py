"""What launches tell the code of devices that ask: small, disjoint, aligned; held by the launch."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from oracles import ptx_device

import stepwell as sw
from stepwell.dialects import marks
from stepwell.language.types import ArrayType, f32
from stepwell.launch import Launch, Program
from stepwell.runtime import facts
from stepwell.runtime.artifact import Bundle, Form
from stepwell.runtime.errors import LaunchError
from stepwell.runtime.launch_shape import MAX_GRID, check_launch

F32 = ArrayType(f32, 1)


@pytest.fixture(scope="module")
def device() -> Generator[sw.Device]:
    with ptx_device.registered() as found:
        yield found


def scale(x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = 2 * x[i]


def twice(x, y):
    y[0] = x[0] + 1
    y[1] = x[0]


def by_four(x, y):
    i = sw.global_id(0)
    for j in sw.unroll(range(4)):
        y[4 * i + j] = x[4 * i + j] + 1


def rows_by_four(x, y):
    i, j = sw.block_id(0), 4 * sw.thread_id(0)
    for k in sw.unroll(range(4)):
        y[i, j + k] = x[i, j + k] + 1


def far(y):
    y[sw.global_id(0) * 4294967296] = 1


def ptx(function: Any, *types: Any, checks: bool = True, **facts: bool) -> str:
    made = sw.kernel(checks=checks)(function)
    return made.ir("ptx", *types, target="cuda:sm_80", **facts)


def manifests(program: Program) -> list[Any]:
    """Of what was loaded, in order."""
    return [loaded.manifest for loaded in program._loaded.values()]


def test_no_launch_has_more_blocks_than_the_compiler_counts_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_GRID == marks.MAX_GRID
    device = sw.device("cpu")
    more = MAX_GRID + 1
    monkeypatch.setattr(device, "limits", device.limits._replace(max_grid=(more, more, more)))
    manifest = sw.kernel(scale).compile((F32, F32), target="cpu", form=Form(block_rank=1)).manifest
    for grid in ((more, 1, 1), (1, more, 1), (1, 1, more)):
        with pytest.raises(LaunchError, match="blocks by dimension"):
            check_launch(device, manifest, grid, (1, 1, 1), 0)


def test_numbers_of_small_are_those_of_the_compiler() -> None:
    for name in ("SMALL_SIZE", "SMALL_GRID", "SMALL_BLOCK"):
        assert getattr(facts, name) == getattr(marks, name)


@pytest.mark.parametrize(
    ("grid", "block", "small"),
    [
        ((1, 1, 1), (256, 1, 1), True),
        ((2**21 - 1, 1, 1), (256, 1, 1), True),
        ((2**21, 1, 1), (32, 1, 1), False),
        ((2**20, 1, 1), (1024, 1, 1), False),
        ((1, 2**20, 1), (1, 1024, 1), False),
    ],
)
def test_a_launch_is_small_up_to_the_limits(grid: Any, block: Any, small: bool) -> None:
    assert facts.small_launch(grid, block) is small


@pytest.mark.parametrize(
    ("shape", "strides", "small"),
    [
        ((2**29,), (4,), True),
        ((2**29 + 1,), (4,), False),
        ((2**16, 2**15), (2**17, 4), True),
        ((2**16, 2**16), (2**18, 4), False),
        ((4, 4), (2**33, 4), False),
        ((4, 4), (-(2**33), 4), False),
        ((0, 2**29), (4, 4), True),
    ],
)
def test_an_array_is_small_up_to_the_limits(shape: Any, strides: Any, small: bool) -> None:
    assert facts.small_array(shape, strides, np.dtype("f4")) is small


def test_fields_of_a_structure_count_by_themselves() -> None:
    pair = np.dtype([("a", "u1"), ("b", "u1", 15)], align=True)
    assert facts.small_array((2**26,), (16,), pair)
    assert not facts.small_array((2**28,), (16,), pair)


def test_small_launches_take_code_for_them(device: sw.Device) -> None:
    program = sw.kernel(scale)
    x = np.arange(100, dtype=np.float32)
    y = np.zeros_like(x)
    program.launch(1, 128, device=device)(x, y)
    np.testing.assert_array_equal(y, 2 * x)
    (manifest,) = manifests(program)
    assert manifest.small and manifest.disjoint
    assert program.launch(2**21, 128, device=device).shape.form.small is False


def test_the_cpu_knows_nothing_of_facts() -> None:
    program = sw.kernel(scale)
    launch = program.launch(1, 128, device="cpu")
    assert isinstance(launch, Launch) and not launch.shape.form.small
    x = np.ones(4, np.float32)
    launch(x, np.ones(4, np.float32))
    (manifest,) = manifests(program)
    assert not (manifest.small or manifest.disjoint or manifest.parameters[0].alignment)


def test_small_code_has_indices_of_32_bits() -> None:
    assert "mul.wide.u32" in ptx(scale, F32, F32, small=True)
    assert "shl.b64" not in ptx(scale, F32, F32, small=True)
    assert "shl.b64" in ptx(scale, F32, F32)


def test_an_index_that_does_not_fit_is_still_out_of_bounds(device: sw.Device) -> None:
    program = sw.kernel(far)
    y = np.zeros(4, np.float32)
    with pytest.raises(sw.OutOfBounds, match="4294967296"):
        program.launch(1, 2, device=device)(y)


def test_arrays_that_overlap_take_code_that_allows_it(device: sw.Device) -> None:
    program = sw.kernel(twice)
    launch = program.launch(1, 1, device=device)
    x, y = device.array(np.array([7, 0], np.float32)), device.array(np.zeros(2, np.float32))
    launch(x, y)
    assert y.numpy().tolist() == [8, 7]
    for _ in range(2):
        x = device.array(np.array([7, 0], np.float32))
        launch(x, x)
        assert x.numpy().tolist() == [8, 8]
    halves = device.array(np.array([1, 2, 3, 4], np.float32))
    launch(halves[:2], halves[2:])  # of one memory, but apart
    assert halves.numpy().tolist() == [1, 2, 2, 1]
    assert [manifest.disjoint for manifest in manifests(program)] == [True, False, True]


def test_a_numpy_array_given_twice_overlaps_itself(device: sw.Device) -> None:
    launch = sw.kernel(twice).launch(1, 1, device=device)
    x = np.array([7, 0], np.float32)
    for _ in range(2):
        x[:] = 7, 0
        launch(x, x)
        assert x.tolist() == [8, 8]


def test_what_is_only_read_is_loaded_through_the_read_only_cache() -> None:
    assert "ld.global.nc" in ptx(scale, F32, F32, disjoint=True)
    assert "ld.global.nc" not in ptx(scale, F32, F32)
    assert "ld.global.nc" not in ptx(twice, F32, F32).replace("ld.global.nc", "", 0)


def test_aligned_arrays_are_accessed_in_vectors(device: sw.Device) -> None:
    aligned = F32.aligned(16)
    text = ptx(by_four, aligned, aligned, checks=False, small=True, disjoint=True)
    assert "ld.global.nc.v4" in text and "st.global.v4" in text
    assert ".v4" not in ptx(by_four, F32, F32, checks=False, small=True, disjoint=True)


def test_each_alignment_has_its_code(device: sw.Device) -> None:
    program = sw.kernel(checks=False)(by_four)
    x, y = (device.array(np.zeros(68, np.float32)) for _ in range(2))
    launch = program.launch(1, 16, device=device)
    for start in (0, 1, 4, 3):
        x.copy_from(np.arange(68, dtype=np.float32))
        launch(x[start:], y[start:])
        expected = np.arange(start, start + 64, dtype=np.float32) + 1
        np.testing.assert_array_equal(y.numpy()[start : start + 64], expected)
    alignments = [manifest.parameters[0].alignment for manifest in manifests(program)]
    assert alignments == [32, 0, 16]


def test_aligned_rows_are_accessed_in_vectors(device: sw.Device) -> None:
    types = [ArrayType(f32, 2, contiguous).aligned(16) for contiguous in (True, False)]
    text = ptx(rows_by_four, types[0], types[0], checks=False, small=True, disjoint=True)
    assert "ld.global.nc.v4" in text and "st.global.v4" in text
    assert ".v4" not in ptx(
        rows_by_four, ArrayType(f32, 2), ArrayType(f32, 2), checks=False, small=True
    )


def test_rows_that_start_anywhere_take_other_code(device: sw.Device) -> None:
    program = sw.kernel(checks=False)(rows_by_four)
    launch = program.launch(3, 2, device=device)
    whole = np.arange(3 * 16, dtype=np.float32).reshape(3, 16)
    for columns in (slice(0, 16), slice(0, 9), slice(4, 12), slice(1, 9)):
        for x in (device.array(whole)[:, columns], device.array(whole[:, columns].copy())):
            y = device.zeros(x.shape)
            launch(x, y)
            np.testing.assert_array_equal(y.numpy()[:, :8], whole[:, columns][:, :8] + 1)
    found = {(m.parameters[0].alignment, m.parameters[1].alignment) for m in manifests(program)}
    assert found == {(32, 32), (32, 0), (0, 0), (16, 32), (0, 32)}


def test_code_for_aligned_rows_refuses_others(device: sw.Device, tmp_path: Any) -> None:
    kind = ArrayType(f32, 2).aligned(16)
    made = sw.kernel(rows_by_four).compile((kind, kind), target=ptx_device.KIND)
    Bundle((made,)).save(tmp_path / "rows.swa")
    launch = sw.load(tmp_path / "rows.swa").launch(3, 2, device=device)
    launch(device.zeros((3, 8)), device.zeros((3, 12)))
    with pytest.raises(LaunchError, match="was not compiled for"):
        launch(device.zeros((3, 8)), device.zeros((3, 9)))


def test_a_file_holds_code_for_facts_and_code_without(device: sw.Device, tmp_path: Any) -> None:
    made = sw.kernel(twice)
    bundle = sw.compile(
        made, (F32, F32), target=ptx_device.KIND, over=None, small=True, disjoint=True, alignment=16
    )
    bundle.save(tmp_path / "twice.swa")
    program = sw.load(tmp_path / "twice.swa")
    launch = program.launch(1, 1, device=device)
    x = device.array(np.array([7, 0, 0], np.float32))
    launch(x, device.array(np.zeros(2, np.float32)))
    launch(x, x)
    assert x.numpy().tolist() == [8, 8, 0]
    launch(x[1:], device.array(np.zeros(2, np.float32)))
    assert [manifest.small for manifest in manifests(program)] == [True, False, False]


def test_targets_without_facts_refuse_them() -> None:
    with pytest.raises(sw.CompileError, match="target cpu makes no use of small="):
        sw.compile(sw.kernel(scale), (F32, F32), small=True)

"""Threads as lanes: what vectorised code computes, whatever way each lane goes."""

# Kernels have parameters without types.
# pyright: basic

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance.reference import run

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.gpu_to_vector.vectorise_subgroups import VectoriseSubgroups
from stepwell.lowering.parse import make_context
from stepwell.runtime.cpu import CpuDevice
from stepwell.tools.main import main

MLIR_OPT = shutil.which("mlir-opt-19") or shutil.which("/usr/lib/llvm-19/bin/mlir-opt")
LIT = Path(__file__).parent.parent / "lit" / "lowering" / "vectorise_subgroups.mlir"


@pytest.fixture(params=[4, 16, 64], ids=lambda lanes: f"w{lanes}")
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> sw.Device:
    monkeypatch.setenv("STEPWELL_CACHE", "0")
    monkeypatch.setenv("STEPWELL_CPU_LANES", str(request.param))
    return CpuDevice()


def same_as_python(function: Any, device: sw.Device, *arguments: Any, over: int) -> None:
    """Runs a function as a kernel and as Python; arrays that it changes must be equal."""
    own = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    expected = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    sw.kernel(function).over(over, device=device)(*own)
    run(function, expected, over=over)
    for got, wanted in zip(own, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def numbers(count: int, most: int = 50) -> np.ndarray[Any, Any]:
    return np.random.default_rng(count).integers(0, most, count, dtype=np.int32)


def breaks_and_continues(x, y):
    i = sw.global_id(0)
    total = 0
    for k in range(x[i]):
        if k % 3 == 2:
            continue
        if total > 100:
            break
        j = k
        while j > 0:
            total += j
            j -= 2
    y[i] = total


def nested_exits(x, y):
    i = sw.global_id(0)
    for a in range(i % 5 + 1):
        for b in range(x[i] % 7):
            if a * b == 6:
                y[i] = a
                return
            y[i] += b
    y[i] -= 1


def divides_where_it_can(x, y):
    i = sw.global_id(0)
    if x[i] != 0:
        y[i] = 1000 // x[i] + 1000 % x[i]
    else:
        y[i] = -1


def ranges_that_start_at_the_thread(x, y):
    i = sw.global_id(0)
    total = 0
    for k in range(i, min(i + x[i], x.shape[0]), 3):
        total = total * 3 + x[k]
    y[i] = total


def strides(x, y):
    i = sw.global_id(0)
    total, last = 0, -1
    for k in range(i, x.shape[0], 16):
        total = total * 3 + x[k]
        last = k
    y[i] = total + last


def numbers_that_wrap_between_two_lanes(x, y):
    i = sw.global_id(0)
    small = np.int8(i)
    if np.int8(110) + small > np.int8(3):
        y[i] += x[i]
    if np.int8(100) + small < np.int8(125):
        y[i] += 2 * x[i]
    if np.uint8(250) + np.uint8(i) < np.uint8(254):
        y[i] += 4 * x[i]
    if small < np.int8(20):
        y[i] += 8 * x[i]
    # The first places of some lanes are below zero.
    for k in range(np.int8(110) + small, np.int8(127), np.int8(5)):
        y[i] += k


def a_row_of_its_own(x, y):
    i = sw.global_id(0)
    own = sw.local(8, sw.i32)
    for k in range(8):
        own[k] = x[i] * k
    own[x[i] % 8] = 7
    total = 0
    for k in range(8):
        total += own[(k + x[i]) % 8] * k
    y[i] = total


FUNCTIONS = [
    breaks_and_continues,
    nested_exits,
    divides_where_it_can,
    ranges_that_start_at_the_thread,
    strides,
    numbers_that_wrap_between_two_lanes,
    a_row_of_its_own,
]


@pytest.mark.parametrize("count", [1, 16, 77])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_lanes_go_their_own_ways(function: Any, count: int, device: sw.Device):
    same_as_python(function, device, numbers(count), np.zeros(count, np.int32), over=count)


def test_the_lane_that_fails_is_the_one_that_reports(device: sw.Device):
    @sw.kernel
    def reads(x, y):
        i = sw.global_id(0)
        if i % 3 == 1:
            y[i] = x[y[i]]

    x, y = np.arange(100, dtype=np.int32), np.zeros(100, np.int32)
    y[40], y[41] = 100, 100
    with pytest.raises(sw.OutOfBounds, match="index 100 is out of bounds") as caught:
        reads.over(100, device=device)(x, y)
    assert "thread (40, 0, 0)" in str(caught.value)


@pytest.mark.parametrize("block", [64, 128, 256])
def test_blocks_that_add_up_together_tell_which_thread_fails(block: int):
    @sw.kernel(block=block)
    def add_up(x, y):
        t = sw.thread_id(0)
        total = 0
        for k in range(t, x.shape[0], block):
            assert x[k] >= 0, "below zero"
            total += x[k]
        y[t] = total

    x, y = numbers(5 * block + 3), np.zeros(block, np.int32)
    add_up.launch(1, block, device="cpu")(x, y)
    np.testing.assert_array_equal(y, np.bincount(np.arange(x.size) % block, weights=x))
    x[2 * block + 45] = -1
    with pytest.raises(sw.KernelError, match="below zero") as caught:
        add_up.launch(1, block, device="cpu")(x, y)
    assert "thread (45, 0, 0)" in str(caught.value)


def test_threads_that_take_a_lock_in_turns_stay_threads(device: sw.Device):
    @sw.kernel
    def in_turns(lock, total):
        while sw.atomic_compare_exchange(lock, 0, 0, 1) != 0:
            pass
        total[0] = total[0] + 1
        sw.atomic_exchange(lock, 0, 0)

    lock, total = np.zeros(1, np.int32), np.zeros(1, np.int32)
    in_turns.launch(1, 64, device=device)(lock, total)
    assert total[0] == 64


def test_a_width_that_is_no_power_of_two_is_refused():
    from xdsl.dialects.builtin import ModuleOp

    with pytest.raises(CompileError, match="width is 12, expected a power of two"):
        VectoriseSubgroups(width=12).apply(make_context(), ModuleOp([]))


def test_a_cpu_target_names_its_lanes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STEPWELL_CPU_LANES", "12")
    device = CpuDevice()
    with pytest.raises(CompileError, match="no architecture 'w12', expected one of x86-64-v2, "):
        sw.kernel(divides_where_it_can).over(4, device=device)(numbers(4), numbers(4))


@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt 19 is not installed")
def test_upstream_reads_what_comes_out(capsys: pytest.CaptureFixture[str]):
    assert MLIR_OPT is not None
    passes = "vectorise-subgroups{width=4 always=true}"
    assert main(["opt", str(LIT), "-p", passes, "--split-input-file"]) == 0
    text = capsys.readouterr().out
    texts = [part for part in text.split("// -----") if "gpux.check" not in part]
    assert sum("vector.maskedstore" in part for part in texts) > 3
    command = [MLIR_OPT, "--allow-unregistered-dialect", "--split-input-file"]
    done = subprocess.run(command, input="// -----".join(texts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@sw.kernel(checks=False)
def sum_of_some(x, out):
    i = sw.global_id(0)
    total = 0.0
    for k in range(4):
        for j in sw.unroll(range(70)):
            total += x[3 * i + j + k]
    out[i] = total


@pytest.mark.parametrize(("dtype", "becomes"), [("float16", False), ("float32", True)])
def test_many_gathers_are_worth_it_where_machines_have_them(dtype: str, becomes: bool) -> None:
    text = sum_of_some.ir("cpu", np.zeros(9, dtype), np.zeros(9, np.float32))
    assert ("vector.gather" in text) == becomes


@pytest.mark.parametrize(
    ("distance", "dtype"),
    [(2, "float32"), (3, "int8"), (4, "float64"), (-2, "float32"), (17, "float32")],
)
def test_lanes_at_a_distance_have_their_own_elements(
    distance: int, dtype: str, device: sw.Device
) -> None:
    count = 77
    first = 0 if distance > 0 else -distance * (count - 1)

    def moved(x, y, z):
        i = sw.global_id(0)
        at = first + distance * i
        y[i] = x[at]
        z[at] = x[at]

    size = abs(distance) * (count - 1) + 1
    x = np.random.default_rng(size).integers(1, 100, size).astype(dtype)
    y, z = np.zeros(count, dtype), np.zeros(size, dtype)
    sw.kernel(moved).over(count, device=device)(x, y, z)
    expected = np.zeros(size, dtype)
    expected[:: abs(distance)] = x[:: abs(distance)]
    np.testing.assert_array_equal(y, x[first::distance] if first else x[::distance])
    np.testing.assert_array_equal(z, expected)

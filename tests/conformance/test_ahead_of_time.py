"""Compiled before, saved, loaded and run: the same results, the same errors, no compiler."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conformance.compare import needs, not_simulated

import stepwell as sw


@sw.kernel
def scale(a, x, out):
    i = sw.global_id(0)
    if i < x.shape[0]:
        out[i] = a * x[i]


@sw.kernel
def outer(x, y, out):
    i, j = sw.global_id(0), sw.global_id(1)
    out[i, j] = x[i] * y[j]


@sw.kernel
def block_sum(x, out):
    t = sw.thread_id(0)
    s = sw.shared(32, sw.f64)
    s[t] = x[sw.global_id(0)]
    sw.barrier()
    if t == 0:
        total = np.float64(0)
        for k in range(32):
            total += s[k]
        out[sw.block_id(0)] = total


@sw.kernel
def pick(x, k, out):
    out[0] = x[k]
    print("picked", out[0])


FLOATS = sw.Array[sw.f32, 1]


def saved(kernel: sw.Kernel, types: tuple[object, ...], folder: Path, device: sw.Device) -> Path:
    path = folder / f"{kernel.__name__}.swa"
    sw.compile(kernel, types, target=device.target).save(path)
    return path


def test_over_and_launch_of_a_loaded_kernel(device: sw.Device, tmp_path: Path):
    program = sw.load(saved(scale, (sw.f32, FLOATS, FLOATS), tmp_path, device))
    x = np.arange(100, dtype=np.float32)
    for start in (program.over(100, device=device), program.launch(4, 32, device=device)):
        out = np.zeros_like(x)
        start(np.float32(3), x, out)
        assert np.array_equal(out, 3 * x)
    with sw.use(device):
        out = np.zeros_like(x)
        program[2, 64](2.0, x=x, out=out)
    assert np.array_equal(out, 2 * x)


def test_two_axes(device: sw.Device, tmp_path: Path):
    types = (FLOATS, FLOATS, sw.Array[sw.f32, 2])
    program = sw.load(saved(outer, types, tmp_path, device))
    x, y = np.arange(3, dtype=np.float32), np.arange(5, dtype=np.float32)
    out = np.zeros((3, 5), np.float32)
    program.over((3, 5), device=device)(x, y, out)
    assert np.array_equal(out, np.outer(x, y))


def test_shared_memory_and_device_arrays(device: sw.Device, tmp_path: Path):
    needs(device, "f64")

    doubles = sw.Array[sw.f64, 1]
    program = sw.load(saved(block_sum, (doubles, doubles), tmp_path, device))
    x, out = device.array(np.arange(96, dtype=np.float64)), device.zeros(3, "f64")
    program.launch(3, 32, device=device)(x, out)
    assert out.numpy().tolist() == [sum(range(b * 32, b * 32 + 32)) for b in range(3)]


def test_errors_and_prints_of_a_loaded_kernel(
    device: sw.Device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    ints = sw.Array[sw.i32, 1]
    program = sw.load(saved(pick, (ints, sw.i32, ints), tmp_path, device))
    x, out = np.array([5, 6], np.int32), np.zeros(1, np.int32)
    program.over(1, device=device)(x, 1, out)
    assert capsys.readouterr().out == "picked 6\n"
    with pytest.raises(sw.OutOfBounds) as caught:
        program.over(1, device=device)(x, 2, out)
    assert caught.value.values == (2, 2)
    assert Path(caught.value.file) == Path(__file__)


def test_arguments_that_do_not_fit_are_refused(device: sw.Device, tmp_path: Path):
    program = sw.load(saved(scale, (sw.f32, FLOATS, FLOATS), tmp_path, device))
    x, out = np.zeros(4, np.float32), np.zeros(4, np.float32)
    start = program.over(4, device=device)
    with pytest.raises(sw.DeviceError, match="argument x"):
        start(1.0, x.astype(np.float64), out)
    with pytest.raises(sw.DeviceError, match="argument out"):
        start(1.0, x, out.reshape(2, 2))
    with pytest.raises(sw.DeviceError, match=r"argument x(.|\n)*contiguous"):
        start(1.0, np.zeros(8, np.float32)[::2], out)
    with pytest.raises(TypeError):
        start(1.0, x)


RUN = """
import sys
import numpy as np
import stepwell as sw
x, out = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
sw.load(sys.argv[1]).over(8, device=sys.argv[2])(2.0, x, out)
assert np.array_equal(out, 2 * x)
loaded = sorted(name for name in ("xdsl", "networkx") if name in sys.modules)
assert not loaded, loaded
"""


def test_another_process_needs_no_compiler(device: sw.Device, tmp_path: Path):
    not_simulated(device, "another process does not know it")
    path = saved(scale, (sw.f32, FLOATS, FLOATS), tmp_path, device)
    command = [sys.executable, "-c", RUN, str(path), device.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_damaged_file_says_so(device: sw.Device, tmp_path: Path):
    path = saved(scale, (sw.f32, FLOATS, FLOATS), tmp_path, device)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(sw.DeviceError, match="damaged"):
        sw.load(path)

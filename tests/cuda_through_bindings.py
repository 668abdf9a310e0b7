"""The CUDA runtime through the real cuda.bindings, which call the driver of the tests.

A program of its own, since a process opens one libcuda: `python cuda_through_bindings.py`. Ends
with 0 and "all right", with 77 and the reason where something is missing.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stepwell as sw
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.errors import ArtifactError, DeviceError, DeviceLost


@sw.kernel
def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


@sw.kernel(checks=False)
def add(a, x, y):
    i = sw.global_id(0)
    y[i] = a * x[i] + y[i]


@sw.kernel(checks=False)
def wild(x):
    x[sw.global_id(0) + 50_000_000] = 1.0


def launches(device: CudaDevice) -> None:
    x, y = (device.array(np.arange(100, dtype=np.float32)) for _ in range(2))
    add.over(100, device=device)(np.float32(3), x, y)
    assert (y.numpy() == 4 * np.arange(100)).all()
    double.launch(4, 25, device=device, cooperative=True)(x)
    double.launch(4, 25, device=device, cluster=(2, 1, 1))(x)
    double.launch(4, 25, device=device, overlap=True)(x)
    assert (x.numpy() == 8 * np.arange(100)).all()
    numbers = np.ones(100, np.float32)
    double.over(100, device=device)(numbers)
    assert (numbers == 2).all()
    with pytest.raises(DeviceError, match=r"no cluster of \(16, 1, 1\)"):
        double.launch(16, 2, device=device, cluster=16)(x)


def memory(device: CudaDevice) -> None:
    for dtype, value in (("u8", 7), ("i16", -3), ("f32", 2.5), ("f64", 0)):
        assert (device.full(1000, value, dtype).numpy() == value).all()
    x = device.array(np.arange(3 << 20, dtype=np.int32))
    assert (x.copy().numpy() == np.arange(3 << 20)).all()
    shared = device.array(Interfaced(x), copy=False)
    assert shared.address == x.address
    device.trim()


class Interfaced:
    def __init__(self, array: sw.DeviceArray):
        self.__cuda_array_interface__ = array.__cuda_array_interface__


def streams(device: CudaDevice) -> None:
    x, stream, start, end = device.full(64, 1.0), device.stream(), device.event(), device.event()
    double.over(64, stream=stream)(x)
    with stream.capture() as graph:
        double.over(64, stream=stream)(x)
    start.record(stream)
    graph.launch()
    end.record(stream)
    assert start.elapsed_ms(end) > 0
    assert x.numpy()[0] == 4
    theirs = device.foreign_stream(stream)
    double.over(64, stream=theirs)(x)
    assert x.numpy()[0] == 8


def errors(device: CudaDevice) -> None:
    x = device.full(64, 1.0)
    double.over(65, device=device)(x)
    with pytest.raises(sw.OutOfBounds) as caught:
        device.synchronize()
    assert caught.value.values == (64, 64)
    artifact = double.compile((sw.Array[sw.f32, 1],), target=device.target)
    with pytest.raises(ArtifactError, match=r"INVALID_PTX.*: line"):
        device.load(artifact._replace(payload=b".version 8.0\n.garbage\n"))
    wild.over(64, device=device)(x)
    with pytest.raises(DeviceLost, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
        device.synchronize()


def main() -> int:
    if find_spec("cuda") is None or find_spec("cuda.bindings") is None:
        print("needs cuda-bindings")
        return 77
    from oracles.cuda_driver.c_library import install
    from oracles.cuda_driver.library import Library

    library = Library(capability=(9, 0))
    try:
        install(library)
    except RuntimeError as error:
        print(error)
        return 77
    device = sw.device("cuda")
    assert isinstance(device, CudaDevice)
    assert device.description.startswith("PTX interpreter, sm_90"), device.description
    for part in (launches, memory, streams, errors):
        part(device)
    assert library.gpus[0].kept == (1 << 64) - 1, "the pool keeps its memory"
    print("all right")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A kernel, every way to launch it, and what else is done with one on the host."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import stepwell as sw


@sw.kernel
def saxpy(a: sw.f32, x: sw.Array[sw.f32, 1], y: sw.Array[sw.f32, 1]) -> None:
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


@sw.kernel(checks=False, fastmath="contract", block=(64, 2))
def scale(x: sw.Array[np.float64, 2], factor: float, count: sw.Const) -> None:
    row, column = sw.global_id(0), sw.global_id(1)
    for _ in range(count):
        x[row, column] *= factor


class Filters:
    """Kernels may stand in a class."""

    @staticmethod
    @sw.kernel
    def double(x: sw.Array[sw.f32, 1]) -> None:
        x[sw.global_id()] *= 2


def launches() -> None:
    x = np.arange(1000, dtype=np.float32)
    y = np.zeros_like(x)
    saxpy.over(x.size)(2.0, x, y)
    saxpy.over((x.size,), block=128, device="cpu")(np.float32(2), x, y)
    saxpy[4, 256](2, x, y)
    saxpy.launch(4, 256, device=sw.device("cpu"))(sw.f32(2), x=x, y=y)
    assert np.array_equal(y, 8 * x)
    Filters.double[4, 250](y)
    assert np.array_equal(y, 16 * x)
    rows = np.ones((64, 4))
    scale.over(rows.shape)(rows, 2.0, 3)
    assert (rows == 8).all()


def on_devices() -> None:
    for device in sw.devices():
        if device.kind != "cpu":
            continue
        x = device.array([1, 2, 3], sw.f32)
        y = device.full(3, 1.0, dtype=sw.f32)
        saxpy.over(x.size, device=device)(2.0, x, y)
        device.synchronize()
        assert y.numpy().tolist() == [3, 5, 7]


def ahead_of_time() -> None:
    artifact = sw.compile(saxpy, (sw.f32, sw.Array[sw.f32, 1], sw.Array[sw.f32, 1]), target="cpu")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "saxpy.swa"
        artifact.save(path)
        y = np.zeros(8, np.float32)
        sw.load(path).over(8)(1.0, np.ones(8, np.float32), y)
        assert y.sum() == 8
    assert "gpu.func" in saxpy.ir("gpu", sw.f32, sw.Array[sw.f32, 1], sw.Array[sw.f32, 1])
    assert "saxpy" in saxpy.explain(sw.f32, sw.Array[sw.f32, 1], sw.Array[sw.f32, 1])


def errors() -> None:
    x = np.zeros(4, np.float32)
    message = ""
    try:
        saxpy.over(5)(1.0, x, np.zeros(5, np.float32))
    except sw.OutOfBounds as error:
        message = str(error)
    assert "axis 0 of x" in message


launches()
on_devices()
ahead_of_time()
errors()

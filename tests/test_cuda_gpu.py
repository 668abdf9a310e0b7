"""On an NVIDIA GPU: what no driver of the tests can show. Skipped where there is none."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import stepwell as sw
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.errors import DeviceError, LaunchError, OutOfMemory


@pytest.fixture(scope="module")
def device() -> CudaDevice:
    try:
        found = sw.device("cuda")
    except DeviceError as error:
        pytest.skip(f"needs an NVIDIA GPU: {error}")
    assert isinstance(found, CudaDevice)
    if "simulated" in found.features:
        pytest.skip("needs an NVIDIA GPU, this one is simulated")
    return found


@sw.kernel
def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


PROGRAM = """
import stepwell as sw
from stepwell.runtime.errors import DeviceLost
@sw.kernel(checks=False)
def kernel(x):
    {body}
device = sw.device("cuda")
x = device.zeros(64)
kernel.over(64, device=device)(x)
try:
    device.synchronize()
except DeviceLost as error:
    print(error, *error.__notes__)
print("goes on")
"""


def run(tmp_path: Any, body: str, *, timeout: str = "") -> str:
    """A process of its own, since a fault ends the use of the GPU in a process."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(body=body), encoding="utf-8")
    environment = {**os.environ, "STEPWELL_TIMEOUT": timeout}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.stdout.endswith("goes on\n"), done.stderr
    return done.stdout


def test_an_illegal_address_is_told_and_the_process_goes_on(device: Any, tmp_path: Any) -> None:
    said = run(tmp_path, "x[sw.global_id(0) + (1 << 28)] = 1.0")  # a GiB behind its end
    assert "CUDA_ERROR_ILLEGAL_ADDRESS" in said
    assert "the reason is in kernel" in said


def test_an_endless_kernel_is_given_up(device: Any, tmp_path: Any) -> None:
    said = run(tmp_path, "while sw.atomic_add(x, 0, 0.0) >= 0: pass", timeout="2")
    assert "did not finish within 2 s" in said


def test_ten_thousand_launches_hold_no_memory(device: CudaDevice) -> None:
    x = device.zeros(1024)

    def free() -> int:
        device.synchronize()
        with device.core.context.current():
            return device.core.context.call("cuMemGetInfo")[0]

    def launches() -> None:
        for _ in range(10_000):
            double.over(1024, device=device)(x)

    launches()
    before = free()
    launches()
    assert before - free() < 1 << 20


def test_more_memory_than_there_is_is_refused_and_passes(device: CudaDevice) -> None:
    with pytest.raises(OutOfMemory, match="no room for"):
        device.empty(1 << 44, "u8")
    assert device.zeros(4).numpy().tolist() == [0] * 4


def test_more_shared_memory_than_there_is_is_refused(device: CudaDevice) -> None:
    with pytest.raises(LaunchError, match="bytes of shared memory"):
        double.launch(1, 1, device=device, shared_bytes=1 << 20)(device.zeros(4))


def test_threads_and_streams_and_graphs(device: CudaDevice) -> None:
    results: list[float] = []

    def work(value: int) -> None:
        x, stream = device.full(1 << 16, value), device.stream()
        double.over(x.size, stream=stream)(x)
        with stream.capture() as graph:
            double.over(x.size, stream=stream)(x)
        for _ in range(10):
            graph.launch()
        stream.synchronize()
        results.append(float(x.numpy()[-1]))

    double.over(1 << 16, device=device)(device.full(1 << 16, 1.0))
    threads = [threading.Thread(target=work, args=(value,)) for value in (1, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2.0**11, 3 * 2.0**11]


def torch_ones(n: int) -> Any:
    return pytest.importorskip("torch").ones(n, device="cuda")


def cupy_ones(n: int) -> Any:
    return pytest.importorskip("cupy").ones(n, "float32")


def numba_ones(n: int) -> Any:
    return pytest.importorskip("numba.cuda").to_device(np.ones(n, np.float32))


def jax_ones(n: int) -> Any:
    jax = pytest.importorskip("jax")
    return jax.device_put(np.ones(n, np.float32), jax.devices("gpu")[0])


@pytest.mark.parametrize(
    "make", [torch_ones, cupy_ones, numba_ones], ids=["torch", "cupy", "numba"]
)
def test_their_arrays_are_changed_in_place(device: CudaDevice, make: Any) -> None:
    theirs = make(1000)
    double.over(1000, device=device)(theirs)
    stream = device.stream()
    double.over(1000, stream=stream)(theirs)
    device.synchronize()
    back = theirs.copy_to_host() if hasattr(theirs, "copy_to_host") else theirs.tolist()
    assert list(back) == [4.0] * 1000


def test_their_arrays_are_read_where_they_are(device: CudaDevice) -> None:
    theirs = jax_ones(1000)
    assert device.array(theirs, copy=False).numpy().tolist() == [1.0] * 1000


def test_ours_are_theirs_without_a_copy(device: CudaDevice) -> None:
    torch = pytest.importorskip("torch")
    x = device.full(1000, 3.0)
    theirs = torch.from_dlpack(x)
    assert theirs.data_ptr() == x.address
    theirs.add_(1)
    assert x.numpy().tolist() == [4.0] * 1000


def test_launches_join_the_stream_of_another_library(device: CudaDevice) -> None:
    torch = pytest.importorskip("torch")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        theirs = torch.ones(1 << 20, device="cuda") * 3
        double.over(1 << 20, device=device, stream=stream)(theirs)
        assert float((theirs + 1).sum()) == 7 * (1 << 20)

"""On an NVIDIA GPU: what no driver of the tests can show. Skipped where there is none."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import stepwell as sw
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.cuda.kernel import CudaKernel
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


def grid_barrier(counter, x, out):
    """All blocks write, wait for each other, and read what another one wrote."""
    block, blocks = sw.block_id(0), sw.grid_dim(0)
    if sw.thread_id(0) == 0:
        sw.atomic_exchange(x, block, block + 1)
        sw.atomic_add(counter, 0, 1, order="acq_rel")
        while sw.atomic_add(counter, 0, 0, order="acq_rel") < blocks:
            pass
        out[block] = sw.atomic_add(x, blocks - 1 - block, 0)


def test_blocks_of_a_cooperative_launch_wait_for_each_other(device: CudaDevice) -> None:
    blocks = 2 * device.properties.multiprocessors
    counter, x, out = (device.zeros(n, "i32") for n in (1, blocks, blocks))
    kernel = sw.kernel(grid_barrier)
    kernel.launch(blocks, 64, device=device, cooperative=True)(counter, x, out)
    assert out.numpy().tolist() == list(range(blocks, 0, -1))
    with pytest.raises(LaunchError, match=r"runs \d+ at once"):
        kernel.launch(1 << 20, 64, device=device, cooperative=True)(counter, x, out)


def needs_hopper(device: CudaDevice) -> None:
    if "clusters" not in device.features:
        pytest.skip(f"{device.name} has no clusters")


def test_blocks_of_a_cluster_know_their_rank(device: CudaDevice) -> None:
    needs_hopper(device)

    @sw.kernel
    def ranks(out):
        if sw.target.nvidia(sm=90):
            sw.nvidia.cluster_arrive()
            sw.nvidia.cluster_wait()
            if sw.thread_id(0) == 0:
                rank = sw.nvidia.cluster_rank()
                out[sw.block_id(0)] = sw.i32(rank) + 10 * sw.i32(sw.nvidia.cluster_size())

    out = device.zeros(8, "i32")
    ranks.launch(8, 32, device=device, cluster=4)(out)
    assert out.numpy().tolist() == [40, 41, 42, 43] * 2


def test_a_launch_may_begin_before_the_one_before_it_ends(device: CudaDevice) -> None:
    needs_hopper(device)

    @sw.kernel
    def step(x):
        if sw.target.nvidia(sm=90):
            sw.nvidia.griddepcontrol_launch()
            sw.nvidia.griddepcontrol_wait()
        i = sw.global_id(0)
        x[i] = x[i] * 2 + 1

    x = device.zeros(1 << 16)
    for _ in range(10):
        step.launch(256, 256, device=device, overlap=True)(x)
    assert (x.numpy() == 2**10 - 1).all()


def test_shared_memory_far_beyond_48_kib(device: CudaDevice) -> None:
    @sw.kernel
    def turn(x):
        room, i = sw.shared(None, sw.f32), sw.thread_id(0)
        last = x.shape[0] - 1
        for k in range(i, x.shape[0], sw.block_dim(0)):
            room[k] = x[k]
        sw.barrier()
        for k in range(i, x.shape[0], sw.block_dim(0)):
            x[k] = room[last - k]

    count = device.limits.shared_bytes // 4 - 256
    values = np.arange(count, dtype=np.float32)
    x = device.array(values)
    turn.launch(1, 512, device=device, shared_bytes=4 * count)(x)
    np.testing.assert_array_equal(x.numpy(), values[::-1])


def test_machine_code_for_this_gpu_is_taken_from_a_file(device: CudaDevice, tmp_path: Any) -> None:
    arch = f"sm_{device.properties.sm}"
    types = (sw.Array[sw.f32, 1],)
    made = sw.compile(double, types, target="cuda:sm_80", over=1, cubins=[arch])
    made.save(tmp_path / "double.swa")
    x = device.full(1000, 3.0)
    program = sw.load(tmp_path / "double.swa")
    program.over(1000, device=device)(x)
    assert (x.numpy() == 6).all()
    assert [kernel.manifest.abi for kernel in program._loaded.values()] == ["cubin"]


def test_occupancy_and_time_are_told(device: CudaDevice) -> None:
    types = (sw.Array[sw.f32, 1],)
    kernel = device.load(double.compile(types, target=device.target))
    assert isinstance(kernel, CudaKernel)
    found = kernel.occupancy(256)
    assert found.blocks >= 1 and found.threads == 256 * found.blocks and found.registers > 0
    first, last = device.event(), device.event()
    x = device.zeros(1 << 24)
    first.record()
    double.over(x.size, device=device)(x)
    last.record()
    assert 0.005 < first.elapsed_ms(last) < 1000


def test_the_product_by_tensor_copies_and_wgmma(device: CudaDevice) -> None:
    if device.target != "cuda:sm_90a":
        pytest.skip(f"the code is for sm_90a, {device.name} takes {device.target}")
    folder = Path(__file__).parent.parent / "examples"
    matmul = runpy.run_path(str(folder / "hopper_matmul.py"))["matmul"]
    rng = np.random.default_rng(3)
    a, b = (
        rng.integers(-3, 4, shape).astype(ml_dtypes.bfloat16)
        for shape in ((512, 1088), (1088, 768))
    )
    expected = a.astype(np.float32) @ b.astype(np.float32)
    np.testing.assert_array_equal(matmul(a, b, device), expected)


def test_a_failed_check_names_its_line_and_spoils_nothing(device: CudaDevice) -> None:
    x = device.zeros(100)
    double.over(101, device=device)(x)
    message = "index 100 is out of bounds for axis 0 of x"
    with pytest.raises(sw.OutOfBounds, match=message) as caught:
        device.synchronize()
    assert "x[i] = x[i] * 2" in str(caught.value)
    double.over(100, device=device)(x)
    assert not x.numpy().any()


def test_launches_in_a_context_of_another_library_find_their_own(device: CudaDevice) -> None:
    driver = device.core.driver
    x = device.full(64, 1.0)
    double.over(64, device=device)(x)
    results: list[float] = []

    def elsewhere() -> None:  # a thread in which no context is current
        double.over(64, device=device)(x)
        results.append(float(x.numpy()[0]))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert results == [4.0]
    assert driver.call("cuCtxGetCurrent") is not None

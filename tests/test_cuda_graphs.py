"""CUDA graphs over the driver of the tests, which refuses what CUDA refuses during a capture."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import gc
import threading
from collections.abc import Generator

import numpy as np
import pytest
from cuda_devices import library_of, simulated

import stepwell as sw
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.errors import DeviceError, LaunchError


@sw.kernel
def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


@sw.kernel
def add(x, y):
    i = sw.global_id(0)
    y[i] = y[i] + x[i]


@sw.kernel
def double_positive(x):
    i = sw.global_id(0)
    assert x[i] > 0
    x[i] = x[i] * 2


@pytest.fixture
def device() -> Generator[CudaDevice]:
    with simulated() as opened:
        x = ones(opened)
        double.over(64, device=opened)(x)
        add.over(64, device=opened)(x, ones(opened))
        yield opened


def ones(device: CudaDevice) -> sw.DeviceArray:
    return device.array(np.ones(64, np.float32))


def test_what_is_captured_runs_when_it_is_launched(device: CudaDevice) -> None:
    stream, x, y = device.stream(), ones(device), ones(device)
    with stream.capture() as graph:
        double.over(64, stream=stream)(x)
        add.over(64, stream=stream)(x, y)
    assert (x.numpy()[0], y.numpy()[0]) == (1, 1)
    for _ in range(3):
        graph.launch()
    stream.synchronize()
    assert (x.numpy()[0], y.numpy()[0]) == (8, 15)


def test_a_capture_calls_the_driver_for_nothing_but_launches(device: CudaDevice) -> None:
    stream, x = device.stream(), ones(device)
    launch = double.over(64, stream=stream)
    launch(x)
    calls = library_of(device).calls
    with stream.capture():
        before = len(calls)
        launch(x)
        made = set(calls[before:])
    assert made == {"cuCtxGetCurrent", "cuLaunchKernel"}


def test_a_graph_sees_what_was_uploaded_before_its_launch(device: CudaDevice) -> None:
    stream, other, x = device.stream(), device.stream(), ones(device)
    with stream.capture() as graph:
        double.over(64, stream=stream)(x)
    x.copy_from(np.full(64, 5, np.float32))
    graph.launch(other)
    assert x.numpy().tolist() == [10] * 64


def test_a_graph_keeps_its_arrays(device: CudaDevice) -> None:
    stream, x, y = device.stream(), ones(device), ones(device)
    with stream.capture() as graph:
        add.over(64, stream=stream)(x, y)
    del x
    gc.collect()
    device.empty(10)
    graph.launch()
    assert y.numpy().tolist() == [2] * 64


def test_checks_in_a_graph_are_reported_at_each_wait(device: CudaDevice) -> None:
    stream, x = device.stream(), ones(device)
    double.over(100, stream=stream)(x)  # loads the code with checks
    with pytest.raises(sw.OutOfBounds):
        stream.synchronize()
    with stream.capture() as graph:
        double.over(100, stream=stream)(x)
    for launches in (1, 3):
        for _ in range(launches):
            graph.launch()
        with pytest.raises(sw.OutOfBounds) as caught:
            stream.synchronize()
        assert caught.value.more == 36 * launches - 1
    stream.synchronize()


def test_streams_fork_and_join_in_a_capture(device: CudaDevice) -> None:
    first, second = device.stream(), device.stream()
    x, y, fork, join = ones(device), ones(device), device.event(), device.event()
    with first.capture() as graph:
        double.over(64, stream=first)(x)
        fork.record(first)
        second.wait(fork)
        add.over(64, stream=second)(x, y)
        join.record(second)
        first.wait(join)
        double.over(64, stream=first)(y)
    with pytest.raises(DeviceError, match="part of a graph"):
        fork.synchronize()
    graph.launch()
    assert (x.numpy()[0], y.numpy()[0]) == (2, 6)
    double.over(64, stream=second)(x)
    second.synchronize()
    assert x.numpy()[0] == 4


def test_a_stream_that_does_not_join_fails_the_capture(device: CudaDevice) -> None:
    first, second, x, fork = device.stream(), device.stream(), ones(device), device.event()

    def capture() -> None:
        with first.capture():
            double.over(64, stream=first)(x)
            fork.record(first)
            second.wait(fork)
            double.over(64, stream=second)(x)

    with pytest.raises(DeviceError, match="CAPTURE_UNJOINED"):
        capture()
    double.over(64, stream=first)(x)
    first.synchronize()
    assert x.numpy()[0] == 2


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda d, s, x: d.empty(8), "an array that is made"),
        (lambda d, s, x: x.numpy(), "a copy to the host"),
        (lambda d, s, x: x.copy_from(np.zeros(64, np.float32)), "a copy from the host"),
        (lambda d, s, x: s.synchronize(), "captures a graph cannot be waited for"),
        (lambda d, s, x: d.synchronize(), "a wait cannot be part of a graph"),
        (lambda d, s, x: double.over(64, device=d)(x), "a launch of double without stream="),
        (lambda d, s, x: double.over(64, stream=s)(np.ones(64, np.float32)), "cannot be part of"),
        (lambda d, s, x: sw.kernel(lambda_free).over(64, stream=s)(x), "loading kernel"),
        (lambda d, s, x: x.__dlpack__(stream=-1), "given to another library"),
        (lambda d, s, x: x.__cuda_array_interface__, "given to another library"),
    ],
    ids=["array", "download", "upload", "wait", "all", "default", "numpy", "load", "dlpack", "cai"],
)  # fmt: skip
def test_what_would_wait_or_allocate_is_refused(device: CudaDevice, act, said: str) -> None:
    stream, x = device.stream(), ones(device)
    with stream.capture() as graph:
        with pytest.raises(DeviceError, match=said):
            act(device, stream, x)
        double.over(64, stream=stream)(x)
    graph.launch()
    assert x.numpy()[0] == 2


def lambda_free(x):
    x[sw.global_id(0)] = 7.0


def test_an_error_in_the_block_ends_the_capture(device: CudaDevice) -> None:
    stream, x = device.stream(), ones(device)

    def capture() -> None:
        with stream.capture():
            double.over(64, stream=stream)(x)
            raise KeyError("mine")

    with pytest.raises(KeyError):
        capture()
    double.over(64, stream=stream)(x)
    stream.synchronize()
    assert x.numpy()[0] == 2


def test_the_default_stream_and_a_second_capture_are_refused(device: CudaDevice) -> None:
    with pytest.raises(DeviceError, match=r"default stream cannot capture.*device.stream\(\)"):
        device.foreign_stream(1).capture().__enter__()
    stream = device.stream()
    with stream.capture() as graph:
        with pytest.raises(DeviceError, match="captures a graph already"):
            stream.capture().__enter__()
        with pytest.raises(DeviceError, match="not captured"):
            graph.launch()


def test_other_threads_go_on_during_a_capture_but_not_in_it(device: CudaDevice) -> None:
    stream, x, errors = device.stream(), ones(device), list[str]()
    double.over(64, stream=stream)(x)

    def work() -> None:
        y = ones(device)
        double.over(64, device=device)(y)
        errors.append(str(y.numpy()[0]))
        try:
            double.over(64, stream=stream)(x)
        except LaunchError as error:
            errors.append(str(error))

    with stream.capture():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert errors == ["2.0", "the stream captures a graph in another thread"]


def test_graphs_and_their_report_buffers_go_away(device: CudaDevice) -> None:
    stream, x = device.stream(), ones(device)
    memory = library_of(device).gpus[0].memory
    for _ in range(20):
        with stream.capture() as graph:
            double.over(64, stream=stream)(x)
        graph.launch()
        del graph
        gc.collect()
        stream.synchronize()
    assert len(memory.pinned) < 4
    assert library_of(device).calls.count("cuGraphExecDestroy") > 18


def test_report_buffers_of_graphs_are_none_of_launches(
    device: CudaDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many graphs there are, a launch does not wait for one of theirs."""
    stream, x, graphs = device.stream(), ones(device), []
    double_positive.over(64, device=device)(ones(device))
    (reports,) = (kernel.reports for kernel in device.core.kernels if kernel.reports)
    reports.most = 2
    for _ in range(3):
        with stream.capture() as graph:
            double_positive.over(64, stream=stream)(x)
        graphs.append(graph)
    monkeypatch.setattr(device.core, "finish_some", lambda: pytest.fail("nothing is under way"))
    double_positive.over(64, device=device)(x)
    assert x.numpy().tolist() == [2] * 64


def test_a_graph_keeps_the_stream_that_captured_it(device: CudaDevice) -> None:
    stream, x = device.stream(), ones(device)
    with stream.capture() as graph:
        double.over(64, stream=stream)(x)
    double._launches.clear()
    del stream
    gc.collect()
    device.synchronize()
    graph.launch()
    assert x.numpy().tolist() == [2] * 64


def test_another_thread_sees_what_a_stream_did_before_it_captures(device: CudaDevice) -> None:
    stream, x, found = device.stream(), ones(device), list[float]()
    double.over(64, stream=stream)(x)
    with stream.capture():
        thread = threading.Thread(target=lambda: found.append(float(x.numpy()[0])))
        thread.start()
        thread.join()
    assert found == [2]

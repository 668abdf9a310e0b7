"""CUDA streams over the driver of the tests: order, events, copies, memory, contexts, threads.

That driver runs nothing before somebody waits for it, so a missing wait gives wrong results.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from cuda_devices import library_of, simulated, simulated_pair

import stepwell as sw
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.cuda.events import CudaEvent
from stepwell.runtime.cuda.kernel import CudaKernel
from stepwell.runtime.cuda.queue import Queue
from stepwell.runtime.cuda.transfer import STAGING_BYTES
from stepwell.runtime.errors import DeviceError, LaunchError


@sw.kernel
def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


@sw.kernel
def double_first(x):
    at = int(x[sw.global_id(0)]) - 1  # nothing is known of it, so it is checked
    x[at] = x[at] * 2


@sw.kernel
def add(x, y):
    i = sw.global_id(0)
    y[i] = y[i] + x[i]


@sw.kernel(checks=False)
def unchecked_double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


@pytest.fixture
def device() -> Generator[CudaDevice]:
    with simulated() as opened:
        yield opened


def ones(device: CudaDevice, n: int = 100) -> sw.DeviceArray:
    return device.array(np.ones(n, np.float32))


def test_nothing_waits_before_results_are_wanted(device: CudaDevice) -> None:
    x = ones(device)
    unchecked_double.over(100, device=device)(x)
    before = len(library_of(device).calls)
    unchecked_double.over(100, device=device)(x)
    after = library_of(device).calls[before:]
    assert after == ["cuLaunchKernel"]
    assert x.numpy().tolist() == [4] * 100


def test_a_report_buffer_is_not_made_for_each_launch(device: CudaDevice) -> None:
    x = ones(device)
    double.over(100, device=device)(x)
    before = len(library_of(device).calls)
    for _ in range(50):
        double.over(100, device=device)(x)
    assert library_of(device).calls[before:] == ["cuLaunchKernel"] * 50


def test_launches_in_a_stream_see_uploads_before_them(device: CudaDevice) -> None:
    stream = device.stream()
    for value in (1, 5):
        x = device.array(np.full(100, value, np.float32))
        double.over(100, stream=stream)(x)
        assert x.numpy().tolist() == [2 * value] * 100
        x.copy_from(np.full(100, 7, np.float32))
        double.over(100, stream=stream)(x)
        assert x.numpy().tolist() == [14] * 100


def test_an_upload_comes_after_launches_in_other_streams(device: CudaDevice) -> None:
    stream, x, y = device.stream(), ones(device), ones(device)
    double.over(100, stream=stream)(x)
    x.copy_from(np.zeros(100, np.float32))
    add.over(100, device=device)(x, y)
    assert y.numpy().tolist() == [1] * 100
    assert x.numpy().tolist() == [0] * 100


def test_streams_are_ordered_by_events(device: CudaDevice) -> None:
    first, second, x, y = device.stream(), device.stream(), ones(device), ones(device)
    event = device.event()
    double.over(100, stream=first)(x)
    event.record(first)
    second.wait(event)
    add.over(100, stream=second)(x, y)
    second.synchronize()
    assert y.numpy().tolist() == [3] * 100


def test_events_measure_time_and_tell_reports(device: CudaDevice) -> None:
    start, end, x = device.event(), device.event(), ones(device)
    with pytest.raises(DeviceError, match="not recorded"):
        end.synchronize()
    start.record()
    double.over(100, device=device)(x)
    end.record()
    assert start.elapsed_ms(end) > 0
    double.over(200, device=device)(x)
    end.record()
    with pytest.raises(sw.OutOfBounds):
        end.synchronize()
    device.synchronize()


def test_data_larger_than_the_staging_buffers_goes_both_ways(device: CudaDevice) -> None:
    data = np.random.default_rng(0).integers(0, 255, 3 * STAGING_BYTES + 5, np.uint8)
    assert (device.array(data).numpy() == data).all()


def test_the_source_of_an_upload_may_change_at_once(device: CudaDevice) -> None:
    data = np.arange(1000, dtype=np.int32)
    x = device.array(data)
    data[:] = 0
    assert x.numpy().tolist() == list(range(1000))


@pytest.mark.parametrize("dtype", ["u8", "i16", "f32", "f64", "bf16"])
@pytest.mark.parametrize("value", [0, 3])
def test_the_device_fills_arrays(device: CudaDevice, dtype: str, value: int) -> None:
    x = device.full((5, 7), value, dtype)
    assert x.numpy().astype(float).tolist() == [[value] * 7] * 5


def test_copies_within_the_device_do_not_pass_the_host(device: CudaDevice) -> None:
    x = ones(device)
    y = x.copy()
    double.over(100, device=device)(y)
    assert "cuMemcpyDtoHAsync" not in library_of(device).calls
    assert (x.numpy()[0], y.numpy()[0]) == (1, 2)


def test_memory_is_freed_after_what_uses_it(device: CudaDevice) -> None:
    stream, y = device.stream(), ones(device)
    for _ in range(3):
        x = ones(device)
        add.over(100, stream=stream)(x, y)
        del x
        gc.collect()
    stream.synchronize()
    assert y.numpy().tolist() == [4] * 100
    memory = library_of(device).gpus[0].memory
    before = memory.used
    del y
    gc.collect()
    device.synchronize()
    device.synchronize()
    assert memory.used < before


def test_many_launches_hold_nothing(device: CudaDevice) -> None:
    """Checks that report need buffers: they are used again when launches are done."""
    x = ones(device)
    launch = double.over(1, device=device)
    launch(x)
    memory = library_of(device).gpus[0].memory
    for _ in range(2500):
        launch(x)
    device.synchronize()
    pinned = len(memory.pinned)
    for _ in range(2500):
        launch(x)
    device.synchronize()
    assert len(memory.pinned) == pinned
    assert pinned < 2100


def test_prints_of_streams_come_in_the_order_of_each(
    device: CudaDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    @sw.kernel
    def tell(k):
        print("number", k)

    @sw.kernel
    def shout(k):
        print("NUMBER", k)

    stream = device.stream()
    for k in range(20):
        (tell if k % 2 else shout).over(1, stream=stream)(np.int32(k))
    stream.synchronize()
    lines = capsys.readouterr().out.split("\n")
    assert lines[:20] == [f"{'number' if k % 2 else 'NUMBER'} {k}" for k in range(20)]


def test_a_stream_that_is_dropped_still_tells(device: CudaDevice) -> None:
    @sw.kernel
    def fails(x):
        x[sw.global_id(0) + 1000] = 1.0

    stream, x = device.stream(), ones(device)
    fails[1, 1, stream](x)
    fails._launches.clear()
    del stream
    gc.collect()
    with pytest.raises(sw.OutOfBounds):
        device.synchronize()
    device.empty(10)
    assert len(device.core.queues) == 1


def test_another_libraries_stream_is_launched_into(device: CudaDevice) -> None:
    x = ones(device)

    class Theirs:
        def __init__(self) -> None:
            with device.core.context.current():
                self.handle = device.driver.call("cuStreamCreate", 0)

        def __cuda_stream__(self) -> tuple[int, int]:
            return 0, self.handle

    theirs = Theirs()
    unchecked_double.over(100, device=device, stream=theirs)(x)
    stream = device.foreign_stream(theirs)
    assert stream.__cuda_stream__() == (0, theirs.handle)
    unchecked_double.over(100, stream=stream)(x)
    stream.synchronize()
    assert x.numpy().tolist() == [4] * 100
    with pytest.raises(DeviceError, match="str is no stream"):
        device.foreign_stream("7")
    with pytest.raises(DeviceError, match="version 3"):
        device.foreign_stream(type("Newer", (), {"__cuda_stream__": (3, 5)})())
    cpu = sw.device("cpu")
    with pytest.raises(DeviceError, match="no streams of Theirs"):
        double.over(100, device=cpu, stream=theirs)(np.ones(100))


def test_handles_of_the_default_stream_are_the_default_stream(device: CudaDevice) -> None:
    for handle in (0, 1):
        assert device.foreign_stream(handle).queue is device.core.default


def test_what_was_current_in_a_thread_stays_current() -> None:
    """Two GPUs: a launch on one leaves that of the other library's current."""
    with simulated_pair() as (first, second):
        x, y = ones(first), ones(second)
        call = first.driver.call
        call("cuCtxSetCurrent", second.core.context.handle)
        double.over(100, device=first)(x)
        double.over(100, device=second)(y)
        assert x.numpy()[0] == y.numpy()[0] == 2
        assert call("cuCtxGetCurrent") == second.core.context.handle
        with pytest.raises(DeviceError, match="is on cuda:1 and the launch on cuda:0"):
            double.over(100, device=first)(y)
        with pytest.raises(DeviceError, match="is of cuda:1"):
            first.load(double.compile((sw.Array[sw.f32, 1],), target="cuda")).launcher(
                (1, 1, 1), (1, 1, 1), 0, second.stream()
            )


def test_a_stream_of_another_gpu_is_refused() -> None:
    with simulated_pair() as (first, second):
        theirs = second.stream()
        with pytest.raises(DeviceError, match="is not of cuda:0"):
            first.foreign_stream(theirs)


def test_threads_launch_into_streams_of_their_own(device: CudaDevice) -> None:
    results: list[Any] = []

    def work(value: int) -> None:
        x = device.array(np.full(64, value, np.float32))
        stream = device.stream()
        for _ in range(10):
            double.over(64, stream=stream)(x)
        stream.synchronize()
        results.append((value, x.numpy().tolist()))

    double.over(64, device=device)(ones(device, 64))
    threads = [threading.Thread(target=work, args=(value,)) for value in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(v, [v * 1024.0] * 64) for v in range(1, 5)]


def test_a_block_is_chosen_that_fits_the_kernel(device: CudaDevice) -> None:
    """A kernel with much shared memory runs more threads at once in larger blocks."""

    @sw.kernel
    def wide(x):
        room = sw.shared(8192, sw.f32)
        room[sw.thread_id(0)] = x[sw.global_id(0)]
        x[sw.global_id(0)] = room[sw.thread_id(0) ^ 1] + sw.block_dim(0)

    x = ones(device, 2048)
    wide.over(2048, device=device)(x)
    assert x.numpy().tolist() == [1 + 512] * 2048
    wide.over(2048, block=64, device=device)(x)
    assert x.numpy().tolist() == [1 + 512 + 64] * 2048


def test_launch_options_need_a_device_that_has_them(device: CudaDevice) -> None:
    with pytest.raises(LaunchError, match="needs cooperative_launch; cpu:0 has not"):
        double.launch(1, 1, device="cpu", cooperative=True)
    with pytest.raises(LaunchError, match="needs clusters, overlapped_launch; cuda:0"):
        double.launch(1, 1, device=device, cluster=2, overlap=True)


def test_launches_with_options_reach_the_driver() -> None:
    with simulated((9, 0)) as device:
        x = ones(device, 128)
        double.launch(4, 32, device=device, cooperative=True)(x)
        double.launch(4, 32, device=device, cluster=2)(x)
        double.launch(4, 32, device=device, overlap=True)(x)
        assert library_of(device).calls.count("cuLaunchKernelEx") == 3
        assert x.numpy().tolist() == [8] * 128
        with pytest.raises(LaunchError, match=r"has 100000 blocks .* runs \d+ at once"):
            double.launch(100_000, 32, device=device, cooperative=True)(x)
        with pytest.raises(LaunchError, match=r"no multiple of its clusters"):
            double.launch(5, 32, device=device, cluster=2)(x)
        with pytest.raises(LaunchError, match=r"no cluster of \(16, 1, 1\) blocks"):
            double.launch(16, 32, device=device, cluster=16)(x)


def test_dynamic_shared_memory_beyond_48_kib(device: CudaDevice) -> None:
    @sw.kernel
    def copy(x):
        i = sw.thread_id(0)
        room = sw.shared(None, sw.f32)
        room[i + 20_000] = x[i]
        sw.barrier()
        x[i] = room[i + 20_000] + 1

    x = ones(device, 32)
    copy.launch(1, 32, device=device, shared_bytes=4 * 20_100)(x)
    assert x.numpy().tolist() == [2] * 32
    with pytest.raises(LaunchError, match="asks for 200000 bytes of shared memory"):
        copy.launch(1, 32, device=device, shared_bytes=200_000)(x)


def test_a_foreign_stream_is_there_until_the_last_that_stands_for_it(device: CudaDevice) -> None:
    theirs, x = device.stream(), ones(device)
    first, second = device.foreign_stream(theirs), device.foreign_stream(theirs)
    assert first is not second
    del first
    gc.collect()
    device.synchronize()
    x.copy_from(np.full(100, 3, np.float32))
    unchecked_double.over(100, stream=second)(x)
    assert x.numpy().tolist() == [6] * 100


def test_a_launch_passes_by_no_wait_that_is_being_made(
    device: CudaDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream has caught up when the driver was told, not before: other threads launch in it."""
    core, stream, seen = device.core, device.stream(), list[bool]()
    order = core.order

    def watched(first: Queue, then: Queue) -> None:
        seen.append(then.behind)
        order(first, then)

    monkeypatch.setattr(core, "order", watched)
    unchecked_double.over(100, stream=stream)(ones(device))
    assert seen == [True]
    assert not stream.queue.behind


@pytest.mark.parametrize("is_event", [False, True])
def test_launches_of_other_threads_after_a_mark_are_not_taken_for_done(
    device: CudaDevice, monkeypatch: pytest.MonkeyPatch, is_event: bool
) -> None:
    core, stream, event = device.core, device.stream(), device.event()
    double_first.over(1, stream=stream)(ones(device))
    call = core.context.call

    def slow(name: str, *arguments: Any) -> Any:
        made = call(name, *arguments)
        stream.queue.sent += name == "cuEventRecord"  # as one that comes right after it
        return made

    monkeypatch.setattr(core.context, "call", slow)
    assert isinstance(event, CudaEvent)
    if is_event:
        event.record(stream)
    else:
        core.mark(stream.queue)
    number = event._number if is_event else stream.queue.marks[-1][1]
    assert number == 1


def test_code_of_a_kernel_stays_while_a_launch_may_be_under_way(
    device: CudaDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dies while the device waits may have been launched after the wait."""
    core, finish = device.core, device.core.finish
    calls = library_of(device).calls

    def meanwhile(queue: Queue) -> None:
        finish(queue)
        core.dead_modules.append(_module_of(device))

    monkeypatch.setattr(core, "finish", meanwhile)
    device.synchronize()
    assert "cuModuleUnload" not in calls
    monkeypatch.undo()
    device.synchronize()
    assert calls.count("cuModuleUnload") == 1


def _module_of(device: CudaDevice) -> Any:
    """A module that the driver has loaded, and no kernel has."""
    artifact = unchecked_double.compile((sw.Array[sw.f32, 1],), target=device.target)
    kernel = CudaKernel(device, artifact)
    module = kernel._module
    del kernel._module
    return module

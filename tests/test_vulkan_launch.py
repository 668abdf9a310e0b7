"""Launches on Vulkan devices: both ways to pass arguments, grids of every size, reports, order."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Generator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from vulkan_devices import NAMES, open_device
from vulkan_kernels import artifact

from stepwell.runtime.arguments import make_packer
from stepwell.runtime.array import DeviceArray
from stepwell.runtime.artifact import Artifact
from stepwell.runtime.device import Stream
from stepwell.runtime.errors import DeviceError
from stepwell.runtime.launch_shape import Dim3
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.runtime.vulkan.stream import Batch
from stepwell.runtime.vulkan.transfer import SMALL_BYTES, STAGING_BYTES

ADD = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += P.amount.x;"
ABIS = ("bda", "bindings")


@pytest.fixture(scope="module", params=NAMES)
def device(request: pytest.FixtureRequest) -> Generator[VulkanDevice]:
    with open_device(request.param) as opened:
        yield opened


def launch(
    device: VulkanDevice,
    made: Artifact,
    arguments: list[Any],
    grid: Dim3 = (1, 1, 1),
    block: Dim3 = (64, 1, 1),
    shared_bytes: int = 0,
    stream: Stream | None = None,
) -> None:
    packed = make_packer(made.manifest, arguments)(arguments)
    device.load(made).launcher(grid, block, shared_bytes, stream)(packed)


@pytest.mark.parametrize("in_memory", [False, True], ids=["pushed", "in-memory"])
@pytest.mark.parametrize("abi", ABIS)
def test_arguments_arrive(device: VulkanDevice, abi: str, in_memory: bool) -> None:
    made = artifact(abi, ADD, words=("amount",), in_memory=in_memory)
    array = device.array(np.arange(1000, dtype=np.uint32))
    launch(device, made, [array, 5], (16, 1, 1))
    launch(device, made, [array[700:], 100], (16, 1, 1))
    expected = np.arange(1000) + 5
    expected[700:] += 100
    assert (array.numpy() == expected).all()


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("grid", [(3, 5, 7), (70_000, 1, 1), (2, 66_000, 1), (1, 3, 65_537)])
def test_every_thread_of_a_grid_runs_once(device: VulkanDevice, abi: str, grid: Dim3) -> None:
    made = artifact(abi, ADD, words=("amount",))
    count = grid[0] * grid[1] * grid[2] * 4
    array = device.zeros(count + 100, "u32")
    launch(device, made, [array, 1], grid, (2, 2, 1))
    assert (array.numpy() == [1] * count + [0] * 100).all()


@pytest.mark.parametrize("nbytes", [1, STAGING_BYTES, STAGING_BYTES + 5, 3 * STAGING_BYTES + 1])
def test_copies_of_every_size_arrive_whole(device: VulkanDevice, nbytes: int) -> None:
    data = np.random.default_rng(nbytes).integers(0, 255, nbytes, np.uint8)
    array = device.array(data)
    assert (array.numpy() == data).all()
    middle = nbytes // 3
    array[middle:] = data[: nbytes - middle]
    assert (array.numpy()[middle:] == data[: nbytes - middle]).all()
    assert (array.numpy()[:middle] == data[:middle]).all()


@pytest.mark.parametrize("nbytes", [SMALL_BYTES, SMALL_BYTES + 4])
def test_small_copies_to_memory_that_the_host_sees_but_does_not_cache_are_direct(
    nbytes: int,
) -> None:
    made = artifact("bda", ADD, words=("amount",))
    data = np.random.default_rng(nbytes).integers(0, 255, nbytes // 4, np.uint32)
    with open_device("lavapipe-uncached") as device:
        array = device.array(data)
        launch(device, made, [array, 5], (data.size // 64 + 1, 1, 1))
        launch(device, made, [array, 5], (data.size // 64 + 1, 1, 1))
        array[1:] = data[1:]
        submitted = device.core.transfer.timeline.submitted
        assert submitted == (0 if nbytes <= SMALL_BYTES else 1)
        assert (array.numpy() == [data[0] + 10, *data[1:]]).all()
        assert device.core.transfer.timeline.submitted == submitted + 1


def test_more_arrays_than_a_pool_has_descriptor_sets(device: VulkanDevice) -> None:
    made = artifact("bindings", ADD, words=("amount",))
    arrays = [device.zeros(64, "u32") for _ in range(150)]
    pack = make_packer(made.manifest, [arrays[0], 2])
    run = device.load(made).launcher((1, 1, 1), (64, 1, 1))
    for times in range(1, 4):
        for array in arrays:
            run(pack([array, 2]))
        assert all((array.numpy() == 2 * times).all() for array in arrays)


@pytest.mark.parametrize("abi", ABIS)
def test_no_blocks_launch_nothing(device: VulkanDevice, abi: str) -> None:
    array = device.zeros(4, "u32")
    launch(device, artifact(abi, ADD, words=("amount",)), [array, 1], (0, 1, 1))
    assert (array.numpy() == 0).all()


@pytest.mark.parametrize("abi", ABIS)
def test_launches_see_what_was_written_before_them(device: VulkanDevice, abi: str) -> None:
    body = "uint i = linear_id(); if (i < P.size0.x) BUFFER1(i) = BUFFER0(P.size0.x - 1u - i) + 1u;"
    made = artifact(abi, body, buffers=(("uint", False), ("uint", True)))
    one, two = device.zeros(1000, "u32"), device.zeros(1000, "u32")
    pack, kernel = make_packer(made.manifest, [one, two]), device.load(made)
    run = kernel.launcher((16, 1, 1), (64, 1, 1))
    for _ in range(50):
        run(pack([one, two]))
        run(pack([two, one]))
    assert (one.numpy() == 100).all()
    assert (two.numpy() == 99).all()


def test_barriers_are_put_only_where_launches_share_what_one_writes(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "uint i = linear_id(); if (i < P.size0.x) BUFFER1(i) += BUFFER0(i);"
    made = artifact("bda", body, buffers=(("uint", False), ("uint", True)))
    timeline = device.core.default
    count: list[Batch] = []
    barrier = timeline.barrier

    def counted(batch: Batch) -> None:
        count.append(batch)
        barrier(batch)

    source, *targets = (device.zeros(64, "u32") for _ in range(4))
    device.synchronize()
    monkeypatch.setattr(timeline, "barrier", counted)
    timeline.limit = 64  # all of them in one batch
    for target in targets:
        launch(device, made, [source, target])
    assert len(count) == 0  # they read the same, and write each its own
    launch(device, made, [targets[0], targets[1]])
    assert len(count) == 1
    launch(device, made, [targets[2], source])
    assert len(count) == 1  # what it shares was before the barrier
    launch(device, made, [targets[1], targets[2]])
    assert len(count) == 2
    launch(device, made, [source, targets[1]])
    assert len(count) == 3  # it writes what the one before only reads
    device.synchronize()


@pytest.mark.parametrize("abi", ABIS)
def test_dynamic_shared_memory_has_the_bytes_of_the_launch(device: VulkanDevice, abi: str) -> None:
    body = """uint t = gl_LocalInvocationID.x; tile[t] = t; barrier();
      BUFFER0(t) = tile[gl_WorkGroupSize.x - 1u - t] + (uint(tile.length()) << 16);"""
    made = artifact(abi, body, declarations="shared uint tile[dynamic_bytes / 4u + 4u];")
    array = device.zeros(64, "u32")
    launch(device, made, [array], shared_bytes=256)
    assert (array.numpy() == (68 << 16) + np.arange(64)[::-1]).all()


def test_a_stream_of_its_own_takes_launches(device: VulkanDevice) -> None:
    made = artifact("bda", ADD, words=("amount",))
    arrays = [device.zeros(64, "u32") for _ in range(3)]
    streams = [device.stream() for _ in range(3)]
    for _ in range(10):
        for array, stream in zip(arrays, streams, strict=True):
            launch(device, made, [array, 1], stream=stream)
    streams[0].synchronize()
    assert all((array.numpy() == 10).all() for array in arrays)


def test_a_stream_that_nobody_has_still_does_its_work(device: VulkanDevice) -> None:
    made = artifact("bda", ADD, words=("amount",))
    array = device.zeros(64, "u32")
    for _ in range(20):
        launch(device, made, [array, 1], stream=device.stream())
        device.synchronize()
    assert (array.numpy() == 20).all()
    assert len(device.core.timelines()) < 6


def test_events_give_the_time_between_them(device: VulkanDevice) -> None:
    made = artifact("bda", ADD, words=("amount",))
    array = device.zeros(1 << 16, "u32")
    launch(device, made, [array, 1], (1024, 1, 1))
    device.synchronize()
    begin, end, stream = device.event(), device.event(), device.stream()
    with pytest.raises(DeviceError, match="not recorded"):
        begin.elapsed_ms(end)
    start = perf_counter()
    begin.record(stream)
    launch(device, made, [array, 1], (1024, 1, 1), stream=stream)
    end.record(stream)
    end.synchronize()
    assert 0 < begin.elapsed_ms(end) <= 1e3 * (perf_counter() - start)
    assert end.elapsed_ms(begin) == -begin.elapsed_ms(end)
    for _ in range(1000):  # queries come back
        begin.record()
    begin.synchronize()


def test_memory_of_dead_arrays_is_used_again(device: VulkanDevice) -> None:
    made = artifact("bda", ADD, words=("amount",))
    device.zeros(1 << 18, "u32")
    before = device.core.memory.reserved()
    for times in range(200):
        array = device.zeros(1 << 18, "u32")
        launch(device, made, [array, 1])
        if times % 20 == 0:
            device.synchronize()
    assert device.core.memory.reserved() <= before + (64 << 20)


@pytest.mark.parametrize("abi", ABIS)
def test_ten_thousand_launches_do_not_grow(device: VulkanDevice, abi: str) -> None:
    made = artifact(abi, ADD, words=("amount",), in_memory=True)
    array = device.zeros(64, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run = kernel.launcher((1, 1, 1), (64, 1, 1))

    def several(count: int) -> int:
        for _ in range(count):
            run(pack([array, 1]))
        device.synchronize()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])

    before = several(4000)
    assert several(10_000) - before < 1200  # pages: 5 MiB, of which the validation layer takes most
    assert (array.numpy() == 14_000).all()


def test_two_threads_launch_at_once(device: VulkanDevice) -> None:
    made = artifact("bda", ADD, words=("amount",))
    arrays = [device.zeros(256, "u32") for _ in range(4)]
    kernel = device.load(made)
    run = kernel.launcher((4, 1, 1), (64, 1, 1))
    errors: list[BaseException] = []

    def work(array: DeviceArray) -> None:
        try:
            pack = make_packer(made.manifest, [array, 1])
            for i in range(300):
                run(pack([array, 1]))
                if i % 50 == 0:
                    device.synchronize()
                other = device.array(np.arange(100, dtype=np.uint32))
                assert other.numpy()[99] == 99
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(array,)) for array in arrays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all((array.numpy() == 300).all() for array in arrays)


def test_a_thread_is_not_told_what_another_is_still_asking(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation layer takes up that batches are done at the end of the call that says so."""
    submissions = device.core.default.submissions
    is_written, may_end = threading.Event(), threading.Event()

    def ask(*arguments: Any) -> int:
        place = arguments[-1]._obj  # of ctypes.byref
        is_other = threading.current_thread() is other
        place.value = 5 if is_other else 4
        if is_other:
            is_written.set()
            may_end.wait(10)
        return 0

    monkeypatch.setattr(submissions, "_ask", ask)
    told: list[int] = []
    other = threading.Thread(target=lambda: told.append(submissions.reached()))
    before = submissions.reached()
    other.start()
    assert is_written.wait(10)
    seen = submissions.reached()
    may_end.set()
    other.join()
    assert (before, seen, told) == (4, 4, [5])


def test_threads_may_do_everything_at_once(device: VulkanDevice) -> None:
    made = [artifact(abi, ADD, words=("amount",), in_memory=abi == "bindings") for abi in ABIS]
    kernels = [device.load(one) for one in made]
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        choose = random.Random(seed)
        array, expected, stream = device.zeros(1, "u32"), 0, device.stream()
        for _ in range(120):
            action = choose.random()
            if action < 0.2:
                array, expected = device.zeros(choose.choice((1, 5000, 300_000)), "u32"), 0
            elif action < 0.7:
                kernel = choose.choice(kernels)
                groups = (array.size // 64 + 1, 1, 1)
                run = kernel.launcher(groups, (64, 1, 1), 0, stream)
                run(make_packer(kernel.manifest, [array, 3])([array, 3]))
                expected += 3
            elif action < 0.85:
                assert (array.numpy() == expected).all()
            else:
                begin, end = device.event(), device.event()
                begin.record()
                end.record(device.stream())
                assert begin.elapsed_ms(end) < 1e6

    def guarded(seed: int) -> None:
        try:
            work(seed)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("driver", ["lavapipe", "swiftshader"])
def test_a_device_of_version_1_1_works_by_its_extensions(
    driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.runtime.vulkan.instance.HIGHEST_VERSION", (1, 1))
    with open_device(driver) as device:
        assert device.description.endswith("Vulkan 1.1")
        assert device.profile.spirv <= (1, 4)
        assert "VK_KHR_timeline_semaphore" in device.physical.extensions
        for abi in ABIS if "bda" in device.profile.capabilities else ("bindings",):
            made = artifact(abi, ADD, words=("amount",), environment="vulkan1.1")
            array = device.zeros(64, "u32")
            launch(device, made, [array, 5])
            assert (array.numpy() == 5).all()


def _no_barrier(command: int) -> None:
    """In place of what orders launches."""


@pytest.fixture
def watched_device(tmp_path: Path) -> Generator[VulkanDevice]:
    """A device under Chromium's validation layer, which sees what dispatches access."""
    library = Path("/usr/lib/chromium/libVkLayer_khronos_validation.so")
    if not library.exists():
        pytest.skip(f"needs {library} (chromium)")
    layer = {
        "name": "VK_LAYER_KHRONOS_validation",
        "type": "GLOBAL",
        "library_path": str(library),
        "api_version": "1.3.0",
        "implementation_version": "1",
        "description": "",
        "instance_extensions": [
            {"name": name, "spec_version": "1"}
            for name in ("VK_EXT_debug_utils", "VK_EXT_layer_settings")
        ],
    }
    content = json.dumps({"file_format_version": "1.2.0", "layer": layer})
    (tmp_path / "layer.json").write_text(content, encoding="utf-8")
    with open_device("lavapipe", VK_LAYER_PATH=str(tmp_path)) as opened:
        yield opened


def test_a_missing_barrier_would_be_found_and_none_is_missing(
    watched_device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = watched_device
    body = "uint i = linear_id(); if (i < P.size0.x) BUFFER1(i) += BUFFER0(i) + 1u;"
    made = artifact("bindings", body, buffers=(("uint", False), ("uint", True)))
    arrays = [device.zeros(64, "u32") for _ in range(3)]
    timeline = device.core.default

    def several() -> None:
        timeline.limit = 64
        for i in range(20):
            launch(device, made, [arrays[i % 3], arrays[(i + 1 + i % 2) % 3]])
        device.synchronize()

    several()
    monkeypatch.setattr(timeline, "barrier", _no_barrier)
    with pytest.raises(DeviceError, match="SYNC-HAZARD"):
        several()
    device.synchronize()

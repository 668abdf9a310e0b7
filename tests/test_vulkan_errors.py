"""What goes wrong on Vulkan devices: failed checks, limits, lost devices, endless kernels."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import pytest
from vulkan_devices import NAMES, open_device
from vulkan_kernels import artifact

import stepwell as sw
from stepwell.launch import Program
from stepwell.runtime.arguments import make_packer
from stepwell.runtime.array import DeviceArray
from stepwell.runtime.artifact import Artifact, Form, Site
from stepwell.runtime.device import Device, Launcher
from stepwell.runtime.errors import (
    ArtifactError,
    DeviceError,
    DeviceLost,
    KernelError,
    LaunchError,
    OutOfBounds,
    OutOfMemory,
)
from stepwell.runtime.report import PRINTED_WORD
from stepwell.runtime.report_pool import ReportBuffer, ReportPool
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.runtime.vulkan.table import DEVICE_LOST

ABIS = ("bda", "bindings")
BOUNDS = Site("bounds", "index {} of {}", ("u32", "u32"), __file__, 3, 5, "k")
PRINT = Site("print", "block {} has {}", ("u32", "u32"))
SITES = (BOUNDS, PRINT)
# Block b writes 1; the one with the number of the scalar fails, all print where `loud` is not 0.
BODY = """uint b = gl_WorkGroupID.x;
  if (P.loud.x != 0u) print_(1u, b, P.loud.x);
  if (b == P.failing.x) { report(0u, b, 10u); return; }
  BUFFER0(b) = 1u;"""
NEVER = 1000


def failing(abi: str, sites: tuple[Site, ...] = SITES, **fields: Any) -> Artifact:
    return artifact(abi, BODY, words=("failing", "loud"), sites=sites, **fields)


class Fixed(Program):
    """A program whose artifact is given."""

    def __init__(self, made: Artifact):
        super().__init__()
        self.__name__ = made.manifest.name
        self.parameter_names = tuple(row.name for row in made.manifest.parameters)
        self.artifact = made

    def artifact_for(self, arguments: Sequence[Any], form: Form, on: Device) -> Artifact:
        return self.artifact

    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        return arguments


@pytest.fixture(scope="module", params=NAMES)
def device(request: pytest.FixtureRequest) -> Generator[VulkanDevice]:
    with open_device(request.param) as opened:
        yield opened


@pytest.fixture
def own_device() -> Generator[VulkanDevice]:
    with open_device("lavapipe") as opened:
        yield opened


def launcher(device: VulkanDevice, made: Artifact, blocks: int = 4) -> Launcher:
    return device.load(made).launcher((blocks, 1, 1), (1, 1, 1))


def packed(made: Artifact, *arguments: Any) -> bytes:
    return make_packer(made.manifest, arguments)(arguments)


@pytest.mark.parametrize("abi", ABIS)
def test_a_failed_check_is_raised_by_who_waits_and_the_next_launch_is_clean(
    device: VulkanDevice, abi: str
) -> None:
    made = failing(abi)
    run, array = launcher(device, made), device.zeros(4, "u32")
    waits = [device.synchronize, array.numpy, device.core.default.synchronize]
    for wait in (*waits, *waits):
        run(packed(made, array, 2, 0))
        with pytest.raises(OutOfBounds, match="index 2 of 10") as caught:
            wait()
        assert caught.value.block == (2, 0, 0)
        assert caught.value.line == 3
        assert caught.value.device == "vulkan:0"
    assert array.numpy().tolist() == [1, 1, 0, 1]
    run(packed(made, array, NEVER, 0))
    assert array.numpy().tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("abi", ABIS)
def test_prints_arrive_in_the_order_of_launches(
    device: VulkanDevice, abi: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = failing(abi)
    run, array = launcher(device, made, 1), device.zeros(4, "u32")
    for number in range(1, 40):
        run(packed(made, array, NEVER, number))
    assert capsys.readouterr().out == ""
    device.synchronize()
    lines = [f"block 0 has {number}" for number in range(1, 40)]
    assert capsys.readouterr().out.splitlines() == lines


def test_of_several_failed_launches_the_first_is_raised_and_names_the_next(
    device: VulkanDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    made = failing("bda")
    run, array = launcher(device, made), device.zeros(4, "u32")
    for block in (NEVER, 1, 3, NEVER):
        run(packed(made, array, block, 7))
    with pytest.raises(OutOfBounds, match="index 1 of 10") as caught:
        device.synchronize()
    assert "1 later launches failed too, the next one: index 3 of 10" in caught.value.__notes__[0]
    assert len(capsys.readouterr().out.splitlines()) == 16
    device.synchronize()


def test_a_full_report_buffer_says_so(
    device: VulkanDevice, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "40")
    made = failing("bda")
    run, array = launcher(device, made, 10), device.zeros(10, "u32")
    for _ in range(2):
        run(packed(made, array, NEVER, 1))
        device.synchronize()
        out, err = capsys.readouterr()
        assert out.count("\n") == 2
        assert "at least 8 printed lines were lost" in err
    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "5")
    checks = failing("bda", (BOUNDS,))
    launcher(device, checks)(packed(checks, array, 0, 0))
    with pytest.raises(KernelError, match="STEPWELL_REPORT_WORDS"):
        device.synchronize()


def test_more_printing_launches_than_report_buffers(
    device: VulkanDevice, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.runtime.report_pool.POOL_BYTES", 1)
    made = failing("bda")
    run, array = launcher(device, made, 1), device.zeros(4, "u32")
    for number in range(1, 20):
        run(packed(made, array, NEVER, number))
    device.synchronize()
    assert len(capsys.readouterr().out.splitlines()) == 19


@pytest.mark.parametrize("abi", ABIS)
def test_numpy_arguments_are_moved_and_errors_arise_at_the_launch(
    device: VulkanDevice, abi: str
) -> None:
    program = Fixed(failing(abi))
    array = np.zeros(4, np.uint32)
    with pytest.raises(OutOfBounds, match="index 3 of 10"):
        program.launch(4, 1, device=device)(array, 3, 0)
    assert array.tolist() == [1, 1, 1, 0]
    program.launch(4, 1, device=device)(array, NEVER, 0)
    assert array.tolist() == [1, 1, 1, 1]
    on_device = device.zeros(4, "u32")
    program.launch(4, 1, device=device)(on_device, 0, 0)
    with pytest.raises(OutOfBounds, match="index 0 of 10"):
        on_device.numpy()
    assert on_device.numpy().tolist() == [0, 1, 1, 1]


def test_big_and_strided_numpy_arguments_come_back_whole(device: VulkanDevice) -> None:
    body = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += BUFFER1(i);"
    program = Fixed(artifact("bda", body, buffers=(("uint", True), ("uint", False))))
    many = 3_000_001
    whole, steps = np.arange(many + 7, dtype=np.uint32), np.full(many, 3, np.uint32)
    target = whole[5:-2]
    for times in range(1, 4):
        program.launch(many // 64 + 1, 64, device=device)(target, steps)
        assert (target == np.arange(5, many + 5) + 3 * times).all()
    assert whole[:5].tolist() == [0, 1, 2, 3, 4]
    assert whole[-2:].tolist() == [many + 5, many + 6]
    program.launch(many // 64 + 1, 64, device=device)(steps, steps)
    assert (steps == 6).all()


def test_numpy_arguments_that_share_pages_come_back_whole(device: VulkanDevice) -> None:
    body = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += BUFFER1(i);"
    many = 300_001
    for abi in ABIS:
        program = Fixed(artifact(abi, body, buffers=(("uint", True), ("uint", False))))
        whole = np.arange(2 * many, dtype=np.uint32)
        left, right = whole[:many], whole[many:]
        for _ in range(3):
            program.launch(many // 64 + 1, 64, device=device)(left, right)
        assert (left == np.arange(many) * 4 + 3 * many).all()
        assert (right == np.arange(many, 2 * many)).all()


def test_launches_over_the_limits_are_refused(device: VulkanDevice) -> None:
    kernel = device.load(failing("bda", static_shared_bytes=100, shared_arrays=(("tile", 100),)))
    limits = device.limits
    with pytest.raises(LaunchError, match="threads; vulkan:0 takes up to"):
        kernel.launcher((1, 1, 1), (limits.max_block_threads + 1, 1, 1))
    with pytest.raises(LaunchError, match=r"(?s)shared memory.*100 bytes  tile.*shared_bytes="):
        kernel.launcher((1, 1, 1), (1, 1, 1), limits.shared_bytes)
    with pytest.raises(LaunchError, match="over what vulkan:0 counts"):
        kernel.launcher((2**31 - 1, 1, 1), (2, 1, 1))
    with pytest.raises(LaunchError, match="over what vulkan:0 counts"):
        kernel.launcher((2**20, 2**11, 1), (1, 1, 1))
    with pytest.raises(LaunchError, match="over what vulkan:0 takes"):
        kernel.launcher((2**31, 1, 1), (1, 1, 1))


def test_arrays_that_32_bits_cannot_index_are_refused(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.runtime.vulkan.launch.MAX_ELEMENTS", 1 << 16)
    made = failing("bda")
    run, array = launcher(device, made), device.zeros(1 << 16, "u32")
    run(packed(made, array[1:], NEVER, 0))
    with pytest.raises(LaunchError, match="argument b0 of kernel k has 65536 elements"):
        run(packed(made, array, NEVER, 0))
    device.synchronize()


def test_too_big_an_allocation_is_out_of_memory(device: VulkanDevice) -> None:
    largest = device.core.memory.largest
    with pytest.raises(OutOfMemory, match=f"takes up to {largest} bytes at once"):
        device.zeros(2**40, "u8")
    held: list[DeviceArray] = []
    with pytest.raises(OutOfMemory, match="in use"):
        _take_all(device, held, largest // 4)
    held.clear()
    assert device.empty(largest // 2, "u8").nbytes == largest // 2


def _take_all(device: VulkanDevice, held: list[DeviceArray], nbytes: int) -> None:
    while True:
        held.append(device.empty(nbytes, "u8"))


def test_a_foreign_artifact_is_refused(device: VulkanDevice) -> None:
    good = failing("bda")
    wrong = {
        "for 'cpu'": good._replace(manifest=good.manifest._replace(target="cpu")),
        "lacks float64_atomic_add": good._replace(
            manifest=good.manifest._replace(features=("float64_atomic_add",))
        ),
        "subgroups of 128": good._replace(
            manifest=good.manifest._replace(uses_subgroups=True, subgroup_size=128)
        ),
        "ABI is ''": good._replace(manifest=good.manifest._replace(abi="")),
        "no SPIR-V": good._replace(payload=b"12345678" * 4),
        "SPIR-V 1.9": good._replace(payload=good.payload[:4] + b"\0\x09\x01\0" + good.payload[8:]),
    }
    for message, made in wrong.items():
        with pytest.raises(ArtifactError, match=message):
            device.load(made)
    assert device.accepts(good.manifest)
    assert not device.accepts(wrong["for 'cpu'"].manifest)
    assert not device.accepts(wrong["lacks float64_atomic_add"].manifest)


def test_streams_of_another_device_are_refused(device: VulkanDevice) -> None:
    other = VulkanDevice(device.physical, 1)
    kernel = device.load(failing("bda"))
    stream = other.stream()
    with pytest.raises(DeviceError, match="stream is of vulkan:1, the kernel is on vulkan:0"):
        kernel.launcher((1, 1, 1), (1, 1, 1), 0, stream)
    other.core.close()


def _lose(*arguments: Any) -> int:
    return DEVICE_LOST


def test_a_lost_device_refuses_everything(
    own_device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = own_device
    made = failing("bda")
    run, array = launcher(device, made), device.zeros(4, "u32")
    run(packed(made, array, NEVER, 0))
    device.synchronize()
    with monkeypatch.context() as patch:
        patch.setattr(device.core.default.submissions, "submit_commands", _lose)
        with pytest.raises(DeviceLost, match="vkQueueSubmit that it was lost"):
            run(packed(made, array, NEVER, 0))
    for use in (device.synchronize, array.numpy, lambda: device.zeros(4, "u32")):
        with pytest.raises(DeviceLost, match="cannot be used any more"):
            use()


def _many(x: Any, n: Any) -> None:
    print("n is", n)
    x[n] = 1


def test_the_counter_of_a_full_report_buffer_does_not_wrap(
    own_device: VulkanDevice, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    full, seen, collect = 1 << 31, list[int](), ReportBuffer.collect

    def look(self: ReportBuffer) -> Any:
        seen.append(self._words[PRINTED_WORD])  # pyright: ignore[reportPrivateUsage]
        return collect(self)

    def fill(self: ReportPool, finish_some: Any) -> ReportBuffer:
        buffer = take(self, finish_some)
        buffer._words[PRINTED_WORD] = full  # pyright: ignore[reportPrivateUsage]
        return buffer

    take = ReportPool.take
    monkeypatch.setattr(ReportPool, "take", fill)
    monkeypatch.setattr(ReportBuffer, "collect", look)
    sw.kernel(_many).launch((4,), (8,), device=own_device)(np.zeros(4, np.int32), np.int32(1))
    own_device.synchronize()
    assert seen == [full]
    assert "were lost" in capfd.readouterr().err

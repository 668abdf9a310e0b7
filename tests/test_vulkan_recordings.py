"""Launches that come again: recordings, and batches that are submitted once more; waits."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from vulkan_devices import NAMES, open_device
from vulkan_kernels import artifact

from stepwell.runtime.arguments import make_packer
from stepwell.runtime.vulkan import commands
from stepwell.runtime.vulkan import launch as launch_path
from stepwell.runtime.vulkan import stream as stream_path
from stepwell.runtime.vulkan.commands import Commands
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.runtime.vulkan.launch import BoundLaunch
from stepwell.runtime.vulkan.stream import Batch
from stepwell.runtime.vulkan.transfer import wait_for

ADD = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += P.amount.x;"
ABIS = ("bda", "bindings")


@pytest.fixture(scope="module", params=NAMES)
def device(request: pytest.FixtureRequest) -> Generator[VulkanDevice]:
    with open_device(request.param) as opened:
        yield opened


@pytest.mark.parametrize("abi", ABIS)
def test_launches_that_come_again_are_recorded_once(
    device: VulkanDevice, abi: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = artifact(abi, ADD, words=("amount",))
    arrays = [device.zeros(64, "u32") for _ in range(2)]
    pack, kernel = make_packer(made.manifest, [arrays[0], 3]), device.load(made)
    run = kernel.launcher((1, 1, 1), (64, 1, 1))
    written: list[int] = []
    write = BoundLaunch.write

    def counted(self: BoundLaunch, batch: Batch, bound: int, command: int) -> None:
        written.append(command)
        write(self, batch, bound, command)

    monkeypatch.setattr(BoundLaunch, "write", counted)
    for number in range(20):
        for array in arrays:
            run(pack([array, 3]))
        if number % 3:
            device.synchronize()
    assert all((array.numpy() == 60).all() for array in arrays)
    assert len(written) <= 6  # each in a batch, as a recording, and alone


@pytest.mark.parametrize("abi", ABIS)
def test_batches_that_come_again_are_submitted_as_they_are(
    device: VulkanDevice, abi: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, array = artifact(abi, ADD, words=("amount",)), device.zeros(64, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run = kernel.launcher((1, 1, 1), (64, 1, 1))
    executed: list[int] = []
    execute = Commands.execute

    def counted(self: Commands, command: int, recordings: Any) -> None:
        executed.append(command)
        execute(self, command, recordings)

    monkeypatch.setattr(Commands, "execute", counted)
    for _ in range(10):
        device.core.default.limit = 3
        for _ in range(3):
            run(pack([array, 1]))
        device.synchronize()
    assert len(executed) == 2  # the first with a launch of its own, the second made to be kept
    assert (array.numpy() == 30).all()


@pytest.mark.parametrize("abi", ABIS)
def test_a_launch_that_comes_again_alone_is_only_submitted(
    device: VulkanDevice, abi: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, array = artifact(abi, ADD, words=("amount",)), device.zeros(64, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run, ended = kernel.launcher((1, 1, 1), (64, 1, 1)), list[int]()
    end = Commands.end

    def counted(self: Commands, command: int) -> None:
        ended.append(command)
        end(self, command)

    monkeypatch.setattr(Commands, "end", counted)
    for _ in range(10):
        run(pack([array, 1]))
        device.synchronize()
    assert len(ended) == 2  # the first in a batch, the second recorded to be kept
    assert (array.numpy() == 10).all()


def test_launches_alone_and_in_batches_are_in_order(device: VulkanDevice) -> None:
    body = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) = BUFFER0(i) * P.by.x + 1u;"
    made, array = artifact("bda", body, words=("by",)), device.zeros(1000, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run, expected = kernel.launcher((16, 1, 1), (64, 1, 1)), 0
    for count in (1, 1, 2, 1, 5, 1, 3, 70, 1, 1, 4):
        for number in range(count):
            run(pack([array, number % 3]))
            expected = (expected * (number % 3) + 1) & 0xFFFFFFFF
        device.synchronize()
    assert (array.numpy() == expected).all()


def test_memory_knows_of_a_launch_that_is_submitted_again_while_another_thread_waits(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, array = artifact("bda", ADD, words=("amount",)), device.zeros(64, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run, timeline = kernel.launcher((1, 1, 1), (64, 1, 1)), device.core.default
    for _ in range(3):
        run(pack([array, 1]))
        device.synchronize()
    lease: Any = array.memory.owner
    wait, waited = Batch.wait, list[Batch]()

    def wait_while_another_launches(batch: Batch) -> None:
        wait(batch)
        waited.append(batch)
        run(pack([array, 1]))

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "wait", wait_while_another_launches)
        wait_for(lease.allocation.writes)
    last = lease.allocation.writes[id(timeline)]
    assert last.timeline is timeline
    assert last.ticket == timeline.submitted
    assert (array.numpy() == 3 + len(waited)).all()


@pytest.mark.parametrize("abi", ABIS)
def test_a_recording_does_not_stand_for_other_memory_at_its_address(
    device: VulkanDevice, abi: str
) -> None:
    made = artifact(abi, ADD, words=("amount",))
    array = device.zeros(64, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run = kernel.launcher((1, 1, 1), (64, 1, 1))
    addresses: set[int] = set()
    for _ in range(8):
        array = device.zeros(64, "u32")
        addresses.add(array.address)
        for _ in range(4):
            run(pack([array, 1]))
        lease: Any = array.memory.owner
        assert lease.allocation.uses
        assert (array.numpy() == 4).all()
    assert len(addresses) < 8


def test_recordings_that_are_let_go_are_used_for_others(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MAX_RECORDINGS", 8)
    monkeypatch.setattr(launch_path, "MAX_KNOWN", 4)
    made = artifact("bda", ADD, words=("amount",))
    array = device.zeros(64, "u32")
    stream, total = device.stream(), 0
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run = kernel.launcher((1, 1, 1), (64, 1, 1), 0, stream)
    for amount in range(100):
        for _ in range(3):
            run(pack([array, amount]))
            total += amount
    assert (array.numpy() == total).all()


def test_a_wait_asks_first_unless_the_last_one_was_long(
    device: VulkanDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, array = artifact("bda", ADD, words=("amount",)), device.zeros(64, "u32")
    pack, kernel = make_packer(made.manifest, [array, 1]), device.load(made)
    run = kernel.launcher((1, 1, 1), (64, 1, 1))
    timeline, slept = device.core.default, list[int]()
    wait = device.core.context.wait

    def counted(semaphore: int, value: int, what: Any) -> None:
        slept.append(value)
        wait(semaphore, value, what)

    monkeypatch.setattr(device.core.context, "wait", counted)
    monkeypatch.setattr(stream_path, "PATIENCE", 60.0)
    for is_patient, times in ((True, 0), (False, 1)):
        timeline.is_patient = is_patient
        run(pack([array, 1]))
        timeline.synchronize()
        assert len(slept) == times
    assert timeline.is_patient  # since that took no minute

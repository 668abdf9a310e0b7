"""Launches with NumPy arrays again and again: what stands for small ones on the device is kept."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from vulkan_devices import NAMES, open_device
from vulkan_kernels import artifact

from stepwell.launch import Launch, Program
from stepwell.runtime.array import HostArray, Memory
from stepwell.runtime.moved import KEPT_BYTES
from stepwell.runtime.vulkan import imports
from stepwell.runtime.vulkan.device import VulkanDevice

ADD = "uint i = linear_id(); if (i < P.size0.x) BUFFER0(i) += BUFFER1(i);"
BLOCK = 64


class Add(Program):
    __name__ = "add"
    parameter_names = ("b0", "b1")

    def artifact_for(self, arguments: Any, form: Any, on: Any) -> Any:
        return artifact("bda", ADD, buffers=(("uint", True), ("uint", False)))

    def arrange(self, arguments: Any, keywords: Any) -> Any:
        return arguments


@pytest.fixture(scope="module", params=NAMES)
def device(request: pytest.FixtureRequest) -> Generator[VulkanDevice]:
    with open_device(request.param) as opened:
        yield opened


@pytest.fixture
def allocated(device: VulkanDevice, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each allocation."""
    sizes: list[int] = []
    allocate = device.allocate

    def counted(nbytes: int) -> Memory:
        sizes.append(nbytes)
        return allocate(nbytes)

    monkeypatch.setattr(device, "allocate", counted)
    monkeypatch.setattr(imports, "IMPORT_BYTES", 1 << 60)
    return sizes


def numbers(size: int, start: int = 0) -> HostArray:
    return np.arange(start, start + size, dtype=np.uint32)


def on(device: VulkanDevice, size: int) -> Launch:
    return Add().launch(-(-size // BLOCK), BLOCK, device=device)


def test_small_arrays_are_allocated_once(device: VulkanDevice, allocated: list[int]) -> None:
    launch = on(device, 100)
    for start in range(10):
        target, source = numbers(100), numbers(100, start)
        launch(target, source)
        assert (target == 2 * numbers(100) + start).all()
        assert (source == numbers(100, start)).all()
    assert [size for size in allocated if size] == [400, 400]


def test_arrays_of_another_size_have_memory_of_their_own(
    device: VulkanDevice, allocated: list[int]
) -> None:
    launch = on(device, 200)
    for size in (100, 200, 7, 100):
        target = numbers(size)
        launch(target, np.ones(size, np.uint32))
        assert (target == numbers(size, 1)).all()
    assert [size for size in allocated if size] == [400] * 2 + [800] * 2 + [28] * 2 + [400] * 2


def test_an_array_that_is_passed_twice_is_not_taken_for_two(device: VulkanDevice) -> None:
    launch, one, two = on(device, 64), numbers(64), numbers(64)
    launch(one, two)
    launch(one, one)
    assert (one == 4 * numbers(64)).all()
    launch(two, one)
    assert (two == 5 * numbers(64)).all()


def test_large_arrays_are_not_kept(device: VulkanDevice, allocated: list[int]) -> None:
    size = KEPT_BYTES // 4 + 1
    launch = on(device, size)
    for _ in range(2):
        launch(numbers(size), numbers(size))
    gc.collect()
    assert [nbytes for nbytes in allocated if nbytes] == [4 * size] * 4


def test_threads_that_launch_at_once_have_arrays_of_their_own(device: VulkanDevice) -> None:
    launch = on(device, 1000)
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            target = numbers(1000, number)
            launch(target, numbers(1000))
            if not (target == 2 * numbers(1000) + number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

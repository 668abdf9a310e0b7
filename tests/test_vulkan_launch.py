"""Launches on Vulkan devices: both ways to pass arguments, grids of every size, reports, order."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from vulkan_devices import NAMES, open_device
from vulkan_kernels import artifact

from stepwell.runtime.arguments import make_packer
from stepwell.runtime.artifact import Artifact
from stepwell.runtime.device import Dim3, Stream
from stepwell.runtime.vulkan.device import VulkanDevice

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

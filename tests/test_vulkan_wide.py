"""Arrays that an index of 32 bits does not reach all of: other code, where the device can."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from vulkan_devices import open_device

import stepwell as sw
from stepwell.runtime.errors import LaunchError
from stepwell.runtime.vulkan.device import VulkanDevice


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array is large from 1000 elements on."""
    for place in (
        "array.LARGE",
        "facts.WIDE_REACH",
        "vulkan.device.LARGE",
        "vulkan.device.WIDE_REACH",
    ):
        monkeypatch.setattr(f"stepwell.runtime.{place}", 1000)
    monkeypatch.setattr("stepwell.runtime.vulkan.launch.MAX_ELEMENTS", 1000)
    monkeypatch.setenv("STEPWELL_CACHE", "0")


@pytest.fixture
def device() -> Generator[VulkanDevice]:
    with open_device("lavapipe") as opened:
        yield opened


def add_one(x):
    i = sw.global_id(0)
    if i < x.shape[0]:
        x[i] += 1


def widths(kernel: sw.Kernel) -> list[bool]:
    """Of each code that was loaded, in order, whether its indices have 64 bits."""
    return ["index64" in found.manifest.cpu for found in kernel._loaded.values()]


@pytest.mark.usefixtures("few")
def test_a_large_array_takes_code_with_indices_of_64_bits(device: VulkanDevice):
    kernel = sw.kernel(add_one)
    for size, expected in ((999, [False]), (1000, [False, True]), (10, [False, True])):
        x = device.array(np.arange(size, dtype=np.int32))
        kernel.over(size, device=device)(x)
        np.testing.assert_array_equal(x.numpy(), np.arange(1, size + 1))
        assert widths(kernel) == expected


@pytest.mark.usefixtures("few")
def test_a_large_array_of_the_host_does_too(device: VulkanDevice):
    kernel = sw.kernel(add_one)
    for size in (10, 2000, 20):
        x = np.arange(size, dtype=np.int32)
        kernel.over(size, device=device)(x)
        np.testing.assert_array_equal(x, np.arange(1, size + 1))
    assert widths(kernel) == [False, True]


def add_first(x, y):
    i = sw.global_id(0)
    if i < y.shape[0] and i < 5:
        y[i] += x[i]


@pytest.mark.usefixtures("few")
def test_a_large_array_of_the_host_comes_behind_one_that_is_too_short(device: VulkanDevice):
    kernel = sw.kernel(add_first)
    for size in (10, 2000, 10):
        x, y = np.ones(size, np.int32), np.zeros(20, np.int32)
        kernel.launch(1, 32, device=device)(x, y)
        assert y.tolist() == [1] * 5 + [0] * 15
    assert widths(kernel) == [False, False, True]


@pytest.mark.usefixtures("few")
def test_what_counts_is_how_far_apart_elements_are(device: VulkanDevice):
    kernel = sw.kernel(add_one)
    x = device.array(np.zeros(2000, np.int32))
    kernel.over(500, device=device)(x[::2][:500])
    kernel.over(20, device=device)(x[::100])
    assert widths(kernel) == [False, True]
    assert x.numpy().sum() == 520


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("lacks", ["int64", "bda"])
def test_a_device_that_cannot_refuses(lacks: str):
    kernel = sw.kernel(add_one)
    with open_device("lavapipe", STEPWELL_VULKAN_WITHOUT=lacks) as device:
        x = device.array(np.zeros(2000, np.int32))
        with pytest.raises(LaunchError, match="are 32 bits wide"):
            kernel.over(2000, device=device)(x)

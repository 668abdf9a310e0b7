"""Vulkan devices for tests: each driver with an instance of its own and the validation layer on.

lavapipe              Mesa's CPU driver, as it is
lavapipe-staged       the same, with its memory kept from the host: copies go through staging
swiftshader           the driver in Chromium: subgroups of 4, no 8-, 16- and 64-bit types
lavapipe-uncached     lavapipe taken for a GPU all of whose memory the host sees, but does not cache
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stepwell.runtime.vulkan.api import NoVulkan
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.runtime.vulkan.instance import Instance
from stepwell.runtime.vulkan.physical import physical_devices
from stepwell.runtime.vulkan.table import DEVICE_TYPES, MEMORY_HOST_CACHED

DRIVERS = {
    "lavapipe": ("/usr/share/vulkan/icd.d/lvp_icd.*.json", "mesa-vulkan-drivers"),
    "swiftshader": ("/usr/lib/chromium/vk_swiftshader_icd.json", "chromium"),
}
DISCRETE_GPU = next(number for number, name in DEVICE_TYPES.items() if name == "discrete GPU")
NAMES = ("lavapipe", "lavapipe-staged", "swiftshader")


def driver_file(driver: str) -> str:
    """The file that tells the loader of a driver; skips where it is not there."""
    pattern, package = DRIVERS[driver]
    found = sorted(Path("/").glob(pattern[1:]))
    if not found:
        pytest.skip(f"needs the Vulkan driver {driver} ({package})")
    return str(found[0])


@contextmanager
def open_instance(driver: str, **environment: str) -> Generator[Instance]:
    """An instance with one driver, with the validation layer on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VK_DRIVER_FILES", driver_file(driver))
        patch.setenv("VK_ICD_FILENAMES", driver_file(driver))
        patch.setenv("STEPWELL_VALIDATE", "1")
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            instance = Instance()
        except NoVulkan as error:
            pytest.skip(str(error))
        yield instance
        instance.close()
        assert instance.validation is not None, "it was asked for"
        assert instance.validation.messages == []


@contextmanager
def open_device(name: str, **environment: str) -> Generator[VulkanDevice]:
    """One of those above."""
    driver, _, change = name.partition("-")
    with open_instance(driver, **environment) as instance:
        found, reasons = physical_devices(instance)
        if not found:
            pytest.skip(f"the driver {driver} offers no device: {reasons}")
        physical = found[0]
        if change == "uncached":
            kinds = physical.memory_types
            physical.memory_types = [(flags & ~MEMORY_HOST_CACHED, heap) for flags, heap in kinds]
            physical.type = DISCRETE_GPU
        device = VulkanDevice(physical, 0, staged=change == "staged")
        yield device
        device.core.close()

"""Every test that takes `device` runs on every device that is there.

STEPWELL_TEST_DEVICES adds simulated ones and chooses: "cpu,ptx-interpreter,shader-cpu,
cuda-simulated", or "all", which has all but the last: that is the device "cuda" over a driver of
the tests, and hides a GPU.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

import stepwell as sw


def chosen_devices() -> list[sw.Device]:
    """The devices that are there, and of the simulated ones those that are asked for."""
    wanted = os.environ.get("STEPWELL_TEST_DEVICES", "")
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if "ptx-interpreter" in names or names == ["all"]:
        from oracles.ptx_device import register

        register()
    if "shader-cpu" in names or names == ["all"]:
        from oracles.shader_device import register as register_shader

        register_shader()
    if "cuda-simulated" in names:
        from oracles.cuda_driver.device import register as register_cuda

        register_cuda()
        names[names.index("cuda-simulated")] = "cuda"
    if not names or names == ["all"]:
        return list(sw.devices())
    return [sw.device(name) for name in names]


@pytest.fixture(params=chosen_devices(), ids=lambda device: device.name, scope="session")
def device(request: pytest.FixtureRequest) -> sw.Device:
    return request.param


@pytest.fixture(scope="module", autouse=True)
def no_disk_cache() -> Generator[None]:
    """What is tested is the compiler, not what it made yesterday."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield

"""Every test that takes `device` runs on every device that is there.

STEPWELL_TEST_DEVICES adds simulated ones and chooses: "cpu,ptx-interpreter,shader-cpu,
cuda-simulated", or "all", which has all but the last: that is the device "cuda" over a driver of
the tests, and hides a GPU.
The PTX interpreter runs code for an architecture that the name of the test decides, so that all of
them take part; STEPWELL_TEST_PTX_ARCH is one for all tests, or "all" for each test on each.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from zlib import crc32

import pytest

import stepwell as sw

ARCHITECTURES = ("sm_75", "sm_80", "sm_90a", "sm_100a", "sm_120")


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


def ptx_devices() -> list[sw.Device]:
    """Interpreters of the architectures that are asked for."""
    from oracles.ptx_device import PtxDevice

    arch = os.environ.get("STEPWELL_TEST_PTX_ARCH", "all")
    return [PtxDevice(name) for name in (ARCHITECTURES if arch == "all" else (arch,))]


DEVICES = chosen_devices()
PTX_DEVICES = ptx_devices() if any(one.kind == "ptx-interpreter" for one in DEVICES) else []


def devices_of(test: str) -> list[sw.Device]:
    """Those that a test runs on; of several PTX interpreters one, unless all are asked for."""
    simulated = PTX_DEVICES
    if simulated and "STEPWELL_TEST_PTX_ARCH" not in os.environ:
        simulated = [simulated[crc32(test.encode()) % len(simulated)]]
    return [one for one in DEVICES if one.kind != "ptx-interpreter"] + simulated


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that takes `device`, on its devices."""
    if "device" in metafunc.fixturenames:
        chosen = devices_of(metafunc.definition.nodeid)
        names = [one.name.replace(" ", ":") for one in chosen]
        metafunc.parametrize("device", chosen, indirect=True, ids=names, scope="session")


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> sw.Device:
    return request.param


@pytest.fixture(scope="module", autouse=True)
def no_disk_cache() -> Generator[None]:
    """What is tested is the compiler, not what it made yesterday."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield

"""Every test that takes `device` runs on every device that is there.

STEPWELL_TEST_DEVICES adds simulated ones and chooses: "cpu,ptx-interpreter,shader-cpu,
arm64-qemu,cuda-simulated", or "all", which has neither of the last two: that is the device "cuda"
over a driver of the tests, and hides a GPU; an emulated ARM processor takes long.
The PTX interpreter runs code for an architecture that the name of the test decides, so that all of
them take part; STEPWELL_TEST_PTX_ARCH is one for all tests, or "all" for each test on each.
With STEPWELL_TEST_CPU_LANES=one, the CPU has 1, 4, 8 or 16 lanes, which the name of the test
decides too, and every loop over threads is one over vectors; "all" is each test with each. Where
this processor can be taken for one that has so many, code is for that one.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from zlib import crc32

import pytest

import stepwell as sw

CPU_LANES = {1: "", 4: "x86-64-v2", 8: "x86-64-v3", 16: "x86-64-v4"}
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
    if "arm64-qemu" in names:
        from oracles.arm64_device import register as register_arm64

        register_arm64()
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


def cpus_of_lanes() -> list[sw.Device]:
    """CPUs of so many lanes each, where they are asked for."""
    from stepwell.runtime.cpu import CpuDevice
    from stepwell.runtime.cpu_archs import CPU_ARCHS
    from stepwell.runtime.cpu_code import host_features

    found: list[sw.Device] = []
    with pytest.MonkeyPatch.context() as patch:
        for lanes, arch in CPU_LANES.items():
            fits = arch and host_features().issuperset(CPU_ARCHS[arch].features)
            patch.setenv("STEPWELL_CPU_LANES", str(lanes))
            patch.setenv("STEPWELL_CPU_ARCH", arch if fits else "")
            found.append(CpuDevice())
    return found


# Kinds of which there are several devices here, and whether a test runs on one of them or on all.
SEVERAL: dict[str, tuple[list[sw.Device], bool]] = {
    "ptx-interpreter": (PTX_DEVICES, "STEPWELL_TEST_PTX_ARCH" in os.environ)
}
if lanes := os.environ.get("STEPWELL_TEST_CPU_LANES"):
    if lanes not in ("one", "all"):
        raise ValueError(f"STEPWELL_TEST_CPU_LANES is {lanes!r}, expected one or all")
    SEVERAL["cpu"] = (cpus_of_lanes(), lanes == "all")


def devices_of(test: str) -> list[sw.Device]:
    """Those that a test runs on; of several of a kind one, unless all are asked for."""
    chosen: list[sw.Device] = []
    for kind, (several, everyone) in SEVERAL.items():
        if any(one.kind == kind for one in DEVICES):
            at = crc32(test.encode()) % len(several)
            chosen += several if everyone else [several[at]]
    return [one for one in DEVICES if one.kind not in SEVERAL] + chosen


def name_of(device: sw.Device) -> str:
    """As it stands in a test's name."""
    several = "cpu" in SEVERAL and device.kind == "cpu"
    return device.target if several else device.name.replace(" ", ":")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that takes `device`, on its devices."""
    if "device" in metafunc.fixturenames:
        chosen = devices_of(metafunc.definition.nodeid)
        names = [name_of(one) for one in chosen]
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

"""Devices by name, defaults, and what other packages add."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from cuda_devices import simulated
from runtime_kernels import DEVICE

from stepwell.runtime import devices
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.devices import device, use, why_missing
from stepwell.runtime.errors import DeviceError, LaunchError
from stepwell.runtime.launch_shape import dim3


def test_the_cpu_is_there_under_its_names() -> None:
    cpu = device("cpu")
    assert device("cpu:0") is cpu
    assert device(cpu) is cpu
    assert cpu in devices.devices()
    assert cpu.name == "cpu:0"
    assert "threads" in repr(cpu)
    assert "cpu" not in dict(why_missing())


@pytest.mark.parametrize("name", ["abacus", "cpu:1", "cpu:x", "", "gpu:0"])
def test_an_unknown_device_lists_what_is_there(name: str) -> None:
    with pytest.raises(DeviceError, match=f"no device '{name}'; there .*cpu:0"):
        device(name)


def test_use_nests_and_ends_with_its_block() -> None:
    outer, inner = CpuDevice(), CpuDevice()
    before = device()
    seen: list[Any] = []
    with use(outer):
        with use(inner) as given:
            assert given is inner
            assert device() is inner
            thread = threading.Thread(target=lambda: seen.append(device()))
            thread.start()
            thread.join()
        assert device() is outer
    assert device() is before
    assert seen == [before]  # another thread has its own default


def run(code: str, **environment: str) -> str:
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **environment}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_environment_chooses_the_default() -> None:
    code = "from stepwell.runtime.devices import device; print(device())"
    assert "device cpu:0" in run(code, STEPWELL_DEVICE="cpu")
    assert "no device 'abacus'" in run(code, STEPWELL_DEVICE="abacus")


def test_other_packages_add_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    class Toy(CpuDevice):
        kind = "toy"

        def __init__(self) -> None:
            super().__init__()
            self.name = "toy:0"

    class Module:
        @staticmethod
        def find() -> list[Toy]:
            return [Toy()]

        @staticmethod
        def why_missing() -> None:
            return None

    class Absent:
        @staticmethod
        def find() -> list[Toy]:
            return []

        @staticmethod
        def why_missing() -> str:
            return "install abacus"

    class Point:
        def __init__(self, name: str, module: Any):
            self.name, self.module, self.value = name, module, f"package:{name}"

        def load(self) -> Any:
            return self.module

    def entry_points(group: str) -> list[Point]:
        assert group == "stepwell.devices"
        return [Point("toy", Module), Point("abacus", Absent)]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    monkeypatch.setattr(devices, "_found", {})
    monkeypatch.setattr(devices, "KINDS", {"cpu": devices.KINDS["cpu"]})
    assert device("toy").name == "toy:0"
    assert [found.name for found in devices.devices()] == ["cpu:0", "toy:0"]
    assert why_missing() == [("abacus", "install abacus")]
    with pytest.raises(DeviceError, match="there are cpu:0, toy:0"):
        device("toy:1")


@pytest.mark.parametrize(
    ("given", "sizes"), [(5, (5, 1, 1)), ((2, 3), (2, 3, 1)), ([1, 2, 3], (1, 2, 3))]
)
def test_sizes_are_padded_to_three(given: Any, sizes: tuple[int, int, int]) -> None:
    assert dim3(given, "grid") == sizes


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "0 dimensions"),
        ((1, 2, 3, 4), "4 dimensions"),
        (1.5, "expected one to three integers"),
        ("12", "expected one to three integers"),
        ((1, -2), "cannot be negative"),
    ],
)
def test_bad_sizes_are_refused(given: Any, message: str) -> None:
    with pytest.raises(LaunchError, match=message):
        dim3(given, "grid")


def test_events_measure_time() -> None:
    start, end = DEVICE.event(), DEVICE.event()
    with pytest.raises(DeviceError, match="recorded"):
        start.elapsed_ms(end)
    start.record()
    end.record(DEVICE.stream())
    end.synchronize()
    DEVICE.synchronize()
    assert 0 <= start.elapsed_ms(end) < 1000


def test_streams_wait_for_events_and_say_where_there_are_no_graphs() -> None:
    cpu = device("cpu")
    event, waited = cpu.event(), list[str]()
    event.synchronize = lambda: waited.append("for it")
    cpu.stream().wait(event)
    assert waited == ["for it"]
    with pytest.raises(DeviceError, match="cpu:0 has no graphs; NVIDIA GPUs have them"):
        cpu.stream().capture()


def test_the_runtime_needs_no_compiler_and_no_llvm_before_a_launch() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules)\n"
        "from stepwell.runtime import artifact, array, arguments, cache, cpu, devices, errors\n"
        "devices.device().zeros(3)\n"
        "heavy = {'xdsl', 'llvmlite', 'networkx', 'ml_dtypes', 'hashlib', 'zipfile', 'rich'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    assert run(code).strip() == "[]"


class Kind:
    """A module of devices, for what chooses between them."""

    def __init__(self, *found: CpuDevice, may_be_hardware: bool = True):
        self.found = list(found)
        self.hardware = may_be_hardware
        self.asked = 0

    def may_be_hardware(self) -> bool:
        return self.hardware

    def find(self) -> list[CpuDevice]:
        self.asked += 1
        return self.found


def named(name: str, *, is_software: bool) -> CpuDevice:
    made = CpuDevice()
    made.name, made.is_software = name, is_software
    return made


def chosen(monkeypatch: pytest.MonkeyPatch, kinds: dict[str, Kind]) -> list[str]:
    """The name of the default device, then those of all that are listed."""
    monkeypatch.setattr(devices, "KINDS", dict.fromkeys(kinds, ""))
    monkeypatch.setattr(devices, "_module", kinds.__getitem__)
    monkeypatch.setattr(devices, "_found", {})
    monkeypatch.setattr(devices, "_default", [])
    monkeypatch.delenv("STEPWELL_DEVICE", raising=False)
    return [device().name, *(one.name for one in devices.devices())]


def test_a_gpu_comes_before_the_cpu_and_the_cpu_before_what_imitates_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu = Kind(named("cpu:0", is_software=True))
    gpu = named("vulkan:0", is_software=False)
    imitation = named("vulkan:1", is_software=True)
    both = {"cpu": cpu, "vulkan": Kind(gpu, imitation)}
    assert chosen(monkeypatch, both) == ["vulkan:0", "vulkan:0", "cpu:0", "vulkan:1"]
    software = {"cpu": cpu, "vulkan": Kind(imitation)}
    assert chosen(monkeypatch, software) == ["cpu:0", "cpu:0", "vulkan:1"]


def test_drivers_are_not_loaded_for_the_default_where_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = {"cpu": Kind(named("cpu:0", is_software=True)), "vulkan": Kind(may_be_hardware=False)}
    monkeypatch.setattr(devices, "devices", tuple)
    assert chosen(monkeypatch, kinds) == ["cpu:0"]
    assert kinds["vulkan"].asked == 0


def test_nothing_holds_a_device_that_was_closed():
    with simulated() as device:
        array = device.array(np.zeros(3, np.float32))
        array.numpy()
        closed = weakref.ref(device), weakref.ref(device.core)
    del device, array
    with simulated() as another:
        another.array(np.zeros(3, np.float32))
        gc.collect()
        assert [part() for part in closed] == [None, None]

"""What goes wrong on a CUDA device: faults, endless kernels, memory, launches that are refused."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cuda_devices import library_of, simulated
from oracles.cuda_driver import kernels

import stepwell as sw
from stepwell.runtime.artifact import Artifact, Manifest
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.cuda.kernel import CudaKernel, why_unfit
from stepwell.runtime.errors import ArtifactError, DeviceError, DeviceLost, LaunchError, OutOfMemory


@pytest.fixture
def device() -> Generator[CudaDevice]:
    with simulated() as opened:
        yield opened


@sw.kernel(checks=False)
def wild(x):
    x[sw.global_id(0) + 50_000_000] = 1.0


@sw.kernel
def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


@sw.kernel
def endless(x):
    while x[0] < 10:
        x[1] = x[1] + 1


def ones(device: CudaDevice, n: int = 32) -> sw.DeviceArray:
    return device.array(np.ones(n, np.float32))


def notes(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", []))


def test_a_fault_names_the_kernel_and_ends_the_device(device: CudaDevice) -> None:
    x = ones(device)
    wild.over(32, device=device)(x)
    with pytest.raises(DeviceLost, match=r"ILLEGAL_ADDRESS.*start a new process") as caught:
        x.numpy()
    assert "the reason is in wild" in notes(caught.value)
    for act in (x.numpy, device.synchronize, lambda: device.empty(4), device.stream):
        with pytest.raises(DeviceLost, match="cuda:0 cannot be used any more"):
            act()
    with pytest.raises(DeviceLost):
        double.over(32, device=device)(x)
    double.over(32, device="cpu")(np.ones(32))
    device.core.close()  # as the process ends; what was told is not told again


def test_a_fault_among_several_launches_lists_them(device: CudaDevice) -> None:
    x = ones(device)
    double.over(32, device=device)(x)
    wild.over(32, device=device)(x)
    with pytest.raises(DeviceLost) as caught:
        device.synchronize()
    assert "one of the last launches: double, wild; STEPWELL_VALIDATE=1" in notes(caught.value)


def test_a_fault_tells_what_was_reported_before(device: CudaDevice) -> None:
    x = ones(device)
    double.over(40, device=device)(x)
    wild.over(32, device=device)(x)
    with pytest.raises(DeviceLost) as caught:
        device.synchronize()
    assert isinstance(caught.value.__cause__, sw.OutOfBounds)
    assert "x[i] = x[i] * 2" in notes(caught.value)


def test_validation_waits_for_each_launch_and_names_its_line() -> None:
    with simulated(validate=True) as device:
        x = ones(device)
        double.over(32, device=device)(x)
        with pytest.raises(DeviceLost) as caught:
            wild.over(32, device=device)(x)
        assert f"kernel wild, launched at {__file__}:" in notes(caught.value)


def test_a_kernel_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_TIMEOUT", "0.2")
    monkeypatch.setattr(kernels, "STEPS", 1000)
    with simulated() as device:
        x = ones(device)
        endless.over(1, device=device)(x)
        with pytest.raises(DeviceLost, match=r"did not finish within 0.2 s") as caught:
            x.numpy()
        assert "endless" in notes(caught.value)


def test_out_of_memory_says_how_much_there_is_and_passes(device: CudaDevice) -> None:
    memory = library_of(device).gpus[0].memory
    memory.total = 1 << 20
    with pytest.raises(OutOfMemory, match=r"no room for 4194304 bytes: 1048576 of 1048576"):
        device.empty(1 << 20)
    held = device.empty(200_000)
    with pytest.raises(OutOfMemory):
        device.empty(200_000)
    del held
    assert device.empty(200_000).size == 200_000


def test_blocks_that_registers_leave_no_room_for_are_refused(device: CudaDevice) -> None:
    artifact = sw.kernel(block=64)(double.function).compile(
        (sw.Array[sw.f32, 1],), target=device.target
    )
    open_manifest = artifact.manifest._replace(known_block=None, most_threads=0)
    kernel = device.load(artifact._replace(manifest=open_manifest))
    with pytest.raises(LaunchError, match=r"registers leave room for 64 on cuda:0"):
        kernel.launcher((1, 1, 1), (128, 1, 1))


def test_ptx_that_the_driver_refuses_is_shown_with_its_message(device: CudaDevice) -> None:
    manifest = Manifest("broken", "cuda", "broken", cpu="sm_80")
    with pytest.raises(ArtifactError, match=r"does not load kernel broken .*INVALID_PTX.*: line"):
        device.load(Artifact(manifest, b".version 8.0\n.target sm_80\n.garbage\n"))
    with pytest.raises(ArtifactError, match="NO_BINARY_FOR_GPU"):
        device.load(Artifact(manifest._replace(abi="cubin"), b"\x7fELF"))
    assert device.core.context.lost == ""


@pytest.mark.parametrize(
    ("abi", "arch", "capability", "fits"),
    [
        ("", "sm_80", (8, 0), True), ("", "sm_80", (12, 0), True), ("", "sm_90", (8, 0), False),
        ("", "sm_90a", (9, 0), True), ("", "sm_90a", (10, 0), False),
        ("", "sm_100f", (10, 3), True), ("", "sm_100f", (12, 0), False),
        ("cubin", "sm_80", (8, 6), True), ("cubin", "sm_86", (8, 0), False),
        ("cubin", "sm_80", (9, 0), False), ("cubin", "sm_90a", (9, 0), True),
        ("spirv", "sm_80", (8, 0), False), ("", "gfx90a", (8, 0), False),
    ],
)  # fmt: skip
def test_code_fits_the_gpus_that_cuda_runs_it_on(
    abi: str, arch: str, capability: tuple[int, int], fits: bool
) -> None:
    manifest = Manifest("k", "cuda", "k", cpu=arch, abi=abi)
    assert (why_unfit(manifest, capability) is None) is fits


def test_code_for_another_target_or_gpu_is_refused(device: CudaDevice) -> None:
    cpu = double.compile((sw.Array[sw.f32, 1],))
    with pytest.raises(ArtifactError, match="does not fit cuda:0: it is for 'cpu'"):
        device.load(cpu)
    newer = double.compile((sw.Array[sw.f32, 1],), target="cuda:sm_90")
    with pytest.raises(ArtifactError, match="it is for sm_90 and newer, the device is sm_80"):
        device.load(newer)
    assert not device.accepts(newer.manifest)


def test_arrays_of_fixed_size_beyond_48_kib_say_what_to_do(device: CudaDevice) -> None:
    manifest = Manifest("k", "cuda", "k", cpu="sm_80", static_shared_bytes=60_000)
    with pytest.raises(LaunchError, match=r"60000 bytes in arrays of a fixed size.*shared_bytes="):
        device.load(Artifact(manifest, b""))


def test_an_empty_grid_launches_nothing(device: CudaDevice) -> None:
    before = library_of(device).calls.count("cuLaunchKernel")
    double.over(0, device=device)(ones(device))
    assert library_of(device).calls.count("cuLaunchKernel") == before


def test_a_launch_that_the_driver_refuses_raises_and_passes(device: CudaDevice) -> None:
    x = ones(device)
    double.over(32, device=device)(x)
    library = library_of(device)
    kernel: Any = next(iter(device.core.kernels))
    bound = next(iter(device.core.default.launchers.values())).__self__
    refused = getattr(library, "CUresult")(701)  # noqa: B009

    def refuse(place: int, extra: int) -> tuple[Any]:
        return (refused,)

    kept, bound.start = bound.start, refuse
    with pytest.raises(LaunchError, match=r"kernel double, grid .* needs more registers"):
        double.over(32, device=device)(x)
    bound.start = kept
    double.over(32, device=device)(x)
    assert x.numpy()[0] == 4
    assert isinstance(kernel, CudaKernel)
    assert kernel.occupancy(256).threads == 2048


def test_shared_memory_beyond_the_device_is_refused_before_the_launch(device: CudaDevice) -> None:
    @sw.kernel
    def k(x):
        s = sw.shared(None, sw.f32)
        s[0] = x[0]
        x[0] = s[0]

    with pytest.raises(LaunchError, match="asks for 300000 bytes of shared memory"):
        k.launch(1, 1, device=device, shared_bytes=300_000)(ones(device))
    with pytest.raises(DeviceError):
        device.event().elapsed_ms(device.event())
    assert math.isfinite(device.limits.shared_bytes)


def test_a_file_with_machine_code_runs_it_where_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere its PTX runs. The driver of the tests is told by which PTX it executes a cubin."""

    def assemble(ptx: str, arch: str) -> tuple[bytes, str]:
        return b"\x7fELF" + arch.encode() + ptx.encode(), ""

    monkeypatch.setattr("stepwell.lowering.emit.ptx.assemble_cubin", assemble)
    types = (sw.Array[sw.f32, 1],)
    made = sw.compile(double, types, target="cuda", over=1, cubins=["sm_86", "sm_90"])
    made.save(tmp_path / "double.swa")
    assert [(a.manifest.cpu, a.manifest.abi) for a in made.artifacts] == [
        ("sm_86", "cubin"),
        ("sm_90", "cubin"),
        ("sm_80", ""),
    ]
    for capability, taken in (((8, 0), 2), ((8, 9), 0), ((9, 0), 1), ((10, 0), 2)):
        with simulated(capability) as device:
            library = library_of(device)
            ptx = made.artifacts[2].payload.decode()
            library.machine_code = {a.payload: ptx for a in made.artifacts[:2]}
            x = ones(device)
            sw.load(tmp_path / "double.swa").over(32, device=device)(x)
            assert x.numpy()[0] == 2
            assert library.loaded == [made.artifacts[taken].payload]


def test_cubins_are_for_nvidia_gpus() -> None:
    with pytest.raises(sw.CompileError, match="cubins= is for target cuda, not for cpu"):
        sw.compile(double, (sw.Array[sw.f32, 1],), cubins=["sm_90"])
    with pytest.raises(sw.CompileError, match="no architecture 'sm_13'"):
        sw.compile(double, (sw.Array[sw.f32, 1],), target="cuda", cubins=["sm_13"])

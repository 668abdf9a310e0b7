"""The PTX interpreter as a device: artifacts of target cuda run where there is no GPU.

    from oracles.ptx_device import register

    device = register()            # "ptx-interpreter:0", known to sw.device(...) from then on

Its target is that of CUDA under another name, so that it lives beside a real GPU.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from oracles.ptx.errors import DivergentBarrier
from oracles.ptx.memory import Memory as SimulatedMemory
from oracles.ptx.module import Module
from oracles.ptx.tensors import encode
from oracles.simulated import SimulatedKernel, forget

from stepwell import targets
from stepwell.runtime import devices
from stepwell.runtime.array import Memory
from stepwell.runtime.artifact import Artifact
from stepwell.runtime.device import Device, Event, LoadedKernel, Stream
from stepwell.runtime.dtypes import numpy_dtype
from stepwell.runtime.errors import ArtifactError, KernelError
from stepwell.runtime.launch_shape import Dim3, Limits
from stepwell.runtime.report import (
    CAPACITY_WORD,
    HEADER_WORDS,
    capacity_words,
    decode,
    raise_or_print,
)
from stepwell.runtime.tensor_map import Tensor

KIND = "ptx-interpreter"
SLOT = 8
STEPS = 50_000_000
ARCHITECTURE = "sm_80"


def register(arch: str = ARCHITECTURE) -> PtxDevice:
    """Make the device and its target known; the device."""
    if KIND not in devices.KINDS:
        devices.KINDS[KIND] = __name__
        targets.TARGETS[KIND] = _target(arch)
        targets.FAMILIES[KIND] = _target
    found = devices.device(KIND)
    assert isinstance(found, PtxDevice), "the kind was registered with this module"
    return found


def _target(arch: str) -> targets.Target:
    return replace(targets.find_target(f"cuda:{arch}"), name=KIND)


def unregister() -> None:
    """Make the device and its target unknown again."""
    forget(KIND)


@contextmanager
def registered() -> Generator[PtxDevice]:
    """The device, where nothing is cached on disk; who knew it before knows it afterwards."""
    known = KIND in devices.KINDS
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        try:
            yield register()
        finally:
            if not known:
                unregister()


def find() -> list[Device]:
    """The one interpreter."""
    return [PtxDevice()]


def why_missing() -> str | None:
    """It is always there."""
    return None


class PtxStream(Stream):
    """Launches are done when they return."""

    def __init__(self, device: Device):
        self.device = device

    def synchronize(self) -> None:
        """Nothing is pending."""


class PtxEvent(Event):
    """Simulated time does not pass."""

    def record(self, stream: Stream | None = None) -> None:
        """Nothing to remember."""

    def synchronize(self) -> None:
        """Nothing is pending."""

    def elapsed_ms(self, other: Event) -> float:
        """Always 0."""
        return 0.0


class PtxKernel(SimulatedKernel):
    """PTX in the interpreter."""

    def __init__(self, device: PtxDevice, artifact: Artifact):
        self.device = device
        self.simulated = device.simulated
        self.manifest = artifact.manifest
        self.report_words = capacity_words(self.manifest.prints)
        text = artifact.payload.decode()
        self.lines = text.splitlines()
        self.module = Module(text, device.simulated)
        self.sizes = [p.nbytes for p in self.module.functions[artifact.manifest.entry].parameters]

    def launch(self, packed: bytes, grid: Dim3, block: Dim3, shared_bytes: int) -> None:
        """Runs the kernel, then raises or prints what it reported."""
        report = 0
        if self.manifest.has_report:
            header = np.zeros(HEADER_WORDS + self.report_words, np.uint32)
            header[CAPACITY_WORD] = self.report_words
            report = self.simulated.allocate(header.nbytes)
            self.simulated.write(report, header)
            packed += report.to_bytes(SLOT, "little")
        given: list[bytes] = []
        for size in self.sizes:
            given.append(packed[:size])
            packed = packed[-(-size // SLOT) * SLOT :]
        assert not packed, "the slots are those of the parameters"
        entry = self.manifest.entry
        try:
            self.module.run(entry, grid, block, given, shared_bytes, step_limit=STEPS)
        except DivergentBarrier as error:
            self.read_report(report)  # a check that failed before is the reason
            raise self.barrier_error(error) from error
        self.read_report(report)

    def read_report(self, report: int) -> None:
        """Raise or print what the kernel reported."""
        if report:
            size = 4 * (HEADER_WORDS + self.report_words)
            words = np.frombuffer(self.simulated.read(report, size), np.uint32)
            decoded = decode(words, self.manifest.sites)
            raise_or_print(decoded, self.manifest.name, self.device.name)

    def barrier_error(self, error: DivergentBarrier) -> KernelError:
        """The error with the source line of the PTX line at which threads wait."""
        place = 0
        for text in self.lines[: error.line or 0]:
            words = text.split()
            if words[:1] == [".loc"] and words[2] != "0":
                place = int(words[2])
        return KernelError(
            error.message,
            kernel=self.manifest.name,
            kind="barrier",
            line=place,
            device=self.device.name,
        )


class PtxDevice(Device):
    """A GPU that is simulated, one instruction of a warp at a time."""

    kind: ClassVar[str] = KIND
    features = frozenset(
        (
            *("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"),
            *("atomics_i64", "atomics_float", "subgroups", "dynamic_shared", "reports"),
            *("barrier_checks", "long_loops", "subnormals", "simulated", "launch_facts"),
            "launch_sizes",
            "tensor_maps",
        )
    )

    def __init__(self, arch: str | None = None) -> None:
        """The device that `register` makes known, or one of an architecture of its own."""
        self.name = f"{KIND}:0" if arch is None else f"{KIND} {arch}"
        self.arch = arch or ARCHITECTURE
        self.description = f"PTX for {self.arch}, interpreted"
        self.limits = Limits(
            max_block=(1024, 1024, 64),
            max_block_threads=1024,
            max_grid=(2**31 - 1, 65535, 65535),
            shared_bytes=(227 if "sm_90" in (arch or ARCHITECTURE) else 48) * 1024,
            subgroup_sizes=(32,),
        )
        self.simulated = SimulatedMemory()

    @property
    def target(self) -> str:
        """The architecture is part of what code is compiled for."""
        return f"{KIND if KIND in devices.KINDS else 'cuda'}:{self.arch}"

    def allocate(self, nbytes: int) -> Memory:
        """Memory in the simulated address space, which is never freed."""
        return Memory(self, self.simulated.allocate(nbytes), nbytes)

    def upload(self, memory: Memory, offset: int, data: np.ndarray[Any, Any]) -> None:
        """Copy in."""
        if data.nbytes:
            self.simulated.write(memory.address + offset, data)

    def download(self, memory: Memory, offset: int, out: np.ndarray[Any, Any]) -> None:
        """Copy out."""
        data = self.simulated.read(memory.address + offset, out.nbytes)
        out.reshape(-1).view(np.uint8)[:] = np.frombuffer(data, np.uint8)

    def encode_tensor_map(self, tensor: Tensor) -> bytes:
        """In the layout of the interpreter."""
        # A bf16 has no place in NumPy; copies need its size only.
        dtype = np.dtype(np.uint16) if tensor.dtype == "bf16" else numpy_dtype(tensor.dtype)
        return encode(
            tensor.address, dtype, tensor.shape, tensor.strides, tensor.box, tensor.swizzle
        )

    def adopt(self, source: Any) -> Any:
        """Only arrays that are here already."""
        from stepwell.runtime.array import DeviceArray

        return source if isinstance(source, DeviceArray) and source.device is self else None

    def load(self, artifact: Artifact) -> LoadedKernel:
        """Parse the PTX."""
        if artifact.manifest.target not in (KIND, "cuda"):
            raise ArtifactError(f"an artifact for {artifact.manifest.target}, not for {KIND}")
        return PtxKernel(self, artifact)

    def stream(self) -> Stream:
        """A stream; all are the same."""
        return PtxStream(self)

    def event(self) -> Event:
        """An event."""
        return PtxEvent()

    def synchronize(self) -> None:
        """Nothing is pending."""

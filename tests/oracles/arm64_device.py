"""A 64-bit ARM processor as a device: QEMU runs code of the target cpu:arm64 on this machine.

    from oracles.arm64_device import register

    device = register()            # "arm64-qemu:0", known to sw.device(...) from then on

Memory of the device is a file that this process and QEMU's map at the same address. Each kernel is
linked with `arm64/harness.c` and runs in a QEMU of its own. Needs the apt packages
gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user (`why_missing`).
"""

from __future__ import annotations

import ctypes
import mmap
import shutil
import struct
import subprocess
import tempfile
import weakref
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import llvmlite.binding
import numpy as np
from oracles.simulated import SimulatedKernel, forget

from stepwell import targets
from stepwell.runtime import devices
from stepwell.runtime.array import ALIGNMENT, DeviceArray, HostArray, Memory
from stepwell.runtime.artifact import Artifact, Manifest
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.cpu_code import generate, shared_text
from stepwell.runtime.cpu_kernel import (
    CHUNK,
    FAILED,
    LAUNCH_WORDS,
    REPORT,
    SHARED,
    STREAMS,
    TOTAL,
)
from stepwell.runtime.device import Device, LoadedKernel
from stepwell.runtime.errors import OutOfMemory
from stepwell.runtime.launch_shape import Dim3
from stepwell.runtime.report import (
    CAPACITY_WORD,
    HEADER_WORDS,
    capacity_words,
    decode,
    lost_failure,
    raise_or_print,
)

llvm: Any = llvmlite.binding
KIND = "arm64-qemu"
HARNESS = Path(__file__).parent / "arm64/harness.c"
COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
BASE, SIZE = 1 << 36, 1 << 30  # nothing else of a process lies there


def register() -> Arm64Device:
    """Make the device and its target known; the device."""
    if KIND not in devices.KINDS:
        devices.KINDS[KIND] = __name__
        targets.TARGETS[KIND] = replace(targets.find_target("cpu:arm64"), name=KIND, kind="cpu")
    found = devices.device(KIND)
    assert isinstance(found, Arm64Device), "the kind was registered with this module"
    return found


def unregister() -> None:
    """Make the device and its target unknown again."""
    forget(KIND)


def find() -> list[Device]:
    """The one device, where what it needs is installed."""
    return [] if why_missing() else [Arm64Device()]


def why_missing() -> str | None:
    """What is to be installed."""
    absent = [name for name in (COMPILER, EMULATOR) if shutil.which(name) is None]
    if not absent:
        return None
    packages = "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
    return f"{' and '.join(absent)} not found: apt-get install {packages}"


class _Arena:
    """A file of zeros that is mapped at `BASE`, and how much of it is in use."""

    def __init__(self) -> None:
        self.file = tempfile.NamedTemporaryFile()  # noqa: SIM115 (open as long as the device)
        self.file.truncate(SIZE)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        place, size = ctypes.c_void_p(BASE), ctypes.c_size_t(SIZE)
        fixed = 0x100000  # MAP_FIXED_NOREPLACE
        kind = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | fixed, self.file.fileno()
        if libc.mmap(place, size, *kind, ctypes.c_long(0)) != BASE:
            raise OSError(ctypes.get_errno(), "cannot map memory where an emulator can, too")
        window: Any = (ctypes.c_char * SIZE).from_address(BASE)
        self.bytes: HostArray = np.frombuffer(window, np.uint8)
        self.used = 0

    def take(self, nbytes: int) -> HostArray:
        """Zeros at a multiple of ALIGNMENT; they are never given back."""
        start = self.used
        if start + nbytes > SIZE:
            raise OutOfMemory(f"{KIND}:0 has no room for {nbytes} bytes")
        self.used += -(-nbytes // ALIGNMENT) * ALIGNMENT
        return self.bytes[start : start + nbytes]


class Arm64Device(CpuDevice):
    """A CPU of another architecture, with memory of its own."""

    kind: ClassVar[str] = KIND
    features = (CpuDevice.features - {"host_memory"}) | {"simulated"}

    def __init__(self) -> None:
        super().__init__()
        self.name = f"{KIND}:0"
        self.arena = _Arena()

    @property
    def description(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What it is."""
        return "64-bit ARM, emulated by QEMU"

    @property
    def target(self) -> str:
        """The name under which the target is known."""
        return KIND

    def allocate(self, nbytes: int) -> Memory:
        """Memory that both processes see."""
        host = self.arena.take(nbytes)
        return Memory(self, host.ctypes.data, nbytes, host)

    def adopt(self, source: Any) -> DeviceArray | None:
        """Only arrays that are here already."""
        return source if isinstance(source, DeviceArray) and source.device is self else None

    def why_unfit(self, manifest: Manifest) -> str | None:
        """Code is for this kind only."""
        return Device.why_unfit(self, manifest)

    def load(self, artifact: Artifact) -> LoadedKernel:
        """Link it and start the emulator."""
        return Arm64Kernel(self, artifact)


class Arm64Kernel(SimulatedKernel):
    """A program with one kernel, which waits for launches."""

    def __init__(self, device: Arm64Device, artifact: Artifact):
        self.device, self.manifest, self.arena = device, artifact.manifest, device.arena
        folder = tempfile.TemporaryDirectory()
        program = link(artifact, Path(folder.name))
        place = (self.arena.file.name, str(BASE), str(SIZE))
        self.process = subprocess.Popen(
            [EMULATOR, str(program), *place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        weakref.finalize(self, _end, self.process, folder)

    def launch(self, packed: bytes, grid: Dim3, block: Dim3, shared_bytes: int) -> None:
        """Run all blocks, then raise or print what was reported."""
        take = self.arena.take
        arguments = take(max(8, len(packed)))
        arguments[: len(packed)] = np.frombuffer(packed, np.uint8)
        record = take(8 * LAUNCH_WORDS).view(np.int64)
        record[:6] = (*grid, *block)
        record[TOTAL] = record[CHUNK] = grid[0] * grid[1] * grid[2]
        record[SHARED], record[STREAMS] = shared_bytes, self.manifest.streams
        report = np.empty(0, np.uint32)
        if self.manifest.has_report:
            words = capacity_words(self.manifest.prints)
            report = take(4 * (HEADER_WORDS + words)).view(np.uint32)
            report[CAPACITY_WORD] = words
            record[REPORT] = report.ctypes.data
        status = self.call(arguments.ctypes.data, record.ctypes.data)
        if report.size:
            decoded = decode(report, self.manifest.sites)
            raise_or_print(decoded, self.manifest.name, self.device.name)
        if status or record[FAILED]:
            raise lost_failure(self.manifest.name, self.device.name)

    def call(self, arguments: int, record: int) -> int:
        """The status of running the blocks."""
        pipe_in, pipe_out = self.process.stdin, self.process.stdout
        assert pipe_in is not None and pipe_out is not None, "both are pipes"
        pipe_in.write(struct.pack("<QQ", arguments, record))
        pipe_in.flush()
        answer = pipe_out.read(4)
        if len(answer) < 4:
            raise RuntimeError(f"{self.manifest.name} ended the emulator: {self.process.wait()}")
        return struct.unpack("<i", answer)[0]


@cache
def shared_code(triple: str) -> bytes:
    """What the runtime has for all kernels, as an object file."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return generate(shared_text(triple), triple)


def link(artifact: Artifact, folder: Path) -> Path:
    """The kernel as a static program."""
    code, shared, program = folder / "kernel.a", folder / "blocks.o", folder / "kernel"
    code.write_bytes(artifact.payload)
    shared.write_bytes(shared_code(artifact.manifest.triple))
    block = f"-Wl,--defsym=kernel_block={artifact.manifest.entry}"
    whole = (str(shared), "-Wl,--whole-archive", str(code), "-Wl,--no-whole-archive")
    words = [COMPILER, "-O1", "-static", str(HARNESS), *whole, block, "-lm", "-o", str(program)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{artifact.manifest.name} cannot be linked: {done.stderr}")
    return program


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    """No launch is under way."""
    process.kill()
    process.communicate()
    folder.cleanup()

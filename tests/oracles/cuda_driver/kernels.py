"""Modules and kernels: PTX, executed by the interpreter."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

from oracles.cuda_driver.memory import DeviceMemory
from oracles.cuda_driver.results import Refused, refuse_if
from oracles.ptx import errors
from oracles.ptx.module import Module

STATIC_SHARED = 48 * 1024
REGISTERS = 32
STEPS = 50_000_000
# What a kernel that goes wrong leaves behind, by what the interpreter finds.
FAULTS: dict[type[errors.PtxError], str] = {
    errors.OutOfBounds: "ERROR_ILLEGAL_ADDRESS",
    errors.Misaligned: "ERROR_MISALIGNED_ADDRESS",
    errors.Trap: "ERROR_LAUNCH_FAILED",
    errors.DivergentBarrier: "ERROR_LAUNCH_FAILED",
}


@dataclass(eq=False)
class Code:
    """A loaded module."""

    context: object
    module: Module
    image: bytes


@dataclass(eq=False)
class Function:
    """A kernel of a module; `attributes` are those that were set."""

    code: Code
    name: str
    attributes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def static_shared(self) -> int:
        """Bytes of shared memory in arrays of fixed size."""
        return sum(
            variable.nbytes
            for variable in self.code.module._shared  # pyright: ignore[reportPrivateUsage]
            if variable.count is not None
        )

    @property
    def most_threads(self) -> int:
        """Threads that a block may have."""
        limits = self.code.module.functions[self.name].limits
        found = limits.get("maxntid") or limits.get("reqntid")
        threads = 1
        for size in found or (1024,):
            threads *= size
        return threads

    def read_parameters(self, place: int) -> list[bytes]:
        """The parameters, as the driver copies them in the call."""
        sizes = [p.nbytes for p in self.code.module.functions[self.name].parameters]
        pointers = (ctypes.c_void_p * len(sizes)).from_address(place) if sizes else ()
        return [
            ctypes.string_at(pointer or 0, size)
            for pointer, size in zip(pointers, sizes, strict=True)
        ]

    def check_shared(self, dynamic: int, limit: int) -> None:
        """Dynamic shared memory: up to what is left of 48 KiB, or was asked for, or there is."""
        allowed = self.attributes.get("MAX_DYNAMIC_SHARED_SIZE_BYTES", STATIC_SHARED)
        left = max(allowed, STATIC_SHARED - self.static_shared)
        refuse_if(dynamic > left or dynamic + self.static_shared > limit, "ERROR_INVALID_VALUE")


def run_kernel(
    function: Function,
    memory: DeviceMemory,
    grid: tuple[int, int, int],
    block: tuple[int, int, int],
    parameters: list[bytes],
    shared_bytes: int,
) -> bool:
    """Run a kernel; False if it does not end. Refused, with the fault, where it goes wrong."""
    addresses = [int.from_bytes(p, "little") for p in parameters if len(p) == 8]
    named = memory.to_device(addresses)
    try:
        function.code.module.run(
            function.name, grid, block, parameters, shared_bytes,
            step_limit=STEPS, strict_barriers=False,
        )  # fmt: skip
    except errors.StepLimit:
        return False
    except tuple(FAULTS) as error:
        raise Refused(FAULTS[type(error)]) from error
    finally:
        memory.to_host(named)
    return True

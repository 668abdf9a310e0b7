"""A GPU that is simulated: its memory, its primary context, what it says of itself."""

from __future__ import annotations

from oracles.cuda_driver.memory import DeviceMemory
from oracles.cuda_driver.streams import Streams

TOTAL_BYTES = 1 << 32
# What the driver answers of an A100, where the table asks; the capability is the GPU's own.
ATTRIBUTES: dict[str, int] = {
    "MAX_THREADS_PER_BLOCK": 1024,
    "MAX_BLOCK_DIM_X": 1024,
    "MAX_BLOCK_DIM_Y": 1024,
    "MAX_BLOCK_DIM_Z": 64,
    "MAX_GRID_DIM_X": 2**31 - 1,
    "MAX_GRID_DIM_Y": 65535,
    "MAX_GRID_DIM_Z": 65535,
    "WARP_SIZE": 32,
    "MULTIPROCESSOR_COUNT": 108,
    "COOPERATIVE_LAUNCH": 1,
    "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN": 166912,
    "MEMORY_POOLS_SUPPORTED": 1,
    "TENSOR_MAP_ACCESS_SUPPORTED": 0,
}


class Context:
    """The primary context of a GPU; `fault` is the error that every call gives after one."""

    def __init__(self, gpu: Gpu):
        self.gpu = gpu
        self.streams = Streams(self)
        self.fault = ""


class Gpu:
    """One GPU."""

    def __init__(self, capability: tuple[int, int]):
        self.capability = capability
        self.memory = DeviceMemory(TOTAL_BYTES)
        self.context = Context(self)
        self.handle = 0
        self.retained = 0
        self.kept = 0

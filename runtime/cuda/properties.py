"""What a GPU says of itself, and the architecture that code for it is compiled for."""

from __future__ import annotations

from typing import NamedTuple

from ..launch_shape import Dim3, Limits
from .driver import Driver
from .table import ENUMERATIONS

_BASE = (
    *("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"),
    *("atomics_i64", "atomics_float", "subgroups", "dynamic_shared", "reports"),
    *("long_loops", "subnormals", "launch_facts", "launch_sizes", "overlapped_launch", "graphs"),
)
# The architectures that the compiler knows, by compute capability; from 9.0 on code for a device is
# compiled for that very chip ("a"), whose matrix units and copy engine it may then use.
_OLDEST = 75
_KNOWN = (75, 80, 86, 87, 89, 90, 100, 101, 103, 120, 121)
_SPECIFIC = 90


class Properties(NamedTuple):
    """One GPU; sizes in threads, blocks and bytes."""

    name: str
    capability: tuple[int, int]
    total_bytes: int
    multiprocessors: int
    limits: Limits
    features: frozenset[str]
    has_pools: bool

    @property
    def sm(self) -> int:
        """The compute capability as one number: 90 for 9.0."""
        return 10 * self.capability[0] + self.capability[1]

    @property
    def arch(self) -> str:
        """What code for this GPU is compiled for; of one that is newer than all known, the last."""
        if self.sm in _KNOWN:
            return f"sm_{self.sm}{'a' * (self.sm >= _SPECIFIC)}"
        older = [sm for sm in _KNOWN if sm < self.sm]
        return f"sm_{older[-1]}"

    @property
    def description(self) -> str:
        """For people."""
        return (
            f"{self.name}, sm_{self.sm}, {self.multiprocessors} multiprocessors, "
            f"{self.total_bytes / 2**30:.0f} GiB"
        )


def read_properties(driver: Driver, device: object) -> Properties:
    """Ask the driver about a device."""
    a = {
        name: driver.call("cuDeviceGetAttribute", name, device)
        for name in ENUMERATIONS["CUdevice_attribute"].members
    }
    block: Dim3 = (a["MAX_BLOCK_DIM_X"], a["MAX_BLOCK_DIM_Y"], a["MAX_BLOCK_DIM_Z"])
    grid: Dim3 = (a["MAX_GRID_DIM_X"], a["MAX_GRID_DIM_Y"], a["MAX_GRID_DIM_Z"])
    features = {
        *_BASE,
        *(["cooperative_launch"] if a["COOPERATIVE_LAUNCH"] else []),
        *(["clusters"] if a["CLUSTER_LAUNCH"] else []),
        *(["tensor_maps"] if a["TENSOR_MAP_ACCESS_SUPPORTED"] else []),
    }
    capability = a["COMPUTE_CAPABILITY_MAJOR"], a["COMPUTE_CAPABILITY_MINOR"]
    if capability < (9, 0):
        features.remove("overlapped_launch")
    name: bytes = driver.call("cuDeviceGetName", 256, device)
    return Properties(
        name=name.partition(b"\0")[0].decode(errors="replace").strip(),
        capability=capability,
        total_bytes=driver.call("cuDeviceTotalMem", device),
        multiprocessors=a["MULTIPROCESSOR_COUNT"],
        limits=Limits(
            max_block=block,
            max_block_threads=a["MAX_THREADS_PER_BLOCK"],
            max_grid=grid,
            shared_bytes=a["MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"],
            subgroup_sizes=(a["WARP_SIZE"],),
        ),
        features=frozenset(features),
        has_pools=bool(a["MEMORY_POOLS_SUPPORTED"]),
    )


def why_unusable(properties: Properties) -> str | None:
    """Why a GPU cannot be used, or None."""
    if properties.sm < _OLDEST:
        return f"{properties.name} is sm_{properties.sm}, needed is sm_{_OLDEST} or newer"
    return None

"""A SPIR-V artifact on its device: what it needs is checked, and launches are made for it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ..artifact import Artifact, Manifest
from ..device import Launcher, LoadedKernel, Stream, launch_nothing
from ..errors import ArtifactError, DeviceError, LaunchError
from ..launch_shape import PLAIN, Dim3, LaunchOptions, check_launch
from ..report_pool import ReportPool
from .descriptors import Descriptors
from .launch import BindingLaunch, PointerLaunch
from .layout import ABIS, BDA, BINDINGS, ArgumentLayout
from .pipelines import Pipelines, Variant
from .profile import Profile
from .stream import VulkanStream

if TYPE_CHECKING:
    from .device import VulkanDevice
    from .stream import Timeline

MAX_LAUNCHERS = 64
MAX_THREADS = 1 << 31
MAX_FOLDED = (1 << 31) - 1
_HEADER = struct.Struct("<IBBBB")
_MAGIC = 0x07230203


def why_unfit(manifest: Manifest, profile: Profile, sizes: range) -> str | None:
    """Why a device of this profile, with subgroups of `sizes`, cannot run an artifact, or None."""
    if manifest.target != "vulkan":
        return f"it is for {manifest.target!r}"
    if manifest.abi not in ABIS:
        return f"its ABI is {manifest.abi!r}, expected one of {', '.join(ABIS)}"
    needs = {*manifest.features, *(("bda",) if manifest.abi == BDA else ())}
    missing = sorted(needs - profile.capabilities)
    if missing:
        return f"the device lacks {', '.join(missing)}"
    made_for = Profile.parse(manifest.cpu) if manifest.cpu else None
    limited = "short_loops" in profile.capabilities
    if limited and made_for is not None and "short_loops" not in made_for.capabilities:
        return "it does not check that loops end in the device's 65535 rounds (short_loops)"
    if manifest.uses_subgroups and manifest.subgroup_size not in sizes:
        return f"it is for subgroups of {manifest.subgroup_size}, the device's are {list(sizes)}"
    if made_for is not None and made_for.spirv > profile.spirv:
        return f"it is of a newer SPIR-V than {profile.spirv[0]}.{profile.spirv[1]}"
    return None


class KernelParts(NamedTuple):
    """What the driver has of a kernel."""

    pipelines: Pipelines
    descriptors: Descriptors | None

    def close(self) -> None:
        """Destroy it; all launches are done."""
        self.pipelines.close()
        if self.descriptors is not None:
            self.descriptors.close()


class VulkanKernel(LoadedKernel):
    """A kernel on a Vulkan device."""

    def __init__(self, device: VulkanDevice, artifact: Artifact):
        self.device = device
        self.max_groups = device.max_groups
        self._limits = device.physical.limits
        self.largest_binding: int = self._limits.maxStorageBufferRange
        self.core = device.core
        self.manifest = manifest = artifact.manifest
        why = why_unfit(manifest, device.profile, device.subgroup_range)
        why = why or _why_damaged(artifact.payload, device.profile)
        if why is not None:
            raise ArtifactError(f"artifact of {manifest.name} does not fit {device.name}: {why}")
        self.layout = layout = ArgumentLayout(manifest)
        self._check_size()
        core = self.core
        self.reports = ReportPool(manifest, core.host.lease) if manifest.has_report else None
        self.descriptors = (
            Descriptors(core.context, layout.binding_count, last_is_dynamic=layout.binds_block)
            if layout.binding_count
            else None
        )
        self.pipelines = Pipelines(
            core.context,
            core.pipeline_cache,
            artifact,
            layout.push_bytes,
            self.descriptors.layout if self.descriptors is not None else 0,
        )
        self._parts = KernelParts(self.pipelines, self.descriptors)
        core.parts.add(self._parts)

    def launcher(
        self,
        grid: Dim3,
        block: Dim3,
        shared_bytes: int = 0,
        stream: Stream | None = None,
        options: LaunchOptions = PLAIN,
    ) -> Launcher:
        """See `LoadedKernel.launcher`."""
        timeline = self._timeline(stream)
        key = (self, grid, block, shared_bytes, options)
        known = timeline.launchers.get(key)
        if known is not None:
            return known
        check_launch(self.device, self.manifest, grid, block, shared_bytes, options)
        self._check_threads(grid, block)
        if 0 in grid:
            return launch_nothing
        groups = fold(grid, self.max_groups)
        pipeline = self.pipelines.get(Variant(block, groups != grid, shared_bytes))
        kind = BindingLaunch if self.manifest.abi == BINDINGS else PointerLaunch
        if len(timeline.launchers) >= MAX_LAUNCHERS:
            timeline.launchers.clear()
        made = kind(self, timeline, pipeline, grid, groups).launcher()
        timeline.launchers[key] = made
        return made

    def _check_size(self) -> None:
        """Hold the kernel's arguments against what the device takes."""
        limits, name, layout = self._limits, self.manifest.name, self.layout
        if layout.push_bytes > limits.maxPushConstantsSize:
            raise ArtifactError(
                f"artifact of {name} pushes {layout.push_bytes} bytes of arguments, "
                f"{self.device.name} takes {limits.maxPushConstantsSize}: compile it with its "
                "block in memory"
            )
        if layout.binding_count > limits.maxPerStageDescriptorStorageBuffers:
            raise ArtifactError(
                f"kernel {name} binds {layout.binding_count} buffers, {self.device.name} takes up "
                f"to {limits.maxPerStageDescriptorStorageBuffers}: pass fewer arrays"
            )

    def __del__(self) -> None:
        if hasattr(self, "_parts"):  # not where __init__ refused it
            self.core.dead_parts.append(self._parts)  # launches under way may need them

    def _timeline(self, stream: Stream | None) -> Timeline:
        if stream is None:
            return self.core.default
        if not isinstance(stream, VulkanStream) or stream.device is not self.device:
            raise DeviceError(
                f"stream is of {stream.device.name}, the kernel is on {self.device.name}"
            )
        return stream.timeline

    def _check_threads(self, grid: Dim3, block: Dim3) -> None:
        """Indices of threads are 32 bits wide, and so is the number of blocks of a folded grid."""
        name, limit = self.manifest.name, self.max_groups
        threads = tuple(blocks * size for blocks, size in zip(grid, block, strict=True))
        folded = any(map(int.__gt__, grid, limit))
        if max(threads) > MAX_THREADS or (folded and grid[0] * grid[1] * grid[2] > MAX_FOLDED):
            raise LaunchError(
                f"grid {grid} with blocks {block} of kernel {name} is over what {self.device.name} "
                "counts: 2^31 threads by dimension, and 2^31 blocks where one dimension of the "
                f"grid is over {max(limit)}; let each thread do several items"
            )


def fold(grid: Dim3, limit: Dim3) -> Dim3:
    """The grid itself if it is within the limits, else one that is and has no fewer groups."""
    if all(map(int.__le__, grid, limit)):
        return grid
    total = grid[0] * grid[1] * grid[2]
    rows = -(-total // limit[0])
    layers = -(-rows // limit[1])
    rows = -(-rows // layers)
    return -(-total // (rows * layers)), rows, layers


def _why_damaged(payload: bytes, profile: Profile) -> str | None:
    if len(payload) < 20 or len(payload) % 4:
        return "its payload is no SPIR-V"
    magic, _, minor, major, _ = _HEADER.unpack_from(payload)
    if magic != _MAGIC:
        return "its payload is no SPIR-V"
    if (major, minor) > profile.spirv:
        return (
            f"it is SPIR-V {major}.{minor}, the device takes {profile.spirv[0]}.{profile.spirv[1]}"
        )
    return None

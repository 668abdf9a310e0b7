"""The shape of a launch: sizes, options, and what a device and a kernel allow of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .errors import LaunchError

if TYPE_CHECKING:
    from .artifact import Manifest
    from .device import Device

MAX_GRID = 2**31 - 1

Dim3 = tuple[int, int, int]


class Limits(NamedTuple):
    """What a launch may ask of a device; sizes in threads, blocks and bytes.

    Along each dimension `max_grid` and `max_block` are at most `MAX_GRID`: the compiler relies on
    that.
    """

    max_block: Dim3
    max_block_threads: int
    max_grid: Dim3
    shared_bytes: int
    subgroup_sizes: tuple[int, ...]


class LaunchOptions(NamedTuple):
    """What a launch may ask for beyond its shape; each needs the feature of a device.

    `cooperative`: all blocks run at once, so that they can wait for each other
    ("cooperative_launch"). `cluster`: so many blocks along x, y and z are one cluster
    ("clusters"). `overlap`: it may start while the launch before it in its stream ends
    ("overlapped_launch"; the kernel itself waits for what it needs of that).
    """

    cooperative: bool = False
    cluster: Dim3 | None = None
    overlap: bool = False

    def features(self) -> list[str]:
        """The features that it needs."""
        wanted = {
            "cooperative_launch": self.cooperative,
            "clusters": self.cluster is not None,
            "overlapped_launch": self.overlap,
        }
        return [name for name, is_wanted in wanted.items() if is_wanted]


PLAIN = LaunchOptions()


def dim3(value: int | Sequence[int], what: str) -> Dim3:
    """Up to three sizes, the missing ones 1; LaunchError for anything else."""
    try:
        sizes = (
            (value.__index__(),)
            if not isinstance(value, Sequence)
            else tuple(item.__index__() for item in value)
        )
    except AttributeError:
        raise LaunchError(f"{what} is {value!r}, expected one to three integers") from None
    if not 1 <= len(sizes) <= 3:
        raise LaunchError(f"{what} has {len(sizes)} dimensions, expected one to three")
    if min(sizes) < 0:
        raise LaunchError(f"{what} is {sizes}, sizes cannot be negative")
    padded = (*sizes, 1, 1)
    return padded[0], padded[1], padded[2]


def check_options(device: Device, name: str, options: LaunchOptions) -> None:
    """What a launch asks for beyond its shape needs a device with the features."""
    missing = [feature for feature in options.features() if feature not in device.features]
    if missing:
        raise LaunchError(f"the launch of {name} needs {', '.join(missing)}; {device.name} has not")


def check_launch(
    device: Device,
    manifest: Manifest,
    grid: Dim3,
    block: Dim3,
    shared_bytes: int,
    options: LaunchOptions = PLAIN,
) -> None:
    """Hold a launch against the limits of a device and what its kernel was compiled for."""
    limits, name = device.limits, manifest.name
    check_options(device, name, options)
    threads = block[0] * block[1] * block[2]
    if min(block) < 1:
        raise LaunchError(f"block {block} of kernel {name} is empty, expected at least one thread")
    if threads > limits.max_block_threads or any(map(int.__gt__, block, limits.max_block)):
        raise LaunchError(
            f"block {block} of kernel {name} has {threads} threads; {device.name} takes up to "
            f"{limits.max_block_threads}, and {limits.max_block} by dimension: use smaller blocks"
        )
    if min(grid) < 0 or max(grid) > MAX_GRID or any(map(int.__gt__, grid, limits.max_grid)):
        raise LaunchError(
            f"grid {grid} of kernel {name} is over what {device.name} takes, {limits.max_grid} "
            "blocks by dimension: let each thread do several items"
        )
    if any(size > 1 for size in block[manifest.block_rank :]):
        raise LaunchError(
            f"kernel {name} is compiled for {manifest.form}, got blocks of {block} threads"
        )
    if 0 < manifest.most_threads < threads:
        raise LaunchError(
            f"block {block} of kernel {name} has {threads} threads; its code has room for "
            f"{manifest.most_threads}: use smaller blocks"
        )
    if manifest.known_block is not None and tuple(manifest.known_block) != tuple(block):
        raise LaunchError(
            f"kernel {name} is compiled for blocks of {tuple(manifest.known_block)}, got {block}"
        )
    if manifest.whole_subgroups and threads % manifest.subgroup_size:
        raise LaunchError(
            f"block {block} of kernel {name} has {threads} threads, which are no whole subgroups "
            f"of {manifest.subgroup_size}, as its matrices need"
        )
    if manifest.cluster is not None:
        check_cluster(device, manifest.name, manifest.cluster, grid)
    shared = manifest.static_shared_bytes + shared_bytes
    if shared_bytes < 0 or shared > limits.shared_bytes:
        table = [*manifest.shared_arrays, *([("shared_bytes=", shared_bytes)] * (shared_bytes > 0))]
        rows = "".join(f"\n  {nbytes:>9} bytes  {array}" for array, nbytes in table)
        raise LaunchError(
            f"kernel {name} asks for {shared} bytes of shared memory; {device.name} has "
            f"{limits.shared_bytes} for a block{':' * bool(rows)}{rows}"
        )


def check_cluster(device: Device, name: str, cluster: Dim3, grid: Dim3) -> None:
    """Blocks that run together need a device with clusters (feature `clusters`) and a whole grid
    of them."""
    if "clusters" not in device.features:
        raise LaunchError(f"kernel {name} runs in clusters of blocks, which {device.name} has not")
    if any(blocks % together for blocks, together in zip(grid, cluster, strict=True)):
        raise LaunchError(
            f"grid {grid} of kernel {name} is no multiple of its clusters of {cluster} blocks"
        )

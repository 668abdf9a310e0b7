"""Launches with NumPy arrays on devices that do not see the host's memory: there and back.

Such a launch waits for its end, so a failed check is raised by it, as on the CPU; what was written
before that is copied back all the same. Views of the same elements have one copy on the device;
others that share memory are refused where one of them is written, since each would have its own.

The device arrays that stood for small arrays are kept for the next launch of the kind: to allocate
them, and to record a launch that names other memory, takes as long as the launch. Large ones are
not kept; what they hold may be what others need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from .array import DeviceArray, HostArray
from .errors import ArrayError, KernelError
from .facts import Unfit, holds
from .outcome import launch_and_wait

if TYPE_CHECKING:
    from .artifact import Manifest
    from .device import Device, Launcher, Stream

KEPT_BYTES = 256 << 10
StandIns = dict[int, DeviceArray]
"""By position of the argument."""


class Transfer(NamedTuple):
    """Arguments in device memory, and what to copy back to the caller's arrays afterwards."""

    arguments: list[Any]
    results: list[tuple[HostArray, DeviceArray]]
    stand_ins: StandIns

    def finish(self) -> None:
        """Copy what the kernel wrote back to where it came from."""
        for host, on_device in self.results:
            on_device.copy_to(host)


class MovedLaunch:
    """How arguments of one kind, with NumPy arrays at `positions`, are packed and launched.

    `pack` and `launcher` are those for device arrays in their places. Threads may launch at once.
    """

    def __init__(
        self,
        device: Device,
        stream: Stream | None,
        manifest: Manifest,
        positions: tuple[int, ...],
        variant: str,
        pack: Callable[[Sequence[Any]], bytes],
        launcher: Launcher,
    ):
        self._device = device
        self._manifest = manifest
        self._positions = positions
        self._variant = variant
        self._pack = pack
        self._launch = launcher
        self._wait = (stream or device).synchronize
        self._written = {row.source.argument for row in manifest.parameters if row.writes}
        # Those that may not share memory: each that is written with each other one.
        self._pairs = [
            (i, j) for i, j in combinations(positions, 2) if not self._written.isdisjoint((i, j))
        ]
        self._kept: list[StandIns] = []  # of the last launch; one that is under way has taken them

    def pack(self, arguments: Sequence[Any]) -> tuple[bytes, Transfer]:
        """Move the arrays and pack; Unfit if the code relies on more than is so this time."""
        transfer = self._upload(arguments)
        if not holds(self._manifest, self._manifest.form, transfer.arguments):
            raise Unfit
        if not self._variant and self._device.variant(arguments):
            raise Unfit
        return self._pack(transfer.arguments), transfer

    def run(self, packed: tuple[bytes, Transfer]) -> None:
        """Launch, wait, and copy back; raises what the kernel reported."""
        words, transfer = packed
        try:
            launch_and_wait(partial(self._launch, words), self._wait)
        except KernelError:
            transfer.finish()
            raise
        transfer.finish()
        self._kept = [transfer.stand_ins]

    def _upload(self, arguments: Sequence[Any]) -> Transfer:
        """One array passed twice is moved once. What the device can use where it is stays there."""
        device, positions = self._device, self._positions
        arguments = self._without_overlaps(arguments)
        moved = list(arguments)
        results: list[tuple[HostArray, DeviceArray]] = []
        known: dict[int, DeviceArray] = {}
        kept, used = self._take_kept(), StandIns()
        for i in positions:
            host = cast(HostArray, arguments[i])
            found = known.get(id(host))
            if found is None:
                found = device.lend(host)
                if found is None:
                    found = kept.get(i)
                    if found is None or found.shape != host.shape:
                        found = device.empty(host.shape, host.dtype)
                    if host.nbytes <= KEPT_BYTES:
                        used[i] = found
                    device.upload(found.memory, 0, np.ascontiguousarray(host))
                    if not self._written.isdisjoint(j for j in positions if arguments[j] is host):
                        results.append((host, found))
                known[id(host)] = found
            moved[i] = found
        return Transfer(moved, results, used)

    def _without_overlaps(self, arguments: Sequence[Any]) -> Sequence[Any]:
        """Views of the same elements as one array; ArrayError for others that share memory."""
        for i, j in self._pairs:
            one, other = cast(HostArray, arguments[i]), cast(HostArray, arguments[j])
            if one is other or not np.may_share_memory(one, other):
                continue
            if _same_elements(one, other):
                arguments = list(arguments)
                arguments[i] = arguments[j] = one if one.flags.writeable else other
            elif np.shares_memory(one, other):
                names = {row.source.argument: row.name for row in self._manifest.parameters}
                written = names[i if i in self._written else j]
                raise ArrayError(
                    f"arguments {names[i]} and {names[j]} of kernel {self._manifest.name} share "
                    f"memory and {written} is written, but {self._device.name} has a copy of each: "
                    "pass views of one array that is on the device"
                )
        return arguments

    def _take_kept(self) -> StandIns:
        try:
            return self._kept.pop()
        except IndexError:  # the first launch, or another one is under way
            return {}


def _same_elements(one: HostArray, other: HostArray) -> bool:
    return (one.ctypes.data, one.shape, one.strides, one.dtype) == (
        other.ctypes.data,
        other.shape,
        other.strides,
        other.dtype,
    )


def host_positions(arguments: Sequence[Any]) -> tuple[int, ...]:
    """Which arguments are NumPy arrays."""
    return tuple(i for i, value in enumerate(arguments) if isinstance(value, np.ndarray))


def stand_ins(arguments: Sequence[Any], positions: Sequence[int], device: Device) -> list[Any]:
    """The arguments with empty device arrays of the same kind for those in the host's memory."""
    result = list(arguments)
    for i in positions:
        host = cast(HostArray, arguments[i])
        result[i] = device.empty((0,) * host.ndim, host.dtype)
    return result

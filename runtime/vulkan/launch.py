"""The path of a launch: from packed arguments to commands in the stream's batch.

A launch object is made once for a kernel, a stream, a grid and a block; its `launch` does what is
left: find which memory the arguments name, put a barrier where an earlier launch wrote it (or read
what this one writes), and record arguments and dispatch. What may have to wait for room (report
buffer, parameter block) comes first: waiting submits the batch.
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ..device import Launcher
from ..errors import DeviceError, LaunchError
from ..launch_shape import Dim3
from ..process import caller
from .layout import GRID, POINTER, SLOT, Buffer
from .table import BIND_POINT_COMPUTE, SHADER_STAGE_COMPUTE

if TYPE_CHECKING:
    from .kernel import VulkanKernel
    from .memory import Allocation
    from .reports import ReportBuffer
    from .stream import Batch, Timeline

MAX_ELEMENTS = 1 << 31
Used = list[tuple["Allocation", bool]]


class BoundLaunch(ABC):
    """What both ABIs share."""

    def __init__(
        self, kernel: VulkanKernel, timeline: Timeline, pipeline: int, grid: Dim3, groups: Dim3
    ):
        self.kernel = kernel
        self.timeline = timeline
        self.core = kernel.core
        self.layout = kernel.layout
        self.groups = groups
        room = kernel.reports.words if kernel.reports is not None else 0
        self.grid_words = GRID.pack(*grid, room)
        self.pipeline = pipeline
        self.pipeline_layout = kernel.pipelines.layout
        self.in_memory = kernel.manifest.block_in_memory
        self.reports = kernel.reports
        self.unpack = kernel.layout.addresses.unpack_from
        self.writes = tuple(buffer.writes for buffer in kernel.layout.buffers)
        functions = self.core.context.functions
        self.bind, self.push = functions.CmdBindPipeline, functions.CmdPushConstants
        self.dispatch = functions.CmdDispatch
        self.number = id(timeline)
        self.name = kernel.manifest.name

    def launcher(self) -> Launcher:
        """What launches; with the validation layer on, it raises what that says."""
        return self.launch if self.core.context.validation is None else self._validated

    def launch(self, packed: bytes) -> None:
        """Record one launch."""
        timeline = self.timeline
        with timeline.lock:
            used = self._used(packed)
            report = None if self.reports is None else self.reports.take(self.core.drain)
            self.prepare(packed, used, report)
            batch = timeline.batch or timeline.record()
            command, touched = batch.command, timeline.touched
            for allocation, writes in used:
                before = touched.get(allocation)
                if before or (writes and before is False):
                    timeline.barrier(command)
                    break
            if timeline.bound != self.pipeline:
                self.bind(command, BIND_POINT_COMPUTE, self.pipeline)
                timeline.bound = self.pipeline
            self.give(batch)
            self.dispatch(command, *self.groups)
            number = self.number
            for allocation, writes in used:
                allocation.uses[number] = batch
                if writes:
                    allocation.writes[number] = batch
                touched[allocation] = writes or touched.get(allocation, False)
            if report is not None:
                batch.reports.append(report)
            batch.kernel = self.name
            timeline.launched(batch)

    @abstractmethod
    def prepare(self, packed: bytes, used: Used, report: ReportBuffer | None) -> None:
        """Make the parameter block, in memory where it is too big to be pushed."""

    @abstractmethod
    def give(self, batch: Batch) -> None:
        """Record what gives the kernel its arguments."""

    def _used(self, packed: bytes) -> Used:
        """The memory that the arguments name, with whether the kernel writes it."""
        known = self.core.known
        used: Used = []
        for address, writes in zip(self.unpack(packed), self.writes, strict=True):
            found = known.get(address)
            if found is None or not found.live:
                found = self.core.find(address)
            if found.nbytes >= MAX_ELEMENTS:
                self._check_elements(packed)
            used.append((found, writes))
        return used

    def _check_elements(self, packed: bytes) -> None:
        for buffer in self.layout.buffers:
            elements = self.layout.elements(buffer, packed)
            if elements >= MAX_ELEMENTS:
                raise LaunchError(
                    f"argument {buffer.name} of kernel {self.name} has {elements} "
                    f"elements; indices on {self.core.context.name} are 32 bits wide, which is "
                    "enough for fewer than 2^31: launch on parts of it"
                )

    def _validated(self, packed: bytes) -> None:
        place = f"kernel {self.name} at {caller()}"
        with self.timeline.lock:
            self.timeline.record().places.append(place)
            self.launch(packed)
            self.core.context.raise_messages(place)


class PointerLaunch(BoundLaunch):
    """Arguments by address: all of the block is pushed, or the address at which it lies."""

    pushed = b""

    def prepare(self, packed: bytes, used: Used, report: ReportBuffer | None) -> None:
        """See `BoundLaunch`."""
        block = packed + self.grid_words
        if report is not None:
            block += POINTER.pack(report.allocation.address)
        if self.in_memory:
            page, offset = self.timeline.parameters.put(block)
            block = POINTER.pack(page.allocation.address + offset)
        self.pushed = block

    def give(self, batch: Batch) -> None:
        """See `BoundLaunch`."""
        block = self.pushed
        self.push(batch.command, self.pipeline_layout, SHADER_STAGE_COMPUTE, 0, len(block), block)
        if self.in_memory:
            self.timeline.parameters.keep(batch)


class BindingLaunch(BoundLaunch):
    """Arguments by descriptor: buffers, the report buffer, the block where it is in memory."""

    def __init__(
        self, kernel: VulkanKernel, timeline: Timeline, pipeline: int, grid: Dim3, groups: Dim3
    ):
        super().__init__(kernel, timeline, pipeline, grid, groups)
        self.bind_sets = self.core.context.functions.CmdBindDescriptorSets
        self.descriptors = kernel.descriptors
        self.largest = kernel.largest_binding
        self.block = b""
        self.ranges: list[tuple[int, int, int]] = []
        self.dynamic = (ctypes.c_uint32 * 1)()
        self.set = (ctypes.c_uint64 * 1)()

    def prepare(self, packed: bytes, used: Used, report: ReportBuffer | None) -> None:
        """See `BoundLaunch`."""
        block = bytearray(packed + self.grid_words)
        ranges: list[tuple[int, int, int]] = []
        for buffer, (allocation, _) in zip(self.layout.buffers, used, strict=True):
            at = SLOT * buffer.slot
            (address,) = POINTER.unpack_from(packed, at)
            offset, rest = divmod(address - allocation.address, buffer.itemsize)
            self._check_binding(buffer, allocation, rest)
            POINTER.pack_into(block, at, offset)
            ranges.append(_range(allocation))
        if report is not None:
            ranges.append(_range(report.allocation))
        self.block = bytes(block)
        if self.in_memory:
            page, self.dynamic[0] = self.timeline.parameters.put(self.block)
            allocation = page.allocation
            ranges.append((allocation.block.buffer, allocation.offset, self.layout.block_bytes))
        self.ranges = ranges

    def give(self, batch: Batch) -> None:
        """See `BoundLaunch`."""
        command, layout, block = batch.command, self.pipeline_layout, self.block
        if self.descriptors is not None:
            generation = self.core.generation()
            ranges = tuple(self.ranges)
            self.set[0] = self.descriptors.get(ranges, generation, self.number, batch)
            dynamic = int(self.in_memory), self.dynamic
            self.bind_sets(command, BIND_POINT_COMPUTE, layout, 0, 1, self.set, *dynamic)
        if self.in_memory:
            self.timeline.parameters.keep(batch)
        else:
            self.push(command, layout, SHADER_STAGE_COMPUTE, 0, len(block), block)

    def _check_binding(self, buffer: Buffer, allocation: Allocation, rest: int) -> None:
        where = f"argument {buffer.name} of kernel {self.name}"
        if rest:
            raise DeviceError(f"{where} does not start at a multiple of its element size")
        if allocation.nbytes > self.largest:
            raise LaunchError(
                f"{where} lies in {allocation.nbytes} bytes of memory; {self.core.context.name} "
                f"binds up to {self.largest}: use a smaller array"
            )


def launch_nothing(packed: bytes) -> None:
    """A grid without blocks."""


def _range(allocation: Allocation) -> tuple[int, int, int]:
    return allocation.block.buffer, allocation.offset, allocation.nbytes

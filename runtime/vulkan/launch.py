"""The path of a launch: from packed arguments to commands in the stream's batch.

A launch object is made once for a kernel, a stream, a grid and a block; its `launch` does what is
left: find which memory the arguments name, put a barrier where an earlier launch wrote it (or read
what this one writes), and record arguments and dispatch. What may have to wait for room (report
buffer, parameter block) comes first: waiting submits the batch.
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..device import Launcher
from ..errors import DeviceError, LaunchError
from ..launch_shape import Dim3
from ..process import caller
from .layout import GRID, POINTER, SLOT, Buffer
from .profile import INDEX64
from .stream import Batch
from .table import BIND_POINT_COMPUTE, SHADER_STAGE_COMPUTE

if TYPE_CHECKING:
    from ..report_pool import ReportBuffer
    from .commands import Recording
    from .kernel import VulkanKernel
    from .memory import Allocation
    from .stream import Timeline

MAX_ELEMENTS = 1 << 31
MAX_KNOWN = 64
Used = list[tuple["Allocation", bool]]


class Alone(NamedTuple):
    """What is submitted for a launch while nothing else is under way; its batch comes again too."""

    recording: Recording
    batch: Batch


class Known:
    """Arguments that came before: the memory that they name, and recordings by report buffer."""

    __slots__ = ("alone", "came_before", "recordings", "used")

    def __init__(self, used: Used):
        self.used = used
        self.came_before = False
        self.recordings: dict[ReportBuffer | None, Recording] = {}
        self.alone: dict[ReportBuffer | None, Alone] = {}

    def is_live(self) -> bool:
        """Whether none of the memory was freed; its addresses may be others' by now."""
        for allocation, _ in self.used:  # noqa: SIM110 (a generator would take twice as long)
            if not allocation.live:
                return False
        return True


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
        self.wide = INDEX64 in kernel.manifest.cpu.split("+")
        self.reports = kernel.reports
        self.unpack = kernel.layout.addresses.unpack_from
        self.writes = tuple(buffer.writes for buffer in kernel.layout.buffers)
        functions = self.core.context.functions
        self.bind, self.push = functions.CmdBindPipeline, functions.CmdPushConstants
        self.dispatch = functions.CmdDispatch
        self.known: dict[bytes, Known] = {}
        self.needs: Any = None  # what a recording that is being made relies on
        self.number = id(timeline)
        self.name = kernel.manifest.name

    def launcher(self) -> Launcher:
        """What launches; with the validation layer on, it raises what that says."""
        return self.launch if self.core.context.validation is None else self._validated

    def launch(self, packed: bytes) -> None:
        """Record one launch, or name the recording of such a one."""
        timeline = self.timeline
        with timeline.lock:
            known = self.known.get(packed)
            if known is None or not known.is_live():
                known = self._look_up(packed)
            report = None if self.reports is None else self.reports.take(self.core.drain)
            if known.came_before and timeline.is_idle():
                alone = self._alone(packed, known, report)
                if alone is not None:
                    self._note(known.used, alone.batch, report)
                    timeline.submit_alone(alone.recording.command, alone.batch)
                    return
            self._launch_in_batch(packed, known, report)

    def _launch_in_batch(self, packed: bytes, known: Known, report: ReportBuffer | None) -> None:
        """Put a launch into the timeline's batch."""
        timeline, used = self.timeline, known.used
        recording, batch = self._recording(known, report), timeline.batch
        if recording is None:
            self.prepare(packed, used, report)
            batch = timeline.open()
        assert batch is not None, "a recording is found for a batch"
        touched = timeline.touched
        for allocation, writes in used:
            before = touched.get(allocation)
            if before or (writes and before is False):
                timeline.barrier(batch)
                break
        if recording is None:
            recording = self._record(batch, known, report)
        if recording is not None:
            batch.recordings.append(recording.command)
            recording.ticket = batch.ticket
        self._note(used, batch, report)
        timeline.launched(batch)

    def _note(self, used: Used, batch: Batch, report: ReportBuffer | None) -> None:
        """What a launch in `batch` uses."""
        touched, number = self.timeline.touched, self.number
        for allocation, writes in used:
            allocation.uses[number] = batch
            if writes:
                allocation.writes[number] = batch
            touched[allocation] = writes or touched.get(allocation, False)
        if report is not None:
            batch.reports.append(report)
        batch.kernel = self.name

    def _alone(self, packed: bytes, known: Known, report: ReportBuffer | None) -> Alone | None:
        """What is submitted for a launch while nothing else is under way, if that can be kept."""
        timeline = self.timeline
        ticket = timeline.submitted + 1
        found = known.alone.get(report)
        if found is not None and self.keep(found.recording, found.batch):
            recording, batch = found
            batch.timeline, batch.ticket, recording.ticket = timeline, ticket, ticket
            return found
        if self.in_memory:
            return None
        self.prepare(packed, known.used, report)
        batch = Batch(timeline, ticket)
        made = timeline.commands.record_alone(timeline.completed, partial(self.write, batch, 0))
        if made is None:
            return None
        made.ticket, made.needs = ticket, self.needs
        found = known.alone[report] = Alone(made, batch)
        return found

    @abstractmethod
    def prepare(self, packed: bytes, used: Used, report: ReportBuffer | None) -> None:
        """Make the parameter block, in memory where it is too big to be pushed."""

    @abstractmethod
    def give(self, command: int, batch: Batch) -> None:
        """Record what gives the kernel its arguments."""

    def keep(self, recording: Recording, batch: Batch) -> bool:
        """Keep what a recording needs until `batch` is done; False if it is not there any more."""
        return True

    def _look_up(self, packed: bytes) -> Known:
        """Arguments that did not come before, or whose memory is not the same any more."""
        used = self.used(packed)
        if len(self.known) >= MAX_KNOWN:
            self.known.clear()
        made = self.known[packed] = Known(used)
        return made

    def _recording(self, known: Known, report: ReportBuffer | None) -> Recording | None:
        """The recording of such a launch, for the timeline's batch."""
        found = known.recordings.get(report)
        if found is None or not self.keep(found, self.timeline.open()):
            return None
        return found

    def _record(self, batch: Batch, known: Known, report: ReportBuffer | None) -> Recording | None:
        """A recording, if such arguments came before; else the launch is in the batch itself."""
        timeline = self.timeline
        if known.came_before and not self.in_memory:
            made = timeline.commands.record(timeline.completed, partial(self.write, batch, 0))
            if made is not None:
                made.needs = self.needs
                known.recordings[report] = made
                return made
        known.came_before = True
        timeline.record()
        self.write(batch, timeline.bound, batch.command)
        timeline.bound = self.pipeline
        return None

    def write(self, batch: Batch, bound: int, command: int) -> None:
        """The commands of a launch, where a pipeline may be bound already."""
        if bound != self.pipeline:
            self.bind(command, BIND_POINT_COMPUTE, self.pipeline)
        self.give(command, batch)
        self.dispatch(command, *self.groups)

    def used(self, packed: bytes) -> Used:
        """The memory that the arguments name, with whether the kernel writes it."""
        known = self.core.known
        used: Used = []
        for address, writes in zip(self.unpack(packed), self.writes, strict=True):
            found = known.get(address)
            if found is None or not found.live:
                found = self.core.find(address)
            if found.nbytes >= MAX_ELEMENTS and not self.wide:
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
            self.timeline.places.append(place)
            self.launch(packed)
            self.core.context.raise_messages(place)


class PointerLaunch(BoundLaunch):
    """Arguments by address: all of the block is pushed, or the address at which it lies."""

    pushed = b""

    def prepare(self, packed: bytes, used: Used, report: ReportBuffer | None) -> None:
        """See `BoundLaunch`."""
        block = packed + self.grid_words
        if report is not None:
            block += POINTER.pack(report.memory.allocation.address)
        if self.in_memory:
            page, offset = self.timeline.parameters.put(block)
            block = POINTER.pack(page.allocation.address + offset)
        self.pushed = block

    def give(self, command: int, batch: Batch) -> None:
        """See `BoundLaunch`."""
        block = self.pushed
        self.push(command, self.pipeline_layout, SHADER_STAGE_COMPUTE, 0, len(block), block)
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
            ranges.append(_range(report.memory.allocation))
        self.block = bytes(block)
        if self.in_memory:
            page, self.dynamic[0] = self.timeline.parameters.put(self.block)
            allocation = page.allocation
            ranges.append((allocation.block.buffer, allocation.offset, self.layout.block_bytes))
        self.ranges = ranges

    def give(self, command: int, batch: Batch) -> None:
        """See `BoundLaunch`."""
        layout, block = self.pipeline_layout, self.block
        if self.descriptors is not None:
            generation = self.core.generation()
            ranges = tuple(self.ranges)
            found = self.descriptors.get(ranges, generation, self.number, batch)
            self.set[0], self.needs = found
            dynamic = int(self.in_memory), self.dynamic
            self.bind_sets(command, BIND_POINT_COMPUTE, layout, 0, 1, self.set, *dynamic)
        if self.in_memory:
            self.timeline.parameters.keep(batch)
        else:
            self.push(command, layout, SHADER_STAGE_COMPUTE, 0, len(block), block)

    def keep(self, recording: Recording, batch: Batch) -> bool:
        """See `BoundLaunch`."""
        descriptors, pool = self.descriptors, recording.needs
        if descriptors is None:
            return True
        return descriptors.keep(pool, self.core.generation(), self.number, batch)

    def _check_binding(self, buffer: Buffer, allocation: Allocation, rest: int) -> None:
        where = f"argument {buffer.name} of kernel {self.name}"
        if rest:
            raise DeviceError(f"{where} does not start at a multiple of its element size")
        if allocation.nbytes > self.largest:
            raise LaunchError(
                f"{where} lies in {allocation.nbytes} bytes of memory; {self.core.context.name} "
                f"binds up to {self.largest}: use a smaller array"
            )


def _range(allocation: Allocation) -> tuple[int, int, int]:
    return allocation.block.buffer, allocation.offset, allocation.nbytes

"""The path of a launch: from packed arguments to the driver.

A launch object is made once for a kernel, a stream, a grid and a block. What is left each time: see
whether the stream has to wait for another one, put the packed words where the driver reads them,
and call the driver; where it says that the context is not current in this thread, make it so and
call again. Nothing of it waits or allocates, but for a report buffer where more launches are under
way than there are buffers.

    packed   8-byte slots, one for each parameter (16 for a tensor map); the driver takes a pointer
             to each parameter
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..artifact import TENSOR_MAP_SLOTS
from ..device import Launcher
from ..errors import DeviceError, LaunchError
from ..launch_shape import PLAIN, Dim3, LaunchOptions
from ..process import caller
from .slots import SLOT
from .table import RESULTS

if TYPE_CHECKING:
    from ..report_pool import ReportBuffer
    from .kernel import CudaKernel
    from .queue import Queue

POINTER = struct.Struct("<Q")


class Arguments:
    """Where the driver reads the parameters of one launch; it has copied them when it returns."""

    __slots__ = ("_data", "_pointers", "place", "view")

    def __init__(self, nbytes: int, wide: Sequence[int]):
        self._data = (ctypes.c_char * max(nbytes, SLOT))()
        self.view = memoryview(self._data).cast("B")[:nbytes]
        start = ctypes.addressof(self._data)
        places = list(range(start, start + nbytes, SLOT))
        for slot in reversed(wide):
            del places[slot + 1 : slot + TENSOR_MAP_SLOTS]
        self._pointers = (ctypes.c_void_p * max(len(places), 1))(*places)
        self.place = ctypes.addressof(self._pointers)


class BoundLaunch:
    """A kernel with the shape of its launch in a stream."""

    def __init__(
        self,
        kernel: CudaKernel,
        queue: Queue,
        grid: Dim3,
        block: Dim3,
        shared_bytes: int,
        options: LaunchOptions,
    ):
        self.kernel = kernel
        self.queue = queue
        self.core = kernel.core
        self.name = kernel.manifest.name
        self.shape = grid, block, shared_bytes
        self.reports = kernel.reports
        self.free: list[Arguments] = []
        self.start = _starter(kernel, queue, grid, block, shared_bytes, options)

    def launcher(self) -> Launcher:
        """What launches; with STEPWELL_VALIDATE=1, it waits for the end."""
        return self.validated if self.core.validates else self.launch

    def launch(self, packed: bytes) -> None:
        """Launch once."""
        queue = self.queue
        report = None
        if queue.behind or self.core.captures or self.core.context.lost:
            report = self.prepare(packed)
        if self.reports is not None:
            report = report or self.reports.take(self.core.finish_some)
            packed += POINTER.pack(report.memory.address)
        try:
            arguments = self.free.pop()
        except IndexError:
            arguments = Arguments(len(packed), self.kernel.slots.maps)
        arguments.view[:] = packed
        status = self.start(arguments.place, 0)[0]
        if status and int(status) in _NOT_CURRENT:
            with self.core.context.current():
                status = self.start(arguments.place, 0)[0]
        self.free.append(arguments)
        queue.dirty = True
        queue.recent.append(self.name)
        if report is not None:
            self.sent(report, failed=bool(status))
        if status:
            raise self.failure(int(status))

    def prepare(self, packed: bytes) -> ReportBuffer | None:
        """What a launch needs that is not like the one before; its report buffer in a graph."""
        core, queue = self.core, self.queue
        core.context.require()
        with core.lock, core.context.current():
            graph = queue.capture
            if graph is None:
                if queue is core.default:
                    core.refuse_capture(f"a launch of {self.name} without stream=")
                if queue.behind:
                    core.catch_up(queue)
                return None
            if graph.thread != threading.get_ident():
                raise LaunchError("the stream captures a graph in another thread")
            graph.kept.append(self.kernel)
            graph.kept.extend(core.memory.used_by(packed, self.kernel.slots))
            graph.names.append(self.name)
            return graph.report_for(self.reports) if self.reports is not None else None

    def sent(self, report: ReportBuffer, *, failed: bool) -> None:
        """The launch that has this report buffer is under way, or was refused."""
        queue, reports = self.queue, self.reports
        assert reports is not None, "it gave the buffer"
        if queue.capture is not None:
            return  # the graph has it
        if failed:
            reports.free.append(report)
            return
        queue.add(report)
        if queue.sent - queue.marked >= self.kernel.mark_every:
            self.core.mark(queue)

    def failure(self, status: int) -> DeviceError:
        """The exception of a launch that the driver refused."""
        grid, block, shared_bytes = self.shape
        shape = f"kernel {self.name}, grid {grid}, block {block}, {shared_bytes} bytes of shared"
        reason = _REASONS.get(status)
        if reason is not None:
            return LaunchError(f"{self.core.context.name} refuses to launch {shape}: {reason}")
        return self.core.failed(status, f"the launch of {shape}")

    def validated(self, packed: bytes) -> None:
        """Launch and wait; what goes wrong is said to be of this launch."""
        place = f"kernel {self.name}, launched at {caller()}"
        try:
            self.launch(packed)
            if self.queue.capture is None:
                self.queue.recent.clear()
                self.core.finish(self.queue)
        except DeviceError as error:
            error.add_note(f"the reason is in {place}")
            raise


# What a launch gives in a thread without a context, and in one with another context.
_NOT_CURRENT = (RESULTS["ERROR_INVALID_CONTEXT"], RESULTS["ERROR_INVALID_HANDLE"])
_REASONS = {
    RESULTS["ERROR_INVALID_VALUE"]: "its shape or its arguments are over the device's limits",
    RESULTS["ERROR_LAUNCH_OUT_OF_RESOURCES"]: (
        "a block of so many threads needs more registers or memory than a multiprocessor has; use "
        "smaller blocks, or @kernel(block=…), which fits the registers to them"
    ),
    RESULTS["ERROR_COOPERATIVE_LAUNCH_TOO_LARGE"]: (
        "all blocks of a cooperative launch have to run at once; use fewer or smaller blocks"
    ),
    RESULTS["ERROR_INVALID_CLUSTER_SIZE"]: (
        "no cluster of this size fits the device, or it does not divide the grid"
    ),
}


def _starter(
    kernel: CudaKernel,
    queue: Queue,
    grid: Dim3,
    block: Dim3,
    shared_bytes: int,
    options: LaunchOptions,
) -> Callable[[int, int], Any]:
    """The driver's function with all but the place of the parameters given."""
    driver = kernel.core.driver
    if options == PLAIN:
        launch = driver.function("cuLaunchKernel")
        return partial(launch, kernel.function, *grid, *block, shared_bytes, queue.handle)
    config = launch_config(kernel.core.driver, grid, block, shared_bytes, queue.handle, options)
    return partial(driver.function("cuLaunchKernelEx"), config, kernel.function)


def launch_config(
    driver: Any, grid: Dim3, block: Dim3, shared_bytes: int, stream: Any, options: LaunchOptions
) -> Any:
    """The driver's description of a launch with options."""
    attributes: list[Any] = []

    def add(kind: str, set_value: Callable[[Any], None]) -> None:
        value = driver.structure("CUlaunchAttributeValue")
        set_value(value)
        attributes.append(
            driver.structure(
                "CUlaunchAttribute", id=driver.member("CUlaunchAttributeID", kind), value=value
            )
        )

    if options.cooperative:
        add("COOPERATIVE", lambda value: setattr(value, "cooperative", 1))
    if options.cluster is not None:
        add("CLUSTER_DIMENSION", partial(_set_cluster, options.cluster))
    if options.overlap:
        name = "programmaticStreamSerializationAllowed"
        add("PROGRAMMATIC_STREAM_SERIALIZATION", lambda value: setattr(value, name, 1))
    return driver.structure(
        "CUlaunchConfig",
        gridDimX=grid[0],
        gridDimY=grid[1],
        gridDimZ=grid[2],
        blockDimX=block[0],
        blockDimY=block[1],
        blockDimZ=block[2],
        sharedMemBytes=shared_bytes,
        hStream=stream,
        attrs=attributes,
        numAttrs=len(attributes),
    )


def _set_cluster(cluster: Dim3, value: Any) -> None:
    value.clusterDim.x, value.clusterDim.y, value.clusterDim.z = cluster

"""CUDA graphs: launches that a stream captured, to be launched again together.

    stream = device.stream()
    with stream.capture() as graph:
        step.over(n, stream=stream)(x, y)
        step.over(n, stream=stream)(y, x)
    graph.launch()

Nothing waits or allocates while a stream captures: a kernel is loaded and a launch of its kind made
before, and arguments are device arrays. A graph keeps the memory of its arguments. Each kernel of
it that can report has one report buffer in it, so what it prints is told kernel by kernel.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..device import Graph, Stream
from ..errors import DeviceError, LaunchError

if TYPE_CHECKING:
    from ..outcome import Outcome
    from ..report_pool import ReportBuffer, ReportPool
    from .core import Core
    from .stream import CudaStream


class CapturedReport:
    """The report buffer of a kernel in a graph; it is read when no run of that is under way."""

    __slots__ = ("buffer", "under_way")

    def __init__(self, buffer: ReportBuffer):
        self.buffer = buffer
        self.under_way = 0

    def collect(self) -> Outcome | None:
        """A run of the graph is done."""
        self.under_way -= 1
        return None if self.under_way else self.buffer.read()


class Parts(NamedTuple):
    """What the driver has of a graph, until nothing uses it."""

    executable: Any
    reports: list[CapturedReport]

    def destroyed(self, core: Core) -> bool:
        """Destroy it if no run of it is under way; whether that was so."""
        if any(report.under_way for report in self.reports):
            return False
        core.context.call("cuGraphExecDestroy", self.executable)
        _give_back(self.reports)
        return True


class CudaGraph(Graph):
    """Captured launches; made by `CudaStream.capture`."""

    def __init__(self, stream: CudaStream):
        self._core = stream.core
        self._queue = stream.queue
        self.thread = threading.get_ident()
        self.kept: list[object] = [stream]
        self.names: list[str] = []
        self._reports: dict[ReportPool, CapturedReport] = {}
        self._parts: Parts | None = None

    def report_for(self, pool: ReportPool) -> ReportBuffer:
        """The report buffer of a kernel in this graph."""
        found = self._reports.get(pool)
        if found is None:
            buffer = pool.lend()
            if buffer is None:
                raise LaunchError(
                    f"kernel {pool.manifest.name} was loaded while a graph is captured, and its "
                    "report buffer cannot be made then; launch it once before"
                )
            found = self._reports[pool] = CapturedReport(buffer)
        return found.buffer

    def launch(self, stream: Stream | None = None) -> None:
        """Launch it all, in the stream that captured it or in another one of its device."""
        if self._parts is None:
            raise DeviceError("the graph is not captured, or its capture failed")
        core = self._core
        queue = self._queue if stream is None else core.queue_of(stream)
        with core.lock, core.context.current():
            if queue.capture is not None:
                raise DeviceError("a graph cannot be launched into a stream that captures")
            if queue.behind:
                core.catch_up(queue)
            core.context.call("cuGraphLaunch", self._parts.executable, queue.handle)
            queue.dirty = True
            queue.recent.extend(self.names)
            for report in self._parts.reports:
                report.under_way += 1
                queue.add(report)

    def begin(self) -> None:
        """Have the stream capture from now on."""
        core, queue = self._core, self._queue
        with core.lock, core.context.current():
            if queue is core.default:
                raise DeviceError(
                    "the default stream cannot capture a graph; use one made by device.stream()"
                )
            if queue.capture is not None:
                raise DeviceError("the stream captures a graph already")
            core.sweep()
            core.join()  # while streams capture nothing can be ordered after what they hold
            for kernel in list(core.kernels):
                kernel.keep_spare_report()
            core.context.call("cuStreamBeginCapture", queue.handle, "THREAD_LOCAL")
            queue.capture = self
            core.captures.add(queue)

    def end(self, *, failed: bool) -> None:
        """End the capture; where it failed nothing can be launched."""
        core = self._core
        with core.lock, core.context.current():
            for queue in [queue for queue in core.captures if queue.capture is self]:
                queue.capture = None
                core.captures.discard(queue)
            reports = list(self._reports.values())
            try:
                captured = core.context.call("cuStreamEndCapture", self._queue.handle)
            except DeviceError:
                _give_back(reports)
                if failed:
                    return  # what went wrong in the block is what the caller is told
                raise
            if failed:
                core.context.call("cuGraphDestroy", captured)
                _give_back(reports)
                return
            executable = core.context.call("cuGraphInstantiate", captured, 0)
            core.context.call("cuGraphDestroy", captured)
            self._parts = Parts(executable, reports)

    def __del__(self) -> None:
        if self._parts is not None:
            self._core.dead_graphs.append(self._parts)  # it may be running


def _give_back(reports: list[CapturedReport]) -> None:
    for report in reports:
        report.buffer.give_back()


class Capture(AbstractContextManager[CudaGraph]):
    """The block in which a stream captures."""

    def __init__(self, stream: CudaStream):
        self._graph = CudaGraph(stream)

    def __enter__(self) -> CudaGraph:
        self._graph.begin()
        return self._graph

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._graph.end(failed=kind is not None)

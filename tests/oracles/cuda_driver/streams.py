"""Streams, events and captures as CUDA orders them.

Nothing runs before somebody waits for it, and then only what that needs: work that nothing orders
runs late and in an order of its own, so that a missing wait gives a wrong result.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from oracles.cuda_driver.results import Refused, refuse_if

Work = Callable[[], None]


@dataclass(eq=False)
class Record:
    """A point in a stream: done when all before it is, at a time of the simulated clock."""

    stream: Stream
    done: bool = False
    asked: bool = False
    time: float = 0.0
    capture: Capture | None = None
    position: int = 0


@dataclass(frozen=True)
class Wait:
    """What comes after it in its stream waits for a point in another one."""

    record: Record


@dataclass(eq=False)
class Event:
    """An event of the driver: the point at which it was recorded last."""

    timed: bool
    record: Record | None = None


@dataclass(eq=False)
class Capture:
    """A graph that is being captured, from its first stream on."""

    first: Stream
    thread: int
    is_global: bool
    works: list[Work] = field(default_factory=list[Work])
    lengths: dict[Stream, int] = field(default_factory=dict["Stream", int])
    joined: dict[Stream, int] = field(default_factory=dict["Stream", int])
    invalid: bool = False


class Stream:
    """A queue of work; `blocking` ones and the legacy stream wait for each other."""

    def __init__(self, context: object, *, blocking: bool):
        self.context = context
        self.blocking = blocking
        self.queue: deque[Work | Record | Wait] = deque()
        self.capture: Capture | None = None
        self.stuck = False


class Streams:
    """All streams of a context. `clock` counts simulated milliseconds."""

    def __init__(self, context: object):
        self.legacy = Stream(context, blocking=True)
        self.all: list[Stream] = [self.legacy]
        self.clock = 0.0

    def new(self, *, blocking: bool) -> Stream:
        """One more stream."""
        stream = Stream(self.legacy.context, blocking=blocking)
        self.all.append(stream)
        return stream

    def put(self, stream: Stream, work: Work) -> None:
        """Enqueue work, or capture it."""
        if stream.capture is not None:
            self.require_valid(stream.capture)
            stream.capture.works.append(work)
            stream.capture.lengths[stream] = stream.capture.lengths.get(stream, 0) + 1
            return
        self._implicit_waits(stream)
        stream.queue.append(work)

    def record(self, stream: Stream, event: Event) -> None:
        """Put an event after what the stream holds."""
        capture = stream.capture
        if capture is not None:
            self.require_valid(capture)
            position = capture.lengths.get(stream, 0)
            event.record = Record(stream, capture=capture, position=position)
            return
        self._implicit_waits(stream)
        event.record = Record(stream)
        stream.queue.append(event.record)

    def wait(self, stream: Stream, event: Event) -> None:
        """Have a stream wait for an event; one in a capture takes the stream into it."""
        record = event.record
        if record is None:
            return  # one that was never recorded is over
        if record.capture is not None:
            refuse_if(stream is self.legacy, "ERROR_STREAM_CAPTURE_IMPLICIT")
            if stream.capture not in (None, record.capture):
                raise Refused("ERROR_STREAM_CAPTURE_MERGE")
            self.require_valid(record.capture)
            stream.capture = record.capture
            record.capture.lengths.setdefault(stream, 0)
            record.capture.joined[record.stream] = record.position
            return
        if stream.capture is not None:
            stream.capture.invalid = True
            raise Refused("ERROR_STREAM_CAPTURE_ISOLATION")
        self._implicit_waits(stream)
        stream.queue.append(Wait(record))

    def run(self, stream: Stream, until: Record | None = None) -> None:
        """Do the work of a stream, up to a point, and what it waits for before."""
        while stream.queue and not stream.stuck and not (until is not None and until.done):
            first = stream.queue[0]
            if isinstance(first, Wait):
                if not first.record.done:
                    self.run(first.record.stream, first.record)
                    if not first.record.done:
                        return  # what it waits for is stuck
                stream.queue.popleft()
            elif isinstance(first, Record):
                stream.queue.popleft()
                first.done, first.time = True, self.clock
            else:
                stream.queue.popleft()
                first()
                self.clock += 0.25
                if stream.stuck:
                    return  # what comes after it never begins

    def begin(self, stream: Stream, *, is_global: bool) -> None:
        """Capture what comes."""
        refuse_if(stream is self.legacy, "ERROR_STREAM_CAPTURE_UNSUPPORTED")
        refuse_if(stream.capture is not None, "ERROR_STREAM_CAPTURE_UNSUPPORTED")
        stream.capture = Capture(stream, threading.get_ident(), is_global)
        stream.capture.lengths[stream] = 0

    def end(self, stream: Stream) -> list[Work]:
        """What was captured."""
        capture = stream.capture
        if capture is None or capture.first is not stream:
            raise Refused("ERROR_INVALID_VALUE")
        if capture.thread != threading.get_ident() and not capture.is_global:
            raise Refused("ERROR_STREAM_CAPTURE_WRONG_THREAD")
        for one in self.all:
            if one.capture is capture:
                one.capture = None
        self.require_valid(capture)
        for forked, length in capture.lengths.items():
            if forked is not stream and capture.joined.get(forked) != length:
                raise Refused("ERROR_STREAM_CAPTURE_UNJOINED")
        return capture.works

    def captures_here(self) -> Capture | None:
        """A capture that forbids this thread calls which might wait."""
        thread = threading.get_ident()
        for stream in self.all:
            capture = stream.capture
            if capture is not None and (capture.is_global or capture.thread == thread):
                return capture
        return None

    @staticmethod
    def require_valid(capture: Capture) -> None:
        """Refused after something that cannot be part of a graph."""
        refuse_if(capture.invalid, "ERROR_STREAM_CAPTURE_INVALIDATED")

    def _implicit_waits(self, stream: Stream) -> None:
        """The legacy stream waits for all blocking streams, and they for it."""
        if not stream.blocking:
            return
        others = [one for one in self.all if one.blocking and one is not stream]
        for other in others if stream is self.legacy else [self.legacy]:
            if other.capture is not None:
                raise Refused("ERROR_STREAM_CAPTURE_IMPLICIT")
            if other.queue and other is not stream:
                tail = Record(other)
                other.queue.append(tail)
                stream.queue.append(Wait(tail))

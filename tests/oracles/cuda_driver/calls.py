"""What all functions share: handles, the context of the thread, how a call refuses."""

from __future__ import annotations

import inspect
import itertools
import threading
from collections.abc import Callable
from enum import IntEnum
from types import SimpleNamespace
from typing import Any, cast

from oracles.cuda_driver.gpu import Context, Gpu
from oracles.cuda_driver.results import Refused, refuse_if
from oracles.cuda_driver.streams import Stream, Work

from stepwell.runtime.cuda.table import (
    ENUMERATIONS,
    FUNCTIONS,
    RESULTS,
    STREAM_LEGACY,
    STRUCTURES,
)

# Functions that need no context, and those that may wait or allocate, which a capture forbids.
WITHOUT_CONTEXT = frozenset(
    name
    for name in FUNCTIONS
    if name.startswith(("cuInit", "cuDriver", "cuDevice", "cuCtx", "cuMemPoolCreate"))
)
UNSAFE = frozenset(
    (
        *("cuMemAlloc", "cuMemFree", "cuMemHostAlloc", "cuModuleLoadDataEx", "cuModuleUnload"),
        *("cuMemPoolTrimTo", "cuEventQuery"),
    )
)


class Calls:
    """The state of a driver; subclasses have its functions, which become what the bindings have."""

    def __init__(self, gpus: int = 1, capability: tuple[int, int] = (8, 0), version: int = 13000):
        self.version = version
        self.gpus = [Gpu(capability) for _ in range(gpus)]
        self.calls: list[str] = []
        self.loaded: list[bytes] = []
        self.machine_code: dict[bytes, str] = {}
        self._lock = threading.RLock()
        self._thread = threading.local()
        self._handles: dict[int, Any] = {}
        self._numbers = itertools.count(0x5000, 16)
        for name, row in ENUMERATIONS.items():
            members = {row.prefix + member: value for member, value in row.members.items()}
            setattr(self, name, IntEnum(name, members))
        self._results: Any = vars(self)["CUresult"]
        for name in STRUCTURES:
            setattr(self, name, SimpleNamespace)
        self.CUlaunchAttributeValue = lambda: SimpleNamespace(clusterDim=SimpleNamespace())
        self.CUstream = self.cuuint64_t = int
        for name in FUNCTIONS:
            setattr(self, name, self._guarded(name, getattr(self, name)))

    def _guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function as the bindings have it: a tuple of the result and what it gives."""
        count = len(inspect.signature(function).parameters)

        def call(*arguments: Any) -> tuple[Any, ...]:
            assert len(arguments) == count, f"{name} takes {count} arguments"
            with self._lock:
                self.calls.append(name)
                try:
                    self._check(name)
                    given = function(*arguments)
                except Refused as refused:
                    return (self._result(refused.code),)
            if given is None:
                return (self._result(0),)
            if not isinstance(given, tuple):
                return (self._result(0), given)
            return (self._result(0), *cast("tuple[Any, ...]", given))

        return call

    def _result(self, code: int) -> Any:
        return self._results(code)

    def _check(self, name: str) -> None:
        if name in WITHOUT_CONTEXT:
            return
        context = self._current()
        refuse_if(context is None, "ERROR_INVALID_CONTEXT")
        assert context is not None, "it was looked at"
        if context.fault:
            raise Refused(context.fault)
        capture = context.streams.captures_here()
        if capture is not None and name in UNSAFE:
            capture.invalid = True
            raise Refused("ERROR_STREAM_CAPTURE_UNSUPPORTED")

    def _current(self) -> Context | None:
        return getattr(self._thread, "context", None)

    @property
    def _here(self) -> Context:
        context = self._current()
        assert context is not None, "the call was checked"
        return context

    def _new(self, thing: Any) -> int:
        number = next(self._numbers)
        self._handles[number] = thing
        return number

    def _get(self, handle: int, kind: type[Any]) -> Any:
        found = self._handles.get(int(handle))
        refuse_if(not isinstance(found, kind), "ERROR_INVALID_HANDLE")
        return found

    def _drop(self, handle: int, kind: type[Any]) -> Any:
        found = self._get(handle, kind)
        del self._handles[int(handle)]
        return found

    def _stream(self, handle: int) -> Stream:
        if handle in (0, STREAM_LEGACY):
            return self._here.streams.legacy
        stream = self._get(handle, Stream)
        refuse_if(stream.context is not self._here, "ERROR_INVALID_CONTEXT")
        return stream

    def _put(self, handle: int, work: Work) -> None:
        """Enqueue work; where it goes wrong, every later call of the context fails."""
        context = self._here

        def guarded() -> None:
            try:
                work()
            except Refused as refused:
                context.fault = next(name for name, c in RESULTS.items() if c == refused.code)

        context.streams.put(self._stream(handle), guarded)

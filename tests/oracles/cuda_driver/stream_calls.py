"""Functions of devices, contexts, streams, events and graphs."""

# ruff: noqa: N802, N803

from __future__ import annotations

from oracles.cuda_driver.calls import Calls
from oracles.cuda_driver.gpu import ATTRIBUTES, Context
from oracles.cuda_driver.results import Refused, refuse_if
from oracles.cuda_driver.streams import Event, Stream
from oracles.cuda_driver.tensor_maps import FUNCTION_ADDRESS

from stepwell.runtime.cuda.table import ENUMERATIONS, STREAM_LEGACY, STREAM_NON_BLOCKING
from stepwell.runtime.cuda.tensor_map import NAME, SINCE


class StreamCalls(Calls):
    """See the head of the file."""

    def cuInit(self, Flags: int) -> None:
        refuse_if(not self.gpus, "ERROR_NO_DEVICE")

    def cuDriverGetVersion(self) -> int:
        return self.version

    def cuGetProcAddress(self, symbol: bytes, cudaVersion: int, flags: int) -> tuple[int, int]:
        refuse_if(symbol != NAME or cudaVersion < SINCE, "ERROR_NOT_FOUND")
        return FUNCTION_ADDRESS, 0

    def cuDeviceGetCount(self) -> int:
        return len(self.gpus)

    def cuDeviceGet(self, ordinal: int) -> int:
        refuse_if(not 0 <= ordinal < len(self.gpus), "ERROR_INVALID_DEVICE")
        return ordinal

    def cuDeviceGetName(self, length: int, dev: int) -> bytes:
        return b"PTX interpreter".ljust(length, b"\0")

    def cuDeviceTotalMem(self, dev: int) -> int:
        return self.gpus[dev].memory.total

    def cuDeviceGetAttribute(self, attrib: int, dev: int) -> int:
        names = {value: name for name, value in ENUMERATIONS["CUdevice_attribute"].members.items()}
        major, minor = self.gpus[dev].capability
        special = {"COMPUTE_CAPABILITY_MAJOR": major, "COMPUTE_CAPABILITY_MINOR": minor}
        special["CLUSTER_LAUNCH"] = special["TENSOR_MAP_ACCESS_SUPPORTED"] = int(major >= 9)
        return {**ATTRIBUTES, **special}[names[attrib]]

    def cuDevicePrimaryCtxRetain(self, dev: int) -> int:
        gpu = self.gpus[dev]
        gpu.retained += 1
        if gpu.handle == 0:
            gpu.handle = self._new(gpu.context)
        return gpu.handle

    def cuDevicePrimaryCtxRelease(self, dev: int) -> None:
        refuse_if(self.gpus[dev].retained < 1, "ERROR_INVALID_CONTEXT")
        if fault := self.gpus[dev].context.fault:
            raise Refused(fault)
        self.gpus[dev].retained -= 1

    def cuCtxGetCurrent(self) -> int:
        context = self._current()
        return 0 if context is None else context.gpu.handle

    def cuCtxSetCurrent(self, ctx: int) -> None:
        self._thread.context = self._get(ctx, Context) if ctx else None

    def cuStreamCreate(self, Flags: int) -> int:
        return self._new(self._here.streams.new(blocking=not Flags & STREAM_NON_BLOCKING))

    def cuStreamDestroy(self, hStream: int) -> None:
        stream = self._drop(hStream, Stream)
        self._here.streams.run(stream)

    def cuStreamGetCtx(self, hStream: int) -> int:
        if hStream in (0, STREAM_LEGACY):
            return self._here.gpu.handle
        return self._get(hStream, Stream).context.gpu.handle

    def cuStreamWaitEvent(self, hStream: int, hEvent: int, Flags: int) -> None:
        self._here.streams.wait(self._stream(hStream), self._get(hEvent, Event))

    def cuStreamBeginCapture(self, hStream: int, mode: int) -> None:
        self._here.streams.begin(self._stream(hStream), is_global=mode == 0)

    def cuStreamEndCapture(self, hStream: int) -> int:
        return self._new(self._here.streams.end(self._stream(hStream)))

    def cuGraphInstantiate(self, hGraph: int, flags: int) -> int:
        return self._new(tuple(self._get(hGraph, list)))

    def cuGraphLaunch(self, hGraphExec: int, hStream: int) -> None:
        for work in self._get(hGraphExec, tuple):
            self._here.streams.put(self._stream(hStream), work)

    def cuGraphExecDestroy(self, hGraphExec: int) -> None:
        self._drop(hGraphExec, tuple)

    def cuGraphDestroy(self, hGraph: int) -> None:
        self._drop(hGraph, list)

    def cuEventCreate(self, Flags: int) -> int:
        return self._new(Event(timed=not Flags & 2))

    def cuEventRecord(self, hEvent: int, hStream: int) -> None:
        self._here.streams.record(self._stream(hStream), self._get(hEvent, Event))

    def cuEventQuery(self, hEvent: int) -> None:
        record = self._get(hEvent, Event).record
        if record is None or record.done:
            return
        if record.capture is not None:
            record.capture.invalid = True
            raise Refused("ERROR_CAPTURED_EVENT")
        if not record.asked:  # the first answer is that it takes longer
            record.asked = True
            raise Refused("ERROR_NOT_READY")
        self._here.streams.run(record.stream, record)
        if self._here.fault:
            raise Refused(self._here.fault)
        refuse_if(not record.done, "ERROR_NOT_READY")

    def cuEventElapsedTime(self, hStart: int, hEnd: int) -> float:
        start: Event = self._get(hStart, Event)
        end: Event = self._get(hEnd, Event)
        refuse_if(not (start.timed and end.timed), "ERROR_INVALID_HANDLE")
        first, last = start.record, end.record
        if first is None or last is None:
            raise Refused("ERROR_INVALID_HANDLE")
        refuse_if(not (first.done and last.done), "ERROR_NOT_READY")
        return last.time - first.time

    def cuEventDestroy(self, hEvent: int) -> None:
        self._drop(hEvent, Event)

"""Functions of memory and of copies."""

# ruff: noqa: N802, N803

from __future__ import annotations

import ctypes
from typing import Any

from oracles.cuda_driver.calls import Calls
from oracles.cuda_driver.gpu import Gpu
from oracles.cuda_driver.results import Refused, refuse_if

from stepwell.runtime.cuda.table import ENUMERATIONS


class MemoryCalls(Calls):
    """See the head of the file."""

    def cuMemPoolCreate(self, poolProps: Any) -> int:
        assert (poolProps.allocType, poolProps.location.type) == (1, 1), "pinned, on a device"
        return self._new(self.gpus[poolProps.location.id])

    def cuMemPoolSetAttribute(self, pool: int, attr: int, value: int) -> None:
        assert attr == ENUMERATIONS["CUmemPool_attribute"].members["RELEASE_THRESHOLD"]
        self._get(pool, Gpu).kept = value

    def cuMemPoolTrimTo(self, pool: int, minBytesToKeep: int) -> None:
        self._get(pool, Gpu)

    def cuMemAllocFromPoolAsync(self, bytesize: int, pool: int, hStream: int) -> int:
        memory = self._get(pool, Gpu).memory
        address = memory.reserve(bytesize)
        self._put(hStream, lambda: memory.show(address))
        return address

    def cuMemFreeAsync(self, dptr: int, hStream: int) -> None:
        memory = self._here.gpu.memory
        refuse_if(dptr not in memory.sizes, "ERROR_INVALID_VALUE")
        self._put(hStream, lambda: memory.free(dptr))

    def cuMemAlloc(self, bytesize: int) -> int:
        address = self._here.gpu.memory.reserve(bytesize)
        self._here.gpu.memory.show(address)
        return address

    def cuMemFree(self, dptr: int) -> None:
        refuse_if(dptr not in self._here.gpu.memory.sizes, "ERROR_INVALID_VALUE")
        for stream in self._here.streams.all:
            self._here.streams.run(stream)
        self._here.gpu.memory.free(dptr)

    def cuMemGetInfo(self) -> tuple[int, int]:
        memory = self._here.gpu.memory
        return memory.total - memory.used, memory.total

    def cuMemHostAlloc(self, bytesize: int, Flags: int) -> int:
        assert Flags & 2, "it is to be mapped"
        return self._here.gpu.memory.pin(bytesize).host

    def cuMemHostGetDevicePointer(self, p: int, Flags: int) -> int:
        pinned = self._here.gpu.memory.pinned
        refuse_if(p not in pinned, "ERROR_INVALID_VALUE")
        return pinned[p].address

    def cuMemcpyHtoDAsync(self, dstDevice: int, srcHost: int, ByteCount: int, hStream: int) -> None:
        memory = self._here.gpu.memory
        memory.host_range(srcHost, ByteCount)
        self._put(hStream, lambda: memory.write(dstDevice, ctypes.string_at(srcHost, ByteCount)))

    def cuMemcpyDtoHAsync(self, dstHost: int, srcDevice: int, ByteCount: int, hStream: int) -> None:
        memory = self._here.gpu.memory
        memory.host_range(dstHost, ByteCount)

        def work() -> None:
            ctypes.memmove(dstHost, memory.read(srcDevice, ByteCount), ByteCount)

        self._put(hStream, work)

    def cuMemcpyDtoDAsync(
        self, dstDevice: int, srcDevice: int, ByteCount: int, hStream: int
    ) -> None:
        memory = self._here.gpu.memory
        self._put(hStream, lambda: memory.write(dstDevice, memory.read(srcDevice, ByteCount)))

    def cuMemsetD8Async(self, dstDevice: int, uc: int, N: int, hStream: int) -> None:
        self._set(dstDevice, uc.to_bytes(1, "little") * N, hStream)

    def cuMemsetD16Async(self, dstDevice: int, us: int, N: int, hStream: int) -> None:
        self._set(dstDevice, us.to_bytes(2, "little") * N, hStream)

    def cuMemsetD32Async(self, dstDevice: int, ui: int, N: int, hStream: int) -> None:
        self._set(dstDevice, ui.to_bytes(4, "little") * N, hStream)

    def cuPointerGetAttribute(self, attribute: int, ptr: int) -> int:
        assert attribute == ENUMERATIONS["CUpointer_attribute"].members["DEVICE_ORDINAL"]
        for ordinal, gpu in enumerate(self.gpus):
            if any(start <= ptr < start + size for start, size in gpu.memory.sizes.items()):
                return ordinal
        raise Refused("ERROR_INVALID_VALUE")

    def _set(self, address: int, data: bytes, stream: int) -> None:
        memory = self._here.gpu.memory
        self._put(stream, lambda: memory.write(address, data))

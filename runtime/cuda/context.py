"""The primary context of a GPU, which all that uses CUDA in the process shares.

Every call of the driver needs it to be current in its thread. Another library may have made that
of another GPU current, so what it was is put back; where there was none, ours stays.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ..errors import DeviceError, DeviceLost, OutOfMemory
from .driver import CudaError, Driver, result_name
from .properties import Properties
from .table import RESULTS, STICKY

_CAPTURE = range(
    RESULTS["ERROR_STREAM_CAPTURE_UNSUPPORTED"], RESULTS["ERROR_STREAM_CAPTURE_WRONG_THREAD"] + 1
)


class Context:
    """The primary context of one GPU, and whether it still works."""

    def __init__(self, driver: Driver, ordinal: int, properties: Properties):
        name = f"cuda:{ordinal}"
        device = driver.call("cuDeviceGet", ordinal)
        self.driver = driver
        self.ordinal = ordinal
        self.name = name
        self.properties = properties
        self._device = device
        self.handle = driver.call("cuDevicePrimaryCtxRetain", device)
        self.number = int(self.handle)
        self.lost = ""
        self.closed = False

    @contextmanager
    def current(self) -> Generator[None]:
        """Make it current in this thread, and afterwards what was so before."""
        self.require()
        driver = self.driver
        before = driver.call("cuCtxGetCurrent")
        if int(before) == self.number:
            yield
            return
        driver.call("cuCtxSetCurrent", self.handle)
        try:
            yield
        finally:
            if int(before):
                driver.call("cuCtxSetCurrent", before)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call the driver; its errors are exceptions of the runtime. The context is current."""
        try:
            return self.driver.call(name, *arguments)
        except CudaError as error:
            raise self.translated(error.code, name) from None

    def translated(self, code: int, what: str) -> DeviceError:
        """The exception for a result of a function; one that is sticky ends the device's use."""
        reason = f"{what} failed: {result_name(code)}"
        if code in STICKY:
            self.lost = self.lost or reason
            return self.gone()
        if code == RESULTS["ERROR_OUT_OF_MEMORY"]:
            return OutOfMemory(f"{self.name} is out of memory ({what})")
        if code in _CAPTURE:
            return DeviceError(
                f"{self.name}: {reason}: this cannot be part of a graph; do it before or after "
                "the capture"
            )
        return DeviceError(f"{self.name}: {reason}")

    def gone(self) -> DeviceLost:
        """The exception of a device that is lost."""
        return DeviceLost(
            f"{self.name} cannot be used any more: {self.lost}; start a new process to use it"
        )

    def require(self) -> None:
        """DeviceLost if the device was lost before, DeviceError if it is closed."""
        if self.lost:
            raise self.gone()
        if self.closed:
            raise DeviceError(f"{self.name} is closed: the process is ending")

    def close(self) -> None:
        """Give the context back; others may go on with it, unless it is lost."""
        if self.closed:
            return
        self.closed = True
        if not self.lost:  # else every call fails again with what was told before
            self.driver.call("cuDevicePrimaryCtxRelease", self._device)

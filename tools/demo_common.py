"""What the parts of `stepwell demo` share: how a workload is run, timed and reported."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..runtime.device import Device

Array = Any
Tick = Callable[[str], None]


@dataclass
class Outcome:
    """One workload on one device: milliseconds, bytes moved by the kernels, and what was wrong."""

    device: str
    work: str
    compile_ms: float = 0.0
    upload_ms: float = 0.0
    kernels_ms: float = 0.0
    download_ms: float = 0.0
    bytes_moved: int = 0
    problems: list[str] = field(default_factory=list[str])

    @property
    def gigabytes_per_second(self) -> float:
        """What the kernels read and wrote, per second of their time."""
        return self.bytes_moved / (self.kernels_ms * 1e6) if self.kernels_ms else 0.0

    def expect(self, true: bool, problem: str) -> None:
        """Note a problem unless `true`."""
        if not true:
            self.problems.append(problem)

    @contextmanager
    def time(self, phase: str) -> Generator[None]:
        """Add the time of the body to `compile`, `upload`, `kernels` or `download`."""
        start = perf_counter()
        try:
            yield
        finally:
            name = f"{phase}_ms"
            setattr(self, name, getattr(self, name) + (perf_counter() - start) * 1e3)


class Session:
    """A device with an Outcome: every step that goes through here is timed under its phase."""

    def __init__(self, device: Device, work: str):
        self.device = device
        self.outcome = Outcome(device.name, work)

    def upload(self, array: Array) -> Array:
        """A copy of the array on the device."""
        with self.outcome.time("upload"):
            made = self.device.array(array)
            self.device.synchronize()
        return made

    def download(self, array: Array) -> Array:
        """The device array as a NumPy array."""
        with self.outcome.time("download"):
            return array.numpy()

    def run(self, enqueue: Callable[[], None]) -> None:
        """Run what `enqueue` launches and wait for it.

        All of it runs twice: the first time compiles, and what the first takes longer than the
        second counts as compilation. So `enqueue` must not depend on what is in its arrays.
        """
        first, second = self._timed(enqueue), self._timed(enqueue)
        self.outcome.kernels_ms += second
        self.outcome.compile_ms += max(0.0, first - second)

    def _timed(self, enqueue: Callable[[], None]) -> float:
        """Milliseconds until it is done, without the uploads in it."""
        before = self.outcome.upload_ms
        start = perf_counter()
        enqueue()
        self.device.synchronize()
        return (perf_counter() - start) * 1e3 - (self.outcome.upload_ms - before)

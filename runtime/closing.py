"""Devices that are closed when the process ends, so that what their kernels reported is told."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What a device holds."""

    def close(self) -> None:
        """Finish what is under way and let go of it."""
        ...

    @property
    def is_gone(self) -> bool:
        """Whether it has been closed, and nothing of it is left."""
        ...


CoreT = TypeVar("CoreT", bound=Closable)


class OpenDevices(Generic[CoreT]):
    """The devices of a kind that are in use; `finish` is given them when all are closed."""

    def __init__(self, finish: Callable[[list[CoreT]], None] | None = None):
        self._open: list[CoreT] = []
        self._finish = finish

    def close_at_exit(self, core: CoreT) -> None:
        """Close this one when the process ends; those that were closed before are forgotten."""
        if not self._open:
            atexit.register(self.close_all)
        self._open = [*(one for one in self._open if not one.is_gone), core]

    def close_all(self) -> None:
        """Close every device in use; raises what that finds, several things together."""
        cores, errors = list(self._open), list[Exception]()
        self._open.clear()
        for core in cores:
            try:
                core.close()
            except Exception as error:
                errors.append(error)
        if self._finish is not None:
            try:
                self._finish(cores)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0] if len(errors) == 1 else ExceptionGroup("devices at exit", errors)

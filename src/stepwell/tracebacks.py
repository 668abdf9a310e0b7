"""What is wrong with a kernel or its launch is told without the frames between the call and the
place that found it: they are ours, there are up to forty of them, and the message has the place.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from .dialects.diagnostics import CompileError
from .runtime.errors import DeviceError, KernelError

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Exception)

TOLD = (CompileError, DeviceError, KernelError)


def in_short(error: E) -> E:
    """The error without the frames so far; with STEPWELL_DEBUG=1, as it is."""
    return error if os.environ.get("STEPWELL_DEBUG") else error.with_traceback(None)


def tells_in_short(function: Callable[P, R]) -> Callable[P, R]:
    """A function out of which such errors come without the frames below it."""

    @wraps(function)
    def told(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except TOLD as error:
            raise in_short(error) from error.__cause__

    return told

"""What devices ask of the process: how long to wait, whether to check more, who launches."""

from __future__ import annotations

import inspect
import os

from .errors import DeviceError

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def timeout_ns() -> int:
    """STEPWELL_TIMEOUT (seconds) in nanoseconds; 0 for no limit."""
    text = os.environ.get("STEPWELL_TIMEOUT", "")
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise DeviceError(f"STEPWELL_TIMEOUT is {text!r}, expected seconds, or 0 for no limit")
    return int(seconds * 1e9)


def is_validating() -> bool:
    """STEPWELL_VALIDATE; DeviceError for a value that is neither 1 nor 0."""
    value = os.environ.get("STEPWELL_VALIDATE", "")
    if value not in ("", "0", "1"):
        raise DeviceError(f"STEPWELL_VALIDATE is {value!r}, expected 1 or 0")
    return value == "1"


def caller() -> str:
    """File and line of the innermost frame outside of this package."""
    frame = inspect.currentframe()
    assert frame is not None, "CPython has frames"
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"

"""Which devices there are: the table of their kinds, and which one is used.

A kind is a module with two functions, `find()` and `why_missing()`: a row in `KINDS`, or of another
package an entry point in the group `stepwell.devices`. Nothing here imports a driver: a kind is
loaded when it is asked for.

Without `with use(...)` and without STEPWELL_DEVICE (read once) the default is the best device of
`KINDS`: a GPU, else the CPU, else what imitates a GPU on the CPU. A kind whose module has a
function `may_be_hardware` is not looked at for that where it says no: loading drivers takes time.
Devices of other packages are used when they are named.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .device import Device
from .errors import DeviceError

KINDS: dict[str, str] = {
    "cpu": ".cpu",
    "cuda": ".cuda.find",
    "vulkan": ".vulkan.find",
}
ENTRY_POINTS = "stepwell.devices"
_found: dict[str, tuple[Device, ...]] = {}
_default: list[Device] = []
_used: ContextVar[Device | None] = ContextVar("stepwell_device", default=None)


def devices() -> tuple[Device, ...]:
    """All devices that are there, the best first: GPUs, then the CPU, then others."""
    found = [
        device for kind in _all_kinds() if _why_broken(kind) is None for device in _of_kind(kind)
    ]
    return tuple(sorted(found, key=lambda device: device.is_software))


def device(name: str | Device | None = None) -> Device:
    """The device called `name` ("cpu" or "cpu:0"); the default one for None.

    The default is that of the innermost `use`, else STEPWELL_DEVICE, else the best. DeviceError if
    there is no such device.
    """
    if name is None:
        return _used.get() or (_default[0] if _default else _choose_default())
    if isinstance(name, Device):
        return name
    kind, _, number = name.partition(":")
    known = _of_kind(kind) if kind in KINDS or kind in _entry_points() else ()
    if number in ("", "0") and known:
        return known[0]
    if number.isdigit() and int(number) < len(known):
        return known[int(number)]
    missing = f": {_module(kind).why_missing()}" if kind in KINDS and not known else ""
    raise DeviceError(f"there is no device {name!r}{missing}; there {_listing()}")


@contextmanager
def use(name: str | Device) -> Generator[Device]:
    """Make a device the default one inside the `with` block, in this thread or task."""
    chosen = device(name)
    token = _used.set(chosen)
    try:
        yield chosen
    finally:
        _used.reset(token)


def forget(kind: str) -> None:
    """Look for the devices of a kind anew when they are next asked for."""
    _found.pop(kind, None)


def why_missing() -> list[tuple[str, str]]:
    """For each kind of device that is not there: its name, and what to do about it."""
    rows: list[tuple[str, str]] = []
    for kind in _all_kinds():
        broken = _why_broken(kind)
        if broken is not None:
            rows.append((kind, broken))
        elif not _of_kind(kind):
            rows.append((kind, _why_none(kind) or "no reason is known"))
    return rows


def _why_none(kind: str) -> str | None:
    try:
        return _ask(kind, "why_missing")
    except DeviceError as error:
        if kind in KINDS:
            raise
        return str(error)


def _choose_default() -> Device:
    wanted = os.environ.get("STEPWELL_DEVICE")
    if wanted:
        _default.append(device(wanted))
    else:
        gpus = (found for kind in KINDS for found in _hardware(kind))
        others = (found for kind in KINDS for found in _of_kind(kind))
        best = next(gpus, None) or next(others, None)
        if best is None:
            raise DeviceError("there is no device at all; `stepwell doctor` says what to install")
        _default.append(best)
    return _default[0]


def _hardware(kind: str) -> list[Device]:
    """The devices of a kind that are GPUs; drivers are loaded only where there may be some."""
    if not getattr(_module(kind), "may_be_hardware", bool)():
        return []
    return [found for found in _of_kind(kind) if not found.is_software]


def _of_kind(kind: str) -> tuple[Device, ...]:
    found = _found.get(kind)
    if found is None:  # of two threads that come at once, both get what the first one found
        found = _found.setdefault(kind, tuple(_ask(kind, "find")))
    return found


def _ask(kind: str, function: str) -> Any:
    """What a function of a kind's module gives; whatever another package's raises names it."""
    asked = getattr(_module(kind), function)
    if kind in KINDS:
        return asked()
    try:
        return asked()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DeviceError(f"{function}() of devices {kind!r} raised {reason}") from error


def _module(kind: str) -> Any:
    if kind in KINDS:
        return importlib.import_module(KINDS[kind], __package__)
    point = _entry_points()[kind]
    try:
        found = point.load()
    except Exception as error:  # whatever the package's own code raises
        reason = f"{type(error).__name__}: {error}"
        raise DeviceError(f"devices {kind!r} ({point.value}) cannot be loaded: {reason}") from error
    for name in ("find", "why_missing"):
        if not callable(getattr(found, name, None)):
            raise DeviceError(f"devices {kind!r} are {found!r}, which has no function {name}")
    return found


def _why_broken(kind: str) -> str | None:
    """Why another package's devices cannot be looked for; asking for one by name raises it."""
    try:
        if kind not in KINDS:
            _of_kind(kind)
    except DeviceError as error:
        return str(error)
    return None


def _all_kinds() -> list[str]:
    return [*KINDS, *(kind for kind in _entry_points() if kind not in KINDS)]


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points  # 20 ms: only where all kinds are asked for

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _listing() -> str:
    names = [device.name for device in devices()]
    return f"are {', '.join(names)}" if len(names) > 1 else f"is {names[0]}" if names else "is none"

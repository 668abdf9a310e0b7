"""Finding CUDA devices: the kind `cuda` of `runtime/device.py`. Cheap to import."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..device import Device
    from .core import Core

# Where Linux shows an NVIDIA GPU to programs: the driver's own file, and WSL's.
GPU_FILES = ("/dev/nvidiactl", "/dev/dxg")

_reasons: list[str] = []
_open: list[Core] = []


def find() -> list[Device]:
    """The CUDA devices that can be used, by the driver's numbers; empty if there are none."""
    from .device import open_devices
    from .driver import CudaError, NoCuda, open_driver

    _reasons.clear()
    try:
        found, reasons = open_devices(open_driver())
    except (NoCuda, CudaError) as error:
        _reasons.append(str(error))
        return []
    _reasons.extend(reasons)
    return found


def why_missing() -> str | None:
    """Why there is none, and what to install."""
    return "; ".join(_reasons) or "the NVIDIA driver finds no GPU"


def may_be_hardware() -> bool:
    """Whether there may be a GPU, told without loading a driver."""
    return not sys.platform.startswith("linux") or any(map(os.path.exists, GPU_FILES))


def close_at_exit(core: Core) -> None:
    """Finish what is under way when the process ends, so that what kernels reported is told."""
    if not _open:
        import atexit

        atexit.register(close_all)
    _open.append(core)


def close_all() -> None:
    """Finish and let go of every device in use."""
    cores, errors = list(_open), list[Exception]()
    _open.clear()
    for core in cores:
        try:
            core.close()
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup("devices at exit", errors)

"""Finding CUDA devices: the kind `cuda` of `runtime/devices.py`. Cheap to import."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..device import Device

# Where Linux shows an NVIDIA GPU to programs: the driver's own file, and WSL's.
GPU_FILES = ("/dev/nvidiactl", "/dev/dxg")

_reasons: list[str] = []


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

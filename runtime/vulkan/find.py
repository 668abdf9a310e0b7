"""Finding Vulkan devices: the kind `vulkan` of `runtime/devices.py`. Cheap to import."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..device import Device

# Where Linux shows a GPU to programs: render nodes, NVIDIA's own, WSL's, Qualcomm's.
GPU_FILES = ("/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/kgsl-3d0")

_reasons: list[str] = []


def find() -> list[Device]:
    """The Vulkan devices that can be used, the best first; empty if there are none."""
    from .api import NoVulkan
    from .device import open_devices
    from .instance import instance
    from .physical import physical_devices

    _reasons.clear()
    try:
        found, reasons = physical_devices(instance())
    except NoVulkan as error:
        _reasons.append(str(error))
        return []
    _reasons.extend(reasons)
    return open_devices(found)


def why_missing() -> str | None:
    """Why there is none, and what to install."""
    from .instance import advice

    return "; ".join(_reasons) or f"no driver offers a device; {advice()}"


def may_be_hardware() -> bool:
    """Whether there may be a GPU, told without loading a driver."""
    return not sys.platform.startswith("linux") or any(map(os.path.exists, GPU_FILES))

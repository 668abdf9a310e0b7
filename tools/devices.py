"""`stepwell devices`: what is there to run kernels on, and what each device can do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..runtime.device import Device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    """Print the devices, the default one first marked; 1 if there is none."""
    from ..runtime.devices import device, devices, why_missing
    from ..runtime.errors import DeviceError

    found = devices()
    try:
        default = device()
    except DeviceError as error:
        print(f"no default device: {error}")
        return 1
    for one in found:
        print("\n".join(describe(one, one is default)))
    for kind, advice in why_missing():
        print(f"{kind}: not there: {advice}")
    return 0


def describe(device: Device, is_default: bool) -> list[str]:
    """The lines about one device."""
    limits = device.limits
    rows = {
        "block": f"{limits.max_block_threads} threads, {_by(limits.max_block)} by dimension",
        "grid": f"{_by(limits.max_grid)} blocks by dimension",
        "shared": f"{size(limits.shared_bytes)} in a block",
        "subgroup": f"{_list(limits.subgroup_sizes)} threads",
        "features": _list(sorted(device.features)),
    }
    mark = " (default)" if is_default else ""
    return [f"{device.name}: {device.description}{mark}"] + [
        f"  {name:<9} {text}" for name, text in rows.items()
    ]


def size(nbytes: int) -> str:
    """A number of bytes in the largest unit that keeps it above 1."""
    value, units = float(nbytes), ["bytes", "KiB", "MiB", "GiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.4g} {units[0]}"


def _by(sizes: Iterable[int]) -> str:
    return " x ".join(str(size) for size in sizes)


def _list(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)

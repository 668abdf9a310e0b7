"""What tests of matrices ask of a device."""

from __future__ import annotations

import re

import pytest

import stepwell as sw
from stepwell.targets import find_target


def unit(device: sw.Device) -> int:
    """Rows, columns and depth of a product of f16 that the device has units for, or few scalars."""
    if units_only(device):
        return 16
    found = (re.fullmatch(r"matrix_(\d+)x(\d+)x(\d+)_f16_f32", w) for w in unit_words(device))
    return max((int(size) for match in found if match for size in match.groups()), default=4)


def unit_words(device: sw.Device) -> list[str]:
    """The products that a device of the shader level has instructions for, as in its profile."""
    words = find_target(device.target).arch.split("+")
    return [word for word in words if word.startswith("matrix_")]


def units_only(device: sw.Device) -> bool:
    """Whether all products are computed by matrix units, which take shapes and types of their own.

    Others (those that list theirs in their target) take scalars for the rest.
    """
    return device.kind in ("cuda", "ptx-interpreter")


def needs_unit_for(device: sw.Device, factors: str) -> None:
    """Skip the test on a device whose matrix units do not multiply this type."""
    if device.target.endswith(":sm_75") and factors not in ("f16", "i8", "u8"):
        pytest.skip(f"the matrix units of sm_75 multiply no {factors}")

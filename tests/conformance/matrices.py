"""What tests of matrices ask of a device."""

from __future__ import annotations

import pytest

import stepwell as sw


def has_units(device: sw.Device) -> bool:
    """Whether products are computed by matrix units, which take shapes and types of their own."""
    return device.kind in ("cuda", "ptx-interpreter")


def needs_unit_for(device: sw.Device, factors: str) -> None:
    """Skip the test on a device whose matrix units do not multiply this type."""
    if device.target.endswith(":sm_75") and factors not in ("f16", "i8", "u8"):
        pytest.skip(f"the matrix units of sm_75 multiply no {factors}")

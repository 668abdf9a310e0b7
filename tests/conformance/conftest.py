"""Every test that takes `device` runs on every device that is there."""

from __future__ import annotations

import pytest

import stepwell as sw


@pytest.fixture(params=sw.devices(), ids=lambda device: device.name, scope="session")
def device(request: pytest.FixtureRequest) -> sw.Device:
    return request.param

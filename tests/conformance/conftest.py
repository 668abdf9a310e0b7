"""Every test that takes `device` runs on every device that is there."""

from __future__ import annotations

from collections.abc import Generator

import pytest

import stepwell as sw


@pytest.fixture(params=sw.devices(), ids=lambda device: device.name, scope="session")
def device(request: pytest.FixtureRequest) -> sw.Device:
    return request.param


@pytest.fixture(scope="module", autouse=True)
def no_disk_cache() -> Generator[None]:
    """What is tested is the compiler, not what it made yesterday."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield

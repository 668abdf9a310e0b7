"""CUDA devices for tests: over the driver of the tests, each test with one of its own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from oracles.cuda_driver.device import open_simulated
from oracles.cuda_driver.library import Library

from stepwell.runtime.cuda.device import CudaDevice, open_devices


@contextmanager
def simulated(
    capability: tuple[int, int] = (8, 0), *, validate: bool = False
) -> Generator[CudaDevice]:
    """One GPU; each launch is waited for with `validate`, whatever the tests run with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_VALIDATE", str(int(validate)))
        device = open_simulated(Library(capability=capability))
        yield device
        if not device.core.context.lost:
            device.core.close()


@contextmanager
def simulated_pair() -> Generator[tuple[CudaDevice, CudaDevice]]:
    """Two GPUs of one driver."""
    first = open_simulated(Library(gpus=2))
    found, _ = open_devices(first.driver)
    second = found[1]
    assert isinstance(second, CudaDevice), "they are all CUDA devices"
    yield first, second
    for device in (first, second):
        device.core.close()


def library_of(device: CudaDevice) -> Library:
    """The driver of a simulated device."""
    library = device.driver.library
    assert isinstance(library, Library), "the device is simulated"
    return library

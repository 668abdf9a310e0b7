"""The CUDA runtime over what stands for the driver: the device "cuda" where there is no GPU.

from oracles.cuda_driver.device import register

device = register()            # "cuda:0", known to sw.device(...) from then on
"""

from __future__ import annotations

import os

import pytest
from oracles.cuda_driver.library import Library

from stepwell.runtime import devices
from stepwell.runtime.cuda import driver
from stepwell.runtime.cuda.device import CudaDevice, open_devices
from stepwell.runtime.cuda.driver import Driver

ARCHITECTURE = os.environ.get("STEPWELL_TEST_PTX_ARCH", "sm_80")


def capability() -> tuple[int, int]:
    """That of the architecture which is to be simulated."""
    major, minor = divmod(int(ARCHITECTURE.removeprefix("sm_").rstrip("a")), 10)
    return major, minor


def open_simulated(library: Library | None = None) -> CudaDevice:
    """The first device of a driver that is simulated, which nothing else knows."""
    found, reasons = open_devices(Driver(library or Library(capability=capability())))
    assert isinstance(found[0], CudaDevice), reasons
    found[0].features |= {"simulated"}
    return found[0]


def register() -> CudaDevice:
    """Have the simulated driver be the one that is found."""
    simulated = open_simulated()
    patch = pytest.MonkeyPatch()
    patch.setattr(driver, "open_driver", lambda: simulated.driver)
    devices.forget("cuda")
    found = devices.device("cuda")
    assert isinstance(found, CudaDevice), "the driver has one"
    found.features |= {"simulated"}
    return found

"""Every call of the CUDA driver goes through here.

`Driver` has the functions of `table.py` from a module that looks like `cuda.bindings.driver`: that
one, or what stands for it in tests. A call returns what the function gives besides its status,
which becomes a `CudaError` where it is not success. What is called often is taken by `function`:
it is the binding's own, which returns a tuple whose first item is the status.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..errors import DeviceError
from .table import ENUMERATIONS, FUNCTIONS, RESULTS

# The least driver: the one that the CUDA of the bindings came with.
LEAST_VERSION = 13000
LEAST_RELEASE = "R580"
ADVICE = "pip install 'stepwell[cuda]'"
_NAMES = {code: f"CUDA_{name}" for name, code in RESULTS.items()}


class NoCuda(Exception):
    """CUDA cannot be used here; the message says why, and what to do."""


class CudaError(DeviceError):
    """A function of the driver failed: `code` is its CUresult, `function` its name."""

    def __init__(self, code: int, function: str):
        self.code = code
        self.function = function
        super().__init__(f"{function} failed: {result_name(code)}")


class Driver:
    """The functions of a driver; `library` is `cuda.bindings.driver` or the like."""

    def __init__(self, library: Any):
        self.library = library
        self._enums = {
            enum: {
                name: getattr(getattr(library, enum), row.prefix + name)
                for name in row.members
                if enum != "CUresult"
            }
            for enum, row in ENUMERATIONS.items()
        }
        self._calls = {name: self._prepared(name) for name in FUNCTIONS}

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the table; its one result, or a tuple of several; CudaError."""
        function, enums = self._calls[name]
        if enums:
            given = list(arguments)
            for position, members in enums:
                given[position] = _members(members, given[position])
            result = function(*given)
        else:
            result = function(*arguments)
        if result[0]:
            raise CudaError(int(result[0]), name)
        return result[1] if len(result) == 2 else result[1:] or None

    def function(self, name: str) -> Callable[..., Any]:
        """The binding's own function, for what is called often."""
        return self._calls[name][0]

    def member(self, enum: str, name: str) -> Any:
        """A member of an enumeration by its short name."""
        return self._enums[enum][name]

    def structure(self, name: str, **fields: Any) -> Any:
        """A structure of the driver with some fields set, the others zero."""
        made = getattr(self.library, name)()
        for field, value in fields.items():
            setattr(made, field, value)
        return made

    def value(self, name: str, number: int) -> Any:
        """A number as a type of the driver: a handle that is known beforehand, or a setting."""
        return getattr(self.library, name)(number)

    def _prepared(self, name: str) -> tuple[Callable[..., Any], list[tuple[int, dict[str, Any]]]]:
        """The function, and at which positions it takes members of which enumeration."""
        enums = [
            (position, self._enums[parameter.partition(":")[2].rstrip("*")])
            for position, parameter in enumerate(FUNCTIONS[name])
            if ":" in parameter
        ]
        return getattr(self.library, name), enums


def _members(members: dict[str, Any], names: Any) -> Any:
    """The member of a name, or those of several."""
    return members[names] if isinstance(names, str) else [members[name] for name in names]


def result_name(code: int) -> str:
    """What the driver calls a result."""
    return _NAMES.get(code, f"CUresult {code}")


def open_driver() -> Driver:
    """The driver of this machine, ready to be asked; NoCuda says why there is none."""
    try:
        library = import_module("cuda.bindings.driver")  # an optional extra
    except ImportError as error:
        raise NoCuda(f"cuda.bindings cannot be imported ({error}); {ADVICE}") from None
    try:
        driver = Driver(library)
    except AttributeError as error:
        raise NoCuda(f"cuda.bindings are too old ({error}); {ADVICE}") from None
    try:
        driver.call("cuInit", 0)
        version = driver.call("cuDriverGetVersion")
    except CudaError as error:
        raise NoCuda(_why_not_started(error.code)) from None
    except RuntimeError as error:  # of the bindings: no libcuda, or one without a function
        raise NoCuda(f"the NVIDIA driver cannot be used ({error}); {_driver_advice()}") from None
    if version < LEAST_VERSION:
        raise NoCuda(
            f"the NVIDIA driver is for CUDA {_version(version)}, needed is "
            f"{_version(LEAST_VERSION)} ({LEAST_RELEASE}) or newer"
        )
    return driver


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _why_not_started(code: int) -> str:
    if code == RESULTS["ERROR_NO_DEVICE"]:
        return "the NVIDIA driver finds no GPU (CUDA_VISIBLE_DEVICES may hide it)"
    if code == RESULTS["ERROR_SYSTEM_DRIVER_MISMATCH"]:
        return "libcuda and the kernel's NVIDIA driver are of different versions; reboot"
    return f"the NVIDIA driver does not start: {result_name(code)}"


def _driver_advice() -> str:
    if sys.platform == "darwin":
        return "there is none for macOS"
    return f"install NVIDIA's driver, {LEAST_RELEASE} or newer"

"""The driver of the tests as a shared library, so that the real cuda.bindings call it.

    install(Library())      before cuda.bindings is first used in the process

Each function has the types that `cuda.h` gives it; what the bindings pass is turned back into what
the `Library` takes. So it is the bindings' own code that is tested: the order of arguments, the
layout of structures, what comes back.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from oracles.cuda_driver.library import Library
from oracles.cuda_driver.tensor_maps import FUNCTION_ADDRESS

TYPES: dict[str, Any] = {
    "i": ctypes.c_int, "u": ctypes.c_uint, "U": ctypes.c_uint64, "p": ctypes.c_void_p,
    "b": ctypes.c_uint8, "h": ctypes.c_uint16, "s": ctypes.c_char_p, "f": ctypes.c_float,
}  # fmt: skip
# By the name in cuda.h: the parameters, those with a star being results.
PROTOTYPES: dict[str, str] = {
    "cuInit": "u",
    "cuDriverGetVersion": "*i",
    "cuDeviceGetCount": "*i",
    "cuDeviceGet": "*i i",
    "cuDeviceTotalMem": "*U i",
    "cuDeviceGetAttribute": "*i i i",
    "cuDevicePrimaryCtxRetain": "*p i",
    "cuDevicePrimaryCtxRelease": "i",
    "cuCtxGetCurrent": "*p",
    "cuCtxSetCurrent": "p",
    "cuStreamCreate": "*p u",
    "cuStreamDestroy": "p",
    "cuStreamGetCtx": "p *p",
    "cuStreamWaitEvent": "p p u",
    "cuStreamBeginCapture": "p i",
    "cuStreamEndCapture": "p *p",
    "cuGraphInstantiateWithFlags": "*p p U",
    "cuGraphLaunch": "p p",
    "cuGraphExecDestroy": "p",
    "cuGraphDestroy": "p",
    "cuEventCreate": "*p u",
    "cuEventRecord": "p p",
    "cuEventQuery": "p",
    "cuEventElapsedTime": "*f p p",
    "cuEventDestroy": "p",
    "cuMemPoolTrimTo": "p U",
    "cuMemAllocFromPoolAsync": "*U U p p",
    "cuMemFreeAsync": "U p",
    "cuMemAlloc": "*U U",
    "cuMemFree": "U",
    "cuMemGetInfo": "*U *U",
    "cuMemHostAlloc": "*p U u",
    "cuMemHostGetDevicePointer": "*U p u",
    "cuMemcpyHtoDAsync": "U p U p",
    "cuMemcpyDtoHAsync": "p U U p",
    "cuMemcpyDtoDAsync": "U U U p",
    "cuMemsetD8Async": "U b U p",
    "cuMemsetD16Async": "U h U p",
    "cuMemsetD32Async": "U u U p",
    "cuModuleGetFunction": "*p p s",
    "cuModuleUnload": "p",
    "cuFuncGetAttribute": "*i i p",
    "cuFuncSetAttribute": "p i i",
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": "*i p i U",
    "cuLaunchKernel": "p u u u u u u u p p p",
}
_NAMES = {"cuGraphInstantiateWithFlags": "cuGraphInstantiate"}
_keep: list[Any] = []


class Config(ctypes.Structure):
    """CUlaunchConfig."""

    _fields_: ClassVar[Any] = [
        *((f"{what}Dim{axis}", ctypes.c_uint) for what in ("grid", "block") for axis in "XYZ"),
        ("sharedMemBytes", ctypes.c_uint),
        ("hStream", ctypes.c_void_p),
        ("attrs", ctypes.c_void_p),
        ("numAttrs", ctypes.c_uint),
    ]


class Attribute(ctypes.Structure):
    """CUlaunchAttribute; the value is a union of 64 bytes, aligned to 8."""

    _fields_: ClassVar[Any] = [
        ("id", ctypes.c_int),
        ("pad", ctypes.c_int),
        ("v", ctypes.c_int * 16),
    ]


class PoolProperties(ctypes.Structure):
    """The start of CUmemPoolProps."""

    _fields_: ClassVar[Any] = [
        ("allocType", ctypes.c_int),
        ("handleTypes", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("id", ctypes.c_int),
    ]


def install(library: Library) -> None:
    """Have cuda.bindings find this driver; RuntimeError without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("needs a C compiler")
    source = Path(__file__).with_name("libcuda.c")
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "libcuda.so.1")
        words = [compiler, "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libcuda.so.1"]
        subprocess.run([*words, "-o", str(built), str(source)], check=True)
        opened = ctypes.CDLL(str(built), mode=ctypes.RTLD_GLOBAL)
    for name, prototype in PROTOTYPES.items():
        _add(opened, name, _plain(library, name, prototype.split()))
    for name, function in _special(library).items():
        _add(opened, name, function)
    _add(opened, "cuTensorMapEncodeTiled", FUNCTION_ADDRESS)


def _add(opened: Any, name: str, function: Any) -> None:
    kept = name.encode()
    _keep.extend((kept, function, opened))
    opened.stepwell_add(ctypes.c_char_p(kept), ctypes.cast(function, ctypes.c_void_p))


def _plain(library: Library, name: str, prototype: list[str]) -> Any:
    function = getattr(library, _NAMES.get(name, name))
    kinds: list[Any] = [
        ctypes.POINTER(TYPES[word[1]]) if word[0] == "*" else TYPES[word] for word in prototype
    ]

    def call(*arguments: Any) -> int:
        given = [
            value if value is not None else 0
            for word, value in zip(prototype, arguments, strict=True)
            if word[0] != "*"
        ]
        status, *values = function(*given)
        places = [a for word, a in zip(prototype, arguments, strict=True) if word[0] == "*"]
        for place, value in zip(places, values, strict=False):
            place[0] = value
        return int(status)

    return ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(call)


def _callback(*kinds: str) -> Callable[[Callable[..., int]], Any]:
    types = [TYPES[kind] for kind in kinds]
    return ctypes.CFUNCTYPE(ctypes.c_int, *types)


def _write(place: int, kind: Any, result: tuple[Any, ...]) -> int:
    if not result[0]:
        kind.from_address(place).value = result[1]
    return int(result[0])


def read_config(place: int) -> SimpleNamespace:
    """A CUlaunchConfig as the library takes it."""
    raw = Config.from_address(place)
    rows = (Attribute * raw.numAttrs).from_address(raw.attrs) if raw.numAttrs else ()
    attributes = [
        SimpleNamespace(
            id=row.id,
            value=SimpleNamespace(
                cooperative=row.v[0],
                programmaticStreamSerializationAllowed=row.v[0],
                clusterDim=SimpleNamespace(x=row.v[0], y=row.v[1], z=row.v[2]),
            ),
        )
        for row in rows
    ]
    dims = {f"{what}Dim{axis}" for what in ("grid", "block") for axis in "XYZ"}
    sizes = {name: getattr(raw, name) for name in (*dims, "sharedMemBytes", "numAttrs")}
    return SimpleNamespace(attrs=attributes, hStream=raw.hStream or 0, **sizes)


def _special(library: Library) -> dict[str, Any]:
    """Functions with texts, structures and arrays in them."""
    any_library: Any = library

    def name_of(place: int, length: int, device: int) -> int:
        status, name = any_library.cuDeviceGetName(length, device)
        ctypes.memmove(place, name, length)
        return int(status)

    def make_pool(place: int, properties: int) -> int:
        raw = PoolProperties.from_address(properties)
        location = SimpleNamespace(type=raw.kind, id=raw.id)
        given = SimpleNamespace(allocType=raw.allocType, location=location)
        return _write(place, ctypes.c_void_p, any_library.cuMemPoolCreate(given))

    def set_pool(pool: int, attribute: int, value: int) -> int:
        number = ctypes.c_uint64.from_address(value).value
        return int(any_library.cuMemPoolSetAttribute(pool, attribute, number)[0])

    def pointer_attribute(place: int, attribute: int, address: int) -> int:
        found = any_library.cuPointerGetAttribute(attribute, address)
        return _write(place, ctypes.c_int, found)

    def load(place: int, image: int, count: int, options: int, values: int) -> int:
        names = list((ctypes.c_int * count).from_address(options))
        given = list((ctypes.c_void_p * count).from_address(values))
        log, size = given[names.index(5)] or 0, given[names.index(6)] or 0
        room = (ctypes.c_char * size).from_address(log)
        text = ctypes.string_at(image) + b"\0"
        return _write(
            place,
            ctypes.c_void_p,
            any_library.cuModuleLoadDataEx(text, count, names, [memoryview(room).cast("B"), size]),
        )

    def clusters(place: int, function: int, config: int) -> int:
        found = any_library.cuOccupancyMaxActiveClusters(function, read_config(config))
        return _write(place, ctypes.c_int, found)

    def launch(config: int, function: int, parameters: int, extra: int) -> int:
        given = read_config(config)
        return int(any_library.cuLaunchKernelEx(given, function, parameters, extra or 0)[0])

    return {
        "cuDeviceGetName": _callback("p", "i", "i")(name_of),
        "cuMemPoolCreate": _callback("p", "p")(make_pool),
        "cuMemPoolSetAttribute": _callback("p", "i", "p")(set_pool),
        "cuPointerGetAttribute": _callback("p", "i", "U")(pointer_attribute),
        "cuModuleLoadDataEx": _callback("p", "p", "u", "p", "p")(load),
        "cuOccupancyMaxActiveClusters": _callback("p", "p", "p")(clusters),
        "cuLaunchKernelEx": _callback("p", "p", "p", "p")(launch),
    }

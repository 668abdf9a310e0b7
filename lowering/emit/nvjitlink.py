"""Machine code of PTX by nvJitLink, a library of NVIDIA's (PyPI: nvidia-nvjitlink), by ctypes.

    nvJitLinkCreate(&handle, count, options), AddData(handle, PTX, …), Complete(handle),
    GetLinkedCubinSize, GetLinkedCubin; GetInfoLog and GetErrorLog say what happened

Its functions carry a version in their names, of which the first of each major release stays.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ...dialects.diagnostics import CompileError

_MAJOR_RELEASE = 13
_INPUT_PTX = 2
_PATTERNS = ("*/lib/libnvJitLink.so.*", "*/bin/nvJitLink_*.dll", "*/bin/x86_64/nvJitLink_*.dll")


@cache
def find_library() -> str | None:
    """The path of the library: of the package, or where the system looks."""
    site = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    for pattern in _PATTERNS:
        for path in sorted(site.glob(pattern), reverse=True):
            return str(path)
    return ctypes.util.find_library("nvJitLink")


def _name(function: str) -> str:
    return f"__nvJitLink{function}_{_MAJOR_RELEASE}_0"


@cache
def _functions(path: str) -> Any:
    """A function by name: `call("Create", …)` is the status that nvJitLinkCreate gives."""
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise CompileError(f"nvJitLink cannot be loaded: {error}") from error
    if not hasattr(library, _name("Create")):
        raise CompileError(
            f"{path} is no nvJitLink of CUDA {_MAJOR_RELEASE}",
            hint=f"pip install 'nvidia-nvjitlink>={_MAJOR_RELEASE}'",
        )

    def call(name: str, *arguments: Any) -> int:
        return int(getattr(library, _name(name))(*arguments))

    return call


def link(ptx: str, arch: str, path: str, options: Sequence[str] = ()) -> tuple[bytes, str]:
    """Machine code, and what the library says of it; CompileError for PTX that it refuses."""
    call = _functions(path)
    words = [f"-arch={arch}".encode(), *(option.encode() for option in options)]
    handle = ctypes.c_void_p()
    given = (ctypes.c_char_p * len(words))(*words)
    if call("Create", ctypes.byref(handle), ctypes.c_uint32(len(words)), given):
        raise CompileError(f"nvJitLink knows nothing of {arch}")
    try:
        source = ptx.encode() + b"\0"
        added = call(
            "AddData", handle, _INPUT_PTX, source, ctypes.c_size_t(len(source)), b"kernel.ptx"
        )
        if added or call("Complete", handle):
            message = _text(call, handle, "ErrorLog").strip().splitlines()
            raise CompileError(f"nvJitLink refuses the PTX for {arch}: {' | '.join(message[:4])}")
        return _bytes(call, handle, "LinkedCubin"), _text(call, handle, "InfoLog")
    finally:
        call("Destroy", ctypes.byref(handle))


def _bytes(call: Any, handle: ctypes.c_void_p, name: str) -> bytes:
    """What the library has under a name."""
    size = ctypes.c_size_t()
    if call(f"Get{name}Size", handle, ctypes.byref(size)):
        raise CompileError(f"nvJitLink has no {name}")
    buffer = ctypes.create_string_buffer(max(1, size.value))
    if call(f"Get{name}", handle, buffer):
        raise CompileError(f"nvJitLink gives no {name}")
    return buffer.raw[: size.value]


def _text(call: Any, handle: ctypes.c_void_p, name: str) -> str:
    return _bytes(call, handle, name).rstrip(b"\0").decode(errors="replace")

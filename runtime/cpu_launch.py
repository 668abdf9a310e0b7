"""Launches on the CPU that Python has no part in, for kinds of arguments that were seen before.

`direct_launch` gives a function of Python's C interface (`cpu_launch.ll`, `cpu_arguments.ll`, whose
structs are repeated here) and what remains to be done when a launch of it has something to report.
It takes a fifth of what packing and calling by Python do, and decides itself whether a launch is
shared with the workers. Up to 3 µs of work it is not, from 25 µs on it always is; between, what was
quicker is done, and of 1024 launches 4 alone, or 32 shared, show whether it still is. A worker
looks for work for about a millisecond; one that has gone to sleep is woken for 25 µs of work, and
for a launch that comes within 50 µs of the one before. Each thread begins with the same part of the
blocks at each launch: what it wrote is still in its cache.

Arguments are NumPy arrays and arrays of the device, both contiguous, floats, integers of 32 bits
and NumPy's scalars; those of `Const` parameters have to be what the code was made for. Where
objects lie in memory in another way than we know, it is as if there were no direct launches; the
same holds without POSIX's clock.
"""

from __future__ import annotations

import ctypes
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from .array import DeviceArray, HostArray
from .cpu_code import RECORD_STRIDE, runner
from .cpu_pool import Job, Workers, give_back, new_lock, pool
from .device import Direct
from .dtypes import DTYPES, from_numpy
from .report import PRINTED_WORD

if TYPE_CHECKING:
    from .artifact import Manifest, Parameter
    from .cpu_kernel import CpuLauncher

_HOST, _DEVICE, _FLOAT, _INT, _SCALAR, _CONSTANT = range(6)
_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400
_LAYOUT = _C_CONTIGUOUS | _ALIGNED | _WRITEABLE
_SHARED_NS = 3_000
_LONG_NS = 1_000_000  # in cpu_launch.ll too: what takes longer listens for interrupts meanwhile
_LIKELY_NS, _SHARED_PART = 10_000, 0.75
"""From where on sharing is taken to be quicker until it was seen, and by how much."""
_SYMBOLS = (
    *("PyLong_AsVoidPtr", "PyLong_AsUnsignedLongLong", "PyLong_AsLongLongAndOverflow"),
    *("PyFloat_AsDouble", "PyObject_GetAttr", "PyTuple_GetItem", "Py_IncRef", "Py_DecRef"),
    *("PyEval_SaveThread", "PyEval_RestoreThread", "PyCFunction_NewEx", "clock_gettime"),
    *("_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct"),
)
"""What native code calls and gives back: LLVM ends the process over one that is not there."""
_IMMUTABLE = (bool, float, str, np.number, np.bool_, type(None), FunctionType)
_METH_FASTCALL = 0x80
_HEAD = object.__basicsize__
_WORD = 8


class _Common(ctypes.Structure):
    """What all launches share."""

    _fields_ = (
        ("last_end", ctypes.c_int64),
        ("type_offset", ctypes.c_int64),
        ("head", ctypes.c_int64),
        ("clock", ctypes.c_int64),
        ("workers", ctypes.POINTER(Workers)),
        ("key", ctypes.py_object),
        ("address", ctypes.py_object),
        ("shape", ctypes.py_object),
    )


class _Row(ctypes.Structure):
    """How one argument is recognised and packed."""

    _fields_ = (
        ("kind", ctypes.c_int64),
        ("argument", ctypes.c_int64),
        ("type", ctypes.py_object),
        ("identity", ctypes.py_object),
        ("count", ctypes.c_int64),
        ("least", ctypes.c_int64),
        ("largest", ctypes.c_int64),
        ("word", ctypes.c_int64),
    )


class _Site(ctypes.Structure):
    """All about one kind of launch."""

    _fields_ = (
        ("common", ctypes.POINTER(_Common)),
        ("rows", ctypes.POINTER(_Row)),
        ("packed", ctypes.c_void_p),
        ("records", ctypes.c_void_p),
        ("entry", ctypes.c_void_p),
        ("printed", ctypes.c_void_p),
        ("block_ns", ctypes.POINTER(ctypes.c_double)),
        ("job", ctypes.POINTER(Job)),
        ("busy", ctypes.c_int64),
        ("arguments", ctypes.c_int64),
        ("row_count", ctypes.c_int64),
        ("blocks", ctypes.c_int64),
        ("helpers", ctypes.c_int64),
        ("launch_ns", ctypes.c_double * 2),
        ("phase", ctypes.c_int64),
    )


class _Array(ctypes.Structure):
    """A NumPy array behind its object's head."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("rank", ctypes.c_int32),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.c_void_p),
        ("base", ctypes.c_void_p),
        ("dtype", ctypes.c_void_p),
        ("flags", ctypes.c_int32),
    )


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _Code(NamedTuple):
    """The native half, which goes with `engine`."""

    engine: Any
    method: _MethodDef
    common: _Common


def direct_launch(
    launcher: CpuLauncher, extents: Sequence[int], arguments: Sequence[Any]
) -> Direct | None:
    """A launch of arguments of the same kind as these; None where there is none for them."""
    manifest = launcher.manifest
    rows, words = _rows_of(manifest, arguments, len(extents))
    work = launcher.block_ns * launcher.block_count
    if rows is None or not 0 < work < _LONG_NS or not _layouts_are_known():
        return None
    if manifest.sizes or manifest.disjoint:  # packing has to see whether they hold
        return None
    code = _code()
    if launcher.workers and work >= _SHARED_NS:
        pool.start(launcher.workers)
    memory = _Memory(code, launcher, rows, (ctypes.c_int64 * (words + len(extents) + 1))())
    memory.packed[words:-1] = list(extents)
    memory.site.arguments = len(arguments)
    return memory.function(), memory.settle


class _Memory:
    """What a direct launch points to; it goes with the function."""

    def __init__(self, code: _Code, launcher: CpuLauncher, rows: list[_Row], packed: Any):
        self.code, self.launcher, self.packed = code, launcher, packed
        self.kept = rows  # and with them what they point to
        self.rows = (_Row * len(rows))(*rows)
        self.state: Any = launcher.new_state()
        self.block_ns = ctypes.c_double(launcher.block_ns)
        self.job = Job(lock=new_lock(), stride=RECORD_STRIDE * _WORD)
        weakref.finalize(self, give_back, self.job.lock).atexit = False
        words = self.state.report
        self.site = _Site(
            common=ctypes.pointer(code.common),
            rows=self.rows,
            packed=ctypes.addressof(packed),
            records=self.state.address,
            entry=runner(),
            block_ns=ctypes.pointer(self.block_ns),
            job=ctypes.pointer(self.job),
            row_count=len(rows),
            blocks=launcher.block_count,
            helpers=launcher.workers,
            phase=-1,
        )
        alone = launcher.block_ns * launcher.block_count
        self.site.launch_ns[:] = [alone, alone * _SHARED_PART if alone >= _LIKELY_NS else alone]
        if words is not None and launcher.manifest.prints:
            self.site.printed = words.ctypes.data + 4 * PRINTED_WORD

    def function(self) -> Callable[..., bool | None]:
        """The function for Python."""
        new = ctypes.PYFUNCTYPE(
            ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object
        )(("PyCFunction_NewEx", ctypes.pythonapi))
        return new(ctypes.addressof(self.code.method), ctypes.addressof(self.site), None)

    def settle(self) -> None:
        """Print and raise what the last launch reported."""
        try:
            self.launcher.report(self.state)
        finally:
            self.site.busy = 0


@cache
def _code() -> _Code:
    from .cpu_code import load_own

    engine = load_own("cpu_arguments.ll", "cpu_launch.ll")
    function = engine.get_function_address("stepwell_launch")
    method = _MethodDef(b"launch", function, _METH_FASTCALL, None)
    common = _Common(
        type_offset=_HEAD - _WORD,
        head=_HEAD,
        clock=time.CLOCK_MONOTONIC,
        workers=ctypes.pointer(pool.workers),
        key=sys.intern("key"),
        address=sys.intern("address"),
        shape=sys.intern("shape"),
    )
    return _Code(engine, method, common)


# --- rows -----------------------------------------------------------------------------------------


def _rows_of(
    manifest: Manifest, arguments: Sequence[Any], extents: int
) -> tuple[list[_Row] | None, int]:
    """How these arguments are packed, and into how many words; None if not by native code.

    Constants are looked at alone: a word behind those of so many extents takes what is read.
    """
    rows: list[_Row] = []
    word = 0
    for parameter in manifest.parameters:
        value = arguments[parameter.source.argument]
        row = None
        if not parameter.source.path and not parameter.source.offset:
            row = _row_of(parameter, value)
        if row is None:
            return None, 0
        row.argument, row.type, row.word = parameter.source.argument, type(value), word
        rows.append(row)
        word += parameter.slots
    packed = {row.argument for row in rows}
    for number, value in enumerate(arguments):
        if number not in packed:
            row = _constant_row(value)
            if row is None:
                return None, 0
            row.argument, row.type, row.word = number, type(value), word + extents
            rows.append(row)
    return rows, word


def _row_of(parameter: Parameter, value: Any) -> _Row | None:
    kind = cast("Any", type(value))
    if parameter.kind == "buffer":
        if any(size is not None for size in parameter.sizes) or parameter.strides is not None:
            return None
        if kind is np.ndarray:
            flags = value.flags.num & _LAYOUT
            return _Row(_HOST, 0, None, value.dtype, value.ndim, flags, _LAYOUT)
        is_ours = kind is DeviceArray
        return _Row(_DEVICE, 0, None, value.key, len(value.shape)) if is_ours else None
    dtype = DTYPES[parameter.dtype] if parameter.kind == "scalar" else None
    if dtype is None:
        return None
    if kind is float and dtype.kind == "float" and dtype.size in (4, 8):
        return _Row(_FLOAT, 0, None, None, dtype.size)
    if kind is int and dtype.kind in ("int", "uint") and -(1 << 31) <= value < 1 << 31:
        bits = 8 * dtype.size - (dtype.kind == "int")
        least = -(1 << bits) if dtype.kind == "int" else 0
        low, high = max(least, -(1 << 31)), min((1 << bits) - 1, (1 << 31) - 1)
        return _Row(_INT, 0, None, None, 0, low, high)
    if isinstance(value, np.generic) and kind.__module__ == "numpy":
        same = from_numpy(np.dtype(kind))
        if same is not None and same.name == parameter.dtype:
            return _Row(_SCALAR, 0, None, None, dtype.size)
    return None


def _constant_row(value: Any) -> _Row | None:
    """How a constant of the code is recognised: an integer by its value, others by themselves."""
    if type(value) is int and -(1 << 31) <= value < 1 << 31:
        return _Row(_INT, 0, None, None, 0, value, value)
    return _Row(_CONSTANT, 0, None, value) if isinstance(value, _IMMUTABLE) else None


# --- where objects lie ----------------------------------------------------------------------------


@cache
def _layouts_are_known() -> bool:
    """Whether objects of Python and NumPy lie in memory as native code takes them to."""
    from .cpu_code import has_symbols

    if not hasattr(time, "CLOCK_MONOTONIC") or sys.byteorder != "little":
        return False
    if sys.implementation.name != "cpython" or not has_symbols(_SYMBOLS):
        return False
    array: HostArray = np.zeros((2, 3), np.int16)
    seen = _Array.from_address(id(array) + _HEAD)
    right = (array.ctypes.data, 2, id(array.dtype), array.flags.num & _LAYOUT)
    if (seen.data, seen.rank, seen.dtype, seen.flags & _LAYOUT) != right or seen.shape[1] != 3:
        return False
    scalars = (np.float32(1.5), np.float64(-2.5), np.int32(7), np.uint8(200), np.int64(-3))
    return _type_of(array) == id(np.ndarray) and all(
        ctypes.string_at(id(value) + _HEAD, value.nbytes) == value.tobytes()
        and _type_of(value) == id(type(value))
        for value in scalars
    )


def _type_of(value: object) -> int | None:
    return ctypes.c_void_p.from_address(id(value) + _HEAD - _WORD).value

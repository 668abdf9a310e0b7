"""From the facts of `table.py` to ctypes: classes and prototypes, made when first used."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import DeviceError
from .table import FUNCTIONS, INCOMPLETE, STRUCTURES

_CODES: dict[str, Any] = {
    "u": ctypes.c_uint32,
    "i": ctypes.c_int32,
    "U": ctypes.c_uint64,
    "I": ctypes.c_int64,
    "f": ctypes.c_float,
    "z": ctypes.c_size_t,
    "b": ctypes.c_uint8,
    "c": ctypes.c_char,
    "s": ctypes.c_char_p,
    "p": ctypes.c_void_p,
    "r": ctypes.c_int32,
    "v": None,
}


class NoVulkan(DeviceError):
    """There is no Vulkan here; the message says what to install."""


class Row(NamedTuple):
    """A structure: its VkStructureType (None without one) and its fields with their codes."""

    number: int | None
    fields: tuple[tuple[str, str], ...]


def structure_rows() -> dict[str, Row]:
    """STRUCTURES, parsed."""
    rows: dict[str, Row] = {}
    for entry in STRUCTURES.strip().replace("\n  ", " ").split("\n"):
        head, _, fields = entry.partition(": ")
        name, _, number = head.partition(" ")
        pairs = (field.partition(":") for field in fields.split())
        rows[name] = Row(int(number) if number else None, tuple((n, c) for n, _, c in pairs))
    return rows


def function_rows() -> dict[str, str]:
    """FUNCTIONS, parsed: the code of the result, then those of the parameters."""
    entries = (entry.partition(": ") for entry in FUNCTIONS.strip().split("\n"))
    return {name: codes.replace(" ", "") for name, _, codes in entries}


class Structures:
    """The structures as ctypes classes by name; one with an `sType` has it set."""

    def __init__(self) -> None:
        self._rows = structure_rows()

    def __getattr__(self, name: str) -> Any:
        row = self._rows.get(name)
        if row is None:
            raise AttributeError(f"STRUCTURES has no {name}")
        fields = [(field, self._type(code)) for field, code in row.fields]
        body: dict[str, Any] = {"_fields_": fields}
        if row.number is not None:
            body["_fields_"] = [("sType", ctypes.c_uint32), ("pNext", ctypes.c_void_p), *fields]
            body["__init__"] = _tagged(row.number)
        made = type(name, (ctypes.Structure,), body)
        setattr(self, name, made)
        return made

    def _type(self, code: str) -> Any:
        base, _, length = code.partition("*")
        found = getattr(self, base[1:]) if base[0] == "=" else _CODES[base]
        return found * int(length) if length else found


def _tagged(number: int) -> Callable[..., None]:
    def init(self: Any, **fields: Any) -> None:
        self.sType = number
        for name, value in fields.items():
            setattr(self, name, value)

    return init


S = Structures()
_functions = function_rows()


def gives_result(name: str) -> bool:
    """Whether the function vk{name} gives a VkResult."""
    return _functions["vk" + name][0] == "r"


class Functions:
    """The functions by name (without vk), as the address that `find` gives; extensions' too."""

    def __init__(self, find: Callable[[bytes], int | None]):
        self._find = find

    def __getattr__(self, name: str) -> Any:
        codes = _functions["vk" + name]
        for suffix in ("", "KHR", "EXT"):
            address = self._find(f"vk{name}{suffix}".encode())
            if address:
                break
        else:
            raise AttributeError(f"the driver has no vk{name}")
        result, *parameters = (_CODES[code] for code in codes)
        made = ctypes.CFUNCTYPE(result, *parameters)(address)
        setattr(self, name, made)
        return made

    def untyped(self, name: str) -> Any:
        """The function for arguments that are objects of ctypes, which takes half the time."""
        typed = getattr(self, name)
        address: Any = ctypes.cast(typed, ctypes.c_void_p).value
        return ctypes.CFUNCTYPE(_CODES[_functions["vk" + name][0]])(address)


def chain(head: Any, *rest: Any) -> Any:
    """`head` with its `pNext` leading through the other structures; it keeps them alive."""
    last = head
    for one in rest:
        last.pNext = ctypes.addressof(one)
        last = one
    head.chained = rest
    return head


def array(kind: Any, values: Any) -> Any:
    """A ctypes array."""
    items = tuple(values)
    return (kind * len(items))(*items)


def names(values: Any) -> Any:
    """An array of C strings."""
    return array(ctypes.c_char_p, (value.encode() for value in values))


def listed(call: Callable[..., int], kind: Any, *before: Any) -> list[Any]:
    """What a function gives that is asked twice: how many there are, then all of them."""
    count = ctypes.c_uint32()
    while True:
        call(*before, ctypes.byref(count), None)
        found = array_of(kind, count.value)
        if call(*before, ctypes.byref(count), found) != INCOMPLETE:
            return list(found)[: count.value]


def array_of(kind: Any, length: int) -> Any:
    """A ctypes array whose structures are tagged."""
    return array(kind, (kind() for _ in range(length)))


def version(number: int) -> tuple[int, int]:
    """Major and minor of a packed version."""
    return number >> 22 & 0x7F, number >> 12 & 0x3FF


def api_version(major: int, minor: int) -> int:
    """A packed version."""
    return major << 22 | minor << 12

"""The element types of the kernel language as memory sees them: size, packing and NumPy's name.

One row per type. NumPy's `bfloat16` comes with `ml_dtypes`, which is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import ArrayError

if TYPE_CHECKING:
    import numpy as np


class DType(NamedTuple):
    """A scalar type: `size` and `alignment` in bytes, `code` of the struct module, NumPy's name."""

    name: str
    size: int
    code: str
    numpy_name: str
    kind: str

    @property
    def alignment(self) -> int:
        """Alignment in memory, in bytes: that of its size on every device."""
        return self.size

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype."""
        return numpy_dtype(self.name)


DTYPES: dict[str, DType] = {
    row.name: row
    for row in (
        DType("bool", 1, "?", "bool", "bool"),
        DType("i8", 1, "b", "int8", "int"),
        DType("i16", 2, "h", "int16", "int"),
        DType("i32", 4, "i", "int32", "int"),
        DType("i64", 8, "q", "int64", "int"),
        DType("u8", 1, "B", "uint8", "uint"),
        DType("u16", 2, "H", "uint16", "uint"),
        DType("u32", 4, "I", "uint32", "uint"),
        DType("u64", 8, "Q", "uint64", "uint"),
        DType("index", 8, "q", "int64", "int"),
        DType("f16", 2, "e", "float16", "float"),
        DType("bf16", 2, "H", "bfloat16", "float"),
        DType("f32", 4, "f", "float32", "float"),
        DType("f64", 8, "d", "float64", "float"),
    )
}

_BY_NUMPY_NAME = {row.numpy_name: row for row in DTYPES.values() if row.name != "index"}
_NUMPY: dict[str, Any] = {}


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of the type called `name` ("f32"); KeyError for a name that is not there."""
    found = _NUMPY.get(name)
    if found is None:
        import numpy as np

        row = DTYPES[name]
        if name == "bf16":
            import ml_dtypes

            found = np.dtype(ml_dtypes.bfloat16)
        else:
            found = np.dtype(row.numpy_name)
        _NUMPY[name] = found
    return found


def from_numpy(dtype: np.dtype[Any]) -> DType | None:
    """The row of a NumPy dtype; None for a structured, byte-swapped or unknown one."""
    if not dtype.isnative:
        return None
    return _BY_NUMPY_NAME.get(dtype.name)


def check_dtype(dtype: np.dtype[Any]) -> None:
    """ArrayError for element types that no kernel can hold."""
    if dtype.subdtype is not None:
        return check_dtype(dtype.subdtype[0])
    if dtype.fields is not None:
        for field, _ in (entry[:2] for entry in dtype.fields.values()):
            check_dtype(field)
        return None
    if from_numpy(dtype) is not None:
        return None
    if not dtype.isnative:
        raise ArrayError(
            f"element type {dtype} is byte-swapped; convert with "
            "x.astype(x.dtype.newbyteorder('='))"
        )
    raise ArrayError(
        f"element type {dtype} cannot be on a device; expected bool, an integer, float16, "
        "bfloat16, float32, float64 or a structure of these"
    )


def bfloat16_to_float(bits: int) -> float:
    """The value of the 16 bits of a bf16."""
    import struct

    return struct.unpack("<f", struct.pack("<I", (bits & 0xFFFF) << 16))[0]


def float_to_bfloat16(value: float) -> int:
    """The 16 bits of `value` rounded to bf16 (to nearest, ties to even; NaN stays a quiet NaN)."""
    import struct

    try:
        packed = struct.pack("<f", value)
    except OverflowError:  # too large for f32: infinity, as a cast gives
        return 0x7F80 if value > 0 else 0xFF80
    bits: int = struct.unpack("<I", packed)[0]
    if value != value:
        return (bits >> 16) | 0x40
    single: float = struct.unpack("<f", packed)[0]
    if single != value:  # to odd, so that rounding again cannot go wrong
        bits = (bits - (abs(single) > abs(value))) | 1
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16

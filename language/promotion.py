"""Which type two operands meet in: PyTorch's table, and what it leaves open made explicit.

- a float with an integer or bool gives the float; two floats the wider, f16 with bf16 gives f32
- a bool with a number gives the number's type
- two integers of one sign give the wider; u8, u16, u32 with a narrower or equal signed type give
  the next wider signed type, so every value fits; u64 with a signed type has no such type: None
- `index` takes in all integers up to 32 bits; with i64 it gives i64, with u64 nothing

A literal past 32 bits makes an `index` an i64, since an index has no more on some devices (`meet`).
Literals adapt: WEAK_INT and WEAK_FLOAT take the other operand's type where they can say it.
"""

from __future__ import annotations

from .types import DTYPES, DType, bf16, bool_, f32, i32, i64, index

MATRIX = "matrix"
WEAK_INT = DType("int literal", "int", 32)
WEAK_FLOAT = DType("float literal", "float", 32)
WEAK = (WEAK_INT, WEAK_FLOAT)


def settle(dtype: DType) -> DType:
    """The type of a literal that met nothing: i32 or f32."""
    return {WEAK_INT: i32, WEAK_FLOAT: f32}.get(dtype, dtype)


def promote(a: DType, b: DType) -> DType | None:
    """The type in which `a` and `b` meet; None where there is none."""
    if a is b:
        return a
    if MATRIX in (a.kind, b.kind):
        return None
    if a in WEAK or b in WEAK:
        return _promote_weak(a, b)
    if a.is_float or b.is_float:
        return _promote_float(a, b)
    if a is bool_ or b is bool_:
        return b if a is bool_ else a
    return _promote_integers(a, b)


def _promote_weak(a: DType, b: DType) -> DType | None:
    if a in WEAK and b in WEAK:
        return WEAK_FLOAT
    weak, strong = (a, b) if a in WEAK else (b, a)
    if strong.is_float:
        return strong
    if weak is WEAK_FLOAT:
        return f32
    return i32 if strong is bool_ else strong


def _promote_float(a: DType, b: DType) -> DType:
    if not (a.is_float and b.is_float):
        return a if a.is_float else b
    if a.bits == b.bits:  # f16 with bf16: neither holds the other
        return f32
    if bf16 in (a, b) and f32 in (a, b):
        return f32
    return a if a.bits > b.bits else b


def _promote_integers(a: DType, b: DType) -> DType | None:
    if index in (a, b):
        other = b if a is index else a
        if other.bits < 64:
            return index
        return i64 if other is i64 else None
    if a.kind == b.kind:
        return a if a.bits > b.bits else b
    signed, unsigned = (a, b) if a.is_signed else (b, a)
    if signed.bits > unsigned.bits:
        return signed
    return DTYPES[f"i{unsigned.bits * 2}"] if unsigned.bits < 64 else None


def join(a: DType, b: DType) -> DType | None:
    """The one type of a variable that is given values of types `a` and `b`; None if they clash.

    Stricter than `promote`: a variable does not turn from bool to number or from integer to float,
    except that a literal adapts, and it has one of the two types: a u32 that also holds an i32
    elsewhere would become an i64 there, and no longer wrap as its writer expects.
    """
    if a is b:
        return a
    if bool_ in (a, b):
        return None
    if a in WEAK or b in WEAK:
        return promote(a, b)
    joined = promote(a, b) if a.is_float == b.is_float else None
    return joined if joined in (a, b) else None

"""What CPU code may call from outside: functions of the C library that every Python process on this
platform has, and what our runtime gives to kernels.

A name that is not here is refused before code generation: an object that needs an unknown symbol
would end the process when it is loaded.
"""

from __future__ import annotations

_MATH = (
    *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign"),
    *("cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "fabs", "floor", "fma", "fmax"),
    *("fmin", "fmod", "ldexp", "lgamma", "log", "log10", "log1p", "log2", "nearbyint", "pow"),
    *("remainder", "rint", "round", "sin", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc"),
)
MATH_SYMBOLS = frozenset(_MATH) | frozenset(f"{name}f" for name in _MATH)
"""Functions of libm, for f64 and (with an f) f32."""

_BY_LLVM = ("bcmp", "exp10", "exp10f", "memcmp", "roundeven", "roundevenf", "sincos", "sincosf")

REPORT = "stepwell_report"
"""Of the runtime (cpu_blocks.ll): writes a record of a failed check or a print."""

EXTERNAL_SYMBOLS = MATH_SYMBOLS | {
    *("aligned_alloc", "free", "memcpy", "memmove", "memset"),
    REPORT,
}
"""All symbols that a kernel's text may refer to."""

RESERVED_SYMBOLS = EXTERNAL_SYMBOLS | frozenset(_BY_LLVM)
"""Names that the code generator calls by itself: nothing of ours may be called so."""


def entry_symbol(name: str) -> str:
    """The symbol of a kernel's entry: its name, unless that is a function from outside."""
    return f"{name}.kernel" if name in RESERVED_SYMBOLS else name


def ptx_symbol(name: str) -> str:
    """The symbol of a kernel's entry in PTX: ASCII, and no name that the C library has."""
    plain = "".join(
        c if c.isascii() and (c.isalnum() or c == "_") else f"_u{ord(c):x}_" for c in name
    )
    return f"{plain}_kernel" if plain in RESERVED_SYMBOLS or plain[:2] == "__" else plain

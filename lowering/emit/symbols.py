"""What CPU code may call from outside: symbols that every Python process on this platform has.

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

EXTERNAL_SYMBOLS = MATH_SYMBOLS | {"aligned_alloc", "free", "memcpy", "memmove", "memset"}
"""All symbols that a kernel's machine code may refer to."""

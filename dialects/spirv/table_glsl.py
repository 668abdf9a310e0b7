"""Instructions of the extended set GLSL.std.450 that compute shaders can use: `spirv.GL.Sin`.

Upstream (LLVM 19) has about half of them; the rest is in the same style.
"""

from __future__ import annotations

from .base import Row

_SAME = "$* {} : R"


def _rows(types: str, meanings: dict[str, str], format: str = _SAME) -> dict[str, Row]:
    return {f"GL.{name}": Row(meaning, format, types) for name, meaning in meanings.items()}


GLSL_ROWS: dict[str, Row] = {
    **_rows(
        "float:T -> T",
        {
            "Round": "To the nearest integer; of two, either.",
            "RoundEven": "To the nearest integer; of two, the even one.",
            "Trunc": "Towards zero.",
            "FAbs": "Without the sign.",
            "FSign": "-1, 0 or 1.",
            "Floor": "Down.",
            "Ceil": "Up.",
            "Fract": "What is above the integer below.",
            "Radians": "Degrees as radians.",
            "Degrees": "Radians as degrees.",
            "Sin": "Sine.",
            "Cos": "Cosine.",
            "Tan": "Tangent.",
            "Asin": "Arc sine.",
            "Acos": "Arc cosine.",
            "Atan": "Arc tangent.",
            "Sinh": "Hyperbolic sine.",
            "Cosh": "Hyperbolic cosine.",
            "Tanh": "Hyperbolic tangent.",
            "Asinh": "Inverse hyperbolic sine.",
            "Acosh": "Inverse hyperbolic cosine.",
            "Atanh": "Inverse hyperbolic tangent.",
            "Exp": "e to a power.",
            "Log": "Natural logarithm.",
            "Exp2": "2 to a power.",
            "Log2": "Logarithm to base 2.",
            "Sqrt": "Square root.",
            "InverseSqrt": "1 over the square root.",
            "Normalize": "The vector of length 1.",
        },
    ),
    **_rows(
        "float:T T -> T",
        {
            "Atan2": "The angle of (x, y), given y and x.",
            "Pow": "A power of a positive number.",
            "FMin": "The smaller; undefined if one is NaN.",
            "FMax": "The greater; undefined if one is NaN.",
            "NMin": "The smaller; the other if one is NaN.",
            "NMax": "The greater; the other if one is NaN.",
            "Step": "0 below the edge (the first operand), 1 from it on.",
            "Cross": "Cross product.",
            "Reflect": "Reflection of a vector at a surface with a normal.",
        },
    ),
    **_rows(
        "float:T T T -> T",
        {
            "Fma": "Product plus sum, possibly rounded twice.",
            "FClamp": "Between two bounds.",
            "NClamp": "Between two bounds; the lower one if NaN.",
            "SmoothStep": "From 0 to 1 between two edges.",
            "FaceForward": "A vector, turned by the sign of a product.",
        },
    ),
    **_rows(
        "int:T -> T",
        {
            "SAbs": "The value without its sign.",
            "SSign": "-1, 0 or 1.",
            "FindILsb": "The number of the lowest bit that is set, or -1. 32 bits.",
            "FindSMsb": "The number of the highest bit that is not the sign's, or -1. 32 bits.",
            "FindUMsb": "The number of the highest bit that is set, or -1. 32 bits.",
        },
    ),
    **_rows(
        "int:T T -> T",
        {
            "UMin": "The smaller unsigned.",
            "SMin": "The smaller signed.",
            "UMax": "The greater unsigned.",
            "SMax": "The greater signed.",
        },
    ),
    **_rows(
        "int:T T T -> T",
        {"UClamp": "Between two unsigned bounds.", "SClamp": "Between two signed bounds."},
    ),
    **_rows(
        "float:T -> T.",
        {"Length": "Euclidean length of a vector, or the absolute value."},
        "$0 {} : T0 -> R",
    ),
    **_rows(
        "float:T T -> T.", {"Distance": "Euclidean distance of two vectors."}, "$* {} : T0 -> R"
    ),
    "GL.FMix": Row(
        "Linear between two values.",
        "$0 : T0 , $1 : T1 , $2 : T2 {} -> R",
        "float:T T T -> T",
    ),
    "GL.Ldexp": Row("x times 2 to a power.", "$0 : T0 , $1 : T1 {} -> R", "float:T int~T -> T"),
    "GL.FrexpStruct": Row("Significand and exponent.", "$0 {} : T0 -> R", "float -> any"),
    "GL.ModfStruct": Row("Fraction and whole number.", "$0 {} : T0 -> R", "float:T -> {T,T}"),
    **_rows(
        "float -> int.",
        {
            "PackSnorm4x8": "Four floats of -1 to 1 as bytes.",
            "PackUnorm4x8": "Four floats of 0 to 1 as bytes.",
            "PackSnorm2x16": "Two floats of -1 to 1 as 16 bits each.",
            "PackUnorm2x16": "Two floats of 0 to 1 as 16 bits each.",
            "PackHalf2x16": "Two floats as f16; the rounding is the device's.",
        },
        "$0 {} : T0 -> R",
    ),
    **_rows("int -> float.", {"PackDouble2x32": "Two words as f64."}, "$0 {} : T0 -> R"),
    **_rows(
        "int. -> float",
        {
            "UnpackSnorm2x16": "Two floats of -1 to 1.",
            "UnpackUnorm2x16": "Two floats of 0 to 1.",
            "UnpackHalf2x16": "Two f16 as floats.",
            "UnpackSnorm4x8": "Four floats of -1 to 1.",
            "UnpackUnorm4x8": "Four floats of 0 to 1.",
        },
        "$0 {} : T0 -> R",
    ),
    **_rows("float. -> int", {"UnpackDouble2x32": "The words of an f64."}, "$0 {} : T0 -> R"),
    **_rows("matrix -> float.", {"Determinant": "The determinant."}, "$0 {} : T0 -> R"),
    "GL.MatrixInverse": Row("The inverse.", "$0 {} : R", "matrix:T -> T"),
}

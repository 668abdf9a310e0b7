"""Packed additions of 16-bit integers in PTX become two additions.

    add.s16x2 %r3, %r1, %r2;        {
                                    .reg .b16 %low<2>, %high<2>;
                                    mov.b32 {%low0, %high0}, %r1;
                                    mov.b32 {%low1, %high1}, %r2;
                                    add.s16 %low0, %low0, %low1;
                                    add.s16 %high0, %high0, %high1;
                                    mov.b32 %r3, {%low0, %high0};
                                    }

ptxas (12.9 and 13.0, from -O1 on, and the compiler in drivers of that time) replaces a constant
operand of `add.s16x2` or `add.u16x2` by 0 where only one half of the sum is used: it writes
`VIADD.16x2 R0, R0, 0x0`. A third lane of i16 is such a half. It knows what is constant, and what is
used, better than the text does, so no packed addition is left; minima and maxima, and the packed
operations of floats, keep their constants.
"""

from __future__ import annotations

import re

_PACKED = re.compile(r"^([ \t]*)add\.[su]16x2[ \t]+(%\w+), (%\w+), (%\w+);$", re.MULTILINE)
_APART = "\n".join(
    r"\1" + line
    for line in (
        "{",
        ".reg .b16 %low<2>, %high<2>;",
        r"mov.b32 {%low0, %high0}, \3;",
        r"mov.b32 {%low1, %high1}, \4;",
        "add.s16 %low0, %low0, %low1;",
        "add.s16 %high0, %high0, %high1;",
        r"mov.b32 \2, {%low0, %high0};",
        "}",
    )
)


def without_packed_additions(ptx: str) -> str:
    """The same program, without `add.s16x2` and `add.u16x2`."""
    return _PACKED.sub(_APART, ptx) if "16x2" in ptx else ptx

"""Text of ops that are rows of a table: a row's *format* says what stands behind the op's name.

    $0 $* $2*        operand 0; all operands; those from 2 on, with commas
    T0 T* T2* R F    types: of operand 0; of all; from 2 on; of the results; `(T…) -> R`
    ($*)             all operands in parentheses, or `()`
    #size @kind      a property: an integer; a keyword
    @@code           one that is a string
    <name> 'name'    one that is an enumeration: <Device>; "Device"
    {}               the attribute dictionary, with every property not shown
    (? … ?)          left out where the first operand or property in it is not there
    anything else    itself

So `$0 [ $1 ] {} : T0` is `%a[%b] {x} : f32`. What the text does not show follows from the row, as
the dialect's `from_text` knows. `row_format.py` prints, `row_parsing.py` reads the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

T = TypeVar("T")


@cache
def tokens_of(text: str) -> tuple[str, ...]:
    """The tokens of a format."""
    return tuple(text.split())


def is_property(token: str) -> bool:
    """Whether a token of a format is a property."""
    return token[0] in "#@<'" and len(name_of(token)) > 0


def name_of(token: str) -> str:
    """The name of the property that a token is."""
    return token.strip("#@<>'")


def is_types(token: str) -> bool:
    """Whether a token of a format is types of operands."""
    return token[0] == "T" and (token[1:2].isdigit() or token == "T*")


def select(values: Sequence[T], which: str) -> Sequence[T]:
    """`*` all, `2*` from 2 on, `2` that one."""
    if which == "*":
        return values
    if which.endswith("*"):
        return values[int(which[:-1]) :]
    return values[int(which) : int(which) + 1]

"""Float arithmetic, comparison and selection, of f16, bf16, f32, f64 and their packed forms.

Approximate instructions (.approx, .full) give the correctly rounded result, which is within what
they promise; nobody should rely on their errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from . import integer
from .elementwise import Function1, Function2, is_float, the_type, types_of, unsigned
from .memory import Array
from .rounding import canonical, element, exact64, flush, fma64, fused, narrow, odd_sum, widen
from .syntax import Instruction
from .values import Mask, Read, Run, bits, reader, unknown, writer

if TYPE_CHECKING:
    from .machine import Warp

_MODES = ("rn", "rz", "rm", "rp")
Combine = Callable[..., Array]


def _mode(instruction: Instruction) -> str:
    return next((m for m in instruction.modifiers if m in _MODES), "rn")


def _finish(instruction: Instruction, kind: str) -> Combine:
    """Rounds, saturates and flushes a result as the modifiers say."""
    mode, sat, relu = _mode(instruction), instruction.has("sat"), instruction.has("relu")
    ftz = instruction.has("ftz") and kind in ("f32", "f32x2")

    def finish(values: Array) -> Array:
        if sat or relu:
            # fmax drops a NaN, so that it saturates to zero; relu keeps it.
            values = np.fmin(np.fmax(values, 0), 1) if sat else np.maximum(values, 0)
        result = canonical(narrow(kind, values, mode))
        return flush(result) if ftz else result

    return finish


def float_reader(instruction: Instruction, position: int, kind: str) -> Read:
    """An operand as float32 or float64, flushed if the instruction says so."""
    read = reader(instruction.operands[position], kind)
    if instruction.has("ftz") and element(kind) == "f32":
        return lambda warp, mask: flush(read(warp, mask))
    if element(kind) in ("f32", "f64"):
        return read
    return lambda warp, mask: widen(kind, read(warp, mask))


def _compute(
    instruction: Instruction, kind: str, function: Combine, count: int, factors: str = ""
) -> Run:
    """d = finish(function(operands)); all operands but the last may have another type."""
    kinds = [factors or kind] * (count - 1) + [kind]
    reads = [float_reader(instruction, i + 1, given) for i, given in enumerate(kinds)]
    write, finish = writer(instruction.operands[0], kind), _finish(instruction, kind)

    def run(warp: Warp, mask: Mask) -> None:
        write(warp, mask, finish(function(*[read(warp, mask) for read in reads])))

    return run


def _by_fractions(function: Callable[..., Fraction], plain: Combine, mode: str) -> Combine:
    """Directed rounding of float64, one lane after the other; infinities and NaN by `plain`."""

    def compute(*operands: Array) -> Array:
        result = plain(*operands)
        for lane, values in enumerate(zip(*(a.tolist() for a in operands), strict=True)):
            exact = exact64(function, values, mode)
            if exact != 0 and not np.isnan(exact):
                result[lane] = exact
        return result

    return compute


def _wide(function: Combine) -> Combine:
    """The function on float64."""
    return lambda *operands: function(*(a.astype(np.float64) for a in operands))


def _kinds(instruction: Instruction) -> tuple[str, str]:
    """The type of the result, and that of what is added to or multiplied: add.f32.bf16."""
    kinds = types_of(instruction)
    if len(kinds) == 1:
        return kinds[0], kinds[0]
    if len(kinds) == 2 and kinds[0] == "f32" and kinds[1] in ("f16", "bf16"):
        return kinds[0], kinds[1]
    raise unknown(instruction, f"the types {kinds}")


def add_or_multiply(instruction: Instruction) -> Run:
    """add, sub, mul; also a small type and f32"""
    (kind, other), mode = _kinds(instruction), _mode(instruction)
    if kind != other and instruction.opcode == "mul":
        raise unknown(instruction, "a product of one type")
    plain = {"add": np.add, "sub": np.subtract, "mul": np.multiply}[instruction.opcode]
    rational = {"add": Fraction.__add__, "sub": Fraction.__sub__, "mul": Fraction.__mul__}[
        instruction.opcode
    ]
    if kind == "f64" and mode != "rn":
        return _compute(instruction, kind, _by_fractions(rational, plain, mode), 2)
    # float32 is wide enough for f16 and bf16 to be rounded twice, and is itself correct.
    function: Combine = plain
    if mode != "rn":
        exact: dict[str, Function2] = {
            "add": odd_sum, "sub": lambda a, b: odd_sum(a, -b), "mul": np.multiply,
        }  # fmt: skip
        function = _wide(exact[instruction.opcode])
    plainest = mode == "rn" and kind == other == "f32"
    if not plainest or instruction.has("sat", "relu", "ftz"):
        return _compute(instruction, kind, function, 2, other)
    operands = instruction.operands
    left, right = reader(operands[1], kind), reader(operands[2], kind)
    write = writer(operands[0], kind)
    # The most frequent instructions, without the detours of the general form.

    def run(warp: Warp, mask: Mask) -> None:
        write(warp, mask, canonical(function(left(warp, mask), right(warp, mask))))

    return run


def _fma(a: Array, b: Array, c: Array) -> Array:
    """The exact product in float64, plus c, rounded to odd."""
    return odd_sum(a.astype(np.float64) * b, c.astype(np.float64))


def multiply_add(instruction: Instruction) -> Run:
    """fma and mad, which are the same for floats; also two of a small type and f32"""
    (kind, other), mode = _kinds(instruction), _mode(instruction)
    if kind != "f64":
        return _compute(instruction, kind, _fma, 3, other)
    if mode == "rn":
        return _compute(instruction, kind, fma64, 3)
    return _compute(instruction, kind, _by_fractions(fused, fma64, mode), 3)


def _quotient(a: Fraction, b: Fraction) -> Fraction:
    return a / b


def _reciprocal(a: Fraction) -> Fraction:
    return 1 / a


def divide(instruction: Instruction) -> Run:
    """div and rcp"""
    kind, mode = the_type(instruction), _mode(instruction)
    count = 1 if instruction.opcode == "rcp" else 2
    plain: Combine = np.divide if count == 2 else np.reciprocal
    if kind == "f64" and mode != "rn":
        quotient = _quotient if count == 2 else _reciprocal
        return _compute(instruction, kind, _by_fractions(quotient, plain, mode), count)
    if kind == "f64":
        return _compute(instruction, kind, plain, count)

    def function(*operands: Array) -> Array:
        a = operands[0].astype(np.float64) if count == 2 else np.float64(1)
        b = operands[-1].astype(np.float64)
        # Rounding twice is right here: float64 has more than twice the digits of float32.
        quotient = a / b
        if mode == "rn":
            return quotient
        close = quotient.astype(np.float32).astype(np.float64)
        return _pushed(quotient, close, np.sign(a - close * b) * np.sign(b))

    return _compute(instruction, kind, function, count)


def _pushed(value: Array, close: Array, side: Array) -> Array:
    """A float64 result, moved to that side of the float32 `close` on which the exact one lies."""
    return np.where(
        side == 0, close, np.where((value == close), np.nextafter(close, side * np.inf), value)
    )


def square_root(instruction: Instruction) -> Run:
    """sqrt"""
    kind, mode = the_type(instruction), _mode(instruction)
    if kind == "f64":
        if mode != "rn":
            raise unknown(instruction, "only .rn of f64")
        return _compute(instruction, kind, np.sqrt, 1)

    def function(a: Array) -> Array:
        wide = a.astype(np.float64)
        root = np.sqrt(wide)
        if mode == "rn":
            return root
        close = root.astype(np.float32).astype(np.float64)
        return _pushed(root, close, np.sign(wide - close * close))

    return _compute(instruction, kind, function, 1)


_APPROXIMATE: dict[str, Function1] = {
    "ex2": np.exp2, "lg2": np.log2, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "rsqrt": lambda a: 1 / np.sqrt(a),
}  # fmt: skip


def approximate(instruction: Instruction) -> Run:
    """ex2, lg2, sin, cos, tanh, rsqrt, computed in float64"""
    function = _wide(_APPROXIMATE[instruction.opcode])
    return _compute(instruction, the_type(instruction), function, 1)


def change_sign(instruction: Instruction) -> Run:
    """neg and abs, which change a bit also of a NaN"""
    kind = the_type(instruction)
    width = bits(element(kind))
    flip = instruction.opcode == "neg"
    write, read = writer(instruction.operands[0], kind), reader(instruction.operands[1], kind)
    ftz = instruction.has("ftz") and element(kind) == "f32"

    def run(warp: Warp, mask: Mask) -> None:
        values = read(warp, mask)
        raw = unsigned(flush(values) if ftz else values)
        sign = raw.dtype.type(1 << (width - 1))
        write(warp, mask, (raw ^ sign if flip else raw & ~sign).view(values.dtype))

    return run


def extreme(instruction: Instruction) -> Run:
    """min and max of two or three: a NaN loses unless .NaN; -0 is below +0"""
    kind, nan = the_type(instruction), instruction.has("NaN")
    is_min, magnitude = instruction.opcode == "min", instruction.has("xorsign")
    plain = (np.minimum if nan else np.fmin) if is_min else (np.maximum if nan else np.fmax)

    def two(a: Array, b: Array) -> Array:
        if magnitude:
            sign = np.signbit(a) ^ np.signbit(b)
            result = plain(np.abs(a), np.abs(b))
            return np.copysign(result, np.where(sign, -1, 1).astype(result.dtype))
        result = plain(a, b)
        zeros = (a == 0) & (b == 0)
        if np.count_nonzero(zeros):
            negative = np.signbit(a) | np.signbit(b) if is_min else np.signbit(a) & np.signbit(b)
            zero = np.where(negative, -0.0, 0.0).astype(result.dtype)
            result = np.where(zeros, zero, result)
        return result

    def three(a: Array, b: Array, c: Array) -> Array:
        return two(two(a, b), c)

    count = len(instruction.operands) - 1
    return _compute(instruction, kind, two if count == 2 else three, count)


def copy_sign(instruction: Instruction) -> Run:
    """copysign: the sign of a on b"""
    kind = the_type(instruction)
    operands = instruction.operands
    write, sign, value = (
        writer(operands[0], kind),
        reader(operands[1], kind),
        reader(operands[2], kind),
    )

    def run(warp: Warp, mask: Mask) -> None:
        write(warp, mask, np.copysign(value(warp, mask), sign(warp, mask)))

    return run


def _smallest(a: Array) -> float:
    """The smallest normal number of its type."""
    return 2.0**-126 if a.dtype == np.float32 else 2.0**-1022


_PROPERTIES: dict[str, Function1] = {
    "finite": np.isfinite, "infinite": np.isinf, "notanumber": np.isnan,
    "number": lambda a: ~np.isnan(a),
    "normal": lambda a: np.isfinite(a) & (np.abs(a) >= _smallest(a)),
    "subnormal": lambda a: (a != 0) & (np.abs(a) < _smallest(a)),
}  # fmt: skip


def test_property(instruction: Instruction) -> Run:
    """testp"""
    function = _PROPERTIES[instruction.modifiers[0]]
    read = reader(instruction.operands[1], the_type(instruction))
    write = writer(instruction.operands[0], "pred")
    return lambda warp, mask: write(warp, mask, function(read(warp, mask)))


def _shared(name: str, build: Callable[[Instruction], Run], extra: str) -> tuple[Any, str]:
    """An opcode that integers have too."""
    whole, integer_extra = integer.TABLE[name]

    def either(instruction: Instruction) -> Run:
        return (build if is_float(the_type(instruction)) else whole)(instruction)

    return either, f"{integer_extra}|{extra}" if integer_extra else extra


_ROUND = "rn|rz|rm|rp|ftz|sat"
_ROWS: Sequence[tuple[str, Callable[[Instruction], Run], str]] = (
    ("add", add_or_multiply, _ROUND), ("sub", add_or_multiply, _ROUND),
    ("mul", add_or_multiply, _ROUND), ("mad", multiply_add, _ROUND),
    ("div", divide, _ROUND + "|approx|full"), ("neg", change_sign, "ftz"),
    ("abs", change_sign, "ftz"), ("min", extreme, "ftz|NaN|xorsign|abs"),
    ("max", extreme, "ftz|NaN|xorsign|abs"),
)  # fmt: skip
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    **{name: _shared(name, build, extra) for name, build, extra in _ROWS},
    **dict.fromkeys(_APPROXIMATE, (approximate, "approx|ftz")),
    "fma": (multiply_add, _ROUND + "|relu"), "rcp": (divide, _ROUND + "|approx"),
    "sqrt": (square_root, _ROUND + "|approx"), "copysign": (copy_sign, ""),
    "testp": (test_property, "|".join(_PROPERTIES)),
}  # fmt: skip

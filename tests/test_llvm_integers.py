"""Integer arithmetic of the llvm path, executed and compared with NumPy and Python."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy scalars of every type: what strict mode says of them is noise.

from __future__ import annotations

import numpy as np
import pytest
from llvm_kernels import NUMPY, Loaded, elementwise, llvm_text, load, pairs

WIDTHS = (8, 16, 32, 64)
BINARY = {
    "addi": lambda a, b: a + b,
    "subi": lambda a, b: a - b,
    "muli": lambda a, b: a * b,
    "andi": lambda a, b: a & b,
    "ori": lambda a, b: a | b,
    "xori": lambda a, b: a ^ b,
    "minsi": min,
    "maxsi": max,
}
UNSIGNED = {"minui": min, "maxui": max}
DIVISION = {
    "divsi": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "remsi": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
    "floordivsi": lambda a, b: a // b,
    "ceildivsi": lambda a, b: -(-a // b),
}
UNSIGNED_DIVISION = {
    "divui": lambda a, b: a // b,
    "remui": lambda a, b: a % b,
    "ceildivui": lambda a, b: -(-a // b),
}
SHIFTS = {
    "shli": lambda a, b: a << b,
    "shrsi": lambda a, b: a >> b,
}
COMPARISONS = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b, "sgt": lambda a, b: a > b, "sge": lambda a, b: a >= b,
}  # fmt: skip
UNARY = ("ctpop", "ctlz", "cttz", "absi")


def special(width: int) -> np.ndarray:
    info = np.iinfo(NUMPY[f"i{width}"])
    rng = np.random.default_rng(7)
    some = rng.integers(info.min, info.max, 8, dtype=info.dtype, endpoint=True)
    fixed = [0, 1, -1, 2, -2, 3, -3, 7, -7, info.max, info.min, info.min + 1]
    return np.concatenate([np.array(fixed, info.dtype), some])


def wrap(values: list[int], width: int) -> np.ndarray:
    masked = [value % (1 << width) for value in values]
    return np.array(masked, f"u{width // 8}").view(NUMPY[f"i{width}"])


def module_of(width: int) -> str:
    kind = f"i{width}"
    parts: list[str] = []
    names = (*BINARY, *UNSIGNED, *DIVISION, *UNSIGNED_DIVISION, *SHIFTS, "shrui")
    for name in names:
        parts.append(elementwise(name, f"%r = arith.{name} %a, %b : {kind}", [kind] * 2, kind))
    for name in (*COMPARISONS, "ult", "ule", "ugt", "uge"):
        body = f"%c = arith.cmpi {name}, %a, %b : {kind}\n %r = arith.extui %c : i1 to i8"
        parts.append(elementwise(f"cmp_{name}", body, [kind] * 2, "i8"))
    for name in UNARY:
        parts.append(elementwise(name, f"%r = math.{name} %a : {kind}", [kind], kind))
    parts.append(elementwise("ipowi", f"%r = math.ipowi %a, %b : {kind}", [kind] * 2, kind))
    body = f"%r, %o = arith.addui_extended %a, %b : {kind}, i1"
    parts.append(elementwise("add_low", body, [kind] * 2, kind))
    body = f"%s, %o = arith.addui_extended %a, %b : {kind}, i1\n %r = arith.extui %o : i1 to i8"
    parts.append(elementwise("add_carry", body, [kind] * 2, "i8"))
    for sign in "us":
        body = f"%l, %r = arith.mul{sign}i_extended %a, %b : {kind}"
        parts.append(elementwise(f"mul{sign}_high", body, [kind] * 2, kind))
    for other in WIDTHS:
        if other > width:
            for name in ("extsi", "extui"):
                body = f"%r = arith.{name} %a : {kind} to i{other}"
                parts.append(elementwise(f"{name}{other}", body, [kind], f"i{other}"))
        if other < width:
            body = f"%r = arith.trunci %a : {kind} to i{other}"
            parts.append(elementwise(f"trunc{other}", body, [kind], f"i{other}"))
    body = f"%w = arith.index_cast %a : {kind} to index\n %r = arith.index_cast %w : index to i64"
    parts.append(elementwise("through_index", body, [kind], "i64"))
    return "\n".join(parts)


@pytest.fixture(scope="module", params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def code(width: int) -> Loaded:
    return load(llvm_text(module_of(width)))


def run(code: Loaded, name: str, out: type, *inputs: np.ndarray) -> np.ndarray:
    result = np.empty(len(inputs[0]), out)
    code.call(name, *inputs, result)
    return result


def check(code: Loaded, width: int, name: str, function: object, a: object, b: object) -> None:
    assert callable(function) and isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    kind = NUMPY[f"i{width}"]
    expected = wrap([function(int(x), int(y)) for x, y in zip(a, b, strict=True)], width)
    signed = (a.view(kind), b.view(kind))
    np.testing.assert_array_equal(run(code, name, kind, *signed), expected, err_msg=name)


def test_arithmetic_wraps(code: Loaded, width: int):
    a, b = pairs(special(width))
    for name, function in BINARY.items():
        check(code, width, name, function, a, b)
    for name, function in UNSIGNED.items():
        check(code, width, name, function, a.view(f"u{width // 8}"), b.view(f"u{width // 8}"))


def test_division_has_the_right_signs(code: Loaded, width: int):
    a, b = pairs(special(width))
    nonzero = b != 0
    a, b = a[nonzero], b[nonzero]
    fits = ~((a == np.iinfo(a.dtype).min) & (b == -1))
    for name, function in DIVISION.items():
        wraps = name in ("floordivsi", "ceildivsi")
        x, y = (a, b) if wraps else (a[fits], b[fits])
        check(code, width, name, function, x, y)
    for name, function in UNSIGNED_DIVISION.items():
        check(code, width, name, function, a.view(f"u{width // 8}"), b.view(f"u{width // 8}"))


def test_shifts(code: Loaded, width: int):
    a, b = pairs(special(width))
    b = (b % width).astype(b.dtype)
    for name, function in SHIFTS.items():
        check(code, width, name, function, a, b)
    unsigned = a.view(f"u{width // 8}")
    check(code, width, "shrui", lambda x, y: x >> y, unsigned, b.view(f"u{width // 8}"))


def test_comparisons(code: Loaded, width: int):
    a, b = pairs(special(width))
    u, v = a.view(f"u{width // 8}"), b.view(f"u{width // 8}")
    for name, function in COMPARISONS.items():
        expected = [function(int(x), int(y)) for x, y in zip(a, b, strict=True)]
        np.testing.assert_array_equal(run(code, f"cmp_{name}", np.int8, a, b), expected)
        if name.startswith("s"):
            expected = [function(int(x), int(y)) for x, y in zip(u, v, strict=True)]
            unsigned = run(code, f"cmp_u{name[1:]}", np.int8, a, b)
            np.testing.assert_array_equal(unsigned, expected)


def test_bits_and_absolute_value(code: Loaded, width: int):
    a = special(width)
    bits = [format(int(x) % (1 << width), f"0{width}b") for x in a]
    expected = {
        "ctpop": [text.count("1") for text in bits],
        "ctlz": [len(text) - len(text.lstrip("0")) for text in bits],
        "cttz": [len(text) - len(text.rstrip("0")) for text in bits],
        "absi": [abs(int(x)) for x in a],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(run(code, name, a.dtype.type, a), wrap(values, width))


def test_integer_power_wraps_and_takes_negative_exponents(code: Loaded, width: int):
    a, b = pairs(np.array([0, 1, -1, 2, -2, 3, -3, 5, 10, 13, 100], NUMPY[f"i{width}"]))

    def power(x: int, y: int) -> int:
        if y >= 0:
            return x**y
        return {1: 1, -1: -1 if y % 2 else 1}.get(x, 0)

    check(code, width, "ipowi", power, a, b)


def test_extended_arithmetic(code: Loaded, width: int):
    a, b = pairs(special(width))
    u, v = a.view(f"u{width // 8}"), b.view(f"u{width // 8}")
    carry = [(int(x) + int(y)) >> width for x, y in zip(u, v, strict=True)]
    check(code, width, "add_low", lambda x, y: x + y, a, b)
    np.testing.assert_array_equal(run(code, "add_carry", np.int8, a, b), carry)
    check(code, width, "mulu_high", lambda x, y: (x * y) >> width, u, v)
    check(code, width, "muls_high", lambda x, y: (x * y) >> width, a, b)


def test_width_changes(code: Loaded, width: int):
    a = special(width)
    for other in WIDTHS:
        kind = NUMPY[f"i{other}"]
        if other > width:
            np.testing.assert_array_equal(run(code, f"extsi{other}", kind, a), a.astype(kind))
            unsigned = a.view(f"u{width // 8}").astype(f"u{other // 8}").view(kind)
            np.testing.assert_array_equal(run(code, f"extui{other}", kind, a), unsigned)
        if other < width:
            np.testing.assert_array_equal(run(code, f"trunc{other}", kind, a), a.astype(kind))
    np.testing.assert_array_equal(run(code, "through_index", np.int64, a), a.astype(np.int64))

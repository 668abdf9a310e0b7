"""arith and math of vectors, executed: in each lane the bits that the scalar op gives."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Kernels of every type: what strict mode says of NumPy's is noise.

from __future__ import annotations

import numpy as np
import pytest
from llvm_kernels import NUMPY, elementwise, llvm_text, load, pairs, vectorwise

LANES = 8
INTEGERS = ("i8", "i16", "i32", "i64", "index")
FLOATS = ("f16", "bf16", "f32", "f64")
# Op: its text with `{t}` for the type of operands; operands; type of the result.
BINARY_INTEGER = (
    *("addi", "subi", "muli", "andi", "ori", "xori", "minsi", "maxsi", "minui", "maxui"),
    *("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui"),
)
BINARY_FLOAT = (
    *("addf", "subf", "mulf", "divf", "remf", "minimumf", "maximumf", "minnumf", "maxnumf"),
)
PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
FLOAT_PREDICATES = (
    *("oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une"),
    "uno",
)
UNARY_MATH = (
    *("absf", "ceil", "floor", "trunc", "round", "roundeven", "sqrt", "rsqrt", "exp", "log2"),
    *("sin", "tanh", "erf", "cbrt"),
)

Case = tuple[str, list[str], str]


def integer_cases(kind: str) -> list[Case]:
    cases: list[Case] = [
        (f"%r = arith.{op} %a, %b : {{{kind}}}", [kind, kind], kind) for op in BINARY_INTEGER
    ]
    cases += [(f"%r = arith.cmpi {p}, %a, %b : {{{kind}}}", [kind, kind], "i1") for p in PREDICATES]
    chosen = (
        f"%m = arith.cmpi slt, %a, %b : {{{kind}}}\n"
        f"%r = arith.select %m, %b, %a : {{mask}}{{{kind}}}"
    )
    cases.append((chosen, [kind, kind], kind))
    if kind == "index":
        cases += [
            (f"%r = arith.index_cast %a : {{index}} to {{{to}}}", [kind], to)
            for to in ("i32", "i64")
        ]
        return cases
    low = int(kind[1:]) - 1
    shift = (
        f"%k = arith.constant {{dense_{low}}} : {{{kind}}}\n%s = arith.andi %b, %k : {{{kind}}}\n"
    )
    cases += [
        (shift + f"%r = arith.{op} %a, %s : {{{kind}}}", [kind, kind], kind)
        for op in ("shli", "shrsi", "shrui")
    ]
    names = ("ctlz", "cttz", "ctpop", "absi")
    cases += [(f"%r = math.{op} %a : {{{kind}}}", [kind], kind) for op in names]
    cases.append((f"%r = math.ipowi %a, %b : {{{kind}}}", [kind, kind], kind))
    for op in ("mului_extended", "mulsi_extended"):
        cases.append((f"%l, %r = arith.{op} %a, %b : {{{kind}}}", [kind, kind], kind))
    carry = f"%l, %r = arith.addui_extended %a, %b : {{{kind}}}, {{i1}}"
    cases.append((carry, [kind, kind], "i1"))
    for to in FLOATS:
        for op in ("sitofp", "uitofp"):
            cases.append((f"%r = arith.{op} %a : {{{kind}}} to {{{to}}}", [kind], to))
    for to in INTEGERS[:4]:
        if int(to[1:]) > int(kind[1:]):
            for op in ("extsi", "extui"):
                cases.append((f"%r = arith.{op} %a : {{{kind}}} to {{{to}}}", [kind], to))
        elif to != kind:
            cases.append((f"%r = arith.trunci %a : {{{kind}}} to {{{to}}}", [kind], to))
    cases.append((f"%r = arith.index_cast %a : {{{kind}}} to {{index}}", [kind], "index"))
    return cases


def float_cases(kind: str) -> list[Case]:
    cases: list[Case] = [
        (f"%r = arith.{op} %a, %b : {{{kind}}}", [kind, kind], kind) for op in BINARY_FLOAT
    ]
    cases += [
        (f"%r = arith.cmpf {p}, %a, %b : {{{kind}}}", [kind, kind], "i1") for p in FLOAT_PREDICATES
    ]
    cases += [(f"%r = math.{op} %a : {{{kind}}}", [kind], kind) for op in UNARY_MATH]
    for op in ("atan2", "powf", "copysign"):
        cases.append((f"%r = math.{op} %a, %b : {{{kind}}}", [kind, kind], kind))
    cases.append((f"%r = math.fma %a, %b, %a : {{{kind}}}", [kind, kind], kind))
    cases.append((f"%r = arith.negf %a : {{{kind}}}", [kind], kind))
    half = f"%k = arith.constant {{dense_0.5}} : {{{kind}}}\n%r = arith.mulf %a, %k : {{{kind}}}"
    cases.append((half, [kind], kind))
    power = (
        f"%e = arith.fptosi %b : {{{kind}}} to {{i32}}\n"
        f"%r = math.fpowi %a, %e : {{{kind}}}, {{i32}}"
    )
    cases.append((power, [kind, kind], kind))
    for to in INTEGERS[:4]:
        for op in ("fptosi", "fptoui"):
            cases.append((f"%r = arith.{op} %a : {{{kind}}} to {{{to}}}", [kind], to))
    size = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64}
    for to in FLOATS:
        if size[to] > size[kind]:
            cases.append((f"%r = arith.extf %a : {{{kind}}} to {{{to}}}", [kind], to))
        elif size[to] < size[kind]:
            cases.append((f"%r = arith.truncf %a : {{{kind}}} to {{{to}}}", [kind], to))
    bits = f"i{size[kind]}"
    cases.append((f"%r = arith.bitcast %a : {{{kind}}} to {{{bits}}}", [kind], bits))
    return cases


def spelled(body: str, lanes: int | None) -> str:
    """The body for scalars, or for vectors of so many lanes."""
    for kind in (*INTEGERS, *FLOATS, "i1"):
        body = body.replace(f"{{{kind}}}", kind if lanes is None else f"vector<{lanes}x{kind}>")
    body = body.replace("{mask}", "" if lanes is None else f"vector<{lanes}xi1>, ")
    while "{dense_" in body:
        before, _, rest = body.partition("{dense_")
        number, _, after = rest.partition("}")
        body = before + (number if lanes is None else f"dense<{number}>") + after
    return body


def values_of(kind: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    if kind in FLOATS:
        fixed = [0.0, -0.0, 0.5, -1.5, 2.5, 3.0, -7.0, 1e-3, 100.25, np.inf, -np.inf, np.nan]
        values = np.array([*fixed, *rng.uniform(-20, 20, 12)])
        if kind == "bf16":
            return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return values.astype(NUMPY[kind])
    info = np.iinfo(NUMPY[kind])
    some = rng.integers(info.min, info.max, 12, dtype=info.dtype, endpoint=True)
    fixed = [0, 1, -1, 2, -3, 7, 13, -100, info.max, info.min, info.min + 1, 64]
    return np.concatenate([np.array(fixed, info.dtype), some])


def same(got: np.ndarray, expected: np.ndarray, message: str) -> None:
    """Equal bit for bit; any NaN is any other."""
    if got.dtype.kind == "f":
        nan = np.isnan(expected)
        np.testing.assert_array_equal(np.isnan(got), nan, err_msg=message)
        bits = f"u{got.dtype.itemsize}"
        got, expected = got.view(bits)[~nan], expected.view(bits)[~nan]
    np.testing.assert_array_equal(got, expected, err_msg=message)


@pytest.mark.parametrize("kind", [*INTEGERS, *FLOATS])
def test_each_lane_has_the_bits_of_the_scalar_op(kind: str):
    cases = float_cases(kind) if kind in FLOATS else integer_cases(kind)
    parts: list[str] = []
    for number, (body, inputs, output) in enumerate(cases):
        parts.append(elementwise(f"s{number}", spelled(body, None), inputs, output))
        parts.append(vectorwise(f"v{number}", spelled(body, LANES), inputs, output, LANES))
    # Few processors' instructions for f16 are older than the rest of what runs here.
    code = load(llvm_text("\n".join(parts)), opt=1)
    operands = pairs(values_of(kind))
    for number, (body, inputs, output) in enumerate(cases):
        given = operands[: len(inputs)]
        one, lanes = (np.empty(len(operands[0]), NUMPY[output]) for _ in range(2))
        code.call(f"s{number}", *given, one)
        code.call(f"v{number}", *given, lanes)
        same(lanes, one, body)


@pytest.mark.parametrize("lanes", [2, 3, 16, 64])
def test_vectors_may_have_any_length(lanes: int):
    body = spelled("%s = arith.mulf %a, %b : {f32}\n%r = arith.addf %s, %a : {f32}", lanes)
    code = load(llvm_text(vectorwise("k", body, ["f32", "f32"], "f32", lanes)))
    a, b = np.random.default_rng(0).random((2, 4 * lanes), np.float32)
    out = np.empty_like(a)
    code.call("k", a, b, out)
    np.testing.assert_array_equal(out, a * b + a)

"""Types, promotion, annotations and fingerprints of the kernel language."""

# Structures are looked at as NumPy gives them.
# pyright: basic

from __future__ import annotations

import dataclasses
import pickle
from typing import Any, Literal, NamedTuple

import ml_dtypes
import numpy as np
import pytest

import stepwell as sw
from stepwell.language.annotations import (
    element_type,
    parameter_type,
    scalar_type,
    struct_type,
    type_of_value,
)
from stepwell.language.build import build_module
from stepwell.language.fingerprint import fingerprint_function, fingerprints
from stepwell.language.promotion import WEAK_FLOAT, WEAK_INT, join, promote
from stepwell.language.types import (
    ArrayType,
    ConstType,
    TupleType,
    bf16,
    bool_,
    f32,
    f64,
    i16,
    i32,
    i64,
    leaves,
)


@dataclasses.dataclass
class Point:
    x: float
    inside: bool
    weight: sw.f64


class Segment(NamedTuple):
    a: Point
    n: int


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (sw.i8, sw.u8, sw.i16),
        (sw.u16, sw.i32, sw.i32),
        (sw.u32, sw.i32, sw.i64),
        (sw.u64, sw.i64, None),
        (sw.bool_, sw.u8, sw.u8),
        (sw.f16, sw.bf16, sw.f32),
        (sw.f16, sw.i64, sw.f16),
        (sw.bf16, sw.f32, sw.f32),
        (sw.index, sw.u32, sw.index),
        (sw.index, sw.i64, sw.i64),
        (sw.index, sw.u64, None),
        (WEAK_INT, sw.u8, sw.u8),
        (WEAK_INT, sw.bool_, sw.i32),
        (WEAK_INT, WEAK_FLOAT, WEAK_FLOAT),
        (WEAK_FLOAT, sw.f16, sw.f16),
        (WEAK_FLOAT, sw.i64, sw.f32),
    ],
)
def test_promotion_is_the_table_and_symmetric(a: Any, b: Any, expected: Any):
    assert promote(a, b) is expected
    assert promote(b, a) is expected


def test_a_variable_does_not_change_its_kind():
    assert join(i32, f32) is None
    assert join(bool_, i32) is None
    assert join(WEAK_INT, f64) is f64
    assert join(i32, i64) is i64


def test_host_calls_give_numpy_scalars():
    assert f32(3).dtype == np.float32
    assert bf16(1.5).dtype == ml_dtypes.bfloat16
    assert sw.u8(200) == 200
    assert pickle.loads(pickle.dumps(sw.f32)) is sw.f32
    assert sw.f32(10**400) == np.inf


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (sw.bf16, 1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-7),
        (sw.bf16, np.float64(-1 - 2.0**-8 - 2.0**-40), -1 - 2.0**-7),
        (sw.bf16, np.float32(1 + 2.0**-8), 1),
        (sw.bf16, (257 << 40) + 1, 258 << 40),
        (sw.bf16, np.uint64((257 << 40) + 1), 258 << 40),
        (sw.f32, (1 << 60) + (1 << 36) + 1, (1 << 60) + (1 << 37)),
    ],
)
def test_host_calls_round_once(dtype: Any, value: Any, expected: float):
    assert float(dtype(value)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (int, sw.i32),
        (float, sw.f32),
        (bool, sw.bool_),
        (np.float16, sw.f16),
        (np.dtype("u8"), sw.u64),
        (np.longlong, sw.i64),
        (np.dtype(ml_dtypes.bfloat16), sw.bf16),
        (np.dtype(">f4"), None),
        (complex, None),
        (np.complex64, None),
        (str, None),
        (3, None),
    ],
)
def test_scalar_types_by_any_name(given: Any, expected: Any):
    assert scalar_type(given) is expected


def test_structs_have_the_layout_of_aligned_dtypes():
    struct = struct_type(Segment)
    assert struct is not None
    inner = np.dtype([("x", "f4"), ("inside", "?"), ("weight", "f8")], align=True)
    outer = np.dtype([("a", inner), ("n", "i4")], align=True)
    assert struct.size == outer.itemsize
    names = [(leaf.path, leaf.dtype.name, leaf.offset) for leaf in leaves(struct)]
    assert names == [
        (("a", "x"), "f32", 0),
        (("a", "inside"), "bool", 4),
        (("a", "weight"), "f64", 8),
        (("n",), "i32", 16),
    ]
    by_numpy = element_type(outer)
    assert by_numpy is not None
    assert [leaf[1:] for leaf in leaves(by_numpy)] == [leaf[1:] for leaf in leaves(struct)]


def test_packed_structures_are_no_element_type():
    assert element_type(np.dtype([("a", "u1"), ("b", "f4")])) is None


def test_types_compare_by_what_they_say_and_print_stably():
    assert ArrayType(f32, 2) == sw.Array[sw.f32, 2] == sw.Array[np.float32, 2]
    assert ArrayType(f32, 2) != sw.Array[sw.f32, 2, "strided"]
    assert str(sw.Array[sw.f32, 2, "strided"]) == "f32[2, strided]"
    assert sw.Array[sw.f32, 2, Literal["strided"]] == sw.Array[sw.f32, 2, "strided"]
    assert sw.Array[sw.f32, 2, Literal["contiguous"]] == ArrayType(f32, 2)
    assert ConstType(1) != ConstType(True)
    assert ConstType(0.0) != ConstType(-0.0)
    assert len({ConstType(1), ConstType(1), TupleType((i32,))}) == 2
    assert str(struct_type(Segment)).endswith(
        "Point{x: f32@0, inside: bool@4, weight: f64@8}:16@0, n: i32@16}:24"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        (sw.f32,),
        ("f32", 1),
        (sw.f32, 0),
        (sw.f32, 1, "packed"),
        (sw.f32, 1, Literal["strided", "packed"]),
    ],
)
def test_array_says_what_it_expects(wrong: Any):
    with pytest.raises(TypeError, match=r"Array|element type|rank"):
        sw.Array[wrong]


def test_types_of_arguments():
    array = np.zeros((2, 3), np.int16)
    assert type_of_value(array) == ArrayType(i16, 2)
    assert type_of_value(array.T) == ArrayType(i16, 2, contiguous=False)
    assert type_of_value(2**40) is sw.i64
    assert type_of_value((1, 2.0)) == TupleType((i32, f32))
    assert type_of_value(Point(1.0, True, 2.0)) == struct_type(Point)
    assert type_of_value("text") is None
    assert type_of_value([1, 2]) is None
    assert parameter_type(sw.Const) is sw.Const


SCALE = 2


def scaled(v: Any) -> Any:
    return v * SCALE


def kernel(x: Any) -> None:
    x[0] = scaled(x[0])


def test_dependencies_notice_a_changed_global_and_function(monkeypatch: pytest.MonkeyPatch):
    built = build_module(kernel, (ArrayType(f32, 1),))
    steps = {row.steps for row in built.dependencies}
    assert (("global", "scaled"),) in steps
    assert (("global", "scaled"), ("global", "SCALE")) in steps
    rows = [[list(step) for step in row.steps] for row in built.dependencies]
    before = ",".join(row.fingerprint for row in built.dependencies)
    assert fingerprints(kernel, rows) == before
    monkeypatch.setitem(kernel.__globals__, "SCALE", 3)
    assert fingerprints(kernel, rows) not in (before, None)
    monkeypatch.undo()
    monkeypatch.setitem(kernel.__globals__, "scaled", lambda v: v)
    assert fingerprints(kernel, rows) != before
    monkeypatch.undo()
    assert fingerprints(kernel, rows) == before
    monkeypatch.delitem(kernel.__globals__, "SCALE")
    assert fingerprints(kernel, rows) is None


def test_fingerprints_of_functions_see_code_constants_defaults_and_inner_functions():
    def make(source: str) -> Any:
        names: dict[str, Any] = {}
        exec(compile(source, "made.py", "exec"), names)
        return fingerprint_function(names["f"])

    base = make("def f(a, b=1):\n    return (lambda v: v + 1)(a)")
    assert base == make("def f(a, b=1):\n    return (lambda v: v + 1)(a)")
    for other in (
        "def f(a, b=2):\n    return (lambda v: v + 1)(a)",
        "def f(a, b=1):\n    return (lambda v: v + 2)(a)",
        "def f(a, b=1):\n    return (lambda v: v - 1)(a)",
        "def f(a, b=1.0):\n    return (lambda v: v + 1)(a)",
        "\ndef f(a, b=1):\n    return (lambda v: v + 1)(a)",
    ):
        assert make(other) != base, other


def test_intrinsics_outside_a_kernel_say_so():
    with pytest.raises(RuntimeError, match="works in a kernel only"):
        sw.thread_id(0)
    with pytest.raises(ValueError, match="order is 'fast'"):
        sw.atomic_add(None, 0, 1, order="fast")

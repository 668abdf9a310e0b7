"""Dataclasses, NamedTuples and structured arrays."""

# Kernels have no annotations: they take what a call gives them.
# A checker has NumPy's f32 for no float.
# pyright: basic, reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from conformance.compare import check, expect_equal, launch, needs

import stepwell as sw
from stepwell.runtime.errors import ArrayError


@dataclass
class Vec:
    x: sw.f32
    y: sw.f32

    def dot(self, other):
        return self.x * other.x + self.y * other.y


@dataclass
class Ray:
    start: Vec
    step: Vec
    count: sw.i32


class Pair(NamedTuple):
    low: sw.i32
    high: sw.i32


def add(a, b):
    return Vec(a.x + b.x, a.y + b.y)


POINT = np.dtype([("x", "f4"), ("y", "f4")])
PARTICLE = np.dtype([("position", POINT), ("mass", "f8"), ("alive", "?"), ("id", "i4")], align=True)


def test_dataclass_local_and_from_a_function(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        a = Vec(np.float32(i), 2.0)
        b = add(a, Vec(x=1.0, y=-1.0))
        b.x += 10.0
        out[i] = b.x * 100.0 + b.y

    check(kernel, np.zeros(4, np.float32), device=device, over=4)


def test_elements_of_an_array_annotated_with_a_dataclass_are_its_objects(device: sw.Device):
    @sw.kernel
    def squares(vectors: sw.Array[Vec, 1], out: sw.Array[sw.f32, 1]):
        i = sw.global_id(0)
        out[i] = vectors[i].dot(vectors[i])
        vectors[i] = add(vectors[i], vectors[0])

    vectors = np.array([(0, 0), (1, 2), (3, 4)], POINT)
    out = np.zeros(3, np.float32)
    squares.over(3, device=device)(vectors, out)
    assert out.tolist() == [0, 5, 25]
    assert vectors.tolist() == [(0, 0), (1, 2), (3, 4)]
    for fields in ([("x", "f4"), ("z", "f4")], [("x", "f4"), ("y", "i4")], [*"xyz"]):
        others = np.zeros(3, [field if len(field) == 2 else (field, "f4") for field in fields])
        with pytest.raises(ArrayError, match=r"the kernel's annotation says .*Vec\{x: f32@0"):
            squares.over(3, device=device)(others, out)
    with pytest.raises(ArrayError, match=r"strided.*annotation says"):
        squares.over(2, device=device)(vectors[::2], out)


def test_methods_of_dataclasses(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        out[i] = Vec(np.float32(i), 2.0).dot(Vec(3.0, 0.5))

    check(kernel, np.zeros(4, np.float32), device=device, over=4)


def test_dataclass_argument_with_nested_fields(device: sw.Device):
    def kernel(ray, out):
        i = sw.global_id(0)
        if i < ray.count:
            out[i, 0] = ray.start.x + ray.step.x * np.float32(i)
            out[i, 1] = ray.start.y + ray.step.y * np.float32(i)

    f = np.float32
    ray = Ray(Vec(f(1), f(2)), Vec(f(0.5), f(-0.25)), np.int32(3))
    check(kernel, ray, np.zeros((5, 2), np.float32), device=device, over=5)


def test_dataclass_is_a_value_when_assigned_from_a_parameter_of_a_function(device: sw.Device):
    def moved(v):
        return Vec(v.x + 1.0, v.y)

    def kernel(out):
        a = Vec(1.0, 2.0)
        b = moved(a)
        out[0] = a.x
        out[1] = b.x

    check(kernel, np.zeros(2, np.float32), device=device, over=1)


def test_struct_variable_changes_in_a_loop(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        v = Vec(0.0, 1.0)
        for _ in range(i):
            v = Vec(v.y, v.x + v.y)
        out[i] = v.x

    check(kernel, np.zeros(10, np.float32), device=device, over=10)


def test_named_tuple_argument_and_result(device: sw.Device):
    def ordered(a, b):
        return Pair(min(a, b), max(a, b))

    def kernel(limits, out):
        i = sw.global_id(0)
        pair = ordered(np.int32(i), limits.low)
        low, high = pair
        out[i] = low * 100 + pair.high + pair[0] + limits[1] + high

    check(kernel, Pair(np.int32(3), np.int32(9)), np.zeros(6, np.int32), device=device, over=6)


def particles() -> np.ndarray[Any, Any]:
    made = np.zeros(5, PARTICLE)
    made["position"]["x"] = np.arange(5)
    made["position"]["y"] = -np.arange(5) / 4
    made["mass"] = np.arange(5) * 1.1
    made["alive"] = [True, False, True, True, False]
    made["id"] = [7, 5, 3, 1, -1]
    return made


def test_fields_of_a_structured_array_are_read_and_written(device: sw.Device):
    needs(device, "f64")

    def kernel(p):
        i = sw.global_id(0)
        if p[i].alive:
            p[i].position.x += 1.0
            p[i].mass = p[i].mass * 2.0
        p[i].id = p[i].id + i
        p[i].alive = not p[i].alive

    got, expected = particles(), particles()
    launch(kernel, got, device=device, over=5)
    alive = expected["alive"].copy()
    expected["position"]["x"][alive] += 1
    expected["mass"][alive] *= 2
    expected["id"] += np.arange(5, dtype=np.int32)
    expected["alive"] = ~alive
    expect_equal(got, expected, device=device)


def test_elements_of_a_structured_array_are_copied_whole(device: sw.Device):
    needs(device, "f64")

    def kernel(p, q):
        i = sw.global_id(0)
        point = p[i]
        q[4 - i] = point

    p = particles()
    q = np.zeros_like(p)
    launch(kernel, p, q, device=device, over=5)
    expect_equal(q, p[::-1].copy(), device=device)


def test_change_through_a_name_of_an_element_is_refused(device: sw.Device):
    """In NumPy it would change the array, which a value does not do."""

    def kernel(p):
        point = p[sw.global_id(0)]
        point.mass = 2.0

    with pytest.raises(sw.CompileError, match="would change the array"):
        launch(kernel, particles(), device=device, over=5)


def test_a_dataclass_is_stored_in_an_element(device: sw.Device):
    def kernel(q):
        i = sw.global_id(0)
        q[i] = Vec(np.float32(i), 7.0)

    q = np.zeros(3, POINT)
    launch(kernel, q, device=device, over=3)
    assert q["x"].tolist() == [0, 1, 2]
    assert q["y"].tolist() == [7, 7, 7]


def test_a_field_of_a_structured_array_as_an_argument(device: sw.Device):
    def kernel(masses):
        i = sw.global_id(0)
        masses[i] += 1.0

    got = particles()
    launch(kernel, got["mass"], device=device, over=5)
    expected = particles()
    expected["mass"] += 1
    expect_equal(got, expected, device=device)


def test_structured_array_of_two_dimensions(device: sw.Device):
    def kernel(p, out):
        i, j = sw.global_id(0), sw.global_id(1)
        out[i, j] = p[i, j].x - p[i, j].y

    p = np.zeros((2, 3), POINT)
    p["x"] = np.arange(6).reshape(2, 3)
    p["y"] = 10
    out = np.zeros((2, 3), np.float32)
    launch(kernel, p, out, device=device, over=(2, 3))
    expect_equal(out, p["x"] - p["y"], device=device)


def test_objects_made_of_another_ones_numbers_are_changed_alone(device: sw.Device):
    def kernel(out):
        i = sw.global_id(0)
        a = Vec(float(i), 1.0)
        b = Vec(a.y, a.x)
        c = replace(b, x=a.x + b.x)
        a.x += 10.0
        b.x += 20.0
        c.y += 30.0
        out[i] = (a.x * 100 + a.y) + (b.x * 10 + b.y) * 1000 + c.x - c.y

    check(kernel, np.zeros(5, np.float32), device=device, over=5)


def test_fields_that_are_arrays_are_tuples(device: sw.Device):
    record = np.dtype([("at", "f4", (2,)), ("m", "i4", (2, 3))], align=True)

    def kernel(records, out):
        i = sw.global_id(0)
        x, y = records[i].at
        records[i].at = (y, x)
        whole = records["at"]
        x, y = whole[i]
        out[i] = int(whole[i][0] * 100 + x * 10 + y) + len(whole[i])
        for k in range(3):
            out[i] += records[i].m[k % 2][k]
        whole[i] = (x + 1, y)

    records = np.zeros(2, record)
    records["at"] = [[1, 2], [3, 4]]
    records["m"] = np.arange(12).reshape(2, 2, 3)
    out = np.zeros(2, np.int32)
    launch(kernel, records, out, device=device, over=2)
    assert out.tolist() == [200 + 20 + 1 + 2 + 0 + 4 + 2, 400 + 40 + 3 + 2 + 6 + 10 + 8]
    assert records["at"].tolist() == [[3, 1], [5, 3]]
    assert records["m"].ravel().tolist() == list(range(12))


def test_known_items_of_fields_that_are_arrays_are_written(device: sw.Device):
    record = np.dtype([("n", "i4"), ("at", "f4", (2,)), ("m", "i4", (2, 3))], align=True)

    def kernel(records, counter):
        i = sw.global_id(0)
        records[i].at[1] = 7.0
        records[sw.atomic_add(counter, 0, 1)].at[0] += 1.0
        records[i].m[1][2] -= 5
        for k in sw.unroll(range(3)):
            records[i].m[0][k] = k * 10 + records[i].m[0][k]

    records, counter = np.zeros(3, record), np.zeros(1, np.int32)
    launch(kernel, records, counter, device=device, over=3)
    assert records["at"].tolist() == [[1, 7]] * 3
    assert records["m"].tolist() == [[[0, 10, 20], [0, 0, -5]]] * 3
    assert counter[0] == 3


@dataclass
class Sheet:
    cells: object
    width: int


@pytest.mark.parametrize("value", [(1, np.zeros(2)), (1, (2, np.zeros(2))), Sheet(np.zeros(2), 3)])
def test_arrays_in_tuples_and_objects_are_refused(device: sw.Device, value: object):
    def kernel(a, out):
        out[0] = 1

    with pytest.raises(ArrayError, match=r"argument a of .* with an array in it; pass each"):
        launch(kernel, value, np.zeros(1), device=device, over=1)

"""Vectors in kernels given as IR, of all lengths and elements, on every device."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy arrays: what strict mode says of them is noise.

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from conformance.compare import DTYPES, FLOATS, INTS, Array, expect_equal, is_float, needs, pairs
from conformance.ir_kernels import elementwise, run_ir

import stepwell as sw
from stepwell.targets import find_target

AT_ONCE = 12  # ops in one kernel
# Of 6 lanes, 4 and 2 are vectors of a shading language; types that a device lacks are scalars.
CASES = [(kind, 3) for kind in (*INTS, *FLOATS)] + [("i32", 6), ("f32", 6)]

_TWO_INTS = (
    *("addi", "subi", "muli", "andi", "ori", "xori", "minsi", "maxsi", "minui", "maxui"),
    *("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui"),
)
_TWO_FLOATS = (*("addf", "subf", "mulf", "divf", "minimumf", "maximumf", "minnumf", "maxnumf"),)
_COMPARED = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
_COMPARED_FLOATS = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult"),
    *("ule", "une", "uno", "true"),
)
_ONE_FLOAT = ("absf", "ceil", "floor", "trunc", "roundeven", "round", "sqrt", "exp", "sin")


def lanewise(dtype: str) -> dict[str, tuple[str, str]]:
    """Name to op and element of the result, of %a and %b of type {T}; {R} is the result's type."""
    found: dict[str, tuple[str, str]] = {}
    if is_float(dtype):
        found |= {op: (f"arith.{op} %a, %b : {{T}}", dtype) for op in _TWO_FLOATS}
        found |= {op: (f"math.{op} %a : {{T}}", dtype) for op in _ONE_FLOAT}
        found |= {p: (f"arith.cmpf {p}, %a, %b : {{T}}", "i1") for p in _COMPARED_FLOATS}
        found["negf"] = ("arith.negf %a : {T}", dtype)
        found["copysign"] = ("math.copysign %a, %b : {T}", dtype)
        found["to_int"] = ("arith.fptosi %a : {T} to {R}", "i32")
    else:
        found |= {op: (f"arith.{op} %a, %b : {{T}}", dtype) for op in _TWO_INTS}
        found |= {p: (f"arith.cmpi {p}, %a, %b : {{T}}", "i1") for p in _COMPARED}
        found |= {op: (f"math.{op} %a : {{T}}", dtype) for op in ("absi", "ctpop", "ctlz", "cttz")}
        found["to_float"] = ("arith.sitofp %a : {T} to {R}", "f32")
        found["to_float_unsigned"] = ("arith.uitofp %a : {T} to {R}", "f32")
    return found


def run_lanewise(
    device: sw.Device, table: dict[str, tuple[str, str]], dtype: str, count: int, a: Array, b: Array
) -> dict[str, Array]:
    """Some ops on vectors of so many lanes; on scalars where it is 1."""

    def of(kind: str) -> str:
        return kind if count == 1 else f"vector<{count}x{kind}>"

    def place(buffer: int, kind: str) -> str:
        return f"%x{buffer}[%at] : memref<?x{kind}, GLOBAL>" + f", {of(kind)}" * (count > 1)

    dialect = "memref" if count == 1 else "vector"
    lines = [f"%count = arith.constant {count} : index", "%at = arith.muli %i, %count : index"]
    lines += [f"%{name} = {dialect}.load {place(n, dtype)}" for n, name in enumerate("ab")]
    for number, (text, kind) in enumerate(table.values(), 2):
        lines.append(f"%r{number} = {text.format(T=of(dtype), R=of(kind))}")
        lines.append(f"{dialect}.store %r{number}, {place(number, kind)}")
    kinds = [kind for _, kind in table.values()]
    outs = [np.zeros(a.size, DTYPES["bool" if kind == "i1" else kind]) for kind in kinds]
    text = elementwise(lines, [dtype, dtype, *kinds])
    run_ir(device, text, a, b, *outs, grid=a.size // count)
    return dict(zip(table, outs, strict=True))


@pytest.mark.parametrize(("dtype", "count"), CASES)
def test_what_works_lane_by_lane(device: sw.Device, dtype: str, count: int):
    needs(device, dtype)
    a, b = (np.resize(x, -(-x.size // 24) * 24) for x in pairs(dtype, device=device))
    table = lanewise(dtype)
    names = list(table)
    for start in range(0, len(names), AT_ONCE):
        some = {name: table[name] for name in names[start : start + AT_ONCE]}
        expected = run_lanewise(device, some, dtype, 1, a, b)
        got = run_lanewise(device, some, dtype, count, a, b)
        for name, values in expected.items():
            expect_equal(got[name], values, what=f"{name} of {count} {dtype}", device=device)


# --- lanes ----------------------------------------------------------------------------------------

F, N = "vector<6xf32>", "vector<6xi32>"
Lanes = Callable[..., object]

# Name: the ops that make %r of two vectors %a and %b, its type, and the same with NumPy for one
# thread, which gets its number i, a, b.
REGISTERS: dict[str, tuple[Sequence[str], str, Lanes]] = {
    "extract": (
        [f"%x = vector.extract %a[4] : f32 from {F}", f"%r = vector.splat %x : {F}"],
        F, lambda i, a, b: np.full(6, a[4]),
    ),
    "extract dynamic": (
        [f"%x = vector.extract %a[%i] : f32 from {F}", f"%r = vector.broadcast %x : f32 to {F}"],
        F, lambda i, a, b: np.full(6, a[i]),
    ),
    "extract dynamic of a short one": (
        [
            f"%s = vector.shuffle %a, %b [1, 0, 9, 3] : {F}, {F}",
            "%three = arith.constant 3 : index",
            "%k = arith.andi %i, %three : index",
            "%x = vector.extract %s[%k] : f32 from vector<4xf32>",
            f"%r = vector.splat %x : {F}",
        ],
        F, lambda i, a, b: np.full(6, [a[1], a[0], b[3], a[3]][i & 3]),
    ),
    "insert": (
        [f"%x = vector.extract %b[0] : f32 from {F}",
         f"%r = vector.insert %x, %a [5] : f32 into {F}"],
        F, lambda i, a, b: [*a[:5], b[0]],
    ),
    "insert dynamic": (
        [f"%x = vector.extract %b[0] : f32 from {F}",
         f"%r = vector.insert %x, %a [%i] : f32 into {F}"],
        F, lambda i, a, b: [*a[:i], b[0], *a[i + 1 :]],
    ),
    "insert dynamic into a short one": (
        [
            f"%s = vector.shuffle %a, %b [0, 1, 2] : {F}, {F}",
            "%one = arith.constant 1 : index",
            "%k = arith.andi %i, %one : index",
            f"%x = vector.extract %b[5] : f32 from {F}",
            "%t = vector.insert %x, %s [%k] : f32 into vector<3xf32>",
            "%u = vector.insert %x, %t [2] : f32 into vector<3xf32>",
            "%r = vector.shuffle %u, %u [0, 1, 2, 3, 4, 5] : vector<3xf32>, vector<3xf32>",
        ],
        F, lambda i, a, b: [[b[5], a[1], b[5]], [a[0], b[5], b[5]]][i & 1] * 2,
    ),
    "shuffle": (
        [f"%r = vector.shuffle %a, %b [11, 0, 6, 5, 5, 7] : {F}, {F}"],
        F, lambda i, a, b: [b[5], a[0], b[0], a[5], a[5], b[1]],
    ),
    "from elements": (
        [f"%x = vector.extract %a[1] : f32 from {F}", f"%y = vector.extract %b[2] : f32 from {F}",
         f"%r = vector.from_elements %x, %y, %y, %x, %x, %y : {F}"],
        F, lambda i, a, b: [a[1], b[2], b[2], a[1], a[1], b[2]],
    ),
    "one lane to all": (
        [f"%x = vector.shuffle %a, %a [3] : {F}, {F}",
         f"%r = vector.broadcast %x : vector<1xf32> to {F}"],
        F, lambda i, a, b: np.full(6, a[3]),
    ),
    "step": (
        ["%s = vector.step : vector<6xindex>",
         f"%r = arith.index_cast %s : vector<6xindex> to {N}"],
        N, lambda i, a, b: np.arange(6),
    ),
    "masks": (
        ["%m = vector.constant_mask [4] : vector<6xi1>",
         "%k = vector.create_mask %i : vector<6xi1>",
         "%both = arith.xori %m, %k : vector<6xi1>",
         f"%r = arith.select %both, %a, %b : vector<6xi1>, {F}"],
        F, lambda i, a, b: np.where((np.arange(6) < 4) ^ (np.arange(6) < i), a, b),
    ),
    "one condition for all": (
        [f"%x = vector.extract %a[0] : f32 from {F}", f"%y = vector.extract %b[0] : f32 from {F}",
         "%c = arith.cmpf olt, %x, %y : f32", f"%r = arith.select %c, %a, %b : {F}"],
        F, lambda i, a, b: a if a[0] < b[0] else b,
    ),
    "bits to narrow lanes": (
        [f"%h = vector.bitcast %a : {F} to vector<12xi16>",
         "%s = vector.shuffle %h, %h [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10] "
         ": vector<12xi16>, vector<12xi16>", f"%r = vector.bitcast %s : vector<12xi16> to {N}"],
        N, lambda i, a, b: (a.view("u4") << 16 | a.view("u4") >> 16).view("i4"),
    ),
    "bits to wide lanes": (
        [f"%w = vector.bitcast %a : {F} to vector<3xi64>",
         "%c = arith.constant dense<9> : vector<3xi64>",
         "%v = arith.addi %w, %c : vector<3xi64>",
         f"%r = vector.bitcast %v : vector<3xi64> to {N}"],
        N, lambda i, a, b: (a.view("i8") + 9).view("i4"),
    ),
    "fma": (
        [f"%r = vector.fma %a, %b, %a : {F}"],
        F, lambda i, a, b: (a.astype("f8") * b + a).astype("f4"),
    ),
    "a loop carries it": (
        ["%zero = arith.constant 0 : index", "%one = arith.constant 1 : index",
         f"%r = scf.for %k = %zero to %i step %one iter_args(%t = %a) -> ({F}) {{",
         f"  %u = arith.addf %t, %b : {F}", f"  scf.yield %u : {F}", "}"],
        F, lambda i, a, b: sum([b] * i, a),
    ),
    "a branch gives it": (
        ["%two = arith.constant 2 : index", "%c = arith.cmpi slt, %i, %two : index",
         f"%r = scf.if %c -> ({F}) {{", f"  scf.yield %a : {F}", "} else {",
         f"  %n = arith.negf %b : {F}", f"  scf.yield %n : {F}", "}"],
        F, lambda i, a, b: a if i < 2 else -b,
    ),
}  # fmt: skip
THREADS = 5


def numbers(seed: int) -> Array:
    """Six small numbers for each thread, whose sums are exact."""
    return np.random.default_rng(seed).integers(-99, 99, (THREADS, 6)).astype(np.float32)


@pytest.mark.parametrize("name", REGISTERS)
def test_what_moves_lanes(device: sw.Device, name: str):
    lines, kind, expected = REGISTERS[name]
    a, b, out = numbers(1), numbers(2), np.zeros((THREADS, 6), "f4" if kind == F else "i4")
    element = "f32" if kind == F else "i32"
    body = [
        "%six = arith.constant 6 : index",
        "%at = arith.muli %i, %six : index",
        f"%a = vector.load %x0[%at] : memref<?xf32, GLOBAL>, {F}",
        f"%b = vector.load %x1[%at] : memref<?xf32, GLOBAL>, {F}",
        *lines,
        f"vector.store %r, %x2[%at] : memref<?x{element}, GLOBAL>, {kind}",
    ]
    text = elementwise(body, ["f32", "f32", element])
    run_ir(device, text, a.ravel(), b.ravel(), out.ravel(), grid=THREADS)
    for i in range(THREADS):
        np.testing.assert_array_equal(out[i], np.array(expected(i, a[i], b[i]), out.dtype))


REDUCTIONS: dict[str, tuple[str, Callable[[Array], object]]] = {
    "add": ("i32 f32 i64 f16", np.sum),
    "mul": ("i32 f32", np.prod),
    "and": ("i32 i8", np.bitwise_and.reduce),
    "or": ("i32", np.bitwise_or.reduce),
    "xor": ("i32 i64", np.bitwise_xor.reduce),
    "minsi": ("i32 i8", np.min),
    "maxsi": ("i32", np.max),
    "minui": ("i32", lambda x: x.view("u4").min().view("i4")),
    "maxui": ("i32", lambda x: x.view("u4").max().view("i4")),
    "minimumf": ("f32 bf16", np.min),
    "maximumf": ("f32", np.max),
    "minnumf": ("f32", np.fmin.reduce),
    "maxnumf": ("f32 f16", np.fmax.reduce),
}


@pytest.mark.parametrize("kind", REDUCTIONS)
def test_reductions(device: sw.Device, kind: str):
    names, function = REDUCTIONS[kind]
    for dtype in names.split():
        x = np.random.default_rng(3).integers(-5, 5, (THREADS, 7)).astype(DTYPES[dtype])
        if "num" in kind:
            x[::2, ::3] = np.nan
        out, after = np.zeros(THREADS, x.dtype), np.zeros(THREADS, x.dtype)
        vector, place = f"vector<6x{dtype}>", f": memref<?x{dtype}, GLOBAL>"
        body = [
            "%seven = arith.constant 7 : index",
            "%six = arith.constant 6 : index",
            "%at = arith.muli %i, %seven : index",
            "%last = arith.addi %at, %six : index",
            f"%v = vector.load %x0[%at] {place}, {vector}",
            f"%first = memref.load %x0[%last] {place}",
            f"%s = vector.reduction <{kind}>, %v : {vector} into {dtype}",
            f"%t = vector.reduction <{kind}>, %v, %first : {vector} into {dtype}",
            f"memref.store %s, %x1[%i] {place}",
            f"memref.store %t, %x2[%i] {place}",
        ]
        run_ir(device, elementwise(body, [dtype] * 3), x.ravel(), out, after, grid=THREADS)
        for i in range(THREADS):
            expected = np.array([function(x[i, :6]), function(x[i])]).astype(x.dtype)
            np.testing.assert_array_equal([out[i], after[i]], expected, err_msg=dtype)


def test_a_sum_of_floats_goes_from_lane_to_lane(device: sw.Device):
    x, out = np.array([1e8, 1, -1e8, 3e7, 1, 1], np.float32), np.zeros(1, np.float32)
    body = [
        f"%v = vector.load %x0[%i] : memref<?xf32, GLOBAL>, {F}",
        f"%s = vector.reduction <add>, %v : {F} into f32",
        "memref.store %s, %x1[%i] : memref<?xf32, GLOBAL>",
    ]
    run_ir(device, elementwise(body, ["f32", "f32"]), x, out)
    expected = np.float32(0)
    for number in x:
        expected += number
    assert out[0] == expected


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f32", "i8", "i64", "bf16", "bool"])
def test_memory_under_a_mask(device: sw.Device, dtype: str):
    element = "i1" if dtype == "bool" else dtype
    x = np.random.default_rng(4).integers(0, 2 if dtype == "bool" else 9, 12).astype(DTYPES[dtype])
    at, mask = np.array([5, 0, 11, 3, 3, 1000], np.int32), np.array([1, 1, 0, 1, 1, 0], bool)
    outs = [np.zeros(12, DTYPES[dtype]) for _ in range(4)]
    vector, place = f"vector<6x{element}>", f"memref<?x{element}, GLOBAL>"
    body = [
        f"%at = vector.load %x1[%i] : memref<?xi32, GLOBAL>, {N}",
        "%m = vector.load %x2[%i] : memref<?xi1, GLOBAL>, vector<6xi1>",
        f"%other = vector.load %x0[%i] : {place}, {vector}",
        "%two = arith.constant 2 : index",
        f"%a = vector.maskedload %x0[%two], %m, %other : {place}, vector<6xi1>, {vector} "
        f"into {vector}",
        f"%b = vector.gather %x0[%i] [%at], %m, %other : {place}, {N}, vector<6xi1>, {vector} "
        f"into {vector}",
        f"vector.store %a, %x3[%i] : {place}, {vector}",
        f"vector.store %b, %x4[%two] : {place}, {vector}",
        f"vector.maskedstore %x5[%two], %m, %other : {place}, vector<6xi1>, {vector}",
        f"vector.scatter %x6[%i] [%at], %m, %other : {place}, {N}, vector<6xi1>, {vector}",
    ]
    text = elementwise(body, [element, "i32", "i1", *[element] * 4])
    run_ir(device, text, x, at, mask, *outs)
    expected = [np.zeros(12, DTYPES[dtype]) for _ in range(4)]
    expected[0][:6] = np.where(mask, x[2:8], x[:6])
    expected[1][2:8] = np.where(mask, x[np.where(mask, at, 0)], x[:6])
    expected[2][2:8][mask] = x[:6][mask]
    for lane in np.flatnonzero(mask):
        expected[3][at[lane]] = x[lane]
    for got, wanted in zip(outs, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_views_of_more_dimensions(device: sw.Device):
    text = """gpu.module @m {
  gpu.func @kernel(%x: memref<?x?xf32, GLOBAL>,
      %s: memref<?x?xf32, strided<[?, ?], offset: ?>, GLOBAL>,
      %y: memref<?x4xf32, GLOBAL>) kernel {
    %i = gpu.global_id x
    %one = arith.constant 1 : index
    %zero = arith.constant 0 : index
    %a = vector.load %x[%i, %one] : memref<?x?xf32, GLOBAL>, vector<4xf32>
    %at = arith.constant dense<[1, 0, 2, 1]> : vector<4xi32>
    %all = arith.constant dense<true> : vector<4xi1>
    %b = vector.gather %s[%i, %zero] [%at], %all, %a :
      memref<?x?xf32, strided<[?, ?], offset: ?>, GLOBAL>, vector<4xi32>,
      vector<4xi1>, vector<4xf32> into vector<4xf32>
    %c = arith.subf %a, %b : vector<4xf32>
    vector.store %c, %y[%i, %zero] : memref<?x4xf32, GLOBAL>, vector<4xf32>
    gpu.return
  }
}
"""
    x = np.arange(35, dtype=np.float32).reshape(5, 7) ** 2
    s = np.arange(60, dtype=np.float32).reshape(10, 6)[::2, ::2]
    y = np.zeros((5, 4), np.float32)
    run_ir(device, text, x, s, y, grid=5)
    np.testing.assert_array_equal(y, x[:, 1:5] - s[:, [1, 0, 2, 1]])


def test_vectors_in_shared_memory_and_in_one_of_two_arrays(device: sw.Device):
    text = """gpu.module @m {
  gpu.func @kernel(%x: memref<?xf32, GLOBAL>, %y: memref<?xf32, GLOBAL>, %z: memref<?xf32, GLOBAL>)
      workgroup(%s: memref<8x4xf32, #gpu.address_space<workgroup>>) kernel {
    %t = gpu.thread_id x
    %zero = arith.constant 0 : index
    %four = arith.constant 4 : index
    %seven = arith.constant 7 : index
    %at = arith.muli %t, %four : index
    %c = arith.cmpi slt, %t, %four : index
    %m = scf.if %c -> (memref<?xf32, GLOBAL>) {
      scf.yield %x : memref<?xf32, GLOBAL>
    } else {
      scf.yield %y : memref<?xf32, GLOBAL>
    }
    %v = vector.load %m[%at] : memref<?xf32, GLOBAL>, vector<4xf32>
    vector.store %v, %s[%t, %zero] : memref<8x4xf32, #gpu.address_space<workgroup>>, vector<4xf32>
    gpu.barrier
    %other = arith.subi %seven, %t : index
    %w = vector.load %s[%other, %zero] : memref<8x4xf32, #gpu.address_space<workgroup>>,
      vector<4xf32>
    vector.store %w, %z[%at] : memref<?xf32, GLOBAL>, vector<4xf32>
    gpu.return
  }
}
"""
    x, y = np.arange(32, dtype=np.float32), -np.arange(32, dtype=np.float32)
    z = np.zeros(32, np.float32)
    run_ir(device, text, x, y, z, block=8)
    rows = np.concatenate([x[:16], y[16:]]).reshape(8, 4)
    np.testing.assert_array_equal(z.reshape(8, 4), rows[::-1])


def test_a_branch_with_vectors_around_a_subgroup_operation(device: sw.Device):
    if find_target(device.target).subgroup_size() < 4:
        pytest.skip("four threads are no subgroup")
    text = """gpu.module @m {
  gpu.func @kernel(%x: memref<?xf32, GLOBAL>, %y: memref<?xf32, GLOBAL>) kernel {
    %t = gpu.thread_id x
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %rest = arith.remui %t, %two : index
    %c = arith.cmpi eq, %rest, %zero : index
    %at = arith.muli %t, %two : index
    scf.if %c {
      %v = vector.load %x[%at] : memref<?xf32, GLOBAL>, vector<2xf32>
      %w = arith.addf %v, %v : vector<2xf32>
      %a = vector.extract %w[0] : f32 from vector<2xf32>
      %s = gpu.subgroup_reduce maximumf %a : (f32) -> f32
      %b = vector.insert %s, %w [0] : f32 into vector<2xf32>
      vector.store %b, %y[%at] : memref<?xf32, GLOBAL>, vector<2xf32>
    }
    gpu.return
  }
}
"""
    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    run_ir(device, text, x, y, block=4)  # as many threads as the smallest subgroup has lanes
    np.testing.assert_array_equal(y, [8, 2, 0, 0, 8, 10, 0, 0])

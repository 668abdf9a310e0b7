"""vector ops of the llvm path, executed: against NumPy, and against upstream's own lowering."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy arrays: what strict mode says of them is noise.

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable

import numpy as np
import pytest
from llvm_kernels import NUMPY, Loaded, llvm_text, load, vectorwise

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.native import assemble

W = 8
F, N = f"vector<{W}xf32>", f"vector<{W}xi32>"
MASK = f"""%z = arith.constant dense<0> : {N}
%m = arith.cmpi slt, %b, %z : {N}
"""
REDUCE = "%s = vector.reduction <{}>, %{} : {} into {}\n%r = vector.broadcast %s : {} to {}"


def reduction(kind: str, name: str, vector: str) -> str:
    element = vector.partition("x")[2][:-1]
    return REDUCE.format(kind, name, vector, element, element, vector)


def rows(function: Callable[..., object]) -> Callable[..., np.ndarray]:
    """The function of one vector's lanes, for all vectors of an array."""

    def whole(*arrays: np.ndarray) -> np.ndarray:
        split = [array.reshape(-1, W) for array in arrays]
        done = [np.broadcast_to(function(*lanes), (W,)) for lanes in zip(*split, strict=True)]
        return np.concatenate(done)

    return whole


def ordered_sum(lanes: np.ndarray) -> np.float32:
    total = np.float32(-0.0)
    for lane in lanes:
        total = np.float32(total + lane)
    return total


# Name: the body of %a, %b, the types of both and of %r; the same in NumPy.
REGISTERS: dict[str, tuple[str, list[str], str, Callable[..., np.ndarray]]] = {
    "broadcast": (
        f"%x = vector.extract %a[3] : f32 from {F}\n%r = vector.broadcast %x : f32 to {F}",
        ["f32"], "f32", rows(lambda a: a[3]),
    ),
    "splat": (
        f"%x = vector.extract %a[0] : f32 from {F}\n%r = vector.splat %x : {F}",
        ["f32"], "f32", rows(lambda a: a[0]),
    ),
    "splat of a constant": (
        f"%x = arith.constant 2.5 : f32\n%v = vector.broadcast %x : f32 to {F}\n"
        f"%r = arith.addf %a, %v : {F}",
        ["f32"], "f32", lambda a: a + np.float32(2.5),
    ),
    "broadcast of one lane": (
        f"%x = vector.shuffle %a, %a [5] : {F}, {F}\n"
        f"%r = vector.broadcast %x : vector<1xf32> to {F}",
        ["f32"], "f32", rows(lambda a: a[5]),
    ),
    "extract dynamic": (
        "%c7 = arith.constant 7 : index\n%k = arith.andi %i, %c7 : index\n"
        "%c3 = arith.constant 3 : index\n%l = arith.addi %k, %c3 : index\n"
        f"%x = vector.extract %a[%l] : f32 from {F}\n%r = vector.broadcast %x : f32 to {F}",
        ["f32"], "f32", rows(lambda a: a[3]),
    ),
    "insert": (
        f"%x = vector.extract %a[1] : f32 from {F}\n%r = vector.insert %x, %a [6] : f32 into {F}",
        ["f32"], "f32", rows(lambda a: np.array([*a[:6], a[1], a[7]])),
    ),
    "insert dynamic": (
        "%c7 = arith.constant 7 : index\n%k = arith.andi %i, %c7 : index\n"
        f"%x = vector.extract %a[1] : f32 from {F}\n%r = vector.insert %x, %a [%k] : f32 into {F}",
        ["f32"], "f32", rows(lambda a: np.array([a[1], *a[1:]])),
    ),
    "shuffle": (
        f"%r = vector.shuffle %a, %b [0, 8, 15, 1, 1, 7, 9, 3] : {F}, {F}",
        ["f32", "f32"], "f32",
        rows(lambda a, b: np.array([a[0], b[0], b[7], a[1], a[1], a[7], b[1], a[3]])),
    ),
    "shuffle of two lengths": (
        f"%h = vector.shuffle %a, %a [6, 7] : {F}, {F}\n"
        f"%g = vector.shuffle %h, %b [1, 2, 9] : vector<2xf32>, {F}\n"
        f"%r = vector.shuffle %b, %g [0, 1, 2, 3, 4, 8, 9, 10] : {F}, vector<3xf32>",
        ["f32", "f32"], "f32",
        rows(lambda a, b: np.array([*b[:5], a[7], b[0], b[7]])),
    ),
    "step": (
        f"%s = vector.step : vector<{W}xindex>\n"
        f"%r = arith.index_cast %s : vector<{W}xindex> to {N}",
        ["i32"], "i32", rows(lambda b: np.arange(W, dtype=np.int32)),
    ),
    "bitcast": (
        f"%h = vector.bitcast %a : {F} to vector<16xi16>\n"
        f"%g = vector.shuffle %h, %h [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14] "
        f": vector<16xi16>, vector<16xi16>\n%r = vector.bitcast %g : vector<16xi16> to {N}",
        ["f32"], "i32",
        lambda a: (a.view("u4") << 16 | a.view("u4") >> 16).view("i4"),
    ),
    "fma": (
        f"%r = vector.fma %a, %b, %a : {F}",
        ["f32", "f32"], "f32",
        lambda a, b: (a.astype("f8") * b.astype("f8") + a.astype("f8")).astype("f4"),
    ),
    "constant mask": (
        f"%m = vector.constant_mask [3] : vector<{W}xi1>\n"
        f"%r = arith.select %m, %a, %b : vector<{W}xi1>, {F}",
        ["f32", "f32"], "f32", rows(lambda a, b: np.array([*a[:3], *b[3:]])),
    ),
    "sum in order": (reduction("add", "a", F), ["f32"], "f32", rows(ordered_sum)),
    "product": (
        reduction("mul", "b", N), ["i32", "i32"], "i32",
        rows(lambda a, b: np.multiply.reduce(b, dtype=np.int32)),
    ),
    "sum after a value": (
        f"%x = vector.extract %b[0] : f32 from {F}\n"
        f"%s = vector.reduction <add>, %a, %x : {F} into f32\n"
        f"%r = vector.broadcast %s : f32 to {F}",
        ["f32", "f32"], "f32",
        rows(lambda a, b: ordered_sum(np.array([b[0], *a], np.float32))),
    ),
    "any order": (
        f"%i2 = arith.fptosi %a : {F} to {N}\n%w = arith.sitofp %i2 : {N} to {F}\n"
        f"%s = vector.reduction <add>, %w fastmath<reassoc> : {F} into f32\n"
        f"%r = vector.broadcast %s : f32 to {F}",
        ["f32"], "f32", rows(lambda a: np.trunc(a).sum()),
    ),
    **{
        f"{kind} after a value": (
            f"%x = vector.extract %b[1] : i32 from {N}\n"
            f"%s = vector.reduction <{kind}>, %b, %x : {N} into i32\n"
            f"%r = vector.broadcast %s : i32 to {N}",
            ["i32", "i32"], "i32", rows(lambda a, b, f=f: f([*b, b[1]])),
        )
        for kind, f in {
            "add": lambda v: np.add.reduce(v, dtype=np.int32),
            "xor": np.bitwise_xor.reduce, "minsi": min, "maxui":
            lambda v: np.array(v).view("u4").max().view("i4"),
        }.items()
    },
    **{
        kind: (reduction(kind, "a", N), ["i32"], "i32", rows(function))
        for kind, function in {
            "and": np.bitwise_and.reduce, "or": np.bitwise_or.reduce, "maxsi": max,
            "minui": lambda a: a.view("u4").min().view("i4"),
        }.items()
    },
    **{
        kind: (reduction(kind, "a", F), ["f32"], "f32", rows(function))
        for kind, function in {"minimumf": np.min, "maximumf": np.max}.items()
    },
    **{
        kind: (reduction(kind, "a", F), ["f32"], "f32", rows(function))
        for kind, function in {"minnumf": np.nanmin, "maxnumf": np.nanmax}.items()
    },
    "all": (
        f"%z = arith.constant dense<0> : {N}\n%m = arith.cmpi sgt, %a, %z : {N}\n"
        f"%s = vector.reduction <and>, %m : vector<{W}xi1> into i1\n"
        f"%e = arith.extui %s : i1 to i32\n%r = vector.broadcast %e : i32 to {N}",
        ["i32"], "i32", rows(lambda a: np.int32((a > 0).all())),
    ),
    "loop": (
        f"%c1 = arith.constant 1 : index\n%c3 = arith.constant 3 : index\n"
        f"%r = scf.for %k = %c1 to %c3 step %c1 iter_args(%t = %a) -> ({F}) {{\n"
        f"  %u = arith.addf %t, %b : {F}\n  scf.yield %u : {F}\n}}",
        ["f32", "f32"], "f32", lambda a, b: (a + b) + b,
    ),
    "branch": (
        f"{MASK}%any = vector.reduction <or>, %m : vector<{W}xi1> into i1\n"
        f"%r = scf.if %any -> ({N}) {{\n  scf.yield %a : {N}\n}} else {{\n"
        f"  scf.yield %b : {N}\n}}",
        ["i32", "i32"], "i32", rows(lambda a, b: a if (b < 0).any() else b),
    ),
    "while": (
        f"%r = scf.while (%t = %a) : ({N}) -> {N} {{\n"
        f"  %k = arith.constant dense<40> : {N}\n  %m = arith.cmpi slt, %t, %k : {N}\n"
        f"  %any = vector.reduction <or>, %m : vector<{W}xi1> into i1\n"
        f"  scf.condition(%any) %t : {N}\n}} do {{\n^bb0(%u: {N}):\n"
        f"  %one = arith.constant dense<1> : {N}\n  %v = arith.addi %u, %one : {N}\n"
        f"  scf.yield %v : {N}\n}}",
        ["i32"], "i32", rows(lambda a: a + max(0, 40 - int(a.min()))),
    ),
}  # fmt: skip

MEMORY = f"""
func.func @memory(%a: memref<?xf32>, %n: memref<?xi32>, %out: memref<?xf32>, %i: index) {{
  %one = arith.constant 1 : index
  %else = arith.constant dense<-1.0> : {F}
  %b = vector.load %n[%i] : memref<?xi32>, {N}
  {MASK}
  %few = vector.create_mask %i : vector<{W}xi1>
  %x = vector.load %a[%i] : memref<?xf32>, {F}
  vector.store %x, %out[%i] : memref<?xf32>, {F}
  %k = arith.addi %i, %one : index
  %y = vector.maskedload %a[%k], %m, %else
    : memref<?xf32>, vector<{W}xi1>, {F} into {F}
  %c16 = arith.constant 16 : index
  %at = arith.addi %i, %c16 : index
  vector.store %y, %out[%at] : memref<?xf32>, {F}
  %c32 = arith.constant 32 : index
  %to = arith.addi %i, %c32 : index
  vector.maskedstore %out[%to], %few, %x : memref<?xf32>, vector<{W}xi1>, {F}
  %c48 = arith.constant 48 : index
  %g = vector.gather %a[%c16][%b], %m, %else
    : memref<?xf32>, {N}, vector<{W}xi1>, {F} into {F}
  %last = arith.addi %i, %c48 : index
  vector.store %g, %out[%last] : memref<?xf32>, {F}
  %c72 = arith.constant 72 : index
  vector.scatter %out[%c72][%b], %m, %x : memref<?xf32>, {N}, vector<{W}xi1>, {F}
  func.return
}}
"""


def registers_module() -> str:
    return "\n".join(
        vectorwise(f"k{number}", body, inputs, output, W)
        for number, (body, inputs, output, _) in enumerate(REGISTERS.values())
    )


def inputs_of(kinds: list[str]) -> list[np.ndarray]:
    rng = np.random.default_rng(len(kinds))
    arrays: list[np.ndarray] = []
    for kind in kinds:
        if kind == "f32":
            arrays.append(rng.uniform(-9, 9, 6 * W).astype(np.float32))
        else:
            arrays.append(rng.integers(-50, 50, 6 * W, dtype=np.int32))
            arrays[-1][:W] = np.abs(arrays[-1][:W]) + 1
    return arrays


@pytest.fixture(scope="module")
def ours() -> Loaded:
    return load(llvm_text(registers_module() + MEMORY))


@pytest.mark.parametrize("name", REGISTERS)
def test_register_ops_are_numpys(ours: Loaded, name: str):
    _, inputs, output, function = REGISTERS[name]
    arrays, got = inputs_of(inputs), np.empty(6 * W, NUMPY[output])
    ours.call(f"k{list(REGISTERS).index(name)}", *arrays, got)
    expected = function(*arrays)
    assert expected.dtype == got.dtype
    np.testing.assert_array_equal(got, expected)


def test_numbers_win_over_nan_and_minus_zero_is_less(ours: Loaded):
    lanes = np.array([0.0, -0.0, np.nan, np.nan, 0.0, -0.0, np.nan, 0.0] * 2, np.float32)
    got = np.empty_like(lanes)
    expected = {"minnumf": -0.0, "maxnumf": 0.0, "minimumf": np.nan, "maximumf": np.nan}
    for name, value in expected.items():
        ours.call(f"k{list(REGISTERS).index(name)}", lanes, got)
        np.testing.assert_array_equal(got, np.full_like(got, value), name)
        if value == 0:
            assert np.signbit(got).all() == np.signbit(value), name


def memory_inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(9)
    offsets = rng.permutation(np.arange(-9, 7))[:16].astype(np.int32)
    return rng.random(40).astype(np.float32), offsets, np.zeros(96, np.float32)


def expected_memory(i: int) -> np.ndarray:
    a, n, out = memory_inputs()
    b = n[i : i + W]
    m = b < 0
    out[i : i + W] = a[i : i + W]
    out[i + 16 : i + 16 + W] = np.where(m, a[i + 1 : i + 1 + W], -1)
    out[i + 32 : i + 32 + min(i, W)] = a[i : i + min(i, W)]
    out[i + 48 : i + 48 + W] = np.where(m, a[16 + b], -1)
    out[72 + b[m]] = a[i : i + W][m]
    return out


@pytest.mark.parametrize("i", [0, 3, 8])
def test_memory_ops_are_numpys(ours: Loaded, i: int):
    a, n, out = memory_inputs()
    ours.call("memory", a, n, out, i)
    np.testing.assert_array_equal(out, expected_memory(i))


# --- upstream's lowering of the same text ---------------------------------------------------------

TOOLS = {
    name: shutil.which(f"{name}-19") or shutil.which(f"/usr/lib/llvm-19/bin/{name}")
    for name in ("mlir-opt", "mlir-translate")
}
PASSES = (
    *("--convert-scf-to-cf", "--convert-vector-to-llvm", "--expand-strided-metadata"),
    *("--finalize-memref-to-llvm", "--convert-arith-to-llvm", "--convert-index-to-llvm"),
    *("--convert-func-to-llvm", "--convert-cf-to-llvm", "--reconcile-unrealized-casts"),
)


@pytest.fixture(scope="module")
def theirs() -> Loaded:
    if None in TOOLS.values():
        pytest.skip("mlir-opt and mlir-translate 19 are not installed")
    text = registers_module() + MEMORY
    for command in ([TOOLS["mlir-opt"], *PASSES], [TOOLS["mlir-translate"], "--mlir-to-llvmir"]):
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        text = done.stdout
    return load(text, external=("malloc", "free"))


def described(arrays: list[np.ndarray]) -> list[object]:
    """Arrays as upstream passes them: two pointers, offset, size, stride."""
    flat: list[object] = []
    for array in arrays:
        pointer = ctypes.c_void_p(array.ctypes.data)
        flat += [pointer, pointer, 0, len(array), 1]
    return flat


def test_upstreams_lowering_gives_the_same(ours: Loaded, theirs: Loaded):
    for number, (name, (_, inputs, output, _)) in enumerate(REGISTERS.items()):
        arrays = inputs_of(inputs)
        first, second = (np.empty(6 * W, NUMPY[output]) for _ in range(2))
        ours.call(f"k{number}", *arrays, first)
        theirs.call(f"k{number}", *described([*arrays, second]))
        np.testing.assert_array_equal(first, second, name)
    a, n, out = memory_inputs()
    theirs.call("memory", *described([a, n, out]), 3)
    np.testing.assert_array_equal(out, expected_memory(3))


# --- what upstream means otherwise, or not at all -------------------------------------------------


def test_bools_are_bytes_and_strides_count():
    text = f"""
func.func @k(%m: memref<?xi1>, %s: memref<?x4xf32, strided<[?, 2]>>, %out: memref<?xf32>) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %mask = vector.load %m[%c0] : memref<?xi1>, vector<{W}xi1>
  %step = vector.step : vector<{W}xindex>
  %else = arith.constant dense<0.0> : {F}
  %v = vector.gather %s[%c0, %c1][%step], %mask, %else
    : memref<?x4xf32, strided<[?, 2]>>, vector<{W}xindex>, vector<{W}xi1>, {F} into {F}
  vector.store %v, %out[%c0] : memref<?xf32>, {F}
  %t = arith.constant dense<true> : vector<{W}xi1>
  %not = arith.xori %mask, %t : vector<{W}xi1>
  vector.maskedstore %m[%c0], %mask, %not : memref<?xi1>, vector<{W}xi1>, vector<{W}xi1>
  func.return
}}"""
    mask = np.array([1, 0, 1, 1, 0, 0, 1, 0], np.bool_)
    data, out = np.arange(64, dtype=np.float32), np.empty(W, np.float32)
    load(llvm_text(text)).call("k", mask, data.reshape(1, 64)[:, :1].base, 8, out)
    lanes = 2 + 2 * np.arange(W)
    np.testing.assert_array_equal(out, np.where([1, 0, 1, 1, 0, 0, 1, 0], data[lanes], 0))
    assert not mask.any()


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_small_floats_are_added_in_f32(kind: str):
    body = reduction("add", "a", f"vector<{W}x{kind}>")
    ones = [256.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0]
    a = np.array(ones, np.float32)
    bits = (a.view("u4") >> 16).astype("u2") if kind == "bf16" else a.astype("f2").view("u2")
    out = np.empty_like(bits)
    load(llvm_text(vectorwise("k", body, [kind], kind, W))).call("k", bits, out)
    total = out.astype("u4") << 16 if kind == "bf16" else out.view("f2")
    value = total.view("f4")[0] if kind == "bf16" else total[0]
    assert value == 260.0


def test_only_lanes_that_are_set_touch_memory():
    text = f"""
func.func @k(%m: memref<?xf32>, %n: index, %out: memref<?xf32>) {{
  %c0 = arith.constant 0 : index
  %far = arith.constant dense<4611686018427387904> : vector<{W}xi64>
  %none = vector.constant_mask [0] : vector<{W}xi1>
  %x = arith.constant dense<7.0> : {F}
  %v = vector.gather %m[%c0][%far], %none, %x
    : memref<?xf32>, vector<{W}xi64>, vector<{W}xi1>, {F} into {F}
  vector.scatter %m[%c0][%far], %none, %x
    : memref<?xf32>, vector<{W}xi64>, vector<{W}xi1>, {F}
  %last = vector.create_mask %n : vector<{W}xi1>
  %w = vector.maskedload %m[%c0], %last, %v
    : memref<?xf32>, vector<{W}xi1>, {F} into {F}
  vector.store %w, %out[%c0] : memref<?xf32>, {F}
  func.return
}}"""
    import mmap

    pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    whole = np.frombuffer(pages, np.uint8)
    libc = ctypes.CDLL(None)
    second = ctypes.c_void_p(whole.ctypes.data + mmap.PAGESIZE)
    assert libc.mprotect(second, mmap.PAGESIZE, 0) == 0  # from here on nothing can be read
    try:
        end = whole[mmap.PAGESIZE - 8 : mmap.PAGESIZE].view(np.float32)
        end[:] = 1, 2
        out = np.empty(W, np.float32)
        load(llvm_text(text)).call("k", end, 2, out)
        np.testing.assert_array_equal(out, [1, 2, 7, 7, 7, 7, 7, 7])
    finally:
        assert libc.mprotect(second, mmap.PAGESIZE, 3) == 0


def test_text_of_llvm_is_aligned_and_not_cached_where_the_op_says_so():
    text = llvm_text(f"""
func.func @k(%m: memref<?xf32>, %i: index) {{
  %v = vector.load %m[%i] : memref<?xf32>, {F}
  %w = arith.addf %v, %v : {F}
  vector.store %w, %m[%i] {{alignment = 32 : i64, nontemporal = true}} : memref<?xf32>, {F}
  func.return
}}""")
    assert f"load <{W} x float>, ptr %v3, align 4\n" in text
    assert "align 32, !nontemporal" in text
    assert "vmovntps" in assemble(text, features="+avx").asm()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("%v = arith.constant dense<0> : vector<2x2xi32>", "vectors have one dimension"),
        (
            "%z = arith.constant 0 : index\n"
            "%v = vector.load %m[%z] : memref<?xf32, strided<[2]>>, vector<4xf32>",
            "gather and scatter",
        ),
    ],
)
def test_what_vectors_cannot_be_is_refused(body: str, reason: str):
    text = f"func.func @k(%m: memref<?xf32, strided<[2]>>) {{\n{body}\nfunc.return\n}}"
    with pytest.raises(CompileError, match=reason):
        llvm_text(text)

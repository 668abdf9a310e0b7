"""`sw.matrix` in the compiler: what is refused and where, what explain says, what PTX comes out."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import pickle

import numpy as np
import pytest
from oracles.ptx_device import PtxDevice
from refused_kernels import Row, refuses

import stepwell as sw
from stepwell.language.types import matrix_type
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool
from stepwell.runtime.errors import KernelError

HALVES, SINGLES = sw.Array[sw.f16, 2], sw.Array[sw.f32, 2]


def product(x, y, z):
    a = sw.matrix.load(x, 0, 0, (16, 16), "a")
    b = sw.matrix.load(y, 0, 0, (16, 16), role="b", transpose=True)
    c = sw.matrix.multiply_add(a, b, sw.matrix.fill(0.5, (16, 16), sw.f32))
    sw.matrix.store(z, 0, 0, c)


def test_matrix_units_of_nvidia_gpus_multiply():
    text = sw.kernel(product).ir("ptx", HALVES, HALVES, SINGLES, target="cuda:sm_75")
    assert "wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32" in text
    assert "wmma.load.b.sync.aligned.col.m16n16k16.global" in text
    if find_tool("ptxas") is not None:
        assert assemble_cubin(text, "sm_75")[0]


def test_explain_says_where_scalars_multiply():
    said = "is computed with scalars, row by row in each lane"
    made = sw.kernel(product)
    assert said in made.explain(HALVES, HALVES, SINGLES, device="cpu")
    assert said not in made.explain(HALVES, HALVES, SINGLES, device=PtxDevice("sm_80"))


def test_arrays_in_shared_memory_lie_as_matrices_ask_for():
    def kernel(z):
        tile = sw.shared((16, 16), sw.f32)
        sw.matrix.store(tile, 0, 0, sw.matrix.fill(1.0, (16, 16), sw.f32))
        sw.barrier()
        z[0, 0] = tile[3, 3]

    text = sw.kernel(kernel).ir("ptx", SINGLES, target="cuda:sm_80")
    assert ".shared .align 32 .b8" in text


@pytest.mark.parametrize(
    ("shape", "row", "message"),
    [
        ((16, 18), 0, "the rows of a matrix must be at multiples of 16 bytes"),
        ((17, 20), 1, "the start of a matrix must be at multiples of 32 bytes"),
    ],
)
def test_places_that_matrix_units_do_not_take_are_reported(
    shape: tuple[int, int], row: int, message: str
):
    def kernel(z, first):
        c = sw.matrix.fill(1.0, (16, 16), sw.f32)
        sw.matrix.store(z, first, 0, c)

    device = PtxDevice("sm_80")
    launch = sw.kernel(kernel).launch(1, 32, device=device)
    with pytest.raises(KernelError, match=message):
        launch(device.zeros(shape, np.float32), row)


def test_a_type_of_matrices_is_one_object():
    kind = matrix_type(16, 8, sw.f16, "a", True)
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert str(kind) == "matrix a of 16x8 f16, transposed"


A = "a = sw.matrix.load(x, 0, 0, (16, 16), 'a')\n    "
B = "b = sw.matrix.load(x, 0, 0, (16, 16), 'b')\n    "
C = "c = sw.matrix.fill(0.0, (16, 16), sw.f32)\n    "
REFUSALS: dict[str, tuple[str, str]] = {
    "shape": ("sw.matrix.load(x, 0, 0, 16, 'a')", "shape is 16, expected two positive constants"),
    "dynamic shape": ("sw.matrix.fill(0, (n, 16), sw.i32)", "expected two positive constants"),
    "role": ("sw.matrix.load(x, 0, 0, (16, 16), 'd')", 'role is \'d\', expected "a", "b" or'),
    "elements of factors": (
        "sw.matrix.fill(0, (16, 16), sw.i32, 'a')",
        "a matrix in the role a of i32, expected sw.f16, sw.bf16",
    ),
    "elements of sums": (
        "sw.matrix.fill(0, (16, 16), sw.i8)",
        "a matrix in the role c of i8, expected sw.f32",
    ),
    "no array": ("sw.matrix.load(n, 0, 0, (16, 16))", "takes an array of numbers with 2 axes"),
    "axes": ("sw.matrix.load(x[0], 0, 0, (16, 16))", "with 2 axes, got an array of f16 with 1"),
    "steps": ("sw.matrix.load(x[:, ::2], 0, 0, (16, 16))", "a row are not side by side"),
    "outside": (
        "s = sw.shared((16, 8), sw.f16)\n    sw.matrix.load(s, 0, 0, (16, 16), 'a')",
        "index 15 is out of bounds for axis 1 of the array of a matrix with size 8",
    ),
    "factors the wrong way round": (
        A + B + C + "sw.matrix.multiply_add(b, a, c)",
        'a is matrix b of 16x16 f16, expected a matrix in the role "a"',
    ),
    "sizes": (
        A + B + "sw.matrix.multiply_add(a, b, sw.matrix.fill(0.0, (16, 8), sw.f32))",
        "matrix a of 16x16 f16 and matrix b of 16x16 f16 do not multiply to matrix c of 16x8 f32",
    ),
    "sums": (
        A + B + "sw.matrix.multiply_add(a, b, sw.matrix.fill(0, (16, 16), sw.i32))",
        "a product of f16 and f16 with sums of i32",
    ),
    "stored factors": (A + "sw.matrix.store(x, 0, 0, a)", "matrix is matrix a of 16x16 f16, exp"),
    "stored elsewhere": (C + "sw.matrix.store(x, 0, 0, c)", "a matrix c of 16x16 f32 to an array"),
    "arithmetic": (C + "c = c + 1.0", "expected a number or bool, got matrix c of 16x16 f32"),
    "comparison": (C + "if c == c:\n        pass", "expected a number or bool, got matrix c"),
    "truth": (C + "if c:\n        pass", "expected a number or bool, got matrix c"),
    "negation": (C + "d = -c", "expected a number or bool, got matrix c"),
    "cast": (C + "d = sw.f32(c)", "expected a number or bool, got matrix c"),
    "element": (C + "x[0, 0] = c", "expected a number or bool, got matrix c"),
    "index": (C + "x[c, 0] = 0", "an index must be an integer, got matrix c"),
    "printed": (C + "print(c)", "expected a number or bool, got matrix c"),
    "argument of max": (C + "d = max(c, c)", "expected a number or bool, got matrix c"),
    "of two types": (
        C + "if n > 0:\n        c = sw.matrix.fill(0.0, (16, 8), sw.f32)",
        "variable c is matrix c of 16x16 f32 at line 4 and matrix c of 16x8 f32 here",
    ),
    "a number as well": (C + "if n > 0:\n        c = 0", "variable c is matrix c of 16x16 f32"),
    "subscript": (C + "d = c[0]", "matrix c of 16x16 f32"),
    "attribute": (C + "d = c.shape", "matrix c of 16x16 f32 has no attribute shape"),
}


test_refusals = refuses(
    {name: (body, "cpu", message) for name, (body, message) in REFUSALS.items()},
    (HALVES, sw.i32),
    "x, n",
)


UNITS: dict[str, Row] = {
    "a shape that no unit has": (
        "sw.matrix.store(z, 0, 0, sw.matrix.fill(0.0, (12, 12), sw.f32))",
        "cuda:sm_90",
        'a matrix of type !gpu.mma_matrix<12x12xf32, "COp"> is no operand of a wmma',
    ),
    "bf16 before Ampere": (
        "sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(sw.matrix.fill(1.0, (16, 16), sw.bf16, "
        "'a'), sw.matrix.fill(1.0, (16, 16), sw.bf16, 'b'), sw.matrix.load(z, 0, 0, (16, 16))))",
        "cuda:sm_75",
        "needs sm_80 or later, not sm_75",
    ),
}


test_what_matrix_units_lack_is_refused = refuses(UNITS, (SINGLES,), "z")

"""What the front end makes of Python, as simt IR: a line or two of each construct."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import stepwell as sw
from stepwell.language.annotations import struct_type
from stepwell.language.build import build_module
from stepwell.language.options import Options
from stepwell.language.types import ArrayType, ConstType, bf16, bool_, f16, f32, f64, i32, u32
from stepwell.runtime.artifact import Form

A = ArrayType(f32, 1)
A2 = ArrayType(f32, 2)
I = ArrayType(i32, 1)  # noqa: E741
B = ArrayType(bool_, 1)


def ir(function: Callable[..., Any], *types: Any, over: int | None = None, **options: Any) -> str:
    built = build_module(function, types, Form(over=over), Options(**options))
    built.module.verify()
    return str(built.module)


def in_order(text: str, *patterns: str) -> None:
    """Each pattern (a regular expression for part of a line) after the one before."""
    position = 0
    for pattern in patterns:
        found = re.compile(pattern).search(text, position)
        assert found, f"{pattern!r} is not in, or not in order:\n{text}"
        position = found.end()


def test_saxpy_is_checked_loads_and_a_store():
    def saxpy(a, x, y):
        i = sw.global_id(0)
        if i < y.shape[0]:
            y[i] = a * x[i] + y[i]

    in_order(
        ir(saxpy, sw.f32, A, A),
        r"gpu.func @saxpy\(%a: f32, %x: memref<\?xf32, #gpu.address_space<global>>",
        r"%\d+ = gpu.global_id x",
        r"memref.dim %y",
        r"arith.cmpi slt, %\d+, %\d+ : index",
        r"simt.if %\d+ \{",
        r'simt.check_index %\d+, %x, 0 : i64 as "x"',
        r"memref.load %x\[%\d+\]",
        r"arith.mulf %a, %\d+ : f32",
        r"arith.addf",
        r"memref.store",
        r"simt.return",
    )


def test_checks_can_be_left_out():
    def kernel(x, k):
        assert k[0] > 0
        x[k[0]] = k[0] // k[1]

    text = ir(kernel, A, I, checks=False)
    assert "check" not in text


def test_every_op_says_the_line_it_comes_from():
    def kernel(x):
        x[0] = x[1] + 1

    built = build_module(kernel, (A,))
    first = kernel.__code__.co_firstlineno + 1
    for op in built.module.walk():
        place = str(op.location)
        if op.name in ("memref.load", "arith.addf", "memref.store"):
            assert f"test_language_ir.py:{first}:" in place.replace('"', ""), place


def test_axes_of_over_count_from_the_last_dimension():
    def kernel(x):
        x[sw.global_id(0), sw.global_id(1)] = 0

    text = ir(kernel, A2, over=2)
    in_order(text, r"gpu.global_id y", r"gpu.global_id x")
    in_order(ir(kernel, A2), r"gpu.global_id x", r"gpu.global_id y")


def test_over_is_a_rank_or_a_shape():
    def fill(out):
        out[sw.global_id(0), sw.global_id(1)] = 1.0

    kernel = sw.kernel(fill)
    of_rank = kernel.ir("gpu", sw.Array[sw.f32, 2], over=2)
    assert kernel.ir("gpu", sw.Array[sw.f32, 2], over=(512, 512)) == of_rank
    for wrong in (0, 4, 512, (1, 1, 1, 1), "2"):
        with pytest.raises(sw.CompileError, match=r"expected the rank of an over\(\) launch"):
            kernel.ir("gpu", sw.Array[sw.f32, 2], over=wrong)  # pyright: ignore[reportArgumentType]
        with pytest.raises(sw.CompileError, match=r"expected the rank of an over\(\) launch"):
            sw.compile(kernel, (sw.Array[sw.f32, 2],), over=wrong)  # pyright: ignore[reportArgumentType]


def test_a_variable_assigned_once_needs_no_cell():
    def kernel(x):
        a = x[0]
        b = a + 1
        x[1] = a * b

    assert "simt.cell" not in ir(kernel, A)


def test_a_variable_assigned_twice_lives_in_a_cell_of_its_joined_type():
    def kernel(x):
        total = 0
        for i in range(len(x)):
            total += x[i]
        x[0] = total

    in_order(
        ir(kernel, ArrayType(f64, 1)),
        r"%total = simt.cell : !simt.cell<f64>",
        r"simt.set %\d+, %total : f64",
        r"simt.for %\d+ = %\d+ to %\d+ step %\d+ : index",
        r"simt.get %total",
    )


def test_a_literal_that_meets_nothing_is_i32():
    def kernel(k):
        n = 0
        while n < 3:
            n += 1
        k[0] = n

    assert "!simt.cell<i32>" in ir(kernel, I)


def test_short_circuit_without_effects_is_arithmetic():
    def kernel(x, n):
        x[0] = 1.0 if n > 0 and n < 5 else 0.0

    text = ir(kernel, A, sw.i32)
    assert "simt.if" not in text
    assert "arith.andi" in text


def test_short_circuit_guards_a_load():
    def kernel(x, n):
        if n < 5 and x[n] > 0:
            x[0] = 1

    in_order(ir(kernel, A, sw.i32), r"simt.if", r"simt.check_index", r"simt.if")


def test_a_chained_comparison_evaluates_the_middle_once():
    def kernel(x, k):
        if 0 < x[k[0]] < 5:
            x[0] = 1

    assert ir(kernel, A, I).count("memref.load %x") == 1


def test_a_constant_condition_compiles_one_branch():
    def kernel(x, mode):
        if mode == "double":
            x[0] = x[0] * 2
        else:
            x[0] = undefined_name  # noqa: F821  # pyright: ignore

    text = ir(kernel, A, ConstType("double"))
    assert "simt.if" not in text
    assert "mulf" in text


def test_unrolled_loops_leave_no_loop():
    def kernel(x):
        for i in sw.unroll(range(3)):
            x[i] = i

    text = ir(kernel, A)
    assert "simt.for" not in text
    assert text.count("memref.store") == 3


def test_an_unrolled_loop_with_exits_keeps_their_meaning():
    def kernel(x):
        for i in sw.unroll(range(2)):
            if x[i] > 0:
                continue
            if x[i] < 0:
                break
            x[i] = 1

    in_order(
        ir(kernel, A), r"simt.for", r"simt.for", r"simt.continue", r"simt.break", r"simt.break"
    )


def test_ranges_that_count_down_become_trip_counts():
    def kernel(x, n):
        for i in range(n, 0, -2):
            x[i] = i

    in_order(ir(kernel, A, sw.i32), r"arith.divui", r"simt.for .* : index", r"arith.muli .* : i32")


def test_a_step_known_at_run_time_only_is_checked():
    def kernel(x, n, s):
        for i in range(0, n, s):
            x[i] = i

    assert 'gpux.check %0, "assert", "range() step is zero"' in re.sub(
        r"%\d+", "%0", ir(kernel, A, sw.i32, sw.i32)
    )


def test_a_step_of_all_threads_is_known_to_be_positive():
    def product(x):
        for i in range(sw.global_id(0), x.shape[0], sw.grid_dim(0) * sw.block_dim(0)):
            x[i] = 1.0

    def constant(x):
        for i in range(sw.global_id(0), x.shape[0], 64 * sw.grid_dim(0)):
            x[i] = 1.0

    def other(x):
        for i in range(sw.global_id(0), x.shape[0], sw.grid_dim(0) * sw.block_dim(1)):
            x[i] = 1.0

    assert "divui" not in ir(product, A)
    assert "divui" not in ir(constant, A, block=(64, 1, 1))
    counted = re.search(
        r"%(\d+) = arith.muli .*simt.for \S+ = \S+ to \S+ step %(\d+) ", ir(product, A), re.S
    )
    assert counted is not None and counted[1] == counted[2]
    # It could wrap, where an index has 32 bits.
    assert "divui" in ir(other, A)
    assert "divui" in ir(constant, A)
    assert "divui" in ir(constant, A, block=(32, 1, 1))


def test_break_continue_else_stay_structured():
    def kernel(x):
        for i in range(len(x)):
            if x[i] == 1:
                continue
            if x[i] == 2:
                break
        else:
            x[0] = 3

    in_order(ir(kernel, A), r"simt.for", r"simt.continue", r"simt.break", r"\} else \{")


def test_bools_are_bytes_in_memory():
    def kernel(b, x):
        b[0] = x[0] > 0
        if b[1]:
            x[0] = 1

    text = ir(kernel, B, A)
    in_order(text, r"%b: memref<\?xi8", r"arith.extui %\d+ : i1 to i8", r"memref.store")
    in_order(text, r"memref.load %b", r"arith.cmpi ne")


def test_bf16_computes_in_f32():
    def kernel(x):
        x[0] = x[0] * x[1]

    in_order(
        ir(kernel, ArrayType(bf16, 1)),
        r"arith.extf %\d+ : bf16 to f32",
        r"arith.mulf %\d+, %\d+ : f32",
        r"arith.truncf %\d+ : f32 to bf16",
    )


def test_signs_are_in_the_ops():
    def kernel(k, u):
        k[0] = k[0] // k[1]
        u[0] = u[0] // u[1]
        u[1] = u[0] < u[1]

    in_order(ir(kernel, I, ArrayType(u32, 1)), r"simt.floordiv", r"arith.divui", r"arith.cmpi ult")


def test_integer_division_is_checked_unless_the_divisor_is_known():
    def kernel(k):
        k[0] = k[0] // 3
        k[1] = k[0] % k[1]

    assert ir(kernel, I).count('"division"') == 1


def test_slices_are_subviews_with_what_is_known_of_their_strides():
    def kernel(x):
        row = x[1, :]
        column = x[:, 2]
        row[0] = column[1]

    in_order(
        ir(kernel, A2),
        r"memref.subview .* to memref<\?xf32, strided<\[1\], offset: \?>",
        r"memref.subview .* to memref<\?xf32, strided<\[\?\], offset: 2>",
    )


def test_a_negative_constant_index_counts_from_the_end_and_is_checked():
    def kernel(x):
        x[-1] = 0

    in_order(ir(kernel, A), r"memref.dim %x", r"arith.subi", r"simt.check_index", r"memref.store")


def test_constant_indices_of_constant_sizes_need_no_check():
    def kernel(x):
        tile = sw.local(4, sw.f32)
        tile[-1] = x[0]
        x[1] = tile[3]

    text = ir(kernel, A)
    in_order(text, r"simt.local : memref<4xf32, #gpu.address_space<private>>")
    assert text.count("check_index") == 2


def test_shared_arrays_and_barriers():
    def kernel(x):
        tile = sw.shared((2, 8), sw.f32)
        dynamic = sw.shared(None, sw.i32)
        tile[0, sw.thread_id(0)] = x[0]
        sw.barrier()
        dynamic[0] = 1

    in_order(
        ir(kernel, A),
        r"simt.shared : memref<2x8xf32, #gpu.address_space<workgroup>>",
        r"simt.shared : memref<\?xi32, #gpu.address_space<workgroup>>",
        r"gpu.barrier",
    )


def test_called_functions_are_specialised_once_for_each_kind_of_argument():
    def twice(v):
        return v + v

    def kernel(x, k):
        x[0] = twice(x[0]) + twice(x[1])
        k[0] = twice(k[0])

    text = ir(kernel, A, I)
    in_order(text, r"func.call @twice\(", r"func.call @twice\(", r"func.call @twice_1\(")
    in_order(text, r"func.func private @twice\(%\d+: f32\) -> f32", r"simt.return %\d+ : f32")
    assert text.count("func.func") == 2


def test_a_function_that_returns_a_constant_is_that_constant():
    def width():
        return 16

    def kernel(x):
        tile = sw.shared(width(), sw.f32)
        tile[0] = x[0]

    assert "memref<16xf32" in ir(kernel, A)


def test_writes_through_called_functions_are_known():
    def fill(v):
        v[0] = 1

    def kernel(x, y):
        fill(x[1:])
        x[0] = y[0]

    built = build_module(kernel, (A, A))
    assert [info.writes for info in built.parameters] == [True, False]


@dataclasses.dataclass
class Point:
    x: float
    n: int


def test_a_struct_is_its_fields():
    def kernel(p, points):
        q = points[0]
        points[1] = Point(p.x + q.x, p.n)
        points[2].n = 3

    struct = struct_type(Point)
    assert struct is not None
    built = build_module(kernel, (struct, ArrayType(struct, 1)))
    built.module.verify()
    rows = [(i.name, i.kind, i.dtype, i.source.offset, i.strides) for i in built.parameters]
    assert rows == [
        ("p.x", "scalar", "f32", 0, None),
        ("p.n", "scalar", "i32", 4, None),
        ("points.x", "buffer", "f32", 0, (2,)),
        ("points.n", "buffer", "i32", 4, (2,)),
    ]
    assert [i.writes for i in built.parameters] == [False, False, True, True]


def test_atomics_say_kind_order_and_scope():
    def kernel(k):
        sw.atomic_max(k, 0, k[1], order="acquire", scope="block")
        sw.atomic_sub(k, 0, 3)

    in_order(
        ir(kernel, I),
        r'gpux.atomic_rmw "maxs" .* order "acquire" scope "block"',
        r"arith.subi",
        r'gpux.atomic_rmw "add" .* order "relaxed" scope "device"',
    )


def test_subgroup_operations_widen_what_lanes_cannot_exchange():
    def kernel(h):
        h[0] = sw.subgroup_reduce_add(h[0])
        h[1] = sw.shuffle_xor(h[1], 1)

    in_order(
        ir(kernel, ArrayType(f16, 1)),
        r"arith.extf",
        r"gpu.subgroup_reduce add %\d+ : \(f32\)",
        r"arith.truncf",
        r"gpu.shuffle xor",
    )


def test_print_and_assert_carry_values():
    def kernel(x, k):
        assert k[0] > 0, f"bad {k[0]}"
        print("x is", x[0], "{braces}", sep=": ")

    in_order(
        ir(kernel, A, I),
        r'gpux.check %\d+, "assert", "bad \{\}"\(%\d+ : i32\) formats \["i32"\]',
        r'gpux.print "x is: \{\}: \{\{braces\}\}"\(%\d+ : f32\) formats \["f32"\]',
    )


def test_math_and_numpy_functions_are_ops():
    def kernel(x):
        x[0] = math.sqrt(x[0]) + np.exp(x[1]) + np.maximum(x[2], 0) + math.floor(x[3])

    in_order(ir(kernel, A), r"math.sqrt", r"math.exp", r"arith.maximumf", r"math.floor")


def test_fastmath_is_on_every_float_op():
    def kernel(x):
        x[0] = math.sqrt(x[0]) * 2 + 1

    assert ir(kernel, A, fastmath=("contract", "afn")).count("fastmath<contract,afn>") == 3


def test_match_is_a_chain_of_comparisons():
    def kernel(k):
        match k[0]:
            case 1 | 2:
                k[1] = 1
            case n if n > 10:
                k[1] = n
            case _:
                k[1] = 0

    in_order(ir(kernel, I), r"arith.ori", r"simt.if", r"arith.cmpi sgt", r"simt.if", r"else")


def test_a_lambda_sees_outer_variables_as_they_are_when_called():
    def kernel(x):
        a = x[0]
        add = lambda v: v + a  # noqa: E731
        x[1] = add(x[1])

    in_order(ir(kernel, A), r"func.call @lambda\(%\d+, %\d+\)")


@pytest.mark.parametrize("count", [0, 1, 5, 8])
def test_small_integer_powers_are_multiplications(count: int):
    def kernel(x, n):
        x[0] = x[0] ** n

    text = ir(kernel, A, ConstType(count))
    assert "powf" not in text


def test_parameters_of_a_strided_array_carry_strides():
    def kernel(x):
        x[0, 0] = 1

    built = build_module(kernel, (ArrayType(f32, 2, contiguous=False),))
    assert "strided<[?, ?]>" in str(built.module)
    assert built.parameters[0].strides == (None, None)


def test_a_while_of_a_false_constant_is_not_compiled():
    debug = False

    def kernel(x):
        while debug:
            x[0] = undefined_name  # noqa: F821  # pyright: ignore
        x[0] = 1

    assert "simt.while" not in ir(kernel, A)

"""Kernels of the cpu level as machine code: entry, blocks, checks, prints, atomics, debugging."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy scalars of every type: what strict mode says of them is noise.

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import llvmlite.binding as llvm
import ml_dtypes
import numpy as np
import pytest
from llvm_kernels import KERNEL_ARGUMENTS, NUMPY, elementwise, launch, llvm_text, load
from xdsl.context import Context

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.emit.llvm_loops import Kind, kinds_of_loops
from stepwell.lowering.emit.machine import host_machine, host_triple, vector_bits
from stepwell.lowering.emit.native import assemble
from stepwell.lowering.parse import parse_module
from stepwell.lowering.to_llvm.to_llvm import ToLlvm
from stepwell.lowering.to_llvm.unpack_arguments import UnpackArguments
from stepwell.runtime.cpu_code import shared_text

SAXPY = f"""
func.func @saxpy(%a: f32, %x: memref<?xf32>, %y: memref<?xf32>,
    %ex: index, %ey: index, %ez: index, {KERNEL_ARGUMENTS})
    attributes {{gpux.kernel, gpux.over = 1 : i64}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %base = arith.muli %bx, %dx : index
  %left = arith.subi %ex, %base : index
  %n = arith.minsi %left, %dx : index
  scf.for %t = %c0 to %n step %c1 {{
    %i = arith.addi %base, %t : index
    %vx = memref.load %x[%i] : memref<?xf32>
    %vy = memref.load %y[%i] : memref<?xf32>
    %m = arith.mulf %a, %vx : f32
    %r = arith.addf %m, %vy : f32
    memref.store %r, %y[%i] : memref<?xf32>
  }}
  func.return
}}"""
ZERO_IDS = "ids(%bx, %by, %bz, %t, %c0, %c0 : index, index, index, index, index, index)"


def test_saxpy_over_blocks_of_a_grid():
    code = load(llvm_text(SAXPY))
    rng = np.random.default_rng(1)
    x, y = (rng.random(1003).astype(np.float32) for _ in range(2))
    expected = np.float32(2.5) * x + y
    blocks = -(-x.size // 64)
    arguments = (np.float32(2.5), x, y, x.size, 1, 1)
    status, words, _ = launch(code, "saxpy", arguments, (blocks, 1, 1), (64, 1, 1), chunk=3)
    assert status == 0
    assert words[8] >= blocks
    np.testing.assert_array_equal(y, expected)


def test_what_hardly_runs_is_not_optimised():
    check = f"""%many = arith.cmpi ugt, %ex, %ey : index
  gpux.check %many, "assert", "{{}} {{}} {{}}" (%ex, %ey, %ez : index, index, index)
      {ZERO_IDS.replace("%t", "%c0")} formats ["index", "index", "index"] site 0 : i32
  scf.for"""
    module = parse_module(SAXPY.replace("scf.for", check))
    ToLlvm().apply(Context(), module)
    UnpackArguments().apply(Context(), module)
    whole, apart = emit(module), emit(module, apart=True)
    as_written = "getelementptr i32, ptr %v0, i32 1"  # LLVM's passes count in bytes
    assert as_written in whole
    assert as_written not in assemble(whole.replace("optnone", "")).optimised()
    code = assemble(apart)
    assert as_written in code.optimised()
    assert re.search(r"<\d+ x float>", code.optimised())  # as wide as the processor likes them
    y = np.ones(100, np.float32)
    arguments = (np.float32(2), y.copy(), y, 100, 1, 1)
    assert launch(load(apart), "saxpy", arguments, (2, 1, 1), (64, 1, 1))[0] == 0
    np.testing.assert_array_equal(y, 3)


COLUMN = """
define void @column(ptr %p, i64 %width, i64 %n, double %x) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = mul i64 %i, %width
  %q = getelementptr double, ptr %p, i64 %at
  %old = load volatile double, ptr %q
  %new = fadd double %old, %x
  store volatile double %new, ptr %q
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}
"""
OVER_THREADS = (
    COLUMN.replace("label %end", "label %end, !llvm.loop !2")
    + '!0 = distinct !{}\n!1 = !{!"llvm.loop.parallel_accesses", !0}\n!2 = distinct !{!2, !1}\n'
)


@pytest.mark.skipif(not host_triple().startswith("x86_64"), reason="reads x86-64 instructions")
def test_addresses_stay_as_they_are_and_others_have_llvm_s_own_options():
    def as_others_do() -> str:
        machine = llvm.Target.from_triple(host_triple()).create_target_machine()
        return machine.emit_assembly(llvm.parse_assembly(COLUMN))

    ours, theirs = assemble(COLUMN, opt=1).asm(), as_others_do()
    assert "imul" in ours
    assert "imul" not in theirs


def test_a_loop_in_a_loop_over_threads_is_none_over_threads():
    assert kinds_of_loops(OVER_THREADS) == {Kind.THREADS}
    inner = "again:\n  br i1 %c, label %again, label %rest\nrest:\n  %next"
    assert kinds_of_loops(OVER_THREADS.replace("  %next", inner, 1)) == {Kind.OTHER}
    outer = "  br i1 %c, label %entry, label %out\nout:\n  ret void"
    assert kinds_of_loops(OVER_THREADS.replace("  ret void", outer)) == {Kind.THREADS}
    assert kinds_of_loops(OVER_THREADS.replace("parallel_accesses", "isvectorized")) == {
        Kind.VECTORS
    }


def test_a_loop_without_checks_is_vectorised():
    module = parse_module(SAXPY)
    ToLlvm().apply(Context(), module)
    UnpackArguments().apply(Context(), module)
    code = assemble(emit(module, attributes=host_machine().attributes))
    lanes = vector_bits(code.target.features) // 32
    assert f"<{lanes} x float>" in code.optimised()
    if host_triple().startswith("x86_64"):
        register = {4: "xmm", 8: "ymm", 16: "zmm"}[lanes]
        assert re.search(rf"v?mulps.*%{register}", code.asm())


def test_every_block_runs_once_with_its_ids():
    code = load(
        llvm_text(f"""
func.func @ids(%out: memref<?x?x?xi32>, {KERNEL_ARGUMENTS}) attributes {{gpux.kernel}} {{
  %plus = arith.constant 1 : i32
  %ten = arith.constant 10 : index
  %a = arith.muli %bz, %ten : index
  %b = arith.addi %a, %by : index
  %c = arith.muli %b, %ten : index
  %d = arith.addi %c, %bx : index
  %v = arith.index_cast %d : index to i32
  %old = memref.load %out[%bz, %by, %bx] : memref<?x?x?xi32>
  %w = arith.addi %v, %old : i32
  %s = arith.addi %w, %plus : i32
  memref.store %s, %out[%bz, %by, %bx] : memref<?x?x?xi32>
  func.return
}}""")
    )
    for grid in ((3, 4, 5), (1, 1, 7), (7, 1, 1), (1, 6, 1), (2, 1, 3)):
        for chunk in (1, 2, 5, 1000):
            out = np.zeros(grid[::-1], np.int32)
            status, _, _ = launch(code, "ids", (out,), grid, chunk=chunk)
            z, y, x = np.indices(out.shape)
            assert status == 0
            np.testing.assert_array_equal(out, 100 * z + 10 * y + x + 1)


def test_sizes_and_all_kinds_of_arguments_arrive():
    code = load(
        llvm_text(f"""
func.func @all(%b: i1, %i: i8, %h: f16, %g: bf16, %d: f64, %n: index, %out: memref<16xf64>,
    {KERNEL_ARGUMENTS}) attributes {{gpux.kernel}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %v0 = arith.uitofp %b : i1 to f64
  %v1 = arith.sitofp %i : i8 to f64
  %v2 = arith.extf %h : f16 to f64
  %v3 = arith.extf %g : bf16 to f64
  %k = arith.index_cast %n : index to i64
  %v4 = arith.sitofp %k : i64 to f64
  %p = arith.muli %dx, %dy : index
  %q = arith.muli %p, %dz : index
  %r = arith.muli %q, %gz : index
  %s = arith.index_cast %r : index to i64
  %v5 = arith.sitofp %s : i64 to f64
  memref.store %v0, %out[%c0] : memref<16xf64>
  memref.store %v1, %out[%c1] : memref<16xf64>
  memref.store %v2, %out[%c2] : memref<16xf64>
  memref.store %v3, %out[%c3] : memref<16xf64>
  memref.store %v4, %out[%c4] : memref<16xf64>
  memref.store %d, %out[%c5] : memref<16xf64>
  memref.store %v5, %out[%c6] : memref<16xf64>
  func.return
}}""")
    )
    out = np.zeros(16)
    pointer = np.int64(out.ctypes.data)
    given = (np.bool_(True), np.int8(-5), np.float16(0.5), ml_dtypes.bfloat16(-3), np.float64(0.1))
    status, _, _ = launch(code, "all", (*given, -7, pointer), (1, 1, 2), (2, 3, 4))
    assert status == 0
    assert out[:7].tolist() == [1, -5, 0.5, -3, -7, 0.1, 48]


# --- checks and prints ----------------------------------------------------------------------------

CHECKED = f"""
func.func @checked(%x: memref<?xf32>, %n: index, {KERNEL_ARGUMENTS}) attributes {{gpux.kernel}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %size = memref.dim %x, %c0 : memref<?xf32>
  %t = arith.constant 9 : index
  %ok = arith.cmpi ult, %bx, %size : index
  gpux.check %ok, "bounds", "index {{}} is out of bounds for axis 0 of x with size {{}}"
      (%bx, %size : index, index) {ZERO_IDS} formats ["index", "index"] site 3 : i32
  memref.store %one, %x[%bx] : memref<?xf32>
  func.return
}}"""


def test_a_failed_check_reports_and_stops_the_launch():
    code = load(llvm_text(CHECKED))
    x = np.zeros(5, np.float32)
    status, words, report = launch(code, "checked", (x, 5), (8, 1, 1), chunk=2)
    assert (status, words[9]) == (1, 1)
    assert report[0] == 11
    assert report[4:15].tolist() == [4, 5, 0, 0, 9, 0, 0, 5, 0, 5, 0]
    assert x.tolist() == [1] * 5
    before = words.copy()
    assert before[8] < 10, "no block is claimed after a failure"


def test_passing_checks_report_nothing():
    code = load(llvm_text(CHECKED))
    x = np.zeros(8, np.float32)
    status, words, report = launch(code, "checked", (x, 5), (8, 1, 1))
    assert (status, words[9], report[0]) == (0, 0, 0)
    assert x.tolist() == [1] * 8


def test_values_of_prints_arrive_by_their_format():
    kinds = {
        "i1": ("bool", True), "i8": ("i8", -3), "i16": ("u16", -3), "i32": ("u32", -1),
        "i64": ("i64", -9), "f16": ("f16", 1.5), "f32": ("f32", -2.5), "f64": ("f64", 0.1),
        "bf16": ("bf16", 3.0),
    }  # fmt: skip
    parameters = ", ".join(f"%v{i}: {kind}" for i, kind in enumerate(kinds))
    values = ", ".join(f"%v{i}" for i in range(len(kinds)))
    formats = ", ".join(f'"{format}"' for format, _ in kinds.values())
    code = load(
        llvm_text(f"""
func.func @show({parameters}, {KERNEL_ARGUMENTS}) attributes {{gpux.kernel}} {{
  %c0 = arith.constant 0 : index
  %t = arith.constant 2 : index
  gpux.print "{"{} " * len(kinds)}" ({values} : {", ".join(kinds)}) {ZERO_IDS}
      formats [{formats}] site 0 : i32
  func.return
}}""")
    )
    given = [
        ml_dtypes.bfloat16(value) if kind == "bf16" else NUMPY[kind](value)
        for kind, (_, value) in kinds.items()
    ]
    status, _, report = launch(code, "show", given, (2, 1, 1))
    record = 7 + 2 * len(kinds)
    assert (status, report[0], report[2]) == (0, 0, 2 * record)
    first = 4 + report[1] // 4  # failed checks have a quarter to themselves
    words = report[first : first + record]
    assert words[:7].tolist() == [1, 0, 0, 0, 2, 0, 0]
    assert report[first + record + 1] == 1, "the second block's record"
    bits = words[7:].view(np.int64)
    singles = bits.astype(np.uint32).view(np.float32)
    assert bits[:5].tolist() == [1, -3, 0xFFFD, 0xFFFFFFFF, -9]
    assert (singles[5], singles[6], singles[8]) == (1.5, -2.5, 3.0)
    assert bits[7:8].view(np.float64)[0] == 0.1
    assert bits[5] >> 32 == bits[6] >> 32 == 0


@pytest.mark.parametrize("count", range(4))  # up to two are written by the runtime
def test_prints_and_failures_keep_apart_and_have_all_their_values(count: int):
    def values(first: int) -> str:
        names = [f"%v{first + i}" for i in range(count)]
        kinds = ["i32"] * count
        given = f"({', '.join(names)} : {', '.join(kinds)})" if count else ""
        return f'"{"{} " * count}" {given} {ids} formats {str(kinds).replace(chr(39), chr(34))}'

    ids = ZERO_IDS.replace("%t", "%c0")
    parameters = "".join(f"%v{i}: i32, " for i in range(2 * count))
    code = load(
        llvm_text(f"""
func.func @both({parameters}{KERNEL_ARGUMENTS}) attributes {{gpux.kernel}} {{
  %c0 = arith.constant 0 : index
  %wrong = arith.cmpi ult, %bz, %c0 : index
  gpux.print {values(0)} site 4 : i32
  gpux.check %wrong, "assert", {values(count)} site 6 : i32
  func.return
}}""")
    )
    given = [np.int32(10 * (i + 1)) for i in range(2 * count)]
    status, _, report = launch(code, "both", given, capacity=80)
    size = 7 + 2 * count
    assert (status, report[0], report[2]) == (1, size, size)
    for site, first, own in ((7, 4, given[count:]), (5, 24, given[:count])):
        words = [word for value in own for word in (value, 0)]
        assert report[first : first + size].tolist() == [site, 0, 0, 0, 0, 0, 0, *words]
    assert np.count_nonzero(report[4:]) == 2 * (1 + count)


def test_what_does_not_fit_into_the_report_is_dropped():
    code = load(llvm_text(CHECKED))
    x = np.zeros(0, np.float32)
    status, _, report = launch(code, "checked", (x, 0), capacity=10)
    assert (status, report[0]) == (1, 11)
    assert not report[4:].any()


def test_a_check_needs_a_site_and_a_kernel():
    with pytest.raises(CompileError, match="no site number"):
        llvm_text(CHECKED.replace("site 3 : i32", ""))
    with pytest.raises(CompileError, match="only a kernel has a report buffer"):
        llvm_text(CHECKED.replace("gpux.kernel", "gpux.other"))


# --- atomics --------------------------------------------------------------------------------------

SCALARS = ("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64")


def atomic_body(kind: str, element: str) -> str:
    return f"""%c = arith.constant 0 : index
    %r = gpux.atomic_rmw "{kind}" %a, %pb[%c] order "relaxed" scope "device"
      : {element}, memref<?x{element}>"""


@pytest.mark.parametrize("element", SCALARS)
def test_atomics_return_the_old_value(element: str):
    integer = element.startswith("i")
    kinds = ["add", "exchange", "min", "max"]
    if integer:
        kinds = ["add", "exchange", "mins", "maxs", "minu", "maxu", "and", "or", "xor"]
    text = "\n".join(
        elementwise(f"at_{kind}", atomic_body(kind, element), [element] * 2, element)
        for kind in kinds
    )
    code = load(llvm_text(text))
    dtype = ml_dtypes.bfloat16 if element == "bf16" else NUMPY[element]
    values = np.array([3, -1, 7, 2, -6] if integer else [3, -0.0, 0.0, -2.5, 7, -6], dtype)
    if not integer:
        values = np.append(values, np.array(np.nan, dtype))
        values = np.append(values, np.array(1.0, dtype))
    for kind in kinds:
        cell = np.zeros(values.size, dtype)
        cell[0] = 1
        out = np.zeros_like(values)
        expected_old, state = [], cell[0]
        for value in values:
            expected_old.append(state)
            state = atomic_step(kind, state, value)
        arrays = [array.view(f"u{values.itemsize}") for array in (values, cell, out)]
        code.call(f"at_{kind}", *arrays)
        got = [*out, cell[0]]
        for one, other in zip(got, [*expected_old, state], strict=True):
            same = one == other or (np.isnan(float(one)) and np.isnan(float(other)))
            assert same, kind
            assert np.signbit(float(one)) == np.signbit(float(other)) or np.isnan(float(one)), kind


def atomic_step(kind: str, old: np.generic, value: np.generic) -> np.generic:
    """What one atomic leaves in memory."""
    unsigned = f"u{old.itemsize}"
    if kind == "add":
        with np.errstate(over="ignore"):
            return old + value  # pyright: ignore
    if kind == "exchange":
        return value
    if kind in ("mins", "maxs"):
        return (min if kind == "mins" else max)(old, value)  # pyright: ignore
    if kind in ("minu", "maxu"):
        a, b = old.view(unsigned), value.view(unsigned)
        return (min if kind == "minu" else max)(a, b).view(old.dtype)  # pyright: ignore
    if kind in ("and", "or", "xor"):
        return {"and": old & value, "or": old | value, "xor": old ^ value}[kind]  # pyright: ignore
    if np.isnan(float(value)):  # pyright: ignore
        return old
    key = (float(old), not np.signbit(float(old)))  # pyright: ignore
    other = (float(value), not np.signbit(float(value)))  # pyright: ignore
    return value if (other < key) == (kind == "min") and other != key else old


@pytest.mark.parametrize("order", ["relaxed", "acquire", "release", "acq_rel", "seq_cst"])
def test_compare_exchange_compares_bits(order: str):
    text = "\n".join(
        elementwise(
            f"cas_{element}",
            f"""%r = gpux.atomic_cas %a, %b, %pc[%i] order "{order}" scope "system"
              : {element}, memref<?x{element}>""",
            [element] * 3,
            element,
        )
        for element in ("i32", "f32", "f16", "bf16", "i8")
    )
    code = load(llvm_text(text))
    for element in ("i32", "f32", "f16", "bf16", "i8"):
        dtype = NUMPY[element]
        old = np.array([1, 2, 3, 0], dtype)
        expected, desired = np.array([1, 5, 3, 0], dtype), np.array([10, 20, 30, 40], dtype)
        cell, out = old.copy(), np.zeros(4, dtype)
        if element == "f32":
            expected[3] = -0.0  # equal as a number, but not the same bits
        code.call(f"cas_{element}", expected, desired, cell, out)
        np.testing.assert_array_equal(out, old)
        last = 0 if element == "f32" else 40
        assert cell.tolist() == [10, 2, 30, last]


def test_atomics_of_several_threads_lose_nothing():
    elements = ("i32", "f32", "f16", "i8")
    text = "\n".join(elementwise(f"sum_{e}", atomic_body("add", e), [e, e], e) for e in elements)
    code = load(llvm_text(text))
    for element in elements:
        dtype = NUMPY[element]
        count = 500 if element in ("f16", "i32", "f32") else 20
        ones, cell = np.ones(count, dtype), np.zeros(count, dtype)
        outs = [np.zeros(count, dtype) for _ in range(4)]

        def work(out: np.ndarray, element: str = element, ones=ones, cell=cell) -> None:  # pyright: ignore
            code.call(f"sum_{element}", ones, cell, out)

        threads = [threading.Thread(target=work, args=(out,)) for out in outs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert cell[0] == 4 * count
        seen = np.sort(np.concatenate(outs).astype(int))
        np.testing.assert_array_equal(seen, np.arange(4 * count))


def test_streaming_stores_are_waited_for_where_there_are_some():
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()

    def waits(triple: str) -> bool:
        machine = llvm.Target.from_triple(triple).create_target_machine()
        return "sfence" in machine.emit_assembly(llvm.parse_assembly(shared_text(triple)))

    assert waits("x86_64-unknown-linux-gnu")
    assert not waits("aarch64-unknown-linux-gnu")


# --- what is refused ------------------------------------------------------------------------------


def test_unknown_symbols_are_refused_before_code_generation():
    text = "declare void @nowhere()\ndefine void @f() {\n call void @nowhere()\n ret void\n}"
    with pytest.raises(CompileError, match="external symbol 'nowhere'"):
        assemble(text)


def test_names_of_the_c_library_are_not_taken():
    with pytest.raises(CompileError, match="cannot be called 'sqrt'"):
        assemble("define void @sqrt() {\n ret void\n}")
    kernel = llvm_text(SAXPY.replace("@saxpy", "@sqrt"))
    assert "@sqrt.kernel(" in kernel


@pytest.mark.parametrize("kind", ["x86_fp80", "fp128", "i256", "bfloat"])
def test_types_that_could_end_the_process_are_refused(kind: str):
    with pytest.raises(CompileError, match=f"cannot use the type {kind}"):
        assemble(f"define void @f({kind} %x) {{\n ret void\n}}")


def test_half_is_refused_where_it_would_need_a_library():
    text = "define half @f(half %half) {\n ret half %half\n}"
    if host_triple().startswith("x86_64"):
        with pytest.raises(CompileError, match="cannot use the type half"):
            assemble(text, cpu="x86-64", features="")
    assemble("define float @f(float %half) {\nbfloat.1:\n ret float %half\n}")


def test_errors_of_llvm_are_compile_errors():
    with pytest.raises(CompileError, match="LLVM refuses"):
        assemble("define void @f() {\n nonsense\n}")
    with pytest.raises(CompileError, match="no target 'pdp11"):
        assemble("define void @f() {\n ret void\n}", triple="pdp11-dec-unix")


def test_another_processor_can_be_chosen():
    if not host_triple().startswith("x86_64"):
        pytest.skip("the features are those of x86-64")
    text = llvm_text(SAXPY, half=False)
    asm = assemble(text, cpu="x86-64", features="").asm()
    assert "%xmm" in asm
    assert "%ymm" not in asm


# --- debugging ------------------------------------------------------------------------------------


def located_saxpy(path: Path) -> str:
    """The kernel as if line n of the text had come from line n of a Python file."""
    path.write_text("\n".join(f"# line {n}" for n in range(1, 40)))
    return llvm_text(SAXPY, debug=True, name=str(path))


def test_debug_information_names_file_line_and_function(tmp_path: Path):
    text = located_saxpy(tmp_path / "user.py")
    assert 'DIFile(filename: "user.py"' in text
    load_line = SAXPY.splitlines().index("    %vx = memref.load %x[%i] : memref<?xf32>") + 1
    assert f"DILocation(line: {load_line}, column: 5" in text
    loaded = load(text, opt=0)
    assert b".debug_line" in loaded.code.object


# Without optimisation: of a loop that was vectorised, gdb picks one copy, maybe one not run.
@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
def test_gdb_stops_at_a_line_of_the_users_file(tmp_path: Path):
    source = tmp_path / "user.py"
    (tmp_path / "saxpy.ll").write_text(located_saxpy(source))
    line = SAXPY.splitlines().index("    %m = arith.mulf %a, %vx : f32") + 1
    program = tmp_path / "run.py"
    program.write_text(
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
        "import numpy as np\nfrom llvm_kernels import *\n"
        f"code = load(open({str(tmp_path / 'saxpy.ll')!r}).read(), opt=0)\n"
        "x = np.ones(64, np.float32)\n"
        "launch(code, 'saxpy', (np.float32(2), x, x.copy(), 64, 1, 1), block=(64, 1, 1))\n"
    )
    commands = [
        *("set breakpoint pending on", f"break {source}:{line}", "run", "backtrace 1"),
        "info source",
    ]
    script = [part for command in commands for part in ("-ex", command)]
    done = subprocess.run(
        ["gdb", "-batch", "-nx", *script, "--args", sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"user.py:{line}" in done.stdout, done.stdout + done.stderr
    assert f"# line {line}" in done.stdout

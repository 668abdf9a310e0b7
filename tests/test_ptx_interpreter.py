"""The PTX interpreter on PTX written by hand: what it executes, and each error it finds."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx.errors import (
    DivergentBarrier,
    Misaligned,
    OutOfBounds,
    PtxError,
    PtxSyntaxError,
    StepLimit,
    Trap,
    Uninitialised,
    UnknownInstruction,
)
from oracles.ptx.memory import Memory
from oracles.ptx.module import Module

HEAD = ".version 8.0\n.target sm_80\n.address_size 64\n"


def kernel(body: str, before: str = "", limits: str = "") -> Module:
    """A kernel `k(out)`: %rd1 is the address of out, %r1 the thread, %rd2 out + 4 * thread."""
    return Module(f"""{HEAD}{before}
.visible .entry k(.param .u64 out) {limits} {{
    .reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<20>; .reg .b64 %rd<20>;
    .reg .f32 %f<20>; .reg .f64 %fd<9>;
    ld.param.u64 %rd1, [out];
    mov.u32 %r1, %tid.x;
    mad.wide.u32 %rd2, %r1, 4, %rd1;
{body}
    ret;
}}""")


def run(body: str, threads: int = 32, before: str = "", count: int = 0) -> list[int]:
    """What the kernel leaves in `out`, a 32-bit integer for each thread."""
    out = np.zeros(count or threads, np.int32)
    kernel(body, before).launch("k", (1,), (threads,), [out])
    return out.tolist()


# --- what it executes -----------------------------------------------------------------------------


def test_guards_and_branches() -> None:
    body = """
    setp.lt.u32 %p1, %r1, 3;
    mov.b32 %r2, 10;
    @%p1 mov.b32 %r2, 20;
    @!%p1 bra join;
    add.u32 %r2, %r2, %r1;
join:
    st.global.u32 [%rd2], %r2;"""
    assert run(body, 5) == [20, 21, 22, 10, 10]


def test_names_in_braces_hide_those_outside() -> None:
    body = """
    mov.b32 %r2, 1;
    { .reg .b32 %r2; mov.b32 %r2, 50; add.u32 %r3, %r2, %r1; bra done; done: }
    { bra done; done: add.u32 %r2, %r2, %r3; }
    st.global.u32 [%rd2], %r2;"""
    assert run(body, 2) == [51, 52]


def test_vectors_and_addresses_with_offsets() -> None:
    body = """
    mad.wide.u32 %rd3, %r1, 16, %rd1;
    st.global.v4.u32 [%rd3], {%r1, 2, 3, %r1};
    ld.global.v2.u32 {%r2, _}, [%rd3+8];
    ld.global.u32 %r3, [%rd3+-0];
    add.u32 %r2, %r2, %r3;
    st.global.u32 [%rd3+4], %r2;"""
    assert run(body, 2, count=8) == [0, 3, 3, 0, 1, 4, 3, 1]


def test_carries() -> None:
    body = """
    add.cc.u32 %r2, 0xFFFFFFFF, %r1;
    addc.u32 %r3, 5, 0;
    sub.cc.u32 %r4, %r1, 1;
    subc.u32 %r5, 0, 0;
    add.u32 %r3, %r3, %r5;
    st.global.u32 [%rd2], %r3;"""
    assert run(body, 3) == [4, 6, 6]


def test_initialised_variables_and_pointers_to_them() -> None:
    before = """
.global .align 4 .u32 numbers[4] = {1, 2, 0x30, -1};
.global .align 8 .u64 pointer = generic(numbers)+8;
.const .align 4 .f32 half[1] = {0f3F000000};
"""
    body = """
    ld.global.u64 %rd3, [pointer];
    ld.u32 %r2, [%rd3];
    ld.const.f32 %f1, [half];
    cvt.rn.f32.u32 %f2, %r2;
    mul.f32 %f1, %f1, %f2;
    cvt.rzi.s32.f32 %r3, %f1;
    ld.global.s32 %r4, [numbers+12];
    add.s32 %r3, %r3, %r4;
    st.global.u32 [%rd2], %r3;"""
    assert run(body, 1, before) == [23]


def test_calls_with_parameters_and_results() -> None:
    before = """
.func (.param .b32 result) twice(.param .b32 x) {
    .reg .b32 %r<3>;
    ld.param.b32 %r1, [x];
    add.u32 %r2, %r1, %r1;
    st.param.b32 [result], %r2;
    ret;
}"""
    body = """
    setp.eq.u32 %p1, %r1, 1;
    mov.b32 %r3, 0;
    @%p1 bra skip;
    { .param .b32 a; .param .b32 r;
      st.param.b32 [a], %r1;
      call.uni (r), twice, (a);
      ld.param.b32 %r3, [r]; }
skip:
    st.global.u32 [%rd2], %r3;"""
    assert run(body, 4, before) == [0, 0, 4, 6]


def test_tables_of_branch_targets() -> None:
    body = """
table: .branchtargets zero, one;
    mov.b32 %r2, 7;
    brx.idx %r1, table;
one: add.u32 %r2, %r2, 1;
zero: st.global.u32 [%rd2], %r2;"""
    assert run(body, 2) == [7, 8]


def test_generic_addresses_of_several_spaces_at_once() -> None:
    body = """
    .shared .align 4 .b32 s[1];
    .local .align 4 .b32 l[1];
    mov.u32 %r2, s; cvt.u64.u32 %rd3, %r2; cvta.shared.u64 %rd3, %rd3;
    mov.u64 %rd4, l; cvta.local.u64 %rd4, %rd4;
    setp.eq.u32 %p1, %r1, 0;
    selp.b64 %rd5, %rd3, %rd4, %p1;
    isspacep.shared %p2, %rd5;
    selp.b32 %r3, 100, 200, %p2;
    st.u32 [%rd5], %r3;
    ld.u32 %r4, [%rd5];
    st.global.u32 [%rd2], %r4;"""
    assert run(body, 3) == [100, 200, 200]


def test_shuffle_tells_which_lanes_were_in_range() -> None:
    body = """
    shfl.sync.down.b32 %r2|%p1, %r1, 2, 0x1f, -1;
    selp.b32 %r3, %r2, -1, %p1;
    st.global.u32 [%rd2], %r3;"""
    assert run(body) == [*range(2, 32), -1, -1]


def test_lanes_meet_at_a_warp_barrier() -> None:
    body = """
    setp.lt.u32 %p1, %r1, 16;
    mov.b32 %r2, 1;
    @%p1 bra other;
    bar.warp.sync 0xFFFF0000;
    mov.b32 %r2, 2;
    bra join;
other:
    elect.sync %r3|%p2, 0xFFFF;
    @%p2 mov.b32 %r2, 3;
join:
    st.global.u32 [%rd2], %r2;"""
    assert run(body) == [3, *[1] * 15, *[2] * 16]


@pytest.mark.parametrize("ends", ["bra head;", "ret;"])
def test_lanes_wait_at_several_places_for_others_of_the_warp(ends: str) -> None:
    """Eight at the shuffle for the next, who come to it later or end; the last for all."""
    body = f"""
    mov.b32 %r2, 5;
    mov.b32 %r3, 0;
    setp.ge.u32 %p1, %r1, 16;
    @!%p1 bra start;
wait:
    bar.warp.sync -1;
    bra end;
head:
    add.s32 %r2, %r2, 1;
    shfl.sync.idx.b32 %r3, %r2, {"9" if ends[0] == "b" else "1"}, 0x1f, 0xFFFF;
    bra wait;
start:
    setp.lt.u32 %p1, %r1, 8;
    @%p1 bra head;
    mov.b32 %r2, 41;
    st.global.u32 [%rd2], 7;
    {ends}
end:
    st.global.u32 [%rd2], %r3;"""
    first, second = (42, 42) if ends[0] == "b" else (6, 7)
    assert run(body) == [*[first] * 8, *[second] * 8, *[0] * 16]


def test_wait_group_leaves_the_newest_copies_under_way() -> None:
    body = """
    .shared .align 16 .b32 s[8];
    mov.u32 %r2, s;
    st.shared.u32 [%r2], 7; st.shared.u32 [%r2+4], 7;
    st.global.u32 [%rd1], 1; st.global.u32 [%rd1+4], 2;
    cp.async.ca.shared.global [%r2], [%rd1], 4;
    cp.async.commit_group;
    cp.async.ca.shared.global [%r2+4], [%rd1+4], 4, 0;
    cp.async.commit_group;
    cp.async.wait_group 1;
    ld.shared.u32 %r3, [%r2]; ld.shared.u32 %r4, [%r2+4];
    cp.async.wait_all;
    ld.shared.u32 %r5, [%r2+4];
    st.global.v4.u32 [%rd1], {%r3, %r4, %r5, 0};"""
    assert run(body, 1, count=4) == [1, 7, 0, 0]


def test_mbarrier_waits_for_arrivals_and_bytes() -> None:
    before = ".shared .align 16 .b8 data[512]; .shared .align 8 .b64 bar;"
    body = """
    mov.u32 %r2, data; mov.u32 %r3, bar;
    shr.u32 %r4, %r1, 5;
    setp.ne.u32 %p1, %r4, 0;
    setp.eq.u32 %p2, %r1, 0;
    @%p2 mbarrier.init.shared.b64 [%r3], 33;
    bar.sync 0;
    @%p1 bra consumer;
    mbarrier.arrive.shared.b64 _, [%r3];
    @!%p2 bra end;
    st.global.u32 [%rd1], 17; st.global.u32 [%rd1+252], 18;
    mbarrier.arrive.expect_tx.shared.b64 %rd5, [%r3], 256;
    cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%rd1], 256, [%r3];
    bra end;
consumer:
again:
    mbarrier.try_wait.parity.shared.b64 %p3, [%r3], 0;
    @!%p3 bra again;
    ld.shared.u32 %r5, [%r2]; ld.shared.u32 %r6, [%r2+252];
    add.u32 %r5, %r5, %r6;
    st.global.u32 [%rd2], %r5;
end:"""
    assert run(body, 64, before)[32:] == [35] * 32


def test_predicates_combine() -> None:
    body = """
    setp.gt.s32 %p1, %r1, 0;
    setp.lt.and.s32 %p2|%p3, %r1, 2, %p1;
    selp.b32 %r2, 1, 0, %p2;
    selp.b32 %r3, 10, 0, %p3;
    add.u32 %r2, %r2, %r3;
    set.eq.u32.u32 %r3, %r1, 3;
    add.u32 %r2, %r2, %r3;
    st.global.u32 [%rd2], %r2;"""
    assert run(body, 4) == [0, 1, 10, 9]


@pytest.mark.parametrize(
    ("instruction", "values", "expected"),
    [
        ("add.rz.f32 %f3, %f1, %f2;", (1.0, 2**-30), 1.0),
        ("add.rp.f32 %f3, %f1, %f2;", (1.0, 2**-30), 1 + 2**-23),
        ("fma.rn.f32 %f3, %f1, %f1, %f2;", (1 + 2**-12, 2**-60), 1 + 2**-11 + 2**-23),
        ("min.f32 %f3, %f1, %f2;", (np.nan, 3.0), 3.0),
        ("max.NaN.f32 %f3, %f1, %f2;", (np.nan, 3.0), np.nan),
        ("add.sat.f32 %f3, %f1, %f2;", (1.0, 3.0), 1.0),
        ("mul.ftz.f32 %f3, %f1, %f2;", (2.0**-120, 2.0**-10), 0.0),
        ("cvt.rni.f32.f32 %f3, %f1;", (2.5, 0.0), 2.0),
        ("div.rm.f32 %f3, %f1, %f2;", (-1.0, 3.0), -0.33333334),
        ("sqrt.rz.f32 %f3, %f1;", (2.0, 0.0), 1.4142135),
        ("cvt.rn.bf16.f32 %h1, %f1; cvt.f32.bf16 %f3, %h1;", (1.00390625, 0.0), 1.0),
        ("cvt.rn.f16.f32 %h1, %f1; cvt.f32.f16 %f3, %h1;", (65520.0, 0.0), np.inf),
        ("cvt.rn.f16x2.f32 %r2, %f1, %f2; cvt.u16.u32 %h1, %r2; cvt.f32.f16 %f3, %h1;", (1, 2), 2),
    ],
)
def test_rounding(instruction: str, values: tuple[float, float], expected: float) -> None:
    body = f"""
    ld.global.v2.f32 {{%f1, %f2}}, [%rd1];
    {instruction}
    st.global.f32 [%rd1], %f3;"""
    out = np.array(values, np.float32)
    kernel(body).launch("k", (1,), (1,), [out])
    np.testing.assert_equal(out[0], np.float32(expected))


def test_fma_of_f64_is_rounded_once() -> None:
    out = np.array([1 + 2**-30, 1 - 2**-30, -1.0])
    kernel("""
    ld.global.f64 %fd1, [%rd1]; ld.global.f64 %fd2, [%rd1+8]; ld.global.f64 %fd3, [%rd1+16];
    fma.rn.f64 %fd4, %fd1, %fd2, %fd3;
    st.global.f64 [%rd1], %fd4;""").launch("k", (1,), (1,), [out])
    assert out[0] == -(2.0**-60)


def test_packed_bf16_atomics() -> None:
    out = np.zeros(2, ml_dtypes.bfloat16)
    kernel("""
    mov.b32 %r2, 0x40003F80;
    red.relaxed.gpu.global.add.noftz.bf16x2 [%rd1], %r2;""").launch("k", (2,), (32,), [out])
    assert out.tolist() == [64, 128]


def test_barriers_share_memory_between_warps() -> None:
    body = """
    .shared .align 4 .b32 s[64];
    mov.u32 %r2, s;
    shl.b32 %r3, %r1, 2;
    add.u32 %r4, %r2, %r3;
    st.shared.u32 [%r4], %r1;
    bar.sync 0;
    sub.u32 %r4, %r2, %r3;
    ld.shared.u32 %r5, [%r4+252];
    st.global.u32 [%rd2], %r5;"""
    assert run(body, 64) == list(range(63, -1, -1))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_missing_barrier_shows(backwards: bool) -> None:
    body = """
    .shared .align 4 .b32 s[64];
    mov.u32 %r2, s;
    mad.lo.u32 %r3, %r1, 4, %r2;
    st.shared.u32 [%r3], %r1;
    xor.b32 %r4, %r1, 32;
    mad.lo.u32 %r3, %r4, 4, %r2;
    ld.shared.u32 %r5, [%r3];
    st.global.u32 [%rd2], %r5;"""
    out = np.zeros(64, np.int32)
    kernel(body).launch("k", (1,), (64,), [out], backwards=backwards)
    # The warp that runs first finds fresh memory, which is all ones.
    first, second = (out[32:], out[:32]) if backwards else (out[:32], out[32:])
    assert (first == -1).all()
    assert (second >= 0).all()


def test_memory_can_be_shared_by_launches() -> None:
    memory = Memory()
    address = memory.allocate(8)
    memory.write(address, np.array([1, 2], np.int32))
    text = f"""{HEAD}.visible .entry k(.param .u64 out) {{ .reg .b64 %rd1; .reg .b32 %r1;
    ld.param.u64 %rd1, [out]; ld.global.u32 %r1, [%rd1]; add.u32 %r1, %r1, 5;
    st.global.u32 [%rd1], %r1; ret; }}"""
    module = Module(text, memory)
    for _ in range(2):
        module.run("k", (1,), (1,), [address.to_bytes(8, "little")])
    assert np.frombuffer(memory.read(address, 8), np.int32).tolist() == [11, 2]


# --- errors ---------------------------------------------------------------------------------------


def failure(kind: type[PtxError], body: str, threads: int = 32) -> PtxError:
    """The error of running the body; `out` has 16 bytes for each thread."""
    with pytest.raises(kind) as caught:
        kernel(body).launch("k", (2,), (threads,), [np.zeros((threads, 4), np.int32)])
    return caught.value


def test_out_of_bounds_names_line_and_thread() -> None:
    error = failure(OutOfBounds, "mad.wide.u32 %rd3, %r1, 32, %rd1;\nst.global.u32 [%rd3], %r1;")
    assert error.line == 12
    assert error.thread == "block (0, 0, 0) thread (16, 0, 0)"
    assert "0 bytes past the end of the allocation" in str(error)


def test_access_across_the_end_of_a_buffer() -> None:
    failure(OutOfBounds, "st.global.u32 [%rd1+512], %r1;")
    failure(OutOfBounds, "ld.global.u32 %r2, [%rd1+-4];")
    failure(OutOfBounds, "mov.u64 %rd3, 0; ld.global.u32 %r2, [%rd3];")


def test_one_variable_does_not_reach_into_the_next() -> None:
    body = ".shared .b32 a[4]; .shared .b32 b[4]; mov.u32 %r2, a; st.shared.u32 [%r2+16], 1;"
    failure(OutOfBounds, body)
    failure(OutOfBounds, ".local .b32 a[4]; mov.u64 %rd3, a; st.local.u32 [%rd3+16], 1;")


def test_parameters_and_constants_are_read_only() -> None:
    failure(OutOfBounds, ".const .b32 c[1]; mov.u64 %rd3, c; st.u32 [%rd3], 1;")


def test_misaligned() -> None:
    error = failure(Misaligned, "add.u64 %rd3, %rd2, 2;\nld.global.u32 %r2, [%rd3];")
    assert error.line == 12
    failure(Misaligned, "ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+8];")


def test_uninitialised_register() -> None:
    body = "setp.lt.u32 %p1, %r1, 5;\n@%p1 mov.b32 %r2, 1;\nst.global.u32 [%rd1], %r2;"
    error = failure(Uninitialised, body)
    assert error.line == 13
    assert error.thread == "block (0, 0, 0) thread (5, 0, 0)"
    assert "%r2" in error.message


HANDED_ON = (
    "mov.b32 %r3, %r2;",
    "add.u32 %r3, %r2, 1;",
    "fma.rn.f32 %r3, %r1, %r1, %r2;",
    "cvt.f32.s32 %r3, %r2;",
    "mov.b64 %rd3, {%r2, %r2}; mov.b64 {%r4, %r3}, %rd3;",
    "setp.lt.u32 %p1, %r1, %r2; selp.u32 %r3, 1, 2, %p1;",
    "setp.lt.u32 %p1|%p2, %r1, %r2; selp.u32 %r3, 1, 2, %p2;",
    "setp.lt.u32 %p1, %r1, %r2; not.pred %p2, %p1; selp.u32 %r3, 1, 2, %p2;",
)
USES = (
    "st.global.u32 [%rd1], %r3;",
    "cvt.u64.u32 %rd4, %r3; add.u64 %rd4, %rd1, %rd4; ld.global.u32 %r5, [%rd4];",
    "setp.eq.u32 %p3, %r3, 7; @%p3 bra end; end:",
    "setp.eq.u32 %p3, %r3, 7; @%p3 mov.b32 %r5, 1;",
    "shfl.sync.idx.b32 %r5, %r3, 0, 31, -1;",
    "add.cc.u32 %r5, %r3, 1;",
)


@pytest.mark.parametrize("made", HANDED_ON)
def test_what_is_made_of_undefined_registers_is_undefined(made: str) -> None:
    before = "mov.b32 %r3, 1; mov.pred %p1, -1; mov.pred %p2, -1;"
    kernel(before + made).launch("k", (1,), (1,), [np.zeros(1, np.int32)])
    for use in USES:
        kernel(f"mov.b32 %r3, 0; {use}").launch("k", (1,), (32,), [np.zeros(1, np.int32)])
        failure(Uninitialised, before + made + use)


def test_only_the_lanes_without_a_value_are_undefined() -> None:
    body = """
    setp.lt.u32 %p1, %r1, 5;
    @%p1 mov.b32 %r2, 7;
    add.u32 %r3, %r2, %r1;
    @%p1 st.global.u32 [%rd2], %r3;
    """
    out = np.zeros(32, np.int32)
    kernel(body).launch("k", (1,), (32,), [out])
    np.testing.assert_array_equal(out, [7, 8, 9, 10, 11, *[0] * 27])


def test_registers_of_a_call_are_fresh() -> None:
    before = ".func f() { .reg .b32 %r<3>; .reg .pred %p; setp.eq.u32 %p, %r2, 1; @%p ret; ret; }"
    with pytest.raises(Uninitialised):
        kernel("mov.b32 %r2, 1; call f;", before).launch("k", (1,), (1,), [np.zeros(1, np.int32)])


def test_barrier_in_one_branch_only() -> None:
    body = "setp.lt.u32 %p1, %r1, 16;\n@%p1 bra out_of_here;\nbar.sync 0;\nout_of_here:"
    error = failure(DivergentBarrier, body)
    assert error.line == 13
    assert "16 of 32 threads" in error.message


def test_lanes_of_a_warp_at_different_barriers() -> None:
    body = """
    setp.lt.u32 %p1, %r1, 16;
    @%p1 bra other;
    bar.sync 0; bra join;
other: bar.sync 0;
join:"""
    assert "other threads of the warp" in failure(DivergentBarrier, body).message


def test_threads_that_have_ended_may_miss_a_barrier_if_asked() -> None:
    body = "setp.lt.u32 %p1, %r1, 40;\n@%p1 exit;\nbar.sync 0;\nst.global.u32 [%rd2], 1;"
    out = np.zeros(64, np.int32)
    with pytest.raises(DivergentBarrier, match="40 of the block have ended"):
        kernel(body).launch("k", (1,), (64,), [out])
    kernel(body).launch("k", (1,), (64,), [out], strict_barriers=False)
    assert out.sum() == 24


def test_shuffle_that_some_lanes_never_reach() -> None:
    body = """
    setp.lt.u32 %p1, %r1, 16;
    @%p1 bra join;
    shfl.sync.bfly.b32 %r2, %r1, 1, 0x1f, -1;
join: bar.sync 0;"""
    assert "never reach" in failure(DivergentBarrier, body).message


def test_unknown_instructions_are_named() -> None:
    with pytest.raises(UnknownInstruction, match=r"line 11: unknown instruction 'frob\.u32'"):
        kernel("frob.u32 %r1, %r2;")
    with pytest.raises(UnknownInstruction, match=r"modifier \.strange"):
        kernel("add.strange.u32 %r1, %r2, 1;")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("add.u32 %r1, %r99, 1;", "unknown register %r99"),
        ("add.u32 %r1, ;", "unknown form of instruction"),
        ("bra nowhere;", "no label nowhere"),
        ("add.u32 %h1, %r1, 1;", "narrower than"),
        ("ld.global.u32 %r1, %rd1;", "expected an address"),
        ("call missing;", "missing is not declared"),
        ("add.u32 %r1, %r1, 1", "expected ,"),
        ("?", "cannot read"),
    ],
)
def test_syntax_errors(body: str, message: str) -> None:
    with pytest.raises(PtxError, match=message) as caught:
        kernel(body)
    assert caught.value.line is not None


def test_endless_loop() -> None:
    with pytest.raises(StepLimit, match="endless loop"):
        kernel("again: bra again;").launch(
            "k", (1,), (32,), [np.zeros(1, np.int32)], step_limit=5000
        )


def test_too_many_arrivals() -> None:
    body = """
    .shared .align 8 .b64 bar; mov.u32 %r3, bar;
    mbarrier.init.shared.b64 [%r3], 2;
    mbarrier.arrive.shared.b64 %rd5, [%r3], 3;"""
    assert "more threads arrive" in failure(PtxError, body, 1).message


def test_trap() -> None:
    error = failure(Trap, "setp.eq.u32 %p1, %r1, 3;\n@%p1 trap;")
    assert error.thread == "block (0, 0, 0) thread (3, 0, 0)"


def test_launches_that_do_not_fit_the_kernel() -> None:
    module = kernel("", limits=".maxntid 64, 1, 1")
    out = np.zeros(1, np.int32)
    with pytest.raises(PtxError, match="allows 64 threads"):
        module.launch("k", (1,), (65,), [out])
    with pytest.raises(PtxError, match="has 1 parameters, got 2"):
        module.launch("k", (1,), (1,), [out, out])
    with pytest.raises(PtxError, match="has 8 bytes, got 4"):
        module.launch("k", (1,), (1,), [np.int32(1)])
    with pytest.raises(PtxError, match="no kernel 'other', only k"):
        module.launch("other", (1,), (1,), [])


def test_a_module_must_be_complete() -> None:
    with pytest.raises(PtxSyntaxError, match="expected more"):
        Module(f"{HEAD}.visible .entry k(.param .u64 a")
    with pytest.raises(PtxSyntaxError, match="no \\.alias"):
        Module(f"{HEAD}.alias a, b;")
